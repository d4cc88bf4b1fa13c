#include "store/alerts.h"

#include "base/wire.h"
#include "store/checksum.h"
#include "store/handle.h"

#include <assert.h>
#include <stdlib.h>

#define ALERT_NUMBERS    13 /* the columns of alerts that are numbers, subject_leaf and crc apart */
#define ALERT_CRC        17
#define DELIVERY_NUMBERS 5
#define DELIVERY_CRC     8
#define SEVERITY_MAX     5

static const char *const state_words[] = {[ALERT_STATE_FIRING] = "firing",
					  [ALERT_STATE_ACKNOWLEDGED] = "acknowledged",
					  [ALERT_STATE_REVOKED] = "revoked",
					  [ALERT_STATE_EXPIRED] = "expired"};
static const char *const delivery_words[] = {
	[DELIVERY_WAITING] = "waiting", [DELIVERY_DONE] = "done", [DELIVERY_DEAD] = "dead"};

const char *alerts_state_word(enum alert_state state)
{
	bool known = state >= ALERT_STATE_FIRING && state <= ALERT_STATE_EXPIRED;
	return known ? state_words[state] : NULL;
}

enum alert_state alerts_state_of(struct str word)
{
	for (int i = ALERT_STATE_FIRING; i <= ALERT_STATE_EXPIRED; i++) {
		if (str_is(word, state_words[i])) {
			return (enum alert_state)i;
		}
	}
	return 0;
}

const char *alerts_delivery_word(enum delivery_state state)
{
	bool known = state >= DELIVERY_WAITING && state <= DELIVERY_DEAD;
	return known ? delivery_words[state] : NULL;
}

uint64_t alerts_subject(const struct store_alert *alert)
{
	if (alert->statement_leaf != ALERTS_NO_LEAF) {
		return alert->statement_leaf;
	}
	return alert->other_leaf != ALERTS_NO_LEAF ? alert->other_leaf : alert->request_leaf;
}

void alerts_put_resolution(const struct store_alert *alert, struct str reason, struct buf *out)
{
	switch (alert->state) {
	case ALERT_STATE_FIRING:
		return;
	case ALERT_STATE_ACKNOWLEDGED:
		buf_put_text(out, "acknowledged by ");
		buf_put_str(out, alert->by.len > 0 ? alert->by : STR_LIT("somebody"));
		buf_put_text(out, ": ");
		buf_put_str(out, alert->note);
		return;
	case ALERT_STATE_REVOKED:
		buf_put_text(out, "revoked: ");
		buf_put_str(out, reason);
		return;
	case ALERT_STATE_EXPIRED:
		buf_put_text(out, "expired: nobody acknowledged it in time");
		return;
	}
}

/* The numbers of a row; the order is that of the checksum and never changes. */
static void alert_numbers(const struct store_alert *alert, int64_t out[ALERT_NUMBERS])
{
	const int64_t numbers[ALERT_NUMBERS] = {(int64_t)alert->state,
						(int64_t)alert->revision,
						alert->severity,
						(int64_t)alert->leaf,
						(int64_t)alert->verdict_leaf,
						(int64_t)alert->statement_leaf,
						(int64_t)alert->request_leaf,
						(int64_t)alert->other_leaf,
						alert->time_ns,
						alert->fired_ns,
						alert->changed_ns,
						alert->quiet ? 1 : 0,
						(int64_t)alerts_subject(alert)};
	memcpy(out, numbers, sizeof numbers);
}

static uint32_t alert_checksum(const struct store_alert *alert, struct buf *scratch)
{
	int64_t numbers[ALERT_NUMBERS];
	alert_numbers(alert, numbers);
	buf_clear(scratch);
	for (size_t i = 0; i < ALERT_NUMBERS; i++) {
		wire_put_u64(scratch, (uint64_t)numbers[i]);
	}
	wire_put_block(scratch, alert->id);
	wire_put_block(scratch, alert->rule);
	wire_put_block(scratch, alert->by);
	wire_put_block(scratch, alert->note);
	return checksum_crc32c(buf_str(scratch));
}

static uint32_t delivery_checksum(const struct store_delivery *delivery, struct buf *scratch)
{
	const int64_t numbers[DELIVERY_NUMBERS] = {
		(int64_t)delivery->revision, (int64_t)delivery->state, (int64_t)delivery->attempts,
		delivery->next_ns, delivery->changed_ns};
	buf_clear(scratch);
	for (size_t i = 0; i < DELIVERY_NUMBERS; i++) {
		wire_put_u64(scratch, (uint64_t)numbers[i]);
	}
	wire_put_block(scratch, delivery->alert_id);
	wire_put_block(scratch, delivery->channel);
	wire_put_block(scratch, delivery->text);
	return checksum_crc32c(buf_str(scratch));
}

static int bind_alert(sqlite3_stmt *row, const struct store_alert *alert)
{
	const int64_t numbers[] = {(int64_t)alert->leaf,
				   (int64_t)alert->verdict_leaf,
				   (int64_t)alert->statement_leaf,
				   (int64_t)alert->request_leaf,
				   (int64_t)alert->other_leaf,
				   (int64_t)alerts_subject(alert),
				   alert->time_ns,
				   alert->fired_ns,
				   alert->changed_ns,
				   alert->quiet ? 1 : 0};
	int bound = catalog_bind_text(row, 1, alert->id);
	bound |= sqlite3_bind_int64(row, 2, alert->state);
	bound |= sqlite3_bind_int64(row, 3, alert->revision);
	bound |= sqlite3_bind_int64(row, 4, alert->severity);
	bound |= catalog_bind_text(row, 5, alert->rule);
	for (int i = 0; i < (int)(sizeof numbers / sizeof numbers[0]); i++) {
		bound |= sqlite3_bind_int64(row, 6 + i, numbers[i]);
	}
	bound |= catalog_bind_text(row, 16, alert->by);
	bound |= catalog_bind_text(row, 17, alert->note);
	return bound;
}

int alerts_put(struct store *store, const struct store_alert *alert, struct error *err)
{
	assert(store->writable && store->pending.open);
	sqlite3_stmt *row = NULL;
	int rc = catalog_statement(store->catalog, CATALOG_ALERT_PUT, &row, err);
	if (rc < 0) {
		return rc;
	}
	struct buf scratch;
	buf_init(&scratch, 0);
	int bound = bind_alert(row, alert);
	bound |= sqlite3_bind_int64(row, ALERT_CRC + 1, alert_checksum(alert, &scratch));
	bool failed = scratch.failed;
	buf_done(&scratch);
	if (bound != SQLITE_OK || failed) {
		return error_set(err, ERR_NOMEM, "no memory to store alert %.*s",
				 STR_ARG(alert->id));
	}
	return catalog_done(store->catalog, row, "storing an alert", err);
}

int alerts_put_delivery(struct store *store, const struct store_delivery *delivery,
			struct error *err)
{
	assert(store->writable && store->pending.open);
	sqlite3_stmt *row = NULL;
	int rc = catalog_statement(store->catalog, CATALOG_DELIVERY_PUT, &row, err);
	if (rc < 0) {
		return rc;
	}
	struct buf scratch;
	buf_init(&scratch, 0);
	int bound = catalog_bind_text(row, 1, delivery->alert_id);
	bound |= catalog_bind_text(row, 2, delivery->channel);
	bound |= sqlite3_bind_int64(row, 3, delivery->revision);
	bound |= sqlite3_bind_int64(row, 4, delivery->state);
	bound |= sqlite3_bind_int64(row, 5, delivery->attempts);
	bound |= sqlite3_bind_int64(row, 6, delivery->next_ns);
	bound |= sqlite3_bind_int64(row, 7, delivery->changed_ns);
	bound |= catalog_bind_text(row, 8, delivery->text);
	bound |= sqlite3_bind_int64(row, DELIVERY_CRC + 1, delivery_checksum(delivery, &scratch));
	bool failed = scratch.failed;
	buf_done(&scratch);
	if (bound != SQLITE_OK || failed) {
		return error_set(err, ERR_NOMEM, "no memory to store a delivery of alert %.*s",
				 STR_ARG(delivery->alert_id));
	}
	return catalog_done(store->catalog, row, "storing a delivery", err);
}

/* Reads the row that a statement stands on; texts borrow from it. */
static int read_alert(struct store *store, sqlite3_stmt *row, struct store_alert *out,
		      struct error *err)
{
	struct buf scratch;
	struct store_alert alert = {
		.id = catalog_column_bytes(row, 0),
		.state = (enum alert_state)sqlite3_column_int64(row, 1),
		.revision = (uint32_t)sqlite3_column_int64(row, 2),
		.severity = (int)sqlite3_column_int64(row, 3),
		.rule = catalog_column_bytes(row, 4),
		.leaf = (uint64_t)sqlite3_column_int64(row, 5),
		.verdict_leaf = (uint64_t)sqlite3_column_int64(row, 6),
		.statement_leaf = (uint64_t)sqlite3_column_int64(row, 7),
		.request_leaf = (uint64_t)sqlite3_column_int64(row, 8),
		.other_leaf = (uint64_t)sqlite3_column_int64(row, 9),
		.time_ns = sqlite3_column_int64(row, 11),
		.fired_ns = sqlite3_column_int64(row, 12),
		.changed_ns = sqlite3_column_int64(row, 13),
		.quiet = sqlite3_column_int64(row, 14) != 0,
		.by = catalog_column_bytes(row, 15),
		.note = catalog_column_bytes(row, 16),
	};
	buf_init(&scratch, 0);
	bool good = sqlite3_column_int64(row, ALERT_CRC) == alert_checksum(&alert, &scratch) &&
		    alerts_state_word(alert.state) != NULL && alert.severity >= 1 &&
		    alert.severity <= SEVERITY_MAX;
	bool failed = scratch.failed;
	buf_done(&scratch);
	if (failed) {
		return error_set(err, ERR_NOMEM, "no memory to read an alert");
	}
	if (!good) {
		return error_set(err, ERR_CORRUPT, "%s: the row of an alert is damaged",
				 store->catalog->path);
	}
	*out = alert;
	return 0;
}

static int read_delivery(struct store *store, sqlite3_stmt *row, struct store_delivery *out,
			 struct error *err)
{
	struct buf scratch;
	struct store_delivery delivery = {
		.alert_id = catalog_column_bytes(row, 0),
		.channel = catalog_column_bytes(row, 1),
		.revision = (uint32_t)sqlite3_column_int64(row, 2),
		.state = (enum delivery_state)sqlite3_column_int64(row, 3),
		.attempts = (uint32_t)sqlite3_column_int64(row, 4),
		.next_ns = sqlite3_column_int64(row, 5),
		.changed_ns = sqlite3_column_int64(row, 6),
		.text = catalog_column_bytes(row, 7),
	};
	buf_init(&scratch, 0);
	bool good =
		sqlite3_column_int64(row, DELIVERY_CRC) == delivery_checksum(&delivery, &scratch) &&
		alerts_delivery_word(delivery.state) != NULL;
	bool failed = scratch.failed;
	buf_done(&scratch);
	if (failed) {
		return error_set(err, ERR_NOMEM, "no memory to read a delivery");
	}
	if (!good) {
		return error_set(err, ERR_CORRUPT, "%s: the row of a delivery is damaged",
				 store->catalog->path);
	}
	*out = delivery;
	return 0;
}

int alerts_get(struct store *store, struct str id, struct buf *texts, struct store_alert *out_alert,
	       struct error *err)
{
	sqlite3_stmt *row = NULL;
	struct store_alert alert;
	int rc = catalog_statement(store->catalog, CATALOG_ALERT_GET, &row, err);
	if (rc < 0) {
		return rc;
	}
	(void)catalog_bind_text(row, 1, id); /* a failure shows as no row */
	int step = sqlite3_step(row);
	if (step == SQLITE_ROW) {
		rc = read_alert(store, row, &alert, err);
	} else if (step == SQLITE_DONE) {
		rc = error_set(err, ERR_GONE, "there is no alert %.*s", STR_ARG(id));
	} else {
		rc = catalog_error(store->catalog, step, "reading an alert", err);
	}
	if (rc == 0) {
		struct str *const parts[] = {&alert.id, &alert.rule, &alert.by, &alert.note};
		buf_clear(texts);
		for (size_t i = 0; i < 4; i++) {
			buf_put_str(texts, *parts[i]);
		}
		rc = buf_check(texts, "the texts of an alert", err);
		size_t at = 0;
		for (size_t i = 0; i < 4; i++) {
			*parts[i] = str_make(texts->ptr != NULL ? texts->ptr + at : NULL,
					     parts[i]->len);
			at += parts[i]->len;
		}
	}
	(void)sqlite3_reset(row); /* repeats the error of the step */
	if (rc == 0) {
		*out_alert = alert;
	}
	return rc;
}

/* Walks the rows of a statement whose values are bound. */
static int each_alert(struct store *store, sqlite3_stmt *rows, const struct alerts_walk *walk,
		      struct error *err)
{
	int step = sqlite3_step(rows);
	for (; step == SQLITE_ROW; step = sqlite3_step(rows)) {
		struct store_alert alert;
		int rc = read_alert(store, rows, &alert, err);
		rc = rc < 0 ? rc : walk->each(walk->owner, &alert, err);
		if (rc != 0) {
			return rc;
		}
	}
	return step == SQLITE_DONE ? 0
				   : catalog_error(store->catalog, step, "reading the alerts", err);
}

static int each_delivery(struct store *store, sqlite3_stmt *rows,
			 const struct alerts_delivery_walk *walk, struct error *err)
{
	int step = sqlite3_step(rows);
	for (; step == SQLITE_ROW; step = sqlite3_step(rows)) {
		struct store_delivery delivery;
		int rc = read_delivery(store, rows, &delivery, err);
		rc = rc < 0 ? rc : walk->each(walk->owner, &delivery, err);
		if (rc != 0) {
			return rc;
		}
	}
	return step == SQLITE_DONE
		       ? 0
		       : catalog_error(store->catalog, step, "reading the deliveries", err);
}

static int bind_failed(struct error *err)
{
	return error_set(err, ERR_NOMEM, "no memory to ask for alerts");
}

int alerts_remove(struct store *store, struct str id, struct error *err)
{
	static const enum catalog_statement both[] = {CATALOG_DELIVERY_REMOVE,
						      CATALOG_ALERT_REMOVE};
	int rc = 0;
	assert(store->writable && store->pending.open);
	for (size_t i = 0; i < 2 && rc == 0; i++) {
		sqlite3_stmt *row = NULL;
		rc = catalog_statement(store->catalog, both[i], &row, err);
		if (rc == 0 && catalog_bind_text(row, 1, id) != SQLITE_OK) {
			rc = error_set(err, ERR_NOMEM, "no memory to remove alert %.*s",
				       STR_ARG(id));
		}
		rc = rc < 0 ? rc : catalog_done(store->catalog, row, "removing an alert", err);
	}
	return rc;
}

int alerts_walk(struct store *store, const struct alerts_walk *walk, struct error *err)
{
	CATALOG_FINALIZE sqlite3_stmt *rows = NULL;
	int rc = catalog_prepare(store->catalog, CATALOG_ALERT_WALK, &rows, err);
	return rc < 0 ? rc : each_alert(store, rows, walk, err);
}

int alerts_of_record(struct store *store, uint64_t subject_leaf, const struct alerts_walk *walk,
		     struct error *err)
{
	CATALOG_FINALIZE sqlite3_stmt *rows = NULL;
	int rc = catalog_prepare(store->catalog, CATALOG_ALERT_OF_RECORD, &rows, err);
	if (rc < 0) {
		return rc;
	}
	if (sqlite3_bind_int64(rows, 1, (int64_t)subject_leaf) != SQLITE_OK) {
		return bind_failed(err);
	}
	return each_alert(store, rows, walk, err);
}

int alerts_firing(struct store *store, const struct alerts_place *behind,
		  const struct alerts_walk *walk, struct error *err)
{
	CATALOG_FINALIZE sqlite3_stmt *rows = NULL;
	int rc = catalog_prepare(store->catalog, CATALOG_ALERT_FIRING, &rows, err);
	if (rc < 0) {
		return rc;
	}
	int bound = sqlite3_bind_int64(rows, 1, behind->ns);
	bound |= catalog_bind_text(rows, 2, behind->alert_id);
	bound |= sqlite3_bind_int64(rows, 3, (int64_t)behind->max);
	return bound != SQLITE_OK ? bind_failed(err) : each_alert(store, rows, walk, err);
}

int alerts_walk_deliveries(struct store *store, const struct alerts_delivery_filter *filter,
			   const struct alerts_delivery_walk *walk, struct error *err)
{
	CATALOG_FINALIZE sqlite3_stmt *rows = NULL;
	bool of_one = filter->alert_id.len > 0;
	int rc = catalog_prepare(store->catalog,
				 of_one ? CATALOG_DELIVERY_OF_ALERT : CATALOG_DELIVERY_WALK, &rows,
				 err);
	if (rc < 0) {
		return rc;
	}
	int bound = sqlite3_bind_int64(rows, 1, filter->states);
	bound |= of_one ? catalog_bind_text(rows, 2, filter->alert_id) : SQLITE_OK;
	return bound != SQLITE_OK ? bind_failed(err) : each_delivery(store, rows, walk, err);
}

int alerts_due(struct store *store, int64_t now_ns, const struct alerts_place *behind,
	       const struct alerts_delivery_walk *walk, struct error *err)
{
	CATALOG_FINALIZE sqlite3_stmt *rows = NULL;
	int rc = catalog_prepare(store->catalog, CATALOG_DELIVERY_DUE, &rows, err);
	if (rc < 0) {
		return rc;
	}
	int bound = sqlite3_bind_int64(rows, 1, behind->ns);
	bound |= catalog_bind_text(rows, 2, behind->alert_id);
	bound |= catalog_bind_text(rows, 3, behind->channel);
	bound |= sqlite3_bind_int64(rows, 4, now_ns);
	bound |= sqlite3_bind_int64(rows, 5, (int64_t)behind->max);
	return bound != SQLITE_OK ? bind_failed(err) : each_delivery(store, rows, walk, err);
}

/* The one number that a statement gives; absent: the value for no rows. */
static int ask_number(struct store *store, enum catalog_statement which, int64_t bound,
		      int64_t *out, struct error *err)
{
	sqlite3_stmt *row = NULL;
	int rc = catalog_statement(store->catalog, which, &row, err);
	if (rc < 0) {
		return rc;
	}
	if (sqlite3_bind_parameter_count(row) > 0 &&
	    sqlite3_bind_int64(row, 1, bound) != SQLITE_OK) {
		return bind_failed(err);
	}
	int step = sqlite3_step(row);
	if (step != SQLITE_ROW) {
		rc = catalog_error(store->catalog, step, "counting alerts", err);
	} else if (sqlite3_column_type(row, 0) != SQLITE_NULL) {
		*out = sqlite3_column_int64(row, 0);
	}
	(void)sqlite3_reset(row); /* repeats the error of the step */
	return rc;
}

int alerts_next_due(struct store *store, int64_t now_ns, int64_t *out_ns, struct error *err)
{
	int64_t next_ns = INT64_MAX;
	int rc = ask_number(store, CATALOG_DELIVERY_NEXT, now_ns, &next_ns, err);
	if (rc == 0) {
		*out_ns = next_ns;
	}
	return rc;
}

int alerts_count(struct store *store, struct alerts_counts *out_counts, struct error *err)
{
	int64_t firing = 0;
	int64_t quiet = 0;
	int64_t waiting = 0;
	int64_t dead = 0;
	int rc = ask_number(store, CATALOG_ALERT_COUNT, 0, &firing, err);
	rc = rc < 0 ? rc : ask_number(store, CATALOG_ALERT_COUNT_QUIET, 0, &quiet, err);
	rc = rc < 0 ? rc : ask_number(store, CATALOG_DELIVERY_COUNT_WAITING, 0, &waiting, err);
	rc = rc < 0 ? rc : ask_number(store, CATALOG_DELIVERY_COUNT_DEAD, 0, &dead, err);
	if (rc == 0) {
		*out_counts = (struct alerts_counts){.firing = (uint64_t)firing,
						     .quiet = (uint64_t)quiet,
						     .waiting = (uint64_t)waiting,
						     .dead = (uint64_t)dead};
	}
	return rc;
}
