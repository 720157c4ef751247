// SPDX-License-Identifier: GPL-2.0-or-later
#include "kernel/mounts.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/grow.h"
#include "kernel/path.h"

/* More than anybody needs: systemd in a container has a dozen on v1. */
#define MOUNTS_MAX 256

/* Words of mountinfo's sixth field. Access times are one of three, and relatime is 0. */
static const struct {
	const char *word;
	uint64_t attribute;
} words[] = {
	{ "ro", MOUNT_ATTR_RDONLY },
	{ "nosuid", MOUNT_ATTR_NOSUID },
	{ "nodev", MOUNT_ATTR_NODEV },
	{ "noexec", MOUNT_ATTR_NOEXEC },
	{ "noatime", MOUNT_ATTR_NOATIME },
	{ "nodiratime", MOUNT_ATTR_NODIRATIME },
	{ "nosymfollow", MOUNT_ATTR_NOSYMFOLLOW },
};

void mounts_free(struct cgroup_mounts *mounts)
{
	for (size_t i = 0; i < mounts->count; i++) {
		free(mounts->each[i].root);
		free(mounts->each[i].point);
	}
	free(mounts->each);
	*mounts = (struct cgroup_mounts){ 0 };
}

/* "\040" is a blank, in place. */
static void unescape(char *text)
{
	char *end = text;

	for (; *text; text++) {
		if (text[0] == '\\' && strspn(text + 1, "01234567") >= 3) {
			*end++ = (char)((text[1] - '0') * 64 + (text[2] - '0') * 8 + text[3] - '0');
			text += 3;
		} else {
			*end++ = *text;
		}
	}
	*end = '\0';
}

static uint64_t attributes_of(char *options)
{
	uint64_t attributes = 0;
	bool strict = true;
	char *word;

	while ((word = strsep(&options, ","))) {
		strict = strict && strcmp(word, "relatime") != 0 && strcmp(word, "noatime") != 0;
		for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
			if (strcmp(words[i].word, word) == 0)
				attributes |= words[i].attribute;
		}
	}
	return strict ? attributes | MOUNT_ATTR_STRICTATIME : attributes;
}

/* 1: it is one, and in `mount` are parts of `line`. */
static int parse_line(struct cgroup_mount *mount, char *line, const char *top)
{
	char *fields[6] = { NULL }, *type = strstr(line, " - ");
	unsigned int major, minor;
	int used = 0;

	if (!type)
		return -EINVAL;
	/* the kernel puts this before the type; names have no blanks of their own here */
	*type = '\0';
	type += 3;
	if (sscanf(line, "%d %d %u:%u %n", &mount->id, &mount->parent, &major, &minor,
		   &used) != 4 || !used)
		return -EINVAL;
	line += used;
	for (size_t i = 0; i < 3; i++)
		fields[i] = strsep(&line, " ");
	if (!fields[2])
		return -EINVAL;
	if (strncmp(type, "cgroup ", 7) != 0 && strncmp(type, "cgroup2 ", 8) != 0)
		return 0;
	mount->root = fields[0];
	mount->point = fields[1];
	unescape(mount->root);
	unescape(mount->point);
	mount->dev = makedev(major, minor);
	mount->attributes = attributes_of(fields[2]);
	return path_is_below(mount->root, top);
}

static int add(struct cgroup_mounts *mounts, const struct cgroup_mount *mount)
{
	struct cgroup_mount *larger;

	larger = grow(mounts->each, mounts->count, sizeof(*larger));
	if (!larger)
		return -ENOMEM;
	mounts->each = larger;
	larger += mounts->count++;
	*larger = *mount;
	larger->root = strdup(mount->root);
	larger->point = strdup(mount->point);
	return larger->root && larger->point ? 0 : -ENOMEM;
}

int mounts_parse(struct cgroup_mounts *mounts, char *text, const char *top, struct error *err)
{
	auto_mounts struct cgroup_mounts made = { 0 };
	struct cgroup_mount mount = { 0 };
	auto_free int *parents = NULL;
	size_t count = 0;
	char *line;
	int ret = 0;

	/* a line has more than ten bytes */
	parents = calloc(strlen(text) / 10 + 1, sizeof(*parents));
	if (!parents)
		return error_errno(err, ENOMEM, "mountinfo");
	while (ret >= 0 && (line = strsep(&text, "\n"))) {
		if (!*line)
			continue;
		ret = parse_line(&mount, line, top);
		if (ret >= 0)
			parents[count++] = mount.parent;
		if (ret == 1)
			ret = made.count < MOUNTS_MAX ? add(&made, &mount) : -E2BIG;
	}
	if (ret == -E2BIG)
		return error_set(err, E2BIG, "mountinfo: more than %d mounts of its cgroups",
				 MOUNTS_MAX);
	if (ret < 0)
		return error_errno(err, -ret, "mountinfo: cannot read");
	for (size_t i = 0; i < made.count; i++) {
		for (size_t j = 0; j < count; j++)
			made.each[i].covered |= parents[j] == made.each[i].id;
	}
	*mounts = made;
	made = (struct cgroup_mounts){ 0 };
	return 0;
}

int mounts_open(int dirfd, uint64_t attributes, struct error *err)
{
	struct mount_attr attr = {
		.attr_set = attributes,
		/* access times are a number in there, of which all bits must be given */
		.attr_clr = MOUNT_ATTR__ATIME,
		/* the host's may be shared, and what is mounted in the container is its own */
		.propagation = MS_PRIVATE,
	};
	auto_close int fd = open_tree(dirfd, "",
				      AT_EMPTY_PATH | OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		if (words[i].attribute != MOUNT_ATTR_NOATIME)
			attr.attr_clr |= words[i].attribute;
	}
	if (fd < 0)
		return error_errno(err, errno, "cannot open it as a mount");
	if (mount_setattr(fd, "", AT_EMPTY_PATH, &attr, sizeof(attr)) < 0)
		return error_errno(err, errno, "cannot give it its attributes");
	return take_fd(&fd);
}

/* The mount that is uppermost at `point`, which must be number `id`. */
static int open_point(int root, const char *point, int id, struct error *err)
{
	struct open_how how = {
		.flags = O_PATH | O_DIRECTORY | O_CLOEXEC,
		.resolve = RESOLVE_IN_ROOT | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS,
	};
	auto_close int fd = (int)syscall(SYS_openat2, root, point, &how, sizeof(how));
	struct statx st;

	if (fd < 0)
		return error_errno(err, errno, "cannot open");
	if (statx(fd, "", AT_EMPTY_PATH, STATX_MNT_ID, &st) < 0)
		return error_errno(err, errno, "cannot be looked at");
	if (!(st.stx_mask & STATX_MNT_ID) || st.stx_mnt_id != (uint64_t)id)
		return error_set(err, ESTALE, "another mount is there");
	return take_fd(&fd);
}

int mounts_replace(int root, const struct cgroup_mount *mount, int fd, struct error *err)
{
	auto_close int old = -1;
	auto_close int under = -1;

	if (mount->covered)
		return error_set(err, EBUSY, "something is mounted in it");
	old = open_point(root, mount->point, mount->id, err);
	if (old < 0)
		return old;
	/*
	 * Over the old mount it could not stay: what is mounted on a cgroup's directory goes
	 * when that is removed. A path is what umount(2) wants, and this one cannot be changed.
	 */
	if (fchdir(old) < 0 || umount2(".", MNT_DETACH) < 0)
		return error_errno(err, errno, "cannot be taken away");
	under = open_point(root, mount->point, mount->parent, err);
	if (under < 0)
		return error_prefix(err, under, "is taken away, and its place");
	if (move_mount(fd, "", under, "", MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH) < 0)
		return error_errno(err, errno, "is taken away, and the other not put there");
	return 0;
}
