// SPDX-License-Identifier: GPL-2.0-or-later
#include "container/container.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/file.h>

#include "test.h"

/* An open directory of container "web" that is locked, as by a memcrun at work. */
static int locked(const struct scratch *root)
{
	char path[PATH_MAX];
	int fd;

	snprintf(path, sizeof(path), "%s/web", root->path);
	fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_true(fd >= 0);
	assert_int_equal(flock(fd, LOCK_EX), 0);
	return fd;
}

static int wait_for_move(const struct scratch *root, const char *id, struct error *err)
{
	const struct control control = { .until = control_now_usec() + 30000 };

	return container_wait_for_move(root->path, id, &control, err);
}

TEST(a_move_is_waited_for_as_long_as_there_is_time)
{
	auto_scratch struct scratch root = scratch_new();
	struct error err = { "" };
	int fd;

	scratch_dir(&root, "web");
	scratch_file(&root, "web/" JOURNAL_FILE, "{}");
	fd = locked(&root);
	assert_int_equal(wait_for_move(&root, "web", &err), -ETIMEDOUT);
	assert_string_equal(err.text, "a move is under way: not done in time");
	close(fd);
	assert_int_equal(wait_for_move(&root, "web", NULL), 0);
}

TEST(nobody_waits_for_an_update_or_for_a_move_that_was_interrupted)
{
	auto_scratch struct scratch root = scratch_new();
	int fd;

	scratch_dir(&root, "web");
	assert_int_equal(wait_for_move(&root, "web", NULL), 0);
	fd = locked(&root);
	assert_int_equal(wait_for_move(&root, "web", NULL), 0);
	close(fd);
	scratch_file(&root, "web/" JOURNAL_FILE, "{}");
	assert_int_equal(wait_for_move(&root, "web", NULL), 0);
}

TEST(what_is_no_container_is_for_crun_to_judge)
{
	auto_scratch struct scratch root = scratch_new();

	assert_int_equal(wait_for_move(&root, "web", NULL), 0);
	scratch_file(&root, "web", "");
	assert_int_equal(wait_for_move(&root, "web", NULL), 0);
}

TEST(a_lock_that_is_held_for_good_is_refused)
{
	auto_scratch struct scratch root = scratch_new();
	struct status status = STATUS_NONE;
	int fd;

	scratch_dir(&root, "web");
	fd = locked(&root);
	status.dirfd = status_open_directory(root.path, "web", NULL);
	assert_true(status.dirfd >= 0);
	assert_int_equal(container_lock(&status, 0, NULL), -EBUSY);
	close(fd);
	assert_int_equal(container_lock(&status, 0, NULL), 0);
	close(status.dirfd);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_move_is_waited_for_as_long_as_there_is_time),
		cmocka_unit_test(nobody_waits_for_an_update_or_for_a_move_that_was_interrupted),
		cmocka_unit_test(what_is_no_container_is_for_crun_to_judge),
		cmocka_unit_test(a_lock_that_is_held_for_good_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
