/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <stddef.h>

#include "base/error.h"

/*
 * process - run another program and read what it prints.
 */

/*
 * Run `argv` (argv[0] is looked up in PATH unless it has a slash), wait for it,
 * and give all of its standard output, with a NUL behind it. Its standard
 * error becomes the words of the error when it fails. -ENOENT: no such
 * program; -ECHILD: it ended with another status than 0.
 */
int process_capture(char *const argv[], size_t max, char **output, size_t *len,
		    struct error *err);
