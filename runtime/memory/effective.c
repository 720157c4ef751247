// SPDX-License-Identifier: GPL-2.0-or-later
#include "memory/effective.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/file.h"
#include "memory/value.h"

/* In all of these the smallest value on the way up holds, be it a limit or a protection. */
static const struct {
	enum cgroup_mode mode;
	const char *file;
} files[] = {
	{ CGROUP_V1, "memory.limit_in_bytes" },
	{ CGROUP_V1, "memory.memsw.limit_in_bytes" },
	{ CGROUP_V2, "memory.max" },
	{ CGROUP_V2, "memory.high" },
	{ CGROUP_V2, "memory.memsw.max" },
	{ CGROUP_V2, "memory.swap.max" },
	{ CGROUP_V2, "memory.low" },
	{ CGROUP_V2, "memory.min" },
};

_Static_assert(sizeof(files) / sizeof(files[0]) <= EFFECTIVE_MAX, "one each");

void effective_free(struct effectives *effectives)
{
	for (size_t i = 0; i < effectives->count; i++)
		free(effectives->each[i].from);
	effectives->count = 0;
}

static int read_value(int dirfd, const char *file, char value[MEMORY_VALUE_MAX])
{
	if (file_read_at(dirfd, file, value, MEMORY_VALUE_MAX, NULL) < 0)
		return 0;
	memory_value_trim(value);
	return 1;
}

/* v1: a parent that is not hierarchical neither counts nor limits what its children use. */
static bool is_flat(int dirfd)
{
	char value[MEMORY_VALUE_MAX];

	return read_value(dirfd, "memory.use_hierarchy", value) && value[0] == '0';
}

/* Walk up from `path`, which is cut down to "" on the way. */
static int look_above(struct effective *effective, int root, char *path, struct error *err)
{
	char value[MEMORY_VALUE_MAX];
	char *slash;

	while ((slash = strrchr(path, '/'))) {
		auto_close int dirfd = -1;

		*slash = '\0';
		dirfd = openat(root, *path ? path + 1 : ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		if (dirfd < 0 || is_flat(dirfd))
			return 0;
		if (!read_value(dirfd, effective->file, value) ||
		    memory_value_height(value) >= memory_value_height(effective->value))
			continue;
		strcpy(effective->value, value);
		free(effective->from);
		effective->from = strdup(*path ? path : "/");
		if (!effective->from)
			return error_errno(err, ENOMEM, "%s", path);
	}
	return 0;
}

int effective_read(struct effectives *effectives, const struct host *host,
		   const struct cgroup *cgroup, struct error *err)
{
	auto_effectives struct effectives found = { 0 };
	auto_cgroup struct cgroup root = CGROUP_NONE;
	int ret;

	ret = cgroup_open_root(&root, host, err);
	for (size_t i = 0; ret == 0 && i < sizeof(files) / sizeof(files[0]); i++) {
		struct effective *effective = &found.each[found.count];
		auto_free char *path = strdup(cgroup->path + strlen(root.path));

		*effective = (struct effective){ .file = files[i].file };
		if (!path)
			return error_errno(err, ENOMEM, "%s", cgroup->path);
		if (files[i].mode != cgroup->mode ||
		    !read_value(cgroup->dirfd, files[i].file, effective->here))
			continue;
		strcpy(effective->value, effective->here);
		ret = look_above(effective, root.dirfd, path, err);
		if (effective->from)
			found.count++;
	}
	if (ret < 0)
		return ret;
	*effectives = found;
	found.count = 0;
	return 0;
}
