// SPDX-License-Identifier: GPL-2.0-or-later
#include "container/stats.h"

#include "test.h"

#define UNLIMITED "18446744073709551615"

/* A container in /box of hierarchies that are directories of `dir`: "" or names with blanks. */
static struct container container_of(const struct scratch *dir, const char *names)
{
	struct container container = { .place.cgroup = (char *)"/box" };
	auto_free char *copy = strdup(names);
	char *name, *rest = copy;

	while ((name = strsep(&rest, " "))) {
		struct hierarchy *hierarchy =
			&container.hierarchies.each[container.hierarchies.count++];

		hierarchy->mode = *name ? CGROUP_V1 : CGROUP_V2;
		strcpy(hierarchy->name, name);
		if (*name)
			scratch_dir(dir, name);
		hierarchy->root = openat(dir->fd, *name ? name : ".",
					 O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		assert_int_equal(mkdirat(hierarchy->root, "box", 0755), 0);
	}
	return container;
}

/* What stats_put() says, as text without white space. */
static void read_stats(struct container *container, char **text)
{
	auto_json struct json *document = json_new();
	struct error err = { "" };
	size_t len;

	container->memory = &container->hierarchies.each[0];
	assert_row(err.text, stats_put(document, json_root(document), container, &err) == 0);
	assert_int_equal(json_write(document, json_root(document), false, text, &len, NULL), 0);
	hierarchies_close(&container->hierarchies);
}

static void assert_has(const char *text, const char *wanted)
{
	if (!strstr(text, wanted))
		fail_msg("%s is not in %s", wanted, text);
}

static void v2_files(const struct scratch *dir)
{
	scratch_file(dir, "box/cpu.stat",
		     "usage_usec 7\nuser_usec 5\nsystem_usec 2\nnr_periods_all 8\nnr_periods 3\n"
		     "nr_throttled 4\nthrottled_usec 6\n");
	scratch_file(dir, "box/memory.stat", "anon 1\nfile_mapped 9\nfile 4096\n");
	scratch_file(dir, "box/memory.current", "1000\n");
	scratch_file(dir, "box/memory.swap.current", "24\n");
	scratch_file(dir, "box/memory.max", "67108864\n");
	scratch_file(dir, "box/memory.swap.max", "33554432\n");
	scratch_file(dir, "box/memory.peak", "2000\n");
	scratch_file(dir, "box/memory.events", "low 1\nmax 5\noom 2\n");
	scratch_file(dir, "box/pids.current", "3\n");
	scratch_file(dir, "box/pids.max", "max\n");
	scratch_file(dir, "box/io.stat", "8:16 rbytes=1 wbytes=2 rios=3 wios=4 dbytes=5 dios=6\n");
	scratch_file(dir, "box/hugetlb.2MB.current", "2097152\n");
}

TEST(v2_is_said_in_runcs_form)
{
	auto_scratch struct scratch dir = scratch_new();
	struct container container = container_of(&dir, "");
	auto_free char *text = NULL;

	v2_files(&dir);
	read_stats(&container, &text);
	assert_has(text, "\"usage\":{\"total\":7000,\"kernel\":2000,\"user\":5000}");
	assert_has(text, "\"throttling\":{\"periods\":3,\"throttledPeriods\":4,"
			 "\"throttledTime\":6000}");
	assert_has(text, "\"cache\":4096");
	assert_has(text, "\"usage\":{\"limit\":67108864,\"usage\":1000,\"max\":2000,\"failcnt\":5}");
	/* memory and swap together */
	assert_has(text, "\"swap\":{\"limit\":100663296,\"usage\":1024,\"failcnt\":0}");
	assert_has(text, "\"raw\":{\"anon\":1,\"file_mapped\":9,\"file\":4096}");
	assert_has(text, "\"pids\":{\"current\":3}");
	assert_has(text, "\"ioServiceBytesRecursive\":["
			 "{\"major\":8,\"minor\":16,\"op\":\"Read\",\"value\":1},"
			 "{\"major\":8,\"minor\":16,\"op\":\"Write\",\"value\":2}]");
	assert_has(text, "\"ioServicedRecursive\":["
			 "{\"major\":8,\"minor\":16,\"op\":\"Read\",\"value\":3},"
			 "{\"major\":8,\"minor\":16,\"op\":\"Write\",\"value\":4}]");
	assert_has(text, "\"hugetlb\":{\"2MB\":{\"usage\":2097152}}");
}

TEST(no_limit_of_one_is_no_limit_of_both)
{
	static const struct {
		const char *memory;
		const char *swap;
		const char *both;
		const char *limit;
	} rows[] = {
		{ "max\n", "33554432\n", NULL, UNLIMITED },
		{ "67108864\n", "max\n", NULL, UNLIMITED },
		{ "67108864\n", "0\n", NULL, "67108864" },
		/* where the kernel has one for both */
		{ "67108864\n", "max\n", "100663296\n", "100663296" },
		{ "67108864\n", "33554432\n", "max\n", "100663296" },
	};

	for (size_t i = 0; i < COUNT(rows); i++) {
		auto_scratch struct scratch dir = scratch_new();
		struct container container = container_of(&dir, "");
		auto_free char *text = NULL;
		char wanted[64];

		v2_files(&dir);
		scratch_file(&dir, "box/memory.max", rows[i].memory);
		scratch_file(&dir, "box/memory.swap.max", rows[i].swap);
		if (rows[i].both)
			scratch_file(&dir, "box/memory.memsw.max", rows[i].both);
		read_stats(&container, &text);
		snprintf(wanted, sizeof(wanted), "\"swap\":{\"limit\":%s,", rows[i].limit);
		assert_has(text, wanted);
	}
}

TEST(v1_is_said_from_the_hierarchy_of_each_controller)
{
	auto_scratch struct scratch dir = scratch_new();
	struct container container = container_of(&dir, "memory cpuset cpu,cpuacct pids blkio");
	auto_free char *text = NULL;

	scratch_file(&dir, "memory/box/memory.stat", "cache 4096\nrss 1\n");
	scratch_file(&dir, "memory/box/memory.usage_in_bytes", "1000\n");
	scratch_file(&dir, "memory/box/memory.limit_in_bytes", "9223372036854771712\n");
	scratch_file(&dir, "memory/box/memory.memsw.limit_in_bytes", "67108864\n");
	scratch_file(&dir, "cpuset/box/cpuset.cpus", "0-2,5\n");
	scratch_file(&dir, "cpuset/box/cpu.stat", "nr_periods 99\n");
	scratch_file(&dir, "cpu,cpuacct/box/cpu.stat",
		     "nr_periods 1\nnr_throttled 2\nthrottled_time 3\n");
	scratch_file(&dir, "cpu,cpuacct/box/cpuacct.usage", "77\n");
	scratch_file(&dir, "cpu,cpuacct/box/cpuacct.usage_percpu", "70 7 \n");
	scratch_file(&dir, "pids/box/pids.max", "50\n");
	scratch_file(&dir, "blkio/box/blkio.throttle.io_serviced_recursive",
		     "8:0 Read 9\n8:0 Total 9\nTotal 9\n");
	read_stats(&container, &text);
	assert_has(text, "\"usage\":{\"total\":77,\"percpu\":[70,7]}");
	assert_has(text, "\"throttling\":{\"periods\":1,\"throttledPeriods\":2,"
			 "\"throttledTime\":3}");
	assert_has(text, "\"cpus\":[0,1,2,5]");
	assert_has(text, "\"cache\":4096,\"usage\":{\"limit\":" UNLIMITED ",\"usage\":1000}");
	assert_has(text, "\"swap\":{\"limit\":67108864}");
	assert_has(text, "\"pids\":{\"limit\":50}");
	assert_has(text, "\"ioServicedRecursive\":["
			 "{\"major\":8,\"minor\":0,\"op\":\"Read\",\"value\":9},"
			 "{\"major\":8,\"minor\":0,\"op\":\"Total\",\"value\":9}]");
}

TEST(a_cgroup_that_is_gone_is_said)
{
	auto_scratch struct scratch dir = scratch_new();
	struct container container = container_of(&dir, "");
	auto_json struct json *document = json_new();
	struct error err;

	container.memory = &container.hierarchies.each[0];
	container.place.cgroup = (char *)"/gone";
	assert_int_equal(stats_put(document, json_root(document), &container, &err), -ENOENT);
	assert_string_equal(err.text, "/gone: no such cgroup");
	hierarchies_close(&container.hierarchies);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(v2_is_said_in_runcs_form),
		cmocka_unit_test(no_limit_of_one_is_no_limit_of_both),
		cmocka_unit_test(v1_is_said_from_the_hierarchy_of_each_controller),
		cmocka_unit_test(a_cgroup_that_is_gone_is_said),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
