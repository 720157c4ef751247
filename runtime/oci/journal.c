// SPDX-License-Identifier: GPL-2.0-or-later
#include "oci/journal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/file.h"
#include "base/json.h"
#include "kernel/path.h"
#include "memory/charge.h"

#define FORM 1

static void place_free(struct place *place)
{
	free(place->top);
	free(place->cgroup);
	free(place->scope);
	free(place->slice);
}

void journal_free(struct journal *journal)
{
	place_free(&journal->from);
	place_free(&journal->to);
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

	larger = reallocarray(journal->late, journal->late_count + 1, sizeof(*larger));
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

static bool is_normal(const char *path)
{
	auto_free char *normal = path_normal(path);

	return normal && strcmp(normal, path) == 0 && path_check(path, NULL) == 0;
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
		for (size_t i = 0; i < 4 && ret >= 0; i++) {
			text[i] = "";
			ret = json_get_string(each, keys[i], &text[i], err);
		}
		if (ret >= 0 && (!*text[2] || text[2][0] == '.' || strchr(text[2], '/') ||
				 (*text[1] && path_check(text[1], NULL) < 0)))
			return error_set(err, EINVAL, "late: not a setting, \"%s\"", text[2]);
		if (ret >= 0)
			ret = journal_add_late(journal, text[0], text[1], text[2], text[3]);
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
	if (ret >= 0 && form != FORM)
		return error_set(err, EINVAL, "form: of another memcrun, \"%d\"", (int)form);
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

int journal_read(struct journal *journal, int dirfd, struct error *err)
{
	auto_journal struct journal made = { 0 };
	auto_json struct json *document = NULL;
	auto_free char *text = NULL;
	auto_close int fd = openat(dirfd, JOURNAL_FILE, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	size_t len;
	int ret;

	if (fd < 0)
		return error_errno(err, errno, "%s: cannot open", JOURNAL_FILE);
	ret = file_read_all(fd, JSON_SIZE_MAX, &text, &len, err);
	if (ret == 0)
		ret = json_parse(text, len, &document, err);
	if (ret == 0)
		ret = take_all(json_root(document), &made, err);
	if (ret < 0)
		return error_prefix(err, ret, "%s", JOURNAL_FILE);
	*journal = made;
	made = (struct journal){ 0 };
	return 0;
}

static void put_place(struct json *document, const char *key, const struct place *place)
{
	struct json_value *object = json_set_object(document, json_root(document), key);

	json_set_string(document, object, "top", place->top);
	json_set_string(document, object, "cgroup", place->cgroup);
	json_set_string(document, object, "scope", place->scope);
	json_set_string(document, object, "slice", place->slice);
}

int journal_write(const struct journal *journal, int dirfd, struct error *err)
{
	auto_json struct json *document = json_new();
	struct json_value *root, *array, *object;
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
	array = json_set_array(document, root, "late");
	for (size_t i = 0; i < journal->late_count; i++) {
		object = json_add_object(document, array);
		json_set_string(document, object, "hierarchy", journal->late[i].hierarchy);
		json_set_string(document, object, "cgroup", journal->late[i].cgroup);
		json_set_string(document, object, "file", journal->late[i].file);
		json_set_string(document, object, "value", journal->late[i].value);
	}
	ret = json_write(document, root, true, &text, &len, err);
	return ret < 0 ? ret : file_replace_at(dirfd, JOURNAL_FILE, 0600, text, len, err);
}

int journal_remove(int dirfd, struct error *err)
{
	if (unlinkat(dirfd, JOURNAL_FILE, 0) < 0 && errno != ENOENT)
		return error_errno(err, errno, "%s: cannot remove", JOURNAL_FILE);
	return 0;
}
