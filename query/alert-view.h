/* alert-view - an alert of the store, whole: its row, its records, and the words of its rule.
 *
 * Life:    everything borrows from the reader until its next read.
 * Damage:  a record that can't be read is left out and counted.
 * Threads: one reader per thread. Blocking: disk. Tests: tests/unit/cmd-alerts.c, tests/golden/
 */
#ifndef QUERY_ALERT_VIEW_H
#define QUERY_ALERT_VIEW_H

#include "correlator/rules/pack.h"
#include "model/alert-make.h"
#include "store/alerts.h"
#include "store/scan.h"

enum alert_view_part {
	VIEW_ALERT,
	VIEW_STATEMENT,
	VIEW_VERDICT,
	VIEW_REQUEST,
	VIEW_OTHER,
	VIEW_PARTS
};

struct alert_view {
	struct alert alert; /* with the whole statement */
	bool has[VIEW_PARTS];
	struct record records[VIEW_PARTS];
};

struct alert_reader {
	struct scan_fetch *fetch[VIEW_PARTS];
	const struct pack *pack; /* borrowed; NULL: no words of rules */
	struct arena arena;
	struct buf resolution;
	uint64_t unread;
	struct error damage; /* of the first */
};

/* Opens and closes; an all-zero reader is closed. Returns 0, ERR_IO or ERR_NOMEM. */
int alert_reader_open(struct alert_reader *reader, struct store *store, const struct pack *pack,
		      struct error *err);
void alert_reader_close(struct alert_reader *reader);

/* Reads what belongs to a row. Returns 0, ERR_IO or ERR_NOMEM. */
int alert_read(struct alert_reader *reader, const struct store_alert *row,
	       struct alert_view *out_view, struct error *err);

#endif
