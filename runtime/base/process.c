// SPDX-License-Identifier: GPL-2.0-or-later
#include "base/process.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/file.h"

/* What this program ignores the other one need not expect. */
static int reset_signals(posix_spawnattr_t *attributes)
{
	sigset_t ignored;
	int ret;

	sigemptyset(&ignored);
	sigaddset(&ignored, SIGPIPE);
	sigaddset(&ignored, SIGXFSZ);
	ret = posix_spawnattr_setsigdefault(attributes, &ignored);
	return ret ? ret : posix_spawnattr_setflags(attributes, POSIX_SPAWN_SETSIGDEF);
}

/* Both outputs go to files in memory, so that neither can block the other. */
static int spawn(char *const argv[], int output, int complaints, pid_t *pid)
{
	posix_spawn_file_actions_t actions;
	posix_spawnattr_t attributes;
	int ret;

	ret = posix_spawnattr_init(&attributes);
	if (ret)
		return -ret;
	ret = posix_spawn_file_actions_init(&actions);
	if (ret) {
		posix_spawnattr_destroy(&attributes);
		return -ret;
	}
	ret = reset_signals(&attributes);
	if (!ret)
		ret = posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
	if (!ret)
		ret = posix_spawn_file_actions_adddup2(&actions, output, STDOUT_FILENO);
	if (!ret)
		ret = posix_spawn_file_actions_adddup2(&actions, complaints, STDERR_FILENO);
	if (!ret)
		ret = posix_spawnp(pid, argv[0], &actions, &attributes, argv, environ);
	posix_spawn_file_actions_destroy(&actions);
	posix_spawnattr_destroy(&attributes);

	return -ret;
}

/* The first line of what the program complained about, for the error. */
static int complain(const char *program, int status, int complaints, struct error *err)
{
	char line[400];
	ssize_t len = pread(complaints, line, sizeof(line) - 1, 0);

	if (len > 0) {
		line[len] = '\0';
		line[strcspn(line, "\n")] = '\0';
		return error_set(err, ECHILD, "%s", line);
	}
	if (WIFSIGNALED(status))
		return error_set(err, ECHILD, "%s: ended by signal %d", program, WTERMSIG(status));
	return error_set(err, ECHILD, "%s: ended with status %d", program, WEXITSTATUS(status));
}

int process_capture(char *const argv[], size_t max, char **output, size_t *len,
		    struct error *err)
{
	auto_close int out = memfd_create("output", MFD_CLOEXEC);
	auto_close int complaints = memfd_create("complaints", MFD_CLOEXEC);
	int status, ret;
	pid_t pid;

	if (out < 0 || complaints < 0)
		return error_errno(err, errno, "%s: cannot make a file for its output", argv[0]);

	ret = spawn(argv, out, complaints, &pid);
	if (ret < 0)
		return error_errno(err, -ret, "%s: cannot run", argv[0]);

	while (waitpid(pid, &status, 0) < 0) {
		if (errno != EINTR)
			return error_errno(err, errno, "%s: cannot wait", argv[0]);
	}
	if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
		return complain(argv[0], status, complaints, err);

	if (lseek(out, 0, SEEK_SET) < 0)
		return error_errno(err, errno, "%s: cannot read its output", argv[0]);
	ret = file_read_all(out, max, output, len, err);
	return ret < 0 ? error_prefix(err, ret, "%s", argv[0]) : 0;
}
