// SPDX-License-Identifier: GPL-2.0-or-later
#include "kernel/hierarchy.h"

#include <dirent.h>

#include "test.h"

/* The hierarchies of a tree of plain files. */
static struct hierarchies opened(const char *path)
{
	auto_host struct host host = { .cgroup_root = -1, .proc = -1 };
	struct hierarchies found = { 0 };

	assert_int_equal(host_open(&host, path, NULL), 0);
	assert_int_equal(hierarchies_open(&found, &host, NULL), 0);
	return found;
}

static void mount_point(const struct scratch *dir, const char *name)
{
	char procs[PATH_MAX];

	scratch_dir(dir, name);
	snprintf(procs, sizeof(procs), "%s/cgroup.procs", name);
	scratch_file(dir, procs, "");
}

static const struct hierarchy *named(const struct hierarchies *hierarchies, const char *name)
{
	for (size_t i = 0; i < hierarchies->count; i++) {
		if (strcmp(hierarchies->each[i].name, name) == 0)
			return &hierarchies->each[i];
	}
	return NULL;
}

TEST(the_one_of_v2_is_for_everything)
{
	auto_hierarchies struct hierarchies found = opened(fixture("v2"));

	assert_int_equal(found.count, 1);
	assert_string_equal(found.each[0].name, "");
	assert_int_equal(found.each[0].mode, CGROUP_V2);
	assert_int_equal(faccessat(found.each[0].root, "cgroup.controllers", F_OK, 0), 0);
	assert_ptr_equal(hierarchies_memory(&found), &found.each[0]);
	assert_ptr_equal(hierarchies_freezer(&found), &found.each[0]);
}

TEST(memory_of_v1_is_found_and_a_freezer_that_is_not_there_is_not)
{
	auto_hierarchies struct hierarchies found = opened(fixture("v1"));
	const struct hierarchy *memory = hierarchies_memory(&found);

	assert_non_null(memory);
	assert_string_equal(memory->name, "memory");
	assert_int_equal(memory->mode, CGROUP_V1);
	assert_null(hierarchies_freezer(&found));
}

TEST(a_second_name_and_what_is_not_mounted_are_left_out)
{
	auto_scratch struct scratch dir = scratch_new();
	auto_hierarchies struct hierarchies found = { 0 };

	mount_point(&dir, "memory");
	mount_point(&dir, "cpu,cpuacct");
	assert_int_equal(symlinkat("cpu,cpuacct", dir.fd, "cpu"), 0);
	assert_int_equal(symlinkat("cpu,cpuacct", dir.fd, "cpuacct"), 0);
	scratch_dir(&dir, "nothing");
	mount_point(&dir, ".hidden");
	scratch_file(&dir, "file", "");
	found = opened(dir.path);

	assert_int_equal(found.count, 2);
	assert_non_null(named(&found, "memory"));
	assert_non_null(named(&found, "cpu,cpuacct"));
	assert_null(hierarchies_systemd(&found));
}

TEST(v2_beside_v1_is_one_of_them)
{
	auto_hierarchies struct hierarchies found = opened(fixture("hybrid"));
	const struct hierarchy *unified = named(&found, "unified");

	assert_non_null(unified);
	assert_int_equal(unified->mode, CGROUP_V2);
	assert_string_equal(hierarchies_memory(&found)->name, "memory");
	assert_ptr_equal(hierarchies_freezer(&found), unified);
	assert_ptr_equal(hierarchies_systemd(&found), unified);
}

TEST(the_freezer_of_v1_goes_before_that_of_v2)
{
	auto_scratch struct scratch dir = scratch_new();
	auto_hierarchies struct hierarchies found = { 0 };

	mount_point(&dir, "unified");
	scratch_file(&dir, "unified/cgroup.controllers", "");
	mount_point(&dir, "freezer");
	mount_point(&dir, "memory");
	found = opened(dir.path);

	assert_string_equal(hierarchies_freezer(&found)->name, "freezer");
	/* v2 goes before a hierarchy without controllers, too */
	assert_string_equal(hierarchies_systemd(&found)->name, "unified");
	/* neither says that it controls memory */
	assert_null(hierarchies_memory(&found));
}

TEST(memory_may_be_on_v2_beside_v1)
{
	auto_scratch struct scratch dir = scratch_new();
	auto_hierarchies struct hierarchies found = { 0 };

	mount_point(&dir, "cpu");
	mount_point(&dir, "unified");
	scratch_file(&dir, "unified/cgroup.controllers", "memory\n");
	scratch_file(&dir, "unified/memory.stat", "anon 0\n");
	found = opened(dir.path);

	assert_string_equal(hierarchies_memory(&found)->name, "unified");
}

static size_t open_files(void)
{
	DIR *dir = opendir("/proc/self/fd");
	size_t count = 0;

	assert_non_null(dir);
	while (readdir(dir))
		count++;
	closedir(dir);
	return count;
}

/* Opens what must be refused with `ret` and leave nothing open. */
static void assert_refused(const char *path, int ret, const char *words)
{
	auto_host struct host host = { .cgroup_root = -1, .proc = -1 };
	struct hierarchies found = { .count = 7 };
	struct error err;
	size_t before;

	assert_int_equal(host_open(&host, path, NULL), 0);
	before = open_files();
	assert_int_equal(hierarchies_open(&found, &host, &err), ret);
	assert_non_null(strstr(err.text, words));
	assert_int_equal(found.count, 7);
	assert_int_equal(open_files(), before);
}

TEST(a_tree_without_any_is_refused)
{
	auto_scratch struct scratch dir = scratch_new();

	scratch_dir(&dir, "memory");
	assert_refused(dir.path, -ENOENT, ": no cgroup hierarchy here");
}

TEST(more_than_there_is_place_for_is_refused)
{
	auto_scratch struct scratch dir = scratch_new();
	auto_hierarchies struct hierarchies found = { 0 };
	char name[8];

	for (int i = 0; i <= HIERARCHIES_MAX; i++) {
		snprintf(name, sizeof(name), "h%d", i);
		mount_point(&dir, name);
	}
	assert_refused(dir.path, -E2BIG, ": more than 16 hierarchies");
	assert_int_equal(unlinkat(dir.fd, "h0/cgroup.procs", 0), 0);
	found = opened(dir.path);
	assert_int_equal(found.count, HIERARCHIES_MAX);
}

TEST(a_name_that_is_too_long_is_refused)
{
	auto_scratch struct scratch dir = scratch_new();

	mount_point(&dir, "a-name-of-forty-characters-is-one-too-ma");
	assert_refused(dir.path, -ENAMETOOLONG, "a hierarchy's name is too long, \"a-name");
}

TEST(a_cgroup_is_found_by_its_path)
{
	auto_scratch struct scratch dir = scratch_new();
	struct hierarchy memory = { .root = dir.fd, .mode = CGROUP_V1, .name = "memory" };
	static const char *const there[] = { "/", "", "/a", "a", "//a", "/a/b", "a/b/" };
	static const char *const missing[] = { "/b", "/a/c", "/a/link", "/a/file" };

	scratch_dir(&dir, "a");
	scratch_dir(&dir, "a/b");
	scratch_file(&dir, "a/file", "");
	assert_int_equal(symlinkat("b", dir.fd, "a/link"), 0);
	for (size_t i = 0; i < COUNT(there); i++) {
		auto_close int fd = -1;

		assert_row(there[i], hierarchy_has(&memory, there[i]) == 1);
		assert_row(there[i], hierarchy_open(&memory, there[i], &fd, NULL) == 0);
		assert_row(there[i], fd >= 0);
	}
	for (size_t i = 0; i < COUNT(missing); i++) {
		int fd = -7;

		assert_row(missing[i], hierarchy_open(&memory, missing[i], &fd, NULL) < 0);
		assert_row(missing[i], fd == -7);
	}
	assert_int_equal(hierarchy_has(&memory, "/b"), 0);
}

TEST(a_cgroup_that_is_not_there_is_named_from_the_mount_point)
{
	auto_scratch struct scratch dir = scratch_new();
	struct hierarchy hierarchy = { .root = dir.fd, .mode = CGROUP_V1, .name = "memory" };
	struct error err;
	int fd;

	assert_int_equal(hierarchy_open(&hierarchy, "/a", &fd, &err), -ENOENT);
	assert_string_equal(err.text, "/memory/a: cannot open: No such file or directory");
	hierarchy.name[0] = '\0';
	assert_int_equal(hierarchy_open(&hierarchy, "/a", &fd, &err), -ENOENT);
	assert_string_equal(err.text, "/a: cannot open: No such file or directory");
}

TEST(closing_twice_is_closing_once)
{
	struct hierarchies found = opened(fixture("v2"));

	hierarchies_close(&found);
	assert_int_equal(found.count, 0);
	hierarchies_close(&found);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_one_of_v2_is_for_everything),
		cmocka_unit_test(memory_of_v1_is_found_and_a_freezer_that_is_not_there_is_not),
		cmocka_unit_test(a_second_name_and_what_is_not_mounted_are_left_out),
		cmocka_unit_test(v2_beside_v1_is_one_of_them),
		cmocka_unit_test(the_freezer_of_v1_goes_before_that_of_v2),
		cmocka_unit_test(memory_may_be_on_v2_beside_v1),
		cmocka_unit_test(a_tree_without_any_is_refused),
		cmocka_unit_test(more_than_there_is_place_for_is_refused),
		cmocka_unit_test(a_name_that_is_too_long_is_refused),
		cmocka_unit_test(a_cgroup_is_found_by_its_path),
		cmocka_unit_test(a_cgroup_that_is_not_there_is_named_from_the_mount_point),
		cmocka_unit_test(closing_twice_is_closing_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
