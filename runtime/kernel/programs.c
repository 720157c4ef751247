// SPDX-License-Identifier: GPL-2.0-or-later
#include "kernel/programs.h"

#include <errno.h>
#include <linux/bpf.h>
#include <stdbool.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/cleanup.h"

/* The kernel has 64 to a cgroup and type at most (BPF_CGROUP_MAX_PROGS). */
#define PROGRAMS_MAX 64

/* Only these: with the others target_fd is something else, even the index of a device. */
static const enum bpf_attach_type types[] = {
	BPF_CGROUP_DEVICE,
	BPF_CGROUP_INET_INGRESS,
	BPF_CGROUP_INET_EGRESS,
	BPF_CGROUP_INET_SOCK_CREATE,
	BPF_CGROUP_INET_SOCK_RELEASE,
	BPF_CGROUP_SOCK_OPS,
	BPF_CGROUP_INET4_BIND,
	BPF_CGROUP_INET6_BIND,
	BPF_CGROUP_INET4_POST_BIND,
	BPF_CGROUP_INET6_POST_BIND,
	BPF_CGROUP_INET4_CONNECT,
	BPF_CGROUP_INET6_CONNECT,
	BPF_CGROUP_INET4_GETPEERNAME,
	BPF_CGROUP_INET6_GETPEERNAME,
	BPF_CGROUP_INET4_GETSOCKNAME,
	BPF_CGROUP_INET6_GETSOCKNAME,
	BPF_CGROUP_UDP4_SENDMSG,
	BPF_CGROUP_UDP6_SENDMSG,
	BPF_CGROUP_UDP4_RECVMSG,
	BPF_CGROUP_UDP6_RECVMSG,
	BPF_CGROUP_GETSOCKOPT,
	BPF_CGROUP_SETSOCKOPT,
	BPF_CGROUP_SYSCTL,
};

struct programs {
	__u32 flags;
	__u32 count;
	__u32 ids[PROGRAMS_MAX];
};

static int bpf(int command, union bpf_attr *attr)
{
	long ret = syscall(SYS_bpf, command, attr, sizeof(*attr));

	return ret < 0 ? -errno : (int)ret;
}

static int query(int cgroup, __u32 type, struct programs *found)
{
	union bpf_attr attr = { 0 };
	int ret;

	*found = (struct programs){ 0 };
	attr.query.target_fd = (__u32)cgroup;
	attr.query.attach_type = type;
	attr.query.prog_ids = (__u64)(unsigned long)found->ids;
	attr.query.prog_cnt = PROGRAMS_MAX;
	ret = bpf(BPF_PROG_QUERY, &attr);
	if (ret < 0)
		return ret;
	found->flags = attr.query.attach_flags;
	found->count = attr.query.prog_cnt;
	return 0;
}

static bool has(const struct programs *programs, __u32 id)
{
	for (__u32 i = 0; i < programs->count; i++) {
		if (programs->ids[i] == id)
			return true;
	}
	return false;
}

static int attach(int cgroup, __u32 type, __u32 flags, __u32 id)
{
	union bpf_attr attr = { .prog_id = id };
	auto_close int program = bpf(BPF_PROG_GET_FD_BY_ID, &attr);

	if (program < 0)
		return program;
	memset(&attr, 0, sizeof(attr));
	attr.target_fd = (__u32)cgroup;
	attr.attach_bpf_fd = (__u32)program;
	attr.attach_type = type;
	attr.attach_flags = flags;
	return bpf(BPF_PROG_ATTACH, &attr);
}

/*
 * The programs of one type. A query that fails is a failure of the copy: the container would
 * run on without its filter. Only -EINVAL says that this kernel has no such type, and -ENOSYS
 * that it has no bpf(2): then no cgroup can have programs of it. More than PROGRAMS_MAX
 * programs are -ENOSPC.
 */
static int copy_type(int from, int to, __u32 type, struct error *err)
{
	struct programs had, has_now;
	int attached = 0, ret;

	ret = query(from, type, &had);
	if (ret == -EINVAL || ret == -ENOSYS || (ret == 0 && had.count == 0))
		return 0;
	if (ret == 0)
		ret = query(to, type, &has_now);
	if (ret < 0)
		return error_errno(err, -ret, "BPF programs of type %u: cannot be seen", type);
	for (__u32 i = 0; i < had.count; i++) {
		if (has(&has_now, had.ids[i]))
			continue;
		ret = attach(to, type, had.flags, had.ids[i]);
		if (ret < 0)
			return error_errno(err, -ret, "BPF programs of type %u: cannot attach",
					   type);
		attached++;
	}
	/* what the kernel made of it counts, not what it answered */
	ret = query(to, type, &has_now);
	if (ret < 0)
		return error_errno(err, -ret, "BPF programs of type %u: cannot be seen", type);
	if (has_now.count < had.count || has_now.flags != had.flags)
		return error_set(err, EIO,
				 "BPF programs of type %u: %u with flags %u became %u with flags %u",
				 type, had.count, had.flags, has_now.count, has_now.flags);
	for (__u32 i = 0; i < had.count; i++) {
		if (!has(&has_now, had.ids[i]))
			return error_set(err, EIO, "BPF programs of type %u: program %u is missing",
					 type, had.ids[i]);
	}
	return attached;
}

int programs_copy(int from, int to, struct error *err)
{
	int attached = 0, ret;

	for (size_t each = 0; each < sizeof(types) / sizeof(types[0]); each++) {
		ret = copy_type(from, to, (__u32)types[each], err);
		if (ret < 0)
			return ret;
		attached += ret;
	}
	return attached;
}
