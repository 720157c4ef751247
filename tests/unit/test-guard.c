// SPDX-License-Identifier: GPL-2.0-or-later
#include "base/guard.h"

#include <signal.h>
#include <sys/wait.h>

#include "base/file.h"
#include "test.h"

static void act(void *context)
{
	const struct scratch *dir = context;

	scratch_file(dir, "acted", "");
}

/* A child that starts a guard and does what `ending` says; the guard's end is waited for. */
static void with_guard(struct scratch *dir, void (*ending)(struct guard *guard))
{
	char byte;
	int ends[2], status;
	pid_t child;

	assert_int_equal(pipe(ends), 0);
	child = fork();
	assert_true(child >= 0);
	if (child == 0) {
		struct guard guard = GUARD_NONE;

		close(ends[0]);
		if (guard_start(&guard, act, dir, NULL) < 0)
			_exit(1);
		ending(&guard);
		_exit(0);
	}
	close(ends[1]);
	/* the guard has the pipe open for as long as it lives */
	assert_int_equal(read(ends[0], &byte, 1), 0);
	close(ends[0]);
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFSIGNALED(status) || WEXITSTATUS(status) == 0);
}

static void be_killed(struct guard *guard)
{
	(void)guard;
	kill(getpid(), SIGKILL);
}

TEST(a_guard_acts_when_the_program_is_killed)
{
	auto_scratch struct scratch dir = scratch_new();

	with_guard(&dir, be_killed);
	assert_int_equal(file_exists_at(dir.fd, "acted"), 1);
}

TEST(a_guard_that_is_ended_does_not_act)
{
	auto_scratch struct scratch dir = scratch_new();

	with_guard(&dir, guard_end);
	assert_int_equal(file_exists_at(dir.fd, "acted"), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_guard_acts_when_the_program_is_killed),
		cmocka_unit_test(a_guard_that_is_ended_does_not_act),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
