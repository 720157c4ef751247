// SPDX-License-Identifier: GPL-2.0-or-later
#include "oci-hooks/reader.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/file.h"
#include "oci-hooks/confine.h"

static int parse(struct reader_answer *answer, struct error *err)
{
	struct state state = { 0 };
	int ret;

	ret = confine_reader(err);
	if (ret == 0)
		ret = state_read(&state, STDIN_FILENO, err);
	if (ret < 0)
		return ret;
	answer->pid = state.pid;
	answer->asked = state.asked != NULL;
	snprintf(answer->id, sizeof(answer->id), "%s", state.id ? state.id : "");
	if (state.bundle && strlen(state.bundle) >= sizeof(answer->bundle))
		return error_set(err, ENAMETOOLONG, "state: bundle: too long");
	snprintf(answer->bundle, sizeof(answer->bundle), "%s", state.bundle ? state.bundle : "");
	return 0;
}

static _Noreturn void child(struct reader_answer *answer, pid_t parent, int fd)
{
	/* a runtime that does not wait any longer kills the hook, and its standard input may stay */
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != parent)
		_exit(1);
	answer->ret = parse(answer, &answer->err);
	_exit(file_write_all(fd, (const char *)answer, sizeof(*answer), NULL) < 0);
}

/* All of it, or less where the other end is closed. */
static size_t receive(struct reader_answer *answer, int fd)
{
	size_t len = 0;
	ssize_t got;

	while (len < sizeof(*answer)) {
		got = read(fd, (char *)answer + len, sizeof(*answer) - len);
		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0)
			break;
		len += (size_t)got;
	}
	return len;
}

int reader_run(struct reader_answer *answer, struct state *state, struct error *err)
{
	pid_t parent = getpid(), pid;
	size_t len;
	int ends[2];

	memset(answer, 0, sizeof(*answer));
	if (pipe2(ends, O_CLOEXEC) < 0)
		return error_errno(err, errno, "state: cannot make a pipe");
	pid = fork();
	if (pid == 0)
		child(answer, parent, ends[1]);
	close(ends[1]);
	if (pid < 0) {
		close(ends[0]);
		return error_errno(err, errno, "state: cannot fork");
	}
	len = receive(answer, ends[0]);
	close(ends[0]);
	while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
		;
	if (len != sizeof(*answer) || answer->pid < 0)
		return error_set(err, EIO, "state: the process that reads it has died");

	/* whatever it has become, these are texts, and the words one line */
	answer->id[sizeof(answer->id) - 1] = '\0';
	answer->bundle[sizeof(answer->bundle) - 1] = '\0';
	answer->err.text[sizeof(answer->err.text) - 1] = '\0';
	if (answer->ret != 0)
		return error_set(err, EINVAL, "%s", answer->err.text);
	*state = (struct state){
		.pid = answer->pid,
		.id = answer->id[0] ? answer->id : NULL,
		.bundle = answer->bundle[0] ? answer->bundle : NULL,
		.asked = answer->asked ? "" : NULL,
	};
	return 0;
}
