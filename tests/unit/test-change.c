// SPDX-License-Identifier: GPL-2.0-or-later
#include "memory/change.h"

#include "base/file.h"
#include "memory/apply.h"
#include "test.h"

/* "FILE=OLD>NEW" words, and the files in the order in which they are to be written. */
struct row {
	const char *words;
	const char *order;
};

static void put(char *to, size_t size, const char *from, size_t len)
{
	assert_true(len < size);
	memcpy(to, from, len);
	to[len] = '\0';
}

static void read_words(const char *words, struct memory_plan *plan, struct memory_plan *before)
{
	*plan = *before = (struct memory_plan){ 0 };
	while (*words) {
		struct plan_write *write = &plan->writes[plan->count];
		struct plan_write *had = &before->writes[plan->count++];
		size_t file = strcspn(words, "="), old, new;

		put(write->file, sizeof(write->file), words, file);
		put(had->file, sizeof(had->file), words, file);
		words += file + 1;
		old = strcspn(words, ">");
		put(had->value, sizeof(had->value), words, old);
		words += old + 1;
		new = strcspn(words, " ");
		put(write->value, sizeof(write->value), words, new);
		words += new + (words[new] == ' ');
	}
	before->count = plan->count;
}

TEST(nothing_is_tighter_in_between_than_before_or_after)
{
#define L "memory.limit_in_bytes"
#define S "memory.memsw.limit_in_bytes"
	static const struct row rows[] = {
		/* v1: limit <= memsw at all times */
		{ L "=64M>128M " S "=96M>256M", S " " L " " },
		{ L "=128M>64M " S "=256M>96M", L " " S " " },
		{ S "=256M>96M " L "=128M>64M", L " " S " " },
		/* up to what the other was, which falls */
		{ L "=64M>128M " S "=256M>128M", L " " S " " },
		{ L "=64M>32M " S "=96M>128M", S " " L " " },
		{ L "=64M>-1 " S "=96M>-1", S " " L " " },
		/* v2: what rises first */
		{ "memory.max=64M>128M memory.swap.max=64M>0", "memory.max memory.swap.max " },
		{ "memory.swap.max=64M>0 memory.max=64M>128M", "memory.max memory.swap.max " },
		{ "memory.max=max>64M memory.low=0>32M", "memory.low memory.max " },
		{ "memory.max=64M>max memory.low=32M>0", "memory.max memory.low " },
		/* equal ones keep their order */
		{ "memory.oom.group=0>1 memory.max=1>2 memory.low=1>1",
		  "memory.oom.group memory.max memory.low " },
		{ "", "" },
	};

	for (size_t i = 0; i < COUNT(rows); i++) {
		struct memory_plan plan, before;
		char order[300] = "";

		read_words(rows[i].words, &plan, &before);
		change_order(&plan, &before);
		for (size_t j = 0; j < plan.count; j++) {
			assert_row_text(rows[i].words, plan.writes[j].file,
					before.writes[j].file);
			strcat(strcat(order, plan.writes[j].file), " ");
		}
		assert_row_text(rows[i].words, order, rows[i].order);
	}
}

TEST(a_snapshot_has_the_values_that_can_be_written_back)
{
	auto_scratch struct scratch dir = scratch_new();
	struct memory_plan plan, before;

	scratch_file(&dir, "memory.max", "67108864\n");
	scratch_file(&dir, "memory.oom_control", "oom_kill_disable 1\nunder_oom 0\n");
	read_words("memory.max=>1 memory.oom_control=>0", &plan, &before);
	assert_int_equal(memory_plan_snapshot(&plan, &before, dir.fd, NULL), 0);
	assert_string_equal(before.writes[0].value, "67108864");
	assert_string_equal(before.writes[1].value, "1");
	assert_int_equal(before.count, 2);

	read_words("memory.none=>1", &plan, &before);
	assert_int_equal(memory_plan_snapshot(&plan, &before, dir.fd, NULL), -ENOENT);
}

static void assert_file(const struct scratch *dir, const char *name, const char *wanted)
{
	char text[64];

	assert_true(file_read_at(dir->fd, name, text, sizeof(text), NULL) >= 0);
	assert_row_text(name, text, wanted);
}

TEST(what_is_the_same_is_not_written_and_a_refusal_puts_all_back)
{
	auto_scratch struct scratch dir = scratch_new();
	const struct control control = { 0 };
	struct change_refusal refusal;
	struct memory_plan plan, before;
	struct error err;

	scratch_file(&dir, "memory.low", "11");
	scratch_file(&dir, "memory.min", "22");
	assert_int_equal(fchmodat(dir.fd, "memory.min", 0444, 0), 0);
	/* the same: a file that nobody may write is no obstacle */
	read_words("memory.low=>33 memory.min=>22", &plan, &before);
	assert_int_equal(memory_plan_snapshot(&plan, &before, dir.fd, NULL), 0);
	assert_int_equal(change_apply(&plan, &before, dir.fd, &control, &refusal, NULL), 0);
	assert_file(&dir, "memory.low", "33");

	/* a directory refuses, for root as well */
	scratch_dir(&dir, "memory.high");
	read_words("memory.low=33>44 memory.high=1>2", &plan, &before);
	assert_true(change_apply(&plan, &before, dir.fd, &control, &refusal, &err) < 0);
	assert_non_null(strstr(err.text, "memory.high: cannot open"));
	assert_int_equal(refusal.target, 0);
}

TEST(a_limit_above_usage_is_written_as_it_is)
{
	auto_scratch struct scratch dir = scratch_new();
	const struct control control = { 0 };
	struct change_refusal refusal;
	struct memory_plan plan, before;

	scratch_file(&dir, "memory.max", "67108864");
	scratch_file(&dir, "memory.current", "4096");
	read_words("memory.max=>33554432", &plan, &before);
	assert_int_equal(memory_plan_snapshot(&plan, &before, dir.fd, NULL), 0);
	assert_int_equal(change_apply(&plan, &before, dir.fd, &control, &refusal, NULL), 0);
	assert_file(&dir, "memory.max", "33554432");
	assert_int_equal(change_undo(&before, dir.fd, NULL), 0);
	assert_file(&dir, "memory.max", "67108864");
}

TEST(a_limit_below_usage_that_stays_is_refused_and_never_written)
{
	auto_scratch struct scratch dir = scratch_new();
	const struct control control = { 0 };
	struct change_refusal refusal;
	struct memory_plan plan, before;
	struct error err;

	scratch_file(&dir, "memory.max", "67108864");
	scratch_file(&dir, "memory.high", "99999999");
	scratch_file(&dir, "memory.current", "50331648");
	/* takes what it is asked for, and does nothing */
	scratch_file(&dir, "memory.reclaim", "");
	read_words("memory.max=>33554432", &plan, &before);
	assert_int_equal(memory_plan_snapshot(&plan, &before, dir.fd, NULL), 0);
	assert_int_equal(change_apply(&plan, &before, dir.fd, &control, &refusal, &err), -EBUSY);
	assert_int_equal(refusal.target, 33554432);
	assert_int_equal(refusal.usage, 50331648);
	assert_file(&dir, "memory.max", "67108864");
	assert_file(&dir, "memory.high", "99999999");
	assert_file(&dir, "memory.reclaim", "16777216");
	assert_string_equal(err.text, "memory.max: nothing more can be reclaimed");
}

TEST(a_limit_that_cannot_be_reached_takes_the_other_values_back)
{
	auto_scratch struct scratch dir = scratch_new();
	const struct control control = { 0 };
	struct change_refusal refusal;
	struct memory_plan plan, before;

	scratch_file(&dir, "memory.low", "33");
	scratch_file(&dir, "memory.max", "67108864");
	scratch_file(&dir, "memory.current", "50331648");
	scratch_file(&dir, "memory.reclaim", "");
	read_words("memory.low=>44 memory.max=>33554432", &plan, &before);
	assert_int_equal(memory_plan_snapshot(&plan, &before, dir.fd, NULL), 0);
	assert_int_equal(change_apply(&plan, &before, dir.fd, &control, &refusal, NULL), -EBUSY);
	assert_file(&dir, "memory.low", "33");
	assert_file(&dir, "memory.max", "67108864");
}

/* What memory.high is each time that reclaim says how far it is. */
struct seen {
	const struct scratch *dir;
	int calls;
	char high[32];
};

static void look(void *context, const struct control_progress *progress)
{
	struct seen *seen = context;

	(void)progress;
	seen->calls++;
	file_read_at(seen->dir->fd, "memory.high", seen->high, sizeof(seen->high), NULL);
}

TEST(memory_high_is_no_higher_than_the_limit_meanwhile)
{
	static const struct {
		const char *high;
		const char *meanwhile;
	} rows[] = {
		{ "99999999", "33554432" },
		/* one that is lower does as well */
		{ "16777216", "16777216" },
	};

	for (size_t i = 0; i < COUNT(rows); i++) {
		auto_scratch struct scratch dir = scratch_new();
		struct seen seen = { .dir = &dir };
		const struct control control = { .progress = look, .context = &seen };
		struct change_refusal refusal;
		struct memory_plan plan, before;

		scratch_file(&dir, "memory.max", "67108864");
		scratch_file(&dir, "memory.high", rows[i].high);
		scratch_file(&dir, "memory.current", "50331648");
		scratch_file(&dir, "memory.reclaim", "");
		read_words("memory.max=>33554432", &plan, &before);
		assert_int_equal(memory_plan_snapshot(&plan, &before, dir.fd, NULL), 0);
		assert_int_equal(change_apply(&plan, &before, dir.fd, &control, &refusal, NULL),
				 -EBUSY);
		assert_row_text(rows[i].high, seen.high, rows[i].meanwhile);
		assert_file(&dir, "memory.high", rows[i].high);
	}
}

TEST(a_limit_at_usage_needs_no_reclaim)
{
	auto_scratch struct scratch dir = scratch_new();
	struct seen seen = { .dir = &dir };
	const struct control control = { .progress = look, .context = &seen };
	struct change_refusal refusal;
	struct memory_plan plan, before;

	scratch_file(&dir, "memory.max", "67108864");
	scratch_file(&dir, "memory.high", "99999999");
	scratch_file(&dir, "memory.current", "33554432");
	scratch_file(&dir, "memory.reclaim", "");
	read_words("memory.max=>33554432", &plan, &before);
	assert_int_equal(memory_plan_snapshot(&plan, &before, dir.fd, NULL), 0);
	assert_int_equal(change_apply(&plan, &before, dir.fd, &control, &refusal, NULL), 0);
	assert_file(&dir, "memory.max", "33554432");
	assert_int_equal(seen.calls, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nothing_is_tighter_in_between_than_before_or_after),
		cmocka_unit_test(a_snapshot_has_the_values_that_can_be_written_back),
		cmocka_unit_test(what_is_the_same_is_not_written_and_a_refusal_puts_all_back),
		cmocka_unit_test(a_limit_above_usage_is_written_as_it_is),
		cmocka_unit_test(a_limit_below_usage_that_stays_is_refused_and_never_written),
		cmocka_unit_test(a_limit_that_cannot_be_reached_takes_the_other_values_back),
		cmocka_unit_test(memory_high_is_no_higher_than_the_limit_meanwhile),
		cmocka_unit_test(a_limit_at_usage_needs_no_reclaim),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
