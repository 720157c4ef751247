// SPDX-License-Identifier: GPL-2.0-or-later
#include "base/guard.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"

/* A signal that ends us must not end the guard, and nobody waits for its output. */
static void stand_apart(void)
{
	static const int ignored[] = { SIGINT, SIGTERM, SIGHUP, SIGPIPE };
	auto_close int null = open("/dev/null", O_RDWR | O_CLOEXEC);
	sigset_t none;

	for (size_t i = 0; i < sizeof(ignored) / sizeof(ignored[0]); i++)
		signal(ignored[i], SIG_IGN);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	setsid();
	for (int fd = 0; fd < 3 && null > 2; fd++)
		dup2(null, fd);
}

int guard_start(struct guard *guard, void (*act)(void *context), void *context,
		struct error *err)
{
	int ends[2];
	char byte;
	pid_t pid;

	if (pipe2(ends, O_CLOEXEC) < 0)
		return error_errno(err, errno, "cannot make a pipe");
	pid = fork();
	if (pid < 0) {
		close(ends[0]);
		close(ends[1]);
		return error_errno(err, errno, "cannot fork");
	}
	if (pid == 0) {
		close(ends[1]);
		stand_apart();
		while (read(ends[0], &byte, 1) < 0 && errno == EINTR)
			;
		/* nobody writes: the read ended because the writer died */
		act(context);
		_exit(0);
	}
	close(ends[0]);
	*guard = (struct guard){ .pid = pid, .fd = ends[1] };
	return 0;
}

void guard_end(struct guard *guard)
{
	if (guard->pid <= 0)
		return;
	/* killed before the pipe ends, or it would act */
	kill(guard->pid, SIGKILL);
	while (waitpid(guard->pid, NULL, 0) < 0 && errno == EINTR)
		;
	close(guard->fd);
	*guard = (struct guard)GUARD_NONE;
}

void guard_release(struct guard *guard)
{
	if (guard->pid <= 0)
		return;
	close(guard->fd);
	while (waitpid(guard->pid, NULL, 0) < 0 && errno == EINTR)
		;
	*guard = (struct guard)GUARD_NONE;
}
