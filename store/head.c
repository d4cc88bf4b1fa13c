#include "store/head.h"

#include "store/checksum.h"
#include "store/columns.h"
#include "store/segments.h"

#include <endian.h>

#define ROW_NUMBERS 17 /* all columns but the checksum */

/* The columns of a row in their order. */
static void row_numbers(const struct head_batch *batch, uint64_t out[ROW_NUMBERS])
{
	const struct head_extent *extent = &batch->extent;
	const uint64_t numbers[ROW_NUMBERS] = {
		batch->batch,
		batch->first_leaf,
		batch->record_count,
		(uint64_t)batch->min_time_ns,
		(uint64_t)batch->max_time_ns,
		(uint64_t)batch->ingest_ns,
		batch->kinds,
		batch->record_bytes,
		extent->segment,
		extent->start,
		extent->chunks_bytes,
		extent->chunk_count,
		extent->columns_bytes,
		extent->ids_bytes,
		extent->index_crc,
		extent->columns_crc,
		extent->ids_crc,
	};
	memcpy(out, numbers, sizeof numbers);
}

static uint32_t row_checksum(const struct head_batch *batch)
{
	uint64_t numbers[ROW_NUMBERS];
	row_numbers(batch, numbers);
	for (size_t i = 0; i < ROW_NUMBERS; i++) {
		numbers[i] = htole64(numbers[i]);
	}
	return checksum_crc32c(str_make((const char *)numbers, sizeof numbers));
}

int head_put_batch(struct catalog *catalog, const struct head_batch *batch, struct error *err)
{
	sqlite3_stmt *statement = NULL;
	int rc = catalog_statement(catalog, CATALOG_HEAD_PUT, &statement, err);
	if (rc < 0) {
		return rc;
	}
	uint64_t numbers[ROW_NUMBERS];
	row_numbers(batch, numbers);
	int bound = SQLITE_OK;
	for (int i = 0; i < ROW_NUMBERS; i++) {
		bound |= sqlite3_bind_int64(statement, i + 1, (int64_t)numbers[i]);
	}
	bound |= sqlite3_bind_int64(statement, ROW_NUMBERS + 1, row_checksum(batch));
	if (bound != SQLITE_OK) {
		return error_set(err, ERR_NOMEM, "no memory to store a batch");
	}
	return catalog_done(catalog, statement, "storing a batch", err);
}

static bool extent_is_sensible(const struct head_batch *batch)
{
	const struct head_extent *extent = &batch->extent;
	return extent->segment > 0 && extent->start >= SEGMENT_HEADER_BYTES &&
	       extent->start <= (uint64_t)INT64_MAX / 2 && extent->chunk_count > 0 &&
	       extent->chunk_count <= batch->record_count && extent->chunks_bytes <= UINT32_MAX;
}

static bool row_is_sensible(const struct head_batch *batch)
{
	return batch->record_count > 0 && batch->record_count <= COLUMNS_ROWS_MAX &&
	       batch->first_leaf <= (uint64_t)INT64_MAX - batch->record_count &&
	       batch->min_time_ns <= batch->max_time_ns && batch->batch > 0 &&
	       extent_is_sensible(batch);
}

int head_read_row(struct catalog *catalog, sqlite3_stmt *statement, struct head_batch *out_batch,
		  struct error *err)
{
	uint64_t numbers[ROW_NUMBERS];
	for (int i = 0; i < ROW_NUMBERS; i++) {
		numbers[i] = (uint64_t)sqlite3_column_int64(statement, i);
	}
	struct head_batch batch = {
		.batch = numbers[0],
		.first_leaf = numbers[1],
		.record_count = numbers[2],
		.min_time_ns = (int64_t)numbers[3],
		.max_time_ns = (int64_t)numbers[4],
		.ingest_ns = (int64_t)numbers[5],
		.kinds = (unsigned)numbers[6],
		.record_bytes = numbers[7],
		.extent = {.segment = (uint32_t)numbers[8],
			   .start = numbers[9],
			   .chunks_bytes = numbers[10],
			   .chunk_count = (uint32_t)numbers[11],
			   .columns_bytes = (uint32_t)numbers[12],
			   .ids_bytes = (uint32_t)numbers[13],
			   .index_crc = (uint32_t)numbers[14],
			   .columns_crc = (uint32_t)numbers[15],
			   .ids_crc = (uint32_t)numbers[16]},
	};
	bool whole = sqlite3_column_int64(statement, ROW_NUMBERS) == row_checksum(&batch);
	if (!whole || !row_is_sensible(&batch)) {
		return error_set(err, ERR_CORRUPT, "%s: the row of batch %lld is damaged",
				 catalog->path, (long long)sqlite3_column_int64(statement, 0));
	}
	*out_batch = batch;
	return 0;
}

/* The first row that a statement gives. */
static int read_one(struct catalog *catalog, sqlite3_stmt *statement, struct head_batch *out_batch,
		    struct error *err)
{
	int rc = 0;
	int step = sqlite3_step(statement);
	if (step == SQLITE_ROW) {
		rc = head_read_row(catalog, statement, out_batch, err);
	} else if (step == SQLITE_DONE) {
		rc = error_set(err, ERR_GONE, "%s holds no records yet", catalog->path);
	} else {
		rc = catalog_error(catalog, step, "reading a batch", err);
	}
	(void)sqlite3_reset(statement); /* repeats the error of the step */
	return rc;
}

int head_first(struct catalog *catalog, struct head_batch *out_batch, struct error *err)
{
	sqlite3_stmt *statement = NULL;
	int rc = catalog_statement(catalog, CATALOG_HEAD_FROM, &statement, err);
	if (rc < 0) {
		return rc;
	}
	(void)sqlite3_bind_int64(statement, 1, 0); /* can't fail: the index is right */
	return read_one(catalog, statement, out_batch, err);
}

int head_last(struct catalog *catalog, struct head_batch *out_batch, struct error *err)
{
	sqlite3_stmt *statement = NULL;
	int rc = catalog_statement(catalog, CATALOG_HEAD_LAST, &statement, err);
	return rc < 0 ? rc : read_one(catalog, statement, out_batch, err);
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
