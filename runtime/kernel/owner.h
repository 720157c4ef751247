/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "base/error.h"

/*
 * owner - whose a cgroup is: owners and modes of its directory and files, and the marks
 * that managers set, such as systemd's user.delegate. To be given a cgroup by them is called
 * delegation.
 */

/*
 * Give the cgroup at `to` the owner, the mode and the extended attributes of the one at
 * `from`, and each of its files the owner and the mode of its namesake; but no file its
 * owner's right to read or to write, which say what kind of file it is. Attributes that `to`
 * has stay. What a user may not give away stays, too.
 */
int owner_copy(int from, int to, struct error *err);
