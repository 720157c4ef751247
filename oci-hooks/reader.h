/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <limits.h>
#include <stdbool.h>

#include "base/error.h"
#include "oci/state.h"

/*
 * reader - a process that parses the state and can do nothing else.
 *
 * The hook may only open the files of one container, and the state says which: so the state
 * has to be parsed before the hook is confined. A process without capabilities or files does
 * it, and answers with numbers and names.
 */
struct reader_answer {
	int ret;
	pid_t pid;
	bool asked;
	char id[256];
	char bundle[PATH_MAX];
	struct error err;
};

/*
 * Read the state on standard input. `state` points into `answer`, and has no document; of
 * `asked` only whether it is there. -EIO: the reader has died.
 */
int reader_run(struct reader_answer *answer, struct state *state, struct error *err);
