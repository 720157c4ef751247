/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <stddef.h>
#include <stdio.h>

/*
 * table - rows of text in aligned columns, for people.
 *
 * Cells are gathered first, for the widest decides. A table that ran out of
 * memory prints nothing and says so by table_print()'s -ENOMEM.
 */

#define TABLE_COLUMNS_MAX 8

struct table {
	size_t columns;
	size_t cells;
	size_t room;
	char **texts;
	int out_of_memory;
};

void table_init(struct table *table, size_t columns);
void table_free(struct table *table);

#define auto_table __attribute__((cleanup(table_free)))

/* Add the next cell, left to right. */
void table_cell(struct table *table, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/* Print; the first row is the heading, in bold on a terminal. */
int table_print(const struct table *table, FILE *stream);
