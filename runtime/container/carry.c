// SPDX-License-Identifier: GPL-2.0-or-later
#include "container/carry.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "kernel/tree.h"
#include "memory/charge.h"

#define PROGRESS_MS 100

/* The cgroup at `path`, or the nearest above it that is there: who is in it may remove it. */
static int open_nearest(const struct carry *carry, char *path, int *dirfd, struct error *err)
{
	char *slash;
	int ret;

	while ((ret = hierarchy_open(carry->memory, path, dirfd, err)) == -ENOENT &&
	       strlen(path) > strlen(carry->to) && (slash = strrchr(path, '/')))
		*slash = '\0';
	return ret;
}

/* The charges of one cgroup of the tree, `path` below its top. */
static int carry_one(const struct carry *carry, const char *path, struct error *err)
{
	bool lost = carry->into_one || (carry->skip && strcmp(path, carry->skip) == 0);
	auto_free char *from_path = tree_path(carry->from, path);
	auto_free char *to_path = tree_path(carry->to, lost ? "" : path);
	auto_close int from = -1;
	auto_close int to = -1;
	int ret;

	if (!from_path || !to_path)
		return error_errno(err, ENOMEM, "%s", carry->to);
	ret = hierarchy_open(carry->memory, from_path, &from, err);
	if (ret == -ENOENT)
		return 0;
	if (ret == 0)
		ret = open_nearest(carry, to_path, &to, err);
	/* a cgroup without the controller is charged for nothing */
	if (ret < 0 || !charge_can_migrate(to) || !charge_can_migrate(from))
		return ret;
	ret = charge_migrate(from, to, carry->types, err);
	if (ret == -ENOENT && faccessat(from, "cgroup.procs", F_OK, 0) < 0)
		return 0;
	return ret < 0 ? error_prefix(err, ret, "%s", to_path) : 0;
}

int carry_all(const struct carry *carry, struct error *err)
{
	auto_tree struct tree tree = { 0 };
	auto_close int to = -1;
	int ret;

	if (!carry->from) {
		ret = hierarchy_open(carry->memory, carry->to, &to, err);
		return ret < 0 ? ret : charge_migrate_pid(carry->pid, to, carry->types, err);
	}
	ret = tree_read(&tree, carry->memory, carry->from, err);
	if (ret == -ENOENT)
		return 0;
	for (size_t i = 0; ret == 0 && i < tree.count; i++)
		ret = carry_one(carry, tree.paths[i], err);
	return ret;
}

static int64_t usage_of(const struct carry *carry)
{
	auto_close int dirfd = -1;

	if (!carry->from || hierarchy_open(carry->memory, carry->from, &dirfd, NULL) < 0)
		return 0;
	return charge_total(dirfd, carry->memory->mode);
}

struct answer {
	int ret;
	struct error err;
};

static _Noreturn void child(const struct carry *carry, pid_t parent, int fd)
{
	struct answer answer = { 0 };
	char byte;

	/* it is the parent that is interrupted, and knows what to do then */
	signal(SIGINT, SIG_IGN);
	signal(SIGHUP, SIG_IGN);
	signal(SIGTERM, SIG_IGN);
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != parent)
		_exit(1);
	if (carry->close_fd > 0)
		close(carry->close_fd);
	if (read(fd, &byte, 1) != 1)
		_exit(0);
	answer.ret = carry_all(carry, &answer.err);
	_exit(write(fd, &answer, sizeof(answer)) != sizeof(answer));
}

int carry_prepare(struct carrier *carrier, const struct carry *carry, struct error *err)
{
	pid_t parent = getpid();
	int ends[2], ret = 0;

	*carrier = (struct carrier)CARRIER_NONE;
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) < 0)
		return error_errno(err, errno, "cannot make a socket");
	carrier->pid = fork();
	if (carrier->pid == 0) {
		close(ends[0]);
		child(carry, parent, ends[1]);
	}
	if (carrier->pid < 0)
		ret = error_errno(err, errno, "cannot fork");
	close(ends[1]);
	carrier->fd = ends[0];
	if (ret < 0)
		carry_end(carrier);
	return ret;
}

int carry_run(struct carrier *carrier, const struct carry *carry,
	      const struct control *control, struct error *err)
{
	struct pollfd poller = { .fd = carrier->fd, .events = POLLIN };
	struct answer answer = { .ret = 0 };
	int64_t before = usage_of(carry);
	int ret;

	control_tell(control, "charges", 0, before);
	if (send(carrier->fd, "", 1, MSG_NOSIGNAL) != 1)
		return error_errno(err, errno, "cannot begin to move charges");
	for (;;) {
		ret = control_go_on(control, err);
		if (ret < 0)
			return ret;
		if (poll(&poller, 1, PROGRESS_MS) > 0)
			break;
		if (control->progress)
			control_tell(control, "charges", before - usage_of(carry), before);
	}
	if (read(carrier->fd, &answer, sizeof(answer)) != sizeof(answer))
		return error_set(err, EIO, "the process that moves charges has died");
	close(take_fd(&carrier->fd));
	return answer.ret < 0 ? error_set(err, -answer.ret, "%s", answer.err.text) : 0;
}

void carry_end(struct carrier *carrier)
{
	if (carrier->fd >= 0) {
		close(carrier->fd);
		/* what it was told to do is not wanted any more */
		if (carrier->pid > 0)
			kill(carrier->pid, SIGKILL);
	}
	while (carrier->pid > 0 && waitpid(carrier->pid, NULL, 0) < 0 && errno == EINTR)
		;
	*carrier = (struct carrier)CARRIER_NONE;
}

int carry_controlled(const struct carry *carry, const struct control *control,
		     struct error *err)
{
	struct carrier carrier;
	int ret;

	ret = carry_prepare(&carrier, carry, err);
	if (ret == 0)
		ret = carry_run(&carrier, carry, control, err);
	carry_end(&carrier);
	return ret;
}
