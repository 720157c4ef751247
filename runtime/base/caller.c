// SPDX-License-Identifier: GPL-2.0-or-later
#include "base/caller.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

/* A move on cgroup v1 has a directory for each of a dozen hierarchies open. */
#define ROOM 64

static const struct {
	int number;
	void (*action)(int number);
} signals[] = {
	{ SIGCHLD, SIG_DFL },	/* ignored, it makes waitpid(2) fail */
	{ SIGPIPE, SIG_IGN },
	{ SIGXFSZ, SIG_IGN },
};

#define SIGNALS (sizeof(signals) / sizeof(signals[0]))

/* For reading where output is expected, and the other way round: it fails with EBADF. */
static int open_placeholder(int number)
{
	int fd = open("/dev/null", (number == STDIN_FILENO ? O_WRONLY : O_RDONLY) | O_CLOEXEC);

	return fd >= 0 ? fd : open("/", O_PATH | O_CLOEXEC);
}

int caller_begin(struct caller *caller, struct error *err)
{
	_Static_assert(sizeof(caller->actions) / sizeof(caller->actions[0]) == SIGNALS,
		       "one action for each signal");

	for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++) {
		/* open(2) gives the lowest number that is free: this one */
		if (fcntl(fd, F_GETFD) < 0 && errno == EBADF && open_placeholder(fd) != fd)
			return error_errno(err, errno, "a standard descriptor is closed and cannot "
					   "be replaced, \"%d\"", fd);
	}
	sigprocmask(SIG_SETMASK, NULL, &caller->mask);
	for (size_t i = 0; i < SIGNALS; i++) {
		const struct sigaction action = { .sa_handler = signals[i].action };

		sigaction(signals[i].number, &action, &caller->actions[i]);
	}
	return 0;
}

void caller_unblock(void)
{
	sigset_t none;

	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
}

void caller_restore_pipe(const struct caller *caller)
{
	for (size_t i = 0; i < SIGNALS; i++) {
		if (signals[i].number == SIGPIPE)
			sigaction(SIGPIPE, &caller->actions[i], NULL);
	}
}

void caller_restore(const struct caller *caller)
{
	for (size_t i = 0; i < SIGNALS; i++)
		sigaction(signals[i].number, &caller->actions[i], NULL);
	sigprocmask(SIG_SETMASK, &caller->mask, NULL);
}

int caller_check_room(struct error *err)
{
	int fds[ROOM], count = 0, ret = 0;

	while (ret == 0 && count < ROOM) {
		fds[count] = dup(STDIN_FILENO);
		if (fds[count] < 0)
			ret = error_errno(err, errno, "fewer than %d files can be opened", ROOM);
		else
			count++;
	}
	while (count > 0)
		close(fds[--count]);
	return ret;
}
