// SPDX-License-Identifier: GPL-2.0-or-later
#include "move/migration.h"

#include <errno.h>

#include "base/cleanup.h"
#include "base/file.h"
#include "container/carry.h"
#include "kernel/tree.h"
#include "move/attach.h"

static int open_memory(const struct move *move, const char *path, int *dirfd, struct error *err)
{
	if (!move->memory)
		return error_set(err, ENOENT, "no hierarchy controls memory");
	return hierarchy_open(move->memory, path, dirfd, err);
}

static int read_usage(const struct move *move, const struct place *place,
		      struct charge_usage *usage)
{
	auto_close int dirfd = -1;

	*usage = (struct charge_usage){ 0 };
	if (!move_has_memory(move, place) || open_memory(move, place->top, &dirfd, NULL) < 0)
		return -ENOENT;
	return charge_usage_read(usage, dirfd, move->memory->mode, NULL);
}

static struct carry carry_of(const struct move *move)
{
	return (struct carry){
		.memory = move->memory,
		.from = move->journal.from.top,
		.to = move->journal.to.top,
		.skip = move->journal.systemd ? PLACE_HOLD : NULL,
		.types = move->journal.types,
		/* or the guard would wait for the child's end, too */
		.close_fd = move->guard.fd,
	};
}

/* Those of a frozen container move before its tasks. */
static bool moves_frozen(const struct move *move)
{
	return !move->journal.live && move->charges && move->memory->mode == CGROUP_V2;
}

int move_prepare_migration(struct move *move, struct error *err)
{
	struct carry carry = carry_of(move);

	return moves_frozen(move) ? carry_prepare(&move->carrier, &carry, err) : 0;
}

int move_migrate_frozen(struct move *move, struct error *err)
{
	struct carry carry = carry_of(move);

	return moves_frozen(move) ? carry_run(&move->carrier, &carry, &move->control, err) : 0;
}

int move_migrate(struct move *move, bool at_once, struct error *err)
{
	struct carry carry = carry_of(move);

	if (!move_has_memory(move, &move->journal.from))
		return 0;
	return at_once ? carry_all(&carry, err) : carry_controlled(&carry, &move->control, err);
}

/* Charged to a side, without what takes time: it is asked while the container is frozen. */
int64_t move_total_of(const struct move *move, const struct place *place)
{
	auto_close int dirfd = -1;

	if (!move_has_memory(move, place) || open_memory(move, place->top, &dirfd, NULL) < 0)
		return 0;
	return charge_total(dirfd, move->memory->mode);
}

/* memory.migrate.stat of the cgroup at `path` and all below it: since each was created. */
static int read_migrated(const struct move *move, const char *path, struct charge_usage *sum)
{
	auto_tree struct tree tree = { 0 };
	int ret;

	*sum = (struct charge_usage){ 0 };
	ret = tree_read(&tree, move->memory, path, NULL);
	for (size_t i = 0; i < tree.count; i++) {
		auto_free char *each = tree_path(path, tree.paths[i]);
		struct charge_usage moved = { 0 };
		auto_close int dirfd = -1;

		if (!each || open_memory(move, each, &dirfd, NULL) < 0 ||
		    charge_migrated(&moved, dirfd, NULL) < 0)
			continue;
		for (int type = 0; type < CHARGE_TYPES; type++)
			sum->by_type[type] += moved.by_type[type];
	}
	return ret;
}

/* Only systemd removes the old cgroup before move_take_stock() can read it. */
void move_read_left(struct move *move)
{
	if (move->journal.systemd)
		read_usage(move, &move->journal.from, &move->result->left);
}

/* On v1 charges move with the tasks: what has not come has stayed. */
static void subtract_what_came(const struct move *move, struct charge_usage *left)
{
	struct charge_usage came;

	read_usage(move, &move->journal.to, &came);
	left->total = move->result->before;
	for (int type = 0; type < CHARGE_TYPES; type++)
		left->by_type[type] = left->by_type[type] > came.by_type[type] ?
				      left->by_type[type] - came.by_type[type] : 0;
	left->total = left->total > came.total ? left->total - came.total : 0;
}

void move_settle_left(struct move *move)
{
	struct charge_usage *left = &move->result->left;
	int64_t total = move_total_of(move, &move->journal.from);

	if (!move->memory)
		return;
	if (total || !move->journal.systemd || move_has_memory(move, &move->journal.from))
		left->total = total;
	else if (move->memory->mode == CGROUP_V1)
		subtract_what_came(move, left);
}

/* What is left by type, and what was moved; before the old cgroup goes. */
void move_take_stock(struct move *move)
{
	struct move_result *result = move->result;
	struct charge_usage left, moved;

	/* systemd may have removed it: then what was read before the tasks left still holds */
	if (read_usage(move, &move->journal.from, &left) == 0)
		result->left = left;
	result->charges = move->charges;
	result->moved = (struct charge_usage){ 0 };
	if (!move->memory || move->memory->mode == CGROUP_V1) {
		result->moved.total = result->before - result->left.total;
		if (result->moved.total < 0)
			result->moved.total = 0;
		return;
	}
	if (!move->charges || read_migrated(move, move->journal.to.top, &moved) < 0)
		return;
	result->by_type = true;
	for (int type = 0; type < CHARGE_TYPES; type++) {
		/* the cgroup that a rollback returns to has a history of its own */
		if (move->back)
			moved.by_type[type] -= move->migrated.by_type[type];
		/* a child that was removed since has taken its numbers along */
		if (moved.by_type[type] < 0)
			moved.by_type[type] = 0;
		result->moved.by_type[type] = moved.by_type[type];
		result->moved.total += moved.by_type[type];
	}
}

/* v1: charges follow each task that comes, if the cgroup it comes to says so. */
static int set_v1_charges_of(struct move *move, const struct hierarchy *hierarchy,
			     const char *path, struct error *err)
{
	auto_free char *to = tree_path(move->journal.to.top, path);
	auto_close int dirfd = -1;
	char bits[2] = "0";
	int ret;

	if (hierarchy != move->memory)
		return 0;
	if (!to)
		return error_errno(err, ENOMEM, "move");
	bits[0] = (char)('0' + !!(move->journal.types & (CHARGE_ANON | CHARGE_SWAP)) +
			 2 * !!(move->journal.types & (CHARGE_FILE | CHARGE_SHMEM)));
	ret = hierarchy_open(hierarchy, to, &dirfd, err);
	return ret < 0 ? ret : file_write_at(dirfd, "memory.move_charge_at_immigrate", bits, err);
}

/* What it was before is among the late settings. */
int move_set_v1_charges(struct move *move, struct error *err)
{
	if (!move->memory || move->memory->mode != CGROUP_V1 || !move->charges)
		return 0;
	return move_each_cgroup(move, set_v1_charges_of, err);
}

/* Can this kernel move charges? Where it must and cannot, that is all that happens. */
int move_look_at_charges(struct move *move, struct error *err)
{
	static const char v1[] = "memory.move_charge_at_immigrate";
	const struct place *side = &move->journal.from;
	auto_close int dirfd = -1;
	char had[16];

	/* of a move that was interrupted, one side may be gone */
	if (!move_has_memory(move, side) && move->journal.to.top)
		side = &move->journal.to;
	if (move_has_memory(move, side) && open_memory(move, side->top, &dirfd, NULL) == 0) {
		if (move->memory->mode == CGROUP_V2)
			move->charges = charge_can_migrate(dirfd);
		else if (file_read_at(dirfd, v1, had, sizeof(had), NULL) > 0)
			/* kernels that have given it up refuse what others take */
			move->charges = file_write_at(dirfd, v1, "3", NULL) == 0 &&
					file_write_at(dirfd, v1, had, NULL) == 0;
	}
	if (move->charges && move->memory->mode == CGROUP_V2)
		read_migrated(move, move->journal.from.top, &move->migrated);
	if (!move->charges && move->request->must)
		return error_set(err, EOPNOTSUPP,
				 "this kernel moves no charges (memory.migrate), as --charges asks");
	return 0;
}
