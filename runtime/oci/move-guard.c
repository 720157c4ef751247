// SPDX-License-Identifier: GPL-2.0-or-later
#include "oci/move-guard.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "kernel/tasks.h"
#include "oci/move-tasks.h"

void move_end_child(pid_t *pid)
{
	if (*pid <= 0)
		return;
	kill(*pid, SIGKILL);
	while (waitpid(*pid, NULL, 0) < 0 && errno == EINTR)
		;
	*pid = 0;
}

/* As if the program had just been started, but for what it was told to do. */
static void child_signals(void)
{
	sigset_t none;

	signal(SIGINT, SIG_IGN);
	signal(SIGTERM, SIG_DFL);
	signal(SIGHUP, SIG_IGN);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
}

int move_start_holder(struct move *move, struct error *err)
{
	pid_t parent = getpid(), pid;

	if (!move->journal.systemd || move->holder > 0)
		return 0;
	pid = fork();
	if (pid < 0)
		return error_errno(err, errno, "move: cannot fork");
	if (pid == 0) {
		/* or the guard would not see us die */
		if (move->guard_fd >= 0)
			close(move->guard_fd);
		child_signals();
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		while (getppid() == parent)
			pause();
		_exit(0);
	}
	move->holder = pid;
	return 0;
}

/*
 * We were killed. All tasks go to one side, which needs no memory and no answer of
 * anybody, and run on.
 */
static void guard_act(struct move *move)
{
	/* what the caller had of time and patience is over */
	move->control = (struct control){ 0 };
	if (!move_is_committed(move))
		move_turn(move);
	move_each_cgroup(move, move_tasks_of, NULL);
	if (!move->journal.frozen) {
		move_freeze_side(move, &move->journal.to, false, move_patience(move), NULL);
		move_freeze_side(move, &move->journal.from, false, move_patience(move), NULL);
	}
}

int move_start_guard(struct move *move, struct error *err)
{
	int ends[2];
	char done;
	pid_t pid;

	if (move->guard > 0)
		return 0;
	if (pipe2(ends, O_CLOEXEC) < 0)
		return error_errno(err, errno, "move: cannot make a pipe");
	pid = fork();
	if (pid < 0) {
		close(ends[0]);
		close(ends[1]);
		return error_errno(err, errno, "move: cannot fork");
	}
	if (pid == 0) {
		close(ends[1]);
		/* not in the way of a terminal's signals, nor of who waits for our output */
		child_signals();
		signal(SIGTERM, SIG_IGN);
		setsid();
		for (int fd = 0; fd < 3; fd++)
			close(fd);
		while (read(ends[0], &done, 1) < 0 && errno == EINTR)
			;
		/* the end of the file: it died, for it kills us when it is done */
		guard_act(move);
		_exit(0);
	}
	close(ends[0]);
	move->guard = pid;
	move->guard_fd = ends[1];
	return 0;
}

void move_end_guard(struct move *move)
{
	if (move->guard <= 0)
		return;
	move_end_child(&move->guard);
	close(take_fd(&move->guard_fd));
}

/* It does what it can, as if we had died: all to one side, and thawed. */
void move_release_guard(struct move *move)
{
	if (move->guard <= 0)
		return;
	close(take_fd(&move->guard_fd));
	while (waitpid(move->guard, NULL, 0) < 0 && errno == EINTR)
		;
	move->guard = 0;
}
