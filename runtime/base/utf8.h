/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <stddef.h>
#include <sys/types.h>

/*
 * utf8 - is this text UTF-8 as RFC 3629 has it?
 *
 * libyajl only counts continuation bytes: it lets overlong forms, surrogates
 * and code points above U+10FFFF through, and crun's other parsers do not.
 */

/* Replace every byte that is part of no valid sequence by '?', in place. */
void utf8_repair(char *text);

/* The offset of the first byte that begins no valid sequence, or -1. */
ssize_t utf8_check(const char *text, size_t len);

/*
 * In `len` bytes of JSON in allocated memory: write DEL and U+0080 to U+009F, which some
 * terminals obey and libyajl lets through, as \u007f and the like. They can only be inside
 * strings, where that means the same. -ENOMEM: `text` is as it was.
 */
int utf8_escape(char **text, size_t *len);
