/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * memory - what the programs of tests/kernel and of tests/memcg share: files of
 * cgroups, and mappings.
 */
#pragma once

#include <stddef.h>

#define ARRAY_SIZE(array) (sizeof(array) / sizeof((array)[0]))

#define PAGE ((size_t)4096)
#define HUGE_PAGE ((size_t)2 << 20)

/* 0 or a negative errno: writes text into DIRECTORY/NAME. */
int write_text(const char *directory, const char *name, const char *text);

/* Huge pages want their alignment, so all mappings have it; NULL on failure. */
char *map_memory(size_t size, int flags, int fd);
