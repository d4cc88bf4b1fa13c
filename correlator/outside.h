/* outside - gives the join back what it wants of sealed records, with the newest verdict on each.
 *
 * Rules:   blocks are asked in order of time, each for all wants at once. A verdict stands in the block of its subject, or in one
 *          with strays whose filter knows its subject.
 * Damage:  what a damaged block held does not come back: the join judges without it. recall_damage tells of it.
 * Threads: the writer's. Blocking: disk. Tests: tests/simulation/sealed-keeper.c
 */
#ifndef CORRELATOR_OUTSIDE_H
#define CORRELATOR_OUTSIDE_H

#include "correlator/join/join.h"
#include "store/recall.h"

/* Ids that a filter far from their event's time may hold: nearly always by chance, and an index of its block must be made to see it. They are
 * looked up together, later; what is found then is judged as if it had come late. Records that are near themselves were answered at once. */
struct outside_key {
	uint64_t key;
	int64_t time_ns; /* of the event */
	bool claims;
};
struct outside_later {
	struct outside_key *keys;
	size_t count, room;
	int64_t near_ns; /* blocks this far from an event in time are near */
};

/* Frees the memory. */
void outside_later_done(struct outside_later *later);

/* Answers what the join wants now; the join may want more then. *out_count: how many wants there were.
 *   later  takes the ids that are to be looked up later; NULL: none is
 * Returns 0, or what recall_record and join_recall say. */
int outside_answer(struct recall *recall, struct join *join, struct outside_later *later,
		   size_t *out_count, struct error *err);

/* Looks those up; then the join may want more. */
int outside_look_up(struct recall *recall, struct join *join, struct outside_later *later,
		    struct error *err);

/* Gives back records of the block at a place: those on which no final verdict is said yet, as far as the block knows (with unsaid_only: on
 * which none at all is; with statements_only: no requests), and all statements from young_ns on (INT64_MAX: none): on these the last
 * word may not be said although a final verdict stands. Begins at first_row and ends when the join holds `most` records more;
 * *out_next: the row to go on from, or OUTSIDE_DONE. */
#define OUTSIDE_DONE UINT32_MAX
struct outside_look {
	size_t place;
	int64_t young_ns;
	bool unsaid_only;
	bool statements_only;
	uint32_t first_row;
	size_t most;
};
int outside_visit(struct recall *recall, struct join *join, const struct outside_look *look,
		  uint32_t *out_next, struct error *err);

/* A statement outside has a newer verdict in the head: gives it back, with the requests that older ones named. */
int outside_revisit(struct recall *recall, struct join *join, uint64_t leaf, struct error *err);

/* Gives back a request outside that a verdict in the head named, but not the newest of its statement. */
int outside_left(struct recall *recall, struct join *join, uint64_t leaf, struct error *err);

#endif
