// SPDX-License-Identifier: GPL-2.0-or-later
#include "container/stats.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/file.h"
#include "base/number.h"

#define TEXT_MAX 65536

/* One place where numbers go, and the cgroup that they are read from. */
struct put {
	struct json *document;
	struct json_value *object;
	int dirfd;
};

/* The container's directory of the hierarchy of `controller`, or -1. */
static int open_controller(const struct container *container, const char *controller)
{
	const struct hierarchies *all = &container->hierarchies;
	size_t len = strlen(controller);
	int dirfd = -1;

	for (size_t i = 0; i < all->count; i++) {
		const char *name = all->each[i].name;
		bool found = all->each[i].mode == CGROUP_V2 && all->count == 1;

		for (const char *c = name; *c && !found; c += strcspn(c, ",")) {
			c += *c == ',';
			found = strncmp(c, controller, len) == 0 && (!c[len] || c[len] == ',');
		}
		if (found && hierarchy_open(&all->each[i], container->place.cgroup, &dirfd, NULL) == 0)
			return dirfd;
	}
	return -1;
}

/* A file that holds a number, or "max". */
static bool read_number(int dirfd, const char *file, uint64_t *number)
{
	char text[64];
	char *end;

	if (file_read_at(dirfd, file, text, sizeof(text), NULL) <= 0)
		return false;
	if (strcmp(text, "max") == 0 || strcmp(text, "9223372036854771712") == 0) {
		*number = UINT64_MAX;
		return true;
	}
	errno = 0;
	*number = strtoull(text, &end, 10);
	return end != text && errno == 0;
}

static void put_file(const struct put *put, const char *key, const char *file)
{
	uint64_t number;

	if (read_number(put->dirfd, file, &number))
		json_set_u64(put->document, put->object, key, number);
}

static char *read_text(int dirfd, const char *file)
{
	char *text = malloc(TEXT_MAX);

	if (text && file_read_at(dirfd, file, text, TEXT_MAX, NULL) >= 0)
		return text;
	free(text);
	return NULL;
}

/* The number behind `name` in lines of "name number". */
static bool find_number(const char *text, const char *name, uint64_t *number)
{
	size_t len = strlen(name);

	for (; text && *text; text = strchr(text, '\n'), text += !!text) {
		if (strncmp(text, name, len) == 0 && text[len] == ' ') {
			*number = strtoull(text + len + 1, NULL, 10);
			return true;
		}
	}
	return false;
}

static void put_named(const struct put *put, const char *key, const char *text, const char *name,
		      uint64_t unit)
{
	uint64_t number;

	if (text && find_number(text, name, &number))
		json_set_u64(put->document, put->object, key, number * unit);
}

static struct put below(const struct put *put, const char *key)
{
	return (struct put){ put->document,
			     json_need_object(put->document, put->object, key), put->dirfd };
}

/* All lines of "name number" by their names. */
static void put_all(const struct put *put, char *text)
{
	char *line, *number;

	while ((line = strsep(&text, "\n"))) {
		number = strchr(line, ' ');
		if (!number)
			continue;
		*number = '\0';
		json_set_u64(put->document, put->object, line, strtoull(number + 1, NULL, 10));
	}
}

/* --- CPU */

static void put_throttling(const struct put *put, const char *text, bool v1)
{
	put_named(put, "periods", text, "nr_periods", 1);
	put_named(put, "throttledPeriods", text, "nr_throttled", 1);
	put_named(put, "throttledTime", text, v1 ? "throttled_time" : "throttled_usec",
		  v1 ? 1 : 1000);
}

static void put_each(const struct put *put, const char *key, const char *file)
{
	auto_free char *text = read_text(put->dirfd, file);
	struct json_value *array;
	char *rest = text, *word;

	if (!text)
		return;
	array = json_set_array(put->document, put->object, key);
	while ((word = strsep(&rest, " \n"))) {
		if (*word)
			json_add_u64(put->document, array, strtoull(word, NULL, 10));
	}
}

static void put_cpu(const struct put *data, const struct container *container, bool v1)
{
	auto_close int dirfd = open_controller(container, "cpu");
	auto_close int account = v1 ? open_controller(container, "cpuacct") : -1;
	struct put cpu = below(data, "cpu"), usage, throttling;
	auto_free char *text = NULL;

	usage = below(&cpu, "usage");
	throttling = below(&cpu, "throttling");
	usage.dirfd = v1 ? account : dirfd;
	text = dirfd < 0 ? NULL : read_text(dirfd, "cpu.stat");
	put_throttling(&throttling, text, v1);
	if (!v1) {
		put_named(&usage, "total", text, "usage_usec", 1000);
		put_named(&usage, "kernel", text, "system_usec", 1000);
		put_named(&usage, "user", text, "user_usec", 1000);
	} else if (account >= 0) {
		put_file(&usage, "total", "cpuacct.usage");
		put_file(&usage, "kernel", "cpuacct.usage_sys");
		put_file(&usage, "user", "cpuacct.usage_user");
		put_each(&usage, "percpu", "cpuacct.usage_percpu");
	}
}

/* "0-2,5" as 0, 1, 2, 5. */
static void put_list(const struct put *put, const char *key, const char *file)
{
	auto_free char *text = read_text(put->dirfd, file);
	char *rest = text, *range;
	struct json_value *array;
	unsigned int from, to;

	if (!text)
		return;
	array = json_set_array(put->document, put->object, key);
	while ((range = strsep(&rest, ",\n"))) {
		switch (sscanf(range, "%u-%u", &from, &to)) {
		case 1:
			to = from;
			break;
		case 2:
			break;
		default:
			continue;
		}
		for (; from <= to && from < UINT16_MAX; from++)
			json_add_u64(put->document, array, from);
	}
}

/* Of v1 alone, as runc has it. */
static void put_cpuset(const struct put *data, const struct container *container)
{
	static const char *const names[] = {
		"cpu_exclusive", "mem_exclusive", "mem_hardwall", "memory_migrate",
		"memory_pressure", "memory_spread_page", "memory_spread_slab",
		"sched_load_balance",
	};
	auto_close int dirfd = open_controller(container, "cpuset");
	struct put cpuset = below(data, "cpuset");
	char name[64], level[24];
	int64_t number;

	cpuset.dirfd = dirfd;
	if (dirfd < 0)
		return;
	put_list(&cpuset, "cpus", "cpuset.cpus");
	put_list(&cpuset, "mems", "cpuset.mems");
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		snprintf(name, sizeof(name), "cpuset.%s", names[i]);
		put_file(&cpuset, names[i], name);
	}
	/* -1: as the machine has it */
	if (file_read_at(dirfd, "cpuset.sched_relax_domain_level", level, sizeof(level), NULL) > 0 &&
	    number_read_i64(level, &number, NULL) == 0)
		json_set_i64(cpuset.document, cpuset.object, "sched_relax_domain_level", number);
}

/* --- memory */

static void put_memory_v1(const struct put *memory)
{
	static const struct {
		const char *key;
		const char *part;	/* of a file's name */
	} entries[] = {
		{ "usage", "" }, { "swap", "memsw." }, { "kernel", "kmem." },
		{ "kernelTCP", "kmem.tcp." },
	};
	static const struct {
		const char *key;
		const char *file;
	} files[] = {
		{ "limit", "limit_in_bytes" }, { "usage", "usage_in_bytes" },
		{ "max", "max_usage_in_bytes" }, { "failcnt", "failcnt" },
	};
	char name[64];

	for (size_t i = 0; i < sizeof(entries) / sizeof(entries[0]); i++) {
		struct put entry = below(memory, entries[i].key);

		for (size_t f = 0; f < sizeof(files) / sizeof(files[0]); f++) {
			snprintf(name, sizeof(name), "memory.%s%s", entries[i].part, files[f].file);
			put_file(&entry, files[f].key, name);
		}
	}
}

static void put_memory_v2(const struct put *memory)
{
	struct put usage = below(memory, "usage"), swap = below(memory, "swap");
	auto_free char *events = read_text(memory->dirfd, "memory.events");
	uint64_t limit, used, both;

	put_file(&usage, "limit", "memory.max");
	put_file(&usage, "usage", "memory.current");
	put_file(&usage, "max", "memory.peak");
	put_named(&usage, "failcnt", events, "max", 1);
	/* as on v1, and as runc has it: memory and swap together */
	if (!read_number(memory->dirfd, "memory.memsw.max", &limit) || limit == UINT64_MAX) {
		if (!read_number(memory->dirfd, "memory.swap.max", &limit) ||
		    !read_number(memory->dirfd, "memory.max", &both))
			limit = both = UINT64_MAX;
		limit = limit == UINT64_MAX || both == UINT64_MAX ? UINT64_MAX : limit + both;
	}
	json_set_u64(swap.document, swap.object, "limit", limit);
	if (read_number(memory->dirfd, "memory.current", &used)) {
		if (read_number(memory->dirfd, "memory.swap.current", &both))
			used += both;
		json_set_u64(swap.document, swap.object, "usage", used);
	}
	json_set_u64(swap.document, swap.object, "failcnt", 0);
}

static void put_memory(const struct put *data, const struct container *container, bool v1)
{
	auto_close int dirfd = open_controller(container, "memory");
	struct put memory = below(data, "memory"), raw;
	auto_free char *text = NULL;

	memory.dirfd = dirfd;
	text = dirfd < 0 ? NULL : read_text(dirfd, "memory.stat");
	if (!text)
		return;
	put_named(&memory, "cache", text, v1 ? "cache" : "file", 1);
	if (v1)
		put_memory_v1(&memory);
	else
		put_memory_v2(&memory);
	raw = below(&memory, "raw");
	put_all(&raw, text);
}

/* --- the rest */

static void put_pids(const struct put *data, const struct container *container)
{
	auto_close int dirfd = open_controller(container, "pids");
	struct put pids = below(data, "pids");
	uint64_t limit;

	pids.dirfd = dirfd;
	put_file(&pids, "current", "pids.current");
	/* runc's 0 is no limit here */
	if (read_number(dirfd, "pids.max", &limit) && limit != UINT64_MAX)
		json_set_u64(pids.document, pids.object, "limit", limit);
}

/* "hugetlb.2MB.current" and its like, by size. */
static void put_hugetlb(const struct put *data, const struct container *container, bool v1)
{
	auto_close int dirfd = open_controller(container, "hugetlb");
	const char *usage = v1 ? "usage_in_bytes" : "current";
	struct put hugetlb = below(data, "hugetlb"), size;
	const struct dirent *entry;
	char name[280];
	DIR *directory;
	int copy;

	copy = dirfd < 0 ? -1 : openat(dirfd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	directory = copy < 0 ? NULL : fdopendir(copy);
	if (!directory) {
		if (copy >= 0)
			close(copy);
		return;
	}
	while ((entry = readdir(directory))) {
		char text[64];

		if (sscanf(entry->d_name, "hugetlb.%63[^.].", text) != 1 ||
		    snprintf(name, sizeof(name), "hugetlb.%s.%s", text, usage) < 0 ||
		    strcmp(name, entry->d_name) != 0)
			continue;
		size = below(&hugetlb, text);
		size.dirfd = dirfd;
		put_file(&size, "usage", name);
		snprintf(name, sizeof(name), "hugetlb.%s.max_usage_in_bytes", text);
		put_file(&size, "max", name);
		snprintf(name, sizeof(name), "hugetlb.%s.failcnt", text);
		put_file(&size, "failcnt", name);
	}
	closedir(directory);
}

static void put_entry(const struct put *put, struct json_value *array, unsigned int major,
		      unsigned int minor, const char *operation, uint64_t value)
{
	struct json_value *entry = json_add_object(put->document, array);

	json_set_u64(put->document, entry, "major", major);
	json_set_u64(put->document, entry, "minor", minor);
	json_set_string(put->document, entry, "op", operation);
	json_set_u64(put->document, entry, "value", value);
}

/* io.stat: "8:0 rbytes=1 wbytes=2 rios=3 wios=4 dbytes=0 dios=0" */
static void put_io_v2(const struct put *put, struct json_value *bytes, struct json_value *count)
{
	static const struct {
		const char *name;
		const char *operation;
		bool bytes;
	} words[] = {
		{ "rbytes=", "Read", true }, { "wbytes=", "Write", true },
		{ "rios=", "Read", false }, { "wios=", "Write", false },
	};
	auto_free char *text = read_text(put->dirfd, "io.stat");
	char *rest = text, *line, *word;
	unsigned int major, minor;

	while (rest && (line = strsep(&rest, "\n"))) {
		if (sscanf(line, "%u:%u", &major, &minor) != 2)
			continue;
		while ((word = strsep(&line, " "))) {
			for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
				size_t len = strlen(words[i].name);

				if (strncmp(word, words[i].name, len) == 0)
					put_entry(put, words[i].bytes ? bytes : count, major, minor,
						  words[i].operation, strtoull(word + len, NULL, 10));
			}
		}
	}
}

/* "8:0 Read 4096", and a last line "Total 4096" */
static void put_io_v1(const struct put *put, struct json_value *array, const char *file)
{
	auto_free char *text = read_text(put->dirfd, file);
	char *rest = text, *line, operation[16];
	unsigned int major, minor;
	unsigned long long value;

	while (rest && (line = strsep(&rest, "\n"))) {
		if (sscanf(line, "%u:%u %15s %llu", &major, &minor, operation, &value) == 4)
			put_entry(put, array, major, minor, operation, value);
	}
}

static void put_blkio(const struct put *data, const struct container *container, bool v1)
{
	auto_close int dirfd = open_controller(container, v1 ? "blkio" : "io");
	struct put blkio = below(data, "blkio");
	struct json_value *bytes, *count;

	blkio.dirfd = dirfd;
	if (dirfd < 0)
		return;
	bytes = json_set_array(blkio.document, blkio.object, "ioServiceBytesRecursive");
	count = json_set_array(blkio.document, blkio.object, "ioServicedRecursive");
	if (v1) {
		put_io_v1(&blkio, bytes, "blkio.throttle.io_service_bytes_recursive");
		put_io_v1(&blkio, count, "blkio.throttle.io_serviced_recursive");
	} else {
		put_io_v2(&blkio, bytes, count);
	}
}

int stats_put(struct json *document, struct json_value *data, const struct container *container,
	      struct error *err)
{
	const struct put all = { document, data, -1 };
	bool v1 = container->memory && container->memory->mode == CGROUP_V1;

	if (!container->memory || !hierarchy_has(container->memory, container->place.cgroup))
		return error_set(err, ENOENT, "%s: no such cgroup", container->place.cgroup);
	put_cpu(&all, container, v1);
	if (v1)
		put_cpuset(&all, container);
	put_memory(&all, container, v1);
	put_pids(&all, container);
	put_blkio(&all, container, v1);
	put_hugetlb(&all, container, v1);
	json_need_object(document, data, "intel_rdt");
	json_set_null(document, data, "network_interfaces");
	return 0;
}
