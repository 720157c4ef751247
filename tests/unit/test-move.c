// SPDX-License-Identifier: GPL-2.0-or-later
#include "move/move.h"

#include "container/container.h"
#include "move/destination.h"
#include "move/journal.h"
#include "native.h"
#include "oci/status.h"

#define JOURNAL NATIVE_ID "/" JOURNAL_FILE

/* The container's cgroup, below that of the test, and where it goes. */
struct moving {
	struct native *native;
	char old[80];
	char new[80];
	struct move_request request;
	struct move_result result;
	struct error err;
	/* called when the container is about to be frozen */
	void (*meanwhile)(struct moving *moving);
};

static void told(void *context, const struct control_progress *progress)
{
	struct moving *moving = context;

	if (moving->meanwhile && strcmp(progress->stage, "freeze") == 0)
		moving->meanwhile(moving);
}

static void make(const struct native *native, const char *path)
{
	for (size_t i = 0; i < native->hierarchies.count; i++)
		assert_true(tree_make(&native->hierarchies.each[i], path, NULL) >= 0);
}

static void put(const struct native *native, const char *path)
{
	for (size_t i = 0; i < native->hierarchies.count; i++)
		assert_int_equal(native_procs(&native->hierarchies.each[i], path, native->pid), 0);
}

static void begin(struct moving *moving, struct native *native)
{
	*moving = (struct moving){ .native = native };
	snprintf(moving->old, sizeof(moving->old), "%s/old", native->path);
	snprintf(moving->new, sizeof(moving->new), "%s/above/new", native->path);
	moving->request = (struct move_request){
		.root = native->state.path,
		.id = NATIVE_ID,
		.to = moving->new,
		.types = CHARGE_ALL,
		.control = { .progress = told, .context = moving },
	};
	make(native, moving->old);
	put(native, moving->old);
	native_record(native, moving->old, "{}");
}

/* The cgroup `path`, below the container's, in all hierarchies. */
static bool exists(const struct native *native, const char *top, const char *path)
{
	auto_free char *whole = tree_path(top, path);

	for (size_t i = 0; i < native->hierarchies.count; i++) {
		if (hierarchy_has(&native->hierarchies.each[i], whole))
			return true;
	}
	return false;
}

static bool holds_process(const struct native *native, const char *path)
{
	for (size_t i = 0; i < native->hierarchies.count; i++) {
		if (tasks_any(&native->hierarchies.each[i], path, NULL) != 1)
			return false;
	}
	return true;
}

/* The container is in `there` and nowhere else, for crun too; nothing is under way. */
static void assert_settled(const struct moving *moving, const char *there)
{
	const struct native *native = moving->native;
	const char *other = there == moving->new ? moving->old : moving->new;
	auto_status struct status status = STATUS_NONE;

	assert_true(holds_process(native, there));
	assert_false(exists(native, other, ""));
	assert_int_equal(file_exists_at(native->state.fd, JOURNAL), 0);
	assert_int_equal(status_open(&status, native->state.path, NATIVE_ID, NULL), 0);
	assert_string_equal(status.cgroup_path, there);
}

static const struct hierarchy *unified(const struct native *native)
{
	for (size_t i = 0; i < native->hierarchies.count; i++) {
		if (native->hierarchies.each[i].mode == CGROUP_V2)
			return &native->hierarchies.each[i];
	}
	return NULL;
}

static void set(const struct hierarchy *hierarchy, const char *path, const char *file,
		const char *value)
{
	auto_close int dirfd = -1;

	assert_int_equal(hierarchy_open(hierarchy, path, &dirfd, NULL), 0);
	assert_row(file, file_write_at(dirfd, file, value, NULL) == 0);
}

static void assert_value(const struct hierarchy *hierarchy, const char *path, const char *file,
			 const char *wanted)
{
	auto_close int dirfd = -1;
	char text[64];

	assert_int_equal(hierarchy_open(hierarchy, path, &dirfd, NULL), 0);
	assert_row(file, file_read_at(dirfd, file, text, sizeof(text), NULL) >= 0);
	assert_row_text(file, text, wanted);
}

/* A setting of v1's memory or of v2's own, whichever this machine has. */
static const char *setting(const struct native *native)
{
	return native_is_v1(native) ? "memory.swappiness" : "cgroup.max.descendants";
}

TEST(a_container_moves_there_and_back_with_its_settings)
{
	struct native *native = native_of(state);
	auto_free char *nested = NULL;
	auto_free char *nested_new = NULL;
	struct moving moving;

	begin(&moving, native);
	nested = tree_path(moving.old, "in");
	nested_new = tree_path(moving.new, "in");
	make(native, nested);
	put(native, nested);
	set(native->memory, nested, setting(native), "9");
	assert_row(moving.err.text,
		   container_move(&moving.request, &moving.result, &moving.err) == 0);
	assert_string_equal(moving.result.from, moving.old);
	assert_string_equal(moving.result.to, moving.new);
	assert_true(moving.result.tasks >= 1);
	assert_true(holds_process(native, nested_new));
	assert_value(native->memory, nested_new, setting(native), "9");
	assert_false(exists(native, moving.old, ""));
	move_result_free(&moving.result);

	/* the cgroup that was made above stays: it is in use */
	put(native, moving.new);
	moving.request.to = moving.old;
	assert_row(moving.err.text,
		   container_move(&moving.request, &moving.result, &moving.err) == 0);
	assert_settled(&moving, moving.old);
	assert_value(native->memory, nested, setting(native), "9");
	move_result_free(&moving.result);
}

TEST(a_frozen_container_stays_frozen)
{
	struct native *native = native_of(state);
	struct moving moving;
	bool frozen = false;

	if (!hierarchies_freezer(&native->hierarchies)) {
		skip_because("this machine has no freezer");
	}
	begin(&moving, native);
	assert_int_equal(freezer_write(&native->hierarchies, moving.old, true, 5000, NULL), 0);
	assert_row(moving.err.text,
		   container_move(&moving.request, &moving.result, &moving.err) == 0);
	assert_settled(&moving, moving.new);
	assert_int_equal(freezer_read(&native->hierarchies, moving.new, &frozen, NULL), 0);
	assert_true(frozen);
	freezer_write(&native->hierarchies, moving.new, false, 5000, NULL);
	move_result_free(&moving.result);
}

TEST(a_running_container_runs_on)
{
	struct native *native = native_of(state);
	struct moving moving;
	bool frozen = true;

	begin(&moving, native);
	assert_row(moving.err.text,
		   container_move(&moving.request, &moving.result, &moving.err) == 0);
	assert_settled(&moving, moving.new);
	assert_int_equal(freezer_read(&native->hierarchies, moving.new, &frozen, NULL), 0);
	assert_false(frozen);
	/* it answers */
	native_use(native, 1);
	move_result_free(&moving.result);
}

static void change_setting(struct moving *moving)
{
	set(moving->native->memory, moving->old, "memory.swappiness", "11");
}

TEST(what_changes_while_it_is_prepared_comes_along)
{
	struct native *native = native_of(state);
	struct moving moving;

	if (!native_is_v1(native)) {
		skip_because("memory is not controlled by cgroup v1 here");
	}
	begin(&moving, native);
	moving.meanwhile = change_setting;
	assert_row(moving.err.text,
		   container_move(&moving.request, &moving.result, &moving.err) == 0);
	assert_value(native->memory, moving.new, "memory.swappiness", "11");
	move_result_free(&moving.result);
}

TEST(late_settings_and_frozen_children_come_along)
{
	struct native *native = native_of(state);
	const struct hierarchy *v2 = unified(native);
	auto_free char *nested = NULL;
	auto_free char *nested_new = NULL;
	struct moving moving;

	if (!v2) {
		skip_because("cgroup v2 is not mounted here");
	}
	begin(&moving, native);
	nested = tree_path(moving.old, "in");
	nested_new = tree_path(moving.new, "in");
	make(native, nested);
	set(v2, moving.old, "cgroup.max.depth", "5");
	set(v2, nested, "cgroup.freeze", "1");
	assert_row(moving.err.text,
		   container_move(&moving.request, &moving.result, &moving.err) == 0);
	assert_settled(&moving, moving.new);
	assert_value(v2, moving.new, "cgroup.max.depth", "5");
	assert_value(v2, nested_new, "cgroup.freeze", "1");
	assert_value(v2, moving.new, "cgroup.freeze", "0");
	move_result_free(&moving.result);
}

/* While it moves its journal says from where to where, and which charges. */
static void look_at_journal(struct moving *moving)
{
	auto_journal struct journal journal = { 0 };
	auto_close int dirfd = openat(moving->native->state.fd, NATIVE_ID,
				      O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	assert_int_equal(journal_read(&journal, dirfd, NULL), 0);
	assert_string_equal(journal.from.top, moving->old);
	assert_string_equal(journal.to.top, moving->new);
	/* "above", in each hierarchy */
	assert_int_equal(journal.made[0], 1);
	moving->request.types = journal.types;
}

TEST(a_journal_is_there_before_it_stops)
{
	struct native *native = native_of(state);
	struct moving moving;

	begin(&moving, native);
	moving.meanwhile = look_at_journal;
	assert_row(moving.err.text,
		   container_move(&moving.request, &moving.result, &moving.err) == 0);
	assert_int_equal(moving.request.types, moving.result.charges ? CHARGE_ALL : 0);
	move_result_free(&moving.result);
}

TEST(a_move_that_is_interrupted_is_undone)
{
	static const volatile sig_atomic_t interrupted = SIGINT;
	struct native *native = native_of(state);
	struct moving moving;

	begin(&moving, native);
	moving.request.control.interrupted = &interrupted;
	assert_int_equal(container_move(&moving.request, &moving.result, &moving.err), -EINTR);
	assert_string_equal(moving.err.text, "nothing moved: interrupted");
	assert_true(moving.result.undone);
	assert_settled(&moving, moving.old);
	/* with all that was made for it */
	assert_false(exists(native, native->path, "above"));
	move_result_free(&moving.result);
}

TEST(what_cannot_move_is_said_and_nothing_changes)
{
	struct native *native = native_of(state);
	pid_t pid = native->pid;
	struct moving moving;

	begin(&moving, native);
	scratch_file(&native->state, JOURNAL,
		     "{\"form\":1,\"from\":{\"top\":\"/a\",\"cgroup\":\"/a\"},"
		     "\"to\":{\"top\":\"/b\",\"cgroup\":\"/b\"}}");
	assert_int_equal(container_move(&moving.request, &moving.result, &moving.err), -EALREADY);
	assert_non_null(strstr(moving.err.text, "a move to /b has not ended"));
	move_result_free(&moving.result);
	assert_int_equal(unlinkat(native->state.fd, JOURNAL, 0), 0);

	native->pid = INT_MAX;
	native_record(native, moving.old, "{}");
	native->pid = pid;
	assert_int_equal(container_move(&moving.request, &moving.result, &moving.err), -ESRCH);
	move_result_free(&moving.result);
	native_record(native, moving.old, "{}");

	moving.request.to = native->path;
	assert_int_equal(container_move(&moving.request, &moving.result, &moving.err), -EINVAL);
	move_result_free(&moving.result);
	moving.request.to = moving.new;
	assert_int_equal(container_move_resume(&moving.request, &moving.result, &moving.err),
			 -ENOENT);
	assert_string_equal(moving.err.text, "no move is under way");
	move_result_free(&moving.result);
	assert_settled(&moving, moving.old);
	assert_false(exists(native, native->path, "above"));
}

static struct place at(char *path)
{
	return (struct place){ .top = path, .cgroup = path, .scope = (char *)"", .slice = (char *)"" };
}

/* As a move leaves it whose memcrun was killed with the tasks halfway. */
static void interrupted_move(struct moving *moving, struct native *native, const char *record)
{
	struct journal journal = { .types = 0 };
	auto_close int dirfd = -1;

	begin(moving, native);
	make(native, moving->new);
	native_record(native, strcmp(record, "new") == 0 ? moving->new : moving->old, "{}");
	dirfd = openat(native->state.fd, NATIVE_ID, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	journal.from = at(moving->old);
	journal.to = at(moving->new);
	for (size_t i = 0; i < native->hierarchies.count; i++)
		journal.made[i] = 1;
	assert_int_equal(place_take_all(&journal.from, &native->hierarchies, NULL), 0);
	assert_int_equal(place_take_all(&journal.to, &native->hierarchies, NULL), 0);
	assert_int_equal(journal_write(&journal, dirfd, NULL), 0);
}

/* Also on the way back it names the direction of the beginning. */
static void look_at_direction(struct moving *moving)
{
	auto_journal struct journal journal = { 0 };
	auto_close int dirfd = openat(moving->native->state.fd, NATIVE_ID,
				      O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	assert_int_equal(journal_read(&journal, dirfd, NULL), 0);
	assert_string_equal(journal.from.top, moving->old);
	assert_string_equal(journal.to.top, moving->new);
}

TEST(a_move_whose_memcrun_died_is_ended_or_undone)
{
	static const struct {
		const char *record;
		bool resume;
	} rows[] = {
		{ "old", true }, { "new", true }, { "old", false }, { "new", false },
	};
	struct native *native = native_of(state);

	for (size_t i = 0; i < COUNT(rows); i++) {
		struct moving moving;
		int ret;

		interrupted_move(&moving, native, rows[i].record);
		moving.meanwhile = look_at_direction;
		ret = rows[i].resume ?
			      container_move_resume(&moving.request, &moving.result, &moving.err) :
			      container_move_rollback(&moving.request, &moving.result, &moving.err);
		assert_row(moving.err.text, ret == 0);
		assert_int_equal(moving.result.undone, !rows[i].resume);
		assert_settled(&moving, rows[i].resume ? moving.new : moving.old);
		assert_int_equal(exists(native, native->path, "above"), rows[i].resume);
		move_result_free(&moving.result);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		native_test(a_container_moves_there_and_back_with_its_settings),
		native_test(a_frozen_container_stays_frozen),
		native_test(a_running_container_runs_on),
		native_test(what_changes_while_it_is_prepared_comes_along),
		native_test(late_settings_and_frozen_children_come_along),
		native_test(a_journal_is_there_before_it_stops),
		native_test(a_move_that_is_interrupted_is_undone),
		native_test(what_cannot_move_is_said_and_nothing_changes),
		native_test(a_move_whose_memcrun_died_is_ended_or_undone),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
