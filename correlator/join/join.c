#include "correlator/join/join.h"

#include "correlator/join/book.h"
#include "correlator/join/claim.h"
#include "correlator/join/clocks.h"
#include "correlator/join/grade.h"
#include "correlator/join/requests.h"
#include "correlator/join/session.h"
#include "correlator/join/settle.h"

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
	bool failed; /* no memory where nobody could be told; said by the next join_add */
	char text[REASON_TEXT_MAX];
};

static uint32_t text_mark(struct str text)
{
	return (uint32_t)fingerprint_fixed(text).lo;
}

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
			text_mark(str_of(reason_text((enum reason)reason, 0, join->text)));
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

static int add_statement(struct join *join, uint64_t leaf, const struct record *row)
{
	struct book *book = &join->book;
	struct statement fresh = {.leaf = leaf,
				  .write_marker = BOOK_NONE,
				  .replay_marker = BOOK_NONE,
				  .batch_marker = BOOK_NONE,
				  .request = BOOK_NONE,
				  .login = BOOK_NONE,
				  .flags = STATEMENT_OPEN};
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
		join->open_statements++;
		rc = claim_link(book, index, &claims);
	}
	if (rc == 0) {
		rc = book_put_leaf(book, index);
	}
	if (rc == 0) {
		rc = session_add(book, row, index);
	}
	if (rc == 0 && book_take_restored(book, leaf, &fresh.said)) {
		book->statements[index].said = fresh.said;
	}
	return rc;
}

static int add_request(struct join *join, uint64_t leaf, const struct record *line)
{
	uint32_t request;
	int rc = requests_add(&join->book, leaf, line, &request);
	if (rc == 0) {
		join->open_requests++;
		(void)book_take_restored(&join->book, leaf, &join->book.requests[request].said);
		/* false: nothing was said of it before */
	}
	return rc;
}

int join_add(struct join *join, uint64_t leaf, const struct record *record, struct error *err)
{
	struct book *book = &join->book;
	if (record->kind != RECORD_REQUEST && record->kind != RECORD_STATEMENT) {
		return 0;
	}
	if (join->failed) {
		return error_set(err, ERR_NOMEM, "join: no memory");
	}
	if (book_find_leaf(book, leaf) != BOOK_NONE) {
		return 0;
	}
	if ((size_t)book->statement_count + book->request_count >= book->options.max_records) {
		return error_set(err, ERR_LIMIT,
				 "join: %zu records are kept already, the most allowed",
				 book->options.max_records);
	}
	int rc = record->kind == RECORD_REQUEST ? add_request(join, leaf, record)
						: add_statement(join, leaf, record);
	if (rc == -ERR_LIMIT) {
		return error_set(err, ERR_LIMIT, "join: too many sources, files or logins");
	}
	if (rc != 0) {
		join->failed = true;
		return error_set(err, ERR_NOMEM, "join: no memory");
	}
	return 0;
}

static uint8_t word_index(struct str word, const char *(*name)(unsigned), unsigned count)
{
	for (unsigned i = 1; i < count; i++) {
		if (str_is(word, name(i))) {
			return (uint8_t)i;
		}
	}
	return 0;
}

static const char *grade_word(unsigned value)
{
	return grade_name((enum grade)value);
}

static const char *carrier_word(unsigned value)
{
	return grade_carrier_name((enum carrier)value);
}

static const char *matched_word(unsigned value)
{
	return grade_matched_name((enum matched)value);
}

/* A statement's verdict that names a request takes back what was said of the request alone. */
static int restore_covered(struct book *book, uint64_t request_leaf)
{
	struct said said;
	uint32_t item = book_find_leaf(book, request_leaf);
	if (item != BOOK_NONE && (item & BOOK_REQUEST_BIT) != 0) {
		book->requests[item & ~BOOK_REQUEST_BIT].said.what = 0;
		return book_touch_request(book, item & ~BOOK_REQUEST_BIT);
	}
	if (item == BOOK_NONE && book_take_restored(book, request_leaf, &said)) {
		said.what = 0;
		return book_keep_restored(book, request_leaf, &said);
	}
	return 0;
}

static uint16_t said_what(unsigned grade, unsigned carrier, unsigned matched, unsigned settled)
{
	return (uint16_t)(grade | carrier << 4 | matched << 8 | settled << 12);
}

static int restore_said(struct book *book, uint64_t leaf, const struct said *said)
{
	uint32_t item = book_find_leaf(book, leaf);
	if (item == BOOK_NONE) {
		return book_keep_restored(book, leaf, said);
	}
	if ((item & BOOK_REQUEST_BIT) != 0) {
		book->requests[item & ~BOOK_REQUEST_BIT].said = *said;
		return book_touch_request(book, item & ~BOOK_REQUEST_BIT);
	}
	book->statements[item].said = *said;
	return book_touch_statement(book, item);
}

int join_restore(struct join *join, const struct record *verdict, struct error *err)
{
	bool has_statement = record_has(verdict, FIELD_statement_leaf);
	bool has_request = record_has(verdict, FIELD_request_leaf);
	struct str settled = record_text(verdict, FIELD_settled);
	unsigned grade = word_index(record_text(verdict, FIELD_grade), grade_word, GRADE_COUNT);
	unsigned carrier =
		word_index(record_text(verdict, FIELD_carrier), carrier_word, CARRIER_COUNT);
	unsigned matched =
		word_index(record_text(verdict, FIELD_matched_by), matched_word, MATCHED_COUNT);
	int64_t revision = record_number(verdict, FIELD_revision, 0);
	if (verdict->kind != RECORD_VERDICT || grade == GRADE_NONE ||
	    (!has_statement && !has_request)) {
		return error_set(err, ERR_INPUT,
				 "join: a stored verdict has no grade, or names neither statement "
				 "nor request");
	}
	struct said said = {
		.request_leaf = has_request
					? (uint64_t)record_number(verdict, FIELD_request_leaf, 0)
					: JOIN_NO_LEAF,
		.reason = text_mark(record_text(verdict, FIELD_reason)),
		.what = said_what(grade, carrier, matched,
				  str_is(settled, "final") ? JOIN_FINAL : JOIN_PROVISIONAL),
		.count = (uint16_t)(revision < 0                ? 1
				    : revision < UINT16_MAX - 1 ? revision + 1
								: UINT16_MAX),
	};
	uint64_t leaf = has_statement ? (uint64_t)record_number(verdict, FIELD_statement_leaf, 0)
				      : said.request_leaf;
	int rc = restore_said(&join->book, leaf, &said);
	if (rc == 0 && has_statement && has_request) {
		rc = restore_covered(&join->book, said.request_leaf);
	}
	return rc == 0 ? 0 : error_set(err, ERR_NOMEM, "join: no memory");
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
	return said_what(outcome->grade, outcome->carrier, outcome->matched, outcome->settled);
}

static bool was_said(struct join *join, const struct said *said, const struct outcome *outcome,
		     uint64_t request_leaf)
{
	if (said->what != what_of(outcome) || said->request_leaf != request_leaf) {
		return false;
	}
	const char *text = reason_text(outcome->reason, outcome->detail, join->text);
	uint32_t mark =
		text == join->text ? text_mark(str_of(text)) : join->reason[outcome->reason];
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
	struct queued queued = {.item = index, .leaf = row->leaf};
	queued.time_ns = book_subtract_ns(row->at_ns, book->sources[row->source].offset_ns);
	grade_statement(book, index, &queued.outcome);
	int rc = 0;
	if (queued.outcome.request != row->request) {
		if (row->request != BOOK_NONE) {
			book->requests[row->request].named--;
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
	line->flags &= (uint16_t) ~(REQUEST_DIRTY | REQUEST_OPEN);
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

static int refresh(struct join *join)
{
	struct book *book = &join->book;
	int rc = requeue(join);
	if (rc == 0) {
		rc = session_refresh(book);
	}
	if (rc == 0) {
		rc = touch_by_claims(book);
	}
	for (uint32_t i = 0; rc == 0 && i < book->dirty_statements.count; i++) {
		rc = judge_statement(join, book->dirty_statements.at[i]);
	}
	for (uint32_t i = 0; rc == 0 && i < book->dirty_requests.count; i++) {
		rc = judge_request(join, book->dirty_requests.at[i]);
	}
	book->dirty_statements.count = book->dirty_requests.count = 0;
	if (join->queue_count > 1) {
		qsort(join->queue, join->queue_count, sizeof *join->queue, in_order);
	}
	return rc;
}

bool join_take(struct join *join, struct join_verdict *out_verdict)
{
	struct book *book = &join->book;
	if (!join->failed && is_stale(book)) {
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
	*said = (struct said){
		.request_leaf = request_leaf,
		.reason = text_mark(str_of(text)),
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

void join_pending(const struct join *join, size_t *out_statements, size_t *out_requests)
{
	*out_statements = join->open_statements;
	*out_requests = join->open_requests;
}

size_t join_clocks(const struct join *join, struct join_clock_estimate *out, size_t max)
{
	return clocks_estimate(&join->book, out, max);
}
