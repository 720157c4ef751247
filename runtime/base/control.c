// SPDX-License-Identifier: GPL-2.0-or-later
#include "base/control.h"

#include <errno.h>
#include <time.h>

int64_t control_now_usec(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

int control_go_on(const struct control *control, struct error *err)
{
	if (control->interrupted && *control->interrupted)
		return error_set(err, EINTR, "interrupted");
	if (control->until && control_now_usec() >= control->until)
		return error_set(err, ETIMEDOUT, "not done in time");
	return 0;
}

void control_tell(const struct control *control, const char *stage, int64_t done, int64_t total)
{
	const struct control_progress progress = { stage, done, total };

	if (control->progress)
		control->progress(control->context, &progress);
}
