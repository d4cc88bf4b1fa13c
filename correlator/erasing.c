#include "correlator/lifestate.h"

#include "base/log.h"
#include "store/alerts.h"
#include "store/shelf.h"

#include <stdio.h>
#include <stdlib.h>

#define FIND_NS \
	(500 *  \
	 NS_PER_MS) /* of a walk over the store in one turn: each begins with opening blocks */
#define STOP 1
/* Kinds that come from outside, and so may come again. */
#define NAMED (1u << RECORD_REQUEST | 1u << RECORD_STATEMENT | 1u << RECORD_REJECT)

static void drop_found(struct erasing *erasing)
{
	for (size_t i = 0; i < erasing->found_count; i++) {
		leafset_done(&erasing->found[i]);
	}
	free(erasing->found);
	erasing->found = NULL;
	erasing->found_count = 0;
}

void erasing_done(struct erasing *erasing)
{
	leafset_done(&erasing->leaves);
	buf_done(&erasing->digests);
	free(erasing->blocks.list);
	drop_found(erasing); /* what a walk that did not end found is found again */
	*erasing = (struct erasing){0};
}

int erasing_begin(struct life *life, const struct erasure *row, struct error *err)
{
	struct erasing *erasing = &life->erasing;
	erasing->row = *row;
	erasing->row.state = ERASURE_WORKING;
	erasing->row.steps = erasing->row.steps_done = 0;
	erasing->at = 0;
	erasing->next_leaf = 0;
	erasing->failed = 0;
	buf_clear(&erasing->digests);
	leafset_clear(&erasing->leaves);
	bool known = ledger_find(life->ledger, str_of(row->id)) != NULL;
	bool shall_find = row->again && !erasing->all_found;
	erasing->stage = shall_find             ? ERASING_FIND
			 : known && !row->again ? ERASING_HOLDS
						: ERASING_DIGESTS;
	int rc = erasures_get_leaves(life->store, row->id, &erasing->leaves, err);
	rc = rc < 0 ? rc : erasures_put(life->store, &erasing->row, err);
	if (rc == 0) {
		life->work = LIFE_ERASURE;
	}
	return rc;
}

void erasing_again(struct life *life)
{
	struct erasing *erasing = &life->erasing;
	if (erasing->stage > ERASING_HOLDS) {
		erasing->stage = ERASING_HOLDS;
	}
}

/* A block that cannot be read is told once; what it holds stays. */
static void note_failed(struct erasing *erasing, const struct error *what)
{
	struct error told = *what;
	erasing->failed++;
	error_prefix(&told, "erasure %s: what stands there is not erased", erasing->row.id);
	log_error(LOG_LEVEL_ERROR, "erasure-damage", &told);
}

/* Adds the alerts on a record: they repeat what it says. */
static int add_alert(void *owner, const struct store_alert *alert, struct error *err)
{
	struct leafset *alerts = owner;
	return alert->leaf != ALERTS_NO_LEAF ? leafset_add(alerts, alert->leaf, alert->leaf, err)
					     : 0;
}

struct finding {
	struct life *life;
	int64_t end_ns; /* of the turn */
	uint64_t next;
};

/* A record that the ledger names is put down for its erasure. */
static int find_record(void *owner, uint64_t leaf, int64_t ingest_ns, struct str encoded,
		       struct error *err)
{
	struct finding *finding = owner;
	const struct ledger *ledger = finding->life->ledger;
	struct record_front front;
	(void)ingest_ns;
	int rc = record_decode_front(encoded, &front, err);
	if (rc < 0) {
		return rc;
	}
	const struct ledger_entry *entry =
		(NAMED >> front.kind & 1) != 0 ? ledger_entry_of(ledger, front.source, front.key)
					       : NULL;
	if (entry != NULL) {
		size_t index = (size_t)(entry - ledger_entry(ledger, 0));
		rc = leafset_add(&finding->life->erasing.found[index], leaf, leaf, err);
	}
	finding->next = leaf + 1;
	if (rc == 0 && clock_monotonic_ns() >= finding->end_ns) {
		return STOP;
	}
	return rc;
}

static void find_damage(void *owner, uint64_t records, const struct error *what)
{
	struct finding *finding = owner;
	(void)records;
	note_failed(&finding->life->erasing, what);
}

/* What was found is remembered with the erasures that it is for. */
static int keep_found(struct life *life, struct error *err)
{
	struct erasing *erasing = &life->erasing;
	struct erasures all;
	erasures_init(&all);
	int rc = erasures_read(life->store, &all, err);
	for (size_t i = 0; rc == 0 && i < ledger_entry_count(life->ledger); i++) {
		const char *id = ledger_entry(life->ledger, i)->id;
		const struct erasure *row = erasures_find(&all, str_of(id));
		leafset_settle(&erasing->found[i]);
		if (strcmp(id, erasing->row.id) == 0) {
			rc = leafset_unite(&erasing->leaves, &erasing->found[i], err);
		} else if (row != NULL && row->again && row->state < ERASURE_HELD) {
			rc = erasures_put_leaves(life->store, id, &erasing->found[i], err);
		}
	}
	drop_found(erasing);
	erasing->all_found = true;
	erasing->next_leaf = 0;
	erasing->stage = ERASING_DIGESTS;
	erasures_done(&all);
	return rc;
}

/* Looks for the records that the ledger names, for as long as a turn may last. */
static int find(struct life *life, struct error *err)
{
	struct erasing *erasing = &life->erasing;
	struct finding finding = {
		.life = life, .end_ns = clock_monotonic_ns() + FIND_NS, .next = erasing->next_leaf};
	if (erasing->found == NULL) {
		erasing->found =
			calloc(ledger_entry_count(life->ledger) + 1, sizeof erasing->found[0]);
	}
	if (erasing->found == NULL) {
		return error_set(err, ERR_NOMEM, "no memory for the records of erasures");
	}
	erasing->found_count = ledger_entry_count(life->ledger);
	const struct store_walk walk = {.first = erasing->next_leaf,
					.kinds = NAMED,
					.each = find_record,
					.owner = &finding,
					.damaged = find_damage};
	int rc = store_walk_with(life->store, &walk, err);
	erasing->next_leaf = finding.next;
	if (rc == STOP) {
		return 0;
	}
	return rc < 0 ? rc : keep_found(life, err);
}

/* The name of one record, and the alerts on it. */
static int take_record(struct life *life, uint64_t leaf, struct leafset *alerts, struct error *err)
{
	struct erasing *erasing = &life->erasing;
	struct str encoded;
	struct record_front front;
	uint8_t digest[LEDGER_DIGEST_BYTES];
	int rc = store_peek(life->store, leaf, &encoded, err);
	rc = rc < 0 ? rc : record_decode_front(encoded, &front, err);
	if (rc == -ERR_CORRUPT) {
		note_failed(erasing, err);
		return 0;
	}
	if (rc == -ERR_GONE) {
		error_clear(err);
		return 0; /* retention took it meanwhile */
	}
	if (rc < 0 || (NAMED >> front.kind & 1) == 0) {
		return rc;
	}
	ledger_digest_of(front.source, front.key, digest);
	buf_put(&erasing->digests, digest, sizeof digest);
	return alerts_of_record(life->store, leaf, &(struct alerts_walk){add_alert, alerts}, err);
}

/* Names all records, for as long as a turn may last. */
static int take_names(struct life *life, struct error *err)
{
	struct erasing *erasing = &life->erasing;
	int64_t end_ns = clock_monotonic_ns() + LIFE_SLICE_NS;
	struct leafset alerts;
	int rc = 0;
	leafset_init(&alerts);
	size_t run_count = erasing->leaves.run_count;
	while (rc == 0 && erasing->at < run_count && clock_monotonic_ns() < end_ns) {
		const struct leafset_run *run = &erasing->leaves.runs[erasing->at];
		uint64_t leaf = erasing->next_leaf > run->first ? erasing->next_leaf : run->first;
		rc = take_record(life, leaf, &alerts, err);
		erasing->next_leaf = leaf + 1;
		erasing->at += leaf == run->last ? 1 : 0;
	}
	bool over = erasing->at == run_count;
	uint64_t leaf = erasing->next_leaf;
	leafset_settle(&alerts);
	rc = rc < 0 ? rc : leafset_unite(&erasing->leaves, &alerts, err);
	leafset_done(&alerts);
	if (!over) { /* runs may have moved */
		erasing->at = 0;
		while (erasing->leaves.runs[erasing->at].last < leaf) {
			erasing->at++;
		}
	}
	if (rc < 0 || !over) {
		return rc;
	}
	erasing->stage = erasing->row.again ? ERASING_HOLDS : ERASING_LEDGER;
	return erasures_put_leaves(life->store, erasing->row.id, &erasing->leaves, err);
}

static int write_ledger(struct life *life, struct error *err)
{
	struct erasing *erasing = &life->erasing;
	const struct erasure *row = &erasing->row;
	struct buf code;
	buf_init(&code, 0);
	leafset_encode(&erasing->leaves, &code);
	const struct ledger_append entry = {.id = str_of(row->id),
					    .store = str_of(life->store_id),
					    .by = str_of(row->by),
					    .reason = str_of(row->reason),
					    .kind = row->only_literals ? LEDGER_MASKED
								       : LEDGER_ERASED,
					    .time_ns = row->ordered_ns,
					    .leaves = buf_str(&code),
					    .digests = buf_str(&erasing->digests)};
	int rc = buf_check(&erasing->digests, "the records of an erasure", err);
	rc = rc < 0 ? rc : ledger_append(life->ledger, &entry, err);
	buf_done(&code);
	erasing->stage = rc == 0 ? ERASING_HOLDS : erasing->stage;
	return rc;
}

/* Lists the blocks that hold something of it that no hold covers. */
static int list_block(void *owner, const struct blocks_row *row, struct error *err)
{
	struct life *life = owner;
	const struct leafset *leaves = &life->erasing.leaves;
	bool meets = false;
	for (size_t i = 0; i < row->span_count && !meets; i++) {
		meets = leafset_meets(leaves, row->spans[i].first, row->spans[i].last);
	}
	const struct life_block block = {.number = row->about.number, .is_settled = !row->is_open};
	return meets ? life_blocks_add(&life->erasing.blocks, &block, err) : 0;
}

struct wanted { /* whether a block has any of what is to go */
	const struct leafset *leaves, *except;
	bool any;
};

static void look_at_rows(void *owner, const struct shelf_rows *rows)
{
	struct wanted *wanted = owner;
	for (size_t i = 0; i < rows->count && !wanted->any; i++) {
		wanted->any = leafset_has(wanted->leaves, rows->leaves[i]) &&
			      !leafset_has(wanted->except, rows->leaves[i]);
	}
}

static int plan_blocks(struct life *life, struct error *err)
{
	struct erasing *erasing = &life->erasing;
	struct error damage;
	erasing->blocks.count = 0;
	erasing->blocks.next = 0;
	int rc = shelf_walk(life->store, list_block, life, &damage, err);
	if (rc == 0 && damage.code != 0) {
		note_failed(erasing, &damage);
	}
	erasing->row.steps = erasing->blocks.count;
	erasing->row.steps_done = 0;
	erasing->stage = ERASING_BLOCKS;
	return rc < 0 ? rc : erasures_put(life->store, &erasing->row, err);
}

static struct rewrite_wish wish_of(const struct life *life, bool is_settled)
{
	const struct erasing *erasing = &life->erasing;
	return (struct rewrite_wish){.degree = erasing->row.only_literals ? REDACT_LITERALS
									  : REDACT_ALL,
				     .only = &erasing->leaves,
				     .except = &life->held.all,
				     .id = erasing->row.id,
				     .is_settled = is_settled,
				     .at_once = true,
				     .now_ns = clock_now_ns()};
}

/* One step of what is under way; *out_over: the block is done, or cannot be. */
static int write_on(struct life *life, bool *out_over, struct error *err)
{
	struct erasing *erasing = &life->erasing;
	struct seal_result result = {0};
	int rc = rewrite_step(&life->rewrite, out_over, &result, err);
	if (rc == -ERR_CORRUPT) {
		note_failed(erasing, err);
		*out_over = true;
		return 0;
	}
	if (rc == 0 && *out_over) {
		erasing->row.records += result.changed;
		erasing->row.blocks += result.blocks_removed;
	}
	return rc;
}

/* The head is sealed, and loses what is to go on the way. */
static int write_head(struct life *life, struct error *err)
{
	struct seal_view view;
	struct erasing *erasing = &life->erasing;
	bool over = false;
	if (life->rewrite.seal != NULL) {
		int rc = write_on(life, &over, err);
		return rc < 0 || !over ? rc : plan_blocks(life, err);
	}
	int rc = seal_look(life->store, &view, err);
	if (rc < 0 || view.head_records == 0 ||
	    !leafset_meets(&erasing->leaves, view.head_first_leaf, UINT64_MAX)) {
		return rc < 0 ? rc : plan_blocks(life, err);
	}
	const struct rewrite_wish wish = wish_of(life, false);
	return rewrite_begin(&life->rewrite, &wish, 0, err);
}

/* Begins with the next block that has something of it. */
static int next_block(struct life *life, struct error *err)
{
	struct erasing *erasing = &life->erasing;
	const struct life_block *block = &erasing->blocks.list[erasing->blocks.next];
	struct wanted wanted = {.leaves = &erasing->leaves, .except = &life->held.all};
	struct blocks_row row;
	int rc = shelf_row(life->store, block->number, &row, err);
	rc = rc < 0 ? rc : shelf_open(life->store, &row, look_at_rows, &wanted, err);
	if (rc == 0 && wanted.any) {
		const struct rewrite_wish wish = wish_of(life, block->is_settled);
		rc = rewrite_begin(&life->rewrite, &wish, block->number, err);
	}
	if (rc == -ERR_CORRUPT || rc == -ERR_CONFIG) {
		note_failed(erasing, err);
		rc = 0;
	}
	erasing->blocks.next += life->rewrite.seal == NULL ? 1 : 0;
	return rc;
}

static int write_blocks(struct life *life, struct error *err)
{
	struct erasing *erasing = &life->erasing;
	bool over = false;
	if (life->rewrite.seal == NULL && erasing->blocks.next == erasing->blocks.count) {
		erasing->stage = ERASING_TIDY;
		return 0;
	}
	if (life->rewrite.seal == NULL) {
		return next_block(life, err);
	}
	int rc = write_on(life, &over, err);
	if (rc < 0 || !over) {
		return rc;
	}
	erasing->blocks.next++;
	erasing->row.steps_done = erasing->blocks.next;
	return erasures_put(life->store, &erasing->row, err);
}

/* The old files are gone: it is said that it is done. */
static int end(struct life *life, struct error *err)
{
	struct erasing *erasing = &life->erasing;
	struct erasure *row = &erasing->row;
	struct leafset nothing = {0};
	struct buf names;
	int rc = 0;
	buf_init(&names, sizeof row->held_by - 1);
	held_put_names(&life->held, &erasing->leaves, &names);
	if (erasing->failed > 0) {
		buf_put_text(&names, names.len > 0 ? ", damage" : "damage");
	}
	row->held = leafset_shared(&erasing->leaves, &life->held.all);
	(void)snprintf(row->held_by, sizeof row->held_by, "%.*s",
		       STR_ARG(buf_str(&names))); /* as many names as fit */
	buf_done(&names);
	row->state = row->held > 0 || erasing->failed > 0 ? ERASURE_HELD : ERASURE_DONE;
	row->done_ns = clock_now_ns();
	if (!row->again || row->records > 0 || row->held > 0) {
		rc = lifenote_erasure(life, row, err);
	}
	rc = rc < 0 ? rc : erasures_put(life->store, row, err);
	if (rc == 0 && row->state == ERASURE_DONE) {
		rc = erasures_put_leaves(life->store, row->id, &nothing, err);
	}
	rc = rc < 0 ? rc : lifenote_state(life, err);
	log_write(LOG_LEVEL_NOTICE, "erased",
		  "erasure %s: %llu records changed in %llu blocks, %llu held", row->id,
		  (unsigned long long)row->records, (unsigned long long)row->blocks,
		  (unsigned long long)row->held);
	return rc;
}

int erasing_step(struct life *life, bool *out_over, int64_t *io_next_ns, struct error *err)
{
	struct erasing *erasing = &life->erasing;
	bool known = false;
	int rc = 0;
	switch (erasing->stage) {
	case ERASING_FIND:
		return find(life, err);
	case ERASING_DIGESTS:
		return take_names(life, err);
	case ERASING_LEDGER:
		return write_ledger(life, err);
	case ERASING_HOLDS:
		rc = life_ask_holds(life, &known, err);
		erasing->stage = rc == 0 && known ? ERASING_HEAD : ERASING_HOLDS;
		*io_next_ns += known ? 0 : LIFE_CHILD_NS;
		return rc;
	case ERASING_HEAD:
		return write_head(life, err);
	case ERASING_BLOCKS:
		return write_blocks(life, err);
	case ERASING_TIDY:
		rc = seal_purge(life->store, &known, err);
		if (rc < 0 || !known) { /* a question keeps the catalog's log: soon again */
			*io_next_ns += LIFE_CHILD_NS;
			return rc;
		}
		rc = end(life, err);
		*out_over = rc == 0;
		return rc;
	}
	return rc;
}
