// SPDX-License-Identifier: GPL-2.0-or-later
#include "move/others.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/control.h"
#include "kernel/path.h"
#include "kernel/tree.h"
#include "move/destination.h"

#define ALL "the directory of all containers"

/* ROOT, of ROOT/ID. */
static int open_root(const struct status *status, struct error *err)
{
	int fd = openat(status->dirfd, "..", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	return fd < 0 ? error_errno(err, errno, ALL) : fd;
}

int others_lock(const struct status *status, int timeout_ms, struct error *err)
{
	int64_t until = control_now_usec() + (int64_t)timeout_ms * 1000;
	auto_close int fd = open_root(status, err);

	if (fd < 0)
		return fd;
	while (flock(fd, LOCK_EX | LOCK_NB) < 0) {
		if (errno != EWOULDBLOCK)
			return error_errno(err, errno, "cannot lock %s", ALL);
		if (control_now_usec() >= until)
			return error_set(err, EBUSY, "another memcrun looks at %s", ALL);
		poll(NULL, 0, 10);
	}
	return take_fd(&fd);
}

struct looking {
	const char *id;			/* the other container's */
	const struct journal *journal;
	const struct hierarchies *hierarchies;
	/* A side counts while it is the moved container's, or yet to be made. */
	bool from;
	bool to;
};

static bool exists(const struct hierarchies *hierarchies, const char *path)
{
	for (size_t i = 0; i < hierarchies->count; i++) {
		if (hierarchy_has(&hierarchies->each[i], path))
			return true;
	}
	return false;
}

/* `path` is of the other container: its cgroup, or one that it comes from or goes to. */
static int check_path(const struct looking *looking, const char *path, struct error *err)
{
	const struct journal *journal = looking->journal;
	const char *found = NULL;

	if (looking->from && path_is_below(path, journal->from.top))
		found = path;
	else if (looking->to && (path_is_below(path, journal->to.top) ||
				 path_is_below(journal->to.top, path)))
		found = journal->to.top;
	return found ? error_set(err, EBUSY, "%s is also in use by container \"%s\"", found,
				 looking->id) : 0;
}

static int check_record(const struct looking *looking, const struct status *other,
			struct error *err)
{
	auto_free char *path = path_normal(other->cgroup_path);
	auto_free char *absolute = NULL;

	if (!path)
		return error_errno(err, ENOMEM, "%s", looking->id);
	/* of a container that has ended the record may be all that there is */
	if (!*path || path_check(path, NULL) < 0 || !exists(looking->hierarchies, path))
		return 0;
	absolute = tree_path("", hierarchy_relative(path));
	if (!absolute)
		return error_errno(err, ENOMEM, "%s", looking->id);
	return check_path(looking, absolute, err);
}

static bool owned(const struct place *place, const struct hierarchies *hierarchies)
{
	for (size_t i = 0; i < hierarchies->count; i++) {
		if (place_owns(place, &hierarchies->each[i], NULL) == 1)
			return true;
	}
	return false;
}

static int check_one(const struct looking *looking, int root, struct error *err)
{
	auto_journal struct journal journal = { 0 };
	auto_status struct status other = STATUS_NONE;
	int ret;

	ret = status_open_at(&other, root, looking->id, err);
	/* a container that is made or deleted at this moment, or a file that is no container */
	if (ret == -ENOENT || ret == -ENOTDIR || ret == -EINVAL)
		return 0;
	if (ret < 0)
		return error_prefix(err, ret, "container \"%s\"", looking->id);
	ret = check_record(looking, &other, err);
	if (ret < 0)
		return ret;
	ret = journal_read(&journal, other.dirfd, err);
	if (ret == -ENOENT)
		return 0;
	if (ret < 0)
		return error_prefix(err, ret, "container \"%s\"", looking->id);
	ret = check_path(looking, journal.to.top, err);
	if (ret == 0 && exists(looking->hierarchies, journal.from.top))
		ret = check_path(looking, journal.from.top, err);
	return ret;
}

int others_check(const struct status *status, const char *id, const struct journal *journal,
		 const struct hierarchies *hierarchies, struct error *err)
{
	struct looking looking = {
		.journal = journal,
		.hierarchies = hierarchies,
		.from = owned(&journal->from, hierarchies),
		.to = !journal->to.id_count || owned(&journal->to, hierarchies),
	};
	auto_close int root = open_root(status, err);
	struct dirent *entry;
	int ret = 0, fd;
	DIR *dir;

	if (root < 0)
		return root;
	fd = openat(root, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	dir = fd < 0 ? NULL : fdopendir(fd);
	if (!dir) {
		ret = error_errno(err, errno, ALL);
		if (fd >= 0)
			close(fd);
		return ret;
	}
	while (ret == 0 && (entry = readdir(dir))) {
		looking.id = entry->d_name;
		if (status_check_id(entry->d_name, NULL) == 0 && strcmp(entry->d_name, id) != 0)
			ret = check_one(&looking, root, err);
	}
	closedir(dir);
	return ret;
}
