/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "container/container.h"

/*
 * abandoned - a move that has not ended, of a container that is deleted.
 */

/*
 * For container_hand_up(): remove the side that crun's record does not name, with its tasks if
 * `force`. A container that runs keeps both sides without `force`.
 */
int move_remove_abandoned(const struct container *container, bool force, struct error *err);
