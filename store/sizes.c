#include "store/sizes.h"

#include "store/block/gauge.h"
#include "store/handle.h"

#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#define PATH_BYTES 4096

static uint64_t file_size(const char *dir, const char *name)
{
	char path[PATH_BYTES];
	struct stat st;
	int len = snprintf(path, sizeof path, "%s/%s", dir, name);
	bool fits = len > 0 && (size_t)len < sizeof path;
	return fits && lstat(path, &st) == 0 ? (uint64_t)st.st_size : 0;
}

static void add_row(const struct blocks_row *row, struct store_sizes *sizes)
{
	sizes->block_count++;
	sizes->open_count += row->is_open;
	sizes->block_bytes += row->file_bytes;
	sizes->sealed_records += row->about.row_count;
	sizes->record_bytes += row->about.record_bytes;
	sizes->raw_bytes += row->about.raw_bytes;
	for (unsigned kind = 0; kind < RECORD_KIND_COUNT; kind++) {
		sizes->of_kind[kind] += row->about.of_kind[kind];
	}
}

static int ask(struct store *store, enum catalog_statement which, uint64_t *out,
	       uint64_t *out_second, struct error *err)
{
	sqlite3_stmt *statement = NULL;
	int rc = catalog_statement(store->reading, which, &statement, err);
	if (rc < 0) {
		return rc;
	}
	int step = sqlite3_step(statement);
	if (step != SQLITE_ROW) {
		rc = catalog_error(store->reading, step, "reading its sizes", err);
	} else {
		*out = (uint64_t)sqlite3_column_int64(statement, 0);
		*out_second = (uint64_t)sqlite3_column_int64(statement, 1);
	}
	(void)sqlite3_reset(statement); /* repeats the error of the step */
	return rc;
}

static int ask_catalog(struct store *store, struct store_sizes *sizes, struct error *err)
{
	uint64_t pages = 0, page_bytes = 0;
	int rc = ask(store, CATALOG_FREE_PAGES, &pages, &page_bytes, err);
	rc = rc < 0 ? rc
		    : ask(store, CATALOG_BLOCK_SIZES, &sizes->filter_bytes, &sizes->summary_bytes,
			  err);
	sizes->free_bytes = pages * page_bytes;
	return rc;
}

static int fill(struct store *store, struct store_sizes *sizes, struct error *err)
{
	uint64_t in_folder = 0;
	int rc = store_size(store, &sizes->all_bytes, err);
	rc = rc < 0 ? rc : headlog_size(store->dir, &sizes->head_bytes, err);
	rc = rc < 0 ? rc : blocks_size(store->dir, &in_folder, err);
	rc = rc < 0 ? rc : ask_catalog(store, sizes, err);
	for (size_t i = 0; i < store->sealed->count; i++) {
		add_row(&store->sealed->rows[i], sizes);
	}
	sizes->replaced_bytes = in_folder > sizes->block_bytes ? in_folder - sizes->block_bytes : 0;
	sizes->catalog_bytes = file_size(store->dir, CATALOG_FILE);
	uint64_t records = store->snapshot_leaf_count;
	sizes->head_records = records > store->sealed_end ? records - store->sealed_end : 0;
	return rc;
}

int store_sizes(struct store *store, struct store_sizes *out, struct error *err)
{
	struct store_sizes sizes = {0};
	int rc = store_snapshot_begin(store, err);
	if (rc < 0) {
		return rc;
	}
	rc = fill(store, &sizes, err);
	store_snapshot_end(store);
	if (rc == 0) {
		*out = sizes;
	}
	return rc;
}

static int measure_block(struct store *store, const struct blocks_row *row, struct gauge *gauge,
			 const struct store_measure *options, struct error *err)
{
	struct block *block = NULL;
	int fd = -1;
	blocks_use_gauge(store->blocks, gauge);
	int rc = blocks_open_row(store->blocks, row, &fd, &block, err);
	blocks_use_gauge(store->blocks, NULL);
	if (rc < 0) {
		return rc;
	}
	rc = block_measure(block, options->each, options->owner, err);
	block_close(block);
	(void)close(fd); /* only read */
	return rc;
}

static void add_measured(const struct blocks_row *row, struct store_measured *measured)
{
	measured->block_count++;
	measured->rows += row->about.row_count;
	measured->block_bytes += row->file_bytes;
	for (unsigned kind = 0; kind < RECORD_KIND_COUNT; kind++) {
		measured->of_kind[kind] += row->about.of_kind[kind];
	}
}

/* How many blocks to take so that there are about as many rows as asked for. */
static size_t sample_size(const struct blocks_list *list, uint64_t rows_max)
{
	uint64_t rows = 0;
	for (size_t i = 0; i < list->count; i++) {
		rows += list->rows[i].about.row_count;
	}
	if (rows <= rows_max) {
		return list->count;
	}
	size_t count = (size_t)((double)list->count * ((double)rows_max / (double)rows));
	return count > 0 ? count : 1;
}

static int measure_all(struct store *store, const struct store_measure *options,
		       struct store_measured *measured, struct error *err)
{
	const struct blocks_list *list = store->sealed;
	struct gauge *gauge = gauge_new();
	size_t count = sample_size(list, options->rows_max);
	int rc = gauge != NULL ? 0 : error_set(err, ERR_NOMEM, "no memory to measure blocks");
	for (size_t i = 0; rc == 0 && i < count; i++) {
		const struct blocks_row *row = &list->rows[i * list->count / count];
		rc = measure_block(store, row, gauge, options, err);
		if (rc == 0) {
			add_measured(row, measured);
		} else if (rc == -ERR_CORRUPT) {
			measured->damage = *err;
			error_clear(err);
			rc = 0;
		}
	}
	gauge_free(gauge);
	measured->all_count = list->count;
	return rc;
}

int store_measure(struct store *store, const struct store_measure *options,
		  struct store_measured *out, struct error *err)
{
	struct store_measured measured = {0};
	error_clear(&measured.damage);
	int rc = store_snapshot_begin(store, err);
	if (rc < 0) {
		return rc;
	}
	rc = measure_all(store, options, &measured, err);
	store_snapshot_end(store);
	if (rc == 0) {
		*out = measured;
	}
	return rc;
}
