/* trial - the made-up alert with which a channel is tried, and what is told of it. */
#include "base/clock.h"
#include "correlator/notify/channel.h"
#include "correlator/notify/notify.h"
#include "correlator/notify/wording.h"
#include "model/options.h"

/* The fields of the made-up alert, but for its times. */
static const struct {
	enum alert_field field;
	const char *text;
} made_up[] = {
	{ALERT_state, "firing"},
	{ALERT_severity, "low"},
	{ALERT_rule, "querytrail-test"},
	{ALERT_title, "Test of this channel"},
	{ALERT_explanation, "This alert was made up to try the channel. Nothing happened."},
	{ALERT_next_steps, "Nothing. If you read this, alerts reach you."},
	{ALERT_matched, "querytrail alerts test"},
	{ALERT_user, "test@example.org"},
	{ALERT_route, "GET /test"},
	{ALERT_server, "test-server"},
	{ALERT_database, "test"},
	{ALERT_table, "dbo.Test"},
	{ALERT_verb, "SELECT"},
	{ALERT_principal, "test_login"},
	{ALERT_statement, "SELECT 'this is a test'\nFROM dbo.Test"},
	{ALERT_grade, "A"},
	{ALERT_grade_reason, "made up"},
};

static int make_notice(int64_t now_ns, struct notice **out_notice, struct error *err)
{
	struct alert alert = {0};
	char id[ALERT_ID_DIGITS + 1];
	struct buf when;
	struct buf encoded;

	buf_init(&when, 0);
	buf_init(&encoded, ALERT_MAX_BYTES);
	clock_put_rfc3339(&when, now_ns, 3);
	alert_id(STR_LIT("querytrail-test"), when.ptr, id);
	for (size_t i = 0; i < sizeof(made_up) / sizeof(made_up[0]); i++) {
		alert.value[made_up[i].field] = str_of(made_up[i].text);
	}
	alert.value[ALERT_id] = str_of(id);
	alert.value[ALERT_time] = buf_str(&when);
	alert.value[ALERT_fired] = buf_str(&when);
	int rc = alert_encode(&alert, &encoded, err);
	if (rc == 0) {
		rc = notice_new(buf_str(&encoded), 1, out_notice, err);
	}
	buf_done(&when);
	buf_done(&encoded);
	return rc;
}

static int tell(const struct channel_settings *settings, const struct channel_reply *reply,
		FILE *out, struct error *err)
{
	const char *name = settings->name;
	const char *type = settings->type->name;

	if (reply->outcome == FEED_DELIVERED) {
		(void)fprintf(out, "channel %s (%s): the test alert was delivered (%s)\n", name,
			      type, reply->text); /* what is printed is no part of the outcome */
		return 0;
	}
	return error_set(err, ERR_AGAIN, "channel %s (%s): the test alert was not delivered: %s%s",
			 name, type, reply->text,
			 reply->outcome == FEED_DEAD ? " (an alert would not be tried again)"
						     : " (an alert would be tried again)");
}

static int try_channel(const struct channel_settings *settings, FILE *out, struct error *err)
{
	atomic_bool stop = false;
	struct channel *channel = NULL;
	struct notice *notice = NULL;
	struct channel_reply reply = {0};

	int rc = make_notice(clock_now_ns(), &notice, err);
	if (rc == 0) {
		rc = settings->type->open(settings, &stop, &channel, err);
	}
	if (rc == 0) {
		struct channel_message message = {.notices = &notice,
						  .notice_count = 1,
						  .now_ns = clock_now_ns(),
						  .test = true};
		channel_message_id(&message);
		settings->type->send(channel, &message, &reply);
		settings->type->close(channel);
		rc = tell(settings, &reply, out, err);
	}
	notice_drop(notice);
	return rc;
}

int notify_test(const struct notify_options *options, FILE *out, struct error *err)
{
	struct channel_settings settings;
	struct config *config = NULL;

	int rc = notify_prepare(err);
	if (rc == 0) {
		rc = config_load(options_schema(), options->config_path, &config, NULL, err);
	}
	if (rc == 0) {
		rc = channel_settings_load(config, options->test_channel, &settings, err);
	}
	if (rc == 0) {
		rc = try_channel(&settings, out, err);
	}
	config_free(config);
	return rc;
}
