/* shape - how the parts of one record follow from one another: what a record's raw, extra, key, time and derived fields are made of.
 *
 * Idea:    an access log line or audit row says most of its record's fields once more. A shape is a recipe: the raw bytes as a skeleton of fixed text
 *          and slots; each slot is a field of the record in some form (JSON string, digits, ISO time with n digits, CLF time, epoch
 *          ms, .. or null when absent), or a value of its own. extra is a second skeleton whose slots may also be slots of raw. Then rules for
 *          what is computed: key (SHA-256 of the line and a count, audit row key, verdict's key, fixed), time (of a field or slot), table
 *          (schema.object), statement_id, statement_leaf, request_leaf. What no rule gives stays a column of the block.
 * Test:    a shape fits a record when rendering gives exactly its bytes; so fitting is the proof. Records that fit none of the shapes get a new
 *          one; past SHAPES_MAX, or when raw is no line that can be cut, shape 0: everything is kept as it is.
 * Life:    struct shapes owns recipes; values of slots borrow from the record (fit) or the arena (render).
 * Threads: one per thread. Blocking: never. Source: docs/format.md section 9.6. Tests: tests/unit/shape.c, tests/fuzz/shape.c
 */
#ifndef STORE_BLOCK_SHAPE_H
#define STORE_BLOCK_SHAPE_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/error.h"
#include "model/record.h"

#define SHAPES_MAX      4096
#define SHAPE_SLOTS_MAX 160
#define SHAPE_NAMES_MAX 4096

/* What surrounds a record, for rules that reach beyond it. */
struct shape_links {
	uint64_t leaf;
	const char *
		subject_id; /* of a verdict: the stable id of its subject; NULL: not in this block */
	enum record_kind subject_kind;
	uint64_t subject_leaf;   /* UINT64_MAX: none */
	uint64_t request_leaf;   /* of the request that the subject hangs on; UINT64_MAX: none */
	int64_t subject_time_ns; /* of the subject */
	int64_t parent_time_ns;  /* of a statement: its request's time; INT64_MIN: none */
};

/* The values that the block must keep for one record of a shape. */
struct shape_fit {
	uint32_t shape;
	uint64_t kept
		[2]; /* fields of the record that the block keeps (bit f); all other present ones follow */
	bool keeps_key, keeps_time;
	uint32_t key_count; /* the count that the key rule needs (equal lines before); mostly 0 */
	size_t slot_count;
	struct {
		uint32_t
			name; /* number of the slot's name, see shapes_slot_name: the column it belongs to */
		bool is_number; /* then number, else text; each name is always the same of both */
		int64_t number; /* INT64_MIN: none */
		struct str
			text; /* a JSON string's value unescaped when that gives the string again; else 0xff and the token's bytes,
				  * 0xff alone for null. Empty in names that end in "?": nothing out of the ordinary */
	} slot[SHAPE_SLOTS_MAX];
};

struct shapes;

/* Without any shape but 0. NULL: no memory. */
struct shapes *shapes_new(void);
void shapes_free(struct shapes *shapes);

/* Finds or makes the shape of a record. Returns 0, or -ERR_NOMEM. Slot texts borrow from record or arena. */
int shapes_fit(struct shapes *shapes, const struct record *record, const struct shape_links *links,
	       struct arena *arena, struct shape_fit *out_fit);

/* Names of slots ("requestTime"; unique in a struct shapes, also over kinds), and of the kind whose records have them. */
size_t shapes_slot_count(const struct shapes *shapes);
struct str shapes_slot_name(const struct shapes *shapes, uint32_t name);
enum record_kind shapes_slot_kind(const struct shapes *shapes, uint32_t name);

/* All recipes as bytes, and back. Read recipes are checked whole: any bytes give shapes or ERR_CORRUPT. */
size_t shapes_count(const struct shapes *shapes);
void shapes_save(const struct shapes *shapes, struct buf *out);
int shapes_restore(struct shapes *shapes, struct str bytes, struct error *err);

/* What a recipe keeps and names, for the reader: slots in order (names), kept fields are told per record by presence in their columns. */
size_t shape_slots(const struct shapes *shapes, uint32_t shape, uint32_t out_names[SHAPE_SLOTS_MAX],
		   bool out_is_number[SHAPE_SLOTS_MAX]);
/* Whether a field of records of this shape is computed (then the block has no value for it), or kept. */
bool shape_computes(const struct shapes *shapes, uint32_t shape, unsigned field);
/* The same of the record's key and time: the reader can't ask a fit for that. */
bool shape_computes_key(const struct shapes *shapes, uint32_t shape);
bool shape_computes_time(const struct shapes *shapes, uint32_t shape);

/* Completes a record from fit (shape, key_count, slots) and the kept fields that stand in it: sets raw, extra, key, time and computed
 * fields, allocated in arena. Returns 0, -ERR_CORRUPT (the values are none of this shape; the record is undefined) or -ERR_NOMEM. */
int shapes_render(const struct shapes *shapes, const struct shape_fit *fit,
		  const struct shape_links *links, struct arena *arena, struct record *io_record);

#endif
