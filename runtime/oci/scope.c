// SPDX-License-Identifier: GPL-2.0-or-later
#include "oci/scope.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/file.h"
#include "base/json.h"
#include "base/number.h"
#include "base/process.h"

#define SERVICE "org.freedesktop.systemd1"
#define MANAGER_OBJECT "/org/freedesktop/systemd1"
#define MANAGER "org.freedesktop.systemd1.Manager"

/* The job of a scope is done in milliseconds; a manager that hangs is not waited for. */
#define START_TIMEOUT_MS 20000

#define ARGUMENTS_MAX 1024

/* What a scope's cgroup has from systemd and would get again from it on a reload. */
static const char *const properties[] = {
	"AllowedCPUs", "AllowedMemoryNodes", "CPUQuotaPerSecUSec", "CPUQuotaPeriodUSec",
	"CPUShares", "CPUWeight", "DeviceAllow", "DevicePolicy", "IODeviceWeight",
	"IOReadBandwidthMax", "IOReadIOPSMax", "IOWeight", "IOWriteBandwidthMax",
	"IOWriteIOPSMax", "MemoryHigh", "MemoryLow", "MemoryMax", "MemoryMin", "MemorySwapMax",
	"TasksMax",
};

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

struct arguments {
	size_t count;
	char *each[ARGUMENTS_MAX + 1];
};

static void arguments_free(struct arguments *arguments)
{
	for (size_t i = 0; i < arguments->count; i++)
		free(arguments->each[i]);
	arguments->count = 0;
}

#define auto_arguments __attribute__((cleanup(arguments_free)))

/* Out of memory or room shows as a count that is too high: see run(). */
static void add(struct arguments *arguments, const char *text)
{
	if (arguments->count < ARGUMENTS_MAX)
		arguments->each[arguments->count] = strdup(text);
	if (arguments->count < ARGUMENTS_MAX && arguments->each[arguments->count])
		arguments->count++;
	else
		errno = ENOMEM;
}

static void add_all(struct arguments *arguments, const char *const *texts)
{
	for (; *texts; texts++)
		add(arguments, *texts);
}

static void busctl(struct arguments *arguments, bool user)
{
	errno = 0;
	add_all(arguments, (const char *const[]){ "busctl", user ? "--user" : "--system",
						  "--json=short", "--", "call", NULL });
}

static int run(struct arguments *arguments, struct json **answer, struct error *err)
{
	auto_free char *text = NULL;
	size_t len = 0;
	int ret;

	if (errno == ENOMEM)
		return error_errno(err, ENOMEM, "busctl");
	arguments->each[arguments->count] = NULL;
	ret = process_capture(arguments->each, JSON_SIZE_MAX, &text, &len, err);
	if (ret == 0 && answer)
		ret = json_parse(text, len, answer, err);
	return ret < 0 ? error_prefix(err, ret, "systemd") : 0;
}

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
	auto_arguments struct arguments arguments = { 0 };
	auto_json struct json *answer = NULL;
	struct json_value *data;
	int ret;

	busctl(&arguments, user);
	add_all(&arguments, (const char *const[]){ SERVICE, MANAGER_OBJECT,
						   "org.freedesktop.DBus.Properties", "Get", "ss",
						   MANAGER, "ControlGroup", NULL });
	ret = run(&arguments, &answer, err);
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

/*
 * A value as busctl prints it in JSON, in the form it wants one: an array is its length
 * and its elements, a struct is its members.
 */
static const char *add_value(struct arguments *arguments, const char *type,
			     const struct json_value *value)
{
	char number[24];

	if (*type == 'a') {
		const char *end = type + 1;

		snprintf(number, sizeof(number), "%" PRIu32, value->count);
		add(arguments, number);
		for (const struct json_value *each = value->first; each; each = each->next)
			end = add_value(arguments, type + 1, each);
		return end;
	}
	if (*type == '(') {
		type++;
		for (const struct json_value *each = value->first; each && *type != ')';
		     each = each->next)
			type = add_value(arguments, type, each);
		return type + 1;
	}
	switch (value->type) {
	case JSON_TRUE:
		add(arguments, "true");
		break;
	case JSON_FALSE:
		add(arguments, "false");
		break;
	case JSON_STRING:
	case JSON_NUMBER:
		add(arguments, value->text);
		break;
	case JSON_NULL:
	case JSON_ARRAY:
	case JSON_OBJECT:
		errno = ENOMEM;
		break;
	}
	return type + 1;
}

/* Not set, as systemd shows it: sent back it may be refused. */
static bool is_default(const char *name, const struct json_value *value)
{
	/* no swap at all is a limit, too */
	if (value->type == JSON_NUMBER)
		return strcmp(value->text, "18446744073709551615") == 0 ||
		       (strcmp(value->text, "0") == 0 && strcmp(name, "MemorySwapMax") != 0);
	if (value->type == JSON_STRING)
		return strcmp(value->text, "auto") == 0;
	return value->type == JSON_ARRAY && value->count == 0;
}

/* "libpod-1.scope" to "libpod_2d1_2escope", as systemd names its objects. */
static char *object_path(const char *unit)
{
	static const char prefix[] = MANAGER_OBJECT "/unit/";
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

static int read_properties(bool user, const char *unit, struct json **answer, struct error *err)
{
	auto_arguments struct arguments arguments = { 0 };
	auto_free char *object = object_path(unit);

	if (!object)
		return error_errno(err, ENOMEM, "systemd");
	busctl(&arguments, user);
	add_all(&arguments, (const char *const[]){ SERVICE, object,
						   "org.freedesktop.DBus.Properties", "GetAll",
						   "s", SERVICE ".Scope", NULL });
	return run(&arguments, answer, err);
}

/* Name, signature and value of each property that is set; returns how many. */
static int add_properties(struct arguments *arguments, const struct json *answer)
{
	struct json_value *all = json_find(json_root(answer), "data");
	int count = 0;

	for (size_t i = 0; all && i < sizeof(properties) / sizeof(properties[0]); i++) {
		struct json_value *property = json_member(all->first, properties[i]);
		struct json_value *type = property ? json_find(property, "type") : NULL;
		struct json_value *value = property ? json_find(property, "data") : NULL;

		if (!type || !value || type->type != JSON_STRING || is_default(properties[i], value))
			continue;
		add(arguments, properties[i]);
		add(arguments, type->text);
		add_value(arguments, type->text, value);
		count++;
	}
	return count;
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

bool scope_is_users(void)
{
	char map[128];
	unsigned int inside, outside, count;

	if (geteuid() != 0)
		return true;
	return file_read_at(AT_FDCWD, "/proc/self/uid_map", map, sizeof(map), NULL) > 0 &&
	       (sscanf(map, "%u %u %u", &inside, &outside, &count) != 3 || inside != 0 ||
		outside != 0 || count != UINT32_MAX);
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
	auto_arguments struct arguments arguments = { 0 };
	auto_arguments struct arguments extra = { 0 };
	const char *property;
	char text[24];
	uint64_t value = 0;
	int ret, count = 0;

	errno = 0;
	for (size_t i = 0; i < plan->count; i++) {
		property = scope_property(plan->writes[i].file, plan->writes[i].value, &value);
		if (!property)
			continue;
		snprintf(text, sizeof(text), "%" PRIu64, value);
		add_all(&extra, (const char *const[]){ property, "t", text, NULL });
		count++;
	}
	if (errno == ENOMEM)
		return error_errno(err, ENOMEM, "systemd");
	if (count == 0)
		return 0;

	busctl(&arguments, user);
	snprintf(text, sizeof(text), "%d", count);
	/* true: of this boot alone, as the scope is */
	add_all(&arguments, (const char *const[]){ SERVICE, MANAGER_OBJECT, MANAGER,
						   "SetUnitProperties", "sba(sv)", unit, "true",
						   text, NULL });
	for (size_t i = 0; i < extra.count; i++)
		add(&arguments, extra.each[i]);
	ret = run(&arguments, NULL, err);
	return ret < 0 ? error_prefix(err, ret, "%s", unit) : 0;
}

int scope_start(bool user, const char *unit, const char *slice, const char *like, pid_t pid,
		struct error *err)
{
	const struct timespec pause = { .tv_nsec = 5000000 };
	auto_arguments struct arguments arguments = { 0 };
	auto_arguments struct arguments extra = { 0 };
	auto_json struct json *had = NULL;
	char count[16], number[16];
	int ret, properties_count;

	ret = read_properties(user, like, &had, err);
	if (ret < 0)
		return ret;
	errno = 0;
	properties_count = 5 + add_properties(&extra, had);
	if (errno == ENOMEM)
		return error_errno(err, ENOMEM, "systemd");

	busctl(&arguments, user);
	snprintf(count, sizeof(count), "%d", properties_count);
	snprintf(number, sizeof(number), "%d", pid);
	add_all(&arguments, (const char *const[]){
		SERVICE, MANAGER_OBJECT, MANAGER, "StartTransientUnit", "ssa(sv)a(sa(sv))",
		unit, "fail", count,
		"Description", "s", "libcrun container",
		"Slice", "s", slice,
		"Delegate", "b", "true",
		"DefaultDependencies", "b", "false",
		"PIDs", "au", "1", number, NULL });
	for (size_t i = 0; i < extra.count; i++)
		add(&arguments, extra.each[i]);
	add(&arguments, "0");
	ret = run(&arguments, NULL, err);
	if (ret < 0)
		return error_prefix(err, ret, "%s", unit);

	for (int waited = 0; !is_in(pid, unit); waited += 5) {
		if (waited >= START_TIMEOUT_MS)
			return error_set(err, ETIMEDOUT, "%s: systemd has not started it", unit);
		nanosleep(&pause, NULL);
	}
	return 0;
}
