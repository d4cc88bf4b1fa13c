#include "correlator/join/book.h"

#include "model/carried.h"

#include <stdlib.h>

int64_t book_add_ns(int64_t a, int64_t b)
{
	int64_t sum;
	if (__builtin_add_overflow(a, b, &sum)) {
		return b > 0 ? INT64_MAX : INT64_MIN;
	}
	return sum;
}

int64_t book_subtract_ns(int64_t a, int64_t b)
{
	int64_t difference;
	if (__builtin_sub_overflow(a, b, &difference)) {
		return b < 0 ? INT64_MAX : INT64_MIN;
	}
	return difference;
}

int book_reserve(void *items, uint32_t *capacity, uint32_t count, size_t item_bytes)
{
	if (count < *capacity) {
		return 0;
	}
	uint32_t larger = *capacity < 16 ? 16 : *capacity + *capacity / 2;
	if (larger <= *capacity) {
		return -ERR_NOMEM;
	}
	void *array;
	memcpy(&array, items, sizeof array); /* items points to a pointer of some type */
	array = reallocarray(array, larger, item_bytes);
	if (array == NULL) {
		return -ERR_NOMEM;
	}
	memcpy(items, &array, sizeof array);
	*capacity = larger;
	return 0;
}

static int copy_text(struct str text, struct str *out)
{
	char *copy = malloc(text.len + 1);
	if (copy == NULL) {
		return -ERR_NOMEM;
	}
	if (text.len > 0) {
		memcpy(copy, text.ptr, text.len);
	}
	copy[text.len] = '\0';
	*out = str_make(copy, text.len);
	return 0;
}

static int copy_rule(const struct join_route_rule *from, struct join_route_rule *to)
{
	if (copy_text(from->route, &to->route) != 0) {
		return -ERR_NOMEM;
	}
	struct str *principals = calloc(from->principal_count + 1, sizeof *principals);
	if (principals == NULL) {
		return -ERR_NOMEM;
	}
	to->principals = principals;
	for (size_t i = 0; i < from->principal_count; i++) {
		if (copy_text(from->principals[i], &principals[i]) != 0) {
			return -ERR_NOMEM;
		}
		to->principal_count++;
	}
	return 0;
}

static int copy_options(struct book *book, const struct join_options *options)
{
	book->options = *options;
	book->options.signing_key = (struct str){0};
	book->options.routes = NULL;
	book->options.route_count = 0;
	book->options.clocks = NULL;
	book->options.clock_count = 0;
	if (copy_text(options->signing_key, &book->options.signing_key) != 0) {
		return -ERR_NOMEM;
	}
	book->rules = calloc(options->route_count + 1, sizeof *book->rules);
	if (book->rules == NULL) {
		return -ERR_NOMEM;
	}
	for (size_t i = 0; i < options->route_count; i++) {
		book->options.route_count++;
		if (copy_rule(&options->routes[i], &book->rules[i]) != 0) {
			return -ERR_NOMEM;
		}
	}
	for (size_t i = 0; i < options->clock_count; i++) {
		uint32_t source;
		int rc = book_source(book, options->clocks[i].source, &source);
		if (rc != 0) {
			return rc;
		}
		int64_t offset_ns = options->clocks[i].offset_ns;
		book->sources[source].offset_ns = offset_ns;
		book->min_offset_ns =
			offset_ns < book->min_offset_ns ? offset_ns : book->min_offset_ns;
	}
	return 0;
}

int book_init(struct book *book, const struct join_options *options, struct error *err)
{
	*book = (struct book){.requests_ns = INT64_MIN, .statements_ns = INT64_MIN};
	book->horizon = (struct horizon){INT64_MIN, INT64_MIN, INT64_MIN, INT64_MIN, INT64_MIN};
	book->key = hash_key_random();
	book->last_source = book->last_file = BOOK_NONE;
	strmap_init(&book->login_map, BOOK_REQUEST_BIT);
	strmap_init(&book->file_map, BOOK_REQUEST_BIT);
	if (options->tolerance_ns < 0 || options->slack_ns < options->tolerance_ns) {
		return error_set(err, ERR_CONFIG,
				 "join: the clock slack must not be smaller than the tolerance, "
				 "nor the tolerance than 0");
	}
	if (options->max_records >= BOOK_REQUEST_BIT) {
		return error_set(err, ERR_CONFIG, "join: at most %u records can be kept",
				 BOOK_REQUEST_BIT - 1);
	}
	book->cache = calloc(BOOK_CACHE_COUNT, sizeof *book->cache);
	if (book->cache == NULL || copy_options(book, options) != 0) {
		return error_set(err, ERR_NOMEM, "join: no memory");
	}
	return 0;
}

static void done_names(struct book *book)
{
	for (uint32_t i = 0; i < book->source_count; i++) {
		free((void *)(uintptr_t)book->sources[i].name.ptr);
	}
	for (uint32_t i = 0; i < book->file_count; i++) {
		free((void *)(uintptr_t)book->files[i].ptr);
	}
	for (uint32_t i = 0; i < book->login_count; i++) {
		free((void *)(uintptr_t)book->logins[i].name[0].ptr);
	}
	for (size_t i = 0; i < book->options.route_count; i++) {
		for (size_t j = 0; j < book->rules[i].principal_count; j++) {
			free((void *)(uintptr_t)book->rules[i].principals[j].ptr);
		}
		free((void *)(uintptr_t)book->rules[i].principals);
		free((void *)(uintptr_t)book->rules[i].route.ptr);
	}
	free((void *)(uintptr_t)book->options.signing_key.ptr);
	free(book->rules);
	free(book->sources);
	free(book->files);
	free(book->logins);
	strmap_done(&book->login_map);
	strmap_done(&book->file_map);
}

void book_done(struct book *book)
{
	done_names(book);
	for (uint32_t i = 0; i < book->session_count; i++) {
		timeline_done(&book->sessions[i].timeline);
	}
	free(book->requests);
	free(book->statements);
	free(book->claims);
	free(book->carried);
	free(book->ids);
	free(book->sessions);
	free(book->restored);
	free(book->cache);
	slots_done(&book->by_leaf);
	slots_done(&book->by_claim);
	slots_done(&book->by_id);
	slots_done(&book->by_session);
	slots_done(&book->by_restored);
	timeline_done(&book->statements_by_time);
	timeline_done(&book->requests_by_end);
	free(book->dirty_statements.at);
	free(book->dirty_requests.at);
	free(book->dirty_claims.at);
	free(book->dirty_sessions.at);
	past_done(&book->past);
	*book = (struct book){0};
}

static uint64_t leaf_of(const struct book *book, uint32_t item)
{
	return (item & BOOK_REQUEST_BIT) != 0 ? book->requests[item & ~BOOK_REQUEST_BIT].leaf
					      : book->statements[item].leaf;
}

/* Leaves come one after another; eight neighbours share a cache line of the table. */
static uint64_t mix_leaf(uint64_t leaf)
{
	return hash_u64(leaf >> 3) << 3 | (leaf & 7);
}

static uint64_t leaf_hash(const void *owner, uint32_t index)
{
	return mix_leaf(leaf_of(owner, index));
}

static bool leaf_equal(const void *owner, uint32_t index, const void *key)
{
	return leaf_of(owner, index) == *(const uint64_t *)key;
}

static const struct slots_type leaf_type = {.hash = leaf_hash, .equal = leaf_equal};

/* Looks among count items from first on, whose leaves ascend. */
static uint32_t search_leaf(const struct book *book, uint32_t first, uint32_t count, uint64_t leaf)
{
	uint32_t low = 0, high = count;
	while (low < high) {
		uint32_t middle = low + (high - low) / 2;
		uint64_t at = leaf_of(book, first + middle);
		if (at == leaf) {
			return first + middle;
		}
		if (at < leaf) {
			low = middle + 1;
		} else {
			high = middle;
		}
	}
	return BOOK_NONE;
}

uint32_t book_find_leaf(const struct book *book, uint64_t leaf)
{
	if (leaf >= book->leaf_end) {
		return BOOK_NONE;
	}
	if (book->leaves_jumped) {
		return slots_find(&book->by_leaf, &leaf_type, book, mix_leaf(leaf), &leaf);
	}
	uint32_t found = search_leaf(book, 0, book->statement_count, leaf);
	return found != BOOK_NONE ? found
				  : search_leaf(book, BOOK_REQUEST_BIT, book->request_count, leaf);
}

/* From the first leaf on that is not above all others a table is needed. */
static int index_leaves(struct book *book, uint32_t except)
{
	int rc = 0;
	for (uint32_t i = 0; rc == 0 && i < book->statement_count; i++) {
		rc = i == except ? 0 : slots_put(&book->by_leaf, &leaf_type, book, i);
	}
	for (uint32_t i = 0; rc == 0 && i < book->request_count; i++) {
		uint32_t item = i | BOOK_REQUEST_BIT;
		rc = item == except ? 0 : slots_put(&book->by_leaf, &leaf_type, book, item);
	}
	book->leaves_jumped = rc == 0;
	return rc;
}

int book_put_leaf(struct book *book, uint32_t item)
{
	uint64_t leaf = leaf_of(book, item);
	bool ascends = leaf >= book->leaf_end;
	book->leaf_end = ascends ? leaf + 1 : book->leaf_end;
	if (!book->leaves_jumped) {
		int rc = ascends ? 0 : index_leaves(book, item);
		if (ascends || rc != 0) {
			return rc;
		}
	}
	return slots_put(&book->by_leaf, &leaf_type, book, item);
}

uint32_t book_claim(const struct book *book, const struct statement *statement, enum role role)
{
	if (role == ROLE_COLUMN) {
		return statement->column;
	}
	for (uint32_t i = statement->carried; i != BOOK_NONE;
	     i = book->carried[i].next_of_statement) {
		if (book->carried[i].role == role) {
			return book->carried[i].claim;
		}
	}
	return BOOK_NONE;
}

int book_source(struct book *book, struct str name, uint32_t *out_index)
{
	if (book->last_source != BOOK_NONE &&
	    str_equal(book->sources[book->last_source].name, name)) {
		*out_index = book->last_source;
		return 0;
	}
	/* A handful of sources: a walk is as quick as a table. */
	for (uint32_t i = 0; i < book->source_count; i++) {
		if (str_equal(book->sources[i].name, name)) {
			*out_index = book->last_source = i;
			return 0;
		}
	}
	if (book->source_count >= UINT16_MAX) {
		return -ERR_LIMIT;
	}
	int rc = book_reserve(&book->sources, &book->source_capacity, book->source_count,
			      sizeof *book->sources);
	if (rc != 0) {
		return rc;
	}
	struct source source = {0};
	rc = copy_text(name, &source.name);
	if (rc != 0) {
		return rc;
	}
	*out_index = book->last_source = book->source_count;
	book->sources[book->source_count++] = source;
	return 0;
}

int book_file(struct book *book, struct str name, uint32_t *out_index)
{
	if (book->last_file != BOOK_NONE && str_equal(book->files[book->last_file], name)) {
		*out_index = book->last_file;
		return 0;
	}
	const uint64_t *known = strmap_get(&book->file_map, name);
	if (known != NULL) {
		*out_index = book->last_file = (uint32_t)*known;
		return 0;
	}
	int rc = book_reserve(&book->files, &book->file_capacity, book->file_count,
			      sizeof *book->files);
	if (rc == 0) {
		rc = strmap_put(&book->file_map, name, book->file_count);
	}
	struct str copy;
	if (rc == 0) {
		rc = copy_text(name, &copy);
		if (rc != 0) {
			(void)strmap_remove(&book->file_map, name); /* it was put just now */
		}
	}
	if (rc != 0) {
		return rc;
	}
	*out_index = book->last_file = book->file_count;
	book->files[book->file_count++] = copy;
	return 0;
}

static int add_login(struct book *book, struct str joined, const struct str name[3])
{
	int rc = book_reserve(&book->logins, &book->login_capacity, book->login_count,
			      sizeof *book->logins);
	struct str copy;
	if (rc == 0) {
		rc = copy_text(joined, &copy);
	}
	if (rc != 0) {
		return rc;
	}
	struct login *login = &book->logins[book->login_count];
	size_t at = 0;
	for (int i = 0; i < 3; i++) {
		login->name[i] = str_make(copy.ptr + at, name[i].len);
		at += name[i].len + 1;
	}
	rc = strmap_put(&book->login_map, joined, book->login_count);
	if (rc != 0) {
		free((void *)(uintptr_t)copy.ptr);
		return rc;
	}
	book->login_count++;
	return 0;
}

int book_login(struct book *book, const struct str name[3], uint32_t *out_index)
{
	struct buf joined;
	buf_init(&joined, 0);
	for (int i = 0; i < 3; i++) {
		buf_put_str(&joined, name[i]);
		buf_put_byte(&joined, 0);
	}
	int rc = joined.failed ? -ERR_NOMEM : 0;
	const uint64_t *known = rc == 0 ? strmap_get(&book->login_map, buf_str(&joined)) : NULL;
	if (known != NULL) {
		*out_index = (uint32_t)*known;
	} else if (rc == 0) {
		rc = add_login(book, buf_str(&joined), name);
		*out_index = rc == 0 ? book->login_count - 1 : BOOK_NONE;
	}
	buf_done(&joined);
	return rc;
}

static uint64_t id_hash(const void *owner, uint32_t index)
{
	const struct book *book = owner;
	return book->ids[index].print.lo;
}

static bool id_equal(const void *owner, uint32_t index, const void *key)
{
	const struct book *book = owner;
	return fingerprint_equal(book->ids[index].print, *(const struct fingerprint *)key);
}

static const struct slots_type id_type = {.hash = id_hash, .equal = id_equal};

int book_id(struct book *book, enum id_kind kind, struct str text, uint32_t *out_index)
{
	struct fingerprint print = fingerprint_of(&book->key, text);
	print.lo ^= (uint64_t)kind * 0x9e3779b97f4a7c15ULL;
	uint32_t known = slots_find(&book->by_id, &id_type, book, print.lo, &print);
	if (known != SLOTS_NONE) {
		*out_index = known;
		return 0;
	}
	int rc = book_reserve(&book->ids, &book->id_capacity, book->id_count, sizeof *book->ids);
	if (rc != 0) {
		return rc;
	}
	book->ids[book->id_count] =
		(struct id){.print = print,
			    .requests = BOOK_NONE,
			    .request = BOOK_NONE,
			    .claims = BOOK_NONE,
			    .key = carried_key(text),
			    .whole = book->past.any ? 0 : ID_REQUESTS | ID_CLAIMS,
			    .kind = (uint8_t)kind};
	rc = slots_put(&book->by_id, &id_type, book, book->id_count);
	if (rc == 0) {
		*out_index = book->id_count++;
	}
	return rc;
}

int book_reindex(struct book *book)
{
	slots_done(&book->by_leaf);
	slots_done(&book->by_id);
	uint64_t end = 0;
	bool jumped = false;
	for (uint32_t i = 0; i < book->statement_count; i++) {
		jumped = jumped || book->statements[i].leaf < end;
		end = book->statements[i].leaf + 1;
	}
	end = 0;
	for (uint32_t i = 0; i < book->request_count; i++) {
		jumped = jumped || book->requests[i].leaf < end;
		end = book->requests[i].leaf + 1;
	}
	book->leaves_jumped = false;
	int rc = jumped ? index_leaves(book, BOOK_NONE) : 0;
	for (uint32_t i = 0; rc == 0 && i < book->id_count; i++) {
		rc = slots_put(&book->by_id, &id_type, book, i);
	}
	return rc;
}

static int push(struct indexes *list, uint32_t index)
{
	int rc = book_reserve(&list->at, &list->capacity, list->count, sizeof *list->at);
	if (rc == 0) {
		list->at[list->count++] = index;
	}
	return rc;
}

int book_touch_statement(struct book *book, uint32_t statement)
{
	struct statement *touched = &book->statements[statement];
	touched->flags &= (uint16_t)~STATEMENT_QUIET;
	if ((touched->flags & STATEMENT_DIRTY) != 0) {
		return 0;
	}
	int rc = push(&book->dirty_statements, statement);
	if (rc == 0) {
		touched->flags |= STATEMENT_DIRTY;
	}
	return rc;
}

int book_touch_request(struct book *book, uint32_t request)
{
	struct request *touched = &book->requests[request];
	if ((touched->flags & REQUEST_DIRTY) != 0) {
		return 0;
	}
	int rc = push(&book->dirty_requests, request);
	if (rc == 0) {
		touched->flags |= REQUEST_DIRTY;
	}
	return rc;
}

int book_touch_claim(struct book *book, uint32_t claim)
{
	struct claim *touched = &book->claims[claim];
	if ((touched->flags & CLAIM_DIRTY) != 0) {
		return 0;
	}
	int rc = push(&book->dirty_claims, claim);
	if (rc == 0) {
		touched->flags |= CLAIM_DIRTY;
	}
	return rc;
}

int book_touch_session(struct book *book, uint32_t session)
{
	struct session *touched = &book->sessions[session];
	if (touched->dirty) {
		return 0;
	}
	int rc = push(&book->dirty_sessions, session);
	if (rc == 0) {
		touched->dirty = true;
	}
	return rc;
}

static uint64_t restored_hash(const void *owner, uint32_t index)
{
	const struct book *book = owner;
	return hash_u64(book->restored[index].leaf);
}

static bool restored_equal(const void *owner, uint32_t index, const void *key)
{
	const struct book *book = owner;
	return book->restored[index].leaf == *(const uint64_t *)key;
}

static const struct slots_type restored_type = {.hash = restored_hash, .equal = restored_equal};

static uint32_t find_restored(const struct book *book, uint64_t leaf)
{
	return slots_find(&book->by_restored, &restored_type, book, hash_u64(leaf), &leaf);
}

bool book_take_restored(struct book *book, uint64_t leaf, struct said *out_said)
{
	uint32_t found = book->restored_count == 0 ? SLOTS_NONE : find_restored(book, leaf);
	if (found == SLOTS_NONE || book->restored[found].said.count == 0) {
		return false;
	}
	*out_said = book->restored[found].said;
	book->restored[found].said.count = 0;
	return true;
}

int book_keep_restored(struct book *book, uint64_t leaf, const struct said *said)
{
	uint32_t found = find_restored(book, leaf);
	if (found != SLOTS_NONE) {
		struct said *known = &book->restored[found].said;
		*known = known->count > said->count ? *known : *said;
		return 0;
	}
	int rc = book_reserve(&book->restored, &book->restored_capacity, book->restored_count,
			      sizeof *book->restored);
	if (rc != 0) {
		return rc;
	}
	book->restored[book->restored_count] = (struct restored){.leaf = leaf, .said = *said};
	rc = slots_put(&book->by_restored, &restored_type, book, book->restored_count);
	if (rc == 0) {
		book->restored_count++;
	}
	return rc;
}
