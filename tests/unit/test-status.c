// SPDX-License-Identifier: GPL-2.0-or-later
#include "oci/status.h"

#include <sys/prctl.h>
#include <sys/wait.h>

#include "base/file.h"
#include "test.h"

/* As crun 1.8.1 writes it. */
static const char record[] =
	"{\n"
	"    \"pid\": 4711,\n"
	"    \"process-start-time\": 987654,\n"
	"    \"cgroup-path\": \"/machine.slice/libpod-1.scope/container\",\n"
	"    \"scope\": \"libpod-1.scope\",\n"
	"    \"intelrdt\": null,\n"
	"    \"rootfs\": \"/var/lib/containers/storage/overlay/1/merged\",\n"
	"    \"systemd-cgroup\": true,\n"
	"    \"bundle\": \"/var/lib/containers/storage/1/userdata\",\n"
	"    \"created\": \"2023-04-05T06:07:08.123456Z\",\n"
	"    \"detached\": true,\n"
	"    \"external_descriptors\": \"[\\\"/dev/null\\\",\\\"pipe:[1]\\\"]\"\n"
	"}\n";

static void container(const struct scratch *root, const char *id, const char *text)
{
	char path[PATH_MAX];

	scratch_dir(root, id);
	snprintf(path, sizeof(path), "%s/status", id);
	if (text)
		scratch_file(root, path, text);
}

TEST(the_record_of_crun_is_read)
{
	auto_scratch struct scratch root = scratch_new();
	auto_status struct status seen = STATUS_NONE;

	container(&root, "web", record);
	assert_int_equal(status_open(&seen, root.path, "web", NULL), 0);
	assert_int_equal(seen.pid, 4711);
	assert_int_equal(seen.start_time, 987654);
	assert_string_equal(seen.cgroup_path, "/machine.slice/libpod-1.scope/container");
	assert_string_equal(seen.scope, "libpod-1.scope");
	assert_true(seen.systemd);
	assert_int_equal(faccessat(seen.dirfd, "status", F_OK, 0), 0);
}

TEST(what_a_record_lacks_is_left_empty)
{
	static const char *const texts[] = {
		"{}",
		"{\"pid\":0,\"cgroup-path\":\"\",\"scope\":\"\",\"systemd-cgroup\":false}",
		"{\"pid\":null,\"process-start-time\":null}",
		"{\"cgroup-path\":null,\"scope\":null,\"systemd-cgroup\":null}",
	};

	for (size_t i = 0; i < COUNT(texts); i++) {
		auto_scratch struct scratch root = scratch_new();
		auto_status struct status seen = STATUS_NONE;

		container(&root, "web", texts[i]);
		assert_row(texts[i], status_open(&seen, root.path, "web", NULL) == 0);
		assert_row(texts[i], !seen.pid && !seen.start_time && !seen.systemd);
		assert_row_text(texts[i], seen.cgroup_path, "");
		assert_row_text(texts[i], seen.scope, "");
	}
}

TEST(what_is_no_record_is_refused_and_nothing_is_written)
{
	static const struct {
		const char *text;
		const char *words;
	} rows[] = {
		{ "", NULL },
		{ "{", NULL },
		{ "[]", "not an object" },
		{ "{\"pid\":\"1\"}", "pid: not an integer, \"1\"" },
		{ "{\"pid\":-1}", "pid: out of range, \"-1\"" },
		{ "{\"pid\":2147483648}", "pid: out of range, \"2147483648\"" },
		{ "{\"cgroup-path\":5}", "cgroup-path: not a string, \"5\"" },
		{ "{\"scope\":[]}", "scope: not a string, an array" },
		{ "{\"systemd-cgroup\":1}", NULL },
		{ "{\"pid\":1,\"pid\":1}", "pid: repeated key" },
	};

	for (size_t i = 0; i < COUNT(rows); i++) {
		auto_scratch struct scratch root = scratch_new();
		struct status seen = { .dirfd = -7, .pid = 42 };
		struct error err = { "" };
		char wanted[300];

		container(&root, "web", rows[i].text);
		assert_row(rows[i].text, status_open(&seen, root.path, "web", &err) == -EINVAL);
		snprintf(wanted, sizeof(wanted), "%s/web/status: %s", root.path,
			 rows[i].words ?: "");
		if (rows[i].words)
			assert_row_text(rows[i].text, err.text, wanted);
		else
			assert_row(err.text, strncmp(err.text, wanted, strlen(wanted)) == 0);
		assert_row(rows[i].text, seen.dirfd == -7 && seen.pid == 42);
	}
}

TEST(a_container_that_is_not_there_is_said)
{
	auto_scratch struct scratch root = scratch_new();
	struct status seen = STATUS_NONE;
	struct error err;
	char wanted[200];

	assert_int_equal(status_open(&seen, root.path, "web", &err), -ENOENT);
	snprintf(wanted, sizeof(wanted), "no such container, \"%s/web\"", root.path);
	assert_string_equal(err.text, wanted);

	/* one that crun is about to create, or has half removed */
	container(&root, "half", NULL);
	assert_int_equal(status_open(&seen, root.path, "half", &err), -ENOENT);
	snprintf(wanted, sizeof(wanted), "%s/half/status: cannot open: No such file or directory",
		 root.path);
	assert_string_equal(err.text, wanted);
	assert_int_equal(seen.dirfd, -1);
}

TEST(what_would_be_another_directory_is_no_name)
{
	static const char *const names[] = {
		"", ".", "..", "../web", "a/b", "/web", "web/", "a/../../b", ".cache",
		".empty-directory",
	};
	auto_scratch struct scratch root = scratch_new();

	container(&root, "web", record);
	scratch_dir(&root, "a");
	container(&root, "a/b", record);
	container(&root, ".cache", record);
	container(&root, ".empty-directory", record);
	for (size_t i = 0; i < COUNT(names); i++) {
		struct status seen = STATUS_NONE;
		struct error err = { "" };
		char wanted[64];

		assert_row(names[i], status_open(&seen, root.path, names[i], &err) == -EINVAL);
		snprintf(wanted, sizeof(wanted), "not a container's name, \"%s\"", names[i]);
		assert_row_text(names[i], err.text, wanted);
	}
}

TEST(a_name_that_older_runtimes_gave_is_found)
{
	static const char *const names[] = { ".web", "...", "a b", "-x", "ö", "a\nb", "~" };
	auto_scratch struct scratch root = scratch_new();

	for (size_t i = 0; i < COUNT(names); i++) {
		auto_status struct status seen = STATUS_NONE;

		container(&root, names[i], record);
		assert_row(names[i], status_open(&seen, root.path, names[i], NULL) == 0);
	}
}

TEST(a_new_name_is_one_that_every_crun_takes)
{
	static const char *const good[] = { "web", "-x", "a.b", "A_b+C-9", "0" };
	static const char *const bad[] = {
		"", ".", "..", "a/b", ".web", "a b", "ö", "a\nb", "~", "a:b", "a@b", "a%",
	};

	for (size_t i = 0; i < COUNT(good); i++)
		assert_row(good[i], status_check_new_id(good[i], NULL) == 0);
	for (size_t i = 0; i < COUNT(bad); i++)
		assert_row(bad[i], status_check_new_id(bad[i], NULL) == -EINVAL);
}

/* Field 22 of /proc/self/stat, by counting. */
static int64_t own_start_time(void)
{
	char text[1024], *field;

	assert_true(file_read_at(AT_FDCWD, "/proc/self/stat", text, sizeof(text), NULL) > 0);
	field = strrchr(text, ')') + 2;
	for (int i = 3; i < 22; i++)
		field = strchr(field, ' ') + 1;
	return strtoll(field, NULL, 10);
}

TEST(a_process_runs_while_it_is_the_same)
{
	int64_t started = own_start_time();
	struct status status = { .dirfd = -1, .pid = getpid(), .start_time = started };

	assert_int_equal(status_running(&status), 1);
	/* another one has got its pid */
	status.start_time = started + 1;
	assert_int_equal(status_running(&status), 0);
	status.start_time = started - 1;
	assert_int_equal(status_running(&status), 0);
	/* an older crun did not record it */
	status.start_time = 0;
	assert_int_equal(status_running(&status), 1);
}

TEST(a_name_cannot_pretend_to_be_the_rest_of_the_line)
{
	struct status status = { .dirfd = -1, .pid = getpid(), .start_time = own_start_time() };
	char name[16];

	assert_int_equal(prctl(PR_GET_NAME, name), 0);
	assert_int_equal(prctl(PR_SET_NAME, "a) Z 1 (2) X 3"), 0);
	assert_int_equal(status_running(&status), 1);
	assert_int_equal(prctl(PR_SET_NAME, name), 0);
}

TEST(who_has_ended_does_not_run)
{
	struct status status = { .dirfd = -1 };
	siginfo_t info;

	assert_int_equal(status_running(&status), 0);
	status.pid = fork();
	if (status.pid == 0)
		_exit(0);
	/* dead, and not waited for yet */
	assert_int_equal(waitid(P_PID, (id_t)status.pid, &info, WEXITED | WNOWAIT), 0);
	assert_int_equal(status_running(&status), 0);
	assert_int_equal(waitpid(status.pid, NULL, 0), status.pid);
	assert_int_equal(status_running(&status), 0);
}

TEST(another_cgroup_leaves_all_else_as_it_was)
{
	auto_scratch struct scratch root = scratch_new();
	auto_status struct status status = STATUS_NONE;
	auto_status struct status again = STATUS_NONE;
	auto_free char *text = NULL;
	auto_close int fd = -1;
	static const char *const kept[] = {
		"\"pid\": 4711,", "\"process-start-time\": 987654,", "\"intelrdt\": null,",
		"\"rootfs\": \"/var/lib/containers/storage/overlay/1/merged\",",
		"\"systemd-cgroup\": true,",
		"\"bundle\": \"/var/lib/containers/storage/1/userdata\",",
		"\"created\": \"2023-04-05T06:07:08.123456Z\",", "\"detached\": true,",
		"\"external_descriptors\": \"[\\\"/dev/null\\\",\\\"pipe:[1]\\\"]\"",
	};
	struct stat st;
	size_t len;

	container(&root, "web", record);
	assert_int_equal(fchmodat(root.fd, "web/status", 0640, 0), 0);
	assert_int_equal(status_open(&status, root.path, "web", NULL), 0);
	assert_int_equal(status_set_cgroup(&status, "/new.slice/libpod-1-m1.scope/container",
					   "libpod-1-m1.scope", NULL), 0);
	assert_string_equal(status.cgroup_path, "/new.slice/libpod-1-m1.scope/container");
	assert_string_equal(status.scope, "libpod-1-m1.scope");

	assert_int_equal(status_open(&again, root.path, "web", NULL), 0);
	assert_string_equal(again.cgroup_path, "/new.slice/libpod-1-m1.scope/container");
	assert_string_equal(again.scope, "libpod-1-m1.scope");
	assert_int_equal(again.start_time, 987654);

	fd = openat(root.fd, "web/status", O_RDONLY | O_CLOEXEC);
	assert_int_equal(file_read_all(fd, 1 << 16, &text, &len, NULL), 0);
	for (size_t i = 0; i < COUNT(kept); i++)
		assert_row(kept[i], strstr(text, kept[i]) != NULL);
	assert_null(strstr(text, "machine.slice"));
	assert_int_equal(fstat(fd, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0640);
}

TEST(a_record_that_cannot_be_replaced_is_as_it_was)
{
	auto_scratch struct scratch root = scratch_new();
	auto_status struct status status = STATUS_NONE;
	char text[2048];
	struct error err;

	container(&root, "web", record);
	/* in the way of the new file, and not to be removed */
	scratch_dir(&root, "web/.status.new");
	assert_int_equal(status_open(&status, root.path, "web", NULL), 0);
	assert_true(status_set_cgroup(&status, "/new", "", &err) < 0);
	assert_int_equal(file_read_at(root.fd, "web/status", text, sizeof(text), NULL),
			 strlen(record) - 1);
	assert_int_equal(strncmp(text, record, strlen(text)), 0);
}

TEST(closing_twice_is_closing_once)
{
	auto_scratch struct scratch root = scratch_new();
	struct status seen = STATUS_NONE;

	container(&root, "web", record);
	assert_int_equal(status_open(&seen, root.path, "web", NULL), 0);
	status_close(&seen);
	assert_int_equal(seen.dirfd, -1);
	status_close(&seen);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_record_of_crun_is_read),
		cmocka_unit_test(what_a_record_lacks_is_left_empty),
		cmocka_unit_test(what_is_no_record_is_refused_and_nothing_is_written),
		cmocka_unit_test(a_container_that_is_not_there_is_said),
		cmocka_unit_test(what_would_be_another_directory_is_no_name),
		cmocka_unit_test(a_name_that_older_runtimes_gave_is_found),
		cmocka_unit_test(a_new_name_is_one_that_every_crun_takes),
		cmocka_unit_test(a_process_runs_while_it_is_the_same),
		cmocka_unit_test(a_name_cannot_pretend_to_be_the_rest_of_the_line),
		cmocka_unit_test(who_has_ended_does_not_run),
		cmocka_unit_test(another_cgroup_leaves_all_else_as_it_was),
		cmocka_unit_test(a_record_that_cannot_be_replaced_is_as_it_was),
		cmocka_unit_test(closing_twice_is_closing_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
