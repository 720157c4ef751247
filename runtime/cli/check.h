/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>

#include "cli/table.h"
#include "cli/verbs.h"
#include "kernel/cgroup.h"
#include "kernel/host.h"
#include "memory/features.h"

/*
 * check - internal state of the verb check, shared by the files verb-check.c and check-*.c.
 */

struct check {
	const struct verb_context *context;
	const char *bundle;
	const char *config;
	const char *container;
	const char *cgroup_root;
	bool json;
	struct host host;
	struct error err;
};

/* What this kernel can do. */
int check_show_kernel(struct check *check);

/*
 * The plan for `spec`; where `cgroup` is not NULL beside what is in force there, with the
 * limits of cgroups above it.
 */
int check_show_plan(struct check *check, const struct memory_spec *spec,
		    const struct memory_features *features, const struct cgroup *cgroup);

static inline int check_print_table(struct check *check, const struct table *table)
{
	if (table_print(table, stdout) < 0)
		return error_errno(&check->err, ENOMEM, "check: cannot print");
	return 0;
}
