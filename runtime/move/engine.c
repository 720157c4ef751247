// SPDX-License-Identifier: GPL-2.0-or-later
#include "move/engine.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/file.h"
#include "base/json.h"
#include "kernel/path.h"

/*
 * CRI-O 1.36 joins the pod's parent and "crio-ID" for each request (its cgmgr package):
 * no file says otherwise, so that nothing from outside can tell it of another cgroup.
 * containerd keeps the cgroup that the task had when it was started.
 */
static const struct {
	const char *prefix;	/* of its annotations */
	const char *name;
} engines[] = {
	{ "io.kubernetes.cri-o.", "CRI-O" },
	{ "io.kubernetes.cri.", "containerd" },
};

/* "slice:prefix:name" is the scope prefix-name.scope, all else a path. */
static bool is_at(const char *wanted, const struct place *place)
{
	auto_free char *path = path_normal(wanted);
	auto_free char *scope = NULL;
	const char *prefix = strchr(wanted, ':'), *name = prefix ? strchr(prefix + 1, ':') : NULL;

	if (!*place->scope)
		return path && strcmp(path, place->cgroup) == 0;
	if (!name || asprintf(&scope, "%.*s-%s.scope", (int)(name - prefix - 1), prefix + 1,
			      name + 1) < 0) {
		scope = NULL;
		return false;
	}
	return strcmp(scope, place->scope) == 0;
}

const char *move_engine_that_loses(const struct status *status, const struct place *place)
{
	auto_close int fd = openat(status->dirfd, "config.json", O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	const struct json_value *annotations, *each;
	auto_json struct json *document = NULL;
	auto_free char *text = NULL;
	const char *path = "";
	size_t len;

	if (fd < 0 || file_read_all(fd, JSON_SIZE_MAX, &text, &len, NULL) < 0 ||
	    json_parse(text, len, &document, NULL) < 0)
		return NULL;
	annotations = json_member(json_root(document), "annotations");
	json_get_string(json_root(document), "linux.cgroupsPath", &path, NULL);
	if (!annotations || annotations->type != JSON_OBJECT || is_at(path, place))
		return NULL;
	for (each = annotations->first; each; each = each->next) {
		for (size_t i = 0; i < sizeof(engines) / sizeof(engines[0]); i++) {
			if (strncmp(each->key, engines[i].prefix, strlen(engines[i].prefix)) == 0)
				return engines[i].name;
		}
	}
	return NULL;
}
