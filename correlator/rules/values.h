/* values - the values of one event, made when they are asked for.
 *
 * Shape:   a name has no, one or several values (flags of a statement; all texts, for keywords). A text is folded once, when asked for.
 * Life:    values live until the next values_begin, and borrow from the event. Steady state: no malloc.
 * Threads: one struct values_maker per thread. Blocking: never. Tests: tests/unit/values.c, tests/unit/valuenumber.c
 */
#ifndef CORRELATOR_RULES_VALUES_H
#define CORRELATOR_RULES_VALUES_H

#include "base/arena.h"
#include "correlator/rules/names.h"

#define VALUES_BYTES_MAX (256u << 20)

enum value_type { VALUE_TEXT, VALUE_INT, VALUE_BOOL, VALUE_TIME };

struct value {
	struct str text;
	struct str folded; /* once value_fold was called */
	int64_t number;    /* not TEXT; TIME in ns */
	enum value_type type;
	bool is_folded;
};

struct values {
	struct value *first;
	size_t count;
};

struct statementfacts;

struct values_maker {
	struct arena arena;
	const struct rules_event *event;
	struct statementfacts *facts;
	bool has_facts;              /* of this event */
	struct str unfolded, folded; /* the text that was folded last, and its folded form */
};

/* Prepares one. Returns 0 or ERR_NOMEM. */
int values_init(struct values_maker *maker, struct error *err);
void values_done(struct values_maker *maker);

/* Turns to the next event, which is borrowed. */
void values_begin(struct values_maker *maker, const struct rules_event *event);

/* The values of a name. Returns 0 or ERR_NOMEM. */
int values_get(struct values_maker *maker, struct name_ref ref, struct values *out_values,
	       struct error *err);

/* Makes a text value of a copy of text. Returns 0 or ERR_NOMEM. */
int values_text(struct values_maker *maker, struct str text, struct value *out_value,
		struct error *err);

/* The value's text with letters folded. Returns 0 or ERR_NOMEM. */
int value_fold(struct values_maker *maker, struct value *value, struct error *err);

/* Writes a number's decimal digits; returns how many bytes, at most 20. */
size_t value_put_number(int64_t number, char out[20]);

/* The value as a number: of a TIME the seconds since 1970; a text must be a decimal. False when it is none. */
bool value_number(const struct value *value, double *out_number);

/* A part of the value as a time (UTC; a text in RFC 3339): minute, hour, day of the month, ISO week, month or year. */
bool value_part(const struct value *value, enum rule_part part, int *out_number);

#endif
