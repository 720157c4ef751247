// SPDX-License-Identifier: GPL-2.0-or-later
#include "container/values.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/file.h"
#include "test.h"

static int file_with(const char *text)
{
	int fd = memfd_create("values", MFD_CLOEXEC);

	assert_true(fd >= 0);
	assert_int_equal(file_write_all(fd, text, strlen(text), NULL), 0);
	assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
	return fd;
}

TEST(what_is_put_is_read_with_other_keys_beside)
{
	struct memory_plan plan = { .count = 2 }, read;
	struct json *document = json_new(), *all = NULL;
	const char *asked = NULL;
	char *text;
	size_t len;
	int fd;

	strcpy(plan.writes[0].file, "memory.max");
	strcpy(plan.writes[0].value, "67108864");
	strcpy(plan.writes[1].file, "memory.low");
	strcpy(plan.writes[1].value, "0");
	json_set_string(document, json_root(document), "asked", "{}");
	values_put(document, &plan);
	assert_int_equal(json_write(document, json_root(document), true, &text, &len, NULL), 0);

	fd = file_with(text);
	assert_int_equal(values_read(fd, &read, &all, NULL), 0);
	assert_int_equal(read.count, 2);
	assert_string_equal(memory_plan_find(&read, "memory.max")->value, "67108864");
	assert_string_equal(memory_plan_find(&read, "memory.low")->value, "0");
	assert_int_equal(json_get_string(json_root(all), "asked", &asked, NULL), 1);
	assert_string_equal(asked, "{}");
	close(fd);
	free(text);
	json_free(all);
	json_free(document);
}

TEST(what_is_no_such_file_is_refused)
{
	static const char *const texts[] = {
		"", "[]", "5", "{\"form\": 2}", "{\"files\": {}}",
		"{\"form\": 1, \"files\": []}",
		"{\"form\": 1, \"files\": {\"memory.max\": 5}}",
		"{\"form\": 1, \"files\": {\"cpu.max\": \"5\"}}",
		"{\"form\": 1, \"files\": {\"memory./../x\": \"5\"}}",
		"{\"form\": 1, \"files\": {\"memory.a-name-that-is-longer-than-any-file-of-a-cgroup\": \"5\"}}",
	};
	struct memory_plan plan;
	struct error err;

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		int fd = file_with(texts[i]);

		assert_int_equal(values_read(fd, &plan, NULL, &err), -EINVAL);
		assert_true(err.text[0]);
		close(fd);
	}
}

TEST(a_value_that_no_file_has_room_for_is_refused)
{
	char text[MEMORY_VALUE_MAX + 64];
	struct memory_plan plan;
	int fd;

	snprintf(text, sizeof(text), "{\"form\": 1, \"files\": {\"memory.max\": \"%0*d\"}}",
		 MEMORY_VALUE_MAX, 1);
	fd = file_with(text);
	assert_int_equal(values_read(fd, &plan, NULL, NULL), -EINVAL);
	close(fd);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_put_is_read_with_other_keys_beside),
		cmocka_unit_test(what_is_no_such_file_is_refused),
		cmocka_unit_test(a_value_that_no_file_has_room_for_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
