// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * hold - a task which does with memory what it is told, and keeps it.
 *
 *	hold [CGROUP]...
 *
 * enters these cgroups (directories), says "ok", and then obeys its input, one
 * command a line, until that ends. Each is answered by one line when it is done:
 * "ok" and what was asked for, or "error" and why. Who asks needs no sleep, and
 * can tell what happened before from what happened after.
 *
 *	anon SIZE		maps private memory and writes to each page
 *	thp SIZE		the same, in huge pages
 *	shmem SIZE		the same, shared memory
 *	map PATH SIZE		the same, of a file, which is made
 *	look PATH SIZE		maps a file, and reads each page
 *	write PATH SIZE		a file, without mapping it
 *	read PATH SIZE		reads what write has written
 *	check			each mapped page has in it what was written
 *	out			swaps out what is mapped; "ok" and the KiB in swap
 *	free			unmaps all
 *	nodes			"ok" and the number of mapped pages on each node
 *	blocks SIZE		"ok" and BLOCK:PAGES for each block of physical memory
 *	busy			goes on writing to all pages, until
 *	quiet			"ok" and how many times all of them were written
 *	open PATH		for reading, and closes it
 *	listen CGROUP FILE SIZE	counts crossings of SIZE: cgroup.event_control of v1, or
 *				memory.threshold, where FILE is one of its words
 *	events			"ok" and the number of crossings since the last time, for
 *				each listen
 */
#define _GNU_SOURCE
#include "util.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#ifndef MADV_PAGEOUT
#define MADV_PAGEOUT 21
#endif

enum {
	MAX_REGIONS = 8,
	MAX_LISTENERS = 4,
	MAX_NODES = 8,
	MAX_BLOCKS = 4096,
	MAX_WORDS = 4,
	OUT_TRIES = 50,
};

static struct region {
	char *at;
	size_t size;
} regions[MAX_REGIONS];

static struct listener {
	int fd;
	bool eventfd;
} listeners[MAX_LISTENERS];

static size_t nr_regions, nr_listeners;
static char answer[8192];
static pthread_t writer;
static atomic_bool writing;
static atomic_long written;

static void say(const char *text)
{
	printf("%s\n", text);
	fflush(stdout);
}

/* What all commands return on failure: the word for it. */
static const char *why(const char *what)
{
	static char text[1024];

	snprintf(text, sizeof(text), "%s: %s", what, strerror(errno));
	return text;
}

static const char *map(size_t size, int flags, int fd, int advice)
{
	char *at;

	if (nr_regions == MAX_REGIONS)
		return "too many mappings";
	at = map_memory(size, flags, fd);
	if (!at)
		return why("mmap");
	if (madvise(at, size, advice) < 0)
		return why("madvise");
	regions[nr_regions++] = (struct region){ at, size };
	return NULL;
}

static const char *map_and_fill(size_t size, int flags, int fd, int advice)
{
	const char *error = map(size, flags, fd, advice);

	if (!error)
		fill(regions[nr_regions - 1].at, size);
	return error;
}

static const char *do_anon(const char *path, size_t size)
{
	(void)path;
	return map_and_fill(size, MAP_PRIVATE | MAP_ANONYMOUS, -1, MADV_NOHUGEPAGE);
}

static const char *do_thp(const char *path, size_t size)
{
	(void)path;
	return map_and_fill(size, MAP_PRIVATE | MAP_ANONYMOUS, -1, MADV_HUGEPAGE);
}

static const char *do_shmem(const char *path, size_t size)
{
	(void)path;
	return map_and_fill(size, MAP_SHARED | MAP_ANONYMOUS, -1, MADV_NOHUGEPAGE);
}

static const char *do_map(const char *path, size_t size)
{
	int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	const char *error;

	if (fd < 0 || ftruncate(fd, (off_t)size))
		return why(path);
	error = map_and_fill(size, MAP_SHARED, fd, MADV_NOHUGEPAGE);
	close(fd);
	return error;
}

static const char *check_region(const struct region *region)
{
	static char text[64];
	long bad = first_bad(region->at, region->size);

	if (bad < 0)
		return NULL;
	snprintf(text, sizeof(text), "page %ld has something else in it", bad);
	return text;
}

static const char *do_look(const char *path, size_t size)
{
	int fd = open(path, O_RDWR | O_CLOEXEC);
	const char *error;

	if (fd < 0)
		return why(path);
	error = map(size, MAP_SHARED, fd, MADV_NOHUGEPAGE);
	close(fd);
	return error ? error : check_region(&regions[nr_regions - 1]);
}

static const char *do_write(const char *path, size_t size)
{
	static char page[PAGE];
	int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);

	if (fd < 0)
		return why(path);
	for (size_t i = 0; i < size; i += PAGE) {
		memcpy(page, &(uint64_t){ i + 1 }, sizeof(uint64_t));
		if (write(fd, page, PAGE) != (ssize_t)PAGE)
			return why(path);
	}
	close(fd);
	return NULL;
}

static const char *do_read(const char *path, size_t size)
{
	static char page[PAGE];
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return why(path);
	for (size_t i = 0; i < size; i += PAGE) {
		if (read(fd, page, PAGE) != (ssize_t)PAGE)
			return why(path);
		if (memcmp(page, &(uint64_t){ i + 1 }, sizeof(uint64_t)) != 0)
			return "the file has something else in it";
	}
	close(fd);
	return NULL;
}

static const char *do_check(const char *path, size_t size)
{
	const char *error = NULL;

	(void)path;
	(void)size;
	for (size_t i = 0; i < nr_regions && !error; i++)
		error = check_region(&regions[i]);
	return error;
}

/* Pages of shmem are not in VmSwap, and no page table has them: mincore() says so. */
static size_t resident(void)
{
	static unsigned char in[65536];
	size_t pages = 0;

	for (size_t i = 0; i < nr_regions; i++) {
		if (regions[i].size / PAGE > sizeof(in) ||
		    mincore(regions[i].at, regions[i].size, in) < 0)
			return SIZE_MAX;
		for (size_t page = 0; page < regions[i].size / PAGE; page++)
			pages += in[page] & 1;
	}
	return pages;
}

/* A page that is on its way to a LRU list, on any processor, is not taken yet. */
static const char *do_out(const char *path, size_t size)
{
	size_t all = 0, left = 0;

	(void)path;
	(void)size;
	for (size_t i = 0; i < nr_regions; i++)
		all += regions[i].size / PAGE;
	for (int tries = 0; tries < OUT_TRIES; tries++) {
		for (size_t i = 0; i < nr_regions; i++)
			if (madvise(regions[i].at, regions[i].size, MADV_PAGEOUT) < 0)
				return why("MADV_PAGEOUT");
		left = resident();
		if (left <= all / 100)
			break;
		usleep(20000);
	}
	if (left > all / 100)
		return "more than one page in a hundred stays";
	snprintf(answer, sizeof(answer), " %zu", (all - left) * PAGE / 1024);
	return NULL;
}

static const char *do_free(const char *path, size_t size)
{
	(void)path;
	(void)size;
	while (nr_regions > 0) {
		nr_regions--;
		munmap(regions[nr_regions].at, regions[nr_regions].size);
	}
	return NULL;
}

static const char *do_nodes(const char *path, size_t size)
{
	static void *pages[512];
	static int nodes[512];
	long count[MAX_NODES] = { 0 };
	size_t len = 0;

	(void)path;
	(void)size;
	for (size_t i = 0; i < nr_regions; i++) {
		size_t nr;

		for (size_t done = 0; done < regions[i].size; done += nr * PAGE) {
			nr = (regions[i].size - done) / PAGE;
			if (nr > ARRAY_SIZE(pages))
				nr = ARRAY_SIZE(pages);
			for (size_t page = 0; page < nr; page++)
				pages[page] = regions[i].at + done + page * PAGE;
			if (syscall(SYS_move_pages, 0, nr, pages, NULL, nodes, 0) < 0)
				return why("move_pages");
			for (size_t page = 0; page < nr; page++)
				if (nodes[page] >= 0 && nodes[page] < MAX_NODES)
					count[nodes[page]]++;
		}
	}
	for (size_t node = 0; node < MAX_NODES; node++)
		len += (size_t)snprintf(answer + len, sizeof(answer) - len, " %ld", count[node]);
	return NULL;
}

static const char *do_blocks(const char *path, size_t size)
{
	static long count[MAX_BLOCKS];
	int fd = open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC);
	size_t len = 0;

	(void)path;
	if (fd < 0 || size < PAGE)
		return why("pagemap");
	memset(count, 0, sizeof(count));
	for (size_t i = 0; i < nr_regions; i++) {
		for (size_t done = 0; done < regions[i].size; done += PAGE) {
			off_t where = (off_t)((uintptr_t)(regions[i].at + done) / PAGE * 8);
			uint64_t entry, pfn;

			if (pread(fd, &entry, sizeof(entry), where) != sizeof(entry))
				return why("pagemap");
			pfn = entry & ((UINT64_C(1) << 55) - 1);
			/* present, and not in swap */
			if (entry >> 62 != 2 || pfn * PAGE / size >= MAX_BLOCKS)
				continue;
			count[pfn * PAGE / size]++;
		}
	}
	close(fd);
	for (size_t block = 0; block < MAX_BLOCKS; block++)
		if (count[block] && len < sizeof(answer))
			len += (size_t)snprintf(answer + len, sizeof(answer) - len, " %zu:%ld",
						block, count[block]);
	return len < sizeof(answer) ? NULL : "too many blocks";
}

static void *keep_writing(void *unused)
{
	while (atomic_load(&writing)) {
		for (size_t i = 0; i < nr_regions; i++)
			fill(regions[i].at, regions[i].size);
		atomic_fetch_add(&written, 1);
	}
	return unused;
}

static const char *do_busy(const char *path, size_t size)
{
	(void)path;
	(void)size;
	atomic_store(&writing, true);
	atomic_store(&written, 0);
	errno = pthread_create(&writer, NULL, keep_writing, NULL);
	return errno ? why("pthread_create") : NULL;
}

static const char *do_quiet(const char *path, size_t size)
{
	(void)path;
	(void)size;
	atomic_store(&writing, false);
	errno = pthread_join(writer, NULL);
	if (errno)
		return why("pthread_join");
	snprintf(answer, sizeof(answer), " %ld", atomic_load(&written));
	return NULL;
}

static const char *do_open(const char *path, size_t size)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	(void)size;
	if (fd < 0)
		return why(path);
	close(fd);
	return NULL;
}

static const char *listen_v1(struct listener *listener, const char *cgroup, const char *name,
			     size_t size)
{
	char path[512], text[64];
	int fd, ret;

	snprintf(path, sizeof(path), "%s/%s", cgroup, name);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	listener->fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	listener->eventfd = true;
	if (fd < 0 || listener->fd < 0)
		return why(path);
	snprintf(text, sizeof(text), "%d %d %zu", listener->fd, fd, size);
	ret = write_text(cgroup, "cgroup.event_control", text);
	close(fd);
	errno = -ret;
	return ret ? why("cgroup.event_control") : NULL;
}

static const char *listen_v2(struct listener *listener, const char *cgroup, const char *word,
			     size_t size)
{
	char path[512], text[64];

	snprintf(path, sizeof(path), "%s/memory.threshold", cgroup);
	snprintf(text, sizeof(text), "%s %zu", word, size);
	listener->eventfd = false;
	listener->fd = open(path, O_RDWR | O_CLOEXEC);
	if (listener->fd < 0 || write(listener->fd, text, strlen(text)) < 0)
		return why(path);
	return NULL;
}

static const char *do_listen(char *words[], size_t size)
{
	struct listener *listener = &listeners[nr_listeners];
	const char *error;
	char path[512];

	if (nr_listeners == MAX_LISTENERS)
		return "too many listeners";
	snprintf(path, sizeof(path), "%s/cgroup.event_control", words[1]);
	if (access(path, F_OK) == 0)
		error = listen_v1(listener, words[1], words[2], size);
	else
		error = listen_v2(listener, words[1], words[2], size);
	nr_listeners += !error;
	return error;
}

/* A kernel signals while it charges, so what has happened is to be read at once. */
static const char *do_events(const char *path, size_t size)
{
	size_t len = 0;

	(void)path;
	(void)size;
	for (size_t i = 0; i < nr_listeners; i++) {
		struct pollfd event = { .fd = listeners[i].fd, .events = POLLPRI };
		uint64_t count = 0;

		if (listeners[i].eventfd) {
			if (read(listeners[i].fd, &count, sizeof(count)) < 0 && errno != EAGAIN)
				return why("eventfd");
		} else if (poll(&event, 1, 0) > 0) {
			if (event.revents & POLLERR)
				return "memory.threshold: POLLERR";
			count = 1;
		}
		len += (size_t)snprintf(answer + len, sizeof(answer) - len, " %lu",
					(unsigned long)count);
	}
	return NULL;
}

/* args: "", "s" SIZE, "p" PATH, "ps" both; listen has words of its own */
static const struct command {
	const char *name, *args;
	const char *(*run)(const char *path, size_t size);
} commands[] = {
	{ "anon", "s", do_anon },
	{ "thp", "s", do_thp },
	{ "shmem", "s", do_shmem },
	{ "map", "ps", do_map },
	{ "look", "ps", do_look },
	{ "write", "ps", do_write },
	{ "read", "ps", do_read },
	{ "check", "", do_check },
	{ "out", "", do_out },
	{ "free", "", do_free },
	{ "nodes", "", do_nodes },
	{ "blocks", "s", do_blocks },
	{ "busy", "", do_busy },
	{ "quiet", "", do_quiet },
	{ "open", "p", do_open },
	{ "events", "", do_events },
};

static const char *obey(char *words[], size_t nr)
{
	size_t size = 0;

	answer[0] = '\0';
	if (nr == 4 && strcmp(words[0], "listen") == 0)
		return parse_size(words[3], &size) ? do_listen(words, size) : "no size";
	for (size_t i = 0; i < ARRAY_SIZE(commands); i++) {
		const struct command *command = &commands[i];

		if (strcmp(words[0], command->name) != 0)
			continue;
		if (nr != 1 + strlen(command->args))
			return "words are missing, or too many";
		if (strchr(command->args, 's') && !parse_size(words[nr - 1], &size))
			return "no size";
		return command->run(words[1], size);
	}
	return "no such command";
}

int main(int argc, char **argv)
{
	static char line[1024];

	/* what a shell has open are the ends of others' pipes */
	syscall(SYS_close_range, 3, ~0U, 0);
	for (int i = 1; i < argc; i++) {
		int ret = write_text(argv[i], "cgroup.procs", "0");

		if (ret) {
			printf("error %s: %s\n", argv[i], strerror(-ret));
			return 1;
		}
	}
	say("ok");
	while (fgets(line, sizeof(line), stdin)) {
		char *words[MAX_WORDS + 1] = { NULL }, *rest = NULL, *word;
		const char *error;
		size_t nr = 0;

		for (word = strtok_r(line, " \n", &rest); word && nr < MAX_WORDS;
		     word = strtok_r(NULL, " \n", &rest))
			words[nr++] = word;
		error = nr ? obey(words, nr) : "no command";
		printf("%s%s\n", error ? "error " : "ok", error ? error : answer);
		fflush(stdout);
	}
	return 0;
}
