// SPDX-License-Identifier: GPL-2.0-or-later
#include "oci/config.h"

#include "kernels.h"
#include "systemd/config-systemd.h"

static const char *const HOOK[] = { "/usr/bin/memcrun", "--log=/log", "apply-hook", NULL };

/* A config whose linux.resources and annotations are these. */
static char *config_text(const char *resources, const char *annotations)
{
	char *text = NULL;

	assert_true(asprintf(&text, "{\"ociVersion\":\"1.0.2\",\"annotations\":%s,"
			     "\"linux\":{\"resources\":%s,\"namespaces\":[]}}", annotations,
			     resources) > 0);
	return text;
}

static int parse(struct config *config, const char *text, struct error *err)
{
	return config_parse(config, text, strlen(text), err);
}

/* Compile for a kernel; what crun would read. */
static char *compiled(struct config *config, const char *text, const char *tree)
{
	struct memory_features features;
	struct memory_plan plan;
	struct error err = { "" };
	char *written = NULL;
	size_t len;

	if (parse(config, text, &err) < 0)
		fail_msg("%s", err.text);
	features = kernel(tree, &config->spec);
	if (memory_plan_make(&plan, &config->spec, &features, &err) < 0 ||
	    config_compile(config, &plan, HOOK, &err) < 0 ||
	    json_write(config->document, json_root(config->document), false, &written, &len,
		       &err) < 0)
		fail_msg("%s", err.text);
	return written;
}

/* The part of a compiled config at `path`, written. */
static void assert_part(const struct config *config, const char *path, const char *wanted)
{
	struct json_value *part = json_find(json_root(config->document), path);
	auto_free char *text = NULL;
	size_t len;

	if (!part) {
		assert_row_text(path, "", wanted);
		return;
	}
	assert_int_equal(json_write(config->document, part, false, &text, &len, NULL), 0);
	assert_row_text(path, text, wanted);
}

TEST(every_field_is_read)
{
	static const char text[] =
		"{\"linux\":{\"resources\":{\"memory\":{\"limit\":1,\"swap\":2,\"reservation\":3,"
		"\"kernel\":4,\"kernelTCP\":5,\"swappiness\":6,\"disableOOMKiller\":true,"
		"\"useHierarchy\":false,\"checkBeforeUpdate\":true,\"other\":7},"
		"\"unified\":{\"memory.max\":\"8\",\"cpu.max\":\"9\"}}},"
		"\"annotations\":{\"org.memcrun.reserve\":\"10\",\"other\":\"x\"}}";
	auto_config struct config config = { 0 };

	assert_int_equal(parse(&config, text, NULL), 0);
	assert_int_equal(config.spec.value[MEMORY_LIMIT], 1);
	assert_int_equal(config.spec.value[MEMORY_SWAP], 2);
	assert_int_equal(config.spec.value[MEMORY_RESERVATION], 3);
	assert_int_equal(config.spec.value[MEMORY_KERNEL], 4);
	assert_int_equal(config.spec.value[MEMORY_KERNEL_TCP], 5);
	assert_int_equal(config.spec.value[MEMORY_SWAPPINESS], 6);
	assert_int_equal(config.spec.value[MEMORY_OOM_WAIT], 1);
	assert_int_equal(config.spec.value[MEMORY_HIERARCHY], 0);
	assert_int_equal(config.spec.value[MEMORY_CHECK], 1);
	assert_int_equal(config.spec.value[MEMORY_RESERVE], 10);
	assert_int_equal(config.spec.asked, 0x1ff | 1 << MEMORY_RESERVE);
	assert_int_equal(config.spec.explicit_count, 1);
	assert_string_equal(config.spec.explicits[0].file, "memory.max");
}

TEST(a_config_may_ask_for_nothing)
{
	static const char *const texts[] = {
		"{}",
		"{\"linux\":{}}",
		"{\"linux\":null,\"annotations\":null}",
		"{\"linux\":{\"resources\":{\"memory\":{},\"unified\":{}}},\"annotations\":{}}",
		"{\"linux\":{\"resources\":{\"memory\":null,\"unified\":null}}}",
		"{\"linux\":{\"resources\":{\"memory\":{\"limit\":0,\"swap\":0,\"limit2\":5}}}}",
		"{\"linux\":{\"resources\":{\"memory\":{\"limit\":null}}}}",
		"{\"linux\":{\"resources\":{\"unified\":{\"cpu.max\":5,\"memory\":\"x\"}}}}",
		"{\"annotations\":{\"org.memcrun\":\"x\",\"org.memcrunx\":5,\"x.org.memcrun.y\":\"\"}}",
	};

	for (size_t i = 0; i < COUNT(texts); i++) {
		auto_config struct config config = { 0 };

		assert_row(texts[i], parse(&config, texts[i], NULL) == 0);
		assert_row(texts[i], !memory_spec_any(&config.spec));
	}
}

TEST(what_is_wrong_is_named_by_its_path_and_value)
{
	static const struct {
		const char *resources;
		const char *annotations;
		const char *words;
	} rows[] = {
		{ "{\"memory\":{\"limit\":\"64M\"}}", "{}",
		  "linux.resources.memory.limit: not an integer, \"64M\"" },
		{ "{\"memory\":{\"limit\":1.0}}", "{}",
		  "linux.resources.memory.limit: not an integer, \"1.0\"" },
		{ "{\"memory\":{\"limit\":1e3}}", "{}",
		  "linux.resources.memory.limit: not an integer, \"1e3\"" },
		{ "{\"memory\":{\"swap\":9223372036854775808}}", "{}",
		  "linux.resources.memory.swap: out of range, \"9223372036854775808\"" },
		{ "{\"memory\":{\"swap\":-2}}", "{}", "linux.resources.memory.swap: below -1, \"-2\"" },
		{ "{\"memory\":{\"kernel\":-2}}", "{}",
		  "linux.resources.memory.kernel: below -1, \"-2\"" },
		{ "{\"memory\":{\"swappiness\":101}}", "{}",
		  "linux.resources.memory.swappiness: not within 0 to 100, \"101\"" },
		{ "{\"memory\":{\"disableOOMKiller\":1}}", "{}",
		  "linux.resources.memory.disableOOMKiller: not true or false, \"1\"" },
		{ "{\"memory\":[]}", "{}", "linux.resources.memory: not an object, an array" },
		{ "{\"memory\":5}", "{}", "linux.resources.memory: not an object, \"5\"" },
		{ "[]", "{}", "linux.resources: not an object, an array" },
		{ "{\"unified\":[]}", "{}", "linux.resources.unified: not an object, an array" },
		{ "{\"unified\":{\"memory.max\":5}}", "{}",
		  "linux.resources.unified.memory.max: not a string" },
		{ "{\"unified\":{\"memory.max/x\":\"5\"}}", "{}",
		  "linux.resources.unified: not a file name, \"memory.max/x\"" },
		{ "{}", "[]", "annotations: not an object, an array" },
		{ "{}", "{\"org.memcrun.strict\":true}",
		  "annotations.org.memcrun.strict: not a string" },
		{ "{}", "{\"org.memcrun.stict\":\"true\"}",
		  "annotations.org.memcrun.stict: unknown annotation, \"true\"" },
		{ "{}", "{\"org.memcrun.asked\":\"{}\"}",
		  "annotations.org.memcrun.asked: unknown annotation, \"{}\"" },
		{ "{\"memory\":{\"limit\":1,\"limit\":2}}", "{}",
		  "linux.resources.memory.limit: repeated key" },
	};
	struct error err;

	for (size_t i = 0; i < COUNT(rows); i++) {
		auto_free char *text = config_text(rows[i].resources, rows[i].annotations);
		auto_config struct config config = { 0 };

		assert_row(rows[i].words, parse(&config, text, &err) < 0);
		assert_row_text(rows[i].words, err.text, rows[i].words);
		assert_row(rows[i].words, !config.document);
	}
	assert_int_equal(parse(&(struct config){ 0 }, "[]", &err), -EINVAL);
	assert_string_equal(err.text, "not an object");
}

TEST(a_file_is_read_and_its_name_stands_before_errors)
{
	auto_scratch struct scratch dir = scratch_new();
	auto_config struct config config = { 0 }, wrong = { 0 }, none = { 0 };
	char path[128], wanted[256];
	struct error err;

	scratch_file(&dir, "config.json", "{ }\n");
	snprintf(path, sizeof(path), "%s/config.json", dir.path);
	assert_int_equal(config_read(&config, path, &err), 0);
	assert_int_equal(config.len, 4);
	assert_string_equal(config.text, "{ }\n");
	assert_true(config.rereadable);

	scratch_file(&dir, "config.json", "{\"a\":1,\"a\":2}");
	assert_int_equal(config_read(&wrong, path, &err), -EINVAL);
	snprintf(wanted, sizeof(wanted), "%s: a: repeated key", path);
	assert_string_equal(err.text, wanted);

	assert_int_equal(config_read(&none, "/nonexistent/config.json", &err), -ENOENT);
	assert_string_equal(err.text, "/nonexistent/config.json: cannot open: No such file or "
				      "directory");
}

TEST(a_file_beyond_16_mib_is_refused)
{
	auto_scratch struct scratch dir = scratch_new();
	auto_config struct config config = { 0 };
	char path[128];
	struct error err;

	scratch_file(&dir, "config.json", "{}");
	snprintf(path, sizeof(path), "%s/config.json", dir.path);
	assert_int_equal(truncate(path, JSON_SIZE_MAX + 1), 0);
	assert_int_equal(config_read(&config, path, &err), -EFBIG);
	assert_non_null(strstr(err.text, "/config.json: longer than 16777216 bytes"));
}

TEST(what_comes_through_a_pipe_cannot_be_read_again)
{
	auto_config struct config config = { 0 };
	char path[64];
	int ends[2];

	assert_int_equal(pipe(ends), 0);
	assert_int_equal(write(ends[1], "{}", 2), 2);
	close(ends[1]);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", ends[0]);
	assert_int_equal(config_read(&config, path, NULL), 0);
	close(ends[0]);
	assert_false(config.rereadable);
	assert_string_equal(config.text, "{}");
}

/* What stays in `memory`, what becomes `unified`, what a hook does. */
TEST(a_plan_is_divided_between_memory_unified_and_hook)
{
	static const struct {
		const char *tree;
		const char *resources;
		const char *annotations;
		const char *memory;
		const char *unified;
		const char *hooks;
	} rows[] = {
		{ "v2", "{\"memory\":{\"limit\":67108864,\"swap\":100663296,\"reservation\":33554432}}",
		  "{}", "{\"limit\":67108864,\"swap\":100663296,\"reservation\":33554432}", "", "" },
		{ "v1", "{\"memory\":{\"limit\":67108864,\"swap\":100663296,\"reservation\":33554432}}",
		  "{}", "{\"limit\":67108864,\"swap\":100663296,\"reservation\":33554432}", "", "" },
		{ "v2", "{\"memory\":{\"limit\":67108864,\"swap\":-1}}", "{}",
		  "{\"limit\":67108864,\"swap\":-1}", "", "" },
		{ "v2", "{\"memory\":{\"limit\":-1,\"swap\":-1,\"reservation\":-1}}", "{}",
		  "{\"limit\":-1,\"swap\":-1}", "{\"memory.low\":\"0\"}", "" },
		/* crun would refuse what it cannot write, so that leaves the copy. */
		{ "v2", "{\"memory\":{\"swappiness\":10,\"kernel\":1,\"kernelTCP\":1,"
			"\"useHierarchy\":true,\"checkBeforeUpdate\":true,\"limit\":4096}}",
		  "{}", "{\"limit\":4096}", "", "" },
		{ "v2", "{\"memory\":{\"disableOOMKiller\":true}}", "{\"org.memcrun.oom\":\"kill\"}",
		  "{}", "", "" },
		{ "v2", "{\"memory\":{\"limit\":0,\"swap\":0,\"disableOOMKiller\":false}}",
		  "{\"org.memcrun.reserve\":\"1M\"}", "{}", "{\"memory.min\":\"1048576\"}", "" },
		{ "v2-noswap", "{\"memory\":{\"swap\":67108864}}", "{}", "{\"limit\":67108864}", "", "" },
		{ "v2-noswap", "{\"memory\":{\"limit\":4096,\"swap\":67108864}}", "{}",
		  "{\"limit\":4096}", "", "" },
		{ "v1-noswap", "{\"memory\":{\"limit\":4096,\"swap\":67108864}}", "{}",
		  "{\"limit\":4096}", "", "" },
		{ "v1", "{\"memory\":{\"swap\":67108864}}", "{}",
		  "{\"limit\":67108864,\"swap\":67108864}", "", "" },
		{ "v1", "{\"memory\":{\"limit\":-1,\"swap\":-1,\"reservation\":-1}}", "{}",
		  "{\"limit\":-1,\"swap\":-1,\"reservation\":-1}", "", "" },
		{ "v1", "{\"memory\":{\"disableOOMKiller\":true,\"swappiness\":0,\"kernel\":4096,"
			"\"kernelTCP\":4096}}", "{}",
		  "{\"kernel\":4096,\"kernelTCP\":4096,\"swappiness\":0,\"disableOOMKiller\":true}", "",
		  "" },
		{ "v1-flat", "{\"memory\":{\"useHierarchy\":true}}", "{}", "{\"useHierarchy\":true}", "",
		  "" },
		{ "v1", "{\"memory\":{\"limit\":4096}}", "{\"org.memcrun.move-charge\":\"all\"}",
		  "{\"limit\":4096}", "",
		  "{\"createRuntime\":[{\"path\":\"/usr/bin/memcrun\",\"args\":[\"/usr/bin/memcrun\","
		  "\"--log=/log\",\"apply-hook\",\"memory.move_charge_at_immigrate=3\"]}]}" },
		{ "v2-patched", "{\"memory\":{\"limit\":67108864,\"swap\":100663296,"
				"\"reservation\":33554432,\"swappiness\":5,\"disableOOMKiller\":true}}",
		  "{\"org.memcrun.reserve\":\"4096\"}", "{\"limit\":67108864,\"reservation\":33554432}",
		  "{\"memory.memsw.max\":\"100663296\",\"memory.swap.max\":\"max\","
		  "\"memory.soft.max\":\"33554432\",\"memory.swappiness\":\"5\","
		  "\"memory.oom.wait\":\"1\",\"memory.reserve\":\"4096\"}", "" },
		{ "v2-patched", "{\"memory\":{\"swap\":100663296}}", "{}", "{}",
		  "{\"memory.memsw.max\":\"100663296\",\"memory.swap.max\":\"max\"}", "" },
		/* an action: never a key, which crun would write */
		{ "v2-patched", "{\"memory\":{\"limit\":4096}}",
		  "{\"org.memcrun.move-charge\":\"file,anon,swap\"}", "{\"limit\":4096}", "",
		  "{\"createRuntime\":[{\"path\":\"/usr/bin/memcrun\",\"args\":[\"/usr/bin/memcrun\","
		  "\"--log=/log\",\"apply-hook\",\"memory.migrate=anon file\"]}]}" },
		{ "v2", "{\"memory\":{\"reservation\":4096}}", "{\"org.memcrun.reservation\":\"high\"}",
		  "{}", "{\"memory.high\":\"4096\"}", "" },
		{ "v2", "{\"memory\":{\"reservation\":4096}}", "{\"org.memcrun.oom\":\"group\"}",
		  "{\"reservation\":4096}", "{\"memory.oom.group\":\"1\"}", "" },
		/* An explicit key wins: the derived value goes, and swap is made of it. */
		{ "v2", "{\"memory\":{\"limit\":67108864},\"unified\":{\"memory.max\":\"128M\","
			"\"cpu.weight\":\"5\"}}", "{}",
		  "{}", "{\"memory.max\":\"128M\",\"cpu.weight\":\"5\"}", "" },
		{ "v2", "{\"memory\":{\"swap\":100663296},\"unified\":{\"memory.max\":\"64M\"}}", "{}",
		  "{}", "{\"memory.max\":\"64M\",\"memory.swap.max\":\"33554432\"}", "" },
		{ "v2", "{\"memory\":{\"limit\":67108864,\"swap\":100663296},"
			"\"unified\":{\"memory.swap.max\":\"max\"}}", "{}",
		  "{\"limit\":67108864}", "{\"memory.swap.max\":\"max\"}", "" },
		/* crun would make it of a limit that is not in force */
		{ "v2", "{\"memory\":{\"limit\":67108864,\"swap\":100663296},"
			"\"unified\":{\"memory.max\":\"32M\"}}", "{}",
		  "{}", "{\"memory.max\":\"32M\",\"memory.swap.max\":\"67108864\"}", "" },
	};

	for (size_t i = 0; i < COUNT(rows); i++) {
		auto_free char *text = config_text(rows[i].resources, rows[i].annotations);
		auto_config struct config config = { 0 };
		auto_free char *written = compiled(&config, text, rows[i].tree);

		assert_part(&config, "linux.resources.memory", rows[i].memory);
		assert_part(&config, "linux.resources.unified", rows[i].unified);
		assert_part(&config, "hooks", rows[i].hooks);
		assert_non_null(written);
	}
}

TEST(what_is_not_ours_stays_as_it_was)
{
	static const char text[] =
		"{\"ociVersion\":\"1.0.2\",\"x\":18446744073709551615,\"y\":1.50,\"hooks\":{\"poststop\":"
		"[{\"path\":\"/p\"}]},\"linux\":{\"resources\":{\"devices\":[{\"allow\":false}],"
		"\"memory\":{\"limit\":4096,\"future\":[1]},\"cpu\":{\"shares\":5}},\"seccomp\":{}},"
		"\"annotations\":{\"a\":\"b\"},\"z\":null}";
	auto_config struct config config = { 0 };
	auto_free char *written = compiled(&config, text, "v2");

	assert_string_equal(written,
			    "{\"ociVersion\":\"1.0.2\",\"x\":18446744073709551615,\"y\":1.50,\"hooks\":"
			    "{\"poststop\":[{\"path\":\"/p\"}]},\"linux\":{\"resources\":{\"devices\":"
			    "[{\"allow\":false}],\"memory\":{\"future\":[1],\"limit\":4096},\"cpu\":"
			    "{\"shares\":5}},\"seccomp\":{}},\"annotations\":{\"a\":\"b\","
			    "\"org.memcrun.asked\":\"{\\\"linux\\\":{\\\"resources\\\":{\\\"memory\\\":"
			    "{\\\"limit\\\":4096}}}}\"},\"z\":null}");
}

TEST(our_hook_runs_before_those_that_were_there)
{
	static const char text[] =
		"{\"hooks\":{\"createRuntime\":[{\"path\":\"/other\"}]},\"linux\":{},"
		"\"annotations\":{\"org.memcrun.move-charge\":\"anon,swap\"}}";
	auto_config struct config config = { 0 };
	auto_free char *written = compiled(&config, text, "v1");

	assert_part(&config, "hooks.createRuntime",
		    "[{\"path\":\"/usr/bin/memcrun\",\"args\":[\"/usr/bin/memcrun\",\"--log=/log\",\"apply-hook\","
		    "\"memory.move_charge_at_immigrate=1\"]},{\"path\":\"/other\"}]");
	assert_non_null(written);
}

/* Compiling must refuse what it cannot edit rather than replace it. */
TEST(parts_of_another_type_are_refused_and_not_replaced)
{
	static const struct {
		const char *text;
		const char *words;
	} rows[] = {
		{ "{\"annotations\":{\"org.memcrun.move-charge\":\"all\"}}", "linux: missing" },
		{ "{\"linux\":null,\"annotations\":{\"org.memcrun.move-charge\":\"all\"}}",
		  "linux: missing" },
		{ "{\"linux\":{},\"hooks\":[],\"annotations\":{\"org.memcrun.move-charge\":\"all\"}}",
		  "hooks: not an object, an array" },
		{ "{\"linux\":{},\"hooks\":{\"createRuntime\":{}},"
		  "\"annotations\":{\"org.memcrun.move-charge\":\"all\"}}",
		  "hooks.createRuntime: not an array" },
	};

	for (size_t i = 0; i < COUNT(rows); i++) {
		struct memory_features features = kernel("v1", NULL);
		auto_config struct config config = { 0 };
		struct memory_plan plan;
		struct error err = { "" };

		assert_row(rows[i].words, parse(&config, rows[i].text, &err) == 0);
		assert_int_equal(memory_plan_make(&plan, &config.spec, &features, &err), 0);
		assert_row(rows[i].text, config_compile(&config, &plan, HOOK, &err) == -EINVAL);
		assert_row_text(rows[i].text, err.text, rows[i].words);
	}
}

TEST(parts_that_are_null_are_made)
{
	static const char text[] = "{\"linux\":{\"resources\":null},\"hooks\":null,\"annotations\":"
				   "{\"org.memcrun.move-charge\":\"all\"}}";
	auto_config struct config config = { 0 };
	auto_free char *written = compiled(&config, text, "v1");

	assert_part(&config, "linux.resources", "null");
	assert_part(&config, "hooks",
		    "{\"createRuntime\":[{\"path\":\"/usr/bin/memcrun\",\"args\":[\"/usr/bin/memcrun\","
		    "\"--log=/log\",\"apply-hook\",\"memory.move_charge_at_immigrate=3\"]}]}");
	assert_non_null(written);
}

TEST(what_was_asked_can_be_read_again_as_the_same_spec)
{
	static const struct {
		const char *tree;
		const char *resources;
		const char *annotations;
	} rows[] = {
		{ "v2", "{\"memory\":{\"limit\":67108864,\"swap\":100663296,\"reservation\":-1,"
			"\"kernel\":5,\"kernelTCP\":6,\"swappiness\":0,\"useHierarchy\":true,"
			"\"checkBeforeUpdate\":true,\"disableOOMKiller\":true},\"unified\":"
			"{\"memory.max\":\"64M\",\"memory.oom.group\":\"1\",\"cpu.max\":\"x\"}}",
		  "{\"org.memcrun.oom\":\"kill\",\"org.memcrun.reservation\":\"high\","
		  "\"org.memcrun.thresholds\":\"70%,1M\",\"org.memcrun.tmpfs\":\"pod\","
		  "\"org.memcrun.move-charge\":\"anon,kernel\",\"org.memcrun.reserve\":\"1.5k\","
		  "\"org.memcrun.strict\":\"false\",\"other\":\"\\\"\\u0001\"}" },
		{ "v1", "{\"memory\":{\"limit\":1,\"disableOOMKiller\":true,\"future\":1.50}}",
		  "{\"org.memcrun.strict\":\"true\"}" },
		{ "v2", "{\"memory\":{\"limit\":null,\"swap\":0,\"reservation\":5}}", "{}" },
	};

	for (size_t i = 0; i < COUNT(rows); i++) {
		auto_free char *text = config_text(rows[i].resources, rows[i].annotations);
		auto_config struct config config = { 0 };
		auto_free char *written = compiled(&config, text, rows[i].tree);
		const struct json_value *asked;
		struct memory_spec spec;
		struct error err = { "" };

		asked = json_member(json_find(json_root(config.document), "annotations"),
				    ANNOTATION_ASKED);
		assert_non_null(asked);
		config_read_asked(&spec, asked->text, &err);
		assert_row_text(rows[i].resources, err.text, "");
		assert_memory_equal(&spec, &config.spec, sizeof(spec));
		assert_non_null(written);
	}
}

TEST(an_asked_annotation_that_is_broken_is_named)
{
	struct memory_spec spec = { .asked = 42 };
	struct error err;

	assert_int_equal(config_read_asked(&spec, "[]", &err), -EINVAL);
	assert_string_equal(err.text, "annotations.org.memcrun.asked: not an object");
	assert_int_equal(spec.asked, 42);
}

TEST(what_is_given_now_counts_more_than_what_was_asked)
{
	static const struct {
		const char *asked;
		const char *resources;
		const char *merged;
	} rows[] = {
		{ "{}", "{}", "{\"linux\":{\"resources\":{\"memory\":{}}}}" },
		{ "{\"linux\":{\"resources\":{\"memory\":{\"limit\":1,\"swap\":2}}}}",
		  "{\"memory\":{\"limit\":3},\"pids\":{\"limit\":4}}",
		  "{\"linux\":{\"resources\":{\"memory\":{\"limit\":3,\"swap\":2}}}}" },
		/* "leave it", as engines say it */
		{ "{\"linux\":{\"resources\":{\"memory\":{\"limit\":1}}}}",
		  "{\"memory\":{\"limit\":0,\"swap\":null,\"swappiness\":0}}",
		  "{\"linux\":{\"resources\":{\"memory\":{\"limit\":1,\"swappiness\":0}}}}" },
		/* no limit, and none of both together that would be below it */
		{ "{\"linux\":{\"resources\":{\"memory\":{\"limit\":1,\"swap\":2}}}}",
		  "{\"memory\":{\"limit\":-1}}",
		  "{\"linux\":{\"resources\":{\"memory\":{\"limit\":-1,\"swap\":-1}}}}" },
		{ "{\"linux\":{\"resources\":{\"memory\":{\"limit\":1,\"swap\":2}}}}",
		  "{\"memory\":{\"limit\":-1,\"swap\":5}}",
		  "{\"linux\":{\"resources\":{\"memory\":{\"limit\":-1,\"swap\":5}}}}" },
		{ "{\"annotations\":{\"org.memcrun.strict\":\"true\"}}",
		  "{\"unified\":{\"memory.high\":\"1\",\"cpu.idle\":\"1\"}}",
		  "{\"annotations\":{\"org.memcrun.strict\":\"true\"},\"linux\":{\"resources\":"
		  "{\"memory\":{},\"unified\":{\"memory.high\":\"1\"}}}}" },
	};

	for (size_t i = 0; i < COUNT(rows); i++) {
		auto_json struct json *document = NULL;
		auto_free char *merged = NULL;

		assert_int_equal(json_parse(rows[i].resources, strlen(rows[i].resources), &document,
					    NULL), 0);
		assert_int_equal(config_merge(rows[i].asked, json_root(document), &merged, NULL), 0);
		assert_row_text(rows[i].resources, merged, rows[i].merged);
	}
}

TEST(systemd_is_told_of_what_it_knows_and_what_is_there_stays)
{
	auto_config struct config config = { 0 };
	struct memory_features features;
	struct memory_plan plan;
	struct error err;

	assert_int_equal(parse(&config, "{\"linux\":{\"resources\":{\"memory\":{\"limit\":67108864,"
					"\"swap\":-1,\"reservation\":33554432}}},\"annotations\":{"
					"\"org.systemd.property.MemoryLow\":\"uint64 5\"}}", &err), 0);
	features = kernel("v2", &config.spec);
	assert_int_equal(memory_plan_make(&plan, &config.spec, &features, &err), 0);
	config_tell_systemd(&config, &plan);
	assert_part(&config, "annotations",
		    "{\"org.systemd.property.MemoryLow\":\"uint64 5\","
		    "\"org.systemd.property.MemoryMax\":\"uint64 67108864\","
		    "\"org.systemd.property.MemorySwapMax\":\"uint64 18446744073709551615\"}");
	/* crun itself would tell systemd `swap`, with memory in it */
	assert_part(&config, "linux.resources",
		    "{\"memory\":{\"limit\":67108864,\"reservation\":33554432},"
		    "\"unified\":{\"memory.swap.max\":\"max\"}}");
}

TEST(what_is_given_must_be_a_setting)
{
	static const char text[] = "{\"memory\":{\"limit\":\"1\"}}";
	auto_json struct json *document = NULL;
	auto_free char *merged = NULL;
	struct error err;

	assert_int_equal(json_parse(text, strlen(text), &document, NULL), 0);
	assert_int_equal(config_merge("{}", json_root(document), &merged, &err), -EINVAL);
	assert_string_equal(err.text, "linux.resources.memory.limit: not an integer");
	assert_null(merged);
}

TEST(crun_gets_what_is_not_about_memory)
{
	static const struct {
		const char *resources;
		const char *left;
		int count;
	} rows[] = {
		{ "{\"memory\":{\"limit\":1}}", "{}", 0 },
		{ "{\"memory\":{},\"pids\":{\"limit\":1}}", "{\"pids\":{\"limit\":1}}", 1 },
		{ "{\"unified\":{\"memory.low\":\"1\"}}", "{}", 0 },
		{ "{\"unified\":{\"memory.low\":\"1\",\"cpu.idle\":\"1\",\"memory.high\":\"2\"}}",
		  "{\"unified\":{\"cpu.idle\":\"1\"}}", 1 },
	};

	for (size_t i = 0; i < COUNT(rows); i++) {
		auto_json struct json *document = NULL;
		auto_free char *text = NULL;
		size_t len;

		assert_int_equal(json_parse(rows[i].resources, strlen(rows[i].resources), &document,
					    NULL), 0);
		assert_int_equal(config_strip_memory(json_root(document)), rows[i].count);
		assert_int_equal(json_write(document, json_root(document), false, &text, &len, NULL),
				 0);
		assert_row_text(rows[i].resources, text, rows[i].left);
	}
}

TEST(what_is_asked_is_kept_or_made_of_the_settings)
{
	static const char kept[] = "{\"annotations\":{\"org.memcrun.asked\":\"{}\"}}";
	static const char made[] = "{\"linux\":{\"resources\":{\"memory\":{\"limit\":7}}}}";
	auto_json struct json *document = NULL;
	auto_json struct json *other = NULL;
	auto_free char *asked = NULL;
	auto_free char *again = NULL;

	assert_int_equal(json_parse(kept, strlen(kept), &document, NULL), 0);
	assert_int_equal(config_asked(json_root(document), &asked, NULL), 0);
	assert_string_equal(asked, "{}");
	config_set_asked(document, "{\"x\":1}");
	free(take_ptr(&asked));
	assert_int_equal(config_asked(json_root(document), &asked, NULL), 0);
	assert_string_equal(asked, "{\"x\":1}");
	assert_int_equal(json_parse(made, strlen(made), &other, NULL), 0);
	assert_int_equal(config_asked(json_root(other), &again, NULL), 0);
	assert_string_equal(again, made);
}

/* crun would set the scope's own limit, and what waits below it would be killed there. */
TEST(where_oom_waits_in_a_scope_the_hook_alone_knows_of_the_limit)
{
	static const struct {
		const char *resources;
		bool scope;
		const char *memory;
		const char *argument;
	} rows[] = {
		{ "{\"memory\":{\"limit\":67108864,\"disableOOMKiller\":true}}", true, "{}",
		  "memory.max=67108864" },
		{ "{\"memory\":{\"disableOOMKiller\":true},"
		  "\"unified\":{\"memory.max\":\"4096\"}}", true, "{}", "memory.max=4096" },
		/* without a scope, and without waiting, crun writes it */
		{ "{\"memory\":{\"limit\":67108864,\"disableOOMKiller\":true}}", false,
		  "{\"limit\":67108864}", NULL },
		{ "{\"memory\":{\"limit\":67108864}}", true, "{\"limit\":67108864}", NULL },
	};

	for (size_t i = 0; i < COUNT(rows); i++) {
		auto_config struct config config = { 0 };
		struct memory_features features;
		struct memory_plan plan;
		struct error err = { "" };
		char text[512], hooks[256];

		snprintf(text, sizeof(text), "{\"linux\":{\"resources\":%s}}", rows[i].resources);
		assert_int_equal(parse(&config, text, &err), 0);
		features = kernel("v2-patched", &config.spec);
		assert_int_equal(memory_plan_make(&plan, &config.spec, &features, &err), 0);
		config.scope = rows[i].scope;
		assert_int_equal(config_compile(&config, &plan, HOOK, &err), 0);
		config_tell_systemd(&config, &plan);
		assert_part(&config, "linux.resources.memory", rows[i].memory);
		if (plan.count > 1)
			assert_part(&config, "linux.resources.unified",
				    "{\"memory.oom.wait\":\"1\"}");
		snprintf(hooks, sizeof(hooks), "[{\"path\":\"/usr/bin/memcrun\",\"args\":"
			 "[\"/usr/bin/memcrun\",\"--log=/log\",\"apply-hook\",\"%s\"]}]",
			 rows[i].argument ? rows[i].argument : "");
		assert_part(&config, "hooks.createRuntime", rows[i].argument ? hooks : "");
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_field_is_read),
		cmocka_unit_test(a_config_may_ask_for_nothing),
		cmocka_unit_test(what_is_wrong_is_named_by_its_path_and_value),
		cmocka_unit_test(a_file_is_read_and_its_name_stands_before_errors),
		cmocka_unit_test(a_file_beyond_16_mib_is_refused),
		cmocka_unit_test(what_comes_through_a_pipe_cannot_be_read_again),
		cmocka_unit_test(a_plan_is_divided_between_memory_unified_and_hook),
		cmocka_unit_test(what_is_not_ours_stays_as_it_was),
		cmocka_unit_test(our_hook_runs_before_those_that_were_there),
		cmocka_unit_test(parts_of_another_type_are_refused_and_not_replaced),
		cmocka_unit_test(parts_that_are_null_are_made),
		cmocka_unit_test(what_was_asked_can_be_read_again_as_the_same_spec),
		cmocka_unit_test(an_asked_annotation_that_is_broken_is_named),
		cmocka_unit_test(what_is_given_now_counts_more_than_what_was_asked),
		cmocka_unit_test(systemd_is_told_of_what_it_knows_and_what_is_there_stays),
		cmocka_unit_test(where_oom_waits_in_a_scope_the_hook_alone_knows_of_the_limit),
		cmocka_unit_test(what_is_given_must_be_a_setting),
		cmocka_unit_test(crun_gets_what_is_not_about_memory),
		cmocka_unit_test(what_is_asked_is_kept_or_made_of_the_settings),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
