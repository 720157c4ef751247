/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "memory/charge.h"

/*
 * spec - what was asked of a container's memory, whoever asked.
 *
 * Presence bits and an int64 a field, plus the choices that only annotations
 * can make and the explicit keys of `unified`. No pointers: a spec is copied
 * by assignment. Sizes are bytes; NUMBER_UNLIMITED (-1) is "no limit".
 */

enum memory_field {
	MEMORY_LIMIT,
	MEMORY_SWAP,		/* memory and swap together, as OCI means it */
	MEMORY_RESERVATION,
	MEMORY_KERNEL,
	MEMORY_KERNEL_TCP,
	MEMORY_SWAPPINESS,
	MEMORY_OOM_WAIT,	/* disableOOMKiller, or oom=wait */
	MEMORY_HIERARCHY,
	MEMORY_CHECK,		/* checkBeforeUpdate */
	MEMORY_OOM_GROUP,	/* oom=group */
	MEMORY_RESERVE,
	MEMORY_MOVE_CHARGE,
	MEMORY_TMPFS,
	MEMORY_THRESHOLDS,
	MEMORY_FIELDS,
};

/* What `reservation` becomes on cgroup v2. */
enum memory_reservation {
	RESERVATION_LOW,
	RESERVATION_HIGH,
	RESERVATION_NONE,
};

#define MEMORY_EXPLICIT_MAX 32
#define MEMORY_FILE_NAME_MAX 48
#define MEMORY_VALUE_MAX 96
#define MEMORY_TEXT_MAX 48

/* One "memory.*" key of `unified`, as it was written there. */
struct memory_explicit {
	char file[MEMORY_FILE_NAME_MAX];
	char value[MEMORY_VALUE_MAX];
};

struct memory_spec {
	uint32_t asked;				/* bit per enum memory_field */
	int64_t value[MEMORY_FIELDS];
	enum memory_reservation reservation_as;
	bool strict;
	bool accept_kill;			/* oom=kill */
	bool threshold_percent;			/* one of the thresholds is in % */
	/* As it was asked, where the value alone does not say it; else "". */
	char text[MEMORY_FIELDS][MEMORY_TEXT_MAX];
	size_t explicit_count;
	struct memory_explicit explicits[MEMORY_EXPLICIT_MAX];
};

#define ANNOTATION_PREFIX "org.memcrun."

/* The annotation that a compiled config carries; never one to be asked for. */
#define ANNOTATION_ASKED ANNOTATION_PREFIX "asked"

/* "linux.resources.memory.limit" or "annotations.org.memcrun.reserve", for messages. */
const char *memory_field_path(enum memory_field field);

/* "limit", "reserve": short, for tables. */
const char *memory_field_name(enum memory_field field);

static inline bool memory_spec_asks(const struct memory_spec *spec, enum memory_field field)
{
	return spec->asked & (1U << field);
}

/*
 * The value that was asked for `field` as its user wrote it, cut where it is
 * long: "64M" of an annotation, "true", "67108864".
 */
const char *memory_spec_text(const struct memory_spec *spec, enum memory_field field,
			     char text[MEMORY_TEXT_MAX]);

/* Is anything at all asked that concerns memory? */
bool memory_spec_any(const struct memory_spec *spec);

/*
 * Take in one field as OCI writes it. 0 of a size is "not set"; true and false
 * are 1 and 0. -ERANGE: below -1, or not what the field may hold.
 */
int memory_spec_set(struct memory_spec *spec, enum memory_field field, int64_t value,
		    struct error *err);

/*
 * Take in the annotation `name`, which begins with ANNOTATION_PREFIX. -EINVAL:
 * unknown, or its value is not one it may have.
 */
int memory_spec_annotate(struct memory_spec *spec, const char *name, const char *value,
			 struct error *err);

/* Take in one memory.* key of `unified`. -EINVAL, -ERANGE: a size that the kernel cannot read. */
int memory_spec_explicit(struct memory_spec *spec, const char *file, const char *value,
			 struct error *err);

/*
 * What the parts say together: oom=group beside disableOOMKiller, percentages
 * without a limit. To be called once when all has been taken in.
 */
int memory_spec_finish(struct memory_spec *spec, struct error *err);
