/* recipe-set - what the files of recipe share: the set of recipes and what is remembered while records are fitted.
 *
 * Threads: one per thread. Tests: tests/unit/recipe.c
 */
#ifndef STORE_BLOCK_RECIPE_SET_H
#define STORE_BLOCK_RECIPE_SET_H

#include "base/arena.h"
#include "base/hash.h"
#include "store/block/recipe.h"

#define RECIPE_GUESSES   4
#define RECIPE_RECENT    4
#define RECIPE_LEARN     6   /* times that a key is looked at for what its value may be */
#define RECIPE_ORDER_MAX 256 /* keys of a line whose place is remembered */

enum guess_kind { GUESS_FIELD, GUESS_TAIL, GUESS_SUFFIX, GUESS_TIME };

/* What the value under a key was before. */
struct recipe_guess {
	uint8_t kind;
	uint16_t arg;
	uint32_t since, misses; /* since: number of the fit in which it was found */
};

struct recipe_memory {
	struct recipe_guess guess[RECIPE_GUESSES];
	uint8_t guess_count;
	uint8_t looked;
	bool told;        /* the field is known by the key's name, and nothing else is tried */
	uint32_t seen_in; /* number of the fit in which it was used last */
	uint8_t op;       /* and what for: a step */
	uint16_t arg;
};

struct recipes {
	struct arena arena;
	struct recipe *items;
	struct str *saved; /* the bytes of each */
	size_t count, room;
	struct strmap by_bytes;
	struct strmap by_name;
	struct str *names;
	struct recipe_memory *memories;
	size_t name_count, name_room;
	/* of the fit that goes on */
	const struct record *record;
	struct recipe_fit *fit;
	struct arena scratch;
	struct buf bytes, text;
	struct recipe_step steps[RECIPE_STEPS_MAX];
	struct recipe_rule rules[RECIPE_RULES_MAX];
	struct recipe_slot slots[RECIPE_SLOTS_MAX];
	size_t step_count, rule_count, slot_count;
	uint32_t fit_number;
	uint32_t order[RECORD_KIND_COUNT][RECIPE_ORDER_MAX]; /* names of the line before, plus 1 */
	size_t place;
	uint32_t recent[RECORD_KIND_COUNT][RECIPE_RECENT]; /* plus 1 */
	bool failed;                                       /* no memory */
};

/* The number of a name, added when it is new; UINT32_MAX after a failure. */
uint32_t recipes_name_number(struct recipes *recipes, struct str text);

/* Reads one recipe, whose parts are put into the arena. False: it is none. */
struct wire_reader;
bool recipes_read(struct recipes *recipes, struct wire_reader *reader, struct recipe *out);

/* Adds a recipe from its bytes. Returns its number, or UINT32_MAX: failed is set, or the bytes are none. */
uint32_t recipes_add(struct recipes *recipes, struct str bytes);

/* Steps of a rule that gives text, which is JSON; false when they are too many or it is no JSON. extra: what raw holds already is referred to. */
bool recipe_cut_json(struct recipes *recipes, struct str text, bool extra);

/* Finds a recipe among those used last that gives the record back, and takes its slots out of it. False: the slow way must look. */
bool recipe_match(struct recipes *recipes, const struct record *record,
		  const struct recipe_links *links, struct recipe_fit *out_fit);

/* Adds a step to the rule that is being made; false when there is no room. */
bool recipe_push(struct recipes *recipes, enum recipe_op op, unsigned arg, struct str bytes);

/* Begins and ends a rule. A rule that is given up leaves no trace but slots that nobody uses. */
struct recipe_mark {
	size_t steps, slots;
};
struct recipe_mark recipe_begin(const struct recipes *recipes);
void recipe_give_up(struct recipes *recipes, struct recipe_mark mark);
bool recipe_end(struct recipes *recipes, struct recipe_mark mark, unsigned target);

#endif
