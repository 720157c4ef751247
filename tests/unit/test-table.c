// SPDX-License-Identifier: GPL-2.0-or-later
#include "cli/table.h"

#include "test.h"

/* What a table prints into a file. */
static void assert_printed(const struct table *table, const char *wanted)
{
	auto_free char *text = NULL;
	FILE *stream = tmpfile();
	size_t room = 0;

	assert_non_null(stream);
	assert_int_equal(table_print(table, stream), 0);
	rewind(stream);
	if (getdelim(&text, &room, '\0', stream) < 0) {
		fclose(stream);
		assert_string_equal("", wanted);
		return;
	}
	fclose(stream);
	assert_string_equal(text, wanted);
}

TEST(the_widest_cell_makes_the_column)
{
	auto_table struct table table;

	table_init(&table, 3);
	for (const char *const *cell = (const char *const[]){ "A", "BB", "C", "aaaa", "", "last one",
							      "a", "bbb", "", NULL };
	     *cell; cell++)
		table_cell(&table, "%s", *cell);
	assert_printed(&table, "A     BB   C\naaaa       last one\na     bbb\n");
}

TEST(a_cell_is_formatted_and_cannot_break_its_line)
{
	auto_table struct table table;

	table_init(&table, 1);
	table_cell(&table, "%d-%s", 5, "a\nb\033");
	assert_printed(&table, "5-a?b?\n");
}

TEST(a_table_of_many_rows_keeps_all)
{
	auto_table struct table table;
	auto_free char *wanted = calloc(1, 100000);
	char *end = wanted;

	table_init(&table, 2);
	for (int i = 0; i < 1000; i++) {
		table_cell(&table, "%04d", i);
		table_cell(&table, "x");
		end += sprintf(end, "%04d  x\n", i);
	}
	assert_printed(&table, wanted);
}

TEST(an_empty_table_prints_nothing)
{
	auto_table struct table table;

	table_init(&table, 4);
	assert_printed(&table, "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_widest_cell_makes_the_column),
		cmocka_unit_test(a_cell_is_formatted_and_cannot_break_its_line),
		cmocka_unit_test(a_table_of_many_rows_keeps_all),
		cmocka_unit_test(an_empty_table_prints_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
