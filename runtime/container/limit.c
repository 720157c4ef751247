// SPDX-License-Identifier: GPL-2.0-or-later
#include "container/limit.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/control.h"
#include "base/file.h"
#include "memory/apply.h"
#include "memory/change.h"
#include "memory/charge.h"
#include "memory/features.h"

/* What is in the cgroup is a runtime about to become the container: little to reclaim. */
#define PATIENCE_USEC 5000000

/*
 * What crun and runc make of a field by themselves, on cgroup v2, and what its file holds
 * where nobody has written it.
 */
static const struct reading {
	enum memory_field field;
	const char *file;
	const char *untouched;
} readings[] = {
	{ MEMORY_SWAP, "memory.swap.max", "max" },
	{ MEMORY_RESERVATION, "memory.low", "0" },
};

static int take_back_readings(struct memory_plan *plan, const struct memory_spec *spec, int dirfd,
			      struct error *err)
{
	for (size_t i = 0; i < sizeof(readings) / sizeof(readings[0]); i++) {
		const struct reading *reading = &readings[i];

		if (plan->mode == CGROUP_V1 || !memory_spec_asks(spec, reading->field) ||
		    memory_plan_find(plan, reading->file) || !file_exists_at(dirfd, reading->file))
			continue;
		if (plan->count == MEMORY_PLAN_MAX)
			return error_set(err, E2BIG, "too many settings");
		plan->writes[plan->count] = (struct plan_write){ .field = MEMORY_FIELDS };
		strcpy(plan->writes[plan->count].file, reading->file);
		strcpy(plan->writes[plan->count++].value, reading->untouched);
	}
	return 0;
}

/* The types of charges to take over from the process; the write itself is no setting. */
static int take_actions(struct memory_plan *plan, unsigned int *types, struct error *err)
{
	size_t count = 0;
	int ret = 0;

	*types = 0;
	for (size_t i = 0; i < plan->count; i++) {
		const struct plan_write *write = &plan->writes[i];

		if (write->row && write->row->flags & FILE_ACTION)
			ret = charge_words_read(types, write->value, err);
		else
			plan->writes[count++] = *write;
		if (ret < 0)
			return ret;
	}
	plan->count = count;
	return 0;
}

static int put_in_force(struct memory_plan *plan, unsigned int types, pid_t pid,
			const struct charge_writer *writer, int dirfd, struct error *err)
{
	const struct control patience = { .until = control_now_usec() + PATIENCE_USEC };
	struct change_refusal refusal;
	struct memory_plan before;
	int ret;

	ret = memory_plan_snapshot(plan, &before, dirfd, err);
	if (ret < 0)
		return ret;
	change_order(plan, &before);
	ret = change_apply(plan, &before, dirfd, &patience, &refusal, err);
	if (ret < 0)
		return ret;
	ret = memory_plan_verify(plan, dirfd, err);
	if (ret == 0)
		ret = writer ? charge_migrate_writer(writer, dirfd, types, err) :
			       charge_migrate_pid(pid, dirfd, types, err);
	if (ret < 0)
		change_undo(&before, dirfd, NULL);
	return ret;
}

/* Without cgroups it is where the runtime is, and who called that: not ours to limit. */
static int is_callers_own(const struct cgroup *cgroup, const struct host *host,
			  const struct memory_spec *spec, struct memory_plan *plan,
			  struct error *err)
{
	static const char words[] = "the container has no cgroup of its own: nothing is set";
	auto_cgroup struct cgroup own = CGROUP_NONE;

	if (host->foreign || cgroup_open_process(&own, host, 0, NULL) < 0 || strcmp(own.path, cgroup->path) != 0)
		return 0;
	if (spec->strict)
		return error_set(err, EOPNOTSUPP, "%s", words);
	*plan = (struct memory_plan){ .mode = cgroup->mode, .note_count = 1 };
	plan->notes[0].field = MEMORY_FIELDS;
	strcpy(plan->notes[0].text, words);
	return 1;
}

int limit_container(const struct memory_spec *spec, const struct host *host, pid_t pid,
		    const struct charge_writer *writer, struct memory_plan *plan,
		    struct cgroup *cgroup, struct error *err)
{
	struct memory_features features;
	unsigned int types;
	int ret;

	ret = cgroup_open_process(cgroup, host, pid, err);
	if (ret == 0)
		ret = is_callers_own(cgroup, host, spec, plan, err);
	if (ret != 0)
		return ret < 0 ? ret : 0;
	memory_features_look(&features, cgroup, spec);
	memory_features_try(&features, host, spec->asked);
	ret = memory_plan_make(plan, spec, &features, err);
	if (ret < 0)
		return ret;
	ret = take_actions(plan, &types, err);
	if (ret == 0)
		ret = take_back_readings(plan, spec, cgroup->dirfd, err);
	if (ret == 0)
		ret = put_in_force(plan, types, pid, writer, cgroup->dirfd, err);
	return ret < 0 ? error_prefix(err, ret, "%s", cgroup->path) : 0;
}
