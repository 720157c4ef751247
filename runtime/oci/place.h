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
 * Whose is the cgroup at the place's top in this hierarchy? 1: the one that was taken; 0: there
 * is none; -EEXIST: another one, which nothing may be done to.
 */
int place_owns(const struct place *place, const struct hierarchy *hierarchy, struct error *err);

/* Has what was taken in this hierarchy all of its settings? */
bool place_is_filled(const struct place *place, const struct hierarchy *hierarchy);
void place_set_filled(struct place *place);

/* Take what is at the place's top, in one hierarchy or in each that has it. */
int place_take(struct place *place, const struct hierarchy *hierarchy, bool filled,
	       struct error *err);
int place_take_all(struct place *place, const struct hierarchies *hierarchies, struct error *err);

/*
 * A memcrun that is killed right behind mkdir(2) leaves a cgroup that its journal does not
 * know. That is empty: remove it, if it is. A scope goes by itself, within `timeout_ms`.
 */
void place_drop_untaken(const struct place *place, const struct hierarchies *hierarchies,
			int timeout_ms);

/*
 * Make the top of `to` in each hierarchy where `from` has one, unless it has been taken, and
 * take it. `holder` is a process of ours that systemd needs to start a scope; it is in
 * `to`/memcrun afterwards. With `count` journal->made becomes how many cgroups above were
 * made for it. -EEXIST: somebody else has made it; what was made by then is taken.
 */
int place_make(struct journal *journal, const struct hierarchies *hierarchies, pid_t holder,
	       bool count, struct error *err);

/*
 * Give the cgroups of `to`, whose tops are made, all settings and BPF programs that those of
 * `from` have, and make those below. With `only_missing` cgroups that are there already are
 * left as they are, but for tops that are not filled.
 */
int place_build(struct journal *journal, const struct hierarchies *hierarchies,
		bool only_missing, struct error *err);

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
