// SPDX-License-Identifier: GPL-2.0-or-later
#include "base/error.h"

#include "test.h"

TEST(an_error_is_its_words_and_its_negative_code)
{
	struct error err;

	assert_int_equal(error_set(&err, EINVAL, "noun: what, \"%d\"", 5), -EINVAL);
	assert_string_equal(err.text, "noun: what, \"5\"");
}

TEST(an_errno_puts_what_it_means_behind_the_words)
{
	struct error err;

	assert_int_equal(error_errno(&err, ENOENT, "%s: cannot open", "memory.max"), -ENOENT);
	assert_string_equal(err.text, "memory.max: cannot open: No such file or directory");
}

TEST(a_prefix_stands_in_front_and_passes_the_number_on)
{
	struct error err;

	error_set(&err, EBUSY, "memory.max: in use");
	assert_int_equal(error_prefix(&err, -EBUSY, "%s", "web"), -EBUSY);
	assert_string_equal(err.text, "web: memory.max: in use");
}

TEST(nobody_needs_to_want_the_words)
{
	assert_int_equal(error_set(NULL, EINVAL, "words"), -EINVAL);
	assert_int_equal(error_errno(NULL, EINVAL, "words"), -EINVAL);
	assert_int_equal(error_prefix(NULL, -EINVAL, "words"), -EINVAL);
}

TEST(words_from_outside_cannot_break_the_line_or_the_terminal)
{
	struct error err;

	error_set(&err, EINVAL, "value, \"%s\"", "a\nb\r\tc\033[31m\x7f");
	assert_string_equal(err.text, "value, \"a?b??c?[31m?\"");
	error_errno(&err, EPERM, "%s", "x\ny");
	assert_string_equal(err.text, "x?y: Operation not permitted");
	error_set(&err, EINVAL, "words");
	error_prefix(&err, -EINVAL, "web\n");
	assert_string_equal(err.text, "web?: words");
}

TEST(letters_of_other_languages_stay)
{
	char text[] = "gr\xc3\xb6\xc3\x9f" "e \xe5\xa4\xa7";

	error_one_line(text);
	assert_string_equal(text, "gr\xc3\xb6\xc3\x9f" "e \xe5\xa4\xa7");
}

TEST(words_too_long_are_cut_and_never_overrun)
{
	static char words[5000];
	struct error err;

	memset(words, 'a', sizeof(words) - 1);
	assert_int_equal(error_set(&err, EINVAL, "%s", words), -EINVAL);
	assert_int_equal(strlen(err.text), sizeof(err.text) - 1);
	assert_int_equal(error_errno(&err, EINVAL, "%s", words), -EINVAL);
	assert_int_equal(strlen(err.text), sizeof(err.text) - 1);
	assert_int_equal(error_prefix(&err, -EINVAL, "%s", words), -EINVAL);
	assert_int_equal(strlen(err.text), sizeof(err.text) - 1);

	error_set(&err, EINVAL, "%s", words);
	error_prefix(&err, -EINVAL, "web");
	assert_memory_equal(err.text, "web: aaa", 8);
	assert_int_equal(strlen(err.text), sizeof(err.text) - 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_error_is_its_words_and_its_negative_code),
		cmocka_unit_test(an_errno_puts_what_it_means_behind_the_words),
		cmocka_unit_test(a_prefix_stands_in_front_and_passes_the_number_on),
		cmocka_unit_test(nobody_needs_to_want_the_words),
		cmocka_unit_test(words_from_outside_cannot_break_the_line_or_the_terminal),
		cmocka_unit_test(letters_of_other_languages_stay),
		cmocka_unit_test(words_too_long_are_cut_and_never_overrun),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
