/* reader - takes values out of a report's YAML, and says with place and "did you mean" what is wrong with them.
 *
 * Errors:  ERR_CONFIG with "file:line:column: ..".
 * Life:    texts borrow from the tree. Threads: one reader per thread. Blocking: never. Tests: tests/unit/definition.c
 */
#ifndef QUERY_REPORT_READER_H
#define QUERY_REPORT_READER_H

#include "base/yaml.h"

#include <stdint.h>

struct reader {
	const char *file;
	size_t text_max; /* bytes of a text */
	struct error *err;
};

/* Fills err with the place of the node, or of its key, and the sentence. Returns -ERR_CONFIG. */
int reader_fail(const struct reader *reader, const struct yaml_node *node, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
int reader_fail_key(const struct reader *reader, const struct yaml_node *node, const char *format,
		    ...) __attribute__((format(printf, 3, 4)));

/* Fails that the node's text is unknown, with the nearest of the names. what: "field". */
struct reader_names {
	const char *what;
	const char *const *names;
	size_t count;
};
int reader_unknown(const struct reader *reader, const struct yaml_node *node,
		   const struct reader_names *known);

/* Checks that the node is a mapping with no other keys than these. */
int reader_keys(const struct reader *reader, const struct yaml_node *node,
		const struct reader_names *keys);

/* Texts of a mapping, without white space around them: the empty str when the key is missing, which need refuses. */
int reader_text(const struct reader *reader, const struct yaml_node *mapping, const char *key,
		struct str *out_text);
int reader_need(const struct reader *reader, const struct yaml_node *mapping, const char *key,
		struct str *out_text);

/* A number from 1 to max of a mapping; *out_number stays as it is when the key is missing. */
int reader_number(const struct reader *reader, const struct yaml_node *mapping, const char *key,
		  uint64_t max, uint64_t *out_number);

/* The items of a key: those of a sequence, or the one text. Their count is 0 when the key is missing. */
struct reader_items {
	const struct yaml_node *node; /* of the key, or NULL */
	const struct yaml_node *first;
	size_t count;
};
struct reader_limit {
	const char *key;
	size_t max;
	bool texts; /* each item must be a text */
};
int reader_list(const struct reader *reader, const struct yaml_node *mapping,
		const struct reader_limit *limit, struct reader_items *out_items);

#endif
