/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "move/destination.h"

/*
 * engine - engines that read a container's statistics from the cgroup that they have
 * asked for, and not from the one that it is in.
 */

/*
 * The name of such an engine, by the annotations in crun's copy of config.json, where the
 * container is not at `place` by that config; else NULL.
 */
const char *move_engine_that_loses(const struct status *status, const struct place *place);
