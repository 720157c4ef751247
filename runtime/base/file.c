// SPDX-License-Identifier: GPL-2.0-or-later
#include "base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"

/* Fill `text` until the end of the file or until `size` is reached. */
static ssize_t read_up_to(int fd, char *text, size_t size)
{
	size_t len = 0;
	ssize_t got;

	while (len < size) {
		got = read(fd, text + len, size - len);
		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return -errno;
		if (got == 0)
			break;
		len += (size_t)got;
	}
	return (ssize_t)len;
}

ssize_t file_read_at(int dirfd, const char *name, char *text, size_t size, struct error *err)
{
	auto_close int fd = -1;
	ssize_t len;

	fd = openat(dirfd, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	if (fd < 0)
		return error_errno(err, errno, "%s: cannot open", name);

	len = read_up_to(fd, text, size);
	if (len < 0)
		return error_errno(err, (int)-len, "%s: cannot read", name);
	if ((size_t)len == size)
		return error_set(err, EFBIG, "%s: longer than %zu bytes", name, size - 1);

	if (len > 0 && text[len - 1] == '\n')
		len--;
	text[len] = '\0';
	return len;
}

int file_write_at(int dirfd, const char *name, const char *value, struct error *err)
{
	auto_close int fd = -1;
	size_t len = strlen(value);
	ssize_t wrote;

	fd = openat(dirfd, name, O_WRONLY | O_CLOEXEC | O_NOFOLLOW);
	if (fd < 0)
		return error_errno(err, errno, "%s: cannot open", name);

	do {
		wrote = write(fd, value, len);
	} while (wrote < 0 && errno == EINTR);
	if (wrote < 0)
		return error_errno(err, errno, "%s: cannot write \"%s\"", name, value);
	if ((size_t)wrote != len)
		return error_set(err, EIO, "%s: \"%s\" was cut short", name, value);

	return 0;
}

int file_exists_at(int dirfd, const char *name)
{
	return faccessat(dirfd, name, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
}

int file_read_all(int fd, size_t max, char **text, size_t *len, struct error *err)
{
	auto_free char *buffer = NULL;
	size_t size = 16384, used = 0;
	struct stat st;
	char *larger;
	ssize_t got;

	/* One more than the file, so that the read that finds its end fits. */
	if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && st.st_size > 0 &&
	    (size_t)st.st_size <= max)
		size = (size_t)st.st_size + 2;

	for (;;) {
		larger = realloc(buffer, size);
		if (!larger)
			return error_errno(err, ENOMEM, "cannot read");
		buffer = larger;

		got = read_up_to(fd, buffer + used, size - 1 - used);
		if (got < 0)
			return error_errno(err, (int)-got, "cannot read");
		used += (size_t)got;
		if (used > max)
			return error_set(err, EFBIG, "longer than %zu bytes", max);
		if (used < size - 1)
			break;
		size *= 2;
	}

	buffer[used] = '\0';
	*len = used;
	*text = take_ptr(&buffer);
	return 0;
}

int file_write_all(int fd, const char *text, size_t len, struct error *err)
{
	ssize_t wrote;

	while (len > 0) {
		wrote = write(fd, text, len);
		if (wrote < 0 && errno == EINTR)
			continue;
		if (wrote < 0)
			return error_errno(err, errno, "cannot write");
		text += wrote;
		len -= (size_t)wrote;
	}
	return 0;
}

/* The name under which a new file waits to become `name`, in fresh memory. */
static char *staged_name(const char *name)
{
	char *staged;

	return asprintf(&staged, ".%s.new", name) < 0 ? NULL : staged;
}

void file_discard_at(int dirfd, const char *name)
{
	auto_free char *staged = staged_name(name);

	if (staged)
		unlinkat(dirfd, staged, 0);
}

int file_commit_at(int dirfd, const char *name, struct error *err)
{
	auto_free char *staged = staged_name(name);
	int ret = 0;

	if (!staged)
		ret = error_errno(err, ENOMEM, "%s", name);
	else if (renameat(dirfd, staged, dirfd, name) < 0)
		ret = error_errno(err, errno, "%s: cannot replace", name);
	if (ret < 0)
		file_discard_at(dirfd, name);
	return ret;
}

int file_stage_at(int dirfd, const char *name, mode_t mode, const char *text, size_t len,
		  struct error *err)
{
	auto_free char *staged = staged_name(name);
	auto_close int fd = -1;
	bool had = false;
	struct stat st;
	int ret;

	if (!staged)
		return error_errno(err, ENOMEM, "%s", name);
	if (fstatat(dirfd, name, &st, AT_SYMLINK_NOFOLLOW) == 0) {
		mode = st.st_mode & 07777;
		had = true;
	}
	if (unlinkat(dirfd, staged, 0) < 0 && errno != ENOENT)
		return error_errno(err, errno, "%s: cannot remove", staged);
	fd = openat(dirfd, staged, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, mode);
	if (fd < 0)
		return error_errno(err, errno, "%s: cannot make", staged);
	ret = file_write_all(fd, text, len, err);
	/* a user's file that root replaces stays the user's */
	if (ret == 0 && had && geteuid() == 0 && fchown(fd, st.st_uid, st.st_gid) < 0)
		ret = error_errno(err, errno, "cannot replace");
	/* the umask has had its way with the mode */
	if (ret == 0 && (fchmod(fd, mode) < 0 || fsync(fd) < 0))
		ret = error_errno(err, errno, "cannot replace");
	if (ret < 0) {
		unlinkat(dirfd, staged, 0);
		return error_prefix(err, ret, "%s", name);
	}
	return 0;
}

int file_replace_at(int dirfd, const char *name, mode_t mode, const char *text, size_t len,
		    struct error *err)
{
	int ret = file_stage_at(dirfd, name, mode, text, len, err);

	return ret < 0 ? ret : file_commit_at(dirfd, name, err);
}
