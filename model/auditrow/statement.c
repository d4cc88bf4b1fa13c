#include "model/auditrow/part.h"

#include "base/json.h"
#include "base/utf8.h"

/* A UTF-16 surrogate that stands at pos as three bytes of WTF-8, or 0. */
static uint32_t surrogate_at(struct str text, size_t pos)
{
	if (text.len < 3 || pos > text.len - 3 || (uint8_t)text.ptr[pos] != 0xED ||
	    (uint8_t)text.ptr[pos + 1] < 0xA0) {
		return 0;
	}
	return 0xD000u | ((uint32_t)(uint8_t)text.ptr[pos + 1] & 0x3F) << 6 |
	       ((uint32_t)(uint8_t)text.ptr[pos + 2] & 0x3F);
}

/* Appends text; a surrogate pair that was cut in halves becomes one character again. */
static void put_joined(struct buf *out, struct str text)
{
	uint32_t high = out->len >= 3 ? surrogate_at(buf_str(out), out->len - 3) : 0;
	uint32_t low = surrogate_at(text, 0);

	if (high >= 0xD800 && high < 0xDC00 && low >= 0xDC00) {
		buf_truncate(out, out->len - 3);
		utf8_put(out, 0x10000 + ((high - 0xD800) << 10) + (low - 0xDC00));
		text = str_slice(text, 3, text.len);
	}
	buf_put_str(out, text);
}

/* Appends a text that goes on from part to part. Columns that do not, repeat in each part. */
static void put_continued(const struct part *first, unsigned column, struct buf *out)
{
	struct str last = part_text(first, column);

	put_joined(out, last);
	for (const struct part *part = first->next; part != NULL; part = part->next) {
		struct str text = part_text(part, column);

		if (part_text_is_full(last) || !str_equal(text, last)) {
			put_joined(out, text);
			last = text.len != 0 ? text : last;
		}
	}
}

struct builder {
	struct arena *arena;
	struct record *record;
	struct buf *scratch; /* one text at a time */
	bool out_of_room;
};

/* Sets a text field; an empty text counts as absent. */
static void set_text(struct builder *builder, unsigned field, struct str text)
{
	if (text.len != 0) {
		record_set_text(builder->record, field, text);
	}
}

/* Sets it from a copy in the arena. */
static void set_copy(struct builder *builder, unsigned field, struct str text)
{
	struct str copy;

	if (text.len != 0 && arena_str(builder->arena, text, &copy) != 0) {
		builder->out_of_room = true;
	} else if (text.len != 0) {
		record_set_text(builder->record, field, copy);
	}
}

static void set_scratch(struct builder *builder, unsigned field)
{
	builder->out_of_room = builder->out_of_room || builder->scratch->failed;
	set_copy(builder, field, buf_str(builder->scratch));
	buf_clear(builder->scratch);
}

/* Whether a column says nothing: NULL, empty, or the zero that stands for "does not apply". */
static bool says_nothing(const struct auditrow_column *column)
{
	switch (column->type) {
	case AUDITROW_NULL:
		return true;
	case AUDITROW_TEXT:
	case AUDITROW_BINARY:
		return column->text.len == 0;
	case AUDITROW_INT:
	case AUDITROW_BOOL:
	case AUDITROW_TIME:
		break;
	}
	return column->number == 0;
}

/* Sets the field of a column; false when the value does not fit it. */
static bool set_field(struct builder *builder, unsigned field, const struct auditrow_column *column)
{
	bool is_number = column->type == AUDITROW_INT || column->type == AUDITROW_BOOL;

	switch (field_info(field)->type) {
	case FIELD_TYPE_INT:
		if (is_number) {
			record_set_number(builder->record, field, column->number);
		}
		return is_number;
	case FIELD_TYPE_BOOL:
		if (is_number) {
			record_set_number(builder->record, field, column->number != 0);
		}
		return is_number;
	case FIELD_TYPE_TEXT:
	case FIELD_TYPE_BYTES:
	case FIELD_TYPE_TIME:
		break;
	}
	if (column->type == AUDITROW_BINARY) {
		buf_put_hex(builder->scratch, column->text);
		set_scratch(builder, field);
	} else if (column->type == AUDITROW_TEXT) {
		bool padded = field == FIELD_action || field == FIELD_class;

		set_text(builder, field, padded ? str_trim(column->text) : column->text);
	}
	return column->type == AUDITROW_BINARY || column->type == AUDITROW_TEXT;
}

/* Rows returned, or affected when none were returned. Sets whether both columns are told by that. */
static void set_rows(struct builder *builder, const struct part *part, bool *out_told)
{
	int64_t returned = part_number(part, AUDITCOLUMN_response_rows, -1);
	int64_t affected = part_number(part, AUDITCOLUMN_affected_rows, -1);

	*out_told = returned <= 0 || affected <= 0 || returned == affected;
	if (returned > 0 || affected < 0) {
		affected = returned;
	}
	if (affected >= 0) {
		record_set_number(builder->record, FIELD_rows, affected);
	}
}

/* Takes what a known column says into the record; false when it has to go to extra. */
static bool take_known(struct builder *builder, const struct part *first, unsigned known)
{
	const struct auditrow_column *column = part_column(first, known);
	unsigned field = auditcolumn_info(known)->field;
	bool told;

	switch (known) {
	case AUDITCOLUMN_event_time:
		return true;
	case AUDITCOLUMN_statement:
	case AUDITCOLUMN_additional_information:
		if (first->next == NULL) {
			set_text(builder, field, part_text(first, known));
		} else {
			put_continued(first, known, builder->scratch);
			set_scratch(builder, field);
		}
		return column->type == AUDITROW_TEXT;
	case AUDITCOLUMN_file_name:
		set_text(builder, field, auditrow_basename(part_text(first, known)));
		return column->type == AUDITROW_TEXT;
	case AUDITCOLUMN_response_rows:
	case AUDITCOLUMN_affected_rows:
		set_rows(builder, first, &told);
		return part_number(first, known, -1) >= 0 &&
		       (told || known == AUDITCOLUMN_response_rows);
	case AUDITCOLUMN_object_id:
	case AUDITCOLUMN_transaction_id:
	case AUDITCOLUMN_user_defined_event_id:
		return says_nothing(column) || set_field(builder, field, column);
	default:
		return field != 0 && set_field(builder, field, column);
	}
}

static void put_extra(const struct auditrow_column *column, struct buf *extra)
{
	buf_put_byte(extra, extra->len == 0 ? '{' : ',');
	json_put_string(extra, column->name);
	buf_put_byte(extra, ':');
	auditrow_put_value(column, extra);
}

static void set_columns(struct builder *builder, const struct part *first)
{
	bool taken[AUDITROW_COLUMNS_MAX] = {false};

	for (unsigned known = 0; known < AUDITCOLUMN_COUNT; known++) {
		if (part_column(first, known) != NULL) {
			taken[first->place[known] - 1] = take_known(builder, first, known);
		}
	}
	for (size_t i = 0; i < first->column_count; i++) {
		if (!taken[i] && !says_nothing(&first->column[i])) {
			put_extra(&first->column[i], builder->scratch);
		}
	}
	if (builder->scratch->len != 0) {
		buf_put_byte(builder->scratch, '}');
		set_scratch(builder, FIELD_extra);
	}
}

/* What no single column says. */
static void set_derived(struct builder *builder, const struct statement_source *from)
{
	struct record *record = builder->record;
	struct str schema = record_text(record, FIELD_schema);
	struct str object = record_text(record, FIELD_object);
	char id[RECORD_ID_DIGITS + 1];

	if (schema.len != 0 && object.len != 0) {
		buf_put_str(builder->scratch, schema);
		buf_put_byte(builder->scratch, '.');
		buf_put_str(builder->scratch, object);
		set_scratch(builder, FIELD_table);
	}
	set_text(builder, FIELD_verb,
		 str_of(auditrow_verb(record_text(record, FIELD_action),
				      record_text(record, FIELD_statement))));
	record_stable_id(record->source, record->key, id);
	set_copy(builder, FIELD_statement_id, str_make(id, RECORD_ID_DIGITS));
	record_set_text(record, FIELD_parse, STR_LIT("ok"));
	if (from->incomplete) {
		record_set_number(record, FIELD_incomplete, 1);
	}
}

/* The lines of all rows, and what is told by their number and the last of them. */
static void set_parts(struct builder *builder, const struct statement_source *from)
{
	int64_t count = 0;
	int64_t sequence = -1;
	bool one = from->first->next == NULL;

	for (const struct part *part = from->first; part != NULL; part = part->next) {
		if (count++ > 0) {
			buf_put_byte(builder->scratch, '\n');
		}
		if (!one) {
			buf_put_str(builder->scratch, part->line);
		}
		sequence = part_number(part, AUDITCOLUMN_sequence_number, sequence);
	}
	if (one) {
		set_text(builder, FIELD_raw, from->first->line);
	} else {
		set_scratch(builder, FIELD_raw);
	}
	record_set_number(builder->record, FIELD_parts, count);
	if (sequence >= 0) {
		record_set_number(builder->record, FIELD_sequence, sequence);
	}
}

int statement_record(const struct statement_source *from, struct arena *arena, struct buf *scratch,
		     struct record *out_record, struct error *err)
{
	struct builder builder = {.arena = arena, .record = out_record, .scratch = scratch};
	struct str source;
	struct str key;

	buf_clear(scratch);
	if (arena_str(arena, from->source, &source) != 0 ||
	    arena_str(arena, str_make(from->first->key, sizeof(from->first->key)), &key) != 0) {
		return error_set(err, ERR_LIMIT, "there is no room for a statement of %.*s",
				 STR_ARG(from->source));
	}
	record_init(out_record, RECORD_STATEMENT);
	out_record->source = source;
	out_record->key = key;
	out_record->time_ns = part_number(from->first, AUDITCOLUMN_event_time, 0);
	set_columns(&builder, from->first);
	set_parts(&builder, from);
	set_derived(&builder, from);
	if (builder.out_of_room) {
		return error_set(err, ERR_LIMIT, "there is no room for a statement of %.*s",
				 STR_ARG(from->source));
	}
	return 0;
}
