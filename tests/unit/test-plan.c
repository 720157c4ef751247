// SPDX-License-Identifier: GPL-2.0-or-later
#include "memory/plan.h"

#include "kernels.h"

#define M ((int64_t)1 << 20)

/* What was planned, as one line: "memory.max=67108864 memory.swap.max=max". */
static const char *writes(const struct memory_plan *plan)
{
	static char text[4096];
	size_t len = 0;

	text[0] = '\0';
	for (size_t i = 0; i < plan->count; i++)
		len += (size_t)snprintf(text + len, sizeof(text) - len, "%s%s=%s", i ? " " : "",
					plan->writes[i].file, plan->writes[i].value);
	return text;
}

struct ask {
	enum memory_field field;
	int64_t value;
};

#define ASKS 5

/* Fields as asked; a row of zeros ends them, for a limit of 0 is not set. */
static struct memory_spec asked(const struct ask *asks)
{
	struct memory_spec spec = { 0 };

	for (size_t i = 0; i < ASKS && (asks[i].field || asks[i].value); i++) {
		if (asks[i].field < MEMORY_OOM_GROUP) {
			assert_int_equal(memory_spec_set(&spec, asks[i].field, asks[i].value, NULL),
					 0);
		} else {
			spec.asked |= 1U << asks[i].field;
			spec.value[asks[i].field] = asks[i].value;
		}
	}
	return spec;
}

/* The plan for one field alone on a kernel: "!" and the errno where refused. */
static const char *planned(const struct memory_spec *spec, const struct memory_features *features,
			   struct memory_plan *plan)
{
	static char text[sizeof(struct error) + 16];
	struct error err = { "" };
	int ret;

	ret = memory_plan_make(plan, spec, features, &err);
	if (ret == 0)
		return writes(plan);
	snprintf(text, sizeof(text), "!%s %s", ret == -EINVAL ? "invalid" :
		 ret == -EOPNOTSUPP ? "cannot" : "other", err.text);
	return text;
}

struct row {
	const char *tree;
	struct ask asks[ASKS];
	const char *wanted;	/* writes; or "!invalid" or "!cannot" and more */
	size_t notes;
	const char *strict;	/* what strict makes of it; NULL: the same */
};

static void check_rows(const struct row *rows, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		const struct row *row = &rows[i];
		struct memory_spec spec = asked(row->asks);
		struct memory_features features = kernel(row->tree, &spec);
		struct memory_plan plan = { 0 };
		char what[512];
		const char *got;

		for (int strict = 0; strict < 2; strict++) {
			const char *wanted = strict && row->strict ? row->strict : row->wanted;

			spec.strict = strict;
			snprintf(what, sizeof(what), "row %zu on %s%s: %s", i, row->tree,
				 strict ? ", strict" : "", row->wanted);
			got = planned(&spec, &features, &plan);
			if (wanted[0] == '!')
				assert_row_text(what, strncmp(got, wanted, strlen(wanted)) ? got : "",
						"");
			else
				assert_row_text(what, got, wanted);
			if (wanted[0] != '!')
				assert_row(what, plan.note_count == row->notes);
		}
	}
}

#define LIMIT(value) { MEMORY_LIMIT, value }
#define SWAP(value) { MEMORY_SWAP, value }

TEST(a_limit_is_written_everywhere)
{
	static const struct row rows[] = {
		{ "v1", { LIMIT(64 * M) }, "memory.limit_in_bytes=67108864", 0, NULL },
		{ "v1", { LIMIT(-1) }, "memory.limit_in_bytes=-1", 0, NULL },
		{ "hybrid", { LIMIT(64 * M) }, "memory.limit_in_bytes=67108864", 0, NULL },
		{ "v2", { LIMIT(64 * M) }, "memory.max=67108864", 0, NULL },
		{ "v2", { LIMIT(-1) }, "memory.max=max", 0, NULL },
		{ "v2", { LIMIT(INT64_MAX) }, "memory.max=9223372036854775807", 0, NULL },
		{ "v2-root", { LIMIT(64 * M) }, "memory.max=67108864", 0, NULL },
		{ "v2-patched", { LIMIT(1) }, "memory.max=1", 0, NULL },
	};

	check_rows(rows, COUNT(rows));
}

TEST(swap_is_what_the_kernel_can_limit)
{
	static const struct row rows[] = {
		/* With a limit below it. */
		{ "v1", { LIMIT(64 * M), SWAP(96 * M) },
		  "memory.limit_in_bytes=67108864 memory.memsw.limit_in_bytes=100663296", 0, NULL },
		{ "v2", { LIMIT(64 * M), SWAP(96 * M) },
		  "memory.max=67108864 memory.swap.max=33554432", 0, NULL },
		{ "v2-patched", { LIMIT(64 * M), SWAP(96 * M) },
		  "memory.max=67108864 memory.memsw.max=100663296 memory.swap.max=max", 0, NULL },
		{ "v2-noswap", { LIMIT(64 * M), SWAP(96 * M) }, "memory.max=67108864", 0, NULL },
		{ "v1-noswap", { LIMIT(64 * M), SWAP(96 * M) }, "memory.limit_in_bytes=67108864", 1,
		  "!cannot linux.resources.memory.swap: this kernel does not count swap" },
		/* The limit itself: no swap at all. */
		{ "v1", { LIMIT(64 * M), SWAP(64 * M) },
		  "memory.limit_in_bytes=67108864 memory.memsw.limit_in_bytes=67108864", 0, NULL },
		{ "v2", { LIMIT(64 * M), SWAP(64 * M) }, "memory.max=67108864 memory.swap.max=0", 0,
		  NULL },
		/* Unlimited. */
		{ "v1", { LIMIT(64 * M), SWAP(-1) },
		  "memory.limit_in_bytes=67108864 memory.memsw.limit_in_bytes=-1", 0, NULL },
		{ "v2", { LIMIT(64 * M), SWAP(-1) }, "memory.max=67108864 memory.swap.max=max", 0,
		  NULL },
		{ "v2-patched", { LIMIT(64 * M), SWAP(-1) },
		  "memory.max=67108864 memory.memsw.max=max memory.swap.max=max", 0, NULL },
		{ "v2-noswap", { LIMIT(64 * M), SWAP(-1) }, "memory.max=67108864", 0, NULL },
		{ "v1", { SWAP(-1) }, "memory.memsw.limit_in_bytes=-1", 0, NULL },
		{ "v2", { SWAP(-1) }, "memory.swap.max=max", 0, NULL },
		{ "v2-patched", { SWAP(-1) }, "memory.memsw.max=max memory.swap.max=max", 0, NULL },
		{ "v2-noswap", { SWAP(-1) }, "", 0, NULL },
		/* Alone. */
		{ "v1", { SWAP(96 * M) },
		  "memory.limit_in_bytes=100663296 memory.memsw.limit_in_bytes=100663296", 0, NULL },
		{ "v2", { SWAP(96 * M) },
		  "!cannot linux.resources.memory.swap: needs linux.resources.memory.limit", 0, NULL },
		{ "v2-root", { SWAP(96 * M) }, "!cannot linux.resources.memory.swap", 0, NULL },
		{ "v2-noswap", { SWAP(96 * M) }, "memory.max=100663296", 0, NULL },
		{ "v2-patched", { SWAP(96 * M) },
		  "memory.memsw.max=100663296 memory.swap.max=max", 0, NULL },
		/* Below the limit, or beside none. */
		{ "v1", { LIMIT(64 * M), SWAP(64 * M - 1) }, "!invalid linux.resources.memory.swap",
		  0, NULL },
		{ "v1-noswap", { LIMIT(64 * M), SWAP(1) }, "!invalid linux.resources.memory.swap", 0,
		  NULL },
		{ "v2", { LIMIT(64 * M), SWAP(1) },
		  "!invalid linux.resources.memory.swap: below the limit of memory alone, \"1\"", 0,
		  NULL },
		{ "v2-noswap", { LIMIT(64 * M), SWAP(1) }, "!invalid linux.resources.memory.swap", 0,
		  NULL },
		{ "v2-patched", { LIMIT(64 * M), SWAP(1) }, "!invalid linux.resources.memory.swap", 0,
		  NULL },
		{ "v1", { LIMIT(-1), SWAP(96 * M) }, "!invalid linux.resources.memory.swap", 0, NULL },
		{ "v2", { LIMIT(-1), SWAP(96 * M) }, "!invalid linux.resources.memory.swap", 0, NULL },
		{ "v2-patched", { LIMIT(-1), SWAP(96 * M) }, "!invalid linux.resources.memory.swap", 0,
		  NULL },
		{ "v1", { LIMIT(-1), SWAP(-1) },
		  "memory.limit_in_bytes=-1 memory.memsw.limit_in_bytes=-1", 0, NULL },
		{ "v2", { LIMIT(-1), SWAP(-1) }, "memory.max=max memory.swap.max=max", 0, NULL },
	};

	check_rows(rows, COUNT(rows));
}

TEST(a_reservation_is_a_soft_limit_or_a_protection)
{
	static const struct row rows[] = {
		{ "v1", { { MEMORY_RESERVATION, 32 * M } }, "memory.soft_limit_in_bytes=33554432", 0,
		  NULL },
		{ "v1", { { MEMORY_RESERVATION, -1 } }, "memory.soft_limit_in_bytes=-1", 0, NULL },
		{ "v2", { { MEMORY_RESERVATION, 32 * M } }, "memory.low=33554432", 0, NULL },
		/* no soft limit at all: nothing is protected for it */
		{ "v2", { { MEMORY_RESERVATION, -1 } }, "memory.low=0", 0, NULL },
		{ "v2-patched", { { MEMORY_RESERVATION, -1 } }, "memory.soft.max=max memory.low=0", 0,
		  NULL },
		{ "v2-patched", { { MEMORY_RESERVATION, 32 * M } },
		  "memory.soft.max=33554432 memory.low=33554432", 0, NULL },
		/* Above the limit: said, and nothing strict about it. */
		{ "v1", { LIMIT(M), { MEMORY_RESERVATION, 2 * M } },
		  "memory.limit_in_bytes=1048576 memory.soft_limit_in_bytes=2097152", 1, NULL },
		{ "v2", { LIMIT(M), { MEMORY_RESERVATION, 2 * M } },
		  "memory.max=1048576 memory.low=2097152", 1, NULL },
		{ "v2-patched", { LIMIT(M), { MEMORY_RESERVATION, M + 1 } },
		  "memory.max=1048576 memory.soft.max=1048577 memory.low=1048577", 1, NULL },
		{ "v2", { LIMIT(M), { MEMORY_RESERVATION, M } }, "memory.max=1048576 memory.low=1048576",
		  0, NULL },
		{ "v2", { LIMIT(-1), { MEMORY_RESERVATION, M } }, "memory.max=max memory.low=1048576", 0,
		  NULL },
	};

	check_rows(rows, COUNT(rows));
}

TEST(the_annotation_chooses_what_a_reservation_becomes)
{
	static const struct {
		const char *tree;
		enum memory_reservation as;
		int64_t value;
		const char *wanted;
	} rows[] = {
		{ "v1", RESERVATION_HIGH, M, "memory.soft_limit_in_bytes=1048576" },
		{ "v1", RESERVATION_NONE, M, "memory.soft_limit_in_bytes=1048576" },
		{ "v2", RESERVATION_LOW, M, "memory.low=1048576" },
		{ "v2", RESERVATION_HIGH, M, "memory.high=1048576" },
		{ "v2", RESERVATION_HIGH, -1, "memory.high=max" },
		{ "v2", RESERVATION_NONE, M, "" },
		{ "v2", RESERVATION_NONE, -1, "" },
		{ "v2-patched", RESERVATION_LOW, M, "memory.soft.max=1048576 memory.low=1048576" },
		{ "v2-patched", RESERVATION_HIGH, -1, "memory.soft.max=max memory.high=max" },
		{ "v2-patched", RESERVATION_NONE, M, "memory.soft.max=1048576" },
		{ "v2-patched", RESERVATION_NONE, -1, "memory.soft.max=max" },
	};

	for (size_t i = 0; i < COUNT(rows); i++) {
		struct memory_features features = kernel(rows[i].tree, NULL);
		struct memory_spec spec = { .reservation_as = rows[i].as };
		struct memory_plan plan;

		memory_spec_set(&spec, MEMORY_RESERVATION, rows[i].value, NULL);
		assert_row_text(rows[i].tree, planned(&spec, &features, &plan), rows[i].wanted);
		assert_row(rows[i].tree, plan.note_count == 0);
	}
}

TEST(a_soft_limit_that_the_kernel_ignores_is_said)
{
	struct memory_features features = kernel("v1", NULL);
	struct memory_spec spec = { 0 };
	struct memory_plan plan;

	memory_spec_set(&spec, MEMORY_RESERVATION, M, NULL);
	features.ignored = row_bit(&features, "memory.soft_limit_in_bytes");
	assert_string_equal(planned(&spec, &features, &plan), "");
	assert_int_equal(plan.note_count, 1);
	assert_int_equal(plan.notes[0].field, MEMORY_RESERVATION);
	assert_string_equal(plan.notes[0].text,
			    "linux.resources.memory.reservation: this kernel takes "
			    "memory.soft_limit_in_bytes and ignores it, \"1048576\"");
	spec.strict = true;
	assert_memory_equal(planned(&spec, &features, &plan), "!cannot", 7);
}

/* A cgroup without a file has no limit of its kind: -1 is honoured, and no word is said. */
TEST(unlimited_is_in_force_where_there_is_no_file)
{
	static const struct {
		const char *tree;
		enum memory_field field;
		const char *file;	/* missing; NULL: of those that are missing anyway */
	} rows[] = {
		{ "v1", MEMORY_LIMIT, "memory.limit_in_bytes" },
		{ "v1", MEMORY_SWAP, "memory.memsw.limit_in_bytes" },
		{ "v1", MEMORY_RESERVATION, "memory.soft_limit_in_bytes" },
		{ "v1", MEMORY_KERNEL, "memory.kmem.limit_in_bytes" },
		{ "v1", MEMORY_KERNEL_TCP, "memory.kmem.tcp.limit_in_bytes" },
		{ "v2", MEMORY_LIMIT, "memory.max" },
		{ "v2", MEMORY_SWAP, "memory.swap.max" },
		{ "v2", MEMORY_RESERVATION, "memory.low" },
		{ "v2", MEMORY_KERNEL, NULL },
		{ "v2", MEMORY_KERNEL_TCP, NULL },
		{ "v2-patched", MEMORY_KERNEL, NULL },
	};

	for (size_t i = 0; i < COUNT(rows); i++) {
		struct memory_spec spec = { .strict = true };
		struct memory_features features;
		struct memory_plan plan = { 0 };

		memory_spec_set(&spec, rows[i].field, -1, NULL);
		features = kernel(rows[i].tree, &spec);
		if (rows[i].file)
			remove_file(&features, rows[i].file);
		assert_row_text(rows[i].tree, planned(&spec, &features, &plan), "");
		assert_row(rows[i].tree, plan.note_count == 0);
		/* there, and ignored */
		if (rows[i].file && memory_file_named(features.mode, rows[i].file)->flags &
					    FILE_DOUBTED) {
			add_file(&features, rows[i].file);
			features.ignored = row_bit(&features, rows[i].file);
			assert_row_text(rows[i].file, planned(&spec, &features, &plan), "");
			assert_row(rows[i].file, plan.note_count == 0);
		}
	}
}

TEST(limits_on_kernel_memory_are_v1s_alone)
{
	static const struct row rows[] = {
		{ "v1", { { MEMORY_KERNEL, M } }, "memory.kmem.limit_in_bytes=1048576", 0, NULL },
		{ "v1", { { MEMORY_KERNEL_TCP, -1 } }, "memory.kmem.tcp.limit_in_bytes=-1", 0, NULL },
		{ "v2", { { MEMORY_KERNEL, M } }, "", 1,
		  "!cannot linux.resources.memory.kernel: this kernel has no limit on kernel memory" },
		{ "v2", { { MEMORY_KERNEL_TCP, M } }, "", 1,
		  "!cannot linux.resources.memory.kernelTCP" },
		{ "v2-patched", { { MEMORY_KERNEL, M } }, "", 1,
		  "!cannot linux.resources.memory.kernel" },
		{ "v2-patched", { { MEMORY_KERNEL_TCP, M }, { MEMORY_KERNEL, M } }, "", 2,
		  "!cannot linux.resources.memory.kernel" },
	};

	check_rows(rows, COUNT(rows));
}

TEST(a_kmem_limit_that_has_no_effect_is_said)
{
	struct memory_features features = kernel("v1", NULL);
	struct memory_spec spec = { 0 };
	struct memory_plan plan;

	memory_spec_set(&spec, MEMORY_KERNEL, M, NULL);
	memory_spec_set(&spec, MEMORY_KERNEL_TCP, M, NULL);
	features.ignored = row_bit(&features, "memory.kmem.limit_in_bytes");
	assert_string_equal(planned(&spec, &features, &plan),
			    "memory.kmem.tcp.limit_in_bytes=1048576");
	assert_int_equal(plan.note_count, 1);
	assert_int_equal(plan.notes[0].field, MEMORY_KERNEL);
}

TEST(swappiness_needs_v1_or_the_patch)
{
	static const struct row rows[] = {
		{ "v1", { { MEMORY_SWAPPINESS, 10 } }, "memory.swappiness=10", 0, NULL },
		{ "v1", { { MEMORY_SWAPPINESS, 0 } }, "memory.swappiness=0", 0, NULL },
		{ "v2", { { MEMORY_SWAPPINESS, 10 } }, "", 1,
		  "!cannot linux.resources.memory.swappiness" },
		{ "v2-root", { { MEMORY_SWAPPINESS, 10 } }, "", 1,
		  "!cannot linux.resources.memory.swappiness" },
		{ "v2-patched", { { MEMORY_SWAPPINESS, 100 } }, "memory.swappiness=100", 0, NULL },
	};

	check_rows(rows, COUNT(rows));
}

TEST(a_container_not_to_be_killed_is_refused_where_it_would_be)
{
	static const struct row rows[] = {
		{ "v1", { { MEMORY_OOM_WAIT, 1 } }, "memory.oom_control=1", 0, NULL },
		{ "v2", { { MEMORY_OOM_WAIT, 1 } },
		  "!cannot linux.resources.memory.disableOOMKiller: this kernel cannot wait", 0, NULL },
		{ "v2-root", { { MEMORY_OOM_WAIT, 1 } }, "!cannot", 0, NULL },
		{ "v2-patched", { { MEMORY_OOM_WAIT, 1 } }, "memory.oom.wait=1", 0, NULL },
	};
	struct memory_features features = kernel("v2", NULL);
	struct memory_spec spec = { .accept_kill = true };
	struct memory_plan plan;

	check_rows(rows, COUNT(rows));
	memory_spec_set(&spec, MEMORY_OOM_WAIT, 1, NULL);
	assert_string_equal(planned(&spec, &features, &plan), "");
}

TEST(killing_the_group_is_v2s_alone)
{
	static const struct row rows[] = {
		{ "v2", { { MEMORY_OOM_GROUP, 1 } }, "memory.oom.group=1", 0, NULL },
		{ "v2-patched", { { MEMORY_OOM_GROUP, 1 } }, "memory.oom.group=1", 0, NULL },
		{ "v1", { { MEMORY_OOM_GROUP, 1 } }, "", 1, "!cannot annotations.org.memcrun.oom" },
	};

	check_rows(rows, COUNT(rows));
}

TEST(hierarchy_can_be_chosen_on_an_old_v1_alone)
{
	static const struct row rows[] = {
		{ "v1", { { MEMORY_HIERARCHY, 1 } }, "", 0, NULL },
		{ "v1-flat", { { MEMORY_HIERARCHY, 1 } }, "memory.use_hierarchy=1", 0, NULL },
		{ "v2", { { MEMORY_HIERARCHY, 1 } }, "", 0, NULL },
		{ "v2-patched", { { MEMORY_HIERARCHY, 1 } }, "", 0, NULL },
		{ "v1", { { MEMORY_HIERARCHY, 0 } },
		  "!cannot linux.resources.memory.useHierarchy: this kernel is always hierarchical", 0,
		  NULL },
		{ "v1-flat", { { MEMORY_HIERARCHY, 0 } }, "memory.use_hierarchy=0", 0, NULL },
		{ "v2", { { MEMORY_HIERARCHY, 0 } }, "!cannot linux.resources.memory.useHierarchy", 0,
		  NULL },
	};

	check_rows(rows, COUNT(rows));
}

TEST(checking_before_an_update_writes_nothing)
{
	static const struct row rows[] = {
		{ "v1", { { MEMORY_CHECK, 1 } }, "", 0, NULL },
		{ "v2", { { MEMORY_CHECK, 1 } }, "", 0, NULL },
	};

	check_rows(rows, COUNT(rows));
}

TEST(a_reserve_is_charged_in_advance_or_protected)
{
	static const struct row rows[] = {
		{ "v1", { { MEMORY_RESERVE, M } }, "", 1, "!cannot annotations.org.memcrun.reserve" },
		{ "v2", { { MEMORY_RESERVE, M } }, "memory.min=1048576", 0, NULL },
		{ "v2-patched", { { MEMORY_RESERVE, M } }, "memory.reserve=1048576", 0, NULL },
	};

	check_rows(rows, COUNT(rows));
}

TEST(charges_move_as_far_as_the_kernel_moves_them)
{
	static const struct row rows[] = {
		{ "v1", { { MEMORY_MOVE_CHARGE, 0 } }, "", 0, NULL },
		{ "v1", { { MEMORY_MOVE_CHARGE, CHARGE_ALL } }, "memory.move_charge_at_immigrate=3", 0,
		  NULL },
		{ "v1", { { MEMORY_MOVE_CHARGE, CHARGE_ANON | CHARGE_SWAP } },
		  "memory.move_charge_at_immigrate=1", 0, NULL },
		{ "v1", { { MEMORY_MOVE_CHARGE, CHARGE_FILE | CHARGE_SHMEM } },
		  "memory.move_charge_at_immigrate=2", 0, NULL },
		{ "v1", { { MEMORY_MOVE_CHARGE, CHARGE_ANON } }, "memory.move_charge_at_immigrate=1", 1,
		  "!cannot annotations.org.memcrun.move-charge" },
		{ "v1", { { MEMORY_MOVE_CHARGE, CHARGE_KERNEL } }, "", 1,
		  "!cannot annotations.org.memcrun.move-charge" },
		{ "v2", { { MEMORY_MOVE_CHARGE, CHARGE_ALL } }, "", 1,
		  "!cannot annotations.org.memcrun.move-charge" },
		{ "v2", { { MEMORY_MOVE_CHARGE, 0 } }, "", 0, NULL },
		{ "v2-patched", { { MEMORY_MOVE_CHARGE, CHARGE_ALL } },
		  "memory.migrate=anon file shmem", 0, NULL },
		{ "v2-patched", { { MEMORY_MOVE_CHARGE, CHARGE_FILE | CHARGE_KERNEL } },
		  "memory.migrate=file", 0, NULL },
		{ "v2-patched", { { MEMORY_MOVE_CHARGE, CHARGE_SWAP } }, "", 0, NULL },
	};

	check_rows(rows, COUNT(rows));
}

TEST(what_no_kernel_does_is_said)
{
	static const struct row rows[] = {
		{ "v1", { { MEMORY_TMPFS, 1 } }, "", 1, "!cannot annotations.org.memcrun.tmpfs" },
		{ "v2", { { MEMORY_TMPFS, 1 } }, "", 1, "!cannot annotations.org.memcrun.tmpfs" },
		{ "v1", { { MEMORY_THRESHOLDS, 1 } }, "", 1, "!cannot annotations.org.memcrun.thresholds" },
		{ "v2", { { MEMORY_THRESHOLDS, 1 } }, "", 1, "!cannot annotations.org.memcrun.thresholds" },
	};

	check_rows(rows, COUNT(rows));
}

/* A patched kernel is a set of files: each counts alone, and each can lack. */
TEST(each_patched_file_counts_alone)
{
	static const struct {
		const char *file;
		struct ask ask;
		const char *with;
		const char *without;
	} rows[] = {
		{ "memory.memsw.max", SWAP(96 * M), "memory.memsw.max=100663296 memory.swap.max=max",
		  "!cannot" },
		{ "memory.soft.max", { MEMORY_RESERVATION, M },
		  "memory.soft.max=1048576 memory.low=1048576", "memory.low=1048576" },
		{ "memory.swappiness", { MEMORY_SWAPPINESS, 5 }, "memory.swappiness=5", "" },
		{ "memory.oom.wait", { MEMORY_OOM_WAIT, 1 }, "memory.oom.wait=1", "!cannot" },
		{ "memory.reserve", { MEMORY_RESERVE, M }, "memory.reserve=1048576",
		  "memory.min=1048576" },
	};

	for (size_t i = 0; i < COUNT(rows); i++) {
		struct memory_features alone = kernel("v2", NULL);
		struct memory_features lacking = kernel("v2-patched", NULL);
		struct memory_spec spec = asked((struct ask[ASKS]){ rows[i].ask });
		struct memory_plan plan;
		const char *got;

		add_file(&alone, rows[i].file);
		assert_row_text(rows[i].file, planned(&spec, &alone, &plan), rows[i].with);
		remove_file(&lacking, rows[i].file);
		got = planned(&spec, &lacking, &plan);
		assert_row(got, strncmp(got, rows[i].without, strlen(rows[i].without)) == 0);
		if (rows[i].without[0] != '!')
			assert_row_text(rows[i].file, got, rows[i].without);
	}
}

TEST(an_exact_limit_needs_no_swap_file)
{
	struct memory_features features = kernel("v2-noswap", NULL);
	struct memory_spec spec = { 0 };
	struct memory_plan plan;

	memory_spec_set(&spec, MEMORY_SWAP, 96 * M, NULL);
	add_file(&features, "memory.memsw.max");
	assert_string_equal(planned(&spec, &features, &plan), "memory.memsw.max=100663296");
}

TEST(a_field_without_its_stock_file_is_refused_or_said)
{
	struct memory_features features = kernel("v2", NULL);
	struct memory_spec limit = { 0 }, low = { 0 };
	struct memory_plan plan;

	memory_spec_set(&limit, MEMORY_LIMIT, M, NULL);
	remove_file(&features, "memory.max");
	assert_memory_equal(planned(&limit, &features, &plan), "!cannot", 7);
	memory_spec_set(&low, MEMORY_RESERVATION, M, NULL);
	remove_file(&features, "memory.low");
	assert_string_equal(planned(&low, &features, &plan), "");
	assert_int_equal(plan.note_count, 1);
}

TEST(an_explicit_key_wins_and_a_difference_is_said)
{
	struct memory_spec spec = { 0 };
	struct memory_features features;
	struct memory_plan plan;

	memory_spec_set(&spec, MEMORY_LIMIT, 64 * M, NULL);
	memory_spec_set(&spec, MEMORY_RESERVATION, 32 * M, NULL);
	memory_spec_explicit(&spec, "memory.max", "128M", NULL);
	memory_spec_explicit(&spec, "memory.low", "32M", NULL);
	memory_spec_explicit(&spec, "memory.high", "max", NULL);
	features = kernel("v2", &spec);
	assert_string_equal(planned(&spec, &features, &plan),
			    "memory.max=128M memory.low=32M memory.high=max");
	assert_int_equal(plan.note_count, 1);
	assert_string_equal(plan.notes[0].text,
			    "linux.resources.memory.limit: linux.resources.unified.memory.max wins "
			    "over \"67108864\", \"128M\"");
	for (size_t i = 0; i < plan.count; i++)
		assert_row(plan.writes[i].file, plan.writes[i].is_explicit);
}

TEST(an_explicit_limit_is_the_limit_in_force)
{
	static const struct {
		const char *max;
		const char *wanted;
	} rows[] = {
		{ "64M", "memory.swap.max=33554432 memory.max=64M" },
		{ "67108864", "memory.swap.max=33554432 memory.max=67108864" },
		{ "96M", "memory.swap.max=0 memory.max=96M" },
		{ "97M", "!invalid linux.resources.memory.swap" },
		{ "max", "!invalid linux.resources.memory.swap" },
	};

	for (size_t i = 0; i < COUNT(rows); i++) {
		struct memory_spec spec = { 0 };
		struct memory_features features;
		struct memory_plan plan;
		const char *got;

		memory_spec_set(&spec, MEMORY_SWAP, 96 * M, NULL);
		memory_spec_explicit(&spec, "memory.max", rows[i].max, NULL);
		features = kernel("v2", &spec);
		got = planned(&spec, &features, &plan);
		if (rows[i].wanted[0] == '!')
			assert_row(got, strncmp(got, rows[i].wanted, strlen(rows[i].wanted)) == 0);
		else
			assert_row_text(rows[i].max, got, rows[i].wanted);
	}
}

TEST(an_explicit_key_on_v1_is_refused)
{
	struct memory_features features = kernel("v1", NULL);
	struct memory_spec spec = { 0 };
	struct memory_plan plan;

	memory_spec_explicit(&spec, "memory.max", "64M", NULL);
	assert_string_equal(planned(&spec, &features, &plan),
			    "!cannot linux.resources.unified.memory.max: cgroup v1 controls memory "
			    "here, \"64M\"");
}

TEST(an_explicit_key_without_a_file_is_refused)
{
	struct memory_spec spec = { 0 };
	struct memory_features features;
	struct memory_plan plan = { .count = 42 };

	memory_spec_explicit(&spec, "memory.max", "64M", NULL);
	memory_spec_explicit(&spec, "memory.maxx", "64M", NULL);
	features = kernel("v2", &spec);
	assert_string_equal(planned(&spec, &features, &plan),
			    "!cannot linux.resources.unified.memory.maxx: this kernel has no such "
			    "file, \"64M\"");
	assert_int_equal(plan.count, 42);
}

TEST(a_plan_holds_all_that_can_be_asked_at_once)
{
	struct memory_spec spec = { 0 };
	struct memory_features features;
	struct memory_plan plan;
	char file[32];

	for (int field = 0; field < MEMORY_FIELDS; field++) {
		spec.asked |= 1U << field;
		spec.value[field] = 1;
	}
	spec.value[MEMORY_SWAP] = 2;
	for (int i = 0; i < MEMORY_EXPLICIT_MAX; i++) {
		snprintf(file, sizeof(file), "memory.key%d", i);
		assert_int_equal(memory_spec_explicit(&spec, file, "1", NULL), 0);
	}
	features = kernel("v2-patched", NULL);
	assert_int_equal(memory_plan_make(&plan, &spec, &features, NULL), 0);
	assert_true(plan.count > MEMORY_EXPLICIT_MAX && plan.count <= MEMORY_PLAN_MAX);
	assert_non_null(memory_plan_find(&plan, "memory.key31"));
	assert_null(memory_plan_find(&plan, "memory.key32"));
}

TEST(values_are_the_same_when_the_kernel_means_the_same)
{
	static const struct {
		const char *a;
		const char *b;
		bool same;
	} rows[] = {
		{ "max", "max\n", true },
		{ "max", "-1", true },
		{ "max", "9223372036854771712", true },
		{ "64M", "67108864", true },
		{ "64m\n", "65536K", true },
		{ "67108865", "67112959", true },
		{ "67108863", "67108864", false },
		{ "10", "60", false },
		{ "0", "1", false },
		{ "0", "max", false },
		{ "1", "1 ", true },
		{ "oom_kill_disable 0", "oom_kill_disable 0\n", true },
		{ "a", "ab", false },
		{ "", "", true },
		{ "", "0", false },
	};

	for (size_t i = 0; i < COUNT(rows); i++) {
		assert_row(rows[i].a, memory_value_same(rows[i].a, rows[i].b) == rows[i].same);
		assert_row(rows[i].b, memory_value_same(rows[i].b, rows[i].a) == rows[i].same);
	}
}

TEST(a_value_is_read_as_the_kernel_reads_it)
{
	static const struct {
		const char *text;
		int ret;
		int64_t value;
	} rows[] = {
		{ "0", 0, 0 },
		{ "64k", 0, 65536 },
		{ "1P", 0, (int64_t)1 << 50 },
		{ "7E", 0, (int64_t)7 << 60 },
		{ "1g\n", 0, (int64_t)1 << 30 },
		{ "max\n", 0, -1 },
		{ "8E", 0, -1 },
		{ "18446744073709551615", 0, -1 },
		{ "18446744073709551616", -ERANGE, 0 },
		{ "16E", -ERANGE, 0 },
		{ " 64k \n", 0, 65536 },
		{ " max ", 0, -1 },
		{ " ", -EINVAL, 0 },
		{ "-1k", -EINVAL, 0 },
		{ "0x4000000", 0, 67108864 },
		{ "0100000000", 0, 16777216 },
		{ "0x4e", 0, 78 },
		{ "0x1k", 0, 1024 },
		{ "089", -EINVAL, 0 },
		{ "", -EINVAL, 0 },
		{ "k", -EINVAL, 0 },
		{ "1kk", -EINVAL, 0 },
		{ "1.5g", -EINVAL, 0 },
		{ "1kb", -EINVAL, 0 },
		{ "\xe2\x82\xac", -EINVAL, 0 },
	};

	for (size_t i = 0; i < COUNT(rows); i++) {
		int64_t value = 42;

		assert_row(rows[i].text, memory_value_read(rows[i].text, &value, NULL) == rows[i].ret);
		assert_row(rows[i].text, value == (rows[i].ret ? 42 : rows[i].value));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_limit_is_written_everywhere),
		cmocka_unit_test(swap_is_what_the_kernel_can_limit),
		cmocka_unit_test(a_reservation_is_a_soft_limit_or_a_protection),
		cmocka_unit_test(the_annotation_chooses_what_a_reservation_becomes),
		cmocka_unit_test(a_soft_limit_that_the_kernel_ignores_is_said),
		cmocka_unit_test(unlimited_is_in_force_where_there_is_no_file),
		cmocka_unit_test(limits_on_kernel_memory_are_v1s_alone),
		cmocka_unit_test(a_kmem_limit_that_has_no_effect_is_said),
		cmocka_unit_test(swappiness_needs_v1_or_the_patch),
		cmocka_unit_test(a_container_not_to_be_killed_is_refused_where_it_would_be),
		cmocka_unit_test(killing_the_group_is_v2s_alone),
		cmocka_unit_test(hierarchy_can_be_chosen_on_an_old_v1_alone),
		cmocka_unit_test(checking_before_an_update_writes_nothing),
		cmocka_unit_test(a_reserve_is_charged_in_advance_or_protected),
		cmocka_unit_test(charges_move_as_far_as_the_kernel_moves_them),
		cmocka_unit_test(what_no_kernel_does_is_said),
		cmocka_unit_test(each_patched_file_counts_alone),
		cmocka_unit_test(an_exact_limit_needs_no_swap_file),
		cmocka_unit_test(a_field_without_its_stock_file_is_refused_or_said),
		cmocka_unit_test(an_explicit_key_wins_and_a_difference_is_said),
		cmocka_unit_test(an_explicit_limit_is_the_limit_in_force),
		cmocka_unit_test(an_explicit_key_on_v1_is_refused),
		cmocka_unit_test(an_explicit_key_without_a_file_is_refused),
		cmocka_unit_test(a_plan_holds_all_that_can_be_asked_at_once),
		cmocka_unit_test(values_are_the_same_when_the_kernel_means_the_same),
		cmocka_unit_test(a_value_is_read_as_the_kernel_reads_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
