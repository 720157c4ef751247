// SPDX-License-Identifier: GPL-2.0-or-later
#include "memory/spec.h"

#include "base/number.h"
#include "test.h"

TEST(sizes_are_taken_in_and_zero_is_not_set)
{
	static const enum memory_field sizes[] = {
		MEMORY_LIMIT, MEMORY_SWAP, MEMORY_RESERVATION, MEMORY_KERNEL, MEMORY_KERNEL_TCP,
	};

	for (size_t i = 0; i < COUNT(sizes); i++) {
		struct memory_spec spec = { 0 };
		const char *name = memory_field_name(sizes[i]);
		struct error err;
		char wanted[128];

		assert_row(name, memory_spec_set(&spec, sizes[i], 0, NULL) == 0);
		assert_row(name, !memory_spec_asks(&spec, sizes[i]) && !memory_spec_any(&spec));
		assert_row(name, memory_spec_set(&spec, sizes[i], 1, NULL) == 0);
		assert_row(name, memory_spec_asks(&spec, sizes[i]) && spec.value[sizes[i]] == 1);
		assert_row(name, memory_spec_set(&spec, sizes[i], INT64_MAX, NULL) == 0);
		assert_row(name, spec.value[sizes[i]] == INT64_MAX);
		assert_row(name, memory_spec_set(&spec, sizes[i], -1, NULL) == 0);
		assert_row(name, spec.value[sizes[i]] == NUMBER_UNLIMITED);

		assert_row(name, memory_spec_set(&spec, sizes[i], -2, &err) == -ERANGE);
		snprintf(wanted, sizeof(wanted), "linux.resources.memory.%s: below -1, \"-2\"", name);
		assert_row_text(name, err.text, wanted);
		assert_row(name, memory_spec_set(&spec, sizes[i], INT64_MIN, &err) == -ERANGE);
		assert_row(name, spec.value[sizes[i]] == NUMBER_UNLIMITED);
	}
}

TEST(swappiness_is_a_percentage)
{
	struct memory_spec spec = { 0 };
	struct error err;

	assert_int_equal(memory_spec_set(&spec, MEMORY_SWAPPINESS, -1, NULL), 0);
	assert_false(memory_spec_any(&spec));
	assert_int_equal(memory_spec_set(&spec, MEMORY_SWAPPINESS, 0, NULL), 0);
	assert_true(memory_spec_asks(&spec, MEMORY_SWAPPINESS));
	assert_int_equal(spec.value[MEMORY_SWAPPINESS], 0);
	assert_int_equal(memory_spec_set(&spec, MEMORY_SWAPPINESS, 100, NULL), 0);
	assert_int_equal(spec.value[MEMORY_SWAPPINESS], 100);
	assert_int_equal(memory_spec_set(&spec, MEMORY_SWAPPINESS, 101, &err), -ERANGE);
	assert_string_equal(err.text, "linux.resources.memory.swappiness: not within 0 to 100, "
				      "\"101\"");
	assert_int_equal(memory_spec_set(&spec, MEMORY_SWAPPINESS, -2, &err), -ERANGE);
	assert_int_equal(spec.value[MEMORY_SWAPPINESS], 100);
}

TEST(disabling_nothing_asks_for_nothing)
{
	struct memory_spec spec = { 0 };

	memory_spec_set(&spec, MEMORY_OOM_WAIT, 0, NULL);
	memory_spec_set(&spec, MEMORY_CHECK, 0, NULL);
	assert_false(memory_spec_any(&spec));
	memory_spec_set(&spec, MEMORY_OOM_WAIT, 1, NULL);
	memory_spec_set(&spec, MEMORY_CHECK, 1, NULL);
	assert_true(memory_spec_asks(&spec, MEMORY_OOM_WAIT));
	assert_true(memory_spec_asks(&spec, MEMORY_CHECK));
}

TEST(no_hierarchy_is_something_asked)
{
	struct memory_spec spec = { 0 };

	memory_spec_set(&spec, MEMORY_HIERARCHY, 0, NULL);
	assert_true(memory_spec_asks(&spec, MEMORY_HIERARCHY));
	assert_int_equal(spec.value[MEMORY_HIERARCHY], 0);
}

TEST(reservation_is_low_high_or_none)
{
	struct memory_spec spec = { 0 };

	assert_int_equal(spec.reservation_as, RESERVATION_LOW);
	assert_int_equal(memory_spec_annotate(&spec, "org.memcrun.reservation", "high", NULL), 0);
	assert_int_equal(spec.reservation_as, RESERVATION_HIGH);
	assert_int_equal(memory_spec_annotate(&spec, "org.memcrun.reservation", "none", NULL), 0);
	assert_int_equal(spec.reservation_as, RESERVATION_NONE);
	assert_int_equal(memory_spec_annotate(&spec, "org.memcrun.reservation", "low", NULL), 0);
	assert_int_equal(spec.reservation_as, RESERVATION_LOW);
	assert_false(memory_spec_any(&spec));
}

TEST(strict_is_true_or_false)
{
	struct memory_spec spec = { 0 };

	assert_int_equal(memory_spec_annotate(&spec, "org.memcrun.strict", "true", NULL), 0);
	assert_true(spec.strict);
	assert_int_equal(memory_spec_annotate(&spec, "org.memcrun.strict", "false", NULL), 0);
	assert_false(spec.strict);
	assert_false(memory_spec_any(&spec));
}

TEST(oom_is_kill_wait_or_group)
{
	struct memory_spec kill = { 0 }, wait = { 0 }, group = { 0 };

	assert_int_equal(memory_spec_annotate(&kill, "org.memcrun.oom", "kill", NULL), 0);
	assert_true(kill.accept_kill);
	assert_false(memory_spec_any(&kill));
	assert_int_equal(memory_spec_annotate(&wait, "org.memcrun.oom", "wait", NULL), 0);
	assert_true(memory_spec_asks(&wait, MEMORY_OOM_WAIT));
	assert_int_equal(memory_spec_annotate(&group, "org.memcrun.oom", "group", NULL), 0);
	assert_true(memory_spec_asks(&group, MEMORY_OOM_GROUP));
	assert_int_equal(group.value[MEMORY_OOM_GROUP], 1);
}

TEST(a_reserve_is_a_size_and_zero_is_none)
{
	struct memory_spec spec = { 0 };

	assert_int_equal(memory_spec_annotate(&spec, "org.memcrun.reserve", "0", NULL), 0);
	assert_false(memory_spec_any(&spec));
	assert_int_equal(memory_spec_annotate(&spec, "org.memcrun.reserve", "1.5Mi", NULL), 0);
	assert_true(memory_spec_asks(&spec, MEMORY_RESERVE));
	assert_int_equal(spec.value[MEMORY_RESERVE], 1572864);
}

TEST(charges_that_move_are_a_list)
{
	static const struct {
		const char *value;
		int64_t bits;
	} rows[] = {
		{ "none", 0 },
		{ "all", CHARGE_ALL },
		{ "anon", CHARGE_ANON },
		{ "file", CHARGE_FILE },
		{ "shmem", CHARGE_SHMEM },
		{ "swap", CHARGE_SWAP },
		{ "kernel", CHARGE_KERNEL },
		{ "anon,anon", CHARGE_ANON },
		{ "anon,file,shmem,swap,kernel", CHARGE_ALL },
		{ "kernel,anon", CHARGE_KERNEL | CHARGE_ANON },
	};

	for (size_t i = 0; i < COUNT(rows); i++) {
		struct memory_spec spec = { 0 };

		assert_row(rows[i].value, memory_spec_annotate(&spec, "org.memcrun.move-charge",
							       rows[i].value, NULL) == 0);
		assert_row(rows[i].value, memory_spec_asks(&spec, MEMORY_MOVE_CHARGE));
		assert_row(rows[i].value, spec.value[MEMORY_MOVE_CHARGE] == rows[i].bits);
	}
}

TEST(a_tmpfs_is_paid_for_by_container_pod_or_path)
{
	static const char *const values[] = { "container", "pod", "/", "/kubepods/web" };

	for (size_t i = 0; i < COUNT(values); i++) {
		struct memory_spec spec = { 0 };

		assert_row(values[i],
			   memory_spec_annotate(&spec, "org.memcrun.tmpfs", values[i], NULL) == 0);
		assert_row(values[i], memory_spec_asks(&spec, MEMORY_TMPFS));
	}
}

TEST(thresholds_are_sizes_and_percentages)
{
	static const struct {
		const char *value;
		bool percent;
	} rows[] = {
		{ "256M", false },   { "1", false },	   { "1%", true },
		{ "100%", true },    { "70%,256M", true }, { "1.5g,100k,5B", false },
		{ "5M,70%,90%", true },
	};

	for (size_t i = 0; i < COUNT(rows); i++) {
		struct memory_spec spec = { 0 };

		assert_row(rows[i].value, memory_spec_annotate(&spec, "org.memcrun.thresholds",
							       rows[i].value, NULL) == 0);
		assert_row(rows[i].value, memory_spec_asks(&spec, MEMORY_THRESHOLDS));
		assert_row(rows[i].value, spec.threshold_percent == rows[i].percent);
	}
}

TEST(a_bad_value_is_refused_with_the_annotation_and_the_value)
{
	static const struct {
		const char *name;
		const char *value;
		int ret;
		const char *words;
	} rows[] = {
		{ "reservation", "", -EINVAL, "not low, high or none, \"\"" },
		{ "reservation", "Low", -EINVAL, "not low, high or none, \"Low\"" },
		{ "reservation", "low ", -EINVAL, "not low, high or none, \"low \"" },
		{ "strict", "", -EINVAL, "not true or false, \"\"" },
		{ "strict", "1", -EINVAL, "not true or false, \"1\"" },
		{ "strict", "True", -EINVAL, "not true or false, \"True\"" },
		{ "strict", "truex", -EINVAL, "not true or false, \"truex\"" },
		{ "oom", "", -EINVAL, "not kill, wait or group, \"\"" },
		{ "oom", "none", -EINVAL, "not kill, wait or group, \"none\"" },
		{ "oom", "kill,group", -EINVAL, "not kill, wait or group, \"kill,group\"" },
		{ "reserve", "", -EINVAL, "not a size, \"\"" },
		{ "reserve", "-1", -EINVAL, "not a size, \"-1\"" },
		{ "reserve", "max", -EINVAL, "not a size, \"max\"" },
		{ "reserve", "64X", -EINVAL, "not a size, \"64X\"" },
		{ "reserve", "9223372036854775808", -ERANGE,
		  "out of range, \"9223372036854775808\"" },
		{ "tmpfs", "", -EINVAL, "not container, pod or a cgroup path, \"\"" },
		{ "tmpfs", "kubepods/web", -EINVAL,
		  "not container, pod or a cgroup path, \"kubepods/web\"" },
		{ "tmpfs", "Pod", -EINVAL, "not container, pod or a cgroup path, \"Pod\"" },
		{ "thresholds", "", -EINVAL, "not a list like \"70%,256M\", \"\"" },
		{ "thresholds", ",", -EINVAL, "not a list like \"70%,256M\", \",\"" },
		{ "thresholds", "70%,", -EINVAL, "not a list like \"70%,256M\", \"70%,\"" },
		{ "thresholds", ",70%", -EINVAL, "not a list like \"70%,256M\", \",70%\"" },
		{ "thresholds", "%", -EINVAL, "not a list like \"70%,256M\", \"%\"" },
		{ "thresholds", "0%", -EINVAL, "not a list like \"70%,256M\", \"0%\"" },
		{ "thresholds", "101%", -EINVAL, "not a list like \"70%,256M\", \"101%\"" },
		{ "thresholds", "-5%", -EINVAL, "not a list like \"70%,256M\", \"-5%\"" },
		{ "thresholds", "7.5%", -EINVAL, "not a list like \"70%,256M\", \"7.5%\"" },
		{ "thresholds", "0", -EINVAL, "not a list like \"70%,256M\", \"0\"" },
		{ "thresholds", "70% ,256M", -EINVAL,
		  "not a list like \"70%,256M\", \"70% ,256M\"" },
		{ "thresholds", "0000000000000000000000000000000000000001", -EINVAL,
		  "not a list like \"70%,256M\", \"0000000000000000000000000000000000000001\"" },
		{ "move-charge", "", -EINVAL,
		  "not all, none or a list of anon, file, shmem, swap, kernel, \"\"" },
		{ "move-charge", "anon,", -EINVAL,
		  "not all, none or a list of anon, file, shmem, swap, kernel, \"anon,\"" },
		{ "move-charge", "anon,none", -EINVAL,
		  "not all, none or a list of anon, file, shmem, swap, kernel, \"anon,none\"" },
		{ "move-charge", "anon file", -EINVAL,
		  "not all, none or a list of anon, file, shmem, swap, kernel, \"anon file\"" },
		{ "move-charge", "anonymous-and-longer", -EINVAL,
		  "not all, none or a list of anon, file, shmem, swap, kernel, "
		  "\"anonymous-and-longer\"" },
		{ "", "x", -EINVAL, NULL },
		{ "limit", "64M", -EINVAL, NULL },
		{ "Strict", "true", -EINVAL, NULL },
		{ "strict.", "true", -EINVAL, NULL },
		{ "asked", "{}", -EINVAL, NULL },
	};

	for (size_t i = 0; i < COUNT(rows); i++) {
		struct memory_spec spec = { 0 };
		struct error err;
		char name[64], wanted[256];

		snprintf(name, sizeof(name), "org.memcrun.%s", rows[i].name);
		assert_row(rows[i].value,
			   memory_spec_annotate(&spec, name, rows[i].value, &err) == rows[i].ret);
		if (rows[i].words)
			snprintf(wanted, sizeof(wanted), "annotations.%s: %s", name, rows[i].words);
		else
			snprintf(wanted, sizeof(wanted), "annotations.%s: unknown annotation, \"%s\"",
				 name, rows[i].value);
		assert_row_text(rows[i].value, err.text, wanted);
		assert_row(rows[i].value, !memory_spec_any(&spec));
	}
}

TEST(an_explicit_key_is_kept_as_it_was_written)
{
	struct memory_spec spec = { 0 };

	assert_int_equal(memory_spec_explicit(&spec, "memory.max", " 64M ", NULL), 0);
	assert_int_equal(memory_spec_explicit(&spec, "memory.zswap.max", "", NULL), -EINVAL);
	assert_int_equal(memory_spec_explicit(&spec, "memory.max", "64M\nmax", NULL), -EINVAL);
	assert_int_equal(spec.explicit_count, 1);
	assert_string_equal(spec.explicits[0].file, "memory.max");
	assert_string_equal(spec.explicits[0].value, " 64M ");
	assert_true(memory_spec_any(&spec));
}

TEST(an_explicit_key_is_a_file_name_and_no_path)
{
	struct memory_spec spec = { 0 };
	struct error err;

	assert_int_equal(memory_spec_explicit(&spec, "memory.x/../../y", "1", &err), -EINVAL);
	assert_string_equal(err.text,
			    "linux.resources.unified: not a file name, \"memory.x/../../y\"");
	assert_false(memory_spec_any(&spec));
}

TEST(an_explicit_size_is_one_that_the_kernel_reads)
{
	static const struct {
		const char *file, *value, *wanted;
	} rows[] = {
		{ "memory.max", "garbage", "linux.resources.unified.memory.max: not a size, \"garbage\"" },
		{ "memory.swap.max", "1kb", "linux.resources.unified.memory.swap.max: not a size, \"1kb\"" },
		{ "memory.high", "16E", "linux.resources.unified.memory.high: out of range, \"16E\"" },
		{ "memory.low", "-1", "linux.resources.unified.memory.low: not a size, \"-1\"" },
		{ "memory.low", "max", "" },
		{ "memory.min", " 0x1000\t", "linux.resources.unified.memory.min: a control character, "
					     "\" 0x1000?\"" },
		{ "memory.max", "18446744073709551615", "" },
		{ "memory.oom.group", "perhaps", "" },
	};

	for (size_t i = 0; i < COUNT(rows); i++) {
		struct memory_spec spec = { 0 };
		struct error err = { "" };

		memory_spec_explicit(&spec, rows[i].file, rows[i].value, &err);
		assert_row_text(rows[i].value, err.text, rows[i].wanted);
	}
}

TEST(explicit_keys_have_bounds)
{
	struct memory_spec spec = { 0 };
	char file[MEMORY_FILE_NAME_MAX + 1], value[MEMORY_VALUE_MAX + 1];
	struct error err;

	memset(file, 'f', sizeof(file) - 1);
	file[sizeof(file) - 1] = '\0';
	memset(value, 'v', sizeof(value) - 1);
	value[sizeof(value) - 1] = '\0';
	assert_int_equal(memory_spec_explicit(&spec, file, "1", &err), -EINVAL);
	assert_int_equal(memory_spec_explicit(&spec, "memory.max", value, &err), -EINVAL);
	assert_non_null(strstr(err.text, ": value too long"));
	assert_int_equal(memory_spec_explicit(&spec, file + 1, value + 1, &err), 0);

	for (size_t i = 1; i < MEMORY_EXPLICIT_MAX; i++)
		assert_int_equal(memory_spec_explicit(&spec, "memory.max", "1", &err), 0);
	assert_int_equal(memory_spec_explicit(&spec, "memory.max", "1", &err), -E2BIG);
	assert_string_equal(err.text, "linux.resources.unified: more than 32 memory keys");
	assert_int_equal(spec.explicit_count, MEMORY_EXPLICIT_MAX);
}

TEST(killing_the_group_and_killing_none_contradict)
{
	struct memory_spec spec = { 0 };
	struct error err;

	memory_spec_annotate(&spec, "org.memcrun.oom", "group", NULL);
	assert_int_equal(memory_spec_finish(&spec, &err), 0);
	memory_spec_set(&spec, MEMORY_OOM_WAIT, 1, NULL);
	assert_int_equal(memory_spec_finish(&spec, &err), -EINVAL);
	assert_non_null(strstr(err.text, "org.memcrun.oom"));
	assert_non_null(strstr(err.text, "linux.resources.memory.disableOOMKiller"));
}

TEST(a_percentage_needs_a_limit)
{
	struct memory_spec spec = { 0 };
	struct error err;

	memory_spec_annotate(&spec, "org.memcrun.thresholds", "70%", NULL);
	assert_int_equal(memory_spec_finish(&spec, &err), -EINVAL);
	assert_string_equal(err.text, "annotations.org.memcrun.thresholds: a percentage needs "
				      "linux.resources.memory.limit");
	memory_spec_set(&spec, MEMORY_LIMIT, -1, NULL);
	assert_int_equal(memory_spec_finish(&spec, &err), -EINVAL);
	memory_spec_set(&spec, MEMORY_LIMIT, 64 << 20, NULL);
	assert_int_equal(memory_spec_finish(&spec, &err), 0);

	/* The limit that will be in force is the explicit one. */
	memory_spec_explicit(&spec, "memory.max", "max", NULL);
	assert_int_equal(memory_spec_finish(&spec, &err), -EINVAL);
}

TEST(a_value_is_shown_as_it_was_asked)
{
	struct memory_spec spec = { 0 };
	char text[MEMORY_TEXT_MAX];

	memory_spec_set(&spec, MEMORY_LIMIT, 64 << 20, NULL);
	memory_spec_set(&spec, MEMORY_CHECK, 1, NULL);
	memory_spec_annotate(&spec, "org.memcrun.reserve", "1.5m", NULL);
	memory_spec_annotate(&spec, "org.memcrun.move-charge", "anon,swap", NULL);
	assert_string_equal(memory_spec_text(&spec, MEMORY_LIMIT, text), "67108864");
	assert_string_equal(memory_spec_text(&spec, MEMORY_CHECK, text), "true");
	assert_string_equal(memory_spec_text(&spec, MEMORY_RESERVE, text), "1.5m");
	assert_string_equal(memory_spec_text(&spec, MEMORY_MOVE_CHARGE, text), "anon,swap");
}

TEST(every_field_has_a_path_and_a_name)
{
	for (int field = 0; field < MEMORY_FIELDS; field++) {
		const char *path = memory_field_path((enum memory_field)field);

		assert_non_null(path);
		assert_non_null(memory_field_name((enum memory_field)field));
		assert_row(path, strncmp(path, "linux.resources.memory.", 23) == 0 ||
				 strncmp(path, "annotations.org.memcrun.", 24) == 0);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sizes_are_taken_in_and_zero_is_not_set),
		cmocka_unit_test(swappiness_is_a_percentage),
		cmocka_unit_test(disabling_nothing_asks_for_nothing),
		cmocka_unit_test(no_hierarchy_is_something_asked),
		cmocka_unit_test(reservation_is_low_high_or_none),
		cmocka_unit_test(strict_is_true_or_false),
		cmocka_unit_test(oom_is_kill_wait_or_group),
		cmocka_unit_test(a_reserve_is_a_size_and_zero_is_none),
		cmocka_unit_test(charges_that_move_are_a_list),
		cmocka_unit_test(a_tmpfs_is_paid_for_by_container_pod_or_path),
		cmocka_unit_test(thresholds_are_sizes_and_percentages),
		cmocka_unit_test(a_bad_value_is_refused_with_the_annotation_and_the_value),
		cmocka_unit_test(an_explicit_key_is_kept_as_it_was_written),
		cmocka_unit_test(an_explicit_key_is_a_file_name_and_no_path),
		cmocka_unit_test(an_explicit_size_is_one_that_the_kernel_reads),
		cmocka_unit_test(explicit_keys_have_bounds),
		cmocka_unit_test(killing_the_group_and_killing_none_contradict),
		cmocka_unit_test(a_percentage_needs_a_limit),
		cmocka_unit_test(a_value_is_shown_as_it_was_asked),
		cmocka_unit_test(every_field_has_a_path_and_a_name),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
