#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "model/carried.h"
#include "store/id-filter.h"
#include "store/seal-keys.h"

#define NO_ROW UINT32_MAX

struct parts {
	struct seal_keys keys;
	struct buf ids, records;
	struct id_filter in_ids, in_records;
};

static void parts_init(struct parts *parts, size_t request_count)
{
	assert_int_equal(seal_keys_init(&parts->keys, request_count), 0);
	buf_init(&parts->ids, 0);
	buf_init(&parts->records, 0);
}

static void parts_finish(struct parts *parts)
{
	struct error err;
	assert_int_equal(seal_keys_finish(&parts->keys, &parts->ids, &parts->records), 0);
	assert_int_equal(id_filter_open(buf_str(&parts->ids), &parts->in_ids, &err), 0);
	assert_int_equal(id_filter_open(buf_str(&parts->records), &parts->in_records, &err), 0);
}

static void parts_done(struct parts *parts)
{
	seal_keys_done(&parts->keys);
	buf_done(&parts->ids);
	buf_done(&parts->records);
}

static bool has_key(const struct parts *parts, uint64_t key)
{
	return id_filter_may_hold(&parts->in_ids, key);
}

static bool has_id(const struct parts *parts, const char *id)
{
	return has_key(parts, carried_key(str_of(id)));
}

static bool has_borne(const struct parts *parts, const char *id)
{
	return has_key(parts, carried_key_borne(carried_key(str_of(id))));
}

static void init(struct record *record, enum record_kind kind, const char *key)
{
	record_init(record, kind);
	record->source = STR_LIT("s");
	record->key = str_of(key);
}

static bool has_record(const struct parts *parts, const struct record *record)
{
	char id[RECORD_ID_DIGITS + 1];
	record_stable_id(record->source, record->key, id);
	return id_filter_may_hold(&parts->in_records, carried_key(str_of(id)));
}

static void ids_of_all_kinds(void **state)
{
	/* request ids, trace ids, connection ids and alert ids are in the first filter, stable ids of all but verdicts in the second */
	struct parts parts;
	struct record record, request, statement, verdict, alert, order;
	(void)state;
	parts_init(&parts, 1);
	init(&request, RECORD_REQUEST, "k1");
	record_set_text(&request, FIELD_request_id, STR_LIT("rid"));
	record_set_text(&request, FIELD_extended_request_id, STR_LIT("xid"));
	record_set_text(&request, FIELD_lambda_request_id, STR_LIT("lid"));
	record_set_text(&request, FIELD_trace_id, STR_LIT("tid"));
	seal_keys_add(&parts.keys, &request, 0, NO_ROW);
	init(&statement, RECORD_STATEMENT, "k2");
	record_set_text(&statement, FIELD_connection_id, STR_LIT("cid"));
	record_set_text(&statement, FIELD_statement_id, STR_LIT("sid"));
	seal_keys_add(&parts.keys, &statement, 1, 0);
	init(&verdict, RECORD_VERDICT, "s0123456789abcdef.0");
	record_set_text(&verdict, FIELD_statement_id, STR_LIT("0123456789abcdef"));
	seal_keys_add(&parts.keys, &verdict, 2, 1);
	init(&alert, RECORD_ALERT, "k3");
	record_set_text(&alert, FIELD_alert_id, STR_LIT("aid"));
	seal_keys_add(&parts.keys, &alert, 3, NO_ROW);
	init(&order, RECORD_LIFECYCLE, "k4");
	record_set_text(&order, FIELD_alert_id, STR_LIT("oid"));
	seal_keys_add(&parts.keys, &order, 4, NO_ROW);
	parts_finish(&parts);
	const char *const ids[] = {"rid", "xid", "lid", "tid", "cid", "aid", "oid"};
	for (size_t i = 0; i < sizeof ids / sizeof ids[0]; i++) {
		assert_true(has_id(&parts, ids[i]));
	}
	assert_true(has_record(&parts, &request));
	assert_true(has_record(&parts, &statement));
	assert_true(has_record(&parts, &alert));
	assert_true(has_record(&parts, &order));
	assert_false(has_record(&parts, &verdict));
	assert_true(id_filter_may_hold(&parts.in_records, carried_key(STR_LIT("sid"))));
	init(&record, RECORD_GAP, "stranger");
	assert_false(has_record(&parts, &record));
	assert_false(has_id(&parts, "stranger"));
	assert_false(has_borne(&parts, "0123456789abcdef")); /* its subject is in the block */
	parts_done(&parts);
}

static void carried_ids_of_strangers(void **state)
{
	/* ids that a statement carries are kept when its request has them not, or is not in the block */
	struct parts parts;
	struct record request, statement;
	(void)state;
	parts_init(&parts, 1);
	init(&request, RECORD_REQUEST, "k1");
	record_set_text(&request, FIELD_request_id, STR_LIT("known"));
	seal_keys_add(&parts.keys, &request, 0, NO_ROW);
	init(&statement, RECORD_STATEMENT, "k2");
	record_set_text(&statement, FIELD_statement, STR_LIT("/*request_id=known*/ SELECT 1"));
	seal_keys_add(&parts.keys, &statement, 1, 0);
	parts_finish(&parts);
	assert_false(has_borne(&parts, "known"));
	parts_done(&parts);
	parts_init(&parts, 1);
	seal_keys_add(&parts.keys, &request, 0, NO_ROW);
	seal_keys_add(&parts.keys, &statement, 1, NO_ROW);
	record_set_text(&statement, FIELD_statement, STR_LIT("/*request_id=other*/ SELECT 1"));
	seal_keys_add(&parts.keys, &statement, 2, 0);
	parts_finish(&parts);
	assert_true(has_borne(&parts, "known"));
	assert_true(has_borne(&parts, "other"));
	parts_done(&parts);
}

static void marks_of_sessions(void **state)
{
	/* what may change a session's context is found by the session, once for each thing that it may do */
	struct parts parts;
	struct record statement;
	uint64_t session = 0;
	(void)state;
	parts_init(&parts, 0);
	init(&statement, RECORD_STATEMENT, "k2");
	record_set_text(&statement, FIELD_server, STR_LIT("SQL01"));
	record_set_number(&statement, FIELD_session_id, 77);
	record_set_text(&statement, FIELD_action, STR_LIT("LGO"));
	seal_keys_add(&parts.keys, &statement, 0, NO_ROW);
	parts_finish(&parts);
	assert_int_equal(carried_marks(&statement), CARRIED_RESETS);
	assert_true(carried_session(&statement, &session));
	assert_true(has_key(&parts, carried_key_marks(session, CARRIED_RESETS)));
	assert_false(has_key(&parts, carried_key_marks(session, CARRIED_SETS)));
	parts_done(&parts);
}

static void verdicts_on_strangers(void **state)
{
	/* a verdict or alert whose subject is in another block is found by the subject's stable id, of a statement or a request */
	struct parts parts;
	struct record verdict;
	(void)state;
	parts_init(&parts, 0);
	init(&verdict, RECORD_VERDICT, "s0123456789abcdef.1");
	record_set_text(&verdict, FIELD_statement_id, STR_LIT("0123456789abcdef"));
	seal_keys_add(&parts.keys, &verdict, 0, NO_ROW);
	init(&verdict, RECORD_VERDICT, "rfedcba9876543210.0");
	seal_keys_add(&parts.keys, &verdict, 1, NO_ROW);
	init(&verdict, RECORD_VERDICT, "r"); /* not one of ours */
	seal_keys_add(&parts.keys, &verdict, 2, NO_ROW);
	init(&verdict, RECORD_ALERT, "a");
	record_set_text(&verdict, FIELD_statement_id, STR_LIT("1111111111111111"));
	seal_keys_add(&parts.keys, &verdict, 3, NO_ROW);
	parts_finish(&parts);
	assert_true(has_borne(&parts, "0123456789abcdef"));
	assert_true(has_borne(&parts, "fedcba9876543210"));
	assert_true(has_borne(&parts, "1111111111111111"));
	parts_done(&parts);
}

static void empty_blocks_have_filters(void **state)
{
	/* no keys at all still make filters, which hold nothing */
	struct parts parts;
	(void)state;
	parts_init(&parts, 0);
	parts_finish(&parts);
	assert_false(has_id(&parts, "rid"));
	parts_done(&parts);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(ids_of_all_kinds),
		cmocka_unit_test(carried_ids_of_strangers),
		cmocka_unit_test(marks_of_sessions),
		cmocka_unit_test(verdicts_on_strangers),
		cmocka_unit_test(empty_blocks_have_filters),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
