#include "correlator/lifestate.h"

#include "base/log.h"
#include "model/alert.h"
#include "store/alerts.h"
#include "store/scan.h"
#include "store/shelf.h"

#include <stdlib.h>

#define KINDS   ((1u << RECORD_KIND_COUNT) - 2)
#define LASTING (1u << RECORD_LIFECYCLE) /* never goes */
#define MASKABLE \
	(1u << RECORD_REQUEST | 1u << RECORD_STATEMENT | 1u << RECORD_REJECT | 1u << RECORD_ALERT)
/* What is dated by when it was said, not by what it is about. */
#define DATED_APART                                                                              \
	(1u << RECORD_LIFECYCLE | 1u << RECORD_VERDICT | 1u << RECORD_ALERT | 1u << RECORD_GAP | \
	 1u << RECORD_ACCESS)

struct newest { /* event time of the newest record that is dated by itself */
	int64_t ns;
	bool any;
};

static void find_newest(void *owner, const struct shelf_rows *rows)
{
	struct newest *newest = owner;
	for (size_t i = 0; i < rows->count; i++) {
		if ((DATED_APART >> rows->kinds[i] & 1) == 0) {
			newest->ns = !newest->any || rows->times[i] > newest->ns ? rows->times[i]
										 : newest->ns;
			newest->any = true;
		}
	}
}

/* When the newest record of a block was. */
static int newest_of(struct life *life, const struct blocks_row *row, int64_t *out_ns,
		     struct error *err)
{
	struct u64map *known = &life->retaining.newest;
	const uint64_t *found = u64map_get(known, row->about.number);
	struct newest newest = {.ns = INT64_MIN};
	*out_ns = row->about.max_time_ns;
	if (found != NULL) {
		*out_ns = (int64_t)*found;
		return 0;
	}
	int rc = shelf_open(life->store, row, find_newest, &newest, err);
	if (rc == 0) {
		*out_ns = newest.any ? newest.ns : row->about.max_time_ns;
		if (u64map_put(known, row->about.number, (uint64_t)*out_ns) < 0) {
			rc = error_set(err, ERR_NOMEM, "no memory for the ages of blocks");
		}
	}
	return rc;
}

/* Everything in it is older than so long. */
static bool is_past(const struct life *life, int64_t newest_ns, int64_t age_ns)
{
	return age_ns > 0 && life->retaining.now_ns - age_ns > newest_ns;
}

static uint64_t rows_of(const struct blocks_row *row, unsigned kinds)
{
	uint64_t rows = 0;
	for (unsigned kind = 1; kind < RECORD_KIND_COUNT; kind++) {
		rows += (kinds >> kind & 1) != 0 ? row->about.of_kind[kind] : 0;
	}
	return rows;
}

/* Whether anything may be due, as far as can be told without opening the block. */
static bool may_be_due(const struct life *life, const struct blocks_row *row)
{
	const struct retention_settings *settings = &life->settings;
	int64_t oldest_ns = row->about.min_time_ns;
	return settings->size_bytes > 0 || is_past(life, oldest_ns, settings->literals_ns) ||
	       is_past(life, oldest_ns, settings->records_ns);
}

/* Whether its literals are still there and too old. */
static bool shall_mask(const struct life *life, const struct blocks_row *row, int64_t newest_ns)
{
	const struct retaining *retaining = &life->retaining;
	uint64_t number = row->about.number;
	return is_past(life, newest_ns, life->settings.literals_ns) && rows_of(row, MASKABLE) > 0 &&
	       !leafset_has(&retaining->masked, number) && !leafset_has(&retaining->partly, number);
}

/* What is to become of a block by its age. */
static int judge(void *owner, const struct blocks_row *row, struct error *err)
{
	struct life *life = owner;
	struct retaining *retaining = &life->retaining;
	const struct retention_settings *settings = &life->settings;
	struct life_block block = {.number = row->about.number,
				   .rows = rows_of(row, KINDS & ~LASTING),
				   .file_bytes = row->file_bytes,
				   .is_settled = !row->is_open,
				   .action = RETAIN_CLASSES};
	if (block.rows == 0 || !may_be_due(life, row)) {
		return 0;
	}
	int rc = newest_of(life, row, &block.newest_ns, err);
	if (rc == -ERR_CORRUPT || rc == -ERR_CONFIG) {
		error_clear(err); /* what cannot be read is not touched */
		return 0;
	}
	if (rc == 0 && is_past(life, block.newest_ns, settings->records_ns)) {
		block.action = RETAIN_RECORDS;
	} else if (rc == 0 && shall_mask(life, row, block.newest_ns)) {
		block.action = RETAIN_LITERALS;
	}
	return rc < 0 ? rc : life_blocks_add(&retaining->blocks, &block, err);
}

static int by_age(const void *a, const void *b)
{
	const struct life_block *left = a;
	const struct life_block *right = b;
	return left->newest_ns < right->newest_ns ? -1 : left->newest_ns > right->newest_ns;
}

/* The oldest blocks go until the rest is small enough. */
static int judge_size(struct life *life, struct error *err)
{
	struct life_blocks *blocks = &life->retaining.blocks;
	uint64_t limit = life->settings.size_bytes;
	struct seal_view view = {0};
	int rc = limit > 0 ? seal_look(life->store, &view, err) : 0;
	uint64_t bytes =
		view.head_bytes; /* files that wait for their grace do not count: they go anyway */
	for (size_t i = 0; i < blocks->count && rc == 0; i++) {
		bool stays = blocks->list[i].action != RETAIN_RECORDS;
		bytes += stays ? blocks->list[i].file_bytes : 0;
	}
	for (size_t i = 0; i < blocks->count && rc == 0 && limit > 0 && bytes > limit; i++) {
		if (blocks->list[i].action != RETAIN_RECORDS) {
			uint64_t gone = blocks->list[i].file_bytes;
			blocks->list[i].action = RETAIN_SIZE;
			bytes -= gone < bytes ? gone : bytes;
		}
	}
	return rc;
}

/* Whether the head holds something that is past; it is sealed then. */
static int look_at_head(struct life *life, bool *out_past, struct error *err)
{
	const struct retention_settings *settings = &life->settings;
	int64_t literals_ns = settings->literals_ns > 0 ? settings->literals_ns : INT64_MAX;
	int64_t records_ns = settings->records_ns > 0 ? settings->records_ns : INT64_MAX;
	int64_t age_ns = literals_ns < records_ns ? literals_ns : records_ns;
	struct seal_view view;
	struct scan *scan = NULL;
	const struct scan_block *block = NULL;
	*out_past = false;
	int rc = seal_look(life->store, &view, err);
	if (rc < 0 || view.head_records == 0 || age_ns == INT64_MAX) {
		return rc;
	}
	const struct scan_options options = {.kinds = 1u << RECORD_REQUEST | 1u << RECORD_STATEMENT,
					     .from_ns = INT64_MIN,
					     .to_ns = life->retaining.now_ns - age_ns,
					     .blocks = SCAN_NOT_WHOLE};
	rc = scan_open(life->store, &options, &scan, err);
	while (rc == 0 && !*out_past) {
		rc = scan_next(scan, &block, err);
		*out_past = rc == 0 && scan_number(block) == 0;
		rc = rc == -ERR_CORRUPT ? 0 : rc; /* what cannot be read is not touched */
	}
	scan_close(scan);
	return rc == -ERR_GONE ? 0 : rc;
}

static bool is_wanted(const struct retention_settings *settings)
{
	return settings->literals_ns > 0 || settings->records_ns > 0 || settings->size_bytes > 0;
}

/* Keeps of the list what is to be done. */
static void keep_due(struct life_blocks *blocks)
{
	size_t kept = 0;
	for (size_t i = 0; i < blocks->count; i++) {
		if (blocks->list[i].action != RETAIN_CLASSES) {
			blocks->list[kept++] = blocks->list[i];
		}
	}
	blocks->count = kept;
}

static int plan(struct life *life, struct error *err)
{
	struct retaining *retaining = &life->retaining;
	struct error damage;
	retaining->blocks.count = retaining->blocks.next = 0;
	int rc = shelf_walk(life->store, judge, life, &damage, err);
	if (rc == 0 && retaining->blocks.count > 0) {
		qsort(retaining->blocks.list, retaining->blocks.count,
		      sizeof retaining->blocks.list[0], by_age);
	}
	rc = rc < 0 ? rc : judge_size(life, err);
	keep_due(&retaining->blocks);
	return rc;
}

int retaining_begin(struct life *life, bool *out_due, struct error *err)
{
	struct retaining *retaining = &life->retaining;
	bool head = false;
	*out_due = false;
	if (!is_wanted(&life->settings) && !retaining_has_done(retaining)) {
		return 0;
	}
	retaining->now_ns = clock_now_ns();
	retaining->holds_known = false;
	int rc = look_at_head(life, &head, err);
	rc = rc < 0 ? rc : plan(life, err);
	retaining->head_begun = false;
	if (rc == 0 && (head || retaining->blocks.count > 0 || retaining_has_done(retaining))) {
		retaining->head_begun = !head; /* then it is passed over */
		life->work = LIFE_RETENTION;
		*out_due = true;
	}
	return rc;
}

/* Up to when records go that are dated by when they were said. */
static int64_t before_of(const struct life *life, int action)
{
	return action == RETAIN_RECORDS ? life->retaining.now_ns - life->settings.records_ns
					: INT64_MAX;
}

struct covered { /* what of a block may go */
	const struct leafset *held;
	int64_t before_ns;
	uint64_t may_go, held_count;
	int64_t oldest_ns;
	struct leafset *alerts; /* that may go */
	bool failed;            /* no memory for them */
};

static void count_covered(void *owner, const struct shelf_rows *rows)
{
	struct covered *covered = owner;
	covered->oldest_ns = INT64_MAX;
	for (size_t i = 0; i < rows->count; i++) {
		if (rewrite_lasts(rows->kinds[i], rows->times[i], covered->before_ns)) {
			continue;
		}
		bool held = leafset_has(covered->held, rows->leaves[i]);
		covered->held_count += held ? 1 : 0;
		covered->may_go += held ? 0 : 1;
		if (!held && rows->kinds[i] == RECORD_ALERT &&
		    leafset_add(covered->alerts, rows->leaves[i], rows->leaves[i], NULL) < 0) {
			covered->failed = true;
		}
		if (!held && rows->times[i] < covered->oldest_ns) {
			covered->oldest_ns = rows->times[i];
		}
	}
}

/* The alerts of a block that was removed are gone too. */
static int keep_going(struct life *life, struct error *err)
{
	leafset_settle(&life->retaining.going);
	return leafset_unite(&life->retaining.alerts, &life->retaining.going, err);
}

/* A block that goes as a whole needs no writing. */
static int remove_whole(struct life *life, const struct life_block *block, struct error *err)
{
	struct seal_result result = {0};
	const struct seal_removal removal = {
		.blocks = &block->number, .count = 1, .now_ns = clock_now_ns()};
	int rc = retaining_write_pending(life, block, err);
	rc = rc < 0 ? rc : seal_remove(life->store, &removal, &result, err);
	if (rc == 0) {
		retaining_note(life, block, block->rows, 0);
		rc = keep_going(life, err);
	}
	return rc;
}

static int last_number(void *owner, const struct blocks_row *row, struct error *err)
{
	uint64_t *last = owner;
	(void)err;
	*last = row->about.number > *last ? row->about.number : *last;
	return 0;
}

static int begin_writing(struct life *life, const struct life_block *block, struct error *err)
{
	static const char *const ids[RETAIN_CLASSES] = {"records", "size", "literals"};
	const bool masks = block->action == RETAIN_LITERALS;
	struct error damage;
	const struct rewrite_wish wish = {.degree = masks ? REDACT_LITERALS : REDACT_NOTHING,
					  .except = &life->held.all,
					  .before_ns = before_of(life, block->action),
					  .id = ids[block->action],
					  .is_settled = block->is_settled,
					  .now_ns = clock_now_ns()};
	life->retaining.last_number = 0;
	int rc = shelf_walk(life->store, last_number, &life->retaining.last_number, &damage, err);
	rc = rc < 0 ? rc : retaining_write_pending(life, block, err);
	return rc < 0 ? rc : rewrite_begin(&life->rewrite, &wish, block->number, err);
}

/* Begins with the next block, or removes it. */
static int next_block(struct life *life, struct error *err)
{
	struct retaining *retaining = &life->retaining;
	const struct life_block *block = &retaining->blocks.list[retaining->blocks.next];
	struct covered covered = {.held = &life->held.all,
				  .alerts = &retaining->going,
				  .before_ns = before_of(life, block->action)};
	struct blocks_row row;
	leafset_clear(&retaining->going);
	int rc = shelf_row(life->store, block->number, &row, err);
	rc = rc < 0 ? rc : shelf_open(life->store, &row, count_covered, &covered, err);
	if (rc == 0 && covered.failed) {
		rc = error_set(err, ERR_NOMEM, "no memory for the alerts of a block");
	}
	if (rc == 0 && block->action != RETAIN_LITERALS && covered.held_count == 0 &&
	    covered.may_go == row.about.row_count) {
		rc = remove_whole(life, block, err);
	} else if (rc == 0 && covered.may_go > 0) {
		rc = begin_writing(life, block, err);
	}
	if (rc == -ERR_GONE || rc == -ERR_CORRUPT || rc == -ERR_CONFIG) {
		log_error(LOG_LEVEL_WARNING, "retention-damage", err);
		rc = 0;
	}
	retaining->blocks.next += life->rewrite.seal == NULL ? 1 : 0;
	return rc;
}

/* The blocks that came of one are behind all that there were. */
static int note_masked(void *owner, const struct blocks_row *row, struct error *err)
{
	struct life *life = owner;
	struct retaining *retaining = &life->retaining;
	bool partly = false;
	if (row->about.number <= retaining->last_number) {
		return 0;
	}
	for (size_t i = 0; i < row->span_count && !partly; i++) {
		partly = leafset_meets(&life->held.all, row->spans[i].first, row->spans[i].last);
	}
	struct leafset *set = partly ? &retaining->partly : &retaining->masked;
	return leafset_add(set, row->about.number, row->about.number, err);
}

static int remember_masked(struct life *life, uint64_t number, struct error *err)
{
	struct retaining *retaining = &life->retaining;
	struct error damage;
	int rc = 0;
	if (retaining->last_number < number) {
		retaining->last_number = number;
	}
	rc = shelf_walk(life->store, note_masked, life, &damage, err);
	return rc < 0 ? rc : retaining_write_masked(life, err);
}

static int write_on(struct life *life, struct error *err)
{
	struct retaining *retaining = &life->retaining;
	const struct life_block *block = &retaining->blocks.list[retaining->blocks.next];
	struct seal_result result = {0};
	bool over = false;
	int rc = rewrite_step(&life->rewrite, &over, &result, err);
	if (rc == -ERR_CORRUPT) {
		log_error(LOG_LEVEL_WARNING, "retention-damage", err);
		retaining->blocks.next++;
		return 0;
	}
	if (rc < 0 || !over) {
		return rc;
	}
	retaining->blocks.next++;
	bool masks = block->action == RETAIN_LITERALS;
	retaining_note(life, block, masks ? result.changed : result.dropped,
		       masks ? 0 : block->rows - result.dropped);
	return masks ? remember_masked(life, block->number, err) : keep_going(life, err);
}

/* The head is sealed as it is; then all is looked at again. */
static int seal_head(struct life *life, struct error *err)
{
	struct seal_result result = {0};
	const struct leafset nothing = {0};
	const struct rewrite_wish wish = {.degree = REDACT_LITERALS,
					  .only = &nothing,
					  .id = "literals",
					  .now_ns = clock_now_ns()};
	bool over = false;
	int rc = 0;
	if (life->rewrite.seal == NULL) {
		rc = rewrite_begin(&life->rewrite, &wish, 0, err);
	}
	rc = rc < 0 ? rc : rewrite_step(&life->rewrite, &over, &result, err);
	life->retaining.head_begun = over;
	return rc < 0 || !over ? rc : plan(life, err);
}

struct forgetting {
	const struct leafset *leaves;
	struct buf ids; /* of ALERT_ID_DIGITS each */
};

static int list_forgotten(void *owner, const struct store_alert *alert, struct error *err)
{
	struct forgetting *forgetting = owner;
	(void)err;
	if (leafset_has(forgetting->leaves, alert->leaf)) {
		buf_put_str(&forgetting->ids, alert->id);
	}
	return 0;
}

/* Takes away the rows of alerts whose records went. */
static int forget_alerts(struct life *life, struct error *err)
{
	struct leafset *gone = &life->retaining.alerts;
	struct forgetting forgetting = {.leaves = gone};
	if (gone->run_count == 0) {
		return 0;
	}
	buf_init(&forgetting.ids, 0);
	int rc = alerts_walk(life->store, &(struct alerts_walk){list_forgotten, &forgetting}, err);
	rc = rc < 0 ? rc : buf_check(&forgetting.ids, "the alerts that went", err);
	struct str ids = buf_str(&forgetting.ids);
	for (size_t at = 0; rc == 0 && at < ids.len; at += ALERT_ID_DIGITS) {
		rc = alerts_remove(life->store, str_slice(ids, at, ALERT_ID_DIGITS), err);
	}
	buf_done(&forgetting.ids);
	leafset_clear(gone);
	return rc;
}

/* Says what was done, in one transaction. */
static int end(struct life *life, struct error *err)
{
	struct retaining *retaining = &life->retaining;
	bool any = false;
	int rc = 0;
	for (int i = 0; i < RETAIN_CLASSES && rc == 0; i++) {
		if (retaining->done[i].records > 0) {
			any = true;
			rc = lifenote_retention(life, (enum retaining_class)i, err);
		}
	}
	if (rc == 0 && any) {
		rc = forget_alerts(life, err);
		rc = rc < 0 ? rc : lifenote_last(life, err);
	}
	if (rc == 0 && retaining->done[RETAIN_RECORDS].records > 0) {
		int64_t floor_ns = retaining->now_ns - life->settings.records_ns;
		rc = store_raise_floor(life->store, floor_ns, err);
		admission_raise(keeper_admission(life->keeper), floor_ns);
	}
	memset(retaining->done, 0, sizeof retaining->done);
	if (rc == 0 && any) {
		rc = retaining_write_pending(life, NULL,
					     err); /* in the transaction of the records */
	}
	life->work = LIFE_NOTHING;
	return rc < 0 ? rc : lifenote_state(life, err);
}

int retaining_step(struct life *life, bool *out_over, int64_t *io_next_ns, struct error *err)
{
	struct retaining *retaining = &life->retaining;
	if (!retaining->head_begun) {
		return seal_head(life, err);
	}
	if (!retaining->holds_known) {
		int rc = life_ask_holds(life, &retaining->holds_known, err);
		*io_next_ns += retaining->holds_known ? 0 : LIFE_CHILD_NS;
		return rc;
	}
	if (life->rewrite.seal != NULL) {
		return write_on(life, err);
	}
	if (retaining->blocks.next < retaining->blocks.count) {
		return next_block(life, err);
	}
	int rc = end(life, err);
	*out_over = rc == 0;
	return rc;
}
