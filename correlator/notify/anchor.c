#include "correlator/notify/anchor.h"

#include "correlator/notify/wording.h"

#include <assert.h>
#include <stdio.h>

static const struct anchor_type *const types[] = {&anchor_file, &anchor_syslog, &anchor_witness,
						  &anchor_timestamp};

const struct anchor_type *anchor_type_by_name(const char *name)
{
	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
		if (strcmp(types[i]->name, name) == 0) {
			return types[i];
		}
	}
	return NULL;
}

int anchor_settings_load(const struct config *config, const char *name,
			 struct channel_settings *out_settings, const struct anchor_type **out_type,
			 struct error *err)
{
	struct channel_settings settings = {.config = config, .name = name};

	int len = snprintf(settings.section, sizeof(settings.section), "anchors.%s", name);
	if (len < 0 || (size_t)len >= sizeof(settings.section)) {
		return error_set(err, ERR_CONFIG, "the name of the anchor \"%s\" is too long",
				 name);
	}
	settings.timeout_ns = config_int(config, settings.section, "timeout");
	*out_type = anchor_type_by_name(config_text(config, settings.section, "type"));
	assert(*out_type != NULL); /* the schema knows no other */
	*out_settings = settings;
	return 0;
}

void anchor_reply_set(struct anchor_reply *reply, enum feed_anchored outcome, const char *format,
		      ...)
{
	struct buf plain;
	va_list args;
	char text[2 * CHANNEL_TEXT_MAX];

	va_start(args, format);
	(void)vsnprintf(text, sizeof(text), format, args); /* cut is fine */
	va_end(args);
	buf_init(&plain, 0);
	wording_plain(str_of(text), CHANNEL_TEXT_MAX - 1, &plain);
	reply->outcome = outcome;
	(void)snprintf(reply->text, sizeof(reply->text), "%.*s", STR_ARG(buf_str(&plain)));
	buf_done(&plain);
}
