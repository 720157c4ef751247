/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <stdint.h>

#include "base/error.h"

/*
 * confine - a hook runs as root on data of others: a state on its standard input, a
 * config.json. What it could do beyond its work it gives up before it parses either.
 *
 * The order is confine_capabilities(), confine_reader() in the process that parses the state,
 * confine_migrator() in the process that writes to memory.migrate, confine_files_allow() for
 * what the state names, and confine() before config.json is parsed.
 */

/* What may be done with the files below a directory, or with one file. */
enum confine_access {
	CONFINE_READ = 1 << 0,
	CONFINE_WRITE = 1 << 1,		/* files that are there */
	CONFINE_REPLACE = 1 << 2,	/* make and remove files */
	CONFINE_PROBE = 1 << 3,		/* make and remove directories */
};

/*
 * Keep of all capabilities those that writing into a cgroup can need, in effect, and never
 * gain any again.
 */
int confine_capabilities(struct error *err);

/* Give up all but reading and writing open files: no capability, no other system call. */
int confine_reader(struct error *err);

/* The same, but the capabilities stay: writing "pid:N" to memory.migrate needs them. */
int confine_migrator(struct error *err);

/* Rules for files, none yet. -1: the kernel has no Landlock, and confine() does without. */
int confine_files(void);

/*
 * Another rule. An fd of -1 and rules of -1 are passed over, and so is an fd that Landlock
 * does not restrict: a pipe.
 */
int confine_files_allow(int rules, int fd, unsigned int access, struct error *err);

/*
 * Files other than the rules say are closed from now on, and of the system calls the few are
 * left that reading and writing files, and a line to a log, take: no other program, process,
 * mount, capability, or socket of another machine. For the life of this process.
 */
int confine(int rules, struct error *err);
