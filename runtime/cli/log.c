// SPDX-License-Identifier: GPL-2.0-or-later
#include "cli/log.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <syslog.h>
#include <time.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/error.h"
#include "base/file.h"
#include "base/json.h"
#include "base/utf8.h"

#define PROGRAM "memcrun"
#define JOURNAL_SOCKET "/run/systemd/journal/socket"

static const char *const level_names[] = {
	[LOG_LEVEL_ERROR] = "error",
	[LOG_LEVEL_WARNING] = "warning",
};

static const int level_priorities[] = {
	[LOG_LEVEL_ERROR] = LOG_ERR,
	[LOG_LEVEL_WARNING] = LOG_WARNING,
};

/* The form of crun and runc, which podman, conmon and CRI-O parse. */
static char *json_line(enum log_level level, const char *text)
{
	auto_json struct json *line = json_new();
	struct timeval now;
	char *written = NULL;
	char words[sizeof(((struct error *)0)->text)];
	char stamp[64];
	struct tm utc;
	size_t len;

	if (!line)
		return NULL;

	/* Who reads the log reads UTF-8; a path may be anything. */
	snprintf(words, sizeof(words), "%s", text);
	utf8_repair(words);

	gettimeofday(&now, NULL);
	gmtime_r(&now.tv_sec, &utc);
	len = strftime(stamp, sizeof(stamp), "%Y-%m-%dT%H:%M:%S", &utc);
	snprintf(stamp + len, sizeof(stamp) - len, ".%06ldZ", (long)now.tv_usec);

	json_set_string(line, json_root(line), "msg", words);
	json_set_string(line, json_root(line), "level", level_names[level]);
	json_set_string(line, json_root(line), "time", stamp);
	if (json_write(line, json_root(line), false, &written, &len, NULL) < 0)
		return NULL;
	return written;
}

static void to_file(const char *path, const char *line)
{
	auto_free char *text = NULL;
	auto_close int fd = -1;

	/* As crun opens it: a FIFO without a reader does not block. */
	fd = open(path, O_RDWR | O_APPEND | O_CREAT | O_CLOEXEC, 0666);
	if (fd < 0)
		return;
	/* One write, so that lines of others cannot come between. */
	if (asprintf(&text, "%s\n", line) < 0) {
		text = NULL;
		return;
	}
	file_write_all(fd, text, strlen(text), NULL);
}

static void to_syslog(const char *id, enum log_level level, const char *line)
{
	openlog(id, 0, LOG_USER);
	syslog(level_priorities[level], "%s", line);
	closelog();
}

/*
 * systemd's native journal protocol, a datagram of KEY=value lines. Linking
 * libsystemd for this would cost every start of a container its loading.
 */
static void to_journal(const char *program, const char *id, enum log_level level,
		       const char *line)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX, .sun_path = JOURNAL_SOCKET };
	auto_free char *text = NULL;
	auto_close int fd = -1;

	fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return;
	if (asprintf(&text, "PRIORITY=%d\nSYSLOG_IDENTIFIER=%s\nID=%s\nMESSAGE=%s\n",
		     level_priorities[level], program, id, line) < 0) {
		text = NULL;
		return;
	}
	sendto(fd, text, strlen(text), MSG_NOSIGNAL, (struct sockaddr *)&address,
	       sizeof(address));
}

/* "syslog:web" is the scheme "syslog" with the rest "web". */
static const char *rest_of(const char *target, const char *scheme)
{
	size_t len = strlen(scheme);

	return strncmp(target, scheme, len) == 0 ? target + len : NULL;
}

void log_line(const struct log *log, enum log_level level, const char *text)
{
	auto_free char *json = NULL;
	char id[256];
	const char *program = log->program ? log->program : PROGRAM;
	const char *line = text;
	const char *rest;

	fprintf(stderr, "%s: %s%s\n", program, level == LOG_LEVEL_WARNING ? "warning: " : "",
		text);
	if (!log->target)
		return;

	if (log->format && strcmp(log->format, "json") == 0) {
		json = json_line(level, text);
		if (json)
			line = json;
	}

	rest = strchr(log->target, ':');
	snprintf(id, sizeof(id), "%s", rest && rest[1] ? rest + 1 : log->id ? log->id : program);
	error_one_line(id);
	if (rest_of(log->target, "syslog:"))
		to_syslog(id, level, line);
	else if (rest_of(log->target, "journald:"))
		to_journal(program, id, level, line);
	else if ((rest = rest_of(log->target, "file:")))
		to_file(rest, line);
	else if (!strchr(log->target, ':'))
		to_file(log->target, line);
}
