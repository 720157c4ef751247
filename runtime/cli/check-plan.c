// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/file.h"
#include "base/json.h"
#include "cli/check.h"
#include "cli/print.h"
#include "memory/effective.h"
#include "memory/plan.h"

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

static void effective_json(struct json *document, const struct effectives *effectives)
{
	struct json_value *rows = json_set_array(document, json_root(document), "effective"), *row;

	for (size_t i = 0; i < effectives->count; i++) {
		row = json_add_object(document, rows);
		json_set_string(document, row, "file", effectives->each[i].file);
		json_set_string(document, row, "here", effectives->each[i].here);
		json_set_string(document, row, "value", effectives->each[i].value);
		json_set_string(document, row, "from", effectives->each[i].from);
	}
}

/* What the cgroups above leave of it, where that is less. */
static int effective_table(struct check *check, const struct effectives *effectives)
{
	static const char *const heading[] = { "FILE", "HERE", "EFFECTIVE", "FROM" };
	auto_table struct table table = { 0 };

	if (!effectives->count)
		return 0;
	puts("");
	table_init(&table, 4);
	for (size_t i = 0; i < 4; i++)
		table_cell(&table, "%s", heading[i]);
	for (size_t i = 0; i < effectives->count; i++) {
		table_cell(&table, "%s", effectives->each[i].file);
		table_cell(&table, "%s", effectives->each[i].here);
		table_cell(&table, "%s", effectives->each[i].value);
		table_cell(&table, "%s", effectives->each[i].from);
	}
	return check_print_table(check, &table);
}

static int plan_json(struct check *check, const struct memory_plan *plan,
		     const struct memory_spec *spec, const struct lines *lines,
		     const struct cgroup *cgroup, const struct effectives *effectives)
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

	if (cgroup)
		effective_json(document, effectives);
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
	ret = check_print_table(check, &table);
	if (ret < 0)
		return ret;

	for (size_t i = 0; i < plan->note_count; i++)
		printf("%swarning: %s\n", i ? "" : "\n", plan->notes[i].text);
	return 0;
}

int check_show_plan(struct check *check, const struct memory_spec *spec,
		    const struct memory_features *features, const struct cgroup *cgroup)
{
	auto_effectives struct effectives effectives = { 0 };
	struct memory_plan plan;
	struct lines lines;
	int ret;

	ret = memory_plan_make(&plan, spec, features, &check->err);
	if (ret < 0)
		return ret;

	gather(&lines, &plan, spec);
	if (cgroup) {
		read_in_force(&lines, cgroup);
		ret = effective_read(&effectives, &check->host, cgroup, &check->err);
		if (ret < 0)
			return ret;
	}
	if (check->json)
		return plan_json(check, &plan, spec, &lines, cgroup, &effectives);
	if (cgroup) {
		error_set(&check->err, 0, "%s: %s", check->container, cgroup->path);
		printf("%s\n\n", check->err.text);
	}
	if (lines.count)
		ret = plan_table(check, &plan, spec, &lines, cgroup);
	else
		puts("no memory settings");
	return ret < 0 ? ret : effective_table(check, &effectives);
}
