// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/file.h"
#include "base/process.h"
#include "container/update-state.h"
#include "oci/config.h"

/*
 * crun's part of an update: beside ours, or all of it.
 */

#define ARGUMENTS_MAX 10

/* "update" with all that was given, resources as a file in memory that crun opens by number. */
struct order {
	char file[40];
	int fd;
	const char *argv[ARGUMENTS_MAX];
	size_t argc;
};

static int order_make(struct order *order, const struct update_request *request,
		      struct error *err)
{
	auto_free char *text = NULL;
	auto_close int fd = -1;
	size_t len, i = 0;
	int ret;

	ret = json_write(request->resources, json_root(request->resources), false, &text, &len,
			 err);
	if (ret < 0)
		return ret;
	fd = crun_memory_file("resources");
	/* crun has to find it open */
	if (fd < 0 || fcntl(fd, F_SETFD, 0) < 0)
		return error_errno(err, errno, "cannot make a file for crun");
	ret = file_write_all(fd, text, len, err);
	if (ret < 0)
		return ret;
	*order = (struct order){ .fd = take_fd(&fd) };
	snprintf(order->file, sizeof(order->file), "/proc/self/fd/%d", order->fd);
	order->argv[i++] = "update";
	order->argv[i++] = "--resources";
	order->argv[i++] = order->file;
	if (request->l3_cache_schema) {
		order->argv[i++] = "--l3-cache-schema";
		order->argv[i++] = request->l3_cache_schema;
	}
	if (request->mem_bw_schema) {
		order->argv[i++] = "--mem-bw-schema";
		order->argv[i++] = request->mem_bw_schema;
	}
	order->argv[i++] = "--";
	order->argv[i++] = request->id;
	order->argc = i;
	return 0;
}

int update_let_crun(const struct update *update, struct error *err)
{
	const struct update_request *request = update->request;
	const struct crun_globals *globals = request->globals;
	const char *argv[ARGUMENTS_MAX + 4];
	auto_free char *said = NULL;
	struct order order;
	size_t len, i = 0;
	int ret;

	if (config_strip_memory(json_root(request->resources)) == 0 &&
	    !request->l3_cache_schema && !request->mem_bw_schema)
		return 0;
	ret = order_make(&order, request, err);
	if (ret < 0)
		return ret;
	argv[i++] = globals->program;
	if (globals->root) {
		argv[i++] = "--root";
		argv[i++] = globals->root;
	}
	memcpy(&argv[i], order.argv, order.argc * sizeof(order.argv[0]));
	argv[i + order.argc] = NULL;
	/* crun has the lock as well: when we are killed no move begins before crun has ended */
	fcntl(update->container.status.dirfd, F_SETFD, 0);
	ret = process_capture((char *const *)argv, JSON_SIZE_MAX, &said, &len, err);
	fcntl(update->container.status.dirfd, F_SETFD, FD_CLOEXEC);
	close(order.fd);
	return ret < 0 ? ret : 1;
}

/* Has `object` something of its own, or is it what no reader of ours would let pass? */
static bool has_members(const struct json_value *object)
{
	return object && object->type != JSON_NULL && (object->type != JSON_OBJECT || object->first);
}

bool update_is_cruns(const struct json *resources)
{
	const struct json_value *root = json_root(resources);
	const struct json_value *unified = json_member(root, "unified");

	if (has_members(json_member(root, "memory")))
		return false;
	for (const struct json_value *v = unified ? unified->first : NULL; v; v = v->next) {
		if (v->key && strncmp(v->key, "memory.", strlen("memory.")) == 0)
			return false;
	}
	return true;
}

/*
 * A move copies settings when it begins: a setting that changes behind that would be lost. So
 * crun inherits the lock, and has it until it ends.
 */
static int lock_for_crun(const struct update_request *request, struct error *err)
{
	auto_status struct status status = STATUS_NONE;
	int ret = status_check_id(request->id, err);

	if (ret < 0)
		return ret;
	status.dirfd = status_open_directory(request->globals->root, request->id, NULL);
	/* crun says that there is no such container */
	if (status.dirfd < 0)
		return 0;
	ret = container_lock(&status, UPDATE_LOCK_TIMEOUT_MS, err);
	if (ret == 0 && file_exists_at(status.dirfd, JOURNAL_FILE))
		ret = error_set(err, EBUSY, UPDATE_UNENDED_MOVE);
	if (ret == 0 && fcntl(status.dirfd, F_SETFD, 0) < 0)
		ret = error_errno(err, errno, "cannot hand the lock over");
	if (ret == 0)
		take_fd(&status.dirfd);
	return ret;
}

int update_become_crun(const struct update_request *request, const struct caller *caller,
		       char **globals, int count, struct error *err)
{
	auto_free char **argv = NULL;
	struct order order;
	int ret;

	ret = lock_for_crun(request, err);
	if (ret == 0) {
		json_remove(json_root(request->resources), "memory");
		ret = order_make(&order, request, err);
	}
	if (ret < 0)
		return ret;
	argv = calloc((size_t)count + order.argc + 1, sizeof(argv[0]));
	if (!argv) {
		close(order.fd);
		return error_errno(err, ENOMEM, "update");
	}
	memcpy(argv, globals, (size_t)count * sizeof(argv[0]));
	memcpy(&argv[count], order.argv, order.argc * sizeof(argv[0]));
	ret = crun_exec(request->globals, caller, count + (int)order.argc, argv, NULL, -1, err);
	close(order.fd);
	return ret;
}
