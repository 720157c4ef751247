/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/error.h"

/*
 * mounts - file systems of cgroups that a container has mounted, and other cgroups put in
 * their places.
 *
 * A mount shows the cgroup that it was made with, also when that has been removed: then it
 * is empty. No process of the container takes part in replacing it, and none can lead us
 * astray: paths are followed without symbolic links, in its own mount namespace, and what is
 * found must have the number that the kernel gave to that mount.
 */

struct cgroup_mount {
	int id;			/* the kernel's number of it */
	int parent;		/* of the mount that it is mounted in */
	dev_t dev;		/* of the hierarchy */
	char *root;		/* the cgroup that it shows, from the hierarchy's root */
	char *point;		/* where it is, from the process's root */
	uint64_t attributes;	/* MOUNT_ATTR_* */
	bool covered;		/* something is mounted in it */
};

struct cgroup_mounts {
	size_t count;
	struct cgroup_mount *each;
};

void mounts_free(struct cgroup_mounts *mounts);

#define auto_mounts __attribute__((cleanup(mounts_free)))

/*
 * Those of `text`, which is a process's mountinfo and is cut to pieces, that show the cgroup
 * `top` or one below it. -EINVAL: not a mountinfo; -E2BIG: more than 256 of them.
 */
int mounts_parse(struct cgroup_mounts *mounts, char *text, const char *top, struct error *err);

/* The cgroup at `dirfd` as a mount that is nowhere yet, with these attributes. Returns its fd. */
int mounts_open(int dirfd, uint64_t attributes, struct error *err);

/*
 * Put the mount `fd` in the place of `mount`, in the mount namespace that we are in, where the
 * process's root is `root`. -EBUSY: something is mounted in it; -ESTALE: another one is there by
 * now; -EINVAL: it came from outside, and is locked. When it was taken away and the other one
 * could not be put there, the words say so.
 */
int mounts_replace(int root, const struct cgroup_mount *mount, int fd, struct error *err);
