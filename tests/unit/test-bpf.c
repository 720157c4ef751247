// SPDX-License-Identifier: GPL-2.0-or-later
#include "kernel/programs.h"

#include <linux/bpf.h>
#include <sys/syscall.h>

#include "native.h"

static int bpf(int command, union bpf_attr *attr)
{
	return (int)syscall(SYS_bpf, command, attr, sizeof(*attr));
}

/* A program that allows all devices; -1: this machine loads none. */
static int load(void)
{
	const struct bpf_insn allow[] = {
		{ .code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_0, .imm = 1 },
		{ .code = BPF_JMP | BPF_EXIT },
	};
	union bpf_attr attr = {
		.prog_type = BPF_PROG_TYPE_CGROUP_DEVICE,
		.insns = (__u64)(unsigned long)allow,
		.insn_cnt = COUNT(allow),
		.license = (__u64)(unsigned long)"GPL",
	};

	return bpf(BPF_PROG_LOAD, &attr);
}

static int attach(int cgroup, int program, __u32 flags)
{
	union bpf_attr attr = {
		.target_fd = (__u32)cgroup,
		.attach_bpf_fd = (__u32)program,
		.attach_type = BPF_CGROUP_DEVICE,
		.attach_flags = flags,
	};

	return bpf(BPF_PROG_ATTACH, &attr);
}

struct attached {
	__u32 flags;
	__u32 count;
	__u32 ids[8];
};

static struct attached query(int cgroup)
{
	struct attached found = { 0 };
	union bpf_attr attr = {
		.query = {
			.target_fd = (__u32)cgroup,
			.attach_type = BPF_CGROUP_DEVICE,
			.prog_ids = (__u64)(unsigned long)found.ids,
			.prog_cnt = COUNT(found.ids),
		},
	};

	assert_int_equal(bpf(BPF_PROG_QUERY, &attr), 0);
	found.flags = attr.query.attach_flags;
	found.count = attr.query.prog_cnt;
	return found;
}

/* Two v2 cgroups below the container's. */
struct cgroups {
	int from;
	int to;
	int programs[2];
};

static int make(const struct native *native, const struct hierarchy *v2, const char *name)
{
	char path[80];
	int dirfd;

	snprintf(path, sizeof(path), "%s/%s", native->path, name);
	assert_true(tree_make(v2, path, NULL) >= 0);
	assert_int_equal(hierarchy_open(v2, path, &dirfd, NULL), 0);
	return dirfd;
}

static void cgroups_make(void **state, struct cgroups *cgroups)
{
	struct native *native = native_of(state);
	const struct hierarchy *v2 = NULL;

	for (size_t i = 0; i < native->hierarchies.count; i++) {
		if (native->hierarchies.each[i].mode == CGROUP_V2)
			v2 = &native->hierarchies.each[i];
	}
	for (size_t i = 0; i < COUNT(cgroups->programs); i++)
		cgroups->programs[i] = v2 ? load() : -1;
	if (!v2 || cgroups->programs[0] < 0) {
		skip_because("%s", v2 ? "this machine loads no BPF programs" :
				    "cgroup v2 is not mounted here");
	}
	cgroups->from = make(native, v2, "from");
	cgroups->to = make(native, v2, "to");
}

static void cgroups_close(const struct cgroups *cgroups)
{
	for (size_t i = 0; i < COUNT(cgroups->programs); i++)
		close(cgroups->programs[i]);
	close(cgroups->from);
	close(cgroups->to);
}

TEST(programs_are_copied_in_their_order_with_their_flags)
{
	static const __u32 flags[] = { 0, BPF_F_ALLOW_OVERRIDE, BPF_F_ALLOW_MULTI };
	struct cgroups cgroups;
	struct attached had, has;

	cgroups_make(state, &cgroups);
	for (size_t i = 0; i < COUNT(flags); i++) {
		__u32 many = flags[i] == BPF_F_ALLOW_MULTI ? 2 : 1;
		union bpf_attr detach = { .attach_type = BPF_CGROUP_DEVICE };

		for (__u32 each = 0; each < many; each++)
			assert_int_equal(attach(cgroups.from, cgroups.programs[each], flags[i]), 0);
		assert_int_equal(programs_copy(cgroups.from, cgroups.to, NULL), many);
		/* once only */
		assert_int_equal(programs_copy(cgroups.from, cgroups.to, NULL), 0);
		had = query(cgroups.from);
		has = query(cgroups.to);
		assert_int_equal(has.flags, flags[i]);
		assert_int_equal(has.count, many);
		assert_memory_equal(has.ids, had.ids, many * sizeof(had.ids[0]));
		for (__u32 each = 0; each < many; each++) {
			detach.attach_bpf_fd = (__u32)cgroups.programs[each];
			detach.target_fd = (__u32)cgroups.to;
			assert_int_equal(bpf(BPF_PROG_DETACH, &detach), 0);
			detach.target_fd = (__u32)cgroups.from;
			assert_int_equal(bpf(BPF_PROG_DETACH, &detach), 0);
		}
	}
	cgroups_close(&cgroups);
}

TEST(without_programs_nothing_is_attached)
{
	struct cgroups cgroups;

	cgroups_make(state, &cgroups);
	assert_int_equal(programs_copy(cgroups.from, cgroups.to, NULL), 0);
	assert_int_equal(query(cgroups.to).count, 0);
	cgroups_close(&cgroups);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		native_test(programs_are_copied_in_their_order_with_their_flags),
		native_test(without_programs_nothing_is_attached),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
