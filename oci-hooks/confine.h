/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <stdbool.h>

#include "base/error.h"

/*
 * confine - a hook runs as root on what others have written: a state on its standard
 * input, a config.json. What it could do beyond its work it gives up before it reads either.
 */

/*
 * Keep of all capabilities those that writing into a cgroup can need, and not in effect;
 * never gain any again; and leave of the system calls the few that reading and writing
 * files, and a line to a log, take: no other program, process, mount, or socket of another
 * machine. For the life of this process.
 */
int confine(struct error *err);

/* While it opens the bundle and writes into cgroups: what was kept is in effect, or not. */
int confine_capabilities(bool effective, struct error *err);
