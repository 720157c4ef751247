/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "oci/config.h"

/*
 * config-systemd - the part of crun's config that is for the scope.
 */

/*
 * Where systemd makes the cgroup: give the scope what of `plan` it has properties for, by
 * crun's annotations org.systemd.property.*, so that it shows them and stands by them.
 * Such annotations that are there already stay. `plan` has been compiled into `config`.
 */
void config_tell_systemd(struct config *config, const struct memory_plan *plan);
