// SPDX-License-Identifier: GPL-2.0-or-later
#include "move/attach.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/file.h"
#include "base/grow.h"
#include "kernel/tasks.h"
#include "kernel/tree.h"

int move_each_cgroup(struct move *move,
		     int (*each)(struct move *move, const struct hierarchy *hierarchy,
				 const char *path, struct error *err),
		     struct error *err)
{
	const char *top = move->journal.from.top;
	int ret = 0;

	for (size_t i = 0; ret >= 0 && i < move->hierarchies.count; i++) {
		const struct hierarchy *hierarchy = &move->hierarchies.each[i];
		auto_tree struct tree tree = { 0 };

		if (place_owns(&move->journal.from, hierarchy, NULL) != 1)
			continue;
		ret = tree_read(&tree, hierarchy, top, err);
		/* removed at this moment, by systemd: then nothing is in it */
		if (ret == -ENOENT || ret == -ENODEV)
			ret = 0;
		for (size_t j = 0; ret >= 0 && j < tree.count; j++) {
			if (!move->journal.systemd || strcmp(tree.paths[j], PLACE_HOLD) != 0)
				ret = each(move, hierarchy, tree.paths[j], err);
		}
	}
	return ret < 0 ? ret : 0;
}

/* Threads that are in a threaded cgroup below their process's: moving it gathers them. */
struct threads {
	char *path;
	pid_t *tids;
	int count;
};

struct thread_list {
	size_t count;
	struct threads *each;
};

static void thread_list_free(struct thread_list *list)
{
	for (size_t i = 0; i < list->count; i++) {
		free(list->each[i].path);
		free(list->each[i].tids);
	}
	free(list->each);
}

#define auto_thread_list __attribute__((cleanup(thread_list_free)))

static int threads_remember(const struct move *move, struct thread_list *list, struct error *err)
{
	const struct hierarchy *hierarchy = hierarchies_freezer(&move->hierarchies);
	const char *top = move->journal.from.top;
	auto_tree struct tree tree = { 0 };
	int ret;

	if (!hierarchy || hierarchy->mode != CGROUP_V2 ||
	    place_owns(&move->journal.from, hierarchy, NULL) != 1)
		return 0;
	ret = tree_read(&tree, hierarchy, top, err);
	for (size_t i = 0; ret >= 0 && i < tree.count; i++) {
		auto_free char *path = tree_path(top, tree.paths[i]);
		struct threads *larger;
		auto_close int dirfd = -1;
		char type[32];

		if (!path)
			return error_errno(err, ENOMEM, "move");
		if (hierarchy_open(hierarchy, path, &dirfd, NULL) < 0 ||
		    file_read_at(dirfd, "cgroup.type", type, sizeof(type), NULL) < 0 ||
		    strcmp(type, "threaded") != 0)
			continue;
		larger = grow(list->each, list->count, sizeof(*larger));
		if (!larger)
			return error_errno(err, ENOMEM, "move");
		list->each = larger;
		larger += list->count;
		*larger = (struct threads){ .path = strdup(tree.paths[i]) };
		list->count++;
		ret = tasks_read(dirfd, "cgroup.threads", &larger->tids, err);
		larger->count = ret;
		if (ret >= 0 && !larger->path)
			ret = error_errno(err, ENOMEM, "move");
	}
	return ret < 0 ? ret : 0;
}

static int threads_place(const struct move *move, const struct thread_list *list,
			 struct error *err)
{
	const struct hierarchy *hierarchy = hierarchies_freezer(&move->hierarchies);
	char tid[16];
	int ret;

	for (size_t i = 0; i < list->count; i++) {
		auto_free char *path = tree_path(move->journal.to.top, list->each[i].path);
		auto_close int dirfd = -1;

		if (!path)
			return error_errno(err, ENOMEM, "move");
		ret = hierarchy_open(hierarchy, path, &dirfd, err);
		for (int j = 0; ret == 0 && j < list->each[i].count; j++) {
			snprintf(tid, sizeof(tid), "%d", list->each[i].tids[j]);
			ret = file_write_at(dirfd, "cgroup.threads", tid, err);
			if (ret == -ESRCH)
				ret = 0;
		}
		if (ret < 0)
			return error_prefix(err, ret, "%s", path);
	}
	return 0;
}

int move_tasks_of(struct move *move, const struct hierarchy *hierarchy, const char *path,
		  struct error *err)
{
	auto_free char *from = tree_path(move->journal.from.top, path);
	auto_free char *to = tree_path(move->journal.to.top, path);
	int ret;

	if (!from || !to)
		return error_errno(err, ENOMEM, "move");
	ret = place_owns(&move->journal.to, hierarchy, err);
	if (ret < 0)
		return ret;
	if (!hierarchy_has(hierarchy, to)) {
		/* made since, by a container that runs on: it will be made there, too */
		if (tasks_any(hierarchy, from, NULL) != 1)
			return 0;
		return error_set(err, ENOENT, "%s: not made", to);
	}
	ret = tasks_move(hierarchy, from, to, move_patience(move), err);
	if (ret < 0)
		return hierarchy_has(hierarchy, from) ? ret : 0;
	if (hierarchy == move->memory)
		move->result->tasks += ret;
	return 0;
}

static int any_tasks_of(struct move *move, const struct hierarchy *hierarchy, const char *path,
			struct error *err)
{
	auto_free char *from = tree_path(move->journal.from.top, path);
	int ret;

	if (!from)
		return error_errno(err, ENOMEM, "move");
	ret = tasks_any(hierarchy, from, err);
	/* move_each_cgroup() stops at what is negative */
	return ret == 1 ? -EAGAIN : ret == -ENOENT || ret == -ENODEV ? 0 : ret;
}

/* Until none is left: in a container that runs on, one cgroup fills from another. */
int move_tasks(struct move *move, struct error *err)
{
	auto_thread_list struct thread_list threads = { 0 };
	int64_t until = control_now_usec() + (int64_t)move_patience(move) * 1000;
	int ret;

	control_tell(&move->control, "tasks", 0, 0);
	ret = threads_remember(move, &threads, err);
	while (ret == 0) {
		if (move->journal.live)
			ret = place_build(&move->journal, &move->hierarchies, true, err);
		if (ret == 0)
			ret = move_each_cgroup(move, move_tasks_of, err);
		if (ret < 0)
			return ret;
		ret = move_each_cgroup(move, any_tasks_of, err);
		if (ret != -EAGAIN)
			break;
		if (control_now_usec() >= until)
			return error_set(err, ETIMEDOUT, "tasks are left in %s",
					 move->journal.from.top);
		ret = control_go_on(&move->control, err);
		poll(NULL, 0, 1);
	}
	return ret < 0 ? ret : threads_place(move, &threads, err);
}
