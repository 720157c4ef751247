// SPDX-License-Identifier: GPL-2.0-or-later
#include "memory/apply.h"

#include <sched.h>
#include <sys/wait.h>

#include "base/file.h"
#include "test.h"

/* A directory of real kernel files that refuse values: no mock. */
static int open_self(void)
{
	return open("/proc/self", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

static void assert_holds(int dirfd, const char *name, const char *wanted)
{
	char text[64];

	assert_true(file_read_at(dirfd, name, text, sizeof(text), NULL) >= 0);
	assert_string_equal(text, wanted);
}

TEST(a_plan_is_written_in_order)
{
	auto_close int self = open_self();
	struct memory_plan plan = {
		.count = 2,
		.writes = { { .file = "oom_score_adj", .value = "400" },
			    { .file = "oom_score_adj", .value = "500" } },
	};
	char before[64];

	assert_true(file_read_at(self, "oom_score_adj", before, sizeof(before), NULL) > 0);
	assert_int_equal(memory_plan_apply(&plan, self, NULL), 0);
	assert_holds(self, "oom_score_adj", "500");
	assert_int_equal(file_write_at(self, "oom_score_adj", before, NULL), 0);
}

TEST(a_refused_write_undoes_the_ones_before)
{
	auto_close int self = open_self();
	struct memory_plan plan = {
		.count = 3,
		.writes = { { .file = "oom_score_adj", .value = "500" },
			    { .file = "timerslack_ns", .value = "70000" },
			    { .file = "oom_score_adj", .value = "9999" } },
	};
	char before[64], slack[64];
	struct error err;

	assert_true(file_read_at(self, "oom_score_adj", before, sizeof(before), NULL) > 0);
	assert_true(file_read_at(self, "timerslack_ns", slack, sizeof(slack), NULL) > 0);
	assert_int_equal(memory_plan_apply(&plan, self, &err), -EINVAL);
	assert_string_equal(err.text,
			    "oom_score_adj: cannot write \"9999\": Invalid argument");
	assert_holds(self, "oom_score_adj", before);
	assert_holds(self, "timerslack_ns", slack);
}

TEST(a_file_that_cannot_be_read_stops_before_anything_is_written)
{
	auto_scratch struct scratch dir = scratch_new();
	struct memory_plan plan = {
		.count = 2,
		.writes = { { .file = "memory.max", .value = "2" },
			    { .file = "memory.low", .value = "2" } },
	};
	struct error err;

	scratch_file(&dir, "memory.max", "1");
	assert_int_equal(memory_plan_apply(&plan, dir.fd, &err), -ENOENT);
	assert_string_equal(err.text, "memory.low: cannot open: No such file or directory");
	assert_holds(dir.fd, "memory.max", "1");
}

/* In a user namespace of one's own "deny" can never become "allow" again. */
static int deny_and_fail(void)
{
	auto_close int self = -1;
	struct memory_plan plan = {
		.count = 2,
		.writes = { { .file = "setgroups", .value = "deny" },
			    { .file = "oom_score_adj", .value = "9999" } },
	};
	struct error err;

	if (unshare(CLONE_NEWUSER) < 0)
		return 77;
	self = open_self();
	if (memory_plan_apply(&plan, self, &err) != -EINVAL)
		return 1;
	return strcmp(err.text, "setgroups stays changed: oom_score_adj: cannot write \"9999\": "
				"Invalid argument") != 0;
}

TEST(what_cannot_go_back_is_named)
{
	pid_t pid = fork();
	int status = 0;

	if (pid == 0)
		_exit(deny_and_fail());
	assert_int_equal(waitpid(pid, &status, 0), pid);
	if (WEXITSTATUS(status) == 77)
		skip_because("this machine makes no user namespace");
	assert_int_equal(status, 0);
}

TEST(an_empty_plan_is_done_at_once)
{
	struct memory_plan plan = { 0 };

	assert_int_equal(memory_plan_apply(&plan, -1, NULL), 0);
	assert_int_equal(memory_plan_verify(&plan, -1, NULL), 0);
}

TEST(values_that_mean_the_same_verify)
{
	static const struct {
		const char *written;
		const char *read;
	} rows[] = {
		{ "67108864", "67108864\n" },
		{ "max", "max\n" },
		{ "-1", "9223372036854771712\n" },
		{ "max", "9223372036854771712\n" },
		{ "67108865", "67108864\n" },
		{ "67112959", "67108864\n" },
		{ "64M", "67108864\n" },
		{ "60", "60\n" },
		{ "0", "0\n" },
	};

	for (size_t i = 0; i < COUNT(rows); i++) {
		auto_scratch struct scratch dir = scratch_new();
		struct memory_plan plan = { .count = 1, .writes = { { .file = "memory.max" } } };
		struct error err = { "" };

		strcpy(plan.writes[0].value, rows[i].written);
		scratch_file(&dir, "memory.max", rows[i].read);
		memory_plan_verify(&plan, dir.fd, &err);
		assert_row_text(rows[i].written, err.text, "");
	}
}

TEST(a_value_the_kernel_did_not_keep_is_named_with_both)
{
	auto_scratch struct scratch dir = scratch_new();
	struct memory_plan plan = {
		.count = 2,
		.writes = { { .file = "memory.max", .value = "67108864" },
			    { .file = "memory.swappiness", .value = "10" } },
	};
	struct error err;

	scratch_file(&dir, "memory.max", "67108864\n");
	scratch_file(&dir, "memory.swappiness", "60\n");
	assert_int_equal(memory_plan_verify(&plan, dir.fd, &err), -EIO);
	assert_string_equal(err.text, "memory.swappiness: the kernel kept \"60\" of \"10\"");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_plan_is_written_in_order),
		cmocka_unit_test(a_refused_write_undoes_the_ones_before),
		cmocka_unit_test(a_file_that_cannot_be_read_stops_before_anything_is_written),
		cmocka_unit_test(what_cannot_go_back_is_named),
		cmocka_unit_test(an_empty_plan_is_done_at_once),
		cmocka_unit_test(values_that_mean_the_same_verify),
		cmocka_unit_test(a_value_the_kernel_did_not_keep_is_named_with_both),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
