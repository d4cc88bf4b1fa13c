/* yaml - YAML documents as bounded trees of texts with their places.
 *
 * Shape:   scalars keep their text as written (no typing: `no`, 0644 and 012 stay text); who needs types asks whether a text was plain.
 *          A mapping's children are its values, each with its key, in order.
 * Limits:  1 MiB, depth 8, 65,536 nodes; anchors, aliases, tags and repeated keys are refused.
 * Life:    everything lives in the arena.
 * Threads: pure. Blocking: never. Source: YAML 1.2 by libfyaml. Tests: tests/unit/yaml.c, tests/fuzz/config.c, tests/fuzz/rule.c
 */
#ifndef BASE_YAML_H
#define BASE_YAML_H

#include "base/arena.h"
#include "base/error.h"

#define YAML_MAX_BYTES (1u << 20)
#define YAML_MAX_DEPTH 8
#define YAML_MAX_NODES 65536

enum yaml_type { YAML_SCALAR, YAML_SEQUENCE, YAML_MAPPING };

struct yaml_node {
	enum yaml_type type;
	struct str key;           /* in a mapping; NUL-terminated behind its length */
	struct str text;          /* SCALAR; NUL-terminated behind its length */
	bool is_null;             /* SCALAR: empty and plain, as in "key:" */
	bool is_plain;            /* SCALAR: without quotes, and no block */
	int line, column;         /* of the node, from 1 */
	int key_line, key_column; /* of its key */
	struct yaml_node *first_child, *last_child, *next;
	size_t child_count;
};

struct yaml_document {
	struct yaml_node *root; /* NULL: an empty one */
	struct yaml_document *next;
};

struct yaml_result {
	struct yaml_document *first; /* those that were read to their end */
	size_t document_count;
	int line, column; /* of the failure */
};

/* Reads the one document of a text; name stands for the file in messages.
 * Returns 0 and *out_root (NULL when the document is empty), or ERR_CONFIG with "name:line:column: ..", ERR_NOMEM. */
int yaml_parse(const char *name, struct str text, struct arena *arena, struct yaml_node **out_root,
	       struct error *err);

/* Reads all documents of a text. Returns 0, or ERR_CONFIG with the place in *out, no place in the sentence, and the documents before the bad
 * one; ERR_NOMEM. */
int yaml_read(struct str text, struct arena *arena, struct yaml_result *out, struct error *err);

/* The child of a mapping with this key, or NULL. */
struct yaml_node *yaml_child(const struct yaml_node *mapping, const char *key);

/* Whether a scalar is YAML's null: plain and empty, ~, null, Null or NULL. */
bool yaml_is_null(const struct yaml_node *node);

#endif
