/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <stddef.h>

#include "base/json.h"
#include "systemd/scope-bus.h"

/*
 * scope-properties - the properties that one scope hands on to the scope that takes its place.
 */

/*
 * Add to `call` all properties of `unit`, which is the "a{sv}" of its GetAll, that a transient
 * scope takes and that are set. Those that belong to the unit itself are left out: its name,
 * its slice and its processes. Returns how many were added.
 */
int scope_properties_add(struct scope_call *call, const struct json_value *unit);

/*
 * The names of the properties that are set in `unit` and that no transient scope takes, with
 * ", " between them; "" where there are none. -ENOMEM, or 0.
 */
int scope_properties_left(const struct json_value *unit, char **names);
