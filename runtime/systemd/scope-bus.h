/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"
#include "base/json.h"

/*
 * scope-bus - a call to systemd's manager by way of busctl(1): its arguments, and its answer
 * as JSON. An error while arguments are added is kept in the call: later additions do nothing,
 * and scope_call_run() returns the error and its words.
 */

#define SCOPE_SERVICE "org.freedesktop.systemd1"
#define SCOPE_MANAGER_OBJECT "/org/freedesktop/systemd1"
#define SCOPE_MANAGER SCOPE_SERVICE ".Manager"

struct scope_call {
	size_t count;
	char **each;		/* always ends with NULL, once there is one */
	int ret;		/* of the first addition that failed, or 0 */
	struct error err;
};

/* `call` begins as { 0 }. */
void scope_call_begin(struct scope_call *call, bool user);
void scope_call_free(struct scope_call *call);

#define auto_scope_call __attribute__((cleanup(scope_call_free)))

void scope_call_add(struct scope_call *call, const char *text);

/* All of a list that ends with NULL. */
void scope_call_add_all(struct scope_call *call, const char *const *texts);

/* The arguments of `other`, and its error. */
void scope_call_append(struct scope_call *call, const struct scope_call *other);

/*
 * Property `name`: its name, its signature and its value, which is as busctl prints it in JSON.
 * busctl reads an array as its length and its elements, and a structure as its members.
 */
void scope_call_add_property(struct scope_call *call, const char *name, const char *type,
			     const struct json_value *value);

/* `answer` may be NULL. */
int scope_call_run(struct scope_call *call, struct json **answer, struct error *err);
