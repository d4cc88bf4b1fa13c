#include "query/expression-classes.h"

#include <string.h>

#define BITS_LEAST   12 /* of a run that is worth looking for */
#define BITS_LITERAL 8  /* of a fixed byte */

struct run {
	struct byteset set[EXPRESSION_CLASSES_MAX];
	size_t count;
};

struct reading {
	struct str text;
	size_t pos;
	bool folds, failed;
	struct run run, best;
	unsigned best_bits;
};

/* What one piece stands for: a byte of a set, nothing (an assertion), or anything. */
enum piece_kind { PIECE_SET, PIECE_NOTHING, PIECE_ANYTHING };

struct piece {
	enum piece_kind kind;
	struct byteset set;
};

static char at(const struct reading *reading, size_t pos)
{
	return pos < reading->text.len ? reading->text.ptr[pos] : '\0';
}

static void add_range(struct byteset *set, unsigned from, unsigned to)
{
	for (unsigned byte = from; byte <= to; byte++) {
		byteset_add(set, (uint8_t)byte);
	}
}

/* The eight bits of a byte less those that say which of the set it is. */
static unsigned bits_of(const struct run *run)
{
	unsigned bits = 0;
	for (size_t i = 0; i < run->count; i++) {
		size_t count = byteset_count(&run->set[i]);
		unsigned log = 0;
		while ((size_t)1 << log < count) {
			log++;
		}
		bits += BITS_LITERAL - log;
	}
	return bits;
}

static void end_run(struct reading *reading)
{
	unsigned bits = bits_of(&reading->run);
	if (bits > reading->best_bits) {
		reading->best = reading->run;
		reading->best_bits = bits;
	}
	reading->run.count = 0;
}

static void put(struct reading *reading, const struct byteset *set)
{
	if (reading->run.count == EXPRESSION_CLASSES_MAX) {
		end_run(reading);
	}
	reading->run.set[reading->run.count++] = *set;
}

/* A class that an escape names. */
static bool is_named(char letter, struct byteset *set)
{
	switch (letter) {
	case 'd':
		add_range(set, '0', '9');
		return true;
	case 'w':
		add_range(set, '0', '9');
		add_range(set, 'A', 'Z');
		add_range(set, 'a', 'z');
		byteset_add(set, '_');
		return true;
	case 's':
		add_range(set, '\t', '\r');
		byteset_add(set, ' ');
		return true;
	case 'n':
		byteset_add(set, '\n');
		return true;
	case 't':
		byteset_add(set, '\t');
		return true;
	case 'r':
		byteset_add(set, '\r');
		return true;
	default:
		return false;
	}
}

static bool is_letter(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* Letters of either case; a third form beyond ASCII is looked for as a text of its own. */
static void fold(const struct reading *reading, struct piece *piece)
{
	if (!reading->folds || piece->kind != PIECE_SET) {
		return;
	}
	for (unsigned byte = 'a'; byte <= 'z'; byte++) {
		if (byteset_has(&piece->set, (uint8_t)byte) ||
		    byteset_has(&piece->set, (uint8_t)(byte ^ 0x20))) {
			byteset_add(&piece->set, (uint8_t)byte);
			byteset_add(&piece->set, (uint8_t)(byte ^ 0x20));
		}
	}
}

static struct piece read_escape(struct reading *reading)
{
	struct piece piece = {.kind = PIECE_SET};
	char c = at(reading, reading->pos + 1);
	reading->pos += 2;
	if (is_named(c, &piece.set)) {
		return piece; /* none of these folds */
	}
	if (c != '\0' && strchr("bBAzZ", c) != NULL) {
		piece.kind = PIECE_NOTHING;
	} else if (c != '\0' && strchr("DWSRhHvV", c) != NULL) {
		piece.kind = PIECE_ANYTHING;
	} else if (c <= ' ' || c == 0x7f || is_letter(c) || is_digit(c)) {
		reading->failed = true; /* also of bytes beyond ASCII, where char has a sign */
	} else {
		byteset_add(&piece.set, (uint8_t)c);
	}
	return piece;
}

/* One byte of a class, or a named one: true and *out_byte, or false when it was put into the set. */
static bool read_member(struct reading *reading, struct piece *piece, uint8_t *out_byte)
{
	char c = at(reading, reading->pos);
	reading->pos++;
	if (c == '\\') {
		c = at(reading, reading->pos);
		reading->pos++;
		if (is_named(c, &piece->set)) {
			return false;
		}
		if (c == 'D' || c == 'W' || c == 'S') {
			piece->kind = PIECE_ANYTHING;
			return false;
		}
		reading->failed = reading->failed || is_letter(c) || is_digit(c) || c == '\0';
	}
	reading->failed = reading->failed || c == '[';
	if ((uint8_t)c >= 0x80) {
		piece->kind = PIECE_ANYTHING;
	}
	*out_byte = (uint8_t)c;
	return true;
}

static struct piece read_class(struct reading *reading)
{
	struct piece piece = {.kind = PIECE_SET};
	bool first = true;
	reading->pos++;
	if (at(reading, reading->pos) == '^') {
		piece.kind = PIECE_ANYTHING;
		reading->pos++;
	}
	for (; !reading->failed && (first || at(reading, reading->pos) != ']'); first = false) {
		uint8_t from = 0;
		uint8_t to = 0;
		if (reading->pos >= reading->text.len) {
			reading->failed = true;
			break;
		}
		bool is_byte = read_member(reading, &piece, &from);
		bool is_range =
			at(reading, reading->pos) == '-' && at(reading, reading->pos + 1) != ']';
		if (!is_byte) {
			reading->failed = reading->failed || is_range;
			continue;
		}
		to = from;
		if (is_range) {
			reading->pos++;
			bool ends = read_member(reading, &piece, &to);
			reading->failed = reading->failed || !ends || to < from;
		}
		add_range(&piece.set, from, reading->failed ? from : to);
	}
	reading->pos++;
	fold(reading, &piece);
	return piece;
}

/* Steps over a plain group. */
static struct piece read_group(struct reading *reading)
{
	struct piece piece = {.kind = PIECE_ANYTHING};
	size_t depth = 0;
	do {
		char c = at(reading, reading->pos);
		char next = at(reading, reading->pos + 1);
		if (c == '\\') {
			(void)read_escape(reading); /* only its end matters */
		} else if (c == '[') {
			(void)read_class(reading); /* as before */
		} else {
			bool special = c == '(' && (next == '*' || next == '?');
			reading->failed =
				reading->failed ||
				(special && (next == '*' || at(reading, reading->pos + 2) != ':'));
			depth += c == '(' ? 1 : 0;
			depth -= c == ')' ? 1 : 0;
			reading->pos++;
		}
		reading->failed = reading->failed || reading->pos > reading->text.len;
	} while (depth > 0 && !reading->failed);
	return piece;
}

static struct piece read_piece(struct reading *reading)
{
	struct piece piece = {.kind = PIECE_SET};
	char c = at(reading, reading->pos);
	if (c == '\\') {
		return read_escape(reading);
	}
	if (c == '[') {
		return read_class(reading);
	}
	if (c == '(') {
		return read_group(reading);
	}
	reading->pos++;
	if (c == '^' || c == '$') {
		piece.kind = PIECE_NOTHING;
	} else if (c == '.' || (uint8_t)c >= 0x80) {
		piece.kind = PIECE_ANYTHING;
	} else if (memchr("|)*+?{\0", c, 7) != NULL) {
		reading->failed = true;
	} else {
		byteset_add(&piece.set, (uint8_t)c);
		fold(reading, &piece);
	}
	return piece;
}

/* How often a piece comes: at least, and whether it may come more often. */
struct times {
	size_t least;
	bool more;
};

static size_t read_number(struct reading *reading)
{
	size_t number = 0;
	reading->failed = reading->failed || !is_digit(at(reading, reading->pos));
	while (is_digit(at(reading, reading->pos)) && number < 100000) {
		number = number * 10 + (size_t)(at(reading, reading->pos++) - '0');
	}
	return number;
}

static struct times read_times(struct reading *reading)
{
	struct times times = {.least = 1};
	char c = at(reading, reading->pos);
	if (c == '\0' || memchr("?*+{", c, 4) == NULL) {
		return times;
	}
	reading->pos++;
	times.more = true;
	times.least = c == '+' ? 1 : 0;
	if (c == '{') {
		times.least = read_number(reading);
		times.more = at(reading, reading->pos) == ',';
		reading->pos += times.more ? 1 : 0;
		if (times.more && at(reading, reading->pos) != '}') {
			(void)read_number(reading); /* so many at most */
		}
		reading->failed = reading->failed || at(reading, reading->pos) != '}';
		reading->pos++;
	}
	c = at(reading, reading->pos);
	reading->pos += c == '?' || c == '+' ? 1 : 0;
	return times;
}

/* One piece with how often it comes. */
static void read_one(struct reading *reading)
{
	struct piece piece = read_piece(reading);
	size_t behind = reading->pos;
	struct times times = read_times(reading);
	if (piece.kind == PIECE_NOTHING && reading->pos == behind) {
		return;
	}
	if (piece.kind != PIECE_SET || times.least == 0) {
		end_run(reading);
		return;
	}
	size_t count = times.least < EXPRESSION_CLASSES_MAX ? times.least : EXPRESSION_CLASSES_MAX;
	for (size_t i = 0; i < count; i++) {
		put(reading, &piece.set);
	}
	if (!times.more && count == times.least) {
		return;
	}
	end_run(reading);
	for (size_t i = 0; i < count; i++) { /* the last ones */
		put(reading, &piece.set);
	}
}

/* Options at the beginning: of these only whether letters are folded matters. */
static void read_options(struct reading *reading)
{
	bool off = false;
	size_t pos = 2;
	if (!str_has_prefix(reading->text, STR_LIT("(?")) || at(reading, pos) == ':') {
		return;
	}
	for (; memchr("ims-", at(reading, pos), 4) != NULL; pos++) {
		off = off || at(reading, pos) == '-';
		if (at(reading, pos) == 'i') {
			reading->folds = !off;
		}
	}
	reading->failed = pos == 2 || at(reading, pos) != ')';
	reading->pos = pos + 1;
}

/* The bits of the shortest text of those that one of them must be held. */
static unsigned must_bits(const struct expression *expression)
{
	size_t shortest = expression->must_count > 0 ? expression->must[0].len : 0;
	for (size_t i = 1; i < expression->must_count; i++) {
		size_t len = expression->must[i].len;
		shortest = len < shortest ? len : shortest;
	}
	return (unsigned)(shortest < 1000 ? shortest : 1000) * (BITS_LITERAL - 1);
}

/* k and s have a third form each: a match may hold that instead of the run. */
static void add_thirds(struct expression *expression, bool folds)
{
	static const struct {
		char letter;
		struct str form;
	} thirds[] = {{'k', {"\xe2\x84\xaa", 3}}, {'s', {"\xc5\xbf", 2}}};
	for (size_t i = 0; folds && i < sizeof thirds / sizeof thirds[0]; i++) {
		bool held = false;
		for (size_t k = 0; k < expression->class_count; k++) {
			held = held ||
			       byteset_has(&expression->classes[k], (uint8_t)thirds[i].letter);
		}
		if (held) {
			expression->must[expression->must_count++] = thirds[i].form;
		}
	}
}

void expression_find_classes(struct expression *expression)
{
	struct reading reading = {.text = expression->text, .folds = true};
	read_options(&reading);
	while (!reading.failed && reading.pos < reading.text.len) {
		read_one(&reading);
	}
	end_run(&reading);
	expression->class_count = 0;
	if (!reading.failed && reading.best_bits >= BITS_LEAST &&
	    reading.best_bits > must_bits(expression)) {
		memcpy(expression->classes, reading.best.set, sizeof expression->classes);
		expression->class_count = reading.best.count;
		expression->must_count = 0;
		add_thirds(expression, reading.folds);
	}
}
