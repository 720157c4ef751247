// SPDX-License-Identifier: GPL-2.0-or-later
/* util - see util.h. */
#include "util.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

/* Not zero for any page: swap keeps no slot for what is all zeros. */
#define MARK UINT64_C(0x6d656d6367000001)

bool parse_size(const char *text, size_t *size)
{
	static const char units[] = "KMG";
	const char *unit;
	char *end;

	errno = 0;
	*size = strtoul(text, &end, 10);
	if (errno || end == text || *text == '-')
		return false;
	if (!*end)
		return true;
	unit = strchr(units, *end);
	if (!unit || end[1])
		return false;
	*size <<= 10 * (unit - units + 1);
	return true;
}

void fill(char *at, size_t size)
{
	for (size_t i = 0; i < size; i += PAGE)
		*(volatile uint64_t *)(at + i) = MARK + i / PAGE;
}

long first_bad(const char *at, size_t size)
{
	for (size_t i = 0; i < size; i += PAGE)
		if (*(const volatile uint64_t *)(at + i) != MARK + i / PAGE)
			return (long)(i / PAGE);
	return -1;
}
