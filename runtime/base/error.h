/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * error - what went wrong: an errno for the program, words for a person.
 *
 * A function that can fail takes `struct error *err` last and returns 0 or a
 * negative errno. The words are written once, where the failure is known; a
 * caller passes the number up and may put its noun in front. Only a program's
 * main prints. `err` may be NULL when nobody wants the words. Nothing here
 * allocates, so being out of memory is an error like any other.
 *
 * Words that came from outside (a value, a path, a key) are made safe for one
 * line of a terminal or a log: control characters become '?'.
 */
struct error {
	char text[1024];
};

#define PRINTF(format_index, first) __attribute__((format(printf, format_index, first)))

/* Words alone: "memory.swap: below memory.limit". Returns -code. */
int error_set(struct error *err, int code, const char *format, ...) PRINTF(3, 4);

/* Words, then ": " and what errno `code` means. Returns -code. */
int error_errno(struct error *err, int code, const char *format, ...) PRINTF(3, 4);

/* Put "noun: " in front. Returns `ret`, so that a caller can return the call. */
int error_prefix(struct error *err, int ret, const char *format, ...) PRINTF(3, 4);

/* Replace what would break a line or a terminal by '?', in place. */
void error_one_line(char *text);
