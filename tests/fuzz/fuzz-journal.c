// SPDX-License-Identifier: GPL-2.0-or-later
#include "fuzz.h"

#include <fcntl.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/file.h"
#include "memory/charge.h"
#include "move/journal.h"

#define FILE_NAME "memcrun-move.json"

const char fuzz_name[] = "journal";

static char path[] = "/tmp/memcrun-fuzz-XXXXXX";
static int dirfd = -1;

static void remove_directory(void)
{
	unlinkat(dirfd, FILE_NAME, 0);
	rmdir(path);
}

/* One directory for all inputs. */
static void need_directory(void)
{
	if (dirfd >= 0)
		return;
	must(mkdtemp(path));
	dirfd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	must(dirfd >= 0);
	atexit(remove_directory);
}

static void check_place(const struct place *place)
{
	must(place->top[0] == '/' && place->top[1] && !strstr(place->top, "/../"));
	must(strncmp(place->cgroup, place->top, strlen(place->top)) == 0);
	must(place->scope && place->slice);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	auto_journal struct journal journal = { 0 };
	auto_journal struct journal again = { 0 };
	struct error err = { "" };
	auto_close int fd = -1;

	need_directory();
	fd = openat(dirfd, FILE_NAME, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	must(fd >= 0 && file_write_all(fd, (const char *)data, size, NULL) == 0);
	if (journal_read(&journal, dirfd, &err) < 0) {
		must(strncmp(err.text, FILE_NAME ": ", sizeof(FILE_NAME) + 1) == 0);
		must(!journal.from.top && !journal.late);
		return 0;
	}
	check_place(&journal.from);
	check_place(&journal.to);
	must(!(journal.types & ~(unsigned int)CHARGE_ALL));
	for (size_t i = 0; i < journal.late_count; i++)
		must(!strchr(journal.late[i].file, '/'));

	must(journal_write(&journal, dirfd, &err) == 0);
	must(journal_read(&again, dirfd, &err) == 0);
	must(strcmp(again.from.top, journal.from.top) == 0);
	must(strcmp(again.to.cgroup, journal.to.cgroup) == 0);
	must(again.late_count == journal.late_count);
	for (size_t i = 0; i < journal.late_count; i++)
		must(strcmp(again.late[i].cgroup, journal.late[i].cgroup) == 0);
	must(again.from.id_count == journal.from.id_count);
	for (size_t i = 0; i < journal.from.id_count; i++)
		must(again.from.ids[i].inode == journal.from.ids[i].inode);
	must(memcmp(again.made, journal.made, sizeof(again.made)) == 0);
	return 0;
}
