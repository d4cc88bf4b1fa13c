/* fmt - the formats of `who`, one fmt-*.c each, one row in one table.
 *
 * Trust:   json and jsonl are authoritative and exact; table and text are made for people; csv is for spreadsheets, with cells
 *          that could act made harmless and marked. Values from logs never reach a terminal as they are.
 * Threads: one struct fmt per thread. Blocking: writes to the output.
 * Source:  docs/query.md; RFC 8259, RFC 4180. Tests: tests/unit/fmt-*.c
 */
#ifndef QUERY_FMT_H
#define QUERY_FMT_H

#include "query/coverage.h"
#include "query/output.h"
#include "query/trail.h"

#define FMT_KEY_MAX 56

struct fmt {
	struct output *out;
	bool with_raw; /* --with-raw: the original lines too */
	uint64_t asked[FIELD_LIMIT /
		       64]; /* fields that the filter compares; a table keeps their columns */
	uint64_t row_count;
	struct trail_column column[TRAIL_COLUMNS_MAX];
	size_t column_count;
	char key[TRAIL_COLUMNS_MAX][FMT_KEY_MAX]; /* per column its JSON key: "name": */
	size_t key_len[TRAIL_COLUMNS_MAX];
	void *state; /* the format's own */
};

struct fmt_type {
	const char *name;
	const char *help;
	bool has_coverage; /* shows the coverage itself; else it goes to the messages */
	int (*begin)(struct fmt *fmt, struct error *err);
	int (*row)(struct fmt *fmt, const struct trail *trail, struct error *err);
	int (*end)(struct fmt *fmt, const struct coverage *coverage, struct error *err);
	void (*done)(struct fmt *fmt); /* frees state; may be NULL */
};

extern const struct fmt_type fmt_table, fmt_text, fmt_json, fmt_jsonl, fmt_csv;

/* The format of a name, or NULL; and all of them (count in *out_count). */
const struct fmt_type *fmt_find(const char *name);
const struct fmt_type *const *fmt_types(size_t *out_count);

/* Makes a format ready for an output, which it borrows. */
void fmt_init(struct fmt *fmt, struct output *out, bool with_raw);

/* Notes the fields that a filter compares without fixing them to one value. */
void fmt_note_asked(struct fmt *fmt, const struct query *query);

/* Appends a trail as the members of one JSON object, with its braces. */
void fmt_put_trail_json(const struct fmt *fmt, const struct trail *trail, struct buf *out);

/* The style in which a grade is shown. */
enum style fmt_grade_style(enum grade grade);

/* Appends text with every run of white space and control characters as one space, and what else a terminal obeys escaped. */
void fmt_put_one_line(struct buf *out, struct str text);

#endif
