#include "store/sections.h"

void sections_init(struct sections *sections, struct segments *segments, bool ids)
{
	*sections = (struct sections){.segments = segments, .ids = ids};
	buf_init(&sections->front, COLUMNS_FRONT_BYTES + 1);
}

void sections_done(struct sections *sections)
{
	buf_done(&sections->front);
}

static void name_batch(const struct sections *sections, struct error *err)
{
	error_prefix(err, "batch %llu", (unsigned long long)sections->batch);
}

int sections_blame(const struct sections *sections, struct error *err, int rc)
{
	name_batch(sections, err);
	return segments_blame(sections->segments, sections->blob.number, err, rc);
}

static int read_bytes(struct sections *sections, size_t offset, size_t len, struct buf *out,
		      struct error *err)
{
	struct segment_span span = {.number = sections->blob.number,
				    .offset = sections->blob.offset + offset,
				    .len = len};
	int rc = segments_read_buf(sections->segments, &span, out, err);
	if (rc < 0) {
		name_batch(sections, err); /* the file is named already */
		return rc;
	}
	sections->bytes_read += len;
	return 0;
}

int sections_go(struct sections *sections, const struct head_batch *batch, struct error *err)
{
	const struct head_extent *extent = &batch->extent;
	sections->batch = batch->batch;
	sections->blob = sections->ids ? extent_ids(batch) : extent_columns(batch);
	size_t blob_bytes = sections->blob.len;
	size_t front = blob_bytes < COLUMNS_FRONT_BYTES ? blob_bytes : COLUMNS_FRONT_BYTES;
	int rc = read_bytes(sections, 0, front, &sections->front, err);
	if (rc < 0) {
		return rc;
	}
	rc = columns_directory_read(buf_str(&sections->front), blob_bytes, &sections->directory,
				    err);
	if (rc == 0 && (sections->directory.row_count != batch->record_count ||
			columns_blob_checksum(buf_str(&sections->front)) !=
				(sections->ids ? extent->ids_crc : extent->columns_crc))) {
		rc = error_set(err, ERR_CORRUPT, "the columns are those of another batch");
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
