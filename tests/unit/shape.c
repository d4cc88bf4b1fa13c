#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/unit/shape-desk.h"

#include <stdio.h>

#define ACCESS                                                                                  \
	"{\"requestId\":\"8f3c2a10-0000-4000-8000-00000000000%u\",\"extendedRequestId\":"       \
	"\"ABCDEF%u=\",\"requestTime\":\"22/Nov/2026:10:00:%02u +0000\",\"requestTimeEpoch\":"  \
	"\"%llu\",\"httpMethod\":\"GET\",\"resourcePath\":\"/orders/{id}\",\"path\":"           \
	"\"/prod/orders/%u\",\"status\":\"%s\",\"protocol\":\"HTTP/1.1\",\"ip\":\"10.0.0.%u\"," \
	"\"userAgent\":%s,\"integrationLatency\":\"%s\",\"wafResponseCode\":\"%s\"}"

#define ROW                                                                                        \
	"{\"event_time\":\"2026-11-22T10:00:00.12345%02u\",\"sequence_number\":%u,\"action_id\":"  \
	"\"SL  \",\"succeeded\":true,\"session_id\":5%u,\"server_principal_id\":%s,\"object_id\":" \
	"%u,\"class_type\":\"U \",\"server_principal_name\":\"app\",\"database_principal_name\":"  \
	"null,\"server_instance_name\":\"db-1\",\"database_name\":\"shop\",\"schema_name\":"       \
	"\"dbo\",\"object_name\":\"Orders\",\"statement\":%s,\"additional_information\":\"\","     \
	"\"file_name\":\"D:\\\\audit\\\\a_%u.sqlaudit\",\"audit_file_offset\":%u,"                 \
	"\"transaction_id\":%u,\"response_rows\":%u,\"affected_rows\":%s}"

static struct str line_of(struct desk *desk, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

static struct str line_of(struct desk *desk, const char *format, ...)
{
	char *text = arena_alloc(&desk->arena, 65536);
	va_list args;
	va_start(args, format);
	int len = vsnprintf(text, 65536, format, args);
	va_end(args);
	return str_make(text, (size_t)len);
}

static struct str access_line(struct desk *desk, unsigned i)
{
	static const char *const agents[] = {
		"\"curl/8\"",          "\"-\"",        "\"a \\\"b\\\" \\\\ c\"",
		"\"\\u00e9t\\u00e9\"", "\"\xc3\xa9\"", "null"};
	static const char *const codes[] = {"WAF_ALLOW", "-", "", "(none)"};
	static const char *const numbers[] = {"200", "-", "404"};
	return line_of(desk, ACCESS, i % 10, i, i % 60,
		       (unsigned long long)1795341600000 + i % 60 * 1000 + i % 1000, i,
		       numbers[i % 3], i % 250, agents[i % 6], i % 5 == 0 ? "-" : "17",
		       codes[i % 4]);
}

static struct str audit_line(struct desk *desk, unsigned i)
{
	static const char *const statements[] = {
		"\"SELECT 1\"",      "\"SELECT N'\\u00fc' -- \\\"x\\\"\"",
		"\"a\\/b\"",         "\"two\\r\\nlines\\t\xc3\xa9\"",
		"\"\\ud800 alone\"",
	};
	bool update = i % 3 == 0;
	return line_of(desk, ROW, i % 100, 1u, i % 10, i % 7 == 0 ? "null" : "259", i % 4 * 10,
		       statements[i % 5], i / 10, 512 * i, i % 4, update ? 0 : i % 9,
		       i % 11 == 0 ? "null"
		       : update    ? "3"
				   : "0");
}

static void test_requests_come_back(void **state)
{
	/* Proves: requests with absent, odd and escaped values come back bit for bit, take few shapes, and little of them is kept. */
	(void)state;
	struct desk desk;
	struct record record;
	const struct shape_links links = DESK_NO_LINKS;
	desk_begin(&desk);
	for (unsigned i = 0; i < 300; i++) {
		assert_true(desk_request(&desk, access_line(&desk, i), i % 3, &record));
		assert_true(desk_check(&desk, &record, &links));
		assert_int_equal(desk.fit.key_count, i % 3);
		assert_int_not_equal(desk.fit.shape, 0);
		assert_false(desk.fit.keeps_key);
	}
	assert_in_range(shapes_count(desk.shapes), 2, 12);
	assert_in_range(desk.kept_bytes, 1, 200);
	desk_end(&desk);
}

static void test_statements_come_back(void **state)
{
	/* Proves: statements of audit rows come back with their keys, ids, tables and numbers, and take few shapes. */
	(void)state;
	struct desk desk;
	struct record record;
	const struct shape_links links = DESK_NO_LINKS;
	desk_begin(&desk);
	for (unsigned i = 0; i < 300; i++) {
		assert_true(desk_statement(&desk, audit_line(&desk, i), i % 4, &record));
		assert_true(desk_check(&desk, &record, &links));
		assert_int_equal(desk.fit.key_count, i % 4);
		assert_int_not_equal(desk.fit.shape, 0);
		assert_true(shape_computes(desk.shapes, desk.fit.shape, FIELD_raw));
		assert_true(shape_computes(desk.shapes, desk.fit.shape, FIELD_table));
		assert_true(shape_computes(desk.shapes, desk.fit.shape, FIELD_statement_id));
	}
	assert_in_range(shapes_count(desk.shapes), 2, 16);
	desk_end(&desk);
}

static void test_split_statement(void **state)
{
	/* Proves: a statement put together from three rows comes back, and its text is not kept twice. */
	(void)state;
	struct desk desk;
	struct record record;
	struct buf lines;
	const struct shape_links links = DESK_NO_LINKS;
	desk_begin(&desk);
	buf_init(&lines, 0);
	for (unsigned part = 1; part <= 3; part++) {
		char *text = arena_alloc(&desk.arena, 4100);
		size_t len = part < 3 ? 4000 : 123;
		text[0] = '"';
		memset(text + 1, (int)('a' + part), len);
		memcpy(text + 1 + len, "\"", 2);
		if (part > 1) {
			buf_put_byte(&lines, '\n');
		}
		buf_put_str(&lines, line_of(&desk, ROW, 7u, part, 3u, "259", 10u, text, 1u, 512u,
					    1u, 4u, "0"));
	}
	assert_true(desk_statement(&desk, buf_str(&lines), 0, &record));
	assert_int_equal(record_number(&record, FIELD_parts, 0), 3);
	assert_int_equal(record_text(&record, FIELD_statement).len, 8123);
	assert_true(desk_check(&desk, &record, &links));
	assert_false(desk.fit.keeps_key);
	assert_true(shape_computes(desk.shapes, desk.fit.shape, FIELD_raw));
	assert_in_range(desk.kept_bytes, 8123, 8123 + 300);
	buf_done(&lines);
	desk_end(&desk);
}

static void make_verdict(struct desk *desk, struct record *out, const struct shape_links *links)
{
	bool on_statement = links->subject_kind == RECORD_STATEMENT;
	record_init(out, RECORD_VERDICT);
	out->source = STR_LIT("querytraild");
	out->key = line_of(desk, "%c%s.%u", on_statement ? 's' : 'r', links->subject_id, 2u);
	out->time_ns = links->subject_time_ns;
	record_set_text(out, FIELD_grade, STR_LIT("A"));
	record_set_number(out, FIELD_revision, 2);
	if (on_statement) {
		record_set_text(out, FIELD_statement_id, str_of(links->subject_id));
		record_set_number(out, FIELD_statement_leaf, (int64_t)links->subject_leaf);
	}
	uint64_t request = on_statement ? links->request_leaf : links->subject_leaf;
	if (request != UINT64_MAX) {
		record_set_number(out, FIELD_request_leaf, (int64_t)request);
	}
}

static void test_verdicts(void **state)
{
	/* Proves: of a verdict whose subject is in the block only its words are kept; of others everything that is needed. */
	(void)state;
	struct desk desk;
	struct record record;
	struct shape_links links = {.leaf = 9,
				    .subject_id = "0123456789abcdef",
				    .subject_kind = RECORD_STATEMENT,
				    .subject_leaf = 7,
				    .request_leaf = 3,
				    .subject_time_ns = 55};
	desk_begin(&desk);
	for (unsigned i = 0; i < 4; i++) {
		links.subject_kind = i % 2 == 0 ? RECORD_STATEMENT : RECORD_REQUEST;
		links.request_leaf = i < 2 ? 3 : UINT64_MAX;
		make_verdict(&desk, &record, &links);
		assert_true(desk_check(&desk, &record, &links));
		assert_false(desk.fit.keeps_key);
		assert_false(desk.fit.keeps_time);
		assert_int_equal(desk.fit.kept[1] >> (FIELD_request_leaf - 64) & 1, 0);
		assert_int_equal(desk.fit.kept[0] >> FIELD_statement_id & 1, 0);
	}
	assert_int_equal(shapes_count(desk.shapes), 2);
	record_set_number(&record, FIELD_request_leaf, 4); /* not what the links say */
	assert_true(desk_check(&desk, &record, &links));
	links = DESK_NO_LINKS;
	assert_true(desk_check(&desk, &record, &links));
	desk_end(&desk);
}

static void test_event_key(void **state)
{
	/* Proves: the 26 bytes of a CloudWatch event's key are numbers near the record's time, and come back. */
	(void)state;
	struct desk desk;
	struct record record;
	const struct shape_links links = DESK_NO_LINKS;
	char key[26] = {0};
	desk_begin(&desk);
	assert_true(desk_request(&desk, access_line(&desk, 1), 0, &record));
	uint64_t ms = (uint64_t)(record.time_ns / NS_PER_MS);
	for (unsigned i = 0; i < 8; i++) {
		key[i] = (char)(ms >> (56 - 8 * i));
		key[8 + i] = (char)((ms + 300) >> (56 - 8 * i));
	}
	key[20] = 5;
	key[25] = 1;
	record.key = str_make(key, sizeof key);
	assert_true(desk_check(&desk, &record, &links));
	assert_false(desk.fit.keeps_key);
	size_t last = desk.fit.slot_count - 1;
	assert_int_equal(desk.fit.slot[last].number, 1);
	assert_int_equal(desk.fit.slot[last - 2].number, 300);
	assert_int_equal(desk.fit.slot[last - 3].number, 0);
	desk_end(&desk);
}

static void test_unended_line(void **state)
{
	/* Proves: the mark on the last line of a file costs one shape and no copy of extra. */
	(void)state;
	struct desk desk;
	struct record record;
	const struct shape_links links = DESK_NO_LINKS;
	desk_begin(&desk);
	for (unsigned i = 0; i < 3; i++) {
		assert_true(desk_request(&desk, access_line(&desk, 4), 0, &record));
		if (i == 1) {
			struct str extra = record_text(&record, FIELD_extra);
			record_set_text(&record, FIELD_extra,
					line_of(&desk, "%.*s,\"file_newline\":false}",
						(int)extra.len - 1, extra.ptr));
		}
		assert_true(desk_check(&desk, &record, &links));
		assert_true(shape_computes(desk.shapes, desk.fit.shape, FIELD_extra));
	}
	desk_end(&desk);
}

static void test_hostile_raw(void **state)
{
	/* Proves: raw bytes of any kind come back, whatever the fields say. */
	(void)state;
	static const char *const lines[] = {
		"",
		"{",
		"{}",
		"\"",
		"\"\\",
		"{\"a\":",
		"{\"a\":\"",
		"{\"a\":\"\\",
		"{\"a\":1,\"a\":1,\"a\":2}",
		"{\"a\":[1,{\"b\":\"]\"}],\"c\":{\"d\":{\"e\":null}}}\r",
		"10.0.0.1 - - [22/Nov/2026:10:00:00 +0000] \"GET /x HTTP/1.1\" 200 17 abc",
		"\xef\xbb\xbf{\"requestId\":\"x\"}",
		"2026-11-22T10:00:00.123Z {\"requestId\":\"x\",\"status\":\"0200\"}",
		"{\"requestId\":\"\xff\",\"status\":-0,\"x\":\"\\u0041\"}",
		"{\"requestId\":\"x\"}{\"requestId\":\"y\"}\n{\"requestId\":\"z\"}",
		"[[[[",
		"}}}}",
		",,,,",
		"a,\"b\"\"c\",d",
	};
	struct desk desk;
	struct record record;
	const struct shape_links links = DESK_NO_LINKS;
	desk_begin(&desk);
	for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++) {
		for (enum record_kind kind = RECORD_REQUEST; kind <= RECORD_REJECT; kind += 7) {
			record_init(&record, kind);
			record.source = STR_LIT("api");
			record.key = desk_line_key(&desk, str_of(lines[i]), 0);
			record.time_ns = INT64_C(1795341600000000000);
			record_set_text(&record, FIELD_raw, str_of(lines[i]));
			record_set_text(&record, FIELD_extra, STR_LIT("{\"x\":\"A\"}"));
			if (kind == RECORD_REQUEST) {
				record_set_text(&record, FIELD_request_id, STR_LIT("x"));
				record_set_text(&record, FIELD_user_agent,
						STR_LIT("\xff\xed\xa0\x80"));
				record_set_number(&record, FIELD_status, 200);
			}
			assert_true(desk_check(&desk, &record, &links));
		}
	}
	desk_end(&desk);
}

static void test_common_log_format(void **state)
{
	/* Proves: lines of AWS's common log format are cut into words, with few shapes, and ids are not kept twice. */
	(void)state;
	struct desk desk;
	struct record record;
	const struct shape_links links = DESK_NO_LINKS;
	desk_begin(&desk);
	for (unsigned i = 0; i < 200; i++) {
		struct str line =
			line_of(&desk,
				"10.0.0.%u - %s [22/Nov/2026:10:00:%02u +0000] \"GET /orders/{id} "
				"HTTP/1.1\" %u %u 8f3c2a10-0000-4000-8000-00000000%04u ABCDEF%u=",
				i % 250, i % 3 == 0 ? "-" : "alice", i % 60, i % 7 == 0 ? 404 : 200,
				i * 37, i, 1000 + i);
		assert_true(desk_request(&desk, line, 0, &record));
		assert_true(desk_check(&desk, &record, &links));
		assert_true(shape_computes(desk.shapes, desk.fit.shape, FIELD_raw));
	}
	assert_in_range(shapes_count(desk.shapes), 2, 10);
	assert_in_range(desk.kept_bytes, 1, 200);
	desk_end(&desk);
}

static void test_csv_rows(void **state)
{
	/* Proves: statements of CSV rows come back, take few shapes, and a text with quotes and line ends in it is not kept twice. */
	(void)state;
	struct desk desk;
	struct record record;
	const struct shape_links links = DESK_NO_LINKS;
	static const char *const cells[] = {"SELECT 1", "\"SELECT \"\"a\"\", b\"",
					    "\"two\r\nlines, of text\"", "UPDATE t"};
	static const char *const texts[] = {"SELECT 1", "SELECT \"a\", b", "two\r\nlines, of text",
					    "UPDATE t"};
	desk_begin(&desk);
	for (unsigned i = 0; i < 200; i++) {
		struct str line =
			line_of(&desk, "2026-11-22 10:00:00.1234%03u,1,SL  ,51,%s,%u,app,%s", i,
				i % 5 == 0 ? "" : "259", 100000 + i, cells[i % 4]);
		record_init(&record, RECORD_STATEMENT);
		record.source = STR_LIT("db");
		record.key = str_slice(desk_line_key(&desk, line, 0), 0, 16);
		record.time_ns = INT64_C(1795341600123400000) + i * 100;
		record_set_text(&record, FIELD_raw, line);
		record_set_text(&record, FIELD_statement, str_of(texts[i % 4]));
		record_set_number(&record, FIELD_object_id, 100000 + i);
		record_set_text(&record, FIELD_action, STR_LIT("SL"));
		assert_true(desk_check(&desk, &record, &links));
		assert_true(shape_computes(desk.shapes, desk.fit.shape, FIELD_raw));
		assert_false(desk.fit.keeps_key);
	}
	assert_in_range(shapes_count(desk.shapes), 2, 10);
	assert_in_range(desk.kept_bytes, 1, 80);
	desk_end(&desk);
}

static uint64_t next_random(uint64_t *random)
{
	*random = *random * UINT64_C(6364136223846793005) + 1442695040888963407;
	return *random >> 33;
}

/* Changes some bytes of a line. */
static struct str mutate(struct desk *desk, struct str line, uint64_t *random)
{
	static const char bytes[] = "\"\\{}[]:,0-9nul \n\r\xff\xc3\xa9";
	char *text = arena_alloc(&desk->arena, line.len + 1);
	memcpy(text, line.ptr, line.len);
	for (uint64_t count = next_random(random) % 4; count > 0; count--) {
		size_t at = next_random(random) % line.len;
		text[at] = bytes[next_random(random) % (sizeof bytes - 1)];
	}
	return str_make(text, line.len);
}

static void test_nulls(void **state)
{
	/* Proves: columns that are null or not, at random, do not multiply shapes. */
	(void)state;
	struct desk desk;
	struct record record;
	uint64_t random = 99;
	const struct shape_links links = DESK_NO_LINKS;
	desk_begin(&desk);
	for (unsigned i = 0; i < 400; i++) {
		struct buf line;
		struct str row = audit_line(&desk, i);
		buf_init(&line, 0);
		buf_put_str(&line, str_slice(row, 0, row.len - 1));
		for (unsigned column = 0; column < 15; column++) {
			buf_putf(&line, ", \"more_%u\": %s", column,
				 next_random(&random) % 2 == 0 ? "null" : "7");
		}
		buf_put_byte(&line, '}');
		assert_true(desk_statement(&desk, buf_str(&line), 0, &record));
		assert_true(desk_check(&desk, &record, &links));
		assert_true(shape_computes(desk.shapes, desk.fit.shape, FIELD_raw));
		assert_true(shape_computes(desk.shapes, desk.fit.shape, FIELD_extra));
		buf_done(&line);
	}
	assert_in_range(shapes_count(desk.shapes), 2, 20);
	desk_end(&desk);
}

static void test_unlike_lines(void **state)
{
	/* Proves: lines that are all unlike one another come back, and end in a shape that keeps them whole. */
	(void)state;
	struct desk desk;
	struct record record;
	struct buf line;
	const struct shape_links links = DESK_NO_LINKS;
	desk_begin(&desk);
	buf_init(&line, 0);
	for (unsigned i = 0; i < 600; i++) {
		buf_clear(&line);
		for (unsigned word = 0; word < 20; word++) {
			buf_putf(&line, "w%u%s", word, (i >> word % 10 & 1) != 0 ? "  " : " ");
		}
		buf_putf(&line, "%u", i);
		record_init(&record, RECORD_REQUEST);
		record.source = STR_LIT("api");
		record.key = desk_line_key(&desk, buf_str(&line), 0);
		record_set_text(&record, FIELD_raw, buf_str(&line));
		assert_int_equal(shapes_fit(desk.shapes, &record, &links, &desk.arena, &desk.fit),
				 0);
		assert_true(desk_comes_back(&desk, desk.shapes, &record, &links));
		assert_false(desk.fit.keeps_key);
	}
	assert_false(shape_computes(desk.shapes, desk.fit.shape, FIELD_raw));
	assert_in_range(shapes_count(desk.shapes), 250, 260);
	buf_done(&line);
	desk_end(&desk);
}

static void test_mutated_records(void **state)
{
	/* Proves: thousands of damaged lines and of records whose fields do not belong to their lines come back. */
	(void)state;
	struct desk desk;
	struct record records[2];
	uint64_t random = 4711;
	const struct shape_links links = DESK_NO_LINKS;
	desk_begin(&desk);
	for (unsigned i = 0; i < 4000; i++) {
		struct record *record = &records[i % 2];
		bool is_row = next_random(&random) % 2 == 0;
		struct str line = is_row ? audit_line(&desk, i) : access_line(&desk, i);
		line = mutate(&desk, line, &random);
		if (!(is_row ? desk_statement(&desk, line, 0, record)
			     : desk_request(&desk, line, 0, record))) {
			continue;
		}
		if (i % 50 == 0) { /* the saved shapes grow: not each time */
			assert_true(desk_check(&desk, record, &links));
		}
		unsigned field = 1 + (unsigned)(next_random(&random) % (FIELD_LIMIT - 1));
		if (i % 3 == 0 && record_has(record, field)) {
			record_unset(record, field);
		}
		assert_int_equal(shapes_fit(desk.shapes, record, &links, &desk.arena, &desk.fit),
				 0);
		assert_true(desk_comes_back(&desk, desk.shapes, record, &links));
		if (i % 64 == 0) {
			arena_clear(&desk.arena);
		}
	}
	desk_end(&desk);
}

static void test_bad_bytes(void **state)
{
	/* Proves: saved shapes with any byte changed or missing are restored or refused with ERR_CORRUPT, and a record rendered with
	 * them is made or refused. */
	(void)state;
	struct desk desk;
	struct record record, again;
	const struct shape_links links = DESK_NO_LINKS;
	struct buf saved;
	unsigned refused = 0;
	desk_begin(&desk);
	buf_init(&saved, 0);
	assert_true(desk_request(&desk, access_line(&desk, 1), 0, &record));
	assert_true(desk_check(&desk, &record, &links));
	shapes_save(desk.shapes, &saved);
	for (size_t i = 0; i < saved.len; i++) {
		struct shapes *restored = shapes_new();
		assert_non_null(restored);
		int rc = shapes_restore(restored, str_slice(buf_str(&saved), 0, i), &desk.err);
		assert_int_equal(rc, -ERR_CORRUPT);
		shapes_free(restored);
		restored = shapes_new();
		assert_non_null(restored);
		saved.ptr[i] ^= 0x55;
		rc = shapes_restore(restored, buf_str(&saved), &desk.err);
		assert_true(rc == 0 || rc == -ERR_CORRUPT);
		refused += rc != 0;
		if (rc == 0) {
			desk_keep(&desk, &record, &again);
			rc = shapes_render(restored, &desk.fit, &links, &desk.arena, &again);
			assert_true(rc == 0 || rc == -ERR_CORRUPT);
		}
		saved.ptr[i] ^= 0x55;
		shapes_free(restored);
	}
	assert_in_range(refused, 20, saved.len);
	buf_done(&saved);
	desk_end(&desk);
}

static void test_render_refuses(void **state)
{
	/* Proves: a fit of an unknown shape, of another kind, with too few slots, and a verdict without its subject are ERR_CORRUPT. */
	(void)state;
	struct desk desk;
	struct record record, again;
	struct shape_links links = DESK_NO_LINKS;
	desk_begin(&desk);
	assert_true(desk_request(&desk, access_line(&desk, 1), 0, &record));
	assert_true(desk_check(&desk, &record, &links));
	desk.fit.slot_count--;
	desk_keep(&desk, &record, &again);
	assert_int_equal(shapes_render(desk.shapes, &desk.fit, &links, &desk.arena, &again),
			 -ERR_CORRUPT);
	record_init(&again, RECORD_GAP);
	assert_int_equal(shapes_render(desk.shapes, &desk.fit, &links, &desk.arena, &again),
			 -ERR_CORRUPT);
	desk.fit.shape = 77;
	assert_int_equal(shapes_render(desk.shapes, &desk.fit, &links, &desk.arena, &again),
			 -ERR_CORRUPT);
	const struct shape_links subject = {.subject_id = "0123456789abcdef",
					    .subject_kind = RECORD_STATEMENT,
					    .subject_leaf = 7,
					    .request_leaf = 3};
	make_verdict(&desk, &record, &subject);
	assert_true(desk_check(&desk, &record, &subject));
	desk_keep(&desk, &record, &again);
	assert_int_equal(shapes_render(desk.shapes, &desk.fit, &links, &desk.arena, &again),
			 -ERR_CORRUPT);
	desk_end(&desk);
}

static void test_no_memory(void **state)
{
	/* Proves: an arena without room gives ERR_NOMEM when a record is rendered, and a fit that keeps everything. */
	(void)state;
	struct desk desk;
	struct record record, again;
	struct arena small;
	const struct shape_links links = DESK_NO_LINKS;
	desk_begin(&desk);
	arena_init(&small, 16);
	assert_true(desk_request(&desk, access_line(&desk, 1), 0, &record));
	assert_int_equal(shapes_fit(desk.shapes, &record, &links, &small, &desk.fit), 0);
	assert_int_equal(desk.fit.shape, 0);
	assert_true(desk_comes_back(&desk, desk.shapes, &record, &links));
	assert_true(desk_check(&desk, &record, &links));
	desk_keep(&desk, &record, &again);
	assert_int_equal(shapes_render(desk.shapes, &desk.fit, &links, &small, &again), -ERR_NOMEM);
	arena_done(&small);
	desk_end(&desk);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_requests_come_back),
		cmocka_unit_test(test_statements_come_back),
		cmocka_unit_test(test_split_statement),
		cmocka_unit_test(test_verdicts),
		cmocka_unit_test(test_event_key),
		cmocka_unit_test(test_unended_line),
		cmocka_unit_test(test_hostile_raw),
		cmocka_unit_test(test_common_log_format),
		cmocka_unit_test(test_csv_rows),
		cmocka_unit_test(test_nulls),
		cmocka_unit_test(test_unlike_lines),
		cmocka_unit_test(test_mutated_records),
		cmocka_unit_test(test_bad_bytes),
		cmocka_unit_test(test_render_refuses),
		cmocka_unit_test(test_no_memory),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
