#include "collector/sources/sqlserver/sqlrow.h"

#include "base/clock.h"
#include "base/parse.h"

#include <inttypes.h>

#define DAYS_1900_TO_1970 25567
#define DAY_100NS         (86400 * INT64_C(10000000))
#define RAW_MAX_BYTES     (1 << 20)

bool sqlrow_time_ns(int64_t days, int64_t time_100ns, int64_t *out_ns)
{
	int64_t day_ns, ns;
	if (time_100ns < 0 || time_100ns >= DAY_100NS ||
	    __builtin_mul_overflow(days - DAYS_1900_TO_1970, NS_PER_DAY, &day_ns) ||
	    __builtin_add_overflow(day_ns, time_100ns * 100, &ns)) {
		return false;
	}
	*out_ns = ns;
	return true;
}

static uint32_t unit_at(struct str s, size_t at)
{
	return (uint32_t)(uint8_t)s.ptr[at] | (uint32_t)(uint8_t)s.ptr[at + 1] << 8;
}

/* UTF-8 of cp, surrogates included: base/utf8.h refuses these, and here they must survive. */
static size_t encode(uint32_t cp, char out[4])
{
	if (cp < 0x80) {
		out[0] = (char)cp;
		return 1;
	}
	if (cp < 0x800) {
		out[0] = (char)(0xC0 | cp >> 6);
		out[1] = (char)(0x80 | (cp & 0x3F));
		return 2;
	}
	if (cp < 0x10000) {
		out[0] = (char)(0xE0 | cp >> 12);
		out[1] = (char)(0x80 | (cp >> 6 & 0x3F));
		out[2] = (char)(0x80 | (cp & 0x3F));
		return 3;
	}
	out[0] = (char)(0xF0 | cp >> 18);
	out[1] = (char)(0x80 | (cp >> 12 & 0x3F));
	out[2] = (char)(0x80 | (cp >> 6 & 0x3F));
	out[3] = (char)(0x80 | (cp & 0x3F));
	return 4;
}

/* Writes WTF-8 to out, which has room for 3 bytes a unit. Returns the length. */
static size_t convert_utf16(struct str utf16le, char *out)
{
	size_t len = 0;
	for (size_t at = 0; at + 1 < utf16le.len; at += 2) {
		uint32_t cp = unit_at(utf16le, at);
		if (cp < 0x80) {
			out[len++] = (char)cp;
			continue;
		}
		if ((cp & 0xFC00) == 0xD800 && at + 3 < utf16le.len) {
			uint32_t low = unit_at(utf16le, at + 2);
			if ((low & 0xFC00) == 0xDC00) {
				cp = 0x10000 + ((cp & 0x3FF) << 10) + (low & 0x3FF);
				at += 2;
			}
		}
		len += encode(cp, out + len);
	}
	return len;
}

static int text_column(const struct auditquery_column *column, const struct sqlrow_cell *cell,
		       struct arena *arena, struct auditrow_column *out, struct error *err)
{
	if (cell->bytes.len % 2 != 0) {
		return error_set(err, ERR_INPUT,
				 "column %s has %zu bytes of UTF-16, which is half a unit",
				 column->name, cell->bytes.len);
	}
	char *text = arena_alloc(arena, cell->bytes.len / 2 * 3);
	if (text == NULL) {
		return error_set(err, ERR_LIMIT, "no memory for column %s of %zu bytes",
				 column->name, cell->bytes.len);
	}
	out->type = AUDITROW_TEXT;
	out->text = str_make(text, convert_utf16(cell->bytes, text));
	return 0;
}

/* As SQL Server writes it: the first three groups are little-endian numbers. */
static int guid_column(const struct auditquery_column *column, const struct sqlrow_cell *cell,
		       struct arena *arena, struct auditrow_column *out, struct error *err)
{
	static const uint8_t order[16] = {3, 2, 1, 0, 5, 4, 7, 6, 8, 9, 10, 11, 12, 13, 14, 15};
	static const char digits[] = "0123456789ABCDEF";
	char text[36];
	size_t len = 0;
	if (cell->bytes.len != sizeof(order)) {
		return error_set(err, ERR_INPUT, "column %s has %zu bytes, a GUID has 16",
				 column->name, cell->bytes.len);
	}
	for (size_t i = 0; i < sizeof(order); i++) {
		uint8_t byte = (uint8_t)cell->bytes.ptr[order[i]];
		if (i == 4 || i == 6 || i == 8 || i == 10) {
			text[len++] = '-';
		}
		text[len++] = digits[byte >> 4];
		text[len++] = digits[byte & 15];
	}
	out->type = AUDITROW_TEXT;
	if (arena_str(arena, str_make(text, len), &out->text) != 0) {
		return error_set(err, ERR_LIMIT, "no memory for column %s", column->name);
	}
	return 0;
}

static int convert_column(const struct auditquery_column *column, const struct sqlrow_cell *cell,
			  struct arena *arena, struct auditrow_column *out, struct error *err)
{
	switch (column->shape) {
	case AUDITQUERY_INT:
		out->type = AUDITROW_INT;
		out->number = cell->number;
		return 0;
	case AUDITQUERY_BIT:
		out->type = AUDITROW_BOOL;
		out->number = cell->number != 0;
		return 0;
	case AUDITQUERY_TIME:
		out->type = AUDITROW_TIME;
		if (!sqlrow_time_ns(cell->days, cell->time_100ns, &out->number)) {
			return error_set(err, ERR_INPUT,
					 "column %s is outside of 1677 to 2262: day %" PRId64
					 " since 1900, time %" PRId64,
					 column->name, cell->days, cell->time_100ns);
		}
		return 0;
	case AUDITQUERY_BINARY:
		out->type = AUDITROW_BINARY;
		if (arena_str(arena, cell->bytes, &out->text) != 0) {
			return error_set(err, ERR_LIMIT, "no memory for column %s", column->name);
		}
		return 0;
	case AUDITQUERY_GUID:
		return guid_column(column, cell, arena, out, err);
	case AUDITQUERY_WIDE_TEXT:
	case AUDITQUERY_TEXT:
		return text_column(column, cell, arena, out, err);
	}
	return error_set(err, ERR_INPUT, "column %s has an unknown shape", column->name);
}

int sqlrow_convert(const struct sqlrow *row, struct arena *arena, struct auditrow *out_row,
		   struct error *err)
{
	if (row->count > AUDITROW_COLUMNS_MAX) {
		return error_set(err, ERR_LIMIT, "a row has %zu columns, at most %d are possible",
				 row->count, AUDITROW_COLUMNS_MAX);
	}
	for (size_t i = 0; i < row->count; i++) {
		struct auditrow_column *out = &out_row->column[i];
		*out = (struct auditrow_column){.name = str_of(row->columns[i].name)};
		if (!row->cells[i].is_null) {
			int status =
				convert_column(&row->columns[i], &row->cells[i], arena, out, err);
			if (status != 0) {
				return status;
			}
		}
	}
	out_row->column_count = row->count;
	out_row->line = (struct str){0};
	return 0;
}

void sqlrow_put_raw(const struct sqlrow *row, struct buf *out)
{
	for (size_t i = 0; i < row->count && out->len < RAW_MAX_BYTES; i++) {
		const struct sqlrow_cell *cell = &row->cells[i];
		buf_putf(out, "%s%s=", i > 0 ? " " : "", row->columns[i].name);
		if (cell->is_null) {
			buf_put_text(out, "NULL");
			continue;
		}
		switch (row->columns[i].shape) {
		case AUDITQUERY_INT:
		case AUDITQUERY_BIT:
			buf_put_i64(out, cell->number);
			break;
		case AUDITQUERY_TIME:
			buf_putf(out, "day %" PRId64 " time %" PRId64, cell->days,
				 cell->time_100ns);
			break;
		case AUDITQUERY_BINARY:
		case AUDITQUERY_GUID:
		case AUDITQUERY_WIDE_TEXT:
		case AUDITQUERY_TEXT:
			buf_put_text(out, "0x");
			buf_put_hex(out, str_slice(cell->bytes, 0, RAW_MAX_BYTES / 4));
			break;
		}
	}
}
