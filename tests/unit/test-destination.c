// SPDX-License-Identifier: GPL-2.0-or-later
#include "move/destination.h"

#include "base/file.h"
#include "directories.h"
#include "memory/charge.h"

static bool is_dir(const struct scratch *dir, const char *path)
{
	struct stat st;

	return fstatat(dir->fd, path, &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISDIR(st.st_mode);
}

TEST(where_it_goes_is_a_path_or_its_name_in_a_slice)
{
	static const struct {
		const char *path;
		const char *slice;
		const char *top;
		const char *cgroup;
	} rows[] = {
		{ "/b/new", NULL, "/b/new", "/b/new/in" },
		{ "b//new/", NULL, "/b/new", "/b/new/in" },
		{ NULL, "a-b.slice", "/a.slice/a-b.slice/box", "/a.slice/a-b.slice/box/in" },
		{ NULL, "-.slice", "/box", "/box/in" },
		/* beside it, with a name that begins like its own */
		{ "/a/boxes", NULL, "/a/boxes", "/a/boxes/in" },
	};
	auto_scratch struct scratch dir = scratch_new();
	struct hierarchies hierarchies = alone(&dir, CGROUP_V2, "");

	for (size_t i = 0; i < COUNT(rows); i++) {
		struct place from = at("/a/box", "/a/box/in"), to = { 0 };

		assert_row(rows[i].top, place_choose(&to, &from, &hierarchies, false, rows[i].path,
						     rows[i].slice, NULL) == 0);
		assert_row_text(rows[i].top, to.top, rows[i].top);
		assert_row_text(rows[i].top, to.cgroup, rows[i].cgroup);
		place_close(&to);
		place_close(&from);
	}
}

TEST(where_it_cannot_go_is_refused_and_nothing_is_written)
{
	static const struct {
		const char *path;
		const char *slice;
		int ret;
	} rows[] = {
		{ "/a/box", NULL, -EEXIST },
		{ NULL, "a.slice", -EEXIST },
		{ "/taken", NULL, -EEXIST },
		{ "/a/box/in", NULL, -EINVAL },
		{ "/a", NULL, -EINVAL },
		{ "/", NULL, -EINVAL },
		{ "/b/../a", NULL, -EINVAL },
		{ NULL, "b", -EINVAL },
	};
	auto_scratch struct scratch dir = scratch_new();
	struct hierarchies hierarchies = alone(&dir, CGROUP_V2, "");

	cgroup(&hierarchies, "/taken");
	cgroup(&hierarchies, "/a.slice/box");
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct place from = at("/a/box", "/a/box"), to = { 0 };
		const char *name = rows[i].path ? rows[i].path : rows[i].slice;

		assert_row(name, place_choose(&to, &from, &hierarchies, false, rows[i].path,
					      rows[i].slice, NULL) == rows[i].ret);
		assert_row(name, !to.top && !to.cgroup);
		place_close(&from);
	}
}

/* A container of 100 bytes and 3 tasks, and where it is to go. */
static void prepare(const struct scratch *dir, const struct hierarchies *hierarchies,
		    struct journal *journal)
{
	cgroup(hierarchies, "/all/a/box");
	cgroup(hierarchies, "/all/b");
	scratch_file(dir, "all/a/box/cgroup.procs", "");
	scratch_file(dir, "all/a/box/memory.usage_in_bytes", "100\n");
	scratch_file(dir, "all/a/box/pids.current", "3\n");
	*journal = (struct journal){
		.from = at("/all/a/box", "/all/a/box"),
		.to = at("/all/b/c/box", "/all/b/c/box"),
		.types = CHARGE_ALL,
	};
}

TEST(there_must_be_room_below_limits_that_are_new_to_it)
{
	static const struct {
		const char *file;
		const char *value;
		const char *used_file;
		const char *used;
		unsigned int types;
		int ret;
	} rows[] = {
		{ "memory.limit_in_bytes", "149\n", "memory.usage_in_bytes", "50\n", CHARGE_ALL,
		  -EBUSY },
		{ "memory.limit_in_bytes", "150\n", "memory.usage_in_bytes", "50\n", CHARGE_ALL,
		  0 },
		{ "memory.limit_in_bytes", "149\n", "memory.usage_in_bytes", "50\n", 0, 0 },
		{ "memory.limit_in_bytes", "9223372036854771712\n", "memory.usage_in_bytes",
		  "50\n", CHARGE_ALL, 0 },
		{ "pids.max", "4\n", "pids.current", "2\n", 0, -EBUSY },
		{ "pids.max", "5\n", "pids.current", "2\n", 0, 0 },
		{ "pids.max", "max\n", "pids.current", "2\n", 0, 0 },
	};
	static const char *const places[] = { "all/b", "all" };
	char path[PATH_MAX];

	for (size_t i = 0; i < 2 * COUNT(rows); i++) {
		size_t row = i / 2, where = i % 2;
		auto_scratch struct scratch dir = scratch_new();
		struct hierarchies hierarchies = alone(&dir, CGROUP_V1, "memory");
		auto_journal struct journal journal = { 0 };
		struct error err = { "" };

		prepare(&dir, &hierarchies, &journal);
		journal.types = rows[row].types;
		snprintf(path, sizeof(path), "%s/%s", places[where], rows[row].file);
		scratch_file(&dir, path, rows[row].value);
		snprintf(path, sizeof(path), "%s/%s", places[where], rows[row].used_file);
		scratch_file(&dir, path, rows[row].used);
		/* what is above both has counted it all along */
		assert_row(path, place_look(&journal, &hierarchies, &err) ==
					 (where == 0 ? rows[row].ret : 0));
		if (where == 0 && rows[row].ret < 0)
			assert_row(err.text, strstr(err.text, "/memory/all/b: no room: ") == err.text);
	}
}

TEST(controllers_must_be_there_for_it)
{
	static const char all[] = "cpu memory\n";
	static const struct {
		const char *above;
		const char *enabled;
		const char *threads;
		int ret;
		const char *parent;
	} rows[] = {
		{ "cpu memory\n", "cpu memory\n", "", 0, all },
		{ "cpu memory\n", "", "", 0, all },
		{ "cpu memory\n", "cpu memory\n", "7\n", 0, all },
		/* no internal processes */
		{ "cpu memory\n", "cpu\n", "7\n", -EBUSY, all },
		{ "cpu\n", "cpu\n", "", -EOPNOTSUPP, all },
		{ "cpu memory2\n", "cpu\n", "", -EOPNOTSUPP, all },
		/* the cgroup above is to enable it first */
		{ "cpu\n", "cpu\n", "", 0, "cpu\n" },
		{ "cpu\n", "cpu\n", "7\n", -EBUSY, "cpu\n" },
	};

	for (size_t i = 0; i < COUNT(rows); i++) {
		auto_scratch struct scratch dir = scratch_new();
		char text[64];
		struct hierarchies hierarchies = alone(&dir, CGROUP_V2, "");
		auto_journal struct journal journal = { 0 };

		prepare(&dir, &hierarchies, &journal);
		scratch_file(&dir, "cgroup.controllers", "cpu memory\n");
		scratch_file(&dir, "cgroup.subtree_control", "cpu memory\n");
		scratch_file(&dir, "all/cgroup.controllers", "cpu memory\n");
		scratch_file(&dir, "all/cgroup.subtree_control", "cpu memory\n");
		scratch_file(&dir, "all/a/box/cgroup.controllers", "cpu memory\n");
		scratch_file(&dir, "all/b/cgroup.controllers", rows[i].above);
		scratch_file(&dir, "all/b/cgroup.subtree_control", rows[i].enabled);
		scratch_file(&dir, "all/b/cgroup.threads", rows[i].threads);
		scratch_file(&dir, "all/cgroup.subtree_control", rows[i].parent);
		assert_row(rows[i].above,
			   place_look(&journal, &hierarchies, NULL) == rows[i].ret);
		assert_false(is_dir(&dir, "all/b/c"));
		assert_int_equal(file_read_at(dir.fd, "all/b/cgroup.subtree_control", text,
					      sizeof(text), NULL), strcspn(rows[i].enabled, "\n"));
	}
}

TEST(what_is_made_above_it_is_counted_and_goes_with_it)
{
	auto_scratch struct scratch dir = scratch_new();
	struct hierarchies hierarchies = alone(&dir, CGROUP_V1, "memory");
	auto_journal struct journal journal = { .from = at("/x", "/x"),
						.to = at("/a/b/c/box", "/a/b/c/box") };

	cgroup(&hierarchies, "/a");
	place_count_missing(&journal, &hierarchies);
	assert_int_equal(journal.made[0], 2);
	cgroup(&hierarchies, "/a/b/c");
	place_remove_made(&journal, &hierarchies);
	assert_false(is_dir(&dir, "a/b"));
	assert_true(is_dir(&dir, "a"));

	/* somebody else uses it by now */
	cgroup(&hierarchies, "/a/b/c");
	cgroup(&hierarchies, "/a/b/other");
	place_remove_made(&journal, &hierarchies);
	assert_false(is_dir(&dir, "a/b/c"));
	assert_true(is_dir(&dir, "a/b/other"));
}

/* As two movers would, of which one has been quicker. */
TEST(a_destination_is_made_or_was_made_by_somebody_else)
{
	auto_scratch struct scratch dir = scratch_new();
	struct hierarchies hierarchies = alone(&dir, CGROUP_V1, "memory");
	auto_journal struct journal journal = { .from = at("/old", "/old"),
						.to = at("/a/b/new", "/a/b/new") };
	auto_journal struct journal second = { .from = at("/other", "/other"),
					       .to = at("/a/b/new", "/a/b/new") };
	const struct hierarchy *hierarchy = &hierarchies.each[0];
	struct error err;

	cgroup(&hierarchies, "/old");
	cgroup(&hierarchies, "/other");
	cgroup(&hierarchies, "/a");
	assert_int_equal(place_take_all(&journal.from, &hierarchies, NULL), 0);
	assert_int_equal(place_take_all(&second.from, &hierarchies, NULL), 0);
	assert_int_equal(place_owns(&journal.to, hierarchy, NULL), 0);
	assert_int_equal(place_make(&journal, &hierarchies, 0, true, NULL), 0);
	assert_int_equal(journal.made[0], 1);
	assert_int_equal(place_owns(&journal.to, hierarchy, NULL), 1);
	assert_false(place_is_filled(&journal.to, hierarchy));

	assert_int_equal(place_make(&second, &hierarchies, 0, true, &err), -EEXIST);
	assert_string_equal(err.text, "there is a cgroup already, \"/memory/a/b/new\"");
	assert_int_equal(second.to.id_count, 0);
	assert_int_equal(place_owns(&second.to, hierarchy, NULL), -EEXIST);

	/* the first one goes on, after a crash as well */
	assert_int_equal(place_make(&journal, &hierarchies, 0, false, NULL), 0);
	assert_int_equal(place_build(&journal, &hierarchies, false, NULL), 0);
	assert_true(place_is_filled(&journal.to, hierarchy));
	assert_int_equal(place_build(&second, &hierarchies, false, &err), -EEXIST);

	/* one that was made anew is another one, whatever its name */
	assert_int_equal(renameat(dir.fd, "a/b/new", dir.fd, "a/b/moved"), 0);
	cgroup(&hierarchies, "/a/b/new");
	assert_int_equal(place_owns(&journal.to, hierarchy, NULL), -EEXIST);
	assert_int_equal(place_make(&journal, &hierarchies, 0, false, NULL), -EEXIST);
}

TEST(what_was_made_and_not_written_down_is_dropped_if_it_is_empty)
{
	auto_scratch struct scratch dir = scratch_new();
	struct hierarchies hierarchies = alone(&dir, CGROUP_V2, "");
	auto_journal struct journal journal = { .from = at("/old", "/old"),
						.to = at("/new", "/new") };

	cgroup(&hierarchies, "/new/in");
	place_drop_untaken(&journal.to, &hierarchies, 0);
	assert_true(is_dir(&dir, "new/in"));
	assert_int_equal(unlinkat(dir.fd, "new/in", AT_REMOVEDIR), 0);
	assert_int_equal(place_take_all(&journal.to, &hierarchies, NULL), 0);
	place_drop_untaken(&journal.to, &hierarchies, 0);
	assert_true(is_dir(&dir, "new"));
	journal.to.id_count = 0;
	place_drop_untaken(&journal.to, &hierarchies, 0);
	assert_false(is_dir(&dir, "new"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(where_it_goes_is_a_path_or_its_name_in_a_slice),
		cmocka_unit_test(where_it_cannot_go_is_refused_and_nothing_is_written),
		cmocka_unit_test(there_must_be_room_below_limits_that_are_new_to_it),
		cmocka_unit_test(controllers_must_be_there_for_it),
		cmocka_unit_test(what_is_made_above_it_is_counted_and_goes_with_it),
		cmocka_unit_test(a_destination_is_made_or_was_made_by_somebody_else),
		cmocka_unit_test(what_was_made_and_not_written_down_is_dropped_if_it_is_empty),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
