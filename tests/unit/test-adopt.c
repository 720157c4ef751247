// SPDX-License-Identifier: GPL-2.0-or-later
#include "container/adopt.h"

#include "native.h"

TEST(a_kernel_that_moves_no_charges_is_said)
{
	struct native *native = native_of(state);
	struct adopt_request request = {
		.root = native->state.path,
		.id = NATIVE_ID,
		.from = "/",
		.types = CHARGE_ALL,
	};
	struct adopt_result result;
	char file[128];
	struct error err;

	snprintf(file, sizeof(file), "%s/memory.migrate", native->path + 1);
	if (file_exists_at(native->memory->root, file)) {
		skip_because("this kernel moves charges");
	}
	native_record(native, native->path, "{}");
	assert_int_equal(container_adopt(&request, &result, &err), -EOPNOTSUPP);
	assert_string_equal(err.text, "this kernel moves no charges (memory.migrate)");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		native_test(a_kernel_that_moves_no_charges_is_said),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
