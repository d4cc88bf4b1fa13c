#include "correlator/join/past.h"

#include "correlator/join/book.h"
#include "correlator/join/clocks.h"
#include "correlator/join/session.h"
#include "model/carried.h"

#include <assert.h>
#include <stdlib.h>

void past_done(struct past *past)
{
	free(past->wants);
	free(past->hot);
	free(past->found);
	free(past->pairs);
	*past = (struct past){0};
}

static int add_want(struct book *book, const struct join_want *want)
{
	struct past *past = &book->past;
	int rc = book_reserve(&past->wants, &past->want_capacity, past->want_count,
			      sizeof *past->wants);
	if (rc == 0) {
		past->wants[past->want_count++] = *want;
	}
	return rc;
}

struct asking { /* for ids */
	int64_t at_ns;
	bool urgent;
};

static int want_id(struct book *book, uint32_t index, unsigned what, struct asking by)
{
	struct id *id = &book->ids[index];
	unsigned enough = what | what * ID_ASKED | (by.urgent ? 0 : what * ID_PUT_OFF);
	if ((id->whole & enough) != 0) {
		return 0;
	}
	id->whole |= (uint8_t)(what * ID_ASKED);
	return add_want(book, &(struct join_want){.kind = what == ID_REQUESTS ? JOIN_WANT_REQUESTS
									      : JOIN_WANT_CLAIMS,
						  .key = id->key,
						  .from_ns = by.at_ns,
						  .to_ns = by.at_ns,
						  .urgent = by.urgent,
						  .item = index});
}

static int want_ids(struct book *book, const uint32_t id[ID_KINDS], unsigned what, struct asking by)
{
	int rc = 0;
	for (int kind = 0; rc == 0 && kind < ID_KINDS; kind++) {
		rc = id[kind] == BOOK_NONE ? 0 : want_id(book, id[kind], what, by);
	}
	return rc;
}

static int64_t server_time(const struct book *book, const struct session *session, int64_t at_ns)
{
	return at_ns == INT64_MAX
		       ? INT64_MAX
		       : book_subtract_ns(at_ns, book->sources[session->source].offset_ns);
}

/* All rows that may mark, from a time on. */
static int want_marks(struct book *book, uint32_t index, int64_t at_ns)
{
	struct session *session = &book->sessions[index];
	int64_t from_ns = server_time(book, session, at_ns);
	for (uint32_t i = 0; (session->past.asked & PAST_ASKED_MARKS) != 0; i++) {
		struct join_want *want = &book->past.wants[i];
		assert(i < book->past.want_count);
		if (want->kind == JOIN_WANT_MARKS && want->item == index) {
			want->from_ns = from_ns < want->from_ns ? from_ns : want->from_ns;
			return 0;
		}
	}
	session->past.asked |= PAST_ASKED_MARKS;
	return add_want(book, &(struct join_want){.kind = JOIN_WANT_MARKS,
						  .key = session->key,
						  .from_ns = from_ns,
						  .to_ns = server_time(book, session,
								       session->past.marks_from_ns),
						  .item = index});
}

static int want_base(struct book *book, uint32_t index, bool replay)
{
	struct session *session = &book->sessions[index];
	unsigned asked = replay ? PAST_ASKED_REPLAY : PAST_ASKED_WRITE;
	if ((session->past.asked & asked) != 0) {
		return 0;
	}
	session->past.asked |= asked;
	int64_t before_ns = replay ? session->past.replay_before_ns : session->past.write_before_ns;
	return add_want(book, &(struct join_want){.kind = JOIN_WANT_BASE,
						  .marks = CARRIED_RESETS |
							   (replay ? CARRIED_SETS : CARRIED_WRITES),
						  .key = session->key,
						  .from_ns = INT64_MIN,
						  .to_ns = server_time(book, session, before_ns),
						  .item = index});
}

/* What a statement's place in its session asks for. */
static int want_place(struct book *book, const struct statement *row)
{
	if (row->session == BOOK_NONE) {
		return 0;
	}
	const struct session *session = &book->sessions[row->session];
	if (row->at_ns < session->past.marks_from_ns) {
		return want_marks(book, row->session, row->at_ns);
	}
	int rc = row->write_marker == BOOK_UNKNOWN ? want_base(book, row->session, false) : 0;
	return rc == 0 && row->replay_marker == BOOK_UNKNOWN ? want_base(book, row->session, true)
							     : rc;
}

static int want_claim(struct book *book, uint32_t claim, struct asking by)
{
	return claim == BOOK_NONE ? 0 : want_ids(book, book->claims[claim].id, ID_REQUESTS, by);
}

static int want_marker(struct book *book, uint32_t marker, struct asking by)
{
	return marker == BOOK_NONE || marker == BOOK_UNKNOWN
		       ? 0
		       : want_claim(book, book_claim(book, &book->statements[marker], ROLE_MARK),
				    by);
}

static int want_statement(struct book *book, uint32_t index)
{
	const struct statement *row = &book->statements[index];
	struct asking by = {.at_ns = row->at_ns, .urgent = row->said.count > 0};
	int rc = want_place(book, row);
	rc = rc != 0 ? rc : want_claim(book, row->column, by);
	for (uint32_t i = row->carried; rc == 0 && i != BOOK_NONE;
	     i = book->carried[i].next_of_statement) {
		rc = want_claim(book, book->carried[i].claim, by);
	}
	rc = rc != 0 ? rc : want_marker(book, row->write_marker, by);
	rc = rc != 0 ? rc : want_marker(book, row->replay_marker, by);
	if (rc == 0 && (row->flags & STATEMENT_SETS) == 0) {
		rc = want_marker(book, row->batch_marker, by);
	}
	uint64_t leaf = row->said.request_leaf;
	if (rc == 0 && row->said.what != 0 && row->request == BOOK_NONE && leaf < book->past.end &&
	    book_find_leaf(book, leaf) == BOOK_NONE) {
		rc = add_want(book, &(struct join_want){
					    .kind = JOIN_WANT_LEAF, .key = leaf, .item = index});
	}
	return rc;
}

/* The rows that a hot one may govern, or be part of: until something behind it marks in the same way. */
static int want_rows(struct book *book, uint32_t index)
{
	const struct statement *row = &book->statements[index];
	struct session *session = &book->sessions[row->session];
	struct session_span span = session_governed(book, index);
	if (span.from_ns < session->past.marks_from_ns) {
		return want_marks(book, row->session, span.from_ns);
	}
	int64_t last_ns = server_time(book, session, span.last_ns);
	return add_want(book,
			&(struct join_want){.kind = JOIN_WANT_ROWS,
					    .key = session->key,
					    .from_ns = server_time(book, session, span.from_ns),
					    .to_ns = book_add_ns(last_ns, 1),
					    .item = index});
}

int past_heat(struct book *book, uint32_t statement)
{
	struct statement *row = &book->statements[statement];
	const unsigned marks = STATEMENT_WRITES | STATEMENT_SETS | STATEMENT_RESETS;
	if (!book->past.any || (row->flags & marks) == 0 || row->session == BOOK_NONE ||
	    (row->flags & STATEMENT_HOT) != 0) {
		return 0;
	}
	int rc = book_reserve(&book->past.hot, &book->past.hot_capacity, book->past.hot_count,
			      sizeof *book->past.hot);
	if (rc == 0) {
		row->flags |= STATEMENT_HOT;
		book->past.hot[book->past.hot_count++] = statement;
	}
	return rc;
}

static int want_hot(struct book *book)
{
	struct past *past = &book->past;
	uint32_t kept = 0;
	for (uint32_t i = 0; i < past->hot_count; i++) {
		uint32_t index = past->hot[i];
		struct statement *row = &book->statements[index];
		const struct session *session = &book->sessions[row->session];
		if ((row->flags & STATEMENT_HOT) != 0 && (row->flags & STATEMENT_PLACED) != 0 &&
		    session_governed(book, index).from_ns >= session->past.rows_from_ns) {
			row->flags &= (uint16_t)~STATEMENT_HOT;
		}
		if ((row->flags & STATEMENT_HOT) == 0) {
			continue;
		}
		past->hot[kept++] = index;
		int rc = want_rows(book, index);
		if (rc != 0) {
			return rc;
		}
	}
	past->hot_count = kept;
	return 0;
}

bool past_is_ready(const struct book *book, uint32_t request)
{
	const struct request *line = &book->requests[request];
	if (!book->past.any || (line->named > 0 && (line->flags & REQUEST_NEW) == 0)) {
		return true;
	}
	unsigned enough = line->said.count > 0 ? ID_CLAIMS : ID_CLAIMS | ID_CLAIMS * ID_PUT_OFF;
	for (int kind = 0; kind < ID_KINDS; kind++) {
		if (line->id[kind] != BOOK_NONE &&
		    (book->ids[line->id[kind]].whole & enough) == 0) {
			return false;
		}
	}
	return true;
}

void past_clear_wants(struct book *book)
{
	struct past *past = &book->past;
	for (uint32_t i = 0; i < past->want_count; i++) {
		const struct join_want *want = &past->wants[i];
		switch (want->kind) {
		case JOIN_WANT_REQUESTS:
			book->ids[want->item].whole &= (uint8_t) ~(ID_REQUESTS * ID_ASKED);
			break;
		case JOIN_WANT_CLAIMS:
			book->ids[want->item].whole &= (uint8_t) ~(ID_CLAIMS * ID_ASKED);
			break;
		case JOIN_WANT_MARKS:
		case JOIN_WANT_BASE:
			book->sessions[want->item].past.asked = 0;
			break;
		case JOIN_WANT_LEAF:
		case JOIN_WANT_ROWS:
			break;
		}
	}
	past->want_count = 0;
}

int past_collect(struct book *book)
{
	past_clear_wants(book); /* what was asked for and not answered is asked for again */
	if (!book->past.any) {
		return 0;
	}
	int rc = want_hot(book);
	/* The first to ask for an id says how urgent it is. */
	for (int said = 1; said >= 0; said--) {
		for (uint32_t i = 0; rc == 0 && i < book->dirty_statements.count; i++) {
			uint32_t index = book->dirty_statements.at[i];
			bool is_said = book->statements[index].said.count > 0;
			rc = is_said == (said == 1) ? want_statement(book, index) : 0;
		}
	}
	bool statements = book->dirty_statements.count > 0 || book->past.want_count > 0;
	for (uint32_t i = 0; rc == 0 && i < book->dirty_requests.count; i++) {
		const struct request *line = &book->requests[book->dirty_requests.at[i]];
		/* Of a request from outside it shows only behind the statements whether any names it. */
		if ((line->flags & REQUEST_NEW) != 0 || (!statements && line->named == 0)) {
			rc = want_ids(book, line->id, ID_CLAIMS,
				      (struct asking){line->start_ns, line->said.count > 0});
		}
	}
	return rc;
}

void past_cover(struct request *request, uint64_t verdict_leaf)
{
	request->said.what = request->said.leaf < verdict_leaf ? 0 : request->said.what;
}

int past_link(struct book *book, uint32_t statement)
{
	struct statement *row = &book->statements[statement];
	if (row->request != BOOK_NONE || row->said.what == 0 ||
	    row->said.request_leaf == JOIN_NO_LEAF) {
		return 0;
	}
	uint32_t item = book_find_leaf(book, row->said.request_leaf);
	if (item == BOOK_NONE || (item & BOOK_REQUEST_BIT) == 0) {
		return 0;
	}
	row->request = item & ~BOOK_REQUEST_BIT;
	book->requests[row->request].named++;
	past_cover(&book->requests[row->request], row->said.leaf);
	return book_touch_request(book, row->request);
}

int past_found(struct book *book, uint32_t statement)
{
	struct past *past = &book->past;
	int rc = book_reserve(&past->found, &past->found_capacity, past->found_count,
			      sizeof *past->found);
	if (rc == 0) {
		past->found[past->found_count++] = statement;
	}
	return rc;
}

static int answer_claims(struct book *book, uint32_t index, bool put_off)
{
	struct id *id = &book->ids[index];
	id->whole |= (uint8_t)(put_off ? ID_CLAIMS * ID_PUT_OFF : ID_CLAIMS);
	int rc = 0;
	for (uint32_t claim = id->claims; rc == 0 && claim != BOOK_NONE;
	     claim = book->claims[claim].next[id->kind]) {
		rc = book_touch_claim(book, claim);
	}
	return rc;
}

static int answer_marks(struct book *book, const struct join_want *want, bool nothing_older)
{
	struct session *session = &book->sessions[want->item];
	struct session_past *past = &session->past;
	int64_t from_ns = book_add_ns(want->from_ns, book->sources[session->source].offset_ns);
	if (nothing_older || want->from_ns == INT64_MIN) {
		past->marks_from_ns = INT64_MIN;
		past->base_write = past->base_replay = BOOK_NONE;
		past->write_before_ns = past->replay_before_ns = INT64_MIN;
	} else if (from_ns < past->marks_from_ns) {
		past->marks_from_ns = from_ns;
		past->base_write = past->base_replay = BOOK_UNKNOWN;
		past->write_before_ns = past->replay_before_ns = from_ns;
		past->cleared = 0;
	}
	session->rebased = true;
	return book_touch_session(book, want->item);
}

/* What a row, the newest of those not looked at, says of a base; BOOK_UNKNOWN when older ones decide. */
static uint32_t base_by(const struct book *book, uint32_t index, bool replay, unsigned *cleared)
{
	const struct statement *row = &book->statements[index];
	bool sets = (row->flags & (replay ? STATEMENT_SETS : STATEMENT_WRITES)) != 0;
	unsigned place = 1U << ((row->flags & STATEMENT_BY_INFO) != 0);
	bool marks = book_claim(book, row, ROLE_MARK) != BOOK_NONE;
	if (sets && marks) {
		return replay && (*cleared & place) != 0 ? BOOK_NONE : index;
	}
	if ((sets && !replay) || (row->flags & STATEMENT_RESETS) != 0) {
		return BOOK_NONE;
	}
	*cleared |= sets ? place : 0;
	return BOOK_UNKNOWN;
}

static int answer_base(struct book *book, const struct join_want *want)
{
	struct session *session = &book->sessions[want->item];
	struct session_past *past = &session->past;
	bool replay = (want->marks & CARRIED_SETS) != 0;
	int64_t *before_ns = replay ? &past->replay_before_ns : &past->write_before_ns;
	uint32_t base = book->past.found_count == 0 ? BOOK_NONE : BOOK_UNKNOWN;
	if (server_time(book, session, *before_ns) != want->to_ns) {
		book->past.found_count = 0; /* the base has moved meanwhile */
		return 0;
	}
	session_order(book, book->past.found, book->past.found_count);
	for (uint32_t i = book->past.found_count; i-- > 0 && base == BOOK_UNKNOWN;) {
		uint32_t index = book->past.found[i];
		*before_ns = book->statements[index].at_ns;
		base = base_by(book, index, replay, &past->cleared);
	}
	book->past.found_count = 0;
	*(replay ? &past->base_replay : &past->base_write) = base;
	session->rebased = true;
	return book_touch_session(book, want->item);
}

static int answer_rows(struct book *book, const struct join_want *want)
{
	struct statement *row = &book->statements[want->item];
	struct session *session = &book->sessions[row->session];
	int64_t from_ns = book_add_ns(want->from_ns, book->sources[session->source].offset_ns);
	row->flags &= (uint16_t)~STATEMENT_HOT;
	if (want->to_ns == INT64_MAX && from_ns < session->past.rows_from_ns) {
		session->past.rows_from_ns = from_ns;
	}
	return 0;
}

void past_looked_up(struct book *book)
{
	for (uint32_t i = 0; i < book->id_count; i++) {
		struct id *id = &book->ids[i];
		id->whole |= (uint8_t)(id->whole / ID_PUT_OFF % 4);
		id->whole &= (uint8_t) ~((ID_REQUESTS | ID_CLAIMS) * ID_PUT_OFF);
	}
}

int past_answer(struct book *book, const struct join_want *want, unsigned answer)
{
	bool put_off = (answer & JOIN_PUT_OFF) != 0;
	bool nothing_older = (answer & JOIN_NOTHING_OLDER) != 0;
	switch (want->kind) {
	case JOIN_WANT_LEAF:
		if (book_find_leaf(book, want->key) == BOOK_NONE) {
			/* It could not be read. What is said next names no request that nobody can see. */
			book->statements[want->item].said.request_leaf = JOIN_NO_LEAF;
		}
		return 0;
	case JOIN_WANT_REQUESTS:
		book->ids[want->item].whole |=
			(uint8_t)(put_off ? ID_REQUESTS * ID_PUT_OFF : ID_REQUESTS);
		return 0;
	case JOIN_WANT_CLAIMS:
		return answer_claims(book, want->item, put_off);
	case JOIN_WANT_ROWS:
		return answer_rows(book, want);
	case JOIN_WANT_MARKS:
		return answer_marks(book, want, nothing_older);
	case JOIN_WANT_BASE:
		return answer_base(book, want);
	}
	return 0;
}

int past_keep_pair(struct book *book, uint32_t statement)
{
	const struct statement *row = &book->statements[statement];
	struct past_pair pair = {.leaf = row->leaf, .at_ns = row->at_ns, .source = row->source};
	if ((row->flags & STATEMENT_EXACT) == 0 || row->request == BOOK_NONE ||
	    !clocks_pair(book, row, &pair.interval)) {
		return 0;
	}
	struct past *past = &book->past;
	int rc = book_reserve(&past->pairs, &past->pair_capacity, past->pair_count,
			      sizeof *past->pairs);
	if (rc == 0) {
		past->pairs[past->pair_count++] = pair;
	}
	return rc;
}

static int newest_first(const void *a, const void *b)
{
	const struct past_pair *x = a, *y = b;
	if (x->source != y->source) {
		return x->source < y->source ? -1 : 1;
	}
	if (x->at_ns != y->at_ns) {
		return x->at_ns > y->at_ns ? -1 : 1;
	}
	return x->leaf < y->leaf ? -1 : x->leaf > y->leaf;
}

void past_trim_pairs(struct past *past)
{
	uint32_t kept = 0, of_source = 0;
	if (past->pair_count > 1) {
		qsort(past->pairs, past->pair_count, sizeof *past->pairs, newest_first);
	}
	for (uint32_t i = 0; i < past->pair_count; i++) {
		struct past_pair pair = past->pairs[i];
		const struct past_pair *last = kept > 0 ? &past->pairs[kept - 1] : NULL;
		if (last != NULL && last->source == pair.source && last->leaf == pair.leaf) {
			continue; /* it was forgotten twice */
		}
		of_source = last != NULL && last->source == pair.source ? of_source + 1 : 0;
		if (of_source < CLOCKS_PAIRS_MAX) {
			past->pairs[kept++] = pair;
		}
	}
	past->pair_count = kept;
}
