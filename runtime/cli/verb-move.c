// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/json.h"
#include "cli/arguments.h"
#include "cli/charges.h"
#include "cli/print.h"
#include "cli/progress.h"
#include "cli/signals.h"
#include "cli/units.h"
#include "cli/verbs.h"
#include "move/move.h"

/*
 * move - a running container goes to another cgroup, and its memory with it.
 */

enum action {
	MOVE,
	RESUME,
	ROLLBACK,
};

struct moving {
	struct move_request request;
	struct progress progress;
	enum action action;
	bool charges_given;
	bool json;
	struct error err;
};

enum option_id {
	OPTION_TO = OPTION_OWN,
	OPTION_SLICE,
	OPTION_CHARGES,
	OPTION_LIVE,
	OPTION_TIMEOUT,
	OPTION_RESUME,
	OPTION_ROLLBACK,
};

static const struct option options[] = {
	{ "to", required_argument, NULL, OPTION_TO },
	{ "slice", required_argument, NULL, OPTION_SLICE },
	{ "charges", required_argument, NULL, OPTION_CHARGES },
	{ "live", no_argument, NULL, OPTION_LIVE },
	{ "timeout", required_argument, NULL, OPTION_TIMEOUT },
	{ "resume", no_argument, NULL, OPTION_RESUME },
	{ "rollback", no_argument, NULL, OPTION_ROLLBACK },
	{ "format", required_argument, NULL, OPTION_FORMAT },
	{ "help", no_argument, NULL, OPTION_HELP },
	{ 0 },
};

static void print_help(void)
{
	puts("Usage: memcrun move [OPTION...] --to CGROUP | --slice SLICE CONTAINER\n"
	     "       memcrun move [OPTION...] --resume | --rollback CONTAINER\n"
	     "\n"
	     "Move a running container to another cgroup, with all settings of all\n"
	     "controllers, the filter of devices, and the memory that it is charged for.\n"
	     "\n"
	     "      --to CGROUP            the new cgroup, from the root; under systemd a scope\n"
	     "      --slice SLICE          the same name in SLICE (under systemd a new scope)\n"
	     "      --charges all|none|TYPE,...\n"
	     "                             what goes along: anon file shmem swap kernel; refused\n"
	     "                             where the kernel cannot (default all, if it can)\n"
	     "      --live                 do not freeze it meanwhile\n"
	     "      --timeout SECONDS      give up, and go back, when it is not done by then\n"
	     "      --resume               end a move that was interrupted\n"
	     "      --rollback             undo it\n"
	     "      --format table|json    how to print (default table)\n"
	     "      --help                 show this help\n"
	     "\n"
	     "Exit status: 0 done, 1 error, 2 usage. After an error the container is where\n"
	     "it was, or the words say where.");
}

static int take_timeout(struct moving *moving, const char *text, struct error *err)
{
	char *end;
	double seconds;

	errno = 0;
	seconds = strtod(text, &end);
	if (end == text || *end || errno || !(seconds > 0 && seconds <= 86400) ||
	    strspn(text, "0123456789.") != strlen(text))
		return error_set(err, EINVAL,
				 "--timeout: not seconds, more than 0 and up to 86400, \"%s\"",
				 text);
	moving->request.timeout_ms = (int)(seconds * 1000) + (seconds * 1000 < 1);
	return 0;
}

static int take_option(void *context, int option, const char *value, struct error *err)
{
	struct moving *moving = context;
	struct move_request *request = &moving->request;

	switch (option) {
	case OPTION_TO:
		request->to = value;
		return 0;
	case OPTION_SLICE:
		request->slice = value;
		return 0;
	case OPTION_CHARGES:
		if (charge_types_read(&request->types, value, err) < 0)
			return error_prefix(err, -EINVAL, "--charges");
		request->must = request->types != 0;
		moving->charges_given = true;
		return 0;
	case OPTION_LIVE:
		request->live = true;
		return 0;
	case OPTION_TIMEOUT:
		return take_timeout(moving, value, err);
	case OPTION_RESUME:
	case OPTION_ROLLBACK:
		if (moving->action != MOVE)
			return error_set(err, EINVAL,
					 "one of --resume and --rollback at a time");
		moving->action = option == OPTION_RESUME ? RESUME : ROLLBACK;
		return 0;
	default:
		return arguments_format(value, &moving->json, err);
	}
}

/* What options mean together. */
static int check_options(const struct moving *moving, struct error *err)
{
	const struct move_request *request = &moving->request;

	if (moving->action == MOVE && !request->to == !request->slice)
		return error_set(err, EINVAL, "move: one of --to and --slice");
	if (moving->action != MOVE && (request->to || request->slice))
		return error_set(err, EINVAL,
				 "move: where to was said when the move began: no --to, no --slice");
	if (moving->action != MOVE && (request->live || moving->charges_given))
		return error_set(err, EINVAL,
				 "move: how was said when the move began: no --live, no --charges");
	return 0;
}

static void on_progress(void *context, const struct control_progress *progress)
{
	struct moving *moving = context;

	progress_show(&moving->progress, progress->stage, progress->done, progress->total);
}

/* --- what is printed */

static int print_document(struct moving *moving, const struct move_result *result)
{
	auto_json struct json *document = json_new();
	struct json_value *root;

	if (!document)
		return error_errno(&moving->err, ENOMEM, "move: cannot print");
	root = json_root(document);
	json_set_string(document, root, "container", moving->request.id);
	json_set_string(document, root, "from", result->from);
	json_set_string(document, root, "to", result->to);
	json_set_bool(document, root, "undone", result->undone);
	json_set_bool(document, root, "moves_charges", result->charges);
	json_set_i64(document, root, "tasks", result->tasks);
	json_set_i64(document, root, "moved_bytes", result->moved.total);
	json_set_i64(document, root, "left_bytes", result->left.total);
	json_set_i64(document, root, "before_bytes", result->before);
	json_set_i64(document, root, "after_bytes", result->after);
	json_set_i64(document, root, "frozen_usec", result->frozen_usec);
	json_set_i64(document, root, "total_usec", result->total_usec);
	if (result->blind)
		json_set_string(document, root, "engine_without_statistics", result->blind);
	else
		json_set_null(document, root, "engine_without_statistics");
	json_set_i64(document, root, "cgroup_mounts", result->mounts);
	json_set_i64(document, root, "cgroup_mounts_left", result->mounts_left);
	json_set_bool(document, root, "old_is_dying", result->dying);
	json_set_bool(document, root, "old_is_held_by_namespace", result->held);
	json_set_string(document, root, "unit_properties_left",
			result->unit_left ? result->unit_left : "");
	charges_json(document, root, result->by_type ? &result->moved : NULL, &result->left);
	return print_json(document, &moving->err);
}

static int print_table(struct moving *moving, const struct move_result *result)
{
	char total[SIZE_TEXT_MAX], frozen[SIZE_TEXT_MAX];

	/* as safe for a terminal as an error's words */
	error_set(&moving->err, 0, "%s: %s -> %s", moving->request.id, result->from, result->to);
	printf("%s\n\n", moving->err.text);
	if (moving->action == MOVE || result->moved.total || result->left.total) {
		if (charges_table(result->by_type ? &result->moved : NULL,
				  result->charges ? result->moved.total : -1, &result->left) < 0)
			return error_errno(&moving->err, ENOMEM, "move: cannot print");
		puts("");
	}
	printf("%d %s, ", result->tasks, result->tasks == 1 ? "task" : "tasks");
	if (result->frozen_usec)
		printf("frozen for %s, ", time_text(frozen, result->frozen_usec));
	printf("%s in all\n", time_text(total, result->total_usec));
	return 0;
}

/* The kernel keeps up to 64 pages of a charge for each processor, on either side. */
static int64_t batch(void)
{
	return 2 * 64 * sysconf(_SC_PAGESIZE) * sysconf(_SC_NPROCESSORS_CONF);
}

static void say(const struct log *log, const char *id, const char *format, ...) PRINTF(3, 4);

static void say(const struct log *log, const char *id, const char *format, ...)
{
	struct error words;
	va_list args;

	va_start(args, format);
	vsnprintf(words.text, sizeof(words.text), format, args);
	va_end(args);
	error_one_line(words.text);
	error_prefix(&words, 0, "%s", id);
	log_line(log, LOG_LEVEL_WARNING, words.text);
}

static void warn(const struct log *log, const char *id, const struct move_result *result)
{
	int64_t differs = result->after - result->before;

	if (!result->charges && result->left.total)
		say(log, id, "this kernel moves no charges: %lld bytes stay charged to %s, which is "
		    "removed", (long long)result->left.total, result->from);
	else if (result->dying && result->held)
		say(log, id, "the container's cgroup namespace keeps %s, which is removed and empty, "
		    "until it ends", result->from);
	else if (result->dying)
		say(log, id, "%s is removed, but still dying", result->from);
	if (result->unit_left && *result->unit_left)
		say(log, id, "systemd takes these properties for no new scope, and they are lost, "
		    "\"%s\"", result->unit_left);
	if (result->blind)
		say(log, id, "%s reads its statistics in the cgroup that it asked for, and has none "
		    "until the container is there again", result->blind);
	if (result->mounts_left)
		say(log, id, "what it has mounted of its cgroup shows the old one, empty: %s",
		    result->mounts_why.text);
	if (result->by_type && result->frozen_usec && result->before &&
	    (differs > batch() || -differs > batch()))
		say(log, id, "%lld bytes were charged before and %lld are after",
		    (long long)result->before, (long long)result->after);
}

int verb_move(const struct verb_context *context, int argc, char **argv)
{
	static int (*const actions[])(const struct move_request *request,
				      struct move_result *result, struct error *err) = {
		[MOVE] = container_move,
		[RESUME] = container_move_resume,
		[ROLLBACK] = container_move_rollback,
	};
	auto_move_result struct move_result result = { 0 };
	struct verb_context ours = *context;
	struct moving moving = { 0 };
	const struct arguments arguments = {
		.verb = "move",
		.options = options,
		.print_help = print_help,
		.take = take_option,
		.context = &moving,
	};
	int ret;

	moving.request = (struct move_request){
		.root = context->globals->root,
		.types = CHARGE_ALL,
		.control = {
			.progress = on_progress,
			.context = &moving,
		},
	};
	ret = arguments_read(&arguments, argc, argv, &moving.request.id, &moving.err);
	if (ret == 1)
		return EXIT_DONE;
	if (ret == 0)
		ret = check_options(&moving, &moving.err);
	if (ret < 0) {
		log_line(&context->log, LOG_LEVEL_ERROR, moving.err.text);
		return EXIT_USAGE;
	}

	ours.log.id = moving.request.id;
	moving.request.control.interrupted = signals_catch();
	ret = actions[moving.action](&moving.request, &result, &moving.err);
	progress_end(&moving.progress);
	if (ret < 0) {
		error_prefix(&moving.err, ret, "%s", moving.request.id);
	} else {
		warn(&ours.log, moving.request.id, &result);
		ret = moving.json ? print_document(&moving, &result) : print_table(&moving, &result);
		if (ret == 0)
			ret = print_end("move", &moving.err);
		/* the move itself is done, and nobody would know */
		if (ret < 0)
			error_prefix(&moving.err, ret, "%s: is in %s", moving.request.id, result.to);
	}
	if (ret < 0)
		log_line(&ours.log, LOG_LEVEL_ERROR, moving.err.text);
	return ret < 0 ? EXIT_FAILED : EXIT_DONE;
}
