// SPDX-License-Identifier: GPL-2.0-or-later
#include "container/container.h"

#include <dirent.h>
#include <sys/file.h>

#include "native.h"

/* Long: it ends only a test that hangs. */
#define TIMEOUT_MS 20000

TEST(a_container_is_found_by_its_record)
{
	struct native *native = native_of(state);
	auto_container struct container container = CONTAINER_NONE;

	native_record(native, native->path, "{}");
	assert_int_equal(container_open(&container, native->state.path, NATIVE_ID, NULL), 0);
	assert_string_equal(container.place.cgroup, native->path);
	assert_int_equal(container.status.pid, native->pid);
	assert_non_null(container.memory);
}

TEST(a_container_in_use_is_waited_for_and_then_refused)
{
	struct native *native = native_of(state);
	auto_container struct container holder = CONTAINER_NONE;
	auto_container struct container second = CONTAINER_NONE;
	auto_container struct container third = CONTAINER_NONE;
	struct error err;

	native_record(native, native->path, "{}");
	assert_int_equal(container_open_locked(&holder, native->state.path, NATIVE_ID, 0, NULL), 0);
	assert_int_equal(container_open_locked(&second, native->state.path, NATIVE_ID, 0, &err),
			 -EBUSY);
	assert_string_equal(err.text, "another memcrun is moving or updating it");
	/* the lock is the descriptor's that was opened first, and goes with it */
	container_close(&holder);
	holder = (struct container)CONTAINER_NONE;
	assert_int_equal(container_open_locked(&third, native->state.path, NATIVE_ID, 0, NULL), 0);
}

/* Does process `pid` have the container's directory open? */
static bool has_open(const struct native *native, pid_t pid)
{
	char name[64], wanted[128], target[PATH_MAX];
	const struct dirent *entry;
	bool found = false;
	ssize_t len;
	DIR *dir;

	snprintf(name, sizeof(name), "/proc/%d/fd", pid);
	snprintf(wanted, sizeof(wanted), "%s/" NATIVE_ID, native->state.path);
	dir = opendir(name);
	assert_non_null(dir);
	while (!found && (entry = readdir(dir))) {
		len = readlinkat(dirfd(dir), entry->d_name, target, sizeof(target) - 1);
		target[len < 0 ? 0 : len] = '\0';
		found = strcmp(target, wanted) == 0;
	}
	closedir(dir);
	return found;
}

/*
 * A process that opens the container as soon as it is free, and exits with the error. It
 * gives up `held`, which it has from us, before this returns.
 */
static pid_t start_waiter(const struct native *native, int held)
{
	struct container container = CONTAINER_NONE;
	int ends[2];
	char byte;
	pid_t pid;

	assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		close(held);
		close(ends[1]);
		_exit(-container_open_locked(&container, native->state.path, NATIVE_ID, TIMEOUT_MS,
					     NULL));
	}
	close(ends[1]);
	assert_int_equal(read(ends[0], &byte, 1), 0);
	close(ends[0]);
	return pid;
}

TEST(a_container_that_was_made_again_meanwhile_is_another_one)
{
	struct native *native = native_of(state);
	auto_close int held = -1;
	pid_t waiter;
	int status;

	native_record(native, native->path, "{}");
	held = openat(native->state.fd, NATIVE_ID, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_int_equal(flock(held, LOCK_EX), 0);
	waiter = start_waiter(native, held);
	for (int tries = 0; !has_open(native, waiter); tries++) {
		assert_true(tries < TIMEOUT_MS);
		usleep(1000);
	}
	assert_int_equal(renameat(native->state.fd, NATIVE_ID, native->state.fd, "deleted"), 0);
	native_record(native, native->path, "{}");
	close(take_fd(&held));
	assert_int_equal(waitpid(waiter, &status, 0), waiter);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), EBUSY);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		native_test(a_container_is_found_by_its_record),
		native_test(a_container_in_use_is_waited_for_and_then_refused),
		native_test(a_container_that_was_made_again_meanwhile_is_another_one),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
