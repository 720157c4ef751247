// SPDX-License-Identifier: GPL-2.0-or-later
#include "base/process.h"

#include "test.h"

/* What `script` does under the shell; the words of the error in `err`. */
static int shell(const char *script, char **output, size_t *len, struct error *err)
{
	char *const argv[] = { (char *)"sh", (char *)"-c", (char *)script, NULL };

	return process_capture(argv, 1 << 20, output, len, err);
}

TEST(all_that_a_program_prints_is_given)
{
	auto_free char *output = NULL;
	size_t len = 0;

	assert_int_equal(shell("printf 'a\\nb\\n'; echo noise >&2", &output, &len, NULL), 0);
	assert_int_equal(len, 4);
	assert_string_equal(output, "a\nb\n");
}

TEST(output_larger_than_a_pipe_blocks_nobody)
{
	auto_free char *output = NULL;
	size_t len = 0;

	assert_int_equal(shell("head -c 300000 /dev/zero; head -c 300000 /dev/zero >&2",
			       &output, &len, NULL), 0);
	assert_int_equal(len, 300000);
}

TEST(output_beyond_the_bound_is_refused)
{
	char *const argv[] = { (char *)"printf", (char *)"12345", NULL };
	auto_free char *output = NULL;
	struct error err;
	size_t len = 42;

	assert_int_equal(process_capture(argv, 4, &output, &len, &err), -EFBIG);
	assert_string_equal(err.text, "printf: longer than 4 bytes");
	assert_null(output);
}

TEST(what_a_failing_program_says_becomes_the_error)
{
	auto_free char *output = NULL;
	struct error err;
	size_t len = 42;

	assert_int_equal(shell("echo lost; echo 'no such container' >&2; echo more >&2; exit 7",
			       &output, &len, &err), -ECHILD);
	assert_string_equal(err.text, "no such container");
	assert_null(output);
	assert_int_equal(len, 42);
}

TEST(a_program_that_fails_in_silence_is_named_with_its_status)
{
	auto_free char *output = NULL;
	struct error err;
	size_t len;

	assert_int_equal(shell("exit 7", &output, &len, &err), -ECHILD);
	assert_string_equal(err.text, "sh: ended with status 7");
	assert_int_equal(shell("exit 1", &output, &len, &err), -ECHILD);
	assert_string_equal(err.text, "sh: ended with status 1");
	assert_int_equal(shell("kill -9 $$", &output, &len, &err), -ECHILD);
	assert_string_equal(err.text, "sh: ended by signal 9");
}

TEST(a_program_that_is_not_there_is_no_such_file)
{
	char *const argv[] = { (char *)"/nonexistent/crun", NULL };
	auto_free char *output = NULL;
	struct error err;
	size_t len;

	assert_int_equal(process_capture(argv, 100, &output, &len, &err), -ENOENT);
	assert_string_equal(err.text,
			    "/nonexistent/crun: cannot run: No such file or directory");
}

TEST(a_program_reads_nothing_from_our_input)
{
	auto_free char *output = NULL;
	size_t len = 42;

	assert_int_equal(shell("cat", &output, &len, NULL), 0);
	assert_int_equal(len, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(all_that_a_program_prints_is_given),
		cmocka_unit_test(output_larger_than_a_pipe_blocks_nobody),
		cmocka_unit_test(output_beyond_the_bound_is_refused),
		cmocka_unit_test(what_a_failing_program_says_becomes_the_error),
		cmocka_unit_test(a_program_that_fails_in_silence_is_named_with_its_status),
		cmocka_unit_test(a_program_that_is_not_there_is_no_such_file),
		cmocka_unit_test(a_program_reads_nothing_from_our_input),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
