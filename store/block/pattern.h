/* pattern - a short text as what stays (the pattern) and what varies (typed tokens), and back, bit for bit.
 *
 * Shape:   a pattern is chunk 0, slot 0, chunk 1, slot 1, .., chunk n: fixed bytes and the kinds of the tokens between them. Its stored form
 *          is the bytes themselves, with three bytes 00 kind arg for a slot and 00 00 for a zero byte.
 * Rule:    a token has a kind other than WORD only if the kind writes exactly what stood there, so that chunks and tokens, one behind
 *          the other, always are the text. Which kind is taken is free: a reader needs to know the kinds only.
 * Words:   letters are WORD tokens; pattern_fold puts them back into the pattern (for a place that holds the same words again and again).
 * Limits:  a text of more than PATTERN_TEXT_MAX bytes or PATTERN_TOKENS_MAX tokens is one WORD. Time is linear.
 * Threads: one splitter per thread. Blocking: never.
 * Source:  docs/format.md section 9.5. Tests: tests/unit/pattern.c, tests/fuzz/pattern.c
 */
#ifndef STORE_BLOCK_PATTERN_H
#define STORE_BLOCK_PATTERN_H

#include "base/arena.h"
#include "base/buf.h"

#define PATTERN_TOKENS_MAX 64
#define PATTERN_TEXT_MAX   2048
#define PATTERN_SLOTS_MAX  4096 /* of a pattern from elsewhere */
#define PATTERN_BYTES_MAX  255  /* of a token of bytes */

/* Stored: the numbers never change. */
enum pattern_kind {
	PATTERN_NUMBER = 1,  /* decimal, no zeros in front */
	PATTERN_DECIMAL = 2, /* number / 10^arg, arg digits (1..17) behind the point */
	PATTERN_DIGITS = 3,  /* arg digits (1..18), zeros in front */
	PATTERN_HEX = 4,     /* arg & 31 hexadecimal digits (1..16); upper case with 0x80 */
	PATTERN_DATE = 5,    /* yyyy-mm-dd as days since 1970-01-01 */
	PATTERN_TIME =
		6, /* yyyy-mm-ddThh:mm:ss[.f] in units of 10^-(arg & 15) s; a blank for T with 0x80 */
	PATTERN_WORD = 7,       /* any bytes, from a dictionary */
	PATTERN_UUID4 = 8,      /* 8-4-4-4-12, version 4, variant 10; arg 1: upper case */
	PATTERN_UUID = 9,       /* any other; likewise */
	PATTERN_HEXBYTES = 10,  /* arg bytes, two lower-case digits each */
	PATTERN_HEXUPPER = 11,  /* arg bytes, two upper-case digits each */
	PATTERN_BASE64 = 12,    /* arg bytes, with padding */
	PATTERN_BASE64URL = 13, /* arg bytes, without padding */
	PATTERN_ID = 14,        /* id number arg of the text's family */
	PATTERN_TEXT = 15, /* a text that is split on its own; only in templates of statements */
};

struct pattern_slot {
	uint8_t kind, arg;
};

struct pattern {
	struct str *chunks; /* slot_count + 1 */
	struct pattern_slot *slots;
	size_t slot_count;
};

struct pattern_token {
	struct pattern_slot slot;
	int64_t number; /* kinds 1 to 6 */
	/* WORD: borrowed from the text; kinds 8 to 13: their bytes, borrowed from the splitter */
	struct str text;
	struct str whole; /* as it stands in the text */
	bool loose;       /* WORD: of letters, may as well stand in the pattern */
};

struct pattern_splitter {
	struct buf stored; /* the pattern in its stored form */
	struct buf folded;
	struct pattern_token tokens[PATTERN_TOKENS_MAX];
	size_t token_count;
	uint8_t bytes[PATTERN_TOKENS_MAX][PATTERN_BYTES_MAX + 1];
};

/* Prepares an empty splitter; allocates nothing. */
void pattern_splitter_init(struct pattern_splitter *splitter);
/* Frees what it holds. */
void pattern_splitter_done(struct pattern_splitter *splitter);

/* Splits text, in which ids may stand; what was in the splitter goes. Returns 0 or -ERR_NOMEM. */
int pattern_split(struct pattern_splitter *splitter, struct str text, const struct str *ids,
		  size_t id_count);

/* Puts the loose words of what was split into the pattern. Returns 0 or -ERR_NOMEM. */
int pattern_fold(struct pattern_splitter *splitter);

/* Makes a token a WORD that is not loose. */
void pattern_reword(struct pattern_splitter *splitter, size_t token);

/* The token that begins at pos, behind a byte that is no letter or digit: its kind and value, and how long it is; 0: none but
 * letters and marks. The token's bytes are put into bytes. */
size_t pattern_token_at(struct str text, size_t pos, struct pattern_token *out,
			uint8_t bytes[PATTERN_BYTES_MAX + 1]);

/* The same for Base64, of run bytes that hold nothing but its letters, and up to two '=' behind them. */
size_t pattern_base64_at(struct str text, size_t pos, struct pattern_token *out,
			 uint8_t bytes[PATTERN_BYTES_MAX + 1]);

/* Reads a stored form; the chunks and slots are made in the arena. False: it is none (or memory is out). */
bool pattern_read(struct str stored, struct arena *arena, struct pattern *out);

/* Whether a kind and its argument are ones that a splitter makes (TEXT is not). */
bool pattern_slot_valid(struct pattern_slot slot);

/* The bytes of a token of a kind of bytes; 0 for other kinds. */
size_t pattern_slot_bytes(struct pattern_slot slot);

/* Appends a token of a number (kinds 1 to 6) as text. False: no text has this value. */
bool pattern_put_number(struct pattern_slot slot, int64_t number, struct buf *out);

/* Appends a token of bytes (kinds 8 to 13) as text; bytes has pattern_slot_bytes(slot) of them. */
void pattern_put_bytes(struct pattern_slot slot, const uint8_t *bytes, struct buf *out);

/* Whether byte can stand at offset pos of a token of this slot (of all kinds but WORD, ID and TEXT), and how long one is at most. */
bool pattern_slot_holds(struct pattern_slot slot, size_t pos, uint8_t byte);
size_t pattern_slot_longest(struct pattern_slot slot);

#endif
