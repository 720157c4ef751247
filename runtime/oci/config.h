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
	bool scope;		/* systemd will make the cgroup: to be set before compiling */
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

/*
 * What the container whose config.json is `root` asks for now, as text that
 * config_read_asked() takes: ANNOTATION_ASKED's, or where we did not compile it what its
 * own settings say. Fresh memory.
 */
int config_asked(struct json_value *root, char **asked, struct error *err);

/*
 * The same with what `resources` has of memory instead of, or beside, what was asked. A
 * size of 0 and null are "as it was"; a limit that goes takes a swap with it that is not
 * given. Fresh memory.
 */
int config_merge(const char *asked, struct json_value *resources, char **merged,
		 struct error *err);

/* Take all that is about memory out of `resources`. Returns how much else is there. */
int config_strip_memory(struct json_value *resources);

/* Keep `asked` in the config.json whose document this is. */
void config_set_asked(struct json *document, const char *asked);
