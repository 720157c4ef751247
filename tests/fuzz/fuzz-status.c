// SPDX-License-Identifier: GPL-2.0-or-later
#include "directory.h"

#include "oci/status.h"

/* crun's record of a container. */

const char fuzz_name[] = "status";

static struct fuzz_directory directory = FUZZ_DIRECTORY("status");

static void clean_up(void)
{
	fuzz_directory_remove(&directory);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	auto_status struct status status = STATUS_NONE;
	auto_status struct status again = STATUS_NONE;
	struct error err = { "" };

	if (directory.dirfd < 0)
		atexit(clean_up);
	fuzz_directory_put(&directory, data, size);
	if (status_open(&status, directory.root, "web", &err) < 0) {
		must(err.text[0] && !status.document && status.dirfd < 0);
		return 0;
	}
	must(status.pid >= 0 && status.cgroup_path && status.scope);
	must(strlen(status.cgroup_path) <= size && strlen(status.scope) <= size);

	must(status_set_cgroup(&status, "/a/b", "c.scope", &err) == 0);
	must(status_open(&again, directory.root, "web", &err) == 0);
	must(strcmp(again.cgroup_path, "/a/b") == 0 && strcmp(again.scope, "c.scope") == 0);
	must(again.pid == status.pid && again.start_time == status.start_time);
	must(again.systemd == status.systemd);
	return 0;
}
