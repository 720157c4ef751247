// SPDX-License-Identifier: GPL-2.0-or-later
#include "oci/move-state.h"

#include <string.h>

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
	move->dying = -1;	/* it was of the other side */
}

bool move_is_committed(const struct move *move)
{
	auto_status struct status status = STATUS_NONE;

	return status_open(&status, move->request->root, move->request->id, NULL) == 0 &&
	       strcmp(hierarchy_relative(status.cgroup_path),
		      hierarchy_relative(move->journal.to.cgroup)) == 0;
}
