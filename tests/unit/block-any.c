#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/digest.h"
#include "store/block.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define RECORDS 400
#define ROUNDS  20

struct world {
	uint64_t state;
	struct buf bytes;
	size_t ends[RECORDS + 1];
	uint64_t leaves[RECORDS];
	int64_t ingest_ns[RECORDS];
	struct buf texts[RECORDS]; /* what records borrow */
	struct record record;
};

static uint32_t roll(struct world *world, uint32_t below)
{
	world->state = world->state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
	return (uint32_t)(world->state >> 33) % below;
}

/* A text: often one of few, sometimes an id, a number, or bytes that nobody expects. */
static void put_text(struct world *world, struct buf *out)
{
	static const char *const few[] = {
		"app",         "",         "GET /orders/{id}",
		"dbo",         "Orders",   "-",
		"\"",          "\\u00e9",  "SELECT * FROM t WHERE a=5 AND b=N'x''y'",
		"caf\xc3\xa9", "\xff\xfe", "\n"};
	uint32_t which = roll(world, 16);
	if (which < 12) {
		buf_put_text(out, few[roll(world, which < 9 ? 6 : 12)]);
	} else if (which == 12) {
		buf_putf(out, "%08x-%04x-4%03x-8%03x-%012x", roll(world, UINT32_MAX),
			 roll(world, 65536), roll(world, 4096), roll(world, 4096),
			 roll(world, UINT32_MAX));
	} else if (which == 13) {
		buf_putf(out, "%u", roll(world, 100000));
	} else {
		for (uint32_t i = roll(world, 40); i > 0; i--) {
			buf_put_byte(out, (uint8_t)roll(world, 256));
		}
	}
}

static struct str text_of(struct world *world, struct buf *out)
{
	size_t start = out->len;
	put_text(world, out);
	return str_make(out->ptr + start, out->len - start);
}

static int64_t number_of(struct world *world)
{
	static const int64_t odd[] = {INT64_MIN, INT64_MAX,     0,
				      -1,        INT64_MIN + 1, 1000000000000000000};
	return roll(world, 10) == 0 ? odd[roll(world, 6)] : (int64_t)roll(world, 300);
}

static void put_member(struct world *world, const struct record *record, unsigned field,
		       struct buf *out)
{
	static const char *const names[] = {"status", "responseLatency", "principalId", "email",
					    "x"};
	const char *name = roll(world, 4) == 0 ? names[roll(world, 5)] : field_info(field)->name;
	buf_putf(out, "%s\"%s\":%s", out->ptr[out->len - 1] == '{' ? "" : ",", name,
		 roll(world, 5) == 0 ? " " : "");
	if (field_info(field)->type <= FIELD_TYPE_BYTES) {
		struct str text = record->value[field].text;
		buf_put_byte(out, '"');
		for (size_t i = 0; i < text.len; i++) { /* sometimes as others would write it */
			uint8_t byte = (uint8_t)text.ptr[i];
			if (byte < 0x20 || byte == '"' || byte == '\\') {
				buf_putf(out, roll(world, 3) == 0 ? "\\u%04X" : "\\u%04x", byte);
			} else {
				buf_put_byte(out, byte);
			}
		}
		buf_put_byte(out, '"');
	} else if (roll(world, 3) == 0) {
		buf_putf(out, "\"%lld\"", (long long)record->value[field].number);
	} else {
		buf_putf(out, "%lld", (long long)record->value[field].number);
	}
}

/* A line that says some fields once more, more or less well formed. */
static struct str line_of(struct world *world, const struct record *record, struct buf *out)
{
	size_t start = out->len;
	if (roll(world, 8) == 0) {
		put_text(world, out);
		return str_make(out->ptr + start, out->len - start);
	}
	buf_put_byte(out, '{');
	for (unsigned field = 3; field < FIELD_LIMIT; field++) {
		if (record_has(record, field) && roll(world, 5) != 0) {
			put_member(world, record, field, out);
		}
	}
	buf_put_text(out, roll(world, 9) == 0 ? ",\"deep\":{\"a\":[1,02,null,true]}" : "");
	buf_put_text(out, roll(world, 9) == 0 ? "" : "}");
	return str_make(out->ptr + start, out->len - start);
}

static void set_fields(struct world *world, struct record *record, struct buf *texts)
{
	for (unsigned field = 2; field < FIELD_LIMIT; field++) {
		const struct field_info *info = field_info(field);
		if (info->name == NULL || (info->kinds >> record->kind & 1) == 0 ||
		    roll(world, 4) == 0) {
			continue;
		}
		if (info->type <= FIELD_TYPE_BYTES) {
			record_set_text(record, field, text_of(world, texts));
		} else {
			record_set_number(record, field,
					  info->type == FIELD_TYPE_BOOL ? (int64_t)roll(world, 2)
									: number_of(world));
		}
	}
	if ((field_info(FIELD_raw)->kinds >> record->kind & 1) != 0 && roll(world, 8) != 0) {
		record_set_text(record, FIELD_raw, line_of(world, record, texts));
		record_set_text(record, FIELD_extra, line_of(world, record, texts));
	}
}

/* A verdict that says of a record before what one would expect, or nearly so. */
static void set_verdict(struct world *world, struct record *record, struct buf *texts, size_t index)
{
	struct record subject;
	char id[RECORD_ID_DIGITS + 1];
	size_t at = roll(world, (uint32_t)index + 1);
	size_t other = roll(world, (uint32_t)index + 1);
	if (at >= index || record_decode(str_make(world->bytes.ptr + world->ends[at],
						  world->ends[at + 1] - world->ends[at]),
					 &subject, NULL) != 0) {
		return;
	}
	record_stable_id(subject.source, subject.key, id);
	size_t start = texts->len;
	buf_putf(texts, "s%s.%lld", id, (long long)record_number(record, FIELD_revision, 0));
	record->key = str_make(texts->ptr + start, texts->len - start);
	record_set_text(record, FIELD_statement_id,
			str_make(texts->ptr + start + 1, RECORD_ID_DIGITS));
	record_set_number(record, FIELD_statement_leaf, (int64_t)world->leaves[at]);
	record_set_number(record, FIELD_request_leaf,
			  (int64_t)world->leaves[other < index ? other : at]);
	record->time_ns = roll(world, 6) == 0 ? 0 : subject.time_ns;
}

static void make_record(struct world *world, size_t index)
{
	struct record *record = &world->record;
	struct buf *texts = &world->texts[index];
	uint8_t digest[DIGEST_BYTES + 4] = {0};
	struct error err;
	uint32_t kind = roll(world, 12);
	buf_init(texts, 1 << 20);
	assert_int_equal(buf_reserve(texts, 1 << 18), 0); /* does not move */
	record_init(record, kind == 0  ? (enum record_kind)(1 + roll(world, 8))
			    : kind < 4 ? RECORD_REQUEST
			    : kind < 8 ? RECORD_STATEMENT
				       : RECORD_VERDICT);
	record->source = roll(world, 5) == 0 ? STR_LIT("other") : STR_LIT("here");
	record->time_ns = roll(world, 20) == 0 ? INT64_MIN : 1000000 * (int64_t)roll(world, 100000);
	set_fields(world, record, texts);
	digest_sha256(record_text(record, FIELD_raw), digest);
	memset(digest + 16, 0, 4);
	record->key = str_make(digest, roll(world, 3) == 0 ? 16 : 1 + roll(world, 20));
	if (record->kind == RECORD_VERDICT && index > 0) {
		set_verdict(world, record, texts, index);
	}
	assert_false(texts->failed);
	world->leaves[index] =
		world->state == 0 ? index : (uint64_t)index * 3 + (roll(world, 50) == 0 ? 1 : 0);
	world->ingest_ns[index] = 5 * (int64_t)roll(world, 3);
	assert_int_equal(record_encode(record, &world->bytes, &err), 0);
	world->ends[index + 1] = world->bytes.len;
}

static struct str wanted_of(const struct world *world, uint64_t leaf, size_t *out_index)
{
	for (size_t i = 0; i < RECORDS; i++) {
		if (world->leaves[i] == leaf) {
			*out_index = i;
			return str_make(world->bytes.ptr + world->ends[i],
					world->ends[i + 1] - world->ends[i]);
		}
	}
	fail_msg("no record has this leaf");
	return (struct str){0};
}

/* Each column says what the record says. */
static void check_columns(struct block *block, uint32_t row, const struct record *record)
{
	struct error err;
	struct block_run run = block_run(block, record->kind);
	struct block_codes codes;
	const int64_t *numbers;
	assert_true(row - run.first < run.count);
	for (unsigned field = 1; field < FIELD_LIMIT; field++) {
		const struct field_info *info = field_info(field);
		if (info->name == NULL || (info->kinds >> record->kind & 1) == 0) {
			continue;
		}
		if (info->type > FIELD_TYPE_BYTES) {
			assert_int_equal(block_number_column(block, record->kind, (enum field)field,
							     &numbers, &err),
					 0);
			assert_int_equal(numbers[row - run.first],
					 record_number(record, field, INT64_MIN));
			continue;
		}
		assert_int_equal(
			block_text_column(block, record->kind, (enum field)field, &codes, &err), 0);
		uint32_t code = codes.code[row - run.first];
		assert_int_equal(code == UINT32_MAX, !record_has(record, field));
		assert_true(code == UINT32_MAX ||
			    (code < codes.dict_count &&
			     str_equal(codes.dict[code], record_text(record, field))));
	}
	assert_int_equal(block_source_column(block, record->kind, &codes, &err), 0);
	assert_true(str_equal(codes.dict[codes.code[row - run.first]], record->source));
}

static void check_block(struct world *world, const struct buf *bytes, const uint8_t *key,
			bool backwards)
{
	struct block *block;
	struct error err;
	struct buf out;
	struct record record;
	const int64_t *ingest_ns;
	const struct block_place place = {
		.fd = -1, .bytes = buf_str(bytes), .name = "it", .number = 9, .key = key};
	buf_init(&out, RECORD_MAX_BYTES);
	assert_int_equal(block_open(&place, &block, &err), 0);
	assert_int_equal(block_about(block)->row_count, RECORDS);
	assert_int_equal(block_ingest_times(block, &ingest_ns, &err), 0);
	for (uint32_t i = 0; i < RECORDS; i++) {
		uint32_t row = backwards ? RECORDS - 1 - i : i;
		size_t index = 0;
		struct str wanted = wanted_of(world, block_leaves(block)[row], &index);
		buf_clear(&out);
		assert_int_equal(block_record(block, row, &out, &err), 0);
		assert_true(str_equal(buf_str(&out), wanted));
		assert_int_equal(record_decode(wanted, &record, &err), 0);
		assert_int_equal(block_kinds(block)[row], record.kind);
		assert_int_equal(block_times(block)[row], record.time_ns);
		assert_int_equal(ingest_ns[row], world->ingest_ns[index]);
		assert_int_equal(block_row_of(block, world->leaves[index]), row);
		if (i % 8 == 0) {
			check_columns(block, row, &record);
		}
	}
	block_close(block);
	buf_done(&out);
}

static void test_any_records(void **state)
{
	/* Proves: records of all kinds, with whatever values and lines, come back bit for bit, as records and as columns, from plain and from
	 * encrypted blocks, in any order; and the builder is as new after each block. */
	(void)state;
	struct world *world = calloc(1, sizeof(*world));
	struct block_builder *builder = block_builder_new();
	struct buf out;
	struct error err;
	struct block_about about;
	static const uint8_t key[32] = {1, 2, 3};
	assert_non_null(world);
	buf_init(&out, (size_t)1 << 28);
	for (unsigned round = 0; round < ROUNDS; round++) {
		world->state = round;
		buf_init(&world->bytes, (size_t)1 << 28);
		for (size_t i = 0; i < RECORDS; i++) {
			make_record(world, i);
		}
		for (size_t i = 0; i < RECORDS; i++) {
			size_t at = (i * 7 + round) % RECORDS;
			assert_int_equal(
				block_builder_add(builder, world->leaves[at], world->ingest_ns[at],
						  str_make(world->bytes.ptr + world->ends[at],
							   world->ends[at + 1] - world->ends[at]),
						  &err),
				0);
		}
		const uint8_t *sealed = round % 3 == 0 ? key : NULL;
		assert_int_equal(block_builder_finish(builder, &(struct block_seal){9, sealed},
						      &out, &about, &err),
				 0);
		check_block(world, &out, sealed, round % 2 == 1);
		for (size_t i = 0; i < RECORDS; i++) {
			buf_done(&world->texts[i]);
		}
		buf_done(&world->bytes);
	}
	buf_done(&out);
	block_builder_free(builder);
	free(world);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_any_records)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
