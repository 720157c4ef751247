// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "cli/verbs.h"
#include "kernel/cgroup.h"
#include "memory/apply.h"
#include "memory/charge.h"
#include "oci/state.h"

/*
 * apply-hook FILE=VALUE... - the createRuntime hook that a compiled config
 * carries where neither `memory` nor `unified` can say a setting. Not for
 * people: the container's state comes on standard input, as for every hook.
 */

/* The one that is no value: the types to take over from the container's first process. */
#define ACTION "memory.migrate="

static int read_writes(struct memory_plan *plan, unsigned int *types, char **arguments,
		       struct error *err)
{
	int ret;

	for (; *arguments; arguments++) {
		struct plan_write *write = &plan->writes[plan->count];
		const char *value = strchr(*arguments, '=');
		size_t len = value ? (size_t)(value - *arguments) : 0;

		if (strncmp(*arguments, ACTION, strlen(ACTION)) == 0) {
			ret = charge_words_read(types, *arguments + strlen(ACTION), err);
			if (ret < 0)
				return error_prefix(err, ret, "apply-hook");
			continue;
		}
		if (plan->count == MEMORY_PLAN_MAX || len == 0 || len >= sizeof(write->file) ||
		    strlen(value + 1) >= sizeof(write->value) ||
		    strncmp(*arguments, "memory.", strlen("memory.")) != 0 ||
		    memchr(*arguments, '/', len))
			return error_set(err, EINVAL, "apply-hook: not FILE=VALUE, \"%s\"",
					 *arguments);
		memcpy(write->file, *arguments, len);
		write->file[len] = '\0';
		strcpy(write->value, value + 1);
		plan->count++;
	}
	return 0;
}

int verb_apply_hook(const struct verb_context *context, int argc, char **argv)
{
	auto_host struct host host = { .cgroup_root = -1, .proc = -1 };
	auto_cgroup struct cgroup cgroup = CGROUP_NONE;
	struct memory_plan plan = { 0 };
	auto_state struct state state = { 0 };
	unsigned int types = 0;
	struct error err;
	int ret;

	(void)argc;
	ret = read_writes(&plan, &types, argv + 1, &err);
	if (ret == 0)
		ret = state_read(&state, STDIN_FILENO, &err);
	if (ret == 0 && !state.pid)
		ret = error_set(&err, EINVAL, "state: pid: missing");
	if (ret == 0)
		ret = host_open(&host, NULL, &err);
	if (ret == 0)
		ret = cgroup_open_process(&cgroup, &host, state.pid, &err);
	if (ret == 0) {
		ret = memory_plan_apply(&plan, cgroup.dirfd, &err);
		if (ret == 0)
			ret = memory_plan_verify(&plan, cgroup.dirfd, &err);
		if (ret == 0)
			ret = charge_migrate_pid(state.pid, cgroup.dirfd, types, &err);
		if (ret < 0)
			error_prefix(&err, ret, "%s", cgroup.path);
	}
	if (ret < 0) {
		log_line(&context->log, LOG_LEVEL_ERROR, err.text);
		return EXIT_FAILED;
	}
	return EXIT_DONE;
}
