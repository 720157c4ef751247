// SPDX-License-Identifier: GPL-2.0-or-later
#include "kernel/tasks.h"

#include "base/file.h"
#include "native.h"

/* Short, for no plain file ever says that somebody has stopped or left. */
#define TIMEOUT_MS 20

static struct hierarchies alone(const struct scratch *dir, enum cgroup_mode mode,
				const char *name)
{
	struct hierarchies hierarchies = { .count = 1 };

	hierarchies.each[0] = (struct hierarchy){ .root = dir->fd, .mode = mode };
	strcpy(hierarchies.each[0].name, name);
	/* by this a v2 hierarchy is known for one that can freeze */
	if (mode == CGROUP_V2)
		scratch_file(dir, "cgroup.controllers", "");
	scratch_dir(dir, "box");
	return hierarchies;
}

static void assert_file(const struct scratch *dir, const char *name, const char *wanted)
{
	char text[256];

	assert_row(name, file_read_at(dir->fd, name, text, sizeof(text), NULL) >= 0);
	assert_row_text(name, text, wanted);
}

TEST(the_pids_of_a_file_are_read)
{
	auto_scratch struct scratch dir = scratch_new();
	auto_free pid_t *pids = NULL;

	scratch_file(&dir, "cgroup.procs", "1\n22\n4194303\n");
	assert_int_equal(tasks_read(dir.fd, "cgroup.procs", &pids, NULL), 3);
	assert_int_equal(pids[0], 1);
	assert_int_equal(pids[1], 22);
	assert_int_equal(pids[2], 4194303);
}

TEST(an_empty_file_has_none)
{
	auto_scratch struct scratch dir = scratch_new();
	auto_free pid_t *pids = NULL;

	scratch_file(&dir, "cgroup.procs", "");
	assert_int_equal(tasks_read(dir.fd, "cgroup.procs", &pids, NULL), 0);
}

/* The kernel says 0 for whom it cannot name to us. */
TEST(who_has_no_pid_here_is_counted)
{
	auto_scratch struct scratch dir = scratch_new();
	auto_free pid_t *pids = NULL;

	scratch_file(&dir, "cgroup.procs", "0\n5\n0\n");
	assert_int_equal(tasks_read(dir.fd, "cgroup.procs", &pids, NULL), 3);
	assert_int_equal(pids[0], 0);
	assert_int_equal(pids[1], 5);
	assert_int_equal(pids[2], 0);
}

TEST(many_short_lines_have_their_place)
{
	auto_scratch struct scratch dir = scratch_new();
	auto_free pid_t *pids = NULL;
	static char text[20001];

	for (size_t i = 0; i < 20000; i += 2)
		memcpy(text + i, "7\n", 2);
	/* the last without its end */
	text[19999] = '\0';
	scratch_file(&dir, "tasks", text);
	assert_int_equal(tasks_read(dir.fd, "tasks", &pids, NULL), 10000);
	assert_int_equal(pids[9999], 7);
}

TEST(a_file_that_is_missing_is_named_and_nothing_is_written)
{
	auto_scratch struct scratch dir = scratch_new();
	pid_t *pids = NULL;
	struct error err;

	assert_int_equal(tasks_read(dir.fd, "cgroup.procs", &pids, &err), -ENOENT);
	assert_string_equal(err.text, "cgroup.procs: cannot open: No such file or directory");
	assert_null(pids);
}

TEST(a_cgroup_has_tasks_by_the_file_of_its_kind)
{
	static const struct {
		enum cgroup_mode mode;
		const char *procs;
		const char *threads;
		const char *tasks;
		int any;
	} rows[] = {
		{ CGROUP_V2, "", "", "5\n", 0 },
		/* a first thread that has ended is named where it was */
		{ CGROUP_V2, "5\n", "", "", 0 },
		{ CGROUP_V2, "", "6\n", "", 1 },
		{ CGROUP_V1, "5\n", "5\n", "", 0 },
		{ CGROUP_V1, "", "", "5\n", 1 },
	};

	for (size_t i = 0; i < COUNT(rows); i++) {
		auto_scratch struct scratch dir = scratch_new();
		struct hierarchies hierarchies = alone(&dir, rows[i].mode, "");

		scratch_file(&dir, "box/cgroup.procs", rows[i].procs);
		scratch_file(&dir, "box/cgroup.threads", rows[i].threads);
		scratch_file(&dir, "box/tasks", rows[i].tasks);
		assert_int_equal(tasks_any(&hierarchies.each[0], "/box", NULL), rows[i].any);
	}
}

TEST(a_cgroup_that_is_gone_is_said_when_asked_for_tasks)
{
	auto_scratch struct scratch dir = scratch_new();
	struct hierarchies hierarchies = alone(&dir, CGROUP_V2, "");

	assert_int_equal(tasks_any(&hierarchies.each[0], "/gone", NULL), -ENOENT);
}

TEST(where_nobody_is_nobody_is_moved)
{
	auto_scratch struct scratch dir = scratch_new();
	struct hierarchies hierarchies = alone(&dir, CGROUP_V2, "");

	scratch_dir(&dir, "new");
	scratch_file(&dir, "box/cgroup.procs", "");
	scratch_file(&dir, "box/cgroup.threads", "");
	scratch_file(&dir, "new/cgroup.procs", "");
	assert_int_equal(tasks_move(&hierarchies.each[0], "/box", "/new", TIMEOUT_MS, NULL), 0);
	assert_file(&dir, "new/cgroup.procs", "");
}

TEST(a_process_whose_first_thread_has_ended_goes_by_another_thread)
{
	auto_scratch struct scratch dir = scratch_new();
	struct hierarchies hierarchies = alone(&dir, CGROUP_V2, "");
	char begin[5] = "";
	auto_close int fd = -1;

	scratch_dir(&dir, "new");
	/* the kernel names it where that thread was, and that may be elsewhere */
	scratch_file(&dir, "box/cgroup.procs", "");
	scratch_file(&dir, "box/cgroup.threads", "4711\n");
	scratch_file(&dir, "new/cgroup.procs", "");
	assert_int_equal(tasks_move(&hierarchies.each[0], "/box", "/new", TIMEOUT_MS, NULL),
			 -ETIMEDOUT);
	fd = openat(dir.fd, "new/cgroup.procs", O_RDONLY | O_CLOEXEC);
	assert_int_equal(read(fd, begin, 4), 4);
	assert_string_equal(begin, "4711");

	/* and it stays named there when all of it has gone */
	scratch_file(&dir, "box/cgroup.procs", "4710\n");
	scratch_file(&dir, "box/cgroup.threads", "");
	assert_int_equal(tasks_move(&hierarchies.each[0], "/box", "/new", TIMEOUT_MS, NULL), 1);
}

TEST(who_is_never_gone_is_given_up)
{
	auto_scratch struct scratch dir = scratch_new();
	struct hierarchies hierarchies = alone(&dir, CGROUP_V1, "memory");
	struct error err;
	char begin[5] = "";
	auto_close int fd = -1;

	scratch_dir(&dir, "new");
	scratch_file(&dir, "box/tasks", "4711\n");
	scratch_file(&dir, "new/tasks", "");
	assert_int_equal(tasks_move(&hierarchies.each[0], "/box", "/new", TIMEOUT_MS, &err),
			 -ETIMEDOUT);
	assert_string_equal(err.text, "/memory/box: 1 tasks are left after 0 s");
	fd = openat(dir.fd, "new/tasks", O_RDONLY | O_CLOEXEC);
	assert_int_equal(read(fd, begin, 4), 4);
	assert_string_equal(begin, "4711");
}

TEST(who_has_no_pid_here_cannot_be_moved)
{
	auto_scratch struct scratch dir = scratch_new();
	struct hierarchies hierarchies = alone(&dir, CGROUP_V2, "");
	struct error err;

	scratch_dir(&dir, "new");
	scratch_file(&dir, "box/cgroup.procs", "0\n");
	scratch_file(&dir, "new/cgroup.procs", "");
	assert_int_equal(tasks_move(&hierarchies.each[0], "/box", "/new", TIMEOUT_MS, &err),
			 -ESRCH);
	assert_string_equal(err.text, "/box: a task of another pid namespace");
	assert_file(&dir, "new/cgroup.procs", "");
}

TEST(whether_it_is_frozen_is_read_where_it_is_asked)
{
	static const struct {
		enum cgroup_mode mode;
		const char *file;
		const char *text;
		bool frozen;
	} rows[] = {
		{ CGROUP_V2, "box/cgroup.freeze", "0\n", false },
		{ CGROUP_V2, "box/cgroup.freeze", "1\n", true },
		{ CGROUP_V1, "box/freezer.state", "THAWED\n", false },
		{ CGROUP_V1, "box/freezer.state", "FREEZING\n", true },
		{ CGROUP_V1, "box/freezer.state", "FROZEN\n", true },
		/* no freezer */
		{ CGROUP_V2, "box/other", "1\n", false },
		{ CGROUP_V1, "box/other", "FROZEN\n", false },
	};

	for (size_t i = 0; i < COUNT(rows); i++) {
		auto_scratch struct scratch dir = scratch_new();
		struct hierarchies hierarchies = alone(&dir, rows[i].mode, "freezer");
		bool frozen = !rows[i].frozen;

		scratch_file(&dir, rows[i].file, rows[i].text);
		assert_row(rows[i].text,
			   freezer_read(&hierarchies, "/box", &frozen, NULL) == 0);
		assert_row(rows[i].text, frozen == rows[i].frozen);
	}
}

TEST(v2_is_frozen_when_its_events_say_so)
{
	static const struct {
		const char *events;
		bool freeze;
		int ret;
		const char *asked;
	} rows[] = {
		{ "populated 1\nfrozen 1\n", true, 0, "1" },
		{ "frozen 1\npopulated 1\n", true, 0, "1" },
		{ "populated 1\nfrozen 0\n", false, 0, "0" },
		/* it is thawed again */
		{ "populated 1\nfrozen 0\n", true, -ETIMEDOUT, "0" },
		{ "populated 1\nfrozen 10\n", true, -ETIMEDOUT, "0" },
		{ "populated 1\nunfrozen 1\n", true, -ETIMEDOUT, "0" },
		{ "populated 1\nfrozen 1\n", false, -ETIMEDOUT, "0" },
	};

	static const char never[] = "/box: cgroup.events: not \"frozen 1\" within 20 ms";
	static const char always[] = "/box: cgroup.events: not \"frozen 0\" within 20 ms";

	for (size_t i = 0; i < COUNT(rows); i++) {
		auto_scratch struct scratch dir = scratch_new();
		struct hierarchies hierarchies = alone(&dir, CGROUP_V2, "");
		struct error err = { "" };

		scratch_file(&dir, "box/cgroup.freeze", rows[i].freeze ? "0" : "1");
		scratch_file(&dir, "box/cgroup.events", rows[i].events);
		assert_row(rows[i].events, freezer_write(&hierarchies, "/box", rows[i].freeze,
							 TIMEOUT_MS, &err) == rows[i].ret);
		if (rows[i].ret < 0)
			assert_row_text(rows[i].events, err.text, rows[i].freeze ? never : always);
		assert_file(&dir, "box/cgroup.freeze", rows[i].asked);
	}
}

TEST(v1_is_frozen_when_its_state_says_so)
{
	auto_scratch struct scratch dir = scratch_new();
	struct hierarchies hierarchies = alone(&dir, CGROUP_V1, "freezer");

	scratch_file(&dir, "box/freezer.state", "THAWED");
	assert_int_equal(freezer_write(&hierarchies, "/box", true, TIMEOUT_MS, NULL), 0);
	assert_file(&dir, "box/freezer.state", "FROZEN");
	assert_int_equal(freezer_write(&hierarchies, "/box", false, TIMEOUT_MS, NULL), 0);
	assert_file(&dir, "box/freezer.state", "THAWED");

	/* a tail that stays is a state that it is not */
	scratch_file(&dir, "box/freezer.state", "FREEZING");
	assert_int_equal(freezer_write(&hierarchies, "/box", true, TIMEOUT_MS, NULL), -ETIMEDOUT);
	assert_file(&dir, "box/freezer.state", "THAWEDNG");
}

TEST(without_a_freezer_nothing_is_frozen)
{
	auto_scratch struct scratch dir = scratch_new();
	struct hierarchies hierarchies = alone(&dir, CGROUP_V2, "");
	struct error err;

	assert_int_equal(freezer_write(&hierarchies, "/box", true, TIMEOUT_MS, &err),
			 -EOPNOTSUPP);
	assert_string_equal(err.text, "/box: there is no freezer");
	hierarchies.count = 0;
	assert_int_equal(freezer_write(&hierarchies, "/box", true, TIMEOUT_MS, &err),
			 -EOPNOTSUPP);
}

TEST(who_is_killed_is_waited_for)
{
	auto_scratch struct scratch dir = scratch_new();
	struct error err;

	assert_int_equal(tasks_kill(dir.fd, TIMEOUT_MS, &err), -ENOENT);
	assert_string_equal(err.text, "cgroup.kill: cannot open: No such file or directory");

	scratch_file(&dir, "cgroup.kill", "");
	scratch_file(&dir, "cgroup.events", "populated 1\nfrozen 0\n");
	assert_int_equal(tasks_kill(dir.fd, TIMEOUT_MS, &err), -ETIMEDOUT);
	assert_string_equal(err.text, "cgroup.events: not \"populated 0\" within 20 ms");
	assert_file(&dir, "cgroup.kill", "1");

	scratch_file(&dir, "cgroup.events", "populated 0\nfrozen 0\n");
	assert_int_equal(tasks_kill(dir.fd, TIMEOUT_MS, &err), 0);
}

TEST(who_has_ended_does_not_keep_the_others)
{
	struct native *native = native_of(state);
	const struct hierarchy *real = &native->hierarchies.each[0];
	static const char *const lists[] = { "tasks", "cgroup.procs", "cgroup.threads" };
	auto_scratch struct scratch dir = scratch_new();
	struct hierarchies hierarchies = alone(&dir, real->mode, "");
	char target[64], to[96], text[64];

	/* a list with a pid that nobody has before the one of the process, and a real cgroup */
	snprintf(target, sizeof(target), "/proc/self/fd/%d", real->root);
	assert_int_equal(symlinkat(target, dir.fd, "real"), 0);
	snprintf(to, sizeof(to), "%s/to", native->path);
	assert_true(tree_make(real, to, NULL) >= 0);
	for (size_t i = 0; i < COUNT(lists); i++) {
		snprintf(to, sizeof(to), "box/%s", lists[i]);
		snprintf(text, sizeof(text), "%d\n%d\n", INT_MAX, native->pid);
		scratch_file(&dir, to, text);
	}
	snprintf(to, sizeof(to), "/real%s/to", native->path);
	/* a plain file always lists them */
	assert_int_equal(tasks_move(&hierarchies.each[0], "/box", to, TIMEOUT_MS, NULL),
			 -ETIMEDOUT);
	snprintf(to, sizeof(to), "%s/to", native->path);
	assert_int_equal(tasks_any(real, to, NULL), 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_pids_of_a_file_are_read),
		cmocka_unit_test(an_empty_file_has_none),
		cmocka_unit_test(who_has_no_pid_here_is_counted),
		cmocka_unit_test(many_short_lines_have_their_place),
		cmocka_unit_test(a_file_that_is_missing_is_named_and_nothing_is_written),
		cmocka_unit_test(a_cgroup_has_tasks_by_the_file_of_its_kind),
		cmocka_unit_test(a_cgroup_that_is_gone_is_said_when_asked_for_tasks),
		cmocka_unit_test(where_nobody_is_nobody_is_moved),
		cmocka_unit_test(a_process_whose_first_thread_has_ended_goes_by_another_thread),
		cmocka_unit_test(who_is_never_gone_is_given_up),
		cmocka_unit_test(who_has_no_pid_here_cannot_be_moved),
		cmocka_unit_test(whether_it_is_frozen_is_read_where_it_is_asked),
		cmocka_unit_test(v2_is_frozen_when_its_events_say_so),
		cmocka_unit_test(v1_is_frozen_when_its_state_says_so),
		cmocka_unit_test(without_a_freezer_nothing_is_frozen),
		cmocka_unit_test(who_is_killed_is_waited_for),
		native_test(who_has_ended_does_not_keep_the_others),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
