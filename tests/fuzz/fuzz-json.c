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
	return 0;
}
