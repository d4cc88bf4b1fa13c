/* document - one YAML document as a rule: its texts for people, log source, detection and own keys.
 *
 * Fields:  those of Sigma 2.1.0 are checked by type; others are allowed, but not a near miss of a known one. `querytrail:` holds
 *          explanation, next_steps, examples and lists (for the examples).
 * Threads: pure. Blocking: never. Source: Sigma 2.1.0, "Rules". Tests: tests/unit/rule-document.c
 */
#ifndef CORRELATOR_RULES_DOCUMENT_H
#define CORRELATOR_RULES_DOCUMENT_H

#include "correlator/rules/reader.h"

/* Reads the root of a document into reader->rule, whose file is set. Returns 0 or -ERR_CONFIG. */
int document_read(struct rule_reader *reader, const struct yaml_node *root);

/* Reads a `querytrail:` mapping into reader->rule. Returns 0 or -ERR_CONFIG. */
int document_read_own(struct rule_reader *reader, const struct yaml_node *own);

#endif
