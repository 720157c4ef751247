// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * race - one kind of memory that comes and goes, as fast as it can.
 *
 * race KIND: until it is killed. What others do to it meanwhile is tests/kernel/races.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#ifndef MADV_PAGEOUT
#define MADV_PAGEOUT 21
#endif

#define PAGE 4096UL
#define SMALL (2UL << 20)
#define HUGE_PAGE (2UL << 20)
#define PIPES 64

static void die(const char *what)
{
	fprintf(stderr, "race: %s: %s\n", what, strerror(errno));
	exit(1);
}

static char *map(size_t size, int flags, int fd)
{
	char *memory = mmap(NULL, size, PROT_READ | PROT_WRITE, flags, fd, 0);

	if (memory == MAP_FAILED)
		die("mmap");
	return memory;
}

static void touch(char *memory, size_t size)
{
	for (size_t i = 0; i < size; i += PAGE)
		((volatile char *)memory)[i] = 1;
}

/* Page cache stays, and is mapped in order and unmapped in none. */
static void rmap(void)
{
	static char *memory;

	if (!memory) {
		int fd = memfd_create("race", MFD_CLOEXEC);

		if (fd < 0 || ftruncate(fd, SMALL))
			die("memfd");
		memory = map(SMALL, MAP_SHARED, fd);
	}
	touch(memory, SMALL);
	for (size_t i = 0; i < SMALL / PAGE; i++)
		madvise(memory + i * 197 % (SMALL / PAGE) * PAGE, PAGE, MADV_DONTNEED);
}

/* Huge pages of which a part is unmapped wait for their split. */
static void queue(void)
{
	const size_t size = 8 * HUGE_PAGE;
	char *memory = map(size + HUGE_PAGE, MAP_PRIVATE | MAP_ANONYMOUS, -1);
	char *start = memory + HUGE_PAGE - (size_t)memory % HUGE_PAGE;

	madvise(start, size, MADV_HUGEPAGE);
	for (size_t i = 0; i < size; i += HUGE_PAGE) {
		touch(start + i, HUGE_PAGE);
		madvise(start + i + HUGE_PAGE / 2, HUGE_PAGE / 2, MADV_DONTNEED);
	}
	usleep(20000);
	munmap(memory, size + HUGE_PAGE);
}

/* Pages go to swap, and their entries are freed. */
static void swap(void)
{
	char *memory = map(SMALL, MAP_PRIVATE | MAP_ANONYMOUS, -1);

	touch(memory, SMALL);
	if (madvise(memory, SMALL, MADV_PAGEOUT))
		die("MADV_PAGEOUT");
	munmap(memory, SMALL);
}

/* Pipes, and pages in them. */
static void kernel(void)
{
	static char page[PAGE];
	int fds[PIPES][2];

	for (int i = 0; i < PIPES; i++) {
		if (pipe2(fds[i], O_NONBLOCK | O_CLOEXEC))
			die("pipe");
		for (int j = 0; j < 4; j++)
			if (write(fds[i][1], page, PAGE) < 0 && errno != EAGAIN)
				die("write");
	}
	for (int i = 0; i < PIPES; i++) {
		close(fds[i][0]);
		close(fds[i][1]);
	}
}

static const struct {
	const char *name;
	void (*once)(void);
} kinds[] = {
	{ "rmap", rmap },
	{ "queue", queue },
	{ "swap", swap },
	{ "kernel", kernel },
};

int main(int argc, char **argv)
{
	for (size_t i = 0; argc == 2 && i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		if (strcmp(kinds[i].name, argv[1]))
			continue;
		for (;;)
			kinds[i].once();
	}
	fprintf(stderr, "usage: race rmap|queue|swap|kernel\n");
	return 2;
}
