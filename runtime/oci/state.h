/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <sys/types.h>

#include "base/error.h"
#include "base/json.h"

/*
 * state - what a runtime says of a container, in OCI's form: the standard input
 * of a hook, and what `crun state` prints.
 */
struct state {
	struct json *document;
	pid_t pid;			/* 0: not running */
	const char *id;			/* or NULL */
	const char *bundle;
	const char *asked;		/* ANNOTATION_ASKED, or NULL */
};

void state_free(struct state *state);

#define auto_state __attribute__((cleanup(state_free)))

/* -EINVAL: not a state; strings live as long as `state`. */
int state_parse(struct state *state, const char *text, size_t len, struct error *err);

/* Read the state from `fd` to its end. */
int state_read(struct state *state, int fd, struct error *err);
