#include "correlator/verdict.h"

#include <assert.h>
#include <stdio.h>

/* Reads which record the verdict is about. */
static int read_subject(struct store *store, uint64_t leaf, struct record_front *subject,
			struct error *err)
{
	struct str encoded;
	int rc = store_peek(store, leaf, &encoded, err);
	rc = rc < 0 ? rc : record_decode_front(encoded, subject, err);
	if (rc < 0) {
		error_prefix(err, "a verdict on leaf %llu", (unsigned long long)leaf);
	}
	return rc;
}

int verdict_make(struct store *store, const struct join_verdict *said, struct verdict *out,
		 struct error *err)
{
	bool on_statement = said->statement_leaf != JOIN_NO_LEAF;
	uint64_t leaf = on_statement ? said->statement_leaf : said->request_leaf;
	assert(leaf != JOIN_NO_LEAF);
	struct record_front subject;
	int rc = read_subject(store, leaf, &subject, err);
	if (rc < 0) {
		return rc;
	}
	record_stable_id(subject.source, subject.key, out->statement_id);
	int len = snprintf(out->key, sizeof out->key, "%c%s.%u", on_statement ? 's' : 'r',
			   out->statement_id, (unsigned)said->revision);
	assert(len > 0 && (size_t)len < sizeof out->key);
	struct record *record = &out->record;
	record_init(record, RECORD_VERDICT);
	record->source = STR_LIT(VERDICT_SOURCE);
	record->key = str_make(out->key, (size_t)len);
	record->time_ns = subject.time_ns;
	record_set_text(record, FIELD_reason, str_of(said->reason));
	record_set_text(record, FIELD_grade, str_of(said->grade));
	record_set_text(record, FIELD_settled,
			said->settled == JOIN_FINAL ? STR_LIT("final") : STR_LIT("provisional"));
	record_set_number(record, FIELD_revision, said->revision);
	if (said->carrier[0] != 0) {
		record_set_text(record, FIELD_carrier, str_of(said->carrier));
	}
	if (said->matched_by[0] != 0) {
		record_set_text(record, FIELD_matched_by, str_of(said->matched_by));
	}
	if (on_statement) {
		record_set_text(record, FIELD_statement_id, str_of(out->statement_id));
		record_set_number(record, FIELD_statement_leaf, (int64_t)said->statement_leaf);
	}
	if (said->request_leaf != JOIN_NO_LEAF) {
		record_set_number(record, FIELD_request_leaf, (int64_t)said->request_leaf);
	}
	return 0;
}
