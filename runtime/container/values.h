/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "base/error.h"
#include "base/json.h"
#include "memory/plan.h"

/*
 * values - the writes of a plan as JSON, to be kept in a file and read again:
 * {"form": 1, "files": {"memory.max": "67108864"}}.
 */

/* Into the root of `document`, which may have other keys beside. */
void values_put(struct json *document, const struct memory_plan *plan);

/*
 * What values_put() and json_write() left in the file `fd`, without fields and rows. Where
 * `document` is not NULL it gets all of it, for other keys: to be freed by the caller.
 * -EINVAL: not such a file.
 */
int values_read(int fd, struct memory_plan *plan, struct json **document, struct error *err);
