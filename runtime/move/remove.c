// SPDX-License-Identifier: GPL-2.0-or-later
#include "move/remove.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/cleanup.h"
#include "base/file.h"
#include "kernel/tree.h"
#include "move/children.h"

/* A removed cgroup goes when RCU and the workers of css are done with it. */
#define DYING_TIMEOUT_MS 1000

/*
 * Removed cgroups above the old one that live on. Where the kernel tells (6.12), those whose
 * memory does: a socket keeps the bare cgroup that it was made in for as long as it is open.
 */
int64_t move_dying(const struct move *move)
{
	static const char *const keys[] = { "nr_dying_subsys_memory ", "nr_dying_descendants " };
	auto_free char *above = strdup(move->journal.from.top);
	auto_close int dirfd = -1;
	const char *found = NULL;
	char stat[1024];

	if (!above || !move->memory || move->memory->mode != CGROUP_V2)
		return 0;
	*strrchr(above, '/') = '\0';
	if (hierarchy_open(move->memory, above, &dirfd, NULL) < 0 ||
	    file_read_at(dirfd, "cgroup.stat", stat, sizeof(stat), NULL) < 0)
		return 0;
	for (size_t i = 0; !found && i < sizeof(keys) / sizeof(keys[0]); i++) {
		found = strstr(stat, keys[i]);
		if (found)
			found += strlen(keys[i]);
	}
	return found ? strtoll(found, NULL, 10) : 0;
}

/* Is the container in a cgroup namespace of its own? That keeps what was its root. */
static bool has_namespace(const struct move *move)
{
	char name[40];
	struct stat ours, its;

	snprintf(name, sizeof(name), "/proc/%d/ns/cgroup", move->status.pid);
	return stat("/proc/self/ns/cgroup", &ours) == 0 && stat(name, &its) == 0 &&
	       ours.st_ino != its.st_ino;
}

/* One side in all hierarchies, where it is the container's, with what is charged to it. */
int move_remove_side(const struct move *move, const struct place *place, struct error *err)
{
	int ret = 0;

	for (size_t i = 0; ret == 0 && i < move->hierarchies.count; i++) {
		const struct hierarchy *hierarchy = &move->hierarchies.each[i];

		if (place_owns(place, hierarchy, NULL) != 1)
			continue;
		if (hierarchy == move->memory && move->charges && hierarchy->mode == CGROUP_V2)
			charge_hand_up(hierarchy, place->top, NULL);
		ret = tree_remove(hierarchy, place->top, MOVE_REMOVE_MS, err);
	}
	return ret;
}

static int remove_hold(const struct move *move, struct error *err)
{
	auto_free char *hold = tree_path(move->journal.to.top, PLACE_HOLD);
	int ret = 0;

	if (!hold)
		return error_errno(err, ENOMEM, "move");
	for (size_t i = 0; ret == 0 && i < move->hierarchies.count; i++) {
		if (place_owns(&move->journal.to, &move->hierarchies.each[i], NULL) == 1)
			ret = tree_remove(&move->hierarchies.each[i], hold, MOVE_REMOVE_MS, err);
	}
	return ret;
}

/* The old cgroups, and the hold in the new one. A scope goes by itself when it is empty. */
int move_remove_old(struct move *move, struct error *err)
{
	bool held = has_namespace(move);
	int64_t had = move->dying >= 0 ? move->dying : move_dying(move), until;
	int ret;

	control_tell(&move->control, "remove", 0, 0);
	move_end_child(&move->holder);
	ret = move_remove_side(move, &move->journal.from, err);
	/* without one of ours it is a cgroup of the container's that has our name */
	if (ret == 0 && (move->held || (move->journal.systemd && move->resumed)))
		ret = remove_hold(move, err);
	/* no use to wait for what its own charges or a namespace keep */
	until = control_now_usec() + (held || !move->charges ? 50000 : DYING_TIMEOUT_MS * 1000);
	while (ret == 0 && move_dying(move) > had) {
		if (control_now_usec() >= until) {
			move->result->dying = true;
			move->result->held = held;
			break;
		}
		poll(NULL, 0, 5);
	}
	return ret;
}
