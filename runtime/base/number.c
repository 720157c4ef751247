// SPDX-License-Identifier: GPL-2.0-or-later
#include "base/number.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

int number_read_i64(const char *text, int64_t *value, struct error *err)
{
	const char *digits = *text == '-' ? text + 1 : text;
	long long number;
	char *end;

	if (!isdigit((unsigned char)*digits))
		return error_set(err, EINVAL, "not an integer, \"%s\"", text);

	errno = 0;
	number = strtoll(text, &end, 10);
	if (*end)
		return error_set(err, EINVAL, "not an integer, \"%s\"", text);
	if (errno)
		return error_set(err, ERANGE, "out of range, \"%s\"", text);

	*value = number;
	return 0;
}

/* The power of two that a unit stands for, or -1. */
static int unit_shift(const char *unit)
{
	static const char letters[] = "kmgt";
	const char *letter;

	if (!*unit || strcasecmp(unit, "b") == 0)
		return 0;

	letter = strchr(letters, tolower((unsigned char)*unit));
	if (!letter)
		return -1;
	unit++;
	if (*unit && strcasecmp(unit, "i") && strcasecmp(unit, "b") && strcasecmp(unit, "ib"))
		return -1;

	return 10 * (int)(letter - letters + 1);
}

int number_read_size(const char *text, int64_t *value, struct error *err)
{
	const char *place = text;
	uint64_t scale = 1, fraction = 0;
	unsigned long long whole;
	unsigned __int128 bytes;
	char *end;
	int shift;

	if (!isdigit((unsigned char)*place))
		return error_set(err, EINVAL, "not a size, \"%s\"", text);

	errno = 0;
	whole = strtoull(place, &end, 10);
	if (errno)
		return error_set(err, ERANGE, "out of range, \"%s\"", text);
	place = end;

	if (*place == '.') {
		place++;
		if (!isdigit((unsigned char)*place))
			return error_set(err, EINVAL, "not a size, \"%s\"", text);
		for (; isdigit((unsigned char)*place); place++) {
			if (scale >= 1000000000000000ULL)
				continue;
			fraction = fraction * 10 + (uint64_t)(*place - '0');
			scale *= 10;
		}
	}

	shift = unit_shift(place);
	if (shift < 0 || (shift == 0 && fraction))
		return error_set(err, EINVAL, "not a size, \"%s\"", text);

	bytes = (unsigned __int128)whole << shift;
	bytes += ((unsigned __int128)fraction << shift) / scale;
	if (bytes > INT64_MAX)
		return error_set(err, ERANGE, "out of range, \"%s\"", text);

	*value = (int64_t)bytes;
	return 0;
}

int number_read_file(const char *text, int64_t *value, struct error *err)
{
	char word[64];
	size_t len = strcspn(text, "\n");
	int64_t number;
	int ret;

	if (len >= sizeof(word))
		return error_set(err, EINVAL, "not a number, \"%s\"", text);
	memcpy(word, text, len);
	word[len] = '\0';

	if (strcmp(word, "max") == 0) {
		*value = NUMBER_UNLIMITED;
		return 0;
	}

	ret = number_read_i64(word, &number, err);
	if (ret < 0)
		return ret;

	*value = number >= NUMBER_V1_MAX ? NUMBER_UNLIMITED : number;
	return 0;
}

int64_t number_page_floor(int64_t value)
{
	int64_t page = sysconf(_SC_PAGESIZE);

	return value < 0 ? value : value - value % page;
}
