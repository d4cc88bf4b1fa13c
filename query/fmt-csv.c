#include "query/fmt.h"

#include "base/clock.h"
#include "query/csv-cell.h"

#include <stdlib.h>

struct csv {
	struct buf cell;
	struct buf defanged; /* names of this row's cells that were changed */
};

static int csv_begin(struct fmt *fmt, struct error *err)
{
	struct csv *csv = calloc(1, sizeof(*csv));
	if (csv == NULL) {
		return error_set(err, ERR_NOMEM, "no memory for the format");
	}
	buf_init(&csv->cell, 0);
	buf_init(&csv->defanged, 0);
	fmt->state = csv;
	bool first = true;
	for (size_t i = 0; i < fmt->column_count; i++) {
		if (!fmt->column[i].is_raw || fmt->with_raw) {
			csv_cell_put(&fmt->out->text, str_of(fmt->column[i].name), first);
			first = false;
		}
	}
	buf_put_text(&fmt->out->text, ",defanged\r\n");
	return 0;
}

/* A value's text in csv->cell or borrowed, made harmless; its column is noted when it was changed. */
static struct str harmless(struct fmt *fmt, const struct trail_column *column,
			   const struct trail_value *value)
{
	struct csv *csv = fmt->state;
	buf_clear(&csv->cell);
	switch (value->type) {
	case TRAIL_ABSENT:
		return buf_str(&csv->cell);
	case TRAIL_NUMBER:
		buf_put_i64(&csv->cell, value->number); /* -5 is a number and no formula */
		return buf_str(&csv->cell);
	case TRAIL_TIME:
		clock_put_rfc3339(&csv->cell, value->number, 9);
		return buf_str(&csv->cell);
	case TRAIL_BOOL:
		buf_put_text(&csv->cell, value->number != 0 ? "true" : "false");
		return buf_str(&csv->cell);
	case TRAIL_TEXT:
	case TRAIL_BYTES:
		break;
	}
	bool changed = csv_cell_defuse(value->text, fmt->out->is_terminal, &csv->cell);
	if (changed) {
		buf_put_text(&csv->defanged, csv->defanged.len > 0 ? " " : "");
		buf_put_text(&csv->defanged, column->name);
	}
	return buf_str(&csv->cell);
}

static int csv_row(struct fmt *fmt, const struct trail *trail, struct error *err)
{
	struct csv *csv = fmt->state;
	bool first = true;
	(void)err;
	buf_clear(&csv->defanged);
	for (size_t i = 0; i < fmt->column_count; i++) {
		const struct trail_column *column = &fmt->column[i];
		if (column->is_raw && !fmt->with_raw) {
			continue;
		}
		struct trail_value value = trail_value(trail, column);
		csv_cell_put(&fmt->out->text, harmless(fmt, column, &value), first);
		first = false;
	}
	csv_cell_put(&fmt->out->text, buf_str(&csv->defanged), false);
	buf_put_text(&fmt->out->text, "\r\n");
	return 0;
}

static int csv_end(struct fmt *fmt, const struct coverage *coverage, struct error *err)
{
	(void)fmt;
	(void)coverage;
	(void)err;
	return 0;
}

static void csv_done(struct fmt *fmt)
{
	struct csv *csv = fmt->state;
	if (csv != NULL) {
		buf_done(&csv->cell);
		buf_done(&csv->defanged);
		free(csv);
	}
	fmt->state = NULL;
}

const struct fmt_type fmt_csv = {
	"csv",
	"RFC 4180 for spreadsheets; cells that could act begin with ' and are named in `defanged`",
	false,
	csv_begin,
	csv_row,
	csv_end,
	csv_done};
