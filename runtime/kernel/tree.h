/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <stddef.h>

#include "kernel/hierarchy.h"

/*
 * tree - a cgroup with all below it, in one hierarchy.
 */

struct tree {
	size_t count;
	char **paths;		/* below the top, whose own is "": parents before children */
};

void tree_free(struct tree *tree);

#define auto_tree __attribute__((cleanup(tree_free)))

/* The kernel bounds no depth, but takes no longer path: PATH_MAX without its end. */
#define TREE_PATH_MAX 4095

/*
 * All cgroups from `path` down. -ENOENT: there is none; -ENAMETOOLONG: the path of one is
 * longer than TREE_PATH_MAX.
 */
int tree_read(struct tree *tree, const struct hierarchy *hierarchy, const char *path,
	      struct error *err);

/* `top` and a path of the tree joined, in fresh memory; NULL: out of memory. */
char *tree_path(const char *top, const char *path);

/*
 * Make the cgroup at `path`, and those above it that are missing. Returns how
 * many were made. On v1 what is made above gets cpuset's processors and nodes of
 * its parent, without which no task could ever enter.
 */
int tree_make(const struct hierarchy *hierarchy, const char *path, struct error *err);

/* The same, but the cgroup itself must be made by this call. -EEXIST: it was there. */
int tree_make_new(const struct hierarchy *hierarchy, const char *path, struct error *err);

/*
 * Remove `path` and all below it, of which none may have a task; who is exiting is
 * waited for, until `timeout_ms`. 0 also where there is none. -EBUSY: a task is left.
 */
int tree_remove(const struct hierarchy *hierarchy, const char *path, int timeout_ms,
		struct error *err);
