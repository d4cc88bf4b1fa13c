/* group - how many statements of an answer have each value of a field, or each pair of values.
 *
 * Shape:   a group is one value per field (or its absence) and a count of statements. Groups come by count, the largest first, equal ones by
 *          value. Values are texts: numbers as digits, times as RFC 3339, bool as true and false.
 * Sources: sealed blocks whose trails can be judged by themselves are counted from their summaries when the question has no filter and
 *          one field, else from their columns; all other records go the way of `who` (query/run.h).
 * Limits:  GROUP_FIELDS_MAX fields; GROUPS_MAX groups (ERR_LIMIT asks for a filter).
 * Damage:  as query/run.h.
 * Threads: one at a time. Blocking: disk. Tests: tests/unit/group.c, tests/golden/
 */
#ifndef QUERY_GROUP_H
#define QUERY_GROUP_H

#include "base/arena.h"
#include "base/hash.h"
#include "query/trail.h"

#define GROUP_FIELDS_MAX 4
#define GROUPS_MAX       (1u << 22)

/* What is grouped by: a word of the filter language with its places, of which the first that has a value counts. */
struct group_field {
	char name[48];
	struct trail_column column[WORD_PLACES_MAX];
	size_t column_count;
};

/* Reads "user" or "route,table". Returns 0 or ERR_USAGE with "did you mean". */
int group_fields_read(struct str text, struct group_field out_fields[GROUP_FIELDS_MAX],
		      size_t *out_count, struct error *err);

struct group {
	struct str value[GROUP_FIELDS_MAX]; /* ptr NULL: absent */
	uint64_t statements;
};

struct group_set {
	const struct group_field *fields; /* borrowed */
	size_t field_count;
	struct group *group;
	size_t count, room;
	uint64_t statements; /* in all groups */
	struct arena arena;  /* the values */
	struct strmap index;
	struct buf key;
};

/* Prepares; fields are borrowed. */
void group_set_init(struct group_set *groups, const struct group_field *fields, size_t field_count);
void group_set_done(struct group_set *groups);

/* Adds to a group, which is made when it is new; values are copied. Returns 0, ERR_LIMIT or ERR_NOMEM. */
int group_set_add(struct group_set *groups, const struct str *values, uint64_t statements,
		  struct error *err);

/* Counts what a plan matches. *out_result says what was looked at, as of run_plan, without rows; to be cleared.
 * Returns 0, ERR_IO, ERR_NOMEM or ERR_LIMIT. */
int group_set_run(struct group_set *groups, struct store *store, const struct plan *plan,
		  struct run_result *out_result, struct error *err);

/* The value of a field in a trail as text, ptr NULL when it has none: borrowed from the trail or room, which is cleared first. */
struct str group_value(const struct group_field *field, const struct trail *trail,
		       struct buf *room);

/* Puts the groups in order. */
void group_set_sort(struct group_set *groups);

#endif
