/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <stdbool.h>

#include "kernel/hierarchy.h"

/*
 * place-above - the cgroups above a place, for looking at them and for making them ready.
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
 * Controllers of `from` that children of the cgroup at `above` would not get. Returns how
 * many, each is enabled when `enable`. -EOPNOTSUPP: one cannot be had there.
 */
int place_need_controllers(int from, int above, bool enable, struct error *err);
