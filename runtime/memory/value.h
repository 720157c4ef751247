/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"

/*
 * value - the text of a memory file, as it is shown, written and compared.
 */

/*
 * Cut what a memory file shows down to what can be written into it, in place: one line,
 * and of "oom_kill_disable 1" its number.
 */
void memory_value_trim(char *text);

/*
 * Do two texts of the same memory file mean the same? Numbers of a page and more are compared
 * in whole pages, "max" and v1's largest value are one, other texts as they are.
 */
bool memory_value_same(const char *a, const char *b);

/* To compare values by: "no limit" is above all, what is no number neither rises nor falls. */
int64_t memory_value_height(const char *text);

/*
 * Bytes as the kernel reads them from a written value: "max", plain numbers and those with one
 * of K M G T P E (Linux lib/cmdline.c, memparse), blanks around them. More than it can count is
 * no limit. -EINVAL: no size; -ERANGE: beyond 64 bits.
 */
int memory_value_read(const char *text, int64_t *value, struct error *err);
