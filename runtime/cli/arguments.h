/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <getopt.h>
#include <stdbool.h>

#include "base/error.h"

/*
 * arguments - the command line of a verb: options, and behind them or between them the
 * container.
 */

/* What most verbs have. Their own are below, as letters, or above. */
enum {
	OPTION_HELP = 256,
	OPTION_FORMAT,
	OPTION_OWN,
};

struct arguments {
	const char *verb;
	const char *letters;		/* of options that have one, as for getopt() */
	const struct option *options;	/* long ones; the last is all zero */
	void (*print_help)(void);

	/* One option, but for OPTION_HELP: 0, or -EINVAL with words about it. */
	int (*take)(void *context, int option, const char *value, struct error *err);
	void *context;
	bool without_container;		/* there need be none */
};

/*
 * Read argv, whose first is the verb's name. Returns 0, with the container in *id (NULL
 * where there is none); 1 where help was asked for and printed; -EINVAL.
 */
int arguments_read(const struct arguments *arguments, int argc, char **argv, const char **id,
		   struct error *err);

/* The value of --format: is it json? Or table, or -EINVAL. */
int arguments_format(const char *value, bool *json, struct error *err);
