// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/file.h"
#include "base/number.h"
#include "container/update-state.h"
#include "container/values.h"
#include "memory/apply.h"
#include "oci/config.h"
#include "systemd/scope.h"

/*
 * The way back of an update: old values kept in a file, and put back from it or from memory.
 */

int update_read_record(int dirfd, struct json **config, char **asked, struct error *err)
{
	auto_json struct json *document = NULL;
	auto_free char *text = NULL;
	auto_close int fd = openat(dirfd, "config.json", O_RDONLY | O_CLOEXEC);
	size_t len;
	int ret;

	if (fd < 0)
		return error_errno(err, errno, "config.json: cannot open");
	ret = file_read_all(fd, JSON_SIZE_MAX, &text, &len, err);
	if (ret == 0)
		ret = json_parse(text, len, &document, err);
	if (ret == 0)
		ret = config_asked(json_root(document), asked, err);
	if (ret < 0)
		return error_prefix(err, ret, "config.json");
	*config = take_ptr(&document);
	return 0;
}

int update_write_journal(const struct update *update, struct error *err)
{
	auto_json struct json *document = json_new();
	struct json_value *root, *names;
	auto_free char *text = NULL;
	char high[NUMBER_TEXT_MAX + 1];
	size_t len;
	int ret;

	if (!document)
		return error_errno(err, ENOMEM, UPDATE_JOURNAL);
	root = json_root(document);
	/* where the record says so, it was done but for the end of this file */
	if (strcmp(update->merged, update->asked) != 0)
		json_set_string(document, root, "asked", update->merged);
	/* it is lowered while a limit is; what the plan has of it goes before */
	if (file_read_at(update->cgroup.dirfd, "memory.high", high, sizeof(high), NULL) > 0)
		json_set_string(document, json_need_object(document, root, "files"),
				"memory.high", high);
	values_put(document, &update->before);
	names = json_set_array(document, root, "scope");
	for (size_t i = 0; i < update->in_step.count; i++)
		json_add_string(document, names, update->in_step.writes[i].file);
	ret = json_write(document, root, true, &text, &len, err);
	return ret < 0 ? ret : file_replace_at(update->container.status.dirfd, UPDATE_JOURNAL, 0600, text,
					       len, err);
}

int update_end_journal(const struct update *update, struct error *err)
{
	if (unlinkat(update->container.status.dirfd, UPDATE_JOURNAL, 0) < 0 && errno != ENOENT)
		return error_errno(err, errno, UPDATE_JOURNAL ": cannot remove");
	return 0;
}

/* --- systemd's part: the scope above the cgroup that crun limits */

int update_tell_systemd(const struct update *update, const struct memory_plan *to,
			const struct memory_plan *had, struct error *err)
{
	struct memory_plan told = { .mode = to->mode };

	for (size_t i = 0; i < to->count; i++) {
		const struct plan_write *was = had ? memory_plan_find(had, to->writes[i].file) : NULL;

		if (memory_plan_find(&update->in_step, to->writes[i].file) &&
		    !(was && memory_value_same(was->value, to->writes[i].value)))
			told.writes[told.count++] = to->writes[i];
	}
	if (told.count == 0)
		return 0;
	return scope_set_memory(scope_is_users(), update->container.status.scope, &told, err);
}

struct memory_plan update_widest(const struct memory_plan *a, const struct memory_plan *b)
{
	struct memory_plan plan = *a;

	for (size_t i = 0; i < plan.count; i++) {
		const struct plan_write *other = memory_plan_find(b, plan.writes[i].file);

		if (other && memory_value_height(other->value) >
				     memory_value_height(plan.writes[i].value))
			strcpy(plan.writes[i].value, other->value);
	}
	return plan;
}

int update_put_back(const struct update *update, const struct memory_plan *before,
		    struct error *err)
{
	struct memory_plan now, wide;
	int ret, told;

	ret = memory_plan_snapshot(before, &now, update->cgroup.dirfd, err);
	if (ret < 0)
		return ret;
	wide = update_widest(before, &now);
	/* a systemd that does not answer is no reason to leave the cgroup as it is */
	told = update_tell_systemd(update, &wide, NULL, err);
	ret = change_undo(before, update->cgroup.dirfd, told < 0 ? NULL : err);
	if (ret == 0 && told == 0)
		told = update_tell_systemd(update, before, &wide, err);
	return told < 0 ? told : ret;
}

/* --- after a crash */

/* As update_write_journal() has left it. */
static void read_in_step(struct update *update, const struct json *document,
			 const struct memory_plan *values)
{
	const struct json_value *names = json_member(json_root(document), "scope");

	update->in_step.count = 0;
	for (const struct json_value *v = names ? names->first : NULL; v; v = v->next) {
		const struct plan_write *write =
			v->type == JSON_STRING ? memory_plan_find(values, v->text) : NULL;

		if (write && update->in_step.count < MEMORY_PLAN_MAX)
			update->in_step.writes[update->in_step.count++] = *write;
	}
}

int update_repair(struct update *update, struct error *err)
{
	int dirfd = update->container.status.dirfd, ret;
	auto_json struct json *document = NULL;
	struct memory_plan values = { 0 };
	const char *asked = NULL;
	auto_close int fd = -1;

	fd = openat(dirfd, UPDATE_JOURNAL, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	if (fd < 0)
		return errno == ENOENT ? 0 : error_errno(err, errno, UPDATE_JOURNAL ": cannot open");
	values.mode = update->cgroup.mode;
	ret = values_read(fd, &values, &document, err);
	if (ret < 0)
		return error_prefix(err, ret, UPDATE_JOURNAL);
	if (json_get_string(json_root(document), "asked", &asked, NULL) > 0 &&
	    strcmp(asked, update->asked) == 0)
		return update_end_journal(update, err);
	read_in_step(update, document, &values);
	ret = update_put_back(update, &values, err);
	if (ret == 0)
		ret = update_end_journal(update, err);
	if (ret < 0)
		return error_prefix(err, ret, UPDATE_JOURNAL);
	update->result->repaired = true;
	return 0;
}

void update_rescue(void *context)
{
	struct update *update = context;
	auto_json struct json *config = NULL;
	char *asked = NULL;
	int dirfd = update->container.status.dirfd;

	file_discard_at(dirfd, "config.json");
	/* what the record says now tells whether the update was done */
	if (update_read_record(dirfd, &config, &asked, NULL) < 0)
		return;
	free(update->asked);
	update->asked = asked;
	update_repair(update, NULL);
}
