/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/control.h"
#include "base/json.h"
#include "memory/change.h"
#include "oci/crun.h"

/*
 * update - other settings for a running container: its memory's by us, all else by crun.
 *
 * Fields that are not given keep what was asked when the container was created or last
 * updated; what is written is what differs between the plan of then and that of now, so
 * that what somebody changed by hand stays. Memory is changed first, for it can be put
 * back, and comes back when crun refuses the rest. A journal beside crun's record has the
 * old values meanwhile: after a crash the next update puts them back and goes on.
 */

struct update_request {
	const struct crun_globals *globals;
	const char *id;
	struct json *resources;		/* `linux.resources`, all that was given */
	/* Intel RDT is no part of `linux.resources`: options for crun, or NULL */
	const char *l3_cache_schema;
	const char *mem_bw_schema;
	struct control control;
};

struct update_result {
	struct memory_plan plan;	/* notes for the user; and what was written */
	struct change_refusal refusal;
	bool repaired;			/* an update that was interrupted */
};

/*
 * -EINVAL: settings that contradict each other, or are none; -EOPNOTSUPP; -EBUSY: usage is
 * above a limit and stays so, or the container is being moved or updated; -ETIMEDOUT,
 * -EINTR; -ECHILD: crun's own refusal. All values are then what they were before.
 */
int container_update(const struct update_request *request, struct update_result *result,
		     struct error *err);

struct reclaim_request {
	const char *root;
	const char *id;
	int64_t to;			/* bytes, or -1 */
	int64_t by;			/* bytes, where `to` is -1 */
	int swappiness;			/* -1: the kernel's own */
	struct control control;
};

struct reclaim_result {
	int64_t before;			/* bytes */
	int64_t target;
	int64_t after;
};

/* Errors as reclaim_to(); `result` is good after -EBUSY, -ETIMEDOUT and -EINTR as well. */
int container_reclaim(const struct reclaim_request *request, struct reclaim_result *result,
		      struct error *err);
