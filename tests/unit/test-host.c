// SPDX-License-Identifier: GPL-2.0-or-later
#include "kernel/host.h"

#include "test.h"

TEST(a_tree_of_the_callers_is_foreign)
{
	auto_host struct host host = { .cgroup_root = -1, .proc = -1 };
	struct error err;

	assert_int_equal(host_open(&host, fixture("v2"), &err), 0);
	assert_true(host.foreign);
	assert_string_equal(host.cgroup_path, fixture("v2"));
	assert_int_equal(faccessat(host.cgroup_root, "cgroup.controllers", F_OK, 0), 0);
	assert_int_equal(faccessat(host.proc, "self/cgroup", F_OK, 0), 0);
}

TEST(the_machines_own_tree_is_not)
{
	auto_host struct host host = { .cgroup_root = -1, .proc = -1 };
	struct error err;

	if (host_open(&host, NULL, &err) < 0)
		skip_because("%s", err.text);
	assert_false(host.foreign);
	assert_string_equal(host.cgroup_path, HOST_CGROUP_ROOT);
}

TEST(a_tree_that_is_not_there_is_named_and_nothing_is_opened)
{
	struct host host = { .cgroup_root = -5, .proc = -6 };
	struct error err;

	assert_int_equal(host_open(&host, "/nonexistent/cgroup", &err), -ENOENT);
	assert_string_equal(err.text,
			    "/nonexistent/cgroup: cannot open: No such file or directory");
	assert_int_equal(host.cgroup_root, -5);
	assert_int_equal(host.proc, -6);
}

TEST(a_file_is_no_tree)
{
	struct host host = { .cgroup_root = -1, .proc = -1 };

	assert_int_equal(host_open(&host, fixture("v2/cgroup.controllers"), NULL), -ENOTDIR);
}

TEST(closing_twice_is_fine)
{
	struct host host = { .cgroup_root = -1, .proc = -1 };

	assert_int_equal(host_open(&host, fixture("v2"), NULL), 0);
	host_close(&host);
	assert_int_equal(host.cgroup_root, -1);
	assert_int_equal(host.proc, -1);
	host_close(&host);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_tree_of_the_callers_is_foreign),
		cmocka_unit_test(the_machines_own_tree_is_not),
		cmocka_unit_test(a_tree_that_is_not_there_is_named_and_nothing_is_opened),
		cmocka_unit_test(a_file_is_no_tree),
		cmocka_unit_test(closing_twice_is_fine),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
