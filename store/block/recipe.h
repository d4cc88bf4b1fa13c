/* recipe - how a record's raw bytes, key and derived fields follow from its other fields and a few values of their own.
 *
 * Idea:    an access log line or an audit row says most of its record's fields once more. A recipe names what a record has (kind, source, fields)
 *          and holds rules; a rule is a list of steps that write what it makes: fixed bytes, a field in some form, a slot (a value that no
 *          field holds). Fields without a rule, and slots, are columns of the block.
 * Proof:   a rule is taken only when its steps give exactly what the record has; so what is made of a record is the record.
 * Limits:  RECIPES_MAX recipes; past them, and for raw bytes that are not JSON, raw stands whole in a column; RECIPES_HARD_MAX kinds of those too.
 * Life:    struct recipes owns recipes and names; a fit borrows from the record and from recipes until the next fit.
 * Threads: one per thread. Blocking: never. Source: docs/format.md section 9.6. Tests: tests/unit/recipe.c, tests/fuzz/block.c
 */
#ifndef STORE_BLOCK_RECIPE_H
#define STORE_BLOCK_RECIPE_H

#include "base/buf.h"
#include "base/error.h"
#include "model/record.h"

#define RECIPES_MAX      4096
#define RECIPES_HARD_MAX 65535
#define RECIPE_SLOTS_MAX 160
#define RECIPE_STEPS_MAX 1024
#define RECIPE_RULES_MAX 16
#define RECIPE_KEY       0           /* target of a rule besides fields */
#define RECIPE_TIME      FIELD_LIMIT /* likewise */

enum recipe_op {                        /* stored; never changes */
		 RECIPE_BYTES = 1,      /* as they are */
		 RECIPE_FIELD = 2,      /* arg: field; its text or number; BOOL: true, false */
		 RECIPE_FIELD_JSON = 3, /* its text as json_put_string, without the quotes */
		 RECIPE_FIELD_PLAIN =
			 4,       /* with only quotes, backslashes and control bytes escaped */
		 RECIPE_SLOT = 5, /* arg: slot; likewise */
		 RECIPE_SLOT_JSON = 6,
		 RECIPE_SLOT_PLAIN = 7,
		 RECIPE_TIME_AS = 8, /* arg: form */
		 RECIPE_ROUTE_TAIL =
			 9, /* what stands behind the first blank of the route, as JSON */
		 RECIPE_STABLE_ID = 10,  /* of the record */
		 RECIPE_SUBJECT_ID = 11, /* the stable id of a verdict's subject */
		 RECIPE_LINE_KEY =
			 12, /* the first 16 bytes of raw's SHA-256; arg 20: and four zeros */
		 RECIPE_AUDIT_KEY = 13,    /* as auditrow_key, ordinal 0 */
		 RECIPE_SUBJECT_LEAF = 14, /* alone in a rule for a number, as those that follow */
		 RECIPE_REQUEST_LEAF =
			 15, /* of the request of a verdict's subject, or the subject */
		 RECIPE_SUBJECT_TIME = 16,
		 RECIPE_POSITIVE =
			 17, /* arg: slot; its number when positive, else that of the next step */
};

struct recipe_step {
	uint8_t op;
	uint16_t arg;
	struct str bytes;
};

struct recipe_rule {
	uint16_t target; /* field, RECIPE_KEY or RECIPE_TIME */
	uint16_t first, count;
};

struct recipe_slot {
	uint32_t name; /* see recipes_name */
	bool is_number;
};

/* Whether slots of extra have keys that stand in raw as well; found out by the writer. */
enum recipe_extra { RECIPE_EXTRA_UNKNOWN, RECIPE_EXTRA_OWN, RECIPE_EXTRA_SHARED };

struct recipe {
	uint8_t kind;
	uint8_t extra;
	uint16_t rule_count, slot_count, step_count;
	struct str source;
	uint64_t present[2], ruled[2];
	bool makes_key, makes_time;
	struct recipe_rule *rules;
	struct recipe_slot *slots;
	struct recipe_step *steps;
};

#define RECIPE_NO_LEAF UINT64_MAX

/* What a verdict hangs on. */
struct recipe_links {
	struct str subject_id; /* 16 digits; ptr NULL: the subject is not in the block */
	uint64_t subject_leaf, request_leaf;
	int64_t subject_time_ns;
};

struct recipe_fit {
	uint32_t recipe;
	union field_value slot[RECIPE_SLOTS_MAX];
};

struct recipes;

/* Returns NULL without memory. */
struct recipes *recipes_new(void);
void recipes_free(struct recipes *recipes);

/* Forgets all recipes and names. */
void recipes_clear(struct recipes *recipes);

/* How many recipes there are, and one of them; it lives until the next is added. */
size_t recipes_count(const struct recipes *recipes);
const struct recipe *recipes_at(const struct recipes *recipes, uint32_t number);

/* The name of a slot: kind, mark and key; it lives until recipes_clear. */
struct str recipes_name(const struct recipes *recipes, uint32_t name);

/* Finds or makes the recipe of a record. links: of a verdict whose subject is in the block; else NULL. Returns 0, -ERR_LIMIT (too many) or -ERR_NOMEM. */
int recipes_fit(struct recipes *recipes, const struct record *record,
		const struct recipe_links *links, struct recipe_fit *out_fit);

/* All recipes as bytes, and back into an empty struct. Returns 0, or -ERR_CORRUPT (bytes that are none) or -ERR_NOMEM. */
void recipes_save(const struct recipes *recipes, struct buf *out);
int recipes_load(struct recipes *recipes, struct str bytes);

/* What the steps of a rule read. */
struct recipe_input {
	const struct recipe *recipe;
	const struct record *record; /* its fields as far as they are known */
	const union field_value *slots;
	const struct recipe_links *links; /* or NULL */
};

/* The rule for a target, or NULL. */
const struct recipe_rule *recipe_rule_for(const struct recipe *recipe, unsigned target);

/* Appends what a rule for a text gives. False: a part is missing; out is then of no use. */
bool recipe_write(const struct recipe_input *input, const struct recipe_rule *rule,
		  struct buf *out);

/* What a rule for a number gives. False likewise. */
bool recipe_number(const struct recipe_input *input, const struct recipe_rule *rule,
		   int64_t *out_number);

/* Forms of time: 1 milliseconds, 2 seconds, 3 22/Nov/2026:10:00:00 +0000, else ISO 8601 in 16 + digits of fraction, 32 more with a blank for
 * the T, 64 more with a Z. Appends; false for another form. */
bool recipe_put_time(int64_t time_ns, unsigned form, struct buf *out);

/* The form in which text gives time_ns, or 0. */
unsigned recipe_time_form(int64_t time_ns, struct str text);

/* Texts inside of a JSON string. */
void recipe_put_json(struct str text, struct buf *out);

/* The same with only quotes, backslashes and control bytes escaped. */
void recipe_put_plain(struct str text, struct buf *out);

/* Whether text stands for itself there in any way of writing. */
bool recipe_is_plain(struct str text);

#endif
