// SPDX-License-Identifier: GPL-2.0-or-later
#include "kernel/oom.h"

#include <poll.h>

#include "native.h"

/* memory.events with that many kills. */
static void events(const struct scratch *dir, int kills)
{
	char text[128];

	snprintf(text, sizeof(text), "low 7\nhigh 0\nmax 9\noom 4\noom_kill %d\noom_group_kill 8\n",
		 kills);
	scratch_file(dir, "memory.events", text);
}

/* OOMs since the last call, of a cgroup that is there. */
static int taken(struct oom *oom)
{
	uint64_t count = 99;

	assert_int_equal(oom_take(oom, &count), 0);
	return (int)count;
}

TEST(each_kill_is_told_once_and_none_of_before)
{
	auto_scratch struct scratch dir = scratch_new();
	auto_oom struct oom oom = OOM_NONE;

	events(&dir, 3);
	assert_int_equal(oom_open(&oom, dir.fd, CGROUP_V2, NULL), 0);
	assert_int_equal(taken(&oom), 0);
	events(&dir, 5);
	assert_int_equal(taken(&oom), 2);
	assert_int_equal(taken(&oom), 0);
	events(&dir, 6);
	assert_int_equal(taken(&oom), 1);
	/* a counter that falls is another cgroup's */
	events(&dir, 2);
	assert_int_equal(taken(&oom), 0);
}

TEST(a_cgroup_that_tells_nothing_is_said)
{
	auto_scratch struct scratch dir = scratch_new();
	struct oom oom = OOM_NONE;
	struct error err;

	assert_int_equal(oom_open(&oom, dir.fd, CGROUP_V2, &err), -ENOENT);
	assert_string_equal(err.text, "memory.events: cannot open: No such file or directory");
	assert_int_equal(oom_open(&oom, dir.fd, CGROUP_V1, &err), -ENOENT);
	assert_string_equal(err.text, "memory.oom_control: cannot open: No such file or directory");
	assert_int_equal(oom.fd, -1);
}

TEST(the_kernel_tells_of_a_cgroup_that_is_out_of_memory)
{
	struct native *native = native_of(state);
	auto_oom struct oom oom = OOM_NONE;
	auto_close int dirfd = -1;
	struct pollfd poller;
	unsigned char mib = 32;

	assert_int_equal(hierarchy_open(native->memory, native->path, &dirfd, NULL), 0);
	native_write(native, native_is_v1(native) ? "memory.swappiness" : "memory.swap.max", "0");
	native_write(native, native_is_v1(native) ? "memory.limit_in_bytes" : "memory.max",
		     "8388608");
	assert_int_equal(oom_open(&oom, dirfd, native->memory->mode, NULL), 0);
	poller = (struct pollfd){ .fd = oom.fd, .events = oom.events };
	assert_int_equal(poll(&poller, 1, 0), 0);
	/* the process is killed for it, before it can answer */
	assert_int_equal(write(native->ends[0], &mib, 1), 1);
	/* v2 also wakes for what came before the kill */
	do {
		assert_int_equal(poll(&poller, 1, 20000), 1);
	} while (taken(&oom) == 0);
	assert_int_equal(taken(&oom), 0);
}

/* Also when another one has its name already. */
TEST(a_cgroup_that_has_gone_is_not_taken_for_one_of_its_name)
{
	struct native *native = native_of(state);
	char path[80];
	auto_oom struct oom oom = OOM_NONE;
	auto_close int dirfd = -1;
	uint64_t count = 99;

	snprintf(path, sizeof(path), "%s-other", native->path);
	assert_true(tree_make(native->memory, path, NULL) >= 0);
	assert_int_equal(hierarchy_open(native->memory, path, &dirfd, NULL), 0);
	assert_int_equal(oom_open(&oom, dirfd, native->memory->mode, NULL), 0);
	assert_int_equal(taken(&oom), 0);
	native_remove(native, path);
	assert_true(tree_make(native->memory, path, NULL) >= 0);
	assert_int_equal(oom_take(&oom, &count), -ENODEV);
	assert_int_equal(count, 0);
	native_remove(native, path);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_kill_is_told_once_and_none_of_before),
		cmocka_unit_test(a_cgroup_that_tells_nothing_is_said),
		native_test(a_cgroup_that_has_gone_is_not_taken_for_one_of_its_name),
		native_test(the_kernel_tells_of_a_cgroup_that_is_out_of_memory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
