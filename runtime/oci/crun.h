/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/caller.h"
#include "base/error.h"

/*
 * crun - its command line, read as crun reads it, and handing over to it.
 *
 * Options are parsed by getopt_long() with crun's own tables, so that
 * abbreviations, "--option=value" and bundled letters mean here what they mean
 * there. What the tables do not know is for crun to judge.
 */

/* The global options, of memcrun and of crun, that stand before the verb. */
struct crun_globals {
	const char *program;	/* --crun PATH, or the configured default */
	const char *root;	/* NULL: crun's default */
	const char *log;
	const char *log_format;
	bool debug;
	bool systemd;		/* it makes the cgroup, as a scope */
	bool help;
	bool version;
	bool usage;
	bool unknown;		/* an option that is in no table */
	int verb;		/* index in argv; argc where there is none */
};

/* The options of `create` and `run`. */
struct crun_create {
	const char *bundle;	/* NULL: the working directory */
	const char *config;	/* NULL: config.json in the bundle */
	long preserve_fds;
	bool help;
	bool unknown;
	int options_end;	/* index in argv behind the last option */
	int id;			/* index in argv; argc where there is none */
};

/*
 * Read the options before the verb. `--crun PATH` is taken out of argv, which
 * is shortened in place (argc too). -EINVAL: --crun without a path.
 */
int crun_globals_read(struct crun_globals *globals, int *argc, char **argv, struct error *err);

/* The options of `delete`. */
struct crun_delete {
	bool force;
	const char *id;		/* NULL: not exactly one container by its name */
};

/* Read what stands behind the verb `delete` at argv[verb]. */
void crun_delete_read(struct crun_delete *delete, int argc, char **argv, int verb);

/* Read what stands behind the verb `create` or `run` at argv[verb]. */
void crun_create_read(struct crun_create *create, int argc, char **argv, int verb);

/* The container of a verb that crun alone does. */
struct crun_container {
	const char *id;		/* NULL: none, a pattern for names, or it cannot be told */
	bool is_new;
	bool uses_cgroup;	/* crun looks for processes or the freezer in its cgroup */
};

/* Read what stands behind the verb at argv[at], which may be one that crun does not have. */
void crun_container_read(struct crun_container *container, int argc, char **argv, int at);

/*
 * The file crun would read: --config as it is, but "config.json" and nothing
 * given mean the one in the bundle. Fresh memory, NULL when there is none left.
 */
char *crun_config_path(const struct crun_create *create);

/* A file in memory that is closed on execve(2): its fd, or -1 and errno. */
int crun_memory_file(const char *name);

/*
 * Put `len` bytes of `text` into a file in memory that crun can open, at an fd
 * above all that --preserve-fds and LISTEN_FDS hand to the container. Returns
 * the fd, which stays open across execve(2).
 */
int crun_config_fd(const struct crun_create *create, const char *text, size_t len,
		   struct error *err);

/*
 * Become crun with the arguments in argv[1..], and where `config_fd` is not
 * negative with --config put behind the options of the verb. crun inherits what
 * `caller` gave. Returns only to say why it could not.
 */
int crun_exec(const struct crun_globals *globals, const struct caller *caller, int argc,
	      char **argv, const struct crun_create *create, int config_fd, struct error *err);
