/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * fuzz - what each target is: a name, that of its corpus, and a function that
 * takes any bytes and must not fail. Linked with libFuzzer it is a fuzzer, with
 * replay.c a program that runs the corpus.
 */

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

extern const char fuzz_name[];

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What holds for every input; kept with NDEBUG, unlike assert(). */
#define must(truth) \
	do { \
		if (!(truth)) { \
			fprintf(stderr, "%s:%d: not so: %s\n", __FILE__, __LINE__, #truth); \
			abort(); \
		} \
	} while (0)
