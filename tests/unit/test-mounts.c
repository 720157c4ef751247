// SPDX-License-Identifier: GPL-2.0-or-later
#include "kernel/mounts.h"

#include <sys/mount.h>
#include <sys/sysmacros.h>

#include "test.h"

static int parse(struct cgroup_mounts *mounts, const char *text, const char *top,
		 struct error *err)
{
	auto_free char *copy = strdup(text);

	return mounts_parse(mounts, copy, top, err);
}

TEST(what_shows_a_cgroup_or_one_below_it_is_found)
{
	static const char text[] =
		"190 160 0:50 / / rw,relatime shared:1 - overlay overlay rw\n"
		"191 190 0:51 / /sys/fs/cgroup rw,nosuid - tmpfs cgroup rw,size=1024k\n"
		"192 191 0:31 /t/web /sys/fs/cgroup/memory ro,nosuid,nodev,noexec,relatime - "
		"cgroup cgroup rw,memory\n"
		"193 191 0:32 /t/web2 /sys/fs/cgroup/cpu rw - cgroup cgroup rw,cpu\n"
		"194 191 0:32 / /host rw - cgroup cgroup rw,cpu\n"
		"195 190 0:27 /t/web/in\\040ner /a\\040b\\134c rw,noatime master:5 propagate_from:2 - "
		"cgroup2 cgroup2 rw,nsdelegate\n"
		"196 195 0:52 / /a\\040b\\134c/x rw - tmpfs tmpfs rw\n"
		/* the root of another file system that has the same name */
		"197 190 8:1 /t/web /data rw - ext4 /dev/sda1 rw\n";
	auto_mounts struct cgroup_mounts mounts = { 0 };

	assert_int_equal(parse(&mounts, text, "/t/web", NULL), 0);
	assert_int_equal(mounts.count, 2);
	assert_int_equal(mounts.each[0].id, 192);
	assert_int_equal(mounts.each[0].parent, 191);
	assert_int_equal(mounts.each[0].dev, makedev(0, 31));
	assert_string_equal(mounts.each[0].root, "/t/web");
	assert_string_equal(mounts.each[0].point, "/sys/fs/cgroup/memory");
	assert_int_equal(mounts.each[0].attributes, MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID |
						    MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC);
	assert_false(mounts.each[0].covered);
	assert_string_equal(mounts.each[1].root, "/t/web/in ner");
	assert_string_equal(mounts.each[1].point, "/a b\\c");
	assert_int_equal(mounts.each[1].attributes, MOUNT_ATTR_NOATIME);
	assert_true(mounts.each[1].covered);
}

TEST(access_times_that_are_kept_strictly_are_seen)
{
	auto_mounts struct cgroup_mounts mounts = { 0 };

	assert_int_equal(parse(&mounts, "5 1 0:27 /a /x rw,nodiratime - cgroup2 none rw", "/a", NULL),
			 0);
	assert_int_equal(mounts.count, 1);
	assert_int_equal(mounts.each[0].attributes,
			 MOUNT_ATTR_STRICTATIME | MOUNT_ATTR_NODIRATIME);
}

TEST(what_is_no_mountinfo_is_refused)
{
	static const char *const rows[] = {
		"nonsense", "5 1 0:27 /a /x rw cgroup2 none rw", "5 1 0 /a /x rw - cgroup2 x rw",
		"5 1 0:27 /a - cgroup2",
		"5 1 0:27 - cgroup2 none rw",
	};

	for (size_t i = 0; i < COUNT(rows); i++) {
		struct cgroup_mounts mounts = { .count = 7 };
		struct error err = { "" };

		assert_row(rows[i], parse(&mounts, rows[i], "/a", &err) == -EINVAL);
		assert_row(rows[i], mounts.count == 7 && *err.text);
	}
}

/* A container may mount as often as it wants to, and waits frozen while we replace them. */
TEST(more_mounts_than_anybody_needs_are_refused)
{
	static const char line[] = "200 1 0:27 /a /x rw - cgroup2 none rw\n";
	struct cgroup_mounts mounts = { .count = 7 };
	struct error err = { "" };
	char text[257 * sizeof(line)];

	for (size_t i = 0; i < 257; i++)
		strcpy(text + i * (sizeof(line) - 1), line);
	assert_int_equal(parse(&mounts, text, "/a", &err), -E2BIG);
	assert_string_equal(err.text, "mountinfo: more than 256 mounts of its cgroups");
	assert_int_equal(mounts.count, 7);
	text[256 * (sizeof(line) - 1)] = '\0';
	mounts = (struct cgroup_mounts){ 0 };
	assert_int_equal(parse(&mounts, text, "/a", NULL), 0);
	assert_int_equal(mounts.count, 256);
	mounts_free(&mounts);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_shows_a_cgroup_or_one_below_it_is_found),
		cmocka_unit_test(access_times_that_are_kept_strictly_are_seen),
		cmocka_unit_test(what_is_no_mountinfo_is_refused),
		cmocka_unit_test(more_mounts_than_anybody_needs_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
