// SPDX-License-Identifier: GPL-2.0-or-later
#include "oci/update.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/file.h"
#include "base/number.h"
#include "base/process.h"
#include "memory/apply.h"
#include "memory/reclaim.h"
#include "oci/config.h"
#include "oci/container.h"
#include "oci/journal.h"
#include "oci/scope.h"
#include "oci/values.h"

#define JOURNAL "memcrun-update.json"

/* Engines update one after the other; who comes second waits for the first. */
#define LOCK_TIMEOUT_MS 5000

struct update {
	const struct update_request *request;
	struct update_result *result;
	struct container container;
	struct cgroup cgroup;
	struct json *config;		/* crun's copy of config.json */
	char *asked;			/* before, and after */
	char *merged;
	struct memory_plan before;	/* the undo of result->plan */
	struct memory_plan in_step;	/* the writes that its scope has as well */
};

static void update_close(struct update *update)
{
	cgroup_close(&update->cgroup);
	container_close(&update->container);
	json_free(update->config);
	free(update->asked);
	free(update->merged);
}

#define auto_update __attribute__((cleanup(update_close)))

/* --- the journal: old values, by file */

static int journal_write_values(const struct update *update, struct error *err)
{
	auto_json struct json *document = json_new();
	struct json_value *root, *names;
	auto_free char *text = NULL;
	char high[NUMBER_TEXT_MAX + 1];
	size_t len;
	int ret;

	if (!document)
		return error_errno(err, ENOMEM, JOURNAL);
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
	return ret < 0 ? ret : file_replace_at(update->container.status.dirfd, JOURNAL, 0600, text,
					       len, err);
}

static int journal_end(const struct update *update, struct error *err)
{
	if (unlinkat(update->container.status.dirfd, JOURNAL, 0) < 0 && errno != ENOENT)
		return error_errno(err, errno, JOURNAL ": cannot remove");
	return 0;
}

/* --- systemd's part: the scope above the cgroup that crun limits */

/* Of the writes in step with the scope, those that are not as in `had`. */
static int tell_systemd(const struct update *update, const struct memory_plan *to,
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

/* What is not tighter than either of two: for the scope, while one becomes the other. */
static struct memory_plan widest(const struct memory_plan *a, const struct memory_plan *b)
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

/* Where systemd cannot be asked nothing can be told; and what somebody has set is his. */
static void find_in_step(struct update *update)
{
	const struct status *status = &update->container.status;

	update->in_step = update->before;
	if (!status->systemd || !status->scope[0] ||
	    scope_in_step(scope_is_users(), status->scope, &update->in_step, NULL) < 0)
		update->in_step.count = 0;
}

/* All of `before` again, in the cgroup and above it, wherever in between they are. */
static int put_back(const struct update *update, const struct memory_plan *before,
		    struct error *err)
{
	struct memory_plan now, wide;
	int ret;

	ret = memory_plan_snapshot(before, &now, update->cgroup.dirfd, err);
	if (ret < 0)
		return ret;
	wide = widest(before, &now);
	ret = tell_systemd(update, &wide, NULL, err);
	if (ret == 0)
		ret = change_undo(before, update->cgroup.dirfd, err);
	if (ret == 0)
		ret = tell_systemd(update, before, &wide, err);
	return ret;
}

/* --- after a crash */

/* As journal_write_values() has left it. */
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

/* Whose memcrun died has left old values: they come back first. */
static int repair(struct update *update, struct error *err)
{
	int dirfd = update->container.status.dirfd, ret;
	auto_json struct json *document = NULL;
	struct memory_plan values = { 0 };
	const char *asked = NULL;
	auto_close int fd = -1;

	fd = openat(dirfd, JOURNAL, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	if (fd < 0)
		return errno == ENOENT ? 0 : error_errno(err, errno, JOURNAL ": cannot open");
	values.mode = update->cgroup.mode;
	ret = values_read(fd, &values, &document, err);
	if (ret < 0)
		return error_prefix(err, ret, JOURNAL);
	if (json_get_string(json_root(document), "asked", &asked, NULL) > 0 &&
	    strcmp(asked, update->asked) == 0)
		return journal_end(update, err);
	read_in_step(update, document, &values);
	ret = put_back(update, &values, err);
	if (ret == 0)
		ret = journal_end(update, err);
	if (ret < 0)
		return error_prefix(err, ret, JOURNAL);
	update->result->repaired = true;
	return 0;
}

/* --- the plan */

static int read_config(struct update *update, struct error *err)
{
	auto_free char *text = NULL;
	auto_close int fd = openat(update->container.status.dirfd, "config.json",
				   O_RDONLY | O_CLOEXEC);
	size_t len;
	int ret;

	if (fd < 0)
		return error_errno(err, errno, "config.json: cannot open");
	ret = file_read_all(fd, JSON_SIZE_MAX, &text, &len, err);
	if (ret == 0)
		ret = json_parse(text, len, &update->config, err);
	if (ret < 0)
		return error_prefix(err, ret, "config.json");
	ret = config_asked(json_root(update->config), &update->asked, err);
	if (ret == 0)
		ret = config_merge(update->asked, json_root(update->request->resources),
				   &update->merged, err);
	return ret;
}

/* A swap without a limit counts from the one that is in force, whoever made it. */
static int use_limit_in_force(const struct update *update, struct memory_spec *spec)
{
	char text[NUMBER_TEXT_MAX + 1];
	int64_t limit;

	if (update->cgroup.mode == CGROUP_V1 || !memory_spec_asks(spec, MEMORY_SWAP) ||
	    memory_spec_asks(spec, MEMORY_LIMIT) ||
	    file_exists_at(update->cgroup.dirfd, "memory.memsw.max") ||
	    file_read_at(update->cgroup.dirfd, "memory.max", text, sizeof(text), NULL) < 0 ||
	    number_read_file(text, &limit, NULL) < 0 || limit == NUMBER_UNLIMITED)
		return 0;
	return memory_spec_set(spec, MEMORY_LIMIT, limit, NULL);
}

static int plan_of(const struct update *update, const char *asked, struct memory_spec *spec,
		   struct memory_plan *plan, struct error *err)
{
	auto_host struct host host = { .cgroup_root = -1, .proc = -1 };
	auto_config struct config config = { 0 };
	struct memory_features features;
	int ret;

	ret = config_parse(&config, asked, strlen(asked), err);
	*spec = config.spec;
	if (ret == 0)
		ret = use_limit_in_force(update, spec);
	if (ret == 0)
		ret = host_open(&host, NULL, err);
	if (ret < 0)
		return ret;
	memory_features_look(&features, &update->cgroup, spec);
	memory_features_try(&features, &host, spec->asked);
	return memory_plan_make(plan, spec, &features, err);
}

/* What was given now, alone; nothing where that is no settings of their own. */
static struct memory_spec given_now(const struct update *update)
{
	auto_free char *only = NULL;
	struct memory_spec spec = { 0 }, read;

	if (config_merge("{}", json_root(update->request->resources), &only, NULL) == 0 &&
	    config_read_asked(&read, only, NULL) == 0)
		spec = read;
	return spec;
}

static bool is_given(const struct memory_spec *given, enum memory_field field)
{
	return field < MEMORY_FIELDS && memory_spec_asks(given, field);
}

/* Who changes one thing is not told of others again. */
static void keep_notes_of(const struct memory_spec *given, struct memory_plan *plan)
{
	size_t count = 0;

	for (size_t i = 0; i < plan->note_count; i++) {
		if (is_given(given, plan->notes[i].field))
			plan->notes[count++] = plan->notes[i];
	}
	plan->note_count = count;
}

/* What differs from the plan of before, or was asked for now. */
static void keep_what_changes(struct update *update, const struct memory_plan *old,
			      struct memory_plan *plan)
{
	struct json_value *root = json_root(update->request->resources);
	const struct memory_spec given = given_now(update);
	const struct memory_plan all = *plan;

	keep_notes_of(&given, plan);
	plan->count = 0;
	for (size_t i = 0; i < all.count; i++) {
		const struct plan_write *write = &all.writes[i];
		const struct plan_write *was = memory_plan_find(old, write->file);

		if (write->row && write->row->flags & (FILE_ACTION | FILE_SHOWN))
			continue;
		if (!was || !memory_value_same(was->value, write->value) ||
		    json_member(json_member(root, "unified"), write->file) ||
		    is_given(&given, write->field))
			plan->writes[plan->count++] = *write;
	}
	/* a switch that is not asked for any more is off */
	for (size_t i = 0; i < old->count; i++) {
		const struct plan_write *was = &old->writes[i];

		if ((was->field != MEMORY_OOM_WAIT && was->field != MEMORY_OOM_GROUP) ||
		    was->is_explicit || memory_plan_find(&all, was->file) ||
		    plan->count == MEMORY_PLAN_MAX)
			continue;
		plan->writes[plan->count] = *was;
		strcpy(plan->writes[plan->count++].value, "0");
	}
}

static int64_t current(const struct update *update, const char *name)
{
	char text[NUMBER_TEXT_MAX + 1];
	int64_t value = 0;

	if (file_read_at(update->cgroup.dirfd, name, text, sizeof(text), NULL) > 0)
		number_read_i64(text, &value, NULL);
	return value;
}

/* checkBeforeUpdate */
static int check_before(const struct update *update, const struct memory_spec *spec,
			struct error *err)
{
	int64_t limit = spec->value[MEMORY_LIMIT], total = spec->value[MEMORY_SWAP];
	int64_t memory, both;

	if (!memory_spec_asks(spec, MEMORY_CHECK) || !spec->value[MEMORY_CHECK])
		return 0;
	if (update->cgroup.mode == CGROUP_V1) {
		memory = current(update, "memory.usage_in_bytes");
		both = current(update, "memory.memsw.usage_in_bytes");
	} else {
		memory = current(update, "memory.current");
		both = file_exists_at(update->cgroup.dirfd, "memory.memsw.current") ?
			       current(update, "memory.memsw.current") :
			       memory + current(update, "memory.swap.current");
	}
	if (memory_spec_asks(spec, MEMORY_LIMIT) && limit != NUMBER_UNLIMITED && memory > limit)
		return error_set(err, EBUSY,
				 "linux.resources.memory.checkBeforeUpdate: %lld bytes are in use, "
				 "above the limit of %lld",
				 (long long)memory, (long long)limit);
	if (memory_spec_asks(spec, MEMORY_SWAP) && total != NUMBER_UNLIMITED && both > total)
		return error_set(err, EBUSY,
				 "linux.resources.memory.checkBeforeUpdate: %lld bytes of memory and "
				 "swap are in use, above the limit of %lld",
				 (long long)both, (long long)total);
	return 0;
}

static int make_plan(struct update *update, struct error *err)
{
	struct memory_plan *plan = &update->result->plan, old = { 0 };
	struct memory_spec spec, old_spec;
	int ret;

	ret = plan_of(update, update->merged, &spec, plan, err);
	if (ret == 0)
		ret = check_before(update, &spec, err);
	if (ret < 0)
		return ret;
	if (plan_of(update, update->asked, &old_spec, &old, NULL) < 0)
		old.count = 0;
	keep_what_changes(update, &old, plan);
	ret = memory_plan_snapshot(plan, &update->before, update->cgroup.dirfd, err);
	if (ret == 0)
		change_order(plan, &update->before);
	return ret;
}

/* --- crun's part */

static int let_crun(const struct update *update, struct error *err)
{
	const struct crun_globals *globals = update->request->globals;
	auto_free char *text = NULL;
	auto_free char *said = NULL;
	auto_close int fd = -1;
	char file[40];
	const struct update_request *request = update->request;
	const char *argv[12];
	size_t len, i = 0;
	int ret;

	if (config_strip_memory(json_root(request->resources)) == 0 &&
	    !request->l3_cache_schema && !request->mem_bw_schema)
		return 0;
	ret = json_write(request->resources, json_root(request->resources), false, &text, &len,
			 err);
	if (ret < 0)
		return ret;
	/* without MFD_CLOEXEC: crun opens it by its number */
	fd = memfd_create("resources", 0);
	if (fd < 0)
		return error_errno(err, errno, "cannot make a file for crun");
	ret = file_write_all(fd, text, len, err);
	if (ret < 0)
		return ret;
	snprintf(file, sizeof(file), "/proc/self/fd/%d", fd);
	argv[i++] = globals->program;
	if (globals->root) {
		argv[i++] = "--root";
		argv[i++] = globals->root;
	}
	argv[i++] = "update";
	argv[i++] = "--resources";
	argv[i++] = file;
	if (request->l3_cache_schema) {
		argv[i++] = "--l3-cache-schema";
		argv[i++] = request->l3_cache_schema;
	}
	if (request->mem_bw_schema) {
		argv[i++] = "--mem-bw-schema";
		argv[i++] = request->mem_bw_schema;
	}
	argv[i++] = request->id;
	argv[i] = NULL;
	return process_capture((char *const *)argv, JSON_SIZE_MAX, &said, &len, err);
}

/* --- the flow */

static int open_update(struct update *update, struct error *err)
{
	auto_host struct host host = { .cgroup_root = -1, .proc = -1 };
	struct container *container = &update->container;
	int ret;

	ret = container_open_locked(container, update->request->globals->root,
				    update->request->id, LOCK_TIMEOUT_MS, err);
	if (ret < 0)
		return ret;
	if (!status_running(&container->status))
		return error_set(err, ESRCH, "not running");
	if (file_exists_at(container->status.dirfd, JOURNAL_FILE))
		return error_set(err, EBUSY, "a move has not ended: memcrun move --resume or "
				 "--rollback it first");
	ret = host_open(&host, NULL, err);
	if (ret == 0)
		ret = cgroup_open_path(&update->cgroup, &host, container->place.cgroup, err);
	return ret;
}

static int change(struct update *update, struct error *err)
{
	struct update_result *result = update->result;
	const struct memory_plan wide = widest(&result->plan, &update->before);
	int ret;

	ret = tell_systemd(update, &wide, &update->before, err);
	if (ret == 0)
		ret = change_apply(&result->plan, &update->before, update->cgroup.dirfd,
				   &update->request->control, &result->refusal, err);
	if (ret == 0)
		ret = memory_plan_verify(&result->plan, update->cgroup.dirfd, err);
	if (ret == 0)
		ret = tell_systemd(update, &result->plan, &wide, err);
	return ret < 0 ? ret : let_crun(update, err);
}

/* What is asked from now on, so that the next update and `check` know. */
static int record(struct update *update, struct error *err)
{
	auto_free char *text = NULL;
	size_t len;
	int ret;

	config_set_asked(update->config, update->merged);
	ret = json_write(update->config, json_root(update->config), false, &text, &len, err);
	if (ret == 0)
		ret = file_replace_at(update->container.status.dirfd, "config.json", 0600, text,
				      len, err);
	return ret;
}

int container_update(const struct update_request *request, struct update_result *result,
		     struct error *err)
{
	auto_update struct update update = {
		.request = request,
		.result = result,
		.container = CONTAINER_NONE,
		.cgroup = CGROUP_NONE,
	};
	struct error why;
	int ret;

	*result = (struct update_result){ 0 };
	ret = open_update(&update, err);
	if (ret == 0)
		ret = read_config(&update, err);
	if (ret == 0)
		ret = repair(&update, err);
	if (ret == 0)
		ret = make_plan(&update, err);
	if (ret < 0)
		return ret;
	find_in_step(&update);
	ret = journal_write_values(&update, err);
	if (ret < 0)
		return ret;
	ret = change(&update, err);
	if (ret == 0)
		ret = record(&update, err);
	/* what could not be put back is in the journal still */
	if (ret < 0 && put_back(&update, &update.before, &why) < 0)
		return error_prefix(err, ret, "%s", why.text);
	if (journal_end(&update, &why) < 0 && ret == 0)
		ret = error_set(err, EIO, "%s", why.text);
	return ret;
}

/* A crash in between is for the next update to repair. */
static int reclaim_begin(const struct container *container, int dirfd, struct error *err)
{
	auto_json struct json *document = json_new();
	struct memory_plan plan = { .count = 0 };
	auto_free char *text = NULL;
	char value[256];
	const char *file;
	ssize_t read;
	size_t len;
	int ret;

	if (file_exists_at(container->status.dirfd, JOURNAL))
		return error_set(err, EBUSY, "an update was interrupted: memcrun update repairs it");
	while ((file = reclaim_file(container->memory->mode, (int)plan.count))) {
		struct plan_write *write = &plan.writes[plan.count++];

		read = file_read_at(dirfd, file, value, sizeof(value), err);
		if (read < 0)
			return (int)read;
		memory_value_trim(value);
		strcpy(write->file, file);
		snprintf(write->value, sizeof(write->value), "%.*s",
			 (int)sizeof(write->value) - 1, value);
	}
	if (!document)
		return error_errno(err, ENOMEM, JOURNAL);
	values_put(document, &plan);
	ret = json_write(document, json_root(document), true, &text, &len, err);
	return ret < 0 ? ret : file_replace_at(container->status.dirfd, JOURNAL, 0600, text, len,
					       err);
}

int container_reclaim(const struct reclaim_request *request, struct reclaim_result *result,
		      struct error *err)
{
	auto_container struct container container = CONTAINER_NONE;
	auto_close int dirfd = -1;
	bool by_limit;
	int ret;

	*result = (struct reclaim_result){ 0 };
	ret = container_open(&container, request->root, request->id, err);
	if (ret < 0)
		return ret;
	if (!container.memory)
		return error_set(err, ENOENT, "no hierarchy controls memory");
	ret = hierarchy_open(container.memory, container.place.cgroup, &dirfd, err);
	/* without memory.reclaim a limit does it, which an update must find as it was */
	by_limit = ret == 0 && !file_exists_at(dirfd, "memory.reclaim");
	if (ret == 0)
		ret = reclaim_usage(dirfd, container.memory->mode, &result->before, err);
	if (ret == 0 && by_limit) {
		/* others write it, and may be moving the container */
		close(take_fd(&dirfd));
		container_close(&container);
		container = (struct container)CONTAINER_NONE;
		ret = container_open_locked(&container, request->root, request->id,
					    LOCK_TIMEOUT_MS, err);
		if (ret == 0)
			ret = hierarchy_open(container.memory, container.place.cgroup, &dirfd, err);
		if (ret == 0)
			ret = reclaim_begin(&container, dirfd, err);
	}
	if (ret < 0)
		return ret;
	result->target = request->to >= 0 ? request->to : result->before - request->by;
	if (result->target < 0)
		result->target = 0;
	result->after = result->before;
	ret = reclaim_to(dirfd, container.memory->mode, result->target, request->swappiness,
			 &request->control, &result->after, err);
	if (by_limit && ret != -EIO)
		unlinkat(container.status.dirfd, JOURNAL, 0);
	return ret;
}
