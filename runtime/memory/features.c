// SPDX-License-Identifier: GPL-2.0-or-later
#include "memory/features.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/file.h"
#include "base/number.h"

#define PROBE_NAME "memcrun-probe"

/* Large enough to be no hindrance, unlike any default, and whole pages. */
#define PROBE_BYTES ((int64_t)4097 << 20)

/* A probe takes well below a millisecond; 5 s are for a machine under load. */
#define PROBE_WAITS 1000
#define PROBE_WAIT_USEC 5000

/* For the file that takes bits: Linux 6.13 and later refuse all but 0. */
#define PROBE_BITS INT64_C(1)

static uint64_t bit_of(const struct memory_file *file)
{
	return UINT64_C(1) << (file - memory_files);
}

bool memory_features_have(const struct memory_features *features, const struct memory_file *file)
{
	return features->present & bit_of(file);
}

bool memory_features_ignore(const struct memory_features *features,
			    const struct memory_file *file)
{
	return features->ignored & bit_of(file);
}

const struct memory_file *memory_features_find(const struct memory_features *features,
					       enum memory_field field)
{
	for (size_t i = 0; i < memory_files_count; i++) {
		if (memory_files[i].field == field && memory_features_have(features, &memory_files[i]))
			return &memory_files[i];
	}
	return NULL;
}

void memory_features_look(struct memory_features *features, const struct cgroup *cgroup,
			  const struct memory_spec *spec)
{
	struct memory_features seen = {
		.mode = cgroup->mode,
		.layout = cgroup->layout,
		.seen = true,
	};
	char text[16];

	for (size_t i = 0; i < memory_files_count; i++) {
		if (memory_files[i].mode == cgroup->mode &&
		    file_exists_at(cgroup->dirfd, memory_files[i].name))
			seen.present |= bit_of(&memory_files[i]);
	}
	for (size_t i = 0; spec && i < spec->explicit_count; i++) {
		if (!file_exists_at(cgroup->dirfd, spec->explicits[i].file))
			seen.explicit_missing |= 1U << i;
	}
	if (cgroup->mode == CGROUP_V1 &&
	    file_read_at(cgroup->dirfd, "memory.use_hierarchy", text, sizeof(text), NULL) > 0)
		seen.always_hierarchical = text[0] == '1';

	*features = seen;
}

/* What every v2 kernel of today has, for when no cgroup can be looked at. */
static void assume(struct memory_features *features, const struct cgroup *root)
{
	*features = (struct memory_features){ .mode = root->mode, .layout = root->layout };

	for (size_t i = 0; i < memory_files_count; i++) {
		if (memory_files[i].mode == root->mode && !(memory_files[i].flags & FILE_PATCH))
			features->present |= bit_of(&memory_files[i]);
	}
}

/* A directory below v2's root that has the memory controller. */
static int open_some_child(struct cgroup *child, const struct host *host,
			   const struct cgroup *root)
{
	int fd = openat(root->dirfd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	char evidence[NAME_MAX + 16];
	struct dirent *entry;
	int ret = -ENOENT;
	DIR *dir;

	dir = fd >= 0 ? fdopendir(fd) : NULL;
	if (!dir) {
		ret = -errno;
		if (fd >= 0)
			close(fd);
		return ret;
	}
	while (ret < 0 && (entry = readdir(dir))) {
		if (entry->d_name[0] == '.' || entry->d_type == DT_REG)
			continue;
		snprintf(evidence, sizeof(evidence), "%s/memory.max", entry->d_name);
		if (file_exists_at(root->dirfd, evidence))
			ret = cgroup_open_path(child, host, entry->d_name, NULL);
	}
	closedir(dir);
	return ret;
}

int memory_features_probe(struct memory_features *features, const struct host *host,
			  const struct memory_spec *spec, struct error *err)
{
	auto_cgroup struct cgroup root = CGROUP_NONE;
	auto_cgroup struct cgroup own = CGROUP_NONE;
	auto_cgroup struct cgroup child = CGROUP_NONE;
	int ret;

	/* v1's root has every file, v2's has not those that limit: it has no limits. */
	if (!host->foreign && cgroup_open_process(&own, host, 0, NULL) == 0 &&
	    own.mode == CGROUP_V2) {
		memory_features_look(features, &own, spec);
		if (memory_features_find(features, MEMORY_LIMIT))
			return 0;
	}

	ret = cgroup_open_root(&root, host, err);
	if (ret < 0)
		return ret;
	if (root.mode == CGROUP_V1)
		memory_features_look(features, &root, spec);
	else if (open_some_child(&child, host, &root) == 0)
		memory_features_look(features, &child, spec);
	else
		assume(features, &root);
	return 0;
}

static bool has_effect(int dirfd, const struct memory_file *file)
{
	int64_t probe = file->field == MEMORY_MOVE_CHARGE ? PROBE_BITS : PROBE_BYTES, kept;
	char value[24], text[64];

	snprintf(value, sizeof(value), "%" PRId64, probe);
	if (file_write_at(dirfd, file->name, value, NULL) < 0)
		return false;
	if (file_read_at(dirfd, file->name, text, sizeof(text), NULL) < 0)
		return false;
	return number_read_file(text, &kept, NULL) == 0 && kept == probe;
}

/*
 * Make the probe cgroup, or take over one that a killed process left behind, and
 * lock it. The lock is on the probe and not on its parent, which everyone may
 * open and so could keep locked. The holder removes what it locked, so whoever
 * waited for that finds a directory that is gone and makes a new one. One that
 * was stopped half-way must not stop the others: they give up, and do not know.
 */
static int open_probe(int parent)
{
	auto_close int fd = -1;
	int patience = PROBE_WAITS;
	struct stat locked, named;

	for (;;) {
		if (mkdirat(parent, PROBE_NAME, 0700) < 0 && errno != EEXIST)
			return -errno;
		fd = openat(parent, PROBE_NAME, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		if (fd < 0 && errno == ENOENT)
			continue;
		if (fd < 0 || fstat(fd, &locked) < 0)
			return -errno;
		while (flock(fd, LOCK_EX | LOCK_NB) < 0) {
			if (errno != EWOULDBLOCK || --patience == 0)
				return -errno;
			usleep(PROBE_WAIT_USEC);
		}
		if (fstatat(parent, PROBE_NAME, &named, AT_SYMLINK_NOFOLLOW) == 0 &&
		    named.st_ino == locked.st_ino)
			return take_fd(&fd);
		close(take_fd(&fd));
	}
}

void memory_features_try(struct memory_features *features, const struct host *host,
			 uint32_t fields)
{
	auto_cgroup struct cgroup own = CGROUP_NONE;
	auto_close int probe = -1;
	uint64_t doubted = 0;

	for (size_t i = 0; i < memory_files_count; i++) {
		if (memory_files[i].flags & FILE_DOUBTED &&
		    fields & (1U << memory_files[i].field) &&
		    memory_features_have(features, &memory_files[i]))
			doubted |= bit_of(&memory_files[i]);
	}
	if (!doubted || host->foreign)
		return;

	if (cgroup_open_process(&own, host, 0, NULL) < 0 && cgroup_open_root(&own, host, NULL) < 0)
		return;
	probe = open_probe(own.dirfd);
	if (probe < 0)
		return;
	for (size_t i = 0; i < memory_files_count; i++) {
		if (doubted & bit_of(&memory_files[i]) && !has_effect(probe, &memory_files[i]))
			features->ignored |= bit_of(&memory_files[i]);
	}
	unlinkat(own.dirfd, PROBE_NAME, AT_REMOVEDIR);
}
