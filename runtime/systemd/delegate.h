/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <stdbool.h>

#include "kernel/hierarchy.h"

/*
 * delegate - cgroups that systemd leaves to others. systemd takes the controllers away from the
 * children of a cgroup that it manages, at the next change of a unit nearby, unless a unit asks
 * for them: limits of a directory that is no unit are lost then.
 */

/* Does systemd manage the cgroups of this host, and with the controllers of `memory`, on v2? */
bool delegate_is_needed(const struct hierarchy *memory);

/*
 * May others make the cgroup `path`? The nearest unit above it decides: one with Delegate=, as
 * systemd marks its directory, or one that systemd manages. -EPERM: a managed one.
 */
int delegate_check(const struct hierarchy *hierarchy, const char *path, struct error *err);
