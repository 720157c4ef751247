/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "move/journal.h"
#include "oci/status.h"

/*
 * others - the other containers below the same root of crun: a move must not take one of
 * them along, nor end in the cgroup of one.
 */

/*
 * Nobody else looks at the containers of this root, or begins a move of one, until the
 * returned fd is closed. -EBUSY: somebody does, for longer than `timeout_ms`.
 */
int others_lock(const struct status *status, int timeout_ms, struct error *err);

/*
 * Is the cgroup that `journal` moves, or one below it, that of another container than `id`
 * as well? Is the destination that of another one, or below or above it? What a move that
 * has not ended comes from and goes to counts, too. -EBUSY: it is, and the words say whose.
 */
int others_check(const struct status *status, const char *id, const struct journal *journal,
		 const struct hierarchies *hierarchies, struct error *err);
