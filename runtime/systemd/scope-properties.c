// SPDX-License-Identifier: GPL-2.0-or-later
#include "systemd/scope-properties.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define INFINITE "18446744073709551615"

/*
 * Everything that StartTransientUnit takes for a scope in systemd 252 to 262. A version that
 * lacks a property does not show it. `unset` is how systemd shows a property that nobody has
 * set: sent back, it may be refused, or hide what the new slice says. Empty strings and empty
 * lists are not set either.
 */
static const struct property {
	const char *name;
	const char *unset;
} properties[] = {
	/* of any unit */
	{ "AllowIsolate", NULL },
	{ "CollectMode", NULL },
	{ "DefaultDependencies", NULL },
	{ "Description", NULL },
	{ "Documentation", NULL },
	{ "FailureAction", "none" },
	{ "FailureActionExitStatus", "-1" },
	{ "IgnoreOnIsolate", NULL },
	{ "JobRunningTimeoutUSec", INFINITE },
	{ "JobTimeoutAction", "none" },
	{ "JobTimeoutRebootArgument", NULL },
	{ "OnFailureJobMode", NULL },
	{ "OnSuccessJobMode", NULL },
	{ "RebootArgument", NULL },
	{ "RefuseManualStart", NULL },
	{ "RefuseManualStop", NULL },
	{ "RequiresMountsFor", NULL },
	{ "SourcePath", NULL },
	{ "StartLimitAction", "none" },
	{ "StartLimitBurst", NULL },
	{ "StartLimitIntervalUSec", NULL },
	{ "StopWhenUnneeded", NULL },
	{ "SuccessAction", "none" },
	{ "SuccessActionExitStatus", "-1" },
	{ "SurviveFinalKillSignal", NULL },
	{ "WantsMountsFor", NULL },
	/* of a scope, and how it is killed */
	{ "Controller", NULL },
	{ "FinalKillSignal", NULL },
	{ "KillMode", NULL },
	{ "KillSignal", NULL },
	{ "OOMPolicy", NULL },
	{ "RestartKillSignal", NULL },
	{ "RuntimeMaxUSec", INFINITE },
	{ "RuntimeRandomizedExtraUSec", "0" },
	{ "SendSIGHUP", NULL },
	{ "SendSIGKILL", NULL },
	{ "TimeoutStopUSec", NULL },
	{ "WatchdogSignal", NULL },
	/* of its cgroup */
	{ "AllowedCPUs", NULL },
	{ "AllowedMemoryNodes", NULL },
	{ "BPFProgram", NULL },
	{ "BlockIOAccounting", NULL },
	{ "BlockIODeviceWeight", NULL },
	{ "BlockIOReadBandwidth", NULL },
	{ "BlockIOWeight", INFINITE },
	{ "BlockIOWriteBandwidth", NULL },
	{ "CPUAccounting", NULL },
	{ "CPUPressureThresholdUSec", INFINITE },
	{ "CPUPressureWatch", "auto" },
	{ "CPUQuotaPerSecUSec", INFINITE },
	{ "CPUQuotaPeriodUSec", INFINITE },
	{ "CPUShares", INFINITE },
	{ "CPUWeight", INFINITE },
	{ "CoredumpReceive", NULL },
	{ "DefaultMemoryLow", "0" },
	{ "DefaultMemoryMin", "0" },
	{ "DefaultStartupMemoryLow", "0" },
	{ "DelegateSubgroup", NULL },
	{ "DeviceAllow", NULL },
	{ "DevicePolicy", "auto" },
	{ "DisableControllers", NULL },
	{ "IOAccounting", NULL },
	{ "IODeviceLatencyTargetUSec", NULL },
	{ "IODeviceWeight", NULL },
	{ "IOPressureThresholdUSec", INFINITE },
	{ "IOPressureWatch", "auto" },
	{ "IOReadBandwidthMax", NULL },
	{ "IOReadIOPSMax", NULL },
	{ "IOWeight", INFINITE },
	{ "IOWriteBandwidthMax", NULL },
	{ "IOWriteIOPSMax", NULL },
	{ "IPAccounting", NULL },
	{ "IPAddressAllow", NULL },
	{ "IPAddressDeny", NULL },
	{ "IPEgressFilterPath", NULL },
	{ "IPIngressFilterPath", NULL },
	{ "ManagedOOMMemoryPressure", "auto" },
	{ "ManagedOOMMemoryPressureDurationUSec", INFINITE },
	{ "ManagedOOMMemoryPressureLimit", "0" },
	{ "ManagedOOMPreference", "none" },
	{ "ManagedOOMSwap", "auto" },
	{ "MemoryAccounting", NULL },
	{ "MemoryHigh", INFINITE },
	{ "MemoryLimit", INFINITE },
	{ "MemoryLow", "0" },
	{ "MemoryMax", INFINITE },
	{ "MemoryMin", "0" },
	{ "MemoryPressureThresholdUSec", INFINITE },
	{ "MemoryPressureWatch", "auto" },
	{ "MemorySwapMax", INFINITE },
	{ "MemoryZSwapMax", INFINITE },
	{ "MemoryZSwapWriteback", NULL },
	{ "NFTSet", NULL },
	{ "RestrictNetworkInterfaces", NULL },
	{ "SocketBindAllow", NULL },
	{ "SocketBindDeny", NULL },
	{ "StartupAllowedCPUs", NULL },
	{ "StartupAllowedMemoryNodes", NULL },
	{ "StartupBlockIOWeight", INFINITE },
	{ "StartupCPUShares", INFINITE },
	{ "StartupCPUWeight", INFINITE },
	{ "StartupIOWeight", INFINITE },
	{ "StartupMemoryHigh", INFINITE },
	{ "StartupMemoryLow", "0" },
	{ "StartupMemoryMax", INFINITE },
	{ "StartupMemorySwapMax", INFINITE },
	{ "StartupMemoryZSwapMax", INFINITE },
	{ "TasksAccounting", NULL },
	{ "TasksMax", NULL },
};

/* Lists of units. The unit's slice is in some of them: systemd adds the new one itself. */
static const char *const dependencies[] = {
	"After", "Before", "BindsTo", "Conflicts", "JoinsNamespaceOf", "OnFailure", "OnSuccess",
	"PartOf", "PropagatesReloadTo", "PropagatesStopTo", "ReloadPropagatedFrom", "Requires",
	"Requisite", "StopPropagatedFrom", "Upholds", "Wants",
};

/* What systemd takes from files only, or writes into units from what other units say. */
static const struct property left[] = {
	{ "Asserts", NULL },
	{ "BoundBy", NULL },
	{ "Conditions", NULL },
	{ "ConflictedBy", NULL },
	{ "ConsistsOf", NULL },
	{ "JobTimeoutUSec", INFINITE },
	{ "RequiredBy", NULL },
	{ "RequisiteOf", NULL },
	{ "TriggeredBy", NULL },
	{ "UpheldBy", NULL },
	{ "WantedBy", NULL },
};

static bool is_set(const struct property *property, const char *type,
		   const struct json_value *value)
{
	switch (value->type) {
	case JSON_STRING:
	case JSON_NUMBER:
		return *value->text &&
		       !(property->unset && strcmp(value->text, property->unset) == 0);
	case JSON_ARRAY:
		/* a list with a word about the list */
		if (strcmp(type, "(bas)") == 0 && value->count == 2)
			return value->first->next->count > 0;
		return value->count > 0;
	case JSON_TRUE:
	case JSON_FALSE:
		return true;
	case JSON_NULL:
	case JSON_OBJECT:
		break;
	}
	return false;
}

static const struct json_value *find(const struct json_value *unit, const char *name,
				     const char **type)
{
	const struct json_value *property = json_member(unit, name);
	const struct json_value *signature = property ? json_member(property, "type") : NULL;

	if (!signature || signature->type != JSON_STRING)
		return NULL;
	*type = signature->text;
	return json_member(property, "data");
}

/* A list of names without `except`. Returns whether any is left to add. */
static bool add_names(struct scope_call *call, const char *name, const struct json_value *list,
		      const char *except)
{
	size_t count = 0;
	char number[24];

	for (const struct json_value *each = list->first; each; each = each->next)
		count += each->type == JSON_STRING && strcmp(each->text, except) != 0;
	if (count == 0)
		return false;
	snprintf(number, sizeof(number), "%zu", count);
	scope_call_add_all(call, (const char *const[]){ name, "as", number, NULL });
	for (const struct json_value *each = list->first; each; each = each->next) {
		if (each->type == JSON_STRING && strcmp(each->text, except) != 0)
			scope_call_add(call, each->text);
	}
	return true;
}

/* crun needs a delegated scope. The list of controllers implies Delegate=true. */
static void add_delegation(struct scope_call *call, const struct json_value *unit)
{
	const struct json_value *controllers;
	const char *type = NULL;

	controllers = find(unit, "DelegateControllers", &type);
	if (controllers && controllers->type == JSON_ARRAY && controllers->count)
		scope_call_add_property(call, "DelegateControllers", type, controllers);
	else
		scope_call_add_all(call, (const char *const[]){ "Delegate", "b", "true", NULL });
}

int scope_properties_add(struct scope_call *call, const struct json_value *unit)
{
	const struct json_value *value;
	const char *type = NULL, *slice = "";
	int count = 1;

	add_delegation(call, unit);
	for (size_t i = 0; i < sizeof(properties) / sizeof(properties[0]); i++) {
		value = find(unit, properties[i].name, &type);
		if (!value || !is_set(&properties[i], type, value))
			continue;
		scope_call_add_property(call, properties[i].name, type, value);
		count++;
	}
	value = find(unit, "Slice", &type);
	if (value && value->type == JSON_STRING)
		slice = value->text;
	for (size_t i = 0; i < sizeof(dependencies) / sizeof(dependencies[0]); i++) {
		value = find(unit, dependencies[i], &type);
		if (value && value->type == JSON_ARRAY)
			count += add_names(call, dependencies[i], value, slice);
	}
	return count;
}

int scope_properties_left(const struct json_value *unit, char **names)
{
	size_t size = 1;
	char *made, *end;

	for (size_t i = 0; i < sizeof(left) / sizeof(left[0]); i++)
		size += strlen(left[i].name) + strlen(", ");
	made = end = calloc(1, size);
	if (!made)
		return -ENOMEM;
	for (size_t i = 0; i < sizeof(left) / sizeof(left[0]); i++) {
		const char *type = NULL;
		const struct json_value *value = find(unit, left[i].name, &type);

		if (value && is_set(&left[i], type, value))
			end = stpcpy(stpcpy(end, end > made ? ", " : ""), left[i].name);
	}
	*names = made;
	return 0;
}
