// SPDX-License-Identifier: GPL-2.0-or-later
#include "kernel/owner.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/limits.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "base/cleanup.h"

/* settings.c tells settings from actions by these bits of a cgroup that we made. */
#define KIND (S_IRUSR | S_IWUSR)

/* -EPERM: a user, or root of a user namespace. -EINVAL: an owner without an id there. */
static bool is_not_ours_to_give(int error)
{
	return error == EPERM || error == EINVAL;
}

/* `name` is "" for the directory, whose mode is no kind. */
static int copy_one(int from, int to, const char *name, struct error *err)
{
	const char *path = *name ? name : ".";
	mode_t mask = *name ? 0777 & ~KIND : 0777;
	struct stat had, has;

	if (fstatat(from, path, &had, AT_SYMLINK_NOFOLLOW) < 0 ||
	    fstatat(to, path, &has, AT_SYMLINK_NOFOLLOW) < 0)
		return errno == ENOENT ? 0 : error_errno(err, errno, "%s", path);
	if ((had.st_mode & S_IFMT) != (has.st_mode & S_IFMT))
		return 0;
	if ((had.st_uid != has.st_uid || had.st_gid != has.st_gid) &&
	    fchownat(to, path, had.st_uid, had.st_gid, AT_SYMLINK_NOFOLLOW) < 0 &&
	    !is_not_ours_to_give(errno))
		return error_errno(err, errno, "%s: cannot give it its owner", path);
	if (((had.st_mode ^ has.st_mode) & mask) &&
	    fchmodat(to, path, (had.st_mode & mask) | (has.st_mode & 0777 & ~mask), 0) < 0 &&
	    !is_not_ours_to_give(errno))
		return error_errno(err, errno, "%s: cannot give it its mode", path);
	return 0;
}

static int copy_files(int from, int to, struct error *err)
{
	int fd = openat(from, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC), ret = 0;
	DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	struct dirent *entry;

	if (!dir) {
		ret = error_errno(err, errno, "cannot read the directory");
		if (fd >= 0)
			close(fd);
		return ret;
	}
	while (ret == 0 && (entry = readdir(dir))) {
		if (entry->d_type == DT_REG)
			ret = copy_one(from, to, entry->d_name, err);
	}
	closedir(dir);
	return ret;
}

static bool is_mark(const char *name)
{
	return strncmp(name, "user.", 5) == 0 || strncmp(name, "trusted.", 8) == 0;
}

static int copy_marks(int from, int to, struct error *err)
{
	auto_free char *names = malloc(XATTR_LIST_MAX + 1);
	auto_free char *value = NULL;
	ssize_t len, size;

	if (!names)
		return error_errno(err, ENOMEM, "attributes");
	len = flistxattr(from, names, XATTR_LIST_MAX);
	if (len < 0 && errno != ENOTSUP)
		return error_errno(err, errno, "attributes: cannot list");
	if (len <= 0)
		return 0;
	names[len] = '\0';
	value = malloc(XATTR_SIZE_MAX);
	if (!value)
		return error_errno(err, ENOMEM, "attributes");
	for (const char *name = names; name < names + len; name += strlen(name) + 1) {
		if (!is_mark(name) || fgetxattr(to, name, NULL, 0) >= 0)
			continue;
		size = fgetxattr(from, name, value, XATTR_SIZE_MAX);
		/* removed at this moment */
		if (size < 0 && errno == ENODATA)
			continue;
		if (size < 0 || (fsetxattr(to, name, value, (size_t)size, 0) < 0 &&
				 !is_not_ours_to_give(errno)))
			return error_errno(err, errno, "attribute %s: cannot copy", name);
	}
	return 0;
}

int owner_copy(int from, int to, struct error *err)
{
	int ret = copy_files(from, to, err);

	if (ret == 0)
		ret = copy_marks(from, to, err);
	/* last: its owner may make what he likes in it from now on */
	return ret == 0 ? copy_one(from, to, "", err) : ret;
}
