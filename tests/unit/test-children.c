// SPDX-License-Identifier: GPL-2.0-or-later
#include "move/children.h"

#include "native.h"

static struct place at(const char *path)
{
	return (struct place){
		.top = strdup(path), .cgroup = strdup(path), .scope = strdup(""), .slice = strdup(""),
	};
}

/* A move that is under way from the container's cgroup to its child "new". */
static void begin(struct native *native, struct move *move, struct move_request *request,
		  struct move_result *result)
{
	char path[80];

	*request = (struct move_request){ .root = native->state.path, .id = NATIVE_ID };
	*result = (struct move_result){ 0 };
	*move = (struct move){
		.request = request,
		.result = result,
		.hierarchies = native->hierarchies,
		.status = STATUS_NONE,
		.memory = native->memory,
		.guard = GUARD_NONE,
		.carrier = CARRIER_NONE,
	};
	snprintf(path, sizeof(path), "%s/old", native->path);
	move->journal.from = at(path);
	snprintf(path, sizeof(path), "%s/new", native->path);
	move->journal.to = at(path);
	for (size_t i = 0; i < native->hierarchies.count; i++) {
		const struct hierarchy *hierarchy = &native->hierarchies.each[i];

		assert_true(tree_make(hierarchy, move->journal.from.top, NULL) >= 0);
		assert_true(tree_make(hierarchy, move->journal.to.top, NULL) >= 0);
	}
	assert_int_equal(place_take_all(&move->journal.from, &move->hierarchies, NULL), 0);
	assert_int_equal(place_take_all(&move->journal.to, &move->hierarchies, NULL), 0);
}

/* The container's process is in the cgroup at `path`, in all hierarchies. */
static bool is_in(const struct native *native, const char *path)
{
	for (size_t i = 0; i < native->hierarchies.count; i++) {
		if (tasks_any(&native->hierarchies.each[i], path, NULL) != 1)
			return false;
	}
	return true;
}

static void put(const struct native *native, const char *path)
{
	for (size_t i = 0; i < native->hierarchies.count; i++)
		assert_int_equal(native_procs(&native->hierarchies.each[i], path, native->pid), 0);
}

static void assert_thawed(const struct native *native, const struct move *move)
{
	const struct place *const sides[] = { &move->journal.from, &move->journal.to };
	bool frozen = true;

	for (size_t i = 0; i < COUNT(sides); i++) {
		assert_int_equal(freezer_read(&native->hierarchies, sides[i]->cgroup, &frozen,
					      NULL), 0);
		assert_false(frozen);
	}
}

/* Half of the tasks are here and half there: it is one process, in either. */
static void guarded(struct native *native, bool recorded_new, bool is_new)
{
	struct move_request request;
	struct move_result result;
	struct error err = { "" };
	struct move move;
	const char *record, *other;

	begin(native, &move, &request, &result);
	record = recorded_new ? move.journal.to.cgroup : move.journal.from.cgroup;
	other = recorded_new ? move.journal.from.cgroup : move.journal.to.cgroup;
	native_record(native, record, "{}");
	assert_int_equal(status_open(&move.status, request.root, request.id, NULL), 0);
	put(native, is_new ? move.journal.to.cgroup : move.journal.from.cgroup);
	/* one that cannot freeze has no freezer that the guard would have to thaw */
	freezer_write(&native->hierarchies, move.journal.to.cgroup, true, 5000, NULL);
	freezer_write(&native->hierarchies, move.journal.from.cgroup, true, 5000, NULL);

	assert_int_equal(move_start_guard(&move, &err), 0);
	/* as it is when we die: its pipe ends */
	guard_release(&move.guard);
	assert_int_equal(move.guard.pid, 0);
	assert_true(is_in(native, record));
	assert_false(is_in(native, other));
	assert_thawed(native, &move);
	status_close(&move.status);
	journal_free(&move.journal);
}

TEST(who_died_before_the_record_changed_leaves_all_tasks_where_they_were)
{
	guarded(native_of(state), false, true);
}

TEST(tasks_that_have_not_moved_stay_where_the_record_says)
{
	guarded(native_of(state), false, false);
}

TEST(who_died_behind_the_change_leaves_all_tasks_in_the_new_cgroup)
{
	guarded(native_of(state), true, false);
}

TEST(what_was_frozen_before_stays_so)
{
	struct native *native = native_of(state);
	struct move_request request;
	struct move_result result;
	bool frozen = false;
	struct move move;

	if (!hierarchies_freezer(&native->hierarchies)) {
		skip_because("this machine has no freezer");
	}
	begin(native, &move, &request, &result);
	native_record(native, move.journal.from.cgroup, "{}");
	assert_int_equal(status_open(&move.status, request.root, request.id, NULL), 0);
	put(native, move.journal.from.cgroup);
	move.journal.frozen = true;
	assert_int_equal(freezer_write(&native->hierarchies, move.journal.from.cgroup, true, 5000,
				       NULL), 0);
	assert_int_equal(move_start_guard(&move, NULL), 0);
	guard_release(&move.guard);
	assert_int_equal(freezer_read(&native->hierarchies, move.journal.from.cgroup, &frozen,
				      NULL), 0);
	assert_true(frozen);
	freezer_write(&native->hierarchies, move.journal.from.cgroup, false, 5000, NULL);
	status_close(&move.status);
	journal_free(&move.journal);
}

TEST(a_guard_that_is_ended_does_nothing)
{
	struct native *native = native_of(state);
	struct move_request request;
	struct move_result result;
	struct move move;

	begin(native, &move, &request, &result);
	native_record(native, move.journal.from.cgroup, "{}");
	assert_int_equal(status_open(&move.status, request.root, request.id, NULL), 0);
	put(native, move.journal.to.cgroup);
	assert_int_equal(move_start_guard(&move, NULL), 0);
	guard_end(&move.guard);
	assert_int_equal(move.guard.pid, 0);
	assert_int_equal(move.guard.fd, -1);
	assert_true(is_in(native, move.journal.to.cgroup));
	status_close(&move.status);
	journal_free(&move.journal);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		native_test(who_died_before_the_record_changed_leaves_all_tasks_where_they_were),
		native_test(tasks_that_have_not_moved_stay_where_the_record_says),
		native_test(who_died_behind_the_change_leaves_all_tasks_in_the_new_cgroup),
		native_test(what_was_frozen_before_stays_so),
		native_test(a_guard_that_is_ended_does_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
