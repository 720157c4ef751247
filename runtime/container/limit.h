/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <sys/types.h>

#include "base/error.h"
#include "kernel/cgroup.h"
#include "memory/charge.h"
#include "memory/plan.h"

/*
 * limit - a spec put in force in the cgroup that a runtime has just made: the door of
 * the hooks, where crun or runc has written its own reading of the settings already.
 */

/*
 * Plan `spec` for the cgroup of process `pid`, write it and read it back. What the
 * runtime wrote for a field that is elsewhere in the plan is taken back. `plan` has what
 * was written, and notes for the user; `cgroup` is open, to be closed by the caller.
 * The charges of the process are migrated by `writer`, or by the caller where it is NULL.
 * In the caller's own cgroup nothing is done but to note that.
 * -EINVAL, -EOPNOTSUPP: the plan is refused, and nothing was written; -EBUSY: more is in
 * use than is allowed. All values are then what the runtime made them.
 */
int limit_container(const struct memory_spec *spec, const struct host *host, pid_t pid,
		    const struct charge_writer *writer, struct memory_plan *plan,
		    struct cgroup *cgroup, struct error *err);
