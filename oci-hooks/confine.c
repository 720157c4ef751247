// SPDX-License-Identifier: GPL-2.0-or-later
#include "oci-hooks/confine.h"

#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/capability.h>
#include <sys/prctl.h>

static const cap_value_t kept[] = {
	CAP_DAC_OVERRIDE,	/* files of a cgroup that was handed to another user */
	CAP_SYS_PTRACE,		/* whose memory a container takes over: memory.migrate, pid:N */
};

/* make-filter.c has what is in it. */
static struct sock_filter filter[] = {
#include "oci-hooks/filter.inc"
};

int confine_capabilities(bool effective, struct error *err)
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
		if (ret == 0 && has == CAP_SET && effective)
			ret = cap_set_flag(then, CAP_EFFECTIVE, 1, &kept[i], CAP_SET);
	}
	if (ret == 0)
		ret = cap_set_proc(then);
	if (ret < 0)
		ret = error_errno(err, errno, "cannot set capabilities");
	cap_free(now);
	cap_free(then);
	return ret;
}

static int filter_calls(struct error *err)
{
	const struct sock_fprog program = {
		.len = sizeof(filter) / sizeof(filter[0]),
		.filter = filter,
	};

	/* sanitizers have threads and signals of their own */
	if (SANITIZED)
		return 0;
	if (prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) < 0)
		return error_errno(err, errno, "cannot load a seccomp filter");
	return 0;
}

int confine(struct error *err)
{
	int ret;

	ret = confine_capabilities(false, err);
	if (ret == 0 && prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		ret = error_errno(err, errno, "cannot set no_new_privs");
	return ret < 0 ? ret : filter_calls(err);
}
