// SPDX-License-Identifier: GPL-2.0-or-later
#include "base/utf8.h"

#include "test.h"

#define BYTES(text) text, sizeof(text) - 1

TEST(valid_sequences_of_every_length_pass)
{
	static const struct {
		const char *text;
		size_t len;
	} rows[] = {
		{ BYTES("") },
		{ BYTES("plain text that is longer than a word of the machine") },
		{ BYTES("\x7f") },
		{ BYTES("\xc2\x80") },
		{ BYTES("\xdf\xbf") },
		{ BYTES("\xe0\xa0\x80") },
		{ BYTES("\xed\x9f\xbf") },
		{ BYTES("\xee\x80\x80") },
		{ BYTES("\xef\xbf\xbf") },
		{ BYTES("\xf0\x90\x80\x80") },
		{ BYTES("\xf4\x8f\xbf\xbf") },
		{ BYTES("1234567\xc3\xbc" "1234567\xe5\xa4\xa7" "12345678") },
	};

	for (size_t i = 0; i < COUNT(rows); i++)
		assert_row(rows[i].text, utf8_check(rows[i].text, rows[i].len) == -1);
}

TEST(what_rfc_3629_forbids_is_found_where_it_stands)
{
	static const struct {
		const char *what;
		const char *text;
		size_t len;
		ssize_t at;
	} rows[] = {
		{ "continuation alone", BYTES("\x80"), 0 },
		{ "overlong solidus", BYTES("ab\xc0\xaf"), 2 },
		{ "overlong c1", BYTES("\xc1\xbf"), 0 },
		{ "overlong of three", BYTES("\xe0\x80\xaf"), 0 },
		{ "overlong of three, high", BYTES("\xe0\x9f\xbf"), 0 },
		{ "overlong of four", BYTES("\xf0\x8f\xbf\xbf"), 0 },
		{ "surrogate d800", BYTES("\xed\xa0\x80"), 0 },
		{ "surrogate dfff", BYTES("\xed\xbf\xbf"), 0 },
		{ "above U+10FFFF", BYTES("\xf4\x90\x80\x80"), 0 },
		{ "f5", BYTES("\xf5\x80\x80\x80"), 0 },
		{ "ff", BYTES("12345678\xff"), 8 },
		{ "cut after one", BYTES("abc\xc3"), 3 },
		{ "cut after two", BYTES("abc\xe5\xa4"), 3 },
		{ "cut after three", BYTES("abc\xf0\x90\x80"), 3 },
		{ "third is no continuation", BYTES("\xe5\xa4" "a"), 0 },
		{ "fourth is no continuation", BYTES("\xf0\x90\x80" "a"), 0 },
		{ "behind many words", BYTES("12345678123456781234567\xfe"), 23 },
		{ "behind a valid one", BYTES("\xc3\xbc\xc3"), 2 },
	};

	for (size_t i = 0; i < COUNT(rows); i++)
		assert_row(rows[i].what, utf8_check(rows[i].text, rows[i].len) == rows[i].at);
}

TEST(the_length_is_the_end_and_not_a_nul)
{
	assert_int_equal(utf8_check("a\0b", 3), -1);
	assert_int_equal(utf8_check("a\0\xff", 3), 2);
	assert_int_equal(utf8_check("\xc3\xbc", 1), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(valid_sequences_of_every_length_pass),
		cmocka_unit_test(what_rfc_3629_forbids_is_found_where_it_stands),
		cmocka_unit_test(the_length_is_the_end_and_not_a_nul),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
