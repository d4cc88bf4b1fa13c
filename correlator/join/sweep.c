#include "correlator/join/sweep.h"

#include "correlator/join/claim.h"
#include "correlator/join/requests.h"
#include "correlator/join/session.h"

#include <stdlib.h>

struct sweep {
	struct book *book;
	/* By index: first which stay (0 or 1), then where they stand from now on (BOOK_NONE: nowhere). */
	uint32_t *requests, *statements, *claims, *ids, *sessions;
};

static bool is_outside(const struct book *book, uint64_t leaf, const struct said *said)
{
	return leaf < book->past.end && (said->count == 0 || said->leaf < book->past.end);
}

static bool may_go(const struct book *book, const struct statement *row)
{
	/* One whose final verdict no longer holds, and of which nothing else can be said yet, is found by nobody outside. */
	bool bare = (row->flags & STATEMENT_OPEN) != 0 && row->said.what >> 12 == JOIN_FINAL;
	return !bare && is_outside(book, row->leaf, &row->said) &&
	       (row->flags & (STATEMENT_DIRTY | STATEMENT_FRESH | STATEMENT_HOT)) == 0;
}

/* How many rows of a session go: those before the first that stays, and all of one time together. */
static uint32_t count_leaving(const struct book *book, const struct session *session)
{
	const struct timeline *line = &session->timeline;
	uint32_t count = 0;
	if (session->dirty || session->rebased || session->fresh > 0 ||
	    line->sorted < line->count) {
		return 0;
	}
	while (count < line->count && may_go(book, &book->statements[line->at[count]])) {
		count++;
	}
	while (count > 0 && count < line->count &&
	       book->statements[line->at[count - 1]].at_ns ==
		       book->statements[line->at[count]].at_ns) {
		count--;
	}
	return count;
}

/* A row that stays as a base alone no longer stands in its session: what governs it is not kept. */
static void unplace(struct statement *row)
{
	row->flags &= (uint16_t)~STATEMENT_PLACED;
	row->flags |= STATEMENT_QUIET;
	row->write_marker = row->replay_marker = BOOK_UNKNOWN;
	if ((row->flags & STATEMENT_SETS) == 0) {
		row->batch_marker = BOOK_NONE;
	}
}

static void cut_session(struct sweep *sweep, struct session *session)
{
	struct book *book = sweep->book;
	struct timeline *line = &session->timeline;
	uint32_t count = count_leaving(book, session);
	if (count == 0) {
		return;
	}
	uint32_t last = line->at[count - 1];
	int64_t cut_ns = book_add_ns(book->statements[last].at_ns, 1);
	struct session_past *past = &session->past;
	if (cut_ns > past->marks_from_ns) {
		struct registers base = session_after(book, last);
		past->marks_from_ns = past->write_before_ns = past->replay_before_ns = cut_ns;
		past->base_write = base.write;
		past->base_replay = base.replay;
		past->cleared = 0;
	}
	past->rows_from_ns = cut_ns > past->rows_from_ns ? cut_ns : past->rows_from_ns;
	for (uint32_t i = 0; i < count; i++) {
		uint32_t index = line->at[i];
		session->sets -= (book->statements[index].flags & STATEMENT_SETS) != 0;
		sweep->statements[index] = 0;
		unplace(&book->statements[index]);
	}
	line->count -= count;
	line->sorted = line->count;
	memmove(line->at, line->at + count, line->count * sizeof *line->at);
}

static void keep(struct sweep *sweep, uint32_t statement)
{
	if (statement != BOOK_NONE && statement != BOOK_UNKNOWN) {
		sweep->statements[statement] = 1;
	}
}

static void choose_statements(struct sweep *sweep)
{
	struct book *book = sweep->book;
	for (uint32_t i = 0; i < book->statement_count; i++) {
		const struct statement *row = &book->statements[i];
		sweep->statements[i] = (row->flags & STATEMENT_PLACED) != 0 || !may_go(book, row);
	}
	for (uint32_t i = 0; i < book->session_count; i++) {
		cut_session(sweep, &book->sessions[i]);
	}
	for (uint32_t i = 0; i < book->statement_count; i++) {
		if (sweep->statements[i] != 0 && book->statements[i].session != BOOK_NONE) {
			sweep->sessions[book->statements[i].session] = 1;
		}
	}
	for (uint32_t i = 0; i < book->session_count; i++) {
		const struct session *session = &book->sessions[i];
		if (book->session_count <= SWEEP_SESSIONS || session->dirty) {
			sweep->sessions[i] = 1;
		}
		if (sweep->sessions[i] != 0) {
			keep(sweep, session->past.base_write);
			keep(sweep, session->past.base_replay);
		}
	}
}

static void choose_requests(struct sweep *sweep)
{
	const struct book *book = sweep->book;
	for (uint32_t i = 0; i < book->request_count; i++) {
		const struct request *line = &book->requests[i];
		/* One of which nothing stands, though something did, is found by nobody outside. */
		bool bare = (line->flags & REQUEST_LEFT) != 0;
		sweep->requests[i] = !is_outside(book, line->leaf, &line->said) || bare ||
				     (line->flags & REQUEST_DIRTY) != 0;
	}
}

static void spoil_ids(struct book *book, const uint32_t id[ID_KINDS], unsigned what)
{
	for (int kind = 0; kind < ID_KINDS; kind++) {
		if (id[kind] != BOOK_NONE) {
			book->ids[id[kind]].whole &= (uint8_t) ~(what | what * ID_PUT_OFF);
		}
	}
}

/* What those who stay knew of a statement that goes. */
static void leave_statement(struct sweep *sweep, struct statement *row)
{
	struct book *book = sweep->book;
	if (row->column != BOOK_NONE) {
		spoil_ids(book, book->claims[row->column].id, ID_CLAIMS);
	}
	for (uint32_t i = row->carried; i != BOOK_NONE; i = book->carried[i].next_of_statement) {
		spoil_ids(book, book->claims[book->carried[i].claim].id, ID_CLAIMS);
	}
	if (row->request != BOOK_NONE) {
		book->requests[row->request].named--;
		spoil_ids(book, book->requests[row->request].id, ID_CLAIMS);
	}
}

static int leave(struct sweep *sweep, struct sweep_open *out_open)
{
	struct book *book = sweep->book;
	*out_open = (struct sweep_open){0};
	for (uint32_t i = 0; i < book->statement_count; i++) {
		struct statement *row = &book->statements[i];
		bool goes = sweep->statements[i] == 0;
		bool loses = row->request != BOOK_NONE && sweep->requests[row->request] == 0;
		int rc = goes || loses ? past_keep_pair(book, i) : 0;
		if (rc != 0) {
			return rc;
		}
		if (goes) {
			out_open->statements += (row->flags & STATEMENT_OPEN) != 0;
			leave_statement(sweep, row);
		} else if (loses) {
			row->request = BOOK_NONE;
			row->flags &= (uint16_t)~STATEMENT_EXACT;
		}
	}
	for (uint32_t i = 0; i < book->request_count; i++) {
		if (sweep->requests[i] == 0) {
			out_open->requests += (book->requests[i].flags & REQUEST_OPEN) != 0;
			spoil_ids(book, book->requests[i].id, ID_REQUESTS);
		}
	}
	past_trim_pairs(&book->past);
	return 0;
}

/* Claims and ids stay with those who refer to them. */
static void choose_ids(struct sweep *sweep)
{
	const struct book *book = sweep->book;
	for (uint32_t i = 0; i < book->statement_count; i++) {
		const struct statement *row = &book->statements[i];
		if (sweep->statements[i] == 0) {
			continue;
		}
		if (row->column != BOOK_NONE) {
			sweep->claims[row->column] = 1;
		}
		for (uint32_t c = row->carried; c != BOOK_NONE;
		     c = book->carried[c].next_of_statement) {
			sweep->claims[book->carried[c].claim] = 1;
		}
	}
	for (int kind = 0; kind < ID_KINDS; kind++) {
		for (uint32_t i = 0; i < book->claim_count; i++) {
			uint32_t id = book->claims[i].id[kind];
			if (sweep->claims[i] != 0 && id != BOOK_NONE) {
				sweep->ids[id] = 1;
			}
		}
		for (uint32_t i = 0; i < book->request_count; i++) {
			uint32_t id = book->requests[i].id[kind];
			if (sweep->requests[i] != 0 && id != BOOK_NONE) {
				sweep->ids[id] = 1;
			}
		}
	}
}

/* Turns 0 and 1 into new places; returns how many stay. */
static uint32_t number(uint32_t *stays, uint32_t count)
{
	uint32_t next = 0;
	for (uint32_t i = 0; i < count; i++) {
		stays[i] = stays[i] != 0 ? next++ : BOOK_NONE;
	}
	return next;
}

static void pack(void *items, size_t item_bytes, const uint32_t *place, uint32_t count)
{
	char *at = items;
	for (uint32_t i = 0; i < count; i++) {
		if (place[i] != BOOK_NONE && place[i] != i) {
			memcpy(at + (size_t)place[i] * item_bytes, at + (size_t)i * item_bytes,
			       item_bytes);
		}
	}
}

static uint32_t moved(const uint32_t *place, uint32_t index)
{
	return index == BOOK_NONE || index == BOOK_UNKNOWN ? index : place[index];
}

static void pack_indexes(struct indexes *list, const uint32_t *place)
{
	uint32_t kept = 0;
	for (uint32_t i = 0; i < list->count; i++) {
		if (place[list->at[i]] != BOOK_NONE) {
			list->at[kept++] = place[list->at[i]];
		}
	}
	list->count = kept;
}

static void pack_timeline(struct timeline *line, const uint32_t *place)
{
	struct indexes list = {.at = line->at, .count = line->sorted};
	pack_indexes(&list, place);
	uint32_t sorted = list.count;
	for (uint32_t i = line->sorted; i < line->count; i++) {
		if (place[line->at[i]] != BOOK_NONE) {
			line->at[list.count++] = place[line->at[i]];
		}
	}
	line->count = list.count;
	line->sorted = sorted;
}

static void pack_carried(struct sweep *sweep)
{
	struct book *book = sweep->book;
	uint32_t kept = 0;
	for (uint32_t i = 0; i < book->carried_count; i++) {
		struct carried carried = book->carried[i];
		if (sweep->statements[carried.statement] != BOOK_NONE) {
			carried.statement = sweep->statements[carried.statement];
			carried.claim = sweep->claims[carried.claim];
			book->carried[kept++] = carried;
		}
	}
	book->carried_count = kept;
}

static void pack_sessions(struct sweep *sweep, uint32_t count)
{
	struct book *book = sweep->book;
	for (uint32_t i = 0; i < book->session_count; i++) {
		struct session *session = &book->sessions[i];
		if (sweep->sessions[i] == BOOK_NONE) {
			timeline_done(&session->timeline);
			continue;
		}
		pack_timeline(&session->timeline, sweep->statements);
		struct session_past *past = &session->past;
		past->base_write = moved(sweep->statements, past->base_write);
		past->base_replay = moved(sweep->statements, past->base_replay);
	}
	pack(book->sessions, sizeof *book->sessions, sweep->sessions, book->session_count);
	pack_indexes(&book->dirty_sessions, sweep->sessions);
	book->session_count = count;
}

static void pack_statements(struct sweep *sweep, uint32_t count)
{
	struct book *book = sweep->book;
	for (uint32_t i = 0; i < book->statement_count; i++) {
		struct statement *row = &book->statements[i];
		if (sweep->statements[i] == BOOK_NONE) {
			continue;
		}
		row->session = moved(sweep->sessions, row->session);
		row->column = moved(sweep->claims, row->column);
		row->request = moved(sweep->requests, row->request);
		row->write_marker = moved(sweep->statements, row->write_marker);
		row->replay_marker = moved(sweep->statements, row->replay_marker);
		if ((row->flags & STATEMENT_SETS) == 0) {
			row->batch_marker = moved(sweep->statements, row->batch_marker);
		}
	}
	pack(book->statements, sizeof *book->statements, sweep->statements, book->statement_count);
	pack_indexes(&book->dirty_statements, sweep->statements);
	pack_timeline(&book->statements_by_time, sweep->statements);
	struct indexes hot = {.at = book->past.hot, .count = book->past.hot_count};
	pack_indexes(&hot, sweep->statements);
	book->past.hot_count = hot.count;
	book->statement_count = count;
}

static void pack_requests(struct sweep *sweep, uint32_t count)
{
	struct book *book = sweep->book;
	for (uint32_t i = 0; i < book->request_count; i++) {
		for (int kind = 0; kind < ID_KINDS && sweep->requests[i] != BOOK_NONE; kind++) {
			struct request *line = &book->requests[i];
			line->id[kind] = moved(sweep->ids, line->id[kind]);
		}
	}
	pack(book->requests, sizeof *book->requests, sweep->requests, book->request_count);
	pack_indexes(&book->dirty_requests, sweep->requests);
	pack_timeline(&book->requests_by_end, sweep->requests);
	book->request_count = count;
}

static void pack_claims(struct sweep *sweep, uint32_t count)
{
	struct book *book = sweep->book;
	for (uint32_t i = 0; i < book->claim_count; i++) {
		for (int kind = 0; kind < ID_KINDS && sweep->claims[i] != BOOK_NONE; kind++) {
			struct claim *claim = &book->claims[i];
			claim->id[kind] = moved(sweep->ids, claim->id[kind]);
		}
	}
	pack(book->claims, sizeof *book->claims, sweep->claims, book->claim_count);
	pack_indexes(&book->dirty_claims, sweep->claims);
	book->claim_count = count;
	memset(book->cache, 0, BOOK_CACHE_COUNT * sizeof *book->cache);
}

/* What an id means among the requests that stay. */
static void chain_requests(struct book *book)
{
	for (uint32_t i = 0; i < book->id_count; i++) {
		book->ids[i].requests = book->ids[i].request = BOOK_NONE;
		book->ids[i].reused = false;
	}
	for (uint32_t i = 0; i < book->request_count; i++) {
		for (int kind = 0; kind < ID_KINDS; kind++) {
			if (book->requests[i].id[kind] != BOOK_NONE) {
				(void)requests_chain(book, i, kind); /* nothing is new by it */
			}
		}
	}
}

/* Gives memory back that is far more than what is held; without success it stays as it is. */
static void shrink(void *items, uint32_t *capacity, uint32_t count, size_t item_bytes)
{
	uint32_t smaller = count + count / 4 + 16;
	if (smaller >= *capacity / 2) {
		return;
	}
	void *array;
	memcpy(&array, items, sizeof array); /* items points to a pointer of some type */
	array = reallocarray(array, smaller, item_bytes);
	if (array != NULL) {
		memcpy(items, &array, sizeof array);
		*capacity = smaller;
	}
}

static void shrink_all(struct book *book)
{
	shrink(&book->requests, &book->request_capacity, book->request_count,
	       sizeof *book->requests);
	shrink(&book->statements, &book->statement_capacity, book->statement_count,
	       sizeof *book->statements);
	shrink(&book->claims, &book->claim_capacity, book->claim_count, sizeof *book->claims);
	shrink(&book->carried, &book->carried_capacity, book->carried_count, sizeof *book->carried);
	shrink(&book->ids, &book->id_capacity, book->id_count, sizeof *book->ids);
	shrink(&book->sessions, &book->session_capacity, book->session_count,
	       sizeof *book->sessions);
}

static int rebuild(struct sweep *sweep)
{
	struct book *book = sweep->book;
	uint32_t requests = number(sweep->requests, book->request_count);
	uint32_t statements = number(sweep->statements, book->statement_count);
	uint32_t claims = number(sweep->claims, book->claim_count);
	uint32_t ids = number(sweep->ids, book->id_count);
	uint32_t sessions = number(sweep->sessions, book->session_count);
	pack_carried(sweep);
	pack_sessions(sweep, sessions);
	pack_statements(sweep, statements);
	pack_requests(sweep, requests);
	pack_claims(sweep, claims);
	pack(book->ids, sizeof *book->ids, sweep->ids, book->id_count);
	book->id_count = ids;
	shrink_all(book);
	chain_requests(book);
	int rc = book_reindex(book);
	rc = rc != 0 ? rc : claim_reindex(book);
	return rc != 0 ? rc : session_reindex(book);
}

int sweep_run(struct book *book, struct sweep_open *out_open)
{
	size_t all = (size_t)book->request_count + book->statement_count + book->claim_count +
		     book->id_count + book->session_count;
	uint32_t *room = calloc(all + 1, sizeof *room);
	if (room == NULL) {
		return -ERR_NOMEM;
	}
	struct sweep sweep = {.book = book, .requests = room};
	sweep.statements = sweep.requests + book->request_count;
	sweep.claims = sweep.statements + book->statement_count;
	sweep.ids = sweep.claims + book->claim_count;
	sweep.sessions = sweep.ids + book->id_count;
	past_clear_wants(book);
	choose_statements(&sweep);
	choose_requests(&sweep);
	int rc = leave(&sweep, out_open);
	if (rc == 0) {
		choose_ids(&sweep);
		rc = rebuild(&sweep);
	}
	free(room);
	return rc;
}
