// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * memory-user - tasks that use memory up to a limit, and who looks at them, for
 * tests/bench/memsw and tests/bench/soft-limit.
 *
 *	memory-user cycle MEBIBYTES
 *		fills most of them, goes through that again and again, has children
 *		that change part of what they share, which is the rest of them, and
 *		gives all back; three times
 *	memory-user grow
 *		takes a MiB after the other and says how many, until it is killed
 *	memory-user hold MEBIBYTES
 *		fills them, says "ready" and stays
 *	memory-user work MEBIBYTES
 *		fills them, says "ready" and touches pages here and there; says
 *		"SECONDS TOUCHED" every fifth of a second
 *	memory-user poll FILE...
 *		reads the sum of the numbers in FILEs as often as it can; says the
 *		highest and how often it has read when its input ends
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum {
	PAGE = 4096,
	MIB = 1 << 20,
	CYCLES = 3,
	ROUNDS = 3,
	CHILDREN = 4,
	FILES_MAX = 4,
	REPORT_NSEC = 200000000,
};

static void die(const char *what)
{
	fprintf(stderr, "memory-user: %s: %s\n", what, strerror(errno));
	exit(1);
}

static int64_t now_nsec(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * INT64_C(1000000000) + now.tv_nsec;
}

static char *map(size_t bytes)
{
	char *memory = mmap(NULL, bytes, PROT_READ | PROT_WRITE,
			    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (memory == MAP_FAILED)
		die("mmap");
	return memory;
}

/* No two pages are alike, and none compresses to nothing. */
static void fill_from(char *memory, size_t from, size_t to)
{
	for (size_t at = from; at < to; at += PAGE) {
		uint64_t *page = (uint64_t *)(memory + at);

		page[0] = at;
		for (size_t i = 1; i < PAGE / sizeof(*page) / 4; i++)
			page[i] = page[i - 1] * UINT64_C(6364136223846793005) + 1442695040888963407;
	}
}

static void fill(char *memory, size_t bytes)
{
	fill_from(memory, 0, bytes);
}

static void check(const char *memory, size_t bytes)
{
	for (size_t at = 0; at < bytes; at += PAGE) {
		if (*(const uint64_t *)(memory + at) != at) {
			errno = EIO;
			die("a page is not what it was");
		}
	}
}

static void cycle(size_t bytes)
{
	/* what a child changes is there twice: room for that */
	size_t changed = bytes / 2 / CHILDREN / PAGE * PAGE;
	size_t own = bytes - changed;

	for (int i = 0; i < CYCLES; i++) {
		char *memory = map(own);

		fill(memory, own);
		for (int round = 0; round < ROUNDS; round++)
			check(memory, own);
		/* one at a time: together they do little but wait for swap */
		for (int child = 0; child < CHILDREN; child++) {
			pid_t pid = fork();
			int status;

			if (pid < 0)
				die("fork");
			if (pid == 0) {
				fill_from(memory, child * changed, (child + 1) * changed);
				check(memory, own);
				_exit(0);
			}
			if (waitpid(pid, &status, 0) < 0)
				die("waitpid");
			if (status != 0) {
				errno = ECHILD;
				die("a child failed");
			}
		}
		check(memory, own);
		munmap(memory, own);
	}
}

static void grow(void)
{
	for (int mebibytes = 1;; mebibytes++) {
		fill(map(MIB), MIB);
		printf("%d\n", mebibytes);
		fflush(stdout);
	}
}

static void hold(size_t bytes)
{
	fill(map(bytes), bytes);
	puts("ready");
	fflush(stdout);
	for (;;)
		pause();
}

static void work(size_t bytes)
{
	uint64_t random = 88172645463325252, touched = 0;
	int64_t start, next;
	char *memory = map(bytes);

	fill(memory, bytes);
	puts("ready");
	fflush(stdout);
	start = now_nsec();
	next = start + REPORT_NSEC;
	for (;;) {
		int64_t now;

		for (int i = 0; i < 256; i++) {
			random ^= random << 13;
			random ^= random >> 7;
			random ^= random << 17;
			memory[random % (bytes / PAGE) * PAGE + PAGE / 2]++;
		}
		touched += 256;
		now = now_nsec();
		if (now < next)
			continue;
		printf("%.1f %llu\n", (double)(now - start) / 1e9, (unsigned long long)touched);
		fflush(stdout);
		touched = 0;
		next = now + REPORT_NSEC;
	}
}

static long read_number(int fd, const char *name)
{
	char text[32];
	ssize_t len = pread(fd, text, sizeof(text) - 1, 0);

	if (len <= 0)
		die(name);
	text[len] = '\0';
	return strtol(text, NULL, 10);
}

static void poll_files(char *const names[], int count)
{
	struct pollfd input = { .fd = STDIN_FILENO, .events = POLLIN };
	long highest = 0, reads = 0;
	int fds[FILES_MAX];

	for (int i = 0; i < count; i++) {
		fds[i] = open(names[i], O_RDONLY | O_CLOEXEC);
		if (fds[i] < 0)
			die(names[i]);
	}
	while (reads % 64 != 0 || poll(&input, 1, 0) == 0) {
		long sum = 0;

		for (int i = 0; i < count; i++)
			sum += read_number(fds[i], names[i]);
		if (sum > highest)
			highest = sum;
		reads++;
	}
	printf("%ld %ld\n", highest, reads);
}

int main(int argc, char **argv)
{
	const char *what = argc > 1 ? argv[1] : "";
	size_t bytes = argc == 3 ? strtoul(argv[2], NULL, 10) * MIB : 0;

	if (strcmp(what, "cycle") == 0 && bytes > 0)
		cycle(bytes);
	else if (strcmp(what, "grow") == 0 && argc == 2)
		grow();
	else if (strcmp(what, "hold") == 0 && bytes > 0)
		hold(bytes);
	else if (strcmp(what, "work") == 0 && bytes > 0)
		work(bytes);
	else if (strcmp(what, "poll") == 0 && argc > 2 && argc - 2 <= FILES_MAX)
		poll_files(argv + 2, argc - 2);
	else
		return 2;
	return 0;
}
