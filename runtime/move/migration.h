/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "move/internal.h"

/*
 * migration - the charges of a container that moves, as far as this kernel moves them.
 */

/* Can this kernel move charges? Where it must and cannot, that is all that happens. */
int move_look_at_charges(struct move *move, struct error *err);

/* v1: charges follow each task that comes, if the cgroup it comes to says so. */
int move_set_v1_charges(struct move *move, struct error *err);

/*
 * v2, and it is frozen: all of it. Prepared before it is, as what takes time then. Nothing
 * otherwise. move->carrier is to be ended.
 */
int move_prepare_migration(struct move *move, struct error *err);
int move_migrate_frozen(struct move *move, struct error *err);

/* v2: all of it; at once, or so that it can be interrupted, with progress. */
int move_migrate(struct move *move, bool at_once, struct error *err);

/* Charged to a side, without what takes time: it is asked while the container is frozen. */
int64_t move_total_of(const struct move *move, const struct place *place);

/* What a scope is still charged for, by type: systemd removes the scope with its last task. */
void move_read_left(struct move *move);

/* The total that has stayed, when the tasks have left. */
void move_settle_left(struct move *move);

/* What is left by type, and what was moved; before the old cgroup goes. */
void move_take_stock(struct move *move);
