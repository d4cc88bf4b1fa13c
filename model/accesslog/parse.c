#include "model/accesslog/format.h"
#include "model/accesslog/wellknown.h"

/* The stream that CloudWatch Logs makes to try a new delivery (facts: AWS "Access logging"). */
#define TEST_STREAM "log_stream_created_by_aws_to_validate_log_delivery_subscriptions"

/* Whether the record says more than where it came from. */
static bool is_usable(const struct record *record, enum damage damage)
{
	bool has_id = record_has(record, FIELD_request_id) ||
		      record_has(record, FIELD_extended_request_id) ||
		      record_has(record, FIELD_lambda_request_id);

	if (has_id) {
		return true;
	}
	return damage == DAMAGE_NONE &&
	       (record_has(record, FIELD_route) || record_has(record, FIELD_status) ||
		record_has(record, FIELD_path) || record_has(record, FIELD_source_ip));
}

/* Reads a line for which there is no template. Sets the format that it turned out to have. */
static bool read_wellknown(const struct accesslog_format *format, struct str line,
			   struct arena *arena, struct reading *reading,
			   const struct accesslog_format **out_format)
{
	*out_format = format;
	if (line.len > 0 && line.ptr[0] == '{') {
		return wellknown_read(line, format->memo, arena, reading) ||
		       wellknown_recover(line, format->memo, reading);
	}
	for (size_t i = 0; i < FORMAT_BUILTIN_COUNT; i++) {
		if (split_line(format->builtin[i], line, reading) == SPLIT_WHOLE) {
			*out_format = format->builtin[i];
			return true;
		}
	}
	return false;
}

/* Reads a line by the template. One that is well formed but of another template (the stage's format was changed) is read by its
 * keys; one that only begins like the template gives what it begins with. */
static bool read_templated(const struct accesslog_format *format, struct str line,
			   struct arena *arena, struct reading *reading)
{
	enum split split = split_line(format, line, reading);
	struct reading keys;

	if (split == SPLIT_WHOLE) {
		return true;
	}
	if (wellknown_read(line, format->memo, arena, &keys) && keys.damage != DAMAGE_AMBIGUOUS) {
		*reading = keys;
		reading->damage = DAMAGE_RECOVERED;
		return true;
	}
	return split == SPLIT_FRONT;
}

int accesslog_parse(const struct accesslog_format *format, struct str line, struct arena *arena,
		    struct record *record, struct error *err)
{
	struct str text = str_trim(line);
	struct reading reading;
	int code;

	if (line.len > ACCESSLOG_LINE_MAX) {
		return error_set(err, ERR_LIMIT,
				 "an access log line of %zu bytes is longer than %d", line.len,
				 ACCESSLOG_LINE_MAX);
	}
	if (text.len == 0) {
		return error_set(err, ERR_INPUT, "an access log line is empty");
	}
	reading.count = 0;
	if (format->wellknown ? !read_wellknown(format, text, arena, &reading, &format)
			      : !read_templated(format, text, arena, &reading)) {
		return error_set(err, ERR_INPUT,
				 "an access log line of %zu bytes does not fit the format",
				 line.len);
	}
	code = reading_take(format, &reading, arena, record, err);
	if (code != 0) {
		return code;
	}
	record_set_text(record, FIELD_raw, line);
	if (!is_usable(record, reading.damage)) {
		return error_set(err, ERR_INPUT,
				 "an access log line of %zu bytes holds no request id that can be "
				 "told for sure",
				 line.len);
	}
	return 0;
}

bool accesslog_is_noise(struct str log_stream, struct str line)
{
	return str_is(log_stream, TEST_STREAM) || str_trim(line).len == 0;
}
