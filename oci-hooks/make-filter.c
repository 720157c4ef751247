// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * make-filter - writes the hook's seccomp filters as C, when the hook is built: for
 * libseccomp to work it out before each container takes longer than all else that the hook
 * does.
 */
#include <errno.h>
#include <linux/filter.h>
#include <seccomp.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

/* For the processes that parse the state and write memory.migrate: memory, open files, an end. */
static const int reader_calls[] = {
	SCMP_SYS(brk), SCMP_SYS(mmap), SCMP_SYS(mmap2), SCMP_SYS(mremap), SCMP_SYS(munmap),
	SCMP_SYS(madvise), SCMP_SYS(read), SCMP_SYS(write), SCMP_SYS(close),
	SCMP_SYS(fstat), SCMP_SYS(fstat64), SCMP_SYS(newfstatat), SCMP_SYS(fstatat64),
	SCMP_SYS(statx), SCMP_SYS(rt_sigreturn), SCMP_SYS(restart_syscall), SCMP_SYS(exit),
	SCMP_SYS(exit_group),
};

/*
 * Memory, files, a line to a log, the end of the migrator and our own; also as older
 * architectures have them.
 */
static const int hook_calls[] = {
	SCMP_SYS(brk), SCMP_SYS(mmap), SCMP_SYS(mmap2), SCMP_SYS(madvise), SCMP_SYS(futex),
	SCMP_SYS(futex_time64), SCMP_SYS(mremap), SCMP_SYS(munmap), SCMP_SYS(getrandom),
	SCMP_SYS(read), SCMP_SYS(pread64), SCMP_SYS(write), SCMP_SYS(writev), SCMP_SYS(close),
	SCMP_SYS(lseek), SCMP_SYS(fcntl), SCMP_SYS(fstat), SCMP_SYS(newfstatat), SCMP_SYS(statx),
	SCMP_SYS(openat), SCMP_SYS(faccessat), SCMP_SYS(faccessat2), SCMP_SYS(readlink),
	SCMP_SYS(readlinkat), SCMP_SYS(mkdirat), SCMP_SYS(unlinkat), SCMP_SYS(renameat),
	SCMP_SYS(renameat2), SCMP_SYS(flock), SCMP_SYS(_llseek), SCMP_SYS(fcntl64),
	SCMP_SYS(fstat64), SCMP_SYS(fstatat64), SCMP_SYS(fchown32),
	SCMP_SYS(fsync), SCMP_SYS(fchmod), SCMP_SYS(fchown),
	SCMP_SYS(getpid), SCMP_SYS(getuid), SCMP_SYS(geteuid), SCMP_SYS(getuid32),
	SCMP_SYS(geteuid32),
	SCMP_SYS(clock_gettime), SCMP_SYS(clock_gettime64), SCMP_SYS(clock_nanosleep),
	SCMP_SYS(clock_nanosleep_time64), SCMP_SYS(nanosleep), SCMP_SYS(gettimeofday), SCMP_SYS(time),
	SCMP_SYS(connect), SCMP_SYS(sendto), SCMP_SYS(wait4), SCMP_SYS(waitid),
	SCMP_SYS(rt_sigprocmask), SCMP_SYS(rt_sigreturn), SCMP_SYS(restart_syscall),
	SCMP_SYS(exit), SCMP_SYS(exit_group),
};

static int allow(scmp_filter_ctx filter, const int *calls, size_t count)
{
	int ret = 0;

	for (size_t i = 0; ret == 0 && i < count; i++) {
		ret = seccomp_rule_add(filter, SCMP_ACT_ALLOW, calls[i], 0);
		/* one that this architecture does not have */
		if (ret == -EDOM || ret == -EINVAL)
			ret = 0;
	}
	return ret;
}

/* The program of `filter`, as an array of that name; the filter is gone then. */
static int print(scmp_filter_ctx filter, const char *name)
{
	int fd = memfd_create("filter", MFD_CLOEXEC);
	struct sock_filter line;
	int ret;

	ret = fd >= 0 ? seccomp_export_bpf(filter, fd) : -errno;
	seccomp_release(filter);
	if (ret < 0 || lseek(fd, 0, SEEK_SET) < 0)
		return ret < 0 ? ret : -errno;
	printf("static const struct sock_filter %s[] = {\n", name);
	while (read(fd, &line, sizeof(line)) == sizeof(line))
		printf("{ 0x%02x, %u, %u, 0x%08x },\n", line.code, line.jt, line.jf, line.k);
	printf("};\n");
	close(fd);
	return 0;
}

static int print_reader(void)
{
	scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ERRNO(EPERM));
	int ret = filter ? allow(filter, reader_calls,
				 sizeof(reader_calls) / sizeof(reader_calls[0])) : -ENOMEM;

	return ret < 0 ? ret : print(filter, "reader_filter");
}

static int print_hook(void)
{
	scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ERRNO(EPERM));
	int ret = filter ? allow(filter, hook_calls, sizeof(hook_calls) / sizeof(hook_calls[0])) :
			   -ENOMEM;

	/* syslog(3) and the journal */
	if (ret == 0)
		ret = seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(socket), 1,
				       SCMP_A0(SCMP_CMP_EQ, AF_UNIX, 0));
	return ret < 0 ? ret : print(filter, "hook_filter");
}

int main(void)
{
	int ret = print_reader();

	if (ret == 0)
		ret = print_hook();
	if (ret < 0) {
		fprintf(stderr, "make-filter: %s\n", strerror(-ret));
		return 1;
	}
	return fflush(stdout) || ferror(stdout);
}
