/* texts-writer - a column of texts on its way into streams.
 *
 * Shape:   each text is matched with a root that is known or split into a new one; its values go to logs, each with the bucket it
 *          belongs to; at the end the buckets are put in order and each log is sorted by them.
 * Threads: one per thread. Source: docs/format.md section 9.5. Tests: tests/unit/texts.c
 */
#ifndef STORE_BLOCK_TEXTS_WRITER_H
#define STORE_BLOCK_TEXTS_WRITER_H

#include "base/hash.h"
#include "store/block/texts-inner.h"
#include "store/block/wordset.h"

/* Values in the order of rows, each with its bucket. */
struct texts_log {
	uint32_t *bucket;
	int64_t *value;
	size_t count, room;
};

struct texts_node {
	uint32_t first_bucket; /* of its slots; those of kind TEXT have none, but count */
	uint32_t code;         /* of the root or sub-pattern */
	uint32_t slot_count;
	uint32_t next; /* the next one of the same slot, or UINT32_MAX */
};

/* A slot of kind TEXT of a root. */
struct texts_sub {
	uint32_t first, last;        /* its nodes, or UINT32_MAX */
	uint32_t hot_code, hot_node; /* what it held last */
};

/* A sub-pattern. */
struct texts_sub_state {
	struct pattern pattern;
	bool is_quick; /* a text can be matched with it without being split */
};

struct texts_root_state {
	struct texts_root root;
	uint32_t node;
	uint32_t first_sub;
	uint32_t next; /* with the same beginning, or UINT32_MAX */
};

/* Whether the words of a shape stand in its patterns. */
struct texts_policy {
	uint32_t total, fresh;
	bool words;
};

/* A literal of a statement: a number, or the text in a slot of kind TEXT. */
struct texts_literal {
	int64_t number;
	struct str text;
};

#define TEXTS_GUESSES 4096
#define TEXTS_PREFIX  16
/* different patterns of a shape beyond which its words become tokens: of slots, of texts that are no statements */
#define TEXTS_FRESH_SUBS  16
#define TEXTS_FRESH_ROOTS 256

struct texts_writer {
	const struct texts_column *about;
	int failure; /* the first one, or 0 */
	struct arena arena;
	struct tsql_template template;
	struct pattern_splitter splitter;
	struct wordset roots, shapes, subs, words;
	struct wordset ids_seen; /* tokens of bytes */
	uint8_t *id_uses;        /* of each, at most ID_USES_MAX */
	size_t id_room;
	struct texts_root_state *root_states;
	size_t root_room;
	struct texts_node *nodes;
	size_t node_count, node_room;
	struct texts_sub *text_slots;
	size_t text_slot_count, text_slot_room;
	struct pattern_slot *buckets; /* what each holds */
	size_t bucket_count, bucket_room;
	struct texts_sub_state *sub_states;
	size_t sub_room;
	struct texts_policy *policies; /* of shapes */
	size_t policy_room;
	struct u64map children; /* slot of kind TEXT << 32 | sub-pattern: node */
	struct texts_log logs[TEXTS_NONE];
	struct texts_log sub_log; /* slot of kind TEXT, node */
	struct buf bytes;         /* of UUIDs and BYTES; their logs hold offsets */
	struct buf refs;          /* of each number in the log of POOLED, a byte */
	struct buf scratch;
	struct texts_literal *literals;
	size_t literal_room;
	uint32_t *codes;                 /* of each row: root + 1, or 0 */
	uint32_t guesses[TEXTS_GUESSES]; /* root + 1 */
	uint32_t prefixes[TEXTS_GUESSES];
	uint32_t last_root, last_shape;
	struct str ids[TEXTS_IDS_MAX];
	size_t id_count;
	unsigned ids_used;                   /* in this family, as bits */
	uint8_t id_bytes[TEXTS_IDS_MAX][32]; /* that stand in ids which are used, as bits */
	struct texts_pool pool;
};

/* Makes room for one more item of an array; keeps the failure. False: there is none. */
bool texts_grow(struct texts_writer *writer, void *array, size_t *room, size_t count,
		size_t item_bytes);

/* Appends to a log; a failure is kept. */
void texts_log_put(struct texts_writer *writer, struct texts_log *log, uint32_t bucket,
		   int64_t value);

/* A node with its buckets; UINT32_MAX after a failure. */
uint32_t texts_node_new(struct texts_writer *writer, uint32_t code, const struct pattern *pattern);

/* Whether text is of a quick sub-pattern: then its tokens (of which those of kind ID have no value). */
bool texts_match_sub(const struct texts_writer *writer, const struct texts_sub_state *sub,
		     struct str text, struct pattern_token *out_tokens);

/* Puts the text of a slot of kind TEXT. */
void texts_put_slot(struct texts_writer *writer, uint32_t text_slot, struct str text);

/* Splits a text into the splitter, its words as the policy of its shape says. False after a failure.
 *   fresh_max  different patterns of a shape that are worth having */
bool texts_split(struct texts_writer *writer, struct str text, uint32_t fresh_max);

/* Tells the policy of the shape that texts_split found last that its pattern is a new one. */
void texts_split_was_new(struct texts_writer *writer);

/* Puts the tokens of the splitter into the buckets from first_bucket on. */
void texts_put_tokens(struct texts_writer *writer, uint32_t first_bucket);

/* Puts a number of a literal. */
void texts_put_pooled(struct texts_writer *writer, uint32_t bucket, struct pattern_slot slot,
		      int64_t number);

/* Whether text is of this template: then its literals. Chunks and literals, one behind the other, are the text. */
bool texts_match(const struct texts_root *root, struct str text,
		 struct texts_literal *out_literals);

/* Where each bucket and each slot of kind TEXT comes to stand, and a log that is sorted by it. */
struct texts_order {
	struct texts_writer *writer;
	struct streams_writer *streams;
	uint32_t *root_code; /* the code of a root in the stream, less one */
	uint32_t *bucket;    /* of each bucket: its place */
	uint32_t *by_place;  /* of each place: its bucket */
	uint32_t *text_slot; /* of each slot of kind TEXT: its place */
	size_t *starts;  /* of each place, where its values begin in the log that was sorted last */
	int64_t *sorted; /* values of that log */
};

/* Sorts a log by the places of its buckets; what is in one stays in order. */
void texts_sort_log(struct texts_order *order, const struct texts_log *log, const uint32_t *place,
		    size_t place_count);

/* Writes values as an ints column; nothing when there are none. Returns 0 or -ERR_NOMEM. */
int texts_put_ints(struct texts_order *order, size_t part, const int64_t *values, size_t count);

/* Writes the numbers. Returns 0 or -ERR_NOMEM. */
int texts_put_numbers(struct texts_order *order);

/* Writes the streams. Returns 0, -ERR_LIMIT or -ERR_NOMEM. */
int texts_finish(struct texts_writer *writer, struct streams_writer *streams);

#endif
