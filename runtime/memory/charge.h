/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "kernel/hierarchy.h"

/*
 * charge - what a cgroup is charged for, by type, and moving that to another cgroup.
 */

enum charge_type {
	CHARGE_TYPE_ANON,
	CHARGE_TYPE_FILE,
	CHARGE_TYPE_SHMEM,
	CHARGE_TYPE_SWAP,
	CHARGE_TYPE_KERNEL,
	CHARGE_TYPES,
};

/* A set of them, and the value of MEMORY_MOVE_CHARGE. */
enum charge_set {
	CHARGE_ANON = 1 << CHARGE_TYPE_ANON,
	CHARGE_FILE = 1 << CHARGE_TYPE_FILE,
	CHARGE_SHMEM = 1 << CHARGE_TYPE_SHMEM,
	CHARGE_SWAP = 1 << CHARGE_TYPE_SWAP,
	CHARGE_KERNEL = 1 << CHARGE_TYPE_KERNEL,
	CHARGE_ALL = (1 << CHARGE_TYPES) - 1,
};

/* Bytes. v1 knows no charge of its own for each: there `total` is the one to trust. */
struct charge_usage {
	int64_t by_type[CHARGE_TYPES];
	int64_t total;		/* memory and swap */
};

/* "anon", "file", "shmem", "swap", "kernel", as memory.migrate calls them. */
const char *charge_type_name(enum charge_type type);

/* A set as such words, with blanks between them. Returns `text`. */
const char *charge_types_text(char *text, size_t size, unsigned int types);

/* "all", "none" or types with commas between them, to a set. -EINVAL. */
int charge_types_read(unsigned int *types, const char *text, struct error *err);

/* The same of the kernel's words, which have blanks between them. */
int charge_words_read(unsigned int *types, const char *words, struct error *err);

/*
 * Of the cgroup at `dirfd` and all below it. Files that are not there count as 0. The total is
 * exact; types come from memory.stat, which lags, and are cut so that they fit into the total.
 */
int charge_usage_read(struct charge_usage *usage, int dirfd, enum cgroup_mode mode,
		      struct error *err);

/* The total alone, bytes; 0 where nothing can be read. Much cheaper: no statistics. */
int64_t charge_total(int dirfd, enum cgroup_mode mode);

/* 1 where the cgroup can take over others' charges (memory.migrate), else 0. */
int charge_can_migrate(int dirfd);

/*
 * Let the cgroup at `to` take over the charges of `types` from the one at `from` itself,
 * not from its children. Goes on where the kernel says to try again, while that moves
 * something. -EBUSY: no room; -EINTR: a signal; -EOPNOTSUPP: this kernel cannot;
 * -ENOENT: `from` was removed. What was moved by then stays moved.
 */
int charge_migrate(int from, int to, unsigned int types, struct error *err);

/* The same with what process `pid` maps and other cgroups pay for. */
int charge_migrate_pid(pid_t pid, int to, unsigned int types, struct error *err);

/*
 * Another process that writes to memory.migrate, for a caller that must not access the
 * memory of the container's process itself. `write` asks for one write(2) of `types`.
 */
struct charge_writer {
	int (*write)(void *data, unsigned int types, struct error *err);
	void *data;
};

/* charge_migrate_pid() of the process that `writer` stands for. */
int charge_migrate_writer(const struct charge_writer *writer, int to, unsigned int types,
			  struct error *err);

/* What memory.migrate has brought to the cgroup at `dirfd` since it was created. */
int charge_migrated(struct charge_usage *moved, int dirfd, struct error *err);

/*
 * Give what the cgroup at `path`, and all below it, are still charged for to the cgroup
 * above it, so that nothing keeps them when they are removed. 0 also where the kernel
 * cannot, or what is above is the root, which takes none.
 */
int charge_hand_up(const struct hierarchy *hierarchy, const char *path, struct error *err);
