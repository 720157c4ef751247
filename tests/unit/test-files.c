// SPDX-License-Identifier: GPL-2.0-or-later
#include "memory/files.h"

#include "test.h"

TEST(a_file_is_found_by_mode_and_name)
{
	const struct memory_file *row = memory_file_named(CGROUP_V2, "memory.max");

	assert_non_null(row);
	assert_int_equal(row->field, MEMORY_LIMIT);
	assert_null(memory_file_named(CGROUP_V1, "memory.max"));
	assert_null(memory_file_named(CGROUP_V2, "memory.limit_in_bytes"));
	assert_null(memory_file_named(CGROUP_V2, "memory.ma"));
	assert_null(memory_file_named(CGROUP_V2, ""));
	/* One name, two kernels: the mode tells them apart. */
	assert_ptr_not_equal(memory_file_named(CGROUP_V1, "memory.swappiness"),
			     memory_file_named(CGROUP_V2, "memory.swappiness"));
}

TEST(no_file_has_two_rows)
{
	for (size_t i = 0; i < memory_files_count; i++)
		assert_row(memory_files[i].name, memory_file_named(memory_files[i].mode,
								   memory_files[i].name) ==
							 &memory_files[i]);
}

TEST(a_row_fits_a_plan_and_a_table)
{
	for (size_t i = 0; i < memory_files_count; i++) {
		const struct memory_file *row = &memory_files[i];

		assert_row(row->name, strncmp(row->name, "memory.", 7) == 0);
		assert_row(row->name, strlen(row->name) < MEMORY_FILE_NAME_MAX);
		assert_row(row->name, strlen(row->gives) <= 48);
		assert_row(row->name, row->field < MEMORY_FIELDS);
	}
	assert_true(memory_files_count <= MEMORY_FILES_MAX);
}

/* What a stock kernel lacks stands before what it has, or it would never win. */
TEST(a_patched_file_is_preferred_to_what_stands_in_for_it)
{
	for (size_t i = 0; i < memory_files_count; i++) {
		for (size_t k = 0; k < i; k++) {
			if (memory_files[i].flags & FILE_PATCH &&
			    memory_files[k].field == memory_files[i].field &&
			    memory_files[k].mode == memory_files[i].mode)
				assert_row(memory_files[i].name, memory_files[k].flags & FILE_PATCH);
		}
	}
}

TEST(only_v2_is_patched_and_crun_knows_no_patch)
{
	for (size_t i = 0; i < memory_files_count; i++) {
		if (!(memory_files[i].flags & FILE_PATCH))
			continue;
		assert_row(memory_files[i].name, memory_files[i].mode == CGROUP_V2);
		assert_row(memory_files[i].name, memory_files[i].crun == CRUN_NOTHING);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_file_is_found_by_mode_and_name),
		cmocka_unit_test(no_file_has_two_rows),
		cmocka_unit_test(a_row_fits_a_plan_and_a_table),
		cmocka_unit_test(a_patched_file_is_preferred_to_what_stands_in_for_it),
		cmocka_unit_test(only_v2_is_patched_and_crun_knows_no_patch),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
