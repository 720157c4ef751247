// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/number.h"
#include "cli/arguments.h"
#include "cli/charges.h"
#include "cli/print.h"
#include "cli/progress.h"
#include "cli/signals.h"
#include "cli/units.h"
#include "cli/verbs.h"
#include "container/adopt.h"

/*
 * adopt - a container takes over charges: of a cgroup, or of what a process maps.
 */

struct adopting {
	struct adopt_request request;
	struct progress progress;
	bool json;
	struct error err;
};

enum option_id {
	OPTION_FROM = OPTION_OWN,
	OPTION_PID,
	OPTION_CHARGES,
};

static const struct option options[] = {
	{ "from", required_argument, NULL, OPTION_FROM },
	{ "pid", required_argument, NULL, OPTION_PID },
	{ "charges", required_argument, NULL, OPTION_CHARGES },
	{ "format", required_argument, NULL, OPTION_FORMAT },
	{ "help", no_argument, NULL, OPTION_HELP },
	{ 0 },
};

static void print_help(void)
{
	puts("Usage: memcrun adopt [OPTION...] --from CGROUP | --pid PID CONTAINER\n"
	     "\n"
	     "Let a container take over what others are charged for: a cgroup with all below\n"
	     "it (the page cache and tmpfs of a service that it continues), or whoever pays\n"
	     "for what a process maps that has joined it.\n"
	     "\n"
	     "      --from CGROUP          all of this cgroup, named from the root\n"
	     "      --pid PID              what process PID maps: anon, file and shmem\n"
	     "      --charges all|TYPE,... only these: anon file shmem swap kernel\n"
	     "      --format table|json    how to print (default table)\n"
	     "      --help                 show this help\n"
	     "\n"
	     "Needs a kernel with memory.migrate. Exit status: 0 done, 1 error, 2 usage. After\n"
	     "an error what had moved by then stays; the same again goes on.");
}

static int take_pid(struct adopting *adopting, const char *text, struct error *err)
{
	int64_t pid;

	if (number_read_i64(text, &pid, NULL) < 0 || pid <= 0 || pid > INT32_MAX)
		return error_set(err, EINVAL, "--pid: not a process, \"%s\"", text);
	adopting->request.pid = (pid_t)pid;
	return 0;
}

static int take_option(void *context, int option, const char *value, struct error *err)
{
	struct adopting *adopting = context;

	switch (option) {
	case OPTION_FROM:
		adopting->request.from = value;
		return 0;
	case OPTION_PID:
		return take_pid(adopting, value, err);
	case OPTION_CHARGES:
		if (charge_types_read(&adopting->request.types, value, err) < 0)
			return error_prefix(err, -EINVAL, "--charges");
		if (!adopting->request.types)
			return error_set(err, EINVAL, "--charges: nothing to do, \"%s\"", value);
		return 0;
	default:
		return arguments_format(value, &adopting->json, err);
	}
}

/* What options mean together. */
static int check_options(const struct adopt_request *request, struct error *err)
{
	if (!request->from == !request->pid)
		return error_set(err, EINVAL, "adopt: one of --from and --pid");
	if (request->pid && !(request->types & (CHARGE_ANON | CHARGE_FILE | CHARGE_SHMEM)))
		return error_set(err, EINVAL,
				 "adopt: --pid: only anon, file and shmem say whose they are");
	return 0;
}

static void on_progress(void *context, const struct control_progress *progress)
{
	struct adopting *adopting = context;

	progress_show(&adopting->progress, progress->stage, progress->done, progress->total);
}

static int print(struct adopting *adopting, const struct adopt_result *result)
{
	auto_json struct json *document = NULL;
	char time[SIZE_TEXT_MAX];
	struct json_value *root;

	if (!adopting->json) {
		if (charges_table(&result->moved, result->moved.total, &result->left) < 0)
			return error_errno(&adopting->err, ENOMEM, "adopt: cannot print");
		printf("\n%s\n", time_text(time, result->total_usec));
		return 0;
	}
	document = json_new();
	if (!document)
		return error_errno(&adopting->err, ENOMEM, "adopt: cannot print");
	root = json_root(document);
	json_set_string(document, root, "container", adopting->request.id);
	json_set_i64(document, root, "moved_bytes", result->moved.total);
	json_set_i64(document, root, "left_bytes", result->left.total);
	json_set_i64(document, root, "total_usec", result->total_usec);
	charges_json(document, root, &result->moved, &result->left);
	return print_json(document, &adopting->err);
}

int verb_adopt(const struct verb_context *context, int argc, char **argv)
{
	struct verb_context ours = *context;
	struct adopting adopting = { 0 };
	struct adopt_result result = { 0 };
	char moved[SIZE_TEXT_MAX];
	const struct arguments arguments = {
		.verb = "adopt",
		.options = options,
		.print_help = print_help,
		.take = take_option,
		.context = &adopting,
	};
	int ret;

	adopting.request = (struct adopt_request){
		.root = context->globals->root,
		.types = CHARGE_ALL,
		.control = { .progress = on_progress, .context = &adopting },
	};
	ret = arguments_read(&arguments, argc, argv, &adopting.request.id, &adopting.err);
	if (ret == 1)
		return EXIT_DONE;
	if (ret == 0)
		ret = check_options(&adopting.request, &adopting.err);
	if (ret < 0) {
		log_line(&context->log, LOG_LEVEL_ERROR, adopting.err.text);
		return EXIT_USAGE;
	}

	ours.log.id = adopting.request.id;
	adopting.request.control.interrupted = signals_catch();
	ret = container_adopt(&adopting.request, &result, &adopting.err);
	progress_end(&adopting.progress);
	if (ret < 0) {
		error_prefix(&adopting.err, ret, "%s", adopting.request.id);
	} else {
		ret = print(&adopting, &result);
		if (ret == 0)
			ret = print_end("adopt", &adopting.err);
		if (ret < 0)
			error_prefix(&adopting.err, ret, "%s: has taken over %s",
				     adopting.request.id, size_text(moved, result.moved.total));
	}
	if (ret < 0)
		log_line(&ours.log, LOG_LEVEL_ERROR, adopting.err.text);
	return ret < 0 ? EXIT_FAILED : EXIT_DONE;
}
