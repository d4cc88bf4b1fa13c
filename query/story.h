/* story - what belongs to an id: requests, their statements, and every verdict on them.
 *
 * Shape:   requests named by the id or by the standing verdict of a statement that the id names; all statements whose verdicts,
 *          standing or earlier, name these requests; all verdicts on both, in leaf order. Other records (gaps, alerts,
 *          rejects) only when the id names them.
 * Damage:  what cannot be read is passed over, counted and told.
 * Limits:  STORY_FOUND_MAX records for one id.
 * Threads: one per thread. Blocking: disk.
 * Tests:   tests/unit/story.c
 */
#ifndef QUERY_STORY_H
#define QUERY_STORY_H

#include "base/hash.h"
#include "store/scan.h"

#define STORY_FOUND_MAX 1000
#define STORY_NO_LEAF   UINT64_MAX

struct story_verdict {
	uint64_t leaf, statement_leaf, request_leaf; /* STORY_NO_LEAF: absent */
};

struct story_list { /* leaves, rising */
	uint64_t *leaf;
	size_t count, room;
};

struct story {
	struct story_list requests, statements, others;
	struct story_verdict *verdicts; /* in leaf order */
	size_t verdict_count, verdict_room;
	size_t found_count;  /* records that the id names; may pass STORY_FOUND_MAX */
	uint64_t damaged;    /* blocks and records that could not be read */
	struct error damage; /* the first of them */
};

/* Collects. id is any id of a request or statement, or a leaf number.
 * Returns 0 with an empty story when there is no such id; ERR_IO or ERR_NOMEM. The story must be done either way. */
int story_find(struct store *store, struct str id, struct story *out_story, struct error *err);

/* Frees. */
void story_done(struct story *story);

/* The standing verdict of a statement, or NULL when it is pending. */
const struct story_verdict *story_standing(const struct story *story, uint64_t statement_leaf);

#endif
