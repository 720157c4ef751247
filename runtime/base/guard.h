/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <sys/types.h>

#include "base/error.h"

/*
 * guard - a child process that waits for our death, for work that a SIGKILL must not leave
 * half done: it then puts the container back.
 *
 * The child has our memory and open files as they are at guard_start(), locks included, so
 * that the next verb waits for it. It has no terminal and ignores the signals of one.
 */
struct guard {
	pid_t pid;	/* 0: none */
	int fd;		/* the pipe whose end tells the guard that we died */
};

#define GUARD_NONE { .fd = -1 }

/* From now on `act` is called, in the guard, if we die. */
int guard_start(struct guard *guard, void (*act)(void *context), void *context,
		struct error *err);

/* The work is done or undone: the guard ends without acting. Nothing where there is none. */
void guard_end(struct guard *guard);

/* The guard acts as if we had died, and has ended on return. Nothing where there is none. */
void guard_release(struct guard *guard);
