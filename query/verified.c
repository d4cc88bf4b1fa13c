#include "query/verified.h"

#include "base/json.h"
#include "base/utf8.h"
#include "query/notes.h"
#include "store/handle.h"
#include "store/log/indexes.h"

#include <inttypes.h>
#include <stdio.h>

static void add_problem(struct verified *verified, const char *text)
{
	if (verified->problems < VERIFIED_SHOWN) {
		char *at = verified->problem[verified->problems];
		(void)snprintf(at, sizeof verified->problem[0], "%s", text); /* cut: too long */
	}
	verified->problems++;
}

static void bad_checkpoint(void *owner, uint64_t size, const char *text)
{
	(void)size; /* the text names it */
	add_problem(owner, text);
}

static void bad_leaves(void *owner, const struct audit_finding *finding)
{
	char text[ERROR_TEXT_MAX + 64];
	if (finding->first == finding->last) {
		(void)snprintf(text, sizeof text, "leaf %" PRIu64 ": %s", finding->first,
			       finding->text); /* cut when it is too long */
	} else {
		(void)snprintf(text, sizeof text, "leaves %" PRIu64 " to %" PRIu64 ": %s",
			       finding->first, finding->last, finding->text);
	}
	add_problem(owner, text);
}

static void bad_index(void *owner, const struct indexes_finding *finding)
{
	const struct audit_finding leaves = {
		.first = finding->first, .last = finding->last, .text = finding->text};
	bad_leaves(owner, &leaves);
}

static int gather(struct session *session, struct claims *claims, struct error *err)
{
	const char *policy = session_option(session, OPTION_POLICY);
	int rc = policy != NULL ? claims_read_policy(claims, policy, err)
				: claims_read_store_keys(claims, session->store, err);
	rc = rc < 0 ? rc : claims_add_store(claims, session->store, err);
	claims_sort(claims);
	return rc;
}

/* The leaves, and the tree over them. */
static int check_log(struct session *session, struct verified *verified,
		     struct audit_options *options, struct error *err)
{
	struct audit_result result;
	struct secret key;
	secret_init(&key);
	int rc = session_read_store_key(session, &key, err);
	options->store_key = secret_peek(&key);
	rc = rc < 0 ? rc : audit_run(options, &result, err);
	secret_done(&key);
	if (rc == 0) {
		verified->leaves = result.head.size;
	}
	return rc;
}

static int check(struct session *session, struct verified *verified, struct error *err)
{
	struct claims claims;
	struct notes notes;
	struct indexes_result indexes;
	const struct indexes_options index_options = {.owner = verified, .found = bad_index};
	struct audit_options options = {.dir = session_store_dir(session),
					.redacted = &notes.redacted,
					.removed = &notes.removed,
					.owner = verified,
					.found = bad_leaves};
	claims_init(&claims, bad_checkpoint, verified);
	notes_init(&notes);
	int rc = notes_read(&notes, session->store, err);
	rc = rc < 0 ? rc : gather(session, &claims, err);
	if (rc == 0) {
		options.claims = claims.list;
		options.claim_count = claims.count;
		verified->signed_leaves = claims.covered_ns != INT64_MIN ? claims.covered : 0;
		verified->from_policy = claims.from_policy;
		memcpy(verified->origin, claims.origin, sizeof verified->origin);
		rc = check_log(session, verified, &options, err);
	}
	rc = rc < 0 ? rc : indexes_check(session->store, &index_options, &indexes, err);
	if (rc == 0 && claims.covered_ns == INT64_MIN) {
		add_problem(verified, "nothing was signed by a key that is trusted");
	}
	notes_done(&notes);
	claims_done(&claims);
	return rc;
}

int verified_begin(struct session *session, struct verified *out, struct error *err)
{
	bool has_policy = session_option(session, OPTION_POLICY) != NULL;
	*out = (struct verified){.asked = session_option(session, OPTION_VERIFIED) != NULL};
	if (has_policy && (!out->asked || session->surroundings->served != NULL)) {
		return error_set(err, ERR_USAGE,
				 out->asked ? "--policy needs --store: querytrail-serve does not "
					      "read files of the one who asks"
					    : "--policy goes with --verified");
	}
	if (!out->asked) {
		return 0;
	}
	int rc = store_snapshot_begin(session->store, err);
	if (rc == 0) {
		out->store = session->store;
		rc = check(session, out, err);
	}
	return rc;
}

void verified_end(struct verified *verified)
{
	if (verified->store != NULL) {
		store_snapshot_end(verified->store);
		verified->store = NULL;
	}
}

bool verified_failed(const struct verified *verified)
{
	return verified != NULL && verified->asked && verified->problems > 0;
}

void verified_put_text(const struct verified *verified, struct buf *out)
{
	if (verified == NULL || !verified->asked) {
		return;
	}
	for (size_t i = 0; i < verified->problems && i < VERIFIED_SHOWN; i++) {
		buf_put_text(out, "\n  not verified: ");
		utf8_put_printable(out, str_of(verified->problem[i]));
	}
	if (verified->problems > VERIFIED_SHOWN) {
		buf_putf(out, "\n  not verified: %" PRIu64 " more; querytrail verify lists them",
			 verified->problems - VERIFIED_SHOWN);
	}
	if (verified->problems > 0) {
		return;
	}
	buf_putf(out, "\n  verified against checkpoint %" PRIu64 " of ", verified->signed_leaves);
	utf8_put_printable(out, str_of(verified->origin));
	buf_put_text(out, verified->from_policy ? "" : " (by the store's own list of keys)");
	if (verified->leaves > verified->signed_leaves) {
		buf_putf(out, "; %" PRIu64 " newer records are not signed yet",
			 verified->leaves - verified->signed_leaves);
	}
}

void verified_put_json(const struct verified *verified, struct buf *out)
{
	bool first = true;
	if (verified == NULL || !verified->asked) {
		return;
	}
	buf_put_text(out, ",\"verified\":{");
	json_put_key(out, &first, "result");
	buf_put_text(out, verified->problems == 0 ? "true" : "false");
	json_put_key(out, &first, "checkpoint");
	buf_put_u64(out, verified->signed_leaves);
	json_put_key(out, &first, "origin");
	json_put_string(out, str_of(verified->origin));
	json_put_key(out, &first, "trust");
	json_put_string(out, verified->from_policy ? STR_LIT("policy") : STR_LIT("store"));
	json_put_key(out, &first, "leaves");
	buf_put_u64(out, verified->leaves);
	json_put_key(out, &first, "problems");
	buf_put_byte(out, '[');
	for (size_t i = 0; i < verified->problems && i < VERIFIED_SHOWN; i++) {
		buf_put_text(out, i > 0 ? "," : "");
		json_put_string(out, str_of(verified->problem[i]));
	}
	buf_put_text(out, "]}");
}
