/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "container/location.h"
#include "kernel/hierarchy.h"

/*
 * journal - a move that is under way, as a file beside crun's record of the container:
 * it goes with the container, and while it is there a move has not ended.
 *
 * It says from where to where, not how far: each step can be told from what is there.
 */

/*
 * A setting that can only be made when the other side is gone. The names of cgroups below
 * the top are the container's, any bytes but "/" and a newline: in the file those that are
 * not plain ASCII are written as "%XX".
 */
struct late_setting {
	char *hierarchy;
	char *cgroup;		/* below the top */
	char *file;
	char *value;
};

struct journal {
	struct place from;
	struct place to;
	bool systemd;
	bool live;
	bool frozen;		/* it was before, and shall be after */
	bool no_ids;		/* as read: of a memcrun that wrote down no inode numbers */
	unsigned int types;	/* of charges: enum charge_set */
	unsigned int made[HIERARCHIES_MAX];	/* cgroups above `to` that were not there */
	size_t late_count;
	struct late_setting *late;
};

void journal_free(struct journal *journal);

#define auto_journal __attribute__((cleanup(journal_free)))

/* -ENOENT: no move is under way; -EINVAL: not a journal of ours. */
int journal_read(struct journal *journal, int dirfd, struct error *err);

/* What has been written can be read: else -EINVAL or -EFBIG, and an old journal stays. */
int journal_write(const struct journal *journal, int dirfd, struct error *err);

/* The move has ended. */
int journal_remove(int dirfd, struct error *err);

/* -ENOMEM: not added. */
int journal_add_late(struct journal *journal, const char *hierarchy, const char *cgroup,
		     const char *file, const char *value);
