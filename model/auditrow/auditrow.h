/* auditrow - one row of sys.fn_get_audit_file, its JSON line, the reassembly of split rows, and the statement record.
 *
 * Shape:   a row holds the columns that the server has, by column name. Its line is one JSON object with the column names of
 *          sys.fn_get_audit_file in the order in which the row gives them; a row read from a line keeps that line as it was.
 *          Text is WTF-8 (lone surrogates kept). A statement record comes from one row or from all parts of a split one; its
 *          raw holds the lines of its rows, each ended by one newline, but for the last.
 * Life:    a row borrows from its input and the arena.
 * Threads: pure, but struct auditrow_joiner: one per source. Blocking: never.
 * Source:  Microsoft "sys.fn_get_audit_file"; docs/format.md section 4. Tests: tests/unit/auditrow.c, tests/fuzz/auditrow.c
 */
#ifndef MODEL_AUDITROW_AUDITROW_H
#define MODEL_AUDITROW_AUDITROW_H

#include "base/arena.h"
#include "model/record.h"

#define AUDITROW_COLUMNS_MAX 96
#define AUDITROW_LINE_MAX    (1 << 20)
#define AUDITROW_PARTS_MAX   4096

enum auditrow_type {
	AUDITROW_NULL,
	AUDITROW_TEXT,
	AUDITROW_INT,
	AUDITROW_BOOL,
	AUDITROW_TIME,
	AUDITROW_BINARY
};

struct auditrow_column {
	struct str name;
	enum auditrow_type type;
	struct str text; /* TEXT (WTF-8), BINARY (bytes) */
	int64_t number;  /* INT, BOOL, TIME (ns since 1970; 100 ns resolution) */
};

struct auditrow {
	struct auditrow_column column[AUDITROW_COLUMNS_MAX];
	size_t column_count;
	struct str
		line; /* the JSON line; empty until auditrow_put_line or auditrow_parse_line set it */
	uint8_t key[16]; /* natural key of this row, set by the source: see auditrow_key */
};

/* The column of a name (case folded), or NULL. */
const struct auditrow_column *auditrow_column(const struct auditrow *row, const char *name);

/* Appends the row's JSON line (no newline): TIME as "2026-11-22T10:00:00.1234567", BINARY as "0x..", BOOL true or false, NULL null,
 * INT as a number. What is written is read back the same by auditrow_parse_line. */
void auditrow_put_line(const struct auditrow *row, struct buf *out);

/* Appends the value of one column as it stands in a line. */
void auditrow_put_value(const struct auditrow_column *column, struct buf *out);

/* Reads a JSON line. Accepts numbers and booleans also as text ("1", "true"), times with T or space and 0-7 (or 9) digits with or
 * without Z, any order and letter case of keys, unknown keys. row->line is the line as given.
 * Returns 0; ERR_INPUT with the offset (no object, repeated key, no event_time or action_id); ERR_LIMIT. */
int auditrow_parse_line(struct str line, struct arena *arena, struct auditrow *row,
			struct error *err);

/* Sets row->key: the first 16 bytes of SHA-256 over the file's base name, NUL, offset, NUL, SHA-256 of the line, and the ordinal
 * among rows that are equal in all of these. */
void auditrow_key(struct auditrow *row, struct str file, int64_t offset, uint64_t ordinal);

/* The same for a line whose SHA-256 is known: what the caller has counted the line by. */
void auditrow_key_of(struct auditrow *row, struct str file, int64_t offset, uint64_t ordinal,
		     const uint8_t line_digest[32]);

/* The base name of a path with / or \ (also a blob URL). Borrows. */
struct str auditrow_basename(struct str path);

/* The verb of a statement, upper case ("SELECT", "EXECUTE", "CREATE TABLE"), from the audit action code or, for batches and
 * RPCs, from the first keyword of the text behind comments, DECLARE, SET and USE. Static text; "" when unknown. */
const char *auditrow_verb(struct str action, struct str statement);

/* Puts split rows together. Rows that share event_time, action_id, session_id and sequence_group_id (where there is one) and
 * whose sequence numbers follow one another are one record. A row is split when statement or additional_information
 * has exactly 4000 UTF-16 units or a part with the next number follows. */
struct auditrow_joiner;

/* max_bytes bounds what is held for rows that wait for parts. Returns NULL without memory. */
struct auditrow_joiner *auditrow_joiner_new(struct str source, size_t max_bytes);
void auditrow_joiner_free(struct auditrow_joiner *joiner);

/* Adds a row, copying what it must keep. Complete statements come out of auditrow_joiner_take. A row may wait for its next
 * part; it is released by a row that cannot belong to it in the same file order, by auditrow_joiner_flush, or when max_bytes
 * is passed (then marked incomplete). Returns 0 or ERR_NOMEM. */
int auditrow_joiner_add(struct auditrow_joiner *joiner, const struct auditrow *row,
			struct error *err);

/* A line came that is no row: ends the wait of those rows that only one right behind them can continue. */
void auditrow_joiner_pass(struct auditrow_joiner *joiner);

/* Ends waiting: every row held comes out; those that lack a part (sequence does not begin at 1, or the last part is full) have
 * incomplete set when `final` is true, and stay otherwise. */
void auditrow_joiner_flush(struct auditrow_joiner *joiner, bool final);

/* The next complete statement as a record (kind STATEMENT, all fields, raw, key = key of its first row), which lives until the arena
 * is cleared. Returns 0, ERR_GONE when there is none now, ERR_LIMIT (take it again with an empty arena). */
int auditrow_joiner_take(struct auditrow_joiner *joiner, struct arena *arena,
			 struct record *out_record, struct error *err);

/* Whether there is one. */
bool auditrow_joiner_has(const struct auditrow_joiner *joiner);

/* How many rows are held and not yet taken, and their state as bytes that auditrow_joiner_restore reads: part of a cursor.
 * restore returns 0 or ERR_CORRUPT. */
size_t auditrow_joiner_held(const struct auditrow_joiner *joiner);
void auditrow_joiner_save(const struct auditrow_joiner *joiner, struct buf *out);
int auditrow_joiner_restore(struct auditrow_joiner *joiner, struct str bytes, struct error *err);

#endif
