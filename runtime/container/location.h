/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "kernel/hierarchy.h"
#include "oci/status.h"

/*
 * location - the cgroups of a container: the paths that crun's record names, and the inode
 * numbers by which those cgroups are known again.
 */

/*
 * Which cgroup the `top` of a place is in one hierarchy: its inode number, which the kernel
 * gives to no other cgroup. A cgroup of the same path that has another one is another's.
 */
struct place_id {
	char hierarchy[40];
	uint64_t inode;
	bool filled;		/* it has all settings; false: it was just made */
};

/* Where a container is, or one side of a move. */
struct place {
	char *top;		/* the cgroup that is moved with all below it */
	char *cgroup;		/* crun's cgroup-path: `top` or below it */
	char *scope;		/* the unit of systemd, or "" */
	char *slice;		/* that it is in, or "" */
	size_t id_count;
	struct place_id ids[HIERARCHIES_MAX];
};

void place_close(struct place *place);

/* Where crun's record says that the container is. -ENOENT: it has no cgroup of its own. */
int place_of(struct place *place, const struct hierarchies *hierarchies,
	     const struct status *status, struct error *err);

/*
 * The slice that a unit of systemd at `top` is in; "-.slice" where there is no directory above.
 * Fresh memory, NULL when there is none left.
 */
char *place_slice(const char *top);
