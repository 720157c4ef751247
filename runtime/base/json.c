// SPDX-License-Identifier: GPL-2.0-or-later
#include "base/json.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <yajl/yajl_gen.h>
#include <yajl/yajl_parse.h>

#include "base/cleanup.h"
#include "base/number.h"
#include "base/utf8.h"

#define CHUNK_SIZE ((size_t)16 << 10)

/* Up to here to compare each with each is less than to sort. */
#define FEW_MEMBERS 8

/* Values and texts are cut from chunks and freed together. */
struct chunk {
	struct chunk *next;
	size_t size;
	size_t used;
	_Alignas(max_align_t) char bytes[];
};

struct json {
	struct chunk *chunks;
	struct json_value *root;
	bool out_of_memory;
};

/* What the callbacks of one parse share. */
struct parse {
	struct json *document;
	yajl_handle handle;
	struct json_value *open;	/* the array or object being filled */
	const char *key;		/* of the next value, in an object */
	size_t depth;
	size_t values;
	int ret;
	struct error *err;
};

static void *cut(struct json *document, size_t size)
{
	size_t align = _Alignof(max_align_t);
	struct chunk *chunk = document->chunks;
	size_t chunk_size;
	void *piece;

	size = (size + align - 1) / align * align;
	if (!chunk || chunk->size - chunk->used < size) {
		chunk_size = size > CHUNK_SIZE ? size : CHUNK_SIZE;
		chunk = malloc(sizeof(*chunk) + chunk_size);
		if (!chunk) {
			document->out_of_memory = true;
			return NULL;
		}
		chunk->size = chunk_size;
		chunk->used = 0;
		chunk->next = document->chunks;
		document->chunks = chunk;
	}

	piece = chunk->bytes + chunk->used;
	chunk->used += size;
	return piece;
}

static const char *cut_text(struct json *document, const void *text, size_t len)
{
	char *copy = cut(document, len + 1);

	if (!copy)
		return NULL;
	memcpy(copy, text, len);
	copy[len] = '\0';
	return copy;
}

static struct json_value *cut_value(struct json *document, enum json_type type)
{
	struct json_value *value = cut(document, sizeof(*value));

	if (value)
		*value = (struct json_value){ .type = type };
	return value;
}

static void append(struct json_value *parent, struct json_value *value)
{
	value->parent = parent;
	if (parent->last)
		parent->last->next = value;
	else
		parent->first = value;
	parent->last = value;
	parent->count++;
}

void json_free(struct json *document)
{
	struct chunk *chunk, *next;

	if (!document)
		return;
	for (chunk = document->chunks; chunk; chunk = next) {
		next = chunk->next;
		free(chunk);
	}
	free(document);
}

struct json *json_new(void)
{
	struct json *document = calloc(1, sizeof(*document));

	if (!document)
		return NULL;
	document->root = cut_value(document, JSON_OBJECT);
	if (!document->root) {
		json_free(document);
		return NULL;
	}
	return document;
}

struct json_value *json_root(const struct json *document)
{
	return document->root;
}

static size_t index_in_parent(const struct json_value *value)
{
	size_t index = 0;

	for (const struct json_value *v = value->parent->first; v != value; v = v->next)
		index++;
	return index;
}

/* "linux.mounts[3].type"; a path too long for `text` is cut at its end. */
static void path_text(const struct json_value *value, char *text, size_t size)
{
	size_t len;

	if (!value->parent) {
		text[0] = '\0';
		return;
	}

	path_text(value->parent, text, size);
	len = strlen(text);
	if (value->key)
		snprintf(text + len, size - len, "%s%s", len ? "." : "", value->key);
	else
		snprintf(text + len, size - len, "[%zu]", index_in_parent(value));
}

static int wrong(const struct json_value *value, int code, const char *what, struct error *err)
{
	static const char *const type_names[] = {
		[JSON_NULL] = "null",	[JSON_FALSE] = "false",	  [JSON_TRUE] = "true",
		[JSON_NUMBER] = "",	[JSON_STRING] = "",	  [JSON_ARRAY] = "an array",
		[JSON_OBJECT] = "an object",
	};
	char path[512];

	path_text(value, path, sizeof(path));
	if (value->type == JSON_NUMBER || value->type == JSON_STRING)
		return error_set(err, code, "%s: %s, \"%s\"", path, what, value->text);
	return error_set(err, code, "%s: %s, %s", path, what, type_names[value->type]);
}

/* Parsing */

static int stop(struct parse *parse, int ret)
{
	parse->ret = ret;
	return 0;
}

static int no_memory(struct parse *parse)
{
	return stop(parse, error_errno(parse->err, ENOMEM, "cannot read"));
}

static struct json_value *add_value(struct parse *parse, enum json_type type)
{
	struct json_value *value;

	if (++parse->values > JSON_VALUES_MAX) {
		stop(parse, error_set(parse->err, EINVAL, "more than %zu values",
				      JSON_VALUES_MAX));
		return NULL;
	}
	value = cut_value(parse->document, type);
	if (!value) {
		no_memory(parse);
		return NULL;
	}
	value->key = parse->key;
	parse->key = NULL;
	if (parse->open)
		append(parse->open, value);
	else
		parse->document->root = value;
	return value;
}

static int add_text(struct parse *parse, enum json_type type, const void *text, size_t len)
{
	struct json_value *value = add_value(parse, type);

	if (!value)
		return 0;
	value->text = cut_text(parse->document, text, len);
	return value->text ? 1 : no_memory(parse);
}

/* JSON_SIZE_MAX fits. The bracket that called us has been consumed. */
static uint32_t consumed(const struct parse *parse)
{
	return (uint32_t)yajl_get_bytes_consumed(parse->handle);
}

static int open_value(struct parse *parse, enum json_type type)
{
	struct json_value *value = add_value(parse, type);

	if (!value)
		return 0;
	value->begin = consumed(parse) - 1;
	if (++parse->depth > JSON_DEPTH_MAX)
		return stop(parse, error_set(parse->err, EINVAL, "nested deeper than %d",
					     JSON_DEPTH_MAX));
	parse->open = value;
	return 1;
}

static int close_value(struct parse *parse)
{
	parse->open->end = consumed(parse);
	parse->open = parse->open->parent;
	parse->depth--;
	return 1;
}

static struct json_value *find_key(struct json_value *from, const char *key)
{
	for (; from && strcmp(from->key, key) != 0; from = from->next)
		;
	return from;
}

static int compare_keys(const void *a, const void *b)
{
	return strcmp((*(struct json_value *const *)a)->key, (*(struct json_value *const *)b)->key);
}

/* The first value whose key comes again: by sorting, for an object may be huge; few are. */
static int find_repeated(const struct json_value *object, const struct json_value **repeated)
{
	auto_free const struct json_value **members = NULL;
	size_t i = 0;

	*repeated = NULL;
	if (object->count <= FEW_MEMBERS) {
		for (const struct json_value *v = object->first; v && !*repeated; v = v->next)
			*repeated = find_key(v->next, v->key);
		return 0;
	}

	members = malloc(object->count * sizeof(*members));
	if (!members)
		return -ENOMEM;
	for (const struct json_value *v = object->first; v; v = v->next)
		members[i++] = v;
	qsort(members, object->count, sizeof(*members), compare_keys);

	for (i = 1; i < object->count; i++) {
		if (strcmp(members[i - 1]->key, members[i]->key) == 0) {
			*repeated = members[i];
			break;
		}
	}
	return 0;
}

static int on_null(void *context)
{
	return add_value(context, JSON_NULL) != NULL;
}

static int on_boolean(void *context, int truth)
{
	return add_value(context, truth ? JSON_TRUE : JSON_FALSE) != NULL;
}

static int on_number(void *context, const char *text, size_t len)
{
	return add_text(context, JSON_NUMBER, text, len);
}

static int on_string(void *context, const unsigned char *text, size_t len)
{
	return add_text(context, JSON_STRING, text, len);
}

static int on_key(void *context, const unsigned char *text, size_t len)
{
	struct parse *parse = context;

	parse->key = cut_text(parse->document, text, len);
	return parse->key ? 1 : no_memory(parse);
}

static int on_map_open(void *context)
{
	return open_value(context, JSON_OBJECT);
}

static int on_map_close(void *context)
{
	struct parse *parse = context;
	const struct json_value *repeated;
	char path[512];

	if (find_repeated(parse->open, &repeated) < 0)
		return no_memory(parse);
	if (repeated) {
		path_text(repeated, path, sizeof(path));
		return stop(parse, error_set(parse->err, EINVAL, "%s: repeated key", path));
	}
	return close_value(parse);
}

static int on_array_open(void *context)
{
	return open_value(context, JSON_ARRAY);
}

static int on_array_close(void *context)
{
	return close_value(context);
}

static const yajl_callbacks callbacks = {
	.yajl_null = on_null,
	.yajl_boolean = on_boolean,
	.yajl_number = on_number,
	.yajl_string = on_string,
	.yajl_start_map = on_map_open,
	.yajl_map_key = on_key,
	.yajl_end_map = on_map_close,
	.yajl_start_array = on_array_open,
	.yajl_end_array = on_array_close,
};

static int hex4(const char *text, const char *end)
{
	int value = 0, digit;

	if (end - text < 4)
		return -1;
	for (int i = 0; i < 4; i++) {
		digit = text[i];
		if (digit >= '0' && digit <= '9')
			digit -= '0';
		else if ((digit | 0x20) >= 'a' && (digit | 0x20) <= 'f')
			digit = (digit | 0x20) - 'a' + 10;
		else
			return -1;
		value = value << 4 | digit;
	}
	return value;
}

/*
 * Escapes that libyajl lets through but that no two readers agree on: \u0000
 * (a C string ends there) and surrogates without their other half.
 */
static int check_escapes(const char *text, size_t len, struct error *err)
{
	const char *end = text + len;
	const char *place = text;
	int unit, low;

	while ((place = memchr(place, '\\', (size_t)(end - place)))) {
		place++;
		if (place == end)
			break;
		if (*place++ != 'u')
			continue;

		unit = hex4(place, end);
		if (unit == 0)
			return error_set(err, EINVAL, "offset %td: NUL in a string",
					 place - 2 - text);
		if (unit < 0xd800 || unit > 0xdfff)
			continue;

		low = end - place >= 6 && place[4] == '\\' && place[5] == 'u' ?
			      hex4(place + 6, end) : -1;
		if (unit > 0xdbff || low < 0xdc00 || low > 0xdfff)
			return error_set(err, EINVAL, "offset %td: lone surrogate in a string",
					 place - 2 - text);
		place += 10;
	}
	return 0;
}

/* libyajl skips vertical tabs and form feeds between values; JSON does not. */
static int check_bytes(const char *text, size_t len, struct error *err)
{
	const char *nul = memchr(text, '\0', len);
	const char *tab = memchr(text, '\v', len);
	const char *feed = memchr(text, '\f', len);
	ssize_t wrong_at;

	if (nul)
		return error_set(err, EINVAL, "offset %td: NUL byte", nul - text);
	if (tab || feed)
		return error_set(err, EINVAL, "offset %td: control character",
				 (tab ? tab : feed) - text);
	wrong_at = utf8_check(text, len);
	if (wrong_at >= 0)
		return error_set(err, EINVAL, "offset %zd: invalid UTF-8", wrong_at);

	return check_escapes(text, len, err);
}

/* libyajl's words, cut to one line, with the place where it stopped. */
static int yajl_refusal(yajl_handle handle, struct error *err)
{
	unsigned char *words = yajl_get_error(handle, 0, NULL, 0);
	int ret;

	if (words)
		words[strcspn((char *)words, "\n")] = '\0';
	ret = error_set(err, EINVAL, "offset %zu: %s", yajl_get_bytes_consumed(handle),
			words ? (char *)words : "not JSON");
	if (words)
		yajl_free_error(handle, words);
	return ret;
}

int json_parse(const char *text, size_t len, struct json **document, struct error *err)
{
	auto_json struct json *made = NULL;
	struct parse parse = { .err = err };
	yajl_status status;
	yajl_handle handle;
	int ret;

	if (len > JSON_SIZE_MAX)
		return error_set(err, EFBIG, "longer than %zu bytes", JSON_SIZE_MAX);
	ret = check_bytes(text, len, err);
	if (ret < 0)
		return ret;

	made = calloc(1, sizeof(*made));
	if (!made)
		return error_errno(err, ENOMEM, "cannot read");
	parse.document = made;
	handle = yajl_alloc(&callbacks, NULL, &parse);
	if (!handle)
		return error_errno(err, ENOMEM, "cannot read");
	parse.handle = handle;

	status = yajl_parse(handle, (const unsigned char *)text, len);
	if (status == yajl_status_ok)
		status = yajl_complete_parse(handle);
	if (parse.ret < 0)
		ret = parse.ret;
	else if (status != yajl_status_ok)
		ret = yajl_refusal(handle, err);
	else if (!made->root)
		ret = error_set(err, EINVAL, "empty");
	yajl_free(handle);
	if (ret < 0)
		return ret;

	*document = take_ptr(&made);
	return 0;
}

/* Reading */

struct json_value *json_member(const struct json_value *object, const char *key)
{
	if (!object || object->type != JSON_OBJECT)
		return NULL;
	return find_key(object->first, key);
}

/*
 * Walk `path`; what is no object but has more path behind it is wrong, and so
 * handed to the caller through `blocked`.
 */
static struct json_value *walk(struct json_value *value, const char *path,
			       struct json_value **blocked)
{
	char key[64];
	size_t len;

	while (*path && value) {
		if (value->type != JSON_OBJECT) {
			if (blocked && value->type != JSON_NULL)
				*blocked = value;
			return NULL;
		}
		len = strcspn(path, ".");
		if (len >= sizeof(key))
			return NULL;
		memcpy(key, path, len);
		key[len] = '\0';
		value = json_member(value, key);
		path += len + (path[len] == '.');
	}
	return value;
}

struct json_value *json_find(struct json_value *value, const char *path)
{
	return walk(value, path, NULL);
}

/* 1: *found is there; 0: absent or null; negative: the way there is no object. */
static int find_typed(struct json_value *value, const char *path, struct json_value **found,
		      struct error *err)
{
	struct json_value *blocked = NULL;

	*found = walk(value, path, &blocked);
	if (blocked)
		return wrong(blocked, EINVAL, "not an object", err);
	return *found && (*found)->type != JSON_NULL;
}

int json_get_i64(struct json_value *value, const char *path, int64_t *number, struct error *err)
{
	struct json_value *found;
	int ret;

	ret = find_typed(value, path, &found, err);
	if (ret <= 0)
		return ret;
	if (found->type != JSON_NUMBER)
		return wrong(found, EINVAL, "not an integer", err);

	ret = number_read_i64(found->text, number, NULL);
	if (ret == -ERANGE)
		return wrong(found, ERANGE, "out of range", err);
	if (ret < 0)
		return wrong(found, EINVAL, "not an integer", err);
	return 1;
}

int json_get_bool(struct json_value *value, const char *path, bool *truth, struct error *err)
{
	struct json_value *found;
	int ret;

	ret = find_typed(value, path, &found, err);
	if (ret <= 0)
		return ret;
	if (found->type != JSON_TRUE && found->type != JSON_FALSE)
		return wrong(found, EINVAL, "not true or false", err);

	*truth = found->type == JSON_TRUE;
	return 1;
}

int json_get_string(struct json_value *value, const char *path, const char **text,
		    struct error *err)
{
	struct json_value *found;
	int ret;

	ret = find_typed(value, path, &found, err);
	if (ret <= 0)
		return ret;
	if (found->type != JSON_STRING)
		return wrong(found, EINVAL, "not a string", err);

	*text = found->text;
	return 1;
}

int json_get_object(struct json_value *value, const char *path, struct json_value **object,
		    struct error *err)
{
	struct json_value *found;
	int ret;

	ret = find_typed(value, path, &found, err);
	if (ret <= 0)
		return ret;
	if (found->type != JSON_OBJECT)
		return wrong(found, EINVAL, "not an object", err);

	*object = found;
	return 1;
}

/* Editing */

/* What is above is not what was read, either; what already is not has nothing read above. */
static void edited(struct json_value *value)
{
	for (; value && value->end; value = value->parent)
		value->end = 0;
}

static struct json_value *set(struct json *document, struct json_value *object,
			      const char *key, enum json_type type)
{
	struct json_value *value;

	if (!object)
		return NULL;
	edited(object);

	value = json_member(object, key);
	if (value) {
		value->type = type;
		value->end = 0;
		value->text = NULL;
		value->first = NULL;
		value->last = NULL;
		value->count = 0;
		return value;
	}

	value = cut_value(document, type);
	if (!value)
		return NULL;
	value->key = cut_text(document, key, strlen(key));
	if (!value->key)
		return NULL;
	append(object, value);
	return value;
}

static struct json_value *give_text(struct json *document, struct json_value *value,
				    const char *text)
{
	if (!value)
		return NULL;
	value->text = cut_text(document, text, strlen(text));
	if (!value->text) {
		/* json_write() will refuse; until then nothing may see NULL. */
		value->text = "";
		return NULL;
	}
	return value;
}

struct json_value *json_set_object(struct json *document, struct json_value *object,
				   const char *key)
{
	return set(document, object, key, JSON_OBJECT);
}

struct json_value *json_set_array(struct json *document, struct json_value *object,
				  const char *key)
{
	return set(document, object, key, JSON_ARRAY);
}

struct json_value *json_set_string(struct json *document, struct json_value *object,
				   const char *key, const char *text)
{
	return give_text(document, set(document, object, key, JSON_STRING), text);
}

struct json_value *json_set_i64(struct json *document, struct json_value *object,
				const char *key, int64_t number)
{
	char text[24];

	snprintf(text, sizeof(text), "%" PRId64, number);
	return give_text(document, set(document, object, key, JSON_NUMBER), text);
}

struct json_value *json_set_u64(struct json *document, struct json_value *object,
				const char *key, uint64_t number)
{
	char text[24];

	snprintf(text, sizeof(text), "%" PRIu64, number);
	return give_text(document, set(document, object, key, JSON_NUMBER), text);
}

struct json_value *json_set_bool(struct json *document, struct json_value *object,
				 const char *key, bool truth)
{
	return set(document, object, key, truth ? JSON_TRUE : JSON_FALSE);
}

struct json_value *json_set_null(struct json *document, struct json_value *object,
				 const char *key)
{
	return set(document, object, key, JSON_NULL);
}

struct json_value *json_need_object(struct json *document, struct json_value *object,
				    const char *key)
{
	struct json_value *value = json_member(object, key);

	if (value && value->type == JSON_OBJECT)
		return value;
	return json_set_object(document, object, key);
}

static struct json_value *add(struct json *document, struct json_value *array,
			      enum json_type type)
{
	struct json_value *value;

	if (!array)
		return NULL;
	edited(array);
	value = cut_value(document, type);
	if (value)
		append(array, value);
	return value;
}

struct json_value *json_add_object(struct json *document, struct json_value *array)
{
	return add(document, array, JSON_OBJECT);
}

struct json_value *json_add_string(struct json *document, struct json_value *array,
				   const char *text)
{
	return give_text(document, add(document, array, JSON_STRING), text);
}

struct json_value *json_add_u64(struct json *document, struct json_value *array,
				uint64_t number)
{
	char text[24];

	snprintf(text, sizeof(text), "%" PRIu64, number);
	return give_text(document, add(document, array, JSON_NUMBER), text);
}

struct json_value *json_prepend_object(struct json *document, struct json_value *array)
{
	struct json_value *value;

	if (!array)
		return NULL;
	edited(array);
	value = cut_value(document, JSON_OBJECT);
	if (!value)
		return NULL;

	value->parent = array;
	value->next = array->first;
	array->first = value;
	if (!array->last)
		array->last = value;
	array->count++;
	return value;
}

void json_remove(struct json_value *object, const char *key)
{
	struct json_value *before = NULL;

	if (!object || object->type != JSON_OBJECT)
		return;
	for (struct json_value *v = object->first; v; before = v, v = v->next) {
		if (strcmp(v->key, key) != 0)
			continue;
		edited(object);
		if (before)
			before->next = v->next;
		else
			object->first = v->next;
		if (object->last == v)
			object->last = before;
		object->count--;
		return;
	}
}

/* Writing */

static yajl_gen_status generate(yajl_gen gen, const struct json_value *value, const char *source)
{
	bool object = value->type == JSON_OBJECT;
	yajl_gen_status status;

	/* a number is what libyajl takes from us as it is */
	if (source && value->end)
		return yajl_gen_number(gen, source + value->begin, value->end - value->begin);

	switch (value->type) {
	case JSON_NULL:
		return yajl_gen_null(gen);
	case JSON_FALSE:
	case JSON_TRUE:
		return yajl_gen_bool(gen, value->type == JSON_TRUE);
	case JSON_NUMBER:
		return yajl_gen_number(gen, value->text, strlen(value->text));
	case JSON_STRING:
		return yajl_gen_string(gen, (const unsigned char *)value->text,
				       strlen(value->text));
	case JSON_ARRAY:
	case JSON_OBJECT:
		break;
	}

	status = object ? yajl_gen_map_open(gen) : yajl_gen_array_open(gen);
	for (const struct json_value *v = value->first; v && status == yajl_gen_status_ok;
	     v = v->next) {
		if (object)
			status = yajl_gen_string(gen, (const unsigned char *)v->key,
						 strlen(v->key));
		if (status == yajl_gen_status_ok)
			status = generate(gen, v, source);
	}
	if (status != yajl_gen_status_ok)
		return status;
	return object ? yajl_gen_map_close(gen) : yajl_gen_array_close(gen);
}

static int write_value(const struct json *document, const struct json_value *value,
		       const char *source, bool pretty, char **text, size_t *len,
		       struct error *err)
{
	const unsigned char *buffer;
	auto_free char *copy = NULL;
	size_t size = 0;
	yajl_gen gen;

	if (document->out_of_memory)
		return error_errno(err, ENOMEM, "cannot write JSON");

	gen = yajl_gen_alloc(NULL);
	if (!gen)
		return error_errno(err, ENOMEM, "cannot write JSON");
	if (pretty) {
		yajl_gen_config(gen, yajl_gen_beautify, 1);
		yajl_gen_config(gen, yajl_gen_indent_string, "  ");
	}

	if (generate(gen, value, source) == yajl_gen_status_ok &&
	    yajl_gen_get_buf(gen, &buffer, &size) == yajl_gen_status_ok)
		copy = strndup((const char *)buffer, size);
	yajl_gen_free(gen);
	if (copy && !source && utf8_escape(&copy, &size) < 0) {
		free(copy);
		copy = NULL;
	}
	if (!copy)
		return error_errno(err, ENOMEM, "cannot write JSON");

	*len = size;
	*text = take_ptr(&copy);
	return 0;
}

int json_write(const struct json *document, const struct json_value *value, bool pretty,
	       char **text, size_t *len, struct error *err)
{
	return write_value(document, value, NULL, pretty, text, len, err);
}

int json_write_edited(const struct json *document, const char *source, char **text, size_t *len,
		      struct error *err)
{
	return write_value(document, document->root, source, false, text, len, err);
}
