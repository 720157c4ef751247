// SPDX-License-Identifier: GPL-2.0-or-later
#include "systemd/delegate.h"

#include <sys/xattr.h>

#include "kernel/tree.h"
#include "test.h"

TEST(only_below_a_delegated_unit_a_cgroup_is_nobodys)
{
	static const struct {
		const char *path;
		const char *marked;
		int ret;
	} rows[] = {
		{ "/box", NULL, -EPERM },
		{ "/a.slice/box", NULL, -EPERM },
		{ "/a.slice/a-b.slice/box", NULL, -EPERM },
		{ "/a.slice/x.service/box", NULL, -EPERM },
		{ "/plain/box", NULL, -EPERM },
		{ "/a.slice/x.service/box", "a.slice/x.service", 0 },
		{ "/a.slice/x.service/deep/er/box", "a.slice/x.service", 0 },
		{ "/x.scope/box", "x.scope", 0 },
		/* the unit itself is systemd's */
		{ "/a.slice/x.service", "a.slice/x.service", -EPERM },
		/* a manager below another one manages its slices, and its root */
		{ "/u.slice/user@1.service/box", "u.slice/user@1.service", -EPERM },
		{ "/u.slice/user@1.service/app.slice/box", "u.slice/user@1.service", -EPERM },
		{ "/u.slice/user@1.service/app.slice/x.service/box",
		  "u.slice/user@1.service/app.slice/x.service", 0 },
	};

	for (size_t i = 0; i < COUNT(rows); i++) {
		auto_scratch struct scratch dir = scratch_new();
		struct hierarchy hierarchy = { .root = dir.fd, .mode = CGROUP_V2 };
		struct error err = { "" };
		auto_close int fd = -1;

		assert_true(tree_make(&hierarchy, rows[i].path, NULL) >= 0);
		if (rows[i].marked) {
			fd = openat(dir.fd, rows[i].marked, O_RDONLY | O_CLOEXEC);
			assert_true(fd >= 0);
			/* a file system without extended attributes */
			if (fsetxattr(fd, "user.delegate", "1", 1, 0) < 0)
				continue;
		}
		assert_row(rows[i].path,
			   delegate_check(&hierarchy, rows[i].path, &err) == rows[i].ret);
		if (rows[i].ret < 0)
			assert_row(err.text, strstr(err.text, ": systemd manages /") != NULL);
	}
}

TEST(the_refusal_names_the_cgroup_that_systemd_manages)
{
	auto_scratch struct scratch dir = scratch_new();
	struct hierarchy hierarchy = { .root = dir.fd, .mode = CGROUP_V2 };
	struct error err = { "" };

	assert_int_equal(delegate_check(&hierarchy, "/a.slice/x.service/box", &err), -EPERM);
	assert_row(err.text, strstr(err.text, "systemd manages /a.slice and ") != NULL);
	assert_int_equal(delegate_check(&hierarchy, "/box", &err), -EPERM);
	assert_row(err.text, strstr(err.text, "systemd manages / and ") != NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(only_below_a_delegated_unit_a_cgroup_is_nobodys),
		cmocka_unit_test(the_refusal_names_the_cgroup_that_systemd_manages),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
