#include "correlator/notify/webhookbody.h"

#include "base/clock.h"
#include "base/json.h"
#include "correlator/notify/wording.h"

#define FRAME_BYTES 64  /* what closes the body */
#define VALUE_GOOD  600 /* bytes of a value with which alerts tell enough */
#define VALUE_LEAST 8   /* so short, any alert fits */

/* The longest prefix that is max_bytes or less and does not cut a character. */
static struct str head_of(struct str text, size_t max_bytes)
{
	size_t len = text.len < max_bytes ? text.len : max_bytes;

	while (len > 0 && len < text.len && ((uint8_t)text.ptr[len] & 0xc0) == 0x80) {
		len--;
	}
	return str_slice(text, 0, len);
}

static void put_value(struct str text, size_t value_max, struct buf *scratch, struct buf *out)
{
	if (text.len <= value_max) {
		json_put_string(out, text);
		return;
	}
	buf_clear(scratch);
	buf_put_str(scratch, head_of(text, value_max));
	buf_put_text(scratch, "…");
	json_put_string(out, buf_str(scratch));
}

static void put_cut_names(const struct alert *alert, size_t value_max, struct buf *out)
{
	bool first = true;

	for (int i = 0; i < ALERT_FIELD_COUNT; i++) {
		if (alert->value[i].len > value_max) {
			buf_put_text(out, first ? ",\"cut\":[" : ",");
			json_put_string(out, str_of(alert_field_name((enum alert_field)i)));
			first = false;
		}
	}
	if (!first) {
		buf_put_byte(out, ']');
	}
}

static void put_alert(const struct notice *notice, size_t value_max, struct buf *out)
{
	struct buf scratch;
	bool first = true;

	buf_init(&scratch, 0);
	buf_put_byte(out, '{');
	for (int i = 0; i < ALERT_FIELD_COUNT; i++) {
		if (notice->alert.value[i].ptr != NULL) {
			json_put_key(out, &first, alert_field_name((enum alert_field)i));
			put_value(notice->alert.value[i], value_max, &scratch, out);
		}
	}
	json_put_key(out, &first, "revision");
	buf_put_u64(out, notice->revision);
	put_cut_names(&notice->alert, value_max, out);
	buf_put_byte(out, '}');
	buf_done(&scratch);
}

/* When what the message tells happened: the same on each try. */
static int64_t happened_ns(const struct channel_message *message)
{
	const struct alert *alert = &message->notices[0]->alert;
	bool ended = wording_is_resolved(alert);

	return wording_time(alert, ended ? ALERT_resolved : ALERT_fired, message->now_ns);
}

static const char *type_of(const struct channel_message *message)
{
	if (message->test) {
		return "alert.test";
	}
	return wording_is_resolved(&message->notices[0]->alert) ? "alert.resolved" : "alert.firing";
}

size_t webhook_body(const struct channel_message *message, struct buf *out)
{
	size_t value_max = WEBHOOK_BODY_MAX;
	size_t taken = 0;

	do { /* until all fit; one that is long must not spoil the others, so then until one does */
		value_max /= 2;
		taken = 0;
		buf_clear(out);
		buf_putf(out, "{\"type\":\"%s\",\"timestamp\":\"", type_of(message));
		clock_put_rfc3339(out, happened_ns(message), 3);
		buf_put_text(out, "\",\"data\":{\"alerts\":[");
		for (; taken < message->notice_count; taken++) {
			size_t before = out->len;
			buf_put_text(out, taken > 0 ? "," : "");
			put_alert(message->notices[taken], value_max, out);
			if (out->len > WEBHOOK_BODY_MAX - FRAME_BYTES) {
				buf_truncate(out, before);
				break;
			}
		}
	} while (value_max > VALUE_LEAST &&
		 (taken == 0 || (taken < message->notice_count && value_max > VALUE_GOOD)));
	size_t left = message->notice_count - taken + message->more_count;
	buf_putf(out, "],\"more\":%zu}}", left);
	return out->failed ? 0 : taken;
}
