// SPDX-License-Identifier: GPL-2.0-or-later
#include "base/number.h"

#include "test.h"

TEST(an_integer_is_all_of_the_text_or_none)
{
	static const struct {
		const char *text;
		int ret;
		int64_t value;
	} rows[] = {
		{ "0", 0, 0 },
		{ "-0", 0, 0 },
		{ "-1", 0, -1 },
		{ "007", 0, 7 },
		{ "9223372036854775807", 0, INT64_MAX },
		{ "-9223372036854775808", 0, INT64_MIN },
		{ "9223372036854775808", -ERANGE, 0 },
		{ "-9223372036854775809", -ERANGE, 0 },
		{ "18446744073709551615", -ERANGE, 0 },
		{ "99999999999999999999999999", -ERANGE, 0 },
		{ "", -EINVAL, 0 },
		{ "-", -EINVAL, 0 },
		{ "--1", -EINVAL, 0 },
		{ "+1", -EINVAL, 0 },
		{ " 1", -EINVAL, 0 },
		{ "1 ", -EINVAL, 0 },
		{ "1\n", -EINVAL, 0 },
		{ "1.0", -EINVAL, 0 },
		{ "1e3", -EINVAL, 0 },
		{ "0x10", -EINVAL, 0 },
		{ "64M", -EINVAL, 0 },
		{ "max", -EINVAL, 0 },
		{ "99999999999999999999999999x", -EINVAL, 0 },
		{ "\xd9\xa1", -EINVAL, 0 },
	};

	for (size_t i = 0; i < COUNT(rows); i++) {
		int64_t value = 42;

		assert_row(rows[i].text, number_read_i64(rows[i].text, &value, NULL) == rows[i].ret);
		assert_row(rows[i].text, value == (rows[i].ret ? 42 : rows[i].value));
	}
}

TEST(a_refused_integer_is_named_on_one_line)
{
	struct error err;
	int64_t value;

	number_read_i64("1\n2", &value, &err);
	assert_string_equal(err.text, "not an integer, \"1?2\"");
	number_read_i64("9223372036854775808", &value, &err);
	assert_string_equal(err.text, "out of range, \"9223372036854775808\"");
}

TEST(a_size_has_the_units_that_podman_has)
{
	static const struct {
		const char *text;
		int64_t value;
	} rows[] = {
		{ "0", 0 },
		{ "1", 1 },
		{ "262144", 262144 },
		{ "1b", 1 },
		{ "1B", 1 },
		{ "64k", 65536 },
		{ "64K", 65536 },
		{ "64kb", 65536 },
		{ "64Ki", 65536 },
		{ "64KiB", 65536 },
		{ "64kib", 65536 },
		{ "64M", 67108864 },
		{ "64MB", 67108864 },
		{ "64MiB", 67108864 },
		{ "1.5g", 1610612736 },
		{ "1.50G", 1610612736 },
		{ "0.5Ti", 549755813888 },
		{ "1.0", 1 },
		{ "2.000b", 2 },
		{ "0.0009765625k", 1 },
		{ "0.1k", 102 },
		{ "1.99999999999999999999999999999999k", 2047 },
		{ "9223372036854775807", INT64_MAX },
		{ "8388607T", 9223370937343148032LL },
		{ "0000064M", 67108864 },
	};

	for (size_t i = 0; i < COUNT(rows); i++) {
		int64_t value = -7;

		assert_row(rows[i].text, number_read_size(rows[i].text, &value, NULL) == 0);
		assert_row(rows[i].text, value == rows[i].value);
	}
}

TEST(what_is_no_size_is_refused_and_nothing_is_written)
{
	static const struct {
		const char *text;
		int ret;
	} rows[] = {
		{ "", -EINVAL },
		{ " ", -EINVAL },
		{ "-1", -EINVAL },
		{ "-64M", -EINVAL },
		{ "+64M", -EINVAL },
		{ " 64M", -EINVAL },
		{ "64M ", -EINVAL },
		{ "64 M", -EINVAL },
		{ "64M\n", -EINVAL },
		{ "M", -EINVAL },
		{ ".5g", -EINVAL },
		{ "1.g", -EINVAL },
		{ "1.", -EINVAL },
		{ "1.5", -EINVAL },
		{ "1.5b", -EINVAL },
		{ "1..5g", -EINVAL },
		{ "1.5.5g", -EINVAL },
		{ "1,5g", -EINVAL },
		{ "0x10", -EINVAL },
		{ "1e3", -EINVAL },
		{ "max", -EINVAL },
		{ "64P", -EINVAL },
		{ "64KK", -EINVAL },
		{ "64Kbi", -EINVAL },
		{ "64iB", -EINVAL },
		{ "64bb", -EINVAL },
		{ "64MiBs", -EINVAL },
		{ "9223372036854775808", -ERANGE },
		{ "18446744073709551616", -ERANGE },
		{ "8388608T", -ERANGE },
		{ "18446744073709551615T", -ERANGE },
		{ "9223372036854775807k", -ERANGE },
		{ "99999999999999999999999999999G", -ERANGE },
	};

	for (size_t i = 0; i < COUNT(rows); i++) {
		int64_t value = 42;

		assert_row(rows[i].text,
			   number_read_size(rows[i].text, &value, NULL) == rows[i].ret);
		assert_row(rows[i].text, value == 42);
	}
}

TEST(minus_one_is_no_size)
{
	int64_t value = 42;

	assert_int_equal(number_read_size("-1", &value, NULL), -EINVAL);
	assert_true(value == 42);
}

TEST(max_and_the_largest_value_of_v1_are_unlimited)
{
	static const struct {
		const char *text;
		int ret;
		int64_t value;
	} rows[] = {
		{ "max", 0, -1 },
		{ "max\n", 0, -1 },
		{ "9223372036854771712", 0, -1 },
		{ "9223372036854771712\n", 0, -1 },
		{ "9223372036854775807", 0, -1 },
		{ "9223372036854771711", 0, 9223372036854771711LL },
		{ "-1", 0, -1 },
		{ "0\n", 0, 0 },
		{ "4096\nmore", 0, 4096 },
		{ "", -EINVAL, 0 },
		{ "\n", -EINVAL, 0 },
		{ "maximum", -EINVAL, 0 },
		{ "Max", -EINVAL, 0 },
		{ "4096 ", -EINVAL, 0 },
		{ "9223372036854775808", -ERANGE, 0 },
		{ "0000000000000000000000000000000000000000000000000000000000000001",
		  -EINVAL, 0 },
	};

	for (size_t i = 0; i < COUNT(rows); i++) {
		int64_t value = 42;

		assert_row(rows[i].text, number_read_file(rows[i].text, &value, NULL) == rows[i].ret);
		assert_row(rows[i].text, value == (rows[i].ret ? 42 : rows[i].value));
	}
}

TEST(a_page_floor_rounds_down_and_leaves_unlimited)
{
	int64_t page = sysconf(_SC_PAGESIZE);

	assert_true(number_page_floor(0) == 0);
	assert_true(number_page_floor(page - 1) == 0);
	assert_true(number_page_floor(page) == page);
	assert_true(number_page_floor(page + 1) == page);
	assert_true(number_page_floor(2 * page - 1) == page);
	assert_true(number_page_floor(-1) == -1);
	assert_true(number_page_floor(INT64_MAX) == INT64_MAX - INT64_MAX % page);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_integer_is_all_of_the_text_or_none),
		cmocka_unit_test(a_refused_integer_is_named_on_one_line),
		cmocka_unit_test(a_size_has_the_units_that_podman_has),
		cmocka_unit_test(what_is_no_size_is_refused_and_nothing_is_written),
		cmocka_unit_test(minus_one_is_no_size),
		cmocka_unit_test(max_and_the_largest_value_of_v1_are_unlimited),
		cmocka_unit_test(a_page_floor_rounds_down_and_leaves_unlimited),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
