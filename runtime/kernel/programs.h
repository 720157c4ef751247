/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "base/error.h"

/*
 * programs - the BPF programs of a v2 cgroup: the filter of devices, and whatever else
 * somebody attached to it.
 */

/*
 * Attach to the cgroup at `to` all programs that are attached to the one at `from` itself, of
 * every type that cgroups had in Linux 6.1, in the same order and with the same flags. Programs
 * that `to` already has stay. Returns how many were attached. -EPERM: the caller may not see
 * them. Any error: `to` may lack programs, so no task of `from` may enter it. -EIO: `to` was
 * read back and lacks a program, or has other flags.
 */
int programs_copy(int from, int to, struct error *err);
