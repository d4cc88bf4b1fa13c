/* reader - what is carried while one rule is read: memory, limits, and the place of its first fault.
 *
 * Shape:   the pack's arena holds what stays; the scratch arena holds the YAML tree and what is made on the way, and is cleared
 *          after each file.
 * Errors:  every function returns 0, -ERR_CONFIG (a fault of the rule: place and sentence stand in the reader) or -ERR_NOMEM.
 * Threads: one per thread. Blocking: never. Tests: tests/unit/rule-*.c
 */
#ifndef CORRELATOR_RULES_READER_H
#define CORRELATOR_RULES_READER_H

#include "base/yaml.h"
#include "correlator/rules/pack.h"

/* Codes of all patterns of a rule together: what a rule may grow to by windash, base64offset and lists. */
#define READER_CODES_MAX (2u << 20)

struct rule_reader {
	struct arena *arena, *scratch;
	const struct pack_options *options;
	const struct yaml_node *own_lists; /* querytrail: lists: of the rule, or NULL */
	const char *file;
	struct rule *rule;
	size_t value_count, node_count, code_count;
	struct error fault;
	int line, column;
};

struct place {
	int line, column;
};

/* Notes the fault. Returns -ERR_CONFIG. */
int rule_reader_fail(struct rule_reader *reader, struct place place, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* The place of a node, and of its key. */
struct place rule_reader_at(const struct yaml_node *node);
struct place rule_reader_at_key(const struct yaml_node *node);

/* Notes that an arena is full. Returns -ERR_CONFIG. */
int rule_reader_full(struct rule_reader *reader, struct place place);

/* count zeroed objects that stay, or NULL. */
void *rule_reader_new(struct rule_reader *reader, size_t count, size_t size);

/* A copy that stays. */
int rule_reader_keep(struct rule_reader *reader, const struct yaml_node *node, struct str *out);

/* " - did you mean" for a word near one of the names, else "". Borrowed from buffer. */
const char *rule_reader_hint(struct str word, const char *const *names, size_t count,
			     char buffer[96]);

/* A tree node that stays, counted. NULL when a limit is passed: then the fault is noted. */
struct rule_node *rule_reader_node(struct rule_reader *reader, struct place place,
				   enum rule_node_type type, size_t child_count);

#endif
