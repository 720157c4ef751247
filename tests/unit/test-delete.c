// SPDX-License-Identifier: GPL-2.0-or-later
#include "container/delete.h"

#include <sys/file.h>

#include "move/abandoned.h"
#include "move/destination.h"
#include "native.h"

/* A container with a move that has not ended, between `old` and `new`; it is recorded in one. */
struct sides {
	char old[80];
	char new[80];
};

static struct place at(char *path)
{
	return (struct place){ .top = path, .cgroup = path, .scope = (char *)"", .slice = (char *)"" };
}

static void begin(struct native *native, struct sides *sides, bool recorded_new, pid_t pid)
{
	struct journal journal = { .types = 0 };
	auto_close int dirfd = -1;
	pid_t kept = native->pid;

	snprintf(sides->old, sizeof(sides->old), "%s/old", native->path);
	snprintf(sides->new, sizeof(sides->new), "%s/new", native->path);
	for (size_t i = 0; i < native->hierarchies.count; i++) {
		assert_true(tree_make(&native->hierarchies.each[i], sides->old, NULL) >= 0);
		assert_true(tree_make(&native->hierarchies.each[i], sides->new, NULL) >= 0);
	}
	native->pid = pid;
	native_record(native, recorded_new ? sides->new : sides->old, "{}");
	native->pid = kept;
	dirfd = openat(native->state.fd, NATIVE_ID, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	journal.from = at(sides->old);
	journal.to = at(sides->new);
	assert_int_equal(place_take_all(&journal.from, &native->hierarchies, NULL), 0);
	assert_int_equal(place_take_all(&journal.to, &native->hierarchies, NULL), 0);
	assert_int_equal(journal_write(&journal, dirfd, NULL), 0);
}

static int count(const struct native *native, const char *path)
{
	int found = 0;

	for (size_t i = 0; i < native->hierarchies.count; i++)
		found += hierarchy_has(&native->hierarchies.each[i], path);
	return found;
}

static int hand_up(const struct native *native, const char *id, bool force, struct error *err)
{
	auto_close int directory = openat(native->state.fd, id, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int lock, ret;

	ret = container_hand_up(native->state.path, id, force, move_remove_abandoned, &lock, err);
	/* a container that is there stays locked, for crun */
	assert_int_equal(lock >= 0, directory >= 0);
	if (lock >= 0) {
		assert_int_equal(flock(directory, LOCK_SH | LOCK_NB), -1);
		close(lock);
	}
	return ret;
}

/* crun removes its own side. */
TEST(with_a_container_the_other_side_of_its_move_goes)
{
	struct native *native = native_of(state);
	int all = (int)native->hierarchies.count;

	for (int recorded_new = 0; recorded_new < 2; recorded_new++) {
		struct sides sides;
		struct error err = { "" };

		/* a pid that nobody has: it has ended */
		begin(native, &sides, recorded_new, INT_MAX);
		assert_row(err.text,
			   hand_up(native, NATIVE_ID, false, &err) == 0);
		assert_int_equal(count(native, sides.old), recorded_new ? 0 : all);
		assert_int_equal(count(native, sides.new), recorded_new ? all : 0);
	}
}

TEST(of_a_container_that_runs_nothing_goes)
{
	struct native *native = native_of(state);
	int all = (int)native->hierarchies.count;
	struct error err = { "" };
	struct sides sides;

	begin(native, &sides, false, native->pid);
	assert_row(err.text, hand_up(native, NATIVE_ID, false, &err) == 0);
	assert_int_equal(count(native, sides.old), all);
	assert_int_equal(count(native, sides.new), all);
}

TEST(a_container_that_is_not_there_is_for_crun_to_say)
{
	struct native *native = native_of(state);

	assert_int_equal(hand_up(native, "nobody", true, NULL), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		native_test(with_a_container_the_other_side_of_its_move_goes),
		native_test(of_a_container_that_runs_nothing_goes),
		native_test(a_container_that_is_not_there_is_for_crun_to_say),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
