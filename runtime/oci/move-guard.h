/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "oci/move-state.h"

/*
 * move-guard - the processes that a move has beside it: one that keeps a new scope alive,
 * and one that puts the container on one side when we die.
 */

/* Kill a child of ours, if there is one. */
void move_end_child(pid_t *pid);

/* Where systemd has scopes: the process that the new one is made with. */
int move_start_holder(struct move *move, struct error *err);

/*
 * The guard waits for our death. Released, it does what it can, as if we had died: all
 * tasks to one side, and thawed. Ended, it does nothing.
 */
int move_start_guard(struct move *move, struct error *err);
void move_end_guard(struct move *move);
void move_release_guard(struct move *move);
