#include "collector/sources/cloudwatch/line.h"

#include "base/clock.h"
#include "base/digest.h"

#define REJECT_RAW_MAX (RECORD_MAX_BYTES / 2)
#define HASH_KEY_BYTES 16

static void hash_key(const struct reply_event *event, struct line *line)
{
	uint8_t digest[DIGEST_BYTES];
	const struct str parts[] = {line->stream, str_make("", 1),
				    str_make(&event->timestamp_ms, sizeof(event->timestamp_ms)),
				    event->problem != NULL ? event->raw : line->message};

	digest_sha256_parts(parts, sizeof(parts) / sizeof(parts[0]), digest);
	memcpy(line->key, digest, HASH_KEY_BYTES);
	line->key_len = HASH_KEY_BYTES;
}

int line_read(const struct reply_event *event, struct arena *arena, struct buf *scratch,
	      struct line *out_line, struct error *err)
{
	struct str id;

	*out_line = (struct line){0};
	if (!reply_text(event->stream, arena, scratch, &out_line->stream) ||
	    !reply_text(event->message, arena, scratch, &out_line->message) ||
	    !reply_text(event->event_id, arena, scratch, &id)) {
		return error_set(err, ERR_LIMIT, "no memory for the lines of a page");
	}
	out_line->key_len = eventid_key(id, event->timestamp_ms, out_line->key, &out_line->exact);
	if (out_line->key_len == 0 || event->problem != NULL) {
		hash_key(event, out_line);
		out_line->exact = false;
	}
	out_line->noise =
		event->problem == NULL && accesslog_is_noise(out_line->stream, out_line->message);
	return 0;
}

static int make_reject(const struct reply_event *event, const struct line *line, const char *why,
		       struct arena *arena, struct record *record)
{
	struct str reason;
	struct str raw = event->problem != NULL ? event->raw : line->message;
	struct str kept;

	if (arena_str(arena, str_of(why), &reason) != 0 ||
	    arena_str(arena, str_slice(raw, 0, REJECT_RAW_MAX), &kept) != 0) {
		return -ERR_LIMIT;
	}
	record->kind = RECORD_REJECT;
	memset(record->present, 0, sizeof(record->present));
	record_set_text(record, FIELD_raw, kept);
	record_set_text(record, FIELD_reason, reason);
	return 0;
}

int line_record(const struct line_context *context, const struct reply_event *event,
		const struct line *line, struct record *out_record, struct error *err)
{
	struct error why;
	struct arena *arena = context->arena;
	int64_t time_ms = event->timestamp_ms;
	int64_t time_ns;

	record_init(out_record, RECORD_REQUEST);
	out_record->source = context->source;
	if (arena_str(arena, str_make(line->key, line->key_len), &out_record->key) != 0) {
		return error_set(err, ERR_LIMIT, "no memory for the lines of a page");
	}
	if (time_ms == INT64_MIN || __builtin_mul_overflow(time_ms, NS_PER_MS, &time_ns)) {
		time_ns = context->fallback_ms * NS_PER_MS;
	}
	out_record->time_ns = time_ns;
	if (event->problem != NULL) {
		(void)error_set(&why, ERR_INPUT, "%s",
				event->problem); /* becomes the reject's reason */
	} else {
		int rc = accesslog_parse(context->format, line->message, arena, out_record, &why);
		if (rc == 0) {
			record_set_text(out_record, FIELD_log_stream, line->stream);
			return 0;
		}
		if (rc == -ERR_NOMEM) {
			return error_set(err, ERR_NOMEM, "no memory to read a line");
		}
	}
	if (make_reject(event, line, why.text, arena, out_record) != 0) {
		return error_set(err, ERR_LIMIT, "no memory for the lines of a page");
	}
	return 0;
}
