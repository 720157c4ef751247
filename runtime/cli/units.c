// SPDX-License-Identifier: GPL-2.0-or-later
#include "cli/units.h"

#include <inttypes.h>
#include <stddef.h>
#include <stdio.h>

const char *size_text(char text[SIZE_TEXT_MAX], int64_t bytes)
{
	static const char units[] = "KMGTP";
	double value = (double)bytes;
	size_t unit = 0;

	if (bytes < 1024) {
		snprintf(text, SIZE_TEXT_MAX, "%" PRId64, bytes);
		return text;
	}
	for (value /= 1024; value >= 1000 && units[unit + 1]; value /= 1024)
		unit++;
	snprintf(text, SIZE_TEXT_MAX, value < 9.95 ? "%.1f%c" : "%.0f%c", value, units[unit]);
	return text;
}

const char *time_text(char text[SIZE_TEXT_MAX], int64_t usec)
{
	if (usec < 1000)
		snprintf(text, SIZE_TEXT_MAX, "%" PRId64 " us", usec);
	else if (usec < 999950)
		snprintf(text, SIZE_TEXT_MAX, "%.1f ms", (double)usec / 1e3);
	else
		snprintf(text, SIZE_TEXT_MAX, "%.2f s", (double)usec / 1e6);
	return text;
}
