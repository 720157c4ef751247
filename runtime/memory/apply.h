/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "memory/plan.h"

/*
 * apply - the one place that writes a plan into a cgroup.
 */

/* The undo of `plan`: the same files with the values they have now. */
int memory_plan_snapshot(const struct memory_plan *plan, struct memory_plan *before, int dirfd,
			 struct error *err);

/*
 * Write `plan` into the cgroup at `dirfd`, in order. On a refusal what was
 * already written gets its old value back; what could not go back is named in
 * the error. What is restored are values: pages that the kernel reclaimed and
 * tasks that it killed for a limit do not come back.
 */
int memory_plan_apply(const struct memory_plan *plan, int dirfd, struct error *err);

/*
 * Read back every file of `plan`. -EIO: one holds something else than was
 * written, its name and both values in the error.
 */
int memory_plan_verify(const struct memory_plan *plan, int dirfd, struct error *err);
