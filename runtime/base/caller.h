/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <signal.h>

#include "base/error.h"

/*
 * caller - what a program inherits from its caller and must not rely on: open standard
 * descriptors, signals, and room for descriptors.
 *
 * Each main() calls caller_begin() first. A program that becomes another one calls
 * caller_restore() before, so that the other program inherits what the caller gave.
 */
struct caller {
	struct sigaction actions[3];	/* of the signals in caller.c */
	sigset_t mask;
};

/*
 * Descriptors 0 to 2 are open from now on, so that no other file gets such a number. A
 * closed one is replaced by one that fails as a closed one does, and is closed by execve(2).
 * SIGCHLD has its default action; SIGPIPE and SIGXFSZ are ignored, so that write(2) fails
 * with an errno instead.
 */
int caller_begin(struct caller *caller, struct error *err);

/* No signal is blocked from now on. Not for a program that is about to become another one. */
void caller_unblock(void);

/*
 * The caller's action of SIGPIPE again, which ends most programs without a word when nobody
 * reads on. For a program that changes nothing.
 */
void caller_restore_pipe(const struct caller *caller);

/* Actions and mask of signals as the caller gave them. */
void caller_restore(const struct caller *caller);

/* -EMFILE: fewer descriptors can be opened than an operation with several steps needs. */
int caller_check_room(struct error *err);
