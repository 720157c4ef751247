// SPDX-License-Identifier: GPL-2.0-or-later
#include "kernel/path.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/utf8.h"

int path_check(const char *path, struct error *err)
{
	auto_free char *copy = strdup(path);
	char *name, *rest = copy;
	size_t names = 0;

	if (!copy)
		return error_errno(err, ENOMEM, "%s", path);
	if (utf8_check(path, strlen(path)) >= 0)
		return error_set(err, EINVAL, "not UTF-8, \"%s\"", path);
	while ((name = strsep(&rest, "/"))) {
		if (!*name)
			continue;
		names++;
		if (strcmp(name, ".") == 0 || strcmp(name, "..") == 0 || strlen(name) > 255 ||
		    strpbrk(name, "\n") || strncmp(name, "cgroup.", 7) == 0)
			return error_set(err, EINVAL, "not a cgroup's path, \"%s\"", path);
	}
	if (!names)
		return error_set(err, EINVAL, "the root is nobody's cgroup, \"%s\"", path);
	return 0;
}

char *path_normal(const char *path)
{
	char *made = malloc(strlen(path) + 2), *end = made;

	if (!made)
		return NULL;
	for (; *path; path++) {
		if (*path == '/' && (path[1] == '/' || !path[1]))
			continue;
		if (end == made && *path != '/')
			*end++ = '/';
		*end++ = *path;
	}
	*end = '\0';
	return made;
}

bool path_is_below(const char *inner, const char *outer)
{
	size_t len = strlen(outer);

	return strncmp(inner, outer, len) == 0 && (!inner[len] || inner[len] == '/');
}
