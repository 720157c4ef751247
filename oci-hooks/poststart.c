// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/file.h"
#include "kernel/cgroup.h"
#include "oci-hooks/hook.h"
#include "oci-hooks/record.h"

/*
 * poststart - the container runs, and whoever else has a hand on its cgroup (the runtime
 * at `start`, systemd, other hooks) has had his turn: is all still as createRuntime left it?
 */

static void compare(const struct plan_write *write, const struct cgroup *cgroup,
		    struct memory_plan *notes)
{
	struct plan_note *note = &notes->notes[notes->note_count];
	char value[MEMORY_VALUE_MAX];

	if (file_read_at(cgroup->dirfd, write->file, value, sizeof(value), NULL) >= 0)
		memory_value_trim(value);
	else
		strcpy(value, "(none)");
	if (memory_value_same(value, write->value) || notes->note_count == MEMORY_NOTES_MAX)
		return;
	note->field = MEMORY_FIELDS;
	snprintf(note->text, sizeof(note->text), "%s: \"%s\" was set, and somebody made it \"%s\"",
		 write->file, write->value, value);
	error_one_line(note->text);
	notes->note_count++;
}

int hook_poststart(const struct host *host, const struct state *state,
		   const struct charge_writer *writer, struct memory_plan *notes,
		   struct error *err)
{
	auto_cgroup struct cgroup cgroup = CGROUP_NONE;
	struct memory_plan record = { 0 };
	auto_close int bundle = -1, fd = -1;
	int ret;

	(void)writer;
	if (state->asked || !state->pid)
		return 0;
	ret = record_open_bundle(&bundle, state, err);
	if (ret == 0)
		ret = fd = record_open(bundle, err);
	if (ret >= 0)
		ret = record_read(fd, &record, err);
	/* nothing was set; or it was short, and has ended */
	if (ret == -ENOENT)
		return 0;
	if (ret == 0)
		ret = cgroup_open_process(&cgroup, host, state->pid, err);
	if (ret < 0)
		return ret == -ENOENT ? 0 : ret;
	for (size_t i = 0; i < record.count; i++)
		compare(&record.writes[i], &cgroup, notes);
	return 0;
}
