/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * util - what hold and load share: memory whose pages know what is in them. The
 * mark of a page is made of its number in a mapping or a file, so that whoever
 * reads it, in whatever cgroup and after whatever swap, can tell.
 */
#ifndef MEMCG_UTIL_H
#define MEMCG_UTIL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "../kernel/memory.h"

/* "4096", "256K", "50M"; false if it is none of these. */
bool parse_size(const char *text, size_t *size);

void fill(char *at, size_t size);

/* The first page whose mark is wrong, or -1. */
long first_bad(const char *at, size_t size);

#endif
