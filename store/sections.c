#include "store/sections.h"

void sections_init(struct sections *sections, struct catalog *catalog, bool ids)
{
	*sections = (struct sections){.catalog = catalog, .ids = ids};
	buf_init(&sections->front, COLUMNS_FRONT_BYTES + 1);
}

void sections_done(struct sections *sections)
{
	(void)sqlite3_blob_close(sections->blob); /* only read */
	sections->blob = NULL;
	buf_done(&sections->front);
}

int sections_blame(const struct sections *sections, struct error *err, int rc)
{
	error_prefix(err, "%s, batch %llu", sections->catalog->path, /* rc says the same */
		     (unsigned long long)sections->batch);
	return rc;
}

static int open_blob(struct sections *sections, uint64_t batch, struct error *err)
{
	int rc = SQLITE_ERROR;
	if (sections->blob != NULL) {
		rc = sqlite3_blob_reopen(sections->blob, (sqlite3_int64)batch);
	} else {
		rc = sqlite3_blob_open(sections->catalog->db, "main",
				       sections->ids ? "head_ids" : "head_columns",
				       sections->ids ? "ids" : "columns", (sqlite3_int64)batch, 0,
				       &sections->blob);
	}
	if (rc != SQLITE_OK) {
		int code = catalog_error(sections->catalog, rc, "finding the columns", err);
		(void)sqlite3_blob_close(sections->blob); /* a handle that failed serves no more */
		sections->blob = NULL;
		return sections_blame(sections, err, code);
	}
	return 0;
}

static int read_bytes(struct sections *sections, size_t offset, size_t len, struct buf *out,
		      struct error *err)
{
	buf_clear(out);
	if (buf_reserve(out, len + 1) < 0) {
		return error_set(err, ERR_NOMEM, "no memory for %zu bytes of columns", len);
	}
	int rc = sqlite3_blob_read(sections->blob, out->ptr, (int)len, (int)offset);
	if (rc != SQLITE_OK) {
		int code = catalog_error(sections->catalog, rc, "reading the columns", err);
		return sections_blame(sections, err, code);
	}
	out->len = len;
	out->ptr[len] = 0;
	sections->bytes_read += len;
	return 0;
}

int sections_go(struct sections *sections, const struct head_batch *batch, struct error *err)
{
	sections->batch = batch->batch;
	int rc = open_blob(sections, batch->batch, err);
	if (rc < 0) {
		return rc;
	}
	size_t blob_bytes = (size_t)sqlite3_blob_bytes(sections->blob);
	size_t front = blob_bytes < COLUMNS_FRONT_BYTES ? blob_bytes : COLUMNS_FRONT_BYTES;
	rc = read_bytes(sections, 0, front, &sections->front, err);
	if (rc < 0) {
		return rc;
	}
	rc = columns_directory_read(buf_str(&sections->front), blob_bytes, &sections->directory,
				    err);
	if (rc == 0 && sections->directory.row_count != batch->record_count) {
		rc = error_set(err, ERR_CORRUPT, "the columns have %u rows, the batch %llu records",
			       sections->directory.row_count,
			       (unsigned long long)batch->record_count);
	}
	return rc < 0 ? sections_blame(sections, err, rc) : 0;
}

int sections_read(struct sections *sections, const struct columns_section *section, struct buf *out,
		  struct error *err)
{
	return read_bytes(sections, section->offset, section->length, out, err);
}

int sections_read_kinds(struct sections *sections, struct buf *scratch, uint8_t *out_kinds,
			struct error *err)
{
	const struct columns_section *section =
		columns_directory_find(&sections->directory, COLUMNS_KIND);
	if (section == NULL) {
		int rc = error_set(err, ERR_CORRUPT,
				   "the columns do not tell the kinds of the rows");
		return sections_blame(sections, err, rc);
	}
	int rc = sections_read(sections, section, scratch, err);
	if (rc < 0) {
		return rc;
	}
	rc = columns_read_kinds(section, buf_str(scratch), sections->directory.row_count, out_kinds,
				err);
	return rc < 0 ? sections_blame(sections, err, rc) : 0;
}
