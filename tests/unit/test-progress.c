// SPDX-License-Identifier: GPL-2.0-or-later
#include "cli/progress.h"

#include "test.h"

TEST(nothing_is_shown_where_there_is_no_terminal)
{
	auto_scratch struct scratch dir = scratch_new();
	auto_close int kept = dup(STDERR_FILENO);
	auto_close int fd = -1;
	/* long enough ago for the line to be there */
	struct progress progress = { .started = 1 };
	struct stat st;

	scratch_file(&dir, "shown", "");
	fd = openat(dir.fd, "shown", O_WRONLY | O_CLOEXEC);
	fflush(stderr);
	assert_true(dup2(fd, STDERR_FILENO) >= 0);
	progress_show(&progress, "charges", 1, 2);
	progress_end(&progress);
	fflush(stderr);
	assert_true(dup2(kept, STDERR_FILENO) >= 0);
	assert_int_equal(fstat(fd, &st), 0);
	assert_int_equal(st.st_size, 0);
	assert_int_equal(progress.started, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nothing_is_shown_where_there_is_no_terminal),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
