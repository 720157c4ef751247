// SPDX-License-Identifier: GPL-2.0-or-later
#include "kernel/owner.h"

#include <sys/xattr.h>

#include "test.h"

#define INSIDE 100000

static void need_root(void)
{
	if (geteuid() != 0)
		skip_because("only root can give a file away");
}

static int directory(const struct scratch *dir, const char *name)
{
	int fd;

	scratch_dir(dir, name);
	fd = openat(dir->fd, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_true(fd >= 0);
	return fd;
}

static void file(const struct scratch *dir, const char *name, uid_t uid, mode_t mode)
{
	scratch_file(dir, name, "1\n");
	assert_int_equal(fchownat(dir->fd, name, uid, uid, 0), 0);
	assert_int_equal(fchmodat(dir->fd, name, mode, 0), 0);
}

TEST(a_delegated_cgroup_stays_delegated)
{
	static const struct {
		const char *name;
		uid_t owner;
		mode_t had;
		mode_t made;
		mode_t then;
	} rows[] = {
		{ "cgroup.procs", INSIDE, 0644, 0644, 0644 },
		{ "memory.max", 0, 0644, 0644, 0644 },
		{ "cgroup.threads", INSIDE, 0664, 0644, 0664 },
		/* what kind of file it is does not change: a setting, an action, a counter */
		{ "memory.low", INSIDE, 0444, 0644, 0644 },
		{ "cgroup.kill", INSIDE, 0600, 0200, 0200 },
		{ "cgroup.stat", INSIDE, 0646, 0444, 0446 },
		{ "cgroup.freeze", INSIDE, 06755, 0644, 0755 },
	};
	auto_scratch struct scratch dir = scratch_new();
	auto_close int from = -1;
	auto_close int to = -1;
	struct stat st;

	need_root();
	from = directory(&dir, "from");
	to = directory(&dir, "to");
	for (size_t i = 0; i < COUNT(rows); i++) {
		char name[100];

		snprintf(name, sizeof(name), "from/%s", rows[i].name);
		file(&dir, name, rows[i].owner, rows[i].had);
		snprintf(name, sizeof(name), "to/%s", rows[i].name);
		file(&dir, name, 0, rows[i].made);
	}
	/* a child, and what only one of them has */
	scratch_dir(&dir, "from/child");
	scratch_file(&dir, "from/alone", "");
	assert_int_equal(fchown(from, INSIDE, INSIDE + 1), 0);
	assert_int_equal(fchmod(from, 0775), 0);

	assert_int_equal(owner_copy(from, to, NULL), 0);
	assert_int_equal(fstat(to, &st), 0);
	assert_int_equal(st.st_uid, INSIDE);
	assert_int_equal(st.st_gid, INSIDE + 1);
	assert_int_equal(st.st_mode & 07777, 0775);
	for (size_t i = 0; i < COUNT(rows); i++) {
		assert_int_equal(fstatat(to, rows[i].name, &st, 0), 0);
		assert_row(rows[i].name, st.st_uid == rows[i].owner && st.st_gid == rows[i].owner);
		assert_row(rows[i].name, (st.st_mode & 07777) == rows[i].then);
	}
}

TEST(marks_go_along_and_those_of_the_new_one_stay)
{
	auto_scratch struct scratch dir = scratch_new();
	auto_close int from = directory(&dir, "from");
	auto_close int to = directory(&dir, "to");
	char value[8] = "";

	need_root();
	/* on a file system that takes them */
	if (fsetxattr(from, "trusted.delegate", "1", 1, 0) < 0)
		skip_because("the file system takes no trusted.* attributes");
	assert_int_equal(fsetxattr(from, "trusted.invocation_id", "old", 3, 0), 0);
	assert_int_equal(fsetxattr(to, "trusted.invocation_id", "new", 3, 0), 0);
	assert_int_equal(owner_copy(from, to, NULL), 0);
	assert_int_equal(fgetxattr(to, "trusted.delegate", value, sizeof(value)), 1);
	assert_int_equal(value[0], '1');
	assert_int_equal(fgetxattr(to, "trusted.invocation_id", value, sizeof(value)), 3);
	assert_memory_equal(value, "new", 3);
	/* once more */
	assert_int_equal(owner_copy(from, to, NULL), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_delegated_cgroup_stays_delegated),
		cmocka_unit_test(marks_go_along_and_those_of_the_new_one_stay),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
