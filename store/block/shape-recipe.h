/* shape-recipe - what a shape is made of, shared by the parts of shape.
 *
 * Shape:   raw = for each place: its fixed text, its token; then the last fixed text. extra = '{', those of its items that are there,
 *          each a key and a value, with commas between, '}'. Rules say what is computed. docs/format.md section 9.6.
 * Life:    texts of a recipe lie in the arena of its struct shapes.
 * Threads: a recipe is read-only once made. Blocking: never. Tests: tests/unit/shape.c
 */
#ifndef STORE_BLOCK_SHAPE_RECIPE_H
#define STORE_BLOCK_SHAPE_RECIPE_H

#include "base/hash.h"
#include "store/block/shape.h"

#define PLACES_MAX    224
#define ITEMS_MAX     62
#define KEY_NUMBERS   4
#define NO_NAME       UINT32_MAX
#define SKELETON_MAX  16384 /* fixed text of one recipe */
#define RECENT_MAX    8
#define NO_NUMBER     INT64_MIN
#define VERBATIM      '\xff' /* begins a text slot that is no JSON string: alone it is null */
#define RECIPES_BYTES ((size_t)256 << 20)

enum form {                    /* stored; never changes */
	    FORM_OWN_TEXT = 0, /* a text of its own: a JSON string, or any token behind VERBATIM */
	    FORM_OWN_BARE = 1, /* a text of its own, as it stands */
	    FORM_OWN_NUMBER = 2, /* a decimal of its own */
	    FORM_TEXT = 3,       /* a text field in quotes: prefix, field, spaces up to width */
	    FORM_BARE = 4,       /* a text field as it is */
	    FORM_NUMBER = 5,     /* an INT or BOOL field in decimal */
	    FORM_BOOL = 6,       /* true or false */
	    FORM_ISO = 7,        /* the record's time: 2026-11-22T10:00:00.1234567; width: digits */
	    FORM_CLF = 8,        /* 22/Nov/2026:10:00:00 */
	    FORM_EPOCH_MS = 9,   /* milliseconds since 1970 */
	    FORM_EPOCH_S = 10,   /* seconds */
	    FORM_ROWS = 11,      /* an INT field, or zero, or a number of its own */
	    FORM_PIECE = 12, /* so many bytes of a text field, behind those of the piece before */
	    FORM_TAIL = 13,  /* a text field from behind its first space, in quotes */
	    FORM_COUNT,
};

enum {                   /* flags of a place */
       PLACE_QUOTED = 1, /* numbers, words and times: in quotes */
       PLACE_SHIFTED =
	       2, /* times: a number of its own is added, in the unit of the form (ISO: 10^(9 - digits) ns, CLF: s) */
       PLACE_SPACE = 4, /* ISO: a space instead of T */
       PLACE_CELL = 16, /* the token is a cell of CSV */
       PLACE_Z = 8,     /* ISO, CLF: followed by Z or " +0000" */
};

struct place {
	struct str before; /* fixed text before the token */
	struct str key;    /* what the token is called; only while recipes are made */
	struct str prefix; /* TEXT */
	struct str absent; /* the token without a value */
	bool has_absent;
	uint8_t form, style, field, width, flags;
	uint32_t name;  /* of its own value */
	uint32_t other; /* of tokens that the form does not give; empty: it does */
};

enum item_form {                  /* stored; never changes */
		 ITEM_STRING = 0, /* the text of the token, as a JSON string */
		 ITEM_VALUE = 1,  /* the token; strings in our own escapes */
		 ITEM_INNER = 2,  /* what stands between the token's quotes */
		 ITEM_OWN = 3,    /* bytes of its own */
		 ITEM_FORMS,
};

struct item {
	struct str key; /* "name": with quotes and colon */
	uint8_t form;
	uint8_t place;
	uint32_t name; /* OWN */
};

enum key_rule { /* stored; never changes */
		KEY_KEPT = 0,
		KEY_LINE = 1,    /* SHA-256(line)[:16], count as u32 */
		KEY_ROW = 2,     /* auditrow_key of file, file_offset, line, count */
		KEY_FOLDED = 3,  /* SHA-256(line)[:16], count xor-ed into the last four bytes */
		KEY_EVENT = 4,   /* 26 bytes of a CloudWatch eventId, as four numbers */
		KEY_VERDICT = 5, /* s or r, stable id of the subject, '.', revision */
		KEY_RULES,
};

enum { /* rules of a recipe */
       RULE_RAW = 1,
       RULE_EXTRA = 2,
       RULE_TABLE = 4, /* schema.object when both are there */
       RULE_STATEMENT_ID =
	       8, /* statements: the record's stable id; verdicts: the subject's, when that is a statement */
       RULE_STATEMENT_LEAF = 16, /* the subject's, when that is a statement */
       RULE_REQUEST_LEAF = 32,   /* of the request of the subject, or the subject itself */
       RULE_TIME = 64,           /* the subject's */
       RULE_MARK = 128,          /* the key's line is without a byte order mark */
};

struct recipe {
	enum record_kind kind;
	uint8_t rules; /* RULE_* */
	uint8_t key_rule;
	uint32_t key_name[KEY_NUMBERS]; /* EVENT */
	struct place *places;
	size_t place_count;
	struct str last;
	struct item *items;
	size_t item_count;
	uint32_t mask_name;   /* which items are there, against what is expected; with items */
	uint64_t computed[2]; /* fields that rules give */
	uint64_t family;      /* hash of the skeleton */
	uint32_t before;      /* the one before of the same family, or 0 */
	uint32_t fit_count;   /* records that it fitted */
};

struct slot_name {
	struct str text;
	enum record_kind kind;
	bool is_number;
};

struct shapes {
	struct arena arena;
	struct recipe *recipes; /* 0 is the one that keeps everything */
	size_t count, room;
	struct slot_name *names;
	size_t name_count, name_room;
	struct strmap name_of;
	struct u64map families; /* to the newest */
	uint32_t recent[RECORD_KIND_COUNT][RECENT_MAX];
	struct buf scratch;
	size_t word_count;     /* recipes of lines that are no JSON */
	size_t skeleton_bytes; /* fixed text of all recipes made here */
};

/* A token of raw. */
struct token {
	uint32_t start, len;
};

/* One record that is laid against recipes. */
struct fitting {
	struct shapes *shapes;
	const struct record *record;
	const struct shape_links *links;
	struct arena *arena;
	struct shape_fit *fit;
	struct token token[PLACES_MAX];
	size_t piece[2]; /* how far the pieces of statement and additional_information are */
	bool out_of_memory;
};

/* One record that is made from a recipe. */
struct rendering {
	const struct shape_fit *fit;
	const struct shape_links *links;
	struct record *record;
	struct arena *arena;
	size_t slot; /* the next one */
	struct token token[PLACES_MAX];
	size_t piece[2];
	bool wrong; /* the values are none of this recipe */
	bool out_of_memory;
};

/* The bytes of a token in raw. */
static inline struct str token_str(struct str raw, struct token token)
{
	return str_make(raw.ptr + token.start, token.len);
}

/* shape-names.c: the number of a slot's name, made when new; NO_NAME: too many or no memory. */
uint32_t names_add(struct shapes *shapes, enum record_kind kind, bool is_number, struct str key);

/* shape-names.c: the slots of a recipe in their order, as shape_slots gives them. SIZE_MAX: more than SHAPE_SLOTS_MAX. */
size_t recipe_slots(const struct shapes *shapes, const struct recipe *recipe, uint32_t *out_names,
		    bool *out_is_number);

/* shape-names.c: sets computed from the rules. */
void recipe_set_computed(struct recipe *recipe);

/* shape-fit.c: whether the recipe gives the record; fills fit but its number. */
bool recipe_fits(struct fitting *fitting, const struct recipe *recipe);

/* shape-fit.c: appends a slot's value to the fit. */
void fit_number(struct fitting *fitting, uint32_t name, int64_t number);
void fit_text(struct fitting *fitting, uint32_t name, struct str text);

/* shape-make.c: the recipe that fits the record, made when there is none; 0: it is kept as it is. */
uint32_t recipe_find(struct fitting *fitting);

/* shape-names.c: appends a recipe; 0 when there is no room. */
uint32_t shapes_add(struct shapes *shapes, const struct recipe *recipe);

/* shape-render.c: the next slot's value. */
int64_t render_number(struct rendering *rendering);
struct str render_text(struct rendering *rendering);

#endif
