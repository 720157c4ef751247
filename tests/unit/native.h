/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * native - a container on the cgroups of this machine, for tests of code that only a kernel
 * can answer. The container is a process of the test in a cgroup of the test, beside a
 * record like crun's. A machine without such cgroups skips the test and prints the reason.
 *
 * native_setup() and native_teardown() are for cmocka_unit_test_setup_teardown(): the
 * teardown removes the cgroups after a failure, too.
 */

#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include "base/file.h"
#include "kernel/hierarchy.h"
#include "kernel/tasks.h"
#include "kernel/tree.h"
#include "test.h"

#define NATIVE_ID "box"
#define MIB ((int64_t)1 << 20)

struct native {
	struct scratch state;			/* crun's state directory */
	struct hierarchies hierarchies;
	const struct hierarchy *memory;
	char path[64];				/* the container's cgroup */
	pid_t pid;				/* the container's process */
	int ends[2];				/* sockets to the process: ours, its own */
	char why[200];				/* why this machine cannot, or "" */
};

/* The process: each byte that arrives makes it use that many MiB more. */
static inline _Noreturn void native_process(int fd, pid_t parent)
{
	unsigned char mib;
	char *memory;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	while (getppid() == parent && read(fd, &mib, 1) == 1) {
		memory = mmap(NULL, mib * (size_t)MIB, PROT_READ | PROT_WRITE,
			      MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
		mib = memory == MAP_FAILED;
		if (write(fd, &mib, 1) != 1)
			break;
	}
	_exit(0);
}

static inline void native_use(struct native *native, unsigned char mib)
{
	assert_int_equal(write(native->ends[0], &mib, 1), 1);
	assert_int_equal(read(native->ends[0], &mib, 1), 1);
	assert_int_equal(mib, 0);
}

static inline int native_procs(const struct hierarchy *hierarchy, const char *path, pid_t pid)
{
	auto_close int dirfd = -1;
	char text[16];

	snprintf(text, sizeof(text), "%d", pid);
	return hierarchy_open(hierarchy, path, &dirfd, NULL) < 0 ? -ENOENT :
	       file_write_at(dirfd, "cgroup.procs", text, NULL);
}

/* A cgroup of the container's in each hierarchy, with its process; or the reason in `why`. */
static inline void native_make(struct native *native)
{
	auto_host struct host host = { .cgroup_root = -1, .proc = -1 };
	struct error err = { "" };
	char file[128];

	if (host_open(&host, NULL, &err) < 0 ||
	    hierarchies_open(&native->hierarchies, &host, &err) < 0) {
		snprintf(native->why, sizeof(native->why), "%.150s", err.text);
		return;
	}
	native->memory = hierarchies_memory(&native->hierarchies);
	for (size_t i = 0; i < native->hierarchies.count; i++) {
		const struct hierarchy *hierarchy = &native->hierarchies.each[i];

		if (tree_make(hierarchy, native->path, &err) < 0 ||
		    native_procs(hierarchy, native->path, native->pid) < 0) {
			snprintf(native->why, sizeof(native->why),
				 "no cgroup with a process can be made here: %.100s", err.text);
			return;
		}
	}
	snprintf(file, sizeof(file), "%s/%s", native->path + 1,
		 native->memory && native->memory->mode == CGROUP_V1 ? "memory.limit_in_bytes" :
								       "memory.max");
	if (!native->memory || !file_exists_at(native->memory->root, file))
		snprintf(native->why, sizeof(native->why),
			 "cgroups made below the root have no memory controller here");
}

static inline int native_setup(void **state)
{
	struct native *native = calloc(1, sizeof(*native));
	pid_t parent = getpid();

	if (!native || socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, native->ends) < 0)
		return -1;
	*state = native;
	native->state = scratch_new();
	snprintf(native->path, sizeof(native->path), "/memcrun-test-%d", parent);
	native->pid = fork();
	if (native->pid == 0)
		native_process(native->ends[1], parent);
	if (native->pid > 0)
		native_make(native);
	return native->pid > 0 ? 0 : -1;
}

/* The cgroup `path` with all below it goes from each hierarchy. */
static inline void native_remove(const struct native *native, const char *path)
{
	for (size_t i = 0; i < native->hierarchies.count; i++)
		tree_remove(&native->hierarchies.each[i], path, 2000, NULL);
}

static inline int native_teardown(void **state)
{
	struct native *native = *state;

	kill(native->pid, SIGKILL);
	waitpid(native->pid, NULL, 0);
	native_remove(native, native->path);
	hierarchies_close(&native->hierarchies);
	close(native->ends[0]);
	close(native->ends[1]);
	scratch_remove(&native->state);
	free(native);
	return 0;
}

#define native_test(name) cmocka_unit_test_setup_teardown(name, native_setup, native_teardown)

/* The container of this test; skips the test where this machine cannot have one. */
static inline struct native *native_of(void **state)
{
	struct native *native = *state;

	if (*native->why) {
		skip_because("%s", native->why);
	}
	return native;
}

/* crun's record of the container in cgroup `path`, and its copy of the config. */
static inline void native_record(struct native *native, const char *path, const char *config)
{
	char text[512];

	mkdirat(native->state.fd, NATIVE_ID, 0755);
	snprintf(text, sizeof(text),
		 "{\"pid\":%d,\"cgroup-path\":\"%s\",\"scope\":\"\",\"systemd-cgroup\":false}",
		 native->pid, path);
	scratch_file(&native->state, NATIVE_ID "/status", text);
	scratch_file(&native->state, NATIVE_ID "/config.json", config);
}

static inline bool native_is_v1(const struct native *native)
{
	return native->memory->mode == CGROUP_V1;
}

/* The file `name` of the memory cgroup at `path`. */
static inline void native_read(const struct native *native, const char *path, const char *name,
			       char *text, size_t size)
{
	auto_close int dirfd = -1;

	assert_int_equal(hierarchy_open(native->memory, path, &dirfd, NULL), 0);
	assert_row(name, file_read_at(dirfd, name, text, size, NULL) >= 0);
}

static inline int64_t native_number(const struct native *native, const char *name)
{
	char text[64];

	native_read(native, native->path, name, text, sizeof(text));
	return strtoll(text, NULL, 10);
}

static inline void native_write(const struct native *native, const char *name, const char *value)
{
	auto_close int dirfd = -1;

	assert_int_equal(hierarchy_open(native->memory, native->path, &dirfd, NULL), 0);
	assert_row(name, file_write_at(dirfd, name, value, NULL) == 0);
}

static inline int64_t native_limit(const struct native *native)
{
	return native_number(native,
			     native_is_v1(native) ? "memory.limit_in_bytes" : "memory.max");
}
