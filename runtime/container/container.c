// SPDX-License-Identifier: GPL-2.0-or-later
#include "container/container.h"

#include <errno.h>
#include <poll.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/file.h"

/* container_wait_for_move() has a shared lock for a moment, which refuses nobody. */
#define LOOK_MS 100

void container_close(struct container *container)
{
	place_close(&container->place);
	status_close(&container->status);
	hierarchies_close(&container->hierarchies);
}

int container_open(struct container *container, const char *root, const char *id,
		   struct error *err)
{
	auto_host struct host host = { .cgroup_root = -1, .proc = -1 };
	int ret;

	ret = host_open(&host, NULL, err);
	if (ret == 0)
		ret = hierarchies_open(&container->hierarchies, &host, err);
	if (ret == 0)
		ret = status_open(&container->status, root, id, err);
	if (ret < 0)
		return ret;
	container->memory = hierarchies_memory(&container->hierarchies);
	return place_of(&container->place, &container->hierarchies, &container->status, err);
}

/* On the directory, which goes with the container; the lock goes with who holds it. */
int container_lock(const struct status *status, int timeout_ms, struct error *err)
{
	int patience_ms = timeout_ms > LOOK_MS ? timeout_ms : LOOK_MS;
	int64_t until = control_now_usec() + (int64_t)patience_ms * 1000;

	while (flock(status->dirfd, LOCK_EX | LOCK_NB) < 0) {
		if (errno != EWOULDBLOCK)
			return error_errno(err, errno, "cannot lock");
		if (control_now_usec() >= until)
			return error_set(err, EBUSY, "another memcrun is moving or updating it");
		poll(NULL, 0, 10);
	}
	return 0;
}

/* Is it the directory that `other` is, or one that has its name now? */
static bool same_directory(int dirfd, int other)
{
	struct stat a, b;

	return fstat(dirfd, &a) == 0 && fstat(other, &b) == 0 && a.st_dev == b.st_dev &&
	       a.st_ino == b.st_ino;
}

int container_open_locked(struct container *container, const char *root, const char *id,
			  int timeout_ms, struct error *err)
{
	auto_container struct container waiting = CONTAINER_NONE;
	int ret;

	ret = container_open(&waiting, root, id, err);
	if (ret == 0)
		ret = container_lock(&waiting.status, timeout_ms, err);
	/* it may have moved while we waited */
	if (ret == 0)
		ret = container_open(container, root, id, err);
	if (ret < 0)
		return ret;
	if (!same_directory(container->status.dirfd, waiting.status.dirfd))
		return error_set(err, EBUSY, "it has been deleted and made again");
	close(container->status.dirfd);
	container->status.dirfd = take_fd(&waiting.status.dirfd);
	return 0;
}

int container_wait_for_move(const char *root, const char *id, const struct control *control,
			    struct error *err)
{
	auto_close int dirfd = status_open_directory(root, id, NULL);
	int ret;

	/* the lock alone may be that of an update, which leaves the cgroup where it is */
	while (dirfd >= 0 && file_exists_at(dirfd, JOURNAL_FILE) &&
	       flock(dirfd, LOCK_SH | LOCK_NB) < 0 && errno == EWOULDBLOCK) {
		ret = control_go_on(control, err);
		if (ret < 0)
			return error_prefix(err, ret, "a move is under way");
		control_tell(control, "waiting for a move to end", 0, 0);
		poll(NULL, 0, 10);
	}
	return 0;
}
