// SPDX-License-Identifier: GPL-2.0-or-later
#include "oci/crun.h"

#include "test.h"

#define ARGUMENTS 16

/* A command line that may be shortened in place. */
struct line {
	int argc;
	char *argv[ARGUMENTS + 1];
};

/*
 * Words with spaces between them, and no empty ones. Each line has a place of
 * its own, for getopt keeps a pointer into the last one it read.
 */
static struct line line_of(const char *words)
{
	static char copies[256][128];
	static size_t used;
	char *copy = copies[used++ % COUNT(copies)];
	struct line line = { 0 };

	snprintf(copy, sizeof(copies[0]), "%s", words);
	for (char *word = strtok(copy, " "); word; word = strtok(NULL, " "))
		line.argv[line.argc++] = word;
	return line;
}

static const char *text_of(const struct line *line)
{
	static char text[512];
	size_t len = 0;

	text[0] = '\0';
	for (int i = 0; i < line->argc; i++)
		len += (size_t)snprintf(text + len, sizeof(text) - len, "%s%s", i ? " " : "",
					line->argv[i]);
	return text;
}

static const char *or_none(const char *text)
{
	return text ? text : "-";
}

TEST(global_options_are_read_as_crun_reads_them)
{
	static const struct {
		const char *words;
		const char *verb;
		const char *root;
		const char *log;
		const char *log_format;
		bool debug;
		bool unknown;
	} rows[] = {
		{ "memcrun", "-", "-", "-", "-", false, false },
		{ "memcrun run", "run", "-", "-", "-", false, false },
		{ "memcrun --root /r run", "run", "/r", "-", "-", false, false },
		{ "memcrun --root=/r run", "run", "/r", "-", "-", false, false },
		/* Of --root and of --rootless, which are one to crun. */
		{ "memcrun --roo /r run", "run", "/r", "-", "-", false, false },
		{ "memcrun --c cgroupfs run", "run", "-", "-", "-", false, false },
		{ "memcrun --log /l --log-format json run", "run", "-", "/l", "json", false, false },
		{ "memcrun --log=/l --log-f=json run", "run", "-", "/l", "json", false, false },
		{ "memcrun --log-level debug run", "run", "-", "-", "-", false, false },
		{ "memcrun --debug --systemd-cgroup run", "run", "-", "-", "-", true, false },
		{ "memcrun --cgroup-manager systemd create", "create", "-", "-", "-", false, false },
		{ "memcrun --rootless true run", "run", "true", "-", "-", false, false },
		{ "memcrun -- run", "run", "-", "-", "-", false, false },
		{ "memcrun --debug -- run --root x", "run", "-", "-", "-", true, false },
		{ "memcrun run --root /r --debug", "run", "-", "-", "-", false, false },
		{ "memcrun --log run run", "run", "-", "run", "-", false, false },
		{ "memcrun --bogus run", "run", "-", "-", "-", false, true },
		{ "memcrun --bogus=x run", "run", "-", "-", "-", false, true },
		{ "memcrun -x run", "run", "-", "-", "-", false, true },
		{ "memcrun --l x run", "x", "-", "-", "-", false, true },
		{ "memcrun --debug=yes run", "run", "-", "-", "-", false, true },
		{ "memcrun --root", "-", "-", "-", "-", false, true },
	};

	for (size_t i = 0; i < COUNT(rows); i++) {
		struct line line = line_of(rows[i].words);
		struct crun_globals globals;

		assert_row(rows[i].words,
			   crun_globals_read(&globals, &line.argc, line.argv, NULL) == 0);
		assert_row_text(rows[i].words, text_of(&line), rows[i].words);
		assert_row_text(rows[i].words, or_none(line.argv[globals.verb]), rows[i].verb);
		assert_row_text(rows[i].words, or_none(globals.root), rows[i].root);
		assert_row_text(rows[i].words, or_none(globals.log), rows[i].log);
		assert_row_text(rows[i].words, or_none(globals.log_format), rows[i].log_format);
		assert_row(rows[i].words, globals.debug == rows[i].debug);
		assert_row(rows[i].words, globals.unknown == rows[i].unknown);
	}
}

TEST(help_and_version_are_seen)
{
	static const struct {
		const char *words;
		bool help;
		bool version;
	} rows[] = {
		{ "memcrun --help", true, false },	{ "memcrun --hel run", true, false },
		{ "memcrun --version", false, true },	{ "memcrun -v", false, true },
		{ "memcrun -V", false, true },		{ "memcrun --vers", false, true },
		{ "memcrun run --help", false, false }, { "memcrun -- --help", false, false },
	};

	for (size_t i = 0; i < COUNT(rows); i++) {
		struct line line = line_of(rows[i].words);
		struct crun_globals globals;

		assert_int_equal(crun_globals_read(&globals, &line.argc, line.argv, NULL), 0);
		assert_row(rows[i].words, globals.help == rows[i].help);
		assert_row(rows[i].words, globals.version == rows[i].version);
	}
}

TEST(our_option_is_taken_out_at_any_place)
{
	static const struct {
		const char *words;
		const char *left;
		const char *program;
		const char *verb;
	} rows[] = {
		{ "memcrun --crun /c run x", "memcrun run x", "/c", "run" },
		{ "memcrun --crun=/c run x", "memcrun run x", "/c", "run" },
		{ "memcrun --cru /c run x", "memcrun --cru /c run x", CRUN_PATH, "/c" },
		{ "memcrun --debug --crun /c run", "memcrun --debug run", "/c", "run" },
		{ "memcrun --crun /c --debug run", "memcrun --debug run", "/c", "run" },
		{ "memcrun --root /r --crun=/c --log /l run", "memcrun --root /r --log /l run", "/c",
		  "run" },
		{ "memcrun --crun /a --crun=/b run", "memcrun run", "/b", "run" },
		{ "memcrun --crun /c -- run", "memcrun -- run", "/c", "run" },
		{ "memcrun --crun /c", "memcrun", "/c", "-" },
		{ "memcrun run --crun /c", "memcrun run --crun /c", CRUN_PATH, "run" },
		{ "memcrun -- run --crun /c", "memcrun -- run --crun /c", CRUN_PATH, "run" },
		{ "memcrun --root --crun run", "memcrun --root --crun run", CRUN_PATH, "run" },
		{ "memcrun --bogus --crun /c run", "memcrun --bogus run", "/c", "run" },
	};

	for (size_t i = 0; i < COUNT(rows); i++) {
		struct line line = line_of(rows[i].words);
		struct crun_globals globals;

		assert_row(rows[i].words,
			   crun_globals_read(&globals, &line.argc, line.argv, NULL) == 0);
		assert_row_text(rows[i].words, text_of(&line), rows[i].left);
		assert_row_text(rows[i].words, globals.program, rows[i].program);
		assert_row_text(rows[i].words, or_none(line.argv[globals.verb]), rows[i].verb);
		assert_row(rows[i].words, line.argv[line.argc] == NULL);
	}
}

TEST(our_option_needs_a_path)
{
	struct line line = line_of("memcrun --crun");
	struct crun_globals globals;
	struct error err;

	assert_int_equal(crun_globals_read(&globals, &line.argc, line.argv, &err), -EINVAL);
	assert_string_equal(err.text, "--crun: needs a path");
}

TEST(the_options_of_create_are_read_as_crun_reads_them)
{
	static const struct {
		const char *words;
		const char *bundle;
		const char *config;
		const char *id;
		int options_end;
		bool unknown;
		bool help;
		long preserve_fds;
	} rows[] = {
		{ "m run web", "-", "-", "web", 2, false, false, 0 },
		{ "m run --bundle /b web", "/b", "-", "web", 4, false, false, 0 },
		{ "m run --bundle=/b web", "/b", "-", "web", 3, false, false, 0 },
		{ "m run --bun /b web", "/b", "-", "web", 4, false, false, 0 },
		{ "m run -b /b web", "/b", "-", "web", 4, false, false, 0 },
		{ "m run -b/b web", "/b", "-", "web", 3, false, false, 0 },
		{ "m run -db /b web", "/b", "-", "web", 4, false, false, 0 },
		{ "m run -db/b web", "/b", "-", "web", 3, false, false, 0 },
		{ "m run -f /c web", "-", "/c", "web", 4, false, false, 0 },
		{ "m run --config /c web", "-", "/c", "web", 4, false, false, 0 },
		{ "m run --conf=/c web", "-", "/c", "web", 3, false, false, 0 },
		{ "m run -f /a -f /c web", "-", "/c", "web", 6, false, false, 0 },
		{ "m run --detach --pid-file /p --console-socket /s web", "-", "-", "web", 7, false,
		  false, 0 },
		{ "m run --keep --no-pivot --no-subreaper --no-new-keyring web", "-", "-", "web", 6,
		  false, false, 0 },
		{ "m run --preserve-fds 5 web", "-", "-", "web", 4, false, false, 5 },
		{ "m run --preserve-fds=5 web", "-", "-", "web", 3, false, false, 5 },
		{ "m run -- web", "-", "-", "web", 2, false, false, 0 },
		{ "m run -b /b -- web", "/b", "-", "web", 4, false, false, 0 },
		{ "m run -- -b", "-", "-", "-b", 2, false, false, 0 },
		{ "m run web -b /b", "-", "-", "web", 2, false, false, 0 },
		{ "m run", "-", "-", "-", 2, false, false, 0 },
		{ "m run -b /b", "/b", "-", "-", 4, false, false, 0 },
		{ "m run --bogus web", "-", "-", "web", 3, true, false, 0 },
		{ "m run -x web", "-", "-", "web", 3, true, false, 0 },
		{ "m run --bundle", "-", "-", "-", 3, true, false, 0 },
		{ "m run --help", "-", "-", "-", 3, false, true, 0 },
		{ "m run --usage web", "-", "-", "web", 3, false, true, 0 },
	};

	for (size_t i = 0; i < COUNT(rows); i++) {
		struct line line = line_of(rows[i].words);
		struct crun_create create;

		crun_create_read(&create, line.argc, line.argv, 1);
		assert_row_text(rows[i].words, text_of(&line), rows[i].words);
		assert_row_text(rows[i].words, or_none(create.bundle), rows[i].bundle);
		assert_row_text(rows[i].words, or_none(create.config), rows[i].config);
		assert_row_text(rows[i].words, or_none(line.argv[create.id]), rows[i].id);
		assert_row(rows[i].words, create.options_end == rows[i].options_end);
		assert_row(rows[i].words, create.unknown == rows[i].unknown);
		assert_row(rows[i].words, create.help == rows[i].help);
		assert_row(rows[i].words, create.preserve_fds == rows[i].preserve_fds);
	}
}

TEST(a_verb_behind_global_options_is_read_from_there)
{
	struct line line = line_of("m --root /r -- create -b /b web more");
	struct crun_globals globals;
	struct crun_create create;

	assert_int_equal(crun_globals_read(&globals, &line.argc, line.argv, NULL), 0);
	crun_create_read(&create, line.argc, line.argv, globals.verb);
	assert_string_equal(create.bundle, "/b");
	assert_string_equal(line.argv[create.id], "web");
	assert_int_equal(create.options_end, create.id);
}

TEST(reading_one_line_leaves_nothing_for_the_next)
{
	for (int i = 0; i < 3; i++) {
		struct line line = line_of("m --debug run -db /b web");
		struct crun_globals globals;
		struct crun_create create;

		assert_int_equal(crun_globals_read(&globals, &line.argc, line.argv, NULL), 0);
		crun_create_read(&create, line.argc, line.argv, globals.verb);
		assert_string_equal(line.argv[globals.verb], "run");
		assert_string_equal(create.bundle, "/b");
	}
}

TEST(the_config_is_the_one_that_crun_would_read)
{
	static const struct {
		const char *bundle;
		const char *config;
		const char *path;
	} rows[] = {
		{ NULL, NULL, "config.json" },
		{ "/b", NULL, "/b/config.json" },
		{ "b", NULL, "b/config.json" },
		{ "/b", "config.json", "/b/config.json" },
		{ NULL, "config.json", "config.json" },
		{ "/b", "other.json", "other.json" },
		{ "/b", "/c/other.json", "/c/other.json" },
		{ "/b", "./config.json", "./config.json" },
		{ "/b", "/dev/stdin", "/dev/stdin" },
	};

	for (size_t i = 0; i < COUNT(rows); i++) {
		struct crun_create create = { .bundle = rows[i].bundle, .config = rows[i].config };
		auto_free char *path = crun_config_path(&create);

		assert_row_text(rows[i].path, path, rows[i].path);
	}
}

TEST(the_config_is_handed_over_above_all_fds_of_the_container)
{
	static const struct {
		long preserve;
		const char *listen;
		int least;
	} rows[] = {
		{ 0, NULL, 3 },	 { 5, NULL, 8 },   { 0, "4", 7 },      { 5, "4", 12 },
		{ -1, NULL, 3 }, { 0, "-9", 3 },   { 0, "junk", 3 },   { 0, "", 3 },
		{ 300, "100", 403 },
	};
	struct crun_create none = { .preserve_fds = LONG_MAX };

	for (size_t i = 0; i < COUNT(rows); i++) {
		struct crun_create create = { .preserve_fds = rows[i].preserve };
		auto_close int fd = -1;
		char text[16] = "";

		if (rows[i].listen)
			setenv("LISTEN_FDS", rows[i].listen, 1);
		else
			unsetenv("LISTEN_FDS");
		fd = crun_config_fd(&create, "{}\n", 3, NULL);
		assert_true(fd >= rows[i].least);
		assert_int_equal(fcntl(fd, F_GETFD), 0);
		assert_int_equal(pread(fd, text, sizeof(text), 0), 3);
		assert_string_equal(text, "{}\n");
	}
	/* Below so many the container would get the config too. */
	assert_true(crun_config_fd(&none, "{}\n", 3, NULL) < 0);
	setenv("LISTEN_FDS", "99999999999", 1);
	assert_true(crun_config_fd(&none, "{}\n", 3, NULL) < 0);
	unsetenv("LISTEN_FDS");
}

TEST(a_crun_that_is_missing_is_named)
{
	struct crun_globals globals = { .program = "/nonexistent/crun" };
	struct line line = line_of("memcrun list");
	struct caller caller;
	struct error err;

	caller_begin(&caller, NULL);
	assert_int_equal(crun_exec(&globals, &caller, line.argc, line.argv, NULL, -1, &err),
			 -ENOENT);
	assert_string_equal(err.text,
			    "/nonexistent/crun: cannot run: No such file or directory");
}

TEST(a_crun_that_is_ourselves_is_refused)
{
	struct crun_globals globals = { .program = "/proc/self/exe" };
	struct line line = line_of("memcrun list");
	struct caller caller;
	struct error err;

	caller_begin(&caller, NULL);
	assert_int_equal(crun_exec(&globals, &caller, line.argc, line.argv, NULL, -1, &err),
			 -ELOOP);
	assert_string_equal(err.text, "--crun: is memcrun itself, \"/proc/self/exe\"");
}

TEST(the_options_of_delete_are_read_as_crun_reads_them)
{
	static const struct {
		const char *text;
		bool force;
		const char *id;
	} rows[] = {
		{ "delete web", false, "web" },
		{ "delete -f web", true, "web" },
		{ "delete --force web", true, "web" },
		{ "delete --fo -- web", true, "web" },
		/* not one container by its name: crun alone knows which */
		{ "delete -r we.*", false, NULL },
		{ "delete -fr we.*", true, NULL },
		{ "delete web other", false, NULL },
		{ "delete", false, NULL },
		{ "delete --help web", false, NULL },
		{ "delete --unheard-of web", false, NULL },
	};

	for (size_t i = 0; i < COUNT(rows); i++) {
		struct line line = line_of(rows[i].text);
		struct crun_delete delete;

		crun_delete_read(&delete, line.argc, line.argv, 0);
		assert_row(rows[i].text, delete.force == rows[i].force);
		assert_row(rows[i].text, !delete.id == !rows[i].id);
		if (delete.id)
			assert_row_text(rows[i].text, delete.id, rows[i].id);
	}
}

TEST(the_container_of_other_verbs_is_found_as_crun_finds_it)
{
	static const struct {
		const char *text;
		const char *id;
		const char *what;	/* n: new, c: its cgroup is used */
	} rows[] = {
		{ "start web", "web", "" },
		{ "start -- web", "web", "" },
		{ "state web", "web", "" },
		{ "kill web KILL", "web", "" },
		{ "kill --regex we.*", NULL, "" },
		{ "kill -ra we.*", NULL, "" },
		{ "kill -a web", "web", "c" },
		{ "kill --al -- web", "web", "c" },
		{ "pause web", "web", "c" },
		{ "resume web", "web", "c" },
		{ "ps -f json web", "web", "c" },
		{ "ps --format=json web", "web", "c" },
		{ "ps -fjson web", "web", "c" },
		{ "exec web ls -l", "web", "c" },
		{ "exec -t web ls", "web", "c" },
		{ "exec -dt web ls", "web", "c" },
		{ "exec -td -p p.json web", "web", "c" },
		{ "exec -dp p.json web", "web", "c" },
		{ "exec -u 1:1 -e A=b --cwd / web ls", "web", "c" },
		{ "exec --tty --pid-file p -- web ls", "web", "c" },
		{ "exec --cgroup x --preserve-fds 3 web ls", "web", "c" },
		{ "checkpoint --image-path i --pre-dump web", "web", "c" },
		{ "restore -b b --image-path=i -d web", "web", "n" },
		{ "mounts add web file", "web", "" },
		{ "mounts web", NULL, "" },
		{ "exec", NULL, "" },
		{ "exec --help web", NULL, "" },
		{ "exec --unheard-of web ls", NULL, "" },
		{ "exec -Z web ls", NULL, "" },
		{ "exec --user", NULL, "" },
		{ "list web", NULL, "" },
		{ "spec web", NULL, "" },
		{ "frobnicate web", NULL, "" },
	};

	for (size_t i = 0; i < COUNT(rows); i++) {
		struct line line = line_of(rows[i].text);
		struct crun_container seen;

		crun_container_read(&seen, line.argc, line.argv, 0);
		assert_row(rows[i].text, !seen.id == !rows[i].id);
		if (seen.id)
			assert_row_text(rows[i].text, seen.id, rows[i].id);
		assert_row(rows[i].text, seen.is_new == (strchr(rows[i].what, 'n') != NULL));
		assert_row(rows[i].text, seen.uses_cgroup == (strchr(rows[i].what, 'c') != NULL));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(global_options_are_read_as_crun_reads_them),
		cmocka_unit_test(help_and_version_are_seen),
		cmocka_unit_test(our_option_is_taken_out_at_any_place),
		cmocka_unit_test(our_option_needs_a_path),
		cmocka_unit_test(the_options_of_create_are_read_as_crun_reads_them),
		cmocka_unit_test(a_verb_behind_global_options_is_read_from_there),
		cmocka_unit_test(reading_one_line_leaves_nothing_for_the_next),
		cmocka_unit_test(the_config_is_the_one_that_crun_would_read),
		cmocka_unit_test(the_config_is_handed_over_above_all_fds_of_the_container),
		cmocka_unit_test(a_crun_that_is_missing_is_named),
		cmocka_unit_test(a_crun_that_is_ourselves_is_refused),
		cmocka_unit_test(the_options_of_delete_are_read_as_crun_reads_them),
		cmocka_unit_test(the_container_of_other_verbs_is_found_as_crun_finds_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
