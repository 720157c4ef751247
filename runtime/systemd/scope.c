// SPDX-License-Identifier: GPL-2.0-or-later
#include "systemd/scope.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/file.h"
#include "base/json.h"
#include "base/number.h"
#include "systemd/scope-bus.h"
#include "systemd/scope-properties.h"

/* The job of a scope is done in milliseconds; a manager that hangs is not waited for. */
#define START_TIMEOUT_MS 20000

/* The inode of the initial user namespace: PROC_USER_INIT_INO in the kernel. */
#define INITIAL_USER_NAMESPACE 0xEFFFFFFDU

static const struct {
	const char *file;
	const char *property;
} memory_properties[] = {
	{ "memory.max", "MemoryMax" },
	{ "memory.limit_in_bytes", "MemoryMax" },
	{ "memory.high", "MemoryHigh" },
	{ "memory.low", "MemoryLow" },
	{ "memory.min", "MemoryMin" },
	{ "memory.swap.max", "MemorySwapMax" },
};

int scope_slice_path(const char *slice, char **path, struct error *err)
{
	static const char suffix[] = ".slice";
	size_t len = strlen(slice), name = len - (sizeof(suffix) - 1);
	char *made, *end;

	if (len <= sizeof(suffix) - 1 || strcmp(slice + name, suffix) != 0 ||
	    strspn(slice, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
			  ":_.\\@-") != len || len > 255 ||
	    (strcmp(slice, "-.slice") != 0 &&
	     (slice[0] == '-' || slice[name - 1] == '-' || strstr(slice, "--"))))
		return error_set(err, EINVAL, "not the name of a slice, \"%s\"", slice);

	/* each dash may add the part before it and the suffix */
	made = calloc(len + 1, len + sizeof(suffix));
	if (!made)
		return error_errno(err, ENOMEM, "%s", slice);
	end = made;
	for (size_t i = 1; strcmp(slice, "-.slice") != 0 && i <= name; i++) {
		if (i == name || slice[i] == '-')
			end += sprintf(end, "/%.*s%s", (int)i, slice, suffix);
	}
	*path = made;
	return 0;
}

int scope_manager_path(bool user, char **path, struct error *err)
{
	auto_scope_call struct scope_call call = { 0 };
	auto_json struct json *answer = NULL;
	struct json_value *data;
	int ret;

	scope_call_begin(&call, user);
	scope_call_add_all(&call, (const char *const[]){
		SCOPE_SERVICE, SCOPE_MANAGER_OBJECT, "org.freedesktop.DBus.Properties", "Get",
		"ss", SCOPE_MANAGER, "ControlGroup", NULL });
	ret = scope_call_run(&call, &answer, err);
	if (ret < 0)
		return ret;
	/* {"type":"v","data":[{"type":"s","data":"/..."}]} */
	data = json_find(json_root(answer), "data");
	data = data ? json_find(data->first, "data") : NULL;
	if (!data || data->type != JSON_STRING)
		return error_set(err, EPROTO, "systemd: does not say where its cgroup is");
	*path = strdup(strcmp(data->text, "/") == 0 ? "" : data->text);
	return *path ? 0 : error_errno(err, ENOMEM, "systemd");
}

/* "libpod-1.scope" to "libpod_2d1_2escope", as systemd names its objects. */
static char *object_path(const char *unit)
{
	static const char prefix[] = SCOPE_MANAGER_OBJECT "/unit/";
	char *path = malloc(sizeof(prefix) + 3 * strlen(unit)), *end;

	if (!path)
		return NULL;
	end = stpcpy(path, prefix);
	for (const char *c = unit; *c; c++) {
		if (isalpha((unsigned char)*c) || (isdigit((unsigned char)*c) && c != unit))
			*end++ = *c;
		else
			end += sprintf(end, "_%02x", (unsigned char)*c);
	}
	*end = '\0';
	return path;
}

/* Of all of the unit's interfaces: what all units have, and what a scope has. */
static int read_properties(bool user, const char *unit, struct json **answer, struct error *err)
{
	auto_scope_call struct scope_call call = { 0 };
	auto_free char *object = object_path(unit);

	if (!object)
		return error_errno(err, ENOMEM, "systemd");
	scope_call_begin(&call, user);
	scope_call_add_all(&call, (const char *const[]){
		SCOPE_SERVICE, object, "org.freedesktop.DBus.Properties", "GetAll", "s", "", NULL });
	return scope_call_run(&call, answer, err);
}

static bool is_in(pid_t pid, const char *unit)
{
	char name[32], text[8192];
	const char *found;
	size_t len = strlen(unit);

	snprintf(name, sizeof(name), "/proc/%d/cgroup", pid);
	if (file_read_at(AT_FDCWD, name, text, sizeof(text), NULL) < 0)
		return false;
	for (found = text; (found = strstr(found, unit)); found++) {
		if (found > text && found[-1] == '/' && strchr("\n/", found[len]))
			return true;
	}
	return false;
}

static const char *property_of(const char *file)
{
	for (size_t i = 0; i < sizeof(memory_properties) / sizeof(memory_properties[0]); i++) {
		if (strcmp(memory_properties[i].file, file) == 0)
			return memory_properties[i].property;
	}
	return NULL;
}

static int read_value(const char *text, uint64_t *value, struct error *err)
{
	int64_t number;
	int ret = memory_value_read(text, &number, err);

	if (ret == 0)
		*value = number == NUMBER_UNLIMITED ? UINT64_MAX : (uint64_t)number;
	return ret;
}

/* A user namespace may map all users as the initial one does: only its inode is certain. */
bool scope_is_users(void)
{
	struct stat st;

	if (geteuid() != 0)
		return true;
	return stat("/proc/self/ns/user", &st) == 0 && st.st_ino != INITIAL_USER_NAMESPACE;
}

/* systemd has no such limit of nothing. */
static bool can_be(const char *property, uint64_t value)
{
	return value != 0 || (strcmp(property, "MemoryMax") != 0 &&
			      strcmp(property, "MemoryHigh") != 0);
}

const char *scope_property(const char *file, const char *value, uint64_t *number)
{
	const char *property = property_of(file);

	if (!property || read_value(value, number, NULL) < 0 || !can_be(property, *number))
		return NULL;
	return property;
}

int scope_in_step(bool user, const char *unit, struct memory_plan *plan, struct error *err)
{
	auto_json struct json *answer = NULL;
	const struct json_value *all, *value;
	const char *property, *text;
	uint64_t number = 0;
	size_t count = 0;
	int ret;

	ret = read_properties(user, unit, &answer, err);
	if (ret < 0)
		return ret;
	all = json_find(json_root(answer), "data");
	for (size_t i = 0; all && i < plan->count; i++) {
		property = scope_property(plan->writes[i].file, plan->writes[i].value, &number);
		value = property ? json_member(all->first, property) : NULL;
		value = value ? json_member(value, "data") : NULL;
		if (!value || value->type != JSON_NUMBER)
			continue;
		/* the file has whole pages, the property what was asked */
		text = strcmp(value->text, "18446744073709551615") == 0 ? "max" : value->text;
		if (memory_value_same(text, plan->writes[i].value))
			plan->writes[count++] = plan->writes[i];
	}
	plan->count = count;
	return 0;
}

int scope_set_memory(bool user, const char *unit, const struct memory_plan *plan,
		     struct error *err)
{
	auto_scope_call struct scope_call call = { 0 };
	auto_scope_call struct scope_call extra = { 0 };
	const char *property;
	char text[24];
	uint64_t value = 0;
	int ret, count = 0;

	for (size_t i = 0; i < plan->count; i++) {
		property = scope_property(plan->writes[i].file, plan->writes[i].value, &value);
		if (!property)
			continue;
		snprintf(text, sizeof(text), "%" PRIu64, value);
		scope_call_add_all(&extra, (const char *const[]){ property, "t", text, NULL });
		count++;
	}
	if (count == 0)
		return 0;

	scope_call_begin(&call, user);
	snprintf(text, sizeof(text), "%d", count);
	/* true: of this boot alone, as the scope is */
	scope_call_add_all(&call, (const char *const[]){
		SCOPE_SERVICE, SCOPE_MANAGER_OBJECT, SCOPE_MANAGER, "SetUnitProperties",
		"sba(sv)", unit, "true", text, NULL });
	scope_call_append(&call, &extra);
	ret = scope_call_run(&call, NULL, err);
	return ret < 0 ? error_prefix(err, ret, "%s", unit) : 0;
}

int scope_start(bool user, const char *unit, const char *slice, const char *like, pid_t pid,
		struct error *err)
{
	const struct timespec pause = { .tv_nsec = 5000000 };
	auto_scope_call struct scope_call call = { 0 };
	auto_scope_call struct scope_call extra = { 0 };
	auto_json struct json *had = NULL;
	struct json_value *had_data;
	char count[16], number[16];
	int ret, properties_count;

	ret = read_properties(user, like, &had, err);
	if (ret < 0)
		return ret;
	/* its slice and its process are its own; all else is as `like` has it */
	had_data = json_find(json_root(had), "data");
	if (!had_data || !had_data->first)
		return error_set(err, EPROTO, "%s: systemd does not say its properties", like);
	properties_count = 2 + scope_properties_add(&extra, had_data->first);

	scope_call_begin(&call, user);
	snprintf(count, sizeof(count), "%d", properties_count);
	snprintf(number, sizeof(number), "%d", pid);
	scope_call_add_all(&call, (const char *const[]){
		SCOPE_SERVICE, SCOPE_MANAGER_OBJECT, SCOPE_MANAGER, "StartTransientUnit",
		"ssa(sv)a(sa(sv))", unit, "fail", count,
		"Slice", "s", slice,
		"PIDs", "au", "1", number, NULL });
	scope_call_append(&call, &extra);
	scope_call_add(&call, "0");
	ret = scope_call_run(&call, NULL, err);
	if (ret < 0)
		return error_prefix(err, ret, "%s", unit);

	for (int waited = 0; !is_in(pid, unit); waited += 5) {
		if (waited >= START_TIMEOUT_MS)
			return error_set(err, ETIMEDOUT, "%s: systemd has not started it", unit);
		nanosleep(&pause, NULL);
	}
	return 0;
}

int scope_left(bool user, const char *unit, char **names, struct error *err)
{
	auto_json struct json *answer = NULL;
	const struct json_value *all;
	int ret;

	ret = read_properties(user, unit, &answer, err);
	if (ret < 0)
		return ret;
	all = json_find(json_root(answer), "data");
	ret = scope_properties_left(all ? all->first : NULL, names);
	return ret < 0 ? error_errno(err, -ret, "%s", unit) : 0;
}
