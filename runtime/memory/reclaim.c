// SPDX-License-Identifier: GPL-2.0-or-later
#include "memory/reclaim.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/file.h"
#include "base/number.h"
#include "memory/plan.h"

/* So much at a time, so that a signal or a deadline is seen soon. */
#define STEP_BYTES ((int64_t)32 << 20)

/* Without any progress so often in a row, there is none to come. */
#define STUCK_MAX 8

static const struct reclaimer {
	const char *usage;
	const char *limit;	/* that reclaims when it is written */
	const char *oom;	/* whether that limit kills */
} reclaimers[] = {
	[CGROUP_V1] = { "memory.usage_in_bytes", "memory.limit_in_bytes", "memory.oom_control" },
	[CGROUP_V2] = { "memory.current", "memory.high", NULL },
};

const char *reclaim_file(enum cgroup_mode mode, int index)
{
	return index == 0 ? reclaimers[mode].limit : index == 1 ? reclaimers[mode].oom : NULL;
}

int reclaim_usage(int dirfd, enum cgroup_mode mode, int64_t *usage, struct error *err)
{
	char text[NUMBER_TEXT_MAX + 1];
	ssize_t len;

	len = file_read_at(dirfd, reclaimers[mode].usage, text, sizeof(text), err);
	return len < 0 ? (int)len : number_read_i64(text, usage, err);
}

/* One step. -EAGAIN, and v1's -EBUSY: less than was asked for. */
static int step(int dirfd, int64_t bytes, int swappiness, struct error *err)
{
	char request[64];

	if (swappiness == RECLAIM_SWAPPINESS_DEFAULT)
		snprintf(request, sizeof(request), "%" PRId64, bytes);
	else
		snprintf(request, sizeof(request), "%" PRId64 " swappiness=%d", bytes, swappiness);
	return file_write_at(dirfd, "memory.reclaim", request, err);
}

/* By a limit: the kernel reclaims down to it in the write, and gives up at some point. */
static int squeeze(int dirfd, const char *file, int64_t target, struct error *err)
{
	auto_close int fd = openat(dirfd, file, O_WRONLY | O_CLOEXEC | O_NOFOLLOW);
	char text[NUMBER_TEXT_MAX];

	if (fd < 0)
		return error_errno(err, errno, "%s: cannot open", file);
	snprintf(text, sizeof(text), "%" PRId64, target);
	/* once: a signal has to be seen by who called us */
	if (write(fd, text, strlen(text)) < 0)
		return error_errno(err, errno, "%s: cannot write \"%s\"", file, text);
	return 0;
}

static int loop(int dirfd, enum cgroup_mode mode, int64_t target, int swappiness,
		const struct control *control, int64_t *reached, struct error *err)
{
	const struct reclaimer *reclaimer = &reclaimers[mode];
	int64_t first = -1, usage, last = INT64_MAX, left;
	bool by_steps = file_exists_at(dirfd, "memory.reclaim");
	int ret, stuck = 0;

	for (;;) {
		ret = reclaim_usage(dirfd, mode, &usage, err);
		if (ret < 0)
			return ret;
		*reached = usage;
		if (first < 0)
			first = usage;
		control_tell(control, "reclaim", first - usage, first - target);
		if (usage <= target)
			return 0;
		stuck = usage < last ? 0 : stuck + 1;
		if (stuck == STUCK_MAX)
			return error_set(err, EBUSY, "nothing more can be reclaimed");
		if (usage < last)
			last = usage;
		ret = control_go_on(control, err);
		if (ret < 0)
			return ret;
		left = usage - target;
		if (by_steps)
			ret = step(dirfd, left < STEP_BYTES ? left : STEP_BYTES, swappiness, err);
		else
			ret = squeeze(dirfd, reclaimer->limit, target, err);
		if (ret < 0 && ret != -EAGAIN && ret != -EBUSY && ret != -EINTR)
			return ret;
	}
}

int reclaim_to(int dirfd, enum cgroup_mode mode, int64_t target, int swappiness,
	       const struct control *control, int64_t *reached, struct error *err)
{
	const char *file = reclaimers[mode].limit, *oom = reclaimers[mode].oom;
	char had[NUMBER_TEXT_MAX + 1], had_oom[256] = "";
	struct error why;
	ssize_t len;
	int ret = 0;

	*reached = -1;
	target = number_page_floor(target);
	if (file_exists_at(dirfd, "memory.reclaim")) {
		ret = loop(dirfd, mode, target, swappiness, control, reached, err);
		if (ret == -EINVAL && swappiness != RECLAIM_SWAPPINESS_DEFAULT)
			return error_set(err, EOPNOTSUPP,
					 "memory.reclaim: this kernel takes no swappiness there");
		return ret;
	}
	if (swappiness != RECLAIM_SWAPPINESS_DEFAULT)
		return error_set(err, EOPNOTSUPP, "this kernel has no memory.reclaim");
	len = file_read_at(dirfd, file, had, sizeof(had), err);
	if (len < 0)
		return (int)len;
	/* who is stopped by the lower limit waits until there is the old one again */
	if (oom) {
		len = file_read_at(dirfd, oom, had_oom, sizeof(had_oom), err);
		ret = len < 0 ? (int)len : file_write_at(dirfd, oom, "1", err);
	}
	if (ret == 0)
		ret = loop(dirfd, mode, target, swappiness, control, reached, err);
	memory_value_trim(had_oom);
	/* whatever it was before: what is in force now is not what was asked for */
	if (file_write_at(dirfd, file, had, &why) < 0 ||
	    (*had_oom && file_write_at(dirfd, oom, had_oom, &why) < 0))
		ret = error_set(err, EIO, "%s", why.text);
	return ret;
}
