#include "correlator/join/session.h"

#include "model/carried.h"

#include <stdlib.h>

static int by_place(uint32_t a, uint32_t b, const void *owner)
{
	const struct book *book = owner;
	const struct statement *x = &book->statements[a], *y = &book->statements[b];
	if (x->at_ns != y->at_ns) {
		return x->at_ns < y->at_ns ? -1 : 1;
	}
	if (x->file != y->file) {
		return str_compare(book->files[x->file], book->files[y->file]);
	}
	if (x->file_offset != y->file_offset) {
		return x->file_offset < y->file_offset ? -1 : 1;
	}
	if (x->sequence != y->sequence) {
		return x->sequence < y->sequence ? -1 : 1;
	}
	return x->tie < y->tie ? -1 : x->tie > y->tie;
}

static uint64_t session_hash(const void *owner, uint32_t index)
{
	const struct book *book = owner;
	return book->sessions[index].print.lo;
}

static bool session_equal(const void *owner, uint32_t index, const void *key)
{
	const struct book *book = owner;
	return fingerprint_equal(book->sessions[index].print, *(const struct fingerprint *)key);
}

static const struct slots_type session_type = {.hash = session_hash, .equal = session_equal};

int session_reindex(struct book *book)
{
	int rc = 0;
	slots_done(&book->by_session);
	for (uint32_t i = 0; rc == 0 && i < book->session_count; i++) {
		rc = slots_put(&book->by_session, &session_type, book, i);
	}
	return rc;
}

static int find_session(struct book *book, const struct record *row, uint16_t source,
			uint32_t *out_session)
{
	struct str connection = record_text(row, FIELD_connection_id);
	struct fingerprint print;
	if (carried_is_connection(connection)) {
		print = fingerprint_of(&book->key, connection);
	} else if (record_has(row, FIELD_session_id)) {
		print = fingerprint_of(&book->key, record_text(row, FIELD_server));
		print = fingerprint_with(print, (uint64_t)record_number(row, FIELD_session_id, 0));
	} else {
		*out_session = BOOK_NONE;
		return 0;
	}
	print.hi ^= source;
	*out_session = slots_find(&book->by_session, &session_type, book, print.lo, &print);
	if (*out_session != SLOTS_NONE) {
		return 0;
	}
	int rc = book_reserve(&book->sessions, &book->session_capacity, book->session_count,
			      sizeof *book->sessions);
	if (rc != 0) {
		return rc;
	}
	struct session *session = &book->sessions[book->session_count];
	*session = (struct session){.print = print, .source = source};
	(void)carried_session(row, &session->key); /* it has one: see above */
	int64_t known_ns = book->past.any ? INT64_MAX : INT64_MIN;
	uint32_t base = book->past.any ? BOOK_UNKNOWN : BOOK_NONE;
	session->past = (struct session_past){.marks_from_ns = known_ns,
					      .rows_from_ns = known_ns,
					      .write_before_ns = known_ns,
					      .replay_before_ns = known_ns,
					      .base_write = base,
					      .base_replay = base};
	rc = slots_put(&book->by_session, &session_type, book, book->session_count);
	if (rc == 0) {
		*out_session = book->session_count++;
	}
	return rc;
}

int session_find(struct book *book, const struct record *row, uint32_t statement)
{
	struct statement *added = &book->statements[statement];
	int rc = find_session(book, row, added->source, &added->session);
	if (rc != 0) {
		return rc;
	}
	if (added->session == BOOK_NONE) {
		bool marks = book_claim(book, added, ROLE_MARK) != BOOK_NONE;
		added->write_marker =
			marks && (added->flags & STATEMENT_WRITES) != 0 ? statement : BOOK_NONE;
		added->replay_marker =
			marks && (added->flags & STATEMENT_SETS) != 0 ? statement : BOOK_NONE;
		return book_touch_statement(book, statement);
	}
	return 0;
}

int session_add(struct book *book, const struct record *row, uint32_t statement)
{
	int rc = session_find(book, row, statement);
	return rc == 0 ? session_place(book, statement, false) : rc;
}

int session_place(struct book *book, uint32_t statement, bool quiet)
{
	struct statement *added = &book->statements[statement];
	if (added->session == BOOK_NONE || (added->flags & STATEMENT_PLACED) != 0) {
		return 0;
	}
	struct session *session = &book->sessions[added->session];
	int rc = timeline_push(&session->timeline, statement);
	if (rc != 0) {
		return rc;
	}
	added->flags |=
		(uint16_t)(STATEMENT_PLACED | STATEMENT_FRESH | (quiet ? STATEMENT_QUIET : 0));
	session->fresh++;
	session->sets += (added->flags & STATEMENT_SETS) != 0;
	return book_touch_session(book, added->session);
}

void session_order(const struct book *book, uint32_t *statements, size_t count)
{
	/* Few: rows of one session at one time. */
	for (size_t i = 1; i < count; i++) {
		uint32_t moved = statements[i];
		size_t at = i;
		for (; at > 0 && by_place(statements[at - 1], moved, book) > 0; at--) {
			statements[at] = statements[at - 1];
		}
		statements[at] = moved;
	}
}

/* What governs a row, given what stood before it: a row that sets is governed by what it sets, one that clears by what it ends. */
static struct registers governing(const struct book *book, uint32_t index, struct registers before)
{
	const struct statement *row = &book->statements[index];
	bool marks = book_claim(book, row, ROLE_MARK) != BOOK_NONE;
	if ((row->flags & STATEMENT_RESETS) != 0) {
		before = (struct registers){BOOK_NONE, BOOK_NONE};
	}
	if (marks && (row->flags & STATEMENT_WRITES) != 0) {
		before.write = index;
	}
	if (marks && (row->flags & STATEMENT_SETS) != 0) {
		before.replay = index;
	}
	return before;
}

/* Session context and CONTEXT_INFO are two places: clearing one leaves the other. */
struct registers session_after(const struct book *book, uint32_t index)
{
	const struct statement *row = &book->statements[index];
	struct registers now = {row->write_marker, row->replay_marker};
	bool clears = book_claim(book, row, ROLE_MARK) == BOOK_NONE;
	if (clears && (row->flags & STATEMENT_WRITES) != 0) {
		now.write = BOOK_NONE;
	}
	if (clears && (row->flags & STATEMENT_SETS) != 0 && now.replay != BOOK_NONE &&
	    now.replay != BOOK_UNKNOWN &&
	    ((row->flags ^ book->statements[now.replay].flags) & STATEMENT_BY_INFO) == 0) {
		now.replay = BOOK_NONE;
	}
	return now;
}

static bool is_border(const struct statement *row)
{
	return (row->flags & (STATEMENT_SETS | STATEMENT_RESETS)) != 0;
}

/* How far before its row a batch may have begun. A batch is written when it has ended, its parts before that. */
static int64_t batch_start(const struct book *book, const struct statement *batch)
{
	int64_t reach_ns = batch->duration_ms > 0 ? ((int64_t)batch->duration_ms + 1) * 1000000
						  : book->options.tolerance_ns;
	return book_subtract_ns(batch->at_ns, reach_ns);
}

/* Whether a row is part of the batch that stands next in its session and sets another context than the one that governs. */
static bool in_next_batch(const struct book *book, const struct statement *row, uint32_t next)
{
	if (next == BOOK_NONE) {
		return false;
	}
	const struct statement *batch = &book->statements[next];
	uint32_t claim = book_claim(book, batch, ROLE_MARK);
	if ((batch->flags & STATEMENT_MIXED) == 0 || claim == BOOK_NONE ||
	    (row->replay_marker != BOOK_NONE && row->replay_marker != BOOK_UNKNOWN &&
	     claim == book_claim(book, &book->statements[row->replay_marker], ROLE_MARK))) {
		return false;
	}
	return row->at_ns >= batch_start(book, batch);
}

/* Rows that are there for what they do to others are not judged. */
static int touch(struct book *book, uint32_t index)
{
	return (book->statements[index].flags & STATEMENT_QUIET) != 0
		       ? 0
		       : book_touch_statement(book, index);
}

static int mark_batches(struct book *book, const struct session *session, uint32_t from,
			uint32_t until)
{
	const struct timeline *line = &session->timeline;
	uint32_t next = BOOK_NONE;
	for (uint32_t i = until; i < line->count && next == BOOK_NONE; i++) {
		next = is_border(&book->statements[line->at[i]]) ? line->at[i] : BOOK_NONE;
	}
	for (uint32_t i = until; i-- > 0;) {
		struct statement *row = &book->statements[line->at[i]];
		if (is_border(row)) {
			next = line->at[i];
			if (i < from) {
				break;
			}
			continue;
		}
		uint32_t batch = in_next_batch(book, row, next) ? next : BOOK_NONE;
		bool doubt = batch != BOOK_NONE && book->statements[batch].duration_ms == 0;
		if (batch != row->batch_marker || doubt != ((row->flags & STATEMENT_DOUBT) != 0)) {
			row->batch_marker = batch;
			row->flags &= (uint16_t)~STATEMENT_DOUBT;
			row->flags |= (uint16_t)(doubt ? STATEMENT_DOUBT : 0);
			int rc = touch(book, line->at[i]);
			if (rc != 0) {
				return rc;
			}
		}
	}
	return 0;
}

/* What stands before the row at a position: where the marks begin to be known, the base. */
static struct registers before(const struct book *book, const struct session *session, uint32_t i)
{
	const struct timeline *line = &session->timeline;
	int64_t from_ns = session->past.marks_from_ns;
	if (book->statements[line->at[i]].at_ns >= from_ns &&
	    (i == 0 || book->statements[line->at[i - 1]].at_ns < from_ns)) {
		return (struct registers){session->past.base_write, session->past.base_replay};
	}
	return i == 0 ? (struct registers){BOOK_UNKNOWN, BOOK_UNKNOWN}
		      : session_after(book, line->at[i - 1]);
}

static int refresh(struct book *book, struct session *session)
{
	struct timeline *line = &session->timeline;
	uint32_t from;
	int rc = timeline_sort(line, by_place, book, &from);
	if (rc != 0) {
		return rc;
	}
	bool rebased = session->rebased;
	from = rebased ? 0 : from;
	uint32_t i = from;
	for (; i < line->count; i++) {
		uint32_t index = line->at[i];
		struct statement *row = &book->statements[index];
		struct registers over = governing(book, index, before(book, session, i));
		bool fresh = (row->flags & STATEMENT_FRESH) != 0;
		if (!fresh && row->write_marker == over.write &&
		    row->replay_marker == over.replay) {
			if (session->fresh == 0 && !rebased) {
				break;
			}
		} else {
			row->write_marker = over.write;
			row->replay_marker = over.replay;
			rc = touch(book, index);
			if (rc != 0) {
				return rc;
			}
		}
		session->fresh -= fresh;
		row->flags &= (uint16_t)~STATEMENT_FRESH;
	}
	session->rebased = false;
	return session->sets == 0 ? 0 : mark_batches(book, session, from, i);
}

int session_refresh(struct book *book)
{
	while (book->dirty_sessions.count > 0) {
		uint32_t index = book->dirty_sessions.at[book->dirty_sessions.count - 1];
		struct session *session = &book->sessions[index];
		int rc = refresh(book, session);
		if (rc != 0) {
			return rc;
		}
		session->dirty = false;
		book->dirty_sessions.count--;
	}
	return 0;
}

/* Where a statement stands in its session. */
static uint32_t position_of(const struct book *book, const struct timeline *line, uint32_t index)
{
	uint32_t low = 0, high = line->count;
	while (low < high) {
		uint32_t middle = low + (high - low) / 2;
		if (by_place(line->at[middle], index, book) < 0) {
			low = middle + 1;
		} else {
			high = middle;
		}
	}
	while (low < line->count && line->at[low] != index) {
		low++;
	}
	return low;
}

/* The parts of a batch stand before its row. */
static int touch_parts(struct book *book, const struct timeline *line, uint32_t position,
		       uint32_t marker)
{
	while (position-- > 0) {
		const struct statement *row = &book->statements[line->at[position]];
		if (is_border(row) || row->batch_marker != marker) {
			break;
		}
		int rc = book_touch_statement(book, line->at[position]);
		if (rc != 0) {
			return rc;
		}
	}
	return 0;
}

struct session_span session_governed(const struct book *book, uint32_t marker)
{
	const struct statement *row = &book->statements[marker];
	bool borders = is_border(row);
	bool writes = (row->flags & (STATEMENT_WRITES | STATEMENT_RESETS)) != 0;
	struct session_span span = {.from_ns = row->at_ns, .last_ns = INT64_MAX};
	if ((row->flags & STATEMENT_SETS) != 0) {
		span.from_ns = batch_start(book, row);
	}
	if ((row->flags & STATEMENT_PLACED) == 0) {
		return span;
	}
	const struct timeline *line = &book->sessions[row->session].timeline;
	bool replays = borders, next = borders;
	for (uint32_t i = position_of(book, line, marker) + 1; i < line->count; i++) {
		const struct statement *at = &book->statements[line->at[i]];
		bool marks = book_claim(book, at, ROLE_MARK) != BOOK_NONE;
		if (next && is_border(at)) {
			/* Rows before this one were parts of the next batch, perhaps. */
			int64_t start_ns = (at->flags & STATEMENT_SETS) != 0 ? batch_start(book, at)
									     : INT64_MAX;
			span.from_ns = start_ns < span.from_ns ? start_ns : span.from_ns;
			next = false;
		}
		bool resets = (at->flags & STATEMENT_RESETS) != 0;
		writes = writes && !resets && (at->flags & STATEMENT_WRITES) == 0;
		replays = replays && !resets && !(marks && (at->flags & STATEMENT_SETS) != 0);
		if (!writes && !replays) {
			span.last_ns = at->at_ns;
			break;
		}
	}
	return span;
}

int session_touch_governed(struct book *book, uint32_t marker)
{
	int rc = book_touch_statement(book, marker);
	if (rc != 0 || book->statements[marker].session == BOOK_NONE) {
		return rc;
	}
	rc = past_heat(book, marker);
	const struct timeline *line = &book->sessions[book->statements[marker].session].timeline;
	bool placed = (book->statements[marker].flags & STATEMENT_PLACED) != 0;
	uint32_t position =
		0; /* of a base; what it governs stands where the marks begin to be known */
	if (rc == 0 && placed) {
		position = position_of(book, line, marker);
		rc = touch_parts(book, line, position, marker);
	}
	for (uint32_t i = position; rc == 0 && i < line->count; i++) {
		const struct statement *row = &book->statements[line->at[i]];
		bool governed = row->write_marker == marker || row->replay_marker == marker;
		if (!governed && placed) {
			break;
		}
		rc = governed ? book_touch_statement(book, line->at[i]) : 0;
	}
	return rc;
}
