// SPDX-License-Identifier: GPL-2.0-or-later
#include "cli/table.h"

#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/error.h"

void table_init(struct table *table, size_t columns)
{
	*table = (struct table){ .columns = columns };
}

void table_free(struct table *table)
{
	for (size_t i = 0; i < table->cells; i++)
		free(table->texts[i]);
	free(table->texts);
	table->texts = NULL;
	table->cells = 0;
}

void table_cell(struct table *table, const char *format, ...)
{
	char **larger, *text;
	va_list args;
	size_t room;

	if (table->cells == table->room) {
		room = table->room ? 2 * table->room : 64;
		larger = realloc(table->texts, room * sizeof(*larger));
		if (!larger) {
			table->out_of_memory = 1;
			return;
		}
		table->texts = larger;
		table->room = room;
	}

	va_start(args, format);
	if (vasprintf(&text, format, args) < 0)
		text = NULL;
	va_end(args);
	if (!text) {
		table->out_of_memory = 1;
		return;
	}
	error_one_line(text);
	table->texts[table->cells++] = text;
}

/* Padding is owed until another cell needs it, so that no line ends in spaces. */
static void print_row(const struct table *table, size_t first, const size_t *width, int bold,
		      FILE *stream)
{
	size_t owed = 0, len;

	if (bold)
		fputs("\033[1m", stream);
	for (size_t column = 0; column < table->columns && first + column < table->cells; column++) {
		const char *text = table->texts[first + column];

		len = strlen(text);
		if (len)
			fprintf(stream, "%*s%s", (int)owed, "", text);
		owed = (len ? 0 : owed) + width[column] - len + 2;
	}
	fprintf(stream, "%s\n", bold ? "\033[0m" : "");
}

int table_print(const struct table *table, FILE *stream)
{
	int bold = isatty(fileno(stream));
	size_t width[TABLE_COLUMNS_MAX] = { 0 };

	if (table->out_of_memory)
		return -ENOMEM;

	for (size_t i = 0; i < table->cells; i++) {
		size_t column = i % table->columns, len = strlen(table->texts[i]);

		if (len > width[column])
			width[column] = len;
	}
	for (size_t i = 0; i < table->cells; i += table->columns)
		print_row(table, i, width, bold && i == 0, stream);
	return 0;
}
