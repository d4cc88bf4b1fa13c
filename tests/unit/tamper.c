#include "tests/unit/tamper.h"

#include "base/io.h"
#include "model/redact.h"
#include "store/checksum.h"
#include "store/log/leaf.h"
#include "store/seal-keys.h"
#include "store/summary.h"

#include <assert.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

void tamper_must(int rc, const struct error *err)
{
	if (rc != 0) {
		fprintf(stderr, "tamper: %s\n", err->text);
		abort();
	}
}

struct catalog *tamper_open(const char *dir)
{
	struct catalog *catalog = NULL;
	struct error err;
	tamper_must(catalog_open(dir, CATALOG_WRITE, &catalog, &err), &err);
	return catalog;
}

void tamper_sql(const char *dir, const char *sql)
{
	struct catalog *catalog = tamper_open(dir);
	char *what = NULL;
	if (sqlite3_exec(catalog->db, sql, NULL, NULL, &what) != SQLITE_OK) {
		fprintf(stderr, "tamper: %s: %s\n", sql, what);
		abort();
	}
	catalog_close(catalog);
}

void tamper_set_bytes(struct tamper_record *record, struct str bytes)
{
	char *copy = malloc(bytes.len + 1);
	assert(copy != NULL);
	memcpy(copy, bytes.ptr, bytes.len);
	free(record->bytes);
	record->bytes = copy;
	record->len = bytes.len;
}

struct str tamper_bytes(const struct tamper_record *record)
{
	return str_make(record->bytes, record->len);
}

/* A record from a changed decoded form, which may borrow from the old bytes. */
void tamper_encode(struct tamper_record *record, const struct record *decoded)
{
	struct buf bytes;
	struct error err;
	buf_init(&bytes, RECORD_MAX_BYTES);
	tamper_must(record_encode(decoded, &bytes, &err), &err);
	tamper_set_bytes(record, buf_str(&bytes));
	buf_done(&bytes);
}

void tamper_decode(const struct tamper_record *record, struct record *out)
{
	struct error err;
	tamper_must(record_decode(tamper_bytes(record), out, &err), &err);
}

void tamper_set_done(struct tamper_set *set)
{
	for (size_t i = 0; i < set->count; i++) {
		free(set->records[i].bytes);
	}
	free(set->records);
	*set = (struct tamper_set){0};
}

struct tamper_record *tamper_add(struct tamper_set *set, uint64_t leaf, int64_t ingest_ns,
				 struct str bytes)
{
	set->records = realloc(set->records, (set->count + 1) * sizeof set->records[0]);
	assert(set->records != NULL);
	struct tamper_record *record = &set->records[set->count++];
	*record = (struct tamper_record){.leaf = leaf, .ingest_ns = ingest_ns};
	tamper_set_bytes(record, bytes);
	return record;
}

/* Takes one out. */
void tamper_drop(struct tamper_set *set, size_t at)
{
	free(set->records[at].bytes);
	memmove(&set->records[at], &set->records[at + 1],
		(set->count - at - 1) * sizeof set->records[0]);
	set->count--;
}

/* The first record of a kind from a place on. */
size_t tamper_find(const struct tamper_set *set, size_t from, enum record_kind kind)
{
	for (size_t i = from; i < set->count; i++) {
		struct record_front front;
		tamper_must(record_decode_front(tamper_bytes(&set->records[i]), &front, NULL),
			    NULL);
		if (front.kind == kind) {
			return i;
		}
	}
	abort(); /* there is such a record */
	return 0;
}

static int tamper_by_leaf(const void *left, const void *right)
{
	const struct tamper_record *a = left;
	const struct tamper_record *b = right;
	return (a->leaf > b->leaf) - (a->leaf < b->leaf);
}

void tamper_sort(struct tamper_set *set)
{
	qsort(set->records, set->count, sizeof set->records[0], tamper_by_leaf);
}

struct tamper_reading {
	struct tamper_set *set;
	uint64_t first, end;
};

static int tamper_take(void *owner, uint64_t leaf, int64_t ingest_ns, struct str encoded,
		       struct error *err)
{
	const struct tamper_reading *reading = owner;
	(void)err;
	if (leaf >= reading->end) {
		return 1;
	}
	(void)tamper_add(reading->set, leaf, ingest_ns, encoded);
	return 0;
}

/* All records from first on and below end, from wherever they are. */
struct tamper_set tamper_walk(const char *dir, uint64_t first, uint64_t end)
{
	struct tamper_set set = {0};
	struct tamper_reading reading = {&set, first, end};
	struct store *store = NULL;
	struct error err;
	tamper_must(store_open(dir, STORE_READ, &store, &err), &err);
	int rc = store_walk(store, first, tamper_take, &reading, &err);
	tamper_must(rc == 1 ? 0 : rc, &err);
	store_close(store);
	return set;
}

struct tamper_set tamper_block(const char *dir, uint64_t number)
{
	struct tamper_set set = {0};
	struct catalog *catalog = tamper_open(dir);
	struct blocks_row row;
	struct block *block = NULL;
	struct error err;
	struct buf record;
	char path[4096];
	const int64_t *ingest_ns = NULL;
	tamper_must(blocks_read_row(catalog, number, &row, &err), &err);
	catalog_close(catalog);
	(void)snprintf(path, sizeof path, "%s/%s", dir, row.name);
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	const struct block_place place = {.fd = fd, .name = row.name, .number = number};
	tamper_must(block_open(&place, &block, &err), &err);
	tamper_must(block_ingest_times(block, &ingest_ns, &err), &err);
	buf_init(&record, RECORD_MAX_BYTES);
	for (uint32_t i = 0; i < row.about.row_count; i++) {
		buf_clear(&record);
		tamper_must(block_record(block, i, &record, &err), &err);
		(void)tamper_add(&set, block_leaves(block)[i], ingest_ns[i], buf_str(&record));
	}
	buf_done(&record);
	block_close(block);
	(void)close(fd);
	tamper_sort(&set);
	return set;
}

void tamper_built_done(struct tamper_built *built)
{
	buf_done(&built->bytes);
	buf_done(&built->ids);
	buf_done(&built->records);
	buf_done(&built->summary);
	free(built->spans);
}

/* Filters and summary of a finished block. */
static void tamper_index(struct tamper_built *built, struct block *block)
{
	struct seal_keys keys;
	struct error err;
	struct buf record;
	const uint32_t *parents = NULL;
	buf_init(&record, RECORD_MAX_BYTES);
	tamper_must(block_parents(block, &parents, &err), &err);
	assert(seal_keys_init(&keys, block_run(block, RECORD_REQUEST).count) == 0);
	for (uint32_t row = 0; row < built->about.row_count; row++) {
		buf_clear(&record);
		tamper_must(block_record(block, row, &record, &err), &err);
		const struct record *decoded = block_last_record(block);
		seal_keys_add(&keys, decoded, row, parents[row]);
		built->row.redacted += decoded->kind != RECORD_ALERT &&
				       redact_degree_of(decoded, NULL) != REDACT_NOTHING;
	}
	built->row.has_strays = keys.has_strays;
	assert(seal_keys_finish(&keys, &built->ids, &built->records) == 0);
	tamper_must(summary_make(block, NULL, &built->summary, &built->row.is_whole, &err), &err);
	seal_keys_done(&keys);
	buf_done(&record);
}

void tamper_build(const struct tamper_set *set, uint64_t number, struct tamper_built *out)
{
	struct block_builder *builder = block_builder_new();
	struct block *block = NULL;
	struct error err;
	*out = (struct tamper_built){.row = {0}};
	buf_init(&out->bytes, 0);
	buf_init(&out->ids, 0);
	buf_init(&out->records, 0);
	buf_init(&out->summary, 0);
	out->spans = calloc(set->count, sizeof out->spans[0]);
	assert(out->spans != NULL);
	for (size_t i = 0; i < set->count; i++) {
		const struct tamper_record *record = &set->records[i];
		struct blocks_span *last =
			out->row.span_count > 0 ? &out->spans[out->row.span_count - 1] : NULL;
		tamper_must(block_builder_add(builder, record->leaf, record->ingest_ns,
					      tamper_bytes(record), &err),
			    &err);
		if (last != NULL &&
		    (last->last + 1 == record->leaf || out->row.span_count == BLOCKS_SPANS_MAX)) {
			last->last = record->leaf;
		} else {
			out->spans[out->row.span_count++] =
				(struct blocks_span){record->leaf, record->leaf};
		}
	}
	const struct block_seal seal = {number, NULL};
	tamper_must(block_builder_finish(builder, &seal, &out->bytes, &out->about, &err), &err);
	block_builder_free(builder);
	const struct block_place place = {
		.fd = -1, .bytes = buf_str(&out->bytes), .name = "a block", .number = number};
	tamper_must(block_open(&place, &block, &err), &err);
	tamper_index(out, block);
	block_close(block);
	out->row.about = &out->about;
	out->row.bytes = buf_str(&out->bytes);
	out->row.spans = out->spans;
	out->row.filter_ids = buf_str(&out->ids);
	out->row.filter_records = buf_str(&out->records);
	out->row.summary = buf_str(&out->summary);
}

/* Puts a block in the place of the one with its number, or beside the others. Summaries of several blocks are made anew. */
void tamper_put_block(const char *dir, const struct blocks_new *row)
{
	char sql[128];
	struct error err;
	(void)snprintf(sql, sizeof sql, "DELETE FROM blocks WHERE number = %llu",
		       (unsigned long long)row->about->number);
	tamper_sql(dir, sql);
	struct catalog *catalog = tamper_open(dir);
	uint64_t next = 0;
	tamper_must(blocks_next_number(catalog, &next, &err), &err);
	tamper_must(blocks_write(dir, row, &err), &err);
	tamper_must(blocks_put(catalog, row, &err), &err);
	catalog_close(catalog);
	if (row->about->number < next) { /* the number of the next one stays */
		(void)snprintf(
			sql, sizeof sql,
			"UPDATE meta SET value = CAST('%llu' AS BLOB) WHERE key = 'blocks.next'",
			(unsigned long long)next);
		tamper_sql(dir, sql);
	}
}

/* Puts changed records in the place of a block's own. */
void tamper_rebuild(const char *dir, uint64_t number, const struct tamper_set *set)
{
	struct tamper_built built;
	tamper_build(set, number, &built);
	tamper_put_block(dir, &built.row);
	tamper_built_done(&built);
}

/* The batch of the head that holds a leaf. */
struct head_batch tamper_batch(const char *dir, uint64_t leaf)
{
	struct catalog *catalog = tamper_open(dir);
	struct head_batch batch;
	sqlite3_stmt *at = NULL;
	struct error err;
	tamper_must(catalog_prepare(catalog, CATALOG_HEAD_AT, &at, &err), &err);
	tamper_must(head_batch_of(catalog, at, leaf, &batch, &err), &err);
	(void)sqlite3_finalize(at);
	catalog_close(catalog);
	return batch;
}

/* Writes a batch's bytes into a segment of its own and its row in the place of the old one. */
static void tamper_put_batch(const char *dir, struct head_batch batch,
			     const struct str parts[HEADLOG_PARTS], uint32_t chunk_count)
{
	uint8_t header[SEGMENT_HEADER_BYTES];
	char name[SEGMENT_NAME_BYTES], path[4096], sql[128];
	struct error err;
	uint32_t segment = batch.extent.segment;
	do {
		segment_name(++segment, name);
		(void)snprintf(path, sizeof path, "%s/%s", dir, name);
	} while (access(path, F_OK) == 0);
	int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	assert(fd >= 0);
	segment_header(segment, header);
	tamper_must(io_write_all(fd, str_make((const char *)header, sizeof header), &err), &err);
	for (size_t i = 0; i < HEADLOG_PARTS; i++) {
		tamper_must(io_write_all(fd, parts[i], &err), &err);
	}
	(void)close(fd);
	batch.extent = (struct head_extent){
		.segment = segment,
		.start = SEGMENT_HEADER_BYTES,
		.chunks_bytes = parts[0].len,
		.chunk_count = chunk_count,
		.columns_bytes = (uint32_t)parts[2].len,
		.ids_bytes = (uint32_t)parts[3].len,
		.index_crc = checksum_crc32c(parts[1]),
		.columns_crc = columns_blob_checksum(parts[2]),
		.ids_crc = columns_blob_checksum(parts[3]),
	};
	(void)snprintf(sql, sizeof sql, "DELETE FROM head WHERE batch = %llu",
		       (unsigned long long)batch.batch);
	tamper_sql(dir, sql);
	struct catalog *catalog = tamper_open(dir);
	tamper_must(head_put_batch(catalog, &batch, &err), &err);
	catalog_close(catalog);
}

/* Makes the columns and ids of records. */
static void tamper_columns(const struct tamper_set *set, struct buf *out_columns,
			   struct buf *out_ids)
{
	struct columns_builder *columns = columns_builder_new();
	for (size_t i = 0; i < set->count; i++) {
		struct record record;
		tamper_decode(&set->records[i], &record);
		assert(columns_builder_add(columns, &record) == 0);
	}
	assert(columns_builder_finish(columns, out_columns, out_ids) == 0);
	columns_builder_free(columns);
}

/* Writes a batch anew with these records, whose leaves follow one another; its columns and ids are made of `shown`, which has as many. */
void tamper_rebatch(const char *dir, struct head_batch batch, const struct tamper_set *set,
		    const struct tamper_set *shown)
{
	struct buf bytes, index, columns, ids;
	struct chunk_builder builder;
	uint32_t chunk_count = 0, first_row = 0;
	buf_init(&bytes, 0);
	buf_init(&index, 0);
	buf_init(&columns, 0);
	buf_init(&ids, 0);
	batch.first_leaf = set->records[0].leaf;
	batch.record_count = set->count;
	batch.ingest_ns = set->records[0].ingest_ns;
	batch.min_time_ns = INT64_MAX;
	batch.max_time_ns = INT64_MIN;
	batch.kinds = 0;
	batch.record_bytes = 0;
	chunk_builder_begin(&builder, &bytes);
	for (size_t i = 0; i <= set->count; i++) {
		struct record record;
		if (i == set->count || !chunk_builder_fits(&builder, set->records[i].len)) {
			chunk_builder_finish(&builder);
			extent_put_index(
				&index, first_row,
				str_make(bytes.ptr + builder.start, bytes.len - builder.start),
				(uint32_t)bytes.len);
			first_row = (uint32_t)i;
			chunk_count++;
			chunk_builder_begin(&builder, &bytes);
		}
		if (i == set->count) {
			break;
		}
		chunk_builder_add(&builder, tamper_bytes(&set->records[i]));
		tamper_decode(&set->records[i], &record);
		batch.record_bytes += set->records[i].len;
		batch.kinds |= 1u << record.kind;
		batch.min_time_ns =
			record.time_ns < batch.min_time_ns ? record.time_ns : batch.min_time_ns;
		batch.max_time_ns =
			record.time_ns > batch.max_time_ns ? record.time_ns : batch.max_time_ns;
	}
	tamper_columns(shown, &columns, &ids);
	const struct str parts[HEADLOG_PARTS] = {buf_str(&bytes), buf_str(&index),
						 buf_str(&columns), buf_str(&ids)};
	tamper_put_batch(dir, batch, parts, chunk_count);
	buf_done(&bytes);
	buf_done(&index);
	buf_done(&columns);
	buf_done(&ids);
}
