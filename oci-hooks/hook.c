// SPDX-License-Identifier: GPL-2.0-or-later
#include "oci-hooks/hook.h"

#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/caller.h"
#include "base/cleanup.h"
#include "cli/log.h"
#include "kernel/cgroup.h"
#include "oci-hooks/confine.h"
#include "oci-hooks/engine.h"
#include "oci-hooks/migrator.h"
#include "oci-hooks/reader.h"

#define PROGRAM "memcrun-hook"

static const struct stage {
	const char *name;
	int (*run)(const struct host *host, const struct state *state,
		   const struct charge_writer *writer, struct memory_plan *notes,
		   struct error *err);
	bool decides;		/* an error is one of the container's */
	bool writes;		/* into the container's cgroup */
	unsigned int bundle;	/* what it does there */
	const char *line;
} stages[] = {
	{ "createRuntime", hook_create_runtime, true, true,
	  CONFINE_READ | CONFINE_WRITE | CONFINE_REPLACE, "put the memory settings in force" },
	{ "poststart", hook_poststart, false, false, CONFINE_READ,
	  "say which of them somebody has changed since" },
	{ "poststop", hook_poststop, false, false, CONFINE_READ | CONFINE_REPLACE,
	  "remove what createRuntime has left in the bundle" },
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

/* The log's own file, which the runtime has open as well. */
static int allow_log(int rules, const struct log *log, struct error *err)
{
	const char *target = log->target;
	auto_close int fd = -1;

	if (target && strncmp(target, "file:", strlen("file:")) == 0)
		target += strlen("file:");
	/* syslog(3) reads the time zone, which is closed from now on */
	if (target && strncmp(target, "syslog:", strlen("syslog:")) == 0)
		tzset();
	if (target && !strchr(target, ':'))
		fd = open(target, O_RDWR | O_APPEND | O_CREAT | O_CLOEXEC, 0666);
	return confine_files_allow(rules, fd, CONFINE_READ | CONFINE_WRITE, err);
}

static int open_process(const struct host *host, pid_t pid)
{
	char name[16];

	snprintf(name, sizeof(name), "%d", pid);
	return openat(host->proc, name, O_PATH | O_DIRECTORY | O_CLOEXEC);
}

/*
 * What a stage needs beyond reading cgroups. What is not there, or no bundle at all, gets no
 * rule: the stage says so in its own words.
 */
static int allow_container(int rules, const struct stage *stage, const struct host *host,
			   const struct state *state, struct error *err)
{
	auto_cgroup struct cgroup its = CGROUP_NONE, own = CGROUP_NONE;
	auto_close int process = open_process(host, state->pid);
	auto_close int self = open_process(host, getpid());
	auto_close int bundle = -1;
	int ret;

	if (state->bundle && state->bundle[0] == '/')
		bundle = open(state->bundle, O_PATH | O_DIRECTORY | O_CLOEXEC);
	ret = confine_files_allow(rules, host->cgroup_root, CONFINE_READ, err);
	if (ret == 0)
		ret = confine_files_allow(rules, process, CONFINE_READ, err);
	if (ret == 0)
		ret = confine_files_allow(rules, self, CONFINE_READ, err);
	if (ret == 0)
		ret = confine_files_allow(rules, bundle, stage->bundle, err);
	if (ret < 0 || !stage->writes)
		return ret;
	if (state->pid && cgroup_open_process(&its, host, state->pid, NULL) == 0)
		ret = confine_files_allow(rules, its.dirfd, CONFINE_WRITE, err);
	/* where values are tried out that a kernel may ignore */
	if (ret == 0 && cgroup_open_process(&own, host, 0, NULL) < 0)
		cgroup_open_root(&own, host, NULL);
	if (ret == 0 && own.mode == CGROUP_V1)
		ret = confine_files_allow(rules, own.dirfd, CONFINE_WRITE | CONFINE_PROBE, err);
	return ret;
}

/* Before confine(), for memory.migrate is denied to a process in a Landlock domain. */
static int start_migrator(struct migrator *migrator, const struct stage *stage,
			  const struct host *host, const struct state *state, struct error *err)
{
	auto_cgroup struct cgroup its = CGROUP_NONE;

	if (!stage->writes || !state->pid || state->asked ||
	    cgroup_open_process(&its, host, state->pid, NULL) < 0)
		return 0;
	return migrator_start(migrator, its.dirfd, state->pid, err);
}

/* From here on only this container's files are open to us. */
static int confine_to(const struct hook *hook, const struct host *host,
		      const struct state *state, struct error *err)
{
	auto_close int rules = confine_files();
	int ret;

	ret = allow_log(rules, &hook->log, err);
	if (ret == 0)
		ret = allow_container(rules, hook->stage, host, state, err);
	return ret < 0 ? ret : confine(rules, err);
}

static int run(struct hook *hook, struct error *err)
{
	struct host host = { .cgroup_root = -1, .proc = -1 };
	struct migrator migrator = MIGRATOR_NONE;
	static struct reader_answer answer;
	struct memory_plan notes = { 0 };
	struct state state = { 0 };
	int ret;

	engine_find_log(&hook->log);
	ret = host_open(&host, hook->cgroup_root, err);
	if (ret == 0)
		ret = confine_capabilities(err);
	if (ret == 0)
		ret = reader_run(&answer, &state, err);
	hook->log.id = state.id;
	if (ret == 0)
		ret = start_migrator(&migrator, hook->stage, &host, &state, err);
	if (ret == 0)
		ret = confine_to(hook, &host, &state, err);
	if (ret == 0)
		ret = hook->stage->run(&host, &state, migrator_writer(&migrator), &notes, err);
	migrator_close(&migrator);
	for (size_t i = 0; ret == 0 && i < notes.note_count; i++)
		log_line(&hook->log, LOG_LEVEL_WARNING, notes.notes[i].text);
	if (ret < 0)
		log_line(&hook->log, LOG_LEVEL_ERROR, err->text);
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
