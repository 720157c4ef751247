// SPDX-License-Identifier: GPL-2.0-or-later
#include "cli/units.h"

#include "test.h"

TEST(bytes_have_at_most_four_digits_and_a_unit_of_1024)
{
	static const struct {
		int64_t bytes;
		const char *text;
	} rows[] = {
		{ 0, "0" },
		{ 1, "1" },
		{ 512, "512" },
		{ 1023, "1023" },
		{ 1024, "1.0K" },
		{ 1536, "1.5K" },
		{ 10188, "9.9K" },
		{ 10189, "10K" },
		{ 10240, "10K" },
		{ 1000 * 1024 - 1, "1000K" },
		{ 1000 * 1024, "1.0M" },
		{ 64 << 20, "64M" },
		{ INT64_C(1) << 30, "1.0G" },
		{ INT64_C(5) << 39, "2.5T" },
		{ INT64_C(1) << 50, "1.0P" },
		{ INT64_MAX, "8192P" },
		{ -1, "-1" },
	};

	for (size_t i = 0; i < COUNT(rows); i++) {
		char text[SIZE_TEXT_MAX];

		assert_ptr_equal(size_text(text, rows[i].bytes), text);
		assert_row_text(rows[i].text, text, rows[i].text);
	}
}

TEST(the_longest_numbers_have_their_place)
{
	char text[SIZE_TEXT_MAX];

	assert_string_equal(size_text(text, INT64_MIN), "-9223372036854775808");
	assert_string_equal(time_text(text, INT64_MIN), "-9223372036854775808 us");
	assert_string_equal(time_text(text, INT64_MAX), "9223372036854.78 s");
}

TEST(a_time_has_the_unit_that_fits)
{
	static const struct {
		int64_t usec;
		const char *text;
	} rows[] = {
		{ 0, "0 us" },
		{ 870, "870 us" },
		{ 999, "999 us" },
		{ 1000, "1.0 ms" },
		{ 12345, "12.3 ms" },
		{ 999900, "999.9 ms" },
		{ 1000000, "1.00 s" },
		{ 4510000, "4.51 s" },
		{ 3600000000, "3600.00 s" },
	};

	for (size_t i = 0; i < COUNT(rows); i++) {
		char text[SIZE_TEXT_MAX];

		assert_ptr_equal(time_text(text, rows[i].usec), text);
		assert_row_text(rows[i].text, text, rows[i].text);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(bytes_have_at_most_four_digits_and_a_unit_of_1024),
		cmocka_unit_test(the_longest_numbers_have_their_place),
		cmocka_unit_test(a_time_has_the_unit_that_fits),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
