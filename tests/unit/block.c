#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/digest.h"
#include "base/hash.h"
#include "store/block.h"

#include <stdio.h>
#include <string.h>

struct family_row { /* of a block made by hand, in the order in which it must come out */
	uint64_t leaf;
	enum record_kind kind;
	int64_t time_ns;
	int64_t statement_leaf, request_leaf, revision; /* of verdicts; -1: absent */
	uint32_t parent;
};

static const struct family_row rows[] = {
	{3, RECORD_REQUEST, 100, -1, -1, 0, BLOCK_NO_ROW},
	{9, RECORD_REQUEST, 90, -1, -1, 0, BLOCK_NO_ROW},
	{8, RECORD_STATEMENT, 101, -1, -1, 0, 0},
	{7, RECORD_STATEMENT, 102, -1, -1, 0, 0},
	{1, RECORD_STATEMENT, 95, -1, -1, 0, 1},
	{2, RECORD_STATEMENT, 50, -1, -1, 0, BLOCK_NO_ROW}, /* its request is elsewhere */
	{4, RECORD_STATEMENT, 60, -1, -1, 0, BLOCK_NO_ROW}, /* judged by nobody */
	{20, RECORD_VERDICT, 101, 8, 3, 0, 2},
	{21, RECORD_VERDICT, 102, 7, 3, 0, 3},
	{30, RECORD_VERDICT, 95, 1, 3, 0, 4},  /* said first */
	{22, RECORD_VERDICT, 95, 1, 9, 1, 4},  /* stands */
	{23, RECORD_VERDICT, 50, 2, 77, 0, 5}, /* names what is not here */
	{24, RECORD_VERDICT, 10, 66, 9, 0, BLOCK_NO_ROW},
	{6, RECORD_LIFECYCLE, 1, -1, -1, 0, BLOCK_NO_ROW},
	{5, RECORD_GAP, 1, -1, -1, 0, BLOCK_NO_ROW},
};
#define ROWS (sizeof(rows) / sizeof(rows[0]))

static void encode(const struct family_row *row, struct buf *out)
{
	struct record record;
	char key[32];
	record_init(&record, row->kind);
	int len = snprintf(key, sizeof(key), "k%llu", (unsigned long long)row->leaf);
	record.source = STR_LIT("here");
	record.key = str_make(key, (size_t)len);
	record.time_ns = row->time_ns;
	if (row->kind == RECORD_VERDICT) {
		record_set_number(&record, FIELD_revision, row->revision);
		record_set_text(&record, FIELD_grade, STR_LIT("A"));
		if (row->statement_leaf >= 0) {
			record_set_number(&record, FIELD_statement_leaf, row->statement_leaf);
		}
		if (row->request_leaf >= 0) {
			record_set_number(&record, FIELD_request_leaf, row->request_leaf);
		}
	}
	if (row->kind == RECORD_REQUEST) {
		record_set_text(&record, FIELD_user, row->leaf == 3 ? STR_LIT("eve") : STR_LIT(""));
		record_set_text(&record, FIELD_raw, STR_LIT("{}"));
	}
	assert_int_equal(record_encode(&record, out, NULL), 0);
}

/* Builds the block from the rows in another order. */
static void build(struct buf *out, struct block_about *about)
{
	struct block_builder *builder = block_builder_new();
	struct buf encoded;
	struct error err;
	assert_non_null(builder);
	buf_init(&encoded, RECORD_MAX_BYTES);
	for (size_t i = 0; i < ROWS; i++) {
		const struct family_row *row = &rows[(i * 7 + 3) % ROWS];
		buf_clear(&encoded);
		encode(row, &encoded);
		assert_int_equal(block_builder_add(builder, row->leaf, 1000 + (int64_t)row->leaf,
						   buf_str(&encoded), &err),
				 0);
	}
	assert_int_equal(
		block_builder_finish(builder, &(struct block_seal){12, NULL}, out, about, &err), 0);
	buf_done(&encoded);
	block_builder_free(builder);
}

static struct block *open_block(const struct buf *bytes)
{
	struct block *block = NULL;
	struct error err;
	struct block_place place = {
		.fd = -1, .bytes = buf_str(bytes), .name = "a block", .number = 12};
	assert_int_equal(block_open(&place, &block, &err), 0);
	return block;
}

static void test_families(void **state)
{
	/* Proves: rows come in the order of the header, each with its parent, and every record comes back bit for bit with its leaf
	 * and ingest time. */
	(void)state;
	struct buf bytes, record, wanted;
	struct block_about about;
	struct error err;
	const uint32_t *parents = NULL;
	const int64_t *ingest_ns = NULL;
	buf_init(&bytes, 1 << 20);
	buf_init(&record, 1 << 20);
	buf_init(&wanted, 1 << 20);
	build(&bytes, &about);
	struct block *block = open_block(&bytes);
	assert_int_equal(about.row_count, ROWS);
	assert_int_equal(block_about(block)->row_count, ROWS);
	assert_int_equal(block_about(block)->of_kind[RECORD_VERDICT], 6);
	assert_int_equal(block_about(block)->min_leaf, 1);
	assert_int_equal(block_about(block)->max_leaf, 30);
	assert_int_equal(block_parents(block, &parents, &err), 0);
	for (uint32_t i = 0; i < ROWS; i++) {
		int64_t one_ns = 0;
		assert_int_equal(block_ingest_at(block, i, &one_ns, &err), 0);
		assert_int_equal(one_ns, 1000 + (int64_t)rows[i].leaf);
	}
	assert_int_equal(block_ingest_times(block, &ingest_ns, &err), 0);
	for (uint32_t i = 0; i < ROWS; i++) {
		assert_int_equal(block_leaves(block)[i], rows[i].leaf);
		assert_int_equal(block_kinds(block)[i], rows[i].kind);
		assert_int_equal(block_times(block)[i], rows[i].time_ns);
		assert_int_equal(parents[i], rows[i].parent);
		assert_int_equal(ingest_ns[i], 1000 + (int64_t)rows[i].leaf);
		assert_int_equal(block_row_of(block, rows[i].leaf), i);
		buf_clear(&record);
		buf_clear(&wanted);
		encode(&rows[i], &wanted);
		assert_int_equal(block_record(block, i, &record, &err), 0);
		assert_true(str_equal(buf_str(&record), buf_str(&wanted)));
	}
	assert_int_equal(block_row_of(block, 1000), BLOCK_NO_ROW);
	block_close(block);
	buf_done(&bytes);
	buf_done(&record);
	buf_done(&wanted);
}

static void test_columns(void **state)
{
	/* Proves: the columns of a kind have one value a row, absent and empty apart. */
	(void)state;
	struct buf bytes;
	struct block_about about;
	struct block_codes users, sources;
	struct error err;
	const int64_t *revisions = NULL;
	buf_init(&bytes, 1 << 20);
	build(&bytes, &about);
	struct block *block = open_block(&bytes);
	struct block_run run = block_run(block, RECORD_VERDICT);
	assert_int_equal(run.first, 7);
	assert_int_equal(run.count, 6);
	assert_int_equal(
		block_number_column(block, RECORD_VERDICT, FIELD_revision, &revisions, &err), 0);
	assert_int_equal(revisions[3], 1);
	assert_int_equal(revisions[4], 0);
	assert_int_equal(
		block_number_column(block, RECORD_VERDICT, FIELD_statement_leaf, &revisions, &err),
		0);
	assert_int_equal(revisions[4], 2);
	assert_int_equal(block_text_column(block, RECORD_REQUEST, FIELD_user, &users, &err), 0);
	assert_true(str_is(users.dict[users.code[0]], "eve"));
	assert_true(users.dict[users.code[1]].len == 0);
	assert_int_equal(block_text_column(block, RECORD_REQUEST, FIELD_route, &users, &err), 0);
	assert_int_equal(users.code[0], UINT32_MAX);
	assert_int_equal(block_source_column(block, RECORD_GAP, &sources, &err), 0);
	assert_true(str_is(sources.dict[sources.code[0]], "here"));
	block_close(block);
	buf_done(&bytes);
}

static void assert_rows(const struct buf *found, const uint32_t *wanted, size_t count)
{
	assert_int_equal(found->len, count * sizeof wanted[0]);
	assert_true(count == 0 || memcmp(found->ptr, wanted, found->len) == 0);
}

static void test_finding(void **state)
{
	/* Proves: rows are found by the whole text of a field, absent and empty apart, and by their stable id, each record by its own. */
	(void)state;
	struct buf bytes, found;
	struct block_about about;
	struct error err;
	const struct block_field user = {RECORD_REQUEST, FIELD_user};
	const struct block_field route = {RECORD_REQUEST, FIELD_route};
	buf_init(&bytes, 1 << 20);
	buf_init(&found, 1 << 20);
	build(&bytes, &about);
	struct block *block = open_block(&bytes);
	assert_int_equal(block_find_exact(block, user, STR_LIT("eve"), &found, &err), 0);
	assert_rows(&found, (const uint32_t[]){0}, 1);
	buf_clear(&found);
	assert_int_equal(block_find_exact(block, user, STR_LIT(""), &found, &err), 0);
	assert_rows(&found, (const uint32_t[]){1}, 1);
	buf_clear(&found);
	assert_int_equal(block_find_exact(block, user, STR_LIT("ev"), &found, &err), 0);
	assert_int_equal(block_find_exact(block, route, STR_LIT(""), &found, &err), 0);
	assert_int_equal(block_find_stable(block, STR_LIT("0000000000000000"), &found, &err), 0);
	assert_int_equal(block_find_stable(block, STR_LIT("k3"), &found, &err), 0);
	assert_rows(&found, NULL, 0);
	for (uint32_t i = 0; i < ROWS; i++) {
		char key[32], id[RECORD_ID_DIGITS + 1];
		int len = snprintf(key, sizeof(key), "k%llu", (unsigned long long)rows[i].leaf);
		record_stable_id(STR_LIT("here"), str_make(key, (size_t)len), id);
		buf_clear(&found);
		assert_int_equal(block_find_stable(block, str_of(id), &found, &err), 0);
		assert_rows(&found, &i, rows[i].kind == RECORD_VERDICT ? 0 : 1);
	}
	block_close(block);
	buf_done(&bytes);
	buf_done(&found);
}

#define MANY 400

/* A text that no other request has; every third one has none. */
static size_t id_of(unsigned i, char out[64])
{
	uint64_t mix = hash_u64(i + 1);
	int len = snprintf(out, 64, "%08x-%04x-4%03x-8%03x-%012llx", (unsigned)mix,
			   (unsigned)(mix >> 32) & 0xffff, (unsigned)(mix >> 48) & 0xfff, i & 0xfff,
			   (unsigned long long)hash_u64(mix) >> 16);
	return i % 3 == 2 ? 0 : (size_t)len;
}

static void test_finding_among_many(void **state)
{
	/* Proves: of many different texts each is found in its own row, also when some rows have none; a part of one is not found. */
	(void)state;
	struct buf bytes, found, encoded;
	struct block_about about;
	struct error err;
	const struct block_field where = {RECORD_REQUEST, FIELD_request_id};
	struct block_builder *builder = block_builder_new();
	char id[64], key[32];
	buf_init(&bytes, 1 << 24);
	buf_init(&found, 1 << 20);
	buf_init(&encoded, 1 << 20);
	for (unsigned i = 0; i < MANY; i++) {
		struct record record;
		record_init(&record, RECORD_REQUEST);
		record.source = STR_LIT("here");
		record.key = str_make(key, (size_t)snprintf(key, sizeof(key), "k%u", i));
		record.time_ns = i;
		struct str text = str_make(id, id_of(i, id));
		if (text.len > 0) {
			record_set_text(&record, FIELD_request_id, text);
		}
		buf_clear(&encoded);
		assert_int_equal(record_encode(&record, &encoded, &err), 0);
		assert_int_equal(block_builder_add(builder, i, 0, buf_str(&encoded), &err), 0);
	}
	assert_int_equal(
		block_builder_finish(builder, &(struct block_seal){12, NULL}, &bytes, &about, &err),
		0);
	struct block *block = open_block(&bytes), *slim = NULL;
	const struct block_place place = {
		.fd = -1, .bytes = buf_str(&bytes), .name = "a block", .number = 12};
	assert_int_equal(block_open_slim(&place, &slim, &err), 0);
	for (uint32_t i = 0; i < MANY; i++) {
		struct str text = str_make(id, id_of(i, id));
		bool may = false;
		buf_clear(&found);
		if (text.len > 0) {
			assert_int_equal(block_may_have(slim, where, text, &may, &err), 0);
			assert_true(may);
			assert_int_equal(block_find_exact(block, where, text, &found, &err), 0);
			assert_rows(&found, &i, 1);
			buf_clear(&found);
			text.len--;
			assert_int_equal(block_find_exact(block, where, text, &found, &err), 0);
			assert_rows(&found, NULL, 0);
			assert_int_equal(block_may_have(slim, where, text, &may, &err), 0);
			assert_false(may);
		}
	}
	block_close(slim);
	block_close(block);
	block_builder_free(builder);
	buf_done(&bytes);
	buf_done(&found);
	buf_done(&encoded);
}

static void test_slim(void **state)
{
	/* Proves: a slim block finds leaves, rows and records of each kind, whatever is asked first, and completing it gives what opening the
	 * whole gives. */
	(void)state;
	struct buf bytes, record, wanted;
	struct block_about about;
	struct error err;
	size_t incomplete = 0;
	buf_init(&bytes, 1 << 20);
	buf_init(&record, 1 << 20);
	buf_init(&wanted, 1 << 20);
	build(&bytes, &about);
	struct block *whole = open_block(&bytes);
	const struct block_place place = {
		.fd = -1, .bytes = buf_str(&bytes), .name = "a block", .number = 12};
	for (uint32_t row = 0; row < about.row_count; row++) {
		struct block *slim = NULL;
		uint64_t leaf = 0;
		uint32_t found = BLOCK_NO_ROW;
		assert_int_equal(block_open_slim(&place, &slim, &err), 0);
		assert_false(block_is_complete(slim));
		if (row % 2 == 0) {
			leaf = block_leaves(whole)[row];
			assert_int_equal(block_find_leaf(slim, leaf, &found, &err), 0);
			assert_int_equal(found, row);
		} else {
			assert_int_equal(block_leaf_of(slim, row, &leaf, &err), 0);
			assert_true(leaf == block_leaves(whole)[row]);
		}
		buf_clear(&record);
		buf_clear(&wanted);
		assert_int_equal(block_record(slim, row, &record, &err), 0);
		assert_int_equal(block_record(whole, row, &wanted, &err), 0);
		assert_true(str_equal(buf_str(&record), buf_str(&wanted)));
		incomplete += block_is_complete(slim) ? 0 : 1;
		assert_int_equal(block_find_leaf(slim, UINT64_MAX, &found, &err), 0);
		assert_int_equal(found, BLOCK_NO_ROW);
		assert_int_equal(block_complete(slim, &err), 0);
		assert_true(block_is_complete(slim));
		assert_memory_equal(block_leaves(slim), block_leaves(whole),
				    about.row_count * sizeof(uint64_t));
		assert_memory_equal(block_times(slim), block_times(whole),
				    about.row_count * sizeof(int64_t));
		block_close(slim);
	}
	assert_true(incomplete > 0);
	block_close(whole);
	buf_done(&bytes);
	buf_done(&record);
	buf_done(&wanted);
}

static void test_damage(void **state)
{
	/* Proves: another number, each cut and each changed byte is ERR_CORRUPT or leaves the records as they were. */
	(void)state;
	struct buf bytes, record, wanted;
	struct block_about about;
	struct error err;
	struct block *block = NULL;
	buf_init(&bytes, 1 << 20);
	buf_init(&record, 1 << 20);
	buf_init(&wanted, 1 << 20);
	build(&bytes, &about);
	struct block_place place = {
		.fd = -1, .bytes = buf_str(&bytes), .name = "a block", .number = 13};
	assert_int_equal(block_open(&place, &block, &err), -ERR_CORRUPT);
	assert_non_null(strstr(err.text, "a block"));
	place.number = 12;
	for (size_t len = 0; len < bytes.len; len++) {
		place.bytes = str_make(bytes.ptr, len);
		assert_int_equal(block_open(&place, &block, &err), -ERR_CORRUPT);
	}
	place.bytes = buf_str(&bytes);
	for (size_t at = 0; at < bytes.len; at++) {
		bytes.ptr[at] = (char)(bytes.ptr[at] ^ 0x11);
		int rc = block_open(&place, &block, &err);
		assert_true(rc == 0 || rc == -ERR_CORRUPT);
		for (uint32_t i = 0; rc == 0 && i < block_about(block)->row_count && i < ROWS;
		     i++) {
			buf_clear(&record);
			buf_clear(&wanted);
			encode(&rows[i], &wanted);
			int read = block_record(block, i, &record, &err);
			assert_true(read == -ERR_CORRUPT ||
				    (read == 0 && str_equal(buf_str(&record), buf_str(&wanted))));
		}
		if (rc == 0) {
			block_close(block);
		}
		bytes.ptr[at] = (char)(bytes.ptr[at] ^ 0x11);
	}
	buf_done(&bytes);
	buf_done(&record);
	buf_done(&wanted);
}

static void test_what_does_not_fit(void **state)
{
	/* Proves: bytes that are no record are refused, an empty block is one. */
	(void)state;
	struct block_builder *builder = block_builder_new();
	struct buf bytes;
	struct block_about about;
	struct error err;
	assert_int_equal(block_builder_add(builder, 5, 0, STR_LIT("no record"), &err),
			 -ERR_CORRUPT);
	assert_non_null(strstr(err.text, "leaf 5"));
	block_builder_clear(builder);
	buf_init(&bytes, 1 << 20);
	assert_int_equal(
		block_builder_finish(builder, &(struct block_seal){12, NULL}, &bytes, &about, &err),
		0);
	struct block *block = open_block(&bytes);
	assert_int_equal(block_about(block)->row_count, 0);
	block_close(block);
	buf_done(&bytes);
	block_builder_free(builder);
}

/* The key of a row, when another one is expected or none. */
static struct str key_of(struct block *block, uint32_t row, struct str expected, struct buf *out)
{
	struct error err;
	buf_clear(out);
	block_expect_key(block, expected);
	assert_int_equal(block_record(block, row, out, &err), 0);
	assert_true(block_last_stable(block) ==
		    record_stable_number(STR_LIT("here"), block_last_record(block)->key));
	return block_last_record(block)->key;
}

static void test_expected_keys(void **state)
{
	/* Proves: a key that is expected is not believed before the rule gave one that was, then it is; without one the rule is followed. */
	(void)state;
	struct block_builder *builder = block_builder_new();
	struct str wrong = STR_LIT("twenty bytes of what");
	uint8_t digest[DIGEST_BYTES];
	char keys[3][20] = {{0}}, raw[3][16];
	struct buf bytes, encoded;
	struct block_about about;
	struct error err;
	buf_init(&bytes, 1 << 20);
	buf_init(&encoded, 1 << 20);
	for (uint32_t i = 0; i < 3; i++) {
		struct record record;
		(void)snprintf(raw[i], sizeof raw[i], "{\"n\":%u}", i + 5);
		digest_sha256(str_of(raw[i]), digest);
		memcpy(keys[i], digest, 16);
		record_init(&record, RECORD_REQUEST);
		record.source = STR_LIT("here");
		record.key = str_make(keys[i], 20);
		record_set_text(&record, FIELD_raw, str_of(raw[i]));
		buf_clear(&encoded);
		assert_int_equal(record_encode(&record, &encoded, &err), 0);
		assert_int_equal(block_builder_add(builder, i, 0, buf_str(&encoded), &err), 0);
	}
	assert_int_equal(
		block_builder_finish(builder, &(struct block_seal){12, NULL}, &bytes, &about, &err),
		0);
	struct block *block = open_block(&bytes);
	assert_true(str_equal(key_of(block, 0, wrong, &encoded), str_make(keys[0], 20)));
	assert_true(str_equal(key_of(block, 1, str_make(keys[1], 20), &encoded),
			      str_make(keys[1], 20)));
	assert_int_equal(block_record(block, 2, &encoded, &err), 0);
	assert_true(str_equal(block_last_record(block)->key, str_make(keys[2], 20)));
	block_close(block);
	block = open_block(&bytes);
	(void)key_of(block, 1, str_make(keys[1], 20), &encoded);
	assert_true(str_equal(key_of(block, 2, wrong, &encoded), wrong));
	block_close(block);
	buf_done(&bytes);
	buf_done(&encoded);
	block_builder_free(builder);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_families),
		cmocka_unit_test(test_columns),
		cmocka_unit_test(test_finding),
		cmocka_unit_test(test_finding_among_many),
		cmocka_unit_test(test_slim),
		cmocka_unit_test(test_damage),
		cmocka_unit_test(test_what_does_not_fit),
		cmocka_unit_test(test_expected_keys),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
