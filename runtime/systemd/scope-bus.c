// SPDX-License-Identifier: GPL-2.0-or-later
#include "systemd/scope-bus.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/process.h"

void scope_call_free(struct scope_call *call)
{
	for (size_t i = 0; i < call->count; i++)
		free(call->each[i]);
	free(call->each);
	call->each = NULL;
	call->count = 0;
}

void scope_call_add(struct scope_call *call, const char *text)
{
	char **larger;

	if (call->ret < 0)
		return;
	larger = reallocarray(call->each, call->count + 2, sizeof(*larger));
	if (larger) {
		call->each = larger;
		call->each[call->count] = strdup(text);
		call->each[call->count + 1] = NULL;
	}
	if (larger && call->each[call->count])
		call->count++;
	else
		call->ret = error_errno(&call->err, ENOMEM, "busctl");
}

void scope_call_add_all(struct scope_call *call, const char *const *texts)
{
	for (; *texts; texts++)
		scope_call_add(call, *texts);
}

void scope_call_append(struct scope_call *call, const struct scope_call *other)
{
	if (call->ret == 0 && other->ret < 0) {
		call->ret = other->ret;
		call->err = other->err;
	}
	for (size_t i = 0; i < other->count; i++)
		scope_call_add(call, other->each[i]);
}

void scope_call_begin(struct scope_call *call, bool user)
{
	scope_call_add_all(call, (const char *const[]){ "busctl", user ? "--user" : "--system",
							"--json=short", "--", "call", NULL });
}

/* The end of the first type of a signature; NULL where busctl takes no such type. */
static const char *type_end(const char *type)
{
	if (*type == 'a')
		return type_end(type + 1);
	if (*type == '(') {
		for (type++; type && *type != ')';)
			type = type_end(type);
		return type ? type + 1 : NULL;
	}
	return *type && strchr("bynqiuxtdsog", *type) ? type + 1 : NULL;
}

static const char *plain_text(char type, const struct json_value *value)
{
	switch (value->type) {
	case JSON_TRUE:
		return type == 'b' ? "true" : NULL;
	case JSON_FALSE:
		return type == 'b' ? "false" : NULL;
	case JSON_NUMBER:
		return strchr("ynqiuxtd", type) ? value->text : NULL;
	case JSON_STRING:
		return strchr("sog", type) ? value->text : NULL;
	case JSON_NULL:
	case JSON_ARRAY:
	case JSON_OBJECT:
		break;
	}
	return NULL;
}

/* -EPROTO: the value is not of the type. */
static int add_value(struct scope_call *call, const char *type, const struct json_value *value)
{
	const struct json_value *each = value->type == JSON_ARRAY ? value->first : NULL;
	char number[24];
	const char *text;
	int ret = 0;

	if (*type == 'a') {
		if (value->type != JSON_ARRAY)
			return -EPROTO;
		snprintf(number, sizeof(number), "%" PRIu32, value->count);
		scope_call_add(call, number);
		for (; each && ret == 0; each = each->next)
			ret = add_value(call, type + 1, each);
		return ret;
	}
	if (*type == '(') {
		for (type++; *type != ')' && ret == 0; type = type_end(type)) {
			ret = each ? add_value(call, type, each) : -EPROTO;
			each = each ? each->next : NULL;
		}
		return each ? -EPROTO : ret;
	}
	text = plain_text(*type, value);
	if (!text)
		return -EPROTO;
	scope_call_add(call, text);
	return 0;
}

void scope_call_add_property(struct scope_call *call, const char *name, const char *type,
			     const struct json_value *value)
{
	const char *end = type_end(type);
	int ret = 0;

	if (call->ret < 0)
		return;
	if (!end || *end) {
		call->ret = error_set(&call->err, EOPNOTSUPP,
				      "%s: cannot be handed on, its type is \"%s\"", name, type);
		return;
	}
	scope_call_add(call, name);
	scope_call_add(call, type);
	ret = add_value(call, type, value);
	if (ret < 0)
		call->ret = error_set(&call->err, -ret, "%s: the value is not of its type, \"%s\"",
				      name, type);
}

int scope_call_run(struct scope_call *call, struct json **answer, struct error *err)
{
	auto_free char *text = NULL;
	size_t len = 0;
	int ret = call->ret;

	if (ret < 0 && err)
		*err = call->err;
	if (ret == 0)
		ret = process_capture(call->each, JSON_SIZE_MAX, &text, &len, err);
	if (ret == 0 && answer)
		ret = json_parse(text, len, answer, err);
	return ret < 0 ? error_prefix(err, ret, "systemd") : 0;
}
