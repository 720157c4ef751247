// SPDX-License-Identifier: GPL-2.0-or-later
#include "oci-hooks/hook.h"

#include <errno.h>
#include <getopt.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/caller.h"
#include "cli/log.h"
#include "oci-hooks/confine.h"
#include "oci-hooks/engine.h"

#define PROGRAM "memcrun-hook"

static const struct stage {
	const char *name;
	int (*run)(const struct host *host, const struct state *state, struct memory_plan *notes,
		   struct error *err);
	bool decides;		/* an error is one of the container's */
	const char *line;
} stages[] = {
	{ "createRuntime", hook_create_runtime, true,
	  "put the memory settings in force" },
	{ "poststart", hook_poststart, false, "say which of them somebody has changed since" },
	{ "poststop", hook_poststop, false, "remove what createRuntime has left in the bundle" },
};

#define STAGES (sizeof(stages) / sizeof(stages[0]))

enum option_id {
	OPTION_LOG = 256,
	OPTION_LOG_FORMAT,
	OPTION_CGROUP_ROOT,
	OPTION_HELP,
	OPTION_VERSION,
};

static const struct option options[] = {
	{ "log", required_argument, NULL, OPTION_LOG },
	{ "log-format", required_argument, NULL, OPTION_LOG_FORMAT },
	{ "cgroup-root", required_argument, NULL, OPTION_CGROUP_ROOT },
	{ "help", no_argument, NULL, OPTION_HELP },
	{ "version", no_argument, NULL, OPTION_VERSION },
	{ 0 },
};

struct hook {
	struct log log;
	const char *cgroup_root;
	const struct stage *stage;
};

static void print_help(void)
{
	puts("Usage: " PROGRAM " [OPTION...] STAGE <STATE\n"
	     "\n"
	     "An OCI hook that makes the memory settings of a container mean what they say,\n"
	     "for engines that use crun or runc as they are. See memcrun-hook(1).\n"
	     "\n"
	     "Stages:");
	for (size_t i = 0; i < STAGES; i++)
		printf("  %-14s %s\n", stages[i].name, stages[i].line);
	puts("\n"
	     "Options:\n"
	     "      --log TARGET           [file:]PATH, syslog:ID or journald:ID (default: the\n"
	     "                             runtime's own)\n"
	     "      --log-format text|json\n"
	     "      --cgroup-root DIR      cgroups are below DIR (default " HOST_CGROUP_ROOT ")\n"
	     "      --help                 show this help\n"
	     "      --version              show the version\n"
	     "\n"
	     "Exit status: 0 done, 1 error, 2 usage.");
}

static int read_options(struct hook *hook, int argc, char **argv, struct error *err)
{
	int option;

	opterr = 0;
	while ((option = getopt_long(argc, argv, ":", options, NULL)) != -1) {
		switch (option) {
		case OPTION_LOG:
			hook->log.target = optarg;
			break;
		case OPTION_LOG_FORMAT:
			if (strcmp(optarg, "text") && strcmp(optarg, "json"))
				return error_set(err, EINVAL, "--log-format: not text or json, \"%s\"",
						 optarg);
			hook->log.format = optarg;
			break;
		case OPTION_CGROUP_ROOT:
			hook->cgroup_root = optarg;
			break;
		case OPTION_HELP:
			print_help();
			return 1;
		case OPTION_VERSION:
			puts(PROGRAM " " PACKAGE_VERSION);
			return 1;
		case ':':
			return error_set(err, EINVAL, "needs an argument, \"%s\"", argv[optind - 1]);
		default:
			return error_set(err, EINVAL, "unknown option, \"%s\"", argv[optind - 1]);
		}
	}
	if (argc - optind != 1)
		return error_set(err, EINVAL, "one stage is needed: createRuntime, poststart or poststop");
	for (size_t i = 0; i < STAGES; i++) {
		if (strcmp(argv[optind], stages[i].name) == 0)
			hook->stage = &stages[i];
	}
	if (!hook->stage)
		return error_set(err, EINVAL, "no such stage, \"%s\"", argv[optind]);
	return 0;
}

static int run(struct hook *hook, struct error *err)
{
	struct host host = { .cgroup_root = -1, .proc = -1 };
	struct memory_plan notes = { 0 };
	struct state state = { 0 };
	int ret;

	engine_find_log(&hook->log);
	ret = host_open(&host, hook->cgroup_root, err);
	if (ret == 0)
		ret = confine(err);
	if (ret == 0)
		ret = state_read(&state, STDIN_FILENO, err);
	if (ret == 0) {
		hook->log.id = state.id;
		ret = hook->stage->run(&host, &state, &notes, err);
		/* for the log, which may be where only its owner gets */
		confine_capabilities(true, NULL);
	}
	for (size_t i = 0; ret == 0 && i < notes.note_count; i++)
		log_line(&hook->log, LOG_LEVEL_WARNING, notes.notes[i].text);
	if (ret < 0)
		log_line(&hook->log, LOG_LEVEL_ERROR, err->text);
	state_free(&state);
	host_close(&host);
	return ret;
}

int main(int argc, char **argv)
{
	struct hook hook = { .log = { .program = PROGRAM } };
	struct caller caller;
	struct error err;
	int ret;

	ret = caller_begin(&caller, &err);
	caller_unblock();
	if (ret == 0)
		ret = read_options(&hook, argc, argv, &err);
	if (ret < 0) {
		engine_find_log(&hook.log);
		log_line(&hook.log, LOG_LEVEL_ERROR, err.text);
		return 2;
	}
	/* runc ends a container whose poststart hook fails */
	return ret == 0 && run(&hook, &err) < 0 && hook.stage->decides ? 1 : 0;
}
