#include "query/show-fields.h"

#include "query/fmt.h"
#include "query/when.h"
#include "query/wrap.h"

#include <string.h>

#define NAME_COLUMNS 24

static void put_name(struct output *out, const char *name)
{
	size_t len = strlen(name);
	buf_put_text(&out->text, "    ");
	output_style(out, STYLE_DIM);
	buf_put_text(&out->text, name);
	output_style(out, STYLE_NONE);
	buf_put_fill(&out->text, ' ', len < NAME_COLUMNS ? NAME_COLUMNS - len : 1);
}

/* A value, wrapped behind its name. */
static void put_value(struct output *out, struct str value)
{
	wrap_put_behind(out, NAME_COLUMNS + 4, NAME_COLUMNS + 4, value);
}

void show_put_field_text(const struct output *out, const struct record *record, unsigned field,
			 struct buf *value)
{
	const struct field_info *info = field_info(field);
	switch (info->type) {
	case FIELD_TYPE_BYTES:
		if (field == FIELD_digest) {
			buf_put_hex(value, record_text(record, field));
			break;
		}
		fmt_put_one_line(value, record_text(record, field));
		break;
	case FIELD_TYPE_TEXT:
		fmt_put_one_line(value, record_text(record, field));
		break;
	case FIELD_TYPE_INT:
		buf_put_i64(value, record_number(record, field, 0));
		if (info->unit[0] != '\0' && strcmp(info->unit, info->name) != 0) {
			buf_putf(value, " %s", info->unit);
		}
		break;
	case FIELD_TYPE_TIME:
		when_put(value, out->zone, record_number(record, field, 0), 9, true);
		break;
	case FIELD_TYPE_BOOL:
		buf_put_text(value, record_number(record, field, 0) != 0 ? "true" : "false");
		break;
	}
}

static void put_field(struct output *out, const struct record *record, unsigned field)
{
	struct buf value;
	buf_init(&value, 0);
	show_put_field_text(out, record, field, &value);
	put_name(out, field_info(field)->name);
	put_value(out, buf_str(&value));
	buf_done(&value);
}

bool show_is_repetition(const struct record *record, unsigned field)
{
	switch (field) {
	case FIELD_schema:
	case FIELD_object:
		return record_has(record, FIELD_table);
	case FIELD_session_principal:
		return str_equal(record_text(record, field), record_text(record, FIELD_principal));
	case FIELD_raw:
	case FIELD_statement:
		return true; /* shown above, or by export --raw */
	case FIELD_parse:
		return str_is(record_text(record, FIELD_parse), "ok");
	default:
		return false;
	}
}

void show_put_fields(struct output *out, const struct record *record)
{
	for (unsigned field = 1; field < FIELD_LIMIT; field++) {
		if (field_info(field)->name != NULL && record_has(record, field) &&
		    !show_is_repetition(record, field)) {
			put_field(out, record, field);
		}
	}
}
