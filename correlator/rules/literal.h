/* literal - the values behind a field, lowered to what a leaf tests.
 *
 * Types:   as YAML has them: a plain number is compared as a number, plain true and false as their words, plain null and an
 *          empty value as absence; what is quoted is text.
 * Threads: pure. Blocking: never. Source: Sigma 2.1.0; YAML 1.2 core schema; PCRE2. Tests: tests/unit/rule-literal.c
 */
#ifndef CORRELATOR_RULES_LITERAL_H
#define CORRELATOR_RULES_LITERAL_H

#include "correlator/rules/modifier.h"

/* Values in the making; they live in the reader's scratch arena. */
struct literals {
	struct rule_value *items;
	size_t count, capacity;
};

/* Appends what one scalar stands for; alternative is its index among the values of its item. A scalar that makes the rule idle appends
 * nothing. */
int literals_add(struct rule_reader *reader, const struct modifiers *modifiers,
		 const struct yaml_node *node, unsigned alternative, struct literals *out);

/* Whether text is a number of YAML's core schema: then *out_number is it. */
bool literal_number(struct str text, double *out_number);

#endif
