/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/control.h"
#include "kernel/cgroup.h"

/*
 * reclaim - ask for pages of a cgroup back, in bounded steps, and say how far it got.
 */

#define RECLAIM_SWAPPINESS_DEFAULT (-1)

/*
 * Bring the usage of the cgroup at `dirfd` down to `target` bytes, and give what it was in
 * the end in `reached`, also after an error. v2: memory.reclaim, before Linux 5.19
 * memory.high; v1: its limit, which is put back. -EBUSY: nothing more can be reclaimed;
 * -EINTR, -ETIMEDOUT; -EOPNOTSUPP: this kernel takes no `swappiness` here.
 */
int reclaim_to(int dirfd, enum cgroup_mode mode, int64_t target, int swappiness,
	       const struct control *control, int64_t *reached, struct error *err);

/*
 * The files that reclaim_to() changes for that time where there is no memory.reclaim, in the
 * order in which they are to be put back; NULL: no more.
 */
const char *reclaim_file(enum cgroup_mode mode, int index);

/* What is charged now: memory alone, bytes. */
int reclaim_usage(int dirfd, enum cgroup_mode mode, int64_t *usage, struct error *err);
