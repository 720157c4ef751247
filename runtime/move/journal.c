// SPDX-License-Identifier: GPL-2.0-or-later
#include "move/journal.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/file.h"
#include "base/grow.h"
#include "base/json.h"
#include "container/container.h"
#include "kernel/path.h"
#include "memory/charge.h"

/* 1: names as they are, and no inode numbers. It is still read. */
#define FORM 2

void journal_free(struct journal *journal)
{
	place_close(&journal->from);
	place_close(&journal->to);
	for (size_t i = 0; i < journal->late_count; i++) {
		free(journal->late[i].hierarchy);
		free(journal->late[i].cgroup);
		free(journal->late[i].file);
		free(journal->late[i].value);
	}
	free(journal->late);
	*journal = (struct journal){ 0 };
}

int journal_add_late(struct journal *journal, const char *hierarchy, const char *cgroup,
		     const char *file, const char *value)
{
	struct late_setting *larger, *late;

	larger = grow(journal->late, journal->late_count, sizeof(*larger));
	if (!larger)
		return -ENOMEM;
	journal->late = larger;
	late = &larger[journal->late_count++];
	late->hierarchy = strdup(hierarchy);
	late->cgroup = strdup(cgroup);
	late->file = strdup(file);
	late->value = strdup(value);
	return late->hierarchy && late->cgroup && late->file && late->value ? 0 : -ENOMEM;
}

/* What may be missing is "". */
static int take_string(struct json_value *object, const char *key, char **taken,
		       struct error *err)
{
	const char *text = "";
	int ret = json_get_string(object, key, &text, err);

	if (ret < 0)
		return ret;
	*taken = strdup(text);
	return *taken ? 0 : error_errno(err, ENOMEM, "%s", key);
}

static bool is_plain(unsigned char byte)
{
	return byte >= 0x20 && byte < 0x7f && byte != '%';
}

static char *escape(const char *name)
{
	char *made = malloc(3 * strlen(name) + 1), *end = made;

	for (; made && *name; name++) {
		if (is_plain((unsigned char)*name))
			*end++ = *name;
		else
			end += sprintf(end, "%%%02X", (unsigned char)*name);
	}
	if (made)
		*end = '\0';
	return made;
}

/* In place. A "%" that no escape begins with is none of ours. */
static int unescape(char *name)
{
	char *end = name, digits[3] = "", *rest;

	for (; *name; name++) {
		if (*name != '%') {
			*end++ = *name;
			continue;
		}
		digits[0] = name[1];
		digits[1] = name[1] ? name[2] : '\0';
		*end = (char)strtoul(digits, &rest, 16);
		if (rest != digits + 2 || digits[0] == '+' || digits[0] == '-' ||
		    digits[0] == ' ' || !*end)
			return -EINVAL;
		end++;
		name += 2;
	}
	*end = '\0';
	return 0;
}

/* Below a top: any name that a cgroup can have, and none that leads out of the top. */
static bool is_below(const char *path)
{
	size_t len;

	for (; *path; path += len + (path[len] == '/')) {
		len = strcspn(path, "/");
		if (len == 0 || len > 255 || (len == 1 && path[0] == '.') ||
		    (len == 2 && path[0] == '.' && path[1] == '.') ||
		    (path[len] == '/' && !path[len + 1]))
			return false;
	}
	return true;
}

static bool is_normal(const char *path)
{
	auto_free char *normal = path_normal(path);

	return normal && strcmp(normal, path) == 0 && path_check(path, NULL) == 0;
}

static int take_ids(struct json_value *object, struct place *place, struct error *err)
{
	struct json_value *array = json_find(object, "ids"), *each;
	int ret = 0;

	for (each = array ? array->first : NULL; each && ret >= 0; each = each->next) {
		struct place_id *id = &place->ids[place->id_count];
		const char *name = "", *inode = "";
		char *end;

		if (place->id_count == HIERARCHIES_MAX)
			return error_set(err, EINVAL, "ids: more than %d", HIERARCHIES_MAX);
		ret = json_get_string(each, "hierarchy", &name, err);
		if (ret >= 0)
			ret = json_get_string(each, "inode", &inode, err);
		if (ret >= 0)
			ret = json_get_bool(each, "filled", &id->filled, err);
		if (ret < 0)
			return ret;
		id->inode = strtoull(inode, &end, 10);
		if (strlen(name) >= sizeof(id->hierarchy) || *inode < '0' || *inode > '9' || *end)
			return error_set(err, EINVAL, "ids: not an inode number, \"%s\"", inode);
		strcpy(id->hierarchy, name);
		place->id_count++;
	}
	return ret < 0 ? ret : 0;
}

static int take_place(struct json_value *root, const char *key, struct place *place,
		      struct error *err)
{
	struct json_value *object = json_find(root, key);
	int ret;

	ret = take_string(object, "top", &place->top, err);
	if (ret == 0)
		ret = take_string(object, "cgroup", &place->cgroup, err);
	if (ret == 0)
		ret = take_string(object, "scope", &place->scope, err);
	if (ret == 0)
		ret = take_string(object, "slice", &place->slice, err);
	if (ret == 0)
		ret = take_ids(object, place, err);
	if (ret < 0)
		return ret;
	/* what is removed must be somebody's */
	if (!is_normal(place->top) || !is_normal(place->cgroup) ||
	    !path_is_below(place->cgroup, place->top))
		return error_set(err, EINVAL, "%s: not a cgroup, \"%s\"", key, place->top);
	return 0;
}

static int take_late(struct json_value *root, struct journal *journal, struct error *err)
{
	struct json_value *array = json_find(root, "late"), *each;
	const char *text[4] = { NULL };
	static const char *const keys[] = { "hierarchy", "cgroup", "file", "value" };
	int ret = 0;

	for (each = array ? array->first : NULL; each && ret == 0; each = each->next) {
		auto_free char *cgroup = NULL;

		for (size_t i = 0; i < 4 && ret >= 0; i++) {
			text[i] = "";
			ret = json_get_string(each, keys[i], &text[i], err);
		}
		if (ret < 0)
			return ret;
		cgroup = strdup(text[1]);
		if (!cgroup)
			return error_errno(err, ENOMEM, "late");
		if (!*text[2] || text[2][0] == '.' || strchr(text[2], '/') ||
		    (!journal->no_ids && unescape(cgroup) < 0) || !is_below(cgroup))
			return error_set(err, EINVAL, "late: not a setting, \"%s\"", text[2]);
		ret = journal_add_late(journal, text[0], cgroup, text[2], text[3]);
	}
	return ret < 0 ? ret : 0;
}

static int take_all(struct json_value *root, struct journal *journal, struct error *err)
{
	struct json_value *made = json_find(root, "made"), *each;
	int64_t form = 0, types = 0;
	size_t i = 0;
	int ret;

	ret = json_get_i64(root, "form", &form, err);
	if (ret >= 0 && form != 1 && form != FORM)
		return error_set(err, EINVAL, "form: of another memcrun, \"%d\"", (int)form);
	journal->no_ids = form == 1;
	if (ret >= 0)
		ret = take_place(root, "from", &journal->from, err);
	if (ret >= 0)
		ret = take_place(root, "to", &journal->to, err);
	if (ret >= 0)
		ret = json_get_bool(root, "systemd", &journal->systemd, err);
	if (ret >= 0)
		ret = json_get_bool(root, "live", &journal->live, err);
	if (ret >= 0)
		ret = json_get_bool(root, "frozen", &journal->frozen, err);
	if (ret >= 0)
		ret = json_get_i64(root, "types", &types, err);
	if (ret >= 0)
		ret = take_late(root, journal, err);
	if (ret < 0)
		return ret;
	journal->types = (unsigned int)types & CHARGE_ALL;
	for (each = made ? made->first : NULL; each && i < HIERARCHIES_MAX; each = each->next) {
		if (each->type == JSON_NUMBER)
			journal->made[i++] = (unsigned int)strtoul(each->text, NULL, 10);
	}
	return 0;
}

static int parse(struct journal *journal, const char *text, size_t len, struct error *err)
{
	auto_journal struct journal made = { 0 };
	auto_json struct json *document = NULL;
	int ret = json_parse(text, len, &document, err);

	if (ret == 0)
		ret = take_all(json_root(document), &made, err);
	if (ret < 0)
		return ret;
	*journal = made;
	made = (struct journal){ 0 };
	return 0;
}

int journal_read(struct journal *journal, int dirfd, struct error *err)
{
	auto_free char *text = NULL;
	auto_close int fd = openat(dirfd, JOURNAL_FILE, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	size_t len;
	int ret;

	if (fd < 0)
		return error_errno(err, errno, "%s: cannot open", JOURNAL_FILE);
	ret = file_read_all(fd, JSON_SIZE_MAX, &text, &len, err);
	if (ret == 0)
		ret = parse(journal, text, len, err);
	return ret < 0 ? error_prefix(err, ret, "%s", JOURNAL_FILE) : 0;
}

static void put_place(struct json *document, const char *key, const struct place *place)
{
	struct json_value *object = json_set_object(document, json_root(document), key), *array;
	char inode[24];

	json_set_string(document, object, "top", place->top);
	json_set_string(document, object, "cgroup", place->cgroup);
	json_set_string(document, object, "scope", place->scope);
	json_set_string(document, object, "slice", place->slice);
	array = json_set_array(document, object, "ids");
	for (size_t i = 0; i < place->id_count; i++) {
		/* text: a number of 64 bits is not what every JSON reader keeps */
		snprintf(inode, sizeof(inode), "%" PRIu64, place->ids[i].inode);
		object = json_add_object(document, array);
		json_set_string(document, object, "hierarchy", place->ids[i].hierarchy);
		json_set_string(document, object, "inode", inode);
		json_set_bool(document, object, "filled", place->ids[i].filled);
	}
}

static int put_late(struct json *document, const struct journal *journal, struct error *err)
{
	struct json_value *array = json_set_array(document, json_root(document), "late");

	for (size_t i = 0; i < journal->late_count; i++) {
		struct json_value *object = json_add_object(document, array);
		auto_free char *cgroup = escape(journal->late[i].cgroup);

		if (!cgroup)
			return error_errno(err, ENOMEM, "%s", JOURNAL_FILE);
		json_set_string(document, object, "hierarchy", journal->late[i].hierarchy);
		json_set_string(document, object, "cgroup", cgroup);
		json_set_string(document, object, "file", journal->late[i].file);
		json_set_string(document, object, "value", journal->late[i].value);
	}
	return 0;
}

int journal_write(const struct journal *journal, int dirfd, struct error *err)
{
	auto_json struct json *document = json_new();
	auto_journal struct journal seen = { 0 };
	struct json_value *root, *object;
	auto_free char *text = NULL;
	char number[16];
	size_t len;
	int ret;

	if (!document)
		return error_errno(err, ENOMEM, "%s", JOURNAL_FILE);
	root = json_root(document);
	json_set_i64(document, root, "form", FORM);
	put_place(document, "from", &journal->from);
	put_place(document, "to", &journal->to);
	json_set_bool(document, root, "systemd", journal->systemd);
	json_set_bool(document, root, "live", journal->live);
	json_set_bool(document, root, "frozen", journal->frozen);
	json_set_i64(document, root, "types", journal->types);
	object = json_set_object(document, root, "made");
	for (size_t i = 0; i < HIERARCHIES_MAX; i++) {
		snprintf(number, sizeof(number), "%zu", i);
		json_set_i64(document, object, number, journal->made[i]);
	}
	ret = put_late(document, journal, err);
	if (ret == 0)
		ret = json_write(document, root, false, &text, &len, err);
	/* after a crash it is all that there is: what could not be read must not be written */
	if (ret == 0)
		ret = parse(&seen, text, len, err);
	if (ret < 0)
		return error_prefix(err, ret, "%s: cannot be written", JOURNAL_FILE);
	return file_replace_at(dirfd, JOURNAL_FILE, 0600, text, len, err);
}

int journal_remove(int dirfd, struct error *err)
{
	if (unlinkat(dirfd, JOURNAL_FILE, 0) < 0 && errno != ENOENT)
		return error_errno(err, errno, "%s: cannot remove", JOURNAL_FILE);
	return 0;
}
