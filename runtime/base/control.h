/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <signal.h>
#include <stdint.h>

#include "base/error.h"

/*
 * control - what somebody who waits has to say to work that takes long: when to stop;
 * and what he hears of it.
 */

struct control_progress {
	const char *stage;
	int64_t done;		/* bytes */
	int64_t total;		/* 0: not known */
};

/* All may be 0. */
struct control {
	const volatile sig_atomic_t *interrupted;	/* a signal came */
	int64_t until;					/* of control_now_usec(); 0: no end */
	void (*progress)(void *context, const struct control_progress *progress);
	void *context;
};

/* Of the monotonic clock. */
int64_t control_now_usec(void);

/* -EINTR: interrupted; -ETIMEDOUT: `until` is over; else 0. */
int control_go_on(const struct control *control, struct error *err);

void control_tell(const struct control *control, const char *stage, int64_t done,
		  int64_t total);
