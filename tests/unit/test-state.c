// SPDX-License-Identifier: GPL-2.0-or-later
#include "oci/state.h"

#include "base/file.h"
#include "test.h"

static int parse(struct state *state, const char *text, struct error *err)
{
	return state_parse(state, text, strlen(text), err);
}

TEST(a_state_is_read_with_what_was_asked)
{
	auto_state struct state seen = { 0 };

	assert_int_equal(parse(&seen, "{\"ociVersion\":\"1.0.2\",\"id\":\"web\",\"status\":\"created\","
				       "\"pid\":4711,\"bundle\":\"/b\",\"annotations\":"
				       "{\"org.memcrun.asked\":\"{}\",\"x\":\"y\"}}", NULL), 0);
	assert_int_equal(seen.pid, 4711);
	assert_string_equal(seen.bundle, "/b");
	assert_string_equal(seen.asked, "{}");
}

TEST(what_a_state_lacks_is_left_empty)
{
	static const char *const texts[] = {
		"{}",
		"{\"pid\":0,\"annotations\":{}}",
		"{\"pid\":null,\"id\":null,\"bundle\":null,\"annotations\":null}",
		"{\"annotations\":{\"org.memcrun.asked\":5}}",
	};

	for (size_t i = 0; i < COUNT(texts); i++) {
		auto_state struct state seen = { 0 };

		assert_row(texts[i], parse(&seen, texts[i], NULL) == 0);
		assert_row(texts[i], seen.pid == 0 && !seen.bundle && !seen.asked);
	}
}

TEST(what_is_no_state_is_refused_and_nothing_is_written)
{
	static const struct {
		const char *text;
		const char *words;
	} rows[] = {
		{ "[]", "state: not an object" },
		{ "{\"pid\":\"1\"}", "state: pid: not an integer, \"1\"" },
		{ "{\"pid\":-1}", "state: pid: out of range, \"-1\"" },
		{ "{\"pid\":2147483648}", "state: pid: out of range, \"2147483648\"" },
		{ "{\"pid\":99999999999999999999}", "state: pid: out of range, "
						    "\"99999999999999999999\"" },
		{ "{\"bundle\":[]}", "state: bundle: not a string, an array" },
		{ "{\"annotations\":[]}", "state: annotations: not an object, an array" },
		{ "{\"pid\":1,\"pid\":2}", "state: pid: repeated key" },
	};

	for (size_t i = 0; i < COUNT(rows); i++) {
		struct state seen = { .pid = 42 };
		struct error err;

		assert_row(rows[i].text, parse(&seen, rows[i].text, &err) < 0);
		assert_row_text(rows[i].text, err.text, rows[i].words);
		assert_row(rows[i].text, seen.pid == 42 && !seen.document);
	}
}

TEST(a_state_comes_through_a_pipe)
{
	auto_state struct state seen = { 0 };
	int ends[2];

	assert_int_equal(pipe(ends), 0);
	assert_int_equal(file_write_all(ends[1], "{\"pid\":7}\n", 10, NULL), 0);
	close(ends[1]);
	assert_int_equal(state_read(&seen, ends[0], NULL), 0);
	close(ends[0]);
	assert_int_equal(seen.pid, 7);
}

TEST(an_input_that_cannot_be_read_is_said)
{
	struct state seen = { 0 };
	struct error err;

	assert_int_equal(state_read(&seen, -1, &err), -EBADF);
	assert_string_equal(err.text, "state: cannot read: Bad file descriptor");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_state_is_read_with_what_was_asked),
		cmocka_unit_test(what_a_state_lacks_is_left_empty),
		cmocka_unit_test(what_is_no_state_is_refused_and_nothing_is_written),
		cmocka_unit_test(a_state_comes_through_a_pipe),
		cmocka_unit_test(an_input_that_cannot_be_read_is_said),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
