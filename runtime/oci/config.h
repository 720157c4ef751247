/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"
#include "base/json.h"
#include "memory/plan.h"
#include "memory/spec.h"

/*
 * config - a bundle's config.json: read into a spec, compiled for crun.
 */
struct config {
	char *text;		/* as it was read */
	size_t len;
	bool rereadable;	/* a regular file: crun can read it again */
	bool concerned;		/* has memory settings, be it ones that ask for nothing */
	struct json *document;
	struct memory_spec spec;
};

void config_free(struct config *config);

#define auto_config __attribute__((cleanup(config_free)))

/*
 * Read the file at `path`, strictly, and what it asks of memory. Errors begin
 * with `path` and name the JSON path or the offset.
 */
int config_read(struct config *config, const char *path, struct error *err);

/* The same from `len` bytes at `text`; errors have no prefix. */
int config_parse(struct config *config, const char *text, size_t len, struct error *err);

/*
 * Compile `plan` into the document, in place: what crun writes itself stays in
 * `memory`, what it takes as a file name becomes a `unified` key, and what
 * neither can say a createRuntime hook. `hook` is the hook's command, an absolute
 * path and arguments up to a NULL, to which FILE=VALUE are added. What was asked
 * is kept in the annotation ANNOTATION_ASKED.
 */
int config_compile(struct config *config, const struct memory_plan *plan,
		   const char *const hook[], struct error *err);

/* The spec that ANNOTATION_ASKED's text stands for. */
int config_read_asked(struct memory_spec *spec, const char *asked, struct error *err);
