/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <stdint.h>

#include "base/control.h"
#include "memory/plan.h"

/*
 * change - a plan written into a cgroup that is in use: in an order in which nothing is
 * tighter at any time than before or after, never killing, and all or nothing.
 */

/*
 * Put the writes of `plan` into the order in which they can be made where `before` holds:
 * what rises first, and v1's limit below its memsw at all times. Pure; the writes of both
 * are in the same places.
 */
void change_order(struct memory_plan *plan, struct memory_plan *before);

/* What a limit that cannot be reached looked like in the end. */
struct change_refusal {
	int64_t target;		/* bytes; 0: it was something else */
	int64_t usage;
};

/*
 * Make the writes of `plan`, whose undo is `before`, in order. A limit below usage is
 * reclaimed down to first, as `control` has patience. On an error everything is put back;
 * what could not be is named. -EBUSY, -ETIMEDOUT, -EINTR: `refusal` says how far it got.
 */
int change_apply(const struct memory_plan *plan, const struct memory_plan *before, int dirfd,
		 const struct control *control, struct change_refusal *refusal,
		 struct error *err);

/* The undo: all of `before`, as far as it goes. -EIO: names what stays changed. */
int change_undo(const struct memory_plan *before, int dirfd, struct error *err);
