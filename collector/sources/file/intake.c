#include "collector/sources/file/intake.h"

#include "base/clock.h"

#include <assert.h>

#define HELD_MAX_BYTES (8u << 20)

int intake_init(struct intake *intake, const struct intake_options *options, struct error *err)
{
	*intake = (struct intake){.source = str_of(options->source)};
	csv_init(&intake->csv);
	tally_init(&intake->tally, TALLY_LINES_MAX);
	buf_init(&intake->scratch, 0);
	buf_init(&intake->unended, SPLIT_PIECE_MAX);
	if (!options->rows) {
		return accesslog_format_new(&options->accesslog, &intake->format, err);
	}
	intake->joiner = auditrow_joiner_new(intake->source, HELD_MAX_BYTES);
	if (intake->joiner == NULL) {
		return error_set(err, ERR_NOMEM, "no memory to put audit rows together");
	}
	return 0;
}

void intake_done(struct intake *intake)
{
	accesslog_format_free(intake->format);
	auditrow_joiner_free(intake->joiner);
	csv_done(&intake->csv);
	tally_done(&intake->tally);
	buf_done(&intake->scratch);
	buf_done(&intake->unended);
	*intake = (struct intake){0};
}

void intake_file(struct intake *intake, struct str file, int64_t file_time_ns, enum split_mode mode)
{
	intake->file = file;
	intake->file_time_ns = file_time_ns;
	intake->mode = mode;
	intake->csv.column_count = 0;
	tally_clear(&intake->tally);
}

/* What of a piece is read: without byte order mark and carriage return, which only its raw bytes keep. */
static struct str readable(const struct reader_item *item)
{
	struct str text = item->raw;

	if (item->offset == 0 && str_has_prefix(text, STR_LIT("\xef\xbb\xbf"))) {
		text = str_slice(text, 3, text.len);
	}
	if (text.len > 0 && text.ptr[text.len - 1] == '\r') {
		text.len--;
	}
	return text;
}

/* A CloudWatch export puts a time and a space before each line. Returns what follows. */
static struct str cut_time(struct str text, int64_t *out_time_ns)
{
	ptrdiff_t space = str_find_byte(str_slice(text, 0, 64), ' ', 0);

	if (space > 0 && clock_parse_rfc3339(str_slice(text, 0, (size_t)space), out_time_ns)) {
		return str_slice(text, (size_t)space + 1, text.len);
	}
	*out_time_ns = 0;
	return text;
}

/* Adds "file_newline":false to the record's extra. */
static int mark_unended(struct intake *intake, struct record *record, struct error *err)
{
	struct str extra = str_trim(record_text(record, FIELD_extra));
	struct str stored;

	buf_clear(&intake->scratch);
	if (extra.len > 2) {
		buf_put_str(&intake->scratch, str_slice(extra, 0, extra.len - 1));
		buf_put_text(&intake->scratch, ",\"file_newline\":false}");
	} else {
		buf_put_text(&intake->scratch, "{\"file_newline\":false}");
	}
	if (intake->scratch.failed ||
	    arena_str(intake->arena, buf_str(&intake->scratch), &stored) != 0) {
		return error_set(err, ERR_LIMIT, "no memory for a batch of the files");
	}
	record_set_text(record, FIELD_extra, stored);
	return 0;
}

struct piece {
	const struct reader_item *item;
	struct str raw;  /* in the arena */
	struct str text; /* what is read of it, in the arena */
	struct str key;  /* in the arena */
	uint32_t ordinal;
};

/* Counts the piece and copies it into the arena. */
static int keep_piece(struct intake *intake, const struct reader_item *item, struct piece *out,
		      struct error *err)
{
	uint8_t key[TALLY_KEY_BYTES];
	struct str text = readable(item);

	out->item = item;
	int rc = tally_add(&intake->tally, text, &out->ordinal, key, err);
	if (rc != 0) {
		return rc;
	}
	if (arena_str(intake->arena, item->raw, &out->raw) != 0 ||
	    arena_str(intake->arena, str_make(key, sizeof(key)), &out->key) != 0) {
		return error_set(err, ERR_LIMIT, "no memory for a batch of the files");
	}
	out->text = str_slice(out->raw, item->raw.len == 0 ? 0 : (size_t)(text.ptr - item->raw.ptr),
			      text.len);
	return 0;
}

static int make_reject(struct intake *intake, const struct piece *piece, const char *why,
		       struct record *out_record, struct error *err)
{
	record_init(out_record, RECORD_REJECT);
	out_record->source = intake->source;
	out_record->key = piece->key;
	out_record->time_ns = intake->file_time_ns;
	if (piece->item->kind != READER_DAMAGED) {
		record_set_text(out_record, FIELD_raw, piece->raw);
	}
	record_set_text(out_record, FIELD_reason, str_of(why));
	record_set_number(out_record, FIELD_offset, piece->item->offset);
	bool unended = piece->item->kind != READER_DAMAGED && !piece->item->newline;
	return unended ? mark_unended(intake, out_record, err) : 0;
}

/* A reject whose sentence names the file. */
static int give_reject(struct intake *intake, const struct piece *piece, struct record *out_record,
		       struct error *err)
{
	struct str why;

	if (arena_str(intake->arena, buf_str(&intake->scratch), &why) != 0) {
		return make_reject(intake, piece, "a line that does not parse", out_record, err);
	}
	return make_reject(intake, piece, why.ptr, out_record, err);
}

/* Begins the sentence of a reject in scratch. */
static void say_place(struct intake *intake, const struct reader_item *item)
{
	buf_clear(&intake->scratch);
	buf_putf(&intake->scratch, "%.*s, offset %lld: ", STR_ARG(intake->file),
		 (long long)item->offset);
}

/* Bytes that say nothing: kept, so that the file can be given back as it was. */
static int give_skipped(struct intake *intake, const struct reader_item *item, const char *what,
			struct record *out_record, struct error *err)
{
	struct piece piece;
	int rc = keep_piece(intake, item, &piece, err);
	if (rc == 0) {
		rc = make_reject(intake, &piece, what, out_record, err);
		record_set_number(out_record, FIELD_skipped, 1);
	}
	return rc;
}

/* What cannot be read at all: a part of too long a piece, or the damaged rest of a file. */
static int give_unreadable(struct intake *intake, const struct reader_item *item,
			   struct record *out_record, struct error *err)
{
	struct piece piece;
	int rc;

	if (item->kind == READER_DAMAGED) {
		/* no bytes to take a key from: the file and the offset name it */
		struct buf name;
		buf_init(&name, 8192);
		buf_putf(&name, "damaged %.*s %lld", STR_ARG(intake->file),
			 (long long)item->offset);
		struct reader_item named = *item;
		named.raw = buf_str(&name);
		rc = keep_piece(intake, &named, &piece, err);
		buf_done(&name);
		piece.item = item; /* named is gone with this block */
		piece.raw = (struct str){0};
	} else {
		rc = keep_piece(intake, item, &piece, err);
	}
	if (rc != 0) {
		return rc;
	}
	say_place(intake, item);
	if (item->kind == READER_DAMAGED) {
		buf_putf(&intake->scratch, "the rest of the file cannot be read: %s", item->reason);
	} else {
		buf_putf(&intake->scratch,
			 "%zu bytes of a line that is longer than the limit of %u", item->raw.len,
			 SPLIT_PIECE_MAX);
	}
	return give_reject(intake, &piece, out_record, err);
}

static int give_request(struct intake *intake, const struct piece *piece, struct record *out_record,
			struct error *err)
{
	int64_t time_ns;
	struct str line = cut_time(piece->text, &time_ns);

	record_init(out_record, RECORD_REQUEST);
	out_record->source = intake->source;
	out_record->key = piece->key;
	out_record->time_ns = time_ns;
	int rc = accesslog_parse(intake->format, line, intake->arena, out_record, err);
	if (rc == 0) {
		record_set_text(out_record, FIELD_raw, piece->raw);
		return piece->item->newline ? 0 : mark_unended(intake, out_record, err);
	}
	if (rc == -ERR_NOMEM) {
		return rc;
	}
	say_place(intake, piece->item);
	buf_put_text(&intake->scratch, err->text);
	rc = give_reject(intake, piece, out_record, err);
	if (time_ns != 0) {
		out_record->time_ns = time_ns;
	}
	return rc;
}

/* Sets the row's key and hands it to the joiner. */
static int add_row(struct intake *intake, const struct piece *piece, struct auditrow *row,
		   struct error *err)
{
	const struct auditrow_column *file = auditrow_column(row, "file_name");
	const struct auditrow_column *offset = auditrow_column(row, "audit_file_offset");

	if (file != NULL && file->type == AUDITROW_TEXT && file->text.len > 0 && offset != NULL &&
	    offset->type == AUDITROW_INT) {
		/* the piece is the line that was counted last */
		auditrow_key_of(row, auditrow_basename(file->text), offset->number, piece->ordinal,
				intake->tally.digest);
	} else {
		/* the ordinal must count within 16 bytes too: fold it into the digest's last bytes */
		memcpy(row->key, piece->key.ptr, sizeof(row->key));
		for (size_t i = 0; i < 4; i++) {
			row->key[12 + i] ^= (uint8_t)piece->key.ptr[16 + i];
		}
	}
	row->line = piece->raw;
	return auditrow_joiner_add(intake->joiner, row, err);
}

/* Reads a row's line, or the CSV row as one. */
static int read_row(struct intake *intake, const struct piece *piece, struct auditrow *row,
		    struct error *err)
{
	int64_t time_ns;
	struct str line = piece->text;

	if (intake->mode == SPLIT_CSV) {
		buf_clear(&intake->scratch);
		int rc = csv_put_json(&intake->csv, piece->text, &intake->scratch, err);
		if (rc == 0 && arena_str(intake->arena, buf_str(&intake->scratch), &line) != 0) {
			rc = error_set(err, ERR_LIMIT, "no memory for a batch of the files");
		}
		if (rc != 0) {
			return rc;
		}
	} else {
		line = cut_time(line, &time_ns);
	}
	return auditrow_parse_line(line, intake->arena, row, err);
}

static int give_row(struct intake *intake, const struct piece *piece, struct record *out_record,
		    bool *out_given, struct error *err)
{
	struct auditrow *row = &intake->row;

	row->column_count = 0;
	row->line = (struct str){0};
	int rc = read_row(intake, piece, row, err);
	if (rc == 0) {
		buf_clear(&intake->unended);
		if (!piece->item->newline) {
			buf_put_str(&intake->unended, piece->raw);
		}
		return add_row(intake, piece, row, err);
	}
	if (rc == -ERR_NOMEM) {
		return rc;
	}
	say_place(intake, piece->item);
	buf_put_text(&intake->scratch, err->text);
	*out_given = true;
	return give_reject(intake, piece, out_record, err);
}

/* Whether the piece is a CSV file's header row, which was then taken. */
static bool take_header(struct intake *intake, const struct reader_item *item, struct error *err)
{
	if (intake->mode != SPLIT_CSV || intake->csv.column_count > 0) {
		return false;
	}
	return csv_header(&intake->csv, readable(item), err) == 0;
}

int intake_recount(struct intake *intake, const struct reader_item *item, struct error *err)
{
	uint8_t key[TALLY_KEY_BYTES];
	uint32_t ordinal;
	struct error ignored;

	if (item->kind == READER_PIECE) {
		(void)take_header(intake, item, &ignored);
	}
	return tally_add(&intake->tally, readable(item), &ordinal, key, err);
}

int intake_give(struct intake *intake, const struct reader_item *item, struct record *out_record,
		bool *out_given, struct error *err)
{
	struct piece piece;

	assert(item->kind != READER_END);
	*out_given = true;
	if (item->kind == READER_BLANK_PIECE) {
		return give_skipped(intake, item, "white space", out_record, err);
	}
	if (item->kind != READER_PIECE) {
		return give_unreadable(intake, item, out_record, err);
	}
	if (take_header(intake, item, err)) {
		return give_skipped(intake, item, "the header row of the columns", out_record, err);
	}
	int rc = keep_piece(intake, item, &piece, err);
	if (rc != 0) {
		return rc;
	}
	if (intake->mode == SPLIT_CSV && intake->csv.column_count == 0) {
		say_place(intake, item);
		buf_putf(&intake->scratch, "neither JSON nor a CSV header: %s", err->text);
		return give_reject(intake, &piece, out_record, err);
	}
	if (intake->format != NULL) {
		return give_request(intake, &piece, out_record, err);
	}
	*out_given = false;
	return give_row(intake, &piece, out_record, out_given, err);
}

int intake_take(struct intake *intake, struct record *out_record, struct error *err)
{
	if (intake->joiner == NULL || !auditrow_joiner_has(intake->joiner)) {
		return -ERR_GONE; /* asked for each row: no sentence is made of it */
	}
	int rc = auditrow_joiner_take(intake->joiner, intake->arena, out_record, err);
	if (rc != 0) {
		return rc;
	}
	struct str raw = record_text(out_record, FIELD_raw);
	bool unended = intake->mode == SPLIT_OBJECTS ||
		       (intake->unended.len > 0 && str_has_suffix(raw, buf_str(&intake->unended)));
	return unended ? mark_unended(intake, out_record, err) : 0;
}
