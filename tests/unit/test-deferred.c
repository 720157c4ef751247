// SPDX-License-Identifier: GPL-2.0-or-later
#include "move/deferred.h"

#include "directories.h"
#include "move/destination.h"

TEST(late_settings_are_written_where_they_were)
{
	auto_scratch struct scratch dir = scratch_new();
	struct hierarchies hierarchies = alone(&dir, CGROUP_V1, "memory");
	auto_journal struct journal journal = { .from = at("/old", "/old"),
						.to = at("/new", "/new") };
	static const char name[] = "memory.move_charge_at_immigrate";
	char text[8] = "";
	auto_close int fd = -1;

	cgroup(&hierarchies, "/old/in");
	cgroup(&hierarchies, "/old/gone");
	cgroup(&hierarchies, "/new/in");
	scratch_file(&dir, "old/memory.move_charge_at_immigrate", "0\n");
	scratch_file(&dir, "new/memory.move_charge_at_immigrate", "0\n");
	scratch_file(&dir, "old/in/memory.move_charge_at_immigrate", "2\n");
	scratch_file(&dir, "new/in/memory.move_charge_at_immigrate", "3\n");
	assert_int_equal(place_take_all(&journal.from, &hierarchies, NULL), 0);
	assert_int_equal(place_take_all(&journal.to, &hierarchies, NULL), 0);
	assert_int_equal(place_remember_late(&journal, &hierarchies, NULL), 0);
	/* all: what the other side has by then cannot be known yet */
	assert_int_equal(journal.late_count, 2);
	assert_string_equal(journal.late[0].hierarchy, "memory");
	assert_string_equal(journal.late[0].cgroup, "");
	assert_string_equal(journal.late[0].value, "0");
	assert_string_equal(journal.late[1].cgroup, "in");
	assert_string_equal(journal.late[1].file, name);
	assert_string_equal(journal.late[1].value, "2");

	/* one that the container has removed since is nobody's */
	assert_int_equal(journal_add_late(&journal, "memory", "gone", name, "1"), 0);
	assert_int_equal(place_apply_late(&journal, &hierarchies, NULL), 0);
	fd = openat(dir.fd, "new/in/memory.move_charge_at_immigrate", O_RDONLY | O_CLOEXEC);
	assert_int_equal(read(fd, text, sizeof(text) - 1), 2);
	assert_string_equal(text, "2\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(late_settings_are_written_where_they_were),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
