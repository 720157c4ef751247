// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/process.h"
#include "base/utf8.h"
#include "cli/arguments.h"
#include "cli/check.h"
#include "cli/print.h"
#include "oci/config.h"
#include "oci/state.h"
#include "oci/status.h"

/*
 * check - what this kernel can do, what a config would become on it, and
 * whether a container still has what it asked for. Nothing is changed.
 */

enum option_id {
	OPTION_CONFIG = 'f',
	OPTION_BUNDLE = 'b',
	OPTION_CGROUP_ROOT = OPTION_OWN,
};

static const struct option options[] = {
	{ "bundle", required_argument, NULL, OPTION_BUNDLE },
	{ "config", required_argument, NULL, OPTION_CONFIG },
	{ "format", required_argument, NULL, OPTION_FORMAT },
	{ "cgroup-root", required_argument, NULL, OPTION_CGROUP_ROOT },
	{ "help", no_argument, NULL, OPTION_HELP },
	{ 0 },
};

static void print_help(void)
{
	puts("Usage: memcrun check [OPTION...]\n"
	     "       memcrun check [OPTION...] --bundle DIR | --config FILE\n"
	     "       memcrun check [OPTION...] CONTAINER\n"
	     "\n"
	     "Show what this kernel can do for a container's memory; what the memory settings\n"
	     "of a config become on it; or what a running container asked for beside what is\n"
	     "in force.\n"
	     "\n"
	     "  -b, --bundle DIR           the plan for config.json in DIR\n"
	     "  -f, --config FILE          the plan for FILE\n"
	     "      --format table|json    how to print (default table)\n"
	     "      --cgroup-root DIR      look at the files below DIR (default " HOST_CGROUP_ROOT
	     ")\n"
	     "      --help                 show this help\n"
	     "\n"
	     "Exit status: 0 done, 1 error, 2 usage, 3 this kernel cannot.");
}

static int take_option(void *context, int option, const char *value, struct error *err)
{
	struct check *check = context;

	switch (option) {
	case OPTION_BUNDLE:
		check->bundle = value;
		return *value ? 0 : error_set(err, EINVAL, "--bundle: empty");
	case OPTION_CONFIG:
		check->config = value;
		return 0;
	case OPTION_CGROUP_ROOT:
		check->cgroup_root = value;
		return 0;
	default:
		return arguments_format(value, &check->json, err);
	}
}

static int read_options(struct check *check, int argc, char **argv)
{
	const struct arguments arguments = {
		.verb = "check",
		.letters = "b:f:",
		.options = options,
		.print_help = print_help,
		.take = take_option,
		.context = check,
		.without_container = true,
	};
	int ret;

	ret = arguments_read(&arguments, argc, argv, &check->container, &check->err);
	if (ret == 0 && !!check->bundle + !!check->config + !!check->container > 1)
		return error_set(&check->err, EINVAL,
				 "check: one of --bundle, --config and CONTAINER at a time");
	return ret;
}

static int show_config(struct check *check)
{
	struct crun_create create = { .bundle = check->bundle };
	auto_config struct config config = { 0 };
	struct memory_features features;
	auto_free char *path = NULL;
	int ret;

	path = check->config ? strdup(check->config) : crun_config_path(&create);
	if (!path)
		return error_errno(&check->err, ENOMEM, "check");
	ret = config_read(&config, path, &check->err);
	if (ret < 0)
		return ret;

	ret = memory_features_probe(&features, &check->host, &config.spec, &check->err);
	if (ret < 0)
		return ret;
	memory_features_try(&features, &check->host, config.spec.asked);
	return check_show_plan(check, &config.spec, &features, NULL);
}

/* Ask crun, in the same state directory that we were called with. */
static int read_state(struct check *check, struct state *state)
{
	const struct crun_globals *globals = check->context->globals;
	auto_free char *text = NULL;
	const char *argv[7];
	size_t len, i = 0;
	int ret = status_check_id(check->container, &check->err);

	if (ret < 0)
		return ret;
	/* crun takes such a name, and prints a state without a process for it */
	if (utf8_check(check->container, strlen(check->container)) >= 0)
		return error_set(&check->err, EINVAL,
				 "check: the name is not UTF-8, and crun prints no state of it");
	argv[i++] = globals->program;
	if (globals->root) {
		argv[i++] = "--root";
		argv[i++] = globals->root;
	}
	argv[i++] = "state";
	argv[i++] = "--";
	argv[i++] = check->container;
	argv[i] = NULL;

	ret = process_capture((char *const *)argv, JSON_SIZE_MAX, &text, &len, &check->err);
	if (ret == 0)
		ret = state_parse(state, text, len, &check->err);
	if (ret == 0 && !state->pid)
		ret = error_set(&check->err, ESRCH, "not running");
	return ret < 0 ? error_prefix(&check->err, ret, "%s", check->container) : 0;
}

/*
 * The container's own cgroup. Its first process may have gone deeper, as systemd
 * does, so crun's own record counts, and only without it the process.
 */
static int open_cgroup(struct check *check, const struct state *state, struct cgroup *cgroup)
{
	auto_status struct status status = STATUS_NONE;

	if (status_open(&status, check->context->globals->root, check->container, NULL) == 0 &&
	    *status.cgroup_path &&
	    cgroup_open_path(cgroup, &check->host, status.cgroup_path, NULL) == 0)
		return 0;
	return cgroup_open_process(cgroup, &check->host, state->pid, &check->err);
}

/* Of a container that memcrun did not compile the bundle tells, while it is there. */
static int read_asked(struct check *check, const struct state *state, struct memory_spec *spec)
{
	struct crun_create create = { .bundle = state->bundle };
	auto_config struct config config = { 0 };
	auto_free char *path = NULL;
	int ret;

	if (state->asked)
		return config_read_asked(spec, state->asked, &check->err);
	if (!state->bundle)
		return 0;

	path = crun_config_path(&create);
	if (!path)
		return error_errno(&check->err, ENOMEM, "check");
	ret = config_read(&config, path, &check->err);
	if (ret == 0)
		*spec = config.spec;
	return ret;
}

static int show_container(struct check *check)
{
	auto_cgroup struct cgroup cgroup = CGROUP_NONE;
	auto_state struct state state = { 0 };
	struct memory_features features;
	struct memory_spec spec = { 0 };
	int ret;

	ret = read_state(check, &state);
	if (ret < 0)
		return ret;
	ret = read_asked(check, &state, &spec);
	if (ret == 0)
		ret = open_cgroup(check, &state, &cgroup);
	if (ret < 0)
		return error_prefix(&check->err, ret, "%s", check->container);

	memory_features_look(&features, &cgroup, &spec);
	memory_features_try(&features, &check->host, spec.asked);
	return check_show_plan(check, &spec, &features, &cgroup);
}

int verb_check(const struct verb_context *context, int argc, char **argv)
{
	struct check check = { .context = context, .host = { .cgroup_root = -1, .proc = -1 } };
	int ret;

	ret = read_options(&check, argc, argv);
	if (ret == 1)
		return EXIT_DONE;
	if (ret < 0) {
		log_line(&context->log, LOG_LEVEL_ERROR, check.err.text);
		return EXIT_USAGE;
	}

	ret = host_open(&check.host, check.cgroup_root, &check.err);
	if (ret == 0) {
		if (check.container)
			ret = show_container(&check);
		else if (check.bundle || check.config)
			ret = show_config(&check);
		else
			ret = check_show_kernel(&check);
	}
	host_close(&check.host);
	if (ret == 0)
		ret = print_end("check", &check.err);
	if (ret == 0)
		return EXIT_DONE;

	log_line(&context->log, LOG_LEVEL_ERROR, check.err.text);
	return ret == -EOPNOTSUPP ? EXIT_CANNOT : EXIT_FAILED;
}
