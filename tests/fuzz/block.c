/* Any streams put into a block give records, columns and times, or ERR_CORRUPT. The input is a list of streams (u16 column, u8 part, u16
 * length, bytes), so that no checksum stands in the way; what opens is read in every way there is. */
#include "store/block.h"
#include "base/wire.h"
#include "store/block/gauge.h"
#include "store/block/streams.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define NUMBER   7
#define ROWS_MAX 512 /* more take long, and no other path */

static void check(bool holds)
{
	if (!holds) {
		abort();
	}
}

/* Rows that the first part says there are. */
static bool is_small(uint16_t column, uint8_t part, struct str bytes)
{
	struct wire_reader reader = wire_reader(bytes);
	return column != 0 || part != 0 || wire_varint(&reader) <= ROWS_MAX;
}

static bool put_streams(struct streams_writer *writer, struct wire_reader *reader)
{
	static bool used[1 << 16]; /* of a name, columns below 256 */
	uint32_t names[256];
	size_t count = 0;
	bool fits = true;
	while (fits && wire_left(reader) > 0 && count < 256) {
		uint16_t column = wire_u16(reader) & 255;
		uint8_t part = wire_u8(reader);
		struct str bytes = wire_bytes(reader, wire_u16(reader));
		uint32_t name = (uint32_t)column << 8 | part;
		fits = !reader->failed && is_small(column, part, bytes);
		if (fits && !used[name]) {
			used[name] = true;
			names[count++] = name;
			streams_put(writer, column, part, bytes, -1);
		}
	}
	for (size_t i = 0; i < count; i++) {
		used[names[i]] = false;
	}
	return fits;
}

static bool has_e(const void *owner, struct str text)
{
	(void)owner;
	return str_find_byte(text, 'e', 0) >= 0;
}

/* What is found in a column is what its texts hold. */
static void search(struct block *block, struct block_field where, const struct block_codes *codes)
{
	static const struct str any[] = {{"E", 1}, {"0", 1}};
	const struct block_needle needles[] = {
		{.any = any, .any_count = 1, .ignore_case = true},
		{.any = any, .any_count = 2, .ignore_case = true, .matches = has_e},
		{.matches = has_e},
	};
	struct block_run run = block_run(block, where.kind);
	struct error err;
	for (size_t n = 0; n < sizeof needles / sizeof needles[0]; n++) {
		uint64_t found[ROWS_MAX / 64 + 1] = {0};
		uint64_t want[ROWS_MAX / 64 + 1] = {0};
		int rc = block_find_text(block, where, &needles[n], found, &err);
		if (rc == 0 && codes != NULL) {
			check(block_needle_in_codes(&needles[n], codes, run.count, want));
			check(memcmp(found, want, sizeof want) == 0);
		}
	}
}

static void read_columns(struct block *block)
{
	struct error err;
	for (unsigned kind = 1; kind < RECORD_KIND_COUNT; kind++) {
		struct block_run run = block_run(block, (enum record_kind)kind);
		struct block_codes codes;
		const int64_t *numbers;
		for (unsigned field = 1; field < FIELD_LIMIT; field++) {
			const struct field_info *info = field_info(field);
			if (info->name == NULL || (info->kinds >> kind & 1) == 0) {
				continue;
			}
			int rc = info->type > FIELD_TYPE_BYTES
					 ? block_number_column(block, (enum record_kind)kind,
							       (enum field)field, &numbers, &err)
					 : block_text_column(block, (enum record_kind)kind,
							     (enum field)field, &codes, &err);
			if (info->type <= FIELD_TYPE_BYTES) {
				search(block,
				       (struct block_field){(enum record_kind)kind,
							    (enum field)field},
				       rc == 0 ? &codes : NULL);
			}
			for (uint32_t i = 0;
			     rc == 0 && info->type <= FIELD_TYPE_BYTES && i < run.count; i++) {
				check(codes.code[i] == UINT32_MAX ||
				      codes.code[i] < codes.dict_count);
			}
		}
		check(block_source_column(block, (enum record_kind)kind, &codes, &err) == 0);
	}
}

static void count_column(void *owner, const char *column, uint64_t stored_bytes,
			 uint64_t value_count)
{
	size_t *total = owner;
	(void)value_count;
	*total += stored_bytes + (column[0] != 0 ? 1 : 0);
}

static void read_all(struct block *block)
{
	struct error err;
	struct buf out;
	struct record record;
	const uint32_t *parents;
	const int64_t *ingest_ns;
	size_t total = 0;
	uint32_t rows = block_about(block)->row_count;
	buf_init(&out, RECORD_MAX_BYTES);
	for (uint32_t i = 0; i < 2 * rows; i++) { /* rising, then falling */
		uint32_t row = i < rows ? i : 2 * rows - 1 - i;
		buf_clear(&out);
		if (block_record(block, row, &out, &err) == 0) {
			check(record_decode(buf_str(&out), &record, &err) == 0);
		}
		uint32_t found = block_row_of(block, block_leaves(block)[row]);
		check(found < rows && block_leaves(block)[found] == block_leaves(block)[row]);
	}
	check(block_parents(block, &parents, &err) == 0);
	for (uint32_t row = 0; row < rows; row++) {
		check(parents[row] == BLOCK_NO_ROW || parents[row] < row);
	}
	(void)block_ingest_times(block, &ingest_ns, &err); /* any answer is right */
	read_columns(block);
	block_columns(block, count_column, &total);
	buf_done(&out);
}

/* Rows from the last to the first, of a block that reads what it needs when it needs it; one that is damaged elsewhere may give some of them. */
static void read_slim(const struct block_place *place)
{
	struct block *block;
	struct error err;
	struct buf out;
	bool may = false;
	if (block_open_slim(place, &block, &err) < 0) {
		return;
	}
	buf_init(&out, RECORD_MAX_BYTES);
	const struct block_field where = {RECORD_REQUEST, FIELD_request_id};
	(void)block_may_have(block, where, STR_LIT("7"), &may, &err); /* any answer is right */
	for (uint32_t row = block_about(block)->row_count; row-- > 0;) {
		uint64_t leaf = 0;
		uint32_t found = BLOCK_NO_ROW;
		int64_t ingest_ns = 0;
		buf_clear(&out);
		(void)block_record(block, row, &out, &err); /* likewise */
		(void)block_ingest_at(block, row, &ingest_ns, &err);
		if (block_leaf_of(block, row, &leaf, &err) == 0 &&
		    block_find_leaf(block, leaf, &found, &err) == 0) {
			check(found < block_about(block)->row_count);
		}
	}
	buf_clear(&out);
	(void)block_find_stable(block, STR_LIT("0123456789abcdef"), &out, &err);
	(void)block_complete(block, &err);
	buf_done(&out);
	block_close(block);
}

static void check_floor(void *owner, const struct block_measured *measured)
{
	(void)owner;
	check(measured->floor_bits >= 0 &&
	      measured->floor_bits <= 8 * (double)measured->stored_bytes);
}

/* What the columns need at least. */
static void measure(struct block_place place)
{
	struct gauge *gauge = gauge_new();
	struct block *block;
	struct error err;
	place.gauge = gauge;
	if (gauge != NULL && block_open(&place, &block, &err) == 0) {
		(void)block_measure(block, check_floor, NULL, &err); /* any answer is right */
		block_close(block);
	}
	gauge_free(gauge);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct wire_reader reader = wire_reader(str_make(data, size));
	struct streams_writer *writer = streams_writer_new();
	struct buf out;
	struct error err;
	struct block *block;
	buf_init(&out, 0);
	if (writer != NULL && put_streams(writer, &reader) &&
	    streams_finish(writer, NUMBER, NULL, &out, &err) == 0) {
		const struct block_place place = {
			.fd = -1, .bytes = buf_str(&out), .name = "fuzz", .number = NUMBER};
		read_slim(&place);
		if (block_open(&place, &block, &err) == 0) {
			read_all(block);
			block_close(block);
			measure(place);
		}
	}
	streams_writer_free(writer);
	buf_done(&out);
	return 0;
}
