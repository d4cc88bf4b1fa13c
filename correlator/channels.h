/* channels - the alert channels of the configuration, as far as the daemon must know them: which alerts go to which.
 *
 * Life:    texts borrow from the config, which must outlive them.
 * Threads: read-only once read. Blocking: never. Tests: tests/unit/channels.c
 */
#ifndef CORRELATOR_CHANNELS_H
#define CORRELATOR_CHANNELS_H

#include "base/config.h"
#include "base/str.h"

struct channel {
	struct str name;
	int min_severity;  /* 1..5 */
	size_t rule_count; /* 0: alerts of every rule */
	struct str *rules; /* globs over the rule's id */
};

struct channels {
	struct channel *items;
	size_t count;
};

/* Reads them, in order of their names. Returns 0, ERR_LIMIT (more than FEED_DELIVERIES_MAX) or ERR_NOMEM; then there is nothing to be
 * freed. */
int channels_read(const struct config *config, struct channels *out, struct error *err);
void channels_done(struct channels *channels);

/* The channel of a name, or NULL. */
const struct channel *channels_find(const struct channels *channels, struct str name);

/* Whether alerts of this rule and severity go there. */
bool channel_takes(const struct channel *channel, struct str rule, int severity);

#endif
