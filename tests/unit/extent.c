#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "store/headlog.h"
#include "tests/unit/head-damage.h"
#include "tests/unit/store-filled.h"

struct desk {
	struct filled filled;
	struct catalog *catalog;
	struct segments segments;
	struct extent_reader reader;
};

static void desk_open(struct desk *desk)
{
	assert_int_equal(catalog_open(desk->filled.fixture.dir, CATALOG_READ, &desk->catalog,
				      &desk->filled.err),
			 0);
	segments_init(&desk->segments, desk->filled.fixture.dir);
	extent_reader_init(&desk->reader, desk->catalog, &desk->segments);
}

static void desk_done(struct desk *desk)
{
	extent_reader_done(&desk->reader);
	segments_done(&desk->segments);
	catalog_close(desk->catalog);
	filled_done(&desk->filled);
}

static void every_leaf_has_its_record(void **state)
{
	/* rising and jumping, the bytes are those that were appended, with their batch; past the end it is ERR_GONE */
	struct desk desk;
	const struct head_batch *batch = NULL;
	struct str encoded, expected;
	(void)state;
	filled_init(&desk.filled, 1000, 300);
	desk_open(&desk);
	for (uint64_t i = 0; i < 3000; i++) {
		uint64_t leaf = i < 1000 ? i : hash_u64(i) % 1000;
		(void)fixture_record(&desk.filled.fixture, leaf, &expected); /* only the bytes */
		assert_int_equal(
			extent_reader_get(&desk.reader, leaf, &encoded, &batch, &desk.filled.err),
			0);
		assert_true(str_equal(encoded, expected));
		assert_int_equal(batch->first_leaf, leaf / 300 * 300);
	}
	assert_int_equal(extent_reader_get(&desk.reader, 1000, &encoded, NULL, &desk.filled.err),
			 -ERR_GONE);
	desk_done(&desk);
}

static void parts_follow_each_other(void **state)
{
	/* chunks, index, columns and ids fill an extent without holes, and the next one begins at its end */
	struct desk desk;
	const struct head_batch *batch = NULL;
	struct str encoded;
	uint64_t end = SEGMENT_HEADER_BYTES;
	(void)state;
	filled_init(&desk.filled, 1000, 300);
	desk_open(&desk);
	for (uint64_t first = 0; first < 1000; first += 300) {
		assert_int_equal(
			extent_reader_get(&desk.reader, first, &encoded, &batch, &desk.filled.err),
			0);
		const struct head_extent *extent = &batch->extent;
		assert_int_equal(extent->start, end);
		struct segment_span columns = extent_columns(batch);
		struct segment_span ids = extent_ids(batch);
		assert_int_equal(columns.offset,
				 extent->start + extent->chunks_bytes +
					 (uint64_t)extent->chunk_count * EXTENT_INDEX_ENTRY);
		assert_int_equal(ids.offset, columns.offset + columns.len);
		end = extent_end(batch);
		assert_int_equal(end, ids.offset + ids.len);
	}
	desk_done(&desk);
}

static void bytes_of_another_batch_are_damage(void **state)
{
	/* whole chunks and blobs in the wrong place are ERR_CORRUPT, though their own checksums fit */
	static const enum head_part parts[] = {HEAD_CHUNK, HEAD_COLUMNS, HEAD_IDS};
	(void)state;
	for (size_t i = 0; i < 3; i++) {
		struct filled filled;
		char path[128];
		char bytes[1 << 16];
		filled_init(&filled, 1400, 700); /* equal numbers of equal kinds */
		struct segment_span from = head_part_span(filled.fixture.dir, 0, parts[i]);
		struct segment_span to = head_part_span(filled.fixture.dir, 700, parts[i]);
		size_t len = from.len < to.len ? from.len : to.len;
		len = len < sizeof bytes ? len : sizeof bytes;
		head_segment_path(filled.fixture.dir, 1, path);
		int fd = open(path, O_RDWR | O_CLOEXEC);
		assert_int_equal(pread(fd, bytes, len, (off_t)from.offset), len);
		assert_int_equal(pwrite(fd, bytes, len, (off_t)to.offset), len);
		assert_int_equal(close(fd), 0);
		struct scan *scan = NULL;
		const struct scan_block *block = NULL;
		static const struct scan_options all = {.from_ns = INT64_MIN, .to_ns = INT64_MAX};
		struct record record;
		uint64_t leaf = 0;
		struct scan_found found = {.leaves = &leaf, .max = 1};
		assert_int_equal(scan_open(filled.store, &all, &scan, &filled.err), 0);
		assert_int_equal(scan_next(scan, &block, &filled.err), 0);
		int rc = scan_next(scan, &block, &filled.err);
		rc = rc == 0 && parts[i] == HEAD_CHUNK ? scan_record(block, 0, &record, &filled.err)
						       : rc;
		rc = parts[i] == HEAD_IDS
			     ? scan_find_id(filled.store, STR_LIT("x"), &found, &filled.err)
			     : rc;
		assert_int_equal(rc, -ERR_CORRUPT);
		assert_non_null(strstr(filled.err.text, "head/000001.qth"));
		scan_close(scan);
		filled_done(&filled);
	}
}

static void a_large_record_stands_alone(void **state)
{
	/* a record larger than a chunk, and those around it, come back; its chunk holds it alone */
	struct desk desk = {0};
	struct buf text;
	struct str encoded;
	uint64_t leaf = 0;
	(void)state;
	buf_init(&text, 0);
	buf_put_fill(&text, 'z', 1 << 20);
	fixture_init(&desk.filled.fixture);
	filled_open(&desk.filled, STORE_CREATE);
	assert_int_equal(store_begin(desk.filled.store, 1, &desk.filled.err), 0);
	for (uint64_t n = 1; n < 4; n++) {
		struct record record = *fixture_record(&desk.filled.fixture, n, &encoded);
		if (n == 2) {
			record_set_text(&record, FIELD_statement, buf_str(&text));
			buf_clear(&desk.filled.fixture.encoded);
			assert_int_equal(record_encode(&record, &desk.filled.fixture.encoded,
						       &desk.filled.err),
					 0);
			encoded = buf_str(&desk.filled.fixture.encoded);
		}
		assert_int_equal(
			store_append(desk.filled.store, &record, encoded, &leaf, &desk.filled.err),
			0);
	}
	assert_int_equal(store_commit(desk.filled.store, &desk.filled.err), 0);
	desk_open(&desk);
	for (uint64_t i = 0; i < 3; i++) {
		assert_int_equal(
			extent_reader_get(&desk.reader, i, &encoded, NULL, &desk.filled.err), 0);
		assert_true(i == 1 ? encoded.len > 1 << 20 : encoded.len < 4096);
		assert_int_equal(desk.reader.place.record_count, 1);
	}
	buf_done(&text);
	desk_done(&desk);
}

static void a_flood_is_read_back(void **state)
{
	/* a batch whose records leave the page cache, and the small one behind it, give every record back */
	struct desk desk;
	struct str encoded, expected;
	(void)state;
	filled_init(&desk.filled, 8010, 8000);
	desk_open(&desk);
	assert_true(head_part_span(desk.filled.fixture.dir, 7999, HEAD_INDEX).offset >
		    HEADLOG_FLOOD_BYTES);
	for (uint64_t leaf = 0; leaf < 8010; leaf++) {
		(void)fixture_record(&desk.filled.fixture, leaf, &expected); /* only the bytes */
		assert_int_equal(
			extent_reader_get(&desk.reader, leaf, &encoded, NULL, &desk.filled.err), 0);
		assert_true(str_equal(encoded, expected));
	}
	desk_done(&desk);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_leaf_has_its_record),
		cmocka_unit_test(parts_follow_each_other),
		cmocka_unit_test(bytes_of_another_batch_are_damage),
		cmocka_unit_test(a_large_record_stands_alone),
		cmocka_unit_test(a_flood_is_read_back),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
