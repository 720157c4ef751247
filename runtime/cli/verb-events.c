// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/control.h"
#include "cli/arguments.h"
#include "cli/signals.h"
#include "cli/verbs.h"
#include "container/container.h"
#include "container/stats.h"
#include "kernel/oom.h"

/*
 * events - what a container uses, every few seconds, and when it is out of memory: lines
 * of JSON as `runc events` writes them, which crun does not have.
 */

#define INTERVAL_DEFAULT_MS 5000
#define FOLLOW_TIMEOUT_USEC 2000000

enum option_id {
	OPTION_INTERVAL = OPTION_OWN,
	OPTION_STATS,
};

static const struct option options[] = {
	{ "interval", required_argument, NULL, OPTION_INTERVAL },
	{ "stats", no_argument, NULL, OPTION_STATS },
	{ "help", no_argument, NULL, OPTION_HELP },
	{ 0 },
};

struct events {
	const char *id;
	bool once;
	int interval_ms;
	struct container container;
	struct error err;
};

static void print_help(void)
{
	puts("Usage: memcrun events [OPTION...] CONTAINER\n"
	     "\n"
	     "Write a line of JSON for what a running container uses, every few seconds until\n"
	     "it ends, and one each time that it is out of memory. As `runc events` does.\n"
	     "\n"
	     "      --interval TIME        between two of the first; like 5s, 500ms, 1m\n"
	     "                             (default 5s)\n"
	     "      --stats                write one, and end\n"
	     "      --help                 show this help\n"
	     "\n"
	     "Exit status: 0 done, 1 error, 2 usage.");
}

/* Of Go's durations those with one unit. */
static int read_interval(struct events *events, const char *text, struct error *err)
{
	static const struct {
		const char *name;
		int64_t ms;
	} units[] = { { "ms", 1 }, { "s", 1000 }, { "m", 60000 }, { "h", 3600000 } };
	char *end;
	long number;

	errno = 0;
	number = strtol(text, &end, 10);
	for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
		if (end != text && errno == 0 && number > 0 && strcmp(end, units[i].name) == 0 &&
		    number <= INT_MAX / units[i].ms) {
			events->interval_ms = (int)(number * units[i].ms);
			return 0;
		}
	}
	return error_set(err, EINVAL, "--interval: not a time, \"%s\"", text);
}

static int take_option(void *context, int option, const char *value, struct error *err)
{
	struct events *events = context;

	if (option == OPTION_INTERVAL)
		return read_interval(events, value, err);
	events->once = true;
	return 0;
}

/* One event on a line of its own, at once. */
static int print(struct events *events, const char *type)
{
	auto_json struct json *document = json_new();
	auto_free char *text = NULL;
	struct json_value *root;
	size_t len;
	int ret = 0;

	if (!document)
		return error_errno(&events->err, ENOMEM, "cannot print");
	root = json_root(document);
	json_set_string(document, root, "type", type);
	json_set_string(document, root, "id", events->id);
	if (strcmp(type, "stats") == 0)
		ret = stats_put(document, json_set_object(document, root, "data"),
				&events->container, &events->err);
	if (ret == 0)
		ret = json_write(document, root, false, &text, &len, &events->err);
	if (ret == 0 && (puts(text) < 0 || fflush(stdout)))
		ret = error_errno(&events->err, errno, "cannot print");
	return ret;
}

/* Where its cgroup is now: memcrun move gives it another. */
static int listen(struct events *events, struct oom *oom)
{
	const struct container *container = &events->container;
	uint64_t before = oom->inode;
	auto_close int dirfd = -1;
	int ret;

	oom_close(oom);
	ret = hierarchy_open(container->memory, container->place.cgroup, &dirfd, &events->err);
	if (ret == 0)
		ret = oom_open(oom, dirfd, container->memory->mode, &events->err);
	/* in one that is new to us all kills are news */
	if (ret == 0 && before && before != oom->inode)
		oom->kills = 0;
	return ret;
}

static int listen_anew(struct events *events, const char *root, int process, struct oom *oom)
{
	int64_t until = control_now_usec() + FOLLOW_TIMEOUT_USEC;
	int ret;

	/* the old one may be gone a moment before the record names the new one */
	for (;;) {
		container_close(&events->container);
		events->container = (struct container)CONTAINER_NONE;
		ret = container_open(&events->container, root, events->id, &events->err);
		if (ret != -ENOENT || control_now_usec() >= until ||
		    poll(&(struct pollfd){ process, POLLIN, 0 }, 1, 10) != 0)
			break;
	}
	if (ret == 0 && !events->container.memory)
		ret = error_set(&events->err, ENOENT, "no hierarchy controls memory");
	return ret < 0 ? ret : listen(events, oom);
}

/* 1: its cgroup has gone. */
static int print_ooms(struct events *events, struct oom *oom)
{
	uint64_t count;
	int gone = oom_take(oom, &count) == -ENODEV, ret = 0;

	for (; ret == 0 && count > 0; count--)
		ret = print(events, "oom");
	return ret < 0 ? ret : gone;
}

/* Until the container ends, or somebody does not want to hear more. */
static int follow(struct events *events, const char *root)
{
	const volatile sig_atomic_t *interrupted = signals_catch();
	auto_oom struct oom oom = OOM_NONE;
	auto_close int process = -1;
	int64_t next = control_now_usec();
	struct timespec wait;
	sigset_t all, none;
	int64_t left;
	int ret;

	process = (int)syscall(SYS_pidfd_open, events->container.status.pid, 0);
	if (process < 0)
		return error_errno(&events->err, errno, "cannot watch its process");
	sigfillset(&all);
	ret = listen(events, &oom);
	while (ret == 0) {
		struct pollfd polled[] = { { process, POLLIN, 0 }, { oom.fd, oom.events, 0 } };

		left = next - control_now_usec();
		wait = (struct timespec){ left / 1000000, left % 1000000 * 1000 };
		/* one that comes between the look and the wait ends the wait */
		sigprocmask(SIG_SETMASK, &all, &none);
		if (left > 0 && !*interrupted)
			ppoll(polled, 2, &wait, &none);
		sigprocmask(SIG_SETMASK, &none, NULL);
		if (*interrupted)
			break;
		/* also when the first process has ended: it may be what was killed */
		ret = print_ooms(events, &oom);
		if (ret < 0 || polled[0].revents)
			break;
		if (ret == 1) {
			ret = listen_anew(events, root, process, &oom);
			/* what was killed in there before we listened */
			if (ret == 0)
				ret = print_ooms(events, &oom);
			if (ret == 1)
				ret = 0;
			continue;
		}
		if (left <= 0) {
			ret = print(events, "stats");
			next += (int64_t)events->interval_ms * 1000;
		}
	}
	/* a line that nobody reads may be what was interrupted */
	if (*interrupted)
		return 0;
	/* the cgroup goes with the process, or before it */
	if (ret == -ENOENT && poll(&(struct pollfd){ process, POLLIN, 0 }, 1, 0) == 1)
		return 0;
	return ret;
}

int verb_events(const struct verb_context *context, int argc, char **argv)
{
	struct verb_context ours = *context;
	struct events events = {
		.interval_ms = INTERVAL_DEFAULT_MS,
		.container = CONTAINER_NONE,
	};
	const struct arguments arguments = {
		.verb = "events",
		.options = options,
		.print_help = print_help,
		.take = take_option,
		.context = &events,
	};
	int ret;

	ret = arguments_read(&arguments, argc, argv, &events.id, &events.err);
	if (ret != 0) {
		if (ret < 0)
			log_line(&context->log, LOG_LEVEL_ERROR, events.err.text);
		return ret < 0 ? EXIT_USAGE : EXIT_DONE;
	}
	ours.log.id = events.id;
	ret = container_open(&events.container, context->globals->root, events.id, &events.err);
	if (ret == 0 && !status_running(&events.container.status))
		ret = error_set(&events.err, ESRCH, "not running");
	if (ret == 0 && !events.container.memory)
		ret = error_set(&events.err, ENOENT, "no hierarchy controls memory");
	if (ret == 0)
		ret = events.once ? print(&events, "stats") :
				    follow(&events, context->globals->root);
	container_close(&events.container);
	if (ret < 0) {
		error_prefix(&events.err, ret, "%s", events.id);
		log_line(&ours.log, LOG_LEVEL_ERROR, events.err.text);
	}
	return ret < 0 ? EXIT_FAILED : EXIT_DONE;
}
