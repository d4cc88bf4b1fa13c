#include "correlator/join/claim.h"

#include "model/carried.h"
#include "model/context.h"

#include <ctype.h>

static uint64_t claim_mix(const struct claim *claim)
{
	uint64_t mix =
		claim->principal ^ claim->signature ^ (uint64_t)(claim->flags & ~CLAIM_DIRTY) << 8;
	for (int kind = 0; kind < ID_KINDS; kind++) {
		mix = hash_u64(mix ^ claim->id[kind]);
	}
	return mix;
}

static uint64_t claim_hash(const void *owner, uint32_t index)
{
	const struct book *book = owner;
	return claim_mix(&book->claims[index]);
}

static bool claim_equal(const void *owner, uint32_t index, const void *key)
{
	const struct claim *a = &((const struct book *)owner)->claims[index], *b = key;
	return memcmp(a->id, b->id, sizeof a->id) == 0 && a->principal == b->principal &&
	       a->signature == b->signature && ((a->flags ^ b->flags) & ~CLAIM_DIRTY) == 0;
}

/* The first claim on an id changes what can be said of the requests that bear it. */
static int chain_to_ids(struct book *book, uint32_t index)
{
	struct claim *claim = &book->claims[index];
	for (int kind = 0; kind < ID_KINDS; kind++) {
		if (claim->id[kind] == BOOK_NONE) {
			continue;
		}
		struct id *id = &book->ids[claim->id[kind]];
		for (uint32_t r = id->claims == BOOK_NONE ? id->requests : BOOK_NONE;
		     r != BOOK_NONE; r = book->requests[r].next[kind]) {
			int rc = book_touch_request(book, r);
			if (rc != 0) {
				return rc;
			}
		}
		claim->next[kind] = id->claims;
		id->claims = index;
	}
	return 0;
}

static const struct slots_type claim_type = {.hash = claim_hash, .equal = claim_equal};

static int intern(struct book *book, struct claim *fresh, uint32_t *out_claim)
{
	uint32_t known = slots_find(&book->by_claim, &claim_type, book, claim_mix(fresh), fresh);
	if (known != SLOTS_NONE) {
		*out_claim = known;
		return 0;
	}
	int rc = book_reserve(&book->claims, &book->claim_capacity, book->claim_count,
			      sizeof *book->claims);
	if (rc != 0) {
		return rc;
	}
	for (int i = 0; i < ID_KINDS; i++) {
		fresh->next[i] = BOOK_NONE;
	}
	fresh->column = fresh->carried = BOOK_NONE;
	book->claims[book->claim_count] = *fresh;
	rc = slots_put(&book->by_claim, &claim_type, book, book->claim_count);
	if (rc != 0) {
		return rc;
	}
	*out_claim = book->claim_count++;
	return chain_to_ids(book, *out_claim);
}

static int claim_of(struct book *book, const struct context *context, bool bare,
		    uint32_t *out_claim)
{
	const struct str id[ID_KINDS] = {
		[ID_EXTENDED] = context->extended_request_id,
		[ID_LAMBDA] = context->lambda_request_id,
		[ID_REQUEST] = context->request_id,
	};
	struct claim claim = {.signature = (uint8_t)context->signature};
	bool any = false;
	for (int kind = 0; kind < ID_KINDS; kind++) {
		claim.id[kind] = BOOK_NONE;
		if (id[kind].len == 0) {
			continue;
		}
		any = true;
		if (kind == ID_REQUEST &&
		    str_has_suffix(id[kind], STR_LIT("_REPLACED_INVALID_REQUEST_ID"))) {
			claim.flags |= CLAIM_REPLACED;
			continue;
		}
		int rc = book_id(book, (enum id_kind)kind, id[kind], &claim.id[kind]);
		if (rc != 0) {
			return rc;
		}
	}
	if (context->principal_len > 0) {
		claim.flags |= CLAIM_PRINCIPAL;
		claim.principal = fingerprint_of(&book->key, str_make(context->principal,
								      context->principal_len))
					  .lo;
	}
	if (bare) {
		claim.flags |= CLAIM_HINT;
	}
	if (!any) {
		*out_claim = BOOK_NONE;
		return 0;
	}
	return intern(book, &claim, out_claim);
}

static struct cached_claim *cached(struct book *book, struct str text, enum role role,
				   struct fingerprint *out_print)
{
	*out_print = fingerprint_of(&book->key, text);
	out_print->hi ^= (uint64_t)role + 1;
	return &book->cache[out_print->lo % BOOK_CACHE_COUNT];
}

static int read_column(struct book *book, struct str text, struct claims *claims)
{
	if (text.len == 0) {
		return 0;
	}
	struct fingerprint print;
	struct cached_claim *cache = cached(book, text, ROLE_COLUMN, &print);
	uint32_t claim = BOOK_NONE;
	if (fingerprint_equal(cache->print, print)) {
		claim = cache->claim;
	} else {
		struct context context;
		int rc = context_parse(text, book->options.signing_key, &context)
				 ? claim_of(book, &context, false, &claim)
				 : 0;
		if (rc != 0) {
			return rc;
		}
		*cache = (struct cached_claim){.print = print, .claim = claim};
	}
	claims->by[ROLE_COLUMN] = claim;
	if (claim == BOOK_NONE) {
		claims->flags |= STATEMENT_COLUMN_OTHER;
	}
	return 0;
}

static int read_application(struct book *book, struct str text, struct claims *claims)
{
	if (text.len < CARRIED_UUID) {
		return 0;
	}
	struct fingerprint print;
	struct cached_claim *cache = cached(book, text, ROLE_APPLICATION, &print);
	uint32_t claim = BOOK_NONE;
	if (fingerprint_equal(cache->print, print)) {
		claim = cache->claim;
	} else {
		char uuid[CARRIED_UUID];
		struct context context = {.signature = CONTEXT_UNSIGNED};
		int rc = 0;
		if (carried_uuid(text, uuid)) {
			context.lambda_request_id = str_make(uuid, sizeof uuid);
			rc = claim_of(book, &context, true, &claim);
		}
		if (rc != 0) {
			return rc;
		}
		*cache = (struct cached_claim){.print = print, .claim = claim};
	}
	claims->by[ROLE_APPLICATION] = claim;
	return 0;
}

static int read_audit_write(struct book *book, struct str text, struct claims *claims)
{
	struct context context;
	if (context_parse(text, book->options.signing_key, &context)) {
		claims->flags |= STATEMENT_WRITES;
		return claim_of(book, &context, false, &claims->by[ROLE_MARK]);
	}
	text = str_trim(text);
	if (text.len == 0 || str_is(text, "qt0") || str_find(text, STR_LIT("qt1"), 0) >= 0) {
		claims->flags |= STATEMENT_WRITES;
	}
	return 0;
}

/* Whether a batch that sets a context does anything else; when in doubt it does. */
static bool does_more(struct str text)
{
	static const char *const verbs[] = {"select", "insert", "update", "delete",
					    "merge",  "exec",   "execute"};
	unsigned found = 0;
	bool executes = str_find_fold(text, STR_LIT("sp_set_session_context"), 0) >= 0;
	for (size_t at = 0; at < text.len;) {
		size_t end = at;
		while (end < text.len && (isalnum((unsigned char)text.ptr[end]) ||
					  text.ptr[end] == '_' || text.ptr[end] == '@')) {
			end++;
		}
		for (size_t i = 0; i < sizeof verbs / sizeof *verbs; i++) {
			found += str_equal_fold(str_slice(text, at, end - at), str_of(verbs[i]));
		}
		at = end > at ? end : at + 1;
	}
	return found > (executes ? 1U : 0U);
}

static int read_set(struct book *book, struct str text, struct claims *claims)
{
	if (!carried_speaks_of_context(text)) {
		return 0;
	}
	struct context context;
	bool clears = false;
	bool sets = context_from_set(text, book->options.signing_key, &context, &clears);
	bool by_info = str_find_fold(text, STR_LIT("sp_set_session_context"), 0) < 0;
	/* A set of our key whose value is a parameter, or of CONTEXT_INFO with other bytes: what stood there is gone. */
	bool unread = by_info ? str_find_fold(text, STR_LIT("set context_info"), 0) >= 0
			      : str_find_fold(text, STR_LIT("querytrail"), 0) >= 0;
	if (!sets && !clears && !unread) {
		return 0;
	}
	claims->flags |= STATEMENT_SETS;
	if (by_info) {
		claims->flags |= STATEMENT_BY_INFO;
	}
	if (does_more(text)) {
		claims->flags |= STATEMENT_MIXED;
	}
	return sets ? claim_of(book, &context, false, &claims->by[ROLE_MARK]) : 0;
}

static int read_comment(struct book *book, struct str text, struct claims *claims)
{
	struct context context;
	if (text.len < 4 || !context_from_comment(text, book->options.signing_key, &context)) {
		return 0;
	}
	bool bare = context.extended_request_id.len == 0 && context.lambda_request_id.len == 0 &&
		    context.principal_len == 0 && context.time_ms == 0 &&
		    context.signature == CONTEXT_UNSIGNED;
	return claim_of(book, &context, bare, &claims->by[ROLE_COMMENT]);
}

static unsigned flags_of_action(struct str action)
{
	static const struct {
		const char *action;
		unsigned flags;
	} known[] = {
		{"LGIS", STATEMENT_LOGIN | STATEMENT_RESETS}, {"LGIF", STATEMENT_LOGIN},
		{"DBAS", STATEMENT_LOGIN | STATEMENT_RESETS}, {"DBAF", STATEMENT_LOGIN},
		{"LGO", STATEMENT_LOGOUT | STATEMENT_RESETS},
	};
	for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
		if (str_is(action, known[i].action)) {
			return known[i].flags;
		}
	}
	return 0;
}

int claim_read(struct book *book, const struct record *row, struct claims *out_claims)
{
	struct str action = str_trim(record_text(row, FIELD_action));
	struct str text = record_text(row, FIELD_statement);
	out_claims->flags = flags_of_action(action);
	for (int role = 0; role < ROLE_COUNT; role++) {
		out_claims->by[role] = BOOK_NONE;
	}
	int rc = read_column(book, record_text(row, FIELD_session_context), out_claims);
	if (rc == 0) {
		rc = read_application(book, record_text(row, FIELD_application), out_claims);
	}
	if (rc == 0) {
		rc = str_is(action, "UDAU")
			     ? read_audit_write(book,
						record_text(row, FIELD_user_defined_information),
						out_claims)
			     : read_set(book, text, out_claims);
	}
	if (rc == 0) {
		rc = read_comment(book, text, out_claims);
	}
	return rc;
}

static int carry(struct book *book, uint32_t statement, uint32_t claim, enum role role)
{
	int rc = book_reserve(&book->carried, &book->carried_capacity, book->carried_count,
			      sizeof *book->carried);
	if (rc != 0) {
		return rc;
	}
	struct statement *row = &book->statements[statement];
	book->carried[book->carried_count] = (struct carried){
		.statement = statement,
		.claim = claim,
		.next_of_statement = row->carried,
		.next_of_claim = book->claims[claim].carried,
		.role = role,
	};
	row->carried = book->claims[claim].carried = book->carried_count++;
	return 0;
}

int claim_link(struct book *book, uint32_t statement, const struct claims *claims)
{
	struct statement *row = &book->statements[statement];
	uint32_t column = claims->by[ROLE_COLUMN];
	row->column = column;
	row->next_column = row->carried = BOOK_NONE;
	row->flags |= (uint16_t)claims->flags;
	if (column != BOOK_NONE) {
		row->next_column = book->claims[column].column;
		book->claims[column].column = statement;
	}
	int rc = 0;
	for (int role = ROLE_COLUMN + 1; rc == 0 && role < ROLE_COUNT; role++) {
		if (claims->by[role] != BOOK_NONE) {
			rc = carry(book, statement, claims->by[role], (enum role)role);
		}
	}
	return rc;
}

static int reindex_claims(struct book *book)
{
	int rc = 0;
	slots_done(&book->by_claim);
	for (uint32_t i = 0; i < book->id_count; i++) {
		book->ids[i].claims = BOOK_NONE;
	}
	for (uint32_t i = 0; rc == 0 && i < book->claim_count; i++) {
		struct claim *claim = &book->claims[i];
		claim->column = claim->carried = BOOK_NONE;
		for (int kind = 0; kind < ID_KINDS; kind++) {
			if (claim->id[kind] != BOOK_NONE) {
				claim->next[kind] = book->ids[claim->id[kind]].claims;
				book->ids[claim->id[kind]].claims = i;
			}
		}
		rc = slots_put(&book->by_claim, &claim_type, book, i);
	}
	return rc;
}

int claim_reindex(struct book *book)
{
	int rc = reindex_claims(book);
	for (uint32_t i = 0; rc == 0 && i < book->statement_count; i++) {
		struct statement *row = &book->statements[i];
		row->carried = row->next_column = BOOK_NONE;
		if (row->column != BOOK_NONE) {
			row->next_column = book->claims[row->column].column;
			book->claims[row->column].column = i;
		}
	}
	for (uint32_t i = 0; rc == 0 && i < book->carried_count; i++) {
		struct carried *carried = &book->carried[i];
		carried->next_of_statement = book->statements[carried->statement].carried;
		carried->next_of_claim = book->claims[carried->claim].carried;
		book->statements[carried->statement].carried = i;
		book->claims[carried->claim].carried = i;
	}
	return rc;
}
