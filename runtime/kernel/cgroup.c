// SPDX-License-Identifier: GPL-2.0-or-later
#include "kernel/cgroup.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/file.h"

/* Where memory may be controlled below the root, the first that is there wins. */
static const struct hierarchy {
	const char *dir;
	const char *evidence;
	enum cgroup_mode mode;
} hierarchies[] = {
	{ "memory", "memory/memory.limit_in_bytes", CGROUP_V1 },
	{ ".", "cgroup.controllers", CGROUP_V2 },
};

const char *cgroup_mode_name(enum cgroup_mode mode)
{
	static const char *const names[] = { [CGROUP_V1] = "v1", [CGROUP_V2] = "v2" };

	return names[mode];
}

const char *cgroup_layout_name(enum cgroup_layout layout)
{
	static const char *const names[] = {
		[CGROUP_LEGACY] = "legacy",
		[CGROUP_HYBRID] = "hybrid",
		[CGROUP_UNIFIED] = "unified",
	};

	return names[layout];
}

void cgroup_close(struct cgroup *cgroup)
{
	if (cgroup->dirfd >= 0)
		close(cgroup->dirfd);
	free(cgroup->path);
	cgroup->dirfd = -1;
	cgroup->path = NULL;
}

static enum cgroup_layout layout_of(const struct host *host, enum cgroup_mode mode)
{
	/* v2's hierarchy is looked for at the root and nowhere else */
	if (mode == CGROUP_V2)
		return CGROUP_UNIFIED;
	if (file_exists_at(host->cgroup_root, "unified/cgroup.controllers"))
		return CGROUP_HYBRID;
	return CGROUP_LEGACY;
}

static int find_hierarchy(const struct host *host, const struct hierarchy **found,
			  struct error *err)
{
	for (size_t i = 0; i < sizeof(hierarchies) / sizeof(hierarchies[0]); i++) {
		if (file_exists_at(host->cgroup_root, hierarchies[i].evidence)) {
			*found = &hierarchies[i];
			return 0;
		}
	}
	return error_set(err, ENOENT, "%s: no cgroup hierarchy controls memory here",
			 host->cgroup_path);
}

static int open_below(struct cgroup *cgroup, const struct host *host,
		      const struct hierarchy *hierarchy, const char *path, struct error *err)
{
	auto_free char *relative = NULL;
	auto_free char *words = NULL;
	auto_close int dirfd = -1;

	path += strspn(path, "/");
	if (asprintf(&relative, "%s/%s", hierarchy->dir, path) < 0) {
		relative = NULL;
		return error_errno(err, ENOMEM, "%s", path);
	}
	if (asprintf(&words, "%s%s%s%s%s", host->cgroup_path,
		     hierarchy->dir[0] == '.' ? "" : "/",
		     hierarchy->dir[0] == '.' ? "" : hierarchy->dir,
		     *path ? "/" : "", path) < 0) {
		words = NULL;
		return error_errno(err, ENOMEM, "%s", path);
	}

	dirfd = openat(host->cgroup_root, relative, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (dirfd < 0)
		return error_errno(err, errno, "%s: cannot open", words);

	*cgroup = (struct cgroup){
		.dirfd = take_fd(&dirfd),
		.mode = hierarchy->mode,
		.layout = layout_of(host, hierarchy->mode),
		.path = take_ptr(&words),
	};
	return 0;
}

int cgroup_open_path(struct cgroup *cgroup, const struct host *host, const char *path,
		     struct error *err)
{
	const struct hierarchy *hierarchy = NULL;
	int ret;

	ret = find_hierarchy(host, &hierarchy, err);
	return ret < 0 ? ret : open_below(cgroup, host, hierarchy, path, err);
}

int cgroup_open_root(struct cgroup *cgroup, const struct host *host, struct error *err)
{
	return cgroup_open_path(cgroup, host, "", err);
}

/* Is `name` one of the comma-separated `list`, which ends at `end`? */
static int listed(const char *list, const char *end, const char *name)
{
	size_t len = strlen(name), word;

	for (; list < end; list += word + 1) {
		word = strcspn(list, ",:");
		if (word == len && strncmp(list, name, len) == 0)
			return 1;
	}
	return 0;
}

/*
 * Cut the path for `mode` out of the text of /proc/PID/cgroup, in place. Lines
 * are "number:controllers:path"; v2's has number 0 and no controllers.
 */
static char *path_in(char *text, enum cgroup_mode mode)
{
	char *line, *controllers, *path, *rest = text;

	while ((line = strsep(&rest, "\n"))) {
		controllers = strchr(line, ':');
		path = controllers ? strchr(controllers + 1, ':') : NULL;
		if (!path)
			continue;
		controllers++;
		path++;
		if (mode == CGROUP_V2 ? strncmp(line, "0::", 3) == 0 :
					listed(controllers, path - 1, "memory"))
			return path;
	}
	return NULL;
}

int cgroup_open_process(struct cgroup *cgroup, const struct host *host, pid_t pid,
			struct error *err)
{
	const struct hierarchy *hierarchy = NULL;
	auto_free char *text = NULL;
	auto_close int fd = -1;
	char name[32] = "self/cgroup";
	const char *path;
	size_t len;
	int ret;

	ret = find_hierarchy(host, &hierarchy, err);
	if (ret < 0)
		return ret;

	if (pid)
		snprintf(name, sizeof(name), "%d/cgroup", pid);
	fd = openat(host->proc, name, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return error_errno(err, errno, "/proc/%s: cannot open", name);
	ret = file_read_all(fd, 1 << 20, &text, &len, err);
	if (ret < 0)
		return error_prefix(err, ret, "/proc/%s", name);

	path = path_in(text, hierarchy->mode);
	if (!path)
		return error_set(err, ENOENT, "/proc/%s: names no memory cgroup", name);
	/* So the kernel shows what is above the root of our cgroup namespace. */
	if (strncmp(path, "/..", 3) == 0 && (path[3] == '/' || path[3] == '\0'))
		return error_set(err, ENOENT, "/proc/%s: not below %s, \"%s\"", name,
				 host->cgroup_path, path);
	return open_below(cgroup, host, hierarchy, path, err);
}
