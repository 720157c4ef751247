// SPDX-License-Identifier: GPL-2.0-or-later
#include "move/journal.h"

#include "memory/charge.h"
#include "test.h"

#define FILE_NAME "memcrun-move.json"

/* A journal's text, of which a test replaces one part. */
#define PLACE(top, cgroup) \
	"{\"top\":\"" top "\",\"cgroup\":\"" cgroup "\",\"scope\":\"\",\"slice\":\"\"}"
#define TEXT(form, from, to, late) \
	"{\"form\":" form ",\"from\":" from ",\"to\":" to ",\"types\":31,\"late\":" late "}"
#define FROM PLACE("/a/box", "/a/box")
#define TO PLACE("/b/box", "/b/box/container")
#define LATE(cgroup, file) \
	"[{\"hierarchy\":\"\",\"cgroup\":\"" cgroup "\",\"file\":\"" file "\",\"value\":\"1\"}]"

static struct journal sample(void)
{
	struct journal journal = {
		.from = { .top = strdup("/old.slice/c-1.scope"),
			  .cgroup = strdup("/old.slice/c-1.scope/container"),
			  .scope = strdup("c-1.scope"), .slice = strdup("old.slice"),
			  .id_count = 2,
			  .ids = { { "", UINT64_MAX, true }, { "cpu,cpuacct", 7, false } } },
		.to = { .top = strdup("/new.slice/c-1-m1.scope"),
			.cgroup = strdup("/new.slice/c-1-m1.scope/container"),
			.scope = strdup("c-1-m1.scope"), .slice = strdup("new.slice") },
		.systemd = true,
		.frozen = true,
		.types = CHARGE_ANON | CHARGE_KERNEL,
	};

	journal.made[0] = 2;
	journal.made[HIERARCHIES_MAX - 1] = 7;
	return journal;
}

static void assert_place(const struct place *place, const struct place *wanted)
{
	assert_string_equal(place->top, wanted->top);
	assert_string_equal(place->cgroup, wanted->cgroup);
	assert_string_equal(place->scope, wanted->scope);
	assert_string_equal(place->slice, wanted->slice);
	assert_int_equal(place->id_count, wanted->id_count);
	for (size_t i = 0; i < wanted->id_count; i++) {
		assert_string_equal(place->ids[i].hierarchy, wanted->ids[i].hierarchy);
		assert_int_equal(place->ids[i].inode, wanted->ids[i].inode);
		assert_int_equal(place->ids[i].filled, wanted->ids[i].filled);
	}
}

static void assert_journal(const struct journal *journal, const struct journal *wanted)
{
	assert_place(&journal->from, &wanted->from);
	assert_place(&journal->to, &wanted->to);
	assert_int_equal(journal->systemd, wanted->systemd);
	assert_int_equal(journal->live, wanted->live);
	assert_int_equal(journal->frozen, wanted->frozen);
	assert_int_equal(journal->types, wanted->types);
	assert_memory_equal(journal->made, wanted->made, sizeof(wanted->made));
	assert_int_equal(journal->late_count, wanted->late_count);
	for (size_t i = 0; i < wanted->late_count; i++) {
		assert_string_equal(journal->late[i].hierarchy, wanted->late[i].hierarchy);
		assert_string_equal(journal->late[i].cgroup, wanted->late[i].cgroup);
		assert_string_equal(journal->late[i].file, wanted->late[i].file);
		assert_string_equal(journal->late[i].value, wanted->late[i].value);
	}
}

TEST(what_is_written_is_read_again)
{
	auto_scratch struct scratch dir = scratch_new();
	auto_journal struct journal written = sample();
	auto_journal struct journal seen = { 0 };

	assert_int_equal(journal_write(&written, dir.fd, NULL), 0);
	assert_int_equal(journal_read(&seen, dir.fd, NULL), 0);
	assert_journal(&seen, &written);
}

TEST(only_its_owner_may_read_it)
{
	auto_scratch struct scratch dir = scratch_new();
	auto_journal struct journal written = sample();
	struct stat st;

	assert_int_equal(journal_write(&written, dir.fd, NULL), 0);
	assert_int_equal(fstatat(dir.fd, FILE_NAME, &st, AT_SYMLINK_NOFOLLOW), 0);
	assert_int_equal(st.st_mode, S_IFREG | 0600);
}

TEST(another_one_takes_its_place)
{
	auto_scratch struct scratch dir = scratch_new();
	auto_journal struct journal written = sample();
	auto_journal struct journal seen = { 0 };

	assert_int_equal(journal_add_late(&written, "", "", "a", "a long value"), 0);
	assert_int_equal(journal_write(&written, dir.fd, NULL), 0);
	journal_free(&written);
	written = sample();
	written.systemd = written.frozen = false;
	written.live = true;
	written.types = 0;
	assert_int_equal(journal_write(&written, dir.fd, NULL), 0);
	assert_int_equal(journal_read(&seen, dir.fd, NULL), 0);
	assert_journal(&seen, &written);
}

TEST(late_settings_are_kept_in_their_order)
{
	auto_scratch struct scratch dir = scratch_new();
	auto_journal struct journal written = sample();
	auto_journal struct journal seen = { 0 };

	assert_int_equal(journal_add_late(&written, "memory", "container",
					  "memory.move_charge_at_immigrate", "3"), 0);
	assert_int_equal(journal_add_late(&written, "", "", "cpuset.cpus.partition", "root"), 0);
	/* several lines, and characters that JSON escapes */
	assert_int_equal(journal_add_late(&written, "cpu,cpuacct", "a/b", "x", "1 \"2\"\n3\\"), 0);
	assert_int_equal(written.late_count, 3);
	assert_int_equal(journal_write(&written, dir.fd, NULL), 0);
	assert_int_equal(journal_read(&seen, dir.fd, NULL), 0);
	assert_journal(&seen, &written);
}

/* The kernel takes all names but these of cgroups: with "/" or a newline, "." and "..". */
TEST(cgroups_below_may_have_any_name)
{
	static const char *const names[] = {
		"cgroup.x", "\xff\xfe", "100%", "%41", "a b", "\x7f\x01\t", "\xc3\xa4", "...", ".a",
		"a/\xed\xa0\x80/cgroup.procs", "\"", "\\",
	};
	auto_scratch struct scratch dir = scratch_new();
	auto_journal struct journal written = sample();
	auto_journal struct journal seen = { 0 };

	for (size_t i = 0; i < COUNT(names); i++)
		assert_int_equal(journal_add_late(&written, "", names[i], "a", "1"), 0);
	assert_int_equal(journal_write(&written, dir.fd, NULL), 0);
	assert_int_equal(journal_read(&seen, dir.fd, NULL), 0);
	assert_journal(&seen, &written);
}

TEST(what_could_not_be_read_again_is_not_written)
{
	auto_scratch struct scratch dir = scratch_new();
	auto_journal struct journal small = sample();
	auto_journal struct journal large = sample();
	auto_journal struct journal seen = { 0 };
	struct error err;

	assert_int_equal(journal_write(&small, dir.fd, NULL), 0);
	for (size_t i = 0; i < 210000; i++)
		assert_int_equal(journal_add_late(&large, "", "a", "b", "1"), 0);
	assert_int_equal(journal_write(&large, dir.fd, &err), -EINVAL);
	assert_int_equal(strncmp(err.text, FILE_NAME ": cannot be written: ", 37), 0);
	/* the old one is what there is */
	assert_int_equal(journal_read(&seen, dir.fd, NULL), 0);
	assert_journal(&seen, &small);
}

TEST(no_move_is_under_way_where_there_is_none)
{
	auto_scratch struct scratch dir = scratch_new();
	struct journal seen = { .types = 42 };
	struct error err;

	assert_int_equal(journal_read(&seen, dir.fd, &err), -ENOENT);
	assert_string_equal(err.text,
			    FILE_NAME ": cannot open: No such file or directory");
	assert_int_equal(seen.types, 42);
}

TEST(a_journal_that_is_removed_is_gone_and_may_be_gone_already)
{
	auto_scratch struct scratch dir = scratch_new();
	auto_journal struct journal journal = sample();
	struct journal seen = { 0 };

	assert_int_equal(journal_write(&journal, dir.fd, NULL), 0);
	assert_int_equal(journal_remove(dir.fd, NULL), 0);
	assert_int_equal(journal_read(&seen, dir.fd, NULL), -ENOENT);
	assert_int_equal(journal_remove(dir.fd, NULL), 0);
}

TEST(what_a_journal_lacks_is_left_empty)
{
	auto_scratch struct scratch dir = scratch_new();
	auto_journal struct journal seen = { 0 };
	static const unsigned int none[HIERARCHIES_MAX];

	scratch_file(&dir, FILE_NAME,
		     "{\"form\":1,\"from\":{\"top\":\"/a\",\"cgroup\":\"/a\"},"
		     "\"to\":{\"top\":\"/b\",\"cgroup\":\"/b/c\"},\"unknown\":[1]}");
	assert_int_equal(journal_read(&seen, dir.fd, NULL), 0);
	assert_string_equal(seen.from.top, "/a");
	assert_string_equal(seen.to.cgroup, "/b/c");
	assert_string_equal(seen.to.scope, "");
	assert_string_equal(seen.to.slice, "");
	assert_false(seen.systemd || seen.live || seen.frozen);
	assert_int_equal(seen.types, 0);
	assert_int_equal(seen.late_count, 0);
	assert_memory_equal(seen.made, none, sizeof(none));
}

TEST(types_that_nobody_knows_are_not_taken)
{
	auto_scratch struct scratch dir = scratch_new();
	auto_journal struct journal seen = { 0 };

	scratch_file(&dir, FILE_NAME,
		     "{\"form\":1,\"from\":" FROM ",\"to\":" TO ",\"types\":255}");
	assert_int_equal(journal_read(&seen, dir.fd, NULL), 0);
	assert_int_equal(seen.types, CHARGE_ALL);
}

TEST(what_is_no_journal_of_ours_is_refused_and_nothing_is_written)
{
	static const struct {
		const char *text;
		const char *words;
	} rows[] = {
		{ "", NULL },
		{ "{\"form\":1", NULL },
		{ "[]", NULL },
		{ "{}", "form: of another memcrun, \"0\"" },
		{ "{\"form\":1}", "from: not a cgroup, \"\"" },
		{ TEXT("3", FROM, TO, "[]"), "form: of another memcrun, \"3\"" },
		{ TEXT("\"1\"", FROM, TO, "[]"), "form: not an integer, \"1\"" },
		{ TEXT("1", "[]", TO, "[]"), "from: not an object, an array" },
		{ TEXT("1", FROM, TO, "[5]"), "late[0]: not an object, \"5\"" },
		{ TEXT("1", FROM, "{\"top\":5}", "[]"), "to.top: not a string, \"5\"" },
		/* what is removed must be below a root */
		{ TEXT("1", PLACE("/", "/x"), TO, "[]"), "from: not a cgroup, \"/\"" },
		{ TEXT("1", PLACE("", ""), TO, "[]"), "from: not a cgroup, \"\"" },
		{ TEXT("1", PLACE("a", "a"), TO, "[]"), "from: not a cgroup, \"a\"" },
		{ TEXT("1", PLACE("/..", "/.."), TO, "[]"), "from: not a cgroup, \"/..\"" },
		{ TEXT("1", FROM, PLACE("/b/../../x", "/b/../../x"), "[]"),
		  "to: not a cgroup, \"/b/../../x\"" },
		{ TEXT("1", FROM, PLACE("/b/box", "/c/box"), "[]"),
		  "to: not a cgroup, \"/b/box\"" },
		{ TEXT("1", FROM, PLACE("/b/box", "/b"), "[]"),
		  "to: not a cgroup, \"/b/box\"" },
		{ TEXT("1", PLACE("//", "//x"), TO, "[]"), "from: not a cgroup, \"//\"" },
		{ TEXT("1", PLACE("/.", "/."), TO, "[]"), "from: not a cgroup, \"/.\"" },
		{ TEXT("1", PLACE("/a/./", "/a/./"), TO, "[]"), "from: not a cgroup, \"/a/./\"" },
		{ TEXT("1", PLACE("/a", "/ab"), TO, "[]"), "from: not a cgroup, \"/a\"" },
		{ TEXT("1", PLACE("/a", "/a/../../x"), TO, "[]"), "from: not a cgroup, \"/a\"" },
		{ TEXT("1", FROM, TO, LATE("", "")), "late: not a setting, \"\"" },
		{ TEXT("1", FROM, TO, LATE("", "../cgroup.kill")),
		  "late: not a setting, \"../cgroup.kill\"" },
		{ TEXT("1", FROM, TO, LATE("", "a/b")), "late: not a setting, \"a/b\"" },
		{ TEXT("1", FROM, TO, LATE("../x", "cpuset.cpus")),
		  "late: not a setting, \"cpuset.cpus\"" },
		{ TEXT("2", FROM, TO, LATE("a/", "x")), "late: not a setting, \"x\"" },
		{ TEXT("2", FROM, TO, LATE("/a", "x")), "late: not a setting, \"x\"" },
		{ TEXT("2", FROM, TO, LATE("a/../b", "x")), "late: not a setting, \"x\"" },
		{ TEXT("2", FROM, TO, LATE("%2E%2e", "x")), "late: not a setting, \"x\"" },
		{ TEXT("2", FROM, TO, LATE("a%", "x")), "late: not a setting, \"x\"" },
		{ TEXT("2", FROM, TO, LATE("a%4", "x")), "late: not a setting, \"x\"" },
		{ TEXT("2", FROM, TO, LATE("a%+4", "x")), "late: not a setting, \"x\"" },
		{ TEXT("2", FROM, TO, LATE("a%00b", "x")), "late: not a setting, \"x\"" },
		{ TEXT("2", "{\"top\":\"/a\",\"cgroup\":\"/a\",\"ids\":[{\"inode\":\"-1\"}]}", TO, "[]"),
		  "ids: not an inode number, \"-1\"" },
		{ TEXT("2", "{\"top\":\"/a\",\"cgroup\":\"/a\",\"ids\":[{\"inode\":7}]}", TO, "[]"),
		  "from.ids[0].inode: not a string, \"7\"" },
		{ TEXT("1", FROM, TO, "[{\"file\":5}]"), "late[0].file: not a string, \"5\"" },
		{ "{\"form\":1,\"form\":1}", "form: repeated key" },
	};

	for (size_t i = 0; i < COUNT(rows); i++) {
		auto_scratch struct scratch dir = scratch_new();
		struct journal seen = { .types = 42 };
		struct error err = { "" };
		char wanted[300];

		scratch_file(&dir, FILE_NAME, rows[i].text);
		assert_row(rows[i].text, journal_read(&seen, dir.fd, &err) == -EINVAL);
		snprintf(wanted, sizeof(wanted), FILE_NAME ": %s", rows[i].words ?: "");
		if (rows[i].words)
			assert_row_text(rows[i].text, err.text, wanted);
		else
			assert_row(err.text, strncmp(err.text, wanted, strlen(wanted)) == 0);
		assert_row(rows[i].text, seen.types == 42 && !seen.from.top && !seen.late);
	}
}

TEST(a_symbolic_link_is_no_journal)
{
	auto_scratch struct scratch dir = scratch_new();
	struct journal seen = { 0 };

	scratch_file(&dir, "elsewhere", TEXT("1", FROM, TO, "[]"));
	assert_int_equal(symlinkat("elsewhere", dir.fd, FILE_NAME), 0);
	assert_int_equal(journal_read(&seen, dir.fd, NULL), -ELOOP);
}

TEST(freeing_twice_is_freeing_once)
{
	struct journal journal = sample();

	assert_int_equal(journal_add_late(&journal, "a", "b", "c", "d"), 0);
	journal_free(&journal);
	journal_free(&journal);
	assert_null(journal.late);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_written_is_read_again),
		cmocka_unit_test(only_its_owner_may_read_it),
		cmocka_unit_test(another_one_takes_its_place),
		cmocka_unit_test(late_settings_are_kept_in_their_order),
		cmocka_unit_test(cgroups_below_may_have_any_name),
		cmocka_unit_test(what_could_not_be_read_again_is_not_written),
		cmocka_unit_test(no_move_is_under_way_where_there_is_none),
		cmocka_unit_test(a_journal_that_is_removed_is_gone_and_may_be_gone_already),
		cmocka_unit_test(what_a_journal_lacks_is_left_empty),
		cmocka_unit_test(types_that_nobody_knows_are_not_taken),
		cmocka_unit_test(what_is_no_journal_of_ours_is_refused_and_nothing_is_written),
		cmocka_unit_test(a_symbolic_link_is_no_journal),
		cmocka_unit_test(freeing_twice_is_freeing_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
