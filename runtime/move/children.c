// SPDX-License-Identifier: GPL-2.0-or-later
#include "move/children.h"

#include <errno.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "kernel/tasks.h"
#include "move/attach.h"

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
		if (move->guard.fd >= 0)
			close(move->guard.fd);
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
static void guard_act(void *context)
{
	struct move *move = context;

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
	int ret;

	if (move->guard.pid > 0)
		return 0;
	ret = guard_start(&move->guard, guard_act, move, err);
	return ret < 0 ? error_prefix(err, ret, "move") : 0;
}

int move_renew_guard(struct move *move, struct error *err)
{
	struct guard old = move->guard;
	int ret;

	if (old.pid <= 0)
		return 0;
	move->guard = (struct guard)GUARD_NONE;
	ret = move_start_guard(move, err);
	/* the new guard has the old one's pipe open, which must not end before this */
	guard_end(&old);
	return ret;
}
