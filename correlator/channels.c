#include "correlator/channels.h"

#include "model/alert.h"
#include "model/feed.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>

#define SECTION_MAX 256

static int read_one(const struct config *config, const char *name, struct channel *out)
{
	char section[SECTION_MAX];
	int len = snprintf(section, sizeof section, "channels.%s", name);
	assert(len > 0 && (size_t)len < sizeof section);
	size_t count = config_list_count(config, section, "rules");
	out->name = str_of(name);
	out->min_severity = alert_severity(str_of(config_text(config, section, "min_severity")));
	out->rules = calloc(count + 1, sizeof out->rules[0]);
	if (out->rules == NULL) {
		return -ERR_NOMEM;
	}
	for (size_t i = 0; i < count; i++) {
		out->rules[i] = str_of(config_list(config, section, "rules", i));
	}
	out->rule_count = count;
	return 0;
}

int channels_read(const struct config *config, struct channels *out, struct error *err)
{
	size_t count = config_name_count(config, "channels");
	struct channels channels = {0};
	if (count > FEED_DELIVERIES_MAX) {
		return error_set(err, ERR_LIMIT,
				 "the configuration has %zu channels; at most %d are allowed",
				 count, FEED_DELIVERIES_MAX);
	}
	channels.items = calloc(count + 1, sizeof channels.items[0]);
	int rc = channels.items == NULL ? -ERR_NOMEM : 0;
	for (size_t i = 0; i < count && rc == 0; i++) {
		channels.count = i + 1;
		rc = read_one(config, config_name(config, "channels", i), &channels.items[i]);
	}
	if (rc < 0) {
		channels_done(&channels);
		return error_set(err, ERR_NOMEM, "no memory for %zu channels", count);
	}
	*out = channels;
	return 0;
}

void channels_done(struct channels *channels)
{
	for (size_t i = 0; i < channels->count; i++) {
		free(channels->items[i].rules);
	}
	free(channels->items);
	*channels = (struct channels){0};
}

const struct channel *channels_find(const struct channels *channels, struct str name)
{
	for (size_t i = 0; i < channels->count; i++) {
		if (str_equal(channels->items[i].name, name)) {
			return &channels->items[i];
		}
	}
	return NULL;
}

bool channel_takes(const struct channel *channel, struct str rule, int severity)
{
	bool takes = channel->rule_count == 0;
	for (size_t i = 0; i < channel->rule_count && !takes; i++) {
		takes = str_glob_fold(rule, channel->rules[i]);
	}
	return takes && severity >= channel->min_severity;
}
