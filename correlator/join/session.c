#include "correlator/join/session.h"

struct registers {
	uint32_t write, replay;
};

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

/* A GUID of zeros stands for "none". */
static bool is_connection(struct str text)
{
	for (size_t i = 0; i < text.len; i++) {
		if (text.ptr[i] != '0' && text.ptr[i] != '-') {
			return true;
		}
	}
	return false;
}

static int find_session(struct book *book, const struct record *row, uint16_t source,
			uint32_t *out_session)
{
	static const struct slots_type type = {.hash = session_hash, .equal = session_equal};
	struct str connection = record_text(row, FIELD_connection_id);
	struct fingerprint print;
	if (is_connection(connection)) {
		print = fingerprint_of(&book->key, connection);
		print.hi ^= source;
	} else if (record_has(row, FIELD_session_id)) {
		print = fingerprint_of(&book->key, record_text(row, FIELD_server));
		print = fingerprint_with(print, (uint64_t)record_number(row, FIELD_session_id, 0));
		print.hi ^= source;
	} else {
		*out_session = BOOK_NONE;
		return 0;
	}
	*out_session = slots_find(&book->by_session, &type, book, print.lo, &print);
	if (*out_session != SLOTS_NONE) {
		return 0;
	}
	int rc = book_reserve(&book->sessions, &book->session_capacity, book->session_count,
			      sizeof *book->sessions);
	if (rc != 0) {
		return rc;
	}
	book->sessions[book->session_count] = (struct session){.print = print};
	rc = slots_put(&book->by_session, &type, book, book->session_count);
	if (rc == 0) {
		*out_session = book->session_count++;
	}
	return rc;
}

int session_add(struct book *book, const struct record *row, uint32_t statement)
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
	struct session *session = &book->sessions[added->session];
	rc = timeline_push(&session->timeline, statement);
	if (rc != 0) {
		return rc;
	}
	added->flags |= STATEMENT_FRESH;
	session->fresh++;
	session->sets += (added->flags & STATEMENT_SETS) != 0;
	return book_touch_session(book, added->session);
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

/* What stands after a row. Session context and CONTEXT_INFO are two places: clearing one leaves the other. */
static struct registers after(const struct book *book, uint32_t index)
{
	const struct statement *row = &book->statements[index];
	struct registers now = {row->write_marker, row->replay_marker};
	bool clears = book_claim(book, row, ROLE_MARK) == BOOK_NONE;
	if (clears && (row->flags & STATEMENT_WRITES) != 0) {
		now.write = BOOK_NONE;
	}
	if (clears && (row->flags & STATEMENT_SETS) != 0 && now.replay != BOOK_NONE &&
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
	    (row->replay_marker != BOOK_NONE &&
	     claim == book_claim(book, &book->statements[row->replay_marker], ROLE_MARK))) {
		return false;
	}
	return row->at_ns >= batch_start(book, batch);
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
			int rc = book_touch_statement(book, line->at[i]);
			if (rc != 0) {
				return rc;
			}
		}
	}
	return 0;
}

static int refresh(struct book *book, struct session *session)
{
	struct timeline *line = &session->timeline;
	uint32_t from;
	int rc = timeline_sort(line, by_place, book, &from);
	if (rc != 0) {
		return rc;
	}
	struct registers now = {BOOK_NONE, BOOK_NONE};
	if (from > 0) {
		now = after(book, line->at[from - 1]);
	}
	uint32_t i = from;
	for (; i < line->count; i++) {
		uint32_t index = line->at[i];
		struct statement *row = &book->statements[index];
		struct registers over = governing(book, index, now);
		bool fresh = (row->flags & STATEMENT_FRESH) != 0;
		if (!fresh && row->write_marker == over.write &&
		    row->replay_marker == over.replay) {
			if (session->fresh == 0) {
				break;
			}
		} else {
			row->write_marker = over.write;
			row->replay_marker = over.replay;
			rc = book_touch_statement(book, index);
			if (rc != 0) {
				return rc;
			}
		}
		session->fresh -= fresh;
		row->flags &= (uint16_t)~STATEMENT_FRESH;
		now = after(book, index);
	}
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

int session_touch_governed(struct book *book, uint32_t marker)
{
	int rc = book_touch_statement(book, marker);
	if (rc != 0 || book->statements[marker].session == BOOK_NONE) {
		return rc;
	}
	const struct timeline *line = &book->sessions[book->statements[marker].session].timeline;
	uint32_t position = position_of(book, line, marker);
	rc = touch_parts(book, line, position, marker);
	for (uint32_t i = position; rc == 0 && i < line->count; i++) {
		const struct statement *row = &book->statements[line->at[i]];
		if (row->write_marker != marker && row->replay_marker != marker) {
			break;
		}
		rc = book_touch_statement(book, line->at[i]);
	}
	return rc;
}
