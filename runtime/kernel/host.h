/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "base/error.h"

/*
 * host - the two trees through which the kernel is seen, as open directories.
 *
 * Everything below works on these fds and never on an absolute path, so that a
 * test opens a fixture tree of plain files and no code has to be mocked.
 */

#define HOST_CGROUP_ROOT "/sys/fs/cgroup"

struct host {
	int cgroup_root;
	int proc;
	const char *cgroup_path;	/* for messages only */
	int foreign;			/* not this machine's own tree */
};

/*
 * Open `cgroup_path` (NULL: HOST_CGROUP_ROOT) and /proc. A tree that is not the
 * machine's own is never written to, and says nothing about our own cgroup.
 */
int host_open(struct host *host, const char *cgroup_path, struct error *err);

void host_close(struct host *host);

#define auto_host __attribute__((cleanup(host_close)))
