// SPDX-License-Identifier: GPL-2.0-or-later
#include "base/error.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

void error_one_line(char *text)
{
	for (; *text; text++) {
		unsigned char byte = (unsigned char)*text, next = (unsigned char)text[1];

		if (byte < 0x20 || byte == 0x7f)
			*text = '?';
		/* U+0080 to U+009F, which some terminals obey as well */
		if (byte == 0xc2 && next >= 0x80 && next <= 0x9f) {
			text[0] = '?';
			text[1] = '?';
		}
	}
}

int error_set(struct error *err, int code, const char *format, ...)
{
	va_list args;

	if (!err)
		return -code;

	va_start(args, format);
	vsnprintf(err->text, sizeof(err->text), format, args);
	va_end(args);
	error_one_line(err->text);

	return -code;
}

int error_errno(struct error *err, int code, const char *format, ...)
{
	va_list args;
	size_t len;

	if (!err)
		return -code;

	va_start(args, format);
	vsnprintf(err->text, sizeof(err->text), format, args);
	va_end(args);
	error_one_line(err->text);

	len = strlen(err->text);
	snprintf(err->text + len, sizeof(err->text) - len, ": %s", strerror(code));

	return -code;
}

int error_prefix(struct error *err, int ret, const char *format, ...)
{
	char words[sizeof(err->text)];
	va_list args;
	size_t len;

	if (!err)
		return ret;

	memcpy(words, err->text, sizeof(words));

	va_start(args, format);
	vsnprintf(err->text, sizeof(err->text), format, args);
	va_end(args);
	error_one_line(err->text);

	len = strlen(err->text);
	snprintf(err->text + len, sizeof(err->text) - len, ": %s", words);

	return ret;
}
