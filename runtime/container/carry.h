/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <stdbool.h>
#include <sys/types.h>

#include "base/control.h"
#include "kernel/hierarchy.h"

/*
 * carry - charges of a whole tree of cgroups, or of a process, go to another place, with
 * progress shown and an end to it when somebody has enough.
 */

struct carry {
	const struct hierarchy *memory;
	const char *from;	/* a cgroup, from the root */
	pid_t pid;		/* or a process, where `from` is NULL */
	const char *to;
	bool into_one;		/* all goes to `to` itself, not to its children of the same name */
	const char *skip;	/* a child of `from` that has no counterpart, or NULL */
	unsigned int types;	/* enum charge_set */
	int close_fd;		/* not for the child that does it; or -1 */
};

/*
 * Carry all in one go, to the end. A cgroup that is removed meanwhile has nothing any more.
 * Errors as charge_migrate(): what was moved by then stays moved.
 */
int carry_all(const struct carry *carry, struct error *err);

/* The same in a process that is killed when it is enough: -EINTR, -ETIMEDOUT. */
int carry_controlled(const struct carry *carry, const struct control *control,
		     struct error *err);

/*
 * For who has little time then: the process is made before, and waits. After carry_run(),
 * or instead of it, carry_end() waits for its end, or ends it.
 */
struct carrier {
	pid_t pid;
	int fd;		/* of a socket to it, until it has answered; or -1 */
};

#define CARRIER_NONE { .fd = -1 }

int carry_prepare(struct carrier *carrier, const struct carry *carry, struct error *err);
int carry_run(struct carrier *carrier, const struct carry *carry,
	      const struct control *control, struct error *err);
void carry_end(struct carrier *carrier);
