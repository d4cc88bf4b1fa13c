#include "store/head.h"

#include "model/record.h"
#include "store/checksum.h"
#include "store/columns.h"
#include <endian.h>

static uint32_t row_checksum(const struct head_batch *batch)
{
	uint64_t numbers[] = {
		htole64(batch->batch),
		htole64(batch->first_leaf),
		htole64(batch->record_count),
		htole64((uint64_t)batch->min_time_ns),
		htole64((uint64_t)batch->max_time_ns),
		htole64((uint64_t)batch->ingest_ns),
		htole64(batch->kinds),
		htole64(batch->record_bytes),
	};
	return checksum_crc32c(str_make(numbers, sizeof numbers));
}

int head_put_batch(struct catalog *catalog, const struct head_batch *batch, struct error *err)
{
	sqlite3_stmt *statement = NULL;
	int rc = catalog_statement(catalog, CATALOG_HEAD_PUT, &statement, err);
	if (rc < 0) {
		return rc;
	}
	const int64_t numbers[] = {(int64_t)batch->batch,        (int64_t)batch->first_leaf,
				   (int64_t)batch->record_count, batch->min_time_ns,
				   batch->max_time_ns,           batch->ingest_ns,
				   (int64_t)batch->kinds,        (int64_t)batch->record_bytes};
	int bound = SQLITE_OK;
	for (int i = 0; i < 8; i++) {
		bound |= sqlite3_bind_int64(statement, i + 1, numbers[i]);
	}
	bound |= sqlite3_bind_int64(statement, 9, row_checksum(batch));
	if (bound != SQLITE_OK) {
		return error_set(err, ERR_NOMEM, "no memory to store a batch");
	}
	return catalog_done(catalog, statement, "storing a batch", err);
}

/* Runs a statement that stores a blob under a number. */
static int put_blob(struct catalog *catalog, enum catalog_statement which, uint64_t number,
		    struct str blob, struct error *err)
{
	sqlite3_stmt *statement = NULL;
	int rc = catalog_statement(catalog, which, &statement, err);
	if (rc < 0) {
		return rc;
	}
	if (sqlite3_bind_int64(statement, 1, (int64_t)number) != SQLITE_OK ||
	    catalog_bind_bytes(statement, 2, blob) != SQLITE_OK) {
		return error_set(err, ERR_NOMEM, "no memory to store %zu bytes of records",
				 blob.len);
	}
	return catalog_done(catalog, statement, "storing records", err);
}

int head_put_columns(struct catalog *catalog, uint64_t batch, struct str columns, struct str ids,
		     struct error *err)
{
	int rc = put_blob(catalog, CATALOG_COLUMNS_PUT, batch, columns, err);
	return rc < 0 ? rc : put_blob(catalog, CATALOG_IDS_PUT, batch, ids, err);
}

int head_put_chunk(struct catalog *catalog, uint64_t first_leaf, struct str chunk,
		   struct error *err)
{
	return put_blob(catalog, CATALOG_RECORDS_PUT, first_leaf, chunk, err);
}

static bool row_is_sensible(const struct head_batch *batch)
{
	return batch->record_count > 0 && batch->record_count <= COLUMNS_ROWS_MAX &&
	       batch->first_leaf <= (uint64_t)INT64_MAX - batch->record_count &&
	       batch->min_time_ns <= batch->max_time_ns && batch->batch > 0;
}

int head_read_row(struct catalog *catalog, sqlite3_stmt *statement, struct head_batch *out_batch,
		  struct error *err)
{
	struct head_batch batch = {
		.batch = (uint64_t)sqlite3_column_int64(statement, 0),
		.first_leaf = (uint64_t)sqlite3_column_int64(statement, 1),
		.record_count = (uint64_t)sqlite3_column_int64(statement, 2),
		.min_time_ns = sqlite3_column_int64(statement, 3),
		.max_time_ns = sqlite3_column_int64(statement, 4),
		.ingest_ns = sqlite3_column_int64(statement, 5),
		.kinds = (unsigned)sqlite3_column_int64(statement, 6),
		.record_bytes = (uint64_t)sqlite3_column_int64(statement, 7),
	};
	bool whole = sqlite3_column_int64(statement, 8) == row_checksum(&batch);
	if (!whole || !row_is_sensible(&batch)) {
		return error_set(err, ERR_CORRUPT, "%s: the row of batch %lld is damaged",
				 catalog->path, (long long)sqlite3_column_int64(statement, 0));
	}
	*out_batch = batch;
	return 0;
}

int head_last(struct catalog *catalog, struct head_batch *out_batch, struct error *err)
{
	sqlite3_stmt *statement = NULL;
	int rc = catalog_statement(catalog, CATALOG_HEAD_LAST, &statement, err);
	if (rc < 0) {
		return rc;
	}
	int step = sqlite3_step(statement);
	if (step == SQLITE_ROW) {
		rc = head_read_row(catalog, statement, out_batch, err);
	} else if (step == SQLITE_DONE) {
		rc = error_set(err, ERR_GONE, "%s holds no records yet", catalog->path);
	} else {
		rc = catalog_error(catalog, step, "reading the last batch", err);
	}
	(void)sqlite3_reset(statement); /* repeats the error of the step */
	return rc;
}

int head_batch_of(struct catalog *catalog, sqlite3_stmt *statement, uint64_t leaf,
		  struct head_batch *out_batch, struct error *err)
{
	struct head_batch batch;
	(void)sqlite3_reset(statement); /* repeats the error of the last step, which was told */
	(void)sqlite3_bind_int64(statement, 1, (int64_t)leaf); /* can't fail: the index is right */
	int step = sqlite3_step(statement);
	int rc = 0;
	if (step == SQLITE_ROW) {
		rc = head_read_row(catalog, statement, &batch, err);
	} else if (step != SQLITE_DONE) {
		rc = catalog_error(catalog, step, "reading a batch", err);
	}
	(void)sqlite3_reset(statement); /* repeats the error of the step */
	if (rc < 0) {
		return rc;
	}
	if (step == SQLITE_DONE || leaf - batch.first_leaf >= batch.record_count) {
		return error_set(err, ERR_GONE, "%s has no leaf %llu", catalog->path,
				 (unsigned long long)leaf);
	}
	*out_batch = batch;
	return 0;
}

int head_chunk_of(struct catalog *catalog, sqlite3_stmt *statement, uint64_t leaf,
		  struct head_chunk *out_chunk, struct error *err)
{
	(void)sqlite3_reset(statement); /* repeats the error of the last step, which was told */
	(void)sqlite3_bind_int64(statement, 1, (int64_t)leaf); /* can't fail: the index is right */
	int step = sqlite3_step(statement);
	if (step == SQLITE_DONE) {
		return error_set(err, ERR_GONE, "%s has no leaf %llu", catalog->path,
				 (unsigned long long)leaf);
	}
	if (step != SQLITE_ROW) {
		return catalog_error(catalog, step, "reading records", err);
	}
	struct head_chunk found = {.first_leaf = (uint64_t)sqlite3_column_int64(statement, 0)};
	int rc = chunk_open(catalog_column_bytes(statement, 1), &found.chunk, err);
	if (rc < 0) {
		error_prefix(err, "%s: leaf %llu and those after it", catalog->path,
			     (unsigned long long)found.first_leaf);
		return rc;
	}
	if (leaf - found.first_leaf >= found.chunk.record_count) {
		return error_set(err, ERR_CORRUPT,
				 "%s: the chunk that should hold leaf %llu is missing",
				 catalog->path, (unsigned long long)leaf);
	}
	*out_chunk = found;
	return 0;
}
