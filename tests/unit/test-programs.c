// SPDX-License-Identifier: GPL-2.0-or-later
#include "kernel/programs.h"

#include "test.h"

/* Of all errors only EINVAL says that there are no programs of a type. */
TEST(a_query_that_fails_is_not_a_cgroup_without_programs)
{
	auto_scratch struct scratch dir = scratch_new();
	struct error err;
	int ret;

	/* -EPERM where this machine does not let us ask at all */
	ret = programs_copy(-1, -1, &err);
	assert_true(ret == -EBADF || ret == -EPERM);
	assert_non_null(strstr(err.text, "BPF programs of type"));
	ret = programs_copy(dir.fd, dir.fd, &err);
	assert_true(ret == -EBADF || ret == -EPERM);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_query_that_fails_is_not_a_cgroup_without_programs),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
