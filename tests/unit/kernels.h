/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * kernels - the features of the fixture trees, with a file more or less.
 */

#include "memory/features.h"
#include "test.h"

static inline struct memory_features kernel(const char *name, const struct memory_spec *spec)
{
	auto_host struct host host = { .cgroup_root = -1, .proc = -1 };
	struct memory_features features = { 0 };
	struct error err;

	if (host_open(&host, fixture(name), &err) < 0 ||
	    memory_features_probe(&features, &host, spec, &err) < 0)
		fail_msg("%s", err.text);
	return features;
}

static inline uint64_t row_bit(const struct memory_features *features, const char *file)
{
	const struct memory_file *row = memory_file_named(features->mode, file);

	assert_non_null(row);
	return UINT64_C(1) << (row - memory_files);
}

static inline void add_file(struct memory_features *features, const char *file)
{
	features->present |= row_bit(features, file);
}

static inline void remove_file(struct memory_features *features, const char *file)
{
	features->present &= ~row_bit(features, file);
}
