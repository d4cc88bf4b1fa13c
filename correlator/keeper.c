#include "correlator/keeper.h"

#include "correlator/batch.h"
#include "correlator/joining.h"
#include "correlator/lifeorders.h"
#include "correlator/orders.h"
#include "correlator/seen.h"
#include "correlator/verdict.h"
#include "correlator/yardstick.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>

struct keeper {
	struct store *store;
	struct recall *recall; /* what is sealed */
	struct seen seen;
	struct joining joining;
	struct alerting *alerting;
	bool join_full;
	bool records_only;
	size_t visits_max; /* 0: as the joining has it */
	struct yardstick yardstick;
	struct roster roster;
	bool open; /* a transaction */
	uint64_t pending_records, pending_bytes;
	struct buf encoded; /* of an own record */
	bool clean;         /* nothing was begun since the last commit */
	int64_t begun_ns;   /* when the open transaction was begun */
	int64_t clocks_ns;  /* when the clocks were last put into the store */
	struct admission admission;
	bool ordered; /* a person gave orders about the life of data since that was last asked */
};

struct roster *keeper_roster(struct keeper *keeper)
{
	return &keeper->roster;
}

struct alerting *keeper_alerting(struct keeper *keeper)
{
	return keeper->alerting;
}

struct store *keeper_store(struct keeper *keeper)
{
	return keeper->store;
}

bool keeper_is_open(const struct keeper *keeper)
{
	return keeper->open;
}

uint64_t keeper_pending_records(const struct keeper *keeper)
{
	return keeper->pending_records;
}

uint64_t keeper_pending_bytes(const struct keeper *keeper)
{
	return keeper->pending_bytes;
}

bool keeper_is_full(const struct keeper *keeper)
{
	return keeper->open && (keeper->pending_records >= KEEPER_BATCH_RECORDS ||
				keeper->pending_bytes >= KEEPER_BATCH_BYTES);
}

bool keeper_has_pending(const struct keeper *keeper)
{
	if (keeper->open) {
		return true;
	}
	for (size_t i = 0; i < keeper->roster.count; i++) {
		if (keeper->roster.sources[i]->dirty) {
			return true;
		}
	}
	return false;
}

bool keeper_damage(struct keeper *keeper, struct error *out_damage)
{
	return recall_damage(keeper->recall, out_damage);
}

struct keeper_figures keeper_figures(const struct keeper *keeper)
{
	struct keeper_figures figures = {.leaves = store_leaf_count(keeper->store),
					 .keys = keeper->seen.key_count,
					 .join_full = keeper->join_full,
					 .other_options = keeper->yardstick.differs};
	figures.in_memory = join_count(keeper->joining.join);
	figures.most_visits = keeper->joining.most_visits;
	join_pending(keeper->joining.join, &figures.open_statements, &figures.open_requests);
	return figures;
}

/* Gives a record to the join. A full join is no reason to stop storing: it is said in the figures. */
static int add_to_join(struct keeper *keeper, struct join *join, uint64_t leaf,
		       const struct record *record, struct error *err)
{
	if (record->kind != RECORD_REQUEST && record->kind != RECORD_STATEMENT) {
		return 0;
	}
	if (keeper->join_full || keeper->records_only) {
		return 0;
	}
	int rc = join_add(join, leaf, record, err);
	if (rc == -ERR_LIMIT) {
		error_clear(err);
		keeper->join_full = true;
		return 0;
	}
	return rc;
}

struct replay {
	struct keeper *keeper;
	struct joining *joining;
	bool with_keys;
};

static int replay_record(void *owner, uint64_t leaf, int64_t ingest_ns, struct str encoded,
			 struct error *err)
{
	struct replay *replay = owner;
	struct record record;
	(void)ingest_ns;
	int rc = record_decode(encoded, &record, err);
	if (rc < 0) {
		error_prefix(err, "leaf %llu", (unsigned long long)leaf);
		return rc;
	}
	if (record.kind == RECORD_VERDICT && replay->keeper->records_only) {
		return 0;
	}
	if (record.kind == RECORD_VERDICT) {
		return joining_restore(replay->joining, leaf, &record, err);
	}
	if (record.kind == RECORD_ALERT) {
		return 0; /* its row says everything */
	}
	if (replay->with_keys) {
		rc = seen_add(&replay->keeper->seen, &record, leaf, err);
	}
	return rc < 0 ? rc : add_to_join(replay->keeper, replay->joining->join, leaf, &record, err);
}

static int restore_sources(struct keeper *keeper, int64_t now_ns, struct error *err)
{
	const struct store_source *sources = NULL;
	size_t count = 0;
	int rc = store_sources(keeper->store, &sources, &count, err);
	for (size_t i = 0; i < count && rc == 0; i++) {
		rc = roster_restore(&keeper->roster, &sources[i], now_ns, err);
	}
	return rc;
}

/* Learns which records are sealed: all those with leaves below *out_end. */
static int open_sealed(struct keeper *keeper, uint64_t *out_end, struct error *err)
{
	int rc = keeper->recall == NULL ? recall_open(keeper->store, &keeper->recall, err) : 0;
	rc = rc < 0 ? rc : recall_refresh(keeper->recall, err);
	return rc < 0 ? rc : recall_head(keeper->store, out_end, err);
}

/* Replays what is not sealed into a join. */
static int replay_head(struct keeper *keeper, struct joining *joining, bool with_keys,
		       struct error *err)
{
	struct replay replay = {.keeper = keeper, .joining = joining, .with_keys = with_keys};
	int64_t requests_ns = 0, statements_ns = 0;
	const struct store_walk walk = {
		.first = joining->end, .head_only = true, .each = replay_record, .owner = &replay};
	roster_watermarks(&keeper->roster, &requests_ns, &statements_ns);
	int rc = store_walk_with(keeper->store, &walk, err);
	return rc < 0 || keeper->records_only ? rc : joining_started(joining, statements_ns, err);
}

/* What was sealed since the last transaction is found in blocks from now on. */
static int forget_moved(struct keeper *keeper, struct error *err)
{
	uint64_t end = 0;
	bool stale = false;
	int rc = recall_is_stale(keeper->recall, &stale, err);
	if (rc < 0 || !stale) {
		return rc;
	}
	rc = open_sealed(keeper, &end, err);
	rc = rc < 0 ? rc : seen_forget(&keeper->seen, keeper->recall, end, err);
	return rc < 0 ? rc : joining_sealed(&keeper->joining, end, err);
}

static int init_joining(struct keeper *keeper, struct joining *joining,
			const struct join_options *options, uint64_t end, struct error *err)
{
	int rc = joining_init(joining, options, keeper->recall, end, err);
	joining->visits_max = keeper->visits_max > 0 ? keeper->visits_max : joining->visits_max;
	return rc;
}

static int start(struct keeper *keeper, const struct keeper_options *options, struct error *err)
{
	int rc = store_open(options->store_dir, STORE_CREATE, &keeper->store, err);
	if (rc == 0 && options->store_key.len > 0) {
		rc = store_use_key(keeper->store, options->store_key, err);
	}
	if (rc < 0) {
		return rc;
	}
	uint64_t end = 0;
	seen_init(&keeper->seen, keeper->store, options->max_keys);
	rc = options->records_only
		     ? 0
		     : yardstick_take(&keeper->yardstick, keeper->store, options->join, err);
	rc = rc < 0 ? rc : open_sealed(keeper, &end, err);
	rc = rc < 0 ? rc : init_joining(keeper, &keeper->joining, options->join, end, err);
	rc = rc < 0 ? rc : seen_forget(&keeper->seen, keeper->recall, end, err);
	rc = rc < 0 ? rc : restore_sources(keeper, options->now_ns, err);
	rc = rc < 0 ? rc : alerting_new(keeper->store, &keeper->alerting, err);
	rc = rc < 0 ? rc : admission_read(&keeper->admission, keeper->store, err);
	return rc < 0 ? rc : replay_head(keeper, &keeper->joining, true, err);
}

int keeper_open(const struct keeper_options *options, struct keeper **out_keeper, struct error *err)
{
	struct keeper *keeper = calloc(1, sizeof *keeper);
	if (keeper == NULL) {
		return error_set(err, ERR_NOMEM, "no memory for the keeper of %s",
				 options->store_dir);
	}
	roster_init(&keeper->roster);
	buf_init(&keeper->encoded, RECORD_MAX_BYTES);
	admission_init(&keeper->admission);
	keeper->records_only = options->records_only;
	keeper->visits_max = options->visits;
	int rc = start(keeper, options, err);
	if (rc < 0) {
		keeper_close(keeper);
		return rc;
	}
	*out_keeper = keeper;
	return 0;
}

/* The newest estimates of the servers' clocks, for `querytrail status`. They follow from the records, so one that is lost in a crash
 * comes again. */
static int put_clocks(struct keeper *keeper, struct error *err)
{
	struct join_clock_estimate clocks[KEEPER_CLOCKS];
	size_t count = join_clocks(keeper->joining.join, clocks, KEEPER_CLOCKS);
	int rc = 0;
	for (size_t i = 0; i < count && rc == 0; i++) {
		char key[sizeof(KEEPER_CLOCK_KEY) + RECORD_SOURCE_MAX];
		char value[128];
		if (clocks[i].source.len > RECORD_SOURCE_MAX - sizeof(KEEPER_CLOCK_KEY)) {
			continue; /* a key holds 64 bytes; status then shows no clock */
		}
		(void)snprintf(key, sizeof key, KEEPER_CLOCK_KEY "%.*s",
			       STR_ARG(clocks[i].source)); /* fits */
		int len = snprintf(value, sizeof value, "%lld %lld %llu %llu",
				   (long long)clocks[i].offset_ns, (long long)clocks[i].bound_ns,
				   (unsigned long long)clocks[i].pair_count,
				   (unsigned long long)clocks[i].outlier_count);
		rc = store_meta_put(keeper->store, key, str_make(value, (size_t)len), err);
	}
	return rc;
}

void keeper_close(struct keeper *keeper)
{
	if (keeper == NULL) {
		return;
	}
	if (keeper->clean) {
		(void)put_clocks(keeper, NULL); /* they are only estimates */
	}
	seen_done(&keeper->seen);
	joining_done(&keeper->joining);
	recall_free(keeper->recall);
	alerting_free(keeper->alerting);
	roster_done(&keeper->roster);
	buf_done(&keeper->encoded);
	admission_done(&keeper->admission);
	store_close(keeper->store);
	free(keeper);
}

static int begin(struct keeper *keeper, int64_t now_ns, struct error *err)
{
	if (keeper->open) {
		return 0;
	}
	int rc = forget_moved(keeper, err);
	rc = rc < 0 ? rc : store_begin(keeper->store, now_ns, err);
	if (rc == 0) {
		keeper->open = true;
		keeper->clean = false;
		keeper->begun_ns = now_ns;
		keeper->pending_records = 0;
		keeper->pending_bytes = 0;
	}
	return rc;
}

static int append(struct keeper *keeper, const struct record *record, struct str encoded,
		  uint64_t *out_leaf, struct error *err)
{
	int rc = store_append(keeper->store, record, encoded, out_leaf, err);
	if (rc == 0) {
		keeper->pending_records++;
		keeper->pending_bytes += encoded.len;
	}
	return rc;
}

struct admission *keeper_admission(struct keeper *keeper)
{
	return &keeper->admission;
}

bool keeper_take_orders(struct keeper *keeper)
{
	bool ordered = keeper->ordered && !keeper->open;
	keeper->ordered = keeper->ordered && !ordered;
	return ordered;
}

static int keep_new(struct keeper *keeper, const struct record *record, struct str encoded,
		    struct error *err)
{
	uint64_t leaf = 0;
	int rc = admission_mask(&keeper->admission, &record, &encoded, err);
	rc = rc < 0 ? rc : append(keeper, record, encoded, &leaf, err);
	rc = rc < 0 ? rc : seen_add_found(&keeper->seen, leaf, err);
	if (rc == 0 && record->kind == RECORD_LIFECYCLE) {
		return alerting_obey(keeper->alerting, record, keeper->begun_ns, err);
	}
	return rc < 0 ? rc : add_to_join(keeper, keeper->joining.join, leaf, record, err);
}

/* An order about the life of data: it is done, and stored without what is only for that. */
static int keep_order(struct keeper *keeper, const struct record *order, struct error *err)
{
	struct record record = *order;
	lifeorders_strip(&record);
	buf_clear(&keeper->encoded);
	int rc = record_encode(&record, &keeper->encoded, err);
	rc = rc < 0 ? rc : keep_new(keeper, &record, buf_str(&keeper->encoded), err);
	rc = rc < 0 ? rc : lifeorders_obey(keeper->store, order, keeper->begun_ns, err);
	keeper->ordered = true;
	return rc;
}

/* Appends a record that is new, with its key; *out_seen tells what it was. */
static int keep(struct keeper *keeper, const struct record *record, struct str encoded,
		enum seen_verdict *out_seen, struct error *err)
{
	if (admission_refuses(&keeper->admission, record)) {
		*out_seen = SEEN_DUPLICATE;
		return 0;
	}
	int rc = seen_find(&keeper->seen, record, encoded, out_seen, err);
	if (rc < 0 || *out_seen == SEEN_DUPLICATE) {
		return rc;
	}
	return lifeorders_is_one(record) ? keep_order(keeper, record, err)
					 : keep_new(keeper, record, encoded, err);
}

static void count_record(struct store_source *about, const struct record *record,
			 enum seen_verdict seen, struct keeper_result *result)
{
	about->received++;
	if (seen == SEEN_DUPLICATE) {
		about->duplicate++;
		result->duplicate++;
		return;
	}
	about->stored++;
	result->stored++;
	result->conflicting += seen == SEEN_CONFLICT ? 1 : 0;
	if (record->kind == RECORD_REJECT && !record_has(record, FIELD_skipped)) {
		about->rejected++;
		result->rejected++;
	}
	if (record->kind == RECORD_GAP) {
		about->gaps++;
	}
	if (record->kind == RECORD_REQUEST || record->kind == RECORD_STATEMENT) {
		int64_t time_ns = record->time_ns;
		bool first = about->first_time_ns == INT64_MIN || time_ns < about->first_time_ns;
		about->first_time_ns = first ? time_ns : about->first_time_ns;
		about->last_time_ns = time_ns > about->last_time_ns ? time_ns : about->last_time_ns;
	}
}

int keeper_take(struct keeper *keeper, const struct keeper_batch *batch,
		struct keeper_result *out_result, struct error *err)
{
	struct roster_source *source = batch->source;
	struct keeper_result result = {0};
	int rc = batch_check(batch, err);
	rc = rc < 0 ? rc : begin(keeper, batch->now_ns, err);
	if (rc < 0) {
		return rc;
	}
	struct record record; /* outside of the loop: each new one is set to zero */
	for (size_t i = 0; i < batch->record_count; i++) {
		enum seen_verdict seen = SEEN_NEW;
		batch_read_ahead(batch, i);
		rc = record_decode(batch->records[i], &record, err);
		rc = rc < 0 ? rc : keep(keeper, &record, batch->records[i], &seen, err);
		if (rc < 0) {
			return rc;
		}
		count_record(&source->about, &record, seen, &result);
	}
	source->dirty = true;
	source->about.last_batch_ns = batch->now_ns;
	source->about.caught_up = batch->caught_up;
	if (batch->watermark_ns > source->about.watermark_ns) {
		source->about.watermark_ns = batch->watermark_ns;
	}
	*out_result = result;
	return roster_set_cursor(source, batch->cursor, err);
}

int keeper_note(struct keeper *keeper, const struct record *record, int64_t now_ns,
		struct error *err)
{
	enum seen_verdict seen = SEEN_NEW;
	buf_clear(&keeper->encoded);
	int rc = record_encode(record, &keeper->encoded, err);
	rc = rc < 0 ? rc : begin(keeper, now_ns, err);
	return rc < 0 ? rc : keep(keeper, record, buf_str(&keeper->encoded), &seen, err);
}

static int append_verdict(struct keeper *keeper, const struct join_verdict *said, struct error *err)
{
	struct verdict verdict;
	uint64_t leaf = 0;
	int rc = verdict_make(keeper->store, said, &verdict, err);
	buf_clear(&keeper->encoded);
	rc = rc < 0 ? rc : record_encode(&verdict.record, &keeper->encoded, err);
	rc = rc < 0 ? rc : append(keeper, &verdict.record, buf_str(&keeper->encoded), &leaf, err);
	if (rc == 0) {
		join_stored(keeper->joining.join, leaf);
	}
	return rc;
}

/* Appends what the join has to say now, up to KEEPER_VERDICTS. */
static int append_verdicts(struct keeper *keeper, bool *out_more, struct error *err)
{
	int64_t requests_ns = 0;
	int64_t statements_ns = 0;
	struct join_verdict said;
	size_t count = 0;
	bool again = !keeper->records_only;
	int rc = 0;
	roster_watermarks(&keeper->roster, &requests_ns, &statements_ns);
	joining_settle(&keeper->joining, requests_ns, statements_ns);
	*out_more = false;
	while (rc == 0 && again && !*out_more) {
		while (rc == 0 && !*out_more && join_take(keeper->joining.join, &said)) {
			rc = append_verdict(keeper, &said, err);
			/* Perhaps it was the last one; then the next commit is empty. */
			*out_more = ++count == KEEPER_VERDICTS;
		}
		rc = rc < 0 || *out_more ? rc : joining_answer(&keeper->joining, &again, err);
	}
	*out_more = *out_more || keeper->joining.waits;
	return rc;
}

static int put_sources(struct keeper *keeper, struct error *err)
{
	for (size_t i = 0; i < keeper->roster.count; i++) {
		struct roster_source *source = keeper->roster.sources[i];
		if (source->dirty) {
			int rc = store_put_source(keeper->store, &source->about, err);
			if (rc < 0) {
				return rc;
			}
			source->dirty = false;
		}
	}
	return 0;
}

int keeper_receive(struct keeper *keeper, const struct outbox_receipt *receipt, int64_t now_ns,
		   bool *out_known, struct error *err)
{
	int rc = begin(keeper, now_ns, err);
	return rc < 0 ? rc : alerting_receive(keeper->alerting, receipt, now_ns, out_known, err);
}

int keeper_expire(struct keeper *keeper, int64_t now_ns, bool *out_more, struct error *err)
{
	bool due = false;
	int rc = alerting_is_due(keeper->alerting, now_ns, &due, err);
	*out_more = false;
	if (rc < 0 || !due) {
		return rc;
	}
	rc = begin(keeper, now_ns, err);
	return rc < 0 ? rc : alerting_expire(keeper->alerting, now_ns, out_more, err);
}

int keeper_commit(struct keeper *keeper, int64_t now_ns, bool *out_more, struct error *err)
{
	bool more = false;
	bool more_alerts = false;
	int rc = begin(keeper, now_ns, err);
	rc = rc < 0 ? rc : append_verdicts(keeper, &more, err);
	if (rc == 0) {
		uint64_t end = store_leaf_count(keeper->store) + keeper->pending_records;
		rc = alerting_catch_up(keeper->alerting, end, now_ns, &more_alerts, err);
	}
	rc = rc < 0 ? rc : put_sources(keeper, err);
	rc = rc < 0 || keeper->records_only ? rc
					    : yardstick_put(&keeper->yardstick, keeper->store, err);
	bool due = now_ns - keeper->clocks_ns >= KEEPER_CLOCKS_NS || now_ns < keeper->clocks_ns;
	rc = rc < 0 || !due ? rc : put_clocks(keeper, err);
	rc = rc < 0 ? rc : store_commit(keeper->store, err);
	if (rc < 0) {
		return rc;
	}
	keeper->open = false;
	keeper->clean = true;
	keeper->clocks_ns = due ? now_ns : keeper->clocks_ns;
	keeper->pending_records = 0;
	keeper->pending_bytes = 0;
	*out_more = more || more_alerts;
	return joining_forget(&keeper->joining, err);
}

bool keeper_wants_seal(const struct keeper *keeper)
{
	return keeper->joining.waits;
}

void keeper_go_on(struct keeper *keeper)
{
	joining_go_on(&keeper->joining);
}

void keeper_rest(struct keeper *keeper, bool all)
{
	if (keeper->recall != NULL) {
		recall_rest(keeper->recall, all);
	}
}

int keeper_rejoin(struct keeper *keeper, const struct join_options *options, struct error *err)
{
	struct joining joining = {0};
	assert(!keeper->open);
	int rc = forget_moved(keeper, err);
	rc = rc < 0 ? rc : init_joining(keeper, &joining, options, keeper->joining.end, err);
	bool was_full = keeper->join_full;
	keeper->join_full = false;
	rc = rc < 0 ? rc : replay_head(keeper, &joining, false, err);
	rc = rc < 0 ? rc : yardstick_take(&keeper->yardstick, keeper->store, options, err);
	if (rc < 0) {
		keeper->join_full = was_full;
		joining_done(&joining);
		return rc;
	}
	joining_done(&keeper->joining);
	keeper->joining = joining;
	return 0;
}
