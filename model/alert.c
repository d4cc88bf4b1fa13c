#include "model/alert.h"

#include "base/digest.h"
#include "base/json.h"
#include "base/wire.h"

#include <assert.h>

struct field_text {
	const char *name, *help;
};

static const struct field_text texts[ALERT_FIELD_COUNT] = {
#define ALERT_FIELD(name_, help_) [ALERT_##name_] = {.name = #name_, .help = help_},
#include "model/alert.def"
#undef ALERT_FIELD
};

static const char *const severities[] = {NULL,     "informational", "low",
					 "medium", "high",          "critical"};
#define SEVERITY_MAX 5

const char *alert_field_name(enum alert_field field)
{
	assert(field < ALERT_FIELD_COUNT);
	return texts[field].name;
}

const char *alert_field_help(enum alert_field field)
{
	assert(field < ALERT_FIELD_COUNT);
	return texts[field].help;
}

void alert_id(struct str rule, const char *record_id, char out[ALERT_ID_DIGITS + 1])
{
	static const char digits[] = "0123456789abcdef";
	const struct str parts[] = {STR_LIT("alert"), str_make("", 1), rule, str_make("", 1),
				    str_of(record_id)};
	uint8_t hash[DIGEST_BYTES];

	digest_sha256_parts(parts, sizeof(parts) / sizeof(parts[0]), hash);
	for (size_t i = 0; i < ALERT_ID_DIGITS; i++) {
		out[i] = digits[hash[i / 2] >> (i % 2 == 0 ? 4 : 0) & 0xf];
	}
	out[ALERT_ID_DIGITS] = '\0';
}

int alert_severity(struct str word)
{
	for (int i = 1; i <= SEVERITY_MAX; i++) {
		if (str_is(word, severities[i])) {
			return i;
		}
	}
	return 0;
}

const char *alert_severity_word(int severity)
{
	return severity >= 1 && severity <= SEVERITY_MAX ? severities[severity] : NULL;
}

int alert_encode(const struct alert *alert, struct buf *out, struct error *err)
{
	size_t start = out->len;
	bool had_failed = out->failed;

	for (size_t i = 0; i < ALERT_FIELD_COUNT; i++) {
		if (alert->value[i].ptr != NULL) {
			wire_put_u8(out, (uint8_t)(i + 1));
			wire_put_block(out, alert->value[i]);
		}
	}
	wire_put_u8(out, 0);
	if (out->failed || out->len - start > ALERT_MAX_BYTES) {
		if (!had_failed) {
			buf_truncate(out, start);
			out->failed = false;
		}
		return error_set(err, ERR_LIMIT, "an alert passes %u bytes, or its buffer",
				 ALERT_MAX_BYTES);
	}
	return 0;
}

int alert_decode(struct str bytes, struct alert *out_alert, struct error *err)
{
	struct wire_reader reader = wire_reader(bytes);
	struct alert alert = {0};
	unsigned last = 0;

	for (;;) {
		unsigned number = wire_u8(&reader);
		if (number == 0) {
			break;
		}
		struct str text = wire_block(&reader, ALERT_MAX_BYTES);
		if (number <= last) {
			reader.failed = true;
			break;
		}
		last = number;
		if (number <= ALERT_FIELD_COUNT) {
			alert.value[number - 1] = text.ptr != NULL ? text : STR_LIT("");
		}
	}
	if (reader.failed || wire_left(&reader) != 0) {
		return error_set(err, ERR_INPUT, "an alert is malformed at byte %zu of %zu",
				 reader.pos, bytes.len);
	}
	*out_alert = alert;
	return 0;
}

void alert_put_json(const struct alert *alert, struct buf *out)
{
	bool first = true;

	buf_put_byte(out, '{');
	for (size_t i = 0; i < ALERT_FIELD_COUNT; i++) {
		if (alert->value[i].ptr != NULL) {
			json_put_key(out, &first, texts[i].name);
			json_put_string(out, alert->value[i]);
		}
	}
	buf_put_byte(out, '}');
}
