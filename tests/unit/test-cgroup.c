// SPDX-License-Identifier: GPL-2.0-or-later
#include "kernel/cgroup.h"

#include "test.h"

static struct host opened(const char *name)
{
	struct host host = { .cgroup_root = -1, .proc = -1 };

	assert_int_equal(host_open(&host, fixture(name), NULL), 0);
	return host;
}

TEST(the_hierarchy_that_controls_memory_is_found_by_looking)
{
	static const struct {
		const char *tree;
		enum cgroup_mode mode;
		enum cgroup_layout layout;
		const char *below;
		const char *evidence;
	} rows[] = {
		{ "v1", CGROUP_V1, CGROUP_LEGACY, "/memory", "memory.limit_in_bytes" },
		{ "v1-noswap", CGROUP_V1, CGROUP_LEGACY, "/memory", "memory.limit_in_bytes" },
		{ "hybrid", CGROUP_V1, CGROUP_HYBRID, "/memory", "memory.limit_in_bytes" },
		{ "v2", CGROUP_V2, CGROUP_UNIFIED, "", "cgroup.controllers" },
		{ "v2-root", CGROUP_V2, CGROUP_UNIFIED, "", "cgroup.controllers" },
	};

	for (size_t i = 0; i < COUNT(rows); i++) {
		auto_host struct host host = opened(rows[i].tree);
		auto_cgroup struct cgroup root = CGROUP_NONE;
		struct error err;
		char path[PATH_MAX];

		assert_row(rows[i].tree, cgroup_open_root(&root, &host, &err) == 0);
		assert_row(rows[i].tree, root.mode == rows[i].mode);
		assert_row(rows[i].tree, root.layout == rows[i].layout);
		assert_row(rows[i].tree, faccessat(root.dirfd, rows[i].evidence, F_OK, 0) == 0);
		snprintf(path, sizeof(path), "%s%s", fixture(rows[i].tree), rows[i].below);
		assert_row_text(rows[i].tree, root.path, path);
	}
}

/* crun opens "memory" below the root of any hybrid layout. */
TEST(memory_on_v2_beside_v1_controllers_is_refused)
{
	auto_scratch struct scratch dir = scratch_new();
	auto_host struct host host = { .cgroup_root = -1, .proc = -1 };
	auto_cgroup struct cgroup root = CGROUP_NONE;

	scratch_dir(&dir, "cpu");
	scratch_dir(&dir, "unified");
	scratch_file(&dir, "unified/cgroup.controllers", "memory\n");
	assert_int_equal(host_open(&host, dir.path, NULL), 0);
	assert_int_equal(cgroup_open_root(&root, &host, NULL), -ENOENT);
}

TEST(a_tree_without_memory_is_refused)
{
	auto_scratch struct scratch dir = scratch_new();
	auto_host struct host host = { .cgroup_root = -1, .proc = -1 };
	struct cgroup root = CGROUP_NONE;
	struct error err;

	scratch_dir(&dir, "memory");
	assert_int_equal(host_open(&host, dir.path, NULL), 0);
	assert_int_equal(cgroup_open_root(&root, &host, &err), -ENOENT);
	assert_non_null(strstr(err.text, ": no cgroup hierarchy controls memory here"));
	assert_int_equal(root.dirfd, -1);
}

TEST(a_path_is_looked_up_below_the_hierarchy)
{
	auto_host struct host host = opened("v2");
	auto_cgroup struct cgroup plain = CGROUP_NONE, slashes = CGROUP_NONE, none = CGROUP_NONE;
	struct error err;

	assert_int_equal(cgroup_open_path(&plain, &host, "system.slice", &err), 0);
	assert_int_equal(faccessat(plain.dirfd, "memory.max", F_OK, 0), 0);
	assert_int_equal(cgroup_open_path(&slashes, &host, "//system.slice", &err), 0);
	assert_string_equal(slashes.path, plain.path);
	assert_int_equal(cgroup_open_path(&none, &host, "web.slice", &err), -ENOENT);
	assert_non_null(strstr(err.text, "/web.slice: cannot open: No such file or directory"));
}

/* A host whose /proc is ours too: `text` is what it says of process 7. */
static struct host with_process(const char *tree, const struct scratch *proc, const char *text)
{
	struct host host = opened(tree);

	scratch_dir(proc, "7");
	scratch_file(proc, "7/cgroup", text);
	close(host.proc);
	host.proc = open(proc->path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	return host;
}

TEST(a_process_is_where_its_v2_line_says)
{
	auto_scratch struct scratch proc = scratch_new();
	auto_host struct host host = with_process("v2", &proc, "0::/system.slice\n");
	auto_cgroup struct cgroup cgroup = CGROUP_NONE;

	assert_int_equal(cgroup_open_process(&cgroup, &host, 7, NULL), 0);
	assert_non_null(strstr(cgroup.path, "v2/system.slice"));
	assert_int_equal(faccessat(cgroup.dirfd, "memory.max", F_OK, 0), 0);
}

TEST(a_process_is_where_the_line_with_the_memory_controller_says)
{
	static const char *const texts[] = {
		"2:memory:/\n1:cpu:/other\n0::/other\n",
		"11:cpu,cpuacct:/other\n5:hugetlb,memory:/\n0::/other\n",
		"5:memory,hugetlb:/\n1:name=memory:/other\n",
		"9:mem:/other\n8:memory2:/other\n7:name=memory:/other\n5:memory:/\n",
	};

	for (size_t i = 0; i < COUNT(texts); i++) {
		auto_scratch struct scratch proc = scratch_new();
		auto_host struct host host = with_process("hybrid", &proc, texts[i]);
		auto_cgroup struct cgroup cgroup = CGROUP_NONE;
		struct error err = { "" };

		cgroup_open_process(&cgroup, &host, 7, &err);
		assert_row_text(texts[i], err.text, "");
		assert_row(texts[i], strstr(cgroup.path, "hybrid/memory") != NULL);
	}
}

TEST(a_path_with_colons_is_taken_whole)
{
	auto_scratch struct scratch proc = scratch_new();
	auto_host struct host host = with_process("v2", &proc, "0::/a:b:memory\n");
	struct cgroup cgroup = CGROUP_NONE;
	struct error err;

	assert_int_equal(cgroup_open_process(&cgroup, &host, 7, &err), -ENOENT);
	assert_non_null(strstr(err.text, "v2/a:b:memory: cannot open"));
}

TEST(a_process_without_a_memory_cgroup_is_refused)
{
	auto_scratch struct scratch proc = scratch_new();
	auto_host struct host host = with_process("v1", &proc, "1:cpu:/\n0::/\nnonsense\n");
	struct cgroup cgroup = CGROUP_NONE;
	struct error err;

	assert_int_equal(cgroup_open_process(&cgroup, &host, 7, &err), -ENOENT);
	assert_string_equal(err.text, "/proc/7/cgroup: names no memory cgroup");
	assert_int_equal(cgroup_open_process(&cgroup, &host, 8, &err), -ENOENT);
	assert_string_equal(err.text, "/proc/8/cgroup: cannot open: No such file or directory");
	assert_int_equal(cgroup.dirfd, -1);
}

TEST(a_process_outside_of_our_namespace_is_not_looked_for_above_the_tree)
{
	static const char *const texts[] = { "0::/..\n", "0::/../v2\n", "0::/../../x\n" };

	for (size_t i = 0; i < COUNT(texts); i++) {
		auto_scratch struct scratch proc = scratch_new();
		auto_host struct host host = with_process("v2-root", &proc, texts[i]);
		auto_cgroup struct cgroup cgroup = CGROUP_NONE;
		struct error err = { "" };

		assert_row(texts[i], cgroup_open_process(&cgroup, &host, 7, &err) == -ENOENT);
		assert_row(err.text, strstr(err.text, "/proc/7/cgroup: not below ") != NULL);
		assert_int_equal(cgroup.dirfd, -1);
	}
}

TEST(names_are_words_for_people)
{
	assert_string_equal(cgroup_mode_name(CGROUP_V1), "v1");
	assert_string_equal(cgroup_mode_name(CGROUP_V2), "v2");
	assert_string_equal(cgroup_layout_name(CGROUP_LEGACY), "legacy");
	assert_string_equal(cgroup_layout_name(CGROUP_HYBRID), "hybrid");
	assert_string_equal(cgroup_layout_name(CGROUP_UNIFIED), "unified");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_hierarchy_that_controls_memory_is_found_by_looking),
		cmocka_unit_test(memory_on_v2_beside_v1_controllers_is_refused),
		cmocka_unit_test(a_tree_without_memory_is_refused),
		cmocka_unit_test(a_path_is_looked_up_below_the_hierarchy),
		cmocka_unit_test(a_process_is_where_its_v2_line_says),
		cmocka_unit_test(a_process_is_where_the_line_with_the_memory_controller_says),
		cmocka_unit_test(a_path_with_colons_is_taken_whole),
		cmocka_unit_test(a_process_without_a_memory_cgroup_is_refused),
		cmocka_unit_test(a_process_outside_of_our_namespace_is_not_looked_for_above_the_tree),
		cmocka_unit_test(names_are_words_for_people),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
