/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <sys/types.h>

#include "base/error.h"
#include "kernel/host.h"

/*
 * cgroup - a directory of the hierarchy that controls memory.
 *
 * Which hierarchy that is is found by looking: on a v1 machine, legacy or
 * hybrid, "memory" below the root; on a unified one the root itself. A hybrid
 * layout that keeps memory on v2 has neither: crun cannot use it.
 */

enum cgroup_mode {
	CGROUP_V1,
	CGROUP_V2,
};

enum cgroup_layout {
	CGROUP_LEGACY,		/* v1 alone */
	CGROUP_HYBRID,		/* v1 controllers, v2 beside them */
	CGROUP_UNIFIED,
};

struct cgroup {
	int dirfd;
	enum cgroup_mode mode;
	enum cgroup_layout layout;
	char *path;		/* for messages only */
};

void cgroup_close(struct cgroup *cgroup);

#define auto_cgroup __attribute__((cleanup(cgroup_close)))
#define CGROUP_NONE { .dirfd = -1 }

/* "v1" or "v2"; "legacy", "hybrid" or "unified". */
const char *cgroup_mode_name(enum cgroup_mode mode);
const char *cgroup_layout_name(enum cgroup_layout layout);

/* The root of the hierarchy that controls memory. -ENOENT: there is none. */
int cgroup_open_root(struct cgroup *cgroup, const struct host *host, struct error *err);

/*
 * The cgroup that pays for `pid`'s memory; 0 is this process. -ENOENT: no such
 * process, or its cgroup is not below what is mounted here.
 */
int cgroup_open_process(struct cgroup *cgroup, const struct host *host, pid_t pid,
			struct error *err);

/* The cgroup at `path` below the root of the hierarchy that controls memory. */
int cgroup_open_path(struct cgroup *cgroup, const struct host *host, const char *path,
		     struct error *err);
