/* texts - a column of texts that vary (statements, paths, ids, sentences): a template each, and the typed values in its places.
 *
 * Split:   T-SQL (field statement) by model/tsql/template.h: the template's text and its typed literals; string and comment literals are split
 *          further, and all other texts are split alone, by the pattern splitter (store/block/pattern.h): runs of letters, of
 *          digits (with the width of short or zero-led ones), UUIDs, hexadecimal, Base64, money, and other bytes verbatim. What is too
 *          long or too odd is one word. Rebuilding is compared when written: a text that does not come back is kept as it is.
 * Codes:   templates and patterns get codes in a wordlist; the code of a row is written given its context (store/block/ranks.h).
 * Family:  rows of one family share a pool: the ids of their request as texts (a token equal to one is written as its number) and
 *          the last 12 distinct numbers (the values before in the same family; a number that repeats is a back-reference).
 * Buckets: values of one kind are one stream, grouped by (template, place), so that like stands with like.
 * Search:  see texts_find: looks at the templates first, then only at the streams that can hold the needle.
 * Parts:   the column's parts 0..TEXTS_PARTS-1.
 * Threads: one struct texts per thread. Blocking: never. Source: docs/format.md section 9.5. Tests: tests/unit/texts.c, tests/fuzz/texts.c
 */
#ifndef STORE_BLOCK_TEXTS_H
#define STORE_BLOCK_TEXTS_H

#include "base/byteset.h"
#include "store/block/ranks.h"
#include "store/block/wordlist.h"

#define TEXTS_PARTS     200
#define TEXTS_IDS_MAX   8
#define TEXTS_NO_FAMILY UINT32_MAX
#define TEXTS_WANT_SEED (1u << TEXTS_IDS_MAX)

struct texts_column {
	uint16_t column;
	bool is_tsql;
	size_t count;
	const uint32_t *context; /* per text: what its template depends on; NULL: none */
	const uint32_t *
		family; /* per text: its family, or TEXTS_NO_FAMILY; families rise; NULL: none has one */
	/* the ids of a family as texts (at most TEXTS_IDS_MAX) and the number that its pool begins with (INT64_MIN: none) */
	size_t (*ids_of)(void *owner, uint32_t family, struct str out_ids[TEXTS_IDS_MAX],
			 int64_t *out_seed);
	/* a part of that, for readers who need no more: wanted has a bit for each id (others are empty) and TEXTS_WANT_SEED; NULL: ids_of is
	 * asked */
	size_t (*part_of)(void *owner, uint32_t family, unsigned wanted,
			  struct str out_ids[TEXTS_IDS_MAX], int64_t *out_seed);
	void *owner;
	uint32_t *
		out_codes; /* texts_put: per text, the code that texts_templates will give; NULL: not asked for */
};

/* Writes texts; one with ptr NULL is absent. Returns 0, -ERR_LIMIT or -ERR_NOMEM. */
int texts_put(struct streams_writer *writer, const struct texts_column *about,
	      const struct str *texts);

/* Reader: reads templates and codes; values are unpacked at the first text that needs them. about is copied, its arrays are borrowed (context only
 * until texts_open returns, and by texts_gauge); the
 * column's streams must not be dropped while it is open. Returns 0, ERR_CORRUPT, ERR_IO or ERR_NOMEM. */
struct texts;
int texts_open(struct streams *streams, const struct texts_column *about, struct texts **out_texts,
	       struct error *err);
/* Frees the column; NULL is fine. */
void texts_close(struct texts *texts);

/* Whether a row has a text. */
bool texts_has(const struct texts *texts, size_t row);

/* Appends a text. Any order works; rising rows are cheap (positions in the streams are kept at marks every few hundred rows).
 * Returns 0, ERR_GONE (absent), ERR_LIMIT (out is full), ERR_CORRUPT or ERR_NOMEM; after a failure out is as it was. */
int texts_put_text(struct texts *texts, size_t row, struct buf *out, struct error *err);

/* The template (or pattern) of each row as code, UINT32_MAX when absent; and the templates' texts. */
void texts_templates(const struct texts *texts, const uint32_t **out_codes,
		     const struct str **out_templates, size_t *out_count);

/* Tells a gauge (store/block/gauge.h) what the column's values need. Returns 0, ERR_CORRUPT, ERR_IO or ERR_NOMEM. name: of its lists. */
struct gauge;
int texts_gauge(struct texts *texts, struct gauge *gauge, struct str name, struct error *err);

/* Sets bit r of out_rows for each row whose text holds the needle (ignore_case: ASCII letters of either case). Templates that cannot hold it
 * with any value are skipped whole; only rows in doubt are rebuilt. matches, when not NULL, is asked instead of the needle (a regular
 * expression) and needle is then what every match must hold (may be empty), or classes: a byte of each, one after another; needle is empty then. */
#define TEXTS_CLASSES_MAX 63
struct texts_needle {
	struct str needle;
	bool ignore_case;
	const struct byteset *classes;
	size_t class_count; /* at most TEXTS_CLASSES_MAX */
	struct dfa *
		automaton; /* instead of all these: base/dfa.h; matches is asked where it is in doubt */
	bool (*matches)(void *owner, struct str text);
	void *owner;
};
int texts_find(struct texts *texts, const struct texts_needle *needle, uint64_t *out_rows,
	       struct error *err);

/* Sets bit r of out_rows for each row whose text is exactly this one, and perhaps for some whose text is another. */
int texts_find_exact(struct texts *texts, struct str text, uint64_t *out_rows, struct error *err);

#endif
