// SPDX-License-Identifier: GPL-2.0-or-later
#include "memory/files.h"

#include <string.h>

#define V1 CGROUP_V1
#define V2 CGROUP_V2

const struct memory_file memory_files[] = {
	{ MEMORY_LIMIT, V1, "memory.limit_in_bytes", 0, CRUN_NUMBER,
	  "hard limit" },
	{ MEMORY_LIMIT, V2, "memory.max", 0, CRUN_NUMBER,
	  "hard limit" },

	{ MEMORY_SWAP, V1, "memory.memsw.limit_in_bytes", 0, CRUN_NUMBER,
	  "exact limit over memory + swap" },
	{ MEMORY_SWAP, V2, "memory.memsw.max", FILE_PATCH, CRUN_NOTHING,
	  "exact limit over memory + swap" },
	{ MEMORY_SWAP, V2, "memory.swap.max", 0, CRUN_TOTAL,
	  "limit on swap alone: swap - limit" },

	{ MEMORY_RESERVATION, V1, "memory.soft_limit_in_bytes", FILE_DOUBTED, CRUN_NUMBER,
	  "soft limit" },
	{ MEMORY_RESERVATION, V2, "memory.soft.max", FILE_PATCH, CRUN_NOTHING,
	  "soft limit" },
	{ MEMORY_RESERVATION, V2, "memory.low", 0, CRUN_NUMBER,
	  "protection below it (reservation=low)" },
	{ MEMORY_RESERVATION, V2, "memory.high", 0, CRUN_NOTHING,
	  "throttling above it (reservation=high)" },

	{ MEMORY_KERNEL, V1, "memory.kmem.limit_in_bytes", FILE_DOUBTED, CRUN_NUMBER,
	  "limit on kernel memory" },
	{ MEMORY_KERNEL_TCP, V1, "memory.kmem.tcp.limit_in_bytes", FILE_DOUBTED, CRUN_NUMBER,
	  "limit on TCP buffers" },

	{ MEMORY_SWAPPINESS, V1, "memory.swappiness", 0, CRUN_NUMBER,
	  "swap or drop, for this container" },
	{ MEMORY_SWAPPINESS, V2, "memory.swappiness", FILE_PATCH, CRUN_NOTHING,
	  "swap or drop, for this container" },

	{ MEMORY_OOM_WAIT, V1, "memory.oom_control", 0, CRUN_BOOL,
	  "tasks wait at the limit, none is killed" },
	{ MEMORY_OOM_WAIT, V2, "memory.oom.wait", FILE_PATCH, CRUN_NOTHING,
	  "tasks wait at the limit, none is killed" },
	{ MEMORY_OOM_GROUP, V2, "memory.oom.group", 0, CRUN_NOTHING,
	  "an OOM kill takes the whole container" },

	{ MEMORY_HIERARCHY, V1, "memory.use_hierarchy", 0, CRUN_BOOL,
	  "children are charged to the container too" },

	{ MEMORY_RESERVE, V2, "memory.reserve", FILE_PATCH, CRUN_NOTHING,
	  "charged in advance" },
	{ MEMORY_RESERVE, V2, "memory.min", 0, CRUN_NOTHING,
	  "never reclaimed below it" },

	{ MEMORY_MOVE_CHARGE, V1, "memory.move_charge_at_immigrate", FILE_DOUBTED, CRUN_NOTHING,
	  "charges follow a task that joins" },
	{ MEMORY_MOVE_CHARGE, V2, "memory.migrate", FILE_PATCH | FILE_ACTION, CRUN_NOTHING,
	  "charges follow a container that moves" },

	{ MEMORY_THRESHOLDS, V2, "memory.threshold", FILE_PATCH | FILE_SHOWN, CRUN_NOTHING,
	  "usage thresholds" },
};

const size_t memory_files_count = sizeof(memory_files) / sizeof(memory_files[0]);

_Static_assert(sizeof(memory_files) / sizeof(memory_files[0]) <= MEMORY_FILES_MAX,
	       "struct memory_features has a bit per row");

const struct memory_file *memory_file_named(enum cgroup_mode mode, const char *name)
{
	for (size_t i = 0; i < memory_files_count; i++) {
		if (memory_files[i].mode == mode && strcmp(memory_files[i].name, name) == 0)
			return &memory_files[i];
	}
	return NULL;
}
