// SPDX-License-Identifier: GPL-2.0-or-later
#include "base/utf8.h"

#include <stdint.h>
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
