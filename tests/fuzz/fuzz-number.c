// SPDX-License-Identifier: GPL-2.0-or-later
#include "fuzz.h"

#include "base/number.h"
#include "memory/plan.h"
#include "memory/spec.h"

const char fuzz_name[] = "number";

static void check_texts(const char *text)
{
	char exact[32];
	int64_t value = 42, back = 0;

	if (number_read_size(text, &value, NULL) == 0)
		must(value >= 0);
	else
		must(value == 42);

	value = 42;
	if (number_read_i64(text, &value, NULL) == 0) {
		snprintf(exact, sizeof(exact), "%lld", (long long)value);
		must(number_read_i64(exact, &back, NULL) == 0 && back == value);
	} else {
		must(value == 42);
	}

	value = 42;
	if (number_read_file(text, &value, NULL) < 0)
		must(value == 42);
	value = 42;
	if (memory_value_read(text, &value, NULL) < 0)
		must(value == 42);
	must(number_page_floor(value) <= value);
}

static void check_annotations(const char *text)
{
	static const char *const names[] = {
		"reservation", "strict", "oom", "thresholds", "move-charge", "tmpfs", "reserve",
	};
	struct memory_spec spec = { 0 };
	char name[64];

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		snprintf(name, sizeof(name), ANNOTATION_PREFIX "%s", names[i]);
		if (memory_spec_annotate(&spec, name, text, NULL) < 0)
			continue;
		must(!memory_spec_asks(&spec, MEMORY_RESERVE) || spec.value[MEMORY_RESERVE] > 0);
		must(!memory_spec_asks(&spec, MEMORY_MOVE_CHARGE) ||
		     !(spec.value[MEMORY_MOVE_CHARGE] & ~(int64_t)CHARGE_ALL));
	}
}

/* Two texts, the second behind the first ';'. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = malloc(size + 1), *other;

	must(text);
	memcpy(text, data, size);
	text[size] = '\0';
	check_texts(text);
	check_annotations(text);

	other = strchr(text, ';');
	if (other)
		*other++ = '\0';
	else
		other = text;
	must(memory_value_same(text, text));
	must(memory_value_same(text, other) == memory_value_same(other, text));
	free(text);
	return 0;
}
