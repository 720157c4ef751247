// SPDX-License-Identifier: GPL-2.0-or-later
#include "kernel/hierarchy.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/file.h"

void hierarchies_close(struct hierarchies *hierarchies)
{
	for (size_t i = 0; i < hierarchies->count; i++)
		close(hierarchies->each[i].root);
	hierarchies->count = 0;
}

static int add(struct hierarchies *found, int parent, const char *name, struct error *err)
{
	struct hierarchy *hierarchy = &found->each[found->count];
	int root;

	if (found->count == HIERARCHIES_MAX)
		return error_set(err, E2BIG, "%s: more than %d hierarchies", name,
				 HIERARCHIES_MAX);
	if (strlen(name) >= sizeof(hierarchy->name))
		return error_set(err, ENAMETOOLONG, "a hierarchy's name is too long, \"%s\"", name);
	root = openat(parent, *name ? name : ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (root < 0)
		return error_errno(err, errno, "%s: cannot open", name);

	hierarchy->root = root;
	hierarchy->mode = file_exists_at(root, "cgroup.controllers") ? CGROUP_V2 : CGROUP_V1;
	strcpy(hierarchy->name, name);
	found->count++;
	return 0;
}

/* Symbolic links like "cpu" to "cpu,cpuacct" are second names. */
static int is_mounted(int parent, const char *name)
{
	char procs[300];
	struct stat st;

	if (name[0] == '.' || fstatat(parent, name, &st, AT_SYMLINK_NOFOLLOW) < 0 ||
	    !S_ISDIR(st.st_mode))
		return 0;
	snprintf(procs, sizeof(procs), "%s/cgroup.procs", name);
	return file_exists_at(parent, procs);
}

int hierarchies_open(struct hierarchies *hierarchies, const struct host *host,
		     struct error *err)
{
	struct hierarchies found = { 0 };
	struct dirent *entry;
	DIR *dir;
	int ret = 0, fd;

	if (file_exists_at(host->cgroup_root, "cgroup.controllers")) {
		ret = add(&found, host->cgroup_root, "", err);
	} else {
		fd = openat(host->cgroup_root, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		dir = fd < 0 ? NULL : fdopendir(fd);
		if (!dir) {
			ret = error_errno(err, errno, "%s: cannot read", host->cgroup_path);
			if (fd >= 0)
				close(fd);
			return ret;
		}
		while (ret == 0 && (entry = readdir(dir))) {
			if (is_mounted(host->cgroup_root, entry->d_name))
				ret = add(&found, host->cgroup_root, entry->d_name, err);
		}
		closedir(dir);
	}
	if (ret == 0 && found.count == 0)
		ret = error_set(err, ENOENT, "%s: no cgroup hierarchy here", host->cgroup_path);
	if (ret < 0) {
		hierarchies_close(&found);
		return ret;
	}
	*hierarchies = found;
	return 0;
}

static const struct hierarchy *with_file(const struct hierarchies *hierarchies,
					 enum cgroup_mode mode, const char *name)
{
	for (size_t i = 0; i < hierarchies->count; i++) {
		const struct hierarchy *hierarchy = &hierarchies->each[i];

		if (hierarchy->mode == mode && file_exists_at(hierarchy->root, name))
			return hierarchy;
	}
	return NULL;
}

const struct hierarchy *hierarchies_memory(const struct hierarchies *hierarchies)
{
	const struct hierarchy *v1 = with_file(hierarchies, CGROUP_V1, "memory.limit_in_bytes");

	return v1 ? v1 : with_file(hierarchies, CGROUP_V2, "memory.stat");
}

const struct hierarchy *hierarchies_freezer(const struct hierarchies *hierarchies)
{
	/* freezer.state is not in the root, whose name must tell */
	for (size_t i = 0; i < hierarchies->count; i++) {
		if (strcmp(hierarchies->each[i].name, "freezer") == 0)
			return &hierarchies->each[i];
	}
	return with_file(hierarchies, CGROUP_V2, "cgroup.controllers");
}

const struct hierarchy *hierarchies_systemd(const struct hierarchies *hierarchies)
{
	const struct hierarchy *named = NULL;

	for (size_t i = 0; i < hierarchies->count; i++) {
		if (hierarchies->each[i].mode == CGROUP_V2)
			return &hierarchies->each[i];
		if (strcmp(hierarchies->each[i].name, "systemd") == 0)
			named = &hierarchies->each[i];
	}
	return named;
}

const char *hierarchy_relative(const char *path)
{
	path += strspn(path, "/");
	return *path ? path : ".";
}

int hierarchy_has(const struct hierarchy *hierarchy, const char *path)
{
	return file_exists_at(hierarchy->root, hierarchy_relative(path));
}

int hierarchy_open(const struct hierarchy *hierarchy, const char *path, int *dirfd,
		   struct error *err)
{
	int fd = openat(hierarchy->root, hierarchy_relative(path),
			O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);

	if (fd < 0)
		return error_errno(err, errno, HIERARCHY_WORDS ": cannot open",
				   hierarchy_words(hierarchy, path));
	*dirfd = fd;
	return 0;
}
