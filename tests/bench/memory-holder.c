// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * memory-holder - a task whose memory is moved by tests/bench/migrate.
 *
 *	memory-holder KIND MEBIBYTES [FILE]
 *
 * takes memory of that kind, says "ready" and keeps it until its input ends:
 *
 *	anon	small pages
 *	thp	huge pages
 *	shmem	shared memory, mapped
 *	mlocked	small pages, locked
 *	swap	small pages, all swapped out
 *	file	page cache of FILE, written back and not mapped
 *
 * or, as a bystander,
 *
 *	faults	faults pages in, over and over, MEBIBYTES at a time; then says
 *		"faults NUMBER WORST" with the worst in microseconds
 *
 *	memory-holder timed-write FILE TEXT [FILE TEXT]...
 *
 * is the other side: it writes each text to its file, in order, and prints the
 * microseconds that all of them took, and " again" if one of them said EAGAIN:
 * bystanders can keep a migration from its end. Any other error ends it.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

enum {
	PAGE = 4096,
	MIB = 1 << 20,
	CHUNK = 64 * MIB,	/* swapped out before the next is taken */
};

static void die(const char *what)
{
	fprintf(stderr, "memory-holder: %s: %s\n", what, strerror(errno));
	exit(1);
}

static int64_t now_nsec(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * INT64_C(1000000000) + now.tv_nsec;
}

/* Huge pages want their alignment. */
static char *map(size_t bytes, int flags)
{
	size_t align = 2 * MIB;
	char *at = mmap(NULL, bytes + align, PROT_READ | PROT_WRITE, flags | MAP_ANONYMOUS, -1, 0);

	if (at == MAP_FAILED)
		die("mmap");
	return (char *)(((uintptr_t)at + align - 1) & -(uintptr_t)align);
}

static void advise(char *at, size_t bytes, int advice)
{
	if (madvise(at, bytes, advice) == 0)
		return;
	/* A kernel without huge pages has small ones without being told. */
	if (advice != MADV_NOHUGEPAGE || errno != EINVAL)
		die("madvise");
}

/* Not zeros, which swap keeps no slot for; zram stores one word of each page. */
static void fill(char *at, size_t bytes)
{
	memset(at, 0x5a, bytes);
}

static size_t swapped_kib(void)
{
	char line[256];
	size_t kib = 0;
	FILE *status = fopen("/proc/self/status", "re");

	if (!status)
		die("/proc/self/status");
	while (fgets(line, sizeof(line), status))
		if (sscanf(line, "VmSwap: %zu", &kib) == 1)
			break;
	fclose(status);
	return kib;
}

/* What is on its way to the LRU lists is not taken at once. */
static void swap_out(char *at, size_t bytes)
{
	for (size_t done = 0; done < bytes; done += CHUNK) {
		size_t chunk = bytes - done < CHUNK ? bytes - done : CHUNK;

		fill(at + done, chunk);
		for (int tries = 0; swapped_kib() < (done + chunk) / 1024 && tries < 20; tries++) {
			advise(at, done + chunk, MADV_PAGEOUT);
			if (tries)
				usleep(10000);
		}
	}
	if (swapped_kib() < bytes / 1024 * 99 / 100) {
		errno = ENOSPC;
		die("swapping out");
	}
}

static void write_file(const char *name, size_t bytes)
{
	static char block[MIB];
	int fd = open(name, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	if (fd < 0)
		die(name);
	memset(block, 0x5a, sizeof(block));
	for (size_t done = 0; done < bytes; done += MIB)
		if (write(fd, block, MIB) != MIB)
			die(name);
	if (fsync(fd) < 0)
		die(name);
}

static int input_ended(int wait_msec)
{
	struct pollfd input = { .fd = STDIN_FILENO, .events = POLLIN };
	char byte;

	return poll(&input, 1, wait_msec) > 0 && read(STDIN_FILENO, &byte, 1) <= 0;
}

static void keep_faulting(size_t bytes)
{
	char *at = map(bytes, MAP_PRIVATE);
	int64_t worst = 0;
	long count = 0;

	advise(at, bytes, MADV_NOHUGEPAGE);
	*at = 1;
	printf("ready\n");
	fflush(stdout);
	while (!input_ended(0)) {
		for (size_t i = 0; i < bytes; i += PAGE, count++) {
			int64_t begin = now_nsec(), took;

			*(volatile char *)(at + i) = 1;
			took = now_nsec() - begin;
			if (took > worst)
				worst = took;
		}
		advise(at, bytes, MADV_DONTNEED);
	}
	printf("faults %ld %ld\n", count, (long)(worst / 1000));
}

static int timed_write(char **words)
{
	int64_t begin = now_nsec();
	const char *again = "";

	for (; words[0] && words[1]; words += 2) {
		int fd = open(words[0], O_WRONLY | O_CLOEXEC);

		if (fd < 0)
			die(words[0]);
		if (write(fd, words[1], strlen(words[1])) < 0) {
			if (errno != EAGAIN)
				die(words[0]);
			again = " again";
		}
		close(fd);
	}
	printf("%ld%s\n", (long)((now_nsec() - begin) / 1000), again);
	return 0;
}

static void take(const char *kind, size_t bytes, const char *file)
{
	char *at;

	if (strcmp(kind, "file") == 0 && file) {
		write_file(file, bytes);
		return;
	}
	at = map(bytes, strcmp(kind, "shmem") == 0 ? MAP_SHARED : MAP_PRIVATE);
	if (strcmp(kind, "thp") == 0)
		advise(at, bytes, MADV_HUGEPAGE);
	else
		advise(at, bytes, MADV_NOHUGEPAGE);

	if (strcmp(kind, "swap") == 0) {
		swap_out(at, bytes);
		return;
	}
	if (strcmp(kind, "mlocked") == 0 && mlock(at, bytes) < 0)
		die("mlock");
	for (size_t i = 0; i < bytes; i += PAGE)
		*(volatile char *)(at + i) = 1;
}

int main(int argc, char **argv)
{
	static const char *const kinds[] = { "anon", "thp", "shmem", "mlocked", "swap", "file" };
	size_t bytes;

	if (argc >= 4 && strcmp(argv[1], "timed-write") == 0)
		return timed_write(argv + 2);
	if (argc < 3) {
		fprintf(stderr, "Usage: memory-holder KIND MEBIBYTES [FILE]\n");
		return 2;
	}
	bytes = (size_t)atol(argv[2]) * MIB;
	if (strcmp(argv[1], "faults") == 0) {
		keep_faulting(bytes);
		return 0;
	}
	for (size_t i = 0; i < sizeof(kinds) / sizeof(*kinds); i++) {
		if (strcmp(argv[1], kinds[i]) == 0) {
			take(argv[1], bytes, argv[3]);
			printf("ready\n");
			fflush(stdout);
			while (!input_ended(-1))
				;
			return 0;
		}
	}
	fprintf(stderr, "memory-holder: %s: no such kind\n", argv[1]);
	return 2;
}
