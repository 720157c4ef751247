/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "base/control.h"
#include "container/location.h"
#include "kernel/host.h"

/*
 * container - one that crun knows, with the cgroups that it is in.
 */

/* File name of a move's journal, beside crun's record: it exists while a move has not ended. */
#define JOURNAL_FILE "memcrun-move.json"

struct container {
	struct hierarchies hierarchies;
	const struct hierarchy *memory;		/* NULL: nothing controls memory */
	struct status status;
	struct place place;
};

#define CONTAINER_NONE { .status = STATUS_NONE }

void container_close(struct container *container);

#define auto_container __attribute__((cleanup(container_close)))

/* Find container `id` below `root` (NULL: crun's default). -ENOENT: there is none. */
int container_open(struct container *container, const char *root, const char *id,
		   struct error *err);

/*
 * The same, and locked: where it is, once we have it to ourselves. -EBUSY: somebody has,
 * for longer than `timeout_ms`.
 */
int container_open_locked(struct container *container, const char *root, const char *id,
			  int timeout_ms, struct error *err);

/*
 * Nobody else moves or updates it until this program ends, or its children that have the
 * record's directory open. -EBUSY: somebody does, for longer than `timeout_ms`.
 */
int container_lock(const struct status *status, int timeout_ms, struct error *err);

/*
 * Until no memcrun moves the container: its cgroup in crun's record may be frozen or about to
 * go. 0 also where there is no such container, and where a move was interrupted and its guard
 * has done its work. -ETIMEDOUT: the move goes on for longer than `control` allows.
 */
int container_wait_for_move(const char *root, const char *id, const struct control *control,
			    struct error *err);
