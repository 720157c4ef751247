/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "kernel/cgroup.h"
#include "memory/files.h"

/*
 * features - which rows of the table this kernel has, found by looking.
 *
 * Never by version: distributions carry files back and patch files out.
 */
struct memory_features {
	enum cgroup_mode mode;
	enum cgroup_layout layout;
	/* A cgroup was found whose files could be looked at. Else the rows that
	 * need no patch are taken to be there, and crun will say if not.
	 */
	bool seen;
	bool always_hierarchical;	/* v1's use_hierarchy cannot be false */
	uint64_t present;		/* bit per row of memory_files[] */
	uint64_t ignored;		/* of FILE_DOUBTED rows: no value has an effect */
	uint32_t explicit_missing;	/* bit per spec->explicits[] */
};

bool memory_features_have(const struct memory_features *features,
			  const struct memory_file *file);

/* The file is there but whatever is written has no effect. */
bool memory_features_ignore(const struct memory_features *features,
			    const struct memory_file *file);

/* The first row for `field` that is there, or NULL. */
const struct memory_file *memory_features_find(const struct memory_features *features,
					       enum memory_field field);

/*
 * Look at the machine: its mode, the rows of the table, and the explicit keys
 * of `spec` (may be NULL). Nothing is written.
 */
int memory_features_probe(struct memory_features *features, const struct host *host,
			  const struct memory_spec *spec, struct error *err);

/* The same, from the files of one cgroup. */
void memory_features_look(struct memory_features *features, const struct cgroup *cgroup,
			  const struct memory_spec *spec);

/*
 * Find out which of the doubted rows for `fields` (bit per enum memory_field)
 * have an effect: a cgroup of our own is made below our own, each file written
 * and read back, and the cgroup removed. Where none can be made the rows keep
 * the benefit of the doubt, for then no container can be limited either.
 */
void memory_features_try(struct memory_features *features, const struct host *host,
			 uint32_t fields);
