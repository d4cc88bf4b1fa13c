#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "store/segments.h"
#include "tests/unit/store-fixture.h"

#include <sys/stat.h>

/* Writes a segment of that number whose bytes behind the header are all the number's low byte. */
static void make_segment(struct fixture *fixture, uint32_t number, size_t body)
{
	char name[SEGMENT_NAME_BYTES];
	uint8_t header[SEGMENT_HEADER_BYTES];
	(void)mkdir(fixture_path(fixture, SEGMENT_FOLDER), 0700); /* the second time it is there */
	segment_name(number, name);
	segment_header(number, header);
	FILE *file = fopen(fixture_path(fixture, name), "w");
	assert_non_null(file);
	assert_int_equal(fwrite(header, 1, sizeof header, file), sizeof header);
	for (size_t i = 0; i < body; i++) {
		assert_int_equal(fputc((int)(number & 255), file), (int)(number & 255));
	}
	assert_int_equal(fclose(file), 0);
}

static void names_and_numbers(void **state)
{
	/* a name leads to its number and back; every other name is no segment's */
	static const uint32_t numbers[] = {1, 42, 999999, 1000000, UINT32_MAX};
	static const char *const others[] = {
		"",           "1.qth",       "000000.qth",     ".qth",
		"000001.qt",  "000001.qth~", "000001.qthx",    "0000001.qth",
		"-00001.qth", "00000a.qth",  "4294967296.qth", "catalog.db",
	};
	(void)state;
	for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++) {
		char name[SEGMENT_NAME_BYTES];
		segment_name(numbers[i], name);
		assert_int_equal(segment_number(name + sizeof SEGMENT_FOLDER), numbers[i]);
	}
	for (size_t i = 0; i < sizeof others / sizeof others[0]; i++) {
		assert_int_equal(segment_number(others[i]), 0);
	}
}

static void header_is_exact(void **state)
{
	/* the bytes of docs/format.md section 5.2 */
	static const uint8_t expected[20] = {'Q', 'T', 'r', 'l', 'H', 'e', 'a', 'd', 1, 0,
					     0,   0,   3,   2,   1,   0,   0,   0,   0, 0};
	uint8_t header[SEGMENT_HEADER_BYTES];
	(void)state;
	segment_header(0x010203, header);
	assert_memory_equal(header, expected, sizeof expected);
}

static void many_files_in_any_order(void **state)
{
	/* more segments than are kept open are read in any order, with and without leave to stay in the cache */
	struct fixture fixture;
	struct segments segments;
	struct error err;
	char bytes[100];
	(void)state;
	fixture_init(&fixture);
	for (uint32_t number = 1; number <= 2 * SEGMENT_OPEN_MAX; number++) {
		make_segment(&fixture, number, sizeof bytes);
	}
	segments_init(&segments, fixture.dir);
	for (uint64_t i = 0; i < 500; i++) {
		struct segment_span span = {
			.number = 1 + (uint32_t)(hash_u64(i) % (2 * SEGMENT_OPEN_MAX)),
			.offset = SEGMENT_HEADER_BYTES,
			.len = sizeof bytes,
			.once = i % 2 == 0};
		assert_int_equal(segments_read(&segments, &span, bytes, &err), 0);
		assert_int_equal(bytes[0], (char)span.number);
		assert_int_equal(bytes[sizeof bytes - 1], (char)span.number);
	}
	segments_done(&segments);
	fixture_done(&fixture);
}

static void damage_is_named(void **state)
{
	/* missing, too short, another segment's bytes, a folder: ERR_CORRUPT with the name; what can't be opened is ERR_IO */
	struct fixture fixture;
	struct segments segments;
	struct error err;
	char bytes[100];
	struct segment_span span = {.number = 1, .offset = SEGMENT_HEADER_BYTES, .len = 100};
	(void)state;
	fixture_init(&fixture);
	segments_init(&segments, fixture.dir);
	for (int damage = 0; damage < 5; damage++) {
		make_segment(&fixture, 1, sizeof bytes);
		const char *path = fixture_path(&fixture, "head/000001.qth");
		if (damage == 0) {
			assert_int_equal(unlink(path), 0);
		} else if (damage == 1) {
			assert_int_equal(truncate(path, SEGMENT_HEADER_BYTES + 99), 0);
		} else if (damage == 2) {
			assert_int_equal(truncate(path, SEGMENT_HEADER_BYTES - 1), 0);
		} else if (damage == 3) {
			fixture_patch(&fixture, "head/000001.qth", 12, STR_LIT("\2"));
		} else {
			assert_int_equal(unlink(path), 0);
			assert_int_equal(mkdir(path, 0700), 0);
		}
		assert_int_equal(segments_read(&segments, &span, bytes, &err), -ERR_CORRUPT);
		assert_non_null(strstr(err.text, "head/000001.qth"));
		segments_done(&segments);
	}
	char long_dir[5000];
	memset(long_dir, 'd', sizeof long_dir);
	long_dir[sizeof long_dir - 1] = 0;
	segments_init(&segments, long_dir);
	assert_int_equal(segments_read(&segments, &span, bytes, &err), -ERR_IO);
	segments_done(&segments);
	fixture_done(&fixture);
}

static void what_is_open_reads_on(void **state)
{
	/* a segment that is deleted while it is open is read to its end */
	struct fixture fixture;
	struct segments segments;
	struct error err;
	char bytes[100];
	struct segment_span span = {.number = 1, .offset = SEGMENT_HEADER_BYTES, .len = 10};
	(void)state;
	fixture_init(&fixture);
	make_segment(&fixture, 1, sizeof bytes);
	segments_init(&segments, fixture.dir);
	assert_int_equal(segments_read(&segments, &span, bytes, &err), 0);
	assert_int_equal(unlink(fixture_path(&fixture, "head/000001.qth")), 0);
	span.len = sizeof bytes;
	assert_int_equal(segments_read(&segments, &span, bytes, &err), 0);
	segments_done(&segments);
	fixture_done(&fixture);
}

static void a_buf_that_is_too_small(void **state)
{
	/* a span that passes the buf's limit is ERR_NOMEM; one that fits replaces what was there */
	struct fixture fixture;
	struct segments segments;
	struct error err;
	struct buf out;
	struct segment_span span = {.number = 7, .offset = SEGMENT_HEADER_BYTES, .len = 60};
	(void)state;
	fixture_init(&fixture);
	make_segment(&fixture, 7, 100);
	segments_init(&segments, fixture.dir);
	buf_init(&out, 80);
	buf_put_text(&out, "before");
	assert_int_equal(segments_read_buf(&segments, &span, &out, &err), 0);
	assert_int_equal(out.len, 60);
	assert_int_equal(out.ptr[0], 7);
	span.len = 90;
	assert_int_equal(segments_read_buf(&segments, &span, &out, &err), -ERR_NOMEM);
	buf_done(&out);
	segments_done(&segments);
	fixture_done(&fixture);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names_and_numbers),
		cmocka_unit_test(header_is_exact),
		cmocka_unit_test(many_files_in_any_order),
		cmocka_unit_test(damage_is_named),
		cmocka_unit_test(what_is_open_reads_on),
		cmocka_unit_test(a_buf_that_is_too_small),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
