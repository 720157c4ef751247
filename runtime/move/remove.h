/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "move/internal.h"

/*
 * remove - what a move leaves behind: the cgroups of a side, and what keeps them.
 */

/* How long a cgroup may have tasks that are exiting. */
#define MOVE_REMOVE_MS 5000

/* Removed cgroups above the old one that live on. */
int64_t move_dying(const struct move *move);

/* One side in all hierarchies, where it is the container's, with what is charged to it. */
int move_remove_side(const struct move *move, const struct place *place, struct error *err);

/* The old side, and the hold in the new one; the result says what of it is dying. */
int move_remove_old(struct move *move, struct error *err);
