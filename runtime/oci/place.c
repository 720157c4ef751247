// SPDX-License-Identifier: GPL-2.0-or-later
#include "oci/place.h"

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
#include "kernel/programs.h"
#include "kernel/settings.h"
#include "kernel/tasks.h"
#include "kernel/tree.h"
#include "memory/charge.h"
#include "oci/scope.h"

void place_close(struct place *place)
{
	free(place->top);
	free(place->cgroup);
	free(place->scope);
	free(place->slice);
	*place = (struct place){ 0 };
}

static int no_memory(struct error *err)
{
	return error_errno(err, ENOMEM, "move");
}

/* The slice that a unit at `top` is in: only systemd's own are asked for it. */
static char *slice_of(const char *top)
{
	const char *end = strrchr(top, '/'), *start = end;

	while (start > top && start[-1] != '/')
		start--;
	return start < end ? strndup(start, (size_t)(end - start)) : strdup("-.slice");
}

int place_of(struct place *place, const struct hierarchies *hierarchies,
	     const struct status *status, struct error *err)
{
	const struct hierarchy *memory = hierarchies_memory(hierarchies);
	auto_free char *path = path_normal(status->cgroup_path);
	const char *found = NULL;
	size_t len = strlen(status->scope), top;
	struct place made = { 0 };
	int ret;

	if (!path)
		return no_memory(err);
	if (!*path)
		return error_set(err, ENOENT, "it has no cgroup of its own");
	/* ".." would leave the hierarchy */
	ret = path_check(path, err);
	if (ret < 0)
		return ret;
	top = strlen(path);
	if (status->systemd && len) {
		/* up to the unit: below it is what crun made in it */
		for (found = path; (found = strstr(found, status->scope)); found++) {
			if (found > path && found[-1] == '/' && (!found[len] || found[len] == '/'))
				break;
		}
		if (!found)
			return error_set(err, EINVAL, "its cgroup is not in its unit %s, \"%s\"",
					 status->scope, path);
		top = (size_t)(found - path) + len;
	}
	if (memory && !hierarchy_has(memory, path))
		return error_set(err, ENOENT, "its cgroup is gone, \"%s\"", path);

	if (asprintf(&made.top, "/%.*s", (int)(top - strspn(path, "/")),
		     path + strspn(path, "/")) < 0)
		made.top = NULL;
	if (asprintf(&made.cgroup, "/%s", hierarchy_relative(path)) < 0)
		made.cgroup = NULL;
	made.scope = strdup(status->systemd ? status->scope : "");
	made.slice = made.top ? slice_of(made.top) : NULL;
	if (!made.top || !made.cgroup || !made.scope || !made.slice) {
		place_close(&made);
		return no_memory(err);
	}
	*place = made;
	return 0;
}

/* "x.scope" to "x-m1.scope", "x-m1.scope" to "x-m2.scope": a unit's name is taken while it is. */
static char *next_scope(const char *scope)
{
	size_t len = strlen(scope) - strlen(".scope"), base = len;
	unsigned long number = 0;
	char *made;

	while (base > 0 && scope[base - 1] >= '0' && scope[base - 1] <= '9')
		base--;
	if (base < len && len - base < 9 && base > 2 && strncmp(scope + base - 2, "-m", 2) == 0) {
		number = strtoul(scope + base, NULL, 10);
		len = base - 2;
	}
	return asprintf(&made, "%.*s-m%lu.scope", (int)len, scope, number + 1) < 0 ? NULL : made;
}

static bool ends_with(const char *text, const char *end)
{
	size_t len = strlen(text), tail = strlen(end);

	return len > tail && strcmp(text + len - tail, end) == 0;
}

/* With systemd: the scope of a path, and the slice it is in, which must be all above. */
static int choose_unit(struct place *to, const struct place *from, const char *path,
		       const char *slice, struct error *err)
{
	auto_free char *manager = NULL;
	auto_free char *above = NULL;
	auto_free char *wanted = path ? path_normal(path) : NULL;
	int ret;

	if (path && !wanted)
		return no_memory(err);
	ret = scope_manager_path(scope_is_users(), &manager, err);
	if (ret < 0)
		return ret;
	if (path) {
		to->scope = strdup(strrchr(wanted, '/') + 1);
		to->slice = slice_of(wanted);
	} else {
		if (!ends_with(from->scope, ".scope"))
			return error_set(err, EINVAL, "its unit is no scope, \"%s\"", from->scope);
		to->scope = next_scope(from->scope);
		to->slice = strdup(slice);
	}
	if (!to->scope || !to->slice)
		return no_memory(err);
	if (!ends_with(to->scope, ".scope"))
		return error_set(err, EINVAL, "under systemd it must end in a scope's name, \"%s\"",
				 path);
	ret = scope_slice_path(to->slice, &above, err);
	if (ret < 0)
		return ret;
	if (asprintf(&to->top, "%s%s/%s", manager, above, to->scope) < 0) {
		to->top = NULL;
		return no_memory(err);
	}
	if (path && strcmp(to->top, wanted) != 0)
		return error_set(err, EINVAL, "systemd has %s at %s, \"%s\"", to->slice, to->top,
				 path);
	return 0;
}

static int choose_path(struct place *to, const struct place *from, const char *path,
		       const char *slice, struct error *err)
{
	auto_free char *above = NULL;
	int ret;

	to->scope = strdup("");
	to->slice = strdup("");
	if (!to->scope || !to->slice)
		return no_memory(err);
	if (path) {
		to->top = path_normal(path);
		return to->top ? 0 : no_memory(err);
	}
	ret = scope_slice_path(slice, &above, err);
	if (ret < 0)
		return ret;
	if (asprintf(&to->top, "%s%s", above, strrchr(from->top, '/')) < 0) {
		to->top = NULL;
		return no_memory(err);
	}
	return 0;
}

int place_choose(struct place *to, const struct place *from,
		 const struct hierarchies *hierarchies, bool systemd, const char *path,
		 const char *slice, struct error *err)
{
	struct place made = { 0 };
	int ret = 0;

	if (path)
		ret = path_check(path, err);
	if (ret == 0)
		ret = systemd ? choose_unit(&made, from, path, slice, err) :
				choose_path(&made, from, path, slice, err);
	if (ret == 0 && asprintf(&made.cgroup, "%s%s", made.top,
				 from->cgroup + strlen(from->top)) < 0) {
		made.cgroup = NULL;
		ret = no_memory(err);
	}
	if (ret == 0 && strcmp(made.top, from->top) == 0)
		ret = error_set(err, EEXIST, "it is there already, \"%s\"", made.top);
	if (ret == 0 && (path_is_below(made.top, from->top) || path_is_below(from->top, made.top)))
		ret = error_set(err, EINVAL, "one is inside the other, \"%s\" and \"%s\"",
				from->top, made.top);
	for (size_t i = 0; ret == 0 && i < hierarchies->count; i++) {
		if (hierarchy_has(&hierarchies->each[i], made.top))
			ret = error_set(err, EEXIST, "there is a cgroup already, \"%s\"", made.top);
	}
	if (ret < 0) {
		place_close(&made);
		return ret;
	}
	*to = made;
	return 0;
}

/* --- looking */

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

/*
 * Controllers of `from` that children of the cgroup at `above` would not get. Returns how
 * many, each is enabled when `enable`.
 */
static int need_controllers(int from, int above, bool enable, struct error *err)
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
		if (!has_word(had, word, strlen(word)))
			return error_set(err, EOPNOTSUPP, "the controller %s cannot be had there",
					 word);
		snprintf(request, sizeof(request), "+%s", word);
		ret = enable ? file_write_at(above, "cgroup.subtree_control", request, err) : 0;
		if (ret < 0)
			return ret;
	}
	return missing;
}

/*
 * Call `each` for every cgroup above `path` that exists, from the root down. Stops at the
 * first negative value.
 */
static int for_each_above(const struct hierarchy *hierarchy, const char *path,
			  int (*each)(void *context, const char *above, int dirfd,
				      struct error *err),
			  void *context, struct error *err)
{
	auto_free char *above = strdup(path);
	char *slash;
	int ret = 0;

	if (!above)
		return no_memory(err);
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
	bool writable;		/* the last one that exists */
};

static int look_above(void *context, const char *above, int dirfd, struct error *err)
{
	struct looking *looking = context;
	const struct hierarchy *hierarchy = looking->hierarchy;
	int ret = 0, missing = 0;

	if (hierarchy->mode == CGROUP_V2 && !looking->journal->systemd) {
		missing = need_controllers(looking->from, dirfd, false, err);
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
			ret = for_each_above(hierarchy, journal->to.top, look_above, &looking, err);
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
		for_each_above(&hierarchies->each[i], journal->to.top, count_one, &there, NULL);
		journal->made[i] = all > there ? all - there : 0;
	}
}

/* --- making */

static int enable_above(void *context, const char *above, int dirfd, struct error *err)
{
	const struct looking *looking = context;
	int ret = need_controllers(looking->from, dirfd, true, err);

	return ret < 0 ? error_prefix(err, ret, "%s", above) : 0;
}

/*
 * The cgroups above the destination, with the controllers that it needs: systemd knows
 * some of them only (not hugetlb), and leaves the others to whoever wants them.
 */
static int make_above(const struct journal *journal, const struct hierarchy *hierarchy, int from,
		      struct error *err)
{
	struct looking looking = { .journal = journal, .hierarchy = hierarchy, .from = from };
	auto_free char *above = strdup(journal->to.top);
	char *slash;
	int ret;

	if (!above)
		return no_memory(err);
	slash = strrchr(above, '/');
	*slash = '\0';
	ret = tree_make(hierarchy, above, err);
	if (ret >= 0 && hierarchy->mode == CGROUP_V2)
		ret = for_each_above(hierarchy, journal->to.top, enable_above, &looking, err);
	return ret < 0 ? ret : 0;
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
	/* of the top the move decides */
	if (ret == 0 && !is_top &&
	    file_read_at(from, "cgroup.freeze", frozen, sizeof(frozen), NULL) == 1 &&
	    frozen[0] == '1')
		ret = file_write_at(to, "cgroup.freeze", frozen, err);
	return ret;
}

/* systemd inside a container may remove a cgroup below its own at any moment. */
static bool is_gone(const struct hierarchy *hierarchy, const char *path, const char *whole)
{
	return *path && !hierarchy_has(hierarchy, whole);
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
		return no_memory(err);
	if (only_missing && hierarchy_has(hierarchy, to_path))
		return 0;
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
	if (ret < 0 && is_gone(hierarchy, path, from_path)) {
		unlinkat(hierarchy->root, hierarchy_relative(to_path), AT_REMOVEDIR);
		return 0;
	}
	return ret;
}

static int build_in(const struct journal *journal, const struct hierarchy *hierarchy,
		    bool only_missing, struct error *err)
{
	auto_tree struct tree tree = { 0 };
	auto_close int from = -1;
	int ret;

	ret = tree_read(&tree, hierarchy, journal->from.top, err);
	if (ret == 0)
		ret = hierarchy_open(hierarchy, journal->from.top, &from, err);
	if (ret == 0 && !(only_missing && hierarchy_has(hierarchy, journal->to.top)))
		ret = make_above(journal, hierarchy, from, err);
	for (size_t i = 0; ret == 0 && i < tree.count; i++) {
		if (!journal->systemd || strcmp(tree.paths[i], PLACE_HOLD) != 0)
			ret = build_one(journal, hierarchy, tree.paths[i], only_missing, err);
	}
	return ret;
}

/* The scope, with the holder in a cgroup of its own, so that it can have children. */
static int build_scope(const struct journal *journal, const struct hierarchies *hierarchies,
		       pid_t holder, struct error *err)
{
	const struct hierarchy *freezer = hierarchies_freezer(hierarchies);
	const struct hierarchy *memory = hierarchies_memory(hierarchies);
	auto_free char *hold = tree_path(journal->to.top, PLACE_HOLD);
	char pid[16];
	int ret;

	if (!hold)
		return no_memory(err);
	if (!(freezer && hierarchy_has(freezer, journal->to.top)) &&
	    !(memory && hierarchy_has(memory, journal->to.top))) {
		ret = scope_start(scope_is_users(), journal->to.scope, journal->to.slice,
				  journal->from.scope, holder, err);
		if (ret < 0)
			return ret;
	}
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

int place_build(const struct journal *journal, const struct hierarchies *hierarchies,
		bool only_missing, pid_t holder, struct error *err)
{
	int ret = 0;

	if (journal->systemd && holder > 0)
		ret = build_scope(journal, hierarchies, holder, err);
	for (size_t i = 0; ret == 0 && i < hierarchies->count; i++) {
		const struct hierarchy *hierarchy = &hierarchies->each[i];

		if (hierarchy_has(hierarchy, journal->from.top))
			ret = build_in(journal, hierarchy, only_missing, err);
	}
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
		return no_memory(err);
	ret = hierarchy_open(hierarchy, from_path, &from, err);
	if (ret == 0)
		ret = hierarchy_open(hierarchy, to_path, &to, err);
	if (ret == 0) {
		ret = settings_copy(from, to, SETTINGS_EARLY, err);
		if (ret < 0)
			error_prefix(err, ret, HIERARCHY_WORDS,
				     hierarchy_words(hierarchy, to_path));
	}
	return ret < 0 && is_gone(hierarchy, path, from_path) ? 0 : ret;
}

int place_settle(const struct journal *journal, const struct hierarchies *hierarchies,
		 struct error *err)
{
	int ret = 0;

	for (size_t i = 0; ret == 0 && i < hierarchies->count; i++) {
		const struct hierarchy *hierarchy = &hierarchies->each[i];
		auto_tree struct tree tree = { 0 };

		if (!hierarchy_has(hierarchy, journal->from.top))
			continue;
		ret = tree_read(&tree, hierarchy, journal->from.top, err);
		for (size_t j = 0; ret == 0 && j < tree.count; j++) {
			if (!journal->systemd || strcmp(tree.paths[j], PLACE_HOLD) != 0)
				ret = settle_one(journal, hierarchy, tree.paths[j], err);
		}
	}
	return ret;
}

/* --- what is set at the end */

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

		if (!hierarchy_has(hierarchy, journal->from.top))
			continue;
		ret = tree_read(&tree, hierarchy, journal->from.top, err);
		for (size_t j = 0; ret == 0 && j < tree.count; j++) {
			struct remembering remembering = { journal, hierarchy->name,
							   tree.paths[j] };
			auto_free char *path = tree_path(journal->from.top, tree.paths[j]);
			auto_close int from = -1;

			if (!path)
				return no_memory(err);
			ret = hierarchy_open(hierarchy, path, &from, err);
			if (ret == 0)
				ret = settings_late(from, -1, remember_one, &remembering, err);
			if (ret < 0 && is_gone(hierarchy, tree.paths[j], path))
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
			return no_memory(err);
		for (size_t j = 0; ret == 0 && j < hierarchies->count; j++) {
			const struct hierarchy *hierarchy = &hierarchies->each[j];
			auto_close int to = -1;

			if (strcmp(hierarchy->name, late->hierarchy) != 0 ||
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
