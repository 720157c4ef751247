// SPDX-License-Identifier: GPL-2.0-or-later
#include "fuzz.h"

#include "base/cleanup.h"
#include "base/json.h"
#include "memory/plan.h"
#include "oci/config.h"

static const char *const hook[] = { "/usr/bin/memcrun", "apply-hook", NULL };

const char fuzz_name[] = "config";

/* Kernels as the fixture trees have them, without a file being looked at. */
static const struct machine {
	enum cgroup_mode mode;
	unsigned int lacks;	/* bits of enum memory_file_flag */
	const char *without;	/* and this file */
	bool always_hierarchical;
	uint32_t explicit_missing;
	uint64_t ignored;
} machines[] = {
	{ CGROUP_V1, 0, "", true, 0, 0 },
	{ CGROUP_V1, 0, "memory.memsw.limit_in_bytes", false, 0, 0 },
	{ CGROUP_V1, 0, "", true, 0, ~UINT64_C(0) },
	{ CGROUP_V2, FILE_PATCH, "", false, 0, 0 },
	{ CGROUP_V2, FILE_PATCH, "memory.swap.max", false, 0, 0 },
	{ CGROUP_V2, FILE_PATCH, "", false, ~0U, 0 },
	{ CGROUP_V2, 0, "", false, 0, 0 },
	{ CGROUP_V2, 0, "memory.swap.max", false, 0, 0 },
};

static struct memory_features features_of(const struct machine *machine)
{
	struct memory_features features = {
		.mode = machine->mode,
		.seen = true,
		.always_hierarchical = machine->always_hierarchical,
		.explicit_missing = machine->explicit_missing,
		.ignored = machine->ignored,
	};

	for (size_t i = 0; i < memory_files_count; i++) {
		if (memory_files[i].mode == machine->mode &&
		    !(memory_files[i].flags & machine->lacks) &&
		    strcmp(memory_files[i].name, machine->without) != 0)
			features.present |= UINT64_C(1) << i;
	}
	return features;
}

static void check_plan(const struct memory_plan *plan)
{
	must(plan->count <= MEMORY_PLAN_MAX && plan->note_count <= MEMORY_NOTES_MAX);
	for (size_t i = 0; i < plan->count; i++) {
		must(strncmp(plan->writes[i].file, "memory.", strlen("memory.")) == 0);
		must(!strchr(plan->writes[i].file, '/'));
		must(plan->writes[i].row || plan->writes[i].is_explicit);
		must(plan->mode == CGROUP_V2 || !plan->writes[i].is_explicit);
	}
	for (size_t i = 0; i < plan->note_count; i++)
		must(plan->notes[i].text[0] && !strchr(plan->notes[i].text, '\n'));
}

/* What crun would get: the document as it is now, whose mark reads as what was asked. */
static void check_compiled(const struct config *config, const char *source)
{
	auto_free char *text = NULL, *whole = NULL, *compact = NULL;
	size_t len, whole_len, compact_len;
	auto_json struct json *again = NULL;
	const struct json_value *asked;
	struct memory_spec spec;

	must(json_write_edited(config->document, source, &text, &len, NULL) == 0);
	must(json_parse(text, len, &again, NULL) == 0);
	must(json_write(config->document, json_root(config->document), false, &whole, &whole_len,
			NULL) == 0);
	must(json_write(again, json_root(again), false, &compact, &compact_len, NULL) == 0);
	must(whole_len == compact_len && memcmp(whole, compact, whole_len) == 0);
	asked = json_member(json_find(json_root(again), "annotations"), ANNOTATION_ASKED);
	must(asked && asked->type == JSON_STRING);
	must(config_read_asked(&spec, asked->text, NULL) == 0);
	must(memcmp(&spec, &config->spec, sizeof(spec)) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	for (size_t i = 0; i < sizeof(machines) / sizeof(machines[0]); i++) {
		struct memory_features features = features_of(&machines[i]);
		auto_config struct config config = { 0 };
		struct memory_plan plan;
		struct error err = { "" };

		if (config_parse(&config, (const char *)data, size, &err) < 0) {
			must(err.text[0] && !config.document);
			return 0;
		}
		if (memory_plan_make(&plan, &config.spec, &features, &err) < 0) {
			must(err.text[0]);
			continue;
		}
		check_plan(&plan);
		if (config_compile(&config, &plan, hook, &err) == 0)
			check_compiled(&config, (const char *)data);
		else
			must(err.text[0]);
	}
	return 0;
}
