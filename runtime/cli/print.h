/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "base/json.h"

/*
 * print - what a verb writes to standard output, and what it says when it cannot.
 */

/* The document for people and programs. Bytes that are no UTF-8 (a name) become '?'. */
int print_json(const struct json *document, struct error *err);

/*
 * All that was printed reaches standard output, or an error: `noun`: cannot print. To be
 * called once, at the end.
 */
int print_end(const char *noun, struct error *err);
