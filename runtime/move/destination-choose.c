// SPDX-License-Identifier: GPL-2.0-or-later
#include "move/destination.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "kernel/path.h"
#include "systemd/scope.h"

static int no_memory(struct error *err)
{
	return error_errno(err, ENOMEM, "move");
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
		to->slice = place_slice(wanted);
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
