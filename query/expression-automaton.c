#include "query/expression-automaton.h"

#include <stdlib.h>
#include <string.h>

#define DEPTH_MAX 16
#define STEPS_MAX 4096
#define TIMES_MAX 1000
#define ANY       SIZE_MAX

/* A part of an expression: where it may begin and end, and where it may be empty. */
struct part {
	uint16_t first[DFA_POSITIONS_MAX];
	uint16_t last[DFA_POSITIONS_MAX];
	uint16_t empty;
};

struct maker {
	struct dfa_form *form;
	struct str text;
	size_t pos;
	unsigned depth, steps;
	bool folds, dots_all, failed;
};

static char at(const struct maker *maker, size_t ahead)
{
	size_t pos = maker->pos + ahead;
	return pos < maker->text.len ? maker->text.ptr[pos] : '\0';
}

static void add_range(struct byteset *set, unsigned from, unsigned to)
{
	for (unsigned byte = from; byte <= to; byte++) {
		byteset_add(set, (uint8_t)byte);
	}
}

static struct byteset other_ascii(const struct byteset *set)
{
	return (struct byteset){{~set->bits[0], ~set->bits[1], 0, 0}};
}

/* Adds the class that an escape names. */
static bool add_named(char letter, struct byteset *out)
{
	struct byteset set = {{0}};
	char small = (char)(letter | 0x20);
	if (small == 'd' || small == 'w') {
		add_range(&set, '0', '9');
	}
	if (small == 'w') {
		add_range(&set, 'A', 'Z');
		add_range(&set, 'a', 'z');
		byteset_add(&set, '_');
	} else if (small == 's') {
		add_range(&set, '\t', '\r');
		byteset_add(&set, ' ');
	} else if (small != 'd') {
		return false;
	}
	if (letter != small) {
		set = other_ascii(&set);
	}
	for (size_t i = 0; i < 2; i++) {
		out->bits[i] |= set.bits[i];
	}
	return true;
}

/* The byte that an escape stands for, of those without a meaning of their own. */
static uint8_t escaped_byte(struct maker *maker, char c)
{
	bool is_plain = c > ' ' && c < 0x7f && !(c >= '0' && c <= '9') &&
			!((c | 0x20) >= 'a' && (c | 0x20) <= 'z');
	maker->failed = maker->failed || !(is_plain || c == 'n' || c == 't' || c == 'r');
	return (uint8_t)(c == 'n' ? '\n' : c == 't' ? '\t' : c == 'r' ? '\r' : c);
}

static void fold(const struct maker *maker, struct byteset *set)
{
	for (unsigned byte = 'a'; maker->folds && byte <= 'z'; byte++) {
		if (byteset_has(set, (uint8_t)byte) || byteset_has(set, (uint8_t)(byte ^ 0x20))) {
			byteset_add(set, (uint8_t)byte);
			byteset_add(set, (uint8_t)(byte ^ 0x20));
		}
	}
}

/* One byte of a class; false: a named class, which was added. */
static bool read_member(struct maker *maker, struct byteset *set, uint8_t *out_byte)
{
	char c = at(maker, 0);
	maker->pos++;
	*out_byte = (uint8_t)c;
	if (c == '\\') {
		c = at(maker, 0);
		maker->pos++;
		if (add_named(c, set)) {
			return false;
		}
		*out_byte = escaped_byte(maker, c);
	}
	maker->failed = maker->failed || *out_byte >= 0x80 || *out_byte == '\0' || c == '[' ||
			maker->pos > maker->text.len;
	return true;
}

static struct byteset read_class(struct maker *maker)
{
	struct byteset set = {{0}};
	bool is_not = at(maker, 0) == '^';
	bool is_first = true;
	maker->pos += is_not ? 1 : 0;
	for (; !maker->failed && (is_first || at(maker, 0) != ']'); is_first = false) {
		uint8_t from, to;
		bool is_byte = read_member(maker, &set, &from);
		bool is_range = at(maker, 0) == '-' && at(maker, 1) != ']';
		to = from;
		maker->failed = maker->failed || (!is_byte && is_range);
		if (is_byte && is_range) {
			maker->pos++;
			maker->failed =
				!read_member(maker, &set, &to) || maker->failed || to < from;
		}
		if (is_byte && !maker->failed) {
			add_range(&set, from, to);
		}
	}
	maker->pos++;
	fold(maker, &set);
	return is_not ? other_ascii(&set) : set;
}

static void put_set(struct maker *maker, const struct byteset *set, struct part *out)
{
	struct dfa_form *form = maker->form;
	memset(out, 0, sizeof *out);
	if (form->count == DFA_POSITIONS_MAX) {
		maker->failed = true;
		return;
	}
	form->set[form->count] = *set;
	out->first[form->count] = DFA_ALWAYS;
	out->last[form->count] = DFA_ALWAYS;
	form->count++;
}

/* What may be empty where something is so. */
static void put_place(struct part *out, bool (*holds)(unsigned before, unsigned behind))
{
	memset(out, 0, sizeof *out);
	for (unsigned before = 0; before < DFA_BEFORE_COUNT; before++) {
		for (unsigned behind = 0; behind < DFA_BEHIND_COUNT; behind++) {
			if (holds(before, behind)) {
				out->empty |= DFA_AROUND(before, behind);
			}
		}
	}
}

static bool at_begin(unsigned before, unsigned behind)
{
	(void)behind;
	return before == DFA_BEGIN;
}

static bool at_end(unsigned before, unsigned behind)
{
	(void)before;
	return behind == DFA_END;
}

static bool at_bound(unsigned before, unsigned behind)
{
	return (before == DFA_WORD) != (behind == DFA_WORD);
}

static bool at_no_bound(unsigned before, unsigned behind)
{
	return !at_bound(before, behind);
}

static void read_escape(struct maker *maker, struct part *out)
{
	struct byteset set = {{0}};
	char c = at(maker, 0);
	maker->pos++;
	if (c == 'A') {
		put_place(out, at_begin);
	} else if (c == 'z' || c == 'Z') {
		put_place(out, at_end);
		maker->form->ends_a_line = maker->form->ends_a_line || c == 'Z';
	} else if (c == 'b') {
		put_place(out, at_bound);
	} else if (c == 'B') {
		put_place(out, at_no_bound);
	} else {
		if (!add_named(c, &set)) {
			byteset_add(&set, escaped_byte(maker, c));
		}
		put_set(maker, &set, out);
	}
}

static void read_any(struct maker *maker, struct part *out);

static void read_group(struct maker *maker, struct part *out)
{
	bool is_special = at(maker, 0) == '?' || at(maker, 0) == '*';
	bool is_plain = at(maker, 0) == '?' && at(maker, 1) == ':';
	maker->failed = maker->failed || (is_special && !is_plain) || maker->depth == DEPTH_MAX;
	if (maker->failed) {
		return;
	}
	maker->pos += is_plain ? 2 : 0;
	maker->depth++;
	read_any(maker, out);
	maker->depth--;
	maker->failed = maker->failed || at(maker, 0) != ')';
	maker->pos++;
}

/* A byte, a class, a group, or a place. */
static void read_piece(struct maker *maker, struct part *out)
{
	struct byteset set = {{0}};
	char c = at(maker, 0);
	maker->pos++;
	maker->failed = maker->failed || ++maker->steps > STEPS_MAX;
	if (c == '\\') {
		read_escape(maker, out);
		return;
	}
	if (c == '(') {
		read_group(maker, out);
		return;
	}
	if (c == '^' || c == '$') {
		put_place(out, c == '^' ? at_begin : at_end);
		maker->form->ends_a_line = maker->form->ends_a_line || c == '$';
		return;
	}
	if (c == '[') {
		set = read_class(maker);
	} else if (c == '.') {
		add_range(&set, 0, 127);
		set.bits[0] &= ~(uint64_t)(maker->dots_all ? 0 : 1u << '\n');
	} else {
		maker->failed =
			maker->failed || (uint8_t)c >= 0x80 || memchr("*+?{\0", c, 5) != NULL;
		byteset_add(&set, (uint8_t)c);
		fold(maker, &set);
	}
	put_set(maker, &set, out);
}

/* One part, then another. */
static void put_behind(struct maker *maker, struct part *part, const struct part *next)
{
	struct dfa_form *form = maker->form;
	for (size_t p = 0; p < form->count; p++) {
		for (size_t q = 0; part->last[p] != 0 && q < form->count; q++) {
			form->follow[p][q] |= part->last[p] & next->first[q];
		}
	}
	for (size_t p = 0; p < form->count; p++) {
		part->first[p] |= part->empty & next->first[p];
		part->last[p] = next->last[p] | (next->empty & part->last[p]);
	}
	part->empty &= next->empty;
}

/* A part again and again. */
static void put_again(struct maker *maker, const struct part *part)
{
	struct dfa_form *form = maker->form;
	for (size_t p = 0; p < form->count; p++) {
		for (size_t q = 0; part->last[p] != 0 && q < form->count; q++) {
			form->follow[p][q] |= part->last[p] & part->first[q];
		}
	}
}

struct times {
	size_t least, most; /* most: or ANY */
};

static size_t read_number(struct maker *maker)
{
	size_t number = 0;
	maker->failed = maker->failed || at(maker, 0) < '0' || at(maker, 0) > '9';
	while (at(maker, 0) >= '0' && at(maker, 0) <= '9' && number < TIMES_MAX) {
		number = number * 10 + (size_t)(at(maker, 0) - '0');
		maker->pos++;
	}
	return number;
}

static struct times read_times(struct maker *maker)
{
	struct times times = {1, 1};
	char c = at(maker, 0);
	if (c == '\0' || memchr("?*+{", c, 4) == NULL) {
		return times;
	}
	maker->pos++;
	if (c == '{') {
		times.least = times.most = read_number(maker);
		if (at(maker, 0) == ',') {
			maker->pos++;
			times.most = at(maker, 0) == '}' ? ANY : read_number(maker);
		}
		maker->failed = maker->failed || at(maker, 0) != '}' || times.most < times.least;
		maker->pos++;
	} else {
		times.least = c == '+' ? 1 : 0;
		times.most = c == '?' ? 1 : ANY;
	}
	maker->pos += at(maker, 0) == '?' ? 1 : 0;
	maker->failed = maker->failed || at(maker, 0) == '+'; /* it gives nothing back */
	return times;
}

/* One piece as often as it comes: it is read anew for each time. */
static void read_one(struct maker *maker, struct part *out)
{
	struct part piece;
	size_t begin = maker->pos;
	memset(out, 0, sizeof *out);
	memset(&piece, 0, sizeof piece);
	out->empty = DFA_ALWAYS;
	read_piece(maker, &piece);
	struct times times = read_times(maker);
	size_t end = maker->pos;
	size_t count = times.most != ANY ? times.most : times.least > 0 ? times.least : 1;
	for (size_t i = 1; i <= count && !maker->failed; i++) {
		if (i > 1) {
			maker->pos = begin;
			read_piece(maker, &piece);
			maker->pos = end;
		}
		if (i == count && times.most == ANY) {
			put_again(maker, &piece);
		}
		piece.empty = i > times.least ? DFA_ALWAYS : piece.empty;
		put_behind(maker, out, &piece);
	}
}

static void read_all(struct maker *maker, struct part *out)
{
	memset(out, 0, sizeof *out);
	out->empty = DFA_ALWAYS;
	while (!maker->failed && maker->pos < maker->text.len && at(maker, 0) != '|' &&
	       at(maker, 0) != ')') {
		struct part next;
		read_one(maker, &next);
		put_behind(maker, out, &next);
		maker->failed = maker->failed || ++maker->steps > STEPS_MAX;
	}
}

/* Alternatives. */
static void read_any(struct maker *maker, struct part *out)
{
	read_all(maker, out);
	while (!maker->failed && at(maker, 0) == '|') {
		struct part other;
		maker->pos++;
		read_all(maker, &other);
		for (size_t p = 0; p < maker->form->count; p++) {
			out->first[p] |= other.first[p];
			out->last[p] |= other.last[p];
		}
		out->empty |= other.empty;
		maker->failed = maker->failed || ++maker->steps > STEPS_MAX;
	}
}

static void read_options(struct maker *maker)
{
	bool off = false;
	if (!str_has_prefix(maker->text, STR_LIT("(?")) || at(maker, 2) == ':') {
		return;
	}
	for (maker->pos = 2; !maker->failed && at(maker, 0) != ')'; maker->pos++) {
		char c = at(maker, 0);
		off = off || c == '-';
		maker->folds = c == 'i' ? !off : maker->folds;
		maker->dots_all = c == 's' ? !off : maker->dots_all;
		maker->failed = c == '\0' || memchr("is-", c, 3) == NULL;
	}
	maker->pos++;
}

struct dfa *expression_automaton(struct str text)
{
	struct dfa_form *form = calloc(1, sizeof *form);
	struct maker maker = {.form = form, .text = text, .folds = true};
	struct dfa *automaton = NULL;
	struct part whole;
	if (form == NULL) {
		return NULL;
	}
	read_options(&maker);
	read_any(&maker, &whole);
	if (!maker.failed && maker.pos == text.len) {
		memcpy(form->first, whole.first, sizeof form->first);
		memcpy(form->last, whole.last, sizeof form->last);
		form->empty = whole.empty;
		automaton = dfa_new(form);
	}
	free(form);
	return automaton;
}
