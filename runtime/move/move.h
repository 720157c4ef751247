/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "container/carry.h"
#include "memory/charge.h"

/*
 * move - a running container goes to another cgroup, with its charges and all settings.
 *
 * The destination is made first, complete, with every limit and filter, before a task can
 * be in it. Then the container is frozen; its charges move while its tasks still hold the
 * old cgroup, which systemd would remove with the last of them; the tasks follow; crun's
 * record is changed, which is the moment from which it is there; it is thawed, and the
 * old cgroup removed. --live moves the tasks first, for they go on charging.
 *
 * A failure before that moment is undone, one behind it leaves a journal that says so. A
 * process of ours that has no other work watches us meanwhile: if we die, it puts the
 * tasks to the side where the record says they are, and thaws them. In both cases the
 * journal stays, for `resume` or `rollback`.
 */

struct move_request {
	const char *root;	/* crun's, NULL: its default */
	const char *id;
	const char *to;		/* one of both */
	const char *slice;
	unsigned int types;	/* enum charge_set */
	bool must;		/* refused where the kernel cannot move charges */
	bool live;
	int timeout_ms;		/* 0: none */
	struct control control;	/* `until` is made from timeout_ms */
};

struct move_result {
	char *from;		/* cgroups, from the root */
	char *to;
	struct charge_usage moved;
	struct charge_usage left;	/* with the old cgroup, when the tasks had gone */
	int64_t before;		/* charged to both sides together */
	int64_t after;
	int64_t frozen_usec;	/* 0: it was not, or it was before */
	int64_t total_usec;
	int tasks;
	char *unit_left;	/* names of properties that the new scope cannot have, or "" */
	int mounts;		/* of cgroups, in the container, that show the new one now */
	int mounts_left;	/* that still show the old one: why */
	struct error mounts_why;
	const char *blind;	/* the engine, if it has no statistics of it here; or NULL */
	bool by_type;		/* moved.by_type is known: not on v1 */
	bool charges;		/* this kernel moves charges */
	bool undone;		/* it was, and the container is where it was before */
	bool dying;		/* the old cgroup is removed, and not gone */
	bool held;		/* by the container's own cgroup namespace */
};

void move_result_free(struct move_result *result);

#define auto_move_result __attribute__((cleanup(move_result_free)))

/*
 * -EBUSY: no room, or another memcrun moves it; -EALREADY: an earlier move was not
 * ended; -EOPNOTSUPP: `must`, and this kernel cannot; -EINTR, -ETIMEDOUT. On an error the
 * container is where it was, unless the words say otherwise.
 */
int container_move(const struct move_request *request, struct move_result *result,
		   struct error *err);

/* End, or undo, a move whose memcrun died. -ENOENT: there is none. */
int container_move_resume(const struct move_request *request, struct move_result *result,
			  struct error *err);
int container_move_rollback(const struct move_request *request, struct move_result *result,
			    struct error *err);
