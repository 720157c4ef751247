// SPDX-License-Identifier: GPL-2.0-or-later
#include "memory/reclaim.h"

#include "base/file.h"
#include "test.h"

#define MIB ((int64_t)1 << 20)

/*
 * A cgroup whose usage falls by `falls` between two steps, for plain files reclaim nothing;
 * and what one of its files had in it after the first step.
 */
struct box {
	struct scratch dir;
	const char *file;	/* of its usage */
	int64_t usage;
	int64_t falls;
	int calls;
	const char *watched;
	char seen[64];
	int64_t first_total;	/* what there was to do, as it was told first */
};

static void set_usage(const struct box *box)
{
	char text[32];

	snprintf(text, sizeof(text), "%lld\n", (long long)box->usage);
	scratch_file(&box->dir, box->file, text);
}

static void step_done(void *context, const struct control_progress *progress)
{
	struct box *box = context;

	assert_string_equal(progress->stage, "reclaim");
	if (box->calls++ == 0)
		box->first_total = progress->total;
	else if (box->watched && !*box->seen)
		file_read_at(box->dir.fd, box->watched, box->seen, sizeof(box->seen), NULL);
	box->usage -= box->falls;
	set_usage(box);
}

static int reclaim(struct box *box, enum cgroup_mode mode, int64_t target, int swappiness,
		   int64_t *reached, struct error *err)
{
	const struct control control = { .progress = step_done, .context = box };

	return reclaim_to(box->dir.fd, mode, target, swappiness, &control, reached, err);
}

static struct box box_new(enum cgroup_mode mode, int64_t usage, int64_t falls)
{
	struct box box = {
		.dir = scratch_new(),
		.file = mode == CGROUP_V1 ? "memory.usage_in_bytes" : "memory.current",
		.usage = usage,
		.falls = falls,
	};

	set_usage(&box);
	return box;
}

static void assert_file(const struct box *box, const char *name, const char *wanted)
{
	char text[64];

	assert_row(name, file_read_at(box->dir.fd, name, text, sizeof(text), NULL) >= 0);
	assert_row_text(name, text, wanted);
}

TEST(what_is_there_already_is_not_asked_for)
{
	struct box box = box_new(CGROUP_V2, 16 * MIB, 0);
	int64_t reached = 0;

	scratch_file(&box.dir, "memory.reclaim", "");
	assert_int_equal(reclaim(&box, CGROUP_V2, 16 * MIB, -1, &reached, NULL), 0);
	assert_int_equal(reached, 16 * MIB);
	assert_file(&box, "memory.reclaim", "");
	/* whole pages are what the kernel counts */
	assert_int_equal(reclaim(&box, CGROUP_V2, 16 * MIB + 4095, -1, &reached, NULL), 0);
	assert_file(&box, "memory.reclaim", "");
	scratch_remove(&box.dir);
}

TEST(what_is_too_much_is_asked_for_in_steps)
{
	struct box box = box_new(CGROUP_V2, 100 * MIB, 30 * MIB);
	int64_t reached = 0;

	scratch_file(&box.dir, "memory.reclaim", "");
	box.watched = "memory.reclaim";
	assert_int_equal(reclaim(&box, CGROUP_V2, 50 * MIB, -1, &reached, NULL), 0);
	assert_int_equal(box.first_total, 50 * MIB);
	/* the first step, at a usage of 100 MiB */
	assert_string_equal(box.seen, "33554432");
	assert_int_equal(reached, 40 * MIB);
	assert_int_equal(box.calls, 3);
	scratch_remove(&box.dir);
}

TEST(no_step_goes_below_the_target)
{
	struct box box = box_new(CGROUP_V2, 60 * MIB, 6 * MIB);
	int64_t reached = 0;

	scratch_file(&box.dir, "memory.reclaim", "");
	box.watched = "memory.reclaim";
	assert_int_equal(reclaim(&box, CGROUP_V2, 50 * MIB + 1, -1, &reached, NULL), 0);
	assert_string_equal(box.seen, "10485760");
	scratch_remove(&box.dir);
}

TEST(as_long_as_there_is_progress_it_goes_on)
{
	struct box box = box_new(CGROUP_V2, 64 * MIB, MIB);
	int64_t reached = 0;

	scratch_file(&box.dir, "memory.reclaim", "");
	assert_int_equal(reclaim(&box, CGROUP_V2, 32 * MIB, -1, &reached, NULL), 0);
	assert_int_equal(reached, 32 * MIB);
	scratch_remove(&box.dir);
}

TEST(without_progress_it_is_given_up)
{
	struct box box = box_new(CGROUP_V2, 64 * MIB, 0);
	int64_t reached = 0;
	struct error err;

	scratch_file(&box.dir, "memory.reclaim", "");
	assert_int_equal(reclaim(&box, CGROUP_V2, 32 * MIB, -1, &reached, &err), -EBUSY);
	assert_string_equal(err.text, "nothing more can be reclaimed");
	assert_int_equal(reached, 64 * MIB);
	assert_int_equal(box.calls, 9);
	scratch_remove(&box.dir);
}

TEST(a_signal_or_a_deadline_ends_it)
{
	static const volatile sig_atomic_t interrupted = SIGINT;
	const struct control signalled = { .interrupted = &interrupted };
	const struct control late = { .until = 1 };
	struct box box = box_new(CGROUP_V2, 64 * MIB, 0);
	int64_t reached = 0;

	scratch_file(&box.dir, "memory.reclaim", "");
	assert_int_equal(reclaim_to(box.dir.fd, CGROUP_V2, MIB, -1, &signalled, &reached, NULL),
			 -EINTR);
	assert_int_equal(reclaim_to(box.dir.fd, CGROUP_V2, MIB, -1, &late, &reached, NULL),
			 -ETIMEDOUT);
	assert_int_equal(reached, 64 * MIB);
	assert_file(&box, "memory.reclaim", "");
	scratch_remove(&box.dir);
}

TEST(swappiness_goes_with_each_step)
{
	struct box box = box_new(CGROUP_V2, 64 * MIB, 16 * MIB);
	int64_t reached = 0;
	struct error err;

	scratch_file(&box.dir, "memory.reclaim", "");
	box.watched = "memory.reclaim";
	assert_int_equal(reclaim(&box, CGROUP_V2, 32 * MIB, 200, &reached, NULL), 0);
	assert_string_equal(box.seen, "33554432 swappiness=200");
	/* no other file takes one */
	assert_int_equal(unlinkat(box.dir.fd, "memory.reclaim", 0), 0);
	assert_int_equal(reclaim(&box, CGROUP_V2, MIB, 0, &reached, &err), -EOPNOTSUPP);
	assert_string_equal(err.text, "this kernel has no memory.reclaim");
	scratch_remove(&box.dir);
}

TEST(without_the_file_a_limit_reclaims_and_is_put_back)
{
	struct box box = box_new(CGROUP_V2, 64 * MIB, 32 * MIB);
	int64_t reached = 0;

	scratch_file(&box.dir, "memory.high", "67108864");
	box.watched = "memory.high";
	assert_int_equal(reclaim(&box, CGROUP_V2, 32 * MIB, -1, &reached, NULL), 0);
	assert_string_equal(box.seen, "33554432");
	assert_file(&box, "memory.high", "67108864");
	assert_int_equal(reached, 32 * MIB);
	scratch_remove(&box.dir);
}

TEST(on_v1_tasks_wait_meanwhile_and_all_is_put_back)
{
	static const struct {
		int64_t falls;
		const char *watched;
		const char *seen;
		int ret;
	} rows[] = {
		{ 32 * MIB, "memory.limit_in_bytes", "33554432", 0 },
		{ 32 * MIB, "memory.oom_control", "1", 0 },
		{ 0, "memory.oom_control", "1", -EBUSY },
	};

	for (size_t i = 0; i < COUNT(rows); i++) {
		struct box box = box_new(CGROUP_V1, 64 * MIB, rows[i].falls);
		int64_t reached = 0;

		scratch_file(&box.dir, "memory.limit_in_bytes", "67108864");
		scratch_file(&box.dir, "memory.oom_control", "0");
		box.watched = rows[i].watched;
		assert_row(rows[i].watched, reclaim(&box, CGROUP_V1, 32 * MIB, -1, &reached,
						    NULL) == rows[i].ret);
		assert_row_text(rows[i].watched, box.seen, rows[i].seen);
		assert_file(&box, "memory.limit_in_bytes", "67108864");
		assert_file(&box, "memory.oom_control", "0");
		scratch_remove(&box.dir);
	}
}

TEST(files_that_are_changed_meanwhile_are_known)
{
	assert_string_equal(reclaim_file(CGROUP_V1, 0), "memory.limit_in_bytes");
	assert_string_equal(reclaim_file(CGROUP_V1, 1), "memory.oom_control");
	assert_null(reclaim_file(CGROUP_V1, 2));
	assert_string_equal(reclaim_file(CGROUP_V2, 0), "memory.high");
	assert_null(reclaim_file(CGROUP_V2, 1));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_there_already_is_not_asked_for),
		cmocka_unit_test(what_is_too_much_is_asked_for_in_steps),
		cmocka_unit_test(no_step_goes_below_the_target),
		cmocka_unit_test(as_long_as_there_is_progress_it_goes_on),
		cmocka_unit_test(without_progress_it_is_given_up),
		cmocka_unit_test(a_signal_or_a_deadline_ends_it),
		cmocka_unit_test(swappiness_goes_with_each_step),
		cmocka_unit_test(without_the_file_a_limit_reclaims_and_is_put_back),
		cmocka_unit_test(on_v1_tasks_wait_meanwhile_and_all_is_put_back),
		cmocka_unit_test(files_that_are_changed_meanwhile_are_known),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
