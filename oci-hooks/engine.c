// SPDX-License-Identifier: GPL-2.0-or-later
#include "oci-hooks/engine.h"

#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/file.h"
#include "oci/crun.h"

#define WORDS_MAX 64

/* The runtime's arguments, of which what is behind the verb is of no interest. */
static int split(char *text, size_t len, char *words[WORDS_MAX + 1])
{
	int count = 0;

	for (char *word = text; word < text + len && count < WORDS_MAX; word += strlen(word) + 1)
		words[count++] = word;
	words[count] = NULL;
	return count;
}

/*
 * A relative name was true where the runtime was started, which it has left since: but it
 * has the file open. Static memory, or NULL.
 */
static const char *find_open(pid_t runtime, const char *name)
{
	static char path[PATH_MAX];
	const struct dirent *entry;
	const char *found = NULL;
	char directory[64];
	ssize_t len;
	size_t tail;
	DIR *fds;

	snprintf(directory, sizeof(directory), "/proc/%d/fd", runtime);
	fds = opendir(directory);
	if (!fds)
		return NULL;
	while (!found && (entry = readdir(fds))) {
		len = readlinkat(dirfd(fds), entry->d_name, path, sizeof(path) - 1);
		if (len <= 0)
			continue;
		path[len] = '\0';
		tail = strlen(name);
		if ((size_t)len > tail && path[0] == '/' && path[(size_t)len - tail - 1] == '/' &&
		    strcmp(path + (size_t)len - tail, name) == 0)
			found = path;
	}
	closedir(fds);
	return found;
}

static void find_target(struct log *log, pid_t runtime)
{
	static char *text;
	struct crun_globals globals;
	char *words[WORDS_MAX + 1];
	auto_close int fd = -1;
	char name[64];
	size_t len;
	int count;

	snprintf(name, sizeof(name), "/proc/%d/cmdline", runtime);
	fd = open(name, O_RDONLY | O_CLOEXEC);
	if (fd < 0 || file_read_all(fd, 1 << 20, &text, &len, NULL) < 0)
		return;
	count = split(text, len, words);
	if (count == 0 || crun_globals_read(&globals, &count, words, NULL) < 0 || !globals.log)
		return;
	log->target = globals.log;
	if (!log->format)
		log->format = globals.log_format;
	if (globals.log[0] != '/' && !strchr(globals.log, ':'))
		log->target = find_open(runtime, globals.log);
}

static void borrow_stderr(pid_t runtime)
{
	struct stat ours, null;
	char name[64];
	int fd;

	if (fstat(STDERR_FILENO, &ours) == 0 &&
	    (stat("/dev/null", &null) < 0 || ours.st_rdev != null.st_rdev))
		return;
	snprintf(name, sizeof(name), "/proc/%d/fd/2", runtime);
	/* a pipe nobody reads from must not hold up a container */
	fd = open(name, O_WRONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC | O_APPEND);
	if (fd < 0)
		return;
	if (fd == STDERR_FILENO)
		return;
	dup2(fd, STDERR_FILENO);
	close(fd);
}

void engine_find_log(struct log *log)
{
	pid_t runtime = getppid();

	if (!log->target)
		find_target(log, runtime);
	borrow_stderr(runtime);
}
