// SPDX-License-Identifier: GPL-2.0-or-later
#include "container/update.h"

#include "container/container.h"
#include "container/update-reclaim.h"
#include "native.h"

#define JOURNAL NATIVE_ID "/memcrun-update.json"

/* What crun is asked for, and whether it refuses. */
static void fake_crun(const struct native *native, const char *script)
{
	scratch_file(&native->state, "crun", script);
	assert_int_equal(fchmodat(native->state.fd, "crun", 0755, 0), 0);
}

/* Update the container by the JSON `resources`. */
static int update(const struct native *native, const char *resources,
		  struct update_result *result, struct error *err)
{
	char program[PATH_MAX];
	const struct crun_globals globals = { .program = program, .root = native->state.path };
	struct update_request request = { .globals = &globals, .id = NATIVE_ID };
	auto_json struct json *document = NULL;

	snprintf(program, sizeof(program), "%s/crun", native->state.path);
	assert_int_equal(json_parse(resources, strlen(resources), &document, err), 0);
	request.resources = document;
	return container_update(&request, result, err);
}

static void assert_updated(const struct native *native, const char *resources)
{
	struct update_result result;
	struct error err = { "" };

	assert_row(err.text, update(native, resources, &result, &err) == 0);
	assert_int_equal(file_exists_at(native->state.fd, JOURNAL), 0);
}

/* A container of 64 MiB at most, beside another setting of its kind of kernel. */
#define ASKED(more) \
	"{\"linux\":{\"resources\":{\"memory\":{\"limit\":67108864" more "}}},\"keep\":1}"
#define LIMIT(bytes) "{\"memory\":{\"limit\":" #bytes "}}"

static void begin(struct native *native, const char *config)
{
	native_record(native, native->path, config);
	fake_crun(native, "#!/bin/sh\nexit 0\n");
	native_write(native, native_is_v1(native) ? "memory.limit_in_bytes" : "memory.max",
		     "67108864");
}

TEST(what_was_changed_by_hand_stays_unless_it_is_asked_for)
{
	struct native *native = native_of(state);
	const char *file = native_is_v1(native) ? "memory.swappiness" : "memory.low";

	begin(native, ASKED(",\"reservation\":33554432,\"swappiness\":60"));
	native_write(native, file, "8");
	assert_updated(native, LIMIT(50331648));
	assert_int_equal(native_limit(native), 50331648);
	assert_int_equal(native_number(native, file), native_is_v1(native) ? 8 : 0);

	/* the same limit once more sets right what has drifted of it */
	native_write(native, native_is_v1(native) ? "memory.limit_in_bytes" : "memory.max",
		     "62914560");
	assert_updated(native, LIMIT(50331648));
	assert_int_equal(native_limit(native), 50331648);
	assert_int_equal(native_number(native, file), native_is_v1(native) ? 8 : 0);
}

TEST(what_is_asked_from_now_on_is_kept_beside_the_rest)
{
	struct native *native = native_of(state);
	char text[1024];

	begin(native, ASKED(""));
	assert_updated(native, LIMIT(50331648));
	assert_true(file_read_at(native->state.fd, NATIVE_ID "/config.json", text, sizeof(text),
				 NULL) > 0);
	assert_non_null(strstr(text, "\"keep\":1"));
	assert_non_null(strstr(text, "\\\"limit\\\":50331648"));
}

TEST(only_notes_on_what_is_given_now_are_told)
{
	struct native *native = native_of(state);
	struct update_result result;
	struct error err = { "" };

	begin(native, "{\"linux\":{\"resources\":{\"memory\":{\"limit\":67108864}}},"
		      "\"annotations\":{\"org.memcrun.tmpfs\":\"pod\"}}");
	assert_row(err.text, update(native, LIMIT(50331648), &result, &err) == 0);
	assert_int_equal(result.plan.note_count, 0);
	assert_row(err.text, update(native, "{\"memory\":{\"limit\":50331648,"
					    "\"reservation\":60000000}}", &result, &err) == 0);
	assert_int_not_equal(result.plan.note_count, 0);
	assert_non_null(strstr(result.plan.notes[0].text, "reservation: above the limit"));
}

TEST(check_before_update_refuses_what_is_in_use)
{
	struct native *native = native_of(state);
	struct update_result result;
	struct error err = { "" };
	int64_t used;

	begin(native, ASKED(",\"checkBeforeUpdate\":true"));
	native_use(native, 16);
	used = native_number(native, native_is_v1(native) ? "memory.usage_in_bytes" :
							    "memory.current");
	assert_true(used >= 16 * MIB);
	assert_int_equal(update(native, LIMIT(8388608), &result, &err), -EBUSY);
	assert_row(err.text, strstr(err.text, "linux.resources.memory.checkBeforeUpdate: ") ==
				     err.text && strstr(err.text, "above the limit of 8388608"));
	assert_int_equal(native_limit(native), 64 * MIB);
	/* nothing was begun */
	assert_int_equal(file_exists_at(native->state.fd, JOURNAL), 0);
	assert_updated(native, LIMIT(50331648));
	assert_int_equal(native_limit(native), 48 * MIB);
}

TEST(a_limit_below_usage_is_refused_with_both_numbers)
{
	struct native *native = native_of(state);
	struct update_result result;
	struct error err = { "" };

	begin(native, ASKED(""));
	native_use(native, 16);
	/* swap would take it */
	native_write(native, native_is_v1(native) ? "memory.swappiness" : "memory.swap.max", "0");
	assert_int_equal(update(native, LIMIT(8388608), &result, &err), -EBUSY);
	assert_int_equal(result.refusal.target, 8 * MIB);
	assert_true(result.refusal.usage >= 16 * MIB);
	assert_int_equal(native_limit(native), 64 * MIB);
	assert_int_equal(file_exists_at(native->state.fd, JOURNAL), 0);
}

TEST(crun_does_the_rest)
{
	struct native *native = native_of(state);
	char text[PATH_MAX], script[PATH_MAX];

	begin(native, ASKED(""));
	snprintf(script, sizeof(script), "#!/bin/sh\necho \"$@\" >%s/asked\ncat \"$5\" >>%s/asked\n",
		 native->state.path, native->state.path);
	fake_crun(native, script);
	assert_updated(native, "{\"memory\":{\"limit\":50331648},\"pids\":{\"limit\":9}}");
	assert_true(file_read_at(native->state.fd, "asked", text, sizeof(text), NULL) > 0);
	snprintf(script, sizeof(script), "--root %s update --resources /proc/self/fd/",
		 native->state.path);
	assert_row(text, strncmp(text, script, strlen(script)) == 0);
	assert_row(text, strstr(text, " " NATIVE_ID "\n{\"pids\":{\"limit\":9}}"));
	assert_int_equal(native_limit(native), 48 * MIB);
}

TEST(memory_comes_back_when_crun_refuses_the_rest)
{
	struct native *native = native_of(state);
	struct update_result result;
	struct error err = { "" };
	char text[1024];

	begin(native, ASKED(""));
	fake_crun(native, "#!/bin/sh\necho no pids >&2\nexit 1\n");
	assert_int_equal(update(native, "{\"memory\":{\"limit\":50331648},\"pids\":{\"limit\":9}}",
				&result, &err), -ECHILD);
	assert_string_equal(err.text, "no pids");
	assert_int_equal(native_limit(native), 64 * MIB);
	assert_int_equal(file_exists_at(native->state.fd, JOURNAL), 0);
	assert_true(file_read_at(native->state.fd, NATIVE_ID "/config.json", text, sizeof(text),
				 NULL) > 0);
	assert_string_equal(text, ASKED(""));
}

TEST(an_update_that_was_interrupted_is_put_back_first)
{
	struct native *native = native_of(state);
	const char *file = native_is_v1(native) ? "memory.swappiness" : "memory.low";
	struct update_result result;
	struct error err = { "" };
	char text[256];

	begin(native, ASKED(""));
	snprintf(text, sizeof(text), "{\"form\":1,\"asked\":\"other\",\"files\":{\"%s\":\"%s\"}}",
		 file, native_is_v1(native) ? "7" : "4194304");
	scratch_file(&native->state, JOURNAL, text);
	assert_row(err.text, update(native, LIMIT(50331648), &result, &err) == 0);
	assert_true(result.repaired);
	assert_int_equal(native_number(native, file), native_is_v1(native) ? 7 : 4194304);
	assert_int_equal(native_limit(native), 48 * MIB);
	assert_int_equal(file_exists_at(native->state.fd, JOURNAL), 0);
}

TEST(an_update_that_had_ended_is_not_put_back)
{
	struct native *native = native_of(state);
	const char *file = native_is_v1(native) ? "memory.swappiness" : "memory.low";
	struct update_result result;
	struct error err = { "" };
	char text[512];

	/* its crash came between the record and the end of the journal */
	begin(native, "{\"annotations\":{\"org.memcrun.asked\":"
		      "\"{\\\"linux\\\":{\\\"resources\\\":{\\\"memory\\\":{\\\"limit\\\":67108864}}}}\"}}");
	native_write(native, file, "0");
	snprintf(text, sizeof(text), "{\"form\":1,\"files\":{\"%s\":\"%s\"},\"asked\":"
		 "\"{\\\"linux\\\":{\\\"resources\\\":{\\\"memory\\\":{\\\"limit\\\":67108864}}}}\"}",
		 file, native_is_v1(native) ? "7" : "4194304");
	scratch_file(&native->state, JOURNAL, text);
	assert_row(err.text, update(native, LIMIT(50331648), &result, &err) == 0);
	assert_false(result.repaired);
	assert_int_equal(native_number(native, file), 0);
}

TEST(who_cannot_be_updated_is_said_and_nothing_changes)
{
	struct native *native = native_of(state);
	struct update_result result;
	struct error err = { "" };
	pid_t pid = native->pid;

	begin(native, ASKED(""));
	scratch_file(&native->state, NATIVE_ID "/" JOURNAL_FILE, "{}");
	assert_int_equal(update(native, LIMIT(50331648), &result, &err), -EBUSY);
	assert_non_null(strstr(err.text, "a move has not ended"));
	assert_int_equal(unlinkat(native->state.fd, NATIVE_ID "/" JOURNAL_FILE, 0), 0);

	/* a pid that nobody has */
	native->pid = INT_MAX;
	native_record(native, native->path, ASKED(""));
	native->pid = pid;
	assert_int_equal(update(native, LIMIT(50331648), &result, &err), -ESRCH);
	assert_string_equal(err.text, "not running");
	assert_int_equal(native_limit(native), 64 * MIB);
}

TEST(a_switch_that_is_not_asked_for_any_more_is_off)
{
	struct native *native = native_of(state);
	char text[256];

	if (!native_is_v1(native)) {
		skip_because("tasks wait at the limit on cgroup v1 only");
	}
	begin(native, ASKED(",\"disableOOMKiller\":true"));
	native_write(native, "memory.oom_control", "1");
	assert_updated(native, LIMIT(50331648));
	native_read(native, native->path, "memory.oom_control", text, sizeof(text));
	assert_row(text, strncmp(text, "oom_kill_disable 1\n", 19) == 0);
	assert_updated(native, "{\"memory\":{\"disableOOMKiller\":false}}");
	native_read(native, native->path, "memory.oom_control", text, sizeof(text));
	assert_row(text, strncmp(text, "oom_kill_disable 0\n", 19) == 0);
}

TEST(reclaim_says_how_far_it_came_and_leaves_all_as_it_was)
{
	struct native *native = native_of(state);
	struct reclaim_request request = {
		.root = native->state.path,
		.id = NATIVE_ID,
		.to = MIB,
		.swappiness = -1,
	};
	struct reclaim_result result;

	begin(native, ASKED(""));
	native_use(native, 16);
	/* then the memory of a process stays */
	native_write(native, native_is_v1(native) ? "memory.swappiness" : "memory.swap.max", "0");
	assert_int_equal(container_reclaim(&request, &result, NULL), -EBUSY);
	assert_int_equal(result.target, MIB);
	assert_true(result.before >= 16 * MIB && result.after >= 16 * MIB);
	assert_int_equal(native_limit(native), 64 * MIB);
	assert_int_equal(file_exists_at(native->state.fd, JOURNAL), 0);

	/* as much as there is, and more */
	request.to = -1;
	request.by = (int64_t)1 << 40;
	assert_int_equal(container_reclaim(&request, &result, NULL), -EBUSY);
	assert_int_equal(result.target, 0);
	request.by = 0;
	assert_int_equal(container_reclaim(&request, &result, NULL), 0);
	assert_int_equal(result.target, result.before);
	assert_int_equal(file_exists_at(native->state.fd, JOURNAL), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		native_test(what_was_changed_by_hand_stays_unless_it_is_asked_for),
		native_test(what_is_asked_from_now_on_is_kept_beside_the_rest),
		native_test(only_notes_on_what_is_given_now_are_told),
		native_test(check_before_update_refuses_what_is_in_use),
		native_test(a_limit_below_usage_is_refused_with_both_numbers),
		native_test(crun_does_the_rest),
		native_test(memory_comes_back_when_crun_refuses_the_rest),
		native_test(an_update_that_was_interrupted_is_put_back_first),
		native_test(an_update_that_had_ended_is_not_put_back),
		native_test(who_cannot_be_updated_is_said_and_nothing_changes),
		native_test(a_switch_that_is_not_asked_for_any_more_is_off),
		native_test(reclaim_says_how_far_it_came_and_leaves_all_as_it_was),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
