// SPDX-License-Identifier: GPL-2.0-or-later
#include "cli/print.h"

#include <errno.h>
#include <stdio.h>

#include "base/cleanup.h"
#include "base/utf8.h"

int print_json(const struct json *document, struct error *err)
{
	auto_free char *text = NULL;
	size_t len;
	int ret;

	ret = json_write(document, json_root(document), true, &text, &len, err);
	if (ret < 0)
		return ret;
	utf8_repair(text);
	fputs(text, stdout);
	return 0;
}

int print_end(const char *noun, struct error *err)
{
	errno = 0;
	if (fflush(stdout) == 0 && !ferror(stdout))
		return 0;
	return error_errno(err, errno ? errno : EIO, "%s: cannot print", noun);
}
