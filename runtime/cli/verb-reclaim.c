// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/json.h"
#include "base/number.h"
#include "cli/arguments.h"
#include "cli/print.h"
#include "cli/progress.h"
#include "cli/signals.h"
#include "cli/units.h"
#include "cli/verbs.h"
#include "container/update-reclaim.h"

/*
 * reclaim - ask for some of a container's memory back, by hand.
 */

struct reclaiming {
	struct reclaim_request request;
	struct progress progress;
	int64_t timeout;	/* seconds */
	bool json;
	struct error err;
};

enum option_id {
	OPTION_TO = OPTION_OWN,
	OPTION_BY,
	OPTION_SWAPPINESS,
	OPTION_TIMEOUT,
};

static const struct option options[] = {
	{ "to", required_argument, NULL, OPTION_TO },
	{ "by", required_argument, NULL, OPTION_BY },
	{ "swappiness", required_argument, NULL, OPTION_SWAPPINESS },
	{ "timeout", required_argument, NULL, OPTION_TIMEOUT },
	{ "format", required_argument, NULL, OPTION_FORMAT },
	{ "help", no_argument, NULL, OPTION_HELP },
	{ 0 },
};

static void print_help(void)
{
	puts("Usage: memcrun reclaim [OPTION...] --to SIZE | --by SIZE CONTAINER\n"
	     "\n"
	     "Ask for memory of a running container back: page cache is dropped, other memory\n"
	     "swapped. No limit changes, and nobody is killed; but without memory.reclaim, as\n"
	     "on cgroup v1, it is done by lowering the limit for that time, and who needs more\n"
	     "than that waits until it is over.\n"
	     "\n"
	     "      --to SIZE              until no more than this is in use; bytes, or like 50M\n"
	     "      --by SIZE              so much\n"
	     "      --swappiness N         0 to 200, for this time (Linux 6.8)\n"
	     "      --timeout SECONDS      give up after this time (default 30, 0 for no end)\n"
	     "      --format table|json    how to print (default table)\n"
	     "      --help                 show this help\n"
	     "\n"
	     "Exit status: 0 done, 1 not all of it, or another error, 2 usage.");
}

static int take_number(const char *name, const char *text, int64_t max, int64_t *number,
		       struct error *err)
{
	if (number_read_i64(text, number, NULL) < 0 || *number < 0 || *number > max)
		return error_set(err, EINVAL, "--%s: not a number from 0 to %lld, \"%s\"", name,
				 (long long)max, text);
	return 0;
}

static int take_size(const char *name, const char *text, int64_t *size, struct error *err)
{
	int ret = number_read_size(text, size, NULL);

	if (ret < 0)
		return error_set(err, EINVAL, ret == -ERANGE ? "--%s: out of range, \"%s\"" :
				 "--%s: not a size, \"%s\"", name, text);
	return 0;
}

static int take_option(void *context, int option, const char *value, struct error *err)
{
	struct reclaiming *reclaiming = context;
	int64_t number = 0;
	int ret;

	switch (option) {
	case OPTION_TO:
		return take_size("to", value, &reclaiming->request.to, err);
	case OPTION_BY:
		return take_size("by", value, &reclaiming->request.by, err);
	case OPTION_SWAPPINESS:
		ret = take_number("swappiness", value, 200, &number, err);
		reclaiming->request.swappiness = (int)number;
		return ret;
	case OPTION_TIMEOUT:
		return take_number("timeout", value, 86400, &reclaiming->timeout, err);
	default:
		return arguments_format(value, &reclaiming->json, err);
	}
}

static void on_progress(void *context, const struct control_progress *progress)
{
	struct reclaiming *reclaiming = context;

	progress_show(&reclaiming->progress, progress->stage, progress->done, progress->total);
}

static const char *reclaimed_text(char text[SIZE_TEXT_MAX], const struct reclaim_result *result)
{
	return size_text(text, result->before > result->after ? result->before - result->after : 0);
}

static int print(struct reclaiming *reclaiming, const struct reclaim_result *result)
{
	char before[SIZE_TEXT_MAX], after[SIZE_TEXT_MAX], got[SIZE_TEXT_MAX];
	auto_json struct json *document = NULL;
	struct json_value *root;

	if (!reclaiming->json) {
		printf("%s: %s reclaimed, %s before, %s now\n", reclaiming->request.id,
		       reclaimed_text(got, result), size_text(before, result->before),
		       size_text(after, result->after));
		return 0;
	}
	document = json_new();
	if (!document)
		return error_errno(&reclaiming->err, ENOMEM, "reclaim: cannot print");
	root = json_root(document);
	json_set_string(document, root, "container", reclaiming->request.id);
	json_set_i64(document, root, "before_bytes", result->before);
	json_set_i64(document, root, "target_bytes", result->target);
	json_set_i64(document, root, "after_bytes", result->after);
	return print_json(document, &reclaiming->err);
}

/*
 * A reclaim that did not get there is an error with its figures in it, and no result; only
 * programs get one, to read how far it got.
 */
static int report(struct reclaiming *reclaiming, const struct reclaim_result *result, int ret)
{
	char after[SIZE_TEXT_MAX], got[SIZE_TEXT_MAX], target[SIZE_TEXT_MAX];
	struct error why = reclaiming->err;
	int printed = 0;

	if (ret == 0 || reclaiming->json)
		printed = print(reclaiming, result);
	if (printed == 0)
		printed = print_end("reclaim", &reclaiming->err);
	reclaimed_text(got, result);
	size_text(after, result->after);
	if (ret < 0)
		return error_set(&reclaiming->err, -ret, "%s: %s; %s were reclaimed, %s are in use, "
				 "%s wanted", reclaiming->request.id, why.text, got, after,
				 size_text(target, result->target));
	if (printed < 0)
		error_prefix(&reclaiming->err, printed, "%s: %s were reclaimed, %s are in use",
			     reclaiming->request.id, got, after);
	return printed;
}

int verb_reclaim(const struct verb_context *context, int argc, char **argv)
{
	struct verb_context ours = *context;
	struct reclaim_result result = { 0 };
	struct reclaiming reclaiming = {
		.timeout = 30,
		.request = { .root = context->globals->root, .to = -1, .by = -1, .swappiness = -1 },
	};
	const struct arguments arguments = {
		.verb = "reclaim",
		.options = options,
		.print_help = print_help,
		.take = take_option,
		.context = &reclaiming,
	};
	int ret;

	ret = arguments_read(&arguments, argc, argv, &reclaiming.request.id, &reclaiming.err);
	if (ret == 1)
		return EXIT_DONE;
	if (ret == 0 && (reclaiming.request.to >= 0) == (reclaiming.request.by >= 0))
		ret = error_set(&reclaiming.err, EINVAL, "reclaim: one of --to and --by");
	if (ret < 0) {
		log_line(&context->log, LOG_LEVEL_ERROR, reclaiming.err.text);
		return EXIT_USAGE;
	}

	ours.log.id = reclaiming.request.id;
	reclaiming.request.control = (struct control){
		.interrupted = signals_catch(),
		.until = reclaiming.timeout ? control_now_usec() + reclaiming.timeout * 1000000 : 0,
		.progress = on_progress,
		.context = &reclaiming,
	};
	ret = container_reclaim(&reclaiming.request, &result, &reclaiming.err);
	progress_end(&reclaiming.progress);
	/* what was reclaimed was, also where it is not all */
	if (ret == 0 || (result.after >= 0 && (ret == -EBUSY || ret == -ETIMEDOUT || ret == -EINTR)))
		ret = report(&reclaiming, &result, ret);
	else
		error_prefix(&reclaiming.err, ret, "%s", reclaiming.request.id);
	if (ret < 0)
		log_line(&ours.log, LOG_LEVEL_ERROR, reclaiming.err.text);
	return ret < 0 ? EXIT_FAILED : EXIT_DONE;
}
