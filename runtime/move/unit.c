// SPDX-License-Identifier: GPL-2.0-or-later
#include "move/unit.h"

#include <errno.h>

#include "base/cleanup.h"
#include "kernel/tree.h"
#include "systemd/delegate.h"
#include "systemd/scope.h"

int move_look_for_hold(const struct move *move, struct error *err)
{
	auto_free char *hold = tree_path(move->journal.from.top, PLACE_HOLD);

	if (!hold)
		return error_errno(err, ENOMEM, "move");
	for (size_t i = 0; i < move->hierarchies.count; i++) {
		if (hierarchy_has(&move->hierarchies.each[i], hold))
			return error_set(err, EEXIST, "there is a cgroup with our name in it, \"%s\"",
					 hold);
	}
	return 0;
}

int move_look_at_unit(struct move *move, struct error *err)
{
	int ret;

	if (!move->journal.systemd)
		return delegate_is_needed(move->memory) ?
			       delegate_check(move->memory, move->journal.to.top, err) : 0;
	ret = move_look_for_hold(move, err);
	return ret < 0 ? ret : scope_left(scope_is_users(), move->journal.from.scope,
					  &move->result->unit_left, err);
}
