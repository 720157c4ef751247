// SPDX-License-Identifier: GPL-2.0-or-later
#include "move/move.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/cleanup.h"
#include "base/file.h"
#include "container/container.h"
#include "kernel/tasks.h"
#include "kernel/tree.h"
#include "move/attach.h"
#include "move/cgroup-mounts.h"
#include "move/children.h"
#include "move/deferred.h"
#include "move/engine.h"
#include "move/migration.h"
#include "move/others.h"
#include "move/remove.h"
#include "move/unit.h"

void move_result_free(struct move_result *result)
{
	free(result->from);
	free(result->to);
	free(result->unit_left);
	*result = (struct move_result){ 0 };
}

/* On disk it always says the direction that was asked for in the beginning. */
static int write_journal(struct move *move, struct error *err)
{
	bool back = move->back;
	int ret;

	if (back)
		move_turn(move);
	ret = journal_write(&move->journal, move->status.dirfd, err);
	if (back)
		move_turn(move);
	return ret;
}

/* --- the steps */

static int freeze(struct move *move, struct error *err)
{
	int ret;

	if (move->journal.live)
		return 0;
	control_tell(&move->control, "freeze", 0, 0);
	ret = freezer_write(&move->hierarchies, move->journal.to.cgroup, true, move_patience(move),
			    err);
	if (ret < 0)
		return ret;
	if (!move->journal.frozen)
		move->froze = control_now_usec();
	/* with its last task systemd removes it: then there is nobody to freeze */
	return move_freeze_side(move, &move->journal.from, true, move_patience(move), err);
}

static int thaw(struct move *move, struct error *err)
{
	int ret = 0;

	if (move->journal.frozen)
		return freezer_write(&move->hierarchies, move->journal.to.cgroup, true,
				     MOVE_PATIENCE_MS, err);
	if (!move->journal.live && hierarchies_freezer(&move->hierarchies))
		ret = freezer_write(&move->hierarchies, move->journal.to.cgroup, false,
				    MOVE_PATIENCE_MS, err);
	if (move->froze)
		move->result->frozen_usec = control_now_usec() - move->froze;
	return ret;
}

/* All behind the change of crun's record: to be done again after any crash. */
static int finish(struct move *move, struct error *err)
{
	int ret;

	/* while it cannot look */
	move_mounts(move);
	ret = thaw(move, err);
	/* who joined the old one by a record that was read before it changed */
	if (ret == 0)
		ret = move_each_cgroup(move, move_tasks_of, err);
	if (ret < 0)
		return ret;
	carry_end(&move->carrier);
	guard_end(&move->guard);
	move_take_stock(move);
	move->result->blind = move_engine_that_loses(&move->status, &move->journal.to);
	ret = move_remove_old(move, err);
	if (ret == 0)
		ret = place_apply_late(&move->journal, &move->hierarchies, err);
	return ret == 0 ? journal_remove(move->status.dirfd, err) : ret;
}

/* From this moment on it is there, for crun and for all who ask crun. */
static int record(const struct move *move, struct error *err)
{
	auto_status struct status now = STATUS_NONE;
	int ret = status_open_again(&now, &move->status, err);

	return ret < 0 ? ret : status_set_cgroup(&now, move->journal.to.cgroup,
						 move->journal.to.scope, err);
}

/* What was made is written down at once: after a crash nothing else says that it is ours. */
static int make(struct move *move, pid_t holder, struct error *err)
{
	bool first = !move->back && !move->resumed;
	struct error why;
	int ret, wrote;

	move->held = move->journal.systemd && holder > 0;
	ret = place_make(&move->journal, &move->hierarchies, holder, first, err);
	if (ret == 0)
		return write_journal(move, err);
	/* what was made by then is to be removed by whoever ends it */
	wrote = write_journal(move, &why);
	return wrote < 0 ? error_prefix(err, ret, "%s", why.text) : ret;
}

/* From a journal that is written to crun's changed record. */
static int carry(struct move *move, bool only_missing, struct error *err)
{
	/* on the way back what is there has its late settings, and what we come from not yet */
	bool made = !move->back || !move_has_memory(move, &move->journal.to);
	int ret;

	move->anew = move->back && move_unit_has_gone(move, &move->journal.to);
	ret = move_start_holder(move, err);
	/* before a sibling has the same processors: that may end a partition */
	if (ret == 0 && made && !move->journal.late_count)
		ret = place_remember_late(&move->journal, &move->hierarchies, err);
	if (ret == 0)
		ret = make(move, move->holder, err);
	if (ret == 0)
		ret = place_build(&move->journal, &move->hierarchies, only_missing, err);
	if (ret == 0 && (made || move->journal.late_count))
		ret = move_set_v1_charges(move, err);
	if (ret == 0)
		ret = write_journal(move, err);
	if (ret == 0)
		ret = control_go_on(&move->control, err);
	if (ret == 0)
		ret = move_start_guard(move, err);
	if (ret == 0)
		ret = move_prepare_migration(move, err);
	if (ret == 0)
		ret = freeze(move, err);
	/* what it made while we looked */
	if (ret == 0 && move->journal.systemd && !move->back && !move->resumed)
		ret = move_look_for_hold(move, err);
	if (ret == 0)
		ret = place_build(&move->journal, &move->hierarchies, true, err);
	if (ret == 0 && !move->back)
		ret = place_settle(&move->journal, &move->hierarchies, err);
	if (ret < 0)
		return ret;

	move->result->before = move_total_of(move, &move->journal.from) +
			       move_total_of(move, &move->journal.to);
	ret = move_migrate_frozen(move, err);
	if (ret == 0)
		ret = control_go_on(&move->control, err);
	/* behind them systemd may have removed it at once */
	move->dying = move_dying(move);
	move_read_left(move);
	if (ret == 0)
		ret = move_tasks(move, err);
	/* what they were charged since, or all of it; systemd may have removed it already */
	if (ret == 0 && move->charges && move->memory->mode == CGROUP_V2 &&
	    move_total_of(move, &move->journal.from))
		ret = move_migrate(move, !move->journal.live, err);
	if (ret < 0)
		return ret;
	move_settle_left(move);
	move->result->after = move->result->left.total +
			      move_total_of(move, &move->journal.to);
	return record(move, err);
}

/* Everything back to where it was, with what went wrong in `err` all the time. */
static int undo(struct move *move, int failure, struct error *err)
{
	struct error why;
	int ret = 0;

	/* it must not be ended by what made it begin */
	move->control.interrupted = NULL;
	move->control.until = 0;
	control_tell(&move->control, "undo", 0, 0);
	carry_end(&move->carrier);
	move_turn(move);
	move->anew = move_unit_has_gone(move, &move->journal.to);
	if (move->anew) {
		move_end_child(&move->holder);
		ret = move_start_holder(move, &why);
	}
	if (ret == 0)
		ret = make(move, move->anew ? move->holder : 0, &why);
	if (ret == 0)
		ret = move_renew_guard(move, &why);
	if (ret == 0)
		ret = place_build(&move->journal, &move->hierarchies, true, &why);
	if (ret == 0) {
		if (move->journal.late_count)
			ret = move_set_v1_charges(move, &why);
		if (ret == 0)
			ret = move_tasks(move, &why);
		if (ret == 0)
			ret = place_apply_late(&move->journal, &move->hierarchies, &why);
		if (ret == 0 && move->charges && move->memory->mode == CGROUP_V2)
			ret = move_migrate(move, true, &why);
	}
	if (ret == 0 && !move_is_committed(move))
		ret = record(move, &why);
	if (ret == 0 && move->anew)
		move_mounts(move);
	if (ret == 0)
		ret = thaw(move, &why);
	if (ret == 0) {
		guard_end(&move->guard);
		ret = move_remove_old(move, &why);
	}
	if (ret == 0) {
		move_turn(move);
		place_remove_made(&move->journal, &move->hierarchies);
		ret = journal_remove(move->status.dirfd, &why);
	}
	if (ret == 0) {
		move->result->undone = true;
		return error_prefix(err, failure, "nothing moved");
	}
	guard_release(&move->guard);
	return error_prefix(err, failure, "cannot be undone now (%s); --resume or --rollback it",
			    why.text);
}

/* crun, asked to delete it by somebody else's hand, has taken its record away. */
static bool is_deleted(const struct move *move)
{
	struct stat st;

	return move->status.dirfd >= 0 && fstat(move->status.dirfd, &st) == 0 && st.st_nlink == 0;
}

/* Then nobody will come for what is left of it, on either side. */
static int clear_away(struct move *move, struct error *err)
{
	move->control.interrupted = NULL;
	move->control.until = 0;
	carry_end(&move->carrier);
	if (move->back)
		move_turn(move);
	move_freeze_side(move, &move->journal.from, false, MOVE_PATIENCE_MS, NULL);
	move_freeze_side(move, &move->journal.to, false, MOVE_PATIENCE_MS, NULL);
	guard_end(&move->guard);
	move_end_child(&move->holder);
	move_remove_side(move, &move->journal.from, NULL);
	move_remove_side(move, &move->journal.to, NULL);
	place_remove_made(&move->journal, &move->hierarchies);
	return error_set(err, ESRCH, "it was deleted meanwhile");
}

static int open_all(struct move *move, const struct move_request *request,
		    struct move_result *result, struct error *err)
{
	auto_host struct host host = { .cgroup_root = -1, .proc = -1 };
	int ret;

	*move = (struct move){
		.request = request,
		.result = result,
		.status = STATUS_NONE,
		.control = request->control,
		.guard = GUARD_NONE,
		.carrier = CARRIER_NONE,
		.dying = -1,
		.started = control_now_usec(),
	};
	*result = (struct move_result){ 0 };
	if (request->timeout_ms > 0)
		move->control.until = move->started + (int64_t)request->timeout_ms * 1000;
	ret = host_open(&host, NULL, err);
	if (ret == 0)
		ret = hierarchies_open(&move->hierarchies, &host, err);
	if (ret == 0)
		ret = status_open(&move->status, request->root, request->id, err);
	if (ret < 0)
		return ret;
	move->memory = hierarchies_memory(&move->hierarchies);
	return container_lock(&move->status, 0, err);
}

static int close_all(struct move *move, int ret, struct error *err)
{
	struct move_result *result = move->result;

	if (ret < 0 && move->begun && is_deleted(move))
		ret = clear_away(move, err);
	carry_end(&move->carrier);
	guard_release(&move->guard);
	move_end_child(&move->holder);
	if (move->journal.from.top) {
		result->from = take_ptr(&move->journal.from.top);
		result->to = take_ptr(&move->journal.to.top);
	}
	result->total_usec = control_now_usec() - move->started;
	journal_free(&move->journal);
	status_close(&move->status);
	hierarchies_close(&move->hierarchies);
	return ret;
}

static int prepare(struct move *move, struct error *err)
{
	const struct move_request *request = move->request;
	auto_journal struct journal unended = { 0 };
	int ret;

	ret = journal_read(&unended, move->status.dirfd, err);
	if (ret == 0)
		return error_set(err, EALREADY, "a move to %s has not ended: --resume or "
				 "--rollback it", unended.to.top);
	if (ret != -ENOENT)
		return ret;
	if (!status_running(&move->status))
		return error_set(err, ESRCH, "not running");

	move->journal.systemd = move->status.systemd && *move->status.scope;
	move->journal.live = request->live;
	ret = place_of(&move->journal.from, &move->hierarchies, &move->status, err);
	if (ret == 0)
		ret = place_take_all(&move->journal.from, &move->hierarchies, err);
	if (ret == 0)
		ret = place_choose(&move->journal.to, &move->journal.from, &move->hierarchies,
				   move->journal.systemd, request->to, request->slice, err);
	if (ret == 0)
		ret = freezer_read(&move->hierarchies, move->journal.from.cgroup,
				   &move->journal.frozen, err);
	if (ret == 0 && !request->live && !move_can_freeze(move, &move->journal.from))
		ret = error_set(err, EOPNOTSUPP, "there is no freezer here: --live");
	if (ret == 0)
		ret = move_look_at_unit(move, err);
	if (ret == 0)
		ret = move_look_at_charges(move, err);
	if (ret < 0)
		return ret;
	move->journal.types = move->charges ? request->types : 0;
	/* what is frozen cannot run on */
	if (move->journal.frozen)
		move->journal.live = false;
	ret = place_look(&move->journal, &move->hierarchies, err);
	if (ret == 0)
		place_count_missing(&move->journal, &move->hierarchies);
	return ret;
}

/*
 * From the journal on a second memcrun sees this move. It must not look at the containers
 * between our look and that, or both would see nothing of each other.
 */
static int begin(struct move *move, struct error *err)
{
	auto_close int lock = others_lock(&move->status, MOVE_PATIENCE_MS, err);
	int ret;

	ret = lock < 0 ? lock : others_check(&move->status, move->request->id, &move->journal,
					     &move->hierarchies, err);
	if (ret == 0)
		ret = write_journal(move, err);
	move->begun = ret == 0;
	return ret;
}

int container_move(const struct move_request *request, struct move_result *result,
		   struct error *err)
{
	struct move move;
	int ret;

	ret = open_all(&move, request, result, err);
	if (ret == 0)
		ret = prepare(&move, err);
	if (ret == 0)
		ret = begin(&move, err);
	if (ret == 0) {
		ret = carry(&move, false, err);
		if (ret < 0) {
			ret = undo(&move, ret, err);
		} else {
			ret = finish(&move, err);
			if (ret < 0)
				error_prefix(err, ret, "it is in %s, but --resume it",
					     move.journal.to.top);
		}
	}
	return close_all(&move, ret, err);
}

/*
 * What was made and not written down, when memcrun was killed in between, cannot be told from
 * what somebody else has made since, but that is named by nobody and is empty.
 */
static int take_sides(struct move *move, bool rollback, struct error *err)
{
	auto_close int lock = -1;
	int ret;

	if (move->journal.no_ids) {
		ret = place_take_all(&move->journal.from, &move->hierarchies, err);
		return ret < 0 ? ret :
		       place_take_all(&move->journal.to, &move->hierarchies, err);
	}
	lock = others_lock(&move->status, MOVE_PATIENCE_MS, err);
	if (lock < 0)
		return lock;
	ret = others_check(&move->status, move->request->id, &move->journal, &move->hierarchies,
			   err);
	/* no task is where nothing was made: there is nothing to do but to say so */
	if (ret == -EBUSY && rollback && !move->journal.to.id_count)
		return 0;
	if (ret == 0)
		place_drop_untaken(&move->journal.to, &move->hierarchies, MOVE_REMOVE_MS);
	return ret;
}

static int read_journal(struct move *move, bool rollback, struct error *err)
{
	int ret = journal_read(&move->journal, move->status.dirfd, err);

	if (ret == -ENOENT)
		return error_set(err, ENOENT, "no move is under way");
	move->begun = ret == 0;
	move->resumed = true;
	if (ret == 0)
		ret = take_sides(move, rollback, err);
	if (ret == 0)
		ret = move_look_at_charges(move, err);
	return ret;
}

int container_move_resume(const struct move_request *request, struct move_result *result,
			  struct error *err)
{
	struct move move;
	int ret;

	ret = open_all(&move, request, result, err);
	if (ret == 0)
		ret = read_journal(&move, false, err);
	if (ret == 0)
		ret = move_is_committed(&move) ? move_start_guard(&move, err) :
						 carry(&move, false, err);
	if (ret == 0)
		ret = finish(&move, err);
	return close_all(&move, ret, err);
}

/* The way back is a move like the other, to cgroups that are there, for the most part. */
int container_move_rollback(const struct move_request *request, struct move_result *result,
			    struct error *err)
{
	struct move move;
	int ret;

	ret = open_all(&move, request, result, err);
	if (ret == 0)
		ret = read_journal(&move, true, err);
	if (ret == 0) {
		move_turn(&move);
		/* not even made: there is nothing to carry */
		if (move.memory && !move_has_memory(&move, &move.journal.from))
			ret = 0;
		else
			ret = carry(&move, true, err);
		if (ret == 0)
			ret = finish(&move, err);
		if (ret == 0) {
			move_turn(&move);
			place_remove_made(&move.journal, &move.hierarchies);
			move_turn(&move);
			result->undone = true;
		}
	}
	return close_all(&move, ret, err);
}
