/* notify-fixture - alerts and channel settings for the tests of querytrail-notify. */
#ifndef TESTS_UNIT_NOTIFY_FIXTURE_H
#define TESTS_UNIT_NOTIFY_FIXTURE_H

#include "base/clock.h"
#include "correlator/notify/channel.h"
#include "model/options.h"

#include <stdlib.h>

#define T0 (INT64_C(1795384800) * NS_PER_SEC)

/* A notice with id, state, severity, rule, and the fields that set has. */
static inline struct notice *fixture_notice(const char *id, uint64_t revision,
					    const struct alert *set)
{
	struct alert alert = set != NULL ? *set : (struct alert){0};
	struct notice *notice = NULL;
	struct buf bytes;
	struct error err;

	buf_init(&bytes, 0);
	alert.value[ALERT_id] = str_of(id);
	if (alert.value[ALERT_state].ptr == NULL) {
		alert.value[ALERT_state] = STR_LIT("firing");
	}
	if (alert.value[ALERT_severity].ptr == NULL) {
		alert.value[ALERT_severity] = STR_LIT("high");
	}
	if (alert.value[ALERT_rule].ptr == NULL) {
		alert.value[ALERT_rule] = STR_LIT("rule");
	}
	assert_int_equal(alert_encode(&alert, &bytes, &err), 0);
	assert_int_equal(notice_new(buf_str(&bytes), revision, &notice, &err), 0);
	buf_done(&bytes);
	return notice;
}

/* A configuration with one channel "c" of these YAML lines, each indented by four. */
static inline struct config *fixture_config(const char *lines)
{
	struct config *config = NULL;
	struct buf text;
	struct error err;

	buf_init(&text, 0);
	buf_putf(&text, "channels:\n  c:\n%s", lines);
	struct config_input input = {.name = "test.yaml", .text = buf_str(&text)};
	if (config_parse(options_schema(), &input, &config, NULL, &err) != 0) {
		fail_msg("%s", err.text);
	}
	buf_done(&text);
	return config;
}

static inline struct channel_settings fixture_settings(const struct config *config)
{
	struct channel_settings settings;
	struct error err;

	if (channel_settings_load(config, "c", &settings, &err) != 0) {
		fail_msg("%s", err.text);
	}
	return settings;
}

#endif
