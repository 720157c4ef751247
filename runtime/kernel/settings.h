/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "kernel/hierarchy.h"

/*
 * settings - all that can be set in a cgroup, of every controller, carried over to
 * another one.
 *
 * Every file that can be read and written is a setting, but for those that are no
 * state: so that the files of a controller which nobody here has heard of come along.
 * The modes of the other cgroup's files tell, which must be as the kernel made them.
 */

enum settings_when {
	SETTINGS_EARLY,		/* all that holds while the other cgroup has it as well */
	SETTINGS_LATE,		/* what one of two siblings can have: exclusive processors */
};

/*
 * Give the cgroup at `to` what the one at `from` has: line by line what differs, and
 * read back. -EIO: the kernel kept something else; the kernel's refusals as they are.
 */
int settings_copy(int from, int to, enum settings_when when, struct error *err);

/* -EIO: a setting of `to` differs from that of `from`; named, with both values. */
int settings_compare(int from, int to, struct error *err);

/*
 * The late settings of `from`, by name and value, for a writer that comes when `from` has
 * gone: those that differ in `to`, or, where that is negative, from a new cgroup's. Calls
 * `each` until it returns a negative errno.
 */
int settings_late(int from, int to,
		  int (*each)(void *context, const char *name, const char *value), void *context,
		  struct error *err);

/* The type "threaded", and what of the controllers its children have: v2 only. */
int settings_copy_type(int from, int to, struct error *err);
int settings_copy_subtree(int from, int to, struct error *err);
