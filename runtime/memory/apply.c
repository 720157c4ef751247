// SPDX-License-Identifier: GPL-2.0-or-later
#include "memory/apply.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/file.h"

int memory_plan_snapshot(const struct memory_plan *plan, struct memory_plan *before, int dirfd,
			 struct error *err)
{
	ssize_t len;

	*before = *plan;
	for (size_t i = 0; i < before->count; i++) {
		struct plan_write *w = &before->writes[i];

		len = file_read_at(dirfd, w->file, w->value, sizeof(w->value), err);
		if (len < 0)
			return (int)len;
		memory_value_trim(w->value);
	}
	return 0;
}

/* Last first; the refusal stays the error. */
static int put_back(const struct memory_plan *before, size_t count, int dirfd, int refusal,
		    struct error *err)
{
	while (count-- > 0) {
		const struct plan_write *w = &before->writes[count];

		if (file_write_at(dirfd, w->file, w->value, NULL) < 0)
			error_prefix(err, refusal, "%s stays changed", w->file);
	}
	return refusal;
}

int memory_plan_apply(const struct memory_plan *plan, int dirfd, struct error *err)
{
	struct memory_plan before;
	int ret;

	ret = memory_plan_snapshot(plan, &before, dirfd, err);
	if (ret < 0)
		return ret;

	for (size_t i = 0; i < plan->count; i++) {
		const struct plan_write *w = &plan->writes[i];

		ret = file_write_at(dirfd, w->file, w->value, err);
		if (ret < 0)
			return put_back(&before, i, dirfd, ret, err);
	}
	return 0;
}

int memory_plan_verify(const struct memory_plan *plan, int dirfd, struct error *err)
{
	char value[MEMORY_VALUE_MAX];
	ssize_t len;

	for (size_t i = 0; i < plan->count; i++) {
		const struct plan_write *w = &plan->writes[i];

		len = file_read_at(dirfd, w->file, value, sizeof(value), err);
		if (len < 0)
			return (int)len;
		memory_value_trim(value);
		if (!memory_value_same(value, w->value))
			return error_set(err, EIO, "%s: the kernel kept \"%s\" of \"%s\"", w->file,
					 value, w->value);
	}
	return 0;
}
