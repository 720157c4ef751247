/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * test - what the unit tests share: cmocka with what it needs, tests that
 * ignore its state, trees of plain files, and assertions over tables that name
 * the row that is wrong.
 */

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/cleanup.h"

#define TEST(name) static void name(void **state __attribute__((unused)))

/* Ends the test as one that this machine skips. tests/unit/tap puts the reason into its result. */
#define skip_because(...) \
	do { \
		print_message("# skipped: "); \
		print_message(__VA_ARGS__); \
		print_message("\n"); \
		skip(); \
	} while (0)

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* Fails, naming the row of the table, unless `truth`. */
#define assert_row(row, truth) \
	do { \
		if (!(truth)) \
			fail_msg("\"%s\": not so: %s", (row), #truth); \
	} while (0)

#define assert_row_text(row, text, wanted) \
	do { \
		if (strcmp((text), (wanted)) != 0) \
			fail_msg("\"%s\": \"%s\" is not \"%s\"", (row), (text), (wanted)); \
	} while (0)

/* The path of a tree below tests/fixtures. */
static inline const char *fixture(const char *name)
{
	static char path[PATH_MAX];
	const char *fixtures = getenv("FIXTURES");

	snprintf(path, sizeof(path), "%s/%s", fixtures ? fixtures : "tests/fixtures", name);
	return path;
}

/* A directory of one test. */
struct scratch {
	char path[64];
	int fd;
};

static inline struct scratch scratch_new(void)
{
	struct scratch scratch = { .path = "/tmp/memcrun-test-XXXXXX" };

	assert_non_null(mkdtemp(scratch.path));
	scratch.fd = open(scratch.path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_true(scratch.fd >= 0);
	return scratch;
}

static inline int scratch_remove_one(const char *path, const struct stat *st, int type,
				     struct FTW *ftw)
{
	(void)st;
	(void)type;
	(void)ftw;
	return remove(path);
}

static inline void scratch_remove(const struct scratch *scratch)
{
	close(scratch->fd);
	nftw(scratch->path, scratch_remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

#define auto_scratch __attribute__((cleanup(scratch_remove)))

static inline void scratch_dir(const struct scratch *scratch, const char *name)
{
	assert_int_equal(mkdirat(scratch->fd, name, 0755), 0);
}

static inline void scratch_file(const struct scratch *scratch, const char *name,
				const char *text)
{
	auto_close int fd = openat(scratch->fd, name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC,
				   0644);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
}
