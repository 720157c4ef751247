// SPDX-License-Identifier: GPL-2.0-or-later
#include "container/delete.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "kernel/tasks.h"
#include "memory/charge.h"

#define LOCK_TIMEOUT_MS 10000

/* Does what is above take charges? Never on v1, and never the root. */
static bool has_heir(const struct container *container)
{
	auto_free char *above = strdup(container->place.top);
	auto_close int dirfd = -1;

	if (!above || !container->memory || container->memory->mode != CGROUP_V2)
		return false;
	*strrchr(above, '/') = '\0';
	return hierarchy_open(container->memory, above, &dirfd, NULL) == 0 &&
	       charge_can_migrate(dirfd);
}

static int hand_up(const struct container *container, bool force, struct error *err)
{
	auto_close int dirfd = -1;
	int ret;

	if (!has_heir(container) ||
	    hierarchy_open(container->memory, container->place.cgroup, &dirfd, NULL) < 0)
		return 0;
	if (status_running(&container->status)) {
		/* crun will refuse, in its own words; or it has only been created */
		if (!force)
			return 0;
		ret = tasks_kill(dirfd, DELETE_KILL_MS, err);
		if (ret < 0)
			return error_prefix(err, ret, "%s", container->place.cgroup);
	}
	return charge_hand_up(container->memory, container->place.top, err);
}

int container_hand_up(const char *root, const char *id, bool force,
		      int (*abandon)(const struct container *container, bool force,
				     struct error *err),
		      int *lock, struct error *err)
{
	auto_container struct container container = CONTAINER_NONE;
	int ret;

	*lock = -1;
	/* crun would take the record away from under a move, which ends where it can */
	ret = container_open_locked(&container, root, id, LOCK_TIMEOUT_MS, err);
	if (ret < 0)
		return ret == -EBUSY ? ret : 0;
	ret = abandon(&container, force, err);
	if (ret == 0)
		ret = hand_up(&container, force, err);
	*lock = take_fd(&container.status.dirfd);
	return ret;
}
