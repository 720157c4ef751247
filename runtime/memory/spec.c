// SPDX-License-Identifier: GPL-2.0-or-later
#include "memory/spec.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/number.h"
#include "base/utf8.h"
#include "memory/value.h"

#define OCI "linux.resources.memory."
#define ANNOTATION_PATH "annotations." ANNOTATION_PREFIX

enum field_kind {
	KIND_SIZE,		/* bytes; -1 unlimited, 0 not set */
	KIND_PERCENT,		/* 0..100; -1 not set */
	KIND_BOOL,
	KIND_OTHER,		/* set by an annotation */
};

static const struct field {
	const char *path;
	const char *name;
	enum field_kind kind;
} fields[MEMORY_FIELDS] = {
	[MEMORY_LIMIT] = { OCI "limit", "limit", KIND_SIZE },
	[MEMORY_SWAP] = { OCI "swap", "swap", KIND_SIZE },
	[MEMORY_RESERVATION] = { OCI "reservation", "reservation", KIND_SIZE },
	[MEMORY_KERNEL] = { OCI "kernel", "kernel", KIND_SIZE },
	[MEMORY_KERNEL_TCP] = { OCI "kernelTCP", "kernelTCP", KIND_SIZE },
	[MEMORY_SWAPPINESS] = { OCI "swappiness", "swappiness", KIND_PERCENT },
	[MEMORY_OOM_WAIT] = { OCI "disableOOMKiller", "disableOOMKiller", KIND_BOOL },
	[MEMORY_HIERARCHY] = { OCI "useHierarchy", "useHierarchy", KIND_BOOL },
	[MEMORY_CHECK] = { OCI "checkBeforeUpdate", "checkBeforeUpdate", KIND_BOOL },
	[MEMORY_OOM_GROUP] = { ANNOTATION_PATH "oom", "oom", KIND_OTHER },
	[MEMORY_RESERVE] = { ANNOTATION_PATH "reserve", "reserve", KIND_OTHER },
	[MEMORY_MOVE_CHARGE] = { ANNOTATION_PATH "move-charge", "move-charge", KIND_OTHER },
	[MEMORY_TMPFS] = { ANNOTATION_PATH "tmpfs", "tmpfs", KIND_OTHER },
	[MEMORY_THRESHOLDS] = { ANNOTATION_PATH "thresholds", "thresholds", KIND_OTHER },
};

const char *memory_field_path(enum memory_field field)
{
	return fields[field].path;
}

const char *memory_field_name(enum memory_field field)
{
	return fields[field].name;
}

bool memory_spec_any(const struct memory_spec *spec)
{
	return spec->asked || spec->explicit_count;
}

static void ask(struct memory_spec *spec, enum memory_field field, int64_t value,
		const char *text)
{
	spec->asked |= 1U << field;
	spec->value[field] = value;
	snprintf(spec->text[field], sizeof(spec->text[field]), "%s", text);
	utf8_repair(spec->text[field]);		/* where it was cut */
}

const char *memory_spec_text(const struct memory_spec *spec, enum memory_field field,
			     char text[MEMORY_TEXT_MAX])
{
	if (spec->text[field][0])
		snprintf(text, MEMORY_TEXT_MAX, "%s", spec->text[field]);
	else
		snprintf(text, MEMORY_TEXT_MAX, "%" PRId64, spec->value[field]);
	return text;
}

int memory_spec_set(struct memory_spec *spec, enum memory_field field, int64_t value,
		    struct error *err)
{
	const char *path = fields[field].path;

	switch (fields[field].kind) {
	case KIND_SIZE:
		if (value < NUMBER_UNLIMITED)
			return error_set(err, ERANGE, "%s: below -1, \"%" PRId64 "\"", path, value);
		if (value != 0)
			ask(spec, field, value, "");
		return 0;
	case KIND_PERCENT:
		if (value < -1 || value > 100)
			return error_set(err, ERANGE, "%s: not within 0 to 100, \"%" PRId64 "\"",
					 path, value);
		if (value != -1)
			ask(spec, field, value, "");
		return 0;
	case KIND_BOOL:
	case KIND_OTHER:
		break;
	}

	/* To disable nothing and to check nothing is what happens anyway. */
	if (value || field == MEMORY_HIERARCHY)
		ask(spec, field, value, value ? "true" : "false");
	return 0;
}

/* Annotations: a table of words, then what each does. */

static int take_reservation(struct memory_spec *spec, const char *value, struct error *err)
{
	static const char *const words[] = {
		[RESERVATION_LOW] = "low",
		[RESERVATION_HIGH] = "high",
		[RESERVATION_NONE] = "none",
	};

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		if (strcmp(value, words[i]) == 0) {
			spec->reservation_as = (enum memory_reservation)i;
			return 0;
		}
	}
	return error_set(err, EINVAL, "not low, high or none, \"%s\"", value);
}

static int take_strict(struct memory_spec *spec, const char *value, struct error *err)
{
	if (strcmp(value, "true") && strcmp(value, "false"))
		return error_set(err, EINVAL, "not true or false, \"%s\"", value);
	spec->strict = *value == 't';
	return 0;
}

static int take_oom(struct memory_spec *spec, const char *value, struct error *err)
{
	if (strcmp(value, "kill") == 0)
		spec->accept_kill = true;
	else if (strcmp(value, "wait") == 0)
		ask(spec, MEMORY_OOM_WAIT, 1, value);
	else if (strcmp(value, "group") == 0)
		ask(spec, MEMORY_OOM_GROUP, 1, value);
	else
		return error_set(err, EINVAL, "not kill, wait or group, \"%s\"", value);
	return 0;
}

/* The next word of a list with commas; -EINVAL where it is empty or too long. */
static int next_word(const char **list, char *word, size_t size)
{
	size_t len = strcspn(*list, ",");

	if (len == 0 || len >= size)
		return -EINVAL;
	memcpy(word, *list, len);
	word[len] = '\0';
	*list += len;
	return 0;
}

static int take_threshold(struct memory_spec *spec, char *word)
{
	size_t len = strlen(word);
	int64_t number;

	if (word[len - 1] != '%')
		return number_read_size(word, &number, NULL) < 0 || number == 0 ? -EINVAL : 0;

	word[len - 1] = '\0';
	spec->threshold_percent = true;
	if (number_read_i64(word, &number, NULL) < 0 || number < 1 || number > 100)
		return -EINVAL;
	return 0;
}

static int take_thresholds(struct memory_spec *spec, const char *value, struct error *err)
{
	const char *rest = value;
	int64_t count = 0;
	char word[32];

	for (;;) {
		if (next_word(&rest, word, sizeof(word)) < 0 || take_threshold(spec, word) < 0)
			return error_set(err, EINVAL,
					 "not a list like \"70%%,256M\", \"%s\"", value);
		count++;
		if (!*rest)
			break;
		rest++;
	}
	ask(spec, MEMORY_THRESHOLDS, count, value);
	return 0;
}

static int take_move_charge(struct memory_spec *spec, const char *value, struct error *err)
{
	unsigned int types = 0;
	int ret;

	ret = charge_types_read(&types, value, err);
	if (ret == 0)
		ask(spec, MEMORY_MOVE_CHARGE, types, value);
	return ret;
}

static int take_tmpfs(struct memory_spec *spec, const char *value, struct error *err)
{
	if (strcmp(value, "container") && strcmp(value, "pod") && *value != '/')
		return error_set(err, EINVAL, "not container, pod or a cgroup path, \"%s\"", value);
	ask(spec, MEMORY_TMPFS, 1, value);
	return 0;
}

static int take_reserve(struct memory_spec *spec, const char *value, struct error *err)
{
	int64_t bytes;
	int ret;

	ret = number_read_size(value, &bytes, err);
	if (ret < 0)
		return ret;
	if (bytes)
		ask(spec, MEMORY_RESERVE, bytes, value);
	return 0;
}

static const struct annotation {
	const char *name;
	int (*take)(struct memory_spec *spec, const char *value, struct error *err);
} annotations[] = {
	{ "reservation", take_reservation }, { "strict", take_strict },
	{ "oom", take_oom },		     { "thresholds", take_thresholds },
	{ "move-charge", take_move_charge }, { "tmpfs", take_tmpfs },
	{ "reserve", take_reserve },
};

int memory_spec_annotate(struct memory_spec *spec, const char *name, const char *value,
			 struct error *err)
{
	const char *word = name + strlen(ANNOTATION_PREFIX);
	int ret;

	for (size_t i = 0; i < sizeof(annotations) / sizeof(annotations[0]); i++) {
		if (strcmp(word, annotations[i].name) != 0)
			continue;
		ret = annotations[i].take(spec, value, err);
		return ret < 0 ? error_prefix(err, ret, "annotations.%s", name) : 0;
	}
	return error_set(err, EINVAL, "annotations.%s: unknown annotation, \"%s\"", name, value);
}

/*
 * A value that is no size is refused by the kernel, late, in other words and by crun's hand;
 * until then it would pass for a key that limits nothing.
 */
static int check_size(const char *file, const char *value, struct error *err)
{
	static const char *const sizes[] = {
		"memory.max", "memory.high", "memory.low", "memory.min", "memory.swap.max",
		"memory.swap.high", "memory.memsw.max", "memory.soft.max", "memory.reserve",
		"memory.zswap.max",
	};
	int64_t bytes;
	int ret = 0;

	for (size_t i = 0; ret == 0 && i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		if (strcmp(file, sizes[i]) != 0)
			continue;
		/* files of v1 take -1 for no limit, those of v2 nothing below 0 */
		ret = strchr(value, '-') ? -EINVAL : memory_value_read(value, &bytes, NULL);
	}
	if (ret == 0)
		return 0;
	return error_set(err, -ret, "linux.resources.unified.%s: %s, \"%s\"", file,
			 ret == -ERANGE ? "out of range" : "not a size", value);
}

int memory_spec_explicit(struct memory_spec *spec, const char *file, const char *value,
			 struct error *err)
{
	struct memory_explicit *place;
	int ret;

	for (const char *c = value; *c; c++) {
		/* crun splits some values into lines, the kernel none. */
		if ((unsigned char)*c < 0x20)
			return error_set(err, EINVAL,
					 "linux.resources.unified.%s: a control character, \"%s\"",
					 file, value);
	}
	if (!*value)
		return error_set(err, EINVAL, "linux.resources.unified.%s: empty", file);
	if (strchr(file, '/'))
		return error_set(err, EINVAL, "linux.resources.unified: not a file name, \"%s\"",
				 file);
	if (spec->explicit_count == MEMORY_EXPLICIT_MAX)
		return error_set(err, E2BIG, "linux.resources.unified: more than %d memory keys",
				 MEMORY_EXPLICIT_MAX);
	if (strlen(file) >= sizeof(place->file))
		return error_set(err, EINVAL, "linux.resources.unified: key too long, \"%s\"", file);
	if (strlen(value) >= sizeof(place->value))
		return error_set(err, EINVAL, "linux.resources.unified.%s: value too long, \"%s\"",
				 file, value);

	ret = check_size(file, value, err);
	if (ret < 0)
		return ret;

	place = &spec->explicits[spec->explicit_count++];
	strcpy(place->file, file);
	strcpy(place->value, value);
	return 0;
}

int memory_spec_finish(struct memory_spec *spec, struct error *err)
{
	bool limited = memory_spec_asks(spec, MEMORY_LIMIT) &&
		       spec->value[MEMORY_LIMIT] != NUMBER_UNLIMITED;

	for (size_t i = 0; i < spec->explicit_count; i++) {
		if (strcmp(spec->explicits[i].file, "memory.max") == 0)
			limited = strcmp(spec->explicits[i].value, "max") != 0;
	}
	if (memory_spec_asks(spec, MEMORY_OOM_GROUP) && memory_spec_asks(spec, MEMORY_OOM_WAIT))
		return error_set(err, EINVAL, "%s: contradicts %s, \"group\"",
				 memory_field_path(MEMORY_OOM_GROUP),
				 memory_field_path(MEMORY_OOM_WAIT));
	if (spec->threshold_percent && !limited)
		return error_set(err, EINVAL, "%s: a percentage needs %s",
				 memory_field_path(MEMORY_THRESHOLDS),
				 memory_field_path(MEMORY_LIMIT));
	return 0;
}
