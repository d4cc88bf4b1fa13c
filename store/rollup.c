#include "store/rollup.h"

#include "base/wire.h"
#include "store/blocks.h"
#include "store/checksum.h"

#include <stdlib.h>

struct rollup {
	unsigned level; /* 0: a block */
	uint64_t first;
	size_t start, count; /* in numbers */
};

/* All rollups, those of the highest level first; and the numbers of their blocks. */
struct rollups {
	struct rollup *items;
	size_t count, room;
	struct buf numbers; /* uint64_t */
};

static int no_memory(struct error *err)
{
	return error_set(err, ERR_NOMEM, "no memory for the summaries of several blocks");
}

static void rollups_init(struct rollups *rollups)
{
	*rollups = (struct rollups){0};
	buf_init(&rollups->numbers, 0);
}

static void rollups_done(struct rollups *rollups)
{
	free(rollups->items);
	buf_done(&rollups->numbers);
}

static const uint64_t *numbers_of(const struct rollups *rollups, const struct rollup *rollup)
{
	return (const uint64_t *)(const void *)rollups->numbers.ptr + rollup->start;
}

static int add(struct rollups *rollups, const struct rollup *rollup)
{
	if (rollups->count == rollups->room) {
		size_t room = rollups->room > 0 ? rollups->room * 2 : 64;
		struct rollup *larger = realloc(rollups->items, room * sizeof larger[0]);
		if (larger == NULL) {
			return -ERR_NOMEM;
		}
		rollups->items = larger;
		rollups->room = room;
	}
	rollups->items[rollups->count++] = *rollup;
	return 0;
}

static int64_t checksum(unsigned level, uint64_t first, struct str blocks)
{
	struct buf all;
	buf_init(&all, 0);
	wire_put_varint(&all, level);
	wire_put_varint(&all, first);
	wire_put_block(&all, blocks);
	int64_t crc = all.failed ? -1 : (int64_t)checksum_crc32c(buf_str(&all));
	buf_done(&all);
	return crc;
}

/* The numbers of a row's blocks, each less the one before; false: they are none. */
static bool read_numbers(struct rollups *rollups, struct rollup *rollup, struct str bytes)
{
	struct wire_reader reader = wire_reader(bytes);
	uint64_t number = 0;
	rollup->start = rollups->numbers.len / sizeof number;
	while (wire_left(&reader) > 0 && !reader.failed) {
		uint64_t step = wire_varint(&reader);
		if (step == 0 || step > INT64_MAX - number) {
			return false;
		}
		number += step;
		buf_put(&rollups->numbers, &number, sizeof number);
		rollup->count++;
	}
	return !reader.failed && rollup->count > 0 && !rollups->numbers.failed &&
	       numbers_of(rollups, rollup)[0] == rollup->first;
}

/* One row; what is damaged is left out. */
static int take_row(struct rollups *rollups, sqlite3_stmt *statement)
{
	struct rollup rollup = {.level = (unsigned)sqlite3_column_int64(statement, 0),
				.first = (uint64_t)sqlite3_column_int64(statement, 1)};
	struct str blocks = catalog_column_bytes(statement, 2);
	size_t before = rollups->numbers.len;
	if (checksum(rollup.level, rollup.first, blocks) != sqlite3_column_int64(statement, 3) ||
	    rollup.level == 0 || rollup.level > ROLLUP_LEVELS ||
	    !read_numbers(rollups, &rollup, blocks)) {
		rollups->numbers.len = before;
		return rollups->numbers.failed ? -ERR_NOMEM : 0;
	}
	return add(rollups, &rollup);
}

static int read_rollups(struct catalog *catalog, struct rollups *rollups, struct error *err)
{
	sqlite3_stmt *statement = NULL;
	int rc = catalog_statement(catalog, CATALOG_ROLLUP_LIST, &statement, err);
	if (rc < 0) {
		return rc;
	}
	int step = sqlite3_step(statement);
	for (; rc == 0 && step == SQLITE_ROW; step = sqlite3_step(statement)) {
		rc = take_row(rollups, statement) < 0 ? no_memory(err) : 0;
	}
	if (rc == 0 && step != SQLITE_DONE) {
		rc = catalog_error(catalog, step, "reading the summaries of several blocks", err);
	}
	(void)sqlite3_reset(statement); /* repeats the error of the step */
	return rc;
}

/* Whole blocks, as rollups of level 0, behind the others. */
static int read_blocks(struct catalog *catalog, struct rollups *rollups, struct error *err)
{
	sqlite3_stmt *statement = NULL;
	int rc = catalog_statement(catalog, CATALOG_BLOCK_WHOLE, &statement, err);
	if (rc < 0) {
		return rc;
	}
	int step = sqlite3_step(statement);
	for (; rc == 0 && step == SQLITE_ROW; step = sqlite3_step(statement)) {
		uint64_t number = (uint64_t)sqlite3_column_int64(statement, 0);
		struct rollup block = {
			.first = number, .start = rollups->numbers.len / sizeof number, .count = 1};
		buf_put(&rollups->numbers, &number, sizeof number);
		rc = rollups->numbers.failed || add(rollups, &block) < 0 ? no_memory(err) : 0;
	}
	if (rc == 0 && step != SQLITE_DONE) {
		rc = catalog_error(catalog, step, "reading the list of blocks", err);
	}
	(void)sqlite3_reset(statement); /* repeats the error of the step */
	return rc;
}

/* Appends the bytes of a summary: of a block, or of a rollup. */
static int read_bytes(struct catalog *catalog, const struct rollup *rollup, struct buf *out,
		      struct error *err)
{
	sqlite3_stmt *statement = NULL;
	if (rollup->level == 0) {
		return blocks_blob(catalog, rollup->first, BLOCKS_SUMMARY, out, err);
	}
	int rc = catalog_statement(catalog, CATALOG_ROLLUP_SUMMARY, &statement, err);
	if (rc < 0) {
		return rc;
	}
	(void)sqlite3_bind_int64(statement, 1, (int64_t)rollup->level); /* can't fail */
	(void)sqlite3_bind_int64(statement, 2, (int64_t)rollup->first);
	int step = sqlite3_step(statement);
	if (step == SQLITE_ROW) {
		buf_put_str(out, catalog_column_bytes(statement, 0));
		rc = buf_check(out, "the summary of several blocks", err);
	} else if (step == SQLITE_DONE) {
		rc = error_set(err, ERR_GONE, "%s has no such summary", catalog->path);
	} else {
		rc = catalog_error(catalog, step, "reading the summary of several blocks", err);
	}
	(void)sqlite3_reset(statement); /* repeats the error of the step */
	return rc;
}

static int open_summary(struct catalog *catalog, const struct rollup *rollup,
			const struct summary_asked *asked, struct summary **out, struct error *err)
{
	struct buf bytes;
	struct summary_asked whole = *asked;
	buf_init(&bytes, 0);
	int rc = read_bytes(catalog, rollup, &bytes, err);
	whole.number = rollup->first;
	whole.bytes = buf_str(&bytes);
	rc = rc < 0 ? rc : summary_open_some(&whole, out, err);
	buf_done(&bytes);
	return rc;
}

/* A rollup that is being made of ROLLUP_OF others. */
struct making {
	struct catalog *catalog;
	const uint8_t *key;
	struct rollups *all;
	size_t parts[ROLLUP_OF]; /* places in all */
	size_t count;
	unsigned level;
	struct summary *summaries[ROLLUP_OF];
	struct buf numbers, blocks, summary;
};

static int compare_numbers(const void *left, const void *right)
{
	uint64_t a = *(const uint64_t *)left;
	uint64_t b = *(const uint64_t *)right;
	return (a > b) - (a < b);
}

/* The numbers of all parts, rising, and as bytes. */
static void gather_numbers(struct making *making, struct rollup *out)
{
	struct rollups *all = making->all;
	uint64_t before = 0;
	buf_clear(&making->numbers);
	buf_clear(&making->blocks);
	for (size_t i = 0; i < ROLLUP_OF; i++) {
		const struct rollup *part = &all->items[making->parts[i]];
		buf_put(&making->numbers, numbers_of(all, part), part->count * sizeof before);
	}
	uint64_t *numbers = (uint64_t *)(void *)making->numbers.ptr;
	size_t count = making->numbers.len / sizeof before;
	qsort(numbers, count, sizeof numbers[0], compare_numbers);
	for (size_t i = 0; i < count; i++) {
		wire_put_varint(&making->blocks, numbers[i] - before);
		before = numbers[i];
	}
	*out = (struct rollup){.level = making->level,
			       .first = numbers[0],
			       .start = all->numbers.len / sizeof before,
			       .count = count};
	buf_put(&all->numbers, numbers, count * sizeof before);
}

static int put_row(struct making *making, const struct rollup *rollup, struct error *err)
{
	sqlite3_stmt *statement = NULL;
	struct str blocks = buf_str(&making->blocks);
	int64_t last = (int64_t)numbers_of(making->all, rollup)[rollup->count - 1];
	int rc = catalog_statement(making->catalog, CATALOG_ROLLUP_PUT, &statement, err);
	if (rc < 0) {
		return rc;
	}
	int bound = sqlite3_bind_int64(statement, 1, (int64_t)rollup->level);
	bound |= sqlite3_bind_int64(statement, 2, (int64_t)rollup->first);
	bound |= sqlite3_bind_int64(statement, 3, last);
	bound |= catalog_bind_bytes(statement, 4, blocks);
	bound |= sqlite3_bind_int64(statement, 5, checksum(rollup->level, rollup->first, blocks));
	bound |= catalog_bind_bytes(statement, 6, buf_str(&making->summary));
	return bound != SQLITE_OK ? no_memory(err)
				  : catalog_done(making->catalog, statement,
						 "adding the summary of several blocks", err);
}

/* Adds up what was gathered. */
static int make_one(struct making *making, struct error *err)
{
	struct rollup rollup;
	size_t opened = 0;
	int rc = 0;
	const struct summary_asked asked = {.key = making->key};
	for (; rc == 0 && opened < ROLLUP_OF; opened += rc == 0 ? 1 : 0) {
		rc = open_summary(making->catalog, &making->all->items[making->parts[opened]],
				  &asked, &making->summaries[opened], err);
	}
	if (rc == 0) {
		gather_numbers(making, &rollup);
		const struct summary_set set = {making->summaries, ROLLUP_OF, rollup.first,
						making->key};
		rc = summary_add_up(&set, &making->summary, err);
	}
	for (size_t i = 0; i < opened; i++) {
		summary_close(making->summaries[i]);
	}
	rc = rc < 0 ? rc : put_row(making, &rollup, err);
	bool lost = making->all->numbers.failed || making->blocks.failed;
	return rc < 0 ? rc : lost || add(making->all, &rollup) < 0 ? no_memory(err) : 0;
}

/* Whether a rollup's blocks are in one of a level. */
static bool is_covered(const struct rollups *all, const struct rollup *part, unsigned level)
{
	for (size_t i = 0; i < all->count; i++) {
		const struct rollup *other = &all->items[i];
		if (other->level == level &&
		    bsearch(&part->first, numbers_of(all, other), other->count, sizeof part->first,
			    compare_numbers) != NULL) {
			return true;
		}
	}
	return false;
}

/* What one level lacks. Parts of which a summary can't be read stay by themselves. */
static int make_level(struct making *making, struct error *err)
{
	struct rollups *all = making->all;
	size_t end = all->count; /* what is added meanwhile is of this level */
	int rc = 0;
	making->count = 0;
	for (size_t i = 0; rc == 0 && i < end; i++) {
		if (all->items[i].level != making->level - 1 ||
		    is_covered(all, &all->items[i], making->level)) {
			continue;
		}
		making->parts[making->count++] = i;
		if (making->count == ROLLUP_OF) {
			making->count = 0;
			rc = make_one(making, err);
			rc = rc == -ERR_CORRUPT || rc == -ERR_CONFIG || rc == -ERR_LIMIT ? 0 : rc;
		}
	}
	return rc;
}

int rollup_update(struct catalog *catalog, const uint8_t *key, struct error *err)
{
	struct rollups all;
	struct making making = {.catalog = catalog, .key = key, .all = &all};
	rollups_init(&all);
	buf_init(&making.numbers, 0);
	buf_init(&making.blocks, 0);
	buf_init(&making.summary, 0);
	int rc = read_rollups(catalog, &all, err);
	rc = rc < 0 ? rc : read_blocks(catalog, &all, err);
	for (making.level = 1; rc == 0 && making.level <= ROLLUP_LEVELS; making.level++) {
		rc = make_level(&making, err);
	}
	buf_done(&making.numbers);
	buf_done(&making.blocks);
	buf_done(&making.summary);
	rollups_done(&all);
	return rc;
}

int rollup_forget(struct catalog *catalog, uint64_t number, struct error *err)
{
	sqlite3_stmt *statement = NULL;
	int rc = catalog_statement(catalog, CATALOG_ROLLUP_FORGET, &statement, err);
	if (rc < 0) {
		return rc;
	}
	(void)sqlite3_bind_int64(statement, 1, (int64_t)number); /* can't fail */
	return catalog_done(catalog, statement, "removing the summary of several blocks", err);
}

/* Whether all numbers of a rollup are among the wanted ones; both rise. */
static bool are_wanted(const struct rollups *all, const struct rollup *rollup,
		       const struct buf *wanted)
{
	const uint64_t *number = numbers_of(all, rollup);
	bool among = true;
	for (size_t i = 0; among && i < rollup->count; i++) {
		among = wanted->len > 0 &&
			bsearch(&number[i], wanted->ptr, wanted->len / sizeof number[0],
				sizeof number[0], compare_numbers) != NULL;
	}
	return among;
}

static void take_out(const struct rollups *all, const struct rollup *rollup, struct buf *numbers)
{
	uint64_t *number = (uint64_t *)(void *)numbers->ptr;
	size_t kept = 0;
	for (size_t i = 0; i < numbers->len / sizeof number[0]; i++) {
		if (bsearch(&number[i], numbers_of(all, rollup), rollup->count, sizeof number[0],
			    compare_numbers) == NULL) {
			number[kept++] = number[i];
		}
	}
	numbers->len = kept * sizeof number[0];
}

static int ask_one(struct catalog *catalog, const struct rollup_ask *ask, const struct rollups *all,
		   const struct rollup *rollup, struct error *err)
{
	struct summary *summary = NULL;
	struct summary_asked asked = ask->asked;
	bool taken = false;
	asked.key = ask->key;
	int rc = open_summary(catalog, rollup, &asked, &summary, err);
	if (rc == -ERR_CORRUPT || rc == -ERR_CONFIG || rc == -ERR_GONE) {
		return 0; /* its blocks are asked one by one */
	}
	rc = rc < 0 ? rc : ask->each(ask->owner, summary, rollup->count, &taken, err);
	if (taken) {
		take_out(all, rollup, ask->numbers);
	}
	summary_close(summary);
	return rc;
}

int rollup_ask(struct catalog *catalog, const struct rollup_ask *ask, struct error *err)
{
	struct rollups all;
	if (!catalog->has_rollups) {
		return 0;
	}
	rollups_init(&all);
	int rc = read_rollups(catalog, &all, err);
	for (size_t i = 0; rc == 0 && i < all.count; i++) {
		if (are_wanted(&all, &all.items[i], ask->numbers)) {
			rc = ask_one(catalog, ask, &all, &all.items[i], err);
		}
	}
	rollups_done(&all);
	return rc;
}

int rollup_walk(struct catalog *catalog, const uint8_t *key, rollup_seen_fn *each, void *owner,
		struct error *err)
{
	struct rollups all;
	const struct summary_asked asked = {.key = key};
	if (!catalog->has_rollups) {
		return 0;
	}
	rollups_init(&all);
	int rc = read_rollups(catalog, &all, err);
	for (size_t i = 0; rc == 0 && i < all.count; i++) {
		struct summary *summary = NULL;
		rc = open_summary(catalog, &all.items[i], &asked, &summary, err);
		if (rc == -ERR_CORRUPT || rc == -ERR_GONE) { /* nobody takes an answer from it */
			error_clear(err);
			rc = 0;
			continue;
		}
		const struct rollup_seen seen = {numbers_of(&all, &all.items[i]),
						 all.items[i].count, summary};
		rc = rc < 0 ? rc : each(owner, &seen, err);
		summary_close(summary);
	}
	rollups_done(&all);
	return rc;
}
