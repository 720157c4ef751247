// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/file.h"
#include "base/number.h"
#include "cli/arguments.h"
#include "cli/print.h"
#include "cli/progress.h"
#include "cli/signals.h"
#include "cli/verbs.h"
#include "container/update.h"

/*
 * update - other settings for a running container. The options are crun's and runc's,
 * each a value of OCI's `linux.resources`; --resources takes these as JSON.
 */

/* A reclaim that has not got there by then will not; engines wait some minutes for us. */
#define TIMEOUT_DEFAULT 30

enum kind {
	NUMBER,
	SIZE,		/* bytes, also as 50M; -1 is no limit */
	TEXT,
	KEY,		/* a number that is a file's, of cgroup v2 */
};

static const struct setting {
	const char *option;
	const char *section;
	const char *name;
	enum kind kind;
} settings[] = {
	{ "blkio-weight", "blockIO", "weight", NUMBER },
	{ "cpu-period", "cpu", "period", NUMBER },
	{ "cpu-quota", "cpu", "quota", NUMBER },
	{ "cpu-share", "cpu", "shares", NUMBER },
	{ "cpu-rt-period", "cpu", "realtimePeriod", NUMBER },
	{ "cpu-rt-runtime", "cpu", "realtimeRuntime", NUMBER },
	{ "cpu-burst", "unified", "cpu.max.burst", KEY },
	{ "cpu-idle", "unified", "cpu.idle", KEY },
	{ "cpuset-cpus", "cpu", "cpus", TEXT },
	{ "cpuset-mems", "cpu", "mems", TEXT },
	{ "kernel-memory", "memory", "kernel", SIZE },
	{ "kernel-memory-tcp", "memory", "kernelTCP", SIZE },
	{ "memory", "memory", "limit", SIZE },
	{ "memory-reservation", "memory", "reservation", SIZE },
	{ "memory-swap", "memory", "swap", SIZE },
	{ "memory-swappiness", "memory", "swappiness", NUMBER },
	{ "pids-limit", "pids", "limit", NUMBER },
};

#define SETTINGS (sizeof(settings) / sizeof(settings[0]))

struct updating {
	struct update_request request;
	struct progress progress;
	struct json *given;		/* what the options say */
	const char *file;
	int64_t timeout;		/* seconds */
	struct error err;
};

enum option_id {
	OPTION_RESOURCES = 'r',
	OPTION_TIMEOUT = OPTION_OWN,
	OPTION_L3_CACHE_SCHEMA,
	OPTION_MEM_BW_SCHEMA,
	OPTION_SETTING,			/* and those behind it */
};

static void print_help(void)
{
	puts("Usage: memcrun update [OPTION...] CONTAINER\n"
	     "\n"
	     "Give a running container other settings. What is not given stays. A limit below\n"
	     "what is in use is reclaimed down to first, and nobody is killed for it: where that\n"
	     "does not succeed, all settings are what they were.\n"
	     "\n"
	     "  -r, --resources FILE|-     OCI's linux.resources as JSON\n"
	     "      --memory SIZE          limit; bytes, or like 50M; -1 for none\n"
	     "      --memory-swap SIZE     limit of memory and swap together\n"
	     "      --memory-reservation SIZE\n"
	     "                             soft limit\n"
	     "      --memory-swappiness N  0 to 100\n"
	     "      --kernel-memory SIZE, --kernel-memory-tcp SIZE\n"
	     "                             where the kernel has such limits\n"
	     "      --timeout SECONDS      how long to reclaim (default 30, 0 for no end)\n"
	     "      --blkio-weight N, --cpu-period N, --cpu-quota N, --cpu-share N,\n"
	     "      --cpu-rt-period N, --cpu-rt-runtime N, --cpu-burst N, --cpu-idle N,\n"
	     "      --cpuset-cpus LIST, --cpuset-mems LIST, --pids-limit N,\n"
	     "      --l3-cache-schema TEXT, --mem-bw-schema TEXT\n"
	     "                             crun does these\n"
	     "      --help                 show this help\n"
	     "\n"
	     "Exit status: 0 done, 1 error, 2 usage.");
}

static int take_setting(struct updating *updating, const struct setting *setting,
			const char *text, struct error *err)
{
	struct json_value *section;
	int64_t number;
	int ret;

	section = json_need_object(updating->given, json_root(updating->given), setting->section);
	if (setting->kind == TEXT) {
		json_set_string(updating->given, section, setting->name, text);
		return 0;
	}
	ret = number_read_i64(text, &number, NULL);
	if (ret < 0 && setting->kind == SIZE)
		ret = number_read_size(text, &number, NULL);
	if (ret == -ERANGE)
		return error_set(err, EINVAL, "--%s: out of range, \"%s\"", setting->option, text);
	if (ret < 0)
		return error_set(err, EINVAL, "--%s: not a %s, \"%s\"", setting->option,
				 setting->kind == SIZE ? "size" : "number", text);
	if (setting->kind == KEY)
		json_set_string(updating->given, section, setting->name, text);
	else
		json_set_i64(updating->given, section, setting->name, number);
	return 0;
}

static int take_option(void *context, int option, const char *value, struct error *err)
{
	struct updating *updating = context;

	if (option >= OPTION_SETTING)
		return take_setting(updating, &settings[option - OPTION_SETTING], value, err);
	if (option == OPTION_RESOURCES)
		updating->file = value;
	else if (option == OPTION_L3_CACHE_SCHEMA)
		updating->request.l3_cache_schema = value;
	else if (option == OPTION_MEM_BW_SCHEMA)
		updating->request.mem_bw_schema = value;
	else if (number_read_i64(value, &updating->timeout, NULL) < 0 ||
		 updating->timeout < 0 || updating->timeout > 86400)
		return error_set(err, EINVAL, "--timeout: not 0 to 86400 seconds, \"%s\"", value);
	return 0;
}

static int read_options(struct updating *updating, int argc, char **argv)
{
	struct option options[SETTINGS + 6] = {
		{ "resources", required_argument, NULL, OPTION_RESOURCES },
		{ "timeout", required_argument, NULL, OPTION_TIMEOUT },
		{ "l3-cache-schema", required_argument, NULL, OPTION_L3_CACHE_SCHEMA },
		{ "mem-bw-schema", required_argument, NULL, OPTION_MEM_BW_SCHEMA },
		{ "help", no_argument, NULL, OPTION_HELP },
	};
	const struct arguments arguments = {
		.verb = "update",
		.letters = "r:",
		.options = options,
		.print_help = print_help,
		.take = take_option,
		.context = updating,
	};

	for (size_t i = 0; i < SETTINGS; i++)
		options[i + 5] = (struct option){ settings[i].option, required_argument, NULL,
						  OPTION_SETTING + (int)i };
	return arguments_read(&arguments, argc, argv, &updating->request.id, &updating->err);
}

/* The file first, then what options say beside it. */
static int read_resources(struct updating *updating)
{
	struct json_value *root, *section;
	auto_free char *text = NULL;
	auto_close int fd = -1;
	struct json *document = NULL;
	size_t len;
	int ret;

	if (!updating->file) {
		updating->request.resources = take_ptr(&updating->given);
		return 0;
	}
	fd = strcmp(updating->file, "-") == 0 ? dup(STDIN_FILENO) :
						open(updating->file, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return error_errno(&updating->err, errno, "%s: cannot open", updating->file);
	ret = file_read_all(fd, JSON_SIZE_MAX, &text, &len, &updating->err);
	if (ret == 0)
		ret = json_parse(text, len, &document, &updating->err);
	if (ret < 0)
		return error_prefix(&updating->err, ret, "%s", updating->file);
	updating->request.resources = document;
	root = json_root(document);
	if (root->type != JSON_OBJECT)
		return error_set(&updating->err, EINVAL, "%s: not an object", updating->file);
	for (const struct json_value *from = json_root(updating->given)->first; from;
	     from = from->next) {
		section = NULL;
		ret = json_get_object(root, from->key, &section, &updating->err);
		if (ret < 0)
			return error_prefix(&updating->err, ret, "%s", updating->file);
		section = json_need_object(document, root, from->key);
		for (const struct json_value *v = from->first; v; v = v->next) {
			int64_t number = 0;

			if (v->type == JSON_STRING)
				json_set_string(document, section, v->key, v->text);
			else if (number_read_i64(v->text, &number, NULL) == 0)
				json_set_i64(document, section, v->key, number);
		}
	}
	return 0;
}

static void on_progress(void *context, const struct control_progress *progress)
{
	struct updating *updating = context;

	progress_show(&updating->progress, progress->stage, progress->done, progress->total);
}

/* How far it got is what one needs to know for the next try. */
static void add_refusal(struct updating *updating, const struct update_result *result)
{
	struct error why = updating->err;

	if (result->refusal.target)
		error_set(&updating->err, 0,
			  "%s (%" PRId64 " bytes in use, %" PRId64 " wanted); all is as it was",
			  why.text, result->refusal.usage, result->refusal.target);
}

int verb_update(const struct verb_context *context, int argc, char **argv)
{
	struct verb_context ours = *context;
	struct update_result result = { 0 };
	struct updating updating = {
		.timeout = TIMEOUT_DEFAULT,
		.given = json_new(),
		.request = { .globals = context->globals },
	};
	bool usage = true;
	int ret;

	ret = updating.given ? read_options(&updating, argc, argv) :
			       error_errno(&updating.err, ENOMEM, "update");
	if (ret == 0) {
		usage = false;
		ours.log.id = updating.request.id;
		ret = read_resources(&updating);
	}
	/* returns where it could not */
	if (ret == 0 && update_is_cruns(updating.request.resources)) {
		ret = update_become_crun(&updating.request, context->caller,
					 argv - context->globals->verb, context->globals->verb,
					 &updating.err);
		error_prefix(&updating.err, ret, "%s", updating.request.id);
	} else if (ret == 0) {
		updating.request.control = (struct control){
			.interrupted = signals_catch(),
			.until = updating.timeout ?
					 control_now_usec() + updating.timeout * 1000000 : 0,
			.progress = on_progress,
			.context = &updating,
		};
		ret = container_update(&updating.request, &result, &updating.err);
		progress_end(&updating.progress);
		if (ret < 0)
			add_refusal(&updating, &result);
		if (ret < 0)
			error_prefix(&updating.err, ret, "%s", updating.request.id);
		for (size_t i = 0; ret == 0 && i < result.plan.note_count; i++)
			log_line(&ours.log, LOG_LEVEL_WARNING, result.plan.notes[i].text);
		if (result.repaired)
			log_line(&ours.log, LOG_LEVEL_WARNING,
				 "an update that was interrupted has been taken back first");
	}
	json_free(updating.given);
	json_free(updating.request.resources);
	if (ret == 1)
		return EXIT_DONE;
	if (ret < 0)
		log_line(&ours.log, LOG_LEVEL_ERROR, updating.err.text);
	return ret < 0 ? (usage ? EXIT_USAGE : EXIT_FAILED) : EXIT_DONE;
}
