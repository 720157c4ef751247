/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <stddef.h>

#include "kernel/cgroup.h"
#include "memory/spec.h"

/*
 * files - the table: which kernel file a field lands in, on every kernel.
 *
 * Rows for one field are in order of preference; the first that the kernel has
 * wins. There is no row for "a patched kernel": a patched kernel is one that
 * has more of these files. What is written into a file is plan.c's matter.
 */

enum memory_file_flag {
	/* Only with kernel-patch/. */
	FILE_PATCH = 1 << 0,
	/* Some kernels take a value and ignore it, or refuse every value. */
	FILE_DOUBTED = 1 << 1,
	/* Never written by a plan at create; here to be shown. */
	FILE_SHOWN = 1 << 2,
	/* What is written is an action, by our hook: never read back, nor in `unified`. */
	FILE_ACTION = 1 << 3,
};

/* What crun 1.8 and later write into the same file from `memory`, if anything. */
enum memory_crun {
	CRUN_NOTHING,
	CRUN_NUMBER,		/* the field's number as it is */
	CRUN_TOTAL,		/* swap minus limit */
	CRUN_BOOL,
};

struct memory_file {
	enum memory_field field;
	enum cgroup_mode mode;
	const char *name;
	unsigned int flags;
	enum memory_crun crun;
	const char *gives;	/* for a person, at most 48 columns */
};

/* Row numbers are bits of struct memory_features. */
#define MEMORY_FILES_MAX 64

extern const struct memory_file memory_files[];
extern const size_t memory_files_count;

/* The row of `name` in `mode`, or NULL. */
const struct memory_file *memory_file_named(enum cgroup_mode mode, const char *name);
