/* stress-work - what the workers of stress do: each function is a round of it. */
#include "stress.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#ifndef MADV_COLLAPSE
#define MADV_COLLAPSE 25
#endif

void work_anon(struct worker *w)
{
	size_t size = (1 + pick(w, 4)) * MIB, part = size / 4;
	char *map = map_memory(size, MAP_PRIVATE | MAP_ANONYMOUS, -1);

	if (!map)
		return;
	madvise(map, size, MADV_NOHUGEPAGE);
	if (pick(w, 4) == 0)
		madvise(map, size, MADV_MERGEABLE);
	fill(w, map, 0, size);
	switch (pick(w, 6)) {
	case 0:
		fork_and_write(w, map, size);
		break;
	case 1:
		if (madvise(map, part, MADV_DONTNEED) == 0)
			check(w, map, 0, part, true);
		fill(w, map, 0, part);
		break;
	case 2:
		madvise(map + part, size - part, MADV_PAGEOUT);
		break;
	case 3:
		change_node(w);
		break;
	case 4: {
		char *other = map_memory(size, MAP_PRIVATE | MAP_ANONYMOUS, -1);

		if (other && mremap(map, size, size, MREMAP_MAYMOVE | MREMAP_FIXED, other) == other)
			map = other;
		break;
	}
	default:
		break;
	}
	check(w, map, 0, size, false);
	munmap(map, size);
}

void work_thp(struct worker *w)
{
	size_t size = (1 + pick(w, 4)) * HUGE_PAGE, hole = HUGE_PAGE / 4;
	char *map = map_memory(size, MAP_PRIVATE | MAP_ANONYMOUS, -1);

	if (!map)
		return;
	if (pick(w, 4))
		madvise(map, size, MADV_HUGEPAGE);
	fill(w, map, 0, size);
	switch (pick(w, 7)) {
	case 0:
		fork_and_write(w, map, size);
		break;
	case 1:
		munmap(map, hole);
		check(w, map, hole, size, false);
		munmap(map + hole, size - hole);
		return;
	case 2:
		if (madvise(map + HUGE_PAGE / 2, hole, MADV_DONTNEED) == 0)
			check(w, map, HUGE_PAGE / 2, HUGE_PAGE / 2 + hole, true);
		fill(w, map, HUGE_PAGE / 2, HUGE_PAGE / 2 + hole);
		break;
	case 3:
		mprotect(map + hole, PAGE, PROT_READ);
		mprotect(map + hole, PAGE, PROT_READ | PROT_WRITE);
		break;
	case 4:
		madvise(map, size, MADV_PAGEOUT);
		break;
	case 5:
		if (madvise(map, PAGE, MADV_DONTNEED) == 0)
			fill(w, map, 0, PAGE);
		madvise(map, HUGE_PAGE, MADV_COLLAPSE);
		break;
	default:
		change_node(w);
		break;
	}
	check(w, map, 0, size, false);
	munmap(map, size);
}

void work_mlock(struct worker *w)
{
	size_t size = 2 * MIB;
	char *map = map_memory(size, MAP_PRIVATE | MAP_ANONYMOUS, -1);

	if (!map)
		return;
	madvise(map, size, pick(w, 2) ? MADV_HUGEPAGE : MADV_NOHUGEPAGE);
	if (pick(w, 2))
		fill(w, map, 0, size);
	if (mlock2(map, size, pick(w, 2) ? MLOCK_ONFAULT : 0) == 0) {
		fill(w, map, 0, size);
		if (pick(w, 2))
			munlock(map + size / 4, size / 2);
		check(w, map, 0, size, false);
		if (pick(w, 2))
			munlock(map, size);
	}
	munmap(map, size);
}

/* More than its cgroup may hold; pages come back one by one, some shared. */
void work_swap(struct worker *w)
{
	size_t size = 24 * MIB;
	char *map = map_memory(size, MAP_PRIVATE | MAP_ANONYMOUS, -1);

	if (!map)
		return;
	fill(w, map, 0, size);
	madvise(map, size, MADV_PAGEOUT);
	if (pick(w, 2))
		fork_and_write(w, map, 4 * MIB);
	for (int i = 0; i < 1000; i++) {
		size_t page = pick(w, size / PAGE) * PAGE;

		check(w, map, page, page + PAGE, false);
	}
	if (pick(w, 2))
		check(w, map, 0, size, false);
	munmap(map, size);
}

void work_shmem(struct worker *w)
{
	size_t size = 4 * MIB;
	int fd = memfd_create("stress", MFD_CLOEXEC);
	char *map;

	if (fd < 0)
		return;
	map = ftruncate(fd, (off_t)size) < 0 ? NULL : map_memory(size, MAP_SHARED, fd);
	if (!map) {
		close(fd);
		return;
	}
	fill(w, map, 0, size);
	if (pick(w, 2))
		madvise(map, size, MADV_PAGEOUT);
	if (pick(w, 2)) {
		munmap(map, size);
		map = map_memory(size, MAP_SHARED, fd);
	}
	if (map) {
		check(w, map, 0, size, false);
		munmap(map, size);
	}
	close(fd);
}

/* A file, in whatever file system; short of room or memory, it is let be. */
void work_file(struct worker *w, const char *directory)
{
	size_t size = (1 + pick(w, 4)) * MIB, hole = size / 4;
	char path[200], page[PAGE] = "";
	char *map;
	int fd;

	snprintf(path, sizeof(path), "%s/%s.%d", directory, w->name, w->id);
	fd = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	if (fd < 0)
		return;
	for (size_t i = 0; i < size; i += PAGE) {
		*(uint64_t *)page = mark(w, i / PAGE);
		if (pwrite(fd, page, PAGE, (off_t)i) != (ssize_t)PAGE)
			goto out;
	}
	map = map_memory(size, MAP_SHARED, fd);
	if (!map)
		goto out;
	check(w, map, 0, size, false);

	if (pick(w, 2))
		sync_file_range(fd, 0, (off_t)size, SYNC_FILE_RANGE_WRITE);
	if (pick(w, 2))
		fill(w, map, 0, size / 2);
	switch (pick(w, 6)) {
	case 0:
		fsync(fd);
		posix_fadvise(fd, 0, (off_t)size, POSIX_FADV_DONTNEED);
		break;
	case 1:
		if (fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, (off_t)hole,
			      (off_t)hole) == 0) {
			check(w, map, hole, 2 * hole, true);
			/* a hole may have no blocks left to be had for it */
			munmap(map + hole, hole);
			check(w, map, 0, hole, false);
			check(w, map, 2 * hole, size, false);
			munmap(map, hole);
			munmap(map + 2 * hole, size - 2 * hole);
			goto out;
		}
		break;
	case 2:
		munmap(map, size);
		if (ftruncate(fd, (off_t)hole) == 0 && pread(fd, page, 8, 0) == 8 &&
		    *(uint64_t *)page != mark(w, 0))
			fail(w->shared, "%s: a truncated file changed", w->name);
		goto out;
	case 3:
		madvise(map, size, MADV_PAGEOUT);
		break;
	case 4:
		unlink(path);
		break;
	default:
		break;
	}
	check(w, map, 0, size, false);
	munmap(map, size);
out:
	close(fd);
	if (pick(w, 2))
		unlink(path);
}

void work_disk(struct worker *w)
{
	work_file(w, w->disk);
}

void work_tmpfs(struct worker *w)
{
	work_file(w, w->tmpfs);
}

void work_pipes(struct worker *w)
{
	char buf[4 * PAGE] = "";
	int fds[100][2], nr;

	for (nr = 0; nr < 100; nr++) {
		if (pick(w, 2) ? pipe2(fds[nr], O_CLOEXEC | O_NONBLOCK) :
				 socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0,
					    fds[nr]))
			break;
		*(uint64_t *)buf = mark(w, (size_t)nr);
		if (write(fds[nr][1], buf, sizeof(buf)) < 8)
			*(uint64_t *)buf = 0;
	}
	sleep_ms((long)pick(w, 20));
	for (int i = 0; i < nr; i++) {
		if (read(fds[i][0], buf, sizeof(buf)) >= 8 &&
		    *(uint64_t *)buf != mark(w, (size_t)i))
			fail(w->shared, "%s: pipe %d has other data", w->name, i);
		close(fds[i][0]);
		close(fds[i][1]);
	}
}

/* Queued data, which is charged until it is read. */
void work_tcp(struct worker *w)
{
	struct sockaddr_in address = {
		.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
	};
	socklen_t len = sizeof(address);
	int listener, from = -1, to = -1;
	char buf[16 * PAGE];
	size_t sent = 0;
	ssize_t done;

	memset(buf, w->id + 1, sizeof(buf));
	listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (listener < 0)
		return;
	if (bind(listener, (struct sockaddr *)&address, len) < 0 || listen(listener, 1) < 0 ||
	    getsockname(listener, (struct sockaddr *)&address, &len) < 0)
		goto out;
	from = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (from < 0 || connect(from, (struct sockaddr *)&address, len) < 0)
		goto out;
	to = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
	if (to < 0)
		goto out;
	while (sent < 4 * MIB && (done = send(from, buf, sizeof(buf), MSG_DONTWAIT)) > 0)
		sent += (size_t)done;
	sleep_ms((long)pick(w, 50));
	while (sent > 0 && pick(w, 100) &&
	       (done = recv(to, buf, sizeof(buf), MSG_DONTWAIT)) > 0) {
		sent -= (size_t)done;
		for (ssize_t i = 0; i < done; i++) {
			if (buf[i] != (char)(w->id + 1)) {
				fail(w->shared, "%s: the queue has other data", w->name);
				break;
			}
		}
	}
out:
	close(listener);
	if (from >= 0)
		close(from);
	if (to >= 0)
		close(to);
}

/* Inodes and dentries, of files that are there and of some that are not. */
void work_names(struct worker *w)
{
	const char *directory = pick(w, 2) ? w->disk : w->tmpfs;
	char path[256];
	int fds[40];
	struct stat st;

	for (int i = 0; i < 40; i++) {
		snprintf(path, sizeof(path), "%s/name.%d.%d", directory, w->id, i);
		fds[i] = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
		snprintf(path, sizeof(path), "%s/none.%d.%zu", directory, w->id, pick(w, 100000));
		stat(path, &st);
	}
	for (int i = 0; i < 40; i++) {
		if (fds[i] >= 0)
			close(fds[i]);
		snprintf(path, sizeof(path), "%s/name.%d.%d", directory, w->id, i);
		if (pick(w, 8))
			unlink(path);
		fds[i] = eventfd(0, EFD_CLOEXEC);
	}
	for (int i = 0; i < 40; i++)
		if (fds[i] >= 0)
			close(fds[i]);
}

void work_exec(struct worker *w)
{
	pid_t pids[8];
	int nr;

	for (nr = 0; nr < 8; nr++) {
		pids[nr] = fork_short();
		if (pids[nr] < 0)
			break;
		if (pids[nr] == 0) {
			enter(random_group(w, true));
			execl("/proc/self/exe", "stress", "--nothing", NULL);
			_exit(0);
		}
		/* so that the next one chooses otherwise */
		w->random++;
	}
	while (nr > 0)
		if (!reap(pids[--nr]))
			fail(w->shared, "%s: a child ended badly", w->name);
}

/* Memory and swap together, or nothing of it; refused or by killing. */
static void limit_memsw(struct worker *w, const char *group)
{
	char path[256], text[32] = "max";
	int fd;

	if (pick(w, 3))
		snprintf(text, sizeof(text), "%zu", (96 + pick(w, 256)) * MIB);
	snprintf(path, sizeof(path), "%s/memory.memsw.max", group);
	fd = open(path, O_WRONLY | O_CLOEXEC | (pick(w, 4) ? O_NONBLOCK : 0));
	if (fd < 0)
		return;
	/* may be refused */
	if (write(fd, text, strlen(text)) < 0 && errno != EBUSY && errno != EINTR)
		fail(w->shared, "%s: %s: %s", w->name, path, strerror(errno));
	close(fd);
}

/* The limits that only some kernels have. */
static void change_limits(struct worker *w)
{
	const char *group = random_group(w, false);
	char text[32] = "max";

	limit_memsw(w, group);
	if (pick(w, 4))
		snprintf(text, sizeof(text), "%zu", pick(w, 48) * MIB);
	write_text(random_group(w, false), "memory.soft.max", text);
	snprintf(text, sizeof(text), "%zu", pick(w, 201));
	write_text(random_group(w, false), "memory.swappiness", pick(w, 4) ? text : "default");
}

/* The machine at work on its own: reclaim, limits, compaction. */
void work_reclaim(struct worker *w)
{
	char text[32];

	snprintf(text, sizeof(text), "%zu", (1 + pick(w, 8)) * MIB);
	write_text(random_group(w, false), "memory.reclaim", text);
	switch (pick(w, 14)) {
	case 4:
	case 5:
		change_limits(w);
		break;
	case 0:
		snprintf(text, sizeof(text), "%zu", (12 + pick(w, 24)) * MIB);
		write_text(BASE "/tiny", "memory.max", text);
		break;
	case 1:
		snprintf(text, sizeof(text), "%zu", (16 + pick(w, 64)) * MIB);
		write_text(BASE "/small", "memory.high", text);
		break;
	case 2:
		write_text("/proc/sys/vm", "compact_memory", "1");
		break;
	case 3:
		write_text("/proc/sys/vm", "drop_caches", pick(w, 2) ? "2" : "1");
		break;
	default:
		break;
	}
	sleep_ms((long)pick(w, 100));
}
