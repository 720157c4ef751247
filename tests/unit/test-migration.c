// SPDX-License-Identifier: GPL-2.0-or-later
#include "move/migration.h"

#include "test.h"

#define PLACE(path) { .top = (char *)(path), .cgroup = (char *)(path) }

/* A move from /a to /b, on a kernel that counts what has come to each: of /a also a child. */
static struct move between(const struct scratch *dir, const struct hierarchy *memory,
			   const struct move_request *request, struct move_result *result)
{
	struct move move = {
		.request = request,
		.result = result,
		.memory = memory,
		.journal = { .from = PLACE("/a"), .to = PLACE("/b") },
	};

	scratch_dir(dir, "a");
	scratch_dir(dir, "a/child");
	scratch_dir(dir, "b");
	scratch_file(dir, "a/memory.migrate", "");
	scratch_file(dir, "a/memory.migrate.stat", "anon 100\nfile 20\n");
	scratch_file(dir, "a/child/memory.migrate.stat", "anon 5\n");
	scratch_file(dir, "b/memory.migrate", "");
	scratch_file(dir, "b/memory.migrate.stat", "anon 7\nfile 0\n");
	assert_int_equal(place_take(&move.journal.from, memory, true, NULL), 0);
	assert_int_equal(place_take(&move.journal.to, memory, true, NULL), 0);
	return move;
}

TEST(a_move_counts_all_that_came_to_its_new_cgroup)
{
	auto_scratch struct scratch dir = scratch_new();
	const struct hierarchy memory = { .root = dir.fd, .mode = CGROUP_V2 };
	const struct move_request request = { .must = true };
	struct move_result result = { 0 };
	struct move move = between(&dir, &memory, &request, &result);

	assert_int_equal(move_look_at_charges(&move, NULL), 0);
	move_take_stock(&move);
	assert_true(result.by_type);
	assert_int_equal(result.moved.by_type[CHARGE_TYPE_ANON], 7);
	assert_int_equal(result.moved.total, 7);
}

/* The cgroup that it returns to has the numbers of all moves that ever went there. */
TEST(a_rollback_counts_what_it_moved_itself)
{
	auto_scratch struct scratch dir = scratch_new();
	const struct hierarchy memory = { .root = dir.fd, .mode = CGROUP_V2 };
	const struct move_request request = { .must = true };
	struct move_result result = { 0 };
	struct move move = between(&dir, &memory, &request, &result);

	assert_int_equal(move_look_at_charges(&move, NULL), 0);
	move_turn(&move);
	scratch_file(&dir, "a/memory.migrate.stat", "anon 140\nfile 10\n");
	scratch_file(&dir, "a/child/memory.migrate.stat", "anon 6\n");
	move_take_stock(&move);
	assert_int_equal(result.moved.by_type[CHARGE_TYPE_ANON], 41);
	assert_int_equal(result.moved.by_type[CHARGE_TYPE_FILE], 0);
	assert_int_equal(result.moved.total, 41);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_move_counts_all_that_came_to_its_new_cgroup),
		cmocka_unit_test(a_rollback_counts_what_it_moved_itself),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
