// SPDX-License-Identifier: GPL-2.0-or-later
#include "kernel/settings.h"

#include "test.h"

/*
 * Two cgroups of plain files. A write leaves what is longer behind it, so that values of
 * one length are copied as a kernel would, and others are a kernel that keeps something
 * else.
 */
struct two {
	struct scratch dir;
	int from;
	int to;
};

static struct two two_new(void)
{
	struct two two = { .dir = scratch_new() };

	scratch_dir(&two.dir, "from");
	scratch_dir(&two.dir, "to");
	two.from = openat(two.dir.fd, "from", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	two.to = openat(two.dir.fd, "to", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_true(two.from >= 0 && two.to >= 0);
	return two;
}

static void two_remove(const struct two *two)
{
	close(two->from);
	close(two->to);
	scratch_remove(&two->dir);
}

#define auto_two __attribute__((cleanup(two_remove)))

static void put(const struct two *two, const char *name, const char *had, const char *has)
{
	char path[PATH_MAX];

	if (had) {
		snprintf(path, sizeof(path), "from/%s", name);
		scratch_file(&two->dir, path, had);
	}
	if (has) {
		snprintf(path, sizeof(path), "to/%s", name);
		scratch_file(&two->dir, path, has);
	}
}

static void assert_to(const struct two *two, const char *name, const char *wanted)
{
	auto_close int fd = openat(two->to, name, O_RDONLY | O_CLOEXEC);
	char text[256] = "";

	assert_row(name, fd >= 0);
	assert_row(name, read(fd, text, sizeof(text) - 1) >= 0);
	assert_row_text(name, text, wanted);
}

TEST(what_differs_is_copied)
{
	auto_two struct two two = two_new();

	put(&two, "memory.max", "67108864\n", "99999999\n");
	put(&two, "pids.max", "100\n", "max\n");
	put(&two, "made.up", "x\n", "y\n");
	assert_int_equal(settings_copy(two.from, two.to, SETTINGS_EARLY, NULL), 0);
	assert_to(&two, "memory.max", "67108864\n");
	assert_to(&two, "pids.max", "100\n");
	assert_to(&two, "made.up", "x\n");
	assert_int_equal(settings_compare(two.from, two.to, NULL), 0);
}

TEST(a_value_that_is_not_kept_is_said_with_both)
{
	auto_two struct two two = two_new();
	struct error err;

	put(&two, "cpu.weight", "50\n", "12345");
	assert_int_equal(settings_copy(two.from, two.to, SETTINGS_EARLY, &err), -EIO);
	assert_string_equal(err.text, "cpu.weight: \"50345\", not \"50\"");
}

TEST(a_file_that_the_other_lacks_is_named)
{
	auto_two struct two two = two_new();
	struct error err;

	put(&two, "memory.max", "max\n", NULL);
	put(&two, "memory.low", NULL, "5\n");
	assert_int_equal(settings_copy(two.from, two.to, SETTINGS_EARLY, &err), -ENOENT);
	assert_string_equal(err.text, "memory.max: cannot open: No such file or directory");
	assert_int_equal(settings_compare(two.from, two.to, &err), -ENOENT);
	assert_to(&two, "memory.low", "5\n");
}

TEST(only_lines_that_differ_are_written)
{
	auto_two struct two two = two_new();

	put(&two, "io.max", "8:1 rbps=2\n8:0 rbps=1\n", "8:0 rbps=1\n8:1 rbps=9\n");
	/* a kernel would put the line where it belongs */
	assert_int_equal(settings_copy(two.from, two.to, SETTINGS_EARLY, NULL), -EIO);
	assert_to(&two, "io.max", "8:1 rbps=2\n8:1 rbps=9\n");
}

TEST(what_is_the_same_is_not_written)
{
	auto_two struct two two = two_new();

	/* a write would put what `from` has without the last newline */
	put(&two, "memory.max", "max", "max\n");
	put(&two, "io.weight", "default 100\n8:0 50\n", "8:0 50\ndefault 100\n");
	put(&two, "cpuset.mems", "", "");
	assert_int_equal(settings_compare(two.from, two.to, NULL), 0);
	assert_int_equal(settings_copy(two.from, two.to, SETTINGS_EARLY, NULL), 0);
	assert_to(&two, "io.weight", "8:0 50\ndefault 100\n");
	assert_to(&two, "cpuset.mems", "");
}

TEST(a_difference_is_named_with_both_values)
{
	static const struct {
		const char *had;
		const char *has;
		const char *words;
	} rows[] = {
		{ "max\n", "5\n", "memory.high: \"5\", not \"max\"" },
		{ "a 1\nb 2\n", "a 1\nb 3\n", "memory.high: \"a 1 b 3\", not \"a 1 b 2\"" },
		{ "12\n", "1\n2\n", "memory.high: \"1 2\", not \"12\"" },
		{ "", "1\n", "memory.high: \"1\", not \"\"" },
		{ "10\n", "1\n", "memory.high: \"1\", not \"10\"" },
		{ "1\n12\n", "12\n3\n", "memory.high: \"12 3\", not \"1 12\"" },
	};

	for (size_t i = 0; i < COUNT(rows); i++) {
		auto_two struct two two = two_new();
		struct error err = { "" };

		put(&two, "memory.high", rows[i].had, rows[i].has);
		assert_row(rows[i].had, settings_compare(two.from, two.to, &err) == -EIO);
		for (char *c = err.text; *c; c++) {
			if (*c == '\n' || *c == '?')
				*c = ' ';
		}
		assert_row_text(rows[i].had, err.text, rows[i].words);
		assert_to(&two, "memory.high", rows[i].has);
	}
}

TEST(an_empty_value_is_written_as_such)
{
	auto_two struct two two = two_new();

	put(&two, "cpuset.cpus", "\n", "3");
	assert_int_equal(settings_copy(two.from, two.to, SETTINGS_EARLY, NULL), 0);
	assert_to(&two, "cpuset.cpus", "\n");
}

TEST(what_is_no_state_is_not_copied)
{
	static const char *const names[] = {
		"tasks", "cgroup.procs", "cgroup.threads", "cgroup.type",
		"cgroup.subtree_control", "cgroup.freeze", "freezer.state",
		"memory.pressure", "io.pressure", "irq.pressure", "memory.peak",
		"memory.swap.peak", "memory.failcnt", "memory.memsw.failcnt",
		"hugetlb.2MB.failcnt", "memory.max_usage_in_bytes",
		"memory.kmem.max_usage_in_bytes", "cpuacct.usage", "memory.reclaim",
		"memory.force_empty",
		/* these come later */
		"memory.move_charge_at_immigrate", "cpuset.cpus.exclusive",
		"cpuset.cpus.partition", "cpuset.cpu_exclusive", "cpuset.mem_exclusive",
	};

	for (size_t i = 0; i < COUNT(names); i++) {
		auto_two struct two two = two_new();

		put(&two, names[i], "1\n", "2\n");
		assert_row(names[i], settings_compare(two.from, two.to, NULL) == 0);
		assert_row(names[i],
			   settings_copy(two.from, two.to, SETTINGS_EARLY, NULL) == 0);
		assert_to(&two, names[i], "2\n");
	}
}

TEST(whether_pressure_is_measured_is_a_setting)
{
	auto_two struct two two = two_new();

	put(&two, "cgroup.pressure", "0\n", "1\n");
	assert_int_equal(settings_compare(two.from, two.to, NULL), -EIO);
	assert_int_equal(settings_copy(two.from, two.to, SETTINGS_EARLY, NULL), 0);
	assert_to(&two, "cgroup.pressure", "0\n");
}

TEST(what_cannot_be_read_and_written_is_no_setting)
{
	auto_two struct two two = two_new();

	/* what its owner has made of the mode in `from` does not count */
	put(&two, "memory.current", "1\n", "2\n");
	assert_int_equal(fchmodat(two.to, "memory.current", 0444, 0), 0);
	put(&two, "cgroup.stat", "1\n", "2\n");
	assert_int_equal(fchmodat(two.to, "cgroup.stat", 0444, 0), 0);
	assert_int_equal(fchmodat(two.from, "cgroup.stat", 0644, 0), 0);
	put(&two, "cgroup.kill", "1\n", "2\n");
	assert_int_equal(fchmodat(two.to, "cgroup.kill", 0200, 0), 0);
	assert_int_equal(fchmodat(two.from, "cgroup.kill", 0600, 0), 0);
	scratch_dir(&two.dir, "from/child");
	put(&two, "link", NULL, "2\n");
	assert_int_equal(symlinkat("memory.current", two.from, "link"), 0);
	put(&two, ".hidden", "1\n", "2\n");
	assert_int_equal(settings_copy(two.from, two.to, SETTINGS_EARLY, NULL), 0);
	assert_int_equal(settings_compare(two.from, two.to, NULL), 0);
	assert_to(&two, "memory.current", "2\n");
	assert_to(&two, "cgroup.kill", "2\n");
	assert_to(&two, "cgroup.stat", "2\n");
	assert_to(&two, "link", "2\n");
	assert_to(&two, ".hidden", "2\n");
}

TEST(a_limit_whose_file_its_owner_has_hidden_is_copied)
{
	auto_two struct two two = two_new();

	put(&two, "memory.max", "67108864\n", "99999999\n");
	assert_int_equal(fchmodat(two.from, "memory.max", 0444, 0), 0);
	assert_int_equal(settings_copy(two.from, two.to, SETTINGS_EARLY, NULL), 0);
	assert_to(&two, "memory.max", "67108864\n");
}

TEST(of_the_oom_control_the_first_word_is_a_setting)
{
	auto_two struct two two = two_new();

	put(&two, "memory.oom_control", "oom_kill_disable 1\nunder_oom 0\noom_kill 5\n",
	    "oom_kill_disable 1\nunder_oom 1\noom_kill 0\n");
	assert_int_equal(settings_compare(two.from, two.to, NULL), 0);

	put(&two, "memory.oom_control", NULL, "oom_kill_disable 0\nunder_oom 0\n");
	assert_int_equal(settings_compare(two.from, two.to, NULL), -EIO);

	/* what is written is a number alone */
	put(&two, "memory.oom_control", NULL, "0");
	assert_int_equal(settings_copy(two.from, two.to, SETTINGS_EARLY, NULL), 0);
	assert_to(&two, "memory.oom_control", "1");
}

TEST(what_others_depend_on_goes_first)
{
	static const char *const order[] = {
		"cpu.idle", "cpuset.cpus",
		"cpuset.mems", "a", "cgroup.clone_children", "cpu.weight", "cpuset.memory_migrate",
		"memory.limit_in_bytes", "memory.memsw.limit_in_bytes",
	};
	auto_two struct two two = two_new();
	char wanted[300];
	struct error err;

	for (size_t i = 0; i < COUNT(order); i++)
		put(&two, order[i], "1\n", NULL);
	/* the first that is missing is the next */
	for (size_t i = 0; i < COUNT(order); i++) {
		assert_row(order[i], settings_compare(two.from, two.to, &err) == -ENOENT);
		snprintf(wanted, sizeof(wanted), "%s: cannot open: No such file or directory",
			 order[i]);
		assert_row_text(order[i], err.text, wanted);
		put(&two, order[i], NULL, "1\n");
	}
	assert_int_equal(settings_compare(two.from, two.to, &err), 0);
}

TEST(late_settings_are_copied_late)
{
	auto_two struct two two = two_new();

	put(&two, "memory.move_charge_at_immigrate", "3\n", "0\n");
	put(&two, "cpuset.cpus", "1\n", "2\n");
	assert_int_equal(settings_copy(two.from, two.to, SETTINGS_LATE, NULL), 0);
	assert_to(&two, "memory.move_charge_at_immigrate", "3\n");
	assert_to(&two, "cpuset.cpus", "2\n");
}

struct seen {
	int calls;
	int answer;
	char text[200];
};

static int see(void *context, const char *name, const char *value)
{
	struct seen *seen = context;
	size_t len = strlen(seen->text);

	seen->calls++;
	snprintf(seen->text + len, sizeof(seen->text) - len, "%s=%s;", name, value);
	return seen->answer;
}

TEST(late_settings_that_differ_are_told)
{
	auto_two struct two two = two_new();
	struct seen seen = { 0 };

	put(&two, "memory.move_charge_at_immigrate", "3\n", "0\n");
	put(&two, "cpuset.cpus.partition", "root\n", "member\n");
	put(&two, "cpuset.cpu_exclusive", "1\n", "1\n");
	put(&two, "cpuset.cpus", "1\n", "2\n");
	assert_int_equal(settings_late(two.from, two.to, see, &seen, NULL), 0);
	assert_string_equal(seen.text,
			    "memory.move_charge_at_immigrate=3;cpuset.cpus.partition=root;");
	assert_to(&two, "cpuset.cpus.partition", "member\n");
}

TEST(late_settings_that_a_new_cgroup_has_as_well_are_not_told)
{
	auto_two struct two two = two_new();
	struct seen seen = { 0 };

	put(&two, "memory.move_charge_at_immigrate", "0\n", NULL);
	put(&two, "cgroup.max.depth", "max\n", NULL);
	put(&two, "cgroup.max.descendants", "5\n", NULL);
	put(&two, "cpuset.cpus.exclusive", "\n", NULL);
	put(&two, "cpuset.cpus.partition", "member\n", NULL);
	assert_int_equal(settings_late(two.from, -1, see, &seen, NULL), 0);
	assert_string_equal(seen.text,
			    "memory.move_charge_at_immigrate=0;cgroup.max.descendants=5;");
}

TEST(telling_ends_with_the_first_error)
{
	auto_two struct two two = two_new();
	struct seen seen = { .answer = -ENOMEM };

	put(&two, "memory.move_charge_at_immigrate", "3\n", "0\n");
	put(&two, "cpuset.cpus.partition", "root\n", "member\n");
	assert_int_equal(settings_late(two.from, two.to, see, &seen, NULL), -ENOMEM);
	assert_int_equal(seen.calls, 1);
}

TEST(devices_are_denied_before_they_are_allowed)
{
	auto_two struct two two = two_new();

	put(&two, "devices.list", "c 1:3 rwm\nc 1:5 rwm\n", "a *:* rwm\n");
	assert_int_equal(fchmodat(two.to, "devices.list", 0444, 0), 0);
	put(&two, "devices.deny", NULL, "");
	put(&two, "devices.allow", NULL, "");
	assert_int_equal(settings_copy(two.from, two.to, SETTINGS_EARLY, NULL), 0);
	assert_to(&two, "devices.deny", "a");
	/* each line by a write of its own, so the last one is seen */
	assert_to(&two, "devices.allow", "c 1:5 rwm");
}

TEST(the_same_devices_are_left_alone)
{
	auto_two struct two two = two_new();

	put(&two, "devices.list", "c 1:3 rwm\nc 1:5 rwm\n", "c 1:5 rwm\nc 1:3 rwm\n");
	assert_int_equal(fchmodat(two.to, "devices.list", 0444, 0), 0);
	put(&two, "devices.deny", NULL, "");
	assert_int_equal(settings_copy(two.from, two.to, SETTINGS_EARLY, NULL), 0);
	assert_to(&two, "devices.deny", "");
}

TEST(a_threaded_cgroup_makes_a_threaded_one)
{
	static const struct {
		const char *had;
		const char *has;
		const char *then;
	} rows[] = {
		{ "threaded\n", "domain\n", "threaded" },
		{ "threaded\n", "threaded\n", "threaded\n" },
		{ "domain\n", "x\n", "x\n" },
		{ "domain threaded\n", "x\n", "x\n" },
		{ NULL, "x\n", "x\n" },
	};

	for (size_t i = 0; i < COUNT(rows); i++) {
		auto_two struct two two = two_new();

		put(&two, "cgroup.type", rows[i].had, rows[i].has);
		assert_int_equal(settings_copy_type(two.from, two.to, NULL), 0);
		assert_to(&two, "cgroup.type", rows[i].then);
	}
}

TEST(children_get_the_controllers_one_by_one)
{
	auto_two struct two two = two_new();

	put(&two, "cgroup.subtree_control", "cpu memory\n", "");
	assert_int_equal(settings_copy_subtree(two.from, two.to, NULL), 0);
	assert_to(&two, "cgroup.subtree_control", "+memory");

	put(&two, "cgroup.subtree_control", "", "x");
	assert_int_equal(settings_copy_subtree(two.from, two.to, NULL), 0);
	assert_to(&two, "cgroup.subtree_control", "x");
}

TEST(where_there_are_no_controllers_nothing_is_needed)
{
	auto_two struct two two = two_new();

	assert_int_equal(settings_copy_subtree(two.from, two.to, NULL), 0);
	assert_int_equal(settings_copy_type(two.from, two.to, NULL), 0);
	assert_int_equal(settings_copy(two.from, two.to, SETTINGS_EARLY, NULL), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_differs_is_copied),
		cmocka_unit_test(a_value_that_is_not_kept_is_said_with_both),
		cmocka_unit_test(a_file_that_the_other_lacks_is_named),
		cmocka_unit_test(only_lines_that_differ_are_written),
		cmocka_unit_test(what_is_the_same_is_not_written),
		cmocka_unit_test(a_difference_is_named_with_both_values),
		cmocka_unit_test(an_empty_value_is_written_as_such),
		cmocka_unit_test(what_is_no_state_is_not_copied),
		cmocka_unit_test(whether_pressure_is_measured_is_a_setting),
		cmocka_unit_test(what_cannot_be_read_and_written_is_no_setting),
		cmocka_unit_test(a_limit_whose_file_its_owner_has_hidden_is_copied),
		cmocka_unit_test(of_the_oom_control_the_first_word_is_a_setting),
		cmocka_unit_test(what_others_depend_on_goes_first),
		cmocka_unit_test(late_settings_are_copied_late),
		cmocka_unit_test(late_settings_that_differ_are_told),
		cmocka_unit_test(late_settings_that_a_new_cgroup_has_as_well_are_not_told),
		cmocka_unit_test(telling_ends_with_the_first_error),
		cmocka_unit_test(devices_are_denied_before_they_are_allowed),
		cmocka_unit_test(the_same_devices_are_left_alone),
		cmocka_unit_test(a_threaded_cgroup_makes_a_threaded_one),
		cmocka_unit_test(children_get_the_controllers_one_by_one),
		cmocka_unit_test(where_there_are_no_controllers_nothing_is_needed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
