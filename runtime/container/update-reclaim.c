// SPDX-License-Identifier: GPL-2.0-or-later
#include "container/update-reclaim.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/file.h"
#include "container/update-state.h"
#include "container/values.h"
#include "memory/reclaim.h"

/* A reclaim by a limit, as far as its guard has to know it. */
struct squeeze {
	struct container container;
	int dirfd;			/* the container's cgroup */
	struct memory_plan before;	/* what is changed for that time, in the order of undo */
	struct guard guard;
};

#define SQUEEZE_NONE { .container = CONTAINER_NONE, .dirfd = -1, .guard = GUARD_NONE }

static void squeeze_close(struct squeeze *squeeze)
{
	guard_end(&squeeze->guard);
	if (squeeze->dirfd >= 0)
		close(squeeze->dirfd);
	container_close(&squeeze->container);
}

#define auto_squeeze __attribute__((cleanup(squeeze_close)))

/* The guard's: we were killed while the limit was low. */
static void rescue(void *context)
{
	const struct squeeze *squeeze = context;
	bool all = true;

	for (size_t i = 0; i < squeeze->before.count; i++) {
		const struct plan_write *write = &squeeze->before.writes[i];

		if (file_write_at(squeeze->dirfd, write->file, write->value, NULL) < 0)
			all = false;
	}
	if (all)
		unlinkat(squeeze->container.status.dirfd, UPDATE_JOURNAL, 0);
}

static int keep_before(const struct squeeze *squeeze, struct error *err)
{
	auto_json struct json *document = json_new();
	auto_free char *text = NULL;
	size_t len;
	int ret;

	if (!document)
		return error_errno(err, ENOMEM, UPDATE_JOURNAL);
	values_put(document, &squeeze->before);
	ret = json_write(document, json_root(document), true, &text, &len, err);
	return ret < 0 ? ret : file_replace_at(squeeze->container.status.dirfd, UPDATE_JOURNAL, 0600,
					       text, len, err);
}

static int begin(struct squeeze *squeeze, struct error *err)
{
	const struct container *container = &squeeze->container;
	struct memory_plan *before = &squeeze->before;
	char value[256];
	const char *file;
	ssize_t read;
	int ret;

	if (file_exists_at(container->status.dirfd, UPDATE_JOURNAL))
		return error_set(err, EBUSY, "an update was interrupted: memcrun update repairs it");
	before->count = 0;
	while ((file = reclaim_file(container->memory->mode, (int)before->count))) {
		struct plan_write *write = &before->writes[before->count++];

		read = file_read_at(squeeze->dirfd, file, value, sizeof(value), err);
		if (read < 0)
			return (int)read;
		memory_value_trim(value);
		strcpy(write->file, file);
		snprintf(write->value, sizeof(write->value), "%.*s",
			 (int)sizeof(write->value) - 1, value);
	}
	ret = keep_before(squeeze, err);
	if (ret < 0)
		return ret;
	ret = guard_start(&squeeze->guard, rescue, squeeze, err);
	if (ret < 0)
		unlinkat(container->status.dirfd, UPDATE_JOURNAL, 0);
	return ret;
}

int container_reclaim(const struct reclaim_request *request, struct reclaim_result *result,
		      struct error *err)
{
	auto_squeeze struct squeeze squeeze = SQUEEZE_NONE;
	struct container *container = &squeeze.container;
	bool by_limit;
	int ret;

	*result = (struct reclaim_result){ .after = -1 };
	ret = container_open(container, request->root, request->id, err);
	if (ret < 0)
		return ret;
	if (!container->memory)
		return error_set(err, ENOENT, "no hierarchy controls memory");
	ret = hierarchy_open(container->memory, container->place.cgroup, &squeeze.dirfd, err);
	/* without memory.reclaim a limit does it, which an update must find as it was */
	by_limit = ret == 0 && !file_exists_at(squeeze.dirfd, "memory.reclaim");
	if (ret == 0)
		ret = reclaim_usage(squeeze.dirfd, container->memory->mode, &result->before, err);
	if (ret == 0 && by_limit) {
		/* others write it, and may be moving the container */
		close(take_fd(&squeeze.dirfd));
		container_close(container);
		*container = (struct container)CONTAINER_NONE;
		ret = container_open_locked(container, request->root, request->id,
					    UPDATE_LOCK_TIMEOUT_MS, err);
		if (ret == 0)
			ret = hierarchy_open(container->memory, container->place.cgroup,
					     &squeeze.dirfd, err);
		if (ret == 0)
			ret = begin(&squeeze, err);
	}
	if (ret < 0)
		return ret;
	result->target = request->to >= 0 ? request->to : result->before - request->by;
	if (result->target < 0)
		result->target = 0;
	result->after = result->before;
	ret = reclaim_to(squeeze.dirfd, container->memory->mode, result->target,
			 request->swappiness, &request->control, &result->after, err);
	if (by_limit && ret != -EIO)
		unlinkat(container->status.dirfd, UPDATE_JOURNAL, 0);
	return ret;
}
