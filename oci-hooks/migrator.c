// SPDX-License-Identifier: GPL-2.0-or-later
#include "oci-hooks/migrator.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "oci-hooks/confine.h"

/* The migrator's only files. */
enum {
	TO_HOOK = STDIN_FILENO,
	TO_KERNEL = STDOUT_FILENO,
	FILES,
};

/* One write(2), and 0 or its negative errno. */
static int write_request(pid_t target, unsigned int types)
{
	char request[128], words[64];
	ssize_t wrote;
	size_t len;

	types &= CHARGE_ANON | CHARGE_FILE | CHARGE_SHMEM;
	if (!types)
		return -EINVAL;
	len = (size_t)snprintf(request, sizeof(request), "pid:%d %s", target,
			       charge_types_text(words, sizeof(words), types));
	do {
		wrote = write(TO_KERNEL, request, len);
	} while (wrote < 0 && errno == EINTR);
	if (wrote < 0)
		return -errno;
	return (size_t)wrote == len ? 0 : -EIO;
}

/* The runtime may wait until its pipe is closed: the migrator keeps no other file open. */
static bool keep_files(int socket, int migrate)
{
	/* both are above standard error: caller_begin() */
	return dup2(socket, TO_HOOK) == TO_HOOK && dup2(migrate, TO_KERNEL) == TO_KERNEL &&
	       syscall(SYS_close_range, FILES, ~0U, 0) == 0;
}

static _Noreturn void child(pid_t parent, int socket, int migrate, pid_t target)
{
	unsigned int types;
	int ret;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != parent || !keep_files(socket, migrate) || confine_migrator(NULL) < 0)
		_exit(1);
	while (read(TO_HOOK, &types, sizeof(types)) == sizeof(types)) {
		ret = write_request(target, types);
		if (write(TO_HOOK, &ret, sizeof(ret)) != sizeof(ret))
			_exit(1);
	}
	_exit(0);
}

static int ask(void *data, unsigned int types, struct error *err)
{
	const struct migrator *migrator = data;
	ssize_t got = -1;
	int ret = 0;

	if (write(migrator->fd, &types, sizeof(types)) == sizeof(types)) {
		do {
			got = read(migrator->fd, &ret, sizeof(ret));
		} while (got < 0 && errno == EINTR);
	}
	if (got != sizeof(ret) || ret > 0)
		return error_set(err, EIO, "memory.migrate: the process that writes it has died");
	return ret < 0 ? error_errno(err, -ret, "memory.migrate: cannot take over the container's "
					       "charges") : 0;
}

int migrator_start(struct migrator *migrator, int dirfd, pid_t target, struct error *err)
{
	auto_close int migrate = openat(dirfd, "memory.migrate",
					O_WRONLY | O_CLOEXEC | O_NOFOLLOW);
	pid_t parent = getpid(), pid;
	int ends[2];

	if (migrate < 0)
		return 0;
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) < 0)
		return error_errno(err, errno, "memory.migrate: cannot make a socket");
	pid = fork();
	if (pid == 0)
		child(parent, ends[1], migrate, target);
	close(ends[1]);
	if (pid < 0) {
		close(ends[0]);
		return error_errno(err, errno, "memory.migrate: cannot fork");
	}
	*migrator = (struct migrator){
		.writer = { .write = ask, .data = migrator },
		.fd = ends[0],
		.pid = pid,
	};
	return 0;
}

const struct charge_writer *migrator_writer(const struct migrator *migrator)
{
	return migrator->fd < 0 ? NULL : &migrator->writer;
}

void migrator_close(struct migrator *migrator)
{
	if (migrator->fd < 0)
		return;
	close(migrator->fd);
	while (waitpid(migrator->pid, NULL, 0) < 0 && errno == EINTR)
		;
	*migrator = (struct migrator)MIGRATOR_NONE;
}
