/* pack - rule files, read: every rule that is good, and what is wrong with the others.
 *
 * Shape:   folders are searched with their subfolders for *.yml and *.yaml, in order of their names; a file holds one rule, or several
 *          documents divided by "---". Two rules of one id: the second is refused.
 * Errors:  a bad rule is a problem with file, line, column and feature; the others are read. Correlation rules, filters, and whatever is not
 *          supported are problems, never passed over.
 * Limits:  a file <= 1 MiB, a rule <= PACK_VALUES_MAX values and PACK_NODES_MAX nodes, PACK_RULES_MAX rules, depth and anchors as base/yaml.h.
 * Life:    rules live until pack_free. Threads: read-only once read. Blocking: reads files.
 * Source:  Sigma specification 2.1.0. Tests: tests/unit/pack.c, tests/fuzz/rule.c
 */
#ifndef CORRELATOR_RULES_PACK_H
#define CORRELATOR_RULES_PACK_H

#include "base/buf.h"
#include "base/error.h"
#include "correlator/rules/rule.h"

#define PACK_RULES_MAX  16384
#define PACK_VALUES_MAX 65536
#define PACK_NODES_MAX  65536

struct pack_list { /* of rules.lists: what %name% stands for */
	struct str name;
	const struct str *values;
	size_t value_count;
};

struct pack_options {
	const char *const *folders; /* or single files */
	size_t folder_count;
	const struct str *disabled; /* ids or names of files, * as wildcard */
	size_t disabled_count;
	const struct pack_list *lists;
	size_t list_count;
	bool example_lists; /* a rule's own `querytrail: lists:` stand before these: for its examples */
};

struct pack_problem {
	const char *file;
	int line, column; /* 0: of the whole file */
	const char *text; /* a sentence without the place */
};

struct pack;

/* Reads them. Options are borrowed until return. Returns 0 and *out_pack even when rules are bad; ERR_CONFIG when a folder can't be
 * read; ERR_NOMEM. */
int pack_read(const struct pack_options *options, struct pack **out_pack, struct error *err);

/* The same from one text; name stands for the file. */
int pack_parse(const char *name, struct str text, const struct pack_options *options,
	       struct pack **out_pack, struct error *err);

/* Frees; NULL is fine. */
void pack_free(struct pack *pack);

/* The good rules in order of file and place, and the problems. */
size_t pack_rule_count(const struct pack *pack);
const struct rule *pack_rule(const struct pack *pack, size_t index);
size_t
pack_disabled_count(const struct pack *pack); /* that were read past, as rules.disabled says */
size_t pack_problem_count(const struct pack *pack);
const struct pack_problem *pack_problem(const struct pack *pack, size_t index);

/* Adds a problem (texts are copied) and takes the rule out: for what only the compiler sees, such as an unknown field. */
int pack_refuse(struct pack *pack, const struct rule *rule, const struct pack_problem *problem,
		struct error *err);

#endif
