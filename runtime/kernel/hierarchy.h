/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "kernel/cgroup.h"

/*
 * hierarchy - all hierarchies that a container's cgroup is in: the one of v2, or
 * each of v1 (and v2's beside them, in the hybrid layout), where the cgroup has
 * the same path in each.
 */

#define HIERARCHIES_MAX 16

struct hierarchy {
	int root;		/* where it is mounted */
	enum cgroup_mode mode;
	char name[40];		/* below the mount point of all: "", "memory", "cpu,cpuacct" */
};

struct hierarchies {
	size_t count;
	struct hierarchy each[HIERARCHIES_MAX];
};

/* -ENOENT: nothing is mounted below `host`'s root; -E2BIG: more than HIERARCHIES_MAX. */
int hierarchies_open(struct hierarchies *hierarchies, const struct host *host,
		     struct error *err);
void hierarchies_close(struct hierarchies *hierarchies);

#define auto_hierarchies __attribute__((cleanup(hierarchies_close)))

/* The one that controls memory, or NULL. */
const struct hierarchy *hierarchies_memory(const struct hierarchies *hierarchies);

/* The one by whose file processes are frozen: v1's freezer before v2. NULL: none. */
const struct hierarchy *hierarchies_freezer(const struct hierarchies *hierarchies);

/*
 * The one in which systemd has its units, and a unit ends with its last process: v2, also in
 * the hybrid layout, or v1's of its own. NULL: none.
 */
const struct hierarchy *hierarchies_systemd(const struct hierarchies *hierarchies);

/* The cgroup at `path`. -ENOENT: it is not in this hierarchy. */
int hierarchy_open(const struct hierarchy *hierarchy, const char *path, int *dirfd,
		   struct error *err);

/* 1 where the cgroup at `path` exists in it, else 0. */
int hierarchy_has(const struct hierarchy *hierarchy, const char *path);

/* `path` as openat(2) wants it: relative, "." for the root. */
const char *hierarchy_relative(const char *path);

/* "/NAME/PATH" for messages: enough to find it below the mount point. */
#define HIERARCHY_WORDS "%s%s%s"
#define hierarchy_words(h, path) (h)->name[0] ? "/" : "", (h)->name, (path)
