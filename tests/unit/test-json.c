// SPDX-License-Identifier: GPL-2.0-or-later
#include "base/json.h"

#include "test.h"

#define BYTES(text) text, sizeof(text) - 1

/* A document that must be one. */
static struct json *parsed(const char *text)
{
	struct json *document = NULL;
	struct error err;

	if (json_parse(text, strlen(text), &document, &err) < 0)
		fail_msg("%s", err.text);
	return document;
}

static void assert_written(const struct json *document, const char *wanted)
{
	auto_free char *text = NULL;
	size_t len = 0;

	assert_int_equal(json_write(document, json_root(document), false, &text, &len, NULL), 0);
	assert_int_equal(len, strlen(text));
	assert_string_equal(text, wanted);
}

/* That `text` is refused and how, and that no document comes out of it. */
static void assert_refused(const char *text, size_t len, const char *wanted)
{
	struct json *document = NULL;
	struct error err = { "" };
	int ret = json_parse(text, len, &document, &err);

	assert_row(wanted, ret == -EINVAL);
	assert_row(wanted, document == NULL);
	assert_row_text(text, err.text, wanted);
}

/* Any refusal, whatever libyajl's words. */
static void assert_no_json(const char *text, size_t len)
{
	struct json *document = NULL;
	struct error err = { "" };

	assert_row(text, json_parse(text, len, &document, &err) == -EINVAL);
	assert_row(text, document == NULL);
	assert_row(text, err.text[0] && !strchr(err.text, '\n'));
}

TEST(a_document_is_read_with_all_its_values)
{
	auto_json struct json *document = parsed(
		" { \"a\" : [ null , true,false, -1.50e+3, \"x\" ] , \"\" : { } }\n\t ");
	struct json_value *root = json_root(document), *v;

	assert_int_equal(root->type, JSON_OBJECT);
	assert_int_equal(root->count, 2);
	v = json_member(root, "a");
	assert_int_equal(v->type, JSON_ARRAY);
	assert_int_equal(v->count, 5);
	v = v->first;
	assert_int_equal(v->type, JSON_NULL);
	v = v->next;
	assert_int_equal(v->type, JSON_TRUE);
	v = v->next;
	assert_int_equal(v->type, JSON_FALSE);
	v = v->next;
	assert_int_equal(v->type, JSON_NUMBER);
	assert_string_equal(v->text, "-1.50e+3");
	v = v->next;
	assert_int_equal(v->type, JSON_STRING);
	assert_string_equal(v->text, "x");
	assert_null(v->next);
	assert_int_equal(json_member(root, "")->type, JSON_OBJECT);
}

TEST(a_root_may_be_any_value)
{
	static const char *const texts[] = { "null", "true", "-0", "\"\"", "[]", "{}" };

	for (size_t i = 0; i < COUNT(texts); i++) {
		auto_json struct json *document = parsed(texts[i]);

		assert_written(document, texts[i]);
	}
}

TEST(what_is_no_json_is_refused_with_its_offset)
{
	static const char *const texts[] = {
		"", " ", "\n", "{", "[", "\"", "}", "]", ",", ":", "tru", "nul", "True", "NaN",
		"Infinity", "-", "+1", "01", "-01", ".5", "1.", "1e", "1e+", "0x10", "1 2", "{} {}",
		"{}x", "[1,]", "[,1]", "[1 2]", "{\"a\"}", "{\"a\":}", "{\"a\":1,}", "{,}",
		"{a:1}", "{'a':1}", "{\"a\" 1}", "{1:1}", "{\"a\":1 \"b\":2}", "[1}", "{\"a\":1]",
		"\"a\nb\"", "\"a\tb\"", "\"\x01\"", "\"\\x\"", "\"\\u12\"", "\"\\u12g4\"", "\"\\",
		"\\u0020", "\xef\xbb\xbf{}", "{}\f", "\v{}", "\xc2\xa0{}",
	};

	for (size_t i = 0; i < COUNT(texts); i++)
		assert_no_json(texts[i], strlen(texts[i]));
}

TEST(comments_are_refused)
{
	assert_no_json(BYTES("{} // no"));
	assert_no_json(BYTES("/* no */ {}"));
	assert_no_json(BYTES("{\"a\": /* no */ 1}"));
	assert_no_json(BYTES("# no\n{}"));
}

TEST(text_behind_the_document_is_refused)
{
	assert_no_json(BYTES("{}{}"));
	assert_no_json(BYTES("{} null"));
	assert_no_json(BYTES("1 ,"));
	assert_no_json(BYTES("{}\n\n]"));
}

TEST(a_repeated_key_is_named_by_its_path)
{
	assert_refused(BYTES("{\"a\":1,\"a\":1}"), "a: repeated key");
	assert_refused(BYTES("{\"linux\":{\"x\":[0,{\"b\":1,\"c\":2,\"b\":3}]}}"),
		       "linux.x[1].b: repeated key");
	assert_refused(BYTES("{\"\":1,\"\":2}"), ": repeated key");
	assert_refused(BYTES("{\"a\":{\"a\":{}},\"b\":1,\"a\":[]}"), "a: repeated key");
}

TEST(keys_that_are_one_when_decoded_are_repeated)
{
	assert_refused(BYTES("{\"a\":1,\"\\u0061\":2}"), "a: repeated key");
	assert_refused(BYTES("{\"\\u0061\":1,\"\\u0061\":2}"), "a: repeated key");
	assert_refused(BYTES("{\"a\\/b\":1,\"a/b\":2}"), "a/b: repeated key");
	assert_refused(BYTES("{\"\xc3\xbc\":1,\"\\u00fc\":2}"), "\xc3\xbc: repeated key");
	assert_refused(BYTES("{\"\xf0\x9f\x98\x80\":1,\"\\ud83d\\ude00\":2}"),
		       "\xf0\x9f\x98\x80: repeated key");
	json_free(parsed("{\"a\":1,\"A\":2,\"a \":3,\"aa\":4}"));
}

TEST(equal_keys_of_different_objects_are_none_repeated)
{
	json_free(parsed("{\"a\":{\"a\":{\"a\":1}},\"b\":[{\"a\":1},{\"a\":1}]}"));
}

/* {"k0":0,"k1":1,...} with the last key once more where asked. */
static char *huge_object(size_t count, bool repeat)
{
	char *text = malloc(count * 24 + 64), *end = text;

	assert_non_null(text);
	*end++ = '{';
	for (size_t i = 0; i < count; i++)
		end += sprintf(end, "%s\"k%zu\":%zu", i ? "," : "", i, i);
	if (repeat)
		end += sprintf(end, ",\"k%zu\":0", count / 2);
	strcpy(end, "}");
	return text;
}

TEST(a_repeated_key_is_found_among_two_hundred_thousand)
{
	auto_free char *fine = huge_object(200000, false);
	auto_free char *wrong = huge_object(200000, true);
	auto_json struct json *document = parsed(fine);

	assert_int_equal(json_root(document)->count, 200000);
	assert_refused(wrong, strlen(wrong), "k100000: repeated key");
}

TEST(a_nul_is_refused_raw_and_escaped)
{
	assert_refused(BYTES("{}\0"), "offset 2: NUL byte");
	assert_refused(BYTES("{\"a\0b\":1}"), "offset 3: NUL byte");
	assert_refused(BYTES("[\"a\\u0000\"]"), "offset 3: NUL in a string");
	assert_refused(BYTES("{\"\\u0000\":1}"), "offset 2: NUL in a string");
	assert_refused(BYTES("[\"\\\\\\u0000\"]"), "offset 4: NUL in a string");
	json_free(parsed("[\"\\\\u0000\", \"\\u0001\", \"\\u1000\"]"));
}

TEST(a_surrogate_without_its_other_half_is_refused)
{
	assert_refused(BYTES("[\"\\ud800\"]"), "offset 2: lone surrogate in a string");
	assert_refused(BYTES("[\"\\udc00\"]"), "offset 2: lone surrogate in a string");
	assert_refused(BYTES("[\"\\uDBFFx\"]"), "offset 2: lone surrogate in a string");
	assert_refused(BYTES("[\"\\ud800\\n\"]"), "offset 2: lone surrogate in a string");
	assert_refused(BYTES("[\"\\ud800\\u0041\"]"), "offset 2: lone surrogate in a string");
	assert_refused(BYTES("[\"\\ud800\\ud800\"]"), "offset 2: lone surrogate in a string");
	assert_refused(BYTES("[\"\\ude00\\ud83d\"]"), "offset 2: lone surrogate in a string");
	assert_refused(BYTES("[\"\\ud83d\\ude00\\ude00\"]"),
		       "offset 14: lone surrogate in a string");
	assert_refused(BYTES("[\"\\ud800\\u"), "offset 2: lone surrogate in a string");
}

TEST(a_pair_of_surrogates_is_one_letter)
{
	auto_json struct json *document = parsed("[\"\\uD83D\\uDE00\",\"\\u00fc\\u5927\"]");

	assert_string_equal(json_root(document)->first->text, "\xf0\x9f\x98\x80");
	assert_string_equal(json_root(document)->last->text, "\xc3\xbc\xe5\xa4\xa7");
}

TEST(invalid_utf8_is_refused_with_its_offset)
{
	assert_refused(BYTES("[\"\xff\"]"), "offset 2: invalid UTF-8");
	assert_refused(BYTES("[\"ab\xc0\xaf\"]"), "offset 4: invalid UTF-8");
	assert_refused(BYTES("[\"\xed\xa0\x80\"]"), "offset 2: invalid UTF-8");
	assert_refused(BYTES("[\"\xf4\x90\x80\x80\"]"), "offset 2: invalid UTF-8");
	assert_refused(BYTES("{\"\xc3\":1}"), "offset 2: invalid UTF-8");
	assert_refused(BYTES("[]\xe5\xa4"), "offset 2: invalid UTF-8");
}

/* `depth` times `open` and as often `close`. */
static char *nested(size_t depth, const char *open, const char *middle, const char *close)
{
	char *text = malloc(depth * (strlen(open) + strlen(close)) + strlen(middle) + 1);
	char *end = text;

	assert_non_null(text);
	for (size_t i = 0; i < depth; i++)
		end = stpcpy(end, open);
	end = stpcpy(end, middle);
	for (size_t i = 0; i < depth; i++)
		end = stpcpy(end, close);
	return text;
}

TEST(nesting_may_be_a_hundred_deep_and_no_deeper)
{
	auto_free char *deep = nested(100, "[", "", "]");
	auto_free char *deeper = nested(101, "[", "", "]");
	auto_free char *objects = nested(100, "{\"a\":", "1", "}");
	auto_free char *more = nested(101, "{\"a\":", "1", "}");
	auto_free char *endless = nested(100000, "[", "", "");
	auto_json struct json *document = parsed(deep);
	auto_json struct json *other = parsed(objects);

	assert_written(document, deep);
	assert_written(other, objects);
	assert_refused(deeper, strlen(deeper), "nested deeper than 100");
	assert_refused(more, strlen(more), "nested deeper than 100");
	assert_refused(endless, strlen(endless), "nested deeper than 100");
}

TEST(depth_is_of_nesting_and_not_of_all_that_was_opened)
{
	auto_free char *half = nested(99, "[", "", "]");
	auto_free char *text = NULL;

	assert_true(asprintf(&text, "[%s,%s,%s]", half, half, half) > 0);
	json_free(parsed(text));
}

TEST(a_document_may_have_16_mib_and_no_more)
{
	size_t len = JSON_SIZE_MAX + 1;
	auto_free char *text = malloc(len);
	struct json *document = NULL;
	struct error err;

	assert_non_null(text);
	memset(text, ' ', len);
	memcpy(text, "{}", 2);
	assert_int_equal(json_parse(text, len, &document, &err), -EFBIG);
	assert_string_equal(err.text, "longer than 16777216 bytes");
	assert_null(document);
	assert_int_equal(json_parse(text, len - 1, &document, &err), 0);
	json_free(document);
}

TEST(an_integer_is_found_absent_or_wrong)
{
	auto_json struct json *document = parsed(
		"{\"m\":{\"a\":5,\"b\":-9223372036854775808,\"c\":null,\"d\":9223372036854775808,"
		"\"e\":1.0,\"f\":1e3,\"g\":\"5\",\"h\":true,\"i\":{},\"j\":[1],"
		"\"k\":18446744073709551615,\"l\":-0},\"n\":null,\"s\":\"x\"}");
	static const struct {
		const char *path;
		int ret;
		int64_t number;
		const char *words;
	} rows[] = {
		{ "m.a", 1, 5, "" },
		{ "m.b", 1, INT64_MIN, "" },
		{ "m.l", 1, 0, "" },
		{ "m.c", 0, 0, "" },
		{ "m.z", 0, 0, "" },
		{ "z.a", 0, 0, "" },
		{ "n.a.b", 0, 0, "" },
		{ "m.d", -ERANGE, 0, "m.d: out of range, \"9223372036854775808\"" },
		{ "m.k", -ERANGE, 0, "m.k: out of range, \"18446744073709551615\"" },
		{ "m.e", -EINVAL, 0, "m.e: not an integer, \"1.0\"" },
		{ "m.f", -EINVAL, 0, "m.f: not an integer, \"1e3\"" },
		{ "m.g", -EINVAL, 0, "m.g: not an integer, \"5\"" },
		{ "m.h", -EINVAL, 0, "m.h: not an integer, true" },
		{ "m.i", -EINVAL, 0, "m.i: not an integer, an object" },
		{ "m.j", -EINVAL, 0, "m.j: not an integer, an array" },
		{ "m.a.x", -EINVAL, 0, "m.a: not an object, \"5\"" },
		{ "m.j.x", -EINVAL, 0, "m.j: not an object, an array" },
		{ "s.x.y", -EINVAL, 0, "s: not an object, \"x\"" },
	};

	for (size_t i = 0; i < COUNT(rows); i++) {
		struct error err = { "" };
		int64_t number = 42;

		assert_row(rows[i].path, json_get_i64(json_root(document), rows[i].path, &number,
						      &err) == rows[i].ret);
		assert_row(rows[i].path, number == (rows[i].ret == 1 ? rows[i].number : 42));
		assert_row_text(rows[i].path, err.text, rows[i].words);
	}
}

TEST(the_other_types_are_as_strict)
{
	auto_json struct json *document = parsed(
		"{\"t\":true,\"f\":false,\"s\":\"x\",\"o\":{},\"n\":null,\"i\":1}");
	struct json_value *root = json_root(document), *object = NULL;
	const char *text = NULL;
	struct error err;
	bool truth = false;

	assert_int_equal(json_get_bool(root, "t", &truth, &err), 1);
	assert_true(truth);
	assert_int_equal(json_get_bool(root, "f", &truth, &err), 1);
	assert_false(truth);
	assert_int_equal(json_get_bool(root, "n", &truth, &err), 0);
	assert_int_equal(json_get_bool(root, "i", &truth, &err), -EINVAL);
	assert_string_equal(err.text, "i: not true or false, \"1\"");
	assert_int_equal(json_get_bool(root, "s", &truth, &err), -EINVAL);

	assert_int_equal(json_get_string(root, "s", &text, &err), 1);
	assert_string_equal(text, "x");
	assert_int_equal(json_get_string(root, "n", &text, &err), 0);
	assert_int_equal(json_get_string(root, "t", &text, &err), -EINVAL);
	assert_string_equal(err.text, "t: not a string, true");

	assert_int_equal(json_get_object(root, "o", &object, &err), 1);
	assert_ptr_equal(object, json_member(root, "o"));
	assert_int_equal(json_get_object(root, "n", &object, &err), 0);
	assert_int_equal(json_get_object(root, "s", &object, &err), -EINVAL);
	assert_string_equal(err.text, "s: not an object, \"x\"");
}

TEST(a_path_in_words_has_the_index_of_an_array)
{
	auto_json struct json *document = parsed(
		"{\"mounts\":[{},{\"a\":1},{\"options\":[[],[0,{\"x\":\"y\"}]]}]}");
	struct json_value *inner = json_find(json_root(document), "mounts")->last;
	struct error err;
	int64_t number;

	inner = json_member(inner, "options")->last->last;
	assert_int_equal(json_get_i64(inner, "x", &number, &err), -EINVAL);
	assert_string_equal(err.text, "mounts[2].options[1][1].x: not an integer, \"y\"");
}

TEST(a_path_too_long_for_the_words_is_cut)
{
	auto_free char *text = nested(100, "{\"a-rather-long-key\":", "1", "}");
	auto_json struct json *document = parsed(text);
	struct json_value *deep = json_root(document);
	struct error err;
	int64_t number;

	while (deep->first && deep->first->type == JSON_OBJECT)
		deep = deep->first;
	assert_int_equal(json_get_i64(deep, "a-rather-long-key.x", &number, &err), -EINVAL);
	assert_memory_equal(err.text, "a-rather-long-key.a-rather", 26);
}

TEST(finding_looks_into_objects_alone)
{
	auto_json struct json *document = parsed("{\"a\":{\"b\":[{\"c\":1}]},\"x.y\":1}");
	struct json_value *root = json_root(document);

	assert_ptr_equal(json_find(root, ""), root);
	assert_int_equal(json_find(root, "a.b")->type, JSON_ARRAY);
	assert_null(json_find(root, "a.b.c"));
	assert_null(json_find(root, "x.y"));
	assert_non_null(json_member(root, "x.y"));
	assert_null(json_member(NULL, "a"));
	assert_null(json_member(json_find(root, "a.b"), "c"));
	assert_null(json_find(NULL, "a"));
}

TEST(numbers_are_written_as_they_were_read)
{
	static const char text[] = "[18446744073709551615,1.50,-0,1e3,1E+03,0.1e-7,-0.0,"
				   "123456789012345678901234567890.123456789]";
	auto_json struct json *document = parsed(text);

	assert_written(document, text);
}

TEST(strings_come_back_as_they_were)
{
	auto_json struct json *document = parsed(
		"[\"\\\"\\\\\\/\\b\\f\\n\\r\\t\\u0001\\u001f\x7f\xc3\xbc\\u2028\"]");
	auto_free char *text = NULL;
	auto_json struct json *again = NULL;
	size_t len;

	assert_string_equal(json_root(document)->first->text,
			    "\"\\/\b\f\n\r\t\x01\x1f\x7f\xc3\xbc\xe2\x80\xa8");
	assert_int_equal(json_write(document, json_root(document), false, &text, &len, NULL), 0);
	again = parsed(text);
	assert_string_equal(json_root(again)->first->text, json_root(document)->first->text);
}

TEST(an_edit_replaces_in_place_and_leaves_all_else)
{
	auto_json struct json *document = parsed(
		"{\"z\":18446744073709551615,\"m\":{\"a\":1,\"b\":[1.50,{}],\"c\":\"x\"},\"y\":null}");
	struct json_value *m = json_find(json_root(document), "m");

	json_set_i64(document, m, "b", -1);
	json_set_string(document, m, "new", "\"quoted\"");
	json_set_bool(document, json_root(document), "y", true);
	assert_written(document,
		       "{\"z\":18446744073709551615,\"m\":{\"a\":1,\"b\":-1,\"c\":\"x\","
		       "\"new\":\"\\\"quoted\\\"\"},\"y\":true}");
	json_set_null(document, m, "a");
	json_set_object(document, m, "c");
	json_set_array(document, m, "new");
	assert_written(document, "{\"z\":18446744073709551615,\"m\":{\"a\":null,\"b\":-1,\"c\":{},"
				 "\"new\":[]},\"y\":true}");
}

TEST(a_container_that_is_replaced_is_empty)
{
	auto_json struct json *document = parsed("{\"a\":{\"x\":1,\"y\":2},\"b\":[1,2]}");
	struct json_value *root = json_root(document);

	json_set_object(document, root, "a");
	assert_int_equal(json_member(root, "a")->count, 0);
	json_set_i64(document, json_member(root, "a"), "z", 3);
	json_set_array(document, root, "b");
	json_add_string(document, json_member(root, "b"), "one");
	assert_written(document, "{\"a\":{\"z\":3},\"b\":[\"one\"]}");
}

TEST(a_member_can_be_removed_from_any_place)
{
	static const struct {
		const char *key;
		const char *left;
	} rows[] = {
		{ "a", "{\"b\":2,\"c\":3,\"n\":0}" },
		{ "b", "{\"a\":1,\"c\":3,\"n\":0}" },
		{ "c", "{\"a\":1,\"b\":2,\"n\":0}" },
		{ "d", "{\"a\":1,\"b\":2,\"c\":3,\"n\":0}" },
	};

	for (size_t i = 0; i < COUNT(rows); i++) {
		auto_json struct json *document = parsed("{\"a\":1,\"b\":2,\"c\":3}");

		json_remove(json_root(document), rows[i].key);
		json_set_i64(document, json_root(document), "n", 0);
		assert_written(document, rows[i].left);
	}
	json_remove(NULL, "a");
}

TEST(the_only_member_leaves_an_object_that_can_be_filled)
{
	auto_json struct json *document = parsed("{\"a\":1}");

	json_remove(json_root(document), "a");
	assert_written(document, "{}");
	json_set_i64(document, json_root(document), "b", 2);
	assert_written(document, "{\"b\":2}");
	assert_int_equal(json_root(document)->count, 1);
}

TEST(a_needed_object_is_kept_or_made)
{
	auto_json struct json *document = parsed("{\"a\":{\"x\":1},\"b\":null}");
	struct json_value *root = json_root(document);

	json_set_i64(document, json_need_object(document, root, "a"), "y", 2);
	json_need_object(document, root, "b");
	json_need_object(document, json_need_object(document, root, "c"), "d");
	assert_written(document, "{\"a\":{\"x\":1,\"y\":2},\"b\":{},\"c\":{\"d\":{}}}");
}

TEST(an_array_grows_at_both_ends)
{
	auto_json struct json *document = parsed("{\"a\":[1],\"e\":[]}");
	struct json_value *a = json_find(json_root(document), "a");
	struct json_value *e = json_find(json_root(document), "e");

	json_add_string(document, a, "last");
	json_set_i64(document, json_prepend_object(document, a), "first", 1);
	json_add_object(document, a);
	json_prepend_object(document, e);
	json_add_string(document, e, "x");
	assert_int_equal(a->count, 4);
	assert_int_equal(e->count, 2);
	assert_written(document, "{\"a\":[{\"first\":1},1,\"last\",{}],\"e\":[{},\"x\"]}");
}

TEST(building_from_nothing_checks_no_step)
{
	auto_json struct json *document = json_new();
	struct json_value *none = NULL;

	assert_null(json_set_object(document, none, "a"));
	assert_null(json_set_string(document, none, "a", "b"));
	assert_null(json_set_i64(document, none, "a", 1));
	assert_null(json_need_object(document, none, "a"));
	assert_null(json_add_object(document, none));
	assert_null(json_add_string(document, none, "a"));
	assert_null(json_prepend_object(document, none));
	assert_written(document, "{}");
}

TEST(pretty_has_indents_and_one_last_newline)
{
	auto_json struct json *document = parsed("{\"a\":[1,{}],\"b\":\"c\"}");
	auto_free char *text = NULL;
	auto_json struct json *again = NULL;
	size_t len = 0;

	assert_int_equal(json_write(document, json_root(document), true, &text, &len, NULL), 0);
	assert_int_equal(len, strlen(text));
	assert_non_null(strstr(text, "\n  \"a\": ["));
	assert_int_equal(text[len - 1], '\n');
	assert_int_equal(text[len - 2], '}');
	again = parsed(text);
	assert_written(again, "{\"a\":[1,{}],\"b\":\"c\"}");
}

TEST(a_part_of_a_document_can_be_written_alone)
{
	auto_json struct json *document = parsed("{\"a\":{\"b\":[1,2]}}");
	auto_free char *text = NULL;
	size_t len = 0;

	assert_int_equal(json_write(document, json_find(json_root(document), "a"), false, &text,
				    &len, NULL), 0);
	assert_string_equal(text, "{\"b\":[1,2]}");
}

static char *edited_text(const struct json *document, const char *source)
{
	char *text = NULL;
	size_t len = 0;

	assert_int_equal(json_write_edited(document, source, &text, &len, NULL), 0);
	assert_int_equal(len, strlen(text));
	return text;
}

TEST(what_was_not_edited_is_written_as_it_was_read)
{
	static const char source[] =
		" { \"a\" : { \"b\": [ 1, \"\\u0041\" ], \"c\":{ } } , \"d\": [ {\"e\" :1e0} ], \"f\":\"\\/\" }\n";
	/* each edit, and the whole after all of them up to it */
	static const char *const wanted[] = {
		"{ \"a\" : { \"b\": [ 1, \"\\u0041\" ], \"c\":{ } } , \"d\": [ {\"e\" :1e0} ], \"f\":\"\\/\" }",
		"{\"a\":{\"b\":[ 1, \"\\u0041\" ],\"c\":{\"x\":\"y\"}},\"d\":[ {\"e\" :1e0} ],\"f\":\"/\"}",
		"{\"a\":{\"b\":[ 1, \"\\u0041\" ],\"c\":{\"x\":\"y\"}},\"d\":[{},{\"e\" :1e0}],\"f\":\"/\"}",
		"{\"a\":{\"c\":{\"x\":\"y\"}},\"d\":[{},{\"e\" :1e0}],\"f\":\"/\"}",
		"{\"a\":{\"c\":{\"x\":\"y\"}},\"d\":[{},{\"e\" :1e0},7],\"f\":\"/\"}",
		"{\"a\":{\"c\":[]},\"d\":[{},{\"e\" :1e0},7],\"f\":\"/\"}",
		"{\"a\":{\"c\":[]},\"d\":[{},{\"e\":2},7],\"f\":\"/\"}",
	};
	auto_json struct json *document = parsed(source);
	struct json_value *root = json_root(document);

	for (size_t i = 0; i < sizeof(wanted) / sizeof(wanted[0]); i++) {
		auto_free char *text = NULL;
		auto_json struct json *again = NULL;

		switch (i) {
		case 1:
			json_set_string(document, json_find(root, "a.c"), "x", "y");
			break;
		case 2:
			json_prepend_object(document, json_find(root, "d"));
			break;
		case 3:
			json_remove(json_find(root, "a"), "nothing");
			json_remove(json_find(root, "a"), "b");
			break;
		case 4:
			json_add_u64(document, json_find(root, "d"), 7);
			break;
		case 5:
			json_set_array(document, json_find(root, "a"), "c");
			break;
		case 6:
			json_set_i64(document, json_find(root, "d")->first->next, "e", 2);
			break;
		}
		text = edited_text(document, source);
		assert_row_text(wanted[i], text, wanted[i]);
		again = parsed(text);
	}
}

TEST(a_root_that_is_no_container_is_written_too)
{
	static const char source[] = " \"x\" ";
	auto_json struct json *document = parsed(source);
	auto_free char *text = edited_text(document, source);

	assert_string_equal(text, "\"x\"");
}

TEST(freeing_nothing_is_fine)
{
	json_free(NULL);
}

/* A terminal would obey them. */
TEST(control_characters_are_written_escaped)
{
	auto_json struct json *document = json_new();
	auto_json struct json *again = NULL;
	auto_free char *text = NULL;
	const char *read = NULL;
	size_t len;

	json_set_string(document, json_root(document), "k\x7f",
			"a\x7f" "b\xc2\x9b" "31m\xc2\x80\x1b\xc2\xa0\xc3\x9b");
	assert_int_equal(json_write(document, json_root(document), false, &text, &len, NULL), 0);
	assert_string_equal(text, "{\"k\\u007f\":\"a\\u007fb\\u009b31m\\u0080\\u001B\xc2\xa0"
				  "\xc3\x9b\"}");
	assert_int_equal(len, strlen(text));
	assert_int_equal(json_parse(text, len, &again, NULL), 0);
	json_get_string(json_root(again), "k\x7f", &read, NULL);
	assert_string_equal(read, "a\x7f" "b\xc2\x9b" "31m\xc2\x80\x1b\xc2\xa0\xc3\x9b");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_document_is_read_with_all_its_values),
		cmocka_unit_test(a_root_may_be_any_value),
		cmocka_unit_test(what_is_no_json_is_refused_with_its_offset),
		cmocka_unit_test(comments_are_refused),
		cmocka_unit_test(text_behind_the_document_is_refused),
		cmocka_unit_test(a_repeated_key_is_named_by_its_path),
		cmocka_unit_test(keys_that_are_one_when_decoded_are_repeated),
		cmocka_unit_test(equal_keys_of_different_objects_are_none_repeated),
		cmocka_unit_test(a_repeated_key_is_found_among_two_hundred_thousand),
		cmocka_unit_test(a_nul_is_refused_raw_and_escaped),
		cmocka_unit_test(a_surrogate_without_its_other_half_is_refused),
		cmocka_unit_test(a_pair_of_surrogates_is_one_letter),
		cmocka_unit_test(invalid_utf8_is_refused_with_its_offset),
		cmocka_unit_test(nesting_may_be_a_hundred_deep_and_no_deeper),
		cmocka_unit_test(depth_is_of_nesting_and_not_of_all_that_was_opened),
		cmocka_unit_test(a_document_may_have_16_mib_and_no_more),
		cmocka_unit_test(an_integer_is_found_absent_or_wrong),
		cmocka_unit_test(the_other_types_are_as_strict),
		cmocka_unit_test(a_path_in_words_has_the_index_of_an_array),
		cmocka_unit_test(a_path_too_long_for_the_words_is_cut),
		cmocka_unit_test(finding_looks_into_objects_alone),
		cmocka_unit_test(numbers_are_written_as_they_were_read),
		cmocka_unit_test(strings_come_back_as_they_were),
		cmocka_unit_test(an_edit_replaces_in_place_and_leaves_all_else),
		cmocka_unit_test(a_container_that_is_replaced_is_empty),
		cmocka_unit_test(a_member_can_be_removed_from_any_place),
		cmocka_unit_test(the_only_member_leaves_an_object_that_can_be_filled),
		cmocka_unit_test(a_needed_object_is_kept_or_made),
		cmocka_unit_test(an_array_grows_at_both_ends),
		cmocka_unit_test(building_from_nothing_checks_no_step),
		cmocka_unit_test(pretty_has_indents_and_one_last_newline),
		cmocka_unit_test(a_part_of_a_document_can_be_written_alone),
		cmocka_unit_test(what_was_not_edited_is_written_as_it_was_read),
		cmocka_unit_test(a_root_that_is_no_container_is_written_too),
		cmocka_unit_test(freeing_nothing_is_fine),
		cmocka_unit_test(control_characters_are_written_escaped),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
