// SPDX-License-Identifier: GPL-2.0-or-later
#include "container/adopt.h"

#include <errno.h>

#include "base/cleanup.h"
#include "base/file.h"
#include "container/container.h"
#include "kernel/path.h"

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
	auto_free char *from = NULL;
	auto_close int dirfd = -1;
	struct carry carry;
	int ret;

	ret = container_open_locked(&container, request->root, request->id, 0, err);
	if (ret == 0 && file_exists_at(container.status.dirfd, JOURNAL_FILE))
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
