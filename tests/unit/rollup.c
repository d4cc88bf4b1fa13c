#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "store/blocks.h"
#include "store/rollup.h"
#include "tests/unit/store-folder.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define USERS 3

struct parts {
	char dir[64];
	struct catalog *catalog;
	struct buf numbers;
	struct error err;
	/* what callbacks saw */
	size_t calls, blocks;
	int64_t rows_of[USERS];
	uint64_t absent;
	bool takes;
};

/* One request by user number % USERS, or by nobody when that is 2. */
static void put_block(struct parts *parts, uint64_t number, bool is_whole)
{
	struct block_builder *builder = block_builder_new();
	struct record record;
	struct block_about about;
	struct block *block = NULL;
	struct buf encoded, bytes, summary;
	char key[32], user[32];
	bool whole = false;
	buf_init(&encoded, 0);
	buf_init(&bytes, 0);
	buf_init(&summary, 0);
	record_init(&record, RECORD_REQUEST);
	record.source = STR_LIT("api");
	record.key = str_make(key, (size_t)snprintf(key, sizeof key, "k%u", (unsigned)number));
	(void)snprintf(user, sizeof user, "user%u", (unsigned)(number % USERS));
	if (number % USERS != 2) {
		record_set_text(&record, FIELD_user, str_of(user));
	}
	assert_int_equal(record_encode(&record, &encoded, &parts->err), 0);
	assert_int_equal(block_builder_add(builder, number, 1, buf_str(&encoded), &parts->err), 0);
	assert_int_equal(block_builder_finish(builder, &(struct block_seal){number, NULL}, &bytes,
					      &about, &parts->err),
			 0);
	const struct block_place place = {
		.fd = -1, .bytes = buf_str(&bytes), .name = "a block", .number = number};
	assert_int_equal(block_open(&place, &block, &parts->err), 0);
	assert_int_equal(summary_make(block, NULL, &summary, &whole, &parts->err), 0);
	const struct blocks_span span = {number, number};
	const struct blocks_new row = {.about = &about,
				       .bytes = buf_str(&bytes),
				       .summary = buf_str(&summary),
				       .spans = &span,
				       .span_count = 1,
				       .is_whole = is_whole};
	assert_int_equal(blocks_put(parts->catalog, &row, &parts->err), 0);
	block_close(block);
	block_builder_free(builder);
	buf_done(&encoded);
	buf_done(&bytes);
	buf_done(&summary);
}

static void parts_open(struct parts *parts)
{
	*parts = (struct parts){.takes = true};
	(void)snprintf(parts->dir, sizeof parts->dir, "/tmp/qt-rollup-XXXXXX");
	assert_non_null(mkdtemp(parts->dir));
	buf_init(&parts->numbers, 0);
	assert_int_equal(catalog_open(parts->dir, CATALOG_CREATE, &parts->catalog, &parts->err), 0);
}

static void parts_close(struct parts *parts)
{
	catalog_close(parts->catalog);
	buf_done(&parts->numbers);
	store_folder_remove(parts->dir);
}

static int see(void *owner, const struct summary *summary, size_t block_count, bool *out_taken,
	       struct error *err)
{
	struct parts *parts = owner;
	struct summary_field field;
	(void)err;
	assert_true(summary_field(summary, RECORD_REQUEST, FIELD_user, &field));
	parts->calls++;
	parts->blocks += block_count;
	parts->absent += field.absent_rows;
	for (size_t i = 0; i < field.count; i++) {
		parts->rows_of[field.values[i].ptr[4] - '0'] += field.rows[i];
	}
	*out_taken = parts->takes;
	return 0;
}

/* Asks for the blocks first..last. */
static void ask(struct parts *parts, uint64_t first, uint64_t last)
{
	const struct summary_column column = {RECORD_REQUEST, FIELD_user};
	const struct rollup_ask question = {.numbers = &parts->numbers,
					    .asked = {.columns = &column, .column_count = 1},
					    .each = see,
					    .owner = parts};
	parts->calls = parts->blocks = parts->absent = 0;
	memset(parts->rows_of, 0, sizeof parts->rows_of);
	buf_clear(&parts->numbers);
	for (uint64_t number = first; number <= last; number++) {
		buf_put(&parts->numbers, &number, sizeof number);
	}
	assert_int_equal(rollup_ask(parts->catalog, &question, &parts->err), 0);
}

static size_t left(const struct parts *parts)
{
	return parts->numbers.len / sizeof(uint64_t);
}

static void sums_of_eight(void **state)
{
	/* Proves: eight whole blocks get one summary with the sums of theirs; it answers only who asks for all of them, and those that it does not
	 * answer for are left. */
	struct parts parts;
	(void)state;
	parts_open(&parts);
	for (uint64_t number = 1; number <= 10; number++) {
		put_block(&parts, number, number != 4); /* the fourth is not whole */
	}
	assert_int_equal(rollup_update(parts.catalog, NULL, &parts.err), 0);
	ask(&parts, 1, 10);
	assert_int_equal(parts.calls, 1);
	assert_int_equal(parts.blocks, 8); /* 1 2 3 5 6 7 8 9 */
	assert_int_equal(parts.rows_of[0], 3);
	assert_int_equal(parts.rows_of[1], 2);
	assert_int_equal(parts.absent, 3);
	assert_int_equal(left(&parts), 2);
	ask(&parts, 2, 10);
	assert_int_equal(parts.calls, 0);
	assert_int_equal(left(&parts), 9);
	parts.takes = false; /* it tells not enough */
	ask(&parts, 1, 10);
	assert_int_equal(parts.calls, 1);
	assert_int_equal(left(&parts), 10);
	parts_close(&parts);
}

static void levels(void **state)
{
	/* Proves: eight of eight blocks are one again, asked first; when a block goes, all that it is in go with it, and the others stay. */
	struct parts parts;
	(void)state;
	parts_open(&parts);
	for (uint64_t number = 1; number <= 65; number++) {
		put_block(&parts, number, true);
		assert_int_equal(rollup_update(parts.catalog, NULL, &parts.err), 0);
	}
	ask(&parts, 1, 65);
	assert_int_equal(parts.calls, 1);
	assert_int_equal(parts.blocks, 64);
	assert_int_equal(parts.rows_of[0] + parts.rows_of[1] + (int64_t)parts.absent, 64);
	assert_int_equal(left(&parts), 1);
	ask(&parts, 9, 65);
	assert_int_equal(parts.calls, 7);
	assert_int_equal(left(&parts), 1);
	assert_int_equal(blocks_remove(parts.catalog, 20, 0, &parts.err), 0);
	ask(&parts, 1, 65);
	assert_int_equal(parts.calls, 7);
	assert_int_equal(left(&parts), 65 - 56);
	parts_close(&parts);
}

static void damage(void **state)
{
	/* Proves: rows that are damaged, or of which the summary is, answer nothing and are no failure. */
	struct parts parts;
	(void)state;
	parts_open(&parts);
	for (uint64_t number = 1; number <= 16; number++) {
		put_block(&parts, number, true);
	}
	assert_int_equal(rollup_update(parts.catalog, NULL, &parts.err), 0);
	assert_int_equal(sqlite3_exec(parts.catalog->db,
				      "UPDATE rollups SET blocks = x'01' WHERE first = 1;"
				      "UPDATE rollups SET summary = x'00' WHERE first = 9",
				      NULL, NULL, NULL),
			 SQLITE_OK);
	ask(&parts, 1, 16);
	assert_int_equal(parts.calls, 0);
	assert_int_equal(left(&parts), 16);
	parts_close(&parts);
}

static void older_catalog(void **state)
{
	/* Proves: a catalog without the table is read as one without rollups; whoever writes makes the table. */
	struct parts parts;
	(void)state;
	parts_open(&parts);
	put_block(&parts, 1, true);
	assert_int_equal(sqlite3_exec(parts.catalog->db, "DROP TABLE rollups", NULL, NULL, NULL),
			 SQLITE_OK);
	catalog_close(parts.catalog);
	assert_int_equal(catalog_open(parts.dir, CATALOG_READ, &parts.catalog, &parts.err), 0);
	assert_false(parts.catalog->has_rollups);
	ask(&parts, 1, 1);
	assert_int_equal(left(&parts), 1);
	catalog_close(parts.catalog);
	assert_int_equal(catalog_open(parts.dir, CATALOG_WRITE, &parts.catalog, &parts.err), 0);
	assert_true(parts.catalog->has_rollups);
	assert_int_equal(blocks_remove(parts.catalog, 1, 0, &parts.err), 0);
	parts_close(&parts);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sums_of_eight),
		cmocka_unit_test(levels),
		cmocka_unit_test(damage),
		cmocka_unit_test(older_catalog),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
