// SPDX-License-Identifier: GPL-2.0-or-later
#include "systemd/config-systemd.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "systemd/scope.h"

/*
 * crun 1.18 and later set the scope's MemorySwapMax from `swap`, which includes memory, and
 * let no annotation change that. crun uses the value of a `unified` key unchanged.
 */
static void set_swap_as_unified(struct json *document, const struct memory_plan *plan)
{
	const struct plan_write *write = memory_plan_find(plan, "memory.swap.max");
	struct json_value *resources, *memory;

	resources = json_member(json_member(json_root(document), "linux"), "resources");
	memory = json_member(resources, "memory");
	if (!write || !json_member(memory, "swap"))
		return;
	json_remove(memory, "swap");
	json_set_string(document, json_need_object(document, resources, "unified"), write->file,
			write->value);
}

void config_tell_systemd(struct config *config, const struct memory_plan *plan)
{
	const struct plan_write *wait = memory_plan_find(plan, "memory.oom.wait");
	struct json *document = config->document;
	struct json_value *annotations;
	char key[64], text[32];
	const char *property;
	uint64_t value = 0;

	annotations = json_need_object(document, json_root(document), "annotations");
	for (size_t i = 0; i < plan->count; i++) {
		property = scope_property(plan->writes[i].file, plan->writes[i].value, &value);
		/* the scope's own limit would kill the tasks that are to wait in the cgroup below it */
		if (!property || (wait && wait->value[0] == '1' && strcmp(property, "MemoryMax") == 0))
			continue;
		snprintf(key, sizeof(key), "org.systemd.property.%s", property);
		snprintf(text, sizeof(text), "uint64 %" PRIu64, value);
		if (!json_member(annotations, key))
			json_set_string(document, annotations, key, text);
	}
	set_swap_as_unified(document, plan);
}
