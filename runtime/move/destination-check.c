// SPDX-License-Identifier: GPL-2.0-or-later
#include "move/destination.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/file.h"
#include "base/number.h"
#include "kernel/path.h"
#include "kernel/tasks.h"
#include "memory/charge.h"
#include "move/destination-above.h"

/* Limits that a newcomer has to fit below, each with what counts against it. */
static const struct room {
	const char *limit;
	const char *usage;
	unsigned int types;	/* asked to move, for this to matter; 0: the tasks do */
} rooms[] = {
	{ "memory.max", "memory.current", CHARGE_ALL & ~CHARGE_SWAP },
	{ "memory.swap.max", "memory.swap.current", CHARGE_SWAP },
	{ "memory.memsw.max", "memory.memsw.current", CHARGE_ALL },
	{ "memory.limit_in_bytes", "memory.usage_in_bytes", CHARGE_ALL },
	{ "memory.memsw.limit_in_bytes", "memory.memsw.usage_in_bytes", CHARGE_ALL },
	{ "pids.max", "pids.current", 0 },
};

static int read_number(int dirfd, const char *name, int64_t *value)
{
	char text[NUMBER_TEXT_MAX + 1];

	if (file_read_at(dirfd, name, text, sizeof(text), NULL) < 0)
		return -ENOENT;
	return number_read_file(text, value, NULL);
}

static int look_at_room(const struct journal *journal, const struct hierarchy *hierarchy,
			int from, int above, const char *path, struct error *err)
{
	int64_t limit, usage, needed;

	for (size_t i = 0; i < sizeof(rooms) / sizeof(rooms[0]); i++) {
		const struct room *room = &rooms[i];

		if ((room->types && !(journal->types & room->types)) ||
		    read_number(above, room->limit, &limit) < 0 || limit == NUMBER_UNLIMITED ||
		    read_number(above, room->usage, &usage) < 0 ||
		    read_number(from, room->usage, &needed) < 0)
			continue;
		if (needed > limit - usage)
			return error_set(err, EBUSY,
					 HIERARCHY_WORDS ": no room: %s is %lld, %lld of it used, "
					 "and the container has %lld",
					 hierarchy_words(hierarchy, path), room->limit,
					 (long long)limit, (long long)usage, (long long)needed);
	}
	return 0;
}

static bool has_word(const char *list, const char *word, size_t len)
{
	while (*list) {
		size_t each = strcspn(list, " ");

		if (each == len && strncmp(list, word, len) == 0)
			return true;
		list += each + (list[each] == ' ');
	}
	return false;
}

int place_need_controllers(int from, int above, enum need need, struct error *err)
{
	char wanted[512], had[512], enabled[512], request[64], *word, *rest = wanted;
	ssize_t len;
	int missing = 0, ret;

	len = file_read_at(from, "cgroup.controllers", wanted, sizeof(wanted), err);
	if (len >= 0)
		len = file_read_at(above, "cgroup.controllers", had, sizeof(had), err);
	if (len >= 0)
		len = file_read_at(above, "cgroup.subtree_control", enabled, sizeof(enabled), err);
	if (len < 0)
		return (int)len;
	while ((word = strsep(&rest, " "))) {
		if (!*word || has_word(enabled, word, strlen(word)))
			continue;
		missing++;
		if (need != NEED_COUNT && !has_word(had, word, strlen(word)))
			return error_set(err, EOPNOTSUPP, "the controller %s cannot be had there",
					 word);
		snprintf(request, sizeof(request), "+%s", word);
		if (need != NEED_ENABLE)
			continue;
		ret = file_write_at(above, "cgroup.subtree_control", request, err);
		if (ret < 0)
			return ret;
	}
	return missing;
}

int place_for_each_above(const struct hierarchy *hierarchy, const char *path,
			 int (*each)(void *context, const char *above, int dirfd,
				     struct error *err),
			 void *context, struct error *err)
{
	auto_free char *above = strdup(path);
	char *slash;
	int ret = 0;

	if (!above)
		return error_errno(err, ENOMEM, "move");
	for (slash = above; ret >= 0 && slash; slash = strchr(slash + 1, '/')) {
		auto_close int dirfd = -1;

		*slash = '\0';
		if (hierarchy_has(hierarchy, above)) {
			ret = hierarchy_open(hierarchy, above, &dirfd, err);
			if (ret == 0)
				ret = each(context, above, dirfd, err);
		}
		*slash = '/';
	}
	return ret;
}

struct looking {
	const struct journal *journal;
	const struct hierarchy *hierarchy;
	int from;
	bool missing;		/* a cgroup above is to enable a controller first */
	bool writable;		/* the last one that exists */
};

static int look_above(void *context, const char *above, int dirfd, struct error *err)
{
	struct looking *looking = context;
	const struct hierarchy *hierarchy = looking->hierarchy;
	int ret = 0, missing = 0;

	if (hierarchy->mode == CGROUP_V2 && !looking->journal->systemd) {
		missing = place_need_controllers(looking->from, dirfd,
						 looking->missing ? NEED_COUNT : NEED_CHECK, err);
		looking->missing |= missing > 0;
		ret = missing < 0 ? missing : 0;
		/* the kernel's rule of no internal processes */
		if (missing > 0 && *above && tasks_any(hierarchy, above, NULL) == 1)
			ret = error_set(err, EBUSY,
					"it has processes of its own, and can have no children "
					"with controllers");
	}
	/* the closest common ancestor, and what is above, has counted it all along */
	if (ret == 0 && !(path_is_below(looking->journal->from.top, above) || !*above))
		ret = look_at_room(looking->journal, hierarchy, looking->from, dirfd, above, err);
	else if (ret < 0)
		error_prefix(err, ret, HIERARCHY_WORDS, hierarchy_words(hierarchy, above));
	looking->writable = faccessat(dirfd, ".", W_OK, AT_EACCESS) == 0;
	return ret;
}

int place_look(const struct journal *journal, const struct hierarchies *hierarchies,
	       struct error *err)
{
	int ret;

	for (size_t i = 0; i < hierarchies->count; i++) {
		const struct hierarchy *hierarchy = &hierarchies->each[i];
		struct looking looking = { .journal = journal, .hierarchy = hierarchy };
		auto_close int from = -1;

		if (!hierarchy_has(hierarchy, journal->from.top))
			continue;
		ret = hierarchy_open(hierarchy, journal->from.top, &from, err);
		looking.from = from;
		if (ret == 0)
			ret = place_for_each_above(hierarchy, journal->to.top, look_above, &looking, err);
		if (ret < 0)
			return ret;
		if (!journal->systemd && !looking.writable)
			return error_set(err, EACCES,
					 HIERARCHY_WORDS ": no permission to make a cgroup",
					 hierarchy_words(hierarchy, journal->to.top));
		if (faccessat(from, "cgroup.procs", W_OK, AT_EACCESS) < 0)
			return error_set(err, EACCES,
					 HIERARCHY_WORDS ": no permission to move its processes",
					 hierarchy_words(hierarchy, journal->from.top));
	}
	return 0;
}

static int count_one(void *context, const char *above, int dirfd, struct error *err)
{
	(void)above;
	(void)dirfd;
	(void)err;
	++*(unsigned int *)context;
	return 0;
}

void place_count_missing(struct journal *journal, const struct hierarchies *hierarchies)
{
	for (size_t i = 0; i < hierarchies->count; i++) {
		unsigned int there = 0, all = 0;

		for (const char *c = journal->to.top; *c; c++)
			all += *c == '/';
		place_for_each_above(&hierarchies->each[i], journal->to.top, count_one, &there, NULL);
		journal->made[i] = all > there ? all - there : 0;
	}
}
