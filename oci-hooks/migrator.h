/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <sys/types.h>

#include "base/error.h"
#include "memory/charge.h"

/*
 * migrator - a process that writes "pid:N" to memory.migrate of the container's cgroup.
 *
 * The kernel lets a process migrate the charges of process N only if it may read N's memory.
 * Landlock denies a hook that access for every process outside of the hook's own domain. So
 * the hook forks the migrator before confine(), and sends it types of charges.
 *
 * The migrator keeps two open files: memory.migrate and a socket to the hook. It has the
 * reader's seccomp filter. The pid is fixed when the migrator is forked, before config.json
 * is parsed: a hook that is taken over cannot name another process.
 */
struct migrator {
	struct charge_writer writer;
	int fd;				/* -1: there is no migrator */
	pid_t pid;
};

#define MIGRATOR_NONE { .fd = -1 }

/*
 * Fork the migrator for process `target` and the cgroup at `dirfd`. 0 without a migrator
 * where memory.migrate cannot be opened. `migrator` must stay at its address.
 */
int migrator_start(struct migrator *migrator, int dirfd, pid_t target, struct error *err);

/* For charge_migrate_writer(); NULL: there is no migrator. */
const struct charge_writer *migrator_writer(const struct migrator *migrator);

/* End the migrator and wait for its end. Safe where there is none. */
void migrator_close(struct migrator *migrator);
