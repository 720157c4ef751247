// SPDX-License-Identifier: GPL-2.0-or-later
#include "move/cgroup-mounts.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/file.h"
#include "kernel/mounts.h"
#include "kernel/tree.h"

#define MOUNTINFO_MAX ((size_t)64 << 20)

/* The container's first process, whatever becomes of its number. */
struct target {
	int root;
	int ns;
	struct cgroup_mounts mounts;
};

static void target_close(struct target *target)
{
	if (target->root >= 0)
		close(target->root);
	if (target->ns >= 0)
		close(target->ns);
	mounts_free(&target->mounts);
}

#define auto_target __attribute__((cleanup(target_close)))

static bool is_our_namespace(int ns)
{
	struct stat ours, its;

	return stat("/proc/self/ns/mnt", &ours) == 0 && fstat(ns, &its) == 0 &&
	       ours.st_ino == its.st_ino;
}

/* In one namespace with us it sees what we see. */
static int open_target(const struct move *move, const char *top, struct target *target,
		       struct error *err)
{
	auto_free char *text = NULL;
	auto_close int proc = -1;
	auto_close int fd = -1;
	char name[32];
	size_t len;
	int ret;

	snprintf(name, sizeof(name), "/proc/%d", move->status.pid);
	proc = open(name, O_PATH | O_DIRECTORY | O_CLOEXEC);
	/* it has ended, or another one has its number */
	if (proc < 0 || !status_running(&move->status))
		return 0;
	fd = openat(proc, "mountinfo", O_RDONLY | O_CLOEXEC);
	target->ns = openat(proc, "ns/mnt", O_RDONLY | O_CLOEXEC);
	target->root = openat(proc, "root", O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0 || target->ns < 0 || target->root < 0)
		return error_errno(err, errno, "its mounts cannot be seen");
	if (is_our_namespace(target->ns))
		return 0;
	ret = file_read_all(fd, MOUNTINFO_MAX, &text, &len, err);
	return ret < 0 ? ret : mounts_parse(&target->mounts, text, top, err);
}

/* The cgroup that is to be seen in the place of `mount`, which shows one at `top`, as a mount. */
static int open_new(const struct move *move, const char *top, const struct cgroup_mount *mount,
		    struct error *err)
{
	auto_free char *path = NULL;

	if (asprintf(&path, "%s%s", move->journal.to.top,
		     mount->root + strlen(top)) < 0) {
		path = NULL;
		return error_errno(err, ENOMEM, "move");
	}
	for (size_t i = 0; i < move->hierarchies.count; i++) {
		const struct hierarchy *hierarchy = &move->hierarchies.each[i];
		auto_close int dirfd = -1;
		struct stat st;
		int ret;

		if (fstat(hierarchy->root, &st) < 0 || st.st_dev != mount->dev)
			continue;
		ret = place_owns(&move->journal.to, hierarchy, err);
		if (ret == 1)
			ret = hierarchy_open(hierarchy, path, &dirfd, err);
		return ret < 0 ? ret : mounts_open(dirfd, mount->attributes, err);
	}
	return error_set(err, ENOENT, "of a hierarchy that is not mounted here");
}

struct answer {
	int replaced;
	struct error err;	/* of the last that was not */
};

static void replace_all(const struct target *target, const int *fds, struct answer *answer)
{
	int ret;

	/* its root and its directories are others' from here on: only fds say where we are */
	ret = setns(target->ns, CLONE_NEWNS) < 0 ?
	      error_errno(&answer->err, errno, "cannot enter its mount namespace") : 0;
	for (size_t i = 0; i < target->mounts.count; i++) {
		struct error why;

		if (fds[i] < 0)
			continue;
		if (ret == 0 && mounts_replace(target->root, &target->mounts.each[i], fds[i],
					       &why) == 0) {
			answer->replaced++;
			continue;
		}
		if (ret == 0)
			error_set(&answer->err, EIO, "%s: %s", target->mounts.each[i].point,
				  why.text);
	}
}

/*
 * A path of the container's may lead through a FUSE whose server is frozen with it: then the
 * child waits for ever, and only SIGKILL ends that.
 */
static int read_answer(int fd, pid_t pid, struct answer *made, struct error *err)
{
	int64_t until = control_now_usec() + (int64_t)MOVE_PATIENCE_MS * 1000, left;
	struct pollfd poller = { .fd = fd, .events = POLLIN };
	ssize_t len;
	int ret;

	do {
		left = until - control_now_usec();
		ret = left > 0 ? poll(&poller, 1, (int)(left / 1000) + 1) : 0;
	} while (ret < 0 && errno == EINTR);
	if (ret <= 0) {
		kill(pid, SIGKILL);
		return error_set(err, ETIMEDOUT, "its mounts cannot be reached");
	}
	do {
		len = read(fd, made, sizeof(*made));
	} while (len < 0 && errno == EINTR);
	return len == sizeof(*made) ? 0 : error_set(err, EIO,
						    "the process that replaces mounts has died");
}

/*
 * In a process of its own, which is in the container's mount namespace alone, and which is
 * not killed with us: between taking a mount away and putting another one there is no way
 * back.
 */
static int replace_in_child(const struct move *move, const struct target *target, const int *fds,
			    struct answer *answer)
{
	struct answer made = { 0 };
	sigset_t all, before;
	int ends[2], ret = 0;
	pid_t pid;

	if (pipe2(ends, O_CLOEXEC) < 0)
		return error_errno(&answer->err, errno, "cannot make a pipe");
	sigfillset(&all);
	sigprocmask(SIG_SETMASK, &all, &before);
	pid = fork();
	if (pid == 0) {
		if (move->guard.fd >= 0)
			close(move->guard.fd);
		replace_all(target, fds, &made);
		_exit(write(ends[1], &made, sizeof(made)) != sizeof(made));
	}
	sigprocmask(SIG_SETMASK, &before, NULL);
	close(ends[1]);
	if (pid < 0)
		ret = error_errno(&answer->err, errno, "cannot fork");
	else
		ret = read_answer(ends[0], pid, &made, &answer->err);
	if (ret == 0)
		*answer = made;
	close(ends[0]);
	while (pid > 0 && waitpid(pid, NULL, 0) < 0 && errno == EINTR)
		;
	return ret;
}

/* Those that show the cgroup `top` are to show what is at journal.to instead. */
static void replace_those_of(struct move *move, const char *top)
{
	auto_target struct target target = { .root = -1, .ns = -1 };
	struct move_result *result = move->result;
	struct answer answer = { 0 };
	auto_free int *fds = NULL;
	size_t count, open = 0;
	int ret;

	ret = open_target(move, top, &target, &answer.err);
	count = target.mounts.count;
	if (ret == 0 && count == 0)
		return;
	fds = calloc(count + 1, sizeof(*fds));
	if (ret == 0 && !fds)
		ret = error_errno(&answer.err, ENOMEM, "move");
	for (size_t i = 0; ret == 0 && i < count; i++) {
		fds[i] = open_new(move, top, &target.mounts.each[i], &result->mounts_why);
		open += fds[i] >= 0;
		if (fds[i] < 0)
			error_prefix(&result->mounts_why, -EIO, "%s", target.mounts.each[i].point);
	}
	if (ret == 0 && open)
		ret = replace_in_child(move, &target, fds, &answer);
	for (size_t i = 0; fds && i < count; i++) {
		if (fds[i] > 0)
			close(fds[i]);
	}
	result->mounts += answer.replaced;
	result->mounts_left += ret < 0 && !count ? 1 : (int)count - answer.replaced;
	if (*answer.err.text)
		result->mounts_why = answer.err;
}

void move_mounts(struct move *move)
{
	replace_those_of(move, move->journal.from.top);
	/* a removed one keeps its name in the list of mounts */
	if (move->anew)
		replace_those_of(move, move->journal.to.top);
}
