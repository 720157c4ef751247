/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <stdlib.h>
#include <unistd.h>

/*
 * cleanup - what a scope owns goes when the scope does.
 *
 * take_fd() and take_ptr() hand ownership on: they return the thing and leave
 * an empty place behind, so that the cleanup finds nothing.
 */
static inline void cleanup_free(void *place)
{
	free(*(void **)place);
}

static inline void cleanup_close(const int *fd)
{
	if (*fd >= 0)
		close(*fd);
}

#define auto_free __attribute__((cleanup(cleanup_free)))
#define auto_close __attribute__((cleanup(cleanup_close)))

static inline int take_fd(int *fd)
{
	int taken = *fd;

	*fd = -1;
	return taken;
}

#define take_ptr(place) \
	({ __auto_type taken_ = *(place); *(place) = NULL; taken_; })
