// SPDX-License-Identifier: GPL-2.0-or-later
#include "directory.h"

#include "base/cleanup.h"
#include "container/values.h"

/* The journal of an update, and the hook's record. */

const char fuzz_name[] = "values";

static struct fuzz_directory directory = FUZZ_DIRECTORY("values");

static void clean_up(void)
{
	fuzz_directory_remove(&directory);
}

static int read_values(struct memory_plan *plan, struct error *err)
{
	auto_close int fd = openat(directory.dirfd, "values", O_RDONLY | O_CLOEXEC);

	must(fd >= 0);
	return values_read(fd, plan, NULL, err);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct memory_plan plan, again;
	auto_json struct json *document = NULL;
	auto_free char *text = NULL;
	struct error err = { "" };
	size_t len;

	if (directory.dirfd < 0)
		atexit(clean_up);
	fuzz_directory_put(&directory, data, size);
	plan = again = (struct memory_plan){ 0 };
	if (read_values(&plan, &err) < 0) {
		must(err.text[0]);
		return 0;
	}
	must(plan.count <= MEMORY_PLAN_MAX);
	for (size_t i = 0; i < plan.count; i++)
		must(!strchr(plan.writes[i].file, '/') && plan.writes[i].file[0] != '.');

	document = json_new();
	must(document);
	values_put(document, &plan);
	must(json_write(document, json_root(document), true, &text, &len, &err) == 0);
	fuzz_directory_put(&directory, (const uint8_t *)text, len);
	must(read_values(&again, &err) == 0 && again.count == plan.count);
	for (size_t i = 0; i < plan.count; i++)
		must(strcmp(again.writes[i].value, plan.writes[i].value) == 0);
	return 0;
}
