#include "correlator/outside-inner.h"

#include "model/carried.h"

#include <stdlib.h>

struct outside outside_of(struct recall *recall, struct join *join)
{
	struct outside outside = {.recall = recall, .join = join};
	outside.blocks = recall_blocks(recall, &outside.block_count);
	return outside;
}

int outside_unless_gone(int rc, struct error *err)
{
	if (rc != -ERR_GONE) {
		return rc;
	}
	error_clear(err);
	return 0;
}

int outside_find_verdict(struct outside *outside, size_t place, uint64_t leaf,
			 struct found_verdict *best, struct error *err)
{
	struct recall_run run;
	int rc = recall_rows(outside->recall, (struct recall_key){place, RECALL_SUBJECTS, leaf},
			     &run, err);
	for (size_t i = 0; rc == 0 && i < run.count; i++) {
		if (best->at.row == BLOCK_NO_ROW || run.entries[i].note > best->note) {
			best->at = (struct recall_row){place, run.entries[i].row};
			best->note = run.entries[i].note;
		}
	}
	return rc;
}

/* Few blocks have verdicts that were sealed without their subject. */
static int find_elsewhere(struct outside *outside, const struct record *subject, uint64_t leaf,
			  struct found_verdict *best, struct error *err)
{
	char id[RECORD_ID_DIGITS + 1];
	record_stable_id(subject->source, subject->key, id);
	struct recall_probe probe = {.key = carried_key_borne(carried_key(str_of(id)))};
	int rc = 0;
	for (size_t i = 0; rc == 0 && i < outside->block_count; i++) {
		bool may = false;
		probe.place = i;
		rc = outside->blocks[i].has_strays
			     ? recall_may_hold(outside->recall, probe, &may, err)
			     : 0;
		rc = rc == 0 && may ? outside_find_verdict(outside, i, leaf, best, err) : rc;
	}
	return rc;
}

int outside_give(struct outside *outside, const struct join_want *want, struct recall_row row,
		 struct error *err)
{
	struct record record;
	uint64_t leaf = 0;
	struct found_verdict best = {.at = {.row = BLOCK_NO_ROW}};
	int rc = recall_record(outside->recall, row, &record, &leaf, err);
	rc = rc < 0 ? rc : join_recall(outside->join, want, leaf, &record, err);
	rc = rc < 0 ? rc : find_elsewhere(outside, &record, leaf, &best, err);
	rc = rc < 0 ? rc : outside_find_verdict(outside, row.place, leaf, &best, err);
	if (rc == 0 && best.at.row != BLOCK_NO_ROW) {
		rc = recall_record(outside->recall, best.at, &record, &leaf, err);
		rc = rc < 0 ? rc : join_restore(outside->join, leaf, &record, err);
	}
	return outside_unless_gone(rc, err);
}

/* Entries borrow from an index that may be made anew while their rows are given. */
static int give_run(struct outside *outside, const struct join_want *want, size_t place,
		    struct recall_run run, struct error *err)
{
	struct recall_entry *copy = reallocarray(NULL, run.count + 1, sizeof *copy);
	if (copy == NULL) {
		return error_set(err, ERR_NOMEM, "no memory for %zu records of a block", run.count);
	}
	int rc = 0;
	for (size_t i = 0; i < run.count; i++) {
		copy[i] = run.entries[i];
	}
	for (size_t i = 0; rc == 0 && i < run.count; i++) {
		rc = outside_give(outside, want, (struct recall_row){place, copy[i].row}, err);
	}
	free(copy);
	return rc;
}

static bool is_by_id(const struct join_want *want)
{
	return want->kind == JOIN_WANT_REQUESTS || want->kind == JOIN_WANT_CLAIMS;
}

static int may_hold_id(struct outside *outside, const struct join_want *want, size_t place,
		       bool *out_may, struct error *err)
{
	struct recall_probe probe = {place, false, want->key};
	int rc = recall_may_hold(outside->recall, probe, out_may, err);
	if (rc == 0 && !*out_may && want->kind == JOIN_WANT_CLAIMS) {
		probe.key = carried_key_borne(want->key);
		rc = recall_may_hold(outside->recall, probe, out_may, err);
	}
	return rc;
}

static int answer_id(struct outside *outside, const struct join_want *want, size_t place,
		     struct error *err)
{
	struct recall_run run;
	enum recall_index index = want->kind == JOIN_WANT_CLAIMS ? RECALL_CLAIMS : RECALL_REQUESTS;
	int rc = recall_rows(outside->recall, (struct recall_key){place, index, want->key}, &run,
			     err);
	return rc < 0 || run.count == 0 ? rc : give_run(outside, want, place, run, err);
}

static int put_later(struct outside_later *later, const struct join_want *want, struct error *err)
{
	if (later->count == later->room) {
		size_t room = later->room < 256 ? 256 : later->room * 2;
		struct outside_key *keys = reallocarray(later->keys, room, sizeof *keys);
		if (keys == NULL) {
			return error_set(err, ERR_NOMEM, "no memory for ids to be looked up");
		}
		later->keys = keys;
		later->room = room;
	}
	later->keys[later->count++] =
		(struct outside_key){.key = want->key,
				     .time_ns = want->from_ns,
				     .claims = want->kind == JOIN_WANT_CLAIMS};
	return 0;
}

void outside_later_done(struct outside_later *later)
{
	free(later->keys);
	*later = (struct outside_later){0};
}

/* Whether a time is not far from a span of time; also when that can't be said. */
static bool is_near_span(const struct outside_later *later, int64_t time_ns, int64_t min_ns,
			 int64_t max_ns)
{
	int64_t before_ns = 0, after_ns = 0;
	if (__builtin_sub_overflow(min_ns, time_ns, &before_ns) ||
	    __builtin_sub_overflow(time_ns, max_ns, &after_ns)) {
		return true;
	}
	return before_ns <= later->near_ns && after_ns <= later->near_ns;
}

static bool is_near(const struct outside_later *later, const struct recall_block *block,
		    const struct join_want *want)
{
	return later == NULL || want->urgent ||
	       is_near_span(later, want->from_ns, block->min_time_ns, block->max_time_ns);
}

/* What filters far away say by chance of so many wants; more than that means something. */
#define CHANCE_BASE  16
#define CHANCE_SHARE 64

enum hit { HIT_NONE, HIT_HERE, HIT_PUT_OFF }; /* by any block: put off; by the one at hand: here */

/* Answers the wants by id from the block at a place. hit: room for a byte a want. */
static int answer_ids(struct outside *outside, struct outside_later *later, size_t place,
		      uint8_t *hit, struct error *err)
{
	const struct recall_block *block = &outside->blocks[place];
	size_t far = 0;
	int rc = 0;
	for (size_t i = 0; rc == 0 && i < outside->want_count; i++) {
		const struct join_want *want = &outside->wants[i];
		bool may = false;
		rc = is_by_id(want) ? may_hold_id(outside, want, place, &may, err) : 0;
		hit[i] = hit[i] == HIT_PUT_OFF ? HIT_PUT_OFF : may;
		outside->here[i] = may;
		far += may && !is_near(later, block, want);
	}
	bool by_chance = far < CHANCE_BASE + outside->want_count / CHANCE_SHARE;
	for (size_t i = 0; rc == 0 && i < outside->want_count; i++) {
		const struct join_want *want = &outside->wants[i];
		if (!outside->here[i]) {
			continue;
		}
		if (!by_chance || is_near(later, block, want)) {
			rc = answer_id(outside, want, place, err);
		} else if (hit[i] != HIT_PUT_OFF) {
			rc = put_later(later, want, err);
			hit[i] = HIT_PUT_OFF;
		}
	}
	return rc;
}

struct look { /* at a session in a block */
	const struct join_want *want;
	size_t place;
	unsigned marks; /* only rows that may do one of these; 0: all */
	int64_t from_ns;
	int64_t to_ns; /* INT64_MAX: no end */
};

/* Whether the block may hold rows of the session that may mark so. */
static int may_mark(struct outside *outside, const struct look *look, bool *out_may,
		    struct error *err)
{
	int rc = 0;
	*out_may = false;
	for (unsigned mark = CARRIED_WRITES; rc == 0 && !*out_may && mark <= CARRIED_RESETS;
	     mark <<= 1) {
		uint64_t key = carried_key_marks(look->want->key, (enum carried_mark)mark);
		if ((look->marks & mark) != 0) {
			rc = recall_may_hold(outside->recall,
					     (struct recall_probe){look->place, false, key},
					     out_may, err);
		}
	}
	return rc;
}

static bool is_before(int64_t time_ns, int64_t to_ns)
{
	return to_ns == INT64_MAX || time_ns < to_ns;
}

static bool is_within(const struct look *look, const struct recall_entry *entry, int64_t time_ns)
{
	return is_before(time_ns, look->to_ns) && time_ns >= look->from_ns &&
	       (look->marks == 0 || (entry->note & look->marks) != 0);
}

/* The rows of a session that a look is for, in memory that the caller frees. */
static int session_rows(struct outside *outside, const struct look *look,
			struct recall_entry **out_entries, size_t *out_count, struct error *err)
{
	struct recall_rows_of rows;
	struct recall_run run;
	*out_entries = NULL;
	*out_count = 0;
	int rc = recall_rows(outside->recall,
			     (struct recall_key){look->place, RECALL_SESSIONS, look->want->key},
			     &run, err);
	rc = rc < 0 ? rc : recall_look(outside->recall, look->place, &rows, err);
	if (rc < 0 || run.count == 0 || rows.times == NULL) {
		return rc;
	}
	struct recall_entry *copy = reallocarray(NULL, run.count, sizeof *copy);
	if (copy == NULL) {
		return error_set(err, ERR_NOMEM, "no memory for %zu records of a session",
				 run.count);
	}
	for (size_t i = 0; i < run.count; i++) {
		if (is_within(look, &run.entries[i], rows.times[run.entries[i].row])) {
			copy[(*out_count)++] = run.entries[i];
		}
	}
	*out_entries = copy;
	return 0;
}

static int give_session(struct outside *outside, const struct look *look, struct error *err)
{
	struct recall_entry *entries = NULL;
	struct recall_run run = {0};
	int rc = session_rows(outside, look, &entries, &run.count, err);
	run.entries = entries;
	rc = rc < 0 || run.count == 0 ? rc : give_run(outside, look->want, look->place, run, err);
	free(entries);
	return rc;
}

static int answer_span(struct outside *outside, const struct join_want *want, bool *out_nothing,
		       struct error *err)
{
	struct look look = {.want = want, .from_ns = want->from_ns, .to_ns = want->to_ns};
	if (want->kind == JOIN_WANT_MARKS) {
		look.marks = CARRIED_WRITES | CARRIED_SETS | CARRIED_RESETS;
	}
	int rc = 0;
	*out_nothing = look.marks != 0;
	for (; rc == 0 && look.place < outside->block_count; look.place++) {
		const struct recall_block *block = &outside->blocks[look.place];
		bool older = block->min_time_ns < want->from_ns;
		bool within = is_before(block->min_time_ns, want->to_ns) &&
			      block->max_time_ns >= want->from_ns;
		bool may = within;
		if (look.marks != 0 && (within || older)) {
			rc = may_mark(outside, &look, &may, err);
			*out_nothing = *out_nothing && !(may && older);
		}
		rc = rc == 0 && within && may ? give_session(outside, &look, err) : rc;
	}
	return rc;
}

struct newest {
	int64_t time_ns;
	bool any;
};

/* The time of the newest row in the block that a look is for. */
static int look_for_newest(struct outside *outside, const struct look *look, struct newest *newest,
			   struct error *err)
{
	struct recall_entry *entries = NULL;
	struct recall_rows_of rows;
	size_t count = 0;
	int rc = session_rows(outside, look, &entries, &count, err);
	rc = rc < 0 ? rc : recall_look(outside->recall, look->place, &rows, err);
	for (size_t i = 0; rc == 0 && i < count && rows.times != NULL; i++) {
		int64_t time_ns = rows.times[entries[i].row];
		newest->time_ns =
			!newest->any || time_ns > newest->time_ns ? time_ns : newest->time_ns;
		newest->any = true;
	}
	free(entries);
	return rc;
}

/* All rows of one time that a look is for. */
static int give_base(struct outside *outside, struct look look, int64_t time_ns, struct error *err)
{
	int rc = 0;
	look.from_ns = time_ns;
	look.to_ns = time_ns == INT64_MAX ? INT64_MAX : time_ns + 1;
	for (look.place = 0; rc == 0 && look.place < outside->block_count; look.place++) {
		const struct recall_block *block = &outside->blocks[look.place];
		bool may = false;
		if (block->min_time_ns <= time_ns && block->max_time_ns >= time_ns) {
			rc = may_mark(outside, &look, &may, err);
			rc = rc == 0 && may ? give_session(outside, &look, err) : rc;
		}
	}
	return rc;
}

/* The newest rows before a time, and all others of their time. */
static int answer_base(struct outside *outside, const struct join_want *want, struct error *err)
{
	struct look look = {
		.want = want, .marks = want->marks, .from_ns = INT64_MIN, .to_ns = want->to_ns};
	struct newest newest = {0};
	int rc = 0;
	for (size_t i = outside->block_count; rc == 0 && i-- > 0;) {
		const struct recall_block *block = &outside->blocks[i];
		bool may = false;
		if (newest.any && block->max_time_ns < newest.time_ns) {
			break; /* they stand in order of their last time */
		}
		look.place = i;
		rc = is_before(block->min_time_ns, want->to_ns)
			     ? may_mark(outside, &look, &may, err)
			     : 0;
		rc = rc == 0 && may ? look_for_newest(outside, &look, &newest, err) : rc;
	}
	return rc < 0 || !newest.any ? rc : give_base(outside, look, newest.time_ns, err);
}

static int answer_leaf(struct outside *outside, const struct join_want *want, struct error *err)
{
	struct recall_row row;
	int rc = recall_find_leaf(outside->recall, want->key, &row, err);
	return outside_unless_gone(rc < 0 ? rc : outside_give(outside, want, row, err), err);
}

/* What is asked by session or leaf, one want after the other. */
static int answer_one(struct outside *outside, const struct join_want *want, uint8_t hit,
		      struct error *err)
{
	bool nothing_older = false;
	unsigned answer = hit == HIT_PUT_OFF ? JOIN_PUT_OFF : 0;
	int rc = 0;
	switch (want->kind) {
	case JOIN_WANT_LEAF:
		rc = answer_leaf(outside, want, err);
		break;
	case JOIN_WANT_ROWS:
	case JOIN_WANT_MARKS:
		rc = answer_span(outside, want, &nothing_older, err);
		break;
	case JOIN_WANT_BASE:
		rc = answer_base(outside, want, err);
		break;
	case JOIN_WANT_REQUESTS:
	case JOIN_WANT_CLAIMS:
		break;
	}
	answer |= nothing_older ? JOIN_NOTHING_OLDER : 0;
	return rc < 0 ? rc : join_answer(outside->join, want, answer, err);
}

int outside_answer(struct recall *recall, struct join *join, struct outside_later *later,
		   size_t *out_count, struct error *err)
{
	struct outside outside = outside_of(recall, join);
	int rc = 0;
	outside.want_count = join_wants(join, &outside.wants);
	*out_count = outside.want_count;
	if (outside.want_count == 0) {
		return 0;
	}
	uint8_t *hit = calloc(outside.want_count, 1);
	outside.here = calloc(outside.want_count, sizeof(bool));
	if (hit == NULL || outside.here == NULL) {
		free(hit);
		free(outside.here);
		return error_set(err, ERR_NOMEM, "no memory for what the join wants");
	}
	for (size_t place = 0; rc == 0 && place < outside.block_count; place++) {
		rc = answer_ids(&outside, later, place, hit, err);
	}
	for (size_t i = 0; rc == 0 && i < outside.want_count; i++) {
		rc = answer_one(&outside, &outside.wants[i], hit[i], err);
	}
	free(hit);
	free(outside.here);
	return rc;
}

/* What is near in time was found in its block when it was asked for, or came later and asked itself. */
static int give_late(struct outside *outside, const struct outside_later *later,
		     const struct join_want *want, size_t place, struct error *err)
{
	struct recall_run run = {.count = 1};
	enum recall_index index = want->kind == JOIN_WANT_CLAIMS ? RECALL_CLAIMS : RECALL_REQUESTS;
	int rc = 0;
	for (size_t i = 0; rc == 0 && i < run.count; i++) {
		struct recall_rows_of rows;
		rc = recall_rows(outside->recall, (struct recall_key){place, index, want->key},
				 &run, err);
		rc = rc < 0 ? rc : recall_look(outside->recall, place, &rows, err);
		if (rc < 0 || i >= run.count || rows.leaves == NULL) {
			break;
		}
		uint32_t row = run.entries[i].row;
		uint64_t leaf = rows.leaves[row];
		if (is_near_span(later, want->from_ns, rows.times[row], rows.times[row])) {
			continue;
		}
		rc = outside_give(outside, NULL, (struct recall_row){place, row}, err);
		rc = rc < 0 ? rc : join_late(outside->join, leaf, err);
	}
	return rc;
}

int outside_look_up(struct recall *recall, struct join *join, struct outside_later *later,
		    struct error *err)
{
	struct outside outside = outside_of(recall, join);
	int rc = 0;
	for (size_t place = 0; rc == 0 && place < outside.block_count; place++) {
		for (size_t i = 0; rc == 0 && i < later->count; i++) {
			struct join_want want = {.kind = later->keys[i].claims ? JOIN_WANT_CLAIMS
									       : JOIN_WANT_REQUESTS,
						 .key = later->keys[i].key,
						 .from_ns = later->keys[i].time_ns};
			bool may = false;
			rc = may_hold_id(&outside, &want, place, &may, err);
			rc = rc == 0 && may ? give_late(&outside, later, &want, place, err) : rc;
		}
	}
	if (rc == 0) {
		later->count = 0;
		join_looked_up(join);
	}
	return rc;
}
