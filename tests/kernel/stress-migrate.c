/* stress-migrate - the migrators of stress, and cgroups that come and go. */
#include "stress.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

static const char *const types[] = { "anon", "file", "shmem", "swap", "kernel" };

static void count_outcome(struct shared *shared, int ret, const char *what, const char *to)
{
	for (size_t i = 0; i < NR_OUTCOMES; i++) {
		if (-ret == outcomes[i]) {
			atomic_fetch_add(&shared->outcome[i], 1);
			return;
		}
	}
	fail(shared, "\"%s\" to %s: %s", what, to, strerror(-ret));
}

static void migrate(struct worker *w, const char *to, const char *from)
{
	char text[256];
	int fd = -1, ret;

	if (pick(w, 2)) {
		snprintf(text, sizeof(text), "%s", from + strlen(CGROUPS));
	} else {
		fd = open(from, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		if (fd < 0) {
			count_outcome(w->shared, -errno, from, to);
			return;
		}
		snprintf(text, sizeof(text), "fd:%d", fd);
	}
	if (!w->types_alone && pick(w, 2) == 0) {
		strcat(text, pick(w, 2) ? " swap" : " anon file shmem kernel");
	} else if (w->types_alone && pick(w, 2) == 0) {
		strcat(strcat(text, " "), types[pick(w, ARRAY_SIZE(types))]);
		if (pick(w, 4) == 0)
			strcat(strcat(text, " "), types[pick(w, ARRAY_SIZE(types))]);
	}
	ret = write_text(to, "memory.migrate", text);
	if (fd >= 0)
		snprintf(text, sizeof(text), "fd of %s", from + strlen(CGROUPS));
	count_outcome(w->shared, ret, text, to);
	if (fd >= 0)
		close(fd);
}

void work_migrate(struct worker *w)
{
	const char *to = random_group(w, false), *from = random_group(w, false);

	if (to == from)
		return;
	migrate(w, to, from);
	/* there and back, or the other way at the same time as another does */
	if (pick(w, 4) == 0)
		migrate(w, from, to);
}

/*
 * Cgroups that come and go. What is charged to them outlives them, as page cache
 * does; just before it goes, or while it goes, one hands it over. Some do not.
 */
void work_churn(struct worker *w)
{
	char path[200], file[200];
	long deadline = now_ms() + 20000;
	pid_t pid, racer = -1;
	int fd;

	snprintf(path, sizeof(path), BASE "/churn.%d", w->id);
	if (mkdir(path, 0755) < 0 && errno != EEXIST)
		return;
	snprintf(file, sizeof(file), "%s/churn.%d", pick(w, 2) ? w->tmpfs : w->disk, w->id);
	fd = open(file, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	pid = fork_short();
	if (pid == 0) {
		size_t size = (1 + pick(w, 4)) * MIB;
		char page[PAGE] = "", *map;

		if (enter(path) < 0)
			_exit(0);
		map = map_memory(size, MAP_PRIVATE | MAP_ANONYMOUS, -1);
		if (map)
			fill(w, map, 0, size);
		for (size_t i = 0; fd >= 0 && i < size; i += PAGE)
			if (pwrite(fd, page, PAGE, (off_t)i) < 0)
				break;
		work_names(w);
		/* some end somewhere else, and what they have stays charged here */
		if (pick(w, 2))
			enter(random_group(w, true));
		_exit(0);
	}
	if (w->migrating && pick(w, 3) == 0)
		migrate(w, random_group(w, false), path);
	if (pid > 0 && !reap(pid))
		fail(w->shared, "%s: a child ended badly", w->name);

	if (w->migrating && pick(w, 2)) {
		migrate(w, pick(w, 2) ? BASE : random_group(w, false), path);
	} else if (w->migrating) {
		racer = fork_short();
		if (racer == 0) {
			for (int i = 0; i < 5; i++)
				migrate(w, random_group(w, false), path);
			_exit(0);
		}
		sleep_ms((long)pick(w, 5));
	}
	while (rmdir(path) < 0 && errno == EBUSY) {
		if (now_ms() > deadline) {
			fail(w->shared, "%s: cannot be removed", path);
			break;
		}
		sleep_ms(10);
	}
	if (racer > 0 && !reap(racer))
		fail(w->shared, "%s: a migrator ended badly", w->name);
	atomic_fetch_add(&w->shared->churned, 1);
	if (fd >= 0)
		close(fd);
	if (pick(w, 4))
		unlink(file);
}
