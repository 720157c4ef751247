/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "base/json.h"
#include "container/container.h"

/*
 * stats - what a container uses, as `runc events` says it: the "data" of an event of type
 * "stats". Bytes, nanoseconds and counts; no limit is 2^64 - 1. What this kernel or this
 * cgroup does not have is left out.
 */

/* Into `data`, an object of `document`. -ENOENT: the container has no cgroup any more. */
int stats_put(struct json *document, struct json_value *data, const struct container *container,
	      struct error *err);
