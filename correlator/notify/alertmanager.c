/* alertmanager - Prometheus Alertmanager, API v2: POST /api/v2/alerts.
 *
 * Labels are the alert's identity there, so they hold only what no later revision changes; all that people read is annotations. A firing
 * alert ends a few resend intervals from now unless it is sent again; a resolved one ended when it was resolved.
 * Source: Alertmanager's api/v2/openapi.yaml. Tests: tests/integration/notify-alertmanager.py */
#include "base/clock.h"
#include "base/json.h"
#include "correlator/notify/transfer.h"
#include "correlator/notify/wording.h"

#include <stdlib.h>

#define BODY_MAX        (8u << 20)
#define LABEL_MAX       512
#define ANNOTATION_MAX  4096
#define RESENDS_TO_LIVE 4

struct channel {
	struct transfer transfer;
	struct buf url, body, text;
};

/* Labels: name and field. */
static const struct {
	const char *name;
	enum alert_field field;
} labels[] = {
	{"alert_id", ALERT_id},   {"severity", ALERT_severity}, {"rule", ALERT_rule},
	{"server", ALERT_server}, {"database", ALERT_database}, {"source", ALERT_source},
};

static void close_channel(struct channel *channel)
{
	transfer_done(&channel->transfer);
	buf_done(&channel->url);
	buf_done(&channel->body);
	buf_done(&channel->text);
	free(channel);
}

static int open_channel(const struct channel_settings *settings, const atomic_bool *stop,
			struct channel **out_channel, struct error *err)
{
	struct channel *channel = calloc(1, sizeof(*channel));

	if (channel == NULL) {
		return error_set(err, ERR_NOMEM, "no memory for the channel %s", settings->name);
	}
	struct str base = str_of(config_text(settings->config, settings->section, "url"));
	buf_init(&channel->url, 0);
	buf_init(&channel->body, BODY_MAX);
	buf_init(&channel->text, 0);
	while (base.len > 0 && base.ptr[base.len - 1] == '/') {
		base.len--;
	}
	buf_put_str(&channel->url, base);
	buf_put_text(&channel->url, "/api/v2/alerts");
	int rc = transfer_init(&channel->transfer, settings, stop, err);
	if (rc != 0) {
		close_channel(channel);
		return rc;
	}
	*out_channel = channel;
	return 0;
}

static void put_member(struct channel *channel, bool *first, const char *key, struct str text)
{
	if (text.len > 0) {
		json_put_key(&channel->body, first, key);
		json_put_string(&channel->body, text);
	}
}

/* The text in the buf as a member; empties the buf. */
static void put_text(struct channel *channel, bool *first, const char *key)
{
	put_member(channel, first, key, buf_str(&channel->text));
	buf_clear(&channel->text);
}

static void put_labels(struct channel *channel, const struct alert *alert)
{
	bool first = true;
	bool titled = alert->value[ALERT_title].len > 0;

	buf_put_text(&channel->body, "\"labels\":{");
	wording_plain(alert->value[titled ? ALERT_title : ALERT_rule], LABEL_MAX, &channel->text);
	if (channel->text.len == 0) {
		buf_put_text(&channel->text, "querytrail");
	}
	put_text(channel, &first, "alertname");
	for (size_t i = 0; i < sizeof(labels) / sizeof(labels[0]); i++) {
		wording_plain(alert->value[labels[i].field], LABEL_MAX, &channel->text);
		put_text(channel, &first, labels[i].name);
	}
	buf_put_text(&channel->body, "}");
}

static void add_line(void *owner, const char *label, struct str text, bool block)
{
	struct buf *out = owner;

	buf_putf(out, "%s%s:%s", out->len > 0 ? "\n" : "", label, block ? "\n" : " ");
	buf_put_str(out, text);
}

static void put_annotations(struct channel *channel, const struct channel_message *message,
			    const struct alert *alert)
{
	static const struct {
		const char *name;
		enum alert_field field;
	} fields[] = {
		{"explanation", ALERT_explanation},
		{"next_steps", ALERT_next_steps},
		{"statement", ALERT_statement},
		{"route", ALERT_route},
		{"grade", ALERT_grade},
		{"matched", ALERT_matched},
		{"statement_id", ALERT_statement_id},
		{"resolution", ALERT_resolution},
	};
	bool first = true;

	buf_put_text(&channel->body, "\"annotations\":{");
	buf_put_text(&channel->text, message->test ? "TEST, nothing happened: " : "");
	wording_headline(alert, &channel->text);
	put_text(channel, &first, "summary");
	wording_tell(alert, add_line, &channel->text);
	if (channel->text.len > 2 * ANNOTATION_MAX) { /* all of it is in the parts as well */
		struct buf cut;
		buf_init(&cut, 0);
		wording_block(buf_str(&channel->text), 2 * ANNOTATION_MAX, &cut);
		put_member(channel, &first, "description", buf_str(&cut));
		buf_done(&cut);
		buf_clear(&channel->text);
	}
	put_text(channel, &first, "description");
	wording_who(alert, &channel->text);
	put_text(channel, &first, "person");
	for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++) {
		wording_block(alert->value[fields[i].field], ANNOTATION_MAX, &channel->text);
		put_text(channel, &first, fields[i].name);
	}
	buf_put_text(&channel->body, "}");
}

static void put_time(struct channel *channel, const char *key, int64_t ns)
{
	buf_putf(&channel->body, ",\"%s\":\"", key);
	clock_put_rfc3339(&channel->body, ns, 3);
	buf_put_byte(&channel->body, '"');
}

static void put_alert(struct channel *channel, const struct channel_message *message,
		      const struct alert *alert)
{
	const struct channel_settings *settings = channel->transfer.settings;
	const char *link = channel_option(settings, "generator_url");
	int64_t end_ns = message->now_ns + RESENDS_TO_LIVE * settings->resend_ns;

	if (wording_is_resolved(alert)) {
		end_ns = wording_time(alert, ALERT_resolved, message->now_ns);
		end_ns = end_ns < message->now_ns ? end_ns : message->now_ns;
	}
	int64_t start_ns = wording_time(alert, ALERT_fired, message->now_ns);
	buf_put_byte(&channel->body, '{');
	put_labels(channel, alert);
	buf_put_byte(&channel->body, ',');
	put_annotations(channel, message, alert);
	put_time(channel, "startsAt", start_ns < end_ns ? start_ns : end_ns);
	put_time(channel, "endsAt", end_ns);
	if (link != NULL) {
		bool first = false;
		json_put_key(&channel->body, &first, "generatorURL");
		json_put_string(&channel->body, str_of(link));
	}
	buf_put_byte(&channel->body, '}');
}

/* The body for the first count notices; more count as not taken when the body would pass its limit. */
static size_t put_body(struct channel *channel, const struct channel_message *message)
{
	size_t taken = 0;

	buf_clear(&channel->body);
	buf_put_byte(&channel->body, '[');
	for (; taken < message->notice_count; taken++) {
		size_t before = channel->body.len;
		if (taken > 0) {
			buf_put_byte(&channel->body, ',');
		}
		put_alert(channel, message, &message->notices[taken]->alert);
		if (channel->body.failed && taken > 0) {
			channel->body.failed = false;
			buf_truncate(&channel->body, before);
			break;
		}
	}
	buf_put_byte(&channel->body, ']');
	return taken;
}

static void send_message(struct channel *channel, const struct channel_message *message,
			 struct channel_reply *out_reply)
{
	struct error err;

	size_t taken = put_body(channel, message);
	if (channel->body.failed) {
		channel_reply_set(out_reply, FEED_RETRY, 1, "no memory for the request's body");
		return;
	}
	transfer_reset(&channel->transfer, channel->url.ptr, "http,https");
	if (transfer_identify(&channel->transfer, &err) != 0 ||
	    transfer_authorize(&channel->transfer, &err) != 0) {
		channel_reply_set(out_reply, FEED_RETRY, taken, "%s", err.text);
		return;
	}
	transfer_post(&channel->transfer, buf_str(&channel->body), taken, out_reply);
}

const struct channel_type channel_alertmanager = {
	.name = "alertmanager",
	.resends = true,
	.batch = 64,
	.open = open_channel,
	.send = send_message,
	.close = close_channel,
};
