#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "store/walk-sealed.h"
#include "tests/unit/store-filled.h"

#define INGEST_NS 777

/* How leaves are spread over blocks, and how rows stand in them. */
struct spread {
	uint64_t leaves, blocks;
	uint64_t run;     /* leaves that follow one another in a block */
	bool is_reversed; /* a later leaf has an earlier time, and so an earlier row */
};

struct sealed {
	struct filled filled;
	const struct spread *spread;
	struct buf encoded;
	uint64_t next;
	unsigned kinds;
	uint64_t told; /* damage */
};

static uint64_t block_of(const struct spread *spread, uint64_t leaf)
{
	return leaf / spread->run % spread->blocks;
}

/* Leaves that 7 divides are requests of another source. */
static bool is_request(uint64_t leaf)
{
	return leaf % 7 == 0;
}

static void encode(struct sealed *sealed, uint64_t leaf)
{
	struct record record;
	char text[64];
	struct error err;
	record_init(&record, is_request(leaf) ? RECORD_REQUEST : RECORD_STATEMENT);
	int len = snprintf(text, sizeof text, "SELECT %llu", (unsigned long long)leaf);
	record.source = is_request(leaf) ? STR_LIT("api") : STR_LIT("db");
	record.key = str_make(text, (size_t)len);
	record.time_ns = sealed->spread->is_reversed ? -(int64_t)leaf : (int64_t)leaf;
	record_set_text(&record, FIELD_raw, str_make(text, (size_t)len));
	buf_clear(&sealed->encoded);
	assert_int_equal(record_encode(&record, &sealed->encoded, &err), 0);
}

static void put_block(struct sealed *sealed, uint64_t block)
{
	const struct spread *spread = sealed->spread;
	struct catalog *catalog = sealed->filled.store->catalog;
	struct error *err = &sealed->filled.err;
	struct block_builder *builder = block_builder_new();
	struct block_about about;
	struct buf bytes;
	uint64_t number = 0;
	assert_non_null(builder);
	buf_init(&bytes, 0);
	for (uint64_t leaf = 0; leaf < spread->leaves; leaf++) {
		if (block_of(spread, leaf) == block) {
			encode(sealed, leaf);
			assert_int_equal(block_builder_add(builder, leaf, INGEST_NS,
							   buf_str(&sealed->encoded), err),
					 0);
		}
	}
	assert_int_equal(blocks_next_number(catalog, &number, err), 0);
	assert_int_equal(block_builder_finish(builder, &(struct block_seal){number, NULL}, &bytes,
					      &about, err),
			 0);
	const struct blocks_span span = {about.min_leaf, about.max_leaf};
	const struct blocks_new made = {
		.about = &about, .bytes = buf_str(&bytes), .spans = &span, .span_count = 1};
	assert_int_equal(blocks_write(sealed->filled.fixture.dir, &made, err), 0);
	assert_int_equal(blocks_put(catalog, &made, err), 0);
	block_builder_free(builder);
	buf_done(&bytes);
}

static void make(struct sealed *sealed, const struct spread *spread)
{
	char text[64];
	memset(sealed, 0, sizeof *sealed);
	sealed->spread = spread;
	buf_init(&sealed->encoded, 0);
	filled_init(&sealed->filled, 0, 1);
	store_close(sealed->filled.store);
	filled_open(&sealed->filled, STORE_WRITE);
	struct catalog *catalog = sealed->filled.store->catalog;
	struct error *err = &sealed->filled.err;
	assert_int_equal(catalog_run(catalog, CATALOG_BEGIN_WRITE, err), 0);
	for (uint64_t block = 0; block < spread->blocks; block++) {
		put_block(sealed, block);
	}
	int len = snprintf(text, sizeof text, "%llu", (unsigned long long)spread->leaves);
	assert_int_equal(catalog_meta_put(catalog, "next_leaf", str_make(text, (size_t)len), err),
			 0);
	len = snprintf(text, sizeof text, "1 %llu 1", (unsigned long long)spread->leaves);
	assert_int_equal(
		catalog_meta_put(catalog, "head.removed", str_make(text, (size_t)len), err), 0);
	assert_int_equal(catalog_run(catalog, CATALOG_COMMIT, err), 0);
	store_close(sealed->filled.store);
	filled_open(&sealed->filled, STORE_READ);
}

static void done(struct sealed *sealed)
{
	buf_done(&sealed->encoded);
	filled_done(&sealed->filled);
}

static bool is_wanted(const struct sealed *sealed, uint64_t leaf)
{
	return sealed->kinds == 0 || is_request(leaf) == (sealed->kinds == 1u << RECORD_REQUEST);
}

static int see(void *owner, uint64_t leaf, int64_t ingest_ns, struct str encoded, struct error *err)
{
	struct sealed *sealed = owner;
	(void)err;
	while (!is_wanted(sealed, sealed->next)) {
		sealed->next++;
	}
	assert_int_equal(leaf, sealed->next++);
	assert_true(ingest_ns == INGEST_NS);
	encode(sealed, leaf);
	assert_true(str_equal(encoded, buf_str(&sealed->encoded)));
	return 0;
}

static int see_what_is_left(void *owner, uint64_t leaf, int64_t ingest_ns, struct str encoded,
			    struct error *err)
{
	struct sealed *sealed = owner;
	if (block_of(sealed->spread, sealed->next) == 1) {
		sealed->next += sealed->spread->run; /* the block that is missing */
	}
	return see(owner, leaf, ingest_ns, encoded, err);
}

static void count_damage(void *owner, uint64_t records, const struct error *what)
{
	struct sealed *sealed = owner;
	assert_int_equal(what->code, ERR_CORRUPT);
	sealed->told += records;
}

static void walk_and_check(struct sealed *sealed, uint64_t first, unsigned kinds)
{
	const struct store_walk walk = {
		.first = first, .kinds = kinds, .each = see, .owner = sealed};
	sealed->next = first;
	sealed->kinds = kinds;
	assert_int_equal(store_walk_with(sealed->filled.store, &walk, &sealed->filled.err), 0);
	while (sealed->next < sealed->spread->leaves && !is_wanted(sealed, sealed->next)) {
		sealed->next++;
	}
	assert_int_equal(sealed->next, sealed->spread->leaves);
}

static void in_order_of_leaves(void **state)
{
	/* all records come in order of leaves, whole or of a kind, from any leaf on: from blocks that follow one another, from more blocks than
	 * may be open that lie among one another, and from rows that stand the other way round, further apart than may wait */
	static const struct spread spreads[] = {
		{1000, 3, 400, false},
		{900, 2 * WALK_SEALED_OPEN + 1, 10, false},
		{3 * WALK_SEALED_WAITING, 1, 1, true},
		{3 * WALK_SEALED_WAITING, 2, 100, true},
	};
	(void)state;
	for (size_t i = 0; i < sizeof spreads / sizeof spreads[0]; i++) {
		struct sealed sealed;
		make(&sealed, &spreads[i]);
		walk_and_check(&sealed, 0, 0);
		walk_and_check(&sealed, 501, 0);
		walk_and_check(&sealed, 33, 1u << RECORD_REQUEST);
		walk_and_check(&sealed, 0, 1u << RECORD_STATEMENT);
		walk_and_check(&sealed, spreads[i].leaves - 1, 0);
		done(&sealed);
	}
}

static void a_missing_block_is_told_once(void **state)
{
	/* a block that can't be opened is told with its records, once, and the others are given; without a listener the walk ends */
	static const struct spread spread = {900, 2 * WALK_SEALED_OPEN, 10, false};
	struct sealed sealed;
	const struct store_walk walk = {
		.each = see_what_is_left, .owner = &sealed, .damaged = count_damage};
	(void)state;
	make(&sealed, &spread);
	assert_int_equal(
		unlink(fixture_path(&sealed.filled.fixture, "blocks/1970-01/00000002.qtb")), 0);
	assert_int_equal(store_walk_with(sealed.filled.store, &walk, &sealed.filled.err), 0);
	assert_int_equal(sealed.next, spread.leaves - spread.run); /* the last run is in it */
	assert_int_equal(sealed.told, 120); /* runs 1, 9, .. 89 of ten leaves each */
	sealed.next = 0;
	assert_int_equal(store_walk(sealed.filled.store, 0, see, &sealed, &sealed.filled.err),
			 -ERR_CORRUPT);
	assert_non_null(strstr(sealed.filled.err.text, "00000002.qtb is missing"));
	done(&sealed);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(in_order_of_leaves),
		cmocka_unit_test(a_missing_block_is_told_once),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
