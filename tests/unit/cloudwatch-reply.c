/* A page is read whole or refused; one damaged event does not cost the others. */
#include "collector/sources/cloudwatch/reply.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static struct arena arena;

static int parse(const char *body, struct reply_page *page, struct error *err)
{
	arena_done(&arena);
	arena_init(&arena, 8u << 20);
	return reply_parse(str_of(body), &arena, page, err);
}

static int finish(void **state)
{
	(void)state;
	arena_done(&arena);
	return 0;
}

/* All members, in any order, among unknown ones. */
static void test_page(void **state)
{
	(void)state;
	struct reply_page page;
	struct error err;
	struct str text;
	struct buf scratch;

	assert_int_equal(parse("{\"searchedLogStreams\":[],\"nextToken\":\"a\\/"
			       "b\",\"events\":[{\"eventId\":\"17\",\"x\":{\"y\":[1]},"
			       "\"message\":\"{\\\"a\\\":1}\",\"timestamp\":5,\"ingestionTime\":6,"
			       "\"logStreamName\":\"s\"},"
			       "{\"message\":\"\",\"eventId\":99}]} ",
			       &page, &err),
			 0);
	assert_int_equal(page.event_count, 2);
	assert_true(str_is(page.next_token, "a/b"));
	assert_null(page.events[0].problem);
	assert_true(page.events[0].timestamp_ms == 5 && page.events[0].ingestion_ms == 6);
	assert_true(str_is(page.events[0].stream, "s"));
	buf_init(&scratch, 0);
	assert_true(reply_text(page.events[0].message, &arena, &scratch, &text));
	assert_true(str_is(text, "{\"a\":1}"));
	buf_done(&scratch);
	assert_true(str_is(page.events[1].event_id, "99"));
	assert_true(page.events[1].timestamp_ms == INT64_MIN);
	assert_null(page.events[1].problem);
}

/* The last page: no token, a null one, or an empty one; no events at all. */
static void test_last(void **state)
{
	(void)state;
	static const char *const bodies[] = {"{}", "{\"events\":[]}",
					     "{\"events\":null,\"nextToken\":null}",
					     "{\"nextToken\":\"\",\"events\":[]}"};
	for (size_t i = 0; i < 4; i++) {
		struct reply_page page;
		struct error err;
		assert_int_equal(parse(bodies[i], &page, &err), 0);
		assert_int_equal(page.event_count, 0);
		assert_int_equal(page.next_token.len, 0);
	}
}

/* Damaged events are marked and keep their bytes; their neighbours are whole. */
static void test_damaged_events(void **state)
{
	(void)state;
	struct reply_page page;
	struct error err;

	assert_int_equal(
		parse("{\"events\":[{\"message\":\"a\",\"message\":\"b\"},{\"eventId\":\"1\"},"
		      "{\"message\":{\"no\":\"text\"}},{\"message\":\"good \\ud800\"}]}",
		      &page, &err),
		0);
	assert_int_equal(page.event_count, 4);
	assert_non_null(strstr(page.events[0].problem, "repeats"));
	assert_true(str_is(page.events[0].raw, "{\"message\":\"a\",\"message\":\"b\"}"));
	assert_non_null(strstr(page.events[1].problem, "no message"));
	assert_non_null(page.events[2].problem);
	assert_null(page.events[3].problem);
}

/* What is no page is refused as a whole: half a body, another shape, repeated keys, text behind it. */
static void test_refused(void **state)
{
	(void)state;
	static const char *const bodies[] = {"",
					     "[]",
					     "null",
					     "<html>",
					     "{\"events\":[{\"message\":\"a\"},",
					     "{\"events\":[{\"message\":\"a\"}]",
					     "{\"events\":{}}",
					     "{\"events\":[1]}",
					     "{\"events\":[]} x",
					     "{\"events\":[],\"events\":[]}",
					     "{\"nextToken\":\"a\",\"nextToken\":\"b\"}",
					     "{\"nextToken\":5}",
					     "{\"nextToken\":{}}"};
	for (size_t i = 0; i < sizeof(bodies) / sizeof(bodies[0]); i++) {
		struct reply_page page = {.event_count = 7};
		struct error err;
		if (parse(bodies[i], &page, &err) != -ERR_INPUT) {
			fail_msg("%s was taken", bodies[i]);
		}
		assert_int_equal(page.event_count, 7);
	}
}

/* Too many events, or too small an arena, are ERR_LIMIT. */
static void test_limits(void **state)
{
	(void)state;
	struct buf body;
	struct reply_page page;
	struct error err;
	struct arena small;

	buf_init(&body, 0);
	buf_put_text(&body, "{\"events\":[{\"message\":\"\"}");
	for (int i = 0; i < REPLY_EVENTS_MAX; i++) {
		buf_put_text(&body, ",{\"message\":\"\"}");
	}
	buf_put_text(&body, "]}");
	assert_int_equal(parse(body.ptr, &page, &err), -ERR_LIMIT);
	arena_init(&small, 1024);
	assert_int_equal(reply_parse(buf_str(&body), &small, &page, &err), -ERR_LIMIT);
	arena_done(&small);
	buf_done(&body);
}

/* Members of flat objects, as error bodies and credential documents have them. */
static void test_member(void **state)
{
	(void)state;
	struct buf out;

	buf_init(&out, 0);
	assert_true(reply_member(STR_LIT("{\"a\":{\"b\":1},\"b\":\"x\\n\"}"), "b", &out));
	assert_true(str_is(buf_str(&out), "x\n"));
	buf_clear(&out);
	assert_true(reply_member(STR_LIT("{\"b\":12}"), "b", &out));
	assert_true(str_is(buf_str(&out), "12"));
	assert_false(reply_member(STR_LIT("{\"b\":null}"), "b", &out));
	assert_false(reply_member(STR_LIT("{\"b\":[1]}"), "b", &out));
	assert_false(reply_member(STR_LIT("[\"b\"]"), "b", &out));
	assert_false(reply_member(STR_LIT("{\"a\""), "b", &out));
	buf_done(&out);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_page),           cmocka_unit_test(test_last),
		cmocka_unit_test(test_damaged_events), cmocka_unit_test(test_refused),
		cmocka_unit_test(test_limits),         cmocka_unit_test(test_member),
	};
	return cmocka_run_group_tests(tests, NULL, finish);
}
