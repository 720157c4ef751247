/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "base/error.h"
#include "memory/features.h"
#include "memory/files.h"
#include "memory/spec.h"
#include "memory/value.h"

/*
 * plan - spec and features made into writes, without touching anything.
 *
 * A plan is what will be written where, in order, with what there is to say
 * about it. The undo of a plan is a plan. Fixed size, copied by assignment.
 */

#define MEMORY_PLAN_MAX (MEMORY_EXPLICIT_MAX + 16)
#define MEMORY_NOTES_MAX 24

struct plan_write {
	enum memory_field field;		/* MEMORY_FIELDS: of no field */
	const struct memory_file *row;		/* NULL: an explicit key of no row */
	bool is_explicit;			/* came from `unified` */
	char file[MEMORY_FILE_NAME_MAX];
	char value[MEMORY_VALUE_MAX];
};

/* Something asked that is not, or not quite, what will be in force. */
struct plan_note {
	enum memory_field field;		/* MEMORY_FIELDS: of no field */
	char text[256];				/* "linux.resources.memory.swap: ..." */
};

struct memory_plan {
	enum cgroup_mode mode;
	size_t count;
	size_t note_count;
	struct plan_write writes[MEMORY_PLAN_MAX];
	struct plan_note notes[MEMORY_NOTES_MAX];
};

/*
 * Compile `spec` to what the kernel can do. Nothing asked is dropped in
 * silence: what cannot be honoured is a note, or where the spec is strict
 * -EOPNOTSUPP. -EINVAL: the spec contradicts itself.
 */
int memory_plan_make(struct memory_plan *plan, const struct memory_spec *spec,
		     const struct memory_features *features, struct error *err);

/* The write of `file`, or NULL. */
const struct plan_write *memory_plan_find(const struct memory_plan *plan, const char *file);
