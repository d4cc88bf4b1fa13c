#include "correlator/join/join.h"

#include "correlator/join/book.h"
#include "correlator/join/claim.h"
#include "correlator/join/clocks.h"
#include "correlator/join/grade.h"
#include "correlator/join/requests.h"
#include "correlator/join/restore.h"
#include "correlator/join/session.h"
#include "correlator/join/settle.h"
#include "correlator/join/sweep.h"

#include <assert.h>
#include <stdlib.h>

struct queued { /* a verdict that waits to be taken */
	int64_t time_ns;
	uint64_t leaf;
	struct outcome outcome;
	uint32_t item;
};

struct join {
	struct book book;
	struct queued *queue;
	uint32_t queue_count, queue_next, queue_capacity;
	uint32_t open_statements, open_requests;
	uint32_t reason[REASON_COUNT]; /* marks of the reasons without a detail */
	uint32_t taken;                /* the item whose verdict was taken last */
	bool failed; /* no memory where nobody could be told; said by the next join_add */
	char text[REASON_TEXT_MAX];
};

int join_new(const struct join_options *options, struct join **out_join, struct error *err)
{
	struct join *join = calloc(1, sizeof *join);
	if (join == NULL) {
		return error_set(err, ERR_NOMEM, "join: no memory");
	}
	int rc = book_init(&join->book, options, err);
	if (rc != 0) {
		join_free(join);
		return rc;
	}
	for (int reason = 0; reason < REASON_COUNT; reason++) {
		join->reason[reason] =
			restore_mark(str_of(reason_text((enum reason)reason, 0, join->text)));
	}
	*out_join = join;
	return 0;
}

void join_free(struct join *join)
{
	if (join != NULL) {
		book_done(&join->book);
		free(join->queue);
		free(join);
	}
}

/* What orders a row within its session. */
static void read_place(const struct record *row, const struct claims *claims, struct statement *out)
{
	out->file_offset = record_number(row, FIELD_file_offset, 0);
	int64_t sequence = record_number(row, FIELD_sequence, 0);
	out->sequence = sequence < 0 ? 0 : sequence > UINT32_MAX ? UINT32_MAX : (uint32_t)sequence;
	int64_t duration_ms = record_number(row, FIELD_duration_ms, 0);
	if ((claims->flags & STATEMENT_SETS) != 0) {
		out->duration_ms = duration_ms < 0           ? 0
				   : duration_ms > INT32_MAX ? INT32_MAX
							     : (uint32_t)duration_ms;
	}
	out->tie = (uint32_t)fingerprint_fixed(row->key).lo;
}

/* How a record comes in: as one that is new, or back from outside. */
enum coming { COMING_NEW, COMING_BACK, COMING_QUIET, COMING_BASE };

/* Where a new item stands among the others. */
static int place_statement(struct book *book, uint32_t index, const struct record *row,
			   enum coming coming)
{
	int rc = session_find(book, row, index);
	if (rc == 0 && coming != COMING_BASE) {
		rc = session_place(book, index, coming == COMING_QUIET);
	}
	return rc == 0 && coming == COMING_NEW ? past_heat(book, index) : rc;
}

static int add_statement(struct join *join, uint64_t leaf, const struct record *row,
			 enum coming coming)
{
	struct book *book = &join->book;
	struct statement fresh = {.leaf = leaf,
				  .write_marker = BOOK_NONE,
				  .replay_marker = BOOK_NONE,
				  .batch_marker = BOOK_NONE,
				  .request = BOOK_NONE,
				  .login = BOOK_NONE,
				  .flags = coming == COMING_NEW ? STATEMENT_OPEN : 0};
	uint32_t source;
	int rc = book_source(book, row->source, &source);
	if (rc == 0) {
		rc = book_file(book, record_text(row, FIELD_file), &fresh.file);
	}
	if (rc == 0 && book->options.route_count > 0) {
		const struct str login[3] = {record_text(row, FIELD_principal),
					     record_text(row, FIELD_session_principal),
					     record_text(row, FIELD_db_user)};
		rc = book_login(book, login, &fresh.login);
	}
	struct claims claims;
	if (rc == 0) {
		rc = claim_read(book, row, &claims);
	}
	if (rc == 0) {
		rc = book_reserve(&book->statements, &book->statement_capacity,
				  book->statement_count, sizeof *book->statements);
	}
	if (rc != 0) {
		return rc;
	}
	fresh.source = (uint16_t)source;
	fresh.at_ns = book_add_ns(row->time_ns, book->sources[source].offset_ns);
	read_place(row, &claims, &fresh);
	uint32_t index = book->statement_count;
	book->statements[index] = fresh;
	rc = timeline_push(&book->statements_by_time, index);
	if (rc == 0) {
		book->statement_count++;
		join->open_statements += coming == COMING_NEW;
		rc = claim_link(book, index, &claims);
	}
	if (rc == 0) {
		rc = book_put_leaf(book, index);
	}
	if (rc == 0) {
		rc = place_statement(book, index, row, coming);
	}
	if (rc == 0 && book_take_restored(book, leaf, &fresh.said)) {
		book->statements[index].said = fresh.said;
	}
	return rc;
}

static int add_request(struct join *join, uint64_t leaf, const struct record *line,
		       enum coming coming)
{
	uint32_t request;
	int rc = requests_add(&join->book, leaf, line, coming == COMING_NEW, &request);
	if (rc == 0) {
		join->open_requests += coming == COMING_NEW;
		(void)book_take_restored(&join->book, leaf, &join->book.requests[request].said);
		/* false: nothing was said of it before */
	}
	return rc;
}

static int add(struct join *join, uint64_t leaf, const struct record *record, enum coming coming,
	       struct error *err)
{
	struct book *book = &join->book;
	if (record->kind != RECORD_REQUEST && record->kind != RECORD_STATEMENT) {
		return 0;
	}
	if (join->failed) {
		return error_set(err, ERR_NOMEM, "join: no memory");
	}
	if ((size_t)book->statement_count + book->request_count >= book->options.max_records) {
		return error_set(err, ERR_LIMIT,
				 "join: %zu records are kept already, the most allowed",
				 book->options.max_records);
	}
	int rc = record->kind == RECORD_REQUEST ? add_request(join, leaf, record, coming)
						: add_statement(join, leaf, record, coming);
	if (rc == -ERR_LIMIT) {
		return error_set(err, ERR_LIMIT, "join: too many sources, files or logins");
	}
	if (rc != 0) {
		join->failed = true;
		return error_set(err, ERR_NOMEM, "join: no memory");
	}
	return 0;
}

int join_add(struct join *join, uint64_t leaf, const struct record *record, struct error *err)
{
	return book_find_leaf(&join->book, leaf) != BOOK_NONE
		       ? 0
		       : add(join, leaf, record, COMING_NEW, err);
}

static enum coming coming_by(const struct join_want *want)
{
	if (want != NULL && want->kind == JOIN_WANT_MARKS) {
		return COMING_QUIET;
	}
	return want != NULL && want->kind == JOIN_WANT_BASE ? COMING_BASE : COMING_BACK;
}

/* A record that is in the book already may have been there for another reason. */
static int recall_known(struct book *book, uint32_t item, enum coming coming, bool visit)
{
	if ((item & BOOK_REQUEST_BIT) != 0) {
		return visit ? book_touch_request(book, item & ~BOOK_REQUEST_BIT) : 0;
	}
	if (coming == COMING_BASE) {
		return 0;
	}
	int rc = session_place(book, item, coming == COMING_QUIET);
	return rc == 0 && coming == COMING_BACK ? book_touch_statement(book, item) : rc;
}

int join_recall(struct join *join, const struct join_want *want, uint64_t leaf,
		const struct record *record, struct error *err)
{
	struct book *book = &join->book;
	if (record->kind != RECORD_REQUEST && record->kind != RECORD_STATEMENT) {
		return 0;
	}
	enum coming coming = coming_by(want);
	uint32_t item = book_find_leaf(book, leaf);
	if (item == BOOK_NONE) {
		int rc = add(join, leaf, record, coming, err);
		if (rc != 0) {
			return rc;
		}
		item = record->kind == RECORD_REQUEST ? (book->request_count - 1) | BOOK_REQUEST_BIT
						      : book->statement_count - 1;
	}
	int rc = recall_known(book, item, coming, want == NULL);
	if (rc == 0 && coming == COMING_BASE && (item & BOOK_REQUEST_BIT) == 0) {
		rc = past_found(book, item);
	}
	return rc == 0 ? 0 : error_set(err, ERR_NOMEM, "join: no memory");
}

void join_hold(struct join *join, uint64_t leaf)
{
	uint32_t item = book_find_leaf(&join->book, leaf);
	if (item != BOOK_NONE && (item & BOOK_REQUEST_BIT) != 0) {
		join->book.requests[item & ~BOOK_REQUEST_BIT].flags |= REQUEST_LEFT;
	}
}

int join_late(struct join *join, uint64_t leaf, struct error *err)
{
	struct book *book = &join->book;
	uint32_t item = book_find_leaf(book, leaf);
	if (item == BOOK_NONE || (item & BOOK_REQUEST_BIT) == 0) {
		return 0;
	}
	struct request *line = &book->requests[item & ~BOOK_REQUEST_BIT];
	line->flags |= REQUEST_NEW;
	for (int kind = 0; kind < ID_KINDS; kind++) {
		if (line->id[kind] != BOOK_NONE) {
			book->ids[line->id[kind]].whole &=
				(uint8_t) ~(ID_CLAIMS | ID_CLAIMS * ID_PUT_OFF);
		}
	}
	int rc = book_touch_request(book, item & ~BOOK_REQUEST_BIT);
	return rc == 0 ? 0 : error_set(err, ERR_NOMEM, "join: no memory");
}

void join_looked_up(struct join *join)
{
	past_looked_up(&join->book);
}

int join_answer(struct join *join, const struct join_want *want, unsigned answer, struct error *err)
{
	int rc = past_answer(&join->book, want, answer);
	return rc == 0 ? 0 : error_set(err, ERR_NOMEM, "join: no memory");
}

int join_restore(struct join *join, uint64_t leaf, const struct record *verdict, struct error *err)
{
	return restore_verdict(&join->book, leaf, verdict, err);
}

void join_settle(struct join *join, int64_t requests_ns, int64_t statements_ns)
{
	if (settle_to(&join->book, requests_ns, statements_ns) != 0) {
		join->failed = true;
	}
}

static int touch_by_claims(struct book *book)
{
	for (uint32_t i = 0; i < book->dirty_claims.count; i++) {
		struct claim *claim = &book->claims[book->dirty_claims.at[i]];
		claim->flags &= (uint8_t)~CLAIM_DIRTY;
		int rc = 0;
		for (uint32_t s = claim->column; rc == 0 && s != BOOK_NONE;
		     s = book->statements[s].next_column) {
			rc = book_touch_statement(book, s);
		}
		for (uint32_t c = claim->carried; rc == 0 && c != BOOK_NONE;
		     c = book->carried[c].next_of_claim) {
			const struct carried *carried = &book->carried[c];
			rc = carried->role == ROLE_MARK
				     ? session_touch_governed(book, carried->statement)
				     : book_touch_statement(book, carried->statement);
		}
		if (rc != 0) {
			return rc;
		}
	}
	book->dirty_claims.count = 0;
	return 0;
}

static uint64_t named_leaf(const struct book *book, const struct queued *queued)
{
	return queued->outcome.request == BOOK_NONE ? JOIN_NO_LEAF
						    : book->requests[queued->outcome.request].leaf;
}

static uint16_t what_of(const struct outcome *outcome)
{
	return restore_what(outcome->grade, outcome->carrier, outcome->matched, outcome->settled);
}

static bool was_said(struct join *join, const struct said *said, const struct outcome *outcome,
		     uint64_t request_leaf)
{
	if (said->what != what_of(outcome) || said->request_leaf != request_leaf) {
		return false;
	}
	const char *text = reason_text(outcome->reason, outcome->detail, join->text);
	uint32_t mark =
		text == join->text ? restore_mark(str_of(text)) : join->reason[outcome->reason];
	return said->reason == mark;
}

static int enqueue(struct join *join, const struct queued *queued)
{
	int rc = book_reserve(&join->queue, &join->queue_capacity, join->queue_count,
			      sizeof *join->queue);
	if (rc == 0) {
		join->queue[join->queue_count++] = *queued;
	}
	return rc;
}

static int judge_statement(struct join *join, uint32_t index)
{
	struct book *book = &join->book;
	struct statement *row = &book->statements[index];
	int rc = past_link(book, index);
	struct queued queued = {.item = index, .leaf = row->leaf};
	queued.time_ns = book_subtract_ns(row->at_ns, book->sources[row->source].offset_ns);
	grade_statement(book, index, &queued.outcome);
	if (rc == 0 && queued.outcome.request != row->request) {
		if (row->request != BOOK_NONE) {
			book->requests[row->request].named--;
			book->requests[row->request].flags |= REQUEST_LEFT;
			rc = book_touch_request(book, row->request);
		}
		row->request = queued.outcome.request;
		if (row->request != BOOK_NONE && rc == 0) {
			book->requests[row->request].named++;
			rc = book_touch_request(book, row->request);
		}
	}
	bool open = queued.outcome.grade == GRADE_NONE || queued.outcome.settled != JOIN_FINAL;
	bool was_open = (row->flags & STATEMENT_OPEN) != 0;
	join->open_statements += (uint32_t)open - (uint32_t)was_open;
	row->flags &= (uint16_t) ~(STATEMENT_DIRTY | STATEMENT_OPEN | STATEMENT_EXACT);
	row->flags |= (uint16_t)((open ? STATEMENT_OPEN : 0) |
				 (queued.outcome.exact ? STATEMENT_EXACT : 0));
	if (rc == 0 && queued.outcome.grade != GRADE_NONE &&
	    !was_said(join, &row->said, &queued.outcome, named_leaf(book, &queued))) {
		rc = enqueue(join, &queued);
	}
	return rc;
}

static int judge_request(struct join *join, uint32_t index)
{
	struct book *book = &join->book;
	struct request *line = &book->requests[index];
	struct queued queued = {
		.item = index | BOOK_REQUEST_BIT, .leaf = line->leaf, .time_ns = line->start_ns};
	grade_request(book, index, &queued.outcome);
	if (line->named > 0) {
		line->said.what = 0;
	}
	bool open = line->named == 0 &&
		    (queued.outcome.grade == GRADE_NONE || queued.outcome.settled != JOIN_FINAL);
	bool was_open = (line->flags & REQUEST_OPEN) != 0;
	join->open_requests += (uint32_t)open - (uint32_t)was_open;
	line->flags &= (uint16_t) ~(REQUEST_DIRTY | REQUEST_OPEN | REQUEST_NEW);
	if (line->named > 0 || queued.outcome.grade != GRADE_NONE) {
		line->flags &= (uint16_t)~REQUEST_LEFT;
	}
	line->flags |= (uint16_t)(open ? REQUEST_OPEN : 0);
	if (queued.outcome.grade != GRADE_NONE &&
	    !was_said(join, &line->said, &queued.outcome, line->leaf)) {
		return enqueue(join, &queued);
	}
	return 0;
}

static int in_order(const void *a, const void *b)
{
	const struct queued *x = a, *y = b;
	if (x->time_ns != y->time_ns) {
		return x->time_ns < y->time_ns ? -1 : 1;
	}
	return x->leaf < y->leaf ? -1 : x->leaf > y->leaf;
}

/* What was judged but not taken is judged again, together with what has changed since. */
static int requeue(struct join *join)
{
	int rc = 0;
	for (uint32_t i = join->queue_next; i < join->queue_count && rc == 0; i++) {
		uint32_t item = join->queue[i].item;
		rc = (item & BOOK_REQUEST_BIT) != 0
			     ? book_touch_request(&join->book, item & ~BOOK_REQUEST_BIT)
			     : book_touch_statement(&join->book, item);
	}
	join->queue_next = join->queue_count = 0;
	return rc;
}

static bool is_stale(const struct book *book)
{
	return book->dirty_sessions.count + book->dirty_claims.count +
		       book->dirty_statements.count + book->dirty_requests.count >
	       0;
}

/* Brings everything up to date that a judgement rests on, and works out what is missing for it. */
static int prepare(struct join *join)
{
	struct book *book = &join->book;
	int rc = requeue(join);
	rc = rc != 0 ? rc : session_refresh(book);
	rc = rc != 0 ? rc : touch_by_claims(book);
	return rc != 0 ? rc : past_collect(book);
}

static int judge_requests(struct join *join)
{
	struct indexes *dirty = &join->book.dirty_requests;
	uint32_t waiting = 0;
	int rc = 0;
	for (uint32_t i = 0; rc == 0 && i < dirty->count; i++) {
		if (!past_is_ready(&join->book, dirty->at[i])) {
			dirty->at[waiting++] = dirty->at[i];
			continue;
		}
		rc = judge_request(join, dirty->at[i]);
	}
	dirty->count = waiting;
	return rc;
}

static int refresh(struct join *join)
{
	struct book *book = &join->book;
	int rc = prepare(join);
	if (rc != 0 || book->past.want_count > 0) {
		return rc;
	}
	for (uint32_t i = 0; rc == 0 && i < book->dirty_statements.count; i++) {
		rc = judge_statement(join, book->dirty_statements.at[i]);
	}
	book->dirty_statements.count = 0;
	rc = rc != 0 ? rc : judge_requests(join);
	if (join->queue_count > 1) {
		qsort(join->queue, join->queue_count, sizeof *join->queue, in_order);
	}
	return rc;
}

size_t join_wants(struct join *join, const struct join_want **out_wants)
{
	*out_wants = join->book.past.wants;
	if (join->failed || !join->book.past.any || join->queue_next < join->queue_count) {
		return 0;
	}
	join->failed = prepare(join) != 0;
	*out_wants = join->book.past.wants;
	return join->failed ? 0 : join->book.past.want_count;
}

bool join_take(struct join *join, struct join_verdict *out_verdict)
{
	struct book *book = &join->book;
	/* What waits for others from outside does not hold up what is judged already. */
	bool waits = book->past.any && join->queue_next < join->queue_count;
	if (!join->failed && !waits && is_stale(book)) {
		join->failed = refresh(join) != 0;
	}
	if (join->failed || join->queue_next == join->queue_count) {
		return false;
	}
	const struct queued *queued = &join->queue[join->queue_next++];
	const struct outcome *outcome = &queued->outcome;
	bool request = (queued->item & BOOK_REQUEST_BIT) != 0;
	uint64_t request_leaf = request ? queued->leaf : named_leaf(book, queued);
	struct said *said = request ? &book->requests[queued->item & ~BOOK_REQUEST_BIT].said
				    : &book->statements[queued->item].said;
	const char *text = reason_text(outcome->reason, outcome->detail, join->text);
	join->taken = queued->item;
	*said = (struct said){
		.leaf = JOIN_NO_LEAF,
		.request_leaf = request_leaf,
		.reason = restore_mark(str_of(text)),
		.what = what_of(outcome),
		.count = (uint16_t)(said->count + (said->count < UINT16_MAX)),
	};
	*out_verdict = (struct join_verdict){
		.statement_leaf = request ? JOIN_NO_LEAF : queued->leaf,
		.request_leaf = request_leaf,
		.carrier = grade_carrier_name(outcome->carrier),
		.matched_by = grade_matched_name(outcome->matched),
		.reason = text,
		.settled = outcome->settled,
		.revision = said->count - 1U,
	};
	const char *grade = grade_name(outcome->grade);
	memcpy(out_verdict->grade, grade, strlen(grade) + 1);
	return true;
}

void join_stored(struct join *join, uint64_t leaf)
{
	uint32_t item = join->taken;
	struct said *said = (item & BOOK_REQUEST_BIT) != 0
				    ? &join->book.requests[item & ~BOOK_REQUEST_BIT].said
				    : &join->book.statements[item].said;
	said->leaf = leaf;
}

void join_seal(struct join *join, uint64_t end)
{
	struct past *past = &join->book.past;
	past->any = past->any || end > 0;
	past->end = end > past->end ? end : past->end;
}

int join_forget(struct join *join, struct error *err)
{
	struct sweep_open open = {0, 0};
	if (!join->book.past.any || join->failed || join->queue_next < join->queue_count) {
		return 0;
	}
	if (sweep_run(&join->book, &open) != 0) {
		join->failed = true;
		return error_set(err, ERR_NOMEM, "join: no memory");
	}
	join->open_statements -= open.statements;
	join->open_requests -= open.requests;
	join->queue_next = join->queue_count = 0;
	return 0;
}

size_t join_count(const struct join *join)
{
	return (size_t)join->book.statement_count + join->book.request_count;
}

void join_pending(const struct join *join, size_t *out_statements, size_t *out_requests)
{
	*out_statements = join->open_statements;
	*out_requests = join->open_requests;
}

size_t join_clocks(const struct join *join, struct join_clock_estimate *out, size_t max)
{
	return clocks_estimate(&join->book, out, max);
}
