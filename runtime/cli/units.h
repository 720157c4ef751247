/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <stdint.h>

/*
 * units - how bytes and times are written for people.
 */

#define SIZE_TEXT_MAX 24

/* "512", "1.5K", "64M": at most four digits, units of 1024. Returns `text`. */
const char *size_text(char text[SIZE_TEXT_MAX], int64_t bytes);

/* "870 us", "12.3 ms", "4.51 s". Returns `text`. */
const char *time_text(char text[SIZE_TEXT_MAX], int64_t usec);
