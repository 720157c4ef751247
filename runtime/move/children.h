/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "move/internal.h"

/*
 * children - the processes that a move has beside it: one that keeps a new scope alive,
 * and one that puts the container on one side when we die.
 */

/* Kill a child of ours, if there is one. */
void move_end_child(pid_t *pid);

/* Where systemd has scopes: the process that the new one is made with. */
int move_start_holder(struct move *move, struct error *err);

/*
 * The guard of a move, see base/guard.h. When it acts it does what it can: all tasks to one side,
 * and thawed.
 */
int move_start_guard(struct move *move, struct error *err);

/* Another guard in its place, which knows the cgroups that were made since. */
int move_renew_guard(struct move *move, struct error *err);
