// SPDX-License-Identifier: GPL-2.0-or-later
#include "base/control.h"

#include "test.h"

TEST(work_goes_on_while_nobody_has_enough)
{
	static const volatile sig_atomic_t never;
	const struct control nobody = { 0 };
	const struct control patient = {
		.interrupted = &never,
		.until = control_now_usec() + 3600000000,
	};

	assert_int_equal(control_go_on(&nobody, NULL), 0);
	assert_int_equal(control_go_on(&patient, NULL), 0);
}

TEST(a_signal_ends_it)
{
	static const volatile sig_atomic_t interrupted = SIGINT;
	const struct control control = { .interrupted = &interrupted };
	struct error err;

	assert_int_equal(control_go_on(&control, &err), -EINTR);
	assert_string_equal(err.text, "interrupted");
}

TEST(the_end_of_its_time_ends_it)
{
	const struct control control = { .until = control_now_usec() };
	const struct control almost = { .until = control_now_usec() + 3600000000 };

	assert_int_equal(control_go_on(&control, NULL), -ETIMEDOUT);
	assert_int_equal(control_go_on(&almost, NULL), 0);
}

TEST(the_time_does_not_go_back)
{
	int64_t before = control_now_usec();

	assert_true(before > 0);
	assert_true(control_now_usec() >= before);
}

static void remember(void *context, const struct control_progress *progress)
{
	*(struct control_progress *)context = *progress;
}

TEST(who_wants_to_hear_how_far_it_is_does)
{
	struct control_progress seen = { 0 };
	const struct control control = { .progress = remember, .context = &seen };
	const struct control deaf = { 0 };

	control_tell(&control, "charges", 3, 4);
	assert_string_equal(seen.stage, "charges");
	assert_int_equal(seen.done, 3);
	assert_int_equal(seen.total, 4);
	control_tell(&deaf, "charges", 3, 4);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(work_goes_on_while_nobody_has_enough),
		cmocka_unit_test(a_signal_ends_it),
		cmocka_unit_test(the_end_of_its_time_ends_it),
		cmocka_unit_test(the_time_does_not_go_back),
		cmocka_unit_test(who_wants_to_hear_how_far_it_is_does),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
