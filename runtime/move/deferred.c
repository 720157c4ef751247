// SPDX-License-Identifier: GPL-2.0-or-later
#include "move/deferred.h"

#include <errno.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/file.h"
#include "kernel/settings.h"
#include "kernel/tree.h"
#include "move/destination.h"

struct remembering {
	struct journal *journal;
	const char *hierarchy;
	const char *cgroup;
};

static int remember_one(void *context, const char *name, const char *value)
{
	struct remembering *remembering = context;

	return journal_add_late(remembering->journal, remembering->hierarchy, remembering->cgroup,
				name, value);
}

int place_remember_late(struct journal *journal, const struct hierarchies *hierarchies,
			struct error *err)
{
	int ret = 0;

	for (size_t i = 0; ret == 0 && i < hierarchies->count; i++) {
		const struct hierarchy *hierarchy = &hierarchies->each[i];
		auto_tree struct tree tree = { 0 };

		if (place_owns(&journal->from, hierarchy, NULL) != 1)
			continue;
		ret = tree_read(&tree, hierarchy, journal->from.top, err);
		for (size_t j = 0; ret == 0 && j < tree.count; j++) {
			struct remembering remembering = { journal, hierarchy->name,
							   tree.paths[j] };
			auto_free char *path = tree_path(journal->from.top, tree.paths[j]);
			auto_close int from = -1;

			if (!path)
				return error_errno(err, ENOMEM, "move");
			ret = hierarchy_open(hierarchy, path, &from, err);
			if (ret == 0)
				ret = settings_late(from, -1, remember_one, &remembering, err);
			if (ret < 0 && place_is_gone(hierarchy, tree.paths[j], path))
				ret = 0;
		}
	}
	return ret;
}

/* What is so already may be a file that nobody can write any more. */
static int set_late(int to, const struct late_setting *late, struct error *err)
{
	char has[4096];

	if (file_read_at(to, late->file, has, sizeof(has), NULL) >= 0) {
		if (strcmp(has, late->value) == 0)
			return 0;
		/* the word of a partition that is not valid, as it was */
		has[strcspn(has, " ")] = '\0';
		if (strcmp(late->file, "cpuset.cpus.partition") == 0 &&
		    strcmp(has, late->value) == 0)
			return 0;
	}
	return file_write_at(to, late->file, *late->value ? late->value : "\n", err);
}

int place_apply_late(const struct journal *journal, const struct hierarchies *hierarchies,
		     struct error *err)
{
	int ret = 0;

	for (size_t i = 0; ret == 0 && i < journal->late_count; i++) {
		const struct late_setting *late = &journal->late[i];
		auto_free char *path = tree_path(journal->to.top, late->cgroup);

		if (!path)
			return error_errno(err, ENOMEM, "move");
		for (size_t j = 0; ret == 0 && j < hierarchies->count; j++) {
			const struct hierarchy *hierarchy = &hierarchies->each[j];
			auto_close int to = -1;

			if (strcmp(hierarchy->name, late->hierarchy) != 0 ||
			    place_owns(&journal->to, hierarchy, NULL) != 1 ||
			    !hierarchy_has(hierarchy, path))
				continue;
			ret = hierarchy_open(hierarchy, path, &to, err);
			if (ret == 0)
				ret = set_late(to, late, err);
			if (ret < 0)
				error_prefix(err, ret, HIERARCHY_WORDS,
					     hierarchy_words(hierarchy, path));
		}
	}
	return ret;
}
