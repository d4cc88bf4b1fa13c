#include "store/seal.h"

#include "store/log/forget.h"
#include "store/removed.h"
#include "store/rollup.h"
#include "store/seal-build.h"
#include "store/seal-change.h"
#include "store/seal-pull.h"

#include <assert.h>
#include <malloc.h>
#include <stdlib.h>

struct seal {
	struct store *store;
	const struct seal_change *change;
	int64_t grave_ns;
	uint64_t dropped;
	struct forget forget;
	const uint8_t *key;
	struct seal_inputs inputs;
	struct seal_item *items;
	size_t item_count;
	struct seal_limits limits;
	struct seal_range *elsewhere;
	struct seal_plan plan;
	struct seal_built *built;
	size_t built_count, built_room;
	size_t next_block,
		next_item; /* what is built next: a block of the plan, from which of its items on */
	bool is_over;
};

static int take_inputs(struct seal *seal, const struct seal_order *order, struct error *err)
{
	int rc = 0;
	if (order->head_end > 0) {
		rc = seal_inputs_add_head(&seal->inputs, order->head_end, err);
	}
	for (size_t i = 0; rc == 0 && i < order->block_count; i++) {
		assert(i == 0 || order->blocks[i - 1] < order->blocks[i]);
		rc = seal_inputs_add_block(&seal->inputs, order->blocks[i], err);
	}
	if (rc == 0 && seal->inputs.count == 0) {
		return error_set(err, ERR_GONE, "%s has nothing to seal", seal->store->dir);
	}
	return rc;
}

/* Lists the records of the inputs from `first` on, behind those that are listed. */
static int list_items(struct seal *seal, size_t first, struct error *err)
{
	uint64_t count = seal_inputs_records(&seal->inputs);
	if (count >= UINT32_MAX) {
		return error_set(err, ERR_LIMIT, "%llu records are too many for one seal",
				 (unsigned long long)count);
	}
	struct seal_item *larger =
		realloc(seal->items, ((size_t)count + 1) * sizeof seal->items[0]);
	if (larger == NULL) {
		return error_set(err, ERR_NOMEM, "no memory to seal %llu records",
				 (unsigned long long)count);
	}
	seal->items = larger;
	int rc = 0;
	for (size_t i = first; i < seal->inputs.count && rc == 0; i++) {
		rc = seal_input_list(&seal->inputs, i, &seal->items[seal->item_count], err);
		seal->item_count += seal_input_rows(&seal->inputs.list[i]);
	}
	return rc;
}

/* Takes in blocks of which the verdicts speak. */
static int pull_blocks(struct seal *seal, const struct seal_order *order, struct error *err)
{
	struct seal_pull pull = {.items = seal->items,
				 .count = seal->item_count,
				 .taken = order->blocks,
				 .taken_count = order->block_count,
				 .settled_ns = order->settled_ns,
				 .close = order->close || order->pull_open,
				 .rows_max = order->pull_rows};
	struct error damage;
	uint64_t *numbers = NULL;
	size_t count = 0, first = seal->inputs.count;
	int rc = blocks_load(seal->inputs.blocks, &pull.blocks, &damage, err);
	if (rc == 0 && seal_pull_find(&pull, &numbers, &count) < 0) {
		rc = error_set(err, ERR_NOMEM, "no memory to seal %zu records", pull.count);
	}
	for (size_t i = 0; i < count && rc == 0; i++) {
		rc = seal_inputs_add_block(&seal->inputs, numbers[i], err);
	}
	free(numbers);
	return rc < 0 ? rc : list_items(seal, first, err);
}

static int make_plan(struct seal *seal, const struct seal_order *order, struct error *err)
{
	struct seal_limits *limits = &seal->limits;
	limits->requests = order->requests > 0 ? order->requests : SEAL_REQUESTS;
	limits->rows = limits->requests * (SEAL_ROWS / SEAL_REQUESTS);
	limits->settled_ns = order->settled_ns;
	limits->close = order->close;
	int rc = list_items(seal, 0, err);
	rc = rc < 0 || order->pull_rows == 0 ? rc : pull_blocks(seal, order, err);
	if (rc == 0 && order->change != NULL) {
		rc = seal_change_drop(order->change, seal->items, &seal->item_count,
				      &seal->forget.removed, err);
		seal->dropped = leafset_count(&seal->forget.removed);
		rc = rc < 0 ? rc : forget_take(&seal->forget, seal->store, err);
	}
	rc = rc < 0 ? rc
		    : seal_inputs_elsewhere(&seal->inputs, &seal->elsewhere,
					    &limits->elsewhere_count, err);
	if (rc < 0) {
		return rc;
	}
	limits->elsewhere = seal->elsewhere;
	rc = seal_plan_make(seal->items, seal->item_count, limits, &seal->plan, err);
	if (rc < 0) {
		error_prefix(err, "%s", seal->store->dir);
	}
	return rc;
}

int seal_start(struct store *store, const struct seal_order *order, struct seal **out_seal,
	       struct error *err)
{
	assert(store->writable && !store->pending.open);
	struct seal *seal = calloc(1, sizeof *seal);
	if (seal == NULL) {
		return error_set(err, ERR_NOMEM, "no memory to seal");
	}
	blocks_rest(store->peek_blocks); /* building a block takes much memory */
	if (store->blocks != NULL) {
		blocks_rest(store->blocks);
	}
	(void)malloc_trim(0); /* what the join and the head gave back lies in pieces */
	seal->store = store;
	forget_init(&seal->forget);
	seal->key = store->key;
	seal->change = order->change;
	seal->grave_ns = order->no_grace ? BLOCKS_SHRED_NS : order->now_ns;
	int rc = seal_inputs_init(&seal->inputs, store, seal->key, err);
	rc = rc < 0 ? rc : take_inputs(seal, order, err);
	rc = rc < 0 ? rc : make_plan(seal, order, err);
	if (rc < 0) {
		seal_free(seal);
		return rc;
	}
	if (order->no_grace && order->head_end > 0) {
		headlog_retire(&store->log);
	}
	*out_seal = seal;
	return 0;
}

void seal_free(struct seal *seal)
{
	if (seal == NULL) {
		return;
	}
	for (size_t i = 0; i < seal->built_count; i++) {
		if (!seal->is_over) {
			seal_built_undo(&seal->built[i], seal->store->dir);
		}
		seal_built_done(&seal->built[i]);
	}
	free(seal->built);
	seal_plan_done(&seal->plan);
	seal_inputs_done(&seal->inputs);
	free(seal->items);
	free(seal->elsewhere);
	forget_done(&seal->forget);
	free(seal);
}

static int make_room(struct seal *seal, struct error *err)
{
	if (seal->built_count < seal->built_room) {
		return 0;
	}
	size_t room = seal->built_room * 2 + 8;
	struct seal_built *larger = realloc(seal->built, room * sizeof larger[0]);
	if (larger == NULL) {
		return error_set(err, ERR_NOMEM, "no memory for %zu blocks", room);
	}
	seal->built = larger;
	seal->built_room = room;
	return 0;
}

static int build_next(struct seal *seal, struct error *err)
{
	const struct seal_cut *cut = &seal->plan.blocks[seal->next_block];
	struct seal_part part = {.items = seal->items,
				 .order = seal->plan.order + cut->first + seal->next_item,
				 .count = cut->count - seal->next_item,
				 .made = seal->built_count,
				 .is_open = cut->is_open,
				 .change = seal->change,
				 .redacted = &seal->forget.redacted};
	int rc = make_room(seal, err);
	if (rc < 0) {
		return rc;
	}
	struct seal_built *built = &seal->built[seal->built_count++];
	rc = seal_build(&seal->inputs, &part, seal->key, built, err);
	seal->next_item += built->about.row_count;
	if (rc == 0 && seal->next_item == cut->count) {
		seal->next_block++;
		seal->next_item = 0;
	}
	return rc;
}

/* Everything that changes, within the open transaction. */
static int change_catalog(void *owner, struct error *err)
{
	struct seal *seal = owner;
	struct catalog *catalog = seal->store->catalog;
	uint64_t head_end = 0;
	int rc = 0;
	for (size_t i = 0; i < seal->built_count && rc == 0; i++) {
		struct blocks_new row = seal_built_row(&seal->built[i]);
		rc = blocks_put(catalog, &row, err);
	}
	for (size_t i = 0; i < seal->inputs.count && rc == 0; i++) {
		const struct seal_input *input = &seal->inputs.list[i];
		if (input->is_block) {
			rc = blocks_remove(catalog, input->row.about.number, seal->grave_ns, err);
		} else {
			head_end = input->batch.first_leaf + input->batch.record_count;
		}
	}
	if (rc == 0 && head_end > 0) {
		rc = head_remove(catalog, head_end, seal->grave_ns, err);
	}
	rc = rc < 0 ? rc : removed_add(catalog, seal->dropped, err);
	rc = rc < 0 ? rc : forget_apply(&seal->forget, seal->store, err);
	rc = rc < 0 ? rc : rollup_update(catalog, seal->key, err);
	if (rc == 0 && seal->grave_ns == BLOCKS_SHRED_NS) {
		rc = blocks_shred_graves(catalog, err); /* older copies of the same records */
	}
	return rc;
}

static void tell(struct seal *seal, struct seal_result *out_result)
{
	struct seal_result result = {.records = seal->plan.count + seal->dropped,
				     .dropped = seal->dropped,
				     .blocks_made = (uint32_t)seal->built_count};
	for (size_t i = 0; i < seal->inputs.count; i++) {
		result.bytes_before += seal->inputs.list[i].bytes;
		result.blocks_removed += seal->inputs.list[i].is_block ? 1 : 0;
	}
	for (size_t i = 0; i < seal->built_count; i++) {
		const struct seal_built *built = &seal->built[i];
		result.bytes_after += built->bytes.len;
		result.changed += built->changed;
		result.blocks_open += built->is_open ? 1 : 0;
	}
	*out_result = result;
}

int seal_step(struct seal *seal, bool *out_done, struct seal_result *out_result, struct error *err)
{
	assert(!seal->store->pending.open && !seal->is_over);
	*out_done = false;
	if (seal->next_block < seal->plan.block_count) {
		return build_next(seal, err);
	}
	struct seal_commit commit = {.store = seal->store, .change = change_catalog, .owner = seal};
	int rc = seal_commit(&commit, &seal->is_over, err); /* the files of an unsure one stay */
	if (rc == 0) {
		seal->is_over = true;
		*out_done = true;
		tell(seal, out_result);
		rc = store_head_removed(seal->store, err);
	}
	return rc;
}

int seal_run(struct store *store, const struct seal_order *order, struct seal_result *out_result,
	     struct error *err)
{
	struct seal *seal = NULL;
	bool done = false;
	int rc = seal_start(store, order, &seal, err);
	while (rc == 0 && !done) {
		rc = seal_step(seal, &done, out_result, err);
	}
	seal_free(seal);
	return rc;
}

static int look_at_head(struct store *store, struct seal_view *view, struct error *err)
{
	CATALOG_FINALIZE sqlite3_stmt *head = NULL;
	int rc = catalog_prepare(store->catalog, CATALOG_HEAD_FROM, &head, err);
	if (rc < 0) {
		return rc;
	}
	(void)sqlite3_bind_int64(head, 1, 0); /* can't fail: the index is right */
	int step = sqlite3_step(head);
	for (; step == SQLITE_ROW; step = sqlite3_step(head)) {
		struct head_batch batch;
		rc = head_read_row(store->catalog, head, &batch, err);
		if (rc < 0) {
			return rc;
		}
		if (view->head_records == 0) {
			view->head_first_leaf = batch.first_leaf;
			view->head_oldest_ingest_ns = batch.ingest_ns;
		}
		view->head_records += batch.record_count;
		view->head_bytes += extent_end(&batch) - batch.extent.start;
	}
	return step == SQLITE_DONE ? 0
				   : catalog_error(store->catalog, step, "reading the head", err);
}

int seal_look(struct store *store, struct seal_view *out_view, struct error *err)
{
	struct seal_view view = {.head_first_leaf = UINT64_MAX};
	const struct seal_limits usual = {.requests = SEAL_REQUESTS, .rows = SEAL_ROWS};
	const struct blocks_list *list = NULL;
	struct error damage;
	struct blocks *blocks = blocks_new(store->dir, store->catalog, NULL);
	if (blocks == NULL) {
		return error_set(err, ERR_NOMEM, "no memory for the list of blocks");
	}
	int rc = look_at_head(store, &view, err);
	rc = rc < 0 ? rc : blocks_load(blocks, &list, &damage, err);
	for (size_t i = 0; rc == 0 && i < list->count; i++) {
		const struct block_about *about = &list->rows[i].about;
		view.blocks++;
		view.blocks_open += list->rows[i].is_open ? 1 : 0;
		view.blocks_small +=
			seal_is_small(&usual, about->of_kind[RECORD_REQUEST], about->row_count) ? 1
												: 0;
	}
	blocks_free(blocks);
	if (rc == 0) {
		*out_view = view;
	}
	return rc;
}

int seal_tidy(struct store *store, bool all, int64_t now_ns, struct error *err)
{
	assert(store->writable && !store->pending.open);
	int rc = blocks_sweep(store->dir, store->catalog, all ? INT64_MAX : now_ns, err);
	rc = rc < 0 ? rc : catalog_shrink(store->catalog, all, err);
	if (rc == 0 && all) {
		/* a reader that is in the way keeps the log as it is, which does no harm */
		(void)sqlite3_wal_checkpoint_v2(store->catalog->db, NULL,
						SQLITE_CHECKPOINT_TRUNCATE, NULL, NULL);
	}
	return rc;
}
