/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "move/internal.h"

/*
 * attach - the tasks of a container that moves: cgroup by cgroup, threads with their
 * processes, and those that are forked meanwhile.
 */

/*
 * Call `each` for the cgroup that it moves from and all below it, in every hierarchy where
 * that is the container's; children come behind.
 */
int move_each_cgroup(struct move *move,
		     int (*each)(struct move *move, const struct hierarchy *hierarchy,
				 const char *path, struct error *err),
		     struct error *err);

/* The tasks of one cgroup, `path` below the top; for move_each_cgroup(). */
int move_tasks_of(struct move *move, const struct hierarchy *hierarchy, const char *path,
		  struct error *err);

/* All tasks, until none is left. */
int move_tasks(struct move *move, struct error *err);
