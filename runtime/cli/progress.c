// SPDX-License-Identifier: GPL-2.0-or-later
#include "cli/progress.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/control.h"

/* What takes less is over before it is read. */
#define DELAY_USEC 500000
/* Who waits says so a hundred times a second. */
#define PERIOD_USEC 100000

const char *size_text(char text[SIZE_TEXT_MAX], int64_t bytes)
{
	static const char units[] = "KMGTP";
	double value = (double)bytes;
	size_t unit = 0;

	if (bytes < 1024) {
		snprintf(text, SIZE_TEXT_MAX, "%" PRId64, bytes);
		return text;
	}
	for (value /= 1024; value >= 1000 && units[unit + 1]; value /= 1024)
		unit++;
	snprintf(text, SIZE_TEXT_MAX, value < 9.95 ? "%.1f%c" : "%.0f%c", value, units[unit]);
	return text;
}

const char *time_text(char text[SIZE_TEXT_MAX], int64_t usec)
{
	if (usec < 1000)
		snprintf(text, SIZE_TEXT_MAX, "%" PRId64 " us", usec);
	else if (usec < 999950)
		snprintf(text, SIZE_TEXT_MAX, "%.1f ms", (double)usec / 1e3);
	else
		snprintf(text, SIZE_TEXT_MAX, "%.2f s", (double)usec / 1e6);
	return text;
}

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

static volatile sig_atomic_t caught;

static void on_signal(int number)
{
	caught = number;
}

/* Without SA_RESTART, so that a wait ends. */
const volatile sig_atomic_t *progress_catch_signals(void)
{
	static const int numbers[] = { SIGINT, SIGTERM, SIGHUP };
	const struct sigaction action = { .sa_handler = on_signal };

	for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
		struct sigaction had;

		/* nohup(1) is not to be overruled */
		if (sigaction(numbers[i], NULL, &had) == 0 && had.sa_handler != SIG_IGN)
			sigaction(numbers[i], &action, NULL);
	}
	return &caught;
}
