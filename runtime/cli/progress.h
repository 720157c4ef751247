/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <signal.h>
#include <stddef.h>
#include <stdint.h>

/*
 * progress - a line on a terminal that says how far something is, and how bytes and
 * times are written for people. Where standard error is no terminal nothing is shown.
 */

struct progress {
	int64_t started;	/* microseconds; 0: nothing was shown yet */
	int64_t shown;
	const char *stage;	/* the one that was */
};

#define SIZE_TEXT_MAX 24

/* "512", "1.5K", "64M": at most four digits, units of 1024. Returns `text`. */
const char *size_text(char text[SIZE_TEXT_MAX], int64_t bytes);

/* "870 us", "12.3 ms", "4.51 s". Returns `text`. */
const char *time_text(char text[SIZE_TEXT_MAX], int64_t usec);

/* Show `stage`, a constant, and with a `total` bytes of bytes, the rate and the time left. */
void progress_show(struct progress *progress, const char *stage, int64_t done, int64_t total);

/* Take the line away. */
void progress_end(struct progress *progress);

/*
 * From now on SIGINT, SIGTERM and SIGHUP do not end the program, but set what is returned
 * and end a wait.
 */
const volatile sig_atomic_t *progress_catch_signals(void);
