/* tally - the rows of a dataset put together in groups, with counts and other figures for each group.
 *
 * Shape:   a spec names up to TALLY_KEYS_MAX fields as the key and up to TALLY_FIGURES_MAX figures. Groups keep the texts of their key.
 * Figures: count; failed, unmatched, conflicts (rows with succeeded false, grade U1, grade X); share, failed_share and unmatched_share;
 *          first_seen, last_seen; users; distinct_FIELD, sum_FIELD, min_FIELD, max_FIELD.
 * Limits:  TALLY_GROUPS_MAX groups, TALLY_BYTES_MAX bytes of keys and distinct values; more is ERR_LIMIT.
 * Order:   tally_sort puts groups in order, equal ones by their key, so that the order of rows does not show.
 * Threads: one tally per thread. Blocking: never. Tests: tests/unit/report-tally.c
 */
#ifndef QUERY_REPORT_TALLY_H
#define QUERY_REPORT_TALLY_H

#include "base/hash.h"
#include "query/report/dataset.h"

#define TALLY_KEYS_MAX    4
#define TALLY_FIGURES_MAX 16
#define TALLY_GROUPS_MAX  1000000
#define TALLY_BYTES_MAX   (96u << 20)

enum tally_kind {
	TALLY_COUNT,
	TALLY_FAILED,
	TALLY_UNMATCHED,
	TALLY_CONFLICTS,
	TALLY_SHARE,
	TALLY_FAILED_SHARE,
	TALLY_UNMATCHED_SHARE,
	TALLY_FIRST_SEEN,
	TALLY_LAST_SEEN,
	TALLY_DISTINCT,
	TALLY_SUM,
	TALLY_MIN,
	TALLY_MAX,
};

struct tally_figure {
	enum tally_kind kind;
	unsigned field; /* DISTINCT, SUM, MIN, MAX */
};

struct tally_spec {
	unsigned key[TALLY_KEYS_MAX]; /* fields of the dataset */
	size_t key_count;
	struct tally_figure figure[TALLY_FIGURES_MAX];
	size_t figure_count;
	int succeeded_field, grade_field; /* of the dataset; -1: it has none */
};

struct tally_group {
	struct trail_value key[TALLY_KEYS_MAX];
	struct str joined; /* all of the key, for the order among equals */
	uint64_t count, failed, unmatched, conflicts;
	int64_t first_ns, last_ns;
	int64_t *figure; /* figure_count; DISTINCT, SUM, MIN, MAX only */
	uint64_t seen;   /* bit f: figure f has a value */
};

struct tally {
	const struct tally_spec *spec;
	struct arena arena;
	struct tally_group *groups;
	size_t group_count, group_room;
	struct strmap index;    /* joined key -> group */
	struct strmap distinct; /* group, figure and value that were met */
	struct buf joined;
	uint64_t row_count;
};

/* Prepares an empty tally; the spec is borrowed. */
void tally_init(struct tally *tally, const struct tally_spec *spec);
void tally_done(struct tally *tally);

/* Adds the row that the dataset has read. Returns 0, ERR_LIMIT or ERR_NOMEM. */
int tally_add(struct tally *tally, struct dataset *dataset, struct error *err);

/* A figure of a group: a number, a time or a share per mille; absent when no row had a value. */
struct trail_value tally_value(const struct tally *tally, const struct tally_group *group,
			       unsigned figure);

/* Sorts by keys and figures. */
struct tally_order {
	bool by_figure; /* else by key */
	unsigned number;
	bool descending;
};
void tally_sort(struct tally *tally, const struct tally_order *order, size_t order_count);

/* The kind of a figure by its name ("count", "distinct_user"), with the name of the field it is about ("" when none).
 * False when it is none. */
bool tally_kind_find(struct str name, enum tally_kind *out_kind, struct str *out_field);

/* How a figure is shown, and what it is called. */
enum report_form tally_form(enum tally_kind kind, enum trail_type field_type);

/* Appends all names of figures for a message. */
void tally_put_names(struct buf *out);

#endif
