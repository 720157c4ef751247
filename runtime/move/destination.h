/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "move/journal.h"

/*
 * destination - where a container is to go: choosing it, whether the container can go there,
 * and making it. destination-choose.c chooses, -check.c changes nothing, -create.c makes, and
 * -own.c tells our cgroups from those of others.
 */

/*
 * Where it shall go: the cgroup `to`, or one of its name in `slice`; one of them is NULL.
 * -EINVAL: a path or a name that cannot be; -EEXIST: it is taken.
 */
int place_choose(struct place *to, const struct place *from,
		 const struct hierarchies *hierarchies, bool systemd, const char *path,
		 const char *slice, struct error *err);

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

/*
 * Has the cgroup `whole`, which is `path` below a place's top, been removed? systemd inside a
 * container may do that to any but the top, at any moment.
 */
bool place_is_gone(const struct hierarchy *hierarchy, const char *path, const char *whole);

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

/* Remove the cgroups above `to` that were made for it, as far as nobody else uses them. */
void place_remove_made(const struct journal *journal, const struct hierarchies *hierarchies);
