#include "correlator/notify/channel.h"

#include "base/digest.h"
#include "base/utf8.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>

#define ID_HASH_BYTES   12
#define NAMES_SHOWN_MAX 64

static const struct channel_type *const types[] = {&channel_alertmanager, &channel_webhook,
						   &channel_smtp, &channel_syslog};

int notice_new(struct str encoded, uint64_t revision, struct notice **out_notice, struct error *err)
{
	struct notice *notice = malloc(sizeof(*notice) + encoded.len);

	if (notice == NULL) {
		return error_set(err, ERR_NOMEM, "no memory for an alert of %zu bytes",
				 encoded.len);
	}
	char *bytes = (char *)(notice + 1);
	if (encoded.len > 0) {
		memcpy(bytes, encoded.ptr, encoded.len);
	}
	*notice = (struct notice){
		.holders = 1, .revision = revision, .bytes = sizeof(*notice) + encoded.len};
	int rc = alert_decode(str_make(bytes, encoded.len), &notice->alert, err);
	if (rc == 0 && notice->alert.value[ALERT_id].len == 0) {
		rc = error_set(err, ERR_INPUT, "an alert has no id");
	}
	if (rc != 0) {
		free(notice);
		return rc;
	}
	*out_notice = notice;
	return 0;
}

struct notice *notice_hold(struct notice *notice)
{
	assert(notice->holders > 0);
	notice->holders++;
	return notice;
}

void notice_drop(struct notice *notice)
{
	if (notice == NULL) {
		return;
	}
	assert(notice->holders > 0);
	if (--notice->holders == 0) {
		free(notice);
	}
}

const struct channel_type *channel_type_by_name(const char *name)
{
	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
		if (strcmp(types[i]->name, name) == 0) {
			return types[i];
		}
	}
	return NULL;
}

static int find_name(const struct config *config, const char *name, struct error *err)
{
	const char *names[NAMES_SHOWN_MAX];
	size_t count = config_name_count(config, "channels");
	size_t shown = 0;

	for (size_t i = 0; i < count; i++) {
		const char *each = config_name(config, "channels", i);
		if (strcmp(each, name) == 0) {
			return 0;
		}
		if (shown < NAMES_SHOWN_MAX) {
			names[shown++] = each;
		}
	}
	const char *near = str_nearest(str_of(name), names, shown);
	if (near != NULL) {
		return error_set(err, ERR_CONFIG,
				 "the configuration has no channel \"%s\"; did you mean \"%s\"?",
				 name, near);
	}
	return error_set(err, ERR_CONFIG, "the configuration has no channel \"%s\" (it has %zu)",
			 name, count);
}

int channel_settings_load(const struct config *config, const char *name,
			  struct channel_settings *out_settings, struct error *err)
{
	struct channel_settings settings = {.config = config};

	int rc = find_name(config, name, err);
	if (rc != 0) {
		return rc;
	}
	int len = snprintf(settings.section, sizeof(settings.section), "channels.%s", name);
	if (len < 0 || (size_t)len >= sizeof(settings.section)) {
		return error_set(err, ERR_CONFIG, "the name of the channel \"%s\" is too long",
				 name);
	}
	for (size_t i = 0; i < config_name_count(config, "channels"); i++) {
		const char *each = config_name(config, "channels", i);
		settings.name = strcmp(each, name) == 0 ? each : settings.name;
	}
	const char *section = settings.section;
	settings.type = channel_type_by_name(config_text(config, section, "type"));
	assert(settings.type != NULL); /* the schema knows no other */
	settings.min_severity =
		alert_severity(str_of(config_text(config, section, "min_severity")));
	settings.timeout_ns = config_int(config, section, "timeout");
	settings.rate_per_min = (uint32_t)config_int(config, section, "rate");
	settings.tries = (uint32_t)config_int(config, section, "tries");
	settings.retry_wait_ns = config_int(config, section, "retry_wait");
	settings.retry_max_ns = config_int(config, section, "retry_max");
	settings.group_limit = settings.type->batch;
	if (settings.type->groups) {
		settings.group_wait_ns = config_int(config, section, "group_wait");
		settings.group_interval_ns = config_int(config, section, "group_interval");
		settings.group_limit = (size_t)config_int(config, section, "group_limit");
	}
	if (settings.type->resends) {
		settings.resend_ns = config_int(config, section, "resend_interval");
	}
	*out_settings = settings;
	return 0;
}

bool channel_wants(const struct channel_settings *settings, const struct alert *alert)
{
	size_t count = config_list_count(settings->config, settings->section, "rules");

	if (alert_severity(alert->value[ALERT_severity]) < settings->min_severity) {
		return false;
	}
	for (size_t i = 0; i < count; i++) {
		const char *rule = config_list(settings->config, settings->section, "rules", i);
		if (str_glob(alert->value[ALERT_rule], str_of(rule))) {
			return true;
		}
	}
	return count == 0;
}

void channel_message_id(struct channel_message *message)
{
	struct buf text;
	struct buf hex;
	uint8_t hash[DIGEST_BYTES];

	buf_init(&text, 0);
	buf_init(&hex, sizeof(message->id));
	for (size_t i = 0; i < message->notice_count; i++) {
		const struct notice *notice = message->notices[i];
		buf_put_str(&text, notice->alert.value[ALERT_id]);
		buf_putf(&text, " %llu\n", (unsigned long long)notice->revision);
	}
	digest_sha256(buf_str(&text), hash);
	buf_put_hex(&hex, str_make(hash, ID_HASH_BYTES));
	(void)snprintf(message->id, sizeof(message->id), "msg_%s", hex.ptr); /* 28 bytes */
	buf_done(&text);
	buf_done(&hex);
}

void channel_reply_set(struct channel_reply *reply, enum feed_outcome outcome, size_t count,
		       const char *format, ...)
{
	char raw[CHANNEL_TEXT_MAX];
	struct buf text;
	va_list args;

	*reply = (struct channel_reply){.outcome = outcome, .taken = count};
	va_start(args, format);
	int len = vsnprintf(raw, sizeof(raw), format, args);
	va_end(args);
	buf_init(&text, 0);
	utf8_put_printable(&text, str_of(len >= 0 ? raw : ""));
	struct str cut = utf8_fit(buf_str(&text), sizeof(reply->text) - 1);
	for (size_t columns = sizeof(reply->text) / 2; cut.len >= sizeof(reply->text);
	     columns /= 2) {
		cut = utf8_fit(cut, columns); /* wide characters have more bytes than columns */
	}
	if (cut.len > 0) {
		memcpy(reply->text, cut.ptr, cut.len);
		reply->text[cut.len] = '\0';
	}
	buf_done(&text);
}

const char *channel_option(const struct channel_settings *settings, const char *option)
{
	const char *text = config_text(settings->config, settings->section, option);

	return text[0] != '\0' ? text : NULL;
}
