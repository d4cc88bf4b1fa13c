#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/digest.h"
#include "model/redact.h"
#include "model/tsql/template.h"

#include <string.h>

static const struct redact_order literals = {REDACT_LITERALS, {"r1", 2}};
static const struct redact_order erased = {REDACT_ALL, {"e2", 2}};
static struct error err;

/* Redacts a record into out (cleared), and decodes what comes. */
static bool redact(const struct redact_order *order, struct str encoded, struct buf *out,
		   struct record *record)
{
	struct redactor *redactor = redactor_new();
	assert_non_null(redactor);
	buf_clear(out);
	assert_int_equal(redact_record(redactor, order, encoded, out, &err), 0);
	redactor_free(redactor);
	if (out->len > 0) {
		assert_int_equal(record_decode(buf_str(out), record, &err), 0);
	}
	return out->len > 0;
}

/* A record of a kind with all fields that it may hold; texts say their field's name. */
static void fill(struct record *record, enum record_kind kind)
{
	record_init(record, kind);
	record->source = STR_LIT("db");
	record->key = STR_LIT("\x01\x02key");
	record->time_ns = 77;
	for (unsigned field = 1; field < FIELD_LIMIT; field++) {
		const struct field_info *info = field_info(field);
		if (info->name == NULL || (info->kinds >> kind & 1) == 0 ||
		    field == FIELD_redacted || field == FIELD_digest) {
			continue;
		}
		if (info->type == FIELD_TYPE_TEXT || info->type == FIELD_TYPE_BYTES) {
			record_set_text(record, field, str_of(info->name));
		} else {
			record_set_number(record, field, 1);
		}
	}
}

static void every_field_is_decided(void **state)
{
	/* a new field of a kind that is redacted must be put into the table; until then it goes */
	static const bool listed[FIELD_LIMIT] = {
#define REDACT(field, literals, all) [FIELD_##field] = true,
#include "model/redact.def"
#undef REDACT
	};
	(void)state;
	for (unsigned field = 1; field < FIELD_LIMIT; field++) {
		const struct field_info *info = field_info(field);
		bool touched = false;
		for (unsigned kind = 1; info->name != NULL && kind < RECORD_KIND_COUNT; kind++) {
			touched = touched || ((info->kinds >> kind & 1) != 0 &&
					      redact_touches((enum record_kind)kind));
		}
		if (listed[field] != touched) {
			fail_msg("redact.def and fields.def differ about field %u", field);
		}
	}
}

static void literals_leave_who_and_where(void **state)
{
	/* what repeats values goes, ids, names and times stay, and the record is named as before */
	static const unsigned gone[] = {FIELD_raw, FIELD_extra, FIELD_path, FIELD_error};
	struct record record, left;
	struct buf encoded, out;
	struct str id;
	(void)state;
	buf_init(&encoded, 0);
	buf_init(&out, 0);
	fill(&record, RECORD_REQUEST);
	assert_int_equal(record_encode(&record, &encoded, &err), 0);
	assert_true(redact(&literals, buf_str(&encoded), &out, &left));
	for (size_t i = 0; i < sizeof gone / sizeof gone[0]; i++) {
		assert_true(record_has(&record, gone[i]));
		assert_false(record_has(&left, gone[i]));
	}
	assert_true(str_is(record_text(&left, FIELD_user), "user"));
	assert_true(str_is(record_text(&left, FIELD_request_id), "request_id"));
	assert_true(str_is(record_text(&left, FIELD_route), "route"));
	assert_true(str_equal(left.key, record.key));
	assert_int_equal(left.time_ns, 77);
	assert_int_equal(redact_degree_of(&left, &id), REDACT_LITERALS);
	assert_true(str_is(id, "r1"));
	buf_done(&encoded);
	buf_done(&out);
}

static void erased_leaves_names_alone(void **state)
{
	/* of requests, statements and rejects nothing but the listed fields stays; the digest is that of what was */
	static const enum record_kind kinds[] = {RECORD_REQUEST, RECORD_STATEMENT, RECORD_REJECT};
	static const unsigned may[] = {FIELD_redacted, FIELD_digest, FIELD_statement_id,
				       FIELD_offset, FIELD_skipped};
	(void)state;
	for (size_t i = 0; i < 3; i++) {
		struct record record, left;
		struct buf encoded, out;
		uint8_t digest[DIGEST_BYTES];
		buf_init(&encoded, 0);
		buf_init(&out, 0);
		fill(&record, kinds[i]);
		assert_int_equal(record_encode(&record, &encoded, &err), 0);
		assert_true(redact(&erased, buf_str(&encoded), &out, &left));
		for (size_t k = 0; k < sizeof may / sizeof may[0]; k++) {
			record_unset(&left, may[k] == FIELD_digest ? FIELD_raw : may[k]);
		}
		digest_sha256(buf_str(&encoded), digest);
		assert_memory_equal(record_text(&left, FIELD_digest).ptr, digest, sizeof digest);
		for (unsigned field = 1; field < FIELD_LIMIT; field++) {
			assert_true(field == FIELD_digest || !record_has(&left, field));
		}
		buf_done(&encoded);
		buf_done(&out);
	}
}

static void alerts_lose_what_matched(void **state)
{
	/* an alert repeats its record in what matched; rule, title and leaves stay */
	struct record record, left;
	struct buf encoded, out;
	(void)state;
	buf_init(&encoded, 0);
	buf_init(&out, 0);
	fill(&record, RECORD_ALERT);
	assert_int_equal(record_encode(&record, &encoded, &err), 0);
	assert_true(redact(&erased, buf_str(&encoded), &out, &left));
	assert_false(record_has(&left, FIELD_matched));
	assert_false(record_has(&left, FIELD_reason));
	assert_true(str_is(record_text(&left, FIELD_title), "title"));
	assert_int_equal(record_number(&left, FIELD_statement_leaf, -1), 1);
	buf_done(&encoded);
	buf_done(&out);
}

static void others_have_nothing_to_take(void **state)
{
	/* verdicts, gaps, accesses and the store's own history are left as they are */
	static const enum record_kind kinds[] = {RECORD_VERDICT, RECORD_GAP, RECORD_ACCESS,
						 RECORD_LIFECYCLE};
	(void)state;
	for (size_t i = 0; i < 4; i++) {
		struct record record, left;
		struct buf encoded, out;
		buf_init(&encoded, 0);
		buf_init(&out, 0);
		fill(&record, kinds[i]);
		assert_int_equal(record_encode(&record, &encoded, &err), 0);
		assert_false(redact(&erased, buf_str(&encoded), &out, &left));
		assert_false(redact_touches(kinds[i]));
		assert_int_equal(redact_degree_of(&record, NULL), REDACT_NOTHING);
		buf_done(&encoded);
		buf_done(&out);
	}
}

static void more_can_be_taken_later(void **state)
{
	/* erasing what was masked keeps the first digest; the same again, or less, changes nothing */
	struct record record, left, later;
	struct buf encoded, out, second, third;
	(void)state;
	buf_init(&encoded, 0);
	buf_init(&out, 0);
	buf_init(&second, 0);
	buf_init(&third, 0);
	fill(&record, RECORD_STATEMENT);
	assert_int_equal(record_encode(&record, &encoded, &err), 0);
	assert_true(redact(&literals, buf_str(&encoded), &out, &left));
	assert_false(redact(&literals, buf_str(&out), &second, &later));
	assert_true(redact(&erased, buf_str(&out), &second, &later));
	assert_true(str_equal(record_text(&left, FIELD_digest), record_text(&later, FIELD_digest)));
	assert_true(str_is(record_text(&later, FIELD_redacted), "erased e2"));
	assert_false(redact(&literals, buf_str(&second), &third, &later));
	assert_false(redact(&erased, buf_str(&second), &third, &later));
	buf_done(&encoded);
	buf_done(&out);
	buf_done(&second);
	buf_done(&third);
}

/* The statement that stays of one, in out. */
static void mask(const char *statement, struct buf *out)
{
	struct record record, left;
	struct buf encoded, bytes;
	buf_init(&encoded, 0);
	buf_init(&bytes, 0);
	record_init(&record, RECORD_STATEMENT);
	record.source = STR_LIT("db");
	record.key = STR_LIT("k");
	record_set_text(&record, FIELD_statement, str_of(statement));
	assert_int_equal(record_encode(&record, &encoded, &err), 0);
	assert_true(redact(&literals, buf_str(&encoded), &bytes, &left));
	buf_clear(out);
	buf_put_str(out, record_text(&left, FIELD_statement));
	buf_done(&encoded);
	buf_done(&bytes);
}

static void statements_keep_their_form(void **state)
{
	/* each literal and comment becomes a question mark; the rest is as it was */
	static const struct {
		const char *before, *after;
	} table[] = {
		{"SELECT a FROM t WHERE id = 4711", "SELECT a FROM t WHERE id = '?'"},
		{"SELECT N'x', 'y''z', 0xAB, $1.50, 1.5, 1e3 FROM [t]",
		 "SELECT '?', '?', '?', '?', '?', '?' FROM [t]"},
		{"SELECT a /* for bob */ FROM t -- 4711", "SELECT a /*?*/ FROM t --?"},
		{"SELECT a FROM t WHERE b = @P1", "SELECT a FROM t WHERE b = @P1"},
		{"UPDATE t SET a = \"bob\"", "UPDATE t SET a = '?'"},
		{"SELECT 'never ends", "SELECT '?'"},
		{"SELECT a FROM t WHERE b = ? AND c = 'bob'",
		 "SELECT a FROM t WHERE b = ? AND c = '?'"},
		{"SELECT a FROM t WHERE b = 1'bob'", "SELECT a FROM t WHERE b = ??"},
		{"", ""},
	};
	struct buf out;
	(void)state;
	buf_init(&out, 0);
	for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
		mask(table[i].before, &out);
		buf_put_byte(&out, 0);
		assert_string_equal(out.ptr, table[i].after);
	}
	buf_done(&out);
}

static void no_literal_survives(void **state)
{
	/* statements thrown together from parts, also ones that do not end: a canary in a literal or comment never comes through, and
	 * masking a second time changes nothing */
	static const char *const parts[] = {
		"'canary'", "N'canary'", "''",  "\"canary\"", "/*canary*/", "--canary", "\n",
		"777777",   " t ",       ",",   "7777.77",    " 0x77",      "$777",     "(",
		"\\",       "?",         "[t]", "SELECT ",    "1'canary'",  " 7e7"};
	struct buf text, once, twice;
	uint32_t seed = 1;
	(void)state;
	buf_init(&text, 0);
	buf_init(&once, 0);
	buf_init(&twice, 0);
	for (int round = 0; round < 4000; round++) {
		buf_clear(&text);
		for (int i = 0; i < 8; i++) {
			seed = seed * 1664525 + 1013904223;
			buf_put_text(&text, parts[(seed >> 16) % (sizeof parts / sizeof parts[0])]);
		}
		buf_put_text(&text, round % 4 == 0 ? " 'canary" : "");
		buf_put_byte(&text, 0);
		mask(text.ptr, &once);
		if (str_find(buf_str(&once), STR_LIT("canary"), 0) >= 0 ||
		    str_find(buf_str(&once), STR_LIT("77"), 0) >= 0) {
			fail_msg("%s became %s", text.ptr, once.ptr);
		}
		buf_put_byte(&once, 0);
		mask(once.ptr, &twice);
		assert_true(str_find(buf_str(&twice), STR_LIT("canary"), 0) < 0);
	}
	buf_done(&text);
	buf_done(&once);
	buf_done(&twice);
}

static void templates_stay_the_same(void **state)
{
	/* what statements are grouped by does not change, as long as double quotes are not used */
	static const char *const texts[] = {
		"SELECT a FROM dbo.t WHERE id = 5 AND n = N'x' /*request_id=1-2*/",
		"INSERT INTO t VALUES (1, -2.50, 'it''s', 0xFF)",
		"EXEC dbo.p @a = 'x', @b = 3; SELECT @@ROWCOUNT",
	};
	struct tsql_template before, after;
	struct buf out;
	(void)state;
	buf_init(&out, 0);
	tsql_template_init(&before);
	tsql_template_init(&after);
	for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
		mask(texts[i], &out);
		assert_int_equal(tsql_template_split(&before, str_of(texts[i]), NULL), 0);
		assert_int_equal(tsql_template_split(&after, buf_str(&out), NULL), 0);
		assert_true(str_equal(buf_str(&before.text), buf_str(&after.text)));
	}
	tsql_template_done(&before);
	tsql_template_done(&after);
	buf_done(&out);
}

static void says_what_it_refuses(void **state)
{
	/* bytes that are no record, ids that are none, and a buf without room; out stays as it was */
	static const struct redact_order bad[] = {
		{REDACT_ALL, {"", 0}}, {REDACT_ALL, {"a b", 3}}, {REDACT_ALL, {"a\n", 2}}};
	struct redactor *redactor = redactor_new();
	struct record record;
	struct buf encoded, out;
	(void)state;
	buf_init(&encoded, 0);
	buf_init(&out, 32);
	fill(&record, RECORD_STATEMENT);
	assert_int_equal(record_encode(&record, &encoded, &err), 0);
	assert_int_equal(redact_record(redactor, &erased, STR_LIT("no record"), &out, &err),
			 -ERR_CORRUPT);
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		assert_int_equal(redact_record(redactor, &bad[i], buf_str(&encoded), &out, &err),
				 -ERR_INPUT);
	}
	assert_int_equal(redact_record(redactor, &erased, buf_str(&encoded), &out, &err),
			 -ERR_LIMIT);
	assert_int_equal(out.len, 0);
	redactor_free(redactor);
	redactor_free(NULL);
	buf_done(&encoded);
	buf_done(&out);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_field_is_decided),
		cmocka_unit_test(literals_leave_who_and_where),
		cmocka_unit_test(erased_leaves_names_alone),
		cmocka_unit_test(alerts_lose_what_matched),
		cmocka_unit_test(others_have_nothing_to_take),
		cmocka_unit_test(more_can_be_taken_later),
		cmocka_unit_test(statements_keep_their_form),
		cmocka_unit_test(no_literal_survives),
		cmocka_unit_test(templates_stay_the_same),
		cmocka_unit_test(says_what_it_refuses),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
