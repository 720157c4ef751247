/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <stdint.h>

#include "base/control.h"
#include "base/error.h"

/*
 * update-reclaim - memory of a running container asked back by hand.
 *
 * Without memory.reclaim a limit is lowered for that time. It is put back when memcrun is
 * killed, too: by a guard, or by the next update, as after an update that was interrupted.
 */

struct reclaim_request {
	const char *root;
	const char *id;
	int64_t to;			/* bytes, or -1 */
	int64_t by;			/* bytes, where `to` is -1 */
	int swappiness;			/* -1: the kernel's own */
	struct control control;
};

struct reclaim_result {
	int64_t before;			/* bytes */
	int64_t target;
	int64_t after;			/* -1: it was not tried */
};

/* Errors as reclaim_to(); `result` is good after -EBUSY, -ETIMEDOUT and -EINTR as well. */
int container_reclaim(const struct reclaim_request *request, struct reclaim_result *result,
		      struct error *err);
