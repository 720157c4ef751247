// SPDX-License-Identifier: GPL-2.0-or-later
#include "container/location.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "kernel/path.h"

void place_close(struct place *place)
{
	free(place->top);
	free(place->cgroup);
	free(place->scope);
	free(place->slice);
	*place = (struct place){ 0 };
}

char *place_slice(const char *top)
{
	const char *end = strrchr(top, '/'), *start = end;

	while (start > top && start[-1] != '/')
		start--;
	return start < end ? strndup(start, (size_t)(end - start)) : strdup("-.slice");
}

int place_of(struct place *place, const struct hierarchies *hierarchies,
	     const struct status *status, struct error *err)
{
	const struct hierarchy *memory = hierarchies_memory(hierarchies);
	auto_free char *path = path_normal(status->cgroup_path);
	const char *found = NULL;
	size_t len = strlen(status->scope), top;
	struct place made = { 0 };
	int ret;

	if (!path)
		return error_errno(err, ENOMEM, "%s", status->cgroup_path);
	if (!*path)
		return error_set(err, ENOENT, "it has no cgroup of its own");
	/* ".." would leave the hierarchy */
	ret = path_check(path, err);
	if (ret < 0)
		return ret;
	top = strlen(path);
	if (status->systemd && len) {
		/* up to the unit: below it is what crun made in it */
		for (found = path; (found = strstr(found, status->scope)); found++) {
			if (found > path && found[-1] == '/' && (!found[len] || found[len] == '/'))
				break;
		}
		if (!found)
			return error_set(err, EINVAL, "its cgroup is not in its unit %s, \"%s\"",
					 status->scope, path);
		top = (size_t)(found - path) + len;
	}
	if (memory && !hierarchy_has(memory, path))
		return error_set(err, ENOENT, "its cgroup is gone, \"%s\"", path);

	if (asprintf(&made.top, "/%.*s", (int)(top - strspn(path, "/")),
		     path + strspn(path, "/")) < 0)
		made.top = NULL;
	if (asprintf(&made.cgroup, "/%s", hierarchy_relative(path)) < 0)
		made.cgroup = NULL;
	made.scope = strdup(status->systemd ? status->scope : "");
	made.slice = made.top ? place_slice(made.top) : NULL;
	if (!made.top || !made.cgroup || !made.scope || !made.slice) {
		place_close(&made);
		return error_errno(err, ENOMEM, "%s", status->cgroup_path);
	}
	*place = made;
	return 0;
}
