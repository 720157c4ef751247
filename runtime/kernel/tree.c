// SPDX-License-Identifier: GPL-2.0-or-later
#include "kernel/tree.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/control.h"
#include "base/file.h"
#include "base/grow.h"

void tree_free(struct tree *tree)
{
	for (size_t i = 0; i < tree->count; i++)
		free(tree->paths[i]);
	free(tree->paths);
	*tree = (struct tree){ 0 };
}

char *tree_path(const char *top, const char *path)
{
	char *joined;

	if (asprintf(&joined, "%s%s%s", top, *path ? "/" : "", path) < 0)
		return NULL;
	return joined;
}

static int add(struct tree *tree, const char *path)
{
	char **larger = grow(tree->paths, tree->count, sizeof(*larger));

	if (!larger)
		return -ENOMEM;
	tree->paths = larger;
	tree->paths[tree->count] = strdup(path);
	if (!tree->paths[tree->count])
		return -ENOMEM;
	tree->count++;
	return 0;
}

/* A cgroup has some seventy files: looking at each takes longer than all else here. */
static bool is_directory(int dirfd, const struct dirent *entry)
{
	struct stat st;

	if (entry->d_type != DT_UNKNOWN)
		return entry->d_type == DT_DIR;
	return fstatat(dirfd, entry->d_name, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
	       S_ISDIR(st.st_mode);
}

/*
 * Append the children of the cgroup `path` below `top`. A path is opened by its name and
 * closed again, so that neither the stack nor the open files grow with the depth.
 */
static int add_children(struct tree *tree, int top, const char *path)
{
	struct dirent *entry;
	int fd, ret = 0;
	DIR *dir;

	fd = openat(top, *path ? path : ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	dir = fd < 0 ? NULL : fdopendir(fd);
	if (!dir) {
		ret = -errno;
		if (fd >= 0)
			close(fd);
		/* a child that was removed after its parent was read */
		return (ret == -ENOENT || ret == -ENODEV) && *path ? 0 : ret;
	}
	while (ret == 0 && (entry = readdir(dir))) {
		auto_free char *child = NULL;

		if (entry->d_name[0] == '.' || !is_directory(dirfd(dir), entry))
			continue;
		child = tree_path(path, entry->d_name);
		/* tree_path() puts a slash behind the top, whose own path is "" */
		ret = child ? add(tree, child + (*path ? 0 : 1)) : -ENOMEM;
	}
	closedir(dir);
	return ret;
}

int tree_read(struct tree *tree, const struct hierarchy *hierarchy, const char *path,
	      struct error *err)
{
	auto_tree struct tree made = { 0 };
	auto_close int top = -1;
	int ret;

	ret = hierarchy_open(hierarchy, path, &top, err);
	if (ret < 0)
		return ret;
	ret = add(&made, "");
	/* each one's children go behind all that are known: parents come first */
	for (size_t i = 0; ret == 0 && i < made.count; i++) {
		if (strlen(path) + 1 + strlen(made.paths[i]) > TREE_PATH_MAX)
			return error_set(err, ENAMETOOLONG, HIERARCHY_WORDS
					 ": cgroups below it are nested too deeply, for a path of "
					 "more than %d bytes", hierarchy_words(hierarchy, path),
					 TREE_PATH_MAX);
		ret = add_children(&made, top, made.paths[i]);
	}
	if (ret < 0)
		return error_errno(err, -ret, HIERARCHY_WORDS ": cannot read",
				   hierarchy_words(hierarchy, path));
	*tree = made;
	made = (struct tree){ 0 };
	return 0;
}

static void inherit_cpuset(int parent, int child)
{
	static const char *const names[] = { "cpuset.cpus", "cpuset.mems" };
	char value[4096];

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		if (file_read_at(parent, names[i], value, sizeof(value), NULL) > 0)
			file_write_at(child, names[i], value, NULL);
	}
}

static int make(const struct hierarchy *hierarchy, const char *path, bool fresh,
		struct error *err)
{
	auto_close int parent = dup(hierarchy->root);
	auto_free char *copy = strdup(path);
	char *name, *rest = copy;
	int made = 0, ret;

	if (!copy || parent < 0)
		return error_errno(err, ENOMEM, "%s", path);
	while ((name = strsep(&rest, "/"))) {
		auto_close int child = -1;

		if (!*name)
			continue;
		if (mkdirat(parent, name, 0755) == 0)
			made++;
		else if (errno != EEXIST)
			return error_errno(err, errno, HIERARCHY_WORDS ": cannot make \"%s\"",
					   hierarchy_words(hierarchy, path), name);
		else if (fresh && (!rest || !rest[strspn(rest, "/")]))
			return error_set(err, EEXIST, "there is a cgroup already, \""
					 HIERARCHY_WORDS "\"", hierarchy_words(hierarchy, path));
		child = openat(parent, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
		if (child < 0)
			return error_errno(err, errno, HIERARCHY_WORDS ": cannot open \"%s\"",
					   hierarchy_words(hierarchy, path), name);
		if (made && hierarchy->mode == CGROUP_V1)
			inherit_cpuset(parent, child);
		ret = parent;
		parent = child;
		child = ret;
	}
	return made;
}

int tree_make(const struct hierarchy *hierarchy, const char *path, struct error *err)
{
	return make(hierarchy, path, false, err);
}

int tree_make_new(const struct hierarchy *hierarchy, const char *path, struct error *err)
{
	return make(hierarchy, path, true, err);
}

int tree_remove(const struct hierarchy *hierarchy, const char *path, int timeout_ms,
		struct error *err)
{
	const struct timespec pause = { .tv_nsec = 1000000 };
	int64_t until = control_now_usec() + (int64_t)timeout_ms * 1000;
	auto_tree struct tree tree = { 0 };
	int ret;

	if (!hierarchy_has(hierarchy, path))
		return 0;
	ret = tree_read(&tree, hierarchy, path, err);
	if (ret == -ENOENT || ret == -ENODEV)
		return 0;
	if (ret < 0)
		return ret;

	for (size_t i = tree.count; i-- > 0;) {
		auto_free char *each = tree_path(path, tree.paths[i]);

		if (!each)
			return error_errno(err, ENOMEM, "%s", path);
		while (unlinkat(hierarchy->root, hierarchy_relative(each), AT_REMOVEDIR) < 0) {
			if (errno == ENOENT)
				break;
			if (errno != EBUSY || control_now_usec() >= until)
				return error_errno(err, errno, HIERARCHY_WORDS ": cannot remove",
						   hierarchy_words(hierarchy, each));
			nanosleep(&pause, NULL);
		}
	}
	return 0;
}
