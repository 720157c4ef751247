// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * hot-paths - what the kernel's paths of memory that is charged cost.
 *
 *	hot-paths DIRECTORY...
 *
 * prints a line "NAME MEAN MINIMUM" for each benchmark, in ticks of the time stamp
 * counter: under qemu -icount shift=0 that is in instructions, and nothing else moves
 * it. Page cache is that of a file in each DIRECTORY. The mean leaves out the rounds
 * that a timer interrupted: those far above the minimum, by more than they differ otherwise.
 * Where few are left the figures say nothing, and that is an error. A median would be one of two
 * figures by chance where half of the rounds refill a slab and the others do not, as
 * with fork.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>
#include <x86intrin.h>

enum {
	PAGE = 4096,
	PAGES = 256,
	BYTES = PAGES * PAGE,
	ROUNDS = 61,
	INTERRUPT = 10000,	/* takes more than that */
	ALIGN = 2 << 20,	/* one page table for all pages */
};

struct bench {
	const char *name;
	void (*prepare)(void);	/* before each round, not measured */
	void (*run)(void);
	void (*clean)(void);	/* after it */
	int needs_file;
};

static char *memory;	/* ALIGN bytes, aligned */
static char *mapping;
static char buffer[PAGE];
static int file = -1;

static void die(const char *what)
{
	fprintf(stderr, "hot-paths: %s: %s\n", what, strerror(errno));
	exit(1);
}

static void touch(char *at)
{
	for (size_t i = 0; i < BYTES; i += PAGE)
		*(volatile char *)(at + i) = 1;
}

static void look(char *at)
{
	for (size_t i = 0; i < BYTES; i += PAGE)
		(void)*(volatile char *)(at + i);
}

static void drop(void)
{
	if (madvise(memory, ALIGN, MADV_DONTNEED) < 0)
		die("madvise");
}

static void fault(void)
{
	touch(memory);
}

static void fill(void)
{
	touch(memory);
}

static void truncate_file(void)
{
	if (ftruncate(file, 0) < 0)
		die("ftruncate");
}

static void write_file(void)
{
	for (off_t at = 0; at < BYTES; at += PAGE)
		if (pwrite(file, buffer, PAGE, at) != PAGE)
			die("pwrite");
}

static void read_file(void)
{
	for (off_t at = 0; at < BYTES; at += PAGE)
		if (pread(file, buffer, PAGE, at) != PAGE)
			die("pread");
}

static void fault_file(void)
{
	mapping = mmap(NULL, BYTES, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
	if (mapping == MAP_FAILED)
		die("mmap");
	look(mapping);
	touch(mapping);
}

static void unmap_file(void)
{
	if (munmap(mapping, BYTES) < 0)
		die("munmap");
}

static void map_unmap_file(void)
{
	fault_file();
	unmap_file();
}

static void fork_and_wait(void)
{
	pid_t pid = fork();

	if (pid < 0)
		die("fork");
	if (pid == 0)
		_exit(0);
	if (waitpid(pid, NULL, 0) != pid)
		die("waitpid");
}

static const struct bench benches[] = {
	{ "anon-fault",	drop,		fault,		NULL,		0 },
	{ "anon-zap",	fill,		drop,		NULL,		0 },
	{ "fork",	fill,		fork_and_wait,	drop,		0 },
	{ "write",	truncate_file,	write_file,	NULL,		1 },
	{ "read",	NULL,		read_file,	NULL,		1 },
	{ "file-fault",	NULL,		map_unmap_file,	NULL,		1 },
	{ "truncate",	write_file,	truncate_file,	NULL,		1 },
};

static void measure(const struct bench *bench, const char *where)
{
	uint64_t ticks[ROUNDS], least = UINT64_MAX, sum = 0, count = 0;
	const char *slash = strrchr(where, '/');

	/* the first is for what is made once only */
	for (int round = -1; round < ROUNDS; round++) {
		uint64_t begin;

		if (bench->prepare)
			bench->prepare();
		begin = __rdtsc();
		bench->run();
		if (round >= 0)
			ticks[round] = __rdtsc() - begin;
		if (bench->clean)
			bench->clean();
		if (round >= 0 && ticks[round] < least)
			least = ticks[round];
	}
	for (int round = 0; round < ROUNDS; round++) {
		if (ticks[round] > least + INTERRUPT)
			continue;
		sum += ticks[round];
		count++;
	}
	if (count <= ROUNDS / 4) {
		fprintf(stderr, "hot-paths: %s: only %llu rounds near the fastest\n", bench->name,
			(unsigned long long)count);
		exit(1);
	}
	printf("%s%s%s %llu %llu\n", slash ? slash + 1 : where, *where ? "-" : "", bench->name,
	       (unsigned long long)(sum / count), (unsigned long long)least);
	fflush(stdout);
}

static void measure_all(const char *where, int with_file)
{
	for (size_t i = 0; i < sizeof(benches) / sizeof(*benches); i++)
		if (benches[i].needs_file == with_file)
			measure(&benches[i], where);
}

int main(int argc, char **argv)
{
	char name[4096];

	memory = mmap(NULL, 2 * ALIGN, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (memory == MAP_FAILED)
		die("mmap");
	memory = (char *)(((uintptr_t)memory + ALIGN - 1) & -(uintptr_t)ALIGN);
	if (madvise(memory, ALIGN, MADV_NOHUGEPAGE) < 0)
		die("madvise");
	memset(buffer, 'x', sizeof(buffer));

	measure_all("", 0);
	for (int i = 1; i < argc; i++) {
		snprintf(name, sizeof(name), "%s/hot-paths", argv[i]);
		file = open(name, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
		if (file < 0)
			die(name);
		measure_all(argv[i], 1);
		unlink(name);
		close(file);
	}
	return 0;
}
