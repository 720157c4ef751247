// SPDX-License-Identifier: GPL-2.0-or-later
#include "systemd/delegate.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "base/cleanup.h"

bool delegate_is_needed(const struct hierarchy *memory)
{
	/* sd_booted(3) */
	return memory && memory->mode == CGROUP_V2 && access("/run/systemd/system", F_OK) == 0;
}

/* systemd 252 and later write both marks, older versions the first alone. */
static bool is_marked(const struct hierarchy *hierarchy, const char *path)
{
	static const char *const names[] = { "trusted.delegate", "user.delegate" };
	auto_close int dirfd = -1;
	char value[2];

	if (!hierarchy_has(hierarchy, path) || hierarchy_open(hierarchy, path, &dirfd, NULL) < 0)
		return false;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		if (fgetxattr(dirfd, names[i], value, sizeof(value)) == 1 && value[0] == '1')
			return true;
	}
	return false;
}

/* A slice, or the root of a user's manager, which is delegated to that manager alone. */
static bool is_managed(const char *path)
{
	const char *name = strrchr(path, '/');
	size_t len = strlen(path), slice = strlen(".slice");

	return (len > slice && strcmp(path + len - slice, ".slice") == 0) ||
	       (name && strncmp(name, "/user@", 6) == 0);
}

int delegate_check(const struct hierarchy *hierarchy, const char *path, struct error *err)
{
	auto_free char *above = strdup(path);
	char *slash;

	if (!above)
		return error_errno(err, ENOMEM, "%s", path);
	while ((slash = strrchr(above, '/'))) {
		*slash = '\0';
		if (!*above || is_managed(above))
			break;
		if (is_marked(hierarchy, above))
			return 0;
	}
	return error_set(err, EPERM,
			 "%s: systemd manages %s and would take the controllers, and so the limits, "
			 "away: choose a cgroup of a unit with Delegate=yes, or create the container "
			 "with a scope (--systemd-cgroup)", path, *above ? above : "/");
}
