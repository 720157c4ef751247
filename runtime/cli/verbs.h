/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "cli/log.h"
#include "oci/crun.h"

/*
 * verbs - the verbs that run here instead of in crun.
 *
 * Each gets its own argv, with the verb at argv[0], and returns the exit status
 * of the program.
 */

enum exit_status {
	EXIT_DONE = 0,
	EXIT_FAILED = 1,
	EXIT_USAGE = 2,
	EXIT_CANNOT = 3,	/* this kernel cannot; of check only */
};

struct verb_context {
	const struct crun_globals *globals;
	const struct caller *caller;
	struct log log;
};

int verb_check(const struct verb_context *context, int argc, char **argv);
int verb_move(const struct verb_context *context, int argc, char **argv);
int verb_adopt(const struct verb_context *context, int argc, char **argv);
int verb_update(const struct verb_context *context, int argc, char **argv);
int verb_reclaim(const struct verb_context *context, int argc, char **argv);
int verb_events(const struct verb_context *context, int argc, char **argv);
int verb_features(const struct verb_context *context, int argc, char **argv);
int verb_apply_hook(const struct verb_context *context, int argc, char **argv);
