// SPDX-License-Identifier: GPL-2.0-or-later
#include "kernel/tree.h"

#include "base/file.h"
#include "test.h"

static struct hierarchy plain(const struct scratch *dir)
{
	return (struct hierarchy){ .root = dir->fd, .mode = CGROUP_V2 };
}

static bool is_dir(const struct scratch *dir, const char *path)
{
	struct stat st;

	return fstatat(dir->fd, path, &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISDIR(st.st_mode);
}

/* Where `path` is among those of the tree, or -1. */
static int place_in(const struct tree *tree, const char *path)
{
	for (size_t i = 0; i < tree->count; i++) {
		if (strcmp(tree->paths[i], path) == 0)
			return (int)i;
	}
	return -1;
}

TEST(parents_come_before_their_children)
{
	auto_scratch struct scratch dir = scratch_new();
	struct hierarchy hierarchy = plain(&dir);
	auto_tree struct tree tree = { 0 };

	assert_int_equal(tree_make(&hierarchy, "/top/z/a/b", NULL), 4);
	assert_int_equal(tree_make(&hierarchy, "/top/a/z", NULL), 2);
	assert_int_equal(tree_make(&hierarchy, "/other", NULL), 1);
	assert_int_equal(tree_read(&tree, &hierarchy, "/top", NULL), 0);

	assert_int_equal(tree.count, 6);
	assert_string_equal(tree.paths[0], "");
	assert_true(place_in(&tree, "z") > 0);
	assert_true(place_in(&tree, "z/a") > place_in(&tree, "z"));
	assert_true(place_in(&tree, "z/a/b") > place_in(&tree, "z/a"));
	assert_true(place_in(&tree, "a") > 0);
	assert_true(place_in(&tree, "a/z") > place_in(&tree, "a"));
}

TEST(only_directories_are_cgroups)
{
	auto_scratch struct scratch dir = scratch_new();
	struct hierarchy hierarchy = plain(&dir);
	auto_tree struct tree tree = { 0 };

	scratch_dir(&dir, "top");
	scratch_dir(&dir, "elsewhere");
	scratch_dir(&dir, "top/.hidden");
	scratch_file(&dir, "top/cgroup.procs", "1\n");
	assert_int_equal(symlinkat("../elsewhere", dir.fd, "top/link"), 0);
	assert_int_equal(tree_read(&tree, &hierarchy, "/top", NULL), 0);

	assert_int_equal(tree.count, 1);
	assert_string_equal(tree.paths[0], "");
}

TEST(a_tree_that_is_not_there_is_named)
{
	auto_scratch struct scratch dir = scratch_new();
	struct hierarchy hierarchy = plain(&dir);
	struct tree tree = { .count = 7 };
	struct error err;

	assert_int_equal(tree_read(&tree, &hierarchy, "/top", &err), -ENOENT);
	assert_string_equal(err.text, "/top: cannot open: No such file or directory");
	assert_int_equal(tree.count, 7);
}

TEST(a_tree_may_be_as_deep_as_its_paths_have_room_and_no_deeper)
{
	auto_scratch struct scratch dir = scratch_new();
	struct hierarchy hierarchy = plain(&dir);
	auto_tree struct tree tree = { 0 };
	struct tree deeper = { 0 };
	char path[TREE_PATH_MAX + 8] = "/top";
	struct error err;
	int depth;

	depth = (TREE_PATH_MAX - (int)strlen(path)) / 2;
	for (int i = 0; i < depth; i++)
		strcat(path, "/d");
	assert_int_equal(tree_make(&hierarchy, path, NULL), 1 + depth);
	assert_int_equal(tree_read(&tree, &hierarchy, "/top", NULL), 0);
	assert_int_equal(tree.count, 1 + depth);
	assert_string_equal(tree.paths[70] + strlen(tree.paths[70]) - 4, "/d/d");

	strcat(path, "/d");
	assert_int_equal(tree_make(&hierarchy, path, NULL), 1);
	assert_int_equal(tree_read(&deeper, &hierarchy, "/top", &err), -ENAMETOOLONG);
	assert_string_equal(err.text, "/top: cgroups below it are nested too deeply, for a path of "
			    "more than 4095 bytes");
	assert_int_equal(deeper.count, 0);
	/* scratch_remove() cannot: its own path is in front */
	assert_int_equal(unlinkat(dir.fd, path + 1, AT_REMOVEDIR), 0);
	assert_int_equal(tree_remove(&hierarchy, "/top", 0, NULL), 0);
}

TEST(a_path_is_joined_to_its_top)
{
	static const struct {
		const char *top;
		const char *path;
		const char *joined;
	} rows[] = {
		{ "/a", "", "/a" },
		{ "/a", "b", "/a/b" },
		{ "/a/b", "c/d", "/a/b/c/d" },
		{ "", "", "" },
		{ "", "a", "/a" },
	};

	for (size_t i = 0; i < COUNT(rows); i++) {
		auto_free char *joined = tree_path(rows[i].top, rows[i].path);

		assert_row_text(rows[i].joined, joined, rows[i].joined);
	}
}

TEST(what_was_made_is_counted_and_what_was_there_is_not)
{
	static const struct {
		const char *path;
		int made;
	} rows[] = {
		{ "/a/b/c", 3 },
		{ "/a/b/c", 0 },
		{ "/a/b/d//e/", 2 },
		{ "a/f", 1 },
		{ "/", 0 },
		{ "", 0 },
	};
	auto_scratch struct scratch dir = scratch_new();
	struct hierarchy hierarchy = plain(&dir);

	for (size_t i = 0; i < COUNT(rows); i++)
		assert_row(rows[i].path,
			   tree_make(&hierarchy, rows[i].path, NULL) == rows[i].made);
	assert_true(is_dir(&dir, "a/b/c"));
	assert_true(is_dir(&dir, "a/b/d/e"));
	assert_true(is_dir(&dir, "a/f"));
	/* the root is the caller's */
	assert_int_equal(fcntl(dir.fd, F_GETFD) & FD_CLOEXEC, FD_CLOEXEC);
}

TEST(what_must_be_new_and_was_there_is_refused)
{
	auto_scratch struct scratch dir = scratch_new();
	struct hierarchy hierarchy = plain(&dir);
	struct error err;

	assert_int_equal(tree_make_new(&hierarchy, "/a/b/c/", NULL), 3);
	assert_int_equal(tree_make_new(&hierarchy, "/a/b/d", NULL), 1);
	assert_int_equal(tree_make_new(&hierarchy, "/a/b/c", &err), -EEXIST);
	assert_string_equal(err.text, "there is a cgroup already, \"/a/b/c\"");
	assert_int_equal(tree_make_new(&hierarchy, "/a//b/", NULL), -EEXIST);
}

TEST(a_file_in_the_way_is_named)
{
	auto_scratch struct scratch dir = scratch_new();
	struct hierarchy hierarchy = plain(&dir);
	struct error err;

	scratch_dir(&dir, "a");
	scratch_file(&dir, "a/file", "");
	scratch_dir(&dir, "elsewhere");
	assert_int_equal(symlinkat("elsewhere", dir.fd, "link"), 0);
	assert_int_equal(tree_make(&hierarchy, "/a/file/b", &err), -ENOTDIR);
	assert_string_equal(err.text, "/a/file/b: cannot open \"file\": Not a directory");
	assert_true(tree_make(&hierarchy, "/link/b", &err) < 0);
	assert_false(is_dir(&dir, "elsewhere/b"));
}

TEST(a_tree_is_removed_from_below)
{
	auto_scratch struct scratch dir = scratch_new();
	struct hierarchy hierarchy = plain(&dir);

	assert_int_equal(tree_make(&hierarchy, "/s/a/b/c", NULL), 4);
	assert_int_equal(tree_make(&hierarchy, "/s/a/d", NULL), 1);
	assert_int_equal(tree_make(&hierarchy, "/s/ab", NULL), 1);
	assert_int_equal(tree_remove(&hierarchy, "/s/a", 0, NULL), 0);
	assert_false(is_dir(&dir, "s/a"));
	assert_true(is_dir(&dir, "s/ab"));
}

TEST(what_is_gone_needs_not_be_removed)
{
	auto_scratch struct scratch dir = scratch_new();
	struct hierarchy hierarchy = plain(&dir);
	struct error err = { "" };

	assert_int_equal(tree_remove(&hierarchy, "/a/b", 0, &err), 0);
	assert_string_equal(err.text, "");
}

TEST(what_cannot_be_removed_is_named_and_all_above_it_is_left)
{
	auto_scratch struct scratch dir = scratch_new();
	struct hierarchy hierarchy = plain(&dir);
	struct error err;

	assert_int_equal(tree_make(&hierarchy, "/a/b/c", NULL), 3);
	scratch_file(&dir, "a/b/file", "");
	assert_int_equal(tree_remove(&hierarchy, "/a", 0, &err), -ENOTEMPTY);
	assert_string_equal(err.text, "/a/b: cannot remove: Directory not empty");
	assert_false(is_dir(&dir, "a/b/c"));
	assert_true(is_dir(&dir, "a/b"));
}

/* cpuset of v1 lets no task into a cgroup without processors. */
TEST(a_cgroup_of_v1_has_the_processors_of_the_one_above_if_it_is_new)
{
	auto_scratch struct scratch dir = scratch_new();
	struct hierarchy hierarchy = plain(&dir);
	char cpus[16];

	hierarchy.mode = CGROUP_V1;
	scratch_file(&dir, "cpuset.cpus", "0-1");
	scratch_dir(&dir, "had");
	scratch_file(&dir, "had/cpuset.cpus", "0");
	assert_int_equal(tree_make(&hierarchy, "/had", NULL), 0);
	assert_true(file_read_at(dir.fd, "had/cpuset.cpus", cpus, sizeof(cpus), NULL) >= 0);
	assert_string_equal(cpus, "0");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_cgroup_of_v1_has_the_processors_of_the_one_above_if_it_is_new),
		cmocka_unit_test(parents_come_before_their_children),
		cmocka_unit_test(only_directories_are_cgroups),
		cmocka_unit_test(a_tree_that_is_not_there_is_named),
		cmocka_unit_test(a_tree_may_be_as_deep_as_its_paths_have_room_and_no_deeper),
		cmocka_unit_test(a_path_is_joined_to_its_top),
		cmocka_unit_test(what_was_made_is_counted_and_what_was_there_is_not),
		cmocka_unit_test(what_must_be_new_and_was_there_is_refused),
		cmocka_unit_test(a_file_in_the_way_is_named),
		cmocka_unit_test(a_tree_is_removed_from_below),
		cmocka_unit_test(what_is_gone_needs_not_be_removed),
		cmocka_unit_test(what_cannot_be_removed_is_named_and_all_above_it_is_left),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
