/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * directories - a scratch directory as the only hierarchy of a machine, and locations in it.
 */

#include "container/location.h"
#include "kernel/tree.h"
#include "test.h"

static inline struct hierarchies alone(const struct scratch *dir, enum cgroup_mode mode,
				       const char *name)
{
	struct hierarchies hierarchies = { .count = 1 };

	hierarchies.each[0] = (struct hierarchy){ .root = dir->fd, .mode = mode };
	strcpy(hierarchies.each[0].name, name);
	return hierarchies;
}

static inline void cgroup(const struct hierarchies *hierarchies, const char *path)
{
	assert_true(tree_make(&hierarchies->each[0], path, NULL) >= 0);
}

static inline struct place at(const char *top, const char *path)
{
	return (struct place){ .top = strdup(top), .cgroup = strdup(path), .scope = strdup(""),
			       .slice = strdup("") };
}
