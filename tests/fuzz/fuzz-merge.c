// SPDX-License-Identifier: GPL-2.0-or-later
#include "fuzz.h"

#include "base/cleanup.h"
#include "oci/config.h"

/*
 * An update: what was asked before and linux.resources as somebody gives it now, with a NUL
 * in between.
 */

const char fuzz_name[] = "merge";

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const uint8_t *end = memchr(data, '\0', size);
	auto_json struct json *resources = NULL;
	auto_free char *merged = NULL;
	auto_free char *again = NULL;
	const char *asked = (const char *)data;
	struct memory_spec spec;
	struct error err = { "" };

	if (!end || json_parse((const char *)end + 1, size - (size_t)(end + 1 - data), &resources,
			       NULL) < 0 || json_root(resources)->type != JSON_OBJECT)
		return 0;
	if (config_merge(asked, json_root(resources), &merged, &err) < 0) {
		must(err.text[0] && !merged);
		return 0;
	}
	/* a result is one that can be read, or refused; and merging is done */
	if (config_read_asked(&spec, merged, &err) < 0)
		must(err.text[0]);
	must(config_merge(merged, json_root(resources), &again, &err) == 0);
	must(strcmp(again, merged) == 0);
	config_strip_memory(json_root(resources));
	return 0;
}
