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
#include "kernel/owner.h"
#include "kernel/programs.h"
#include "kernel/settings.h"
#include "kernel/tree.h"
#include "move/destination-above.h"
#include "systemd/scope.h"

static int enable_above(void *context, const char *above, int dirfd, struct error *err)
{
	const int *from = context;
	int ret = place_need_controllers(*from, dirfd, NEED_ENABLE, err);

	return ret < 0 ? error_prefix(err, ret, "%s", above) : 0;
}

/*
 * The cgroups above the destination, with the controllers that it needs: systemd knows
 * some of them only (not hugetlb), and leaves the others to whoever wants them. Returns
 * how many were made.
 */
static int make_above(const struct journal *journal, const struct hierarchy *hierarchy, int from,
		      struct error *err)
{
	auto_free char *above = strdup(journal->to.top);
	char *slash;
	int made, ret;

	if (!above)
		return error_errno(err, ENOMEM, "move");
	slash = strrchr(above, '/');
	*slash = '\0';
	made = tree_make(hierarchy, above, err);
	if (made < 0 || hierarchy->mode == CGROUP_V1)
		return made;
	ret = place_for_each_above(hierarchy, journal->to.top, enable_above, &from, err);
	return ret < 0 ? ret : made;
}

static int fill(const struct hierarchy *hierarchy, int from, int to, bool is_top,
		struct error *err)
{
	char frozen[8];
	int ret;

	ret = settings_copy_type(from, to, err);
	if (ret == 0)
		ret = settings_copy(from, to, SETTINGS_EARLY, err);
	if (ret == 0)
		ret = settings_compare(from, to, err);
	if (ret == 0 && hierarchy->mode == CGROUP_V2) {
		ret = programs_copy(from, to, err);
		/* who may not see them could not have attached any either */
		if (ret == -EPERM && scope_is_users())
			ret = 0;
	}
	if (ret >= 0)
		ret = settings_copy_subtree(from, to, err);
	if (ret >= 0)
		ret = owner_copy(from, to, err);
	/* of the top the move decides */
	if (ret == 0 && !is_top &&
	    file_read_at(from, "cgroup.freeze", frozen, sizeof(frozen), NULL) == 1 &&
	    frozen[0] == '1')
		ret = file_write_at(to, "cgroup.freeze", frozen, err);
	return ret;
}

static int build_one(const struct journal *journal, const struct hierarchy *hierarchy,
		     const char *path, bool only_missing, struct error *err)
{
	auto_free char *from_path = tree_path(journal->from.top, path);
	auto_free char *to_path = tree_path(journal->to.top, path);
	auto_close int from = -1;
	auto_close int to = -1;
	int ret;

	if (!from_path || !to_path)
		return error_errno(err, ENOMEM, "move");
	if (only_missing && hierarchy_has(hierarchy, to_path))
		return 0;
	/* what could be made, and not be opened by its path again, could not be removed either */
	if (strlen(to_path) > TREE_PATH_MAX)
		return error_set(err, ENAMETOOLONG, "%s: the path of a cgroup below it has more "
				 "than %d bytes", journal->to.top, TREE_PATH_MAX);
	ret = hierarchy_open(hierarchy, from_path, &from, err);
	if (ret == 0)
		ret = tree_make(hierarchy, to_path, err);
	if (ret >= 0)
		ret = hierarchy_open(hierarchy, to_path, &to, err);
	if (ret == 0) {
		ret = fill(hierarchy, from, to, !*path, err);
		if (ret < 0)
			error_prefix(err, ret, HIERARCHY_WORDS,
				     hierarchy_words(hierarchy, to_path));
	}
	if (ret < 0 && place_is_gone(hierarchy, path, from_path)) {
		unlinkat(hierarchy->root, hierarchy_relative(to_path), AT_REMOVEDIR);
		return 0;
	}
	return ret;
}

static int build_in(const struct journal *journal, const struct hierarchy *hierarchy,
		    bool only_missing, struct error *err)
{
	auto_tree struct tree tree = { 0 };
	int ret = tree_read(&tree, hierarchy, journal->from.top, err);

	for (size_t i = 0; ret == 0 && i < tree.count; i++) {
		if (!journal->systemd || strcmp(tree.paths[i], PLACE_HOLD) != 0)
			ret = build_one(journal, hierarchy, tree.paths[i], only_missing, err);
	}
	return ret;
}

/* The holder in a cgroup of its own, so that the scope can have children. */
static int make_hold(const struct journal *journal, const struct hierarchies *hierarchies,
		     pid_t holder, struct error *err)
{
	auto_free char *hold = tree_path(journal->to.top, PLACE_HOLD);
	char pid[16];
	int ret = 0;

	if (!hold)
		return error_errno(err, ENOMEM, "move");
	snprintf(pid, sizeof(pid), "%d", holder);
	for (size_t i = 0; i < hierarchies->count; i++) {
		const struct hierarchy *hierarchy = &hierarchies->each[i];
		auto_close int dirfd = -1;

		if (hierarchy->mode != CGROUP_V2 || !hierarchy_has(hierarchy, journal->to.top))
			continue;
		ret = tree_make(hierarchy, hold, err);
		if (ret >= 0)
			ret = hierarchy_open(hierarchy, hold, &dirfd, err);
		if (ret == 0)
			ret = file_write_at(dirfd, "cgroup.procs", pid, err);
		if (ret < 0)
			return error_prefix(err, ret, "%s", hold);
	}
	return 0;
}

/*
 * The scope. systemd starts none where there is a unit of that name, so that what has started
 * is ours; one that is there already must have been taken.
 */
static int make_scope(struct journal *journal, const struct hierarchies *hierarchies,
		      pid_t holder, struct error *err)
{
	const struct hierarchy *units = hierarchies_systemd(hierarchies);
	bool owned = false;
	int ret = 0;

	for (size_t i = 0; i < hierarchies->count; i++) {
		const struct hierarchy *hierarchy = &hierarchies->each[i];

		ret = place_owns(&journal->to, hierarchy, err);
		if (ret < 0)
			return ret;
		/* in others it may be left of a scope that has gone */
		owned = owned || (ret && hierarchy == units);
	}
	if (!owned) {
		ret = scope_start(scope_is_users(), journal->to.scope, journal->to.slice,
				  journal->from.scope, holder, err);
		if (ret < 0)
			return ret;
		for (size_t i = 0; ret == 0 && i < hierarchies->count; i++) {
			if (hierarchy_has(&hierarchies->each[i], journal->to.top))
				ret = place_take(&journal->to, &hierarchies->each[i], false, err);
		}
		if (ret < 0)
			return ret;
	}
	return make_hold(journal, hierarchies, holder, err);
}

/* Returns how many were made above it. */
static int make_top(struct journal *journal, const struct hierarchy *hierarchy,
		    struct error *err)
{
	auto_close int from = -1;
	int made, owned, ret;

	owned = place_owns(&journal->to, hierarchy, err);
	if (owned < 0)
		return owned;
	ret = hierarchy_open(hierarchy, journal->from.top, &from, err);
	if (ret < 0 || (owned && place_is_filled(&journal->to, hierarchy)))
		return ret;
	/* also above a scope that systemd has just started, with the controllers it knows */
	made = make_above(journal, hierarchy, from, err);
	if (made < 0 || owned)
		return made < 0 ? made : 0;
	/* in what is below a unit that it has started systemd may be before us */
	ret = journal->systemd ? tree_make(hierarchy, journal->to.top, err) :
				 tree_make_new(hierarchy, journal->to.top, err);
	if (ret >= 0)
		ret = place_take(&journal->to, hierarchy, false, err);
	return ret < 0 ? ret : made;
}

int place_make(struct journal *journal, const struct hierarchies *hierarchies, pid_t holder,
	       bool count, struct error *err)
{
	int ret = 0;

	if (journal->systemd && holder > 0)
		ret = make_scope(journal, hierarchies, holder, err);
	for (size_t i = 0; ret >= 0 && i < hierarchies->count; i++) {
		const struct hierarchy *hierarchy = &hierarchies->each[i];

		if (place_owns(&journal->from, hierarchy, NULL) != 1)
			continue;
		ret = make_top(journal, hierarchy, err);
		if (ret >= 0 && count && !journal->systemd)
			journal->made[i] = (unsigned int)ret;
	}
	return ret < 0 ? ret : 0;
}

int place_build(struct journal *journal, const struct hierarchies *hierarchies,
		bool only_missing, struct error *err)
{
	int ret = 0;

	for (size_t i = 0; ret == 0 && i < hierarchies->count; i++) {
		const struct hierarchy *hierarchy = &hierarchies->each[i];

		if (place_owns(&journal->from, hierarchy, NULL) != 1)
			continue;
		ret = place_owns(&journal->to, hierarchy, err);
		if (ret >= 0)
			ret = build_in(journal, hierarchy, only_missing &&
				       place_is_filled(&journal->to, hierarchy), err);
	}
	if (ret == 0)
		place_set_filled(&journal->to);
	return ret;
}

/*
 * What somebody has changed in `from` since it was copied. Not what the move itself sets in
 * `to`: that is late.
 */
static int settle_one(const struct journal *journal, const struct hierarchy *hierarchy,
		      const char *path, struct error *err)
{
	auto_free char *from_path = tree_path(journal->from.top, path);
	auto_free char *to_path = tree_path(journal->to.top, path);
	auto_close int from = -1;
	auto_close int to = -1;
	int ret;

	if (!from_path || !to_path)
		return error_errno(err, ENOMEM, "move");
	ret = hierarchy_open(hierarchy, from_path, &from, err);
	if (ret == 0)
		ret = hierarchy_open(hierarchy, to_path, &to, err);
	if (ret == 0) {
		ret = settings_copy(from, to, SETTINGS_EARLY, err);
		if (ret < 0)
			error_prefix(err, ret, HIERARCHY_WORDS,
				     hierarchy_words(hierarchy, to_path));
	}
	return ret < 0 && place_is_gone(hierarchy, path, from_path) ? 0 : ret;
}

int place_settle(const struct journal *journal, const struct hierarchies *hierarchies,
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
			if (!journal->systemd || strcmp(tree.paths[j], PLACE_HOLD) != 0)
				ret = settle_one(journal, hierarchy, tree.paths[j], err);
		}
	}
	return ret;
}

void place_remove_made(const struct journal *journal, const struct hierarchies *hierarchies)
{
	for (size_t i = 0; i < hierarchies->count; i++) {
		auto_free char *path = strdup(journal->to.top);

		for (unsigned int n = 0; path && n < journal->made[i]; n++) {
			char *slash = strrchr(path, '/');

			if (slash == path)
				break;
			*slash = '\0';
			if (unlinkat(hierarchies->each[i].root, hierarchy_relative(path),
				     AT_REMOVEDIR) < 0 && errno != ENOENT)
				break;
		}
	}
}
