// SPDX-License-Identifier: GPL-2.0-or-later
#include "memory/features.h"

#include "base/number.h"
#include "kernels.h"
#include "native.h"

static bool has(const struct memory_features *features, const char *file)
{
	const struct memory_file *row = memory_file_named(features->mode, file);

	return row && memory_features_have(features, row);
}

static const char *wins(const struct memory_features *features, enum memory_field field)
{
	const struct memory_file *row = memory_features_find(features, field);

	return row ? row->name : "";
}

TEST(v1_has_its_own_files)
{
	struct memory_features features = kernel("v1", NULL);

	assert_int_equal(features.mode, CGROUP_V1);
	assert_int_equal(features.layout, CGROUP_LEGACY);
	assert_true(features.seen);
	assert_true(features.always_hierarchical);
	assert_string_equal(wins(&features, MEMORY_LIMIT), "memory.limit_in_bytes");
	assert_string_equal(wins(&features, MEMORY_SWAP), "memory.memsw.limit_in_bytes");
	assert_string_equal(wins(&features, MEMORY_RESERVATION), "memory.soft_limit_in_bytes");
	assert_string_equal(wins(&features, MEMORY_SWAPPINESS), "memory.swappiness");
	assert_string_equal(wins(&features, MEMORY_OOM_WAIT), "memory.oom_control");
	assert_string_equal(wins(&features, MEMORY_OOM_GROUP), "");
	for (size_t i = 0; i < memory_files_count; i++)
		assert_row(memory_files[i].name,
			   memory_features_have(&features, &memory_files[i]) ==
				   (memory_files[i].mode == CGROUP_V1));
}

TEST(hybrid_is_v1_for_memory)
{
	struct memory_features features = kernel("hybrid", NULL), v1 = kernel("v1", NULL);

	assert_int_equal(features.mode, CGROUP_V1);
	assert_int_equal(features.layout, CGROUP_HYBRID);
	assert_true(features.present == v1.present);
}

TEST(v1_without_swap_accounting_lacks_one_file)
{
	struct memory_features features = kernel("v1-noswap", NULL), v1 = kernel("v1", NULL);

	assert_true((features.present | row_bit(&v1, "memory.memsw.limit_in_bytes")) == v1.present);
	assert_true(features.present != v1.present);
}

TEST(an_old_v1_lets_hierarchy_be_chosen)
{
	struct memory_features features = kernel("v1-flat", NULL);

	assert_false(features.always_hierarchical);
}

TEST(v2_has_what_needs_no_patch)
{
	struct memory_features features = kernel("v2", NULL);

	assert_int_equal(features.mode, CGROUP_V2);
	assert_int_equal(features.layout, CGROUP_UNIFIED);
	assert_true(features.seen);
	for (size_t i = 0; i < memory_files_count; i++)
		assert_row(memory_files[i].name,
			   memory_features_have(&features, &memory_files[i]) ==
				   (memory_files[i].mode == CGROUP_V2 &&
				    !(memory_files[i].flags & FILE_PATCH)));
	assert_string_equal(wins(&features, MEMORY_SWAP), "memory.swap.max");
	assert_string_equal(wins(&features, MEMORY_RESERVATION), "memory.low");
	assert_string_equal(wins(&features, MEMORY_SWAPPINESS), "");
	assert_string_equal(wins(&features, MEMORY_RESERVE), "memory.min");
}

TEST(v2_without_swap_lacks_the_swap_file)
{
	struct memory_features features = kernel("v2-noswap", NULL);

	assert_string_equal(wins(&features, MEMORY_SWAP), "");
	assert_true(has(&features, "memory.max"));
}

TEST(a_patched_kernel_has_every_row_and_the_new_ones_win)
{
	struct memory_features features = kernel("v2-patched", NULL);

	for (size_t i = 0; i < memory_files_count; i++)
		assert_row(memory_files[i].name,
			   memory_features_have(&features, &memory_files[i]) ==
				   (memory_files[i].mode == CGROUP_V2));
	assert_string_equal(wins(&features, MEMORY_SWAP), "memory.memsw.max");
	assert_string_equal(wins(&features, MEMORY_RESERVATION), "memory.soft.max");
	assert_string_equal(wins(&features, MEMORY_SWAPPINESS), "memory.swappiness");
	assert_string_equal(wins(&features, MEMORY_OOM_WAIT), "memory.oom.wait");
	assert_string_equal(wins(&features, MEMORY_RESERVE), "memory.reserve");
}

TEST(a_root_alone_is_assumed_to_be_a_stock_v2)
{
	struct memory_features features = kernel("v2-root", NULL), v2 = kernel("v2", NULL);

	assert_int_equal(features.mode, CGROUP_V2);
	assert_false(features.seen);
	assert_true(features.present == v2.present);
}

TEST(explicit_keys_are_looked_for_beyond_the_table)
{
	struct memory_spec spec = { 0 };
	struct memory_features features;

	memory_spec_explicit(&spec, "memory.max", "1", NULL);
	memory_spec_explicit(&spec, "memory.nonsense", "1", NULL);
	memory_spec_explicit(&spec, "memory.swap.high", "1", NULL);
	memory_spec_explicit(&spec, "memory.soft.max", "1", NULL);
	features = kernel("v2", &spec);
	assert_int_equal(features.explicit_missing, 1 << 1 | 1 << 3);
	features = kernel("v2-patched", &spec);
	assert_int_equal(features.explicit_missing, 1 << 1);
	features = kernel("v2-noswap", &spec);
	assert_int_equal(features.explicit_missing, 1 << 1 | 1 << 2 | 1 << 3);
	features = kernel("v2-root", &spec);
	assert_int_equal(features.explicit_missing, 0);
}

TEST(a_child_without_the_controller_is_passed_over)
{
	auto_scratch struct scratch dir = scratch_new();
	auto_host struct host host = { .cgroup_root = -1, .proc = -1 };
	struct memory_features features;

	scratch_file(&dir, "cgroup.controllers", "memory\n");
	for (int i = 0; i < 20; i++) {
		char name[16];

		snprintf(name, sizeof(name), "no-%d", i);
		scratch_dir(&dir, name);
	}
	scratch_dir(&dir, "yes");
	scratch_file(&dir, "yes/memory.max", "max\n");
	assert_int_equal(host_open(&host, dir.path, NULL), 0);
	assert_int_equal(memory_features_probe(&features, &host, NULL, NULL), 0);
	assert_true(features.seen);
	assert_true(has(&features, "memory.max"));
	assert_false(has(&features, "memory.low"));
}

TEST(no_hierarchy_is_an_error_and_writes_no_features)
{
	auto_scratch struct scratch dir = scratch_new();
	auto_host struct host host = { .cgroup_root = -1, .proc = -1 };
	struct memory_features features = { .present = 42 };
	struct error err;

	assert_int_equal(host_open(&host, dir.path, NULL), 0);
	assert_int_equal(memory_features_probe(&features, &host, NULL, &err), -ENOENT);
	assert_true(features.present == 42);
}

TEST(a_foreign_tree_is_never_tried)
{
	auto_host struct host host = { .cgroup_root = -1, .proc = -1 };
	struct memory_features features = kernel("v1", NULL);

	assert_int_equal(host_open(&host, fixture("v1"), NULL), 0);
	memory_features_try(&features, &host, ~0U);
	assert_true(features.ignored == 0);
	assert_int_equal(faccessat(host.cgroup_root, "memory/memcrun-probe", F_OK, 0), -1);
}

/*
 * Files that take every value but stay what they are: what is tried in a tree
 * of plain files. Only the kernel's own tree fills a new directory with files.
 */
TEST(a_file_that_keeps_nothing_is_ignored)
{
	auto_scratch struct scratch dir = scratch_new(), proc = scratch_new();
	auto_host struct host host = { .cgroup_root = -1, .proc = -1 };
	struct memory_features features;

	scratch_dir(&dir, "memory");
	scratch_file(&dir, "memory/memory.limit_in_bytes", "9223372036854771712\n");
	scratch_file(&dir, "memory/memory.soft_limit_in_bytes", "9223372036854771712\n");
	scratch_file(&dir, "memory/memory.kmem.limit_in_bytes", "9223372036854771712\n");
	scratch_dir(&dir, "memory/memcrun-probe");
	scratch_file(&dir, "memory/memcrun-probe/memory.soft_limit_in_bytes", "");
	scratch_dir(&proc, "self");
	scratch_file(&proc, "self/cgroup", "4:memory:/\n");
	assert_int_equal(host_open(&host, dir.path, NULL), 0);
	host.foreign = 0;
	close(host.proc);
	host.proc = open(proc.path, O_PATH | O_DIRECTORY | O_CLOEXEC);

	assert_int_equal(memory_features_probe(&features, &host, NULL, NULL), 0);
	memory_features_try(&features, &host, 1U << MEMORY_RESERVATION | 1U << MEMORY_KERNEL);
	/* A plain file keeps what is written; the one that is not there does not. */
	assert_false(memory_features_ignore(&features, memory_features_find(&features,
									    MEMORY_RESERVATION)));
	assert_true(memory_features_ignore(&features, memory_features_find(&features,
									   MEMORY_KERNEL)));
	/* Nothing was asked about a row of the table that nobody doubts. */
	assert_false(memory_features_ignore(&features,
					    memory_features_find(&features, MEMORY_LIMIT)));
}

TEST(only_what_is_asked_for_is_tried)
{
	auto_scratch struct scratch dir = scratch_new();
	auto_host struct host host = { .cgroup_root = -1, .proc = -1 };
	struct memory_features features;

	scratch_dir(&dir, "memory");
	scratch_file(&dir, "memory/memory.limit_in_bytes", "0\n");
	scratch_file(&dir, "memory/memory.soft_limit_in_bytes", "0\n");
	assert_int_equal(host_open(&host, dir.path, NULL), 0);
	host.foreign = 0;
	assert_int_equal(memory_features_probe(&features, &host, NULL, NULL), 0);
	memory_features_try(&features, &host, 1U << MEMORY_LIMIT);
	assert_true(features.ignored == 0);
	assert_int_equal(faccessat(dir.fd, "memory/memcrun-probe", F_OK, 0), -1);
}

TEST(what_is_ignored_is_found_by_trying_and_nothing_is_left)
{
	static const int64_t bytes = (int64_t)4097 << 20;
	struct native *native = native_of(state);
	auto_host struct host host = { .cgroup_root = -1, .proc = -1 };
	auto_cgroup struct cgroup own = CGROUP_NONE;
	struct memory_features features;
	char text[64], value[32];
	int64_t kept;

	assert_int_equal(host_open(&host, NULL, NULL), 0);
	assert_int_equal(memory_features_probe(&features, &host, NULL, NULL), 0);
	assert_int_equal(features.mode, native->memory->mode);
	/* of nothing nothing is tried */
	memory_features_try(&features, &host, 0);
	assert_int_equal(features.ignored, 0);
	memory_features_try(&features, &host, ~0U);
	for (size_t i = 0; i < memory_files_count; i++) {
		const struct memory_file *file = &memory_files[i];
		auto_close int dirfd = -1;
		bool works;

		if (!(file->flags & FILE_DOUBTED) || !memory_features_have(&features, file))
			continue;
		assert_int_equal(hierarchy_open(native->memory, native->path, &dirfd, NULL), 0);
		snprintf(value, sizeof(value), "%lld",
			 file->field == MEMORY_MOVE_CHARGE ? 1LL : (long long)bytes);
		works = file_write_at(dirfd, file->name, value, NULL) == 0 &&
			file_read_at(dirfd, file->name, text, sizeof(text), NULL) > 0 &&
			number_read_file(text, &kept, NULL) == 0 &&
			kept == (file->field == MEMORY_MOVE_CHARGE ? 1 : bytes);
		assert_row(file->name, memory_features_ignore(&features, file) != works);
	}
	assert_int_equal(cgroup_open_process(&own, &host, 0, NULL), 0);
	assert_int_equal(file_exists_at(own.dirfd, "memcrun-probe"), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(v1_has_its_own_files),
		cmocka_unit_test(hybrid_is_v1_for_memory),
		cmocka_unit_test(v1_without_swap_accounting_lacks_one_file),
		cmocka_unit_test(an_old_v1_lets_hierarchy_be_chosen),
		cmocka_unit_test(v2_has_what_needs_no_patch),
		cmocka_unit_test(v2_without_swap_lacks_the_swap_file),
		cmocka_unit_test(a_patched_kernel_has_every_row_and_the_new_ones_win),
		cmocka_unit_test(a_root_alone_is_assumed_to_be_a_stock_v2),
		cmocka_unit_test(explicit_keys_are_looked_for_beyond_the_table),
		cmocka_unit_test(a_child_without_the_controller_is_passed_over),
		cmocka_unit_test(no_hierarchy_is_an_error_and_writes_no_features),
		cmocka_unit_test(a_foreign_tree_is_never_tried),
		cmocka_unit_test(a_file_that_keeps_nothing_is_ignored),
		cmocka_unit_test(only_what_is_asked_for_is_tried),
		native_test(what_is_ignored_is_found_by_trying_and_nothing_is_left),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
