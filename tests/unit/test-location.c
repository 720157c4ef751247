// SPDX-License-Identifier: GPL-2.0-or-later
#include "container/location.h"

#include "directories.h"

TEST(a_container_is_where_its_record_says)
{
	static const struct {
		const char *path;
		const char *scope;
		bool systemd;
		const char *top;
		const char *cgroup;
		const char *slice;
	} rows[] = {
		{ "/a/box", "", false, "/a/box", "/a/box", "a" },
		{ "a/box", "", false, "/a/box", "/a/box", "a" },
		{ "/box", "", false, "/box", "/box", "-.slice" },
		/* crun's own cgroup is below the unit's */
		{ "/m.slice/c.scope/container", "c.scope", true, "/m.slice/c.scope",
		  "/m.slice/c.scope/container", "m.slice" },
		{ "/m.slice/c.scope", "c.scope", true, "/m.slice/c.scope", "/m.slice/c.scope",
		  "m.slice" },
		/* a name that only begins or ends like it is another's */
		{ "/xc.scope/c.scopes/c.scope/in", "c.scope", true, "/xc.scope/c.scopes/c.scope",
		  "/xc.scope/c.scopes/c.scope/in", "c.scopes" },
	};

	for (size_t i = 0; i < COUNT(rows); i++) {
		auto_scratch struct scratch dir = scratch_new();
		struct hierarchies hierarchies = alone(&dir, CGROUP_V2, "");
		struct status status = {
			.dirfd = -1,
			.cgroup_path = rows[i].path,
			.scope = rows[i].scope,
			.systemd = rows[i].systemd,
		};
		struct place place = { 0 };

		scratch_file(&dir, "memory.stat", "");
		assert_row(rows[i].path, place_of(&place, &hierarchies, &status, NULL) == -ENOENT);
		cgroup(&hierarchies, rows[i].path);
		assert_row(rows[i].path, place_of(&place, &hierarchies, &status, NULL) == 0);
		assert_row_text(rows[i].path, place.top, rows[i].top);
		assert_row_text(rows[i].path, place.cgroup, rows[i].cgroup);
		assert_row_text(rows[i].path, place.scope, rows[i].scope);
		assert_row_text(rows[i].path, place.slice, rows[i].slice);
		place_close(&place);
	}
}

TEST(a_container_without_a_cgroup_of_its_own_is_nowhere)
{
	static const struct {
		const char *path;
		const char *scope;
		int ret;
	} rows[] = {
		{ "", "", -ENOENT },
		{ "/", "", -ENOENT },
		{ "/m.slice/d.scope", "c.scope", -EINVAL },
	};
	auto_scratch struct scratch dir = scratch_new();
	struct hierarchies hierarchies = alone(&dir, CGROUP_V2, "");

	for (size_t i = 0; i < COUNT(rows); i++) {
		struct status status = {
			.dirfd = -1,
			.cgroup_path = rows[i].path,
			.scope = rows[i].scope,
			.systemd = true,
		};
		struct place place = { 0 };

		assert_row(rows[i].path,
			   place_of(&place, &hierarchies, &status, NULL) == rows[i].ret);
		assert_null(place.top);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_container_is_where_its_record_says),
		cmocka_unit_test(a_container_without_a_cgroup_of_its_own_is_nowhere),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
