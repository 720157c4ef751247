/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <stddef.h>
#include <sys/types.h>

#include "base/error.h"

/*
 * file - one small file at a directory's fd, read or written whole.
 *
 * Names are looked up below `dirfd` and a last component that is a symbolic
 * link is refused, for what is written here are control files.
 */

/*
 * Read all of `name` into `text` with a NUL behind it; one trailing newline is
 * cut. Returns the length. -ENOENT: no such file; -EFBIG: more than size - 1.
 */
ssize_t file_read_at(int dirfd, const char *name, char *text, size_t size, struct error *err);

/* Write `value` in one write(2). Kernel refusals come back as their errno. */
int file_write_at(int dirfd, const char *name, const char *value, struct error *err);

/* 1 where `name` exists below `dirfd`, else 0. */
int file_exists_at(int dirfd, const char *name);

/*
 * Read all of `fd` into fresh memory with a NUL behind it (not counted in
 * `len`). -EFBIG: more than `max` bytes.
 */
int file_read_all(int fd, size_t max, char **text, size_t *len, struct error *err);

/* Write all of `text`, however many write(2) that takes. */
int file_write_all(int fd, const char *text, size_t len, struct error *err);

/*
 * Put `text` in place of `name`, or where nothing was: whoever looks, also after a
 * crash, sees the old file or the new one. The mode of an old file is kept, a new one
 * gets `mode`. ".NAME.new" may be left by who is killed, and is replaced.
 */
int file_replace_at(int dirfd, const char *name, mode_t mode, const char *text, size_t len,
		    struct error *err);

/*
 * The two halves of file_replace_at(), for a caller that must not find out behind something
 * it cannot undo that there is no room for the file: staged, the text is on disk as
 * ".NAME.new"; committed, it is `name`. A commit that fails discards it. Discarding where
 * nothing is staged does nothing.
 */
int file_stage_at(int dirfd, const char *name, mode_t mode, const char *text, size_t len,
		  struct error *err);
int file_commit_at(int dirfd, const char *name, struct error *err);
void file_discard_at(int dirfd, const char *name);
