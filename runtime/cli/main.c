// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/caller.h"
#include "base/cleanup.h"
#include "cli/log.h"
#include "cli/progress.h"
#include "cli/verbs.h"
#include "container/delete.h"
#include "memory/plan.h"
#include "move/abandoned.h"
#include "oci/config.h"
#include "oci/crun.h"
#include "systemd/config-systemd.h"

/* For a move to end. */
#define WAIT_USEC 30000000

/* The verbs that end here. All others, known or not, are crun's. */
static const struct verb {
	const char *name;
	const char *arguments;	/* NULL: not for people */
	const char *line;
	int (*run)(const struct verb_context *context, int argc, char **argv);
	bool changes_nothing;
} verbs[] = {
	{ "check", "[CONTAINER]", "show what the kernel can do, a plan, or drift", verb_check, true },
	{ "move", "CONTAINER", "let it go to another cgroup, with its charges", verb_move, false },
	{ "adopt", "CONTAINER", "let it take over charges of others", verb_adopt, false },
	{ "update", "CONTAINER", "other settings; limits are reached without a kill", verb_update,
	  false },
	{ "reclaim", "CONTAINER", "ask for some of its memory back", verb_reclaim, false },
	{ "events", "CONTAINER", "what it uses, and when it is out of memory", verb_events, true },
	{ "features", "", "what this runtime can do, as OCI has it", verb_features, true },
	{ "apply-hook", NULL, NULL, verb_apply_hook, false },
};

#define VERBS (sizeof(verbs) / sizeof(verbs[0]))

static void print_help(void)
{
	puts("Usage: memcrun [GLOBAL OPTION...] VERB [OPTION...]\n"
	     "\n"
	     "An OCI runtime around crun that makes the memory settings of a container mean\n"
	     "what they say, on every kernel. See memcrun(1).\n"
	     "\n"
	     "Verbs of memcrun:");
	for (size_t i = 0; i < VERBS; i++) {
		if (verbs[i].arguments)
			printf("  %-12s %-14s %s\n", verbs[i].name, verbs[i].arguments,
			       verbs[i].line);
	}
	puts("\n"
	     "  create and run compile the memory settings of config.json for this kernel,\n"
	     "  delete hands what is left charged to the cgroup above, then they are crun's as\n"
	     "  all other verbs are.\n"
	     "\n"
	     "Global options of memcrun:\n"
	     "      --crun PATH            the crun to use (default " CRUN_PATH ")\n"
	     "      --help                 show this help, and crun's\n"
	     "      --version              show the version, and crun's\n"
	     "\n"
	     "Verbs and options of crun:\n");
	fflush(stdout);
}

/* After this memcrun is crun, or has said why not. */
static int become_crun(const struct verb_context *context, int argc, char **argv,
		       const struct crun_create *create, int config_fd)
{
	struct error err;

	fflush(stdout);
	crun_exec(context->globals, context->caller, argc, argv, create, config_fd, &err);
	log_line(&context->log, LOG_LEVEL_ERROR, err.text);
	return EXIT_FAILED;
}

static int make_plan(struct memory_plan *plan, const struct memory_spec *spec, struct error *err)
{
	auto_host struct host host = { .cgroup_root = -1, .proc = -1 };
	struct memory_features features;
	int ret;

	ret = host_open(&host, NULL, err);
	if (ret == 0)
		ret = memory_features_probe(&features, &host, spec, err);
	if (ret == 0) {
		memory_features_try(&features, &host, spec->asked);
		ret = memory_plan_make(plan, spec, &features, err);
	}
	return ret;
}

static void print_plan(const struct memory_plan *plan)
{
	for (size_t i = 0; i < plan->count; i++)
		fprintf(stderr, "memcrun: debug: %s = %s\n", plan->writes[i].file,
			plan->writes[i].value);
}

/*
 * crun gives a hook /dev/null to speak to, so that ours is told the engine's log,
 * by a name that holds in the directory that it will be started in.
 */
static int compile_plan(const struct log *log, struct config *config,
			const struct memory_plan *plan, struct error *err)
{
	const char *hook[8] = { NULL };
	auto_free char *directory = NULL;
	auto_free char *target = NULL;
	char program[PATH_MAX];
	ssize_t len;
	int i = 0;

	len = readlink("/proc/self/exe", program, sizeof(program) - 1);
	if (len < 0)
		return error_errno(err, errno, "/proc/self/exe: cannot read");
	program[len] = '\0';

	hook[i++] = program;
	if (log->target) {
		if (log->target[0] != '/' && !strchr(log->target, ':'))
			directory = getcwd(NULL, 0);
		if (asprintf(&target, "--log=%s%s%s", directory ? directory : "",
			     directory ? "/" : "", log->target) < 0) {
			target = NULL;
			return error_errno(err, ENOMEM, "config.json");
		}
		hook[i++] = target;
		if (log->format && strcmp(log->format, "json") == 0)
			hook[i++] = "--log-format=json";
	}
	hook[i++] = "apply-hook";
	return config_compile(config, plan, hook, err);
}

/*
 * Make what crun is to read instead of its config. *config_fd stays -1 where
 * its own will do.
 */
static int compile(const struct verb_context *context, const struct crun_create *create,
		   int *config_fd, struct error *err)
{
	auto_config struct config config = { 0 };
	auto_free char *path = crun_config_path(create);
	auto_free char *text = NULL;
	struct memory_plan plan;
	size_t len;
	int ret;

	if (!path)
		return error_errno(err, ENOMEM, "config.json");
	ret = config_read(&config, path, err);
	if (ret < 0)
		return ret;

	if (!config.concerned) {
		/* What came through a pipe has been taken out of it. */
		if (config.rereadable)
			return 0;
		*config_fd = crun_config_fd(create, config.text, config.len, err);
		return *config_fd < 0 ? *config_fd : 0;
	}

	ret = make_plan(&plan, &config.spec, err);
	if (ret < 0)
		return ret;
	for (size_t i = 0; i < plan.note_count; i++)
		log_line(&context->log, LOG_LEVEL_WARNING, plan.notes[i].text);
	if (context->globals->debug)
		print_plan(&plan);

	config.scope = context->globals->systemd;
	ret = compile_plan(&context->log, &config, &plan, err);
	if (ret == 0 && config.scope)
		config_tell_systemd(&config, &plan);
	if (ret == 0)
		ret = json_write_edited(config.document, config.text, &text, &len, err);
	if (ret < 0)
		return error_prefix(err, ret, "%s", path);
	*config_fd = crun_config_fd(create, text, len, err);
	return *config_fd < 0 ? *config_fd : 0;
}

/*
 * An option that crun may know and we do not: where the verb or the config is
 * cannot be told any more. Should crun accept it, its user has been told.
 */
static void warn_unknown(const struct verb_context *context)
{
	log_line(&context->log, LOG_LEVEL_WARNING,
		 "an option unknown here: memory settings go to crun as they are");
}

static int refuse_id(const struct verb_context *context, const char *verb, struct error *err)
{
	error_prefix(err, 0, "%s", verb);
	log_line(&context->log, LOG_LEVEL_ERROR, err->text);
	return EXIT_FAILED;
}

static bool is_diverted(const char *verb)
{
	return strcmp(verb, "create") == 0 || strcmp(verb, "run") == 0;
}

static int create_or_run(struct verb_context *context, int argc, char **argv, int verb)
{
	struct crun_create create;
	int config_fd = -1;
	struct error err;

	crun_create_read(&create, argc, argv, verb);
	if (create.unknown)
		warn_unknown(context);
	if (!create.help && !create.unknown && create.id < argc &&
	    status_check_new_id(argv[create.id], &err) < 0)
		return refuse_id(context, argv[verb], &err);
	/* What crun will refuse it shall refuse in its own words. */
	if (create.help || create.unknown || create.id != argc - 1 ||
	    (create.bundle && !*create.bundle))
		return become_crun(context, argc, argv, NULL, -1);

	context->log.id = argv[create.id];
	if (compile(context, &create, &config_fd, &err) < 0) {
		log_line(&context->log, LOG_LEVEL_ERROR, err.text);
		return EXIT_FAILED;
	}
	return become_crun(context, argc, argv, &create, config_fd);
}

/*
 * What cannot be handed up keeps a dying cgroup, and is no reason to keep the container,
 * too.
 */
static int delete(const struct verb_context *context, int argc, char **argv, int verb)
{
	struct crun_delete delete;
	struct error err;
	int lock = -1;

	crun_delete_read(&delete, argc, argv, verb);
	if (delete.id && status_check_id(delete.id, &err) < 0)
		return refuse_id(context, argv[verb], &err);
	if (delete.id &&
	    container_hand_up(context->globals->root, delete.id, delete.force,
			      move_remove_abandoned, &lock, &err) < 0) {
		error_prefix(&err, 0, "%s: leaves charges behind", delete.id);
		log_line(&context->log, LOG_LEVEL_WARNING, err.text);
	}
	if (lock >= 0)
		fcntl(lock, F_SETFD, 0);
	return become_crun(context, argc, argv, NULL, -1);
}

/* One that ends here. Without room for its files it would stop half-way, also on its way back. */
static int run_verb(const struct verb *verb, const struct verb_context *context, int argc,
		    char **argv)
{
	struct error err;

	caller_unblock();
	/* with `| head` it ends as others do; what is half done must not */
	if (verb->changes_nothing)
		caller_restore_pipe(context->caller);
	if (caller_check_room(&err) < 0) {
		error_prefix(&err, 0, "%s", verb->name);
		log_line(&context->log, LOG_LEVEL_ERROR, err.text);
		return EXIT_FAILED;
	}
	return verb->run(context, argc, argv);
}

static void on_wait(void *context, const struct control_progress *progress)
{
	progress_show(context, progress->stage, 0, 0);
}

/* A verb that crun alone does; or one that nobody knows. */
static int pass(struct verb_context *context, int argc, char **argv, int verb)
{
	struct progress progress = { 0 };
	struct control control = { .progress = on_wait, .context = &progress };
	struct crun_container container;
	struct error err;
	int ret = 0;

	crun_container_read(&container, argc, argv, verb);
	if (container.id && (container.is_new ? status_check_new_id(container.id, &err) :
						status_check_id(container.id, &err)) < 0)
		return refuse_id(context, argv[verb], &err);
	if (container.uses_cgroup) {
		control.until = control_now_usec() + WAIT_USEC;
		ret = container_wait_for_move(context->globals->root, container.id, &control, &err);
		progress_end(&progress);
	}
	if (ret < 0) {
		context->log.id = container.id;
		error_prefix(&err, ret, "%s", container.id);
		log_line(&context->log, LOG_LEVEL_ERROR, err.text);
		return EXIT_FAILED;
	}
	return become_crun(context, argc, argv, NULL, -1);
}

int main(int argc, char **argv)
{
	struct verb_context context = { 0 };
	struct crun_globals globals;
	struct caller caller;
	struct error err;
	const char *name;

	context.globals = &globals;
	context.caller = &caller;
	if (caller_begin(&caller, &err) < 0) {
		log_line(&context.log, LOG_LEVEL_ERROR, err.text);
		return EXIT_FAILED;
	}
	if (crun_globals_read(&globals, &argc, argv, &err) < 0) {
		log_line(&context.log, LOG_LEVEL_ERROR, err.text);
		return EXIT_USAGE;
	}
	context.log.target = globals.log;
	context.log.format = globals.log_format;

	if (globals.help)
		print_help();
	else if (globals.version)
		printf("memcrun version " PACKAGE_VERSION "\n");
	for (int i = 1; globals.unknown && i < argc; i++) {
		if (is_diverted(argv[i])) {
			warn_unknown(&context);
			break;
		}
	}
	if (globals.help || globals.version || globals.usage || globals.unknown ||
	    globals.verb >= argc)
		return become_crun(&context, argc, argv, NULL, -1);

	name = argv[globals.verb];
	for (size_t i = 0; i < VERBS; i++) {
		if (strcmp(name, verbs[i].name) == 0)
			return run_verb(&verbs[i], &context, argc - globals.verb,
					argv + globals.verb);
	}
	if (is_diverted(name))
		return create_or_run(&context, argc, argv, globals.verb);
	if (strcmp(name, "delete") == 0)
		return delete(&context, argc, argv, globals.verb);
	return pass(&context, argc, argv, globals.verb);
}
