/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "move/internal.h"

/*
 * unit - what systemd means for a move, before the move begins.
 */

/*
 * Check the container's unit, and the destination of a container that has none, and fill
 * result->unit_left. -EEXIST: the container has a cgroup with our name; -EPERM: systemd would
 * take the controllers of the destination away.
 */
int move_look_at_unit(struct move *move, struct error *err);

/*
 * -EEXIST: none of the container's cgroups may have the name of ours in the new scope. To be
 * asked again when it is frozen, for it may make one meanwhile.
 */
int move_look_for_hold(const struct move *move, struct error *err);
