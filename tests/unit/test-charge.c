// SPDX-License-Identifier: GPL-2.0-or-later
#include "memory/charge.h"

#include "base/file.h"
#include "test.h"

static void assert_usage(const struct charge_usage *usage, int64_t anon, int64_t file,
			 int64_t shmem, int64_t swap, int64_t kernel, int64_t total)
{
	assert_int_equal(usage->by_type[CHARGE_TYPE_ANON], anon);
	assert_int_equal(usage->by_type[CHARGE_TYPE_FILE], file);
	assert_int_equal(usage->by_type[CHARGE_TYPE_SHMEM], shmem);
	assert_int_equal(usage->by_type[CHARGE_TYPE_SWAP], swap);
	assert_int_equal(usage->by_type[CHARGE_TYPE_KERNEL], kernel);
	assert_int_equal(usage->total, total);
}

/* What was written into a file of plain text; "fd:N" has its number taken away. */
static void assert_written(const struct scratch *dir, const char *name, const char *wanted)
{
	char text[256], *digits;

	assert_row(name, file_read_at(dir->fd, name, text, sizeof(text), NULL) >= 0);
	digits = strncmp(text, "fd:", 3) == 0 ? text + 3 : NULL;
	if (digits)
		memmove(digits, digits + strspn(digits, "0123456789"),
			strlen(digits + strspn(digits, "0123456789")) + 1);
	assert_row_text(name, text, wanted);
}

TEST(types_are_read_into_a_set)
{
	static const struct {
		const char *text;
		unsigned int types;
	} rows[] = {
		{ "all", CHARGE_ALL },
		{ "none", 0 },
		{ "anon", CHARGE_ANON },
		{ "file", CHARGE_FILE },
		{ "shmem", CHARGE_SHMEM },
		{ "swap", CHARGE_SWAP },
		{ "kernel", CHARGE_KERNEL },
		{ "kernel,anon", CHARGE_ANON | CHARGE_KERNEL },
		{ "anon,anon", CHARGE_ANON },
		{ "anon,file,shmem,swap,kernel", CHARGE_ALL },
	};

	for (size_t i = 0; i < COUNT(rows); i++) {
		unsigned int types = 1U << 20;

		assert_row(rows[i].text, charge_types_read(&types, rows[i].text, NULL) == 0);
		assert_row(rows[i].text, types == rows[i].types);
	}
}

TEST(what_is_no_type_is_refused_and_nothing_is_written)
{
	static const char *const texts[] = {
		"", ",", "anon,", ",anon", "anon,,file", "anon file", "Anon", "ano", "anonymous",
		"anon,all", "all,anon", "none,anon", " anon", "anon\n",
	};
	char wanted[200];

	for (size_t i = 0; i < COUNT(texts); i++) {
		unsigned int types = 1U << 20;
		struct error err = { "" };

		assert_row(texts[i], charge_types_read(&types, texts[i], &err) == -EINVAL);
		assert_row(texts[i], types == 1U << 20);
		snprintf(wanted, sizeof(wanted),
			 "not all, none or a list of anon, file, shmem, swap, kernel, \"%.4s",
			 texts[i]);
		assert_row(err.text, strncmp(err.text, wanted, strcspn(wanted, "\n")) == 0);
	}
}

TEST(types_have_the_names_of_the_kernel)
{
	assert_string_equal(charge_type_name(CHARGE_TYPE_ANON), "anon");
	assert_string_equal(charge_type_name(CHARGE_TYPE_FILE), "file");
	assert_string_equal(charge_type_name(CHARGE_TYPE_SHMEM), "shmem");
	assert_string_equal(charge_type_name(CHARGE_TYPE_SWAP), "swap");
	assert_string_equal(charge_type_name(CHARGE_TYPE_KERNEL), "kernel");
}

TEST(a_set_is_written_in_the_order_of_the_kernel)
{
	char text[64];

	assert_string_equal(charge_types_text(text, sizeof(text), 0), "");
	assert_string_equal(charge_types_text(text, sizeof(text), CHARGE_KERNEL | CHARGE_FILE),
			    "file kernel");
	assert_string_equal(charge_types_text(text, sizeof(text), CHARGE_ALL),
			    "anon file shmem swap kernel");
	assert_string_equal(charge_types_text(text, 8, CHARGE_ALL), "anon fi");
}

/* v2 counts shared memory as file, too. */
TEST(usage_on_v2_is_read)
{
	auto_scratch struct scratch dir = scratch_new();
	struct charge_usage usage;

	scratch_file(&dir, "memory.stat",
		     "file_mapped 9\nanon 100\nanon_thp 7\nfile 300\nkernel 50\n"
		     "kernel_stack 3\nsock 5\nshmem 120\nshmem_thp 1\n");
	scratch_file(&dir, "memory.current", "1000\n");
	scratch_file(&dir, "memory.swap.current", "24\n");
	assert_int_equal(charge_usage_read(&usage, dir.fd, CGROUP_V2, NULL), 0);
	assert_usage(&usage, 100, 180, 120, 24, 55, 1024);
}

/* What is below counts, as it does on v2. */
TEST(usage_on_v1_is_read)
{
	auto_scratch struct scratch dir = scratch_new();
	struct charge_usage usage;

	scratch_file(&dir, "memory.stat",
		     "cache 1\nrss 2\nshmem 3\nswap 4\ntotal_cache 300\ntotal_rss 100\n"
		     "total_rss_huge 7\ntotal_shmem 120\ntotal_swap 24\n");
	scratch_file(&dir, "memory.usage_in_bytes", "1000\n");
	scratch_file(&dir, "memory.kmem.usage_in_bytes", "55\n");
	assert_int_equal(charge_usage_read(&usage, dir.fd, CGROUP_V1, NULL), 0);
	assert_usage(&usage, 100, 180, 120, 24, 55, 1024);
}

/* The kernel sums up memory.stat late. */
TEST(no_type_is_more_than_what_is_counted)
{
	static const struct {
		const char *current;
		int64_t anon, file, shmem, kernel, total;
	} rows[] = {
		{ "0\n", 0, 0, 0, 0, 0 },
		{ "60\n", 60, 0, 0, 0, 60 },
		{ "250\n", 100, 150, 0, 0, 250 },
		{ "455\n", 100, 180, 120, 55, 455 },
	};
	auto_scratch struct scratch v1 = scratch_new();
	auto_scratch struct scratch v2 = scratch_new();
	struct charge_usage usage;

	scratch_file(&v2, "memory.stat", "anon 100\nfile 300\nkernel 50\nsock 5\nshmem 120\n");
	scratch_file(&v1, "memory.stat", "total_cache 300\ntotal_rss 100\ntotal_shmem 120\n");
	scratch_file(&v1, "memory.kmem.usage_in_bytes", "55\n");
	for (size_t i = 0; i < COUNT(rows); i++) {
		scratch_file(&v2, "memory.current", rows[i].current);
		assert_int_equal(charge_usage_read(&usage, v2.fd, CGROUP_V2, NULL), 0);
		assert_usage(&usage, rows[i].anon, rows[i].file, rows[i].shmem, 0, rows[i].kernel,
			     rows[i].total);
		scratch_file(&v1, "memory.usage_in_bytes", rows[i].current);
		assert_int_equal(charge_usage_read(&usage, v1.fd, CGROUP_V1, NULL), 0);
		assert_usage(&usage, rows[i].anon, rows[i].file, rows[i].shmem, 0, rows[i].kernel,
			     rows[i].total);
	}
}

TEST(files_that_are_missing_are_0)
{
	auto_scratch struct scratch dir = scratch_new();
	struct charge_usage usage = { .total = 5 };

	assert_int_equal(charge_usage_read(&usage, dir.fd, CGROUP_V2, NULL), 0);
	assert_usage(&usage, 0, 0, 0, 0, 0, 0);
	usage.total = 5;
	assert_int_equal(charge_usage_read(&usage, dir.fd, CGROUP_V1, NULL), 0);
	assert_usage(&usage, 0, 0, 0, 0, 0, 0);

	/* as on a kernel without swap */
	scratch_file(&dir, "memory.current", "7\n");
	assert_int_equal(charge_usage_read(&usage, dir.fd, CGROUP_V2, NULL), 0);
	assert_usage(&usage, 0, 0, 0, 0, 0, 7);
}

TEST(the_files_of_real_kernels_are_understood)
{
	auto_close int v2 = open(fixture("v2/system.slice"), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	auto_close int v1 = open(fixture("v1/memory"), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct charge_usage usage = { 0 };

	assert_int_equal(charge_usage_read(&usage, v2, CGROUP_V2, NULL), 0);
	assert_true(usage.total > 0);
	assert_int_equal(charge_usage_read(&usage, v1, CGROUP_V1, NULL), 0);
	assert_true(usage.total > 0);
}

TEST(what_is_no_number_is_an_error)
{
	auto_scratch struct scratch dir = scratch_new();
	struct charge_usage usage = { .total = 5 };
	struct error err;

	scratch_file(&dir, "memory.current", "many\n");
	assert_int_equal(charge_usage_read(&usage, dir.fd, CGROUP_V2, &err), -EIO);
	assert_string_equal(err.text, "memory.current: not a number, \"many\"");
	assert_int_equal(usage.total, 5);
}

TEST(a_cgroup_that_takes_over_charges_has_a_file_for_it)
{
	auto_scratch struct scratch dir = scratch_new();

	assert_int_equal(charge_can_migrate(dir.fd), 0);
	scratch_file(&dir, "memory.migrate", "");
	assert_int_equal(charge_can_migrate(dir.fd), 1);
}

TEST(what_was_brought_is_read_by_type)
{
	auto_scratch struct scratch dir = scratch_new();
	struct charge_usage moved = { .total = 5 };

	assert_int_equal(charge_migrated(&moved, dir.fd, NULL), -ENOENT);
	assert_int_equal(moved.total, 5);
	scratch_file(&dir, "memory.migrate.stat",
		     "anon 4096\nfile 8192\nshmem 1\nswap 2\nkernel 3\nskipped 99\n");
	assert_int_equal(charge_migrated(&moved, dir.fd, NULL), 0);
	assert_usage(&moved, 4096, 8192, 1, 2, 3, 12294);
}

TEST(a_cgroup_is_asked_to_take_over_by_fd_and_types)
{
	auto_scratch struct scratch dir = scratch_new();
	char wanted[64], text[64];

	scratch_file(&dir, "memory.migrate", "");
	assert_int_equal(charge_migrate(dir.fd, dir.fd, CHARGE_SWAP | CHARGE_ANON, NULL), 0);
	snprintf(wanted, sizeof(wanted), "fd:%d anon swap", dir.fd);
	assert_int_equal(file_read_at(dir.fd, "memory.migrate", text, sizeof(text), NULL),
			 strlen(wanted));
	assert_string_equal(text, wanted);
}

/* A process maps neither swap alone nor what the kernel has for it. */
TEST(of_a_process_only_what_it_maps_is_asked_for)
{
	auto_scratch struct scratch dir = scratch_new();

	scratch_file(&dir, "memory.migrate", "");
	assert_int_equal(charge_migrate_pid(42, dir.fd, CHARGE_SWAP | CHARGE_KERNEL, NULL), 0);
	assert_written(&dir, "memory.migrate", "");
	assert_int_equal(charge_migrate_pid(42, dir.fd, CHARGE_ALL, NULL), 0);
	assert_written(&dir, "memory.migrate", "pid:42 anon file shmem");
}

TEST(nothing_to_take_over_is_not_asked_for)
{
	auto_scratch struct scratch dir = scratch_new();

	scratch_file(&dir, "memory.migrate", "");
	assert_int_equal(charge_migrate(dir.fd, dir.fd, 0, NULL), 0);
	assert_written(&dir, "memory.migrate", "");
}

TEST(a_kernel_that_moves_no_charges_says_so)
{
	auto_scratch struct scratch dir = scratch_new();
	struct error err;

	assert_int_equal(charge_migrate(dir.fd, dir.fd, CHARGE_ALL, &err), -EOPNOTSUPP);
	assert_string_equal(err.text, "memory.migrate: not here");
	assert_int_equal(charge_migrate_pid(1, dir.fd, CHARGE_ALL, NULL), -EOPNOTSUPP);
}

TEST(what_is_left_goes_up_cgroup_by_cgroup)
{
	auto_scratch struct scratch dir = scratch_new();
	const struct hierarchy hierarchy = { .root = dir.fd, .mode = CGROUP_V2 };
	static const char all[] = "fd: anon file shmem swap kernel";

	scratch_dir(&dir, "slice");
	scratch_file(&dir, "slice/memory.migrate", "");
	scratch_dir(&dir, "slice/box");
	scratch_file(&dir, "slice/box/memory.migrate", "");
	scratch_dir(&dir, "slice/box/inner");
	scratch_file(&dir, "slice/box/inner/memory.migrate", "");
	assert_int_equal(charge_hand_up(&hierarchy, "/slice/box", NULL), 0);
	assert_written(&dir, "slice/box/inner/memory.migrate", "");
	assert_written(&dir, "slice/box/memory.migrate", all);
	assert_written(&dir, "slice/memory.migrate", all);
}

/* What the top still has goes up once, with what came from below it. */
TEST(charges_go_up_from_the_bottom)
{
	auto_scratch struct scratch dir = scratch_new();
	const struct hierarchy hierarchy = { .root = dir.fd, .mode = CGROUP_V2 };

	scratch_dir(&dir, "slice");
	scratch_file(&dir, "slice/memory.migrate", "");
	scratch_dir(&dir, "slice/box");
	scratch_dir(&dir, "slice/box/inner");
	/* the first step fails */
	assert_int_equal(symlinkat("/dev/full", dir.fd, "slice/box/memory.migrate"), 0);
	assert_true(charge_hand_up(&hierarchy, "/slice/box", NULL) < 0);
	assert_written(&dir, "slice/memory.migrate", "");
}

TEST(what_cannot_go_up_is_no_error)
{
	auto_scratch struct scratch dir = scratch_new();
	const struct hierarchy hierarchy = { .root = dir.fd, .mode = CGROUP_V2 };

	assert_int_equal(charge_hand_up(&hierarchy, "/gone", NULL), 0);
	/* the root takes none */
	scratch_dir(&dir, "box");
	scratch_file(&dir, "box/memory.migrate", "");
	assert_int_equal(charge_hand_up(&hierarchy, "/box", NULL), 0);
	assert_written(&dir, "box/memory.migrate", "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(types_are_read_into_a_set),
		cmocka_unit_test(what_is_no_type_is_refused_and_nothing_is_written),
		cmocka_unit_test(types_have_the_names_of_the_kernel),
		cmocka_unit_test(a_set_is_written_in_the_order_of_the_kernel),
		cmocka_unit_test(usage_on_v2_is_read),
		cmocka_unit_test(usage_on_v1_is_read),
		cmocka_unit_test(no_type_is_more_than_what_is_counted),
		cmocka_unit_test(files_that_are_missing_are_0),
		cmocka_unit_test(the_files_of_real_kernels_are_understood),
		cmocka_unit_test(what_is_no_number_is_an_error),
		cmocka_unit_test(a_cgroup_that_takes_over_charges_has_a_file_for_it),
		cmocka_unit_test(what_was_brought_is_read_by_type),
		cmocka_unit_test(a_cgroup_is_asked_to_take_over_by_fd_and_types),
		cmocka_unit_test(of_a_process_only_what_it_maps_is_asked_for),
		cmocka_unit_test(nothing_to_take_over_is_not_asked_for),
		cmocka_unit_test(a_kernel_that_moves_no_charges_says_so),
		cmocka_unit_test(what_is_left_goes_up_cgroup_by_cgroup),
		cmocka_unit_test(charges_go_up_from_the_bottom),
		cmocka_unit_test(what_cannot_go_up_is_no_error),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
