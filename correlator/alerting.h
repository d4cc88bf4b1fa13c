/* alerting - what the rules say of what is stored, as alerts.
 *
 * Order:   within the transaction of a commit, behind its records and verdicts: each leaf that no rule has looked at is looked at
 *          once. A statement, request, gap, reject, access or lifecycle record is an event of stage RECORD; a verdict that is final, with
 *          its statement and request, one of stage TRAIL. A rule that fires makes an ALERT record, its row, and what the channels are to hear.
 * Same:    an alert is named by its rule and record; both are there once, so it fires once, whatever is replayed, sent twice or restarted.
 *          A TRAIL alert follows the standing verdict: a final one by which its rule does not fire revokes it. So the alerts that are not
 *          revoked are the same under any order and chunking of arrivals.
 * Records: firing, revoking and firing again are ALERT records (leaves); acknowledging and replaying are LIFECYCLE records, as persons do
 *          them; expiry is a change of the row alone, as it follows from the clock.
 * Limits:  ALERTING_ALERTS alerts and ALERTING_LEAVES leaves in one transaction; the rest go with the next.
 * Cost:    without rules nothing is read or decoded.
 * Errors:  final, like the keeper's: what was committed stands.
 * Threads: one per thread. Blocking: disk. Source: docs/format.md section 5.1. Tests: tests/unit/alerting.c, tests/simulation/alerts.c
 */
#ifndef CORRELATOR_ALERTING_H
#define CORRELATOR_ALERTING_H

#include "correlator/outbox.h"
#include "correlator/rules/ruleset.h"

#define ALERTING_ALERTS       4096
#define ALERTING_LEAVES       32768
#define ALERTING_SUBJECTS_MAX (64u << 20)

struct alerting;

struct alerting_settings {
	const struct channels *channels; /* borrowed for as long as they are in use */
	int64_t hold_ns, resolve_after_ns, max_age_ns;
	bool all_channels; /* there are no others: what waits for others is dead */
};

/* Makes one for a writer's store (borrowed), without rules and channels. Returns 0, ERR_CORRUPT, ERR_IO, ERR_NOMEM. */
int alerting_new(struct store *store, struct alerting **out_alerting, struct error *err);
void alerting_free(struct alerting *alerting);

/* Goes by other settings from now on. */
void alerting_set(struct alerting *alerting, const struct alerting_settings *settings);

/* Goes over to other rules; outside of a transaction. What is stored already is not looked at by rules that are new.
 *   ruleset  taken, on failure too; NULL: none, as configured
 * On failure the rules before stay. */
int alerting_use(struct alerting *alerting, struct ruleset *ruleset, struct error *err);

/* The rules in use, or NULL; and the rule of an id, or NULL. */
const struct ruleset *alerting_rules(const struct alerting *alerting);
const struct rule *alerting_rule(const struct alerting *alerting, struct str id);

/* Looks at what was not looked at, within the open transaction; end is its next leaf. *out_more: there is more than fits it. */
int alerting_catch_up(struct alerting *alerting, uint64_t end, int64_t now_ns, bool *out_more,
		      struct error *err);

/* A LIFECYCLE record was stored: an acknowledgement or a replay is done, within the open transaction. Others are passed over. */
int alerting_obey(struct alerting *alerting, const struct record *record, int64_t now_ns,
		  struct error *err);

/* Whether an alert has fired for resolve_after; and ends those, within the open transaction; *out_more: call again. */
int alerting_is_due(struct alerting *alerting, int64_t now_ns, bool *out_due, struct error *err);
int alerting_expire(struct alerting *alerting, int64_t now_ns, bool *out_more, struct error *err);

/* What became of a delivery, within the open transaction; see outbox_receive. */
int alerting_receive(struct alerting *alerting, const struct outbox_receipt *receipt,
		     int64_t now_ns, bool *out_known, struct error *err);

/* What is said about rules: loaded, bad, idle; and what was fired since the start. */
struct alerting_figures {
	size_t rules, bad_rules, idle_rules;
	uint64_t fired, revoked, behind; /* behind: leaves that no rule has looked at */
};
struct alerting_figures alerting_figures(const struct alerting *alerting);

#endif
