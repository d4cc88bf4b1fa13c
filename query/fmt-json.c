#include "query/fmt.h"

#include "base/clock.h"
#include "base/json.h"
#include "base/parse.h"
#include "base/utf8.h"

/* Bytes that are no text stay exact as base64. */
static void put_bytes(struct buf *out, struct str bytes)
{
	if (utf8_invalid(bytes) < 0) {
		json_put_string(out, bytes);
		return;
	}
	buf_put_text(out, "{\"base64\":\"");
	parse_put_base64(out, bytes);
	buf_put_text(out, "\"}");
}

static void put_value(struct buf *out, const struct trail_value *value)
{
	switch (value->type) {
	case TRAIL_ABSENT:
		buf_put_text(out, "null");
		return;
	case TRAIL_TEXT:
		json_put_string(out, value->text);
		return;
	case TRAIL_BYTES:
		put_bytes(out, value->text);
		return;
	case TRAIL_NUMBER:
		buf_put_i64(out, value->number);
		return;
	case TRAIL_TIME:
		buf_put_byte(out, '"');
		clock_put_rfc3339(out, value->number, 9);
		buf_put_byte(out, '"');
		return;
	case TRAIL_BOOL:
		buf_put_text(out, value->number != 0 ? "true" : "false");
		return;
	}
}

void fmt_put_trail_json(const struct fmt *fmt, const struct trail *trail, struct buf *out)
{
	char separator = '{';
	for (size_t i = 0; i < fmt->column_count; i++) {
		const struct trail_column *column = &fmt->column[i];
		struct trail_value value = trail_value(trail, column);
		if (value.type == TRAIL_ABSENT || (column->is_raw && !fmt->with_raw)) {
			continue;
		}
		buf_put_byte(out, (uint8_t)separator);
		buf_put(out, fmt->key[i], fmt->key_len[i]);
		put_value(out, &value);
		separator = ',';
	}
	buf_put_text(out, separator == '{' ? "{}" : "}");
}

static int lines_begin(struct fmt *fmt, struct error *err)
{
	(void)fmt;
	(void)err;
	return 0;
}

static int lines_row(struct fmt *fmt, const struct trail *trail, struct error *err)
{
	(void)err;
	fmt_put_trail_json(fmt, trail, &fmt->out->text);
	buf_put_byte(&fmt->out->text, '\n');
	return 0;
}

static int lines_end(struct fmt *fmt, const struct coverage *coverage, struct error *err)
{
	(void)err;
	buf_put_text(&fmt->out->text, "{\"coverage\":");
	coverage_put_json(coverage, &fmt->out->text);
	buf_put_text(&fmt->out->text, "}\n");
	return 0;
}

static int document_begin(struct fmt *fmt, struct error *err)
{
	(void)err;
	buf_put_text(&fmt->out->text, "{\"rows\":[");
	return 0;
}

static int document_row(struct fmt *fmt, const struct trail *trail, struct error *err)
{
	(void)err;
	buf_put_text(&fmt->out->text, fmt->row_count > 0 ? ",\n" : "\n");
	fmt_put_trail_json(fmt, trail, &fmt->out->text);
	return 0;
}

static int document_end(struct fmt *fmt, const struct coverage *coverage, struct error *err)
{
	(void)err;
	buf_put_text(&fmt->out->text, "\n],\"coverage\":");
	coverage_put_json(coverage, &fmt->out->text);
	buf_put_text(&fmt->out->text, "}\n");
	return 0;
}

const struct fmt_type fmt_json = {
	"json",       "one JSON document with all fields and the coverage",
	true,         document_begin,
	document_row, document_end,
	NULL};

const struct fmt_type fmt_jsonl = {
	"jsonl",   "one JSON object a line with all fields; the last line is the coverage",
	true,      lines_begin,
	lines_row, lines_end,
	NULL};
