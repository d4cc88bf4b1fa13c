#include "correlator/rules/glob.h"

#include "correlator/rules/fold.h"
#include "correlator/rules/rule.h"

#include <assert.h>

/* The codes with letters folded and stars joined; NULL without memory. */
static uint16_t *normalise(const struct glob_source *source, struct arena *arena, size_t *out_count)
{
	uint16_t *codes = arena_alloc(arena, (source->code_count + 1) * sizeof(*codes));
	char *bytes = arena_alloc(arena, source->code_count + 1);
	size_t count = 0;

	if (codes == NULL || bytes == NULL) {
		return NULL;
	}
	for (size_t i = 0; i < source->code_count;) {
		size_t len = 0;

		while (i < source->code_count && source->codes[i] < 256) {
			bytes[len++] = (char)source->codes[i++];
		}
		if (source->folded) {
			len = fold_text(str_make(bytes, len), bytes);
		}
		for (size_t j = 0; j < len; j++) {
			codes[count++] = (uint8_t)bytes[j];
		}
		if (i < source->code_count) {
			uint16_t code = source->codes[i++];
			bool again = code == RULE_ANY_TEXT && count > 0 &&
				     codes[count - 1] == RULE_ANY_TEXT;

			codes[count] = code;
			count += again ? 0 : 1;
		}
	}
	*out_count = count;
	return codes;
}

/* The bytes of count codes. */
static int put_bytes(struct arena *arena, const uint16_t *codes, size_t count, struct str *out)
{
	char *bytes = arena_alloc(arena, count + 1);

	if (bytes == NULL) {
		return -ERR_NOMEM;
	}
	for (size_t i = 0; i < count; i++) {
		bytes[i] = (char)codes[i];
	}
	*out = str_make(bytes, count);
	return 0;
}

/* How many codes from here are bytes. */
static size_t byte_run(const uint16_t *codes, size_t count)
{
	size_t run = 0;

	while (run < count && codes[run] < 256) {
		run++;
	}
	return run;
}

static int set_literal(struct arena *arena, const uint16_t *codes, size_t count, struct glob *glob)
{
	size_t best = 0;
	size_t best_run = 0;

	for (size_t i = 0; i < count; i++) {
		size_t run = byte_run(codes + i, count - i);

		if (run > best_run) {
			best = i;
			best_run = run;
		}
		i += run;
	}
	return put_bytes(arena, codes + best, best_run, &glob->literal);
}

static int set_pieces(struct arena *arena, const uint16_t *codes, size_t count, struct glob *glob)
{
	struct glob_piece *pieces = arena_calloc(arena, count / 2 + 1, sizeof(*pieces));

	if (pieces == NULL) {
		return -ERR_NOMEM;
	}
	glob->pieces = pieces;
	for (size_t i = 0; i < count; i++) {
		size_t start = i;
		struct glob_piece *piece = &pieces[glob->piece_count];

		while (i < count && codes[i] != RULE_ANY_TEXT) {
			i++;
		}
		if (i == start) {
			continue;
		}
		glob->piece_count++;
		*piece = (struct glob_piece){.codes = codes + start, .code_count = i - start};
		if (put_bytes(arena, codes + start, byte_run(codes + start, i - start),
			      &piece->lead) != 0) {
			return -ERR_NOMEM;
		}
	}
	return 0;
}

/* What kind of comparison a pattern without a wildcard inside is. */
static enum glob_kind plain_kind(const struct glob *glob)
{
	if (glob->open_start) {
		return glob->open_end ? GLOB_HOLDS : GLOB_ENDS;
	}
	return glob->open_end ? GLOB_STARTS : GLOB_WHOLE;
}

static int classify(struct arena *arena, const uint16_t *codes, size_t count, struct glob *glob)
{
	size_t from;
	size_t inner;

	glob->open_start = count > 0 && codes[0] == RULE_ANY_TEXT;
	glob->open_end = count > 0 && codes[count - 1] == RULE_ANY_TEXT;
	from = glob->open_start ? 1 : 0;
	inner = count - from - (glob->open_end && count > 1 ? 1 : 0);
	if (count == 1 && glob->open_start) {
		glob->kind = GLOB_ANY;
		return 0;
	}
	if (byte_run(codes + from, inner) == inner) {
		glob->kind = plain_kind(glob);
		return 0;
	}
	glob->kind = GLOB_PIECES;
	return set_pieces(arena, codes, count, glob);
}

int glob_make(const struct glob_source *source, struct arena *arena, struct glob *out_glob,
	      struct error *err)
{
	size_t count = 0;
	uint16_t *codes = normalise(source, arena, &count);
	struct glob glob = {.kind = GLOB_PIECES};

	if (codes == NULL || classify(arena, codes, count, &glob) != 0 ||
	    set_literal(arena, codes, count, &glob) != 0) {
		return error_set(err, ERR_NOMEM, "there is no memory for a pattern");
	}
	*out_glob = glob;
	return 0;
}

/* How many bytes the character at ptr takes; 1 for a byte that begins none. */
static size_t character(const uint8_t *ptr, size_t left)
{
	size_t len = ptr[0] < 0xC2   ? 1
		     : ptr[0] < 0xE0 ? 2
		     : ptr[0] < 0xF0 ? 3
		     : ptr[0] < 0xF5 ? 4
				     : 1;

	if (len > left) {
		return 1;
	}
	for (size_t i = 1; i < len; i++) {
		if ((ptr[i] & 0xC0) != 0x80) {
			return 1;
		}
	}
	return len;
}

/* The bytes that a piece takes at the start of text, or -1. */
static ptrdiff_t fit(const struct glob_piece *piece, struct str text)
{
	size_t at = piece->lead.len;

	if (!str_has_prefix(text, piece->lead)) {
		return -1;
	}
	for (size_t i = at; i < piece->code_count; i++) {
		if (at == text.len) {
			return -1;
		}
		if (piece->codes[i] == RULE_ANY_BYTE) {
			at += character((const uint8_t *)text.ptr + at, text.len - at);
		} else if (piece->codes[i] == (uint8_t)text.ptr[at]) {
			at++;
		} else {
			return -1;
		}
	}
	return (ptrdiff_t)at;
}

/* Where text goes on behind the first place at which the piece fits, or -1. */
static ptrdiff_t find(const struct glob_piece *piece, struct str text)
{
	size_t from = 0;

	while (from <= text.len) {
		ptrdiff_t at = str_find(text, piece->lead, from);
		ptrdiff_t len = at < 0 ? -1 : fit(piece, str_slice(text, (size_t)at, text.len));

		if (at < 0 || len >= 0) {
			return at < 0 ? -1 : at + len;
		}
		from = (size_t)at +
		       (piece->lead.len != 0 || (size_t)at >= text.len
				? 1
				: character((const uint8_t *)text.ptr + at, text.len - (size_t)at));
	}
	return -1;
}

/* Whether a place is within a character. */
static bool is_inside(struct str text, size_t at)
{
	const uint8_t *bytes = (const uint8_t *)text.ptr;
	size_t back = 0;

	if (at == text.len) {
		return false;
	}
	while (back < 3 && back < at && (bytes[at - back] & 0xC0) == 0x80) {
		back++;
	}
	return back != 0 && character(bytes + at - back, text.len - at + back) > back;
}

/* Whether the piece fits so that it ends where text ends. "?" has no fixed width, so the start is looked for. */
static bool fits_at_end(const struct glob_piece *piece, struct str text)
{
	size_t longest = piece->code_count * 4;
	size_t from = text.len > longest ? text.len - longest : 0;

	for (; from <= text.len; from++) {
		struct str rest = str_slice(text, from, text.len);
		bool starts = piece->lead.len != 0 || !is_inside(text, from);

		if (starts && fit(piece, rest) == (ptrdiff_t)rest.len) {
			return true;
		}
	}
	return false;
}

static bool match_pieces(const struct glob *glob, struct str text)
{
	size_t first = 0;
	size_t last = glob->piece_count;

	if (!glob->open_start) {
		ptrdiff_t len = fit(&glob->pieces[first++], text);

		if (len < 0) {
			return false;
		}
		text = str_slice(text, (size_t)len, text.len);
		if (first == last) { /* one piece: it is all of the pattern, or a star follows */
			return glob->open_end || text.len == 0;
		}
	}
	if (!glob->open_end) {
		last--;
	}
	for (; first < last; first++) {
		ptrdiff_t end = find(&glob->pieces[first], text);

		if (end < 0) {
			return false;
		}
		text = str_slice(text, (size_t)end, text.len);
	}
	return glob->open_end || fits_at_end(&glob->pieces[last], text);
}

bool glob_match(const struct glob *glob, struct str text)
{
	switch (glob->kind) {
	case GLOB_ANY:
		return true;
	case GLOB_WHOLE:
		return str_equal(text, glob->literal);
	case GLOB_STARTS:
		return str_has_prefix(text, glob->literal);
	case GLOB_ENDS:
		return str_has_suffix(text, glob->literal);
	case GLOB_HOLDS:
		return str_find(text, glob->literal, 0) >= 0;
	case GLOB_PIECES:
		break;
	}
	return match_pieces(glob, text);
}
