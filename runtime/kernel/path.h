/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <stdbool.h>

#include "base/error.h"

/*
 * path - names of cgroups, from the root of their hierarchy.
 */

/*
 * -EINVAL: no path of a cgroup that could be somebody's: the root, or with "." or ".." in
 * it, a name that is too long, or that JSON could not hold.
 */
int path_check(const char *path, struct error *err);

/* "/a//b/" and "a/b" as "/a/b"; "" for the root. Fresh memory, NULL: out of memory. */
char *path_normal(const char *path);

/* Is `inner` the cgroup `outer` or below it? Both normal. */
bool path_is_below(const char *inner, const char *outer);
