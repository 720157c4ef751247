// SPDX-License-Identifier: GPL-2.0-or-later
#include "cli/arguments.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

/*
 * What getopt says is none: a letter, perhaps among others in a word, or the word. For a
 * long option with a value that it does not take, optopt is its number.
 */
static int refuse(char **argv, struct error *err)
{
	const char *word = argv[optind - 1];
	char letter[] = "-?";

	/* a byte beyond ASCII is less than 0, and its word has not been passed */
	if (optopt < 0)
		word = argv[optind];
	if (optopt > 0 && optopt <= UCHAR_MAX) {
		letter[1] = (char)optopt;
		word = letter;
	}
	return error_set(err, EINVAL, "unknown option, \"%s\"", word);
}

static int read_options(const struct arguments *arguments, int argc, char **argv,
			struct error *err)
{
	char letters[16];
	int option, ret = 0;

	snprintf(letters, sizeof(letters), ":%s", arguments->letters ? arguments->letters : "");
	optind = 0;
	opterr = 0;
	while (ret == 0 &&
	       (option = getopt_long(argc, argv, letters, arguments->options, NULL)) != -1) {
		switch (option) {
		case OPTION_HELP:
			arguments->print_help();
			return 1;
		case ':':
			return error_set(err, EINVAL, "needs an argument, \"%s\"",
					 argv[optind - 1]);
		case '?':
			return refuse(argv, err);
		default:
			ret = arguments->take(arguments->context, option, optarg, err);
		}
	}
	return ret;
}

static int read_container(const struct arguments *arguments, int argc, char **argv,
			  const char **id, struct error *err)
{
	*id = NULL;
	if (argc - optind > 1)
		return error_set(err, EINVAL, "more than one container, \"%s\"",
				 argv[optind + 1]);
	if (optind < argc)
		*id = argv[optind];
	else if (!arguments->without_container)
		return error_set(err, EINVAL, "which container?");
	return 0;
}

int arguments_read(const struct arguments *arguments, int argc, char **argv, const char **id,
		   struct error *err)
{
	int ret;

	ret = read_options(arguments, argc, argv, err);
	if (ret == 0)
		ret = read_container(arguments, argc, argv, id, err);
	return ret < 0 ? error_prefix(err, ret, "%s", arguments->verb) : ret;
}

int arguments_format(const char *value, bool *json, struct error *err)
{
	*json = strcmp(value, "json") == 0;
	if (!*json && strcmp(value, "table") != 0)
		return error_set(err, EINVAL, "--format: not table or json, \"%s\"", value);
	return 0;
}
