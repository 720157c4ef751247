/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "move/journal.h"

/*
 * deferred - settings that only one of two cgroups can have (exclusive processors): they are
 * read from the old one, kept in the journal, and set in the new one when the old one is gone.
 */

/* Remember what can only be set when `from` is gone, and set it then. */
int place_remember_late(struct journal *journal, const struct hierarchies *hierarchies,
			struct error *err);
int place_apply_late(const struct journal *journal, const struct hierarchies *hierarchies,
		     struct error *err);
