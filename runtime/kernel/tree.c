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
	char **larger = reallocarray(tree->paths, tree->count + 1, sizeof(*larger));

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

/* Children of `fd`, which is closed, whose path below the top is `path`. */
static int descend(struct tree *tree, int fd, const char *path, int depth)
{
	struct dirent *entry;
	DIR *dir;
	int ret;

	ret = depth > TREE_DEPTH_MAX ? -ELOOP : add(tree, path);
	dir = ret < 0 ? NULL : fdopendir(fd);
	if (!dir) {
		ret = ret < 0 ? ret : -errno;
		close(fd);
		return ret;
	}
	while (ret == 0 && (entry = readdir(dir))) {
		auto_free char *child = NULL;
		int childfd;

		if (entry->d_name[0] == '.' || !is_directory(dirfd(dir), entry))
			continue;
		if (asprintf(&child, "%s%s%s", path, *path ? "/" : "", entry->d_name) < 0) {
			child = NULL;
			ret = -ENOMEM;
			break;
		}
		childfd = openat(dirfd(dir), entry->d_name,
				 O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
		/* one that goes at this moment is none of ours */
		if (childfd < 0 && errno == ENOENT)
			continue;
		ret = childfd < 0 ? -errno : descend(tree, childfd, child, depth + 1);
	}
	closedir(dir);
	return ret;
}

int tree_read(struct tree *tree, const struct hierarchy *hierarchy, const char *path,
	      struct error *err)
{
	auto_tree struct tree made = { 0 };
	int fd, ret;

	ret = hierarchy_open(hierarchy, path, &fd, err);
	if (ret < 0)
		return ret;
	ret = descend(&made, fd, "", 0);
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

int tree_make(const struct hierarchy *hierarchy, const char *path, struct error *err)
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
