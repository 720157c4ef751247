/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "oci/journal.h"
#include "oci/status.h"

/*
 * place - where a container is, where it is to go, whether it can, and making that.
 */

/* Where crun's record says that the container is. -ENOENT: it has no cgroup of its own. */
int place_of(struct place *place, const struct hierarchies *hierarchies,
	     const struct status *status, struct error *err);

/*
 * Where it shall go: the cgroup `to`, or one of its name in `slice`; one of them is NULL.
 * -EINVAL: a path or a name that cannot be; -EEXIST: it is taken.
 */
int place_choose(struct place *to, const struct place *from,
		 const struct hierarchies *hierarchies, bool systemd, const char *path,
		 const char *slice, struct error *err);

void place_close(struct place *place);

/*
 * Would the move succeed? Nothing is changed. -EBUSY: a cgroup above the destination has
 * no room for it; -EOPNOTSUPP: a controller cannot be had there; -EACCES: no permission.
 */
int place_look(const struct journal *journal, const struct hierarchies *hierarchies,
	       struct error *err);

/* Fill journal->made: how many cgroups above the destination are missing. */
void place_count_missing(struct journal *journal, const struct hierarchies *hierarchies);

/*
 * Make the cgroups of `to` with all settings and BPF programs that those of `from` have.
 * With `only_missing` those that are there already are left as they are. `holder` is a
 * process of ours that systemd needs to start a scope; it is in `to`/memcrun afterwards.
 */
int place_build(const struct journal *journal, const struct hierarchies *hierarchies,
		bool only_missing, pid_t holder, struct error *err);

/* Copy once more what of the settings has changed in `from` since then. */
int place_settle(const struct journal *journal, const struct hierarchies *hierarchies,
		 struct error *err);

/* The cgroup below a systemd scope in which we hold it until the tasks are there. */
#define PLACE_HOLD "memcrun"

/* Remember what can only be set when `from` is gone, and set it then. */
int place_remember_late(struct journal *journal, const struct hierarchies *hierarchies,
			struct error *err);
int place_apply_late(const struct journal *journal, const struct hierarchies *hierarchies,
		     struct error *err);

/* Remove the cgroups above `to` that were made for it, as far as nobody else uses them. */
void place_remove_made(const struct journal *journal, const struct hierarchies *hierarchies);
