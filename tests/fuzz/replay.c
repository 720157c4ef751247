// SPDX-License-Identifier: GPL-2.0-or-later
#include "fuzz.h"

#include <dirent.h>
#include <limits.h>

#include "base/cleanup.h"

/*
 * Runs the files that are named, or else all of the corpus, in TAP. One that
 * fails aborts, and then the plan is not fulfilled.
 */

static void replay(const char *path, int number)
{
	auto_free char *text = NULL;
	FILE *stream = fopen(path, "r");
	size_t room = 1 << 20, len;

	must(stream);
	text = malloc(room);
	must(text);
	len = fread(text, 1, room, stream);
	fclose(stream);
	/* To the byte, so that a sanitizer sees the step behind the end. */
	text = realloc(text, len ? len : 1);
	must(text);
	LLVMFuzzerTestOneInput((const uint8_t *)text, len);
	printf("ok %d - %s\n", number, path);
	fflush(stdout);
}

static int is_input(const struct dirent *entry)
{
	return entry->d_name[0] != '.';
}

int main(int argc, char **argv)
{
	const char *source = getenv("SRCDIR");
	struct dirent **entries = NULL;
	char corpus[PATH_MAX], path[PATH_MAX + NAME_MAX + 2];
	int count;

	if (argc > 1) {
		printf("1..%d\n", argc - 1);
		for (int i = 1; i < argc; i++)
			replay(argv[i], i);
		return 0;
	}

	snprintf(corpus, sizeof(corpus), "%s/tests/fuzz/corpus/%s", source ? source : ".", fuzz_name);
	count = scandir(corpus, &entries, is_input, alphasort);
	must(count > 0);
	printf("1..%d\n", count);
	for (int i = 0; i < count; i++) {
		snprintf(path, sizeof(path), "%s/%s", corpus, entries[i]->d_name);
		replay(path, i + 1);
		free(entries[i]);
	}
	free(entries);
	return 0;
}
