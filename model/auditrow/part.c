#include "model/auditrow/part.h"

#include <stdint.h>
#include <stdlib.h>

#define ROW_TEXT_UNITS 4000 /* nvarchar(4000) */

_Static_assert(AUDITROW_COLUMNS_MAX < UINT8_MAX, "the place of a column fits a byte");

/* Copies text to *end and moves *end behind it. */
static struct str copy_text(struct str text, char **end)
{
	struct str copy = str_make(*end, text.len);

	if (text.len != 0) {
		memcpy(*end, text.ptr, text.len);
		*end += text.len;
	}
	return copy;
}

/* The text of a column that has one; numbers need not set it. */
static struct str column_text(const struct auditrow_column *column)
{
	bool has_text = column->type == AUDITROW_TEXT || column->type == AUDITROW_BINARY;

	return has_text ? column->text : str_make(NULL, 0);
}

/* Whether a text is a piece of the line: most are, but those with escapes. */
static bool is_of_line(struct str text, struct str line)
{
	uintptr_t offset = (uintptr_t)text.ptr - (uintptr_t)line.ptr;

	return text.len != 0 && offset < line.len && text.len <= line.len - offset;
}

struct copies {
	struct str from; /* the line of the row; empty when it has none */
	struct str line; /* the part's own copy of it */
	char *end;       /* where the next text goes that does not stand in the line */
};

/* The part's own form of a text. */
static struct str own_text(struct copies *copies, struct str text)
{
	if (is_of_line(text, copies->from)) {
		return str_make(copies->line.ptr + (text.ptr - copies->from.ptr), text.len);
	}
	return copy_text(text, &copies->end);
}

/* Copies the columns and notes where the known ones stand. */
static void copy_columns(const struct auditrow *row, struct part *part, struct copies *copies)
{
	unsigned guess = 0;

	for (size_t i = 0; i < row->column_count; i++) {
		struct auditrow_column *column = &part->column[i];
		unsigned known = auditcolumn_find(row->column[i].name, guess);

		*column = row->column[i];
		column->name = own_text(copies, column->name);
		column->text = own_text(copies, column_text(&row->column[i]));
		if (known < AUDITCOLUMN_COUNT) {
			part->place[known] = (uint8_t)(i + 1);
			guess = known + 1;
		}
	}
}

struct part *part_new(const struct auditrow *row, struct buf *scratch)
{
	size_t column_bytes = row->column_count * sizeof(row->column[0]);
	size_t room = sizeof(struct part) + column_bytes; /* of the allocation */
	struct copies copies = {.from = row->line};
	struct str line = row->line;
	struct part *part;
	size_t size;

	if (line.len == 0) {
		buf_clear(scratch);
		auditrow_put_line(row, scratch);
		if (scratch->failed) {
			return NULL;
		}
		line = buf_str(scratch);
	}
	room += line.len;
	size = room;
	for (size_t i = 0; i < row->column_count; i++) {
		const struct str texts[] = {row->column[i].name, column_text(&row->column[i])};

		for (size_t k = 0; k < 2; k++) {
			size += texts[k].len;
			room += is_of_line(texts[k], row->line) ? 0 : texts[k].len;
		}
	}
	part = malloc(room);
	if (part == NULL) {
		return NULL;
	}
	*part = (struct part){.size_bytes = size, .column_count = row->column_count};
	copies.end = (char *)part + sizeof(*part) + column_bytes;
	memcpy(part->key, row->key, sizeof(part->key));
	part->line = copy_text(line, &copies.end);
	copies.line = part->line;
	copy_columns(row, part, &copies);
	return part;
}

const struct auditrow_column *part_column(const struct part *part, unsigned column)
{
	return part->place[column] != 0 ? &part->column[part->place[column] - 1] : NULL;
}

int64_t part_number(const struct part *part, unsigned column, int64_t fallback)
{
	const struct auditrow_column *found = part_column(part, column);

	if (found == NULL || found->type == AUDITROW_NULL || found->type == AUDITROW_TEXT ||
	    found->type == AUDITROW_BINARY) {
		return fallback;
	}
	return found->number;
}

struct str part_text(const struct part *part, unsigned column)
{
	const struct auditrow_column *found = part_column(part, column);

	return found != NULL ? column_text(found) : str_make(NULL, 0);
}

/* UTF-16 units of WTF-8 text. */
static size_t utf16_units(struct str text)
{
	size_t units = 0;

	for (size_t i = 0; i < text.len; i++) {
		uint8_t byte = (uint8_t)text.ptr[i];

		units += (byte & 0xC0) != 0x80 ? 1 : 0;
		units += byte >= 0xF0 ? 1 : 0;
	}
	return units;
}

bool part_text_is_full(struct str text)
{
	return text.len >= ROW_TEXT_UNITS && text.len <= 3 * ROW_TEXT_UNITS &&
	       utf16_units(text) == ROW_TEXT_UNITS;
}

bool part_is_full(const struct part *part)
{
	return part_text_is_full(part_text(part, AUDITCOLUMN_statement)) ||
	       part_text_is_full(part_text(part, AUDITCOLUMN_additional_information));
}
