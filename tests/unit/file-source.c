/* The file source reads every form of file, keeps every byte, and goes on where its cursor says. */
#include "collector/source.h"
#include "collector/sources/file/split.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/io.h"
#include "model/feed.h"
#include "model/options.h"

#include <sys/stat.h>
#include <zlib.h>

#define A "{\"requestId\":\"a\",\"requestTimeEpoch\":\"1795342830000\"}"
#define B "{\"requestId\":\"b\",\"requestTimeEpoch\":\"1795342831000\"}"
#define ROW                                                                                \
	"{\"event_time\":\"2026-11-22T10:00:00.1234567\",\"action_id\":\"SL\",\"sequence_" \
	"number\":1,\"statement\":\"SELECT 1\""

struct folder {
	char dir[32];
	struct config *config;
	struct source *source;
	struct arena arena;
	struct buf cursor, next;
	struct source_batch batch;
};

static void put_path(const struct folder *folder, const char *name, struct buf *out)
{
	buf_init(out, 0);
	buf_putf(out, "%s/%s", folder->dir, name);
}

static void write_plain(const struct folder *folder, const char *name, struct str bytes)
{
	struct buf path;
	struct error err;

	put_path(folder, name, &path);
	assert_int_equal(io_replace_file(path.ptr, bytes, 0600, &err), 0);
	buf_done(&path);
}

/* cut: how many bytes of the packed file are kept; 0: all */
static void write_gzip(const struct folder *folder, const char *name, struct str bytes, size_t cut)
{
	struct buf path;

	put_path(folder, name, &path);
	gzFile gz = gzopen(path.ptr, "wb");
	assert_non_null(gz);
	assert_int_equal(gzwrite(gz, bytes.ptr, (unsigned)bytes.len), bytes.len);
	assert_int_equal(gzclose(gz), Z_OK);
	if (cut > 0) {
		assert_int_equal(truncate(path.ptr, (off_t)cut), 0);
	}
	buf_done(&path);
}

static void folder_open(struct folder *folder)
{
	*folder = (struct folder){0};
	memcpy(folder->dir, "/tmp/files.XXXXXX", sizeof("/tmp/files.XXXXXX"));
	assert_non_null(mkdtemp(folder->dir));
	arena_init(&folder->arena, 96u << 20);
	buf_init(&folder->cursor, FEED_CURSOR_MAX);
	buf_init(&folder->next, FEED_CURSOR_MAX);
}

static void folder_close(struct folder *folder)
{
	static const char *const names[] = {"one", "two"};

	for (size_t i = 0; i < 2; i++) {
		struct buf path;
		put_path(folder, names[i], &path);
		(void)unlink(path.ptr); /* not every test has both */
		buf_done(&path);
	}
	assert_int_equal(rmdir(folder->dir), 0);
	source_file.close(folder->source);
	config_free(folder->config);
	arena_done(&folder->arena);
	buf_done(&folder->cursor);
	buf_done(&folder->next);
}

/* Opens the source over the files "one" and, with both, "two". options: more of its options. */
static void source_open(struct folder *folder, const char *content, bool both, const char *options)
{
	struct buf yaml;
	struct error err;

	source_file.close(folder->source);
	config_free(folder->config);
	buf_init(&yaml, 0);
	buf_putf(&yaml, "sources:\n  s:\n    type: file\n    content: %s\n    files: [%s/one",
		 content, folder->dir);
	if (both) {
		buf_putf(&yaml, ", %s/two", folder->dir);
	}
	buf_putf(&yaml, "]\n%s", options);
	struct config_input input = {.name = "test", .text = buf_str(&yaml)};
	assert_int_equal(config_parse(options_schema(), &input, &folder->config, NULL, &err), 0);
	buf_done(&yaml);
	struct source_open how = {.name = "s",
				  .section = "sources.s",
				  .config = folder->config,
				  .clock = clock_system()};
	folder->source = NULL;
	assert_int_equal(source_file.open(&how, &folder->source, &err), 0);
}

static int fetch(struct folder *folder, struct error *err)
{
	struct source_request request = {.cursor = buf_str(&folder->cursor),
					 .deadline_ns = clock_monotonic_ns() + NS_PER_MIN};

	arena_clear(&folder->arena);
	buf_clear(&folder->next);
	folder->batch = (struct source_batch){.arena = &folder->arena, .cursor = &folder->next};
	int rc = source_file.fetch(folder->source, &request, &folder->batch, err);
	if (rc == 0) {
		buf_clear(&folder->cursor);
		buf_put_str(&folder->cursor, buf_str(&folder->next));
	}
	return rc;
}

/* The file's bytes as export gives them back: each raw, and a newline unless the record says there was none. */
static void put_back(const struct source_batch *batch, struct buf *out)
{
	for (size_t i = 0; i < batch->record_count; i++) {
		const struct record *record = &batch->records[i];
		buf_put_str(out, record_text(record, FIELD_raw));
		if (str_find(record_text(record, FIELD_extra), STR_LIT("\"file_newline\":false"),
			     0) < 0) {
			buf_put_byte(out, '\n');
		}
	}
}

/* Reads file "one" to its end; the counts of what came, without what says nothing, and its bytes again. */
static void expect_counts(struct folder *folder, size_t records, size_t rejects, const char *bytes)
{
	struct error err;
	struct buf back;
	size_t seen = 0;
	size_t bad = 0;
	size_t skipped = 0;

	buf_init(&back, 0);
	do {
		if (fetch(folder, &err) != 0) {
			fail_msg("%s", err.text);
		}
		for (size_t i = 0; i < folder->batch.record_count; i++) {
			bool says_nothing = record_has(&folder->batch.records[i], FIELD_skipped);
			bad += folder->batch.records[i].kind == RECORD_REJECT && !says_nothing;
			skipped += says_nothing;
		}
		seen += folder->batch.record_count;
		put_back(&folder->batch, &back);
	} while (folder->batch.more);
	assert_true(folder->batch.done);
	assert_int_equal(seen - bad - skipped, records);
	assert_int_equal(bad, rejects);
	if (bytes != NULL && !str_is(buf_str(&back), bytes)) {
		fail_msg("given back: %.*s", STR_ARG(buf_str(&back)));
	}
	buf_done(&back);
}

static const struct form {
	const char *what, *bytes;
	size_t records, rejects;
} forms[] = {
	{"lines", A "\n" B "\n", 2, 0},
	{"Windows line ends", A "\r\n" B "\r\n", 2, 0},
	{"a last line without its end", A "\n" B, 2, 0},
	{"a byte order mark", "\xef\xbb\xbf" A "\n", 1, 0},
	{"Firehose", A B A, 3, 0},
	{"a CloudWatch export", "2026-11-22T10:00:00.000Z " A "\n2026-11-22T10:00:01.000Z " B "\n",
	 2, 0},
	{"equal lines", A "\n" A "\n" A "\n", 3, 0},
	{"a damaged line", A "\nnot a line\n" B "\n", 2, 1},
	{"nothing", "", 0, 0},
	{"nothing but white space", "\n \r\n\t", 0, 0},
	{"empty lines", "\n" A "\n\n  \n" B "\n\n", 2, 0},
	{"Firehose with white space", " " A " \n\n" B "\r\n" A " ", 3, 0},
};

/* Every form, plain and packed: the right number of records, and the same bytes back. */
static void test_forms(void **state)
{
	(void)state;
	for (size_t i = 0; i < 2 * sizeof(forms) / sizeof(forms[0]); i++) {
		const struct form *form = &forms[i / 2];
		struct folder folder;
		folder_open(&folder);
		if (i % 2 == 0) {
			write_plain(&folder, "one", str_of(form->bytes));
		} else {
			write_gzip(&folder, "one", str_of(form->bytes), 0);
		}
		source_open(&folder, "access-log", false, "");
		expect_counts(&folder, form->records, form->rejects, form->bytes);
		folder_close(&folder);
	}
}

/* The time before a line of a CloudWatch export is the record's. */
static void test_export_time(void **state)
{
	(void)state;
	struct folder folder;
	struct error err;

	folder_open(&folder);
	write_plain(&folder, "one", STR_LIT("2026-11-22T10:00:00.500Z {\"requestId\":\"a\"}\n"));
	source_open(&folder, "access-log", false, "");
	assert_int_equal(fetch(&folder, &err), 0);
	assert_int_equal(folder.batch.record_count, 1);
	assert_true(folder.batch.records[0].time_ns == INT64_C(1795341600500000000));
	folder_close(&folder);
}

/* Equal lines have different keys; the same file under another name, packed or with other line ends has the same ones. */
static void test_keys(void **state)
{
	(void)state;
	struct folder folder;
	struct error err;
	uint8_t keys[4][20];

	folder_open(&folder);
	write_plain(&folder, "one", STR_LIT(A "\n" A "\n"));
	write_gzip(&folder, "two", STR_LIT(A "\r\n" A), 0);
	source_open(&folder, "access-log", true, "");
	assert_int_equal(fetch(&folder, &err), 0);
	assert_int_equal(folder.batch.record_count, 4);
	for (size_t i = 0; i < 4; i++) {
		assert_int_equal(folder.batch.records[i].key.len, 20);
		memcpy(keys[i], folder.batch.records[i].key.ptr, 20);
	}
	assert_memory_not_equal(keys[0], keys[1], 20);
	assert_memory_equal(keys[0], keys[2], 20);
	assert_memory_equal(keys[1], keys[3], 20);
	folder_close(&folder);
}

/* Audit rows as JSON and as CSV, with a damaged one and a split one; a row's key does not depend on the file it stands in. */
static void test_rows(void **state)
{
	(void)state;
	struct folder folder;
	struct error err;
	struct buf text;

	folder_open(&folder);
	buf_init(&text, 0);
	buf_put_text(&text, ROW "}\n{\"event_time\":1}\n");
	buf_put_text(&text, "{\"event_time\":\"2026-11-22T10:00:01\",\"action_id\":\"SL\","
			    "\"session_id\":5,\"sequence_number\":1,\"statement\":\"");
	buf_put_fill(&text, 'x', 4000);
	buf_put_text(&text, "\"}\n{\"event_time\":\"2026-11-22T10:00:01\",\"action_id\":\"SL\","
			    "\"session_id\":5,\"sequence_number\":2,\"statement\":\"yz\"}");
	write_plain(&folder, "one", buf_str(&text));
	source_open(&folder, "audit-rows", false, "");
	size_t whole = 0;
	size_t rejects = 0;
	do {
		assert_int_equal(fetch(&folder, &err), 0);
		for (size_t i = 0; i < folder.batch.record_count; i++) {
			const struct record *record = &folder.batch.records[i];
			rejects += record->kind == RECORD_REJECT;
			whole += record_text(record, FIELD_statement).len == 4002;
		}
	} while (folder.batch.more);
	assert_int_equal(whole, 1);
	assert_int_equal(rejects, 1);
	buf_done(&text);
	folder_close(&folder);
	folder_open(&folder);
	write_plain(&folder, "one",
		    STR_LIT("event_time,action_id,statement\r\n2026-11-22 "
			    "10:00:00.1234567,SL,\"SELECT\r\n1\"\r\nshort\r\n"));
	source_open(&folder, "audit-rows", false, "");
	expect_counts(&folder, 1, 1,
		      "event_time,action_id,statement\r\n2026-11-22 10:00:00.1234567,SL,"
		      "\"SELECT\r\n1\"\r\nshort\r\n");
	folder_close(&folder);
}

/* Rows and what does not parse come in the order of the file, though a row waits for the one behind it. */
static void test_row_order(void **state)
{
	(void)state;
	struct folder folder;

	folder_open(&folder);
	static const char text[] = ROW "}\nnot a row\n\n" ROW "}\n" ROW
				       "}\n{\n{\"event_time\":\"2026-11-22T10:00:00\","
				       "\"action_id\":\"SL\",\"sequence_number\":9}\n{}\n" ROW "}";
	write_plain(&folder, "one", str_of(text));
	source_open(&folder, "audit-rows", false, "");
	expect_counts(&folder, 5, 3, text);
	folder_close(&folder);
}

/* A line over the limit comes in parts, whatever its length is, and what stands around it as ever. */
static void test_long_lines(void **state)
{
	(void)state;
	static const size_t over[] = {1, SPLIT_PIECE_MAX, SPLIT_PIECE_MAX + 1, 2 * SPLIT_PIECE_MAX,
				      5 * SPLIT_PIECE_MAX / 2};
	for (size_t i = 0; i < 2 * sizeof(over) / sizeof(over[0]); i++) {
		struct folder folder;
		struct buf text;
		size_t bytes = SPLIT_PIECE_MAX + over[i / 2];

		folder_open(&folder);
		buf_init(&text, 0);
		buf_put_text(&text, A "\n");
		buf_put_fill(&text, 'x', bytes);
		buf_put_text(&text, i % 2 == 0 ? "\n" B "\n" : "");
		buf_put_byte(&text, '\0');
		write_plain(&folder, "one", str_slice(buf_str(&text), 0, text.len - 1));
		source_open(&folder, "access-log", false, "");
		expect_counts(&folder, i % 2 == 0 ? 2 : 1,
			      (bytes + SPLIT_PIECE_MAX - 1) / SPLIT_PIECE_MAX, text.ptr);
		buf_done(&text);
		folder_close(&folder);
	}
}

/* A packed file that ends early gives what there is, and a reject that names it; the next file is still read. */
static void test_damaged_file(void **state)
{
	(void)state;
	struct folder folder;
	struct error err;
	struct buf text;
	size_t requests = 0;
	struct str reason = {0};

	folder_open(&folder);
	buf_init(&text, 0);
	for (uint32_t i = 0, noise = 1; i < 5000; i++) {
		noise = noise * 1664525u + 1013904223u; /* so that it does not pack too well */
		buf_putf(&text, "{\"requestId\":\"%08x-%u\"}\n", noise, i);
	}
	write_gzip(&folder, "one", buf_str(&text), 20000);
	write_plain(&folder, "two", STR_LIT(B "\n"));
	source_open(&folder, "access-log", true, "");
	bool found = false;
	bool last = false;
	do {
		assert_int_equal(fetch(&folder, &err), 0);
		for (size_t i = 0; i < folder.batch.record_count; i++) {
			const struct record *record = &folder.batch.records[i];
			requests += record->kind == RECORD_REQUEST;
			reason = record_text(record, FIELD_reason);
			found = found ||
				str_find(reason, STR_LIT("the packed data ends early"), 0) > 0;
			last = str_is(record_text(record, FIELD_raw), B);
		}
	} while (folder.batch.more);
	assert_true(requests > 100 && requests < 5000);
	assert_true(found && last);
	buf_done(&text);
	folder_close(&folder);
}

/* A file of UTF-16 is named as what it is. */
static void test_utf16(void **state)
{
	(void)state;
	struct folder folder;
	struct error err;

	folder_open(&folder);
	write_plain(&folder, "one", str_make("\xff\xfe{\0}\0", 6));
	source_open(&folder, "access-log", false, "");
	assert_int_equal(fetch(&folder, &err), 0);
	assert_int_equal(folder.batch.record_count, 1);
	assert_true(str_find(record_text(&folder.batch.records[0], FIELD_reason), STR_LIT("UTF-16"),
			     0) > 0);
	folder_close(&folder);
}

/* A file that is followed: half a line waits for its end, and what is appended comes with the next fetch. */
static void test_follow(void **state)
{
	(void)state;
	struct folder folder;
	struct error err;

	folder_open(&folder);
	write_plain(&folder, "one", STR_LIT(A "\n{\"requestId\":"));
	source_open(&folder, "access-log", false, "    follow: true\n");
	assert_int_equal(fetch(&folder, &err), 0);
	assert_int_equal(folder.batch.record_count, 1);
	assert_false(folder.batch.more || folder.batch.done);
	assert_true(folder.batch.wait_ns > 0);
	struct buf before;
	buf_init(&before, 0);
	buf_put_str(&before, buf_str(&folder.cursor));
	assert_int_equal(fetch(&folder, &err), 0);
	assert_int_equal(folder.batch.record_count, 0);
	assert_true(str_equal(buf_str(&before), buf_str(&folder.cursor))); /* nothing to commit */
	buf_done(&before);
	struct buf path;
	put_path(&folder, "one", &path);
	FILE *file = fopen(path.ptr, "ae");
	assert_non_null(file);
	assert_true(fputs("\"c\"}\n", file) >= 0);
	assert_int_equal(fclose(file), 0);
	buf_done(&path);
	assert_int_equal(fetch(&folder, &err), 0);
	assert_int_equal(folder.batch.record_count, 1);
	assert_true(
		str_is(record_text(&folder.batch.records[0], FIELD_raw), "{\"requestId\":\"c\"}"));
	folder_close(&folder);
}

#define FOLLOWED(second)                                                                           \
	"{\"event_time\":\"2026-11-22T10:00:0" second "\",\"action_id\":\"SL\",\"session_id\":51," \
	"\"sequence_number\":1,\"statement\":\"SELECT " second "\"}\n"

/* The last row of a followed file is given without waiting for another, and is not given again when one comes. */
static void test_follow_rows(void **state)
{
	(void)state;
	struct folder folder;
	struct error err;

	folder_open(&folder);
	write_plain(&folder, "one", STR_LIT(FOLLOWED("1") FOLLOWED("2")));
	source_open(&folder, "audit-rows", false, "    follow: true\n");
	assert_int_equal(fetch(&folder, &err), 0);
	assert_int_equal(folder.batch.record_count, 2);
	assert_int_equal(fetch(&folder, &err), 0);
	assert_int_equal(folder.batch.record_count, 0);
	struct buf path;
	put_path(&folder, "one", &path);
	FILE *file = fopen(path.ptr, "ae");
	assert_non_null(file);
	assert_true(fputs(FOLLOWED("3"), file) >= 0);
	assert_int_equal(fclose(file), 0);
	buf_done(&path);
	assert_int_equal(fetch(&folder, &err), 0);
	assert_int_equal(folder.batch.record_count, 1);
	assert_true(str_is(record_text(&folder.batch.records[0], FIELD_statement), "SELECT 3"));
	folder_close(&folder);
}

/* A missing file is a fault of the configuration that passes when it appears; one that shrank is one that does not. */
static void test_missing(void **state)
{
	(void)state;
	struct folder folder;
	struct error err;

	folder_open(&folder);
	source_open(&folder, "access-log", false, "");
	assert_int_equal(fetch(&folder, &err), -ERR_CONFIG);
	assert_non_null(strstr(err.text, folder.dir));
	write_plain(&folder, "one", STR_LIT(A "\n" B "\n"));
	assert_int_equal(fetch(&folder, &err), 0);
	assert_int_equal(folder.batch.record_count, 2);
	buf_truncate(&folder.cursor,
		     9); /* version and files; then file 0, offset 999, nothing held, serial 0 */
	buf_put(&folder.cursor, "\x00\xe7\x07\x00\x00", 5);
	assert_int_equal(fetch(&folder, &err), -ERR_CONFIG);
	assert_non_null(strstr(err.text, "shorter"));
	folder_close(&folder);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_forms),        cmocka_unit_test(test_export_time),
		cmocka_unit_test(test_keys),         cmocka_unit_test(test_rows),
		cmocka_unit_test(test_row_order),    cmocka_unit_test(test_long_lines),
		cmocka_unit_test(test_damaged_file), cmocka_unit_test(test_utf16),
		cmocka_unit_test(test_follow),       cmocka_unit_test(test_follow_rows),
		cmocka_unit_test(test_missing),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
