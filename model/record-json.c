#include "model/record.h"

#include "base/clock.h"
#include "base/json.h"
#include "base/parse.h"
#include "base/utf8.h"

static void put_base64_string(struct buf *out, struct str bytes)
{
	buf_put_byte(out, '"');
	parse_put_base64(out, bytes);
	buf_put_byte(out, '"');
}

static void put_time(struct buf *out, int64_t time_ns)
{
	buf_put_byte(out, '"');
	clock_put_rfc3339(out, time_ns, 9);
	buf_put_byte(out, '"');
}

static void put_field(const struct record *record, unsigned field, struct buf *out)
{
	const union field_value *value = &record->value[field];

	switch (field_info(field)->type) {
	case FIELD_TYPE_TEXT:
		json_put_string(out, value->text);
		return;
	case FIELD_TYPE_BYTES:
		if (utf8_invalid(value->text) < 0) {
			json_put_string(out, value->text);
			return;
		}
		buf_put_text(out, "{\"base64\":");
		put_base64_string(out, value->text);
		buf_put_byte(out, '}');
		return;
	case FIELD_TYPE_INT:
		buf_put_i64(out, value->number);
		return;
	case FIELD_TYPE_TIME:
		put_time(out, value->number);
		return;
	case FIELD_TYPE_BOOL:
		buf_put_text(out, value->number != 0 ? "true" : "false");
		return;
	}
}

void record_put_json(const struct record *record, struct buf *out)
{
	bool first = true;

	buf_put_byte(out, '{');
	json_put_key(out, &first, "kind");
	json_put_string(out, str_of(record_kind_name(record->kind)));
	json_put_key(out, &first, "source");
	json_put_string(out, record->source);
	json_put_key(out, &first, "key");
	put_base64_string(out, record->key);
	json_put_key(out, &first, "time");
	put_time(out, record->time_ns);
	for (unsigned field = 1; field < FIELD_LIMIT; field++) {
		if (record_has(record, field)) {
			json_put_key(out, &first, field_info(field)->name);
			put_field(record, field, out);
		}
	}
	buf_put_byte(out, '}');
}
