/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "kernel/cgroup.h"
#include "memory/spec.h"

/*
 * effective - limits and protections that cgroups above a cgroup cut short. The kernel shows
 * in each file what was written there: a pod's lower memory.max limits its containers, too,
 * and a container's memory.low protects no more than its parents' memory.low grants.
 *
 * What siblings take of a protection that their parent has too little of is not counted.
 */

struct effective {
	const char *file;
	char here[MEMORY_VALUE_MAX];	/* in the cgroup's own file */
	char value[MEMORY_VALUE_MAX];	/* in effect: less */
	char *from;			/* the cgroup above that it comes from, "/pods/a" */
};

#define EFFECTIVE_MAX 8

struct effectives {
	size_t count;
	struct effective each[EFFECTIVE_MAX];
};

void effective_free(struct effectives *effectives);

#define auto_effectives __attribute__((cleanup(effective_free)))

/*
 * Look at the cgroups above `cgroup`, as far as they can be seen: not beyond the root of a
 * cgroup namespace. Only files that are cut short are listed. -ENOMEM.
 */
int effective_read(struct effectives *effectives, const struct host *host,
		   const struct cgroup *cgroup, struct error *err);
