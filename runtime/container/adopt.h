/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "container/carry.h"
#include "memory/charge.h"

/*
 * adopt - charges that belong to a container but are somebody else's go to it: what a
 * process maps that has joined it, the page cache and tmpfs of a service that it took over.
 */

struct adopt_request {
	const char *root;	/* crun's, NULL: its default */
	const char *id;
	const char *from;	/* a cgroup, with all below it; or NULL */
	pid_t pid;		/* or what this process maps */
	unsigned int types;	/* enum charge_set */
	struct control control;
};

struct adopt_result {
	struct charge_usage moved;
	struct charge_usage left;	/* of the cgroup; nothing for a process */
	int64_t total_usec;
};

/*
 * -EOPNOTSUPP: this kernel moves no charges; -EINVAL: the container's own cgroup, or no
 * cgroup's path; -ENOENT: no such container or cgroup; -ESRCH: no such process; -EBUSY:
 * no room. What was moved by then stays moved.
 */
int container_adopt(const struct adopt_request *request, struct adopt_result *result,
		    struct error *err);
