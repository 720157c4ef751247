// SPDX-License-Identifier: GPL-2.0-or-later
#include "base/caller.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "test.h"

/* What `test` returns in a process of its own, which may spoil its descriptors and signals. */
static int in_child(int (*test)(int closed), int closed)
{
	pid_t pid = fork();
	int status;

	assert_true(pid >= 0);
	if (pid == 0)
		_exit(test(closed));
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

/* `closed` is a set of bits. Returns the number of the step that failed, or 0. */
static int begin_with_closed(int closed)
{
	struct caller caller;
	char byte = 'x';
	int fd;

	for (int i = 0; i < 3; i++) {
		if (closed & 1 << i)
			close(i);
	}
	if (caller_begin(&caller, NULL) < 0)
		return 1;
	fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
	if (fd < 3)
		return 2;
	for (int i = 0; i < 3; i++) {
		if (!(closed & 1 << i))
			continue;
		/* as the closed one would fail, and gone at the next program */
		if (i == 0 ? read(i, &byte, 1) >= 0 : write(i, &byte, 1) >= 0)
			return 3;
		if (errno != EBADF)
			return 4;
		if (!(fcntl(i, F_GETFD) & FD_CLOEXEC))
			return 5;
	}
	return 0;
}

TEST(a_standard_descriptor_that_is_closed_gets_a_placeholder)
{
	for (int closed = 0; closed < 8; closed++) {
		char name[] = "closed: 0";

		name[8] = (char)('0' + closed);
		assert_row(name, in_child(begin_with_closed, closed) == 0);
	}
}

static int begin_with_signals(int unused)
{
	const struct sigaction ignore = { .sa_handler = SIG_IGN };
	const struct sigaction usual = { .sa_handler = SIG_DFL };
	struct sigaction action;
	struct caller caller;
	sigset_t set, now;

	(void)unused;
	sigaction(SIGCHLD, &ignore, NULL);
	sigaction(SIGPIPE, &usual, NULL);
	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigprocmask(SIG_SETMASK, &set, NULL);
	caller_begin(&caller, NULL);
	sigaction(SIGCHLD, NULL, &action);
	if (action.sa_handler != SIG_DFL)
		return 1;
	sigaction(SIGPIPE, NULL, &action);
	if (action.sa_handler != SIG_IGN)
		return 2;
	caller_unblock();
	sigprocmask(SIG_SETMASK, NULL, &now);
	if (sigismember(&now, SIGTERM))
		return 3;
	caller_restore_pipe(&caller);
	sigaction(SIGPIPE, NULL, &action);
	if (action.sa_handler != SIG_DFL)
		return 7;
	sigaction(SIGCHLD, NULL, &action);
	if (action.sa_handler != SIG_DFL)
		return 8;
	sigaction(SIGPIPE, &ignore, NULL);
	caller_restore(&caller);
	sigaction(SIGCHLD, NULL, &action);
	if (action.sa_handler != SIG_IGN)
		return 4;
	sigaction(SIGPIPE, NULL, &action);
	if (action.sa_handler != SIG_DFL)
		return 5;
	sigprocmask(SIG_SETMASK, NULL, &now);
	return sigismember(&now, SIGTERM) ? 0 : 6;
}

TEST(signals_are_as_a_program_needs_them_and_then_as_they_were)
{
	assert_int_equal(in_child(begin_with_signals, 0), 0);
}

static int check_room(int most)
{
	const struct rlimit limit = { (rlim_t)most, (rlim_t)most };
	int before = dup(0), ret;

	close(before);
	if (setrlimit(RLIMIT_NOFILE, &limit) < 0)
		return 100;
	ret = caller_check_room(NULL);
	/* nothing stays open */
	if (before < most && dup(0) != before)
		return 101;
	return ret == 0 ? 0 : ret == -EMFILE ? 1 : 102;
}

TEST(too_few_descriptors_are_refused)
{
	assert_int_equal(in_child(check_room, 256), 0);
	assert_int_equal(in_child(check_room, 32), 1);
	assert_int_equal(in_child(check_room, 0), 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_standard_descriptor_that_is_closed_gets_a_placeholder),
		cmocka_unit_test(signals_are_as_a_program_needs_them_and_then_as_they_were),
		cmocka_unit_test(too_few_descriptors_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
