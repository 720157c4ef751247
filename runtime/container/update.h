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
 * old values meanwhile, and a guard waits: when memcrun is killed the guard puts them back.
 * Where the guard is killed as well the next update does.
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

/* Is nothing in `resources` about memory? Then the update is crun's alone. */
bool update_is_cruns(const struct json *resources);

/*
 * Such an update: become crun, with the `count` arguments `globals` (crun's options, behind
 * the program's name) and what was given. Nothing of ours is read or kept but the lock, which
 * crun inherits. Returns only to say why it could not; -EBUSY: the container is being moved.
 */
int update_become_crun(const struct update_request *request, const struct caller *caller,
		       char **globals, int count, struct error *err);
