#include "correlator/join/grade.h"

#include "correlator/join/requests.h"
#include "model/context.h"

struct found { /* what one claim's ids lead to */
	uint32_t request;
	enum id_kind by;
	bool reused;   /* an id that counts is borne by different requests */
	bool disagree; /* its ids lead to different requests */
};

struct evidence {
	const struct claim *claim[CARRIER_COUNT];
	enum carrier carrier; /* the strongest that leads anywhere; CARRIER_NONE */
	struct found found;   /* where it leads */
	int64_t outside_ns; /* how far the statement is from its request: negative before, positive after, 0 inside */
};

const char *grade_name(enum grade grade)
{
	static const char *const names[GRADE_COUNT] = {"", "A", "B", "C", "U1", "U2", "X"};
	return names[grade];
}

const char *grade_carrier_name(enum carrier carrier)
{
	static const char *const names[CARRIER_COUNT] = {
		"", "session_context", "audit_write", "session_replay", "application", "comment",
	};
	return names[carrier];
}

const char *grade_matched_name(enum matched matched)
{
	static const char *const names[MATCHED_COUNT] = {
		"", "extended_request_id", "lambda_request_id", "request_id", "signature",
	};
	return names[matched];
}

static bool passed(int64_t horizon_ns, int64_t time_ns)
{
	return horizon_ns == INT64_MAX || time_ns < horizon_ns;
}

static struct found follow(const struct book *book, const struct claim *claim)
{
	struct found found = {.request = BOOK_NONE, .by = ID_KINDS};
	bool reused[ID_KINDS] = {false};
	for (int kind = 0; kind < ID_KINDS; kind++) {
		const struct id *id =
			claim->id[kind] == BOOK_NONE ? NULL : &book->ids[claim->id[kind]];
		if (id == NULL || id->request == BOOK_NONE) {
			continue;
		}
		if (id->reused) {
			reused[kind] = true;
		} else if (found.request == BOOK_NONE) {
			found.request = id->request;
			found.by = (enum id_kind)kind;
		} else if (id->request != found.request) {
			found.disagree = true;
		}
	}
	/* A caller can give another's requestId to his own request; that must not spoil a match by an id that he cannot set. */
	found.reused = reused[ID_EXTENDED] || reused[ID_LAMBDA] ||
		       (reused[ID_REQUEST] && found.request == BOOK_NONE);
	if (found.request != BOOK_NONE && !requests_agree(book, found.request, claim)) {
		found.disagree = true;
	}
	return found;
}

static const struct claim *claim_at(const struct book *book, uint32_t claim)
{
	return claim == BOOK_NONE ? NULL : &book->claims[claim];
}

/* The claim of a marker that governs a row. */
static const struct claim *governing_claim(const struct book *book, uint32_t marker)
{
	return marker == BOOK_NONE
		       ? NULL
		       : claim_at(book, book_claim(book, &book->statements[marker], ROLE_MARK));
}

/* The batch whose context is a row's: the one it is part of, where that is sure or nothing else governs it. */
static uint32_t replayed(const struct statement *row)
{
	if ((row->flags & STATEMENT_SETS) != 0) {
		return row->replay_marker;
	}
	bool sure = row->batch_marker != BOOK_NONE && (row->flags & STATEMENT_DOUBT) == 0;
	return sure || row->replay_marker == BOOK_NONE ? row->batch_marker : row->replay_marker;
}

static void gather(const struct book *book, uint32_t index, struct evidence *out)
{
	const struct statement *row = &book->statements[index];
	*out = (struct evidence){.carrier = CARRIER_NONE, .found = {.request = BOOK_NONE}};
	out->claim[CARRIER_COLUMN] = claim_at(book, book_claim(book, row, ROLE_COLUMN));
	out->claim[CARRIER_WRITE] = governing_claim(book, row->write_marker);
	uint32_t batch = replayed(row);
	out->claim[CARRIER_REPLAY] = governing_claim(book, batch);
	out->claim[CARRIER_APPLICATION] = claim_at(book, book_claim(book, row, ROLE_APPLICATION));
	out->claim[CARRIER_COMMENT] = claim_at(book, book_claim(book, row, ROLE_COMMENT));
	if (batch == index) {
		/* The column of a batch that sets may still show what stood before. */
		out->claim[CARRIER_COLUMN] = NULL;
	} else if (batch != BOOK_NONE && (row->flags & STATEMENT_COLUMN_OTHER) != 0 &&
		   (book->statements[batch].flags & STATEMENT_BY_INFO) == 0) {
		/* The server itself says that the session no longer has this context. */
		out->claim[CARRIER_REPLAY] = NULL;
	}
	for (int carrier = CARRIER_COLUMN; carrier < CARRIER_COUNT; carrier++) {
		if (out->claim[carrier] == NULL) {
			continue;
		}
		struct found found = follow(book, out->claim[carrier]);
		if (found.request != BOOK_NONE || found.reused) {
			out->carrier = (enum carrier)carrier;
			out->found = found;
			break;
		}
	}
	if (out->found.request != BOOK_NONE) {
		const struct request *request = &book->requests[out->found.request];
		if (row->at_ns < request->start_ns) {
			out->outside_ns = book_subtract_ns(row->at_ns, request->start_ns);
		} else if (row->at_ns > request->end_ns) {
			out->outside_ns = book_subtract_ns(row->at_ns, request->end_ns);
		}
	}
}

/* Whether another carrier names a request that is not the one found. A bare id that nobody bears is not the gateway's. */
static bool carriers_differ(const struct book *book, const struct evidence *evidence)
{
	for (int carrier = CARRIER_COLUMN; carrier < CARRIER_COUNT; carrier++) {
		const struct claim *claim = evidence->claim[carrier];
		if (claim == NULL || carrier == (int)evidence->carrier) {
			continue;
		}
		if ((claim->flags & CLAIM_HINT) != 0) {
			uint32_t request = follow(book, claim).request;
			if (request != BOOK_NONE && request != evidence->found.request) {
				return true;
			}
		} else if (!requests_agree(book, evidence->found.request, claim)) {
			return true;
		}
	}
	return false;
}

static bool principal_differs(const struct book *book, const struct evidence *evidence)
{
	const struct request *request = &book->requests[evidence->found.request];
	for (int carrier = CARRIER_COLUMN; carrier < CARRIER_COUNT; carrier++) {
		const struct claim *claim = evidence->claim[carrier];
		if (claim != NULL && (claim->flags & CLAIM_PRINCIPAL) != 0 &&
		    (request->flags & REQUEST_HAS_USER) != 0 && claim->principal != request->user) {
			return true;
		}
	}
	return false;
}

static bool login_fits(const struct book *book, const struct statement *row, uint32_t request)
{
	uint32_t rule = book->requests[request].rule;
	if (rule == BOOK_NONE || row->login == BOOK_NONE) {
		return true;
	}
	for (size_t i = 0; i < book->rules[rule].principal_count; i++) {
		for (int name = 0; name < 3; name++) {
			struct str login = book->logins[row->login].name[name];
			if (login.len > 0 &&
			    str_glob_fold(login, book->rules[rule].principals[i])) {
				return true;
			}
		}
	}
	return false;
}

static bool badly_signed(const struct evidence *evidence)
{
	for (int carrier = CARRIER_COLUMN; carrier < CARRIER_COUNT; carrier++) {
		if (evidence->claim[carrier] != NULL &&
		    evidence->claim[carrier]->signature == CONTEXT_SIGNATURE_BAD) {
			return true;
		}
	}
	return false;
}

/* What contradicts the match, the gravest first; REASON_NONE. Names the request unless there are two to choose from. */
static enum reason contradiction(const struct book *book, const struct statement *row,
				 const struct evidence *evidence, struct outcome *out)
{
	const struct found *found = &evidence->found;
	if (badly_signed(evidence)) {
		return REASON_BAD_SIGNATURE;
	}
	if (found->reused) {
		out->request = BOOK_NONE;
		return REASON_REUSED;
	}
	if (found->disagree) {
		out->request = BOOK_NONE;
		return REASON_IDS_DIFFER;
	}
	if (carriers_differ(book, evidence)) {
		out->request = BOOK_NONE;
		return REASON_CARRIERS_DIFFER;
	}
	if (principal_differs(book, evidence)) {
		return REASON_PRINCIPAL;
	}
	if (!login_fits(book, row, found->request)) {
		return REASON_LOGIN_ROUTE;
	}
	out->exact = found->by != ID_REQUEST && evidence->carrier <= CARRIER_REPLAY;
	if (evidence->outside_ns > book->options.slack_ns) {
		out->detail = evidence->outside_ns;
		return REASON_LONG_AFTER;
	}
	if (evidence->outside_ns < -book->options.slack_ns) {
		out->detail = book_subtract_ns(0, evidence->outside_ns);
		return REASON_LONG_BEFORE;
	}
	return REASON_NONE;
}

/* Whether the application's signature vouches for the match. A signed requestId may still be one that a caller chose, unless
 * the signature also covers the user. */
static bool vouched(const struct book *book, const struct evidence *evidence)
{
	const struct claim *claim = evidence->claim[evidence->carrier];
	if (claim->signature != CONTEXT_SIGNATURE_OK) {
		return false;
	}
	return evidence->found.by != ID_REQUEST ||
	       ((claim->flags & CLAIM_PRINCIPAL) != 0 &&
		(book->requests[evidence->found.request].flags & REQUEST_HAS_USER) != 0);
}

/* What keeps a match that nothing contradicts from A or B; REASON_NONE. */
static enum reason doubt(const struct book *book, const struct statement *row,
			 const struct evidence *evidence, struct outcome *out)
{
	const struct claim *claim = evidence->claim[evidence->carrier];
	if (evidence->outside_ns > book->options.tolerance_ns) {
		out->detail = evidence->outside_ns;
		return REASON_SOON_AFTER;
	}
	if (evidence->outside_ns < -book->options.tolerance_ns) {
		out->detail = -evidence->outside_ns;
		return REASON_SHORTLY_BEFORE;
	}
	if (book->options.require_signature && claim->signature != CONTEXT_SIGNATURE_OK) {
		return REASON_UNSIGNED;
	}
	if (!vouched(book, evidence)) {
		if (evidence->carrier == CARRIER_COMMENT) {
			return REASON_COMMENT;
		}
		if (evidence->found.by == ID_REQUEST) {
			return REASON_CALLER_ID;
		}
	}
	if (evidence->carrier == CARRIER_REPLAY && (row->flags & STATEMENT_DOUBT) != 0) {
		return REASON_SAME_BATCH;
	}
	if ((book->requests[evidence->found.request].flags & REQUEST_NO_LATENCY) != 0) {
		return REASON_NO_LATENCY;
	}
	return REASON_NONE;
}

static enum matched matched_of(enum id_kind by, bool signature_counts)
{
	switch (by) {
	case ID_EXTENDED:
		return MATCHED_EXTENDED;
	case ID_LAMBDA:
		return signature_counts ? MATCHED_SIGNATURE : MATCHED_LAMBDA;
	case ID_REQUEST:
		return signature_counts ? MATCHED_SIGNATURE : MATCHED_REQUEST;
	case ID_KINDS:
		break;
	}
	return MATCHED_NONE;
}

static void judge_match(const struct book *book, const struct statement *row,
			const struct evidence *evidence, struct outcome *out)
{
	out->carrier = (uint8_t)evidence->carrier;
	out->request = evidence->found.request;
	out->matched = (uint8_t)matched_of(evidence->found.by, false);
	out->settled = JOIN_FINAL;
	enum reason reason = contradiction(book, row, evidence, out);
	if (reason != REASON_NONE) {
		out->grade = GRADE_X;
		out->reason = (uint8_t)reason;
		return;
	}
	reason = doubt(book, row, evidence, out);
	if (reason != REASON_NONE) {
		out->grade = GRADE_C;
		out->reason = (uint8_t)reason;
		return;
	}
	bool vouches = vouched(book, evidence);
	out->matched = (uint8_t)matched_of(evidence->found.by, vouches);
	if (evidence->found.by == ID_EXTENDED || vouches) {
		out->grade = GRADE_A;
		out->reason = evidence->found.by == ID_EXTENDED ? REASON_GATEWAY_ID : REASON_SIGNED;
	} else {
		out->grade = GRADE_B;
		out->reason = REASON_LAMBDA_ID;
	}
}

/* Why a statement leads to no request. */
static enum reason why_unmatched(const struct book *book, const struct statement *row,
				 const struct evidence *evidence)
{
	bool replaced = false, hint = false;
	for (int carrier = CARRIER_COLUMN; carrier < CARRIER_COUNT; carrier++) {
		const struct claim *claim = evidence->claim[carrier];
		if (claim == NULL) {
			continue;
		}
		bool names = claim->id[ID_EXTENDED] != BOOK_NONE ||
			     claim->id[ID_LAMBDA] != BOOK_NONE ||
			     claim->id[ID_REQUEST] != BOOK_NONE;
		if (names && carrier != CARRIER_APPLICATION) {
			return REASON_NEVER_ARRIVED;
		}
		hint = hint || names;
		replaced = replaced || (claim->flags & CLAIM_REPLACED) != 0;
	}
	if (replaced) {
		return REASON_REPLACED_ID;
	}
	if ((row->flags & STATEMENT_LOGIN) != 0) {
		return REASON_LOGIN;
	}
	if ((row->flags & STATEMENT_LOGOUT) != 0) {
		return REASON_LOGOUT;
	}
	if ((row->flags & (STATEMENT_WRITES | STATEMENT_SETS)) != 0 &&
	    book_claim(book, row, ROLE_MARK) == BOOK_NONE) {
		return REASON_CLEARS;
	}
	return hint ? REASON_APPLICATION_UNKNOWN : REASON_NO_CONTEXT;
}

static void judge_unmatched(const struct book *book, const struct statement *row,
			    const struct evidence *evidence, struct outcome *out)
{
	enum reason reason = why_unmatched(book, row, evidence);
	out->reason = (uint8_t)reason;
	if (badly_signed(evidence)) {
		out->grade = GRADE_X;
		out->reason = REASON_BAD_SIGNATURE;
		out->settled = JOIN_FINAL;
		return;
	}
	bool never = reason == REASON_LOGIN || reason == REASON_LOGOUT;
	if (passed(book->horizon.statement_ns, row->at_ns) ||
	    (never && book_claim(book, row, ROLE_APPLICATION) == BOOK_NONE)) {
		out->settled = JOIN_FINAL;
	} else if (row->at_ns <= book->horizon.provisional_ns) {
		out->settled = JOIN_PROVISIONAL;
	} else {
		return;
	}
	out->grade = GRADE_U1;
}

/* A row that only clears what an earlier request left behind accuses nobody. */
static void excuse_clearing(const struct book *book, const struct statement *row,
			    const struct evidence *evidence, struct outcome *out)
{
	bool clears = (row->flags & (STATEMENT_WRITES | STATEMENT_SETS)) != 0 &&
		      book_claim(book, row, ROLE_MARK) == BOOK_NONE;
	bool late = out->reason == REASON_LONG_AFTER || out->reason == REASON_SOON_AFTER;
	bool by_history = evidence->carrier == CARRIER_WRITE || evidence->carrier == CARRIER_REPLAY;
	if (clears && late && by_history) {
		*out = (struct outcome){.request = BOOK_NONE,
					.grade = GRADE_U1,
					.reason = REASON_CLEARS,
					.settled = JOIN_FINAL};
	}
}

/* What rests on earlier rows of the session waits until they must all be here. */
static void hold(const struct book *book, uint32_t index, const struct evidence *evidence,
		 struct outcome *out)
{
	const struct statement *row = &book->statements[index];
	bool on_history = (evidence->carrier == CARRIER_WRITE && row->write_marker != index) ||
			  (evidence->carrier == CARRIER_REPLAY && row->replay_marker != index);
	if (!on_history || passed(book->horizon.history_ns, row->at_ns)) {
		return;
	}
	out->settled = JOIN_PROVISIONAL;
	if (row->at_ns > book->horizon.provisional_ns) {
		out->grade = GRADE_NONE;
	} else if (out->grade == GRADE_A || out->grade == GRADE_B) {
		out->grade = GRADE_C;
		out->reason = REASON_HISTORY;
	}
}

void grade_statement(const struct book *book, uint32_t statement, struct outcome *out)
{
	const struct statement *row = &book->statements[statement];
	struct evidence evidence;
	gather(book, statement, &evidence);
	*out = (struct outcome){.request = BOOK_NONE};
	if (evidence.carrier == CARRIER_NONE) {
		judge_unmatched(book, row, &evidence, out);
		return;
	}
	judge_match(book, row, &evidence, out);
	excuse_clearing(book, row, &evidence, out);
	hold(book, statement, &evidence, out);
}

void grade_request(const struct book *book, uint32_t request, struct outcome *out)
{
	const struct request *line = &book->requests[request];
	*out = (struct outcome){.request = BOOK_NONE};
	if (line->named > 0) {
		return;
	}
	out->detail = line->status;
	if (requests_is_claimed(book, line)) {
		out->reason = REASON_CONTRADICTED;
	} else if (line->status >= 400 && line->status < 500) {
		out->reason = REASON_REFUSED;
	} else {
		out->reason = line->status >= 500 ? REASON_FAILED : REASON_NO_STATEMENT;
	}
	if (passed(book->horizon.request_ns, line->end_ns)) {
		out->settled = JOIN_FINAL;
	} else if (line->end_ns <= book->horizon.lone_ns) {
		out->settled = JOIN_PROVISIONAL;
	} else {
		return;
	}
	out->grade = GRADE_U2;
}
