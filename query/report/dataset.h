/* dataset - what a section of a report may be made from: trails, alerts, gaps, rejects, accesses, sources, ..
 *
 * Shape:   a dataset has named fields and rows. Opening one finds its rows (by number, in order of time and then of stable ids, so
 *          that the order of commits does not show); reading one gives its values.
 * Fields:  those of the dataset, and for datasets whose rows have a time: hour, day and month, in the report's zone.
 * Memory:  about 60 bytes a row; records are read one at a time.
 * Life:    a value borrows until the next read of its dataset.
 * Threads: one dataset per thread. Blocking: disk.
 * Tests:   tests/unit/dataset.c
 */
#ifndef QUERY_REPORT_DATASET_H
#define QUERY_REPORT_DATASET_H

#include "query/coverage.h"
#include "query/report/writer.h"
#include "query/trail.h"

#define DATASET_FIELDS_MAX (TRAIL_COLUMNS_MAX + 8)

struct dataset_field {
	char name[48];
	enum trail_type type;
};

/* What is asked of a dataset. */
struct dataset_question {
	struct store *store;
	const struct zone *zone;
	const struct plan
		*plan; /* the filter and the range; datasets without a filter take its range */
};

struct dataset;

struct dataset_type {
	const char *name;    /* in definitions: "trails" */
	const char *rows;    /* for people: "statements" */
	bool takes_filter;   /* the language of `who`; others have only and except */
	bool follows_filter; /* the filter of the command line narrows it: rows rest on trails */
	bool has_time;       /* rows have a time, which the range is about */
	const char *times;   /* which field that is */
	size_t (*fields)(const struct dataset_type *type, struct dataset_field *out);
	int (*open)(struct dataset *dataset, struct error *err);
	int (*read)(struct dataset *dataset, size_t row, struct error *err);
	struct trail_value (*value)(const struct dataset *dataset, unsigned field);
	void (*close)(struct dataset *dataset);
	unsigned kinds; /* records: bit k */
};

struct dataset {
	const struct dataset_type *type;
	struct dataset_question question;
	size_t row_count;
	uint64_t unread;    /* rows that could not be read whole so far */
	uint64_t damaged;   /* blocks that could not be searched */
	int64_t time_ns;    /* of the row that was read */
	size_t own_count;   /* fields of the type itself */
	char period[3][64]; /* the row's hour, day and month */
	void *state;        /* the type's own */
};

/* The type of a name, or NULL; and all of them. */
const struct dataset_type *dataset_type_find(struct str name);
const struct dataset_type *const *dataset_types(size_t *out_count);

/* The fields of a type; out has room for DATASET_FIELDS_MAX. Returns how many. */
size_t dataset_fields(const struct dataset_type *type, struct dataset_field *out);

/* Finds the rows. Returns 0 and *out_dataset (to be closed), ERR_IO, ERR_NOMEM, ERR_LIMIT. */
int dataset_open(const struct dataset_type *type, const struct dataset_question *question,
		 struct dataset *out_dataset, struct error *err);
void dataset_close(struct dataset *dataset);

/* Reads row 0 .. row_count - 1. Returns 0; ERR_GONE when it cannot be read, which is counted in unread; ERR_IO, ERR_NOMEM. */
int dataset_read(struct dataset *dataset, size_t row, struct error *err);

/* The value of a field of the row that was read; field counts as dataset_fields gave them. */
struct trail_value dataset_value(struct dataset *dataset, unsigned field);

/* Reads the daemon's estimate of a source's clock: offset, bound (both ns), pairs, outliers. False when there is none. */
bool dataset_read_clock(struct store *store, const char *source, int64_t out_numbers[4]);

extern const struct dataset_type dataset_trails, dataset_alerts, dataset_deliveries,
	dataset_sources, dataset_gaps, dataset_rejects, dataset_accesses, dataset_lifecycle;

/* Writes the local period of an instant: "2026-11-22 10:00", "2026-11-22" or "2026-11". Returns its length. */
enum dataset_period { DATASET_HOUR, DATASET_DAY, DATASET_MONTH };
#define DATASET_PERIOD_BYTES 64
size_t dataset_period_text(const struct zone *zone, int64_t ns, enum dataset_period period,
			   char out[DATASET_PERIOD_BYTES]);

#endif
