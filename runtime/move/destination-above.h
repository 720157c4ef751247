/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <stdbool.h>

#include "kernel/hierarchy.h"

/*
 * destination-above - the cgroups above a destination, for looking and for making them ready.
 */

/*
 * Call `each` for every cgroup above `path` that exists, from the root down. Stops at the
 * first negative value.
 */
int place_for_each_above(const struct hierarchy *hierarchy, const char *path,
			 int (*each)(void *context, const char *above, int dirfd,
				     struct error *err),
			 void *context, struct error *err);

/*
 * Controllers of `from` that children of the cgroup at `above` do not get. Returns how many.
 * NEED_CHECK: each must be there to be enabled. NEED_COUNT: it need not, for a cgroup above is
 * to enable some first. NEED_ENABLE: they are enabled. -EOPNOTSUPP: one cannot be had there.
 */
enum need {
	NEED_CHECK,
	NEED_COUNT,
	NEED_ENABLE,
};

int place_need_controllers(int from, int above, enum need need, struct error *err);
