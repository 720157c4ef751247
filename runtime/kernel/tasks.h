/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "kernel/hierarchy.h"

/*
 * tasks - those of a cgroup: freezing them, and moving them to another one.
 */

/* Is the cgroup at `path` asked to be frozen? 0 where nothing can be. */
int freezer_read(const struct hierarchies *hierarchies, const char *path, bool *frozen,
		 struct error *err);

/*
 * Freeze the cgroup at `path` and all below it, or thaw it. Waits until all tasks have
 * stopped. -ETIMEDOUT: not within `timeout_ms`; it is thawed again. -EOPNOTSUPP: no
 * freezer here.
 */
int freezer_write(const struct hierarchies *hierarchies, const char *path, bool frozen,
		  int timeout_ms, struct error *err);

/* All pids of a file like cgroup.procs, in fresh memory. Returns how many. */
int tasks_read(int dirfd, const char *file, pid_t **pids, struct error *err);

/* 1 where the cgroup has a task, 0 where not. Its children do not count. */
int tasks_any(const struct hierarchy *hierarchy, const char *path, struct error *err);

/*
 * Move all tasks of the cgroup `from` itself to `to`, and those that they fork
 * meanwhile. Returns how many were moved. -ETIMEDOUT: some are left, for they fork faster
 * than they are moved; refusals of the kernel as they are. What was moved stays moved.
 */
int tasks_move(const struct hierarchy *hierarchy, const char *from, const char *to,
	       int timeout_ms, struct error *err);

/*
 * Kill all tasks of the v2 cgroup at `dirfd` and below it, and wait until they have gone.
 * -ETIMEDOUT: not within `timeout_ms`; -ENOENT: before Linux 5.14.
 */
int tasks_kill(int dirfd, int timeout_ms, struct error *err);
