/* config_yaml - a YAML document as a bounded tree of texts with their places.
 *
 * Shape:   scalars keep their text as written (no typing: `no`, 0644 and 012 stay text); a mapping's children are its values, each
 *          with its key.
 * Limits:  1 MiB, depth 8, 65,536 nodes; anchors, aliases, tags, a second document and repeated keys are refused.
 * Life:    everything lives in the arena.
 * Threads: pure. Blocking: never. Source: YAML 1.2 by libfyaml. Tests: tests/unit/config_yaml.c, tests/fuzz/config.c
 */
#ifndef BASE_CONFIG_YAML_H
#define BASE_CONFIG_YAML_H

#include "base/arena.h"
#include "base/error.h"

#define CONFIG_YAML_MAX_BYTES (1u << 20)
#define CONFIG_YAML_MAX_DEPTH 8
#define CONFIG_YAML_MAX_NODES 65536

enum config_node_type { CONFIG_NODE_SCALAR, CONFIG_NODE_SEQUENCE, CONFIG_NODE_MAPPING };

struct config_node {
	enum config_node_type type;
	struct str key;           /* in a mapping; NUL-terminated behind its length */
	struct str text;          /* SCALAR; NUL-terminated behind its length */
	bool is_null;             /* SCALAR: empty and plain, as in "key:" */
	int line, column;         /* of the node, from 1 */
	int key_line, key_column; /* of its key */
	struct config_node *first_child, *last_child, *next;
	size_t child_count;
};

/* Reads text; name stands for the file in messages.
 * Returns 0 and *out_root (NULL when the document is empty), or ERR_CONFIG with "name:line:column: ..". */
int config_yaml_parse(const char *name, struct str text, struct arena *arena,
		      struct config_node **out_root, struct error *err);

/* The child of a mapping with this key, or NULL. */
struct config_node *config_node_child(const struct config_node *mapping, const char *key);

#endif
