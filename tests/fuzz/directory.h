/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "fuzz.h"

/*
 * directory - one directory for all inputs of a target that reads a file: ROOT/web/FILE.
 */

struct fuzz_directory {
	char root[32];
	int dirfd;		/* of ROOT/web */
	const char *file;
};

/* Initial values for a target that reads `name`. */
#define FUZZ_DIRECTORY(name) { .root = "/tmp/memcrun-fuzz-XXXXXX", .dirfd = -1, .file = name }

static inline void fuzz_directory_put(struct fuzz_directory *directory, const uint8_t *data,
				      size_t size)
{
	char path[64];
	int fd;

	if (directory->dirfd < 0) {
		must(mkdtemp(directory->root));
		snprintf(path, sizeof(path), "%s/web", directory->root);
		must(mkdir(path, 0700) == 0);
		directory->dirfd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		must(directory->dirfd >= 0);
	}
	fd = openat(directory->dirfd, directory->file, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC,
		    0600);
	must(fd >= 0 && file_write_all(fd, (const char *)data, size, NULL) == 0);
	close(fd);
}

/* For atexit(3) of the target. */
static inline void fuzz_directory_remove(struct fuzz_directory *directory)
{
	char path[64];

	if (directory->dirfd < 0)
		return;
	unlinkat(directory->dirfd, directory->file, 0);
	snprintf(path, sizeof(path), "%s/web", directory->root);
	rmdir(path);
	rmdir(directory->root);
}
