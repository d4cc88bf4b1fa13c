/* rule-list - the rules of a pack as a table, JSON or CSV.
 *
 * Trust:   rule files are people's own, but may have come from elsewhere: nothing of them reaches a terminal or a cell as it is.
 * Threads: one per thread. Blocking: writes to the output. Tests: tests/golden/, tests/unit/rule-list.c
 */
#ifndef QUERY_RULE_LIST_H
#define QUERY_RULE_LIST_H

#include "correlator/rules/pack.h"
#include "query/output.h"

/* Writes the rules in a format: table (also NULL), json, jsonl or csv. Returns 0 or ERR_USAGE for another one. */
int rule_list_put(struct output *out, const struct pack *pack, const char *format,
		  struct error *err);

/* The name of a file for people: without what all files of the pack begin with. */
struct str rule_list_file(const struct pack *pack, const char *file);

#endif
