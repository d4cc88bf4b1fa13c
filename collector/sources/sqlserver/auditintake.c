#include "collector/sources/sqlserver/auditintake.h"

#include "base/digest.h"
#include "model/feed.h"

#include <assert.h>
#include <stdio.h>

#define ORDINALS_MAX (1u << 20)

void auditintake_init(struct auditintake *intake, struct str source, struct str server_name,
		      struct auditsurvey *survey)
{
	*intake = (struct auditintake){
		.source = source, .server_name = server_name, .survey = survey};
	auditcursor_init(&intake->cursor);
	buf_init(&intake->line, AUDITROW_LINE_MAX);
	u64map_init(&intake->ordinals, ORDINALS_MAX);
}

void auditintake_done(struct auditintake *intake)
{
	auditrow_joiner_free(intake->joiner);
	auditcursor_done(&intake->cursor);
	buf_done(&intake->line);
	u64map_done(&intake->ordinals);
}

int auditintake_restore(struct auditintake *intake, struct str bytes, size_t max_held,
			struct error *err)
{
	auditrow_joiner_free(intake->joiner);
	intake->joiner = auditrow_joiner_new(intake->source, max_held);
	if (intake->joiner == NULL) {
		return error_set(err, ERR_NOMEM, "no memory for split statements");
	}
	intake->told_gap_count = 0;
	int status = auditcursor_decode(bytes, &intake->cursor, err);
	if (status == 0 && intake->cursor.joiner.len > 0) {
		status = auditrow_joiner_restore(intake->joiner, buf_str(&intake->cursor.joiner),
						 err);
	}
	return status;
}

void auditintake_begin_read(struct auditintake *intake, struct auditintake_batch *batch)
{
	intake->ordinals_offset = AUDITCURSOR_START;
	batch->is_clean = false;
	batch->got_rows = 0;
}

static struct record *next_record(struct auditintake_batch *batch)
{
	return batch->batch->record_count < batch->capacity
		       ? &batch->batch->records[batch->batch->record_count]
		       : NULL;
}

static struct auditgap_place place_of(const struct auditintake *intake)
{
	return (struct auditgap_place){
		.source = intake->source,
		.file = auditcursor_file(&intake->cursor),
		.offset = intake->cursor.last_offset,
		.time_ns = intake->cursor.last_time_ns,
	};
}

static uint64_t first_bytes(const uint8_t *digest)
{
	uint64_t value;
	memcpy(&value, digest, sizeof(value));
	return value;
}

/* A gap is seen again at each read of the same place; the daemon would drop it, but it need not be sent. */
static bool was_told(struct auditintake *intake, struct str key)
{
	uint64_t hash = first_bytes((const uint8_t *)key.ptr);
	for (size_t i = 0; i < AUDITINTAKE_TOLD_GAPS && i < intake->told_gap_count; i++) {
		if (intake->told_gaps[i] == hash) {
			return true;
		}
	}
	intake->told_gaps[intake->told_gap_count++ % AUDITINTAKE_TOLD_GAPS] = hash;
	return false;
}

static void add_gap(struct auditintake *intake, struct auditintake_batch *batch)
{
	struct record *record = next_record(batch);
	if (was_told(intake, record->key)) {
		return;
	}
	batch->open_gap = batch->batch->record_count++;
	intake->gap_count++;
}

static void close_gap(struct auditintake_batch *batch, int64_t time_ns)
{
	if (batch->open_gap != AUDITINTAKE_NO_RECORD) {
		auditgap_close(&batch->batch->records[batch->open_gap], time_ns);
		batch->open_gap = AUDITINTAKE_NO_RECORD;
	}
}

static int arena_full(struct error *err)
{
	return error_set(err, ERR_AGAIN, "the batch's memory is full");
}

int auditintake_take_records(struct auditintake *intake, struct auditintake_batch *batch,
			     struct error *err)
{
	struct record *record;
	while ((record = next_record(batch)) != NULL) {
		int status = auditrow_joiner_take(intake->joiner, batch->batch->arena, record, err);
		if (status == -ERR_GONE) {
			return 0;
		}
		if (status == -ERR_LIMIT && batch->batch->record_count > 0) {
			break;
		}
		if (status != 0) {
			return status;
		}
		if (intake->server_name.len > 0) {
			record_set_text(record, FIELD_server, intake->server_name);
		} else if (record_text(record, FIELD_server).len == 0 &&
			   intake->survey->server_name.len > 0) {
			struct str name;
			if (arena_str(batch->batch->arena, buf_str(&intake->survey->server_name),
				      &name) != 0) {
				return arena_full(err);
			}
			record_set_text(record, FIELD_server, name);
		}
		batch->batch->record_count++;
	}
	batch->is_full = true;
	return 0;
}

/* Counts the row among the equal ones of its buffer. */
static int count_equal(struct auditintake *intake, int64_t offset, uint64_t hash,
		       uint64_t *out_ordinal, struct error *err)
{
	if (offset != intake->ordinals_offset) {
		u64map_done(&intake->ordinals);
		u64map_init(&intake->ordinals, ORDINALS_MAX);
		intake->ordinals_offset = offset;
	}
	uint64_t *count = u64map_get(&intake->ordinals, hash);
	*out_ordinal = count != NULL ? *count : 0;
	if (count != NULL) {
		(*count)++;
		return 0;
	}
	if (u64map_put(&intake->ordinals, hash, 1) != 0) {
		return error_set(err, ERR_NOMEM, "no memory for the rows of one audit buffer");
	}
	return 0;
}

/* Notes that the row was taken. A buffer behind the newest one (which no SQL Server sends) moves nothing: its rows come again
 * and the daemon drops them. */
static int advance(struct auditintake *intake, struct auditintake_batch *batch, int64_t offset,
		   uint64_t hash, struct error *err)
{
	batch->new_rows++;
	if (offset < intake->cursor.last_offset) {
		auditsurvey_tell(intake->survey, AUDITSURVEY_ORDER,
				 "rows of %.*s do not come in the order of the file",
				 STR_ARG(auditcursor_file(&intake->cursor)));
		return 0;
	}
	return auditcursor_take(&intake->cursor, offset, hash, err);
}

static int take_bad_row(struct auditintake *intake, struct auditintake_batch *batch,
			struct auditcursor_seen *seen, const struct auditdb_item *item,
			struct error *err)
{
	uint8_t digest[DIGEST_BYTES];
	digest_sha256(item->raw, digest);
	uint64_t hash = first_bytes(digest);
	if (auditcursor_seen_drop(seen, hash)) {
		intake->repeat_count++;
		return 0;
	}
	struct auditgap_place place = place_of(intake);
	struct record *record = next_record(batch);
	assert(record != NULL);
	if (auditgap_reject(&place, item->reason, item->raw, batch->batch->arena, record) != 0) {
		return arena_full(err);
	}
	batch->batch->record_count++;
	batch->new_bytes += item->raw.len;
	intake->reject_count++;
	int64_t offset = intake->cursor.last_offset;
	return advance(intake, batch, offset == AUDITCURSOR_START ? 0 : offset, hash, err);
}

/* What a row must have to be an audit row. */
static bool is_audit_row(const struct auditrow *row, const char **out_lack)
{
	static const struct {
		const char *name;
		enum auditrow_type type;
	} needed[] = {
		{"event_time", AUDITROW_TIME},
		{"action_id", AUDITROW_TEXT},
		{"audit_file_offset", AUDITROW_INT},
	};
	for (size_t i = 0; i < sizeof(needed) / sizeof(needed[0]); i++) {
		const struct auditrow_column *column = auditrow_column(row, needed[i].name);
		if (column == NULL || column->type != needed[i].type) {
			*out_lack = needed[i].name;
			return false;
		}
	}
	return true;
}

static int take_unusable_row(struct auditintake *intake, struct auditintake_batch *batch,
			     struct auditcursor_seen *seen, const char *reason, struct error *err)
{
	struct auditdb_item bad = {
		.kind = AUDITDB_BAD_ROW,
		.reason = str_of(reason),
		.raw = buf_str(&intake->line),
	};
	return take_bad_row(intake, batch, seen, &bad, err);
}

static int take_row(struct auditintake *intake, struct auditintake_batch *batch,
		    struct auditcursor_seen *seen, struct auditrow *row, struct error *err)
{
	const char *lack = NULL;
	char reason[128];
	buf_clear(&intake->line);
	auditrow_put_line(row, &intake->line);
	if (intake->line.failed) {
		return take_unusable_row(intake, batch, seen,
					 "the row is longer than a line may be", err);
	}
	if (!is_audit_row(row, &lack)) {
		snprintf(reason, sizeof(reason), "the row has no %s", lack);
		return take_unusable_row(intake, batch, seen, reason, err);
	}
	const struct auditrow_column *file = auditrow_column(row, "file_name");
	struct str base = file != NULL ? auditrow_basename(file->text) : (struct str){0};
	if (base.len == 0) {
		base = auditcursor_file(&intake->cursor);
	}
	int64_t offset = auditrow_column(row, "audit_file_offset")->number;
	int64_t time_ns = auditrow_column(row, "event_time")->number;
	uint8_t digest[DIGEST_BYTES];
	digest_sha256(buf_str(&intake->line), digest);
	uint64_t hash = first_bytes(digest);
	uint64_t ordinal;
	int status = count_equal(intake, offset, hash, &ordinal, err);
	if (status != 0) {
		return status;
	}
	close_gap(batch, time_ns);
	if (offset == intake->cursor.last_offset && auditcursor_seen_drop(seen, hash)) {
		intake->repeat_count++;
		return 0;
	}
	row->line = buf_str(&intake->line);
	auditrow_key(row, base, offset, ordinal);
	status = auditrow_joiner_add(intake->joiner, row, err);
	if (status == 0) {
		status = advance(intake, batch, offset, hash, err);
	}
	intake->cursor.last_time_ns = time_ns;
	intake->row_count++;
	batch->new_bytes += intake->line.len;
	return status != 0 ? status : auditintake_take_records(intake, batch, err);
}

int auditintake_take(struct auditintake *intake, struct auditintake_batch *batch,
		     struct auditcursor_seen *seen, struct auditdb_item *item, struct error *err)
{
	struct auditgap_place place = place_of(intake);
	switch (item->kind) {
	case AUDITDB_END:
		batch->is_clean = true;
		return 0;
	case AUDITDB_ROW:
		batch->got_rows++;
		return take_row(intake, batch, seen, &item->row, err);
	case AUDITDB_BAD_ROW:
		batch->got_rows++;
		return take_bad_row(intake, batch, seen, item, err);
	case AUDITDB_SKIPPED:
		if (auditgap_skipped_records(&place, item->reason, batch->batch->arena,
					     next_record(batch)) != 0) {
			return arena_full(err);
		}
		add_gap(intake, batch);
		return 0;
	case AUDITDB_TOLD:
		auditsurvey_tell(intake->survey, AUDITSURVEY_MESSAGE, "the server said: %.*s",
				 STR_ARG(item->reason));
		return 0;
	}
	return 0;
}

int auditintake_leave_deleted(struct auditintake *intake, struct auditintake_batch *batch,
			      struct str next_file, struct str server_text, struct error *err)
{
	struct auditgap_place place = place_of(intake);
	if (auditgap_deleted_file(&place, next_file, server_text, batch->batch->arena,
				  next_record(batch)) != 0) {
		return arena_full(err);
	}
	add_gap(intake, batch);
	/* The rest of a split statement was in what is lost. */
	auditrow_joiner_flush(intake->joiner, true);
	int status = auditintake_take_records(intake, batch, err);
	return status != 0 ? status : auditcursor_enter(&intake->cursor, next_file, err);
}
