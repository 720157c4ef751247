/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "base/error.h"
#include "memory/plan.h"
#include "oci/state.h"

/*
 * record - what createRuntime has set, kept in the bundle for poststart: a directory of
 * the engine's that belongs to this container, and goes with it.
 */

/* -ENOENT: it is not there; -EINVAL: no absolute path. */
int record_open_bundle(int *dirfd, const struct state *state, struct error *err);

int record_write(int bundle, const struct memory_plan *plan, struct error *err);

/* Returns an fd for record_read(). -ENOENT: there is none. */
int record_open(int bundle, struct error *err);

int record_read(int fd, struct memory_plan *plan, struct error *err);

/* 0 also where there was none. */
int record_remove(int bundle, struct error *err);
