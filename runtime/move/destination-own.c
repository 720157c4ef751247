// SPDX-License-Identifier: GPL-2.0-or-later
#include "move/destination.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/control.h"

static struct place_id *find(const struct place *place, const struct hierarchy *hierarchy)
{
	for (size_t i = 0; i < place->id_count; i++) {
		if (strcmp(place->ids[i].hierarchy, hierarchy->name) == 0)
			return (struct place_id *)&place->ids[i];
	}
	return NULL;
}

int place_owns(const struct place *place, const struct hierarchy *hierarchy, struct error *err)
{
	const struct place_id *id = find(place, hierarchy);
	struct stat st;

	if (fstatat(hierarchy->root, hierarchy_relative(place->top), &st, AT_SYMLINK_NOFOLLOW) < 0)
		return errno == ENOENT ? 0 :
		       error_errno(err, errno, HIERARCHY_WORDS,
				   hierarchy_words(hierarchy, place->top));
	if (id && id->inode == st.st_ino)
		return 1;
	return error_set(err, EEXIST, "there is a cgroup already, \"" HIERARCHY_WORDS "\"",
			 hierarchy_words(hierarchy, place->top));
}

bool place_is_filled(const struct place *place, const struct hierarchy *hierarchy)
{
	const struct place_id *id = find(place, hierarchy);

	return id && id->filled;
}

int place_take(struct place *place, const struct hierarchy *hierarchy, bool filled,
	       struct error *err)
{
	struct place_id *id = find(place, hierarchy);
	struct stat st;

	if (fstatat(hierarchy->root, hierarchy_relative(place->top), &st, AT_SYMLINK_NOFOLLOW) < 0)
		return error_errno(err, errno, HIERARCHY_WORDS,
				   hierarchy_words(hierarchy, place->top));
	if (!id) {
		if (place->id_count == HIERARCHIES_MAX)
			return error_set(err, E2BIG, "more than %d hierarchies", HIERARCHIES_MAX);
		id = &place->ids[place->id_count++];
		strcpy(id->hierarchy, hierarchy->name);
	}
	id->inode = st.st_ino;
	id->filled = filled;
	return 0;
}

int place_take_all(struct place *place, const struct hierarchies *hierarchies, struct error *err)
{
	int ret = 0;

	for (size_t i = 0; ret == 0 && i < hierarchies->count; i++) {
		if (hierarchy_has(&hierarchies->each[i], place->top))
			ret = place_take(place, &hierarchies->each[i], true, err);
	}
	return ret;
}

void place_set_filled(struct place *place)
{
	for (size_t i = 0; i < place->id_count; i++)
		place->ids[i].filled = true;
}

void place_drop_untaken(const struct place *place, const struct hierarchies *hierarchies,
			int timeout_ms)
{
	int64_t until = control_now_usec() + (int64_t)timeout_ms * 1000;

	for (size_t i = 0; i < hierarchies->count; i++) {
		const struct hierarchy *hierarchy = &hierarchies->each[i];

		if (find(place, hierarchy))
			continue;
		/* a scope goes with its last process, the holder, which died with its parent */
		while (*place->scope && hierarchy_has(hierarchy, place->top) &&
		       control_now_usec() < until)
			poll(NULL, 0, 10);
		/* of v1's hierarchies systemd leaves some alone */
		unlinkat(hierarchy->root, hierarchy_relative(place->top), AT_REMOVEDIR);
	}
}

bool place_is_gone(const struct hierarchy *hierarchy, const char *path, const char *whole)
{
	return *path && !hierarchy_has(hierarchy, whole);
}
