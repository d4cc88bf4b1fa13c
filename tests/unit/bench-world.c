#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/json.h"
#include "model/accesslog/accesslog.h"
#include "model/auditrow/auditrow.h"
#include "tests/bench/world.h"

#include <stdlib.h>
#include <string.h>

#define REQUESTS 20000

struct capture {
	struct buf text[WORLD_FILES];
	size_t lines;
	uint64_t day;
	size_t fail_at; /* the sink fails at this line; 0: never */
};

static int capture_put(void *owner, enum world_file file, struct str line, struct error *err)
{
	struct capture *capture = owner;
	if (++capture->lines == capture->fail_at) {
		return error_set(err, ERR_IO, "the disk is full");
	}
	buf_put_str(&capture->text[file], line);
	return 0;
}

static int write_small(struct capture *capture, uint64_t seed, uint64_t requests,
		       struct world_shape *shape)
{
	struct world_options options = {.requests = requests, .seed = seed, .day = capture->day};
	struct world_sink sink = {.put = capture_put, .owner = capture};
	struct error err;
	capture->lines = 0;
	for (int file = 0; file < WORLD_FILES; file++) {
		buf_init(&capture->text[file], 0);
	}
	return world_write(&options, &sink, shape, &err);
}

static void capture_done(struct capture *capture)
{
	buf_done(&capture->text[WORLD_ACCESS]);
	buf_done(&capture->text[WORLD_AUDIT]);
}

/* Cuts the next line off text, without its end. */
static bool next_line(struct str *text, struct str *line)
{
	ptrdiff_t end = str_find_byte(*text, '\n', 0);
	if (end < 0) {
		return false;
	}
	*line = str_slice(*text, 0, (size_t)end);
	*text = str_slice(*text, (size_t)end + 1, text->len);
	return true;
}

static size_t key_count(struct str line)
{
	struct json_scanner scanner = json_scanner(line);
	size_t keys = 0;
	enum json_event event = json_next(&scanner);
	for (; event != JSON_END; event = json_next(&scanner)) {
		assert_int_not_equal(event, JSON_ERROR);
		keys += event == JSON_KEY ? 1 : 0;
	}
	return keys;
}

static void test_shape(void **state)
{
	/* Proves: a set of 20,000 requests has the shape of the facts, row by row of their table. */
	(void)state;
	static struct world_shape shape;
	struct capture capture = {0};
	assert_int_equal(write_small(&capture, 1, REQUESTS, &shape), 0);
	char *report = NULL;
	size_t size = 0;
	FILE *out = open_memstream(&report, &size);
	assert_non_null(out);
	size_t misses = world_check(&shape, out);
	(void)fclose(out);
	if (misses > 0) {
		print_message("%s", report);
	}
	assert_int_equal(misses, 0);
	assert_int_equal(capture.text[WORLD_ACCESS].len, shape.bytes[WORLD_ACCESS]);
	assert_int_equal(capture.text[WORLD_AUDIT].len, shape.bytes[WORLD_AUDIT]);
	assert_int_equal(shape.lines[WORLD_ACCESS], REQUESTS);
	free(report);
	capture_done(&capture);
}

static void test_check_differs(void **state)
{
	/* Proves: the check sees a set that has another shape. */
	(void)state;
	static struct world_shape shape;
	struct capture capture = {0};
	assert_int_equal(write_small(&capture, 1, REQUESTS, &shape), 0);
	shape.bytes[WORLD_AUDIT] += shape.bytes[WORLD_AUDIT] / 5;
	shape.literal[LITERAL_MONEY] *= 2;
	FILE *out = fopen("/dev/null", "w");
	assert_non_null(out);
	assert_int_equal(world_check(&shape, out) > 3, 1);
	(void)fclose(out);
	capture_done(&capture);
}

static void test_same(void **state)
{
	/* Proves: the same seed gives the same bytes, another one others. */
	(void)state;
	static struct world_shape shape;
	struct capture a = {0}, b = {0}, c = {0};
	assert_int_equal(write_small(&a, 5, 500, &shape), 0);
	assert_int_equal(write_small(&b, 5, 500, &shape), 0);
	assert_int_equal(write_small(&c, 6, 500, &shape), 0);
	for (int file = 0; file < WORLD_FILES; file++) {
		assert_true(str_equal(buf_str(&a.text[file]), buf_str(&b.text[file])));
		assert_false(str_equal(buf_str(&a.text[file]), buf_str(&c.text[file])));
	}
	capture_done(&a);
	capture_done(&b);
	capture_done(&c);
}

static void test_other_day(void **state)
{
	/* Proves: another day has the same users and routes, but other ids and later times. */
	(void)state;
	static struct world_shape shape, other;
	struct capture a = {0}, b = {.day = 3};
	assert_int_equal(write_small(&a, 5, 500, &shape), 0);
	assert_int_equal(write_small(&b, 5, 500, &other), 0);
	assert_string_equal(shape.user_top, other.user_top);
	assert_string_not_equal(shape.request_id, other.request_id);
	assert_int_equal(other.first_ms - shape.first_ms, 3 * 86400000);
	assert_true(shape.bits[WORLD_TABLES] > 0 && other.bits[WORLD_TABLES] == 0);
	capture_done(&a);
	capture_done(&b);
}

static void test_lines_are_read(void **state)
{
	/* Proves: each line has 23 fields, and querytrail's reader finds ids, user, route, status and the time to the millisecond. */
	(void)state;
	static struct world_shape shape;
	static struct record record;
	struct capture capture = {0};
	struct accesslog_options options = {0};
	struct accesslog_format *format = NULL;
	struct arena arena;
	struct error err;
	int64_t off_second = 0;
	assert_int_equal(accesslog_format_new(&options, &format, &err), 0);
	assert_int_equal(write_small(&capture, 2, 1000, &shape), 0);
	struct str text = buf_str(&capture.text[WORLD_ACCESS]), line;
	arena_init(&arena, 1u << 20);
	while (next_line(&text, &line)) {
		assert_int_equal(key_count(line), 23);
		record_init(&record, RECORD_REQUEST);
		assert_int_equal(accesslog_parse(format, line, &arena, &record, &err), 0);
		assert_true(str_is(record_text(&record, FIELD_parse), "ok"));
		assert_int_equal(record_text(&record, FIELD_request_id).len, 36);
		assert_int_equal(record_text(&record, FIELD_extended_request_id).len, 16);
		assert_int_equal(record_text(&record, FIELD_lambda_request_id).len, 36);
		assert_true(str_find(record_text(&record, FIELD_user), STR_LIT("@"), 0) > 0);
		assert_true(str_find(record_text(&record, FIELD_route), STR_LIT(" /v2/"), 0) > 0);
		assert_true(record_has(&record, FIELD_status));
		assert_true(record_has(&record, FIELD_latency_ms));
		off_second += record.time_ns % 1000000000 != 0 ? 1 : 0;
		arena_clear(&arena);
	}
	assert_true(off_second > 900);
	arena_done(&arena);
	accesslog_format_free(format);
	capture_done(&capture);
}

static void test_rows_in_order(void **state)
{
	/* Proves: rows have 25 columns, times that never fall, offsets that are multiples of 512 and a comment with the request's id in all
	 * but the rows of logins. */
	(void)state;
	static struct world_shape shape;
	struct capture capture = {0};
	assert_int_equal(write_small(&capture, 3, 1000, &shape), 0);
	struct str text = buf_str(&capture.text[WORLD_AUDIT]), line;
	struct str last = {0};
	size_t rows = 0, with_id = 0;
	while (next_line(&text, &line)) {
		struct str time = str_slice(line, strlen("{\"event_time\":\""), 42);
		assert_int_equal(key_count(line), 25);
		assert_true(rows == 0 || memcmp(last.ptr, time.ptr, 27) <= 0);
		last = time;
		rows++;
		ptrdiff_t comment = str_find(line, STR_LIT("/*request_id="), 0);
		with_id += comment > 0 ? 1 : 0;
		ptrdiff_t offset = str_find(line, STR_LIT("\"audit_file_offset\":"), 0);
		assert_true(offset > 0);
		assert_int_equal(strtoull(line.ptr + offset + 20, NULL, 10) % 512, 0);
	}
	assert_int_equal(rows, shape.lines[WORLD_AUDIT]);
	assert_int_equal(rows - with_id, shape.adhoc_rows);
	capture_done(&capture);
}

static void test_templates_differ(void **state)
{
	/* Proves: the 300 templates have 300 texts, so that a count of templates means something. */
	(void)state;
	static struct dice dice;
	dice_init(&dice, 1);
	struct world_plan *plan = world_plan_new(&dice);
	assert_non_null(plan);
	for (size_t i = 0; i < PLAN_TEMPLATES; i++) {
		assert_true(plan->templates[i].text[0] != '\0');
		for (size_t other = 0; other < i; other++) {
			assert_string_not_equal(plan->templates[i].text,
						plan->templates[other].text);
		}
	}
	world_plan_free(plan);
}

static void test_floor(void **state)
{
	/* Proves: the floor is near the 70 bytes a request of the facts, ids are counted in full, and the JSON adds up. */
	(void)state;
	static struct world_shape shape;
	struct capture capture = {0};
	struct world_options options = {.requests = REQUESTS, .seed = 1};
	assert_int_equal(write_small(&capture, 1, REQUESTS, &shape), 0);
	double sum = 0;
	for (int i = 0; i < WORLD_FIELD_COUNT; i++) {
		assert_true(shape.bits[i] > 0);
		sum += i == WORLD_TABLES ? 0 : shape.bits[i];
	}
	assert_true(shape.bits[WORLD_REQUEST_ID] == 122.0 * REQUESTS);
	assert_true(sum / 8 / REQUESTS > 66 && sum / 8 / REQUESTS < 73);
	char *json = NULL;
	size_t size = 0;
	FILE *out = open_memstream(&json, &size);
	assert_non_null(out);
	world_put_floor(&shape, &options, out);
	(void)fclose(out);
	assert_int_equal(key_count(str_make(json, size)), WORLD_FIELD_COUNT + 18);
	free(json);
	capture_done(&capture);
}

static void test_sink_fails(void **state)
{
	/* Proves: an error of the sink ends the writing and comes back. */
	(void)state;
	static struct world_shape shape;
	struct capture capture = {.fail_at = 100};
	assert_int_equal(write_small(&capture, 1, 1000, &shape), -ERR_IO);
	assert_int_equal(capture.lines, 100);
	capture_done(&capture);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_shape),
		cmocka_unit_test(test_check_differs),
		cmocka_unit_test(test_same),
		cmocka_unit_test(test_lines_are_read),
		cmocka_unit_test(test_rows_in_order),
		cmocka_unit_test(test_other_day),
		cmocka_unit_test(test_templates_differ),
		cmocka_unit_test(test_floor),
		cmocka_unit_test(test_sink_fails),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
