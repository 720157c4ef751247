// SPDX-License-Identifier: GPL-2.0-or-later
#include "container/update.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/file.h"
#include "base/number.h"
#include "container/update-state.h"
#include "memory/apply.h"
#include "oci/config.h"
#include "systemd/scope.h"

static void update_close(struct update *update)
{
	cgroup_close(&update->cgroup);
	container_close(&update->container);
	json_free(update->config);
	free(update->asked);
	free(update->merged);
}

#define auto_update __attribute__((cleanup(update_close)))

/* --- the plan */

static int read_config(struct update *update, struct error *err)
{
	int ret = update_read_record(update->container.status.dirfd, &update->config,
				     &update->asked, err);

	return ret < 0 ? ret : config_merge(update->asked, json_root(update->request->resources),
					    &update->merged, err);
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

static bool has_note(const struct memory_plan *plan, const char *text)
{
	for (size_t i = 0; i < plan->note_count; i++) {
		if (strcmp(plan->notes[i].text, text) == 0)
			return true;
	}
	return false;
}

/*
 * Engines send all settings with each update. What the plan of before had to say as well was
 * said then; where there is no such plan, only about what is given now.
 */
static void keep_new_notes(const struct memory_spec *given, const struct memory_plan *old,
			   struct memory_plan *plan)
{
	size_t count = 0;

	for (size_t i = 0; i < plan->note_count; i++) {
		if (old ? !has_note(old, plan->notes[i].text) :
			  is_given(given, plan->notes[i].field))
			plan->notes[count++] = plan->notes[i];
	}
	plan->note_count = count;
}

/* What differs from the plan of before, or was asked for now. */
static void keep_what_changes(struct update *update, const struct memory_spec *given,
			      const struct memory_plan *old, struct memory_plan *plan)
{
	struct json_value *root = json_root(update->request->resources);
	const struct memory_plan all = *plan;

	plan->count = 0;
	for (size_t i = 0; i < all.count; i++) {
		const struct plan_write *write = &all.writes[i];
		const struct plan_write *was = memory_plan_find(old, write->file);

		if (write->row && write->row->flags & (FILE_ACTION | FILE_SHOWN))
			continue;
		if (!was || !memory_value_same(was->value, write->value) ||
		    json_member(json_member(root, "unified"), write->file) ||
		    is_given(given, write->field))
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
	struct memory_spec spec, old_spec, given;
	bool has_old;
	int ret;

	ret = plan_of(update, update->merged, &spec, plan, err);
	if (ret == 0)
		ret = check_before(update, &spec, err);
	if (ret < 0)
		return ret;
	has_old = plan_of(update, update->asked, &old_spec, &old, NULL) == 0;
	if (!has_old)
		old.count = 0;
	given = given_now(update);
	keep_new_notes(&given, has_old ? &old : NULL, plan);
	keep_what_changes(update, &given, &old, plan);
	ret = memory_plan_snapshot(plan, &update->before, update->cgroup.dirfd, err);
	if (ret == 0)
		change_order(plan, &update->before);
	return ret;
}

/* --- the flow */

/* Where systemd cannot be asked nothing can be told; and what somebody has set is his. */
static void find_in_step(struct update *update)
{
	const struct status *status = &update->container.status;

	update->in_step = update->before;
	if (!status->systemd || !status->scope[0] ||
	    scope_in_step(scope_is_users(), status->scope, &update->in_step, NULL) < 0)
		update->in_step.count = 0;
}

static int open_update(struct update *update, struct error *err)
{
	auto_host struct host host = { .cgroup_root = -1, .proc = -1 };
	struct container *container = &update->container;
	int ret;

	ret = container_open_locked(container, update->request->globals->root,
				    update->request->id, UPDATE_LOCK_TIMEOUT_MS, err);
	if (ret < 0)
		return ret;
	if (!status_running(&container->status))
		return error_set(err, ESRCH, "not running");
	if (file_exists_at(container->status.dirfd, JOURNAL_FILE))
		return error_set(err, EBUSY, UPDATE_UNENDED_MOVE);
	ret = host_open(&host, NULL, err);
	if (ret == 0)
		ret = cgroup_open_path(&update->cgroup, &host, container->place.cgroup, err);
	return ret;
}

/* What is asked from now on, so that the next update and `check` know: staged, not in force. */
static int stage_record(struct update *update, struct error *err)
{
	auto_free char *text = NULL;
	size_t len;
	int ret;

	config_set_asked(update->config, update->merged);
	ret = json_write(update->config, json_root(update->config), false, &text, &len, err);
	if (ret == 0)
		ret = file_stage_at(update->container.status.dirfd, "config.json", 0600, text, len,
				    err);
	return ret;
}

/*
 * Memory's part can be put back, crun's cannot. So crun is asked last, when all that may
 * lack room has been written; behind it there is one rename(2).
 */
static int change(struct update *update, struct error *err)
{
	struct update_result *result = update->result;
	const struct memory_plan wide = update_widest(&result->plan, &update->before);
	int ret, crun;

	ret = stage_record(update, err);
	if (ret == 0)
		ret = update_tell_systemd(update, &wide, &update->before, err);
	if (ret == 0)
		ret = change_apply(&result->plan, &update->before, update->cgroup.dirfd,
				   &update->request->control, &result->refusal, err);
	if (ret == 0)
		ret = memory_plan_verify(&result->plan, update->cgroup.dirfd, err);
	if (ret == 0)
		ret = update_tell_systemd(update, &result->plan, &wide, err);
	crun = ret == 0 ? update_let_crun(update, err) : ret;
	if (crun < 0) {
		file_discard_at(update->container.status.dirfd, "config.json");
		return crun;
	}
	ret = file_commit_at(update->container.status.dirfd, "config.json", err);
	if (ret < 0 && crun)
		error_prefix(err, ret, "memory is as it was, but crun has changed all else");
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
		.guard = GUARD_NONE,
	};
	struct error why;
	int ret;

	*result = (struct update_result){ 0 };
	ret = open_update(&update, err);
	if (ret == 0)
		ret = read_config(&update, err);
	if (ret == 0)
		ret = update_repair(&update, err);
	if (ret == 0)
		ret = make_plan(&update, err);
	if (ret < 0)
		return ret;
	find_in_step(&update);
	ret = update_write_journal(&update, err);
	if (ret < 0)
		return ret;
	ret = guard_start(&update.guard, update_rescue, &update, err);
	if (ret == 0)
		ret = change(&update, err);
	/* what could not be put back is in the journal still */
	if (ret < 0 && update_put_back(&update, &update.before, &why) < 0)
		ret = error_prefix(err, ret, "%s", why.text);
	else if (update_end_journal(&update, &why) < 0 && ret == 0)
		ret = error_set(err, EIO, "%s", why.text);
	guard_end(&update.guard);
	return ret;
}
