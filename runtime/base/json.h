/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

/*
 * json - a strict reader, an editor and a writer of JSON documents.
 *
 * Two parsers will read what this one lets through: ours and crun's. What they
 * could read differently is refused here, with the JSON path or the offset:
 * repeated keys, comments, text behind the document, invalid UTF-8, NUL and
 * lone surrogates in strings, nesting deeper than JSON_DEPTH_MAX, more values
 * than JSON_VALUES_MAX.
 *
 * A document owns all its values; they live until json_free(). Numbers keep the
 * text they came as, so that what is written again is what was read. A path is
 * keys with dots between them, "linux.resources.memory.limit".
 *
 * This is the only place that knows libyajl.
 */

#define JSON_SIZE_MAX ((size_t)16 << 20)
#define JSON_DEPTH_MAX 100

/* No config comes near; a value takes ten times the memory of its text. */
#define JSON_VALUES_MAX ((size_t)1 << 20)

enum json_type {
	JSON_NULL,
	JSON_FALSE,
	JSON_TRUE,
	JSON_NUMBER,
	JSON_STRING,
	JSON_ARRAY,
	JSON_OBJECT,
};

struct json_value {
	enum json_type type;
	/*
	 * Of an array or object that is as it was read: where it begins and ends in the text.
	 * Others, and those that have been edited, end at 0.
	 */
	uint32_t begin;
	uint32_t end;
	uint32_t count;			/* values in this array or object */
	const char *key;		/* in an object, else NULL */
	const char *text;		/* a string's, decoded; a number's, as read */
	struct json_value *parent;
	struct json_value *first;	/* of an array or object */
	struct json_value *last;
	struct json_value *next;
};

struct json;

/*
 * -EINVAL and words with a path or an offset where `text` is refused; -EFBIG:
 * more than JSON_SIZE_MAX bytes.
 */
int json_parse(const char *text, size_t len, struct json **document, struct error *err);

/* A new document whose root is an empty object; NULL when out of memory. */
struct json *json_new(void);

void json_free(struct json *document);

static inline void cleanup_json(struct json **document)
{
	json_free(*document);
}

#define auto_json __attribute__((cleanup(cleanup_json)))

struct json_value *json_root(const struct json *document);

/* The value of `key` in `object`; NULL where there is none or no object. */
struct json_value *json_member(const struct json_value *object, const char *key);

/* The value at `path` below `value`, or NULL. */
struct json_value *json_find(struct json_value *value, const char *path);

/*
 * Read the value at `path` below `value`: 1 found, 0 absent or null, negative
 * wrong (-EINVAL another type, -ERANGE no int64), with the whole path named.
 */
int json_get_i64(struct json_value *value, const char *path, int64_t *number,
		 struct error *err);
int json_get_bool(struct json_value *value, const char *path, bool *truth, struct error *err);
int json_get_string(struct json_value *value, const char *path, const char **text,
		    struct error *err);
int json_get_object(struct json_value *value, const char *path, struct json_value **object,
		    struct error *err);

/*
 * Editing. A key that is there is replaced in its place, a new one goes last.
 * These may be given NULL for the container and then return NULL, and when
 * memory runs out the document remembers it and json_write() says so: a caller
 * that builds a document need not check each step.
 */
struct json_value *json_set_object(struct json *document, struct json_value *object,
				   const char *key);
struct json_value *json_set_array(struct json *document, struct json_value *object,
				  const char *key);
struct json_value *json_set_string(struct json *document, struct json_value *object,
				   const char *key, const char *text);
struct json_value *json_set_i64(struct json *document, struct json_value *object,
				const char *key, int64_t number);
struct json_value *json_set_u64(struct json *document, struct json_value *object,
				const char *key, uint64_t number);
struct json_value *json_set_bool(struct json *document, struct json_value *object,
				 const char *key, bool truth);
struct json_value *json_set_null(struct json *document, struct json_value *object,
				 const char *key);
/* The object at `key`, made empty where there is none. */
struct json_value *json_need_object(struct json *document, struct json_value *object,
				    const char *key);
struct json_value *json_add_object(struct json *document, struct json_value *array);
struct json_value *json_add_string(struct json *document, struct json_value *array,
				   const char *text);
struct json_value *json_add_u64(struct json *document, struct json_value *array,
				uint64_t number);
/* Put a new object or array before all others of `array`. */
struct json_value *json_prepend_object(struct json *document, struct json_value *array);
void json_remove(struct json_value *object, const char *key);

/* Write `value` into fresh memory; `pretty` with indents and a last newline. */
int json_write(const struct json *document, const struct json_value *value, bool pretty,
	       char **text, size_t *len, struct error *err);

/*
 * The whole document, of which `source` is the text that json_parse() was given: arrays and
 * objects that have not been edited are copied from it as they are, spaces and all.
 */
int json_write_edited(const struct json *document, const char *source, char **text, size_t *len,
		      struct error *err);
