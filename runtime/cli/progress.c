// SPDX-License-Identifier: GPL-2.0-or-later
#include "cli/progress.h"

#include <stdio.h>
#include <unistd.h>

#include "base/control.h"
#include "cli/units.h"

/* What takes less is over before it is read. */
#define DELAY_USEC 500000
/* Who waits says so a hundred times a second. */
#define PERIOD_USEC 100000

void progress_show(struct progress *progress, const char *stage, int64_t done, int64_t total)
{
	char part[SIZE_TEXT_MAX], whole[SIZE_TEXT_MAX], rate[SIZE_TEXT_MAX], left[SIZE_TEXT_MAX];
	int64_t now = control_now_usec(), since;

	if (!isatty(STDERR_FILENO))
		return;
	if (!progress->started)
		progress->started = now;
	since = now - progress->started;
	if (since < DELAY_USEC ||
	    (progress->stage == stage && now - progress->shown < PERIOD_USEC))
		return;
	progress->shown = now;
	progress->stage = stage;
	if (total <= 0 || done <= 0) {
		fprintf(stderr, "\r\033[K%s", stage);
	} else {
		double speed = (double)done * 1e6 / (double)since;

		fprintf(stderr, "\r\033[K%s: %s of %s, %s/s, %s left", stage, size_text(part, done),
			size_text(whole, total), size_text(rate, (int64_t)speed),
			time_text(left, (int64_t)((double)(total - done) * 1e6 / speed)));
	}
	fflush(stderr);
}

void progress_end(struct progress *progress)
{
	if (progress->shown)
		fputs("\r\033[K", stderr);
	*progress = (struct progress){ 0 };
}
