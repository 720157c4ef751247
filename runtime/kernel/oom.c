// SPDX-License-Identifier: GPL-2.0-or-later
#include "kernel/oom.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/file.h"

void oom_close(struct oom *oom)
{
	if (oom->fd >= 0)
		close(oom->fd);
	if (oom->control >= 0)
		close(oom->control);
	oom->fd = oom->control = -1;
}

/*
 * Reading also makes the next change one that poll(2) tells of. -ENODEV: the cgroup has been
 * removed.
 */
static int read_kills(int fd, uint64_t *kills)
{
	char text[512];
	ssize_t len = pread(fd, text, sizeof(text) - 1, 0);
	const char *found;

	if (len < 0)
		return -errno;
	text[len] = '\0';
	found = strstr(text, "oom_kill ");
	*kills = found ? strtoull(found + strlen("oom_kill "), NULL, 10) : 0;
	return 0;
}

static int listen_v1(struct oom *oom, int dirfd, struct error *err)
{
	char words[32];

	oom->control = openat(dirfd, "memory.oom_control", O_RDONLY | O_CLOEXEC);
	if (oom->control < 0)
		return error_errno(err, errno, "memory.oom_control: cannot open");
	oom->fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (oom->fd < 0)
		return error_errno(err, errno, "cannot make an eventfd");
	oom->events = POLLIN;
	snprintf(words, sizeof(words), "%d %d", oom->fd, oom->control);
	return file_write_at(dirfd, "cgroup.event_control", words, err);
}

int oom_open(struct oom *oom, int dirfd, enum cgroup_mode mode, struct error *err)
{
	struct stat st;
	int ret;

	*oom = (struct oom)OOM_NONE;
	oom->mode = mode;
	if (fstat(dirfd, &st) == 0)
		oom->inode = st.st_ino;
	if (mode == CGROUP_V1) {
		ret = listen_v1(oom, dirfd, err);
		if (ret < 0)
			oom_close(oom);
		return ret;
	}
	oom->fd = openat(dirfd, "memory.events", O_RDONLY | O_CLOEXEC);
	if (oom->fd < 0)
		return error_errno(err, errno, "memory.events: cannot open");
	oom->events = POLLPRI;
	read_kills(oom->fd, &oom->kills);
	return 0;
}

/* The removal of the cgroup counts as well: it is no OOM. */
static int take_v1(const struct oom *oom, uint64_t *count)
{
	uint64_t kills;
	int ret;

	if (read(oom->fd, count, sizeof(*count)) != sizeof(*count))
		*count = 0;
	ret = read_kills(oom->control, &kills);
	if (ret == -ENODEV && *count)
		(*count)--;
	return ret;
}

static int take_v2(struct oom *oom, uint64_t *count)
{
	uint64_t known = oom->kills;
	int ret = read_kills(oom->fd, &oom->kills);

	*count = ret == 0 && oom->kills > known ? oom->kills - known : 0;
	return ret;
}

int oom_take(struct oom *oom, uint64_t *count)
{
	int ret = oom->mode == CGROUP_V1 ? take_v1(oom, count) : take_v2(oom, count);

	return ret == -ENODEV ? ret : 0;
}
