/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <stdint.h>

/*
 * progress - a line on a terminal that says how far something is. Where standard error is no
 * terminal nothing is shown.
 */

struct progress {
	int64_t started;	/* microseconds; 0: nothing was shown yet */
	int64_t shown;
	const char *stage;	/* the one that was */
};

/* Show `stage`, a constant, and with a `total` bytes of bytes, the rate and the time left. */
void progress_show(struct progress *progress, const char *stage, int64_t done, int64_t total);

/* Take the line away. */
void progress_end(struct progress *progress);
