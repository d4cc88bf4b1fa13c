/* The matcher against an evaluation that knows no prefilter, no interning and no memo: random rules of all operations, random events.
 * What fires is the same for each pair, whatever the order of rules and events and however often an event comes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/hash.h"
#include "tests/contract/plainrule.h"
#include "tests/unit/matcher-fixture.h"

#define PACKS           300
#define RULES_PER_PACK  16
#define EVENTS_PER_PACK 24
#define TEXTS_MAX       8

static uint64_t draw(uint64_t *random, uint64_t below)
{
	*random = hash_u64(*random + 0x9E3779B97F4A7C15u);
	return (*random >> 11) % below;
}

/* ---- rules ---- */

static const char *const pieces[] = {
	"a", "b", "A", "ab", "drop", "DROP",   "table",         " ",  "é", "É", "Я", "я", "1", "10",
	"'", "ς", "Σ", "x",  "aaab", "select", "Select * From", "--", "€",
};
static const char *const wild[] = {"*", "?", "\\\\*", "*?", "??", ""};
static const char *const sql_fields[] = {"statement", "database",    "principal",
					 "object",    "client_ip",   "rows",
					 "succeeded", "duration_ms", "time"};
static const char *const request_fields[] = {"path", "user", "status", "source_ip", "route"};
static const char *const regexes[] = {"a+b",   "^dr.p", "[0-9]+$", "(a|b){2,3}",
				      "table", "x?y",   "^$"};
static const char *const networks[] = {"10.0.0.0/8", "192.168.1.0/24", "2001:db8::/32", "0.0.0.0/0",
				       "10.1.2.3"};

static void put_text(uint64_t *random, bool with_wild, struct buf *out)
{
	size_t count = draw(random, 4);

	buf_put_text(out, "\"");
	for (size_t i = 0; i < count; i++) {
		if (with_wild && draw(random, 4) == 0) {
			buf_put_text(out, wild[draw(random, 6)]);
		}
		buf_put_text(out, pieces[draw(random, sizeof(pieces) / sizeof(pieces[0]))]);
	}
	if (with_wild && draw(random, 4) == 0) {
		buf_put_text(out, "*");
	}
	buf_put_text(out, "\"");
}

static void put_list(uint64_t *random, bool with_wild, struct buf *out)
{
	size_t count = 1 + draw(random, 4);

	buf_put_byte(out, '[');
	for (size_t i = 0; i < count; i++) {
		buf_put_text(out, i != 0 ? ", " : "");
		put_text(random, with_wild, out);
	}
	buf_put_text(out, "]\n");
}

static void put_item(uint64_t *random, bool sql, struct buf *out)
{
	static const char *const places[] = {"", "|contains", "|startswith", "|endswith"};
	static const char *const more[] = {"", "", "", "|all", "|cased", "|neq"};
	static const char *const orders[] = {"lt", "lte", "gt", "gte"};
	static const char *const parts[] = {"minute", "hour", "day", "week", "month", "year"};
	const char *field = sql ? sql_fields[draw(random, 9)] : request_fields[draw(random, 5)];
	const char *other = sql ? sql_fields[draw(random, 8)] : request_fields[draw(random, 5)];

	buf_putf(out, "    %s", field);
	switch (draw(random, 14)) {
	case 0:
		buf_putf(out, "|re%s: '%s'\n", draw(random, 2) != 0 ? "|i" : "",
			 regexes[draw(random, 7)]);
		break;
	case 1:
		buf_putf(out, "|cidr: '%s'\n", networks[draw(random, 5)]);
		break;
	case 2:
		buf_putf(out, "|%s: %u\n", orders[draw(random, 4)], (unsigned)draw(random, 20));
		break;
	case 3:
		buf_putf(out, ": %u\n", (unsigned)draw(random, 20));
		break;
	case 4:
		buf_putf(out, "|exists: %s\n", draw(random, 2) != 0 ? "true" : "false");
		break;
	case 5:
		buf_put_text(out, ": null\n");
		break;
	case 6:
		buf_putf(out, "|fieldref%s: %s\n", places[draw(random, 4)], other);
		break;
	case 7:
		buf_putf(out, "|%s: %u\n", parts[draw(random, 6)], (unsigned)draw(random, 60));
		break;
	case 8:
		buf_put_text(out, "|base64offset|contains: 'ab1'\n");
		break;
	default:
		buf_putf(out, "%s%s: ", places[draw(random, 4)], more[draw(random, 6)]);
		put_list(random, true, out);
		break;
	}
}

static void put_rule(uint64_t *random, size_t number, struct buf *out)
{
	static const char *const conditions[] = {"a",
						 "not a",
						 "a and b",
						 "a or b",
						 "a and not b",
						 "not (a or c)",
						 "1 of them",
						 "all of them",
						 "(a and b) or (b and c)",
						 "not 1 of them",
						 "c and (a or not b)"};
	static const char names[] = "abc";
	bool sql = draw(random, 2) != 0;

	buf_putf(out, "%stitle: t\nid: r%zu\nlogsource:\n  product: %s\ndetection:\n",
		 number != 0 ? "---\n" : "", number,
		 sql ? "mssql" : "querytrail\n  service: request");
	for (size_t i = 0; i < 3; i++) {
		buf_putf(out, "  %c:\n", names[i]);
		if (!sql && draw(random, 6) == 0) {
			buf_put_text(out, "    - ");
			put_text(random, true, out);
			buf_put_text(out, "\n    - ");
			put_text(random, false, out);
			buf_put_text(out, "\n");
			continue;
		}
		put_item(random, sql, out);
	}
	buf_putf(out, "  condition: %s\n", conditions[draw(random, 11)]);
}

/* ---- events ---- */

struct event {
	struct record record;
	char texts[TEXTS_MAX][128];
	size_t text_count;
};

static struct str draw_text(uint64_t *random, struct event *event)
{
	char *text = event->texts[event->text_count++];
	size_t count = draw(random, 7);
	size_t len = 0;

	for (size_t i = 0; i < count; i++) {
		const char *piece = pieces[draw(random, sizeof(pieces) / sizeof(pieces[0]))];

		len += (size_t)snprintf(text + len, sizeof(event->texts[0]) - len, "%s", piece);
	}
	if (draw(random, 10) == 0) {
		text[len++] = (char)(0x80 + draw(random, 128)); /* no UTF-8, most often */
	}
	return str_make(text, len);
}

static void make_event(uint64_t *random, struct event *event)
{
	static const char *const addresses[] = {"10.1.2.3",        "192.168.1.77",  "2001:db8::1",
						"::ffff:10.9.9.9", "local machine", "8.8.8.8"};
	bool sql = draw(random, 2) != 0;
	struct record *record = &event->record;
	static const unsigned sql_texts[] = {FIELD_statement, FIELD_database, FIELD_principal,
					     FIELD_object};
	static const unsigned request_texts[] = {FIELD_path, FIELD_user, FIELD_route, FIELD_route};

	event->text_count = 0;
	record_init(record, sql ? RECORD_STATEMENT : RECORD_REQUEST);
	record->source = STR_LIT("s");
	record->key = STR_LIT("k");
	record->time_ns = (int64_t)draw(random, 2000000000) * NS_PER_SEC + 1;
	for (size_t i = 0; i < 4; i++) {
		if (draw(random, 4) != 0) {
			record_set_text(record, sql ? sql_texts[i] : request_texts[i],
					draw_text(random, event));
		}
	}
	if (draw(random, 3) != 0) {
		record_set_text(record, sql ? FIELD_client_ip : FIELD_source_ip,
				str_of(addresses[draw(random, 6)]));
	}
	if (draw(random, 3) != 0) {
		record_set_number(record, sql ? FIELD_rows : FIELD_status,
				  (int64_t)draw(random, 22));
	}
	if (sql && draw(random, 2) != 0) {
		record_set_number(record, FIELD_succeeded, (int64_t)draw(random, 2));
	}
	if (sql && draw(random, 2) != 0) {
		record_set_number(record, FIELD_duration_ms, (int64_t)draw(random, 22) - 11);
	}
}

/* ---- the comparison ---- */

struct seen {
	const struct pack *pack;
	uint64_t bits;
};

static int note(void *owner, const struct matcher_hit *hit, struct error *err)
{
	struct seen *seen = owner;

	(void)err;
	assert_true(hit->matched.len != 0 && hit->matched.len < 4096);
	assert_null(memchr(hit->matched.ptr, '\n', hit->matched.len));
	for (size_t i = 0; i < pack_rule_count(seen->pack); i++) {
		if (pack_rule(seen->pack, i) == hit->rule) {
			assert_true(seen->bits >> i == 0); /* in the order of the pack, once each */
			seen->bits |= UINT64_C(1) << i;
		}
	}
	return 0;
}

static uint64_t expected(const struct pack *pack, const struct record *record)
{
	uint64_t bits = 0;

	for (size_t i = 0; i < pack_rule_count(pack); i++) {
		const struct rule *rule = pack_rule(pack, i);
		bool sql = str_is(rule->product, "mssql");

		if (sql == (record->kind == RECORD_STATEMENT) &&
		    plainrule_holds(record, rule->condition)) {
			bits |= UINT64_C(1) << i;
		}
	}
	return bits;
}

static uint64_t found(struct matcher *matcher, const struct pack *pack, const struct record *record)
{
	struct rules_event event = {.stage = RULES_STAGE_RECORD};
	struct seen seen = {.pack = pack};
	struct matcher_run run = {note, &seen};
	struct error err;

	event.statement = record->kind == RECORD_STATEMENT ? record : NULL;
	event.request = record->kind == RECORD_REQUEST ? record : NULL;
	assert_int_equal(matcher_run(matcher, &event, &run, &err), 0);
	return seen.bits;
}

static struct event events[EVENTS_PER_PACK];

static size_t compare_pack(uint64_t *random, const char *text, size_t *out_fired)
{
	struct pack_options options = {.folders = NULL};
	struct ruleset *ruleset;
	struct matcher *matcher;
	const struct pack *pack;
	struct pack *parsed;
	struct error err;
	size_t rules;

	error_clear(&err);
	assert_int_equal(pack_parse("o.yml", str_of(text), &options, &parsed, &err), 0);
	assert_int_equal(ruleset_new(parsed, &ruleset, &err), 0);
	assert_int_equal(matcher_new(ruleset, &matcher, &err), 0);
	pack = ruleset_pack(ruleset);
	rules = pack_rule_count(pack);
	for (size_t i = 0; i < EVENTS_PER_PACK; i++) {
		make_event(random, &events[i]);
	}
	for (size_t i = 0; i < 2 * EVENTS_PER_PACK;
	     i++) { /* each twice, the second time in another order */
		size_t at = i < EVENTS_PER_PACK ? i : i * 7 % EVENTS_PER_PACK;
		uint64_t wanted = expected(pack, &events[at].record);
		uint64_t got = found(matcher, pack, &events[at].record);

		if (wanted != got) {
			struct buf json;

			buf_init(&json, 0);
			record_put_json(&events[at].record, &json);
			print_error("%s\n%s\nwanted %llx found %llx\n", text, json.ptr,
				    (unsigned long long)wanted, (unsigned long long)got);
			buf_done(&json);
		}
		assert_int_equal(wanted, got);
		*out_fired += (size_t)__builtin_popcountll(got);
	}
	matcher_free(matcher);
	ruleset_free(ruleset);
	return rules * EVENTS_PER_PACK;
}

static void both_evaluations_agree(void **state)
{ /* proves that prefilter, sharing and memory of results change nothing about what fires */
	uint64_t random = 20261122;
	size_t pairs = 0;
	size_t fired = 0;
	struct buf text;

	(void)state;
	buf_init(&text, 0);
	for (size_t i = 0; i < PACKS; i++) {
		buf_clear(&text);
		for (size_t rule = 0; rule < RULES_PER_PACK; rule++) {
			put_rule(&random, rule, &text);
		}
		pairs += compare_pack(&random, text.ptr, &fired);
	}
	buf_done(&text);
	print_message("# %zu pairs, %zu fired\n", pairs, fired / 2);
	assert_true(pairs >= 20000);
	assert_true(fired / 2 > pairs / 20); /* else the test would show little */
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(both_evaluations_agree)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
