/* stress-util - small things that the parts of stress share, see stress.h. */
#include "stress.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

const struct group groups[] = {
	{ BASE, 0, true, false },
	{ BASE "/a", 0, true, true },
	{ BASE "/b", 0, true, true },
	{ BASE "/small", 48 * MIB, true, true },
	{ BASE "/tiny", 20 * MIB, true, true },
	{ BASE "/tree", 0, true, false },
	{ BASE "/tree/x", 0, true, true },
	{ BASE "/tree/y", 32 * MIB, false, true },
};

const size_t nr_groups = ARRAY_SIZE(groups);

long now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

void sleep_ms(long ms)
{
	struct timespec ts = { ms / 1000, ms % 1000 * 1000000 };

	nanosleep(&ts, NULL);
}

size_t pick(struct worker *w, size_t below)
{
	return (size_t)rand_r(&w->random) % below;
}

void fail(struct shared *shared, const char *format, ...)
{
	int nr = atomic_fetch_add(&shared->failures, 1);
	va_list args;

	if (nr >= (int)ARRAY_SIZE(shared->failure))
		return;
	va_start(args, format);
	vsnprintf(shared->failure[nr], sizeof(shared->failure[nr]), format, args);
	va_end(args);
}

ssize_t read_text(const char *directory, const char *name, char *text, size_t size)
{
	ssize_t got, len = 0;
	char path[256];
	int fd;

	snprintf(path, sizeof(path), "%s/%s", directory, name);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	while ((got = read(fd, text + len, size - 1 - (size_t)len)) > 0)
		len += got;
	text[len] = '\0';
	close(fd);
	return len;
}

long read_key(const char *directory, const char *name, const char *key)
{
	static char text[1 << 16];
	size_t len = strlen(key);
	char *line;

	if (read_text(directory, name, text, sizeof(text)) < 0)
		return -1;
	for (line = text; line; line = strchr(line, '\n')) {
		line += *line == '\n';
		if (!strncmp(line, key, len) && line[len] == ' ')
			return atol(line + len);
	}
	return -1;
}

int enter(const char *cgroup)
{
	return write_text(cgroup, "cgroup.procs", "0");
}

const char *random_group(struct worker *w, bool tasks)
{
	size_t i;

	do {
		i = pick(w, nr_groups);
	} while (tasks && !groups[i].tasks);
	return groups[i].path;
}

pid_t fork_short(void)
{
	pid_t pid = fork();

	if (pid == 0)
		prctl(PR_SET_PDEATHSIG, SIGKILL);
	return pid;
}

bool reap(pid_t pid)
{
	int status;

	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return true;
	return (WIFEXITED(status) && WEXITSTATUS(status) == 0) ||
	       (WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
}

uint64_t mark(const struct worker *w, size_t page)
{
	return (uint64_t)(w->id + 1) << 40 | (page + 1);
}

void fill(const struct worker *w, char *map, size_t from, size_t to)
{
	for (size_t i = from; i < to; i += PAGE)
		*(uint64_t *)(map + i) = mark(w, i / PAGE);
}

void check(const struct worker *w, const char *map, size_t from, size_t to, bool zero)
{
	for (size_t i = from; i < to; i += PAGE) {
		uint64_t is = *(const uint64_t *)(map + i);
		uint64_t should = zero ? 0 : mark(w, i / PAGE);

		if (is != should) {
			fail(w->shared, "%s: page %zu is %#lx, should be %#lx", w->name, i / PAGE,
			     (unsigned long)is, (unsigned long)should);
			return;
		}
	}
}

void fork_and_write(struct worker *w, char *map, size_t size)
{
	pid_t pid = fork_short();

	if (pid < 0)
		return;
	if (pid == 0) {
		int before = atomic_load(&w->shared->failures);

		check(w, map, 0, size, false);
		fill(w, map, 0, size / 2);
		check(w, map, 0, size, false);
		_exit(atomic_load(&w->shared->failures) != before);
	}
	if (pick(w, 2))
		fill(w, map, size / 4, size);
	if (!reap(pid))
		fail(w->shared, "%s: a forked child ended badly", w->name);
	check(w, map, 0, size, false);
}

void change_node(struct worker *w)
{
	unsigned long from = 1 + pick(w, 2), to = 3 - from;

	syscall(SYS_migrate_pages, 0, 3, &from, &to);
}
