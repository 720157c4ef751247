// SPDX-License-Identifier: GPL-2.0-or-later
#include "oci/state.h"

#include <errno.h>

#include "base/cleanup.h"
#include "base/file.h"
#include "memory/spec.h"

void state_free(struct state *state)
{
	json_free(state->document);
	*state = (struct state){ 0 };
}

static int read_fields(struct state *state, struct error *err)
{
	struct json_value *root = json_root(state->document);
	struct json_value *annotations = NULL;
	const struct json_value *asked;
	int64_t pid = 0;
	int ret;

	if (root->type != JSON_OBJECT)
		return error_set(err, EINVAL, "not an object");
	ret = json_get_i64(root, "pid", &pid, err);
	if (ret >= 0)
		ret = json_get_string(root, "id", &state->id, err);
	if (ret >= 0)
		ret = json_get_string(root, "bundle", &state->bundle, err);
	if (ret >= 0)
		ret = json_get_object(root, "annotations", &annotations, err);
	if (ret < 0)
		return ret;
	if (pid < 0 || pid > INT32_MAX)
		return error_set(err, EINVAL, "pid: out of range, \"%lld\"", (long long)pid);

	state->pid = (pid_t)pid;
	/* The key has dots in it, so it is no path. */
	asked = json_member(annotations, ANNOTATION_ASKED);
	if (asked && asked->type == JSON_STRING)
		state->asked = asked->text;
	return 0;
}

int state_parse(struct state *state, const char *text, size_t len, struct error *err)
{
	auto_state struct state made = { 0 };
	int ret;

	ret = json_parse(text, len, &made.document, err);
	if (ret == 0)
		ret = read_fields(&made, err);
	if (ret < 0)
		return error_prefix(err, ret, "state");

	*state = made;
	made.document = NULL;
	return 0;
}

int state_read(struct state *state, int fd, struct error *err)
{
	auto_free char *text = NULL;
	size_t len;
	int ret;

	ret = file_read_all(fd, JSON_SIZE_MAX, &text, &len, err);
	return ret < 0 ? error_prefix(err, ret, "state") : state_parse(state, text, len, err);
}
