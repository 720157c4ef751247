// SPDX-License-Identifier: GPL-2.0-or-later
#include "move/abandoned.h"

#include <string.h>

#include "base/cleanup.h"
#include "container/delete.h"
#include "kernel/tasks.h"
#include "kernel/tree.h"
#include "memory/charge.h"
#include "move/destination.h"

#define REMOVE_TIMEOUT_MS 2000

/* crun deletes the journal with the container, and nobody would know of this side any more. */
int move_remove_abandoned(const struct container *container, bool force, struct error *err)
{
	auto_journal struct journal journal = { 0 };
	const struct place *side;
	const char *other;
	int ret = 0;

	if (journal_read(&journal, container->status.dirfd, NULL) < 0)
		return 0;
	if (status_running(&container->status) && !force)
		return 0;
	side = strcmp(journal.to.top, container->place.top) == 0 ? &journal.from : &journal.to;
	other = side->top;
	if (!journal.no_ids && side == &journal.to)
		place_drop_untaken(side, &container->hierarchies, REMOVE_TIMEOUT_MS);
	for (size_t i = 0; ret == 0 && i < container->hierarchies.count; i++) {
		const struct hierarchy *hierarchy = &container->hierarchies.each[i];
		auto_close int dirfd = -1;

		/* another container may have this path by now */
		if (!journal.no_ids && place_owns(side, hierarchy, NULL) != 1)
			continue;
		if (!hierarchy_has(hierarchy, other) ||
		    hierarchy_open(hierarchy, other, &dirfd, NULL) < 0)
			continue;
		if (hierarchy->mode == CGROUP_V2) {
			ret = force ? tasks_kill(dirfd, DELETE_KILL_MS, err) : 0;
			if (ret == 0 && hierarchy == container->memory)
				ret = charge_hand_up(hierarchy, other, err);
		}
		if (ret == 0)
			ret = tree_remove(hierarchy, other, REMOVE_TIMEOUT_MS, err);
	}
	return ret;
}
