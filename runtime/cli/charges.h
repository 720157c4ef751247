/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "base/json.h"
#include "memory/charge.h"

/*
 * charges - what was moved and what was left, by type, for people and for programs.
 */

/*
 * Print the table. `moved` is NULL where it is not known by type; `total` of what was
 * moved is negative where nothing can be. -ENOMEM.
 */
int charges_table(const struct charge_usage *moved, int64_t total,
		  const struct charge_usage *left);

/* The object "types" with "moved_bytes", where that is known, and "left_bytes" of each. */
void charges_json(struct json *document, struct json_value *root,
		  const struct charge_usage *moved, const struct charge_usage *left);
