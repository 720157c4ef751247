/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <stdint.h>

#include "base/error.h"

/*
 * number - strict text to numbers and back.
 *
 * The whole text is the number: no white space, no sign where none belongs, no
 * trailing letter. -EINVAL: not such a number; -ERANGE: it does not fit.
 */

/* The largest value v1's counters hold, which is their "unlimited": LONG_MAX
 * rounded down to a page (Linux mm/page_counter.c, PAGE_COUNTER_MAX).
 */
#define NUMBER_V1_MAX 9223372036854771712LL

/* What "unlimited" is in every value of this program, as in the OCI spec. */
#define NUMBER_UNLIMITED (-1LL)

int number_read_i64(const char *text, int64_t *value, struct error *err);

/*
 * A size as people write it: "64M", "1.5g", "262144", "64MiB". The units
 * K M G T, with or without "i" or "B", in either case, are powers of 1024, as
 * podman reads them. Bytes.
 */
int number_read_size(const char *text, int64_t *value, struct error *err);

/*
 * A value as a memory control file shows it, for comparing: "max" and v1's
 * largest value read as NUMBER_UNLIMITED; a trailing newline is no part of it.
 */
int number_read_file(const char *text, int64_t *value, struct error *err);

/* `value` bytes rounded down to a whole page, as page counters keep them. */
int64_t number_page_floor(int64_t value);

/* Room for any int64 and for "max". */
#define NUMBER_TEXT_MAX 24
