// SPDX-License-Identifier: GPL-2.0-or-later
#include "kernel/path.h"

#include <errno.h>

#include "base/cleanup.h"
#include "test.h"

TEST(a_path_that_nobody_could_have_is_refused)
{
	static const char *const good[] = { "/a", "a", "/a/b", "//a//b/", "/a..b", "/...", "/a:b" };
	static const char *const bad[] = {
		"", "/", "//", "/.", "/..", "/a/../b", "/a/.", "/a\nb", "/cgroup.procs",
		"/a/cgroup.x", "/\xff",
	};
	char name[300] = "/";

	for (size_t i = 0; i < COUNT(good); i++)
		assert_row(good[i], path_check(good[i], NULL) == 0);
	for (size_t i = 0; i < COUNT(bad); i++)
		assert_row(bad[i], path_check(bad[i], NULL) == -EINVAL);
	memset(name + 1, 'a', 255);
	assert_int_equal(path_check(name, NULL), 0);
	name[256] = 'a';
	assert_int_equal(path_check(name, NULL), -EINVAL);
}

TEST(slashes_too_many_or_too_few_make_no_difference)
{
	static const char *const rows[][2] = {
		{ "/a", "/a" },	   { "a", "/a" },     { "a/b", "/a/b" },     { "//a///b//", "/a/b" },
		{ "/", "" },	   { "", "" },	      { "///", "" },	     { "/a..b/", "/a..b" },
	};

	for (size_t i = 0; i < COUNT(rows); i++) {
		auto_free char *normal = path_normal(rows[i][0]);

		assert_string_equal(normal, rows[i][1]);
	}
}

TEST(below_is_by_whole_names)
{
	assert_true(path_is_below("/a", "/a"));
	assert_true(path_is_below("/a/b", "/a"));
	assert_false(path_is_below("/ab", "/a"));
	assert_false(path_is_below("/a", "/a/b"));
	assert_true(path_is_below("/a", ""));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_path_that_nobody_could_have_is_refused),
		cmocka_unit_test(slashes_too_many_or_too_few_make_no_difference),
		cmocka_unit_test(below_is_by_whole_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
