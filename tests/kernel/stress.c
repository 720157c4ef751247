/*
 * stress - charges move between cgroups while everything happens that changes
 * what is charged; afterwards every counter must be what it is of nothing.
 *
 * The process that is started makes a tree of cgroups, forks workers into it and
 * migrators beside it, forks anew who is killed, and ends them when time is up.
 * Each worker knows what it wrote and looks for it; running out of memory is no
 * failure, finding other data is. Results are TAP.
 */
#include "stress.h"

#include <errno.h>
#include <getopt.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/swap.h>
#include <sys/sysinfo.h>
#include <sys/wait.h>
#include <unistd.h>

static const struct kind {
	const char *name;
	void (*round)(struct worker *w);
	/* where: NULL is anywhere, and elsewhere now and then */
	const char *group;
	bool outside;
} kinds[] = {
	{ "anon", work_anon, NULL, false },
	{ "anon2", work_anon, NULL, false },
	{ "thp", work_thp, NULL, false },
	{ "thp2", work_thp, NULL, false },
	{ "mlock", work_mlock, BASE "/a", false },
	{ "swap", work_swap, BASE "/tiny", false },
	{ "swap2", work_swap, BASE "/small", false },
	{ "shmem", work_shmem, NULL, false },
	{ "disk", work_disk, NULL, false },
	{ "disk2", work_disk, BASE "/tree/y", false },
	{ "tmpfs", work_tmpfs, NULL, false },
	{ "pipes", work_pipes, NULL, false },
	{ "tcp", work_tcp, NULL, false },
	{ "names", work_names, NULL, false },
	{ "exec", work_exec, NULL, false },
	{ "reclaim", work_reclaim, NULL, true },
	{ "churn", work_churn, NULL, true },
	{ "churn2", work_churn, NULL, true },
	{ "migrate", work_migrate, NULL, true },
	{ "migrate2", work_migrate, NULL, true },
	{ "migrate3", work_migrate, NULL, true },
};

#define NR_KINDS ARRAY_SIZE(kinds)

static pid_t start(struct worker base, size_t kind, unsigned int seed)
{
	const struct kind *k = &kinds[kind];
	struct worker w = base;
	pid_t pid = fork();

	if (pid != 0)
		return pid;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	write_text("/proc/self", "oom_score_adj", "500");
	w.name = k->name;
	w.id = (int)kind;
	w.random = seed;
	for (unsigned int i = 0; !atomic_load(&w.shared->stop); i++) {
		if (!k->outside && (i == 0 || (!k->group && pick(&w, 16) == 0)))
			enter(k->group ? k->group : random_group(&w, true));
		k->round(&w);
		atomic_fetch_add(&w.shared->rounds, 1);
	}
	_exit(0);
}

struct counts {
	long killed;
	long shot;
};

/* Until time is up: whoever is killed is replaced, and migrators are killed. */
static void run(struct worker base, long seconds, unsigned int seed, struct counts *counts)
{
	long end = now_ms() + seconds * 1000, shoot = now_ms() + 1000;
	pid_t pids[NR_KINDS] = { 0 }, pid;
	int status;

	while (now_ms() < end) {
		for (size_t i = 0; i < NR_KINDS; i++) {
			if (pids[i] > 0 || (kinds[i].round == work_migrate && !base.migrating))
				continue;
			pids[i] = start(base, i, seed++);
		}
		sleep_ms(50);
		while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
			for (size_t i = 0; i < NR_KINDS; i++) {
				if (pids[i] != pid)
					continue;
				pids[i] = 0;
				if (WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL)
					counts->killed++;
				else
					fail(base.shared, "%s: ended with status %#x",
					     kinds[i].name, (unsigned int)status);
			}
		}
		if (base.migrating && now_ms() > shoot) {
			size_t i = NR_KINDS - 1 - (size_t)rand_r(&base.random) % 2;

			if (pids[i] > 0) {
				kill(pids[i], SIGKILL);
				counts->shot++;
			}
			shoot = now_ms() + 1000;
		}
	}

	/* All of them end by themselves, unless something is stuck */
	atomic_store(&base.shared->stop, true);
	end = now_ms() + 60000;
	for (size_t i = 0; i < NR_KINDS; i++) {
		while (pids[i] > 0 && waitpid(pids[i], &status, WNOHANG) == 0) {
			if (now_ms() > end) {
				fail(base.shared, "%s: does not end", kinds[i].name);
				kill(pids[i], SIGKILL);
				waitpid(pids[i], &status, 0);
				break;
			}
			sleep_ms(20);
		}
	}
	write_text(BASE, "cgroup.kill", "1");
}

static void result(int *nr, bool ok, const char *name)
{
	printf("%s %d - %s\n", ok ? "ok" : "not ok", ++*nr, name);
	fflush(stdout);
}

/* Prints what was migrated, from the counters that every cgroup has. */
static void print_moved(struct shared *shared)
{
	static const char *const keys[] = {
		"anon", "file", "shmem", "swap", "kernel", "folios", "thp", "passes", "busy",
		"handovers",
	};

	printf("# migrations: %ld done", atomic_load(&shared->outcome[0]));
	for (size_t i = 1; i < NR_OUTCOMES; i++)
		printf(", %ld %s", atomic_load(&shared->outcome[i]), strerrorname_np(outcomes[i]));
	printf("\n# moved:");
	for (size_t k = 0; k < ARRAY_SIZE(keys); k++) {
		long sum = 0;

		for (size_t i = 0; i < nr_groups; i++) {
			long value = read_key(groups[i].path, "memory.migrate.stat", keys[k]);

			sum += value > 0 ? value : 0;
		}
		printf(" %s %ld", keys[k], sum);
	}
	printf("\n# rounds of work: %ld; cgroups that came and went: %ld\n",
	       atomic_load(&shared->rounds), atomic_load(&shared->churned));
}

static int make_groups(void)
{
	char text[32];

	for (size_t i = 0; i < nr_groups; i++) {
		if (mkdir(groups[i].path, 0755) < 0) {
			printf("# %s: %s\n", groups[i].path, strerror(errno));
			return -1;
		}
		if (!groups[i].tasks &&
		    write_text(groups[i].path, "cgroup.subtree_control", "+memory") < 0)
			return -1;
		if (groups[i].max) {
			snprintf(text, sizeof(text), "%zu", groups[i].max);
			if (write_text(groups[i].path, "memory.max", text) < 0)
				return -1;
		}
		/* an error without swap, which is as good */
		if (!groups[i].swap)
			write_text(groups[i].path, "memory.swap.max", "0");
	}
	return 0;
}

/*
 * A processor keeps the cgroup that was charged there last, be there charges of
 * it or not, until another one is.
 */
static void charge_everywhere(void)
{
	int fds[2];

	for (int cpu = 0; cpu < get_nprocs_conf(); cpu++) {
		cpu_set_t set;
		char *map;

		CPU_ZERO(&set);
		CPU_SET(cpu, &set);
		if (sched_setaffinity(0, sizeof(set), &set) < 0)
			continue;
		map = map_memory(MIB, MAP_PRIVATE | MAP_ANONYMOUS, -1);
		if (map) {
			memset(map, 1, MIB);
			munmap(map, MIB);
		}
		if (pipe(fds) == 0) {
			close(fds[0]);
			close(fds[1]);
		}
	}
}

/*
 * Entries that are freed stay charged as long as a processor keeps them for the
 * next one to need some; this returns them.
 */
static bool end_swap(void)
{
	char text[4096], *line, *lines, *blank;
	bool ended = true;

	if (read_text("/proc", "swaps", text, sizeof(text)) < 0)
		return true;
	strtok_r(text, "\n", &lines);
	while ((line = strtok_r(NULL, "\n", &lines))) {
		blank = strchrnul(line, ' ');
		*blank = '\0';
		ended = swapoff(line) == 0 && ended;
	}
	return ended;
}

/* No group but the first is left, and none lingers; false after a minute. */
static bool remove_groups(void)
{
	long deadline = now_ms() + 60000, dying;
	bool removed = true;

	for (int id = 0; id < (int)NR_KINDS; id++) {
		char path[200];

		snprintf(path, sizeof(path), BASE "/churn.%d", id);
		rmdir(path);
	}
	for (size_t i = nr_groups - 1; i > 0; i--) {
		while (rmdir(groups[i].path) < 0 && now_ms() < deadline)
			sleep_ms(50);
		removed = removed && access(groups[i].path, F_OK) < 0;
	}
	while ((dying = read_key(BASE, "cgroup.stat", "nr_dying_descendants")) > 0 &&
	       now_ms() < deadline) {
		write_text("/proc/sys/vm", "drop_caches", "3");
		charge_everywhere();
		sleep_ms(500);
	}
	if (dying > 0) {
		char text[4096], *line, *lines;

		read_text(BASE, "cgroup.stat", text, sizeof(text));
		for (line = strtok_r(text, "\n", &lines); line; line = strtok_r(NULL, "\n", &lines))
			if (strstr(line, "dying") && strcmp(strchrnul(line, ' '), " 0"))
				printf("# %s\n", line);
	}
	return removed && dying == 0;
}

static void usage(FILE *out)
{
	fputs("Usage: stress --seconds N --disk DIRECTORY --tmpfs DIRECTORY [--seed N] [--still]\n"
	      "\n"
	      "  --still  migrate nothing: what the checks say of a kernel's own errors\n"
	      "\n"
	      "tests/kernel/stress makes the directories and calls this.\n", out);
}

int main(int argc, char **argv)
{
	static const struct option options[] = {
		{ "seconds", required_argument, NULL, 's' },
		{ "disk", required_argument, NULL, 'd' },
		{ "tmpfs", required_argument, NULL, 't' },
		{ "seed", required_argument, NULL, 'r' },
		{ "still", no_argument, NULL, 'q' },
		{ "nothing", no_argument, NULL, 'n' },
		{ "help", no_argument, NULL, 'h' },
		{ NULL, 0, NULL, 0 },
	};
	struct worker base = { .migrating = true };
	struct counts counts = { 0 };
	bool ok;
	long seconds = 0, deadline;
	unsigned int seed = 1;
	long before[NR_TOTALS];
	int option, nr = 0;

	while ((option = getopt_long(argc, argv, "", options, NULL)) >= 0) {
		switch (option) {
		case 's':
			seconds = atol(optarg);
			break;
		case 'd':
			base.disk = optarg;
			break;
		case 't':
			base.tmpfs = optarg;
			break;
		case 'r':
			seed = (unsigned int)atol(optarg);
			break;
		case 'q':
			base.migrating = false;
			break;
		case 'n':
			return 0;
		case 'h':
			usage(stdout);
			return 0;
		default:
			usage(stderr);
			return 2;
		}
	}
	if (seconds <= 0 || !base.disk || !base.tmpfs || optind < argc) {
		usage(stderr);
		return 2;
	}

	setvbuf(stdout, NULL, _IOLBF, 0);
	base.random = seed;
	base.shared = mmap(NULL, sizeof(*base.shared), PROT_READ | PROT_WRITE,
			   MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (base.shared == MAP_FAILED || make_groups() < 0) {
		printf("not ok 1 - the cgroups are made\n1..1\n");
		return 1;
	}
	memset(base.shared, 0, sizeof(*base.shared));
	write_text("/proc/self", "oom_score_adj", "-1000");
	if (base.migrating && access(BASE "/memory.migrate", F_OK) < 0) {
		remove_groups();
		rmdir(BASE);
		printf("1..0 # SKIP memory.migrate isn't available\n");
		return 0;
	}
	base.types_alone = read_key(BASE, "memory.migrate.stat", "handovers") < 0;
	/* the periodic flush of statistics comes every two seconds */
	sleep_ms(5000);
	read_totals(before);

	run(base, seconds, seed, &counts);

	printf("# seed %u, %ld s; killed for want of memory or by us: %ld, by us: %ld\n", seed,
	       seconds, counts.killed, counts.shot);
	print_moved(base.shared);
	for (int i = 0; i < 8 && i < atomic_load(&base.shared->failures); i++)
		printf("# %s\n", base.shared->failure[i]);
	result(&nr, atomic_load(&base.shared->failures) == 0,
	       "workers found their data, migrations only errors they may have");

	/* Without a task and a file there is nothing that could be charged */
	deadline = now_ms() + 10000;
	while (read_key(BASE, "cgroup.events", "populated") > 0 && now_ms() < deadline)
		sleep_ms(50);
	ok = umount(base.tmpfs) == 0;
	ok = umount(base.disk) == 0 && ok;
	result(&nr, ok, "the file systems can be unmounted");
	result(&nr, end_swap(), "swap can be given up");
	result(&nr, groups_empty(false), "every level of every cgroup is 0");
	if (negatives(false) < 0)
		printf("ok %d - no statistic is negative # SKIP the kernel does not tell\n", ++nr);
	else
		result(&nr, holds(negatives, 10000), "no statistic is negative");
	result(&nr, remove_groups(), "cgroups that are removed are gone");
	result(&nr, groups_empty(true), "every level of their parent is 0");

	result(&nr, totals_unchanged(before, 20000), "the root counts what the machine counts");
	result(&nr, rmdir(BASE) == 0, "the parent can be removed");
	printf("1..%d\n", nr);
	return 0;
}
