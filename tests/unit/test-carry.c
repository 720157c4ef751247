// SPDX-License-Identifier: GPL-2.0-or-later
#include "container/carry.h"

#include <sys/wait.h>

#include "base/file.h"
#include "memory/charge.h"
#include "test.h"

#define ALL "fd: anon file shmem swap kernel"

/* A cgroup that can take over charges. */
static void cgroup(const struct scratch *dir, const char *path)
{
	char name[PATH_MAX];

	scratch_dir(dir, path);
	snprintf(name, sizeof(name), "%s/memory.migrate", path);
	scratch_file(dir, name, "");
	snprintf(name, sizeof(name), "%s/cgroup.procs", path);
	scratch_file(dir, name, "");
}

/* What the cgroup at `path` was asked to take over, the last time, without the fd's number. */
static void assert_asked(const struct scratch *dir, const char *path, const char *wanted)
{
	char name[PATH_MAX], text[128], *digits = text + 3;

	snprintf(name, sizeof(name), "%s/memory.migrate", path);
	assert_row(path, file_read_at(dir->fd, name, text, sizeof(text), NULL) >= 0);
	if (strncmp(text, "fd:", 3) == 0)
		memmove(digits, digits + strspn(digits, "0123456789"),
			strlen(digits + strspn(digits, "0123456789")) + 1);
	assert_row_text(path, text, wanted);
}

static struct carry from_old_to_new(const struct hierarchy *memory)
{
	return (struct carry){
		.memory = memory,
		.from = "/old",
		.to = "/new",
		.types = CHARGE_ALL,
		.close_fd = -1,
	};
}

TEST(each_cgroup_takes_over_from_the_one_of_its_name)
{
	auto_scratch struct scratch dir = scratch_new();
	const struct hierarchy memory = { .root = dir.fd, .mode = CGROUP_V2 };
	struct carry carry = from_old_to_new(&memory);

	cgroup(&dir, "old");
	cgroup(&dir, "old/a");
	cgroup(&dir, "old/a/b");
	cgroup(&dir, "new");
	cgroup(&dir, "new/a");
	cgroup(&dir, "new/a/b");
	cgroup(&dir, "new/c");
	assert_int_equal(carry_all(&carry, NULL), 0);
	assert_asked(&dir, "new", ALL);
	assert_asked(&dir, "new/a", ALL);
	assert_asked(&dir, "new/a/b", ALL);
	assert_asked(&dir, "new/c", "");
	assert_asked(&dir, "old", "");
}

TEST(what_has_no_counterpart_is_the_tops)
{
	auto_scratch struct scratch dir = scratch_new();
	const struct hierarchy memory = { .root = dir.fd, .mode = CGROUP_V2 };
	struct carry carry = from_old_to_new(&memory);

	/* without a file of its own the top of `old` is charged for nothing */
	scratch_dir(&dir, "old");
	cgroup(&dir, "old/hold");
	cgroup(&dir, "new");
	carry.skip = "hold";
	assert_int_equal(carry_all(&carry, NULL), 0);
	assert_asked(&dir, "new", ALL);
}

TEST(one_may_take_over_from_all)
{
	auto_scratch struct scratch dir = scratch_new();
	const struct hierarchy memory = { .root = dir.fd, .mode = CGROUP_V2 };
	struct carry carry = from_old_to_new(&memory);

	scratch_dir(&dir, "old");
	cgroup(&dir, "old/a");
	cgroup(&dir, "new");
	cgroup(&dir, "new/a");
	carry.into_one = true;
	carry.types = CHARGE_FILE;
	assert_int_equal(carry_all(&carry, NULL), 0);
	assert_asked(&dir, "new", "fd: file");
	assert_asked(&dir, "new/a", "");
}

TEST(a_process_is_named_by_its_pid)
{
	auto_scratch struct scratch dir = scratch_new();
	const struct hierarchy memory = { .root = dir.fd, .mode = CGROUP_V2 };
	struct carry carry = from_old_to_new(&memory);

	cgroup(&dir, "new");
	carry.from = NULL;
	carry.pid = 4711;
	assert_int_equal(carry_all(&carry, NULL), 0);
	assert_asked(&dir, "new", "pid:4711 anon file shmem");
}

TEST(without_a_counterpart_it_goes_to_the_nearest_above)
{
	auto_scratch struct scratch dir = scratch_new();
	const struct hierarchy memory = { .root = dir.fd, .mode = CGROUP_V2 };
	struct carry carry = from_old_to_new(&memory);

	cgroup(&dir, "old");
	scratch_dir(&dir, "old/a");
	cgroup(&dir, "old/a/b");
	cgroup(&dir, "old/a/b/c");
	cgroup(&dir, "new");
	cgroup(&dir, "new/a");
	assert_int_equal(carry_all(&carry, NULL), 0);
	assert_asked(&dir, "new/a", ALL);
}

TEST(a_place_that_is_missing_is_named)
{
	auto_scratch struct scratch dir = scratch_new();
	const struct hierarchy memory = { .root = dir.fd, .mode = CGROUP_V2 };
	struct carry carry = from_old_to_new(&memory);
	struct error err;

	cgroup(&dir, "old");
	assert_int_equal(carry_all(&carry, &err), -ENOENT);
	assert_string_equal(err.text, "/new: cannot open: No such file or directory");
}

TEST(what_a_process_of_its_own_has_done_is_known)
{
	auto_scratch struct scratch dir = scratch_new();
	const struct hierarchy memory = { .root = dir.fd, .mode = CGROUP_V2 };
	struct carry carry = from_old_to_new(&memory);
	const struct control control = { 0 };
	struct error err;

	cgroup(&dir, "old");
	cgroup(&dir, "old/a");
	assert_int_equal(carry_controlled(&carry, &control, &err), -ENOENT);
	assert_string_equal(err.text, "/new: cannot open: No such file or directory");
	cgroup(&dir, "new");
	cgroup(&dir, "new/a");
	assert_int_equal(carry_controlled(&carry, &control, NULL), 0);
	assert_asked(&dir, "new/a", ALL);
}

TEST(who_has_enough_ends_it)
{
	auto_scratch struct scratch dir = scratch_new();
	const struct hierarchy memory = { .root = dir.fd, .mode = CGROUP_V2 };
	struct carry carry = from_old_to_new(&memory);
	static const volatile sig_atomic_t interrupted = SIGINT, never;
	const struct control signalled = { .interrupted = &interrupted };
	const struct control late = { .interrupted = &never, .until = 1 };
	const struct control early = { .until = control_now_usec() + 3600000000 };

	cgroup(&dir, "old");
	cgroup(&dir, "new");
	assert_int_equal(carry_controlled(&carry, &signalled, NULL), -EINTR);
	assert_int_equal(carry_controlled(&carry, &late, NULL), -ETIMEDOUT);
	assert_int_equal(carry_controlled(&carry, &early, NULL), 0);
}

/* A child that hangs in its write, until the parent hears that it does. */
struct hanging {
	volatile sig_atomic_t interrupted;
	bool kill;
	int calls;
};

static void end_it(void *context, const struct control_progress *progress)
{
	struct hanging *hanging = context;
	FILE *children;
	int pid;

	(void)progress;
	/* the first is before there is a child */
	if (hanging->calls++ == 0)
		return;
	children = hanging->kill ? fopen("/proc/thread-self/children", "r") : NULL;
	if (!children) {
		hanging->interrupted = SIGINT;
		return;
	}
	while (fscanf(children, "%d", &pid) == 1)
		kill(pid, SIGKILL);
	fclose(children);
}

static int carry_and_hang(struct hanging *hanging, struct error *err)
{
	auto_scratch struct scratch dir = scratch_new();
	const struct hierarchy memory = { .root = dir.fd, .mode = CGROUP_V2 };
	struct carry carry = from_old_to_new(&memory);
	const struct control control = {
		.interrupted = &hanging->interrupted,
		.progress = end_it,
		.context = hanging,
	};

	cgroup(&dir, "old");
	scratch_dir(&dir, "new");
	/* opening it waits for a reader, who never comes */
	assert_int_equal(mkfifoat(dir.fd, "new/memory.migrate", 0600), 0);
	return carry_controlled(&carry, &control, err);
}

TEST(a_write_that_does_not_end_is_ended)
{
	struct hanging hanging = { 0 };

	assert_int_equal(carry_and_hang(&hanging, NULL), -EINTR);
	assert_int_equal(hanging.calls, 2);
	/* and waited for */
	assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
}

TEST(a_process_that_died_has_not_succeeded)
{
	struct hanging hanging = { .kill = true };
	struct error err;

	if (access("/proc/thread-self/children", R_OK) < 0)
		skip_because("this kernel has no /proc/PID/task/TID/children");
	assert_int_equal(carry_and_hang(&hanging, &err), -EIO);
	assert_string_equal(err.text, "the process that moves charges has died");
}

static void remember(void *context, const struct control_progress *progress)
{
	struct control_progress *seen = context;

	if (!seen->stage)
		*seen = *progress;
}

TEST(what_there_is_to_do_is_told_first)
{
	auto_scratch struct scratch dir = scratch_new();
	const struct hierarchy memory = { .root = dir.fd, .mode = CGROUP_V2 };
	struct carry carry = from_old_to_new(&memory);
	struct control_progress seen = { 0 };
	const struct control control = { .progress = remember, .context = &seen };

	cgroup(&dir, "old");
	scratch_file(&dir, "old/memory.current", "1000\n");
	scratch_file(&dir, "old/memory.swap.current", "24\n");
	cgroup(&dir, "new");
	assert_int_equal(carry_controlled(&carry, &control, NULL), 0);
	assert_string_equal(seen.stage, "charges");
	assert_int_equal(seen.done, 0);
	assert_int_equal(seen.total, 1024);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_cgroup_takes_over_from_the_one_of_its_name),
		cmocka_unit_test(what_has_no_counterpart_is_the_tops),
		cmocka_unit_test(one_may_take_over_from_all),
		cmocka_unit_test(a_process_is_named_by_its_pid),
		cmocka_unit_test(without_a_counterpart_it_goes_to_the_nearest_above),
		cmocka_unit_test(a_place_that_is_missing_is_named),
		cmocka_unit_test(what_a_process_of_its_own_has_done_is_known),
		cmocka_unit_test(who_has_enough_ends_it),
		cmocka_unit_test(a_write_that_does_not_end_is_ended),
		cmocka_unit_test(a_process_that_died_has_not_succeeded),
		cmocka_unit_test(what_there_is_to_do_is_told_first),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
