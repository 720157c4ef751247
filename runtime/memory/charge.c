// SPDX-License-Identifier: GPL-2.0-or-later
#include "memory/charge.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/file.h"
#include "base/number.h"
#include "kernel/tree.h"

/* The kernel has given up after 16 passes of its own each time. */
#define TRIES_MAX 20

static const char *const type_names[CHARGE_TYPES] = {
	[CHARGE_TYPE_ANON] = "anon",
	[CHARGE_TYPE_FILE] = "file",
	[CHARGE_TYPE_SHMEM] = "shmem",
	[CHARGE_TYPE_SWAP] = "swap",
	[CHARGE_TYPE_KERNEL] = "kernel",
};

const char *charge_type_name(enum charge_type type)
{
	return type_names[type];
}

static int type_by_name(const char *name, size_t len)
{
	for (int i = 0; i < CHARGE_TYPES; i++) {
		if (strlen(type_names[i]) == len && strncmp(type_names[i], name, len) == 0)
			return i;
	}
	return -1;
}

static int read_types(unsigned int *types, const char *text, const char *separator,
		      struct error *err)
{
	unsigned int found = 0;
	const char *word = text;
	size_t len;
	int type;

	if (strcmp(text, "all") == 0 || strcmp(text, "none") == 0) {
		*types = text[0] == 'a' ? CHARGE_ALL : 0;
		return 0;
	}
	do {
		len = strcspn(word, separator);
		type = type_by_name(word, len);
		if (type < 0)
			return error_set(err, EINVAL,
					 "not all, none or a list of anon, file, shmem, swap, kernel, \"%s\"",
					 text);
		found |= 1U << type;
		word += len + 1;
	} while (word[-1]);
	*types = found;
	return 0;
}

int charge_types_read(unsigned int *types, const char *text, struct error *err)
{
	return read_types(types, text, ",", err);
}

int charge_words_read(unsigned int *types, const char *words, struct error *err)
{
	return read_types(types, words, " ", err);
}

const char *charge_types_text(char *text, size_t size, unsigned int types)
{
	size_t len = 0;

	*text = '\0';
	for (int i = 0; i < CHARGE_TYPES; i++) {
		if (types & 1U << i && len < size)
			len += (size_t)snprintf(text + len, size - len, "%s%s", len ? " " : "",
						type_names[i]);
	}
	return text;
}

/* A number in a file alone, or 0 where there is no such file. */
static int read_number(int dirfd, const char *name, int64_t *value, struct error *err)
{
	char text[NUMBER_TEXT_MAX + 1];
	ssize_t len = file_read_at(dirfd, name, text, sizeof(text), err);

	*value = 0;
	if (len == -ENOENT)
		return 0;
	if (len < 0)
		return (int)len;
	return number_read_i64(text, value, err) < 0 ?
		       error_set(err, EIO, "%s: not a number, \"%s\"", name, text) : 0;
}

/* The value of `key` in a flat keyed text, or 0. */
static int64_t keyed(const char *text, const char *key)
{
	size_t len = strlen(key);
	int64_t value;

	while (*text) {
		if (strncmp(text, key, len) == 0 && text[len] == ' ' &&
		    sscanf(text + len, "%" SCNd64, &value) == 1)
			return value;
		text += strcspn(text, "\n");
		text += *text == '\n';
	}
	return 0;
}

/*
 * memory.stat is summed up from per-processor parts only when enough has changed or every two
 * seconds; the counters are exact. So the statistics may show memory that is no longer charged.
 * No type is charged for more than the counter of them all: what exceeds it is taken off, from
 * the last type on.
 */
static void fit_into(struct charge_usage *usage, int64_t counted)
{
	for (int i = 0; i < CHARGE_TYPES; i++) {
		int64_t *type = &usage->by_type[i];

		if (i == CHARGE_TYPE_SWAP)
			continue;
		if (*type < 0)
			*type = 0;
		if (*type > counted)
			*type = counted;
		counted -= *type;
	}
}

static int usage_v2(struct charge_usage *usage, int dirfd, const char *stat, struct error *err)
{
	int64_t current;
	int ret;

	ret = read_number(dirfd, "memory.current", &current, err);
	if (ret == 0)
		ret = read_number(dirfd, "memory.swap.current", &usage->by_type[CHARGE_TYPE_SWAP], err);
	if (ret < 0)
		return ret;
	usage->by_type[CHARGE_TYPE_ANON] = keyed(stat, "anon");
	usage->by_type[CHARGE_TYPE_SHMEM] = keyed(stat, "shmem");
	usage->by_type[CHARGE_TYPE_FILE] = keyed(stat, "file") - usage->by_type[CHARGE_TYPE_SHMEM];
	usage->by_type[CHARGE_TYPE_KERNEL] = keyed(stat, "kernel") + keyed(stat, "sock");
	fit_into(usage, current);
	usage->total = current + usage->by_type[CHARGE_TYPE_SWAP];
	return 0;
}

static int usage_v1(struct charge_usage *usage, int dirfd, const char *stat, struct error *err)
{
	int64_t current;
	int ret;

	ret = read_number(dirfd, "memory.usage_in_bytes", &current, err);
	if (ret == 0)
		ret = read_number(dirfd, "memory.kmem.usage_in_bytes",
				  &usage->by_type[CHARGE_TYPE_KERNEL], err);
	if (ret < 0)
		return ret;
	usage->by_type[CHARGE_TYPE_ANON] = keyed(stat, "total_rss");
	usage->by_type[CHARGE_TYPE_SHMEM] = keyed(stat, "total_shmem");
	usage->by_type[CHARGE_TYPE_FILE] = keyed(stat, "total_cache") - usage->by_type[CHARGE_TYPE_SHMEM];
	usage->by_type[CHARGE_TYPE_SWAP] = keyed(stat, "total_swap");
	fit_into(usage, current);
	usage->total = current + usage->by_type[CHARGE_TYPE_SWAP];
	return 0;
}

int charge_usage_read(struct charge_usage *usage, int dirfd, enum cgroup_mode mode,
		      struct error *err)
{
	struct charge_usage read = { 0 };
	char stat[16384];
	ssize_t len;
	int ret;

	len = file_read_at(dirfd, "memory.stat", stat, sizeof(stat), err);
	if (len < 0 && len != -ENOENT)
		return (int)len;
	if (len < 0)
		stat[0] = '\0';
	ret = mode == CGROUP_V2 ? usage_v2(&read, dirfd, stat, err) :
				  usage_v1(&read, dirfd, stat, err);
	if (ret == 0)
		*usage = read;
	return ret;
}

int64_t charge_total(int dirfd, enum cgroup_mode mode)
{
	static const char *const files[][2] = {
		[CGROUP_V1] = { "memory.usage_in_bytes", NULL },
		[CGROUP_V2] = { "memory.current", "memory.swap.current" },
	};
	int64_t total = 0, value;

	for (size_t i = 0; i < 2 && files[mode][i]; i++) {
		if (read_number(dirfd, files[mode][i], &value, NULL) == 0)
			total += value;
	}
	return total;
}

int charge_can_migrate(int dirfd)
{
	return file_exists_at(dirfd, "memory.migrate");
}

int charge_migrated(struct charge_usage *moved, int dirfd, struct error *err)
{
	struct charge_usage read = { 0 };
	char stat[1024];
	ssize_t len;

	len = file_read_at(dirfd, "memory.migrate.stat", stat, sizeof(stat), err);
	if (len < 0)
		return (int)len;
	for (int i = 0; i < CHARGE_TYPES; i++) {
		read.by_type[i] = keyed(stat, type_names[i]);
		read.total += read.by_type[i];
	}
	*moved = read;
	return 0;
}

struct request {
	char source[24];
	int to;
};

static int write_request(void *data, unsigned int types, struct error *err)
{
	const struct request *request = data;
	char text[128], words[64];

	snprintf(text, sizeof(text), "%s %s", request->source,
		 charge_types_text(words, sizeof(words), types));
	return file_write_at(request->to, "memory.migrate", text, err);
}

static int migrate(const struct charge_writer *writer, int to, unsigned int types,
		   struct error *err)
{
	struct charge_usage before = { 0 }, after = { 0 };
	int ret;

	for (int i = 0; i < TRIES_MAX; i++) {
		charge_migrated(&before, to, NULL);
		ret = writer->write(writer->data, types, err);
		if (ret != -EAGAIN)
			return ret == -ENOENT && !charge_can_migrate(to) ?
				       error_set(err, EOPNOTSUPP, "memory.migrate: not here") : ret;
		charge_migrated(&after, to, NULL);
		if (after.total == before.total)
			return ret;
	}
	return ret;
}

int charge_migrate(int from, int to, unsigned int types, struct error *err)
{
	struct request request = { .to = to };
	const struct charge_writer writer = { .write = write_request, .data = &request };

	snprintf(request.source, sizeof(request.source), "fd:%d", from);
	return types ? migrate(&writer, to, types, err) : 0;
}

int charge_migrate_writer(const struct charge_writer *writer, int to, unsigned int types,
			  struct error *err)
{
	types &= CHARGE_ANON | CHARGE_FILE | CHARGE_SHMEM;
	return types ? migrate(writer, to, types, err) : 0;
}

int charge_migrate_pid(pid_t pid, int to, unsigned int types, struct error *err)
{
	struct request request = { .to = to };
	const struct charge_writer writer = { .write = write_request, .data = &request };

	snprintf(request.source, sizeof(request.source), "pid:%d", pid);
	return charge_migrate_writer(&writer, to, types, err);
}

/* Up within the tree first, so that one write takes all that is left of the top. */
int charge_hand_up(const struct hierarchy *hierarchy, const char *path, struct error *err)
{
	auto_tree struct tree tree = { 0 };
	int ret;

	ret = tree_read(&tree, hierarchy, path, err);
	if (ret == -ENOENT || ret == -ENODEV)
		return 0;
	for (size_t i = tree.count; ret == 0 && i-- > 0;) {
		auto_free char *each = tree_path(path, tree.paths[i]);
		auto_close int from = -1;
		auto_close int above = -1;

		if (!each)
			return error_errno(err, ENOMEM, "%s", path);
		ret = hierarchy_open(hierarchy, each, &from, err);
		*strrchr(each, '/') = '\0';
		if (ret == 0)
			ret = hierarchy_open(hierarchy, each, &above, err);
		if (ret == 0 && charge_can_migrate(above))
			ret = charge_migrate(from, above, CHARGE_ALL, err);
		/* gone meanwhile, or without the controller: nothing is left of it */
		if (ret == -ENOENT || ret == -ENODEV || ret == -EOPNOTSUPP)
			ret = 0;
		/*
		 * From inside a cgroup namespace its root may not be written (nsdelegate). The kernel
		 * then keeps the charges in the removed cgroup, as it does without memory.migrate.
		 */
		if (ret == -EPERM && !*each)
			ret = 0;
	}
	return ret;
}
