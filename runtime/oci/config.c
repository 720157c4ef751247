// SPDX-License-Identifier: GPL-2.0-or-later
#include "oci/config.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/file.h"
#include "base/number.h"

#define MEMORY "linux.resources.memory"
#define UNIFIED "linux.resources.unified"

static const struct key {
	const char *name;
	enum memory_field field;
	bool is_bool;
} keys[] = {
	{ "limit", MEMORY_LIMIT, false },
	{ "swap", MEMORY_SWAP, false },
	{ "reservation", MEMORY_RESERVATION, false },
	{ "kernel", MEMORY_KERNEL, false },
	{ "kernelTCP", MEMORY_KERNEL_TCP, false },
	{ "swappiness", MEMORY_SWAPPINESS, false },
	{ "disableOOMKiller", MEMORY_OOM_WAIT, true },
	{ "useHierarchy", MEMORY_HIERARCHY, true },
	{ "checkBeforeUpdate", MEMORY_CHECK, true },
};

#define KEYS (sizeof(keys) / sizeof(keys[0]))

void config_free(struct config *config)
{
	json_free(config->document);
	free(config->text);
	config->document = NULL;
	config->text = NULL;
}

static bool is_memory_file(const char *name)
{
	return strncmp(name, "memory.", strlen("memory.")) == 0;
}

static bool is_ours(const char *annotation)
{
	return strncmp(annotation, ANNOTATION_PREFIX, strlen(ANNOTATION_PREFIX)) == 0;
}

static int read_key(struct memory_spec *spec, struct json_value *memory, const struct key *key,
		    struct error *err)
{
	int64_t number = 0;
	bool truth = false;
	int ret;

	ret = key->is_bool ? json_get_bool(memory, key->name, &truth, err) :
			     json_get_i64(memory, key->name, &number, err);
	if (ret <= 0)
		return ret;
	return memory_spec_set(spec, key->field, key->is_bool ? truth : number, err);
}

static int read_unified(struct memory_spec *spec, struct json_value *root, struct error *err)
{
	struct json_value *unified = NULL;
	int ret;

	ret = json_get_object(root, UNIFIED, &unified, err);
	if (ret <= 0)
		return ret;

	for (struct json_value *v = unified->first; v; v = v->next) {
		if (!is_memory_file(v->key))
			continue;
		if (v->type != JSON_STRING)
			return error_set(err, EINVAL, UNIFIED ".%s: not a string", v->key);
		ret = memory_spec_explicit(spec, v->key, v->text, err);
		if (ret < 0)
			return ret;
	}
	return 0;
}

static int read_annotations(struct memory_spec *spec, struct json_value *root, struct error *err)
{
	struct json_value *annotations = NULL;
	int ret;

	ret = json_get_object(root, "annotations", &annotations, err);
	if (ret <= 0)
		return ret;

	for (struct json_value *v = annotations->first; v; v = v->next) {
		if (!is_ours(v->key))
			continue;
		if (v->type != JSON_STRING)
			return error_set(err, EINVAL, "annotations.%s: not a string", v->key);
		ret = memory_spec_annotate(spec, v->key, v->text, err);
		if (ret < 0)
			return ret;
	}
	return 0;
}

static int read_spec(struct config *config, struct json_value *root, struct error *err)
{
	struct memory_spec *spec = &config->spec;
	struct json_value *object = NULL;
	int ret;

	if (root->type != JSON_OBJECT)
		return error_set(err, EINVAL, "not an object");

	/* A memory that is no object must not pass as one that asks for nothing. */
	ret = json_get_object(root, MEMORY, &object, err);
	for (size_t i = 0; ret >= 0 && i < KEYS; i++) {
		/* crun takes the 0 of "not set" for a limit: it must not see it. */
		if (json_member(object, keys[i].name))
			config->concerned = true;
		ret = read_key(spec, object, &keys[i], err);
	}
	if (ret >= 0)
		ret = read_unified(spec, root, err);
	if (ret >= 0)
		ret = read_annotations(spec, root, err);
	if (ret >= 0)
		ret = memory_spec_finish(spec, err);
	if (memory_spec_any(spec))
		config->concerned = true;
	return ret;
}

int config_parse(struct config *config, const char *text, size_t len, struct error *err)
{
	int ret;

	*config = (struct config){ 0 };
	ret = json_parse(text, len, &config->document, err);
	if (ret < 0)
		return ret;
	ret = read_spec(config, json_root(config->document), err);
	if (ret < 0)
		config_free(config);
	return ret;
}

int config_read(struct config *config, const char *path, struct error *err)
{
	auto_free char *text = NULL;
	auto_close int fd = -1;
	struct stat st;
	size_t len;
	int ret;

	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return error_errno(err, errno, "%s: cannot open", path);
	if (fstat(fd, &st) < 0)
		return error_errno(err, errno, "%s: cannot read", path);

	ret = file_read_all(fd, JSON_SIZE_MAX, &text, &len, err);
	if (ret == 0)
		ret = config_parse(config, text, len, err);
	if (ret < 0)
		return error_prefix(err, ret, "%s", path);

	config->text = take_ptr(&text);
	config->len = len;
	config->rereadable = S_ISREG(st.st_mode);
	return 0;
}

/* Compiling */

static struct json_value *copy_value(struct json *to, struct json_value *object, const char *key,
				     const struct json_value *value)
{
	int64_t number;

	switch (value->type) {
	case JSON_FALSE:
	case JSON_TRUE:
		return json_set_bool(to, object, key, value->type == JSON_TRUE);
	case JSON_NUMBER:
		if (number_read_i64(value->text, &number, NULL) == 0)
			return json_set_i64(to, object, key, number);
		break;
	case JSON_STRING:
		return json_set_string(to, object, key, value->text);
	case JSON_NULL:
	case JSON_ARRAY:
	case JSON_OBJECT:
		break;
	}
	return NULL;
}

/*
 * What was asked, shaped as a config of its own, so that the same reader reads
 * it again: check shows it beside what is in force, and the other door, the
 * hooks, sees that the work is done.
 */
static int asked_text(struct json_value *root, char **text, struct error *err)
{
	struct json_value *resources, *part;
	auto_json struct json *asked = json_new();
	const struct json_value *value;
	size_t len;

	if (!asked)
		return error_errno(err, ENOMEM, "cannot write JSON");
	resources = json_need_object(asked, json_need_object(asked, json_root(asked), "linux"),
				     "resources");

	part = json_need_object(asked, resources, "memory");
	for (size_t i = 0; i < KEYS; i++) {
		value = json_member(json_find(root, MEMORY), keys[i].name);
		if (value)
			copy_value(asked, part, keys[i].name, value);
	}

	value = json_find(root, UNIFIED);
	for (value = value ? value->first : NULL; value; value = value->next) {
		if (is_memory_file(value->key))
			copy_value(asked, json_need_object(asked, resources, "unified"),
				   value->key, value);
	}

	value = json_find(root, "annotations");
	for (value = value ? value->first : NULL; value; value = value->next) {
		if (is_ours(value->key))
			copy_value(asked, json_need_object(asked, json_root(asked), "annotations"),
				   value->key, value);
	}
	return json_write(asked, json_root(asked), false, text, &len, err);
}

int config_read_asked(struct memory_spec *spec, const char *asked, struct error *err)
{
	auto_config struct config config = { 0 };
	int ret;

	ret = config_parse(&config, asked, strlen(asked), err);
	if (ret < 0)
		return error_prefix(err, ret, "annotations." ANNOTATION_ASKED);
	*spec = config.spec;
	return 0;
}

/*
 * crun makes memory.swap.max of swap - limit by itself, if both are numbers
 * that it gets too. True where the result is what the plan says.
 */
static bool crun_makes_swap(const struct memory_plan *plan, const struct memory_spec *spec,
			    const char *value)
{
	const struct plan_write *hard = memory_plan_find(plan, "memory.max");

	if (plan->mode == CGROUP_V1)
		return true;
	if (spec->value[MEMORY_SWAP] == NUMBER_UNLIMITED)
		return strcmp(value, "max") == 0;
	return strcmp(value, "max") != 0 && hard && !hard->is_explicit &&
	       spec->value[MEMORY_LIMIT] > 0;
}

/* Can the write be left to one of crun's own `memory` keys? */
static const char *crun_key(const struct memory_plan *plan, const struct memory_spec *spec,
			    const struct plan_write *write)
{
	if (write->is_explicit || !write->row)
		return NULL;
	/* crun writes 0 only as a `unified` key, and makes -1 of memory.low all there is. */
	if (plan->mode == CGROUP_V2 && write->field == MEMORY_RESERVATION &&
	    spec->value[MEMORY_RESERVATION] == NUMBER_UNLIMITED)
		return NULL;
	if (write->row->crun == CRUN_TOTAL && !crun_makes_swap(plan, spec, write->value))
		return NULL;
	if (write->row->crun == CRUN_NOTHING)
		return NULL;

	for (size_t i = 0; i < KEYS; i++) {
		if (keys[i].field == write->row->field)
			return keys[i].name;
	}
	return NULL;
}

static int give_to_crun(struct json *document, struct json_value *memory, const char *key,
			const struct memory_spec *spec, const struct plan_write *write,
			struct error *err)
{
	int64_t number;
	int ret;

	if (write->row->crun == CRUN_BOOL) {
		json_set_bool(document, memory, key, write->value[0] == '1');
		return 0;
	}
	if (write->row->crun == CRUN_TOTAL) {
		json_set_i64(document, memory, key, spec->value[MEMORY_SWAP]);
		return 0;
	}
	ret = number_read_file(write->value, &number, err);
	if (ret == 0)
		json_set_i64(document, memory, key, number);
	return ret;
}

/* FILE=VALUE as an argument of our hook, which is added when first needed. */
static int give_to_hook(struct json *document, struct json_value **args,
			const char *const hook[], const struct plan_write *write,
			struct error *err)
{
	char argument[MEMORY_FILE_NAME_MAX + MEMORY_VALUE_MAX];
	struct json_value *hooks, *list, *entry;
	int ret;

	if (!*args) {
		ret = json_get_object(json_root(document), "hooks", &hooks, err);
		if (ret < 0)
			return ret;
		hooks = json_need_object(document, json_root(document), "hooks");
		list = json_member(hooks, "createRuntime");
		if (!list || list->type == JSON_NULL)
			list = json_set_array(document, hooks, "createRuntime");
		if (list && list->type != JSON_ARRAY)
			return error_set(err, EINVAL, "hooks.createRuntime: not an array");

		/* First, so that other hooks find the memory settings complete. */
		entry = json_prepend_object(document, list);
		json_set_string(document, entry, "path", hook[0]);
		*args = json_set_array(document, entry, "args");
		for (; *hook; hook++)
			json_add_string(document, *args, *hook);
	}
	snprintf(argument, sizeof(argument), "%s=%s", write->file, write->value);
	json_add_string(document, *args, argument);
	return 0;
}

/*
 * Does the write go to our hook, for nobody else may know of it? crun 1.18 and later set the
 * scope's MemoryMax from every limit that they get. That limit would kill the tasks that
 * memory.oom.wait lets wait in the cgroup below the scope.
 */
static bool is_for_hook(const struct config *config, const struct memory_plan *plan,
			const struct plan_write *write)
{
	const struct plan_write *wait = memory_plan_find(plan, "memory.oom.wait");

	if (write->row && write->row->flags & FILE_ACTION)
		return true;
	return config->scope && wait && wait->value[0] == '1' &&
	       strcmp(write->file, "memory.max") == 0;
}

int config_compile(struct config *config, const struct memory_plan *plan,
		   const char *const hook[], struct error *err)
{
	struct json *document = config->document;
	struct json_value *root = json_root(document);
	struct json_value *linux_object = NULL, *resources, *memory, *args = NULL;
	auto_free char *asked = NULL;
	const char *key;
	bool hooked;
	int ret;

	/* Made up by us it would be a container without namespaces. */
	ret = json_get_object(root, "linux", &linux_object, err);
	if (ret == 0)
		return error_set(err, EINVAL, "linux: missing");
	if (ret < 0)
		return ret;
	ret = asked_text(root, &asked, err);
	if (ret < 0)
		return ret;
	json_set_string(document, json_need_object(document, root, "annotations"),
			ANNOTATION_ASKED, asked);

	/*
	 * Objects are made when something goes in: one that is there and empty tells
	 * crun to set up cgroups where it might do without.
	 */
	resources = json_member(linux_object, "resources");
	memory = json_member(resources, "memory");
	for (size_t i = 0; i < KEYS; i++)
		json_remove(memory, keys[i].name);
	for (size_t i = 0; i < plan->count; i++) {
		const struct plan_write *write = &plan->writes[i];

		hooked = is_for_hook(config, plan, write);
		key = hooked ? NULL : crun_key(plan, &config->spec, write);
		if (hooked)
			json_remove(json_member(resources, "unified"), write->file);
		if (key || (plan->mode == CGROUP_V2 && !hooked))
			resources = json_need_object(document, linux_object, "resources");
		if (key)
			ret = give_to_crun(document, json_need_object(document, resources, "memory"),
					   key, &config->spec, write, err);
		else if (plan->mode == CGROUP_V1 || hooked)
			ret = give_to_hook(document, &args, hook, write, err);
		else
			json_set_string(document,
					json_need_object(document, resources, "unified"),
					write->file, write->value);
		if (ret < 0)
			return ret;
	}
	return 0;
}

int config_asked(struct json_value *root, char **asked, struct error *err)
{
	const struct json_value *kept =
		json_member(json_member(root, "annotations"), ANNOTATION_ASKED);

	if (!kept || kept->type != JSON_STRING)
		return asked_text(root, asked, err);
	*asked = strdup(kept->text);
	return *asked ? 0 : error_errno(err, ENOMEM, "cannot read JSON");
}

/* 0 is how engines say "leave it". */
static bool is_given(const struct key *key, const struct json_value *value)
{
	bool is_size = key->field == MEMORY_LIMIT || key->field == MEMORY_SWAP ||
		       key->field == MEMORY_RESERVATION || key->field == MEMORY_KERNEL ||
		       key->field == MEMORY_KERNEL_TCP;

	if (!value || value->type == JSON_NULL)
		return false;
	return !is_size || value->type != JSON_NUMBER || strcmp(value->text, "0") != 0;
}

int config_merge(const char *asked, struct json_value *resources, char **merged,
		 struct error *err)
{
	auto_json struct json *document = NULL;
	struct json_value *memory, *unified, *given;
	const struct json_value *value, *limit;
	size_t len;
	int ret;

	ret = json_parse(asked, strlen(asked), &document, err);
	if (ret < 0)
		return error_prefix(err, ret, "annotations." ANNOTATION_ASKED);
	unified = json_need_object(document, json_need_object(document, json_root(document),
							      "linux"), "resources");
	memory = json_need_object(document, unified, "memory");

	given = NULL;
	ret = json_get_object(resources, "memory", &given, err);
	if (ret < 0)
		return ret;
	for (size_t i = 0; i < KEYS; i++) {
		value = json_member(given, keys[i].name);
		if (!is_given(&keys[i], value))
			continue;
		if (value->type == JSON_STRING || !copy_value(document, memory, keys[i].name, value))
			return error_set(err, EINVAL, MEMORY ".%s: not %s", keys[i].name,
					 keys[i].is_bool ? "true or false" : "an integer");
	}
	limit = json_member(given, "limit");
	if (limit && limit->type == JSON_NUMBER && strcmp(limit->text, "-1") == 0 &&
	    !is_given(&keys[1], json_member(given, "swap")) && json_member(memory, "swap"))
		json_set_i64(document, memory, "swap", -1);

	given = NULL;
	ret = json_get_object(resources, "unified", &given, err);
	for (value = given ? given->first : NULL; ret >= 0 && value; value = value->next) {
		if (is_memory_file(value->key))
			copy_value(document, json_need_object(document, unified, "unified"),
				   value->key, value);
	}
	if (ret >= 0)
		ret = json_write(document, json_root(document), false, merged, &len, err);
	return ret < 0 ? ret : 0;
}

int config_strip_memory(struct json_value *resources)
{
	struct json_value *unified, *next;

	json_remove(resources, "memory");
	unified = json_member(resources, "unified");
	for (struct json_value *v = unified ? unified->first : NULL; v; v = next) {
		next = v->next;
		if (is_memory_file(v->key))
			json_remove(unified, v->key);
	}
	if (unified && !unified->first)
		json_remove(resources, "unified");
	return (int)resources->count;
}

void config_set_asked(struct json *document, const char *asked)
{
	json_set_string(document, json_need_object(document, json_root(document), "annotations"),
			ANNOTATION_ASKED, asked);
}
