// SPDX-License-Identifier: GPL-2.0-or-later
#include "kernel/tasks.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/control.h"
#include "base/file.h"

/* What the freezer of each kind is asked by, says when it is done, and how. */
static const struct freezer {
	const char *ask;
	const char *tell;
	const char *words[2];	/* to write: thawed, frozen */
	const char *done[2];	/* a line to find */
} freezers[] = {
	[CGROUP_V1] = { "freezer.state", "freezer.state", { "THAWED", "FROZEN" },
			{ "THAWED", "FROZEN" } },
	[CGROUP_V2] = { "cgroup.freeze", "cgroup.events", { "0", "1" },
			{ "frozen 0", "frozen 1" } },
};

static int open_freezer(const struct hierarchies *hierarchies, const char *path,
			const struct freezer **freezer, int *dirfd, struct error *err)
{
	const struct hierarchy *hierarchy = hierarchies_freezer(hierarchies);
	int ret;

	if (!hierarchy || !hierarchy_has(hierarchy, path))
		return error_set(err, EOPNOTSUPP, "%s: there is no freezer", path);
	ret = hierarchy_open(hierarchy, path, dirfd, err);
	if (ret < 0)
		return ret;
	*freezer = &freezers[hierarchy->mode];
	if (!file_exists_at(*dirfd, (*freezer)->ask)) {
		close(take_fd(dirfd));
		return error_set(err, EOPNOTSUPP, "%s: there is no freezer", path);
	}
	return 0;
}

int freezer_read(const struct hierarchies *hierarchies, const char *path, bool *frozen,
		 struct error *err)
{
	const struct freezer *freezer = NULL;
	auto_close int dirfd = -1;
	char value[64];
	ssize_t len;
	int ret;

	ret = open_freezer(hierarchies, path, &freezer, &dirfd, NULL);
	if (ret == -EOPNOTSUPP) {
		*frozen = false;
		return 0;
	}
	if (ret < 0)
		return error_errno(err, -ret, "%s: cannot open", path);
	len = file_read_at(dirfd, freezer->ask, value, sizeof(value), err);
	if (len < 0)
		return (int)len;
	/* v1: FREEZING is asked, too */
	*frozen = strcmp(value, freezer->words[0]) != 0;
	return 0;
}

static bool has_line(const char *text, const char *line)
{
	const char *found = strstr(text, line);
	size_t len = strlen(line);

	return found && (found == text || found[-1] == '\n') &&
	       (found[len] == '\n' || found[len] == '\0');
}

/*
 * Until `line` is in the file `name`. v2 wakes who polls cgroup.events; v1 has to be asked
 * again, and tries again to freeze.
 */
static int wait_for_line(int dirfd, const char *name, const char *line, int timeout_ms,
			 struct error *err)
{
	auto_close int fd = openat(dirfd, name, O_RDONLY | O_CLOEXEC);
	bool wakes = strcmp(name, "cgroup.events") == 0;
	struct pollfd poller = { .fd = fd, .events = POLLPRI };
	int64_t until = control_now_usec() + (int64_t)timeout_ms * 1000, left;
	char value[512];
	ssize_t len;

	if (fd < 0)
		return error_errno(err, errno, "%s: cannot open", name);
	for (;;) {
		len = pread(fd, value, sizeof(value) - 1, 0);
		if (len < 0)
			return error_errno(err, errno, "%s: cannot read", name);
		value[len] = '\0';
		if (has_line(value, line))
			return 0;
		left = until - control_now_usec();
		if (left <= 0)
			return error_set(err, ETIMEDOUT, "%s: not \"%s\" within %d ms", name, line,
					 timeout_ms);
		if (wakes)
			poll(&poller, 1, (int)(left / 1000) + 1);
		else
			poll(NULL, 0, 1);
	}
}

int freezer_write(const struct hierarchies *hierarchies, const char *path, bool frozen,
		  int timeout_ms, struct error *err)
{
	const struct freezer *freezer = NULL;
	auto_close int dirfd = -1;
	int ret;

	ret = open_freezer(hierarchies, path, &freezer, &dirfd, err);
	if (ret < 0)
		return ret;
	ret = file_write_at(dirfd, freezer->ask, freezer->words[frozen], err);
	if (ret == 0)
		ret = wait_for_line(dirfd, freezer->tell, freezer->done[frozen], timeout_ms, err);
	if (ret < 0 && frozen)
		file_write_at(dirfd, freezer->ask, freezer->words[false], NULL);
	return ret < 0 ? error_prefix(err, ret, "%s", path) : 0;
}

int tasks_read(int dirfd, const char *file, pid_t **pids, struct error *err)
{
	auto_close int fd = openat(dirfd, file, O_RDONLY | O_CLOEXEC);
	auto_free char *text = NULL;
	auto_free pid_t *found = NULL;
	char *line, *rest;
	size_t len;
	int count = 0, ret;

	if (fd < 0)
		return error_errno(err, errno, "%s: cannot open", file);
	ret = file_read_all(fd, 64 << 20, &text, &len, err);
	if (ret < 0)
		return error_prefix(err, ret, "%s", file);
	/* the shortest line is a digit and its end */
	found = calloc(len / 2 + 1, sizeof(*found));
	if (!found)
		return error_errno(err, ENOMEM, "%s", file);
	rest = text;
	while ((line = strsep(&rest, "\n"))) {
		/* 0: of another pid namespace, out of our reach */
		if (*line)
			found[count++] = (pid_t)strtol(line, NULL, 10);
	}
	*pids = take_ptr(&found);
	return count;
}

/*
 * The tasks of a cgroup that live. v2's cgroup.procs names a process whose first thread has
 * ended in the cgroup where that thread was, wherever the others are, and nowhere else: only
 * cgroup.threads lists the tasks that are here.
 */
static const char *list_file(const struct hierarchy *hierarchy)
{
	return hierarchy->mode == CGROUP_V1 ? "tasks" : "cgroup.threads";
}

/* v1 moves thread by thread, for each may be in a cgroup of its own there. */
static const char *move_file(const struct hierarchy *hierarchy)
{
	return hierarchy->mode == CGROUP_V1 ? "tasks" : "cgroup.procs";
}

int tasks_any(const struct hierarchy *hierarchy, const char *path, struct error *err)
{
	auto_close int dirfd = -1;
	auto_free pid_t *pids = NULL;
	int ret;

	ret = hierarchy_open(hierarchy, path, &dirfd, err);
	if (ret == 0)
		ret = tasks_read(dirfd, list_file(hierarchy), &pids, err);
	return ret < 0 ? ret : ret > 0;
}

static int move_all(int fd, const pid_t *pids, int count, int *moved, struct error *err)
{
	char text[16];
	int len;

	for (int i = 0; i < count; i++) {
		if (!pids[i])
			return error_set(err, ESRCH, "a task of another pid namespace");
		len = snprintf(text, sizeof(text), "%d", pids[i]);
		if (write(fd, text, (size_t)len) == len)
			(*moved)++;
		else if (errno != ESRCH)
			return error_errno(err, errno, "cannot move process %d", pids[i]);
	}
	return 0;
}

/*
 * Once all that are in `source` now. v2 takes any thread for its process, and with it those
 * that live: what cgroup.procs does not name goes by one of these.
 */
static int move_once(const struct hierarchy *hierarchy, int source, int fd, int *moved,
		     struct error *err)
{
	auto_free pid_t *pids = NULL;
	auto_free pid_t *rest = NULL;
	int count, left, again = 0, ret;

	count = tasks_read(source, move_file(hierarchy), &pids, err);
	/* a threaded cgroup has no list of processes */
	if (count < 0 && count != -EOPNOTSUPP)
		return count;
	ret = move_all(fd, pids, count, moved, err);
	if (ret < 0 || hierarchy->mode == CGROUP_V1)
		return ret < 0 ? ret : count;
	left = tasks_read(source, list_file(hierarchy), &rest, err);
	if (left > 0)
		ret = move_all(fd, rest, left, &again, err);
	*moved += again > 0;
	return ret < 0 ? ret : left;
}

int tasks_move(const struct hierarchy *hierarchy, const char *from, const char *to,
	       int timeout_ms, struct error *err)
{
	const char *file = move_file(hierarchy);
	int64_t until = control_now_usec() + (int64_t)timeout_ms * 1000;
	auto_close int source = -1;
	auto_close int target = -1;
	auto_close int fd = -1;
	int ret, moved = 0;

	ret = hierarchy_open(hierarchy, from, &source, err);
	if (ret == 0)
		ret = hierarchy_open(hierarchy, to, &target, err);
	if (ret < 0)
		return ret;
	fd = openat(target, file, O_WRONLY | O_CLOEXEC);
	if (fd < 0)
		return error_errno(err, errno, HIERARCHY_WORDS ": %s: cannot open",
				   hierarchy_words(hierarchy, to), file);

	for (;;) {
		/* a write that took long is no task that is left */
		bool late = control_now_usec() > until;

		ret = move_once(hierarchy, source, fd, &moved, err);
		/* systemd may have removed it with its last task */
		if (ret == 0 || ret == -ENODEV || (ret == -ENOENT && moved))
			return moved;
		if (ret > 0 && late)
			ret = error_set(err, ETIMEDOUT, "%d tasks are left after %d s", ret,
					timeout_ms / 1000);
		if (ret < 0)
			return error_prefix(err, ret, HIERARCHY_WORDS,
					    hierarchy_words(hierarchy, from));
	}
}

int tasks_kill(int dirfd, int timeout_ms, struct error *err)
{
	int ret;

	ret = file_write_at(dirfd, "cgroup.kill", "1", err);
	if (ret == 0)
		ret = wait_for_line(dirfd, "cgroup.events", "populated 0", timeout_ms, err);
	return ret;
}
