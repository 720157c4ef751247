// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <stdio.h>
#include <sys/utsname.h>

#include "base/json.h"
#include "cli/check.h"
#include "cli/print.h"

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

int check_show_kernel(struct check *check)
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
	return check_print_table(check, &table);
}
