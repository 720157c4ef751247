// SPDX-License-Identifier: GPL-2.0-or-later
#include "kernel/host.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

int host_open(struct host *host, const char *cgroup_path, struct error *err)
{
	struct host opened = {
		.cgroup_root = -1,
		.proc = -1,
		.cgroup_path = cgroup_path ? cgroup_path : HOST_CGROUP_ROOT,
		.foreign = cgroup_path != NULL,
	};
	int ret = 0;

	opened.cgroup_root = open(opened.cgroup_path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (opened.cgroup_root < 0) {
		ret = error_errno(err, errno, "%s: cannot open", opened.cgroup_path);
	} else {
		opened.proc = open("/proc", O_PATH | O_DIRECTORY | O_CLOEXEC);
		if (opened.proc < 0)
			ret = error_errno(err, errno, "/proc: cannot open");
	}

	if (ret < 0) {
		host_close(&opened);
		return ret;
	}
	*host = opened;
	return 0;
}

void host_close(struct host *host)
{
	if (host->cgroup_root >= 0)
		close(host->cgroup_root);
	if (host->proc >= 0)
		close(host->proc);
	host->cgroup_root = -1;
	host->proc = -1;
}
