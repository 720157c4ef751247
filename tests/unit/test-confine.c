// SPDX-License-Identifier: GPL-2.0-or-later
#include "oci-hooks/confine.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "base/cleanup.h"
#include "base/file.h"
#include "test.h"

/*
 * A hook that a hostile config.json has taken over is a process that runs what it likes behind
 * confine(). Each test is such a process: it returns the number of the step that went wrong.
 */
static int taken_over(int (*test)(const struct scratch *dir), const struct scratch *dir)
{
	pid_t pid = fork();
	int status;

	assert_true(pid >= 0);
	if (pid == 0)
		_exit(test(dir));
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

static int opened(const struct scratch *dir, const char *name, int flags)
{
	char path[PATH_MAX];
	int fd;

	snprintf(path, sizeof(path), "%s/%s", dir->path, name);
	fd = openat(AT_FDCWD, path, flags | O_CLOEXEC, 0600);
	return fd < 0 ? -errno : fd;
}

/* "own" may be written, "bundle" too, and files made there; "seen" is read. */
static int confined(const struct scratch *dir)
{
	auto_close int rules = confine_files();
	auto_close int own = opened(dir, "own", O_PATH);
	auto_close int bundle = opened(dir, "bundle", O_PATH);
	auto_close int seen = opened(dir, "seen", O_PATH);

	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 ||
	    confine_files_allow(rules, own, CONFINE_READ | CONFINE_WRITE, NULL) < 0 ||
	    confine_files_allow(rules, bundle, CONFINE_READ | CONFINE_WRITE | CONFINE_REPLACE,
				NULL) < 0 ||
	    confine_files_allow(rules, seen, CONFINE_READ, NULL) < 0)
		return -1;
	return confine(rules, NULL);
}

static int writes_elsewhere(const struct scratch *dir)
{
	if (confined(dir) < 0)
		return 1;
	if (opened(dir, "own/memory.max", O_WRONLY) < 0)
		return 2;
	if (opened(dir, "own/new", O_WRONLY | O_CREAT) != -EACCES)
		return 3;
	if (opened(dir, "bundle/new", O_WRONLY | O_CREAT) < 0)
		return 4;
	if (opened(dir, "seen/memory.max", O_RDONLY) < 0)
		return 5;
	if (opened(dir, "seen/memory.max", O_WRONLY) != -EACCES)
		return 6;
	if (opened(dir, "other/passwd", O_RDONLY) != -EACCES)
		return 7;
	if (opened(dir, "other/passwd", O_WRONLY) != -EACCES)
		return 8;
	if (opened(dir, "other/new", O_WRONLY | O_CREAT) != -EACCES)
		return 9;
	if (opened(dir, "bundle/link", O_WRONLY) != -EACCES)
		return 10;
	return 0;
}

static int renames_elsewhere(const struct scratch *dir)
{
	int from = opened(dir, "bundle", O_RDONLY | O_DIRECTORY);
	int to = opened(dir, "other", O_RDONLY | O_DIRECTORY);

	if (confined(dir) < 0)
		return 1;
	if (renameat(from, "config.json", to, "passwd") == 0 ||
	    (errno != EACCES && errno != EXDEV))
		return 2;
	if (unlinkat(to, "passwd", 0) == 0 || errno != EACCES)
		return 3;
	return renameat(from, "config.json", from, "renamed") == 0 ? 0 : 4;
}

static int calls_more(const struct scratch *dir)
{
	struct __user_cap_header_struct header = { _LINUX_CAPABILITY_VERSION_3, 0 };
	struct __user_cap_data_struct data[2] = { { 0 } };

	if (confined(dir) < 0)
		return 1;
	if (syscall(SYS_capset, &header, data) == 0 || errno != EPERM)
		return 2;
	if (socket(AF_INET, SOCK_STREAM, 0) >= 0 || errno != EPERM)
		return 3;
	if (fork() >= 0 || errno != EPERM)
		return 4;
	return kill(1, 0) < 0 && errno == EPERM ? 0 : 5;
}

static int reads_more(const struct scratch *dir)
{
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 || confine_reader(NULL) < 0)
		return 1;
	if (opened(dir, "seen/memory.max", O_RDONLY) != -EPERM)
		return 2;
	if (fork() >= 0 || errno != EPERM)
		return 3;
	return prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) < 0 ? 0 : 4;
}

static struct scratch tree(void)
{
	static const char *const directories[] = { "own", "bundle", "seen", "other" };
	static const char *const files[] = {
		"own/memory.max", "bundle/config.json", "seen/memory.max", "other/passwd",
	};
	struct scratch dir = scratch_new();
	char link[PATH_MAX];

	for (size_t i = 0; i < COUNT(directories); i++)
		scratch_dir(&dir, directories[i]);
	for (size_t i = 0; i < COUNT(files); i++)
		scratch_file(&dir, files[i], "0\n");
	snprintf(link, sizeof(link), "%s/bundle/link", dir.path);
	assert_int_equal(symlink("../other/passwd", link), 0);
	return dir;
}

static bool have_landlock(void)
{
	auto_close int rules = confine_files();

	return rules >= 0 && !SANITIZED;
}

TEST(a_hook_that_is_taken_over_opens_the_files_of_its_container_alone)
{
	auto_scratch struct scratch dir = tree();

	if (!have_landlock())
		skip();
	assert_int_equal(taken_over(writes_elsewhere, &dir), 0);
}

TEST(a_hook_that_is_taken_over_moves_and_removes_nothing_elsewhere)
{
	auto_scratch struct scratch dir = tree();

	if (!have_landlock())
		skip();
	assert_int_equal(taken_over(renames_elsewhere, &dir), 0);
}

TEST(a_hook_that_is_taken_over_gets_no_capability_process_or_network)
{
	auto_scratch struct scratch dir = tree();

	if (SANITIZED)
		skip();
	assert_int_equal(taken_over(calls_more, &dir), 0);
}

TEST(the_process_that_parses_the_state_opens_nothing)
{
	auto_scratch struct scratch dir = tree();

	if (SANITIZED)
		skip();
	assert_int_equal(taken_over(reads_more, &dir), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_hook_that_is_taken_over_opens_the_files_of_its_container_alone),
		cmocka_unit_test(a_hook_that_is_taken_over_moves_and_removes_nothing_elsewhere),
		cmocka_unit_test(a_hook_that_is_taken_over_gets_no_capability_process_or_network),
		cmocka_unit_test(the_process_that_parses_the_state_opens_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
