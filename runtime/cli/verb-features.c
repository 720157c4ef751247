// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/json.h"
#include "base/process.h"
#include "cli/verbs.h"
#include "memory/features.h"

/*
 * features - what this runtime can do, in OCI's form: what crun says of itself, where it
 * has that verb (since 1.9), and what is ours.
 */

/* What every crun that we run on has, for one that cannot say it. */
static const char base[] =
	"{\"ociVersionMin\":\"1.0.0\",\"ociVersionMax\":\"1.0.2\","
	"\"hooks\":[\"prestart\",\"createRuntime\",\"createContainer\",\"startContainer\","
	"\"poststart\",\"poststop\"],"
	"\"linux\":{\"namespaces\":[\"cgroup\",\"ipc\",\"mount\",\"network\",\"pid\",\"time\","
	"\"user\",\"uts\"],"
	"\"cgroup\":{\"v1\":true,\"v2\":true,\"systemd\":true,\"systemdUser\":true}}}";

static struct json *ask_crun(const struct crun_globals *globals)
{
	const char *const argv[] = { globals->program, "features", NULL };
	struct json *document = NULL;
	auto_free char *text = NULL;
	size_t len;

	if (process_capture((char *const *)argv, JSON_SIZE_MAX, &text, &len, NULL) == 0 &&
	    json_parse(text, len, &document, NULL) == 0 &&
	    json_root(document)->type == JSON_OBJECT)
		return document;
	json_free(document);
	document = NULL;
	json_parse(base, strlen(base), &document, NULL);
	return document;
}

/* The files of the table that this kernel has, by the field that is written there. */
static void put_memory(struct json *document, struct json_value *annotations)
{
	auto_host struct host host = { .cgroup_root = -1, .proc = -1 };
	struct memory_features features;
	const struct memory_file *file;
	char key[80];

	if (host_open(&host, NULL, NULL) < 0 ||
	    memory_features_probe(&features, &host, NULL, NULL) < 0)
		return;
	for (int field = 0; field < MEMORY_FIELDS; field++) {
		file = memory_features_find(&features, (enum memory_field)field);
		if (!file)
			continue;
		snprintf(key, sizeof(key), ANNOTATION_PREFIX "file.%s",
			 memory_field_name((enum memory_field)field));
		json_set_string(document, annotations, key, file->name);
	}
}

int verb_features(const struct verb_context *context, int argc, char **argv)
{
	auto_json struct json *document = NULL;
	auto_free char *text = NULL;
	struct json_value *annotations;
	struct error err;
	size_t len;
	int ret;

	if (argc == 2 && strcmp(argv[1], "--help") == 0) {
		puts("Usage: memcrun features\n"
		     "\n"
		     "Show what this runtime can do, as JSON in the form of the OCI runtime\n"
		     "specification: crun's features, and in annotations the files that memory\n"
		     "settings land in on this kernel.\n"
		     "\n"
		     "Exit status: 0 done, 1 error, 2 usage.");
		return EXIT_DONE;
	}
	if (argc > 1) {
		error_set(&err, EINVAL, "features: unknown option, \"%s\"", argv[1]);
		log_line(&context->log, LOG_LEVEL_ERROR, err.text);
		return EXIT_USAGE;
	}
	document = ask_crun(context->globals);
	if (!document) {
		log_line(&context->log, LOG_LEVEL_ERROR, "features: out of memory");
		return EXIT_FAILED;
	}
	annotations = json_need_object(document, json_root(document), "annotations");
	json_set_string(document, annotations, ANNOTATION_PREFIX "version", PACKAGE_VERSION);
	json_set_string(document, annotations, ANNOTATION_PREFIX "crun", context->globals->program);
	put_memory(document, annotations);
	ret = json_write(document, json_root(document), true, &text, &len, &err);
	if (ret == 0 && (fputs(text, stdout) < 0 || fflush(stdout)))
		ret = error_errno(&err, errno, "features: cannot print");
	if (ret < 0)
		log_line(&context->log, LOG_LEVEL_ERROR, err.text);
	return ret < 0 ? EXIT_FAILED : EXIT_DONE;
}
