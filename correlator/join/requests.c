#include "correlator/join/requests.h"

#define LATENCY_MAX_MS 86400000 /* a day; more is a damaged line */

static uint32_t rule_of(const struct book *book, struct str route)
{
	for (size_t i = 0; route.len > 0 && i < book->options.route_count; i++) {
		if (str_glob(route, book->rules[i].route)) {
			return (uint32_t)i;
		}
	}
	return BOOK_NONE;
}

static int read_ids(struct book *book, const struct record *line, struct request *request)
{
	static const unsigned field[ID_KINDS] = {
		[ID_EXTENDED] = FIELD_extended_request_id,
		[ID_LAMBDA] = FIELD_lambda_request_id,
		[ID_REQUEST] = FIELD_request_id,
	};
	for (int kind = 0; kind < ID_KINDS; kind++) {
		struct str text = record_text(line, field[kind]);
		request->id[kind] = request->next[kind] = BOOK_NONE;
		if (text.len == 0 ||
		    str_has_suffix(text, STR_LIT("_REPLACED_INVALID_REQUEST_ID"))) {
			continue;
		}
		int rc = book_id(book, (enum id_kind)kind, text, &request->id[kind]);
		if (rc != 0) {
			return rc;
		}
	}
	return 0;
}

static void read_line(struct book *book, const struct record *line, struct request *request)
{
	struct str user = record_text(line, FIELD_user), route = record_text(line, FIELD_route);
	int64_t latency_ms = record_number(line, FIELD_latency_ms, -1);
	request->start_ns = line->time_ns;
	if (latency_ms < 0 || latency_ms > LATENCY_MAX_MS) {
		request->flags |= REQUEST_NO_LATENCY;
		request->end_ns = book_add_ns(line->time_ns, REQUESTS_UNKNOWN_END_NS);
	} else {
		request->end_ns = book_add_ns(line->time_ns, latency_ms * 1000000);
	}
	if (user.len > 0) {
		request->flags |= REQUEST_HAS_USER;
		request->user = fingerprint_of(&book->key, user).lo;
	}
	int64_t status = record_number(line, FIELD_status, 0);
	request->status = status > 0 && status < 1000 ? (uint16_t)status : 0;
	request->rule = rule_of(book, route);
	struct fingerprint print = fingerprint_of(&book->key, route);
	print = fingerprint_with(print, request->user);
	print = fingerprint_with(print, (uint64_t)request->start_ns);
	print = fingerprint_with(print, (uint64_t)request->end_ns);
	for (int kind = 0; kind < ID_KINDS; kind++) {
		uint32_t id = request->id[kind];
		/* Not its index, which changes when others are forgotten. */
		print = fingerprint_with(print, id == BOOK_NONE ? 0 : book->ids[id].print.lo);
	}
	request->identity = print.lo;
	request->tie =
		fingerprint_with(fingerprint_fixed(line->source), fingerprint_fixed(line->key).lo)
			.lo;
}

bool requests_chain(struct book *book, uint32_t index, int kind)
{
	struct request *request = &book->requests[index];
	struct id *id = &book->ids[request->id[kind]];
	bool changed = false;
	if (id->request == BOOK_NONE) {
		id->request = index;
		changed = true;
	} else if (!id->reused && book->requests[id->request].identity != request->identity) {
		id->reused = true;
		changed = true;
	} else if (!id->reused && request->tie < book->requests[id->request].tie) {
		id->request = index;
		changed = true;
	}
	request->next[kind] = id->requests;
	id->requests = index;
	return changed;
}

/* Puts a request under one of its ids; what changes for those who claim the id is marked. */
static int chain_to_id(struct book *book, uint32_t index, int kind)
{
	bool changed = requests_chain(book, index, kind);
	const struct id *id = &book->ids[book->requests[index].id[kind]];
	for (uint32_t claim = changed ? id->claims : BOOK_NONE; claim != BOOK_NONE;
	     claim = book->claims[claim].next[kind]) {
		int rc = book_touch_claim(book, claim);
		if (rc != 0) {
			return rc;
		}
	}
	return 0;
}

bool requests_is_claimed(const struct book *book, const struct request *request)
{
	for (int kind = 0; kind < ID_KINDS; kind++) {
		if (request->id[kind] != BOOK_NONE &&
		    book->ids[request->id[kind]].claims != BOOK_NONE) {
			return true;
		}
	}
	return false;
}

int requests_add(struct book *book, uint64_t leaf, const struct record *line, bool is_new,
		 uint32_t *out_request)
{
	struct request request = {.leaf = leaf, .flags = is_new ? REQUEST_OPEN | REQUEST_NEW : 0};
	int rc = read_ids(book, line, &request);
	if (rc == 0) {
		rc = book_reserve(&book->requests, &book->request_capacity, book->request_count,
				  sizeof *book->requests);
	}
	if (rc != 0) {
		return rc;
	}
	read_line(book, line, &request);
	uint32_t index = book->request_count;
	book->requests[index] = request;
	rc = timeline_push(&book->requests_by_end, index);
	if (rc == 0) {
		book->request_count++;
		rc = book_put_leaf(book, index | BOOK_REQUEST_BIT);
	}
	for (int kind = 0; rc == 0 && kind < ID_KINDS; kind++) {
		if (request.id[kind] != BOOK_NONE) {
			rc = chain_to_id(book, index, kind);
		}
	}
	/* What is said of a known one stays, unless a statement speaks up. */
	if (rc == 0 && (is_new || requests_is_claimed(book, &request))) {
		rc = book_touch_request(book, index);
	}
	if (rc == 0) {
		*out_request = index;
	}
	return rc;
}

bool requests_agree(const struct book *book, uint32_t request, const struct claim *claim)
{
	const struct request *with = &book->requests[request];
	for (int kind = 0; kind < ID_KINDS; kind++) {
		if (claim->id[kind] != BOOK_NONE && with->id[kind] != BOOK_NONE &&
		    claim->id[kind] != with->id[kind]) {
			return false;
		}
	}
	return true;
}
