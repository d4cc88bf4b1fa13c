/* writer - the formats of a report, one write-*.c each and one row in one table: html, csv, jsonl, md, pdf.
 *
 * Shape:   the engine (query/report/report.h) calls begin, then per section: section, facts, chart, table_begin, row.., table_end and
 *          note in any order and number, then end. Rows stream: a writer keeps none of them, so that 100,000 fit in little memory.
 * Trust:   every text may come from a log. A writer escapes for its format: nothing becomes markup, a formula, a terminal escape, a
 *          line or a direction of writing. jsonl is exact and authoritative; csv marks what it had to defuse.
 * Same:    the same calls give the same bytes: no clock, no random numbers, no locale, no environment.
 * Errors:  ERR_IO from the output; ERR_LIMIT; ERR_NOMEM. After an error only done may follow.
 * Threads: one writer per thread. Blocking: writes to the output. Tests: tests/unit/write-*.c, tests/integration/report.sh
 */
#ifndef QUERY_REPORT_WRITER_H
#define QUERY_REPORT_WRITER_H

#include "query/output.h"

#include <stdint.h>

#define REPORT_COLUMNS_MAX 16
#define REPORT_BARS_MAX    366

enum report_form {                  /* how a column's values are shown */
		   REPORT_TEXT,     /* prose, names */
		   REPORT_CODE,     /* statements, routes, ids: fixed width */
		   REPORT_NUMBER,   /* right-aligned */
		   REPORT_SHARE,    /* number is per mille */
		   REPORT_TIME,     /* number is ns; shown in the report's zone */
		   REPORT_GRADE,    /* text A, B, C, D, U1, U2, X, pending */
		   REPORT_SEVERITY, /* text informational .. critical */
		   REPORT_BOOL,     /* number 0 or 1; shown as yes or no */
};

struct report_column {
	const char *name;  /* one word, for csv and jsonl: a field name, or count, share */
	const char *title; /* for people */
	enum report_form form;
	unsigned weight; /* of its width among the others; 1..20 */
};

struct report_cell {
	bool absent;
	struct str text; /* TEXT, CODE, GRADE, SEVERITY */
	int64_t number;  /* NUMBER, SHARE, TIME, BOOL */
};

struct report_fact {       /* a line of a header: "Range", "2026-11-01 to 2026-12-01 (UTC)" */
	const char *name;  /* one word for jsonl: "range" */
	const char *title; /* for people */
	struct str text;
	bool warns; /* something is missing or doubtful: shown as a warning */
};

struct report_clause {                      /* what the report is evidence for */
	struct str framework, clause, text; /* "PCI DSS 4.0.1", "10.2.1.1", .. */
};

struct report_section {
	struct str title, text; /* text may be empty */
	unsigned level;         /* 1: a report of a bundle; 2: a section */
	const char *anchor;     /* unique within the document: [a-z0-9-]+ */
};

struct report_head {
	struct str name, title, purpose;
	const struct report_clause *clauses;
	size_t clause_count;
	const struct report_fact
		*facts; /* scope, query, range, counts, gaps, unmatched, grades, who ran it */
	size_t fact_count;
	const struct report_section *
		contents; /* the sections to come, for a table of contents; texts unused; may be none */
	size_t content_count;
	bool incomplete; /* something that the report ought to cover is missing; a fact says what */
	const char *zone_name;
};

enum report_chart_kind {
	REPORT_BARS,     /* one horizontal bar a label: top users */
	REPORT_TIMELINE, /* one vertical bar a period, in order of time */
	REPORT_STACK,    /* one bar divided into parts: grades */
};

struct report_bar {
	struct str label;
	int64_t value; /* >= 0 */
	int64_t part_risk; /* TIMELINE, BARS: how much of value is to be marked (unmatched, failed); 0: none */
};

struct report_chart {
	enum report_chart_kind kind;
	struct str title, unit; /* "statements" */
	const char *risk_title; /* what part_risk means; NULL: none */
	const struct report_bar *bars;
	size_t bar_count;
};

struct report_table {
	const char *name; /* unique within the document, for jsonl */
	struct str title;
	const struct report_column *columns;
	size_t column_count;
};

struct report_table_end {
	uint64_t row_count; /* given */
	uint64_t
		row_matched; /* rows that there are; more than given when the report's own definition says "the first N" */
};

struct report_writer;

struct report_writer_type {
	const char *name;      /* html */
	const char *extension; /* .html */
	const char *help;
	int (*begin)(struct report_writer *writer, const struct report_head *head,
		     struct error *err);
	int (*section)(struct report_writer *writer, const struct report_section *section,
		       struct error *err);
	int (*facts)(struct report_writer *writer, const struct report_fact *facts, size_t count,
		     struct error *err);
	int (*chart)(struct report_writer *writer, const struct report_chart *chart,
		     struct error *err);
	int (*table_begin)(struct report_writer *writer, const struct report_table *table,
			   struct error *err);
	int (*row)(struct report_writer *writer, const struct report_cell *cells,
		   struct error *err); /* column_count of the open table */
	int (*table_end)(struct report_writer *writer, const struct report_table_end *table_end,
			 struct error *err);
	int (*note)(struct report_writer *writer, struct str text, bool warns, struct error *err);
	int (*end)(struct report_writer *writer, struct error *err);
	void (*done)(struct report_writer *writer); /* frees state; may be NULL */
};

struct report_writer {
	const struct report_writer_type *type;
	struct output *out;               /* borrowed */
	const struct report_table *table; /* the open one; set by table_begin */
	const struct report_head *head;   /* borrowed until end */
	bool alone;  /* csv: the output holds the rows of one table and nothing else */
	void *state; /* the format's own */
};

extern const struct report_writer_type write_html, write_csv, write_jsonl, write_md, write_pdf;

/* The format of a name, or NULL; and all of them (count in *out_count). */
const struct report_writer_type *report_writer_find(const char *name);
const struct report_writer_type *const *report_writer_types(size_t *out_count);

#endif
