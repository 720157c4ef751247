// SPDX-License-Identifier: GPL-2.0-or-later
#include <getopt.h>
#include <string.h>

#include "oci/crun.h"

/*
 * The verbs that crun alone does, with crun's option tables up to 1.29, so that the container
 * is found in argv where crun finds it. list, spec and features have none. create, run and
 * delete are in crun.c.
 */

/* What an option means here. */
enum meaning {
	PASSED = 'P',		/* nothing */
	ENDS = 'E',		/* crun prints a text and exits */
	PATTERN = 'r',		/* the container is a regular expression for names */
	ALL = 'a',		/* all processes of the cgroup */
};

#define FLAG(name) { name, no_argument, NULL, PASSED }
#define VALUE(name) { name, required_argument, NULL, PASSED }

/* argp adds these to every verb. */
#define ARGP_OPTIONS \
	{ "help", no_argument, NULL, ENDS }, \
	{ "usage", no_argument, NULL, ENDS }, \
	VALUE("program-name"), \
	{ "HANG", optional_argument, NULL, PASSED }, \
	{ 0 }

static const struct option no_options[] = { ARGP_OPTIONS };

static const struct option exec_options[] = {
	VALUE("console-socket"), { "tty", optional_argument, NULL, PASSED }, VALUE("process"),
	VALUE("cwd"), VALUE("cgroup"), FLAG("detach"), VALUE("user"), VALUE("env"), VALUE("cap"),
	VALUE("pid-file"), VALUE("preserve-fds"), FLAG("no-new-privs"), VALUE("process-label"),
	VALUE("apparmor"), ARGP_OPTIONS
};

static const struct option kill_options[] = {
	{ "all", no_argument, NULL, ALL }, { "regex", no_argument, NULL, PATTERN }, ARGP_OPTIONS
};

static const struct option ps_options[] = { VALUE("format"), ARGP_OPTIONS };

static const struct option checkpoint_options[] = {
	VALUE("image-path"), VALUE("work-path"), FLAG("leave-running"), FLAG("tcp-established"),
	FLAG("ext-unix-sk"), FLAG("shell-job"), FLAG("file-locks"), FLAG("network-lock"),
	VALUE("parent-path"), FLAG("pre-dump"), VALUE("manage-cgroups-mode"), ARGP_OPTIONS
};

static const struct option restore_options[] = {
	VALUE("bundle"), VALUE("image-path"), VALUE("work-path"), FLAG("tcp-established"),
	FLAG("tcp-close"), FLAG("ext-unix-sk"), FLAG("shell-job"), FLAG("detach"),
	VALUE("pid-file"), VALUE("console-socket"), FLAG("file-locks"),
	VALUE("manage-cgroups-mode"), FLAG("network-lock"), VALUE("lsm-profile"),
	VALUE("lsm-mount-context"), ARGP_OPTIONS
};

static const struct verb {
	const char *name;
	const char *letters;
	const struct option *options;
	int before;		/* words between the options and the container */
	bool makes;		/* the container is new */
	bool uses_cgroup;	/* by its path in crun's record */
} verbs[] = {
	{ .name = "start", "", no_options },
	{ .name = "state", "", no_options },
	{ .name = "mounts", "", no_options, .before = 1 },
	{ .name = "kill", "ar", kill_options },
	{ .name = "restore", "b:d", restore_options, .makes = true },
	{ .name = "exec", "t::p:du:e:c:", exec_options, .uses_cgroup = true },
	{ .name = "pause", "", no_options, .uses_cgroup = true },
	{ .name = "resume", "", no_options, .uses_cgroup = true },
	{ .name = "ps", "f:", ps_options, .uses_cgroup = true },
	{ .name = "checkpoint", "", checkpoint_options, .uses_cgroup = true },
};

static const struct verb *find_verb(const char *name)
{
	for (size_t i = 0; i < sizeof(verbs) / sizeof(verbs[0]); i++) {
		if (strcmp(verbs[i].name, name) == 0)
			return &verbs[i];
	}
	return NULL;
}

void crun_container_read(struct crun_container *container, int argc, char **argv, int at)
{
	const struct verb *verb = find_verb(argv[at]);
	bool all = false, pattern = false;
	char letters[24] = "+:";
	int option;

	*container = (struct crun_container){ 0 };
	if (!verb)
		return;
	strcat(letters, verb->letters);
	argc -= at;
	argv += at;
	opterr = 0;
	optind = 0;
	while ((option = getopt_long(argc, argv, letters, verb->options, NULL)) != -1) {
		/* what is in no table is for crun to judge */
		if (option == ENDS || option == '?' || option == ':')
			return;
		all = all || option == ALL;
		pattern = pattern || option == PATTERN;
	}
	if (pattern || argc - optind <= verb->before)
		return;
	container->id = argv[optind + verb->before];
	container->is_new = verb->makes;
	container->uses_cgroup = verb->uses_cgroup || all;
}
