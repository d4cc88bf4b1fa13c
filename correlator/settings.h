/* settings - what the daemon reads from the configuration, as values.
 *
 * Life:    texts borrow from the config, which must outlive the settings.
 * Threads: one per thread. Blocking: reads the signing key's file.
 * Tests:   tests/unit/settings.c
 */
#ifndef CORRELATOR_SETTINGS_H
#define CORRELATOR_SETTINGS_H

#include "base/config.h"
#include "base/log.h"
#include "base/secret.h"
#include "correlator/channels.h"
#include "correlator/join/join.h"
#include "correlator/sealer.h"

#define SETTINGS_JOIN_RECORDS (16u << 20)

struct settings {
	enum log_level log_level;
	int64_t commit_interval_ns;
	int64_t silence_limit_ns;
	struct settings_alerts {
		struct channels channels;
		int64_t hold_ns, resolve_after_ns, max_age_ns;
		size_t statement_bytes; /* of a statement that are told to channels */
	} alerts;
	struct sealer_settings seal;
	struct retention_settings {
		int64_t literals_ns, records_ns; /* 0: for ever */
		uint64_t size_bytes;             /* 0: no limit */
		int64_t interval_ns;
		const char *ledger; /* "": in the store */
	} retention;
	struct log_settings {
		const char *key_file, *next_key_file; /* "": none */
		int64_t interval_ns;
	} log;
	struct join_options join;
	struct secret store_key; /* empty: blocks are not encrypted */
	struct secret signing_key;
	struct join_route_rule *routes;
	struct str *principals; /* of all routes */
	struct join_server_clock *clocks;
};

/* Reads them. Returns 0, or ERR_CONFIG (the signing key), ERR_LIMIT (too many channels), ERR_NOMEM; then there is nothing to be freed. */
int settings_read(const struct config *config, struct settings *out, struct error *err);
void settings_done(struct settings *settings);

/* The record kinds that a configured source gives, by its type and content; 0 when the configuration does not name it. */
unsigned settings_source_kinds(const struct config *config, const char *name);

/* Whether a configured source has an end (files that are not followed). */
bool settings_source_is_finite(const struct config *config, const char *name);

#endif
