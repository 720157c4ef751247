// SPDX-License-Identifier: GPL-2.0-or-later
#include "fuzz.h"

#include "base/cleanup.h"
#include "base/json.h"

const char fuzz_name[] = "json";

/* Parse what must be a document and write it again. */
static char *again(const char *text, size_t len, bool pretty, size_t *written)
{
	auto_json struct json *document = NULL;
	char *copy = NULL;

	must(json_parse(text, len, &document, NULL) == 0);
	must(json_write(document, json_root(document), pretty, &copy, written, NULL) == 0);
	must(strlen(copy) == *written);
	return copy;
}

/* What has not been edited, or its members alone, reads as it was read. */
static void check_edited(struct json *document, const char *source, const char *wanted,
			 size_t wanted_len)
{
	for (int round = 0; round < 2; round++) {
		auto_free char *text = NULL, *compact = NULL;
		size_t len, compact_len;

		if (round == 1) {
			json_set_null(document, json_root(document), "\x01");
			json_remove(json_root(document), "\x01");
		}
		must(json_write_edited(document, source, &text, &len, NULL) == 0);
		compact = again(text, len, false, &compact_len);
		must(compact_len == wanted_len && memcmp(compact, wanted, wanted_len) == 0);
		if (json_root(document)->type != JSON_OBJECT ||
		    json_member(json_root(document), "\x01"))
			break;
	}
}

/* What is read is written so that it reads the same, pretty or not. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	auto_free char *first = NULL, *pretty = NULL, *second = NULL;
	auto_json struct json *document = NULL;
	size_t first_len, pretty_len, second_len;
	struct error err = { "" };

	if (json_parse((const char *)data, size, &document, &err) < 0) {
		must(err.text[0] && !strchr(err.text, '\n'));
		must(!document);
		return 0;
	}
	must(json_write(document, json_root(document), false, &first, &first_len, NULL) == 0);
	pretty = again(first, first_len, true, &pretty_len);
	second = again(pretty, pretty_len, false, &second_len);
	must(first_len == second_len && memcmp(first, second, first_len) == 0);
	check_edited(document, (const char *)data, first, first_len);
	return 0;
}
