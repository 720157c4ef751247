// SPDX-License-Identifier: GPL-2.0-or-later
#include "kernel/programs.h"

#include <linux/bpf.h>
#include <sys/syscall.h>

#include "test.h"

static int bpf(int command, union bpf_attr *attr)
{
	return (int)syscall(SYS_bpf, command, attr, sizeof(*attr));
}

/* A device filter that allows everything; -1 where this machine lets us load none. */
static int load_filter(void)
{
	const struct bpf_insn instructions[] = {
		{ .code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_0, .imm = 1 },
		{ .code = BPF_JMP | BPF_EXIT },
	};
	union bpf_attr attr = {
		.prog_type = BPF_PROG_TYPE_CGROUP_DEVICE,
		.insn_cnt = COUNT(instructions),
		.insns = (__u64)(unsigned long)instructions,
		.license = (__u64)(unsigned long)"GPL",
	};

	return bpf(BPF_PROG_LOAD, &attr);
}

static int attach(int cgroup, int filter, __u32 flags)
{
	union bpf_attr attr = {
		.target_fd = (__u32)cgroup,
		.attach_bpf_fd = (__u32)filter,
		.attach_type = BPF_CGROUP_DEVICE,
		.attach_flags = flags,
	};

	return bpf(BPF_PROG_ATTACH, &attr);
}

static __u32 filters_of(int cgroup)
{
	union bpf_attr attr = { .query = { .target_fd = (__u32)cgroup,
					   .attach_type = BPF_CGROUP_DEVICE } };

	assert_int_equal(bpf(BPF_PROG_QUERY, &attr), 0);
	return attr.query.prog_cnt;
}

/* An empty cgroup of v2, wherever that is mounted; -1. */
static int make_cgroup(char path[64], const char *name)
{
	static const char *const roots[] = { "/sys/fs/cgroup", "/sys/fs/cgroup/unified" };
	char controllers[64];

	for (size_t i = 0; i < COUNT(roots); i++) {
		snprintf(controllers, sizeof(controllers), "%s/cgroup.controllers", roots[i]);
		snprintf(path, 64, "%s/memcrun-test-%s-%d", roots[i], name, (int)getpid());
		if (access(controllers, F_OK) == 0 && mkdir(path, 0700) == 0)
			return open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	}
	path[0] = '\0';
	return -1;
}

TEST(filters_are_copied_and_read_back)
{
	char from_path[64], to_path[64], other_path[64];
	auto_close int from = make_cgroup(from_path, "from");
	auto_close int to = make_cgroup(to_path, "to");
	auto_close int other = make_cgroup(other_path, "other");
	auto_close int first = load_filter();
	auto_close int second = load_filter();
	struct error err;
	bool can = from >= 0 && to >= 0 && other >= 0 && first >= 0 && second >= 0 &&
		   attach(from, first, BPF_F_ALLOW_MULTI) == 0;

	if (can) {
		assert_int_equal(attach(from, second, BPF_F_ALLOW_MULTI), 0);
		assert_int_equal(programs_copy(from, to, NULL), 2);
		assert_int_equal(filters_of(to), 2);
		assert_int_equal(programs_copy(from, to, NULL), 0);
		assert_int_equal(filters_of(to), 2);
		/* what is attached in another way than here is no copy */
		assert_int_equal(attach(other, first, BPF_F_ALLOW_OVERRIDE), 0);
		assert_true(programs_copy(other, to, &err) < 0);
		assert_non_null(strstr(err.text, "BPF programs of type"));
	}
	rmdir(from_path);
	rmdir(to_path);
	rmdir(other_path);
	if (!can)
		skip_because("this machine has no cgroup v2 that takes BPF programs");
}

/* Of all errors only EINVAL says that there are no programs of a type. */
TEST(a_query_that_fails_is_not_a_cgroup_without_programs)
{
	auto_scratch struct scratch dir = scratch_new();
	struct error err;
	int ret;

	/* -EPERM where this machine does not let us ask at all */
	ret = programs_copy(-1, -1, &err);
	assert_true(ret == -EBADF || ret == -EPERM);
	assert_non_null(strstr(err.text, "BPF programs of type"));
	ret = programs_copy(dir.fd, dir.fd, &err);
	assert_true(ret == -EBADF || ret == -EPERM);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(filters_are_copied_and_read_back),
		cmocka_unit_test(a_query_that_fails_is_not_a_cgroup_without_programs),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
