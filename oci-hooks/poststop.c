// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "oci-hooks/hook.h"
#include "oci-hooks/record.h"

/*
 * poststop - the container is gone, and its cgroup with it: what we left in the bundle goes
 * too. A bundle that is no longer there is fine.
 */
int hook_poststop(const struct host *host, const struct state *state,
		  const struct charge_writer *writer, struct memory_plan *notes,
		  struct error *err)
{
	auto_close int bundle = -1;
	int ret;

	(void)writer;
	(void)host;
	(void)notes;
	ret = record_open_bundle(&bundle, state, err);
	if (ret == 0)
		ret = record_remove(bundle, err);
	return ret == -ENOENT ? 0 : ret;
}
