/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "base/error.h"
#include "kernel/host.h"
#include "memory/charge.h"
#include "memory/plan.h"
#include "oci/state.h"

/*
 * hook - one stage of a container's life, as OCI's hooks have them.
 *
 * Each gets what the runtime says of the container. `notes` is for what the user is to
 * be told of a container that goes on. An error of createRuntime ends the container's
 * creation. `writer` migrates the charges of the container's process. NULL: this kernel
 * has no memory.migrate.
 */
int hook_create_runtime(const struct host *host, const struct state *state,
			const struct charge_writer *writer, struct memory_plan *notes,
			struct error *err);
int hook_poststart(const struct host *host, const struct state *state,
		   const struct charge_writer *writer, struct memory_plan *notes,
		   struct error *err);
int hook_poststop(const struct host *host, const struct state *state,
		  const struct charge_writer *writer, struct memory_plan *notes,
		  struct error *err);
