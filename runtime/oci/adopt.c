// SPDX-License-Identifier: GPL-2.0-or-later
#include "oci/adopt.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/file.h"
#include "kernel/path.h"
#include "kernel/tasks.h"
#include "kernel/tree.h"
#include "oci/container.h"
#include "oci/journal.h"

/* crun would wait as long for processes to go. */
#define KILL_TIMEOUT_MS 10000
#define REMOVE_TIMEOUT_MS 2000
#define LOCK_TIMEOUT_MS 10000

static int read_moved(const struct container *container, struct charge_usage *moved,
		      struct error *err)
{
	auto_close int dirfd = -1;
	int ret;

	ret = hierarchy_open(container->memory, container->place.cgroup, &dirfd, err);
	if (ret < 0)
		return ret;
	if (!charge_can_migrate(dirfd))
		return error_set(err, EOPNOTSUPP, "this kernel moves no charges (memory.migrate)");
	return charge_migrated(moved, dirfd, err);
}

static int check_source(const struct container *container, const char *from, struct error *err)
{
	if (!hierarchy_has(container->memory, from))
		return error_set(err, ENOENT, "no such cgroup, \"%s\"", from);
	if (path_is_below(from, container->place.top))
		return error_set(err, EINVAL, "it is the container's own, \"%s\"", from);
	if (path_is_below(container->place.top, from))
		return error_set(err, EINVAL, "the container is in it, \"%s\"", from);
	return 0;
}

int container_adopt(const struct adopt_request *request, struct adopt_result *result,
		    struct error *err)
{
	auto_container struct container container = CONTAINER_NONE;
	struct charge_usage before = { 0 }, after = { 0 };
	struct adopt_result made = { 0 };
	int64_t started = control_now_usec();
	auto_journal struct journal unended = { 0 };
	auto_free char *from = NULL;
	auto_close int dirfd = -1;
	struct carry carry;
	int ret;

	ret = container_open_locked(&container, request->root, request->id, 0, err);
	if (ret == 0 && journal_read(&unended, container.status.dirfd, NULL) == 0)
		ret = error_set(err, EALREADY, "a move has not ended: memcrun move --resume or "
				"--rollback it first");
	if (ret < 0)
		return ret;
	if (!container.memory || container.memory->mode == CGROUP_V1)
		return error_set(err, EOPNOTSUPP, "this kernel moves no charges (memory.migrate)");
	ret = read_moved(&container, &before, err);
	if (ret == 0 && request->from) {
		ret = path_check(request->from, err);
		from = path_normal(request->from);
		if (ret == 0)
			ret = from ? check_source(&container, from, err) :
				     error_errno(err, ENOMEM, "%s", request->from);
	}
	if (ret < 0)
		return ret;

	carry = (struct carry){
		.memory = container.memory,
		.from = from,
		.pid = request->pid,
		.to = container.place.cgroup,
		.into_one = true,
		.types = request->types,
		.close_fd = -1,
	};
	ret = carry_controlled(&carry, &request->control, err);
	if (ret < 0)
		return ret;
	ret = read_moved(&container, &after, err);
	if (ret < 0)
		return ret;
	for (int i = 0; i < CHARGE_TYPES; i++)
		made.moved.by_type[i] = after.by_type[i] - before.by_type[i];
	made.moved.total = after.total - before.total;
	if (from && hierarchy_open(container.memory, from, &dirfd, NULL) == 0)
		charge_usage_read(&made.left, dirfd, CGROUP_V2, NULL);
	made.total_usec = control_now_usec() - started;
	*result = made;
	return 0;
}

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

/*
 * The side of a move that has not ended which the record does not name: crun deletes the
 * journal with the container, and nobody would know of it any more.
 */
static int remove_other_side(const struct container *container, bool force, struct error *err)
{
	auto_journal struct journal journal = { 0 };
	const struct place *side;
	const char *other;
	int ret = 0;

	if (journal_read(&journal, container->status.dirfd, NULL) < 0)
		return 0;
	if (status_running(&container->status) && !force)
		return 0;
	side = strcmp(journal.to.top, container->place.top) == 0 ? &journal.from : &journal.to;
	other = side->top;
	if (!journal.no_ids && side == &journal.to)
		place_drop_untaken(side, &container->hierarchies, REMOVE_TIMEOUT_MS);
	for (size_t i = 0; ret == 0 && i < container->hierarchies.count; i++) {
		const struct hierarchy *hierarchy = &container->hierarchies.each[i];
		auto_close int dirfd = -1;

		/* another container may have this path by now */
		if (!journal.no_ids && place_owns(side, hierarchy, NULL) != 1)
			continue;
		if (!hierarchy_has(hierarchy, other) ||
		    hierarchy_open(hierarchy, other, &dirfd, NULL) < 0)
			continue;
		if (hierarchy->mode == CGROUP_V2) {
			ret = force ? tasks_kill(dirfd, KILL_TIMEOUT_MS, err) : 0;
			if (ret == 0 && hierarchy == container->memory)
				ret = charge_hand_up(hierarchy, other, err);
		}
		if (ret == 0)
			ret = tree_remove(hierarchy, other, REMOVE_TIMEOUT_MS, err);
	}
	return ret;
}

int container_hand_up(const char *root, const char *id, bool force, struct error *err)
{
	auto_container struct container container = CONTAINER_NONE;
	auto_close int dirfd = -1;
	int ret;

	/* crun would take the record away from under a move, which ends where it can */
	ret = container_open_locked(&container, root, id, LOCK_TIMEOUT_MS, err);
	if (ret < 0)
		return ret == -EBUSY ? ret : 0;
	ret = remove_other_side(&container, force, err);
	if (ret < 0 || !has_heir(&container))
		return ret;
	if (hierarchy_open(container.memory, container.place.cgroup, &dirfd, NULL) < 0)
		return 0;
	if (status_running(&container.status)) {
		/* crun will refuse, in its own words; or it has only been created */
		if (!force)
			return 0;
		ret = tasks_kill(dirfd, KILL_TIMEOUT_MS, err);
		if (ret < 0)
			return error_prefix(err, ret, "%s", container.place.cgroup);
	}
	return charge_hand_up(container.memory, container.place.top, err);
}
