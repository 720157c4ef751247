// SPDX-License-Identifier: GPL-2.0-or-later
#include "memory/change.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/file.h"
#include "base/number.h"
#include "memory/apply.h"
#include "memory/reclaim.h"

/* Putting back is not what the caller waits for. */
#define UNDO_USEC 1000000

/* Limits that take something away from who is above them. */
static const struct limit {
	const char *file;
	const char *usage;
	enum manner {
		PRESS,		/* v2's memory.max kills: reclaim first, below memory.high */
		NONBLOCK,	/* refuses when asked to */
		RETRY,		/* v1 refuses, having reclaimed a little */
	} manner;
} limits[] = {
	{ "memory.max", "memory.current", PRESS },
	{ "memory.memsw.max", "memory.memsw.current", NONBLOCK },
	{ "memory.limit_in_bytes", "memory.usage_in_bytes", RETRY },
	{ "memory.memsw.limit_in_bytes", "memory.memsw.usage_in_bytes", RETRY },
};

static const struct limit *limit_of(const char *file)
{
	for (size_t i = 0; i < sizeof(limits) / sizeof(limits[0]); i++) {
		if (strcmp(limits[i].file, file) == 0)
			return &limits[i];
	}
	return NULL;
}

/* What is made first: see the header. */
static int rank(const struct plan_write *write, const struct plan_write *had)
{
	bool rises = memory_value_height(write->value) >= memory_value_height(had->value);
	bool both = strcmp(write->file, "memory.memsw.limit_in_bytes") == 0;

	if (rises)
		return both ? 0 : 1;
	return both ? 3 : 2;
}

void change_order(struct memory_plan *plan, struct memory_plan *before)
{
	/* insertion, for equal ones keep their order */
	for (size_t i = 1; i < plan->count; i++) {
		struct plan_write write = plan->writes[i], had = before->writes[i];
		size_t place = i;

		for (; place > 0 && rank(&plan->writes[place - 1], &before->writes[place - 1]) >
					    rank(&write, &had);
		     place--) {
			plan->writes[place] = plan->writes[place - 1];
			before->writes[place] = before->writes[place - 1];
		}
		plan->writes[place] = write;
		before->writes[place] = had;
	}
}

static int write_flags(int dirfd, const char *name, const char *value, int flags,
		       struct error *err)
{
	auto_close int fd = openat(dirfd, name, O_WRONLY | O_CLOEXEC | O_NOFOLLOW | flags);

	if (fd < 0)
		return error_errno(err, errno, "%s: cannot open", name);
	if (write(fd, value, strlen(value)) < 0)
		return error_errno(err, errno, "%s: cannot write \"%s\"", name, value);
	return 0;
}

static int read_usage(int dirfd, const struct limit *limit, int64_t *usage, struct error *err)
{
	char text[NUMBER_TEXT_MAX + 1];
	ssize_t len = file_read_at(dirfd, limit->usage, text, sizeof(text), err);

	return len < 0 ? (int)len : number_read_i64(text, usage, err);
}

/* The kernel refuses by itself, having tried: as long as that helps, again. */
static int insist(int dirfd, const struct limit *limit, const char *value,
		  const struct control *control, int64_t *usage, struct error *err)
{
	int flags = limit->manner == NONBLOCK ? O_NONBLOCK : 0;
	int64_t last = INT64_MAX, first = -1;
	int ret, stuck = 0;

	for (;;) {
		ret = write_flags(dirfd, limit->file, value, flags, err);
		if (ret != -EBUSY && ret != -EINTR)
			return ret;
		ret = read_usage(dirfd, limit, usage, err);
		if (ret == 0)
			ret = control_go_on(control, err);
		if (ret < 0)
			return ret;
		if (first < 0)
			first = *usage;
		control_tell(control, "reclaim", first - *usage, first - memory_value_height(value));
		stuck = *usage < last ? 0 : stuck + 1;
		if (stuck == 3)
			return error_set(err, EBUSY, "nothing more can be reclaimed");
		last = *usage;
	}
}

/*
 * memory.max below usage would kill. Under memory.high = target those who run are slowed
 * down and cannot undo what reclaim does, so that the limit finds little to do.
 */
static int press(int dirfd, const char *value, const struct control *control, int64_t *usage,
		 struct error *err)
{
	char high[NUMBER_TEXT_MAX + 1];
	struct error why;
	bool has_high;
	int ret;

	/* one that is lower already does as well */
	has_high = file_read_at(dirfd, "memory.high", high, sizeof(high), NULL) > 0 &&
		   memory_value_height(high) > memory_value_height(value);
	ret = has_high ? file_write_at(dirfd, "memory.high", value, err) : 0;
	if (ret == -EINTR)
		ret = 0;
	if (ret == 0)
		ret = reclaim_to(dirfd, CGROUP_V2, memory_value_height(value), RECLAIM_SWAPPINESS_DEFAULT,
				 control, usage, err);
	if (ret == 0)
		ret = file_write_at(dirfd, "memory.max", value, err);
	/* what is left pressed is said, whatever else went wrong */
	if (has_high && file_write_at(dirfd, "memory.high", high, &why) < 0)
		ret = ret == 0 ? error_set(err, EIO, "%s", why.text) :
				 error_prefix(err, ret, "%s", why.text);
	return ret;
}

static int write_one(const struct plan_write *write, int dirfd, const struct control *control,
		     struct change_refusal *refusal, struct error *err)
{
	const struct limit *limit = limit_of(write->file);
	int64_t usage = 0;
	int ret;

	if (!limit)
		return file_write_at(dirfd, write->file, write->value, err);
	ret = limit->manner == PRESS ? read_usage(dirfd, limit, &usage, err) : 0;
	if (ret < 0)
		return ret;
	if (limit->manner != PRESS)
		ret = insist(dirfd, limit, write->value, control, &usage, err);
	else if (usage <= memory_value_height(write->value))
		ret = file_write_at(dirfd, write->file, write->value, err);
	else
		ret = press(dirfd, write->value, control, &usage, err);
	if (ret == -EBUSY || ret == -ETIMEDOUT || ret == -EINTR) {
		*refusal = (struct change_refusal){ memory_value_height(write->value), usage };
		error_prefix(err, ret, "%s", write->file);
	}
	return ret;
}

int change_undo(const struct memory_plan *before, int dirfd, struct error *err)
{
	const struct control patience = { .until = control_now_usec() + UNDO_USEC };
	struct memory_plan back = *before, now;
	struct change_refusal refusal;
	int ret, result = 0;

	ret = memory_plan_snapshot(&back, &now, dirfd, err);
	if (ret < 0)
		return ret;
	change_order(&back, &now);
	for (size_t i = 0; i < back.count; i++) {
		if (memory_value_same(back.writes[i].value, now.writes[i].value))
			continue;
		ret = write_one(&back.writes[i], dirfd, &patience, &refusal, NULL);
		if (ret < 0)
			result = error_set(err, EIO, "%s stays \"%s\"", back.writes[i].file,
					   now.writes[i].value);
	}
	return result;
}

int change_apply(const struct memory_plan *plan, const struct memory_plan *before, int dirfd,
		 const struct control *control, struct change_refusal *refusal, struct error *err)
{
	struct error why;
	int ret = 0;

	*refusal = (struct change_refusal){ 0 };
	for (size_t i = 0; ret == 0 && i < plan->count; i++) {
		if (!memory_value_same(plan->writes[i].value, before->writes[i].value))
			ret = write_one(&plan->writes[i], dirfd, control, refusal, err);
	}
	if (ret < 0 && change_undo(before, dirfd, &why) < 0)
		return error_prefix(err, ret, "%s", why.text);
	return ret;
}
