// SPDX-License-Identifier: GPL-2.0-or-later
#include "systemd/scope-properties.h"

#include "test.h"

/* The arguments that are added for a unit with `properties`, with blanks between them. */
static int added(const char *properties, char *text, size_t size, struct error *err)
{
	auto_scope_call struct scope_call call = { 0 };
	auto_json struct json *unit = NULL;
	size_t len = 0, words = 0;
	int count;

	assert_int_equal(json_parse(properties, strlen(properties), &unit, NULL), 0);
	count = scope_properties_add(&call, json_root(unit));
	*text = '\0';
	for (size_t i = 0; i < call.count; i++)
		len += (size_t)snprintf(text + len, size - len, "%s%s", i ? " " : "",
					call.each[i]);
	for (const char *c = text; *c; c++)
		words += *c == ' ';
	assert_true(len < size && words + 1 >= (size_t)count);
	*err = call.err;
	return call.ret < 0 ? call.ret : count;
}

#define P(name, type, data) "\"" name "\":{\"type\":\"" type "\",\"data\":" data "}"
#define INFINITE "18446744073709551615"

TEST(what_is_set_is_handed_on_in_busctl_s_form)
{
	static const struct {
		const char *property;
		const char *words;
	} rows[] = {
		{ P("TimeoutStopUSec", "t", "600000000"), "TimeoutStopUSec t 600000000" },
		/* no end is not what systemd takes by itself */
		{ P("TimeoutStopUSec", "t", INFINITE), "TimeoutStopUSec t " INFINITE },
		{ P("TasksMax", "t", INFINITE), "TasksMax t " INFINITE },
		{ P("KillSignal", "i", "37"), "KillSignal i 37" },
		{ P("SendSIGHUP", "b", "true"), "SendSIGHUP b true" },
		{ P("SendSIGKILL", "b", "false"), "SendSIGKILL b false" },
		{ P("CollectMode", "s", "\"inactive-or-failed\""),
		  "CollectMode s inactive-or-failed" },
		{ P("MemorySwapMax", "t", "0"), "MemorySwapMax t 0" },
		{ P("CPUWeight", "t", "0"), "CPUWeight t 0" },
		{ P("AllowedCPUs", "ay", "[3,1]"), "AllowedCPUs ay 2 3 1" },
		{ P("DeviceAllow", "a(ss)", "[[\"/dev/null\",\"rw\"],[\"char-1\",\"m\"]]"),
		  "DeviceAllow a(ss) 2 /dev/null rw char-1 m" },
		{ P("IPAddressAllow", "a(iayu)", "[[2,[10,0,0,0],8]]"),
		  "IPAddressAllow a(iayu) 1 2 4 10 0 0 0 8" },
		{ P("RestrictNetworkInterfaces", "(bas)", "[true,[\"lo\"]]"),
		  "RestrictNetworkInterfaces (bas) true 1 lo" },
		/* the slice is another one's */
		{ P("Slice", "s", "\"a.slice\"") ","
		  P("After", "as", "[\"a.slice\",\"b.service\",\"c.target\"]"),
		  "After as 2 b.service c.target" },
		{ P("Slice", "s", "\"a.slice\"") "," P("Requires", "as", "[\"a.slice\"]"),
		  NULL },
		/* not set */
		{ P("CPUWeight", "t", INFINITE), NULL },
		{ P("MemoryMax", "t", INFINITE), NULL },
		{ P("MemoryLow", "t", "0"), NULL },
		{ P("DevicePolicy", "s", "\"auto\""), NULL },
		{ P("RebootArgument", "s", "\"\""), NULL },
		{ P("DeviceAllow", "a(ss)", "[]"), NULL },
		{ P("RestrictNetworkInterfaces", "(bas)", "[false,[]]"), NULL },
		/* the unit's own, and what nobody can set */
		{ P("Id", "s", "\"a.scope\""), NULL },
		{ P("ControlGroup", "s", "\"/a.scope\""), NULL },
		{ P("MemoryCurrent", "t", "1"), NULL },
	};

	for (size_t i = 0; i < COUNT(rows); i++) {
		char properties[512], text[512], wanted[512];
		struct error err;

		snprintf(properties, sizeof(properties), "{%s}", rows[i].property);
		snprintf(wanted, sizeof(wanted), "Delegate b true%s%s", rows[i].words ? " " : "",
			 rows[i].words ? rows[i].words : "");
		assert_row(rows[i].property, added(properties, text, sizeof(text), &err) ==
						     (rows[i].words ? 2 : 1));
		assert_row_text(rows[i].property, text, wanted);
	}
}

TEST(delegated_controllers_stay_as_few_as_they_were)
{
	char text[256];
	struct error err;

	assert_int_equal(added("{" P("Delegate", "b", "true") ","
			       P("DelegateControllers", "as", "[\"memory\",\"pids\"]") "}", text,
			       sizeof(text), &err), 1);
	assert_string_equal(text, "DelegateControllers as 2 memory pids");
}

TEST(a_type_that_cannot_be_handed_on_is_an_error_that_names_it)
{
	static const struct {
		const char *property;
		const char *words;
	} rows[] = {
		{ P("KillMode", "v", "\"x\""),
		  "KillMode: cannot be handed on, its type is \"v\"" },
		{ P("AllowedCPUs", "a{sv}", "[1]"),
		  "AllowedCPUs: cannot be handed on, its type is \"a{sv}\"" },
		{ P("AllowedCPUs", "ay)", "[1]"),
		  "AllowedCPUs: cannot be handed on, its type is \"ay)\"" },
		{ P("AllowedCPUs", "a(y", "[1]"),
		  "AllowedCPUs: cannot be handed on, its type is \"a(y\"" },
		{ P("AllowedCPUs", "", "[1]"),
		  "AllowedCPUs: cannot be handed on, its type is \"\"" },
		{ P("KillSignal", "i", "\"9\""),
		  "KillSignal: the value is not of its type, \"i\"" },
		{ P("AllowedCPUs", "ay", "[\"1\"]"),
		  "AllowedCPUs: the value is not of its type, \"ay\"" },
		{ P("DeviceAllow", "a(ss)", "[[\"a\"]]"),
		  "DeviceAllow: the value is not of its type, \"a(ss)\"" },
		{ P("DeviceAllow", "a(ss)", "[[\"a\",\"b\",\"c\"]]"),
		  "DeviceAllow: the value is not of its type, \"a(ss)\"" },
	};

	for (size_t i = 0; i < COUNT(rows); i++) {
		char properties[512], text[512];
		struct error err = { "" };

		snprintf(properties, sizeof(properties), "{%s}", rows[i].property);
		assert_row(rows[i].property, added(properties, text, sizeof(text), &err) < 0);
		assert_row_text(rows[i].property, err.text, rows[i].words);
	}
}

TEST(what_cannot_be_handed_on_at_all_is_named)
{
	static const struct {
		const char *properties;
		const char *names;
	} rows[] = {
		{ "{}", "" },
		{ "{" P("RequiredBy", "as", "[]") "," P("JobTimeoutUSec", "t", INFINITE) "}", "" },
		{ "{" P("RequiredBy", "as", "[\"a.service\"]") "}", "RequiredBy" },
		{ "{" P("WantedBy", "as", "[\"a.service\"]") ","
		  P("JobTimeoutUSec", "t", "1") "," P("TimeoutStopUSec", "t", "1") "}",
		  "JobTimeoutUSec, WantedBy" },
	};

	for (size_t i = 0; i < COUNT(rows); i++) {
		auto_json struct json *unit = NULL;
		auto_free char *names = NULL;

		assert_int_equal(json_parse(rows[i].properties, strlen(rows[i].properties), &unit,
					    NULL), 0);
		assert_int_equal(scope_properties_left(json_root(unit), &names), 0);
		assert_row_text(rows[i].properties, names, rows[i].names);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_set_is_handed_on_in_busctl_s_form),
		cmocka_unit_test(delegated_controllers_stay_as_few_as_they_were),
		cmocka_unit_test(a_type_that_cannot_be_handed_on_is_an_error_that_names_it),
		cmocka_unit_test(what_cannot_be_handed_on_at_all_is_named),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
