/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/json.h"

/*
 * status - what crun keeps of a container for its own use, in ROOT/ID/status: among
 * other things in which cgroup it is, where all of crun's verbs look for it.
 */
struct status {
	int dirfd;			/* ROOT/ID */
	struct json *document;
	pid_t pid;
	int64_t start_time;		/* of the process, in ticks; 0: not recorded */
	const char *cgroup_path;	/* "": none of its own */
	const char *scope;		/* the systemd unit, or "" */
	bool systemd;
};

#define STATUS_NONE { .dirfd = -1 }

void status_close(struct status *status);

#define auto_status __attribute__((cleanup(status_close)))

/*
 * -EINVAL: `id` does not name a directory of its own below crun's root. crun before 1.28 makes
 * a path of any id, and deletes what is there.
 */
int status_check_id(const char *id, struct error *err);

/* The same for a container that does not exist yet: the rules of crun 1.28 and later. */
int status_check_new_id(const char *id, struct error *err);

/* Returns an fd of the directory of container `id`. -ENOENT: no such container. */
int status_open_directory(const char *root, const char *id, struct error *err);

/*
 * Read the status of container `id` below `root` (NULL: crun's default). -ENOENT: no such
 * container; -EINVAL: a name that is none, or not crun's record.
 */
int status_open(struct status *status, const char *root, const char *id, struct error *err);

/*
 * The status as it is now in the directory that `had` has open, whatever has its name by now.
 * -ENOENT: the container was deleted.
 */
int status_open_again(struct status *status, const struct status *had, struct error *err);

/* The same as status_open() below an open root, for a name that was read there. */
int status_open_at(struct status *status, int root, const char *id, struct error *err);

/* 1 while the container's first process lives (another one with its pid does not count). */
int status_running(const struct status *status);

/* Another cgroup from now on. All else stays as crun wrote it. */
int status_set_cgroup(struct status *status, const char *cgroup_path, const char *scope,
		      struct error *err);
