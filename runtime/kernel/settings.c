// SPDX-License-Identifier: GPL-2.0-or-later
#include "kernel/settings.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <fnmatch.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/cleanup.h"
#include "base/file.h"

/* io.max has a line for each disk; nothing else comes near. */
#define VALUE_MAX 65536

enum treatment {
	COPY,
	SKIP,		/* an action, a counter, or set with care elsewhere */
	LATE,
	FIRST_WORD,	/* "oom_kill_disable 0" and counters behind it */
};

/* The first that matches. Files that cannot be read, or not written, never get here. */
static const struct rule {
	const char *pattern;
	enum treatment treatment;
} rules[] = {
	{ "tasks", SKIP },
	{ "cgroup.procs", SKIP },
	{ "cgroup.threads", SKIP },
	{ "cgroup.type", SKIP },
	{ "cgroup.subtree_control", SKIP },
	{ "cgroup.freeze", SKIP },
	{ "freezer.state", SKIP },
	{ "cgroup.pressure", COPY },
	{ "*.pressure", SKIP },		/* triggers, that go with who opened them */
	{ "*.peak", SKIP },
	{ "*failcnt", SKIP },
	{ "*max_usage_in_bytes", SKIP },
	{ "*.usage_in_usecs", SKIP },
	{ "cpuacct.*", SKIP },
	{ "memory.reclaim", SKIP },
	{ "memory.force_empty", SKIP },
	/* of the move itself; what is there afterwards is written at its end */
	{ "memory.move_charge_at_immigrate", LATE },
	{ "memory.oom_control", FIRST_WORD },
	/* there is one more below a scope, until the tasks have come */
	{ "cgroup.max.depth", LATE },
	{ "cgroup.max.descendants", LATE },
	{ "cpuset.cpus.exclusive", LATE },
	{ "cpuset.cpus.partition", LATE },
	{ "cpuset.cpu_exclusive", LATE },
	{ "cpuset.mem_exclusive", LATE },
};

/* Late settings that need not be told where they are as in a new cgroup. */
static const struct {
	const char *name;
	const char *value;
} fresh[] = {
	{ "cgroup.max.depth", "max" },
	{ "cgroup.max.descendants", "max" },
	{ "cpuset.cpus.exclusive", "" },
	{ "cpuset.cpus.partition", "member" },
	{ "cpuset.cpu_exclusive", "0" },
	{ "cpuset.mem_exclusive", "0" },
};

static bool is_fresh(const char *name, const char *value)
{
	for (size_t i = 0; i < sizeof(fresh) / sizeof(fresh[0]); i++) {
		if (strcmp(fresh[i].name, name) == 0)
			return strcmp(fresh[i].value, value) == 0;
	}
	return false;
}

/* What others depend on; the rest in the order of names. */
static const char *const order[] = {
	"cpu.idle", "cpuset.cpus", "cpuset.mems",
};

static enum treatment treatment_of(const char *name)
{
	for (size_t i = 0; i < sizeof(rules) / sizeof(rules[0]); i++) {
		if (fnmatch(rules[i].pattern, name, 0) == 0)
			return rules[i].treatment;
	}
	return COPY;
}

static size_t rank(const char *name)
{
	size_t i;

	for (i = 0; i < sizeof(order) / sizeof(order[0]); i++) {
		if (strcmp(order[i], name) == 0)
			break;
	}
	return i;
}

static int by_order(const struct dirent **a, const struct dirent **b)
{
	size_t first = rank((*a)->d_name), second = rank((*b)->d_name);

	if (first != second)
		return first < second ? -1 : 1;
	return strcmp((*a)->d_name, (*b)->d_name);
}

static int by_name(const struct dirent *entry)
{
	return entry->d_name[0] != '.' && treatment_of(entry->d_name) != SKIP;
}

/*
 * The modes of a file say what it is, as the kernel made it. In `from` its owner may have
 * given it others, so as to hide a limit or to have an action taken for a setting; `to` is
 * ours. Of a file that is missing there all that is known is what `from` says.
 */
static bool can_be_set(int from, int to, const char *name)
{
	const mode_t both = S_IRUSR | S_IWUSR;
	struct stat st;

	if (fstatat(from, name, &st, AT_SYMLINK_NOFOLLOW) < 0 || !S_ISREG(st.st_mode))
		return false;
	if (fstatat(to, name, &st, AT_SYMLINK_NOFOLLOW) == 0 && !S_ISREG(st.st_mode))
		return false;
	return (st.st_mode & both) == both;
}

/* Is `line` one of the lines of `text`? */
static bool has_line(const char *text, const char *line, size_t len)
{
	while (*text) {
		size_t each = strcspn(text, "\n");

		if (each == len && strncmp(text, line, len) == 0)
			return true;
		text += each + (text[each] == '\n');
	}
	return false;
}

static bool same(const char *one, const char *other)
{
	if (strlen(one) != strlen(other))
		return false;
	for (const char *line = one; *line;) {
		size_t len = strcspn(line, "\n");

		if (!has_line(other, line, len))
			return false;
		line += len + (line[len] == '\n');
	}
	return true;
}

/* The value that would be written back. */
static int read_value(int dirfd, const char *name, char *value, struct error *err)
{
	ssize_t len = file_read_at(dirfd, name, value, VALUE_MAX, err);
	const char *word;

	if (len < 0)
		return (int)len;
	if (treatment_of(name) == FIRST_WORD) {
		value[strcspn(value, "\n")] = '\0';
		word = strrchr(value, ' ');
		if (word)
			memmove(value, word + 1, strlen(word));
	}
	return 0;
}

struct pair {
	int from;
	int to;
	char *had;	/* VALUE_MAX each */
	char *has;
};

static int read_pair(struct pair *pair, const char *name, struct error *err)
{
	int ret;

	ret = read_value(pair->from, name, pair->had, err);
	/* controllers that are built so that some files cannot be read at all times */
	if (ret == -EOPNOTSUPP || ret == -ENODEV)
		return 1;
	if (ret == 0)
		ret = read_value(pair->to, name, pair->has, err);
	return ret;
}

static int differ(const struct pair *pair, const char *name, struct error *err)
{
	return error_set(err, EIO, "%s: \"%s\", not \"%s\"", name, pair->has, pair->had);
}

static int write_lines(struct pair *pair, const char *name, struct error *err)
{
	char *line, *rest = pair->had;
	int ret = 0;

	/* an empty value is written as such: cpuset's "as the parent" */
	if (!*rest)
		return file_write_at(pair->to, name, "\n", err);
	while (ret == 0 && (line = strsep(&rest, "\n"))) {
		if (!has_line(pair->has, line, strlen(line)))
			ret = file_write_at(pair->to, name, line, err);
	}
	return ret;
}

static int copy_one(struct pair *pair, const char *name, struct error *err)
{
	int ret;

	ret = read_pair(pair, name, err);
	if (ret != 0)
		return ret < 0 ? ret : 0;
	if (same(pair->had, pair->has))
		return 0;
	ret = write_lines(pair, name, err);
	if (ret == 0)
		ret = read_pair(pair, name, err);
	if (ret != 0)
		return ret < 0 ? ret : 0;
	return same(pair->had, pair->has) ? 0 : differ(pair, name, err);
}

static int compare_one(struct pair *pair, const char *name, struct error *err)
{
	int ret = read_pair(pair, name, err);

	if (ret != 0)
		return ret < 0 ? ret : 0;
	return same(pair->had, pair->has) ? 0 : differ(pair, name, err);
}

/* Call `each` for all settings of `from` of this time. */
static int walk(int from, int to, enum settings_when when, struct error *err,
		int (*each)(struct pair *pair, const char *name, struct error *err))
{
	auto_free char *had = malloc(VALUE_MAX);
	auto_free char *has = malloc(VALUE_MAX);
	struct pair pair = { .from = from, .to = to, .had = had, .has = has };
	struct dirent **names = NULL;
	int count, ret = 0;

	if (!had || !has)
		return error_errno(err, ENOMEM, "settings");
	count = scandirat(from, ".", &names, by_name, by_order);
	if (count < 0)
		return error_errno(err, errno, "settings: cannot read the directory");

	for (int i = 0; i < count; i++) {
		const char *name = names[i]->d_name;

		if (ret == 0 && (treatment_of(name) == LATE) == (when == SETTINGS_LATE) &&
		    can_be_set(from, to, name))
			ret = each(&pair, name, err);
		free(names[i]);
	}
	free(names);
	return ret;
}

/* v1's list of devices, which is written by two other files. */
static int copy_devices(int from, int to, struct error *err)
{
	auto_free char *had = malloc(VALUE_MAX);
	auto_free char *has = malloc(VALUE_MAX);
	char *line, *rest = had;
	int ret;

	if (!had || !has)
		return error_errno(err, ENOMEM, "devices.list");
	ret = (int)file_read_at(from, "devices.list", had, VALUE_MAX, err);
	if (ret >= 0)
		ret = (int)file_read_at(to, "devices.list", has, VALUE_MAX, err);
	if (ret < 0 || same(had, has))
		return ret < 0 ? ret : 0;

	/* first nothing, then what is allowed: never more than that */
	ret = file_write_at(to, "devices.deny", "a", err);
	while (ret == 0 && (line = strsep(&rest, "\n"))) {
		if (*line)
			ret = file_write_at(to, "devices.allow", line, err);
	}
	return ret;
}

int settings_copy(int from, int to, enum settings_when when, struct error *err)
{
	int ret = 0;

	if (when == SETTINGS_EARLY && file_exists_at(from, "devices.list"))
		ret = copy_devices(from, to, err);
	return ret < 0 ? ret : walk(from, to, when, err, copy_one);
}

int settings_compare(int from, int to, struct error *err)
{
	return walk(from, to, SETTINGS_EARLY, err, compare_one);
}

int settings_late(int from, int to,
		  int (*each)(void *context, const char *name, const char *value), void *context,
		  struct error *err)
{
	auto_free char *had = malloc(VALUE_MAX);
	auto_free char *has = malloc(VALUE_MAX);
	struct pair pair = { .from = from, .to = to, .had = had, .has = has };
	int ret = 0;

	if (!had || !has)
		return error_errno(err, ENOMEM, "settings");
	had[0] = has[0] = '\0';
	for (size_t i = 0; ret == 0 && i < sizeof(rules) / sizeof(rules[0]); i++) {
		const char *name = rules[i].pattern;

		if (rules[i].treatment != LATE || !file_exists_at(from, name) ||
		    (to >= 0 && !can_be_set(from, to, name)))
			continue;
		ret = to < 0 ? read_value(from, name, had, err) : read_pair(&pair, name, err);
		/* "root invalid (why)": its first word is the setting */
		if (ret == 0 && strcmp(name, "cpuset.cpus.partition") == 0) {
			had[strcspn(had, " ")] = '\0';
			has[strcspn(has, " ")] = '\0';
		}
		if (to < 0 && ret == 0 && is_fresh(name, had))
			continue;
		if (ret == 0 && (to < 0 || !same(had, has)))
			ret = each(context, name, had);
		else if (ret > 0)
			ret = 0;
	}
	return ret;
}

int settings_copy_type(int from, int to, struct error *err)
{
	char had[32], has[32];
	ssize_t len;

	if (!file_exists_at(from, "cgroup.type"))
		return 0;
	len = file_read_at(from, "cgroup.type", had, sizeof(had), err);
	if (len >= 0)
		len = file_read_at(to, "cgroup.type", has, sizeof(has), err);
	if (len < 0)
		return (int)len;
	if (strcmp(had, "threaded") || !strcmp(has, had))
		return 0;
	return file_write_at(to, "cgroup.type", had, err);
}

int settings_copy_subtree(int from, int to, struct error *err)
{
	char had[512], has[512], *word, *rest = had, request[64];
	ssize_t len;
	int ret = 0;

	if (!file_exists_at(from, "cgroup.subtree_control"))
		return 0;
	len = file_read_at(from, "cgroup.subtree_control", had, sizeof(had), err);
	if (len >= 0)
		len = file_read_at(to, "cgroup.subtree_control", has, sizeof(has), err);
	if (len < 0)
		return (int)len;
	while (ret == 0 && (word = strsep(&rest, " "))) {
		if (!*word)
			continue;
		snprintf(request, sizeof(request), "+%s", word);
		ret = file_write_at(to, "cgroup.subtree_control", request, err);
	}
	return ret;
}
