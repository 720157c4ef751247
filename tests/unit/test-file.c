// SPDX-License-Identifier: GPL-2.0-or-later
#include "base/file.h"

#include "test.h"

TEST(a_file_is_read_without_its_last_newline)
{
	auto_scratch struct scratch dir = scratch_new();
	char text[16];

	scratch_file(&dir, "one", "max\n");
	scratch_file(&dir, "two", "a 1\nb 2\n\n");
	scratch_file(&dir, "none", "max");
	scratch_file(&dir, "empty", "");
	assert_int_equal(file_read_at(dir.fd, "one", text, sizeof(text), NULL), 3);
	assert_string_equal(text, "max");
	assert_int_equal(file_read_at(dir.fd, "two", text, sizeof(text), NULL), 8);
	assert_string_equal(text, "a 1\nb 2\n");
	assert_int_equal(file_read_at(dir.fd, "none", text, sizeof(text), NULL), 3);
	assert_string_equal(text, "max");
	assert_int_equal(file_read_at(dir.fd, "empty", text, sizeof(text), NULL), 0);
	assert_string_equal(text, "");
}

TEST(a_file_larger_than_the_place_for_it_is_refused)
{
	auto_scratch struct scratch dir = scratch_new();
	struct error err;
	char text[4];

	scratch_file(&dir, "fits", "123");
	scratch_file(&dir, "does-not", "1234");
	assert_int_equal(file_read_at(dir.fd, "fits", text, sizeof(text), &err), 3);
	assert_string_equal(text, "123");
	assert_int_equal(file_read_at(dir.fd, "does-not", text, sizeof(text), &err), -EFBIG);
	assert_string_equal(err.text, "does-not: longer than 3 bytes");
}

TEST(a_file_that_is_missing_is_named)
{
	auto_scratch struct scratch dir = scratch_new();
	struct error err;
	char text[4];

	assert_int_equal(file_read_at(dir.fd, "memory.max", text, sizeof(text), &err), -ENOENT);
	assert_string_equal(err.text, "memory.max: cannot open: No such file or directory");
	assert_int_equal(file_write_at(dir.fd, "memory.max", "1", &err), -ENOENT);
	assert_string_equal(err.text, "memory.max: cannot open: No such file or directory");
	assert_int_equal(file_exists_at(dir.fd, "memory.max"), 0);
}

TEST(a_write_makes_no_file)
{
	auto_scratch struct scratch dir = scratch_new();

	assert_int_equal(file_write_at(dir.fd, "new", "1", NULL), -ENOENT);
	assert_int_equal(faccessat(dir.fd, "new", F_OK, 0), -1);
}

TEST(a_symbolic_link_is_not_followed)
{
	auto_scratch struct scratch dir = scratch_new();
	struct error err;
	char text[16];

	scratch_file(&dir, "target", "secret");
	assert_int_equal(symlinkat("target", dir.fd, "link"), 0);
	assert_int_equal(file_read_at(dir.fd, "link", text, sizeof(text), &err), -ELOOP);
	assert_int_equal(file_write_at(dir.fd, "link", "broken", &err), -ELOOP);
	assert_int_equal(file_read_at(dir.fd, "target", text, sizeof(text), &err), 6);
	assert_string_equal(text, "secret");

	assert_int_equal(symlinkat("nowhere", dir.fd, "dangling"), 0);
	assert_int_equal(file_exists_at(dir.fd, "dangling"), 1);
}

TEST(what_is_written_is_there)
{
	auto_scratch struct scratch dir = scratch_new();
	char text[16];

	scratch_file(&dir, "memory.max", "");
	assert_int_equal(file_exists_at(dir.fd, "memory.max"), 1);
	assert_int_equal(file_write_at(dir.fd, "memory.max", "67108864", NULL), 0);
	assert_int_equal(file_read_at(dir.fd, "memory.max", text, sizeof(text), NULL), 8);
	assert_string_equal(text, "67108864");
}

TEST(a_refusal_of_the_kernel_is_its_errno_with_the_value)
{
	auto_close int self = open("/proc/self", O_PATH | O_DIRECTORY | O_CLOEXEC);
	struct error err;

	assert_int_equal(file_write_at(self, "oom_score_adj", "9999", &err), -EINVAL);
	assert_string_equal(err.text,
			    "oom_score_adj: cannot write \"9999\": Invalid argument");
}

TEST(a_directory_cannot_be_read)
{
	auto_scratch struct scratch dir = scratch_new();
	struct error err;
	char text[4];

	scratch_dir(&dir, "sub");
	assert_int_equal(file_read_at(dir.fd, "sub", text, sizeof(text), &err), -EISDIR);
	assert_string_equal(err.text, "sub: cannot read: Is a directory");
}

TEST(all_of_a_file_is_read_with_a_nul_behind_it)
{
	auto_scratch struct scratch dir = scratch_new();
	static char large[100000];
	auto_free char *text = NULL;
	auto_close int fd = -1;
	size_t len = 0;

	memset(large, 'x', sizeof(large) - 1);
	scratch_file(&dir, "large", large);
	fd = openat(dir.fd, "large", O_RDONLY | O_CLOEXEC);
	assert_int_equal(file_read_all(fd, sizeof(large), &text, &len, NULL), 0);
	assert_int_equal(len, sizeof(large) - 1);
	assert_string_equal(text, large);
}

TEST(a_file_may_be_as_long_as_allowed_and_no_longer)
{
	auto_scratch struct scratch dir = scratch_new();
	auto_free char *text = NULL;
	auto_close int fd = -1;
	struct error err;
	size_t len = 42;

	scratch_file(&dir, "ten", "0123456789");
	fd = openat(dir.fd, "ten", O_RDONLY | O_CLOEXEC);
	assert_int_equal(file_read_all(fd, 9, &text, &len, &err), -EFBIG);
	assert_string_equal(err.text, "longer than 9 bytes");
	assert_null(text);
	assert_int_equal(len, 42);

	assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
	assert_int_equal(file_read_all(fd, 10, &text, &len, &err), 0);
	assert_int_equal(len, 10);
	assert_string_equal(text, "0123456789");
}

/* A file of /proc says that it has 0 bytes and has more. */
TEST(a_file_whose_size_nobody_knows_is_read_whole)
{
	auto_close int fd = open("/proc/self/status", O_RDONLY | O_CLOEXEC);
	auto_free char *text = NULL;
	size_t len = 0;

	assert_int_equal(file_read_all(fd, 1 << 20, &text, &len, NULL), 0);
	assert_int_equal(len, strlen(text));
	assert_non_null(strstr(text, "Name:"));
}

TEST(a_pipe_is_read_to_its_end)
{
	static char piece[30000];
	auto_free char *text = NULL;
	int ends[2];
	size_t len = 0;

	memset(piece, 'p', sizeof(piece));
	assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
	assert_int_equal(file_write_all(ends[1], piece, sizeof(piece), NULL), 0);
	assert_int_equal(file_write_all(ends[1], piece, sizeof(piece), NULL), 0);
	close(ends[1]);
	assert_int_equal(file_read_all(ends[0], 1 << 20, &text, &len, NULL), 0);
	close(ends[0]);
	assert_int_equal(len, 2 * sizeof(piece));
	assert_int_equal(strspn(text, "p"), len);
}

TEST(writing_all_to_a_full_disk_says_so)
{
	auto_close int full = open("/dev/full", O_WRONLY | O_CLOEXEC);
	struct error err;

	assert_int_equal(file_write_all(full, "x", 1, &err), -ENOSPC);
	assert_string_equal(err.text, "cannot write: No space left on device");
	assert_int_equal(file_write_all(full, "", 0, &err), 0);
}

TEST(a_file_is_replaced_and_keeps_its_mode)
{
	auto_scratch struct scratch dir = scratch_new();
	char text[16];
	struct stat st;

	scratch_file(&dir, "status", "a longer old text");
	assert_int_equal(fchmodat(dir.fd, "status", 0640, 0), 0);
	assert_int_equal(file_replace_at(dir.fd, "status", 0600, "new\n", 4, NULL), 0);
	assert_int_equal(file_read_at(dir.fd, "status", text, sizeof(text), NULL), 3);
	assert_string_equal(text, "new");
	assert_int_equal(fstatat(dir.fd, "status", &st, AT_SYMLINK_NOFOLLOW), 0);
	assert_int_equal(st.st_mode, S_IFREG | 0640);
	assert_int_equal(file_exists_at(dir.fd, ".status.new"), 0);
}

TEST(a_file_that_root_replaces_keeps_its_owner)
{
	auto_scratch struct scratch dir = scratch_new();
	struct stat st;

	scratch_file(&dir, "status", "old");
	if (fchownat(dir.fd, "status", 4711, 4712, AT_SYMLINK_NOFOLLOW) < 0) {
		scratch_remove(&dir);
		skip_because("only root can give a file away");
	}
	assert_int_equal(file_replace_at(dir.fd, "status", 0600, "new", 3, NULL), 0);
	assert_int_equal(fstatat(dir.fd, "status", &st, AT_SYMLINK_NOFOLLOW), 0);
	assert_int_equal(st.st_uid, 4711);
	assert_int_equal(st.st_gid, 4712);
	/* a new file is whose program makes it */
	assert_int_equal(file_replace_at(dir.fd, "new", 0600, "new", 3, NULL), 0);
	assert_int_equal(fstatat(dir.fd, "new", &st, AT_SYMLINK_NOFOLLOW), 0);
	assert_int_equal(st.st_uid, geteuid());
}

TEST(who_has_the_old_file_open_keeps_it)
{
	auto_scratch struct scratch dir = scratch_new();
	char text[4] = "";
	auto_close int fd = -1;

	scratch_file(&dir, "status", "old");
	fd = openat(dir.fd, "status", O_RDONLY | O_CLOEXEC);
	assert_int_equal(file_replace_at(dir.fd, "status", 0600, "new", 3, NULL), 0);
	assert_int_equal(read(fd, text, 3), 3);
	assert_string_equal(text, "old");
}

TEST(a_new_file_has_the_mode_that_is_said_whatever_the_umask)
{
	auto_scratch struct scratch dir = scratch_new();
	mode_t mask = umask(0077);
	struct stat st;

	assert_int_equal(file_replace_at(dir.fd, "new", 0644, "", 0, NULL), 0);
	umask(mask);
	assert_int_equal(fstatat(dir.fd, "new", &st, AT_SYMLINK_NOFOLLOW), 0);
	assert_int_equal(st.st_mode, S_IFREG | 0644);
	assert_int_equal(st.st_size, 0);
}

TEST(what_a_crash_left_is_replaced)
{
	auto_scratch struct scratch dir = scratch_new();
	char text[16];

	scratch_file(&dir, "status", "old");
	scratch_file(&dir, "elsewhere", "kept");
	assert_int_equal(symlinkat("elsewhere", dir.fd, ".status.new"), 0);
	assert_int_equal(file_replace_at(dir.fd, "status", 0600, "new", 3, NULL), 0);
	assert_int_equal(file_read_at(dir.fd, "status", text, sizeof(text), NULL), 3);
	assert_string_equal(text, "new");
	assert_int_equal(file_read_at(dir.fd, "elsewhere", text, sizeof(text), NULL), 4);
	assert_int_equal(file_exists_at(dir.fd, ".status.new"), 0);
}

TEST(a_file_that_cannot_be_replaced_is_left_with_nothing_beside_it)
{
	auto_scratch struct scratch dir = scratch_new();
	struct error err;

	scratch_dir(&dir, "status");
	assert_int_equal(file_replace_at(dir.fd, "status", 0600, "new", 3, &err), -EISDIR);
	assert_string_equal(err.text, "status: cannot replace: Is a directory");
	assert_int_equal(file_exists_at(dir.fd, ".status.new"), 0);
}

TEST(a_staged_file_is_not_there_until_it_is_committed)
{
	auto_scratch struct scratch dir = scratch_new();
	char text[16];

	scratch_file(&dir, "record", "old\n");
	assert_int_equal(file_stage_at(dir.fd, "record", 0600, "new\n", 4, NULL), 0);
	file_read_at(dir.fd, "record", text, sizeof(text), NULL);
	assert_string_equal(text, "old");
	assert_int_equal(file_commit_at(dir.fd, "record", NULL), 0);
	file_read_at(dir.fd, "record", text, sizeof(text), NULL);
	assert_string_equal(text, "new");

	assert_int_equal(file_stage_at(dir.fd, "record", 0600, "newer\n", 6, NULL), 0);
	file_discard_at(dir.fd, "record");
	file_discard_at(dir.fd, "record");
	assert_int_equal(file_exists_at(dir.fd, ".record.new"), 0);
	assert_int_equal(file_commit_at(dir.fd, "record", NULL), -ENOENT);
	file_read_at(dir.fd, "record", text, sizeof(text), NULL);
	assert_string_equal(text, "new");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_file_is_read_without_its_last_newline),
		cmocka_unit_test(a_file_larger_than_the_place_for_it_is_refused),
		cmocka_unit_test(a_file_that_is_missing_is_named),
		cmocka_unit_test(a_write_makes_no_file),
		cmocka_unit_test(a_symbolic_link_is_not_followed),
		cmocka_unit_test(what_is_written_is_there),
		cmocka_unit_test(a_refusal_of_the_kernel_is_its_errno_with_the_value),
		cmocka_unit_test(a_directory_cannot_be_read),
		cmocka_unit_test(all_of_a_file_is_read_with_a_nul_behind_it),
		cmocka_unit_test(a_file_may_be_as_long_as_allowed_and_no_longer),
		cmocka_unit_test(a_file_whose_size_nobody_knows_is_read_whole),
		cmocka_unit_test(a_pipe_is_read_to_its_end),
		cmocka_unit_test(writing_all_to_a_full_disk_says_so),
		cmocka_unit_test(a_file_is_replaced_and_keeps_its_mode),
		cmocka_unit_test(a_file_that_root_replaces_keeps_its_owner),
		cmocka_unit_test(who_has_the_old_file_open_keeps_it),
		cmocka_unit_test(a_new_file_has_the_mode_that_is_said_whatever_the_umask),
		cmocka_unit_test(what_a_crash_left_is_replaced),
		cmocka_unit_test(a_file_that_cannot_be_replaced_is_left_with_nothing_beside_it),
		cmocka_unit_test(a_staged_file_is_not_there_until_it_is_committed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
