/* pattern - a text with wildcards as codes, and what modifiers make of it.
 *
 * Shape:   a pattern is an array of codes: bytes of UTF-8, RULE_ANY_TEXT, RULE_ANY_BYTE. A step turns one pattern into one or several.
 * Limits:  READER_CODES_MAX codes a rule, PACK_VALUES_MAX patterns.
 * Life:    everything lives in the reader's scratch arena.
 * Threads: pure. Blocking: never. Source: Sigma 2.1.0; RFC 4648 (Base64). Tests: tests/unit/rule-pattern.c
 */
#ifndef CORRELATOR_RULES_PATTERN_H
#define CORRELATOR_RULES_PATTERN_H

#include "correlator/rules/modifier.h"

struct pattern {
	uint16_t *codes;
	size_t count, capacity;
};

struct patterns {
	struct pattern *items;
	size_t count, capacity;
};

/* Appends codes, or reads text as Sigma writes it: "*" and "?" are wildcards; a backslash makes a wildcard or a backslash behind it
 * plain, and is itself otherwise. */
int pattern_put(struct rule_reader *reader, struct place place, struct pattern *pattern,
		uint16_t code);
int pattern_put_text(struct rule_reader *reader, struct place place, struct pattern *pattern,
		     struct str text);

/* Appends a pattern to a list. */
int patterns_add(struct rule_reader *reader, struct place place, struct patterns *list,
		 struct pattern pattern);

/* Does one step to all patterns of the list. A text with wildcards cannot be encoded: that is a fault. */
int patterns_step(struct rule_reader *reader, struct place place, enum modifier_step step,
		  struct patterns *list);

#endif
