/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/error.h"
#include "memory/plan.h"

/*
 * scope - a container's unit of systemd, by way of busctl(1), which is there wherever
 * systemd is: linking its library would cost every start of a container.
 */

/*
 * The path of `slice` below the manager's own cgroup: "a-b.slice" is
 * "/a.slice/a-b.slice". Fresh memory. -EINVAL: not the name of a slice.
 */
int scope_slice_path(const char *slice, char **path, struct error *err);

/* Is the user's own manager in charge, and not the system's? Yes in any user namespace. */
bool scope_is_users(void);

/* Where the units of this user's manager are: "" for the system's. Fresh memory. */
int scope_manager_path(bool user, char **path, struct error *err);

/*
 * The property that systemd has for the value of a memory file, on either kind of cgroup, and
 * in `number` what it is then: bytes, UINT64_MAX for no limit. NULL: it has none. What a unit
 * does not know of systemd may take back at any time.
 */
const char *scope_property(const char *file, const char *value, uint64_t *number);

/*
 * Leave of `plan`, whose writes have the values that are in force, those whose property of
 * the running scope `unit` says the same. Where somebody has given it another, it is his.
 */
int scope_in_step(bool user, const char *unit, struct memory_plan *plan, struct error *err);

/* Tell the running scope `unit` of the writes that it has properties for. */
int scope_set_memory(bool user, const char *unit, const struct memory_plan *plan,
		     struct error *err);

/*
 * Start the scope `unit` in `slice` with process `pid` in it, delegated, with all properties of
 * the scope `like` that systemd takes for a new scope. Returns when `pid` has been moved.
 */
int scope_start(bool user, const char *unit, const char *slice, const char *like, pid_t pid,
		struct error *err);

/*
 * The names of the properties of `unit` that scope_start() cannot give to a new scope, with
 * ", " between them; "" where there are none. Fresh memory.
 */
int scope_left(bool user, const char *unit, char **names, struct error *err);
