/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "base/guard.h"
#include "container/container.h"
#include "container/update.h"

/*
 * update-state - internal state of an update, shared by the files update*.c. Other code
 * includes update.h.
 */

/* File name of the journal, beside crun's record: the old values while they are changed. */
#define UPDATE_JOURNAL "memcrun-update.json"

/* Engines send updates one after the other: a second update waits for the first. */
#define UPDATE_LOCK_TIMEOUT_MS 5000

#define UPDATE_UNENDED_MOVE \
	"a move has not ended: memcrun move --resume or --rollback it first"

struct update {
	const struct update_request *request;
	struct update_result *result;
	struct container container;
	struct cgroup cgroup;
	struct json *config;		/* crun's copy of config.json */
	char *asked;			/* before, and after */
	char *merged;
	struct memory_plan before;	/* the undo of result->plan */
	struct memory_plan in_step;	/* the writes that its scope has as well */
	struct guard guard;
};

/* --- update-journal.c */

/* crun's copy of config.json, and what the container asks for according to it. */
int update_read_record(int dirfd, struct json **config, char **asked, struct error *err);

/* Keep `before`, and what will be asked, until update_end_journal(). */
int update_write_journal(const struct update *update, struct error *err);
int update_end_journal(const struct update *update, struct error *err);

/* The writes of `to` that the scope has as well, as far as they differ from `had`. */
int update_tell_systemd(const struct update *update, const struct memory_plan *to,
			const struct memory_plan *had, struct error *err);

/* For the scope while one plan becomes the other: nothing is tighter than either. */
struct memory_plan update_widest(const struct memory_plan *a, const struct memory_plan *b);

/* All of `before` again, in the cgroup and above it, wherever in between they are. */
int update_put_back(const struct update *update, const struct memory_plan *before,
		    struct error *err);

/* Old values that an interrupted update has left in the journal come back first. */
int update_repair(struct update *update, struct error *err);

/* The guard's: we were killed, and what the next update would repair is repaired now. */
void update_rescue(void *update);

/* --- update-crun.c */

/*
 * All that is not about memory. Returns 1 where crun has changed something, 0 where there
 * was nothing to change; -ECHILD: crun's own refusal.
 */
int update_let_crun(const struct update *update, struct error *err);
