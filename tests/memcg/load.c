// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * load - many tasks that take memory, move, and make and remove cgroups, all at
 * the same time.
 *
 *	load SECONDS SIZE CGROUP DIRECTORY WORKER...
 *
 * works for SECONDS, or longer until each kind of worker has done enough, on the
 * children c0 to c7 of CGROUP, of which there may be none yet; c0 is
 * never removed. DIRECTORY is on a tmpfs. Each WORKER is a process of its own,
 * outside of CGROUP except for "sit":
 *
 *	touch	forks tasks into any child, which take up to SIZE in all ways, and end
 *	dirs	makes and removes c1 to c7
 *	limit	changes limits of all children, between 256K and 4M
 *	sit	is a task in CGROUP which takes up to a quarter of SIZE, over and over
 *	move	moves those that sit to other children
 *
 * Running out of memory is no failure, nor is a cgroup that has just gone. Finding
 * other data is, or any error that was not to be expected: then the exit status is
 * 1. At the end one line says how often what happened, as "NAME=NUMBER".
 */
#define _GNU_SOURCE
#include "util.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#ifndef MADV_PAGEOUT
#define MADV_PAGEOUT 21
#endif

enum { MAX_WORKERS = 32, MAX_SITTERS = 16, CHILDREN = 8 };

/* What all workers of a kind have done at the end, at least. */
enum { ENOUGH_TASKS = 8 * CHILDREN, ENOUGH_ROUNDS = 20 };

/* How a task ended that was forked to take memory. */
enum { DONE, MISSED = 10, NO_MEMORY, BAD };

static struct shared {
	atomic_bool stop;
	atomic_long tasks;	/* that were started, */
	atomic_long missed;	/* had their cgroup removed before they were in it, */
	atomic_long nomem;	/* got an error instead of memory, */
	atomic_long killed;	/* or were killed */
	atomic_long made;	/* cgroups */
	atomic_long removed;
	atomic_long busy;	/* not removed, since they had tasks */
	atomic_long moved;	/* tasks that sit */
	atomic_long gone;	/* or were not moved, as the cgroup or the task had gone */
	atomic_long limits;	/* that were set */
	atomic_long touched;	/* rounds of work_touch that began */
	atomic_long bad;
	atomic_int sitter[MAX_SITTERS];
	char why[256];
} *shared;

static const char *parent, *directory, *limit_file;
static size_t max_size;
static unsigned int seed;

static size_t pick(size_t below)
{
	return (size_t)rand_r(&seed) % below;
}

static void bad(const char *format, ...)
{
	va_list args;

	if (atomic_fetch_add(&shared->bad, 1) > 0)
		return;
	va_start(args, format);
	vsnprintf(shared->why, sizeof(shared->why), format, args);
	va_end(args);
}

static const char *child(size_t nr)
{
	static char path[512];

	snprintf(path, sizeof(path), "%s/c%zu", parent, nr);
	return path;
}

/* A cgroup that is being removed has no files, or says that it has gone. */
static bool has_gone(int error)
{
	return error == -ENOENT || error == -ENODEV;
}

static pid_t fork_task(void)
{
	unsigned int next = (unsigned int)rand_r(&seed);
	pid_t pid = fork();

	if (pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		seed = next;
	}
	return pid;
}

/* One task more has ended: how. */
static void count(int status)
{
	if (WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL)
		atomic_fetch_add(&shared->killed, 1);
	else if (WIFEXITED(status) && WEXITSTATUS(status) == MISSED)
		atomic_fetch_add(&shared->missed, 1);
	else if (WIFEXITED(status) && WEXITSTATUS(status) == NO_MEMORY)
		atomic_fetch_add(&shared->nomem, 1);
	else if (status != 0)
		bad("a task ended with status %#x", (unsigned int)status);
}

static void wait_for(pid_t pid)
{
	int status;

	while (waitpid(pid, &status, 0) < 0) {
		if (errno != EINTR) {
			bad("waitpid: %s", strerror(errno));
			return;
		}
	}
	count(status);
}

static int check(const char *at, size_t size, const char *what)
{
	long page = first_bad(at, size);

	if (page < 0)
		return DONE;
	bad("%s: page %ld has something else in it", what, page);
	return BAD;
}

static int take(size_t size, int flags, const char *what)
{
	char *at = map_memory(size, flags, -1);

	if (!at)
		return NO_MEMORY;
	fill(at, size);
	return check(at, size, what);
}

static int take_anon(size_t size)
{
	return take(size, MAP_PRIVATE | MAP_ANONYMOUS, "anon");
}

static int take_shmem(size_t size)
{
	return take(size, MAP_SHARED | MAP_ANONYMOUS, "shmem");
}

/* Two tasks write to the same pages, copied or not. */
static int take_forked(size_t size)
{
	int flags = (pick(2) ? MAP_PRIVATE : MAP_SHARED) | MAP_ANONYMOUS;
	char *at = map_memory(size, flags, -1);
	pid_t pid;

	if (!at)
		return NO_MEMORY;
	fill(at, size / 2);
	pid = fork_task();
	if (pid < 0)
		return NO_MEMORY;
	fill(at, size);
	if (pid == 0)
		_exit(check(at, size, "forked"));
	atomic_fetch_add(&shared->tasks, 1);
	wait_for(pid);
	return check(at, size, "forked");
}

static int take_and_swap(size_t size)
{
	char *at = map_memory(size, MAP_PRIVATE | MAP_ANONYMOUS, -1);

	if (!at)
		return NO_MEMORY;
	fill(at, size);
	madvise(at, size, MADV_PAGEOUT);
	return check(at, size, "swapped");
}

static int take_file(size_t size)
{
	int fd = open(directory, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
	char *at;

	if (fd < 0 || ftruncate(fd, (off_t)size))
		return errno == ENOMEM || errno == ENOSPC ? NO_MEMORY : BAD;
	at = map_memory(size, MAP_SHARED, fd);
	if (!at)
		return NO_MEMORY;
	for (size_t i = 0; i < size; i += PAGE)
		if (pick(2) && pwrite(fd, "x", 1, (off_t)(i + PAGE / 2)) < 0)
			return errno == ENOMEM || errno == ENOSPC ? NO_MEMORY : BAD;
	fill(at, size);
	return check(at, size, "file");
}

static int (*const takes[])(size_t size) = {
	take_anon, take_shmem, take_forked, take_and_swap, take_file,
};

static void work_touch(size_t unused)
{
	/* many small ones and a few large ones, which take long when they do not fit */
	size_t size = (1 + pick((max_size / PAGE) >> pick(6))) * PAGE;
	/* no child is left out, however slow the machine is */
	size_t nr = (size_t)atomic_fetch_add(&shared->touched, 1);
	pid_t pid = fork_task();
	int ret;

	(void)unused;
	nr = nr < ENOUGH_TASKS ? nr % CHILDREN : pick(CHILDREN);
	if (pid < 0) {
		bad("fork: %s", strerror(errno));
		return;
	}
	if (pid == 0) {
		ret = write_text(child(nr), "cgroup.procs", "0");
		if (has_gone(ret))
			_exit(MISSED);
		if (ret == -ENOMEM)
			_exit(NO_MEMORY);
		if (ret) {
			bad("cgroup.procs: %s", strerror(-ret));
			_exit(BAD);
		}
		_exit(takes[pick(ARRAY_SIZE(takes))](size));
	}
	atomic_fetch_add(&shared->tasks, 1);
	wait_for(pid);
}

static void work_dirs(size_t unused)
{
	const char *path = child(1 + pick(CHILDREN - 1));

	(void)unused;
	if (mkdir(path, 0755) == 0)
		atomic_fetch_add(&shared->made, 1);
	else if (errno != EEXIST)
		bad("mkdir: %s", strerror(errno));
	else if (rmdir(path) == 0)
		atomic_fetch_add(&shared->removed, 1);
	else if (errno == EBUSY)
		atomic_fetch_add(&shared->busy, 1);
	else if (errno != ENOENT)
		bad("rmdir: %s", strerror(errno));
}

static void work_limit(size_t unused)
{
	char text[32];
	int ret;

	(void)unused;
	snprintf(text, sizeof(text), "%zuK", 256 + 64 * pick(61));
	ret = write_text(child(pick(CHILDREN)), limit_file, text);
	if (ret == 0)
		atomic_fetch_add(&shared->limits, 1);
	/* v1 refuses a limit when it cannot make room for it */
	else if (ret != -EBUSY && !has_gone(ret))
		bad("%s: %s", limit_file, strerror(-ret));
}

static void work_sit(size_t nr)
{
	size_t size = (1 + pick(max_size / 4 / PAGE)) * PAGE;
	char *at;
	int ret;

	if (atomic_load(&shared->sitter[nr]) == 0) {
		ret = write_text(child(pick(CHILDREN)), "cgroup.procs", "0");
		if (has_gone(ret))
			return;
		if (ret)
			bad("cgroup.procs: %s", strerror(-ret));
		atomic_store(&shared->sitter[nr], getpid());
	}
	at = map_memory(size, (pick(2) ? MAP_PRIVATE : MAP_SHARED) | MAP_ANONYMOUS, -1);
	if (!at) {
		bad("mmap: %s", strerror(errno));
		return;
	}
	fill(at, size);
	usleep((useconds_t)pick(20000));
	check(at, size, "sitting");
	munmap(at, size);
}

static void work_move(size_t unused)
{
	int pid = atomic_load(&shared->sitter[pick(MAX_SITTERS)]);
	char text[32];
	int ret;

	(void)unused;
	if (pid == 0)
		return;
	snprintf(text, sizeof(text), "%d", pid);
	ret = write_text(child(pick(CHILDREN)), "cgroup.procs", text);
	if (ret == 0)
		atomic_fetch_add(&shared->moved, 1);
	else if (has_gone(ret) || ret == -ESRCH)
		atomic_fetch_add(&shared->gone, 1);
	else
		bad("moving a task: %s", strerror(-ret));
}

static const struct worker {
	const char *name;
	void (*round)(size_t nr);
	useconds_t pause;	/* up to this between rounds, not to starve the others */
} workers[] = {
	{ "touch", work_touch, 0 },
	{ "dirs", work_dirs, 5000 },
	{ "limit", work_limit, 5000 },
	{ "sit", work_sit, 0 },
	{ "move", work_move, 5000 },
};

static const struct worker *find_worker(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(workers); i++)
		if (strcmp(name, workers[i].name) == 0)
			return &workers[i];
	return NULL;
}

static pid_t start(const struct worker *worker, size_t nr)
{
	pid_t pid;

	fflush(stdout);
	pid = fork_task();
	if (pid != 0)
		return pid;
	while (!atomic_load(&shared->stop)) {
		worker->round(nr);
		if (worker->pause)
			usleep((useconds_t)pick(worker->pause));
	}
	_exit(0);
}

/* On a loaded machine seconds are no measure: each worker has to have done its work. */
static bool enough(const struct worker *chosen[], size_t nr)
{
	for (size_t i = 0; i < nr; i++) {
		long done = ENOUGH_TASKS, least = ENOUGH_ROUNDS;

		if (chosen[i]->round == work_touch) {
			done = atomic_load(&shared->tasks);
			least = ENOUGH_TASKS;
		} else if (chosen[i]->round == work_dirs) {
			done = atomic_load(&shared->made);
		} else if (chosen[i]->round == work_limit) {
			done = atomic_load(&shared->limits);
		} else if (chosen[i]->round == work_move) {
			done = atomic_load(&shared->moved) + atomic_load(&shared->gone);
		}
		if (done < least)
			return false;
	}
	return true;
}

/*
 * Ends after so many seconds, when there has been enough work; without enough, after ten
 * times as many. A task that sits may be killed by the kernel, and another takes its place.
 */
static void run(const struct worker *chosen[], size_t nr, long seconds)
{
	time_t end = time(NULL) + seconds;
	pid_t pids[MAX_WORKERS] = { 0 }, pid;
	size_t running = 0;
	int status;

	for (;;) {
		time_t now = time(NULL);
		bool over = now >= end && (now >= end + 9 * seconds || enough(chosen, nr));

		if (over)
			atomic_store(&shared->stop, true);
		for (size_t i = 0; i < nr && !over; i++) {
			if (pids[i])
				continue;
			if (i < MAX_SITTERS)
				atomic_store(&shared->sitter[i], 0);
			pids[i] = start(chosen[i], i);
			running++;
		}
		usleep(20000);
		while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
			count(status);
			for (size_t i = 0; i < nr; i++)
				if (pids[i] == pid)
					pids[i] = 0;
			running--;
		}
		if (over && !running)
			return;
	}
}

int main(int argc, char **argv)
{
	const struct worker *chosen[MAX_WORKERS];
	size_t nr = 0;
	char path[512];

	if (argc < 6 || argc - 5 > MAX_WORKERS || !parse_size(argv[2], &max_size) ||
	    max_size < 64 * PAGE) {
		fprintf(stderr, "Usage: load SECONDS SIZE CGROUP DIRECTORY WORKER...\n");
		return 2;
	}
	parent = argv[3];
	directory = argv[4];
	/* who sits comes first, for its number to be one that is moved */
	for (int sitting = 1; sitting >= 0; sitting--) {
		for (int i = 5; i < argc; i++) {
			const struct worker *worker = find_worker(argv[i]);

			if (!worker) {
				fprintf(stderr, "load: no worker \"%s\"\n", argv[i]);
				return 2;
			}
			if ((worker->round == work_sit) == sitting)
				chosen[nr++] = worker;
		}
	}
	snprintf(path, sizeof(path), "%s/memory.max", parent);
	limit_file = access(path, F_OK) == 0 ? "memory.max" : "memory.limit_in_bytes";
	seed = (unsigned int)getpid();
	shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS,
		      -1, 0);
	if (shared == MAP_FAILED) {
		perror("load: mmap");
		return 1;
	}

	run(chosen, nr, strtol(argv[1], NULL, 10));
	printf("tasks=%ld missed=%ld nomem=%ld killed=%ld ", shared->tasks, shared->missed,
	       shared->nomem, shared->killed);
	printf("made=%ld removed=%ld busy=%ld ", shared->made, shared->removed, shared->busy);
	printf("moved=%ld gone=%ld limits=%ld\n", shared->moved, shared->gone, shared->limits);
	if (shared->bad)
		fprintf(stderr, "load: %ld times: %s\n", (long)shared->bad, shared->why);
	return shared->bad ? 1 : 0;
}
