/* Any bytes as an encoded alert through the formats of all channels: what is promised of their output holds. */
#include "base/json.h"
#include "correlator/notify/mail.h"
#include "correlator/notify/mime.h"
#include "correlator/notify/syslogline.h"
#include "correlator/notify/webhookbody.h"
#include "correlator/notify/wording.h"

#include <assert.h>
#include <stdlib.h>

static bool has_control(struct str text, const char *allowed)
{
	for (size_t i = 0; i < text.len; i++) {
		uint8_t byte = (uint8_t)text.ptr[i];
		if ((byte < 0x20 || byte == 0x7f) && (byte == 0 || strchr(allowed, byte) == NULL)) {
			return true;
		}
	}
	return false;
}

static void check_json(struct str body)
{
	struct json_scanner scanner = json_scanner(body);
	enum json_event event;

	do {
		event = json_next(&scanner);
		assert(event != JSON_ERROR);
	} while (event != JSON_END);
	assert(scanner.pos == body.len && body.len <= WEBHOOK_BODY_MAX && !has_control(body, ""));
}

static void check_syslog(const struct notice *notice, bool cef, struct buf *out)
{
	struct syslog_how how = {.cef = cef, .facility = 13, .host = "h", .now_ns = 1};

	buf_clear(out);
	syslog_put_frame(notice, &how, out);
	struct str rest = buf_str(out);
	(void)str_split(&rest, ' ');
	assert(rest.len <= SYSLOG_LINE_MAX && !has_control(rest, ""));
}

static void check_mail(const struct channel_message *message, struct buf *out)
{
	struct buf quoted;

	buf_init(&quoted, 0);
	buf_clear(out);
	mail_text(message, out);
	assert(!has_control(buf_str(out), "\n"));
	mail_html(message, out);
	assert(!has_control(buf_str(out), "\n"));
	mime_put_quoted(&quoted, buf_str(out));
	buf_clear(out);
	wording_headline(&message->notices[0]->alert, out);
	mime_put_header(&quoted, "Subject", buf_str(out));
	for (struct str rest = buf_str(&quoted); rest.ptr != NULL;) {
		struct str line = str_split(&rest, '\n');
		assert(line.len <= 79 && !has_control(line, "\r"));
	}
	buf_done(&quoted);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct notice *notice;
	struct error err;
	struct buf out;

	if (size < 1 || notice_new(str_make(data + 1, size - 1), data[0], &notice, &err) != 0) {
		return 0;
	}
	struct channel_message message = {
		.notices = &notice, .notice_count = 1, .test = data[0] & 1, .now_ns = 1};
	buf_init(&out, 0);
	size_t taken = webhook_body(&message, &out);
	assert(taken == 1);
	check_json(buf_str(&out));
	check_syslog(notice, false, &out);
	check_syslog(notice, true, &out);
	check_mail(&message, &out);
	buf_done(&out);
	notice_drop(notice);
	return 0;
}
