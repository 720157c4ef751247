// SPDX-License-Identifier: GPL-2.0-or-later
#include "base/utf8.h"

#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Sequences by first byte; the second byte's range rules out what is invalid. */
static const struct sequence {
	unsigned char first_low, first_high;
	unsigned char second_low, second_high;
	unsigned char len;
} sequences[] = {
	{ 0xc2, 0xdf, 0x80, 0xbf, 2 },
	{ 0xe0, 0xe0, 0xa0, 0xbf, 3 },
	{ 0xe1, 0xec, 0x80, 0xbf, 3 },
	{ 0xed, 0xed, 0x80, 0x9f, 3 },
	{ 0xee, 0xef, 0x80, 0xbf, 3 },
	{ 0xf0, 0xf0, 0x90, 0xbf, 4 },
	{ 0xf1, 0xf3, 0x80, 0xbf, 4 },
	{ 0xf4, 0xf4, 0x80, 0x8f, 4 },
};

static size_t sequence_len(const unsigned char *text, size_t left)
{
	for (size_t i = 0; i < sizeof(sequences) / sizeof(sequences[0]); i++) {
		const struct sequence *s = &sequences[i];

		if (text[0] < s->first_low || text[0] > s->first_high)
			continue;
		if (left < s->len || text[1] < s->second_low || text[1] > s->second_high)
			return 0;
		for (size_t k = 2; k < s->len; k++) {
			if ((text[k] & 0xc0) != 0x80)
				return 0;
		}
		return s->len;
	}
	return 0;
}

ssize_t utf8_check(const char *text, size_t len)
{
	const unsigned char *bytes = (const unsigned char *)text;
	size_t i = 0, step;
	uint64_t word;

	while (i < len) {
		if (len - i >= sizeof(word)) {
			memcpy(&word, bytes + i, sizeof(word));
			if (!(word & 0x8080808080808080ULL)) {
				i += sizeof(word);
				continue;
			}
		}
		if (bytes[i] < 0x80) {
			i++;
			continue;
		}
		step = sequence_len(bytes + i, len - i);
		if (!step)
			return (ssize_t)i;
		i += step;
	}
	return -1;
}

void utf8_repair(char *text)
{
	size_t len = strlen(text), from = 0;
	ssize_t wrong_at;

	while ((wrong_at = utf8_check(text + from, len - from)) >= 0) {
		from += (size_t)wrong_at;
		text[from++] = '?';
	}
}

/* The length of the control character at `text`, or 0. */
static size_t control_len(const char *text)
{
	unsigned char first = (unsigned char)text[0], second;

	if (first == 0x7f)
		return 1;
	if (first != 0xc2)
		return 0;
	second = (unsigned char)text[1];
	return second >= 0x80 && second <= 0x9f ? 2 : 0;
}

int utf8_escape(char **text, size_t *len)
{
	size_t controls = 0, skip;
	char *escaped, *to;

	for (const char *c = *text; *c; c++)
		controls += control_len(c) > 0;
	if (!controls)
		return 0;
	escaped = malloc(*len + controls * strlen("\\u0000") + 1);
	if (!escaped)
		return -ENOMEM;
	to = escaped;
	for (const char *c = *text; *c; c += skip ? skip : 1) {
		skip = control_len(c);
		if (skip)
			to += sprintf(to, "\\u%04x", (unsigned char)c[skip - 1]);
		else
			*to++ = *c;
	}
	*to = '\0';
	free(*text);
	*text = escaped;
	*len = (size_t)(to - escaped);
	return 0;
}
