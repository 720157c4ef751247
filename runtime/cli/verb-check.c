// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/file.h"
#include "base/number.h"
#include "base/process.h"
#include "base/utf8.h"
#include "cli/arguments.h"
#include "cli/print.h"
#include "cli/table.h"
#include "cli/verbs.h"
#include "memory/plan.h"
#include "oci/config.h"
#include "oci/state.h"
#include "oci/status.h"

/*
 * check - what this kernel can do, what a config would become on it, and
 * whether a container still has what it asked for. Nothing is changed.
 */

struct check {
	const struct verb_context *context;
	const char *bundle;
	const char *config;
	const char *container;
	const char *cgroup_root;
	bool json;
	struct host host;
	struct error err;
};

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

static int print_table(struct check *check, const struct table *table)
{
	if (table_print(table, stdout) < 0)
		return error_errno(&check->err, ENOMEM, "check: cannot print");
	return 0;
}

/* What the kernel can do */

static const char *verdict(const struct memory_features *features, const struct memory_file *file)
{
	if (memory_features_ignore(features, file))
		return "ignored";
	return memory_features_have(features, file) ? "yes" : "no";
}

static void kernel_json(struct json *document, struct json_value *root,
			const struct memory_features *features, const struct utsname *uts)
{
	struct json_value *kernel = json_set_object(document, root, "kernel");
	struct json_value *files = json_set_array(document, root, "files");

	json_set_string(document, kernel, "release", uts->release);
	json_set_string(document, kernel, "cgroup", cgroup_mode_name(features->mode));
	json_set_string(document, kernel, "layout", cgroup_layout_name(features->layout));
	json_set_bool(document, kernel, "seen", features->seen);

	for (size_t i = 0; i < memory_files_count; i++) {
		const struct memory_file *file = &memory_files[i];
		struct json_value *row;

		if (file->mode != features->mode)
			continue;
		row = json_add_object(document, files);
		json_set_string(document, row, "field", memory_field_name(file->field));
		json_set_string(document, row, "file", file->name);
		json_set_bool(document, row, "present", memory_features_have(features, file));
		json_set_bool(document, row, "ignored", memory_features_ignore(features, file));
		json_set_bool(document, row, "needs_patch", file->flags & FILE_PATCH);
		json_set_string(document, row, "gives", file->gives);
	}
}

static int show_kernel(struct check *check)
{
	auto_table struct table table = { 0 };
	auto_json struct json *document = NULL;
	struct memory_features features;
	struct utsname uts;
	int ret;

	ret = memory_features_probe(&features, &check->host, NULL, &check->err);
	if (ret < 0)
		return ret;
	memory_features_try(&features, &check->host, ~0U);
	uname(&uts);

	if (check->json) {
		document = json_new();
		if (!document)
			return error_errno(&check->err, ENOMEM, "check: cannot print");
		kernel_json(document, json_root(document), &features, &uts);
		return print_json(document, &check->err);
	}

	printf("Linux %s, cgroup %s (%s layout)\n", uts.release, cgroup_mode_name(features.mode),
	       cgroup_layout_name(features.layout));
	if (!features.seen)
		puts("No cgroup with the memory controller could be looked at: rows are assumed.");
	puts("");

	table_init(&table, 4);
	for (const char *const *h = (const char *const[]){ "FIELD", "FILE", "HERE", "GIVES", NULL };
	     *h; h++)
		table_cell(&table, "%s", *h);
	for (size_t i = 0; i < memory_files_count; i++) {
		const struct memory_file *file = &memory_files[i];

		if (file->mode != features.mode)
			continue;
		table_cell(&table, "%s", memory_field_name(file->field));
		table_cell(&table, "%s", file->name);
		table_cell(&table, "%s", verdict(&features, file));
		table_cell(&table, "%s%s", file->gives,
			   file->flags & FILE_PATCH ? " (patched kernel)" : "");
	}
	return print_table(check, &table);
}

/* A plan, alone or beside what is in force */

/* One line of what is shown: a write, or a field that has none. */
struct line {
	enum memory_field field;
	const struct plan_write *write;		/* NULL: nothing is written */
	char in_force[MEMORY_VALUE_MAX];	/* "": not read */
	bool drift;
};

struct lines {
	size_t count;
	struct line line[MEMORY_PLAN_MAX + MEMORY_FIELDS];
};

/* Writes by the field they serve, fields that are not written among them. */
static void gather(struct lines *lines, const struct memory_plan *plan,
		   const struct memory_spec *spec)
{
	lines->count = 0;
	for (size_t field = 0; field <= MEMORY_FIELDS; field++) {
		size_t before = lines->count;

		for (size_t i = 0; i < plan->count; i++) {
			if (plan->writes[i].field == field)
				lines->line[lines->count++] = (struct line){
					.field = (enum memory_field)field,
					.write = &plan->writes[i],
				};
		}
		if (field < MEMORY_FIELDS && lines->count == before &&
		    memory_spec_asks(spec, (enum memory_field)field))
			lines->line[lines->count++] = (struct line){
				.field = (enum memory_field)field,
			};
	}
}

/* The value asked, as whoever asked wrote it. */
static void asked_text(const struct memory_spec *spec, const struct line *line, char *text,
		       size_t size)
{
	char asked[MEMORY_TEXT_MAX];

	if (line->field == MEMORY_FIELDS || (line->write && line->write->is_explicit))
		snprintf(text, size, "%s", line->write->value);
	else
		snprintf(text, size, "%s", memory_spec_text(spec, line->field, asked));
}

static const char *field_text(const struct line *line)
{
	return line->field == MEMORY_FIELDS ? "unified" : memory_field_name(line->field);
}

static void read_in_force(struct lines *lines, const struct cgroup *cgroup)
{
	for (size_t i = 0; i < lines->count; i++) {
		struct line *line = &lines->line[i];

		if (!line->write)
			continue;
		if (line->write->row && line->write->row->flags & FILE_ACTION) {
			strcpy(line->in_force, "-");
			continue;
		}
		if (file_read_at(cgroup->dirfd, line->write->file, line->in_force,
				 sizeof(line->in_force), NULL) < 0)
			snprintf(line->in_force, sizeof(line->in_force), "?");
		memory_value_trim(line->in_force);
		line->drift = !memory_value_same(line->in_force, line->write->value);
	}
}

static int plan_json(struct check *check, const struct memory_plan *plan,
		     const struct memory_spec *spec, const struct lines *lines,
		     const struct cgroup *cgroup)
{
	auto_json struct json *document = json_new();
	struct json_value *rows, *row, *warnings;
	char text[MEMORY_VALUE_MAX];

	if (!document)
		return error_errno(&check->err, ENOMEM, "check: cannot print");

	json_set_string(document, json_root(document), "cgroup", cgroup_mode_name(plan->mode));
	if (check->container)
		json_set_string(document, json_root(document), "container", check->container);
	if (cgroup)
		json_set_string(document, json_root(document), "path", cgroup->path);

	rows = json_set_array(document, json_root(document), "plan");
	for (size_t i = 0; i < lines->count; i++) {
		const struct line *line = &lines->line[i];

		row = json_add_object(document, rows);
		asked_text(spec, line, text, sizeof(text));
		json_set_string(document, row, "field", field_text(line));
		json_set_string(document, row, "asked", text);
		if (line->write) {
			json_set_string(document, row, "file", line->write->file);
			json_set_string(document, row, "value", line->write->value);
		} else {
			json_set_null(document, row, "file");
			json_set_null(document, row, "value");
		}
		if (cgroup && line->write) {
			json_set_string(document, row, "in_force", line->in_force);
			json_set_bool(document, row, "drift", line->drift);
		}
	}

	warnings = json_set_array(document, json_root(document), "warnings");
	for (size_t i = 0; i < plan->note_count; i++)
		json_add_string(document, warnings, plan->notes[i].text);
	return print_json(document, &check->err);
}

static int plan_table(struct check *check, const struct memory_plan *plan,
		      const struct memory_spec *spec, const struct lines *lines,
		      const struct cgroup *cgroup)
{
	static const char *const heading[] = { "FIELD", "ASKED", "FILE", "VALUE", "IN FORCE", "" };
	size_t columns = cgroup ? 6 : 4;
	auto_table struct table table = { 0 };
	char text[MEMORY_VALUE_MAX];
	int ret;

	table_init(&table, columns);
	for (size_t i = 0; i < columns; i++)
		table_cell(&table, "%s", heading[i]);
	for (size_t i = 0; i < lines->count; i++) {
		const struct line *line = &lines->line[i];

		asked_text(spec, line, text, sizeof(text));
		table_cell(&table, "%s", field_text(line));
		table_cell(&table, "%s", text);
		table_cell(&table, "%s", line->write ? line->write->file : "-");
		table_cell(&table, "%s", line->write ? line->write->value : "-");
		if (cgroup) {
			table_cell(&table, "%s", line->write ? line->in_force : "-");
			table_cell(&table, "%s", line->drift ? "DRIFT" : "");
		}
	}
	ret = print_table(check, &table);
	if (ret < 0)
		return ret;

	for (size_t i = 0; i < plan->note_count; i++)
		printf("%swarning: %s\n", i ? "" : "\n", plan->notes[i].text);
	return 0;
}

static int show_plan(struct check *check, const struct memory_spec *spec,
		     const struct memory_features *features, const struct cgroup *cgroup)
{
	struct memory_plan plan;
	struct lines lines;
	int ret;

	ret = memory_plan_make(&plan, spec, features, &check->err);
	if (ret < 0)
		return ret;

	gather(&lines, &plan, spec);
	if (cgroup)
		read_in_force(&lines, cgroup);
	if (check->json)
		return plan_json(check, &plan, spec, &lines, cgroup);
	if (cgroup) {
		error_set(&check->err, 0, "%s: %s", check->container, cgroup->path);
		printf("%s\n\n", check->err.text);
	}
	if (!lines.count) {
		puts("no memory settings");
		return 0;
	}
	return plan_table(check, &plan, spec, &lines, cgroup);
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
	return show_plan(check, &config.spec, &features, NULL);
}

/* Ask crun, in the same state directory that we were called with. */
static int read_state(struct check *check, struct state *state)
{
	const struct crun_globals *globals = check->context->globals;
	auto_free char *text = NULL;
	const char *argv[6];
	size_t len, i = 0;
	int ret;

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
	return show_plan(check, &spec, &features, &cgroup);
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
			ret = show_kernel(&check);
	}
	host_close(&check.host);
	if (ret == 0)
		ret = print_end("check", &check.err);
	if (ret == 0)
		return EXIT_DONE;

	log_line(&context->log, LOG_LEVEL_ERROR, check.err.text);
	return ret == -EOPNOTSUPP ? EXIT_CANNOT : EXIT_FAILED;
}
