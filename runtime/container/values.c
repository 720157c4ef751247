// SPDX-License-Identifier: GPL-2.0-or-later
#include "container/values.h"

#include <errno.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/file.h"

#define FORM 1

void values_put(struct json *document, const struct memory_plan *plan)
{
	struct json_value *files;

	json_set_i64(document, json_root(document), "form", FORM);
	files = json_need_object(document, json_root(document), "files");
	for (size_t i = 0; i < plan->count; i++)
		json_set_string(document, files, plan->writes[i].file, plan->writes[i].value);
}

static int read_files(const struct json *document, struct memory_plan *plan, struct error *err)
{
	struct json_value *files = NULL;
	int64_t form = 0;
	int ret;

	if (json_root(document)->type != JSON_OBJECT)
		return error_set(err, EINVAL, "not an object");
	ret = json_get_i64(json_root(document), "form", &form, err);
	if (ret == 0 || (ret > 0 && form != FORM))
		return error_set(err, EINVAL, "form: of another memcrun");
	if (ret >= 0)
		ret = json_get_object(json_root(document), "files", &files, err);
	if (ret < 0)
		return ret;
	for (const struct json_value *v = files ? files->first : NULL; v; v = v->next) {
		struct plan_write *write = &plan->writes[plan->count];

		if (plan->count == MEMORY_PLAN_MAX || v->type != JSON_STRING ||
		    strncmp(v->key, "memory.", strlen("memory.")) != 0 || strchr(v->key, '/') ||
		    strlen(v->key) >= sizeof(write->file) ||
		    strlen(v->text) >= sizeof(write->value))
			return error_set(err, EINVAL, "files: not a setting, \"%s\"", v->key);
		write->field = MEMORY_FIELDS;
		strcpy(write->file, v->key);
		strcpy(write->value, v->text);
		plan->count++;
	}
	return 0;
}

int values_read(int fd, struct memory_plan *plan, struct json **document, struct error *err)
{
	auto_json struct json *read = NULL;
	auto_free char *text = NULL;
	size_t len;
	int ret;

	plan->count = 0;
	ret = file_read_all(fd, JSON_SIZE_MAX, &text, &len, err);
	if (ret == 0)
		ret = json_parse(text, len, &read, err);
	if (ret == 0)
		ret = read_files(read, plan, err);
	if (ret == 0 && document)
		*document = take_ptr(&read);
	return ret;
}
