/* glob - a Sigma pattern made ready: what kind it is, its pieces, and matching them in one direction.
 *
 * Shape:   a pattern without wildcards inside is a plain comparison (whole, at the start, at the end, anywhere); all others are pieces
 *          between stars, looked for from left to right without ever going back behind a piece.
 *          "?" is one character of UTF-8, or one byte that is none.
 * Speed:   linear in the text for pieces without "?", else at most text times piece.
 * Life:    in the arena. Threads: read-only once made. Blocking: never.
 * Source:  Sigma specification 2.1.0, "Wildcards". Tests: tests/unit/glob.c
 */
#ifndef CORRELATOR_RULES_GLOB_H
#define CORRELATOR_RULES_GLOB_H

#include "base/arena.h"
#include "base/error.h"

#include <stdint.h>

enum glob_kind {
	GLOB_ANY,    /* every value, the empty one too */
	GLOB_WHOLE,  /* literal is the whole value */
	GLOB_STARTS, /* the value begins with literal */
	GLOB_ENDS,
	GLOB_HOLDS, /* literal stands anywhere */
	GLOB_PIECES,
};

struct glob_piece { /* between two stars: bytes, and RULE_ANY_BYTE */
	const uint16_t *codes;
	size_t code_count;
	struct str lead; /* the bytes before the first "?" */
};

struct glob {
	enum glob_kind kind;
	struct str literal; /* of PIECES: the longest run of bytes, which every match holds */
	const struct glob_piece *pieces;
	size_t piece_count;
	bool open_start, open_end; /* the pattern begins (ends) with a star */
};

/* Makes one of codes (correlator/rules/rule.h).
 *   folded  fold the pattern: it will be matched against folded texts
 * Returns 0 or ERR_NOMEM. */
struct glob_source {
	const uint16_t *codes;
	size_t code_count;
	bool folded;
};
int glob_make(const struct glob_source *source, struct arena *arena, struct glob *out_glob,
	      struct error *err);

/* Whether the whole text fits. */
bool glob_match(const struct glob *glob, struct str text);

#endif
