#include "tests/contract/plainrule.h"

#include <arpa/inet.h>
#include <assert.h>
#include <regex.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "base/clock.h"

#define TEXTS_MAX 8

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
	assert(regcomp(&regex, pattern,
		       REG_EXTENDED | REG_NOSUB |
			       ((value->flags & RULE_REGEX_FOLD) != 0 ? REG_ICASE : 0)) == 0);
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

bool plainrule_holds(const struct record *record, const struct rule_node *node)
{
	bool any = false;
	bool all = true;

	if (node->type == RULE_ITEM) {
		return item_fits(record, node->item);
	}
	for (size_t i = 0; i < node->child_count; i++) {
		bool one = plainrule_holds(record, node->children[i]);

		any = any || one;
		all = all && one;
	}
	return node->type == RULE_AND ? all : node->type == RULE_OR ? any : !any;
}
