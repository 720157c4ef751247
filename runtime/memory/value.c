// SPDX-License-Identifier: GPL-2.0-or-later
#include "memory/value.h"

#include <ctype.h>
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "base/number.h"

/* The kernel strips blanks before it reads a value, and so is a value's newline one. */
static int strip(const char *text, char *word, size_t size)
{
	size_t len;

	text += strspn(text, " \t\n\r\v\f");
	len = strlen(text);
	while (len > 0 && isspace((unsigned char)text[len - 1]))
		len--;
	if (len >= size)
		return -EINVAL;
	memcpy(word, text, len);
	word[len] = '\0';
	return 0;
}

int memory_value_read(const char *text, int64_t *value, struct error *err)
{
	static const char units[] = "kmgtpe";
	const char *unit = NULL;
	unsigned long long number;
	char word[64], *end;
	int shift = 0;

	if (strip(text, word, sizeof(word)) < 0)
		return error_set(err, EINVAL, "not a number, \"%s\"", text);
	/* memparse() takes octal and hexadecimal numbers too. */
	if (!isdigit((unsigned char)*word))
		return number_read_file(word, value, err);

	errno = 0;
	number = strtoull(word, &end, 0);
	if (errno)
		return error_set(err, ERANGE, "out of range, \"%s\"", text);
	if (*end)
		unit = strchr(units, tolower((unsigned char)*end));
	if (unit) {
		shift = 10 * (int)(unit - units + 1);
		end++;
	}
	if (*end)
		return error_set(err, EINVAL, "not a number, \"%s\"", text);
	/* of 64 bits the kernel loses those that are shifted out */
	if (number > ULLONG_MAX >> shift)
		return error_set(err, ERANGE, "out of range, \"%s\"", text);

	/* more pages than it counts are no limit to it, up to 2^64 - 1 */
	number <<= shift;
	*value = number >= NUMBER_V1_MAX ? NUMBER_UNLIMITED : (int64_t)number;
	return 0;
}

void memory_value_trim(char *text)
{
	static const char prefix[] = "oom_kill_disable ";

	text[strcspn(text, "\n")] = '\0';
	if (strncmp(text, prefix, strlen(prefix)) == 0)
		memmove(text, text + strlen(prefix), strlen(text + strlen(prefix)) + 1);
}

bool memory_value_same(const char *a, const char *b)
{
	size_t len_a = strcspn(a, "\n"), len_b = strcspn(b, "\n");
	int64_t value_a, value_b;

	if (memory_value_read(a, &value_a, NULL) == 0 && memory_value_read(b, &value_b, NULL) == 0)
		return value_a == value_b || (value_a >= 4096 && value_b >= 4096 &&
		       number_page_floor(value_a) == number_page_floor(value_b));

	return len_a == len_b && strncmp(a, b, len_a) == 0;
}

int64_t memory_value_height(const char *text)
{
	int64_t number;

	if (memory_value_read(text, &number, NULL) < 0)
		return 0;
	return number == NUMBER_UNLIMITED ? INT64_MAX : number;
}
