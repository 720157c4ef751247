/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/guard.h"
#include "container/carry.h"
#include "kernel/hierarchy.h"
#include "move/destination.h"
#include "move/journal.h"
#include "move/move.h"
#include "oci/status.h"

/*
 * internal - state of a move, shared by the files in move/. Other code includes move/move.h.
 */

/* Where there is no other bound: a task that cannot be frozen, or will not leave. */
#define MOVE_PATIENCE_MS 10000

struct move {
	const struct move_request *request;
	struct move_result *result;
	struct hierarchies hierarchies;
	struct status status;
	struct journal journal;
	const struct hierarchy *memory;
	pid_t holder;		/* keeps a new scope alive */
	bool held;		/* there is a hold of ours in journal.to */
	bool anew;		/* journal.to was the container's, had gone, and is made anew */
	struct guard guard;
	struct carrier carrier;	/* moves charges */
	int64_t started;
	int64_t froze;
	struct control control;
	int64_t dying;		/* above `from`, before it lost its tasks; -1: not seen */
	struct charge_usage migrated;	/* to journal.from, before this run; v2 */
	bool charges;		/* this kernel moves them */
	bool begun;		/* there is a journal: both sides are the container's */
	bool resumed;		/* it was begun by another memcrun */
	bool back;		/* journal.from and .to are turned: a rollback */
};

/* From here on it goes the other way. */
void move_turn(struct move *move);

/* Which side does crun's record name, as it is now? The one that it goes to: true. */
bool move_is_committed(const struct move *move);

/* Is this side's cgroup there, and the container's, in the hierarchy of memory, of freezing? */
bool move_has_memory(const struct move *move, const struct place *place);
bool move_can_freeze(const struct move *move, const struct place *place);

/* Has systemd ended the scope on this side? It does so with its last task. */
bool move_unit_has_gone(const struct move *move, const struct place *place);

/* Freeze or thaw the container on this side; nothing where it has no such cgroup. */
int move_freeze_side(const struct move *move, const struct place *place, bool frozen,
		     int timeout_ms, struct error *err);

/* What is left of --timeout, for waiting that has a bound of its own as well; ms. */
int move_patience(const struct move *move);
