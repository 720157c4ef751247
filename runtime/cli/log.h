/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * log - where words for a person go: standard error, and the log of the engine
 * that runs us, in the form that crun's --log and --log-format ask for.
 */

enum log_level {
	LOG_LEVEL_ERROR,
	LOG_LEVEL_WARNING,
};

struct log {
	const char *program;	/* who says it; NULL: memcrun */
	const char *target;	/* --log: [file:]PATH, syslog:[ID], journald:[ID]; or NULL */
	const char *format;	/* --log-format: "text", "json" or NULL */
	const char *id;		/* the container, or NULL */
};

/*
 * Say one line. A log that cannot be written is no reason to stop: crun opens
 * the same one and will refuse it in its own words.
 */
void log_line(const struct log *log, enum log_level level, const char *text);
