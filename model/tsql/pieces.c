#include "model/tsql/part.h"

#include <stdlib.h>

static bool grow(struct tsql_work *work)
{
	size_t capacity = work->piece_capacity * 2 + 256;
	struct tsql_piece *pieces;

	if (work->piece_count >= TSQL_PIECES_MAX) {
		work->flags |= TSQL_TRUNCATED;
		return false;
	}
	pieces = realloc(work->pieces, capacity * sizeof(*pieces));
	if (pieces == NULL) {
		work->no_memory = true;
		return false;
	}
	work->pieces = pieces;
	work->piece_capacity = capacity;
	return true;
}

/* Sets match of every "(" in the scan; the open ones are linked by match meanwhile. */
static void match_parentheses(struct tsql_scan *scan)
{
	struct tsql_piece *pieces = scan->work->pieces;
	size_t open = scan->end; /* the innermost "(" that is open */

	for (size_t i = scan->begin; i < scan->end; i++) {
		char mark = tsql_mark_at(scan, i);

		if (mark == '(') {
			pieces[i].match = (uint32_t)open;
			open = i;
		} else if (mark == ')' && open < scan->end) {
			size_t outer = pieces[open].match;

			pieces[open].match = (uint32_t)i;
			open = outer;
		}
	}
	while (open < scan->end) {
		size_t outer = pieces[open].match;

		pieces[open].match = (uint32_t)scan->end;
		open = outer;
	}
}

static void add(struct tsql_scan *scan, const struct tsql_token *token, unsigned flags)
{
	struct tsql_work *work = scan->work;
	struct tsql_piece *piece = &work->pieces[work->piece_count++];

	*piece = (struct tsql_piece){
		.start = (uint32_t)(token->whole.ptr - scan->text.ptr),
		.len = (uint32_t)token->whole.len,
		.kind = (uint8_t)token->kind,
		.flags = (uint8_t)(flags | (token->closed ? PIECE_CLOSED : 0)),
	};
	if (token->kind == TSQL_WORD) {
		piece->word = (uint16_t)tsql_word_of(token->text);
	}
}

void tsql_pieces_read(struct tsql_scan *scan)
{
	struct tsql_work *work = scan->work;
	struct tsql_reader reader;
	struct tsql_token token;
	unsigned flags = 0;

	if (scan->text.len > TSQL_TEXT_MAX) {
		scan->text.len = TSQL_TEXT_MAX;
		work->flags |= TSQL_TRUNCATED;
		work->from_values = true;
	}
	reader = tsql_reader(scan->text);
	reader.quotes_are_strings = work->options.quotes_are_strings;
	scan->begin = work->piece_count;
	scan->tail = (struct tsql_token){.kind = TSQL_SPACE};
	while (tsql_next(&reader, &token)) {
		if (!token.closed || token.kind == TSQL_UNKNOWN) {
			work->flags |= TSQL_DOUBTFUL;
			work->from_values = true;
		}
		if (token.kind == TSQL_SPACE || token.kind == TSQL_UNKNOWN) {
			flags |= PIECE_SPACED;
			continue;
		}
		if (token.kind == TSQL_COMMENT) {
			flags |= token.whole.ptr[0] == '/' ? PIECE_COMMENTED : PIECE_LINED;
			scan->tail = token;
			continue;
		}
		if (work->piece_count == work->piece_capacity && !grow(work)) {
			break;
		}
		add(scan, &token, flags);
		scan->tail.kind = TSQL_SPACE;
		flags = 0;
	}
	scan->end = work->piece_count;
	match_parentheses(scan);
}

/* The part of a name that a piece is, without quotes. */
static struct str name_part(const struct tsql_scan *scan, size_t i)
{
	const struct tsql_piece *piece = tsql_piece_at(scan, i);
	struct str whole = tsql_text_at(scan, i);
	size_t close = (piece->flags & PIECE_CLOSED) != 0 ? 1 : 0;
	struct str inside;
	char quote;
	char *copy;
	size_t len = 0;

	if (piece->kind != TSQL_QUOTED) {
		return whole;
	}
	inside = str_slice(whole, 1, whole.len - 1 - close);
	quote = whole.ptr[0] == '[' ? ']' : '"';
	if (str_find_byte(inside, quote, 0) < 0) {
		return inside;
	}
	copy = arena_alloc(scan->work->arena, inside.len);
	if (copy == NULL) {
		scan->work->flags |= TSQL_TRUNCATED;
		return inside;
	}
	for (size_t at = 0; at < inside.len; at++) {
		copy[len++] = inside.ptr[at];
		at += inside.ptr[at] == quote ? 1 : 0;
	}
	return str_make(copy, len);
}

static bool is_part(const struct tsql_scan *scan, size_t i, bool is_first)
{
	const struct tsql_piece *piece = tsql_piece_at(scan, i);

	if (piece->kind == TSQL_QUOTED) {
		return true;
	}
	return piece->kind == TSQL_WORD &&
	       (!is_first || tsql_mark_at(scan, i + 1) == '.' ||
		(tsql_word_properties((enum tsql_word)piece->word) & TSQL_WORD_RESERVED) == 0);
}

size_t tsql_name_read(const struct tsql_scan *scan, size_t i, struct tsql_name *out)
{
	struct str parts[4] = {{NULL, 0}, {NULL, 0}, {NULL, 0}, {NULL, 0}}; /* the last first */
	bool is_first = true;
	size_t next = i;

	while (is_part(scan, next, is_first)) {
		memmove(parts + 1, parts, sizeof(parts) - sizeof(parts[0]));
		parts[0] = name_part(scan, next++);
		is_first = false;
		if (tsql_mark_at(scan, next) != '.') {
			break;
		}
		for (next++; tsql_mark_at(scan, next) == '.'; next++) {
			memmove(parts + 1, parts, sizeof(parts) - sizeof(parts[0]));
			parts[0] = STR_LIT("");
		}
	}
	if (!is_first) {
		*out = (struct tsql_name){.server = parts[3],
					  .database = parts[2],
					  .schema = parts[1],
					  .object = parts[0]};
	}
	return next;
}
