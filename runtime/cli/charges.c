// SPDX-License-Identifier: GPL-2.0-or-later
#include "cli/charges.h"

#include <stdio.h>

#include "cli/table.h"
#include "cli/units.h"

static void row(struct table *table, const char *name, bool known, int64_t moved, int64_t left)
{
	char text[SIZE_TEXT_MAX];

	table_cell(table, "%s", name);
	table_cell(table, "%s", known ? size_text(text, moved) : "-");
	table_cell(table, "%s", size_text(text, left));
}

int charges_table(const struct charge_usage *moved, int64_t total,
		  const struct charge_usage *left)
{
	auto_table struct table table = { 0 };

	table_init(&table, 3);
	for (const char *const *h = (const char *const[]){ "TYPE", "MOVED", "LEFT", NULL }; *h; h++)
		table_cell(&table, "%s", *h);
	for (int i = 0; i < CHARGE_TYPES; i++)
		row(&table, charge_type_name((enum charge_type)i), moved,
		    moved ? moved->by_type[i] : 0, left->by_type[i]);
	row(&table, "total", total >= 0, total, left->total);
	return table_print(&table, stdout);
}

void charges_json(struct json *document, struct json_value *root,
		  const struct charge_usage *moved, const struct charge_usage *left)
{
	struct json_value *types = json_set_object(document, root, "types"), *type;

	for (int i = 0; i < CHARGE_TYPES; i++) {
		type = json_set_object(document, types, charge_type_name((enum charge_type)i));
		if (moved)
			json_set_i64(document, type, "moved_bytes", moved->by_type[i]);
		json_set_i64(document, type, "left_bytes", left->by_type[i]);
	}
}
