/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "move/internal.h"

/*
 * cgroup-mounts - what the container has mounted of its old cgroup shows its new one.
 */

/*
 * Also its own old cgroup where that had gone, and is made anew for the way back.
 *
 * Count and words go into the result. A failure is none of the move: the container is in its
 * new cgroup, limits and all, and only does not see it.
 */
void move_mounts(struct move *move);
