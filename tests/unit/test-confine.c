// SPDX-License-Identifier: GPL-2.0-or-later
#include "oci-hooks/confine.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <signal.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "base/cleanup.h"
#include "base/file.h"
#include "oci-hooks/migrator.h"
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

/* Its runtime opens files and starts threads whenever it wants to. */
#define NO_SANITIZER "a sanitizer does what the filter forbids"

static bool have_landlock(void)
{
	auto_close int rules = confine_files();

	return rules >= 0 && !SANITIZED;
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

/* "seen" is closed to writers, and the migrator's process is 42. */
static int migrates(const struct scratch *dir)
{
	auto_close int seen = opened(dir, "seen", O_PATH);
	struct migrator migrator = MIGRATOR_NONE;
	int ret;

	if (migrator_start(&migrator, seen, 42, NULL) < 0 || !migrator_writer(&migrator))
		return 1;
	if (confined(dir) < 0)
		return 2;
	if (have_landlock() && opened(dir, "seen/memory.migrate", O_WRONLY) != -EACCES)
		return 3;
	if (migrator.writer.write(migrator.writer.data, CHARGE_SWAP, NULL) != -EINVAL)
		return 4;
	ret = charge_migrate_writer(&migrator.writer, seen, CHARGE_ALL, NULL);
	migrator_close(&migrator);
	migrator_close(&migrator);
	if (ret < 0)
		return 5;
	return waitpid(-1, NULL, WNOHANG) < 0 && errno == ECHILD ? 0 : 6;
}

static int migrates_with_a_dead_one(const struct scratch *dir)
{
	auto_close int seen = opened(dir, "seen", O_PATH);
	struct migrator migrator = MIGRATOR_NONE;
	int ret;

	/* as caller_begin() has it */
	signal(SIGPIPE, SIG_IGN);
	if (migrator_start(&migrator, seen, 42, NULL) < 0 || !migrator_writer(&migrator) ||
	    kill(migrator.pid, SIGKILL) < 0)
		return 1;
	ret = charge_migrate_writer(&migrator.writer, seen, CHARGE_ALL, NULL);
	migrator_close(&migrator);
	return ret == -EIO ? 0 : 2;
}

static int filtered(const struct scratch *dir)
{
	auto_close int seen = opened(dir, "seen", O_PATH);
	struct migrator migrator = MIGRATOR_NONE;
	char path[64], text[4096], *found = NULL;
	DIR *files;
	int count = 0;

	if (migrator_start(&migrator, seen, 42, NULL) < 0 || !migrator_writer(&migrator) ||
	    migrator.writer.write(migrator.writer.data, CHARGE_ANON, NULL) < 0)
		return 1;
	snprintf(path, sizeof(path), "/proc/%d/status", migrator.pid);
	if (file_read_at(AT_FDCWD, path, text, sizeof(text), NULL) > 0)
		found = strstr(text, "\nSeccomp:\t2");
	snprintf(path, sizeof(path), "/proc/%d/fd", migrator.pid);
	files = opendir(path);
	while (files && readdir(files))
		count++;
	if (files)
		closedir(files);
	migrator_close(&migrator);
	if (!found)
		return 2;
	/* with "." and ".." */
	return count == 4 ? 0 : 3;
}

static struct scratch tree(void)
{
	static const char *const directories[] = { "own", "bundle", "seen", "other" };
	static const char *const files[] = {
		"own/memory.max", "bundle/config.json", "seen/memory.max", "other/passwd",
		"seen/memory.migrate",
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

TEST(a_hook_that_is_taken_over_opens_the_files_of_its_container_alone)
{
	auto_scratch struct scratch dir = tree();

	if (!have_landlock())
		skip_because(SANITIZED ? NO_SANITIZER : "this kernel has no Landlock");
	assert_int_equal(taken_over(writes_elsewhere, &dir), 0);
}

TEST(a_hook_that_is_taken_over_moves_and_removes_nothing_elsewhere)
{
	auto_scratch struct scratch dir = tree();

	if (!have_landlock())
		skip_because(SANITIZED ? NO_SANITIZER : "this kernel has no Landlock");
	assert_int_equal(taken_over(renames_elsewhere, &dir), 0);
}

TEST(a_hook_that_is_taken_over_gets_no_capability_process_or_network)
{
	auto_scratch struct scratch dir = tree();

	if (SANITIZED)
		skip_because(NO_SANITIZER);
	assert_int_equal(taken_over(calls_more, &dir), 0);
}

TEST(the_process_that_parses_the_state_opens_nothing)
{
	auto_scratch struct scratch dir = tree();

	if (SANITIZED)
		skip_because(NO_SANITIZER);
	assert_int_equal(taken_over(reads_more, &dir), 0);
}

TEST(memory_migrate_is_written_from_outside_of_the_hooks_domain)
{
	auto_scratch struct scratch dir = tree();
	static const char wanted[] = "pid:42 anon file shmem";
	char text[64];

	assert_int_equal(taken_over(migrates, &dir), 0);
	assert_int_equal(file_read_at(dir.fd, "seen/memory.migrate", text, sizeof(text), NULL),
			 strlen(wanted));
	assert_string_equal(text, wanted);
	assert_int_equal(taken_over(migrates_with_a_dead_one, &dir), 0);
}

TEST(the_migrator_has_two_files_and_a_filter)
{
	auto_scratch struct scratch dir = tree();

	if (SANITIZED)
		skip_because(NO_SANITIZER);
	assert_int_equal(taken_over(filtered, &dir), 0);
}

/* A kernel without the series. */
TEST(without_memory_migrate_there_is_no_migrator)
{
	auto_scratch struct scratch dir = tree();
	auto_close int other = opened(&dir, "other", O_PATH);
	struct migrator migrator = MIGRATOR_NONE;

	assert_int_equal(migrator_start(&migrator, other, 42, NULL), 0);
	assert_null(migrator_writer(&migrator));
	migrator_close(&migrator);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_hook_that_is_taken_over_opens_the_files_of_its_container_alone),
		cmocka_unit_test(a_hook_that_is_taken_over_moves_and_removes_nothing_elsewhere),
		cmocka_unit_test(a_hook_that_is_taken_over_gets_no_capability_process_or_network),
		cmocka_unit_test(the_process_that_parses_the_state_opens_nothing),
		cmocka_unit_test(memory_migrate_is_written_from_outside_of_the_hooks_domain),
		cmocka_unit_test(the_migrator_has_two_files_and_a_filter),
		cmocka_unit_test(without_memory_migrate_there_is_no_migrator),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
