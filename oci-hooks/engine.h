/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "cli/log.h"

/*
 * engine - where those who wait for the container look for words: the log and the standard
 * error of the runtime that has started this hook. OCI gives a hook neither.
 */

/*
 * Find the runtime's --log and --log-format on its command line, and where our own
 * standard error is /dev/null, as crun makes it, go on with the runtime's. What cannot be
 * found out stays as it is. `log` keeps pointing to static memory.
 */
void engine_find_log(struct log *log);
