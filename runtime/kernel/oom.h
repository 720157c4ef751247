/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <stdint.h>

#include "kernel/cgroup.h"

/*
 * oom - hear of it when a cgroup is out of memory: v2's memory.events, which counts kills;
 * v1's eventfd for memory.oom_control, which tells of each time that somebody could not
 * be given a page.
 */
struct oom {
	enum cgroup_mode mode;
	int fd;			/* to be polled for `events` */
	short events;
	int control;		/* v1: memory.oom_control, as long as is listened to */
	uint64_t kills;		/* v2: so many are known */
	uint64_t inode;		/* of the cgroup */
};

#define OOM_NONE { .fd = -1, .control = -1 }

/* The cgroup at `dirfd`. -ENOENT: it says nothing of that. */
int oom_open(struct oom *oom, int dirfd, enum cgroup_mode mode, struct error *err);

void oom_close(struct oom *oom);

#define auto_oom __attribute__((cleanup(oom_close)))

/*
 * `count` becomes the number of OOMs since the last call. Does not wait. -ENODEV: the cgroup
 * has been removed, perhaps for another one of its name. Call it when poll(2) has returned for
 * `fd`, and once more when the container's first process has ended: the kernel counts a kill
 * before the killed process ends, and tells of it up to 10 ms later.
 */
int oom_take(struct oom *oom, uint64_t *count);
