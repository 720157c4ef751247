// SPDX-License-Identifier: GPL-2.0-or-later
#include "oci-hooks/confine.h"

#include <errno.h>
#include <linux/filter.h>
#include <linux/landlock.h>
#include <linux/seccomp.h>
#include <sys/capability.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

/* Later than the headers of Linux 6.1, which may be those here. */
#ifndef LANDLOCK_ACCESS_FS_TRUNCATE
#define LANDLOCK_ACCESS_FS_TRUNCATE (1ULL << 14)
#endif
#ifndef LANDLOCK_ACCESS_FS_IOCTL_DEV
#define LANDLOCK_ACCESS_FS_IOCTL_DEV (1ULL << 15)
#endif

static const cap_value_t kept[] = {
	CAP_DAC_OVERRIDE,	/* files of a cgroup that was handed to another user */
	CAP_SYS_PTRACE,		/* whose memory a container takes over: memory.migrate, pid:N */
};

/* hook_filter and reader_filter; make-filter.c has what is in them. */
#include "oci-hooks/filter.inc"

int confine_capabilities(struct error *err)
{
	cap_flag_value_t has;
	cap_t now, then;
	int ret = 0;

	now = cap_get_proc();
	then = cap_init();
	if (!now || !then)
		ret = -1;
	for (size_t i = 0; ret == 0 && i < sizeof(kept) / sizeof(kept[0]); i++) {
		/* a user's own runtime may have been left without */
		ret = cap_get_flag(now, kept[i], CAP_PERMITTED, &has);
		if (ret == 0 && has == CAP_SET)
			ret = cap_set_flag(then, CAP_PERMITTED, 1, &kept[i], CAP_SET);
		if (ret == 0 && has == CAP_SET)
			ret = cap_set_flag(then, CAP_EFFECTIVE, 1, &kept[i], CAP_SET);
	}
	if (ret == 0)
		ret = cap_set_proc(then);
	if (ret == 0)
		ret = prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
	if (ret < 0)
		ret = error_errno(err, errno, "cannot give up capabilities");
	cap_free(now);
	cap_free(then);
	return ret;
}

static int filter_calls(const struct sock_filter *filter, size_t count, struct error *err)
{
	const struct sock_fprog program = {
		.len = (unsigned short)count,
		.filter = (struct sock_filter *)filter,
	};

	/* sanitizers have threads and signals of their own */
	if (SANITIZED)
		return 0;
	if (prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) < 0)
		return error_errno(err, errno, "cannot load a seccomp filter");
	return 0;
}

int confine_migrator(struct error *err)
{
	return filter_calls(reader_filter, sizeof(reader_filter) / sizeof(reader_filter[0]), err);
}

int confine_reader(struct error *err)
{
	cap_t none = cap_init();
	int ret = none ? cap_set_proc(none) : -1;

	if (ret < 0)
		ret = error_errno(err, errno, "cannot give up capabilities");
	cap_free(none);
	return ret < 0 ? ret : confine_migrator(err);
}

/* All that this kernel can deny. What it cannot is open to a hook as to any process. */
static uint64_t denied_files(int abi)
{
	uint64_t denied = (LANDLOCK_ACCESS_FS_MAKE_SYM << 1) - 1;

	if (abi >= 2)
		denied |= LANDLOCK_ACCESS_FS_REFER;
	if (abi >= 3)
		denied |= LANDLOCK_ACCESS_FS_TRUNCATE;
	if (abi >= 5)
		denied |= LANDLOCK_ACCESS_FS_IOCTL_DEV;
	return denied;
}

int confine_files(void)
{
	long abi = syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION);
	struct landlock_ruleset_attr rules;

	if (abi < 1)
		return -1;
	rules = (struct landlock_ruleset_attr){ .handled_access_fs = denied_files((int)abi) };
	return (int)syscall(SYS_landlock_create_ruleset, &rules, sizeof(rules.handled_access_fs),
			    0);
}

int confine_files_allow(int rules, int fd, unsigned int access, struct error *err)
{
	struct landlock_path_beneath_attr rule = { .parent_fd = fd };
	struct stat st;

	if (rules < 0 || fd < 0)
		return 0;
	if (access & CONFINE_READ)
		rule.allowed_access |= LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_READ_DIR;
	if (access & CONFINE_WRITE)
		rule.allowed_access |= LANDLOCK_ACCESS_FS_WRITE_FILE;
	if (access & CONFINE_REPLACE)
		rule.allowed_access |= LANDLOCK_ACCESS_FS_MAKE_REG |
				       LANDLOCK_ACCESS_FS_REMOVE_FILE;
	if (access & CONFINE_PROBE)
		rule.allowed_access |= LANDLOCK_ACCESS_FS_MAKE_DIR | LANDLOCK_ACCESS_FS_REMOVE_DIR;
	/* a rule for a file may only have what a file can be used for */
	if (fstat(fd, &st) == 0 && !S_ISDIR(st.st_mode))
		rule.allowed_access &= LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_WRITE_FILE;
	/*
	 * EBADFD: a pipe, or another file of a file system that is never mounted (SB_NOUSER).
	 * Landlock does not restrict such a file and accepts no rule for it.
	 */
	if (syscall(SYS_landlock_add_rule, rules, LANDLOCK_RULE_PATH_BENEATH, &rule, 0) < 0 &&
	    errno != EBADFD)
		return error_errno(err, errno, "cannot add a Landlock rule");
	return 0;
}

int confine(int rules, struct error *err)
{
	/* sanitizers look into /proc when the program ends */
	if (rules >= 0 && !SANITIZED && syscall(SYS_landlock_restrict_self, rules, 0) < 0)
		return error_errno(err, errno, "cannot set up Landlock");
	return filter_calls(hook_filter, sizeof(hook_filter) / sizeof(hook_filter[0]), err);
}
