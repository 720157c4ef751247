// SPDX-License-Identifier: GPL-2.0-or-later
#include "oci/crun.h"

#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/file.h"

#ifndef MFD_NOEXEC_SEAL
#define MFD_NOEXEC_SEAL 0x0008U
#endif

enum option_id {
	OPTION_ROOT = 256,
	OPTION_LOG,
	OPTION_LOG_FORMAT,
	OPTION_DEBUG,
	OPTION_HELP,
	OPTION_VERSION,
	OPTION_USAGE,
	OPTION_MANAGER,
	OPTION_SYSTEMD,
	OPTION_OTHER,		/* known, and nothing to us */
};

/*
 * crun's global options, up to 1.29, with those that argp adds to every program
 * (help, usage, program-name, HANG). --rootless is --root to crun itself. Ours is
 * not among them, so that it makes none of theirs ambiguous.
 */
static const struct option global_options[] = {
	{ "root", required_argument, NULL, OPTION_ROOT },
	{ "log", required_argument, NULL, OPTION_LOG },
	{ "log-format", required_argument, NULL, OPTION_LOG_FORMAT },
	{ "log-level", required_argument, NULL, OPTION_OTHER },
	{ "debug", no_argument, NULL, OPTION_DEBUG },
	{ "cgroup-manager", required_argument, NULL, OPTION_MANAGER },
	{ "systemd-cgroup", no_argument, NULL, OPTION_SYSTEMD },
	{ "rootless", required_argument, NULL, OPTION_ROOT },
	{ "version", no_argument, NULL, OPTION_VERSION },
	{ "help", no_argument, NULL, OPTION_HELP },
	{ "usage", no_argument, NULL, OPTION_USAGE },
	{ "program-name", required_argument, NULL, OPTION_OTHER },
	{ "HANG", optional_argument, NULL, OPTION_OTHER },
	{ 0 },
};

/* The same for create and run, which differ in --detach and --keep alone. */
static const struct option create_options[] = {
	{ "bundle", required_argument, NULL, 'b' },
	{ "config", required_argument, NULL, 'f' },
	{ "detach", no_argument, NULL, 'd' },
	{ "keep", no_argument, NULL, OPTION_OTHER },
	{ "console-socket", required_argument, NULL, OPTION_OTHER },
	{ "pid-file", required_argument, NULL, OPTION_OTHER },
	{ "preserve-fds", required_argument, NULL, 'n' },
	{ "no-subreaper", no_argument, NULL, OPTION_OTHER },
	{ "no-new-keyring", no_argument, NULL, OPTION_OTHER },
	{ "no-pivot", no_argument, NULL, OPTION_OTHER },
	{ "help", no_argument, NULL, OPTION_HELP },
	{ "usage", no_argument, NULL, OPTION_HELP },
	{ "program-name", required_argument, NULL, OPTION_OTHER },
	{ "HANG", optional_argument, NULL, OPTION_OTHER },
	{ 0 },
};

static const struct option delete_options[] = {
	{ "force", no_argument, NULL, 'f' },
	{ "regex", no_argument, NULL, 'r' },
	{ "help", no_argument, NULL, OPTION_HELP },
	{ "usage", no_argument, NULL, OPTION_HELP },
	{ "program-name", required_argument, NULL, OPTION_OTHER },
	{ "HANG", optional_argument, NULL, OPTION_OTHER },
	{ 0 },
};

/* Take argv[from..to-1] out. */
static void cut_arguments(int *argc, char **argv, int from, int to)
{
	memmove(&argv[from], &argv[to], (size_t)(*argc - to + 1) * sizeof(argv[0]));
	*argc -= to - from;
}

/*
 * Is argv[at] our own --crun? Its path is given and it is cut out; without a path
 * -EINVAL. 0 where it is another.
 */
static int take_crun(const char **program, int *argc, char **argv, int at, struct error *err)
{
	int words = 1;

	if (strncmp(argv[at], "--crun=", strlen("--crun=")) == 0) {
		*program = argv[at] + strlen("--crun=");
	} else if (strcmp(argv[at], "--crun") == 0) {
		if (at + 1 >= *argc)
			return error_set(err, EINVAL, "--crun: needs a path");
		*program = argv[at + 1];
		words = 2;
	} else {
		return 0;
	}
	cut_arguments(argc, argv, at, at + words);
	return 1;
}

int crun_globals_read(struct crun_globals *globals, int *argc, char **argv, struct error *err)
{
	struct crun_globals seen = { .program = CRUN_PATH };
	int option, before, ret;

	opterr = 0;
	optind = 1;
	for (;;) {
		before = optind;
		option = getopt_long(*argc, argv, "+:vV", global_options, NULL);
		if (option == -1)
			break;

		switch (option) {
		case OPTION_ROOT:
			seen.root = optarg;
			break;
		case OPTION_LOG:
			seen.log = optarg;
			break;
		case OPTION_LOG_FORMAT:
			seen.log_format = optarg;
			break;
		case OPTION_DEBUG:
			seen.debug = true;
			break;
		case OPTION_HELP:
			seen.help = true;
			break;
		case OPTION_VERSION:
		case 'v':
		case 'V':
			seen.version = true;
			break;
		case OPTION_USAGE:
			seen.usage = true;
			break;
		case OPTION_MANAGER:
			seen.systemd = strcmp(optarg, "systemd") == 0;
			break;
		case OPTION_SYSTEMD:
			seen.systemd = true;
			break;
		case OPTION_OTHER:
			break;
		default:
			ret = take_crun(&seen.program, argc, argv, before, err);
			if (ret < 0)
				return ret;
			if (ret > 0)
				optind = before;
			else
				seen.unknown = true;
			break;
		}
	}

	seen.verb = optind;
	*globals = seen;
	return 0;
}

void crun_create_read(struct crun_create *create, int argc, char **argv, int verb)
{
	struct crun_create seen = { 0 };
	int option, before;

	/* getopt takes the first word for the program's name and skips it. */
	argc -= verb;
	argv += verb;
	optind = 0;
	for (;;) {
		before = optind ? optind : 1;
		option = getopt_long(argc, argv, "+:b:f:d", create_options, NULL);
		if (option == -1)
			break;

		switch (option) {
		case 'b':
			seen.bundle = optarg;
			break;
		case 'f':
			seen.config = optarg;
			break;
		case 'n':
			seen.preserve_fds = strtol(optarg, NULL, 10);
			break;
		case 'd':
		case OPTION_OTHER:
			break;
		case OPTION_HELP:
			seen.help = true;
			break;
		default:
			seen.unknown = true;
			break;
		}
	}

	/* A "--" that ended the options stands between them and the id. */
	seen.options_end = verb + before;
	seen.id = verb + optind;
	*create = seen;
}

void crun_delete_read(struct crun_delete *delete, int argc, char **argv, int verb)
{
	bool plain = true;
	int option;

	*delete = (struct crun_delete){ 0 };
	argc -= verb;
	argv += verb;
	opterr = 0;
	optind = 0;
	while ((option = getopt_long(argc, argv, "+:frV?", delete_options, NULL)) != -1) {
		if (option == 'f')
			delete->force = true;
		else if (option != OPTION_OTHER)
			plain = false;
	}
	if (plain && optind == argc - 1)
		delete->id = argv[optind];
}

char *crun_config_path(const struct crun_create *create)
{
	char *path = NULL;

	if (create->config && strcmp(create->config, "config.json") != 0)
		return strdup(create->config);
	if (!create->bundle)
		return strdup("config.json");
	if (asprintf(&path, "%s/config.json", create->bundle) < 0)
		return NULL;
	return path;
}

/* A number of fds; one beyond all sense finds no fd above it and fails there. */
static long count_of(long fds)
{
	return fds < 0 ? 0 : fds > 1 << 28 ? 1 << 28 : fds;
}

/* Kernels before 6.3 do not know MFD_NOEXEC_SEAL, later ones may insist. */
int crun_memory_file(const char *name)
{
	int fd = memfd_create(name, MFD_CLOEXEC | MFD_NOEXEC_SEAL);

	if (fd < 0 && errno == EINVAL)
		fd = memfd_create(name, MFD_CLOEXEC);
	return fd;
}

int crun_config_fd(const struct crun_create *create, const char *text, size_t len,
		   struct error *err)
{
	const char *listen_fds = getenv("LISTEN_FDS");
	auto_close int memory = -1;
	long handed;
	int fd, ret;

	memory = crun_memory_file("config.json");
	if (memory < 0)
		return error_errno(err, errno, "config.json: cannot make a file in memory");
	ret = file_write_all(memory, text, len, err);
	if (ret < 0)
		return error_prefix(err, ret, "config.json");

	handed = count_of(create->preserve_fds) +
		 count_of(listen_fds ? strtol(listen_fds, NULL, 10) : 0);
	/* Well above, so that no fd that the container expects empty is taken. */
	fd = fcntl(memory, F_DUPFD, (int)handed + 64);
	if (fd < 0 && errno == EINVAL)
		fd = fcntl(memory, F_DUPFD, (int)handed + 3);
	if (fd < 0)
		return error_errno(err, errno, "config.json: cannot hand over");
	return fd;
}

/* Where execvp() would find `program`: fresh memory, NULL when it would not. */
static char *find_program(const char *program)
{
	const char *path = getenv("PATH");
	char *found = NULL;
	struct stat st;
	size_t len;

	if (strchr(program, '/'))
		return strdup(program);

	for (path = path ? path : "/usr/sbin:/usr/bin:/sbin:/bin"; ; path += len + 1) {
		len = strcspn(path, ":");
		if (asprintf(&found, "%.*s%s%s", (int)len, path, len ? "/" : "", program) < 0)
			return NULL;
		if (stat(found, &st) == 0 && S_ISREG(st.st_mode) && access(found, X_OK) == 0)
			return found;
		free(found);
		if (!path[len])
			break;
	}
	errno = ENOENT;
	return NULL;
}

/* A crun that is memcrun again would go round for ever. */
static int is_ourselves(const char *program)
{
	struct stat theirs, ours;

	return stat(program, &theirs) == 0 && stat("/proc/self/exe", &ours) == 0 &&
	       theirs.st_dev == ours.st_dev && theirs.st_ino == ours.st_ino;
}

int crun_exec(const struct crun_globals *globals, const struct caller *caller, int argc,
	      char **argv, const struct crun_create *create, int config_fd, struct error *err)
{
	auto_free char *program = find_program(globals->program);
	auto_free char **arguments = NULL;
	char config[64];
	int count = 0;

	if (!program)
		return error_errno(err, errno, "%s: cannot run", globals->program);
	if (is_ourselves(program))
		return error_set(err, ELOOP, "--crun: is memcrun itself, \"%s\"", program);

	arguments = calloc((size_t)argc + 3, sizeof(arguments[0]));
	if (!arguments)
		return error_errno(err, ENOMEM, "%s: cannot run", globals->program);

	snprintf(config, sizeof(config), "/proc/self/fd/%d", config_fd);
	for (int i = 0; i < argc; i++) {
		if (create && config_fd >= 0 && i == create->options_end) {
			arguments[count++] = (char *)"--config";
			arguments[count++] = config;
		}
		arguments[count++] = argv[i];
	}
	arguments[0] = program;

	caller_restore(caller);
	execv(program, arguments);
	return error_errno(err, errno, "%s: cannot run", program);
}
