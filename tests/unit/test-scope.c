// SPDX-License-Identifier: GPL-2.0-or-later
#include "systemd/scope.h"

#include <sched.h>
#include <sys/wait.h>

#include "test.h"

TEST(a_slice_is_below_those_that_its_name_says)
{
	static const struct {
		const char *slice;
		const char *path;
	} rows[] = {
		{ "-.slice", "" },
		{ "machine.slice", "/machine.slice" },
		{ "a-b.slice", "/a.slice/a-b.slice" },
		{ "a-b-c.slice", "/a.slice/a-b.slice/a-b-c.slice" },
		{ "user-1000.slice", "/user.slice/user-1000.slice" },
		{ "a.b.slice", "/a.b.slice" },
		{ "a\\x2db.slice", "/a\\x2db.slice" },
		{ "x:y_z@1.slice", "/x:y_z@1.slice" },
		{ "a.slice.slice", "/a.slice.slice" },
	};

	for (size_t i = 0; i < COUNT(rows); i++) {
		auto_free char *path = NULL;

		assert_row(rows[i].slice, scope_slice_path(rows[i].slice, &path, NULL) == 0);
		assert_row_text(rows[i].slice, path, rows[i].path);
	}
}

TEST(what_names_no_slice_is_refused_and_nothing_is_written)
{
	static const char *const names[] = {
		"", "a", ".slice", "slice", "a.scope", "a.slice/", "a/b.slice", "../a.slice",
		"-a.slice", "a-.slice", "a--b.slice", "--.slice", "a b.slice", "a\n.slice",
		"a.Slice", "\xc3\xa4.slice",
	};

	for (size_t i = 0; i < COUNT(names); i++) {
		struct error err = { "" };
		char *path = NULL;

		assert_row(names[i], scope_slice_path(names[i], &path, &err) == -EINVAL);
		assert_row(err.text, strncmp(err.text, "not the name of a slice, \"", 26) == 0);
		assert_row(names[i], !path);
	}
}

TEST(a_name_may_be_as_long_as_a_units_and_no_longer)
{
	auto_free char *path = NULL;
	char *none = NULL;
	char name[257];

	/* as many slices above it as there can be */
	for (size_t i = 0; i < 249; i++)
		name[i] = i % 2 ? '-' : 'a';
	strcpy(name + 249, ".slice");
	assert_int_equal(strlen(name), 255);
	assert_int_equal(scope_slice_path(name, &path, NULL), 0);
	assert_string_equal(strrchr(path, '/') + 1, name);
	assert_int_equal(strncmp(path, "/a.slice/a-a.slice/a-a-a.slice/", 31), 0);

	memset(name, 'a', 250);
	strcpy(name + 250, ".slice");
	assert_int_equal(scope_slice_path(name, &none, NULL), -EINVAL);
}

/* A busctl that records how it was called and prints `answer`. */
static void busctl(const struct scratch *dir, const char *answer)
{
	char text[1024], path[PATH_MAX];

	snprintf(text, sizeof(text), "#!/bin/sh\necho \"$*\" >%s/called\n%s\n", dir->path, answer);
	scratch_file(dir, "busctl", text);
	assert_int_equal(fchmodat(dir->fd, "busctl", 0755, 0), 0);
	snprintf(path, sizeof(path), "%s:/usr/bin:/bin", dir->path);
	assert_int_equal(setenv("PATH", path, 1), 0);
}

TEST(memory_files_have_properties_where_systemd_knows_them)
{
	static const struct {
		const char *file;
		const char *value;
		const char *property;
		uint64_t number;
	} rows[] = {
		{ "memory.max", "67108864", "MemoryMax", 67108864 },
		{ "memory.max", "max", "MemoryMax", UINT64_MAX },
		{ "memory.limit_in_bytes", "9223372036854771712", "MemoryMax", UINT64_MAX },
		{ "memory.high", "1", "MemoryHigh", 1 },
		{ "memory.low", "0", "MemoryLow", 0 },
		{ "memory.min", "4096", "MemoryMin", 4096 },
		{ "memory.swap.max", "0", "MemorySwapMax", 0 },
		/* systemd takes no 0 for these */
		{ "memory.max", "0", NULL, 0 },
		{ "memory.high", "0", NULL, 0 },
		{ "memory.memsw.max", "67108864", NULL, 0 },
		{ "memory.oom.group", "1", NULL, 0 },
		{ "memory.max", "much", NULL, 0 },
	};

	for (size_t i = 0; i < COUNT(rows); i++) {
		uint64_t number = 0;
		const char *property = scope_property(rows[i].file, rows[i].value, &number);

		assert_row(rows[i].file, !property == !rows[i].property);
		if (property) {
			assert_string_equal(property, rows[i].property);
			assert_row(rows[i].file, number == rows[i].number);
		}
	}
}

TEST(a_manager_says_where_its_units_are)
{
	static const struct {
		bool user;
		const char *answer;
		const char *path;
	} rows[] = {
		{ false, "{\"type\":\"v\",\"data\":[{\"type\":\"s\",\"data\":\"/\"}]}", "" },
		{ false, "{\"type\":\"v\",\"data\":[{\"type\":\"s\",\"data\":\"\"}]}", "" },
		{ true, "{\"type\":\"v\",\"data\":[{\"type\":\"s\",\"data\":\"/user.slice/u\"}]}",
		  "/user.slice/u" },
	};

	for (size_t i = 0; i < COUNT(rows); i++) {
		auto_scratch struct scratch dir = scratch_new();
		auto_free char *path = NULL;
		char answer[256], called[512] = "", wanted[256];
		auto_close int fd = -1;

		snprintf(answer, sizeof(answer), "echo '%s'", rows[i].answer);
		busctl(&dir, answer);
		assert_row(rows[i].answer, scope_manager_path(rows[i].user, &path, NULL) == 0);
		assert_row_text(rows[i].answer, path, rows[i].path);
		fd = openat(dir.fd, "called", O_RDONLY | O_CLOEXEC);
		assert_true(read(fd, called, sizeof(called) - 1) > 0);
		snprintf(wanted, sizeof(wanted),
			 "%s --json=short -- call org.freedesktop.systemd1 /org/freedesktop/systemd1 "
			 "org.freedesktop.DBus.Properties Get ss org.freedesktop.systemd1.Manager "
			 "ControlGroup\n", rows[i].user ? "--user" : "--system");
		assert_string_equal(called, wanted);
	}
}

TEST(a_manager_that_does_not_say_it_is_an_error)
{
	static const struct {
		const char *answer;
		const char *words;
	} rows[] = {
		{ "echo Failed to connect >&2; exit 1", "systemd: Failed to connect" },
		{ "echo '{\"type\":\"v\",\"data\":[]}'",
		  "systemd: does not say where its cgroup is" },
		{ "echo '{\"type\":\"v\",\"data\":[{\"type\":\"u\",\"data\":5}]}'",
		  "systemd: does not say where its cgroup is" },
		{ "echo '{}'", "systemd: does not say where its cgroup is" },
		{ "echo nonsense", "systemd: " },
	};

	for (size_t i = 0; i < COUNT(rows); i++) {
		auto_scratch struct scratch dir = scratch_new();
		struct error err = { "" };
		char *path = NULL;

		busctl(&dir, rows[i].answer);
		assert_row(rows[i].answer, scope_manager_path(false, &path, &err) < 0);
		assert_row(err.text, strncmp(err.text, rows[i].words, strlen(rows[i].words)) == 0);
		assert_row(rows[i].answer, !path);
	}
}

TEST(a_unit_is_asked_for_by_the_name_of_its_object)
{
	auto_scratch struct scratch dir = scratch_new();
	auto_close int fd = -1;
	char called[512] = "";
	char *left = NULL;

	busctl(&dir, "exit 1");
	assert_true(scope_left(false, "1x-a2.scope", &left, NULL) < 0);
	assert_null(left);
	fd = openat(dir.fd, "called", O_RDONLY | O_CLOEXEC);
	assert_true(read(fd, called, sizeof(called) - 1) > 0);
	assert_non_null(strstr(called, " /org/freedesktop/systemd1/unit/_31x_2da2_2escope "));
}

/* A child in a new user namespace, which maps all users as the initial one does. */
TEST(a_user_namespace_is_told_by_its_inode_and_not_by_its_map)
{
	static const char map[] = "0 0 4294967295";
	int ready[2], mapped[2], status = 0;
	auto_close int fd = -1;
	char path[64], byte;
	pid_t pid;

	assert_int_equal(pipe2(ready, O_CLOEXEC) + pipe2(mapped, O_CLOEXEC), 0);
	pid = fork();
	if (pid == 0) {
		close(mapped[1]);
		if (unshare(CLONE_NEWUSER) < 0 || write(ready[1], "", 1) != 1 ||
		    read(mapped[0], &byte, 1) != 1)
			_exit(77);
		_exit(scope_is_users() ? 0 : 1);
	}
	close(ready[1]);
	close(mapped[0]);
	snprintf(path, sizeof(path), "/proc/%d/uid_map", pid);
	/* where no such namespace can be made there is none to be told */
	if (read(ready[0], &byte, 1) == 1)
		fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd >= 0 && write(fd, map, sizeof(map) - 1) > 0)
		assert_int_equal(write(mapped[1], "", 1), 1);
	close(mapped[1]);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	assert_true(WEXITSTATUS(status) == 0 || WEXITSTATUS(status) == 77);
	close(ready[0]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_unit_is_asked_for_by_the_name_of_its_object),
		cmocka_unit_test(a_user_namespace_is_told_by_its_inode_and_not_by_its_map),
		cmocka_unit_test(a_slice_is_below_those_that_its_name_says),
		cmocka_unit_test(what_names_no_slice_is_refused_and_nothing_is_written),
		cmocka_unit_test(a_name_may_be_as_long_as_a_units_and_no_longer),
		cmocka_unit_test(memory_files_have_properties_where_systemd_knows_them),
		cmocka_unit_test(a_manager_says_where_its_units_are),
		cmocka_unit_test(a_manager_that_does_not_say_it_is_an_error),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
