/*
 * stress - what its parts share: the cgroups, a worker's state, small things.
 */
#pragma once

#define _GNU_SOURCE
#include <errno.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "memory.h"

#define MIB ((size_t)1 << 20)

#define CGROUPS "/sys/fs/cgroup"
#define BASE CGROUPS "/memcg_stress"

/* Some have limits, some are deeper; max 0 is none. The first is above all. */
struct group {
	const char *path;
	size_t max;
	bool swap;
	bool tasks;
};

extern const struct group groups[];
extern const size_t nr_groups;

/* What a migration may come to: 0 and errnos. All others are failures. */
static const int outcomes[] = { 0, EBUSY, EAGAIN, EINTR, ENOENT, ENODEV };

#define NR_OUTCOMES ARRAY_SIZE(outcomes)

/* What all processes count together */
struct shared {
	atomic_bool stop;
	atomic_long outcome[NR_OUTCOMES];
	atomic_long rounds;
	atomic_long churned;
	atomic_int failures;
	char failure[8][160];
};

struct worker {
	struct shared *shared;
	/* directories on a disk and on tmpfs */
	const char *disk, *tmpfs;
	const char *name;
	int id;
	unsigned int random;
	bool migrating;
	/* memory of one type can migrate alone: not on 7.2 */
	bool types_alone;
};

/* --- stress-util.c */

long now_ms(void);
void sleep_ms(long ms);
/* A number from 0, below `below` */
size_t pick(struct worker *w, size_t below);
void fail(struct shared *shared, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
/* Returns the length or a negative errno; what was read ends with a 0. */
ssize_t read_text(const char *directory, const char *name, char *text, size_t size);
/* The number after "key " at the start of a line; -1 when there is none. */
long read_key(const char *directory, const char *name, const char *key);
int enter(const char *cgroup);
const char *random_group(struct worker *w, bool tasks);
/* A child that ends with its parent, for a moment's work. */
pid_t fork_short(void);
/* Whether it ended well; killed for want of memory is not ill. */
bool reap(pid_t pid);
/* Known contents: of each page the first word is this. */
uint64_t mark(const struct worker *w, size_t page);
void fill(const struct worker *w, char *map, size_t from, size_t to);
void check(const struct worker *w, const char *map, size_t from, size_t to, bool zero);
/* Copy on write, in a child that writes and looks itself. */
void fork_and_write(struct worker *w, char *map, size_t size);
/* Pages between nodes, where there is more than one. */
void change_node(struct worker *w);

/* --- stress-work.c */

void work_anon(struct worker *w);
void work_thp(struct worker *w);
void work_mlock(struct worker *w);
void work_swap(struct worker *w);
void work_shmem(struct worker *w);
void work_disk(struct worker *w);
void work_tmpfs(struct worker *w);
void work_pipes(struct worker *w);
void work_tcp(struct worker *w);
void work_names(struct worker *w);
void work_exec(struct worker *w);
void work_reclaim(struct worker *w);

/* --- stress-migrate.c */

void work_migrate(struct worker *w);
void work_churn(struct worker *w);

/* --- stress-check.c: each says what is wrong, on stdout, once time is up */

/* Nothing is charged to any of the groups, or to the first of them */
bool groups_empty(bool base_only);
/* -1 when the kernel does not tell */
int negatives(bool tell);
/* Whether `wrong` comes to 0 within the time */
bool holds(int (*wrong)(bool tell), long ms);
/*
 * What the root's statistics say and what the machine's say: each page that is
 * counted is counted in both, so that the difference does not change.
 */
#define NR_TOTALS 10
void read_totals(long *difference);
bool totals_unchanged(const long *before, long ms);
