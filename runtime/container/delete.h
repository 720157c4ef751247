/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "container/container.h"

/*
 * delete - what a container that is deleted leaves behind, before crun deletes it.
 */

/* crun would wait as long for processes to go. */
#define DELETE_KILL_MS 10000

/*
 * What the container is still charged for goes to the cgroup above, so that its own does not
 * live on, removed. With `force` the container is killed first. 0 where there is nothing to
 * do, for whatever reason: crun will say what is wrong.
 *
 * `abandon` is called first, with the container locked: move_remove_abandoned(), for moves are
 * a layer above this one.
 *
 * `lock` becomes a descriptor that keeps the container locked, also after an error, or -1. It is
 * for crun to inherit: crun reads the record in its beginning, and a move behind that would leave
 * a cgroup that nobody deletes.
 */
int container_hand_up(const char *root, const char *id, bool force,
		      int (*abandon)(const struct container *container, bool force,
				     struct error *err),
		      int *lock, struct error *err);
