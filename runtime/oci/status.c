// SPDX-License-Identifier: GPL-2.0-or-later
#include "oci/status.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/file.h"

void status_close(struct status *status)
{
	if (status->dirfd >= 0)
		close(status->dirfd);
	json_free(status->document);
	*status = (struct status)STATUS_NONE;
}

int status_check_id(const char *id, struct error *err)
{
	/* the last two are crun's own directories, beside those of containers */
	static const char *const names[] = { "", ".", "..", ".cache", ".empty-directory" };
	bool refused = strchr(id, '/') != NULL;

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		refused = refused || strcmp(id, names[i]) == 0;
	return refused ? error_set(err, EINVAL, "not a container's name, \"%s\"", id) : 0;
}

int status_check_new_id(const char *id, struct error *err)
{
	static const char allowed[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
				      "0123456789_+.-";
	int ret = status_check_id(id, err);

	if (ret == 0 && (id[0] == '.' || id[strspn(id, allowed)]))
		ret = error_set(err, EINVAL, "a container's name has letters, digits and _ + . - in "
				"it, and begins with no dot, \"%s\"", id);
	return ret;
}

static char *directory(const char *root, const char *id)
{
	const char *run = getenv("XDG_RUNTIME_DIR");
	char *path;
	int ret;

	if (root)
		ret = asprintf(&path, "%s/%s", root, id);
	else
		/* as crun has it, for root as well */
		ret = asprintf(&path, "%s/crun/%s", run && *run ? run : "/run", id);
	return ret < 0 ? NULL : path;
}

static int read_fields(struct status *status, struct error *err)
{
	struct json_value *root = json_root(status->document);
	int64_t pid = 0;
	int ret;

	status->cgroup_path = status->scope = "";
	if (root->type != JSON_OBJECT)
		return error_set(err, EINVAL, "not an object");
	ret = json_get_i64(root, "pid", &pid, err);
	if (ret >= 0)
		ret = json_get_i64(root, "process-start-time", &status->start_time, err);
	if (ret >= 0)
		ret = json_get_string(root, "cgroup-path", &status->cgroup_path, err);
	if (ret >= 0)
		ret = json_get_string(root, "scope", &status->scope, err);
	if (ret >= 0)
		ret = json_get_bool(root, "systemd-cgroup", &status->systemd, err);
	if (ret < 0)
		return ret;
	if (pid < 0 || pid > INT32_MAX)
		return error_set(err, EINVAL, "pid: out of range, \"%" PRId64 "\"", pid);
	status->pid = (pid_t)pid;
	return 0;
}

static int open_directory(int root, const char *dir, const char *path, struct error *err)
{
	int fd = openat(root, dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0)
		return error_set(err, errno, errno == ENOENT ? "no such container, \"%s\"" :
				 "cannot open \"%s\"", path);
	return fd;
}

int status_open_directory(const char *root, const char *id, struct error *err)
{
	auto_free char *path = directory(root, id);
	int ret = status_check_id(id, err);

	if (ret < 0)
		return ret;
	if (!path)
		return error_errno(err, ENOMEM, "%s", id);
	return open_directory(AT_FDCWD, path, path, err);
}

/* Of the directory `dirfd`, which is closed; `path` names it for messages. */
static int read_in(struct status *status, int dirfd, const char *path, struct error *err)
{
	auto_status struct status made = STATUS_NONE;
	auto_free char *text = NULL;
	auto_close int fd = -1;
	size_t len;
	int ret;

	made.dirfd = dirfd;
	fd = openat(made.dirfd, "status", O_RDONLY | O_CLOEXEC);
	ret = fd < 0 ? error_errno(err, errno, "cannot open") :
		       file_read_all(fd, JSON_SIZE_MAX, &text, &len, err);
	if (ret == 0)
		ret = json_parse(text, len, &made.document, err);
	if (ret == 0)
		ret = read_fields(&made, err);
	if (ret < 0)
		return error_prefix(err, ret, "%s/status", path);

	*status = made;
	made = (struct status)STATUS_NONE;
	return 0;
}

int status_open(struct status *status, const char *root, const char *id, struct error *err)
{
	auto_free char *path = directory(root, id);
	int dirfd = status_open_directory(root, id, err);

	if (dirfd < 0)
		return dirfd;
	return read_in(status, dirfd, path ? path : id, err);
}

int status_open_again(struct status *status, const struct status *had, struct error *err)
{
	int dirfd = fcntl(had->dirfd, F_DUPFD_CLOEXEC, 0);

	return dirfd < 0 ? error_errno(err, errno, "status: cannot open") :
			   read_in(status, dirfd, "container", err);
}

int status_open_at(struct status *status, int root, const char *id, struct error *err)
{
	int dirfd = open_directory(root, id, id, err);

	return dirfd < 0 ? dirfd : read_in(status, dirfd, id, err);
}

/* Field 22 of /proc/PID/stat; the name before it may hold anything but its last ')'. */
static int64_t start_time(pid_t pid, char *state)
{
	char name[32], text[1024];
	int64_t ticks = -1;
	const char *rest;
	ssize_t len;

	snprintf(name, sizeof(name), "/proc/%d/stat", pid);
	len = file_read_at(AT_FDCWD, name, text, sizeof(text), NULL);
	rest = len < 0 ? NULL : strrchr(text, ')');
	if (!rest || sscanf(rest,
			    ") %c %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s"
			    " %*s %*s %" SCNd64, state, &ticks) != 2)
		return -1;
	return ticks;
}

int status_running(const struct status *status)
{
	char state = 0;
	int64_t started;

	if (!status->pid)
		return 0;
	started = start_time(status->pid, &state);
	return started >= 0 && state != 'Z' && state != 'X' &&
	       (!status->start_time || started == status->start_time);
}

int status_set_cgroup(struct status *status, const char *cgroup_path, const char *scope,
		      struct error *err)
{
	struct json_value *root = json_root(status->document);
	auto_free char *text = NULL;
	size_t len;
	int ret;

	json_set_string(status->document, root, "cgroup-path", cgroup_path);
	json_set_string(status->document, root, "scope", scope);
	ret = json_write(status->document, root, true, &text, &len, err);
	if (ret == 0)
		ret = file_replace_at(status->dirfd, "status", 0600, text, len, err);
	if (ret == 0)
		ret = read_fields(status, err);
	return ret;
}
