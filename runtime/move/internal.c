// SPDX-License-Identifier: GPL-2.0-or-later
#include "move/internal.h"

#include <string.h>

#include "kernel/tasks.h"

int move_patience(const struct move *move)
{
	int64_t until = move->control.until, left = MOVE_PATIENCE_MS;

	if (until)
		left = (until - control_now_usec()) / 1000;

	return left < 1 ? 1 : left < MOVE_PATIENCE_MS ? (int)left : MOVE_PATIENCE_MS;
}

void move_turn(struct move *move)
{
	struct place from = move->journal.from;

	move->journal.from = move->journal.to;
	move->journal.to = from;
	move->back = !move->back;
	move->dying = -1;	/* it was of the other side, and so was the hold */
	move->held = false;
}

bool move_is_committed(const struct move *move)
{
	auto_status struct status status = STATUS_NONE;

	return status_open_again(&status, &move->status, NULL) == 0 &&
	       strcmp(hierarchy_relative(status.cgroup_path),
		      hierarchy_relative(move->journal.to.cgroup)) == 0;
}

bool move_has_memory(const struct move *move, const struct place *place)
{
	return move->memory && place_owns(place, move->memory, NULL) == 1;
}

bool move_can_freeze(const struct move *move, const struct place *place)
{
	const struct hierarchy *freezer = hierarchies_freezer(&move->hierarchies);

	return freezer && place_owns(place, freezer, NULL) == 1;
}

bool move_unit_has_gone(const struct move *move, const struct place *place)
{
	const struct hierarchy *units = hierarchies_systemd(&move->hierarchies);

	return move->journal.systemd && units && place_owns(place, units, NULL) == 0;
}

int move_freeze_side(const struct move *move, const struct place *place, bool frozen,
		     int timeout_ms, struct error *err)
{
	if (!move_can_freeze(move, place))
		return 0;
	return freezer_write(&move->hierarchies, place->cgroup, frozen, timeout_ms, err);
}
