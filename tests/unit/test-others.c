// SPDX-License-Identifier: GPL-2.0-or-later
#include "move/others.h"

#include <sys/file.h>

#include "kernel/tree.h"
#include "move/destination.h"
#include "test.h"

/* ROOT with the container "web", at /web, and cgroups beside it. */
struct scene {
	struct scratch root;
	struct scratch cgroups;
	struct hierarchies hierarchies;
	struct status status;
	struct journal journal;
};

static void scene_free(struct scene *scene)
{
	journal_free(&scene->journal);
	status_close(&scene->status);
	scratch_remove(&scene->root);
	scratch_remove(&scene->cgroups);
}

#define auto_scene __attribute__((cleanup(scene_free)))

static void cgroup(const struct scene *scene, const char *path)
{
	assert_true(tree_make(&scene->hierarchies.each[0], path, NULL) >= 0);
}

static void record(const struct scene *scene, const char *id, const char *path)
{
	char name[100], text[200];

	scratch_dir(&scene->root, id);
	snprintf(name, sizeof(name), "%s/status", id);
	snprintf(text, sizeof(text), "{\"pid\":1,\"cgroup-path\":\"%s\"}", path);
	scratch_file(&scene->root, name, text);
}

static struct scene scene_new(const char *to)
{
	struct scene scene = {
		.root = scratch_new(),
		.cgroups = scratch_new(),
		.status = STATUS_NONE,
		.journal = { .from = { .top = strdup("/t/web"), .cgroup = strdup("/t/web") },
			     .to = { .top = strdup(to), .cgroup = strdup(to) } },
	};

	scene.hierarchies.count = 1;
	scene.hierarchies.each[0] = (struct hierarchy){ .root = scene.cgroups.fd,
							.mode = CGROUP_V2 };
	cgroup(&scene, "/t/web");
	record(&scene, "web", "/t/web");
	assert_int_equal(status_open(&scene.status, scene.root.path, "web", NULL), 0);
	assert_int_equal(place_take_all(&scene.journal.from, &scene.hierarchies, NULL), 0);
	return scene;
}

static int check(const struct scene *scene, struct error *err)
{
	return others_check(&scene->status, "web", &scene->journal, &scene->hierarchies, err);
}

TEST(who_shares_a_side_is_named)
{
	static const struct {
		const char *to;
		const char *path;	/* of the other, in crun's record */
		const char *found;	/* NULL: none of our business */
	} rows[] = {
		{ "/t/b", "/t/web", "/t/web" },
		{ "/t/b", "t/web/", "/t/web" },
		{ "/t/b", "/t/web/inner/deep", "/t/web/inner/deep" },
		{ "/t/b", "/t/b", "/t/b" },
		{ "/t/b", "/t/b/below", "/t/b" },
		{ "/t/b/c", "/t/b", "/t/b/c" },
		{ "/t/b", "/t/web2", NULL },
		{ "/t/b", "/t", "/t/b" },
		{ "/x", "/t", NULL },
		{ "/t/b", "", NULL },
		{ "/t/b", "/", NULL },
		{ "/t/b", "/../t/b", NULL },
	};

	for (size_t i = 0; i < COUNT(rows); i++) {
		auto_scene struct scene scene = scene_new(rows[i].to);
		struct error err = { "" };
		char wanted[100];

		if (strlen(rows[i].path) > 1 && !strstr(rows[i].path, ".."))
			cgroup(&scene, rows[i].path);
		record(&scene, "db", rows[i].path);
		assert_row(rows[i].path,
			   check(&scene, &err) == (rows[i].found ? -EBUSY : 0));
		snprintf(wanted, sizeof(wanted), "%s is also in use by container \"db\"",
			 rows[i].found ?: "");
		if (rows[i].found)
			assert_row_text(rows[i].path, err.text, wanted);
	}
}

TEST(a_record_whose_cgroup_has_gone_is_nobodys)
{
	auto_scene struct scene scene = scene_new("/t/b");

	record(&scene, "old", "/t/web/gone");
	record(&scene, "older", "/t/b");
	scratch_dir(&scene.root, "made");
	scratch_dir(&scene.root, "half");
	scratch_file(&scene.root, "half/status", "{\"pid\":");
	scratch_file(&scene.root, "file", "");
	assert_int_equal(check(&scene, NULL), 0);
}

TEST(where_an_unended_move_goes_to_is_taken)
{
	auto_scene struct scene scene = scene_new("/t/b");
	auto_journal struct journal journal = {
		.from = { .top = strdup("/t/db"), .cgroup = strdup("/t/db"),
			  .scope = strdup(""), .slice = strdup("") },
		.to = { .top = strdup("/t/b"), .cgroup = strdup("/t/b"), .scope = strdup(""),
			.slice = strdup("") },
	};
	struct status db = STATUS_NONE;
	struct error err;

	cgroup(&scene, "/t/db");
	record(&scene, "db", "/t/db");
	assert_int_equal(check(&scene, NULL), 0);
	assert_int_equal(status_open(&db, scene.root.path, "db", NULL), 0);
	assert_int_equal(journal_write(&journal, db.dirfd, NULL), 0);
	status_close(&db);
	/* nothing has been made yet */
	assert_int_equal(check(&scene, &err), -EBUSY);
	assert_string_equal(err.text, "/t/b is also in use by container \"db\"");
}

TEST(a_side_that_another_has_made_anew_is_not_ours)
{
	auto_scene struct scene scene = scene_new("/t/b");

	record(&scene, "db", "/t/web");
	assert_int_equal(check(&scene, NULL), -EBUSY);
	/* a move that has not ended: its old cgroup was removed, and then made by somebody else */
	scene.journal.from.ids[0].inode++;
	assert_int_equal(check(&scene, NULL), 0);
}

TEST(one_looks_at_a_time)
{
	auto_scene struct scene scene = scene_new("/t/b");
	struct error err;
	int fd = others_lock(&scene.status, 0, NULL);

	assert_true(fd >= 0);
	assert_int_equal(others_lock(&scene.status, 20, &err), -EBUSY);
	close(fd);
	fd = others_lock(&scene.status, 0, NULL);
	assert_true(fd >= 0);
	close(fd);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(who_shares_a_side_is_named),
		cmocka_unit_test(a_record_whose_cgroup_has_gone_is_nobodys),
		cmocka_unit_test(where_an_unended_move_goes_to_is_taken),
		cmocka_unit_test(a_side_that_another_has_made_anew_is_not_ours),
		cmocka_unit_test(one_looks_at_a_time),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
