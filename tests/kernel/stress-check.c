/* stress-check - what must hold when nothing is charged any more. */
#include "stress.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sysinfo.h>
#include <unistd.h>

static long slack(void)
{
	return 64 * (long)PAGE * get_nprocs();
}

/* Which levels of memory.stat are kernel memory, charged ahead and freed late. */
static bool is_kernel(const char *name)
{
	static const char *const names[] = {
		"kernel", "percpu", "sock", "vmalloc", "slab", "slab_reclaimable",
		"slab_unreclaimable", "zswap", "zswapped",
	};

	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		if (!strcmp(name, names[i]))
			return true;
	return false;
}

/* There is no swap any more, nor what charges it ahead. */
static const struct {
	const char *name;
	bool ahead;
} counters[] = {
	{ "memory.current", true },
	{ "memory.swap.current", false },
	{ "memory.memsw.current", true },
};

/* Counts what is left in a cgroup; `tell` says what. */
static int leftovers(const char *cgroup, bool tell)
{
	static char text[1 << 16];
	char *line, *lines, *space;
	int nr = 0;
	long value;

	/* reading this flushes all statistics */
	read_text(cgroup, "cpu.stat", text, sizeof(text));
	if (read_text(cgroup, "memory.stat", text, sizeof(text)) < 0)
		return -1;
	for (line = strtok_r(text, "\n", &lines); line; line = strtok_r(NULL, "\n", &lines)) {
		if (!strncmp(line, "workingset_", strlen("workingset_")))
			break;
		space = strchr(line, ' ');
		if (!space)
			continue;
		*space = '\0';
		value = atol(space + 1);
		if (value <= (is_kernel(line) ? slack() : 0))
			continue;
		nr++;
		if (tell)
			printf("# %s: %s %ld\n", cgroup, line, value);
	}
	for (size_t i = 0; i < ARRAY_SIZE(counters); i++) {
		/* the last is not there on all kernels */
		if (read_text(cgroup, counters[i].name, text, sizeof(text)) < 0 ||
		    atol(text) <= (counters[i].ahead ? slack() : 0))
			continue;
		nr++;
		if (tell)
			printf("# %s: %s %ld\n", cgroup, counters[i].name, atol(text));
	}
	return nr;
}

/* The file shows also what memory.stat clamps to 0; -1 without it. */
int negatives(bool tell)
{
	static char text[1 << 20];
	char *line, *lines, path[256], item[64];
	int nr = 0;
	long value;

	if (read_text("/sys/kernel/debug/memcg_migrate", "signed", text, sizeof(text)) < 0)
		return -1;
	for (line = strtok_r(text, "\n", &lines); line; line = strtok_r(NULL, "\n", &lines)) {
		if (sscanf(line, "%255s %63s %ld", path, item, &value) != 3 || value >= 0)
			continue;
		if (strncmp(path, &BASE[strlen(CGROUPS)], strlen(BASE) - strlen(CGROUPS)))
			continue;
		/* a batch of it may be on another processor */
		if (is_kernel(item) && value >= -slack())
			continue;
		nr++;
		if (tell)
			printf("# %s\n", line);
	}
	return nr;
}

static const struct total {
	const char *stat, *vmstat;
} totals[] = {
	{ "anon", "nr_anon_pages" },
	{ "file", "nr_file_pages" },
	{ "shmem", "nr_shmem" },
	{ "file_mapped", "nr_mapped" },
	{ "file_dirty", "nr_dirty" },
	{ "inactive_anon", "nr_inactive_anon" },
	{ "active_anon", "nr_active_anon" },
	{ "inactive_file", "nr_inactive_file" },
	{ "active_file", "nr_active_file" },
	{ "unevictable", "nr_unevictable" },
};

_Static_assert(ARRAY_SIZE(totals) == NR_TOTALS, "one of each");

void read_totals(long *difference)
{
	write_text("/proc/sys/vm", "stat_refresh", "1");
	for (size_t i = 0; i < NR_TOTALS; i++)
		difference[i] = read_key(CGROUPS, "memory.stat", totals[i].stat) / (long)PAGE -
				read_key("/proc", "vmstat", totals[i].vmstat);
}

static int changed_totals(const long *before, bool tell)
{
	long after[NR_TOTALS];
	int nr = 0;

	read_totals(after);
	for (size_t i = 0; i < NR_TOTALS; i++) {
		/* two readings, not at one time, of counters with batches */
		if (labs(after[i] - before[i]) <= 4 * slack() / (long)PAGE)
			continue;
		nr++;
		if (tell)
			printf("# root: %s was off by %ld pages, is by %ld\n", totals[i].stat,
			       before[i], after[i]);
	}
	return nr;
}

/* Whether one of the groups has anything; looked at until none has, or time is up. */
bool groups_empty(bool base_only)
{
	long deadline = now_ms() + 30000;
	size_t nr = base_only ? 1 : nr_groups;

	for (;;) {
		int left = 0;
		bool last = now_ms() > deadline;

		for (size_t i = 0; i < nr; i++)
			left += leftovers(groups[i].path, last);
		if (!left || last)
			return !left;
		sync();
		write_text("/proc/sys/vm", "drop_caches", "3");
		for (size_t i = 0; i < nr; i++)
			write_text(groups[i].path, "memory.reclaim", "64M");
		sleep_ms(500);
	}
}

bool holds(int (*wrong)(bool tell), long ms)
{
	long deadline = now_ms() + ms;

	while (wrong(false) > 0) {
		if (now_ms() > deadline)
			return wrong(true) <= 0;
		sleep_ms(500);
	}
	return true;
}

bool totals_unchanged(const long *before, long ms)
{
	long deadline = now_ms() + ms;

	/* the root's are brought up to date every two seconds */
	while (changed_totals(before, false)) {
		if (now_ms() > deadline)
			return !changed_totals(before, true);
		sleep_ms(500);
	}
	return true;
}
