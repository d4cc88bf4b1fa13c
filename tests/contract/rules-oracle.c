/* The matcher against an evaluation that knows no prefilter, no interning and no memo: random rules of all operations, random events.
 * What fires is the same for each pair, whatever the order of rules and events and however often an event comes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <arpa/inet.h>
#include <regex.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "base/clock.h"
#include "base/hash.h"
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

/* ---- the other evaluation ---- */

struct plain {
	struct str text;
	enum { PLAIN_TEXT, PLAIN_NUMBER, PLAIN_TIME } type;
	int64_t number;
	char space[64];
};

static size_t plain_values(const struct record *record, struct str name,
			   struct plain out[TEXTS_MAX])
{
	unsigned field = field_by_name(name);
	struct buf text;

	out[0] = (struct plain){.type = PLAIN_TEXT};
	if (name.len == 0) {
		size_t count = 0;

		for (unsigned i = 1; i < FIELD_LIMIT; i++) {
			if (record_has(record, i) && field_info(i)->type == FIELD_TYPE_TEXT) {
				out[count++] = (struct plain){.type = PLAIN_TEXT,
							      .text = record_text(record, i)};
			}
		}
		return count;
	}
	if (str_is(name, "time")) {
		buf_init(&text, 0);
		clock_put_rfc3339(&text, record->time_ns, 9);
		memcpy(out[0].space, text.ptr, text.len);
		out[0].text = str_make(out[0].space, text.len);
		out[0].type = PLAIN_TIME;
		out[0].number = record->time_ns;
		buf_done(&text);
		return 1;
	}
	if (!record_has(record, field)) {
		return 0;
	}
	if (field_info(field)->type == FIELD_TYPE_TEXT) {
		out[0].text = record_text(record, field);
		return 1;
	}
	out[0].type = PLAIN_NUMBER;
	out[0].number = record_number(record, field, 0);
	if (field_info(field)->type == FIELD_TYPE_BOOL) {
		out[0].text = str_of(out[0].number != 0 ? "true" : "false");
	} else {
		int len = snprintf(out[0].space, sizeof(out[0].space), "%lld",
				   (long long)out[0].number);

		out[0].text = str_make(out[0].space, (size_t)len);
	}
	return 1;
}

/* Letters of this test made small, by a table of its own. */
static size_t make_small(struct str text, char *out)
{
	static const char *const pairs[][2] = {{"É", "é"}, {"Я", "я"}, {"Σ", "σ"}, {"ς", "σ"}};
	size_t len = 0;

	for (size_t i = 0; i < text.len;) {
		bool found = false;

		for (size_t p = 0; p < 4 && !found; p++) {
			if (str_has_prefix(str_slice(text, i, text.len), str_of(pairs[p][0]))) {
				memcpy(out + len, pairs[p][1], 2);
				len += 2;
				i += 2;
				found = true;
			}
		}
		if (!found) {
			char c = text.ptr[i++];

			out[len++] = (char)(c >= 'A' && c <= 'Z' ? c + 32 : c);
		}
	}
	return len;
}

static size_t char_len(struct str text, size_t at)
{
	uint8_t c = (uint8_t)text.ptr[at];
	size_t len = c >= 0xC2 && c < 0xE0   ? 2
		     : c >= 0xE0 && c < 0xF0 ? 3
		     : c >= 0xF0 && c < 0xF5 ? 4
					     : 1;

	for (size_t i = 1; i < len; i++) {
		if (at + i >= text.len || ((uint8_t)text.ptr[at + i] & 0xC0) != 0x80) {
			return 1;
		}
	}
	return len;
}

static bool inside(struct str text, size_t at)
{
	for (size_t back = 1; back <= 3 && back <= at; back++) {
		if (char_len(text, at - back) > back) {
			return at < text.len;
		}
	}
	return false;
}

static bool glob_naive(const uint16_t *codes, size_t count, struct str text, size_t at)
{
	if (count == 0) {
		return at == text.len;
	}
	if (codes[0] == RULE_ANY_TEXT) {
		for (size_t to = at; to <= text.len; to++) {
			if ((count < 2 || codes[1] != RULE_ANY_BYTE || !inside(text, to)) &&
			    glob_naive(codes + 1, count - 1, text, to)) {
				return true;
			}
		}
		return false;
	}
	if (at == text.len) {
		return false;
	}
	if (codes[0] == RULE_ANY_BYTE) {
		return glob_naive(codes + 1, count - 1, text, at + char_len(text, at));
	}
	return codes[0] == (uint8_t)text.ptr[at] && glob_naive(codes + 1, count - 1, text, at + 1);
}

static bool glob_fits(const struct rule_item *item, const struct rule_value *value, struct str text)
{
	uint16_t codes[256];
	char bytes[256], small[256];
	size_t count = 0;

	if (item->cased) {
		return glob_naive(value->glob, value->glob_len, text, 0);
	}
	for (size_t i = 0; i < value->glob_len;) {
		size_t len = 0;

		while (i < value->glob_len && value->glob[i] < 256) {
			bytes[len++] = (char)value->glob[i++];
		}
		len = make_small(str_make(bytes, len), small);
		for (size_t j = 0; j < len; j++) {
			codes[count++] = (uint8_t)small[j];
		}
		if (i < value->glob_len) {
			codes[count++] = value->glob[i++];
		}
	}
	return glob_naive(codes, count, str_make(small, make_small(text, small)), 0);
}

static bool regex_fits(const struct rule_value *value, struct str text)
{
	char pattern[64], subject[256];
	regex_t regex;
	bool found;

	(void)snprintf(pattern, sizeof(pattern), "%.*s", STR_ARG(value->text));
	(void)snprintf(subject, sizeof(subject), "%.*s", STR_ARG(text));
	assert_int_equal(regcomp(&regex, pattern,
				 REG_EXTENDED | REG_NOSUB |
					 ((value->flags & RULE_REGEX_FOLD) != 0 ? REG_ICASE : 0)),
			 0);
	found = regexec(&regex, subject, 0, NULL, 0) == 0;
	regfree(&regex);
	return found;
}

static bool address_bits(struct str text, char out[129], bool *is_v4)
{
	char copy[64];
	uint8_t bytes[16];
	size_t count = 4;

	(void)snprintf(copy, sizeof(copy), "%.*s", STR_ARG(text));
	if (str_has_prefix(text, STR_LIT("::ffff:"))) {
		memmove(copy, copy + 7, strlen(copy) - 6);
	}
	*is_v4 = inet_pton(AF_INET, copy, bytes) == 1;
	if (!*is_v4) {
		count = 16;
		if (inet_pton(AF_INET6, copy, bytes) != 1) {
			return false;
		}
	}
	for (size_t bit = 0; bit < count * 8; bit++) {
		out[bit] = (bytes[bit / 8] & (0x80 >> (bit % 8))) != 0 ? '1' : '0';
	}
	out[count * 8] = '\0';
	return true;
}

static bool cidr_fits(const struct rule_value *value, struct str text)
{
	char network[129], address[129];
	bool is_v4, also_v4;
	struct str rest = value->text;
	struct str host = str_split(&rest, '/');
	size_t bits;

	if (!address_bits(host, network, &is_v4) || !address_bits(text, address, &also_v4) ||
	    is_v4 != also_v4) {
		return false;
	}
	bits = rest.ptr != NULL ? (size_t)strtod(rest.ptr, NULL) : strlen(network);
	return strncmp(network, address, bits) == 0;
}

static bool number_of(const struct plain *plain, double *out)
{
	char copy[64];
	char *end;

	if (plain->type != PLAIN_TEXT) {
		*out = plain->type == PLAIN_TIME ? (double)plain->number / 1e9
						 : (double)plain->number;
		return true;
	}
	if (plain->text.len == 0 || plain->text.len > 40 ||
	    strspn(plain->text.ptr, "0123456789") < plain->text.len) {
		return false; /* the texts of this test have no other numbers */
	}
	(void)snprintf(copy, sizeof(copy), "%.*s", STR_ARG(plain->text));
	*out = strtod(copy, &end);
	return *end == '\0';
}

static bool part_of(enum rule_part part, const struct plain *plain, double *out)
{
	char week[16];
	time_t seconds = plain->number / NS_PER_SEC;
	struct tm tm;

	if (plain->type != PLAIN_TIME) {
		return false;
	}
	(void)gmtime_r(&seconds, &tm);
	(void)strftime(week, sizeof(week), "%V", &tm);
	*out = part == RULE_PART_MINUTE ? tm.tm_min
	       : part == RULE_PART_HOUR ? tm.tm_hour
	       : part == RULE_PART_DAY  ? tm.tm_mday
	       : part == RULE_PART_WEEK ? strtod(week, NULL)
	       : part == RULE_PART_YEAR ? tm.tm_year + 1900
					: tm.tm_mon + 1;
	return true;
}

static bool number_fits(const struct rule_item *item, const struct rule_value *value,
			const struct plain *plain)
{
	double number;

	if (item->part != RULE_PART_NONE ? !part_of(item->part, plain, &number)
					 : !number_of(plain, &number)) {
		return false;
	}
	return value->op == RULE_OP_LT    ? number < value->number
	       : value->op == RULE_OP_LTE ? number <= value->number
	       : value->op == RULE_OP_GT  ? number > value->number
	       : value->op == RULE_OP_GTE ? number >= value->number
					  : number == value->number;
}

static bool reference_fits(const struct record *record, const struct rule_value *value,
			   struct str text, bool cased)
{
	struct plain others[TEXTS_MAX];
	char a[256], b[256];
	struct str other;

	if (plain_values(record, value->text, others) == 0) {
		return false;
	}
	other = others[0].text;
	if (!cased) {
		text = str_make(a, make_small(text, a));
		other = str_make(b, make_small(other, b));
	}
	return value->flags == RULE_REF_STARTS  ? str_has_prefix(text, other)
	       : value->flags == RULE_REF_ENDS  ? str_has_suffix(text, other)
	       : value->flags == RULE_REF_HOLDS ? str_find(text, other, 0) >= 0
						: str_equal(text, other);
}

static bool value_fits(const struct record *record, const struct rule_item *item,
		       const struct rule_value *value)
{
	struct plain plain[TEXTS_MAX * 2];
	size_t count = plain_values(record, item->field, plain);
	bool any = false;

	if (value->op == RULE_OP_EXISTS) {
		return (count != 0) == (value->number != 0);
	}
	if (value->op == RULE_OP_NULL && count == 0) {
		return true;
	}
	for (size_t i = 0; i < count; i++) {
		switch (value->op) {
		case RULE_OP_GLOB:
			any = any || glob_fits(item, value, plain[i].text);
			break;
		case RULE_OP_REGEX:
			any = any || regex_fits(value, plain[i].text);
			break;
		case RULE_OP_CIDR:
			any = any || cidr_fits(value, plain[i].text);
			break;
		case RULE_OP_FIELDREF:
			any = any || reference_fits(record, value, plain[i].text, item->cased);
			break;
		case RULE_OP_NULL:
		case RULE_OP_EXISTS:
			any = any || plain[i].text.len == 0;
			break;
		case RULE_OP_LT:
		case RULE_OP_LTE:
		case RULE_OP_GT:
		case RULE_OP_GTE:
		case RULE_OP_EQUALS:
			any = any || number_fits(item, value, &plain[i]);
			break;
		}
	}
	return any;
}

static bool item_fits(const struct record *record, const struct rule_item *item)
{
	bool any = false;
	bool all = true;

	for (size_t i = 0; i < item->value_count; i++) {
		bool one = false;

		for (size_t j = 0; j < item->value_count; j++) {
			one = one || (item->values[j].alternative == item->values[i].alternative &&
				      value_fits(record, item, &item->values[j]));
		}
		any = any || value_fits(record, item, &item->values[i]);
		all = all && one;
	}
	return item->negated ? !any : item->all ? all : any;
}

static bool node_holds(const struct record *record, const struct rule_node *node)
{
	bool any = false;
	bool all = true;

	if (node->type == RULE_ITEM) {
		return item_fits(record, node->item);
	}
	for (size_t i = 0; i < node->child_count; i++) {
		bool one = node_holds(record, node->children[i]);

		any = any || one;
		all = all && one;
	}
	return node->type == RULE_AND ? all : node->type == RULE_OR ? any : !any;
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
		    node_holds(record, rule->condition)) {
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
