// SPDX-License-Identifier: GPL-2.0-or-later
/* memory - see memory.h. */
#define _GNU_SOURCE
#include "memory.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

int write_text(const char *directory, const char *name, const char *text)
{
	char path[512];
	ssize_t wrote;
	int fd, ret;

	snprintf(path, sizeof(path), "%s/%s", directory, name);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	wrote = write(fd, text, strlen(text));
	ret = wrote < 0 ? -errno : 0;
	close(fd);
	return ret;
}

char *map_memory(size_t size, int flags, int fd)
{
	char *around, *at;

	around = mmap(NULL, size + HUGE_PAGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (around == MAP_FAILED)
		return NULL;
	at = (char *)(((uintptr_t)around + HUGE_PAGE - 1) & ~(HUGE_PAGE - 1));
	if (at > around)
		munmap(around, (size_t)(at - around));
	munmap(at + size, (size_t)(around + HUGE_PAGE - at));
	if (mmap(at, size, PROT_READ | PROT_WRITE, flags | MAP_FIXED, fd, 0) == MAP_FAILED) {
		munmap(at, size);
		return NULL;
	}
	return at;
}
