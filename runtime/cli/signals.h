/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <signal.h>

/*
 * signals - SIGINT, SIGTERM and SIGHUP interrupt a verb instead of ending the program.
 */

/*
 * From now on SIGINT, SIGTERM and SIGHUP do not end the program, but set what is returned
 * and end a wait.
 */
const volatile sig_atomic_t *signals_catch(void);
