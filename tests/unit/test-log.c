// SPDX-License-Identifier: GPL-2.0-or-later
#include "cli/log.h"

#include "base/file.h"
#include "base/json.h"
#include "test.h"

/* Run `log_line` with standard error in a file of `dir`. */
static void log_quietly(const struct scratch *dir, const struct log *log, enum log_level level,
			const char *text)
{
	int saved = dup(STDERR_FILENO);
	int fd = openat(dir->fd, "stderr", O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);

	assert_true(saved >= 0 && fd >= 0);
	fflush(stderr);
	dup2(fd, STDERR_FILENO);
	log_line(log, level, text);
	fflush(stderr);
	dup2(saved, STDERR_FILENO);
	close(saved);
	close(fd);
}

static const char *content(const struct scratch *dir, const char *name)
{
	static char text[4096];

	if (file_read_at(dir->fd, name, text, sizeof(text), NULL) < 0)
		return "-";
	return text;
}

static const char *path_in(const struct scratch *dir, const char *scheme, const char *name)
{
	static char path[128];

	snprintf(path, sizeof(path), "%s%s/%s", scheme, dir->path, name);
	return path;
}

TEST(a_line_goes_to_standard_error)
{
	auto_scratch struct scratch dir = scratch_new();
	struct log log = { 0 };

	log_quietly(&dir, &log, LOG_LEVEL_ERROR, "web: what");
	assert_string_equal(content(&dir, "stderr"), "memcrun: web: what");
	log_quietly(&dir, &log, LOG_LEVEL_WARNING, "web: what");
	assert_string_equal(content(&dir, "stderr"), "memcrun: warning: web: what");
}

TEST(a_log_file_is_appended_to)
{
	auto_scratch struct scratch dir = scratch_new();
	struct log log = { .target = path_in(&dir, "", "log") };

	log_quietly(&dir, &log, LOG_LEVEL_ERROR, "one");
	log_quietly(&dir, &log, LOG_LEVEL_WARNING, "two");
	assert_string_equal(content(&dir, "log"), "one\ntwo");
	assert_string_equal(content(&dir, "stderr"), "memcrun: warning: two");
}

TEST(a_scheme_is_no_part_of_the_path)
{
	auto_scratch struct scratch dir = scratch_new();
	struct log log = { .target = path_in(&dir, "file:", "log"), .format = "text" };

	log_quietly(&dir, &log, LOG_LEVEL_ERROR, "one");
	assert_string_equal(content(&dir, "log"), "one");
}

TEST(json_has_what_engines_look_for)
{
	auto_scratch struct scratch dir = scratch_new();
	struct log log = { .target = path_in(&dir, "", "log"), .format = "json" };
	auto_json struct json *line = NULL;
	const char *text = NULL;

	log_quietly(&dir, &log, LOG_LEVEL_WARNING, "a \"b\" \\ \xc3\xbc");
	text = content(&dir, "log");
	assert_null(strchr(text, '\n'));
	assert_int_equal(json_parse(text, strlen(text), &line, NULL), 0);
	assert_int_equal(json_get_string(json_root(line), "msg", &text, NULL), 1);
	assert_string_equal(text, "a \"b\" \\ \xc3\xbc");
	assert_int_equal(json_get_string(json_root(line), "level", &text, NULL), 1);
	assert_string_equal(text, "warning");
	assert_int_equal(json_get_string(json_root(line), "time", &text, NULL), 1);
	/* 2026-01-02T03:04:05.678901Z */
	assert_int_equal(strlen(text), 27);
	assert_int_equal(text[10], 'T');
	assert_int_equal(text[19], '.');
	assert_int_equal(text[26], 'Z');
}

TEST(a_log_that_cannot_be_written_stops_nothing)
{
	static const char *const targets[] = {
		"", "/nonexistent/log", "file:", "file:/nonexistent/log", "/", "nonsense:x",
		"syslog:", "syslog:web", "journald:", "journald:web", "/dev/full",
	};

	for (size_t i = 0; i < COUNT(targets); i++) {
		auto_scratch struct scratch dir = scratch_new();
		struct log log = { .target = targets[i], .format = i % 2 ? "json" : NULL,
				   .id = i % 3 ? "web\n" : NULL };

		log_quietly(&dir, &log, LOG_LEVEL_ERROR, "what");
		assert_string_equal(content(&dir, "stderr"), "memcrun: what");
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_line_goes_to_standard_error),
		cmocka_unit_test(a_log_file_is_appended_to),
		cmocka_unit_test(a_scheme_is_no_part_of_the_path),
		cmocka_unit_test(json_has_what_engines_look_for),
		cmocka_unit_test(a_log_that_cannot_be_written_stops_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
