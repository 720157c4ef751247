// SPDX-License-Identifier: GPL-2.0-or-later
#include "oci-hooks/record.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/file.h"
#include "base/json.h"
#include "container/values.h"

#define RECORD "memcrun-hook.json"

int record_open_bundle(int *dirfd, const struct state *state, struct error *err)
{
	if (!state->bundle || state->bundle[0] != '/')
		return error_set(err, EINVAL, "state: bundle: not an absolute path, \"%s\"",
				 state->bundle ? state->bundle : "");
	*dirfd = open(state->bundle, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (*dirfd < 0)
		return error_errno(err, errno, "%s: cannot open", state->bundle);
	return 0;
}

int record_write(int bundle, const struct memory_plan *plan, struct error *err)
{
	auto_json struct json *document = json_new();
	auto_free char *text = NULL;
	size_t len;
	int ret;

	if (!document)
		return error_errno(err, ENOMEM, RECORD);
	values_put(document, plan);
	ret = json_write(document, json_root(document), true, &text, &len, err);
	return ret < 0 ? ret : file_replace_at(bundle, RECORD, 0600, text, len, err);
}

int record_open(int bundle, struct error *err)
{
	int fd = openat(bundle, RECORD, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);

	return fd < 0 ? error_errno(err, errno, RECORD ": cannot open") : fd;
}

int record_read(int fd, struct memory_plan *plan, struct error *err)
{
	int ret = values_read(fd, plan, NULL, err);

	return ret < 0 ? error_prefix(err, ret, RECORD) : 0;
}

int record_remove(int bundle, struct error *err)
{
	if (unlinkat(bundle, RECORD, 0) < 0 && errno != ENOENT)
		return error_errno(err, errno, RECORD ": cannot remove");
	return 0;
}
