/* tamper - what an administrator could do to a store's files while all checksums stay right: records of a block or batch read, changed, and put back.
 *
 * Shape:   a tamper_set holds the records of one block or batch; it is changed by the caller, and a block or batch is made of it with the store's own parts, so that everything that
 *          hangs on it (columns, filters, summaries, spans, checksums) is right again. A caller that wants an index to lie puts one made from another set.
 * Errors:  asserted. Threads: one. The store must not be open for writing. */
#ifndef TESTS_UNIT_TAMPER_H
#define TESTS_UNIT_TAMPER_H

#include "store/handle.h"
#include "store/log/leaf.h"

struct tamper_record {
	uint64_t leaf;
	int64_t ingest_ns;
	char *bytes;
	size_t len;
};

struct tamper_set {
	struct tamper_record *records; /* by leaf */
	size_t count;
};

/* All that a block of these records has. */
struct tamper_built {
	struct block_about about;
	struct buf bytes, ids, records, summary;
	struct blocks_span *spans;
	struct blocks_new row;
};

/* Ends the test with the sentence. */
void tamper_must(int rc, const struct error *err);

/* The catalog, to be closed; SQL on it. */
struct catalog *tamper_open(const char *dir);
void tamper_sql(const char *dir, const char *sql);

/* Gives a record other bytes; from a changed decoded form, which may borrow from the old ones; and takes it apart. */
void tamper_set_bytes(struct tamper_record *record, struct str bytes);
void tamper_encode(struct tamper_record *record, const struct record *decoded);
struct str tamper_bytes(const struct tamper_record *record);
void tamper_decode(const struct tamper_record *record, struct record *out);

/* Frees; adds a copy; takes one out; the place of the first record of a kind from a place on; by leaf again. */
void tamper_set_done(struct tamper_set *set);
struct tamper_record *tamper_add(struct tamper_set *set, uint64_t leaf, int64_t ingest_ns,
				 struct str bytes);
void tamper_drop(struct tamper_set *set, size_t at);
size_t tamper_find(const struct tamper_set *set, size_t from, enum record_kind kind);
void tamper_sort(struct tamper_set *set);

/* All records from first on and below end, from wherever they are; those of a block; the row of a block. */
struct tamper_set tamper_walk(const char *dir, uint64_t first, uint64_t end);
struct tamper_set tamper_block(const char *dir, uint64_t number);

/* Makes a block of records; puts it in the place of the one with its number, or beside the others; both. */
void tamper_build(const struct tamper_set *set, uint64_t number, struct tamper_built *out);
void tamper_built_done(struct tamper_built *built);
void tamper_put_block(const char *dir, const struct blocks_new *row);
void tamper_rebuild(const char *dir, uint64_t number, const struct tamper_set *set);

/* The batch of the head that holds a leaf; and one anew with these records, whose leaves follow one another: its columns and ids are made of `shown`, which has as many. */
struct head_batch tamper_batch(const char *dir, uint64_t leaf);
void tamper_rebatch(const char *dir, struct head_batch batch, const struct tamper_set *set,
		    const struct tamper_set *shown);

#endif
