// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/file.h"
#include "container/limit.h"
#include "oci-hooks/hook.h"
#include "oci-hooks/record.h"
#include "oci/config.h"

/*
 * createRuntime - the runtime has made the cgroup and written what it takes the settings
 * for; the container has not begun. Here they come to mean what they say.
 */

/* O_NONBLOCK, for whoever names the bundle may have put a FIFO there. */
static int open_config(int bundle, struct error *err)
{
	int fd = openat(bundle, "config.json",
			O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY);

	return fd < 0 ? error_errno(err, errno, "config.json: cannot open") : fd;
}

static int read_config(struct config *config, int fd, struct error *err)
{
	auto_free char *text = NULL;
	struct stat st;
	size_t len;
	int ret;

	if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode))
		return error_set(err, EINVAL, "config.json: not a file");
	ret = file_read_all(fd, JSON_SIZE_MAX, &text, &len, err);
	if (ret == 0)
		ret = config_parse(config, text, len, err);
	return ret < 0 ? error_prefix(err, ret, "config.json") : 0;
}

/* Only poststart needs the record: a bundle that cannot be written is no reason to stop. */
static void keep_record(int bundle, struct memory_plan *notes)
{
	struct plan_note *note = &notes->notes[notes->note_count];
	struct error why;

	if (notes->count == 0 || record_write(bundle, notes, &why) == 0 ||
	    notes->note_count == MEMORY_NOTES_MAX)
		return;
	notes->note_count++;
	note->field = MEMORY_FIELDS;
	snprintf(note->text, sizeof(note->text), "%.200s; poststart will not look", why.text);
}

int hook_create_runtime(const struct host *host, const struct state *state,
			const struct charge_writer *writer, struct memory_plan *notes,
			struct error *err)
{
	auto_cgroup struct cgroup cgroup = CGROUP_NONE;
	auto_config struct config config = { 0 };
	auto_close int bundle = -1, fd = -1;
	int ret;

	/* memcrun was here: the config that it gave to crun is marked. */
	if (state->asked)
		return 0;
	if (!state->pid)
		return error_set(err, EINVAL, "state: pid: missing");
	ret = record_open_bundle(&bundle, state, err);
	if (ret == 0)
		ret = fd = open_config(bundle, err);
	if (ret >= 0)
		ret = read_config(&config, fd, err);
	if (ret < 0 || !memory_spec_any(&config.spec))
		return ret;

	ret = limit_container(&config.spec, host, state->pid, writer, notes, &cgroup, err);
	if (ret == 0)
		keep_record(bundle, notes);
	return ret;
}
