#include "store/seal-choice.h"

#include "store/blocks.h"
#include "store/extent.h"
#include "store/handle.h"
#include "store/seal-plan.h"

#include <assert.h>
#include <stdlib.h>

struct choosing {
	const struct seal_stock *stock;
	const struct seal_wish *wish;
	struct seal_limits limits; /* of a block */
	uint64_t due_rows, rows_max;
	bool is_old;        /* the oldest batch is */
	bool force;         /* take the whole head, settled or not */
	bool close;         /* and lay it out as it is */
	size_t batches;     /* taken: the first ones */
	uint64_t rows;      /* taken */
	uint64_t ripe_rows; /* settled rows among them, and of blocks that waited for long */
	int64_t settled_ns, judged_ns;
	bool has_near;
	int64_t near_min_ns, near_max_ns;
	uint64_t *numbers;
	size_t number_count;
	size_t open_count; /* of them: those that are open */
	size_t ripe_count; /* of them: blocks that waited and need not any more */
};

/* How far the files have come that tell of a kind, going by the batches; INT64_MIN: there is no such batch. */
static int64_t progress_of(const struct choosing *choosing, unsigned kind)
{
	const struct seal_stock *stock = choosing->stock;
	int64_t progress_ns = INT64_MIN;
	for (size_t i = 0; i < stock->batch_count; i++) {
		const struct seal_batch_stock *batch = &stock->batches[i];
		if ((batch->kinds >> kind & 1) != 0 && batch->min_time_ns > progress_ns) {
			progress_ns = batch->min_time_ns;
		}
	}
	int64_t margin_ns = choosing->wish->margin_ns;
	return progress_ns < INT64_MIN + margin_ns ? INT64_MIN : progress_ns - margin_ns;
}

static int64_t settled_of(const struct choosing *choosing)
{
	int64_t settled_ns = choosing->wish->pressed ? INT64_MIN : choosing->wish->settled_ns;
	for (unsigned kind = 0; kind < RECORD_KIND_COUNT; kind++) {
		if ((choosing->wish->flowing >> kind & 1) != 0) {
			int64_t progress_ns = progress_of(choosing, kind);
			settled_ns = progress_ns < settled_ns ? progress_ns : settled_ns;
		}
	}
	return settled_ns;
}

/* How many batches there are up to the last in which something is settled. */
static size_t settled_batches(const struct choosing *choosing)
{
	const struct seal_stock *stock = choosing->stock;
	size_t count = stock->batch_count;
	while (count > 0 && (choosing->settled_ns == INT64_MIN ||
			     stock->batches[count - 1].min_time_ns > choosing->settled_ns)) {
		count--;
	}
	return count;
}

/* Whether the head is too large to wait, or nothing is known to settle it. */
static bool is_too_much(const struct choosing *choosing)
{
	const struct seal_stock *stock = choosing->stock;
	uint64_t rows = 0, bytes = 0;
	for (size_t i = 0; i < stock->batch_count; i++) {
		rows += stock->batches[i].rows;
		bytes += stock->batches[i].bytes;
	}
	return bytes >= choosing->wish->head_bytes ||
	       (choosing->settled_ns == INT64_MIN && rows >= choosing->due_rows);
}

static void take_batches(struct choosing *choosing)
{
	const struct seal_stock *stock = choosing->stock;
	const struct seal_wish *wish = choosing->wish;
	size_t settled = settled_batches(choosing);
	choosing->is_old = stock->batch_count > 0 &&
			   wish->now_ns - stock->batches[0].ingest_ns >= wish->age_ns;
	choosing->close = !wish->pressed && (wish->finish || is_too_much(choosing) ||
					     (choosing->is_old && settled == 0));
	choosing->force = choosing->close || wish->pressed;
	size_t wanted = choosing->force ? stock->batch_count : settled;
	uint64_t most = choosing->rows_max - choosing->rows_max / 4; /* blocks want room too */
	for (size_t i = 0; i < wanted; i++) {
		const struct seal_batch_stock *batch = &stock->batches[i];
		if (i > 0 && choosing->rows + batch->rows > most) {
			break;
		}
		choosing->rows += batch->rows;
		choosing->batches = i + 1;
		choosing->ripe_rows += choosing->force || batch->max_time_ns <= choosing->settled_ns
					       ? batch->rows
					       : 0;
	}
}

/* What stays in the head is not settled, nor is what happened later. */
static void lower_settled(struct choosing *choosing)
{
	const struct seal_stock *stock = choosing->stock;
	for (size_t i = choosing->batches; i < stock->batch_count; i++) {
		int64_t min_ns = stock->batches[i].min_time_ns;
		int64_t before_ns = min_ns == INT64_MIN ? INT64_MIN : min_ns - 1;
		choosing->settled_ns =
			before_ns < choosing->settled_ns ? before_ns : choosing->settled_ns;
		choosing->judged_ns =
			before_ns < choosing->judged_ns ? before_ns : choosing->judged_ns;
	}
}

static bool is_small(const struct choosing *choosing, const struct seal_block_stock *block)
{
	return seal_is_small(&choosing->limits, (size_t)block->requests, (size_t)block->rows);
}

/* Whether nothing in an open block waits any more: no statement for its verdict either, or the block would be made again and stay open. */
static bool is_ripe(const struct choosing *choosing, const struct seal_block_stock *block)
{
	int64_t settled_ns = choosing->settled_ns < choosing->judged_ns ? choosing->settled_ns
									: choosing->judged_ns;
	return block->is_open && settled_ns != INT64_MIN && block->max_time_ns <= settled_ns;
}

/* Whether a time is at most so much later than another that records of both may stand in one small block. */
static bool is_near(int64_t later_ns, int64_t earlier_ns)
{
	int64_t apart_ns = 0;
	return later_ns <= earlier_ns ||
	       (!__builtin_sub_overflow(later_ns, earlier_ns, &apart_ns) &&
		apart_ns <= SEAL_SMALL_APART_NS);
}

/* The times that closed small blocks must be near to: those of the batches, or for want of them the first such block. */
static void find_near(struct choosing *choosing)
{
	const struct seal_stock *stock = choosing->stock;
	bool any = choosing->batches > 0;
	for (size_t i = 0; i < choosing->batches; i++) {
		const struct seal_batch_stock *batch = &stock->batches[i];
		bool first = i == 0;
		choosing->near_min_ns = first || batch->min_time_ns < choosing->near_min_ns
						? batch->min_time_ns
						: choosing->near_min_ns;
		choosing->near_max_ns = first || batch->max_time_ns > choosing->near_max_ns
						? batch->max_time_ns
						: choosing->near_max_ns;
	}
	for (size_t i = 0; i < stock->block_count && !any && choosing->wish->finish; i++) {
		if (is_small(choosing, &stock->blocks[i])) {
			choosing->near_min_ns = stock->blocks[i].min_time_ns;
			choosing->near_max_ns = stock->blocks[i].max_time_ns;
			any = true;
		}
	}
	choosing->has_near = any;
}

/* Whether a small block may go with what is taken. */
static bool is_company(const struct choosing *choosing, const struct seal_block_stock *block)
{
	if (!is_small(choosing, block) || !choosing->has_near) {
		return false;
	}
	if (block->is_open) {
		return choosing->force || block->min_time_ns <= choosing->settled_ns;
	}
	return is_near(choosing->near_min_ns, block->max_time_ns) &&
	       is_near(block->min_time_ns, choosing->near_max_ns);
}

static bool is_shunned(const struct seal_wish *wish, uint64_t number)
{
	for (size_t i = 0; i < wish->shunned_count; i++) {
		if (wish->shunned[i] == number) {
			return true;
		}
	}
	return false;
}

static int by_time(const void *a, const void *b)
{
	const struct seal_block_stock *left = a, *right = b;
	if (left->min_time_ns != right->min_time_ns) {
		return left->min_time_ns < right->min_time_ns ? -1 : 1;
	}
	return left->number < right->number ? -1 : left->number > right->number;
}

static int by_number(const void *a, const void *b)
{
	uint64_t left = *(const uint64_t *)a, right = *(const uint64_t *)b;
	return left < right ? -1 : left > right;
}

/* Takes blocks by time: small ones first, since they should never be many, then those that waited. */
static int take_blocks(struct choosing *choosing)
{
	size_t count = choosing->stock->block_count;
	struct seal_block_stock *blocks = calloc(count + 1, sizeof blocks[0]);
	choosing->numbers = calloc(count + 1, sizeof choosing->numbers[0]);
	if (blocks == NULL || choosing->numbers == NULL) {
		free(blocks);
		return -ERR_NOMEM;
	}
	if (count > 0) {
		memcpy(blocks, choosing->stock->blocks, count * sizeof blocks[0]);
		qsort(blocks, count, sizeof blocks[0], by_time);
	}
	for (int ripe = 0; ripe < 2; ripe++) {
		for (size_t i = 0; i < count; i++) {
			const struct seal_block_stock *block = &blocks[i];
			bool company = is_company(choosing, block);
			bool wanted = ripe != 0 ? is_ripe(choosing, block) && !company : company;
			if (!wanted || is_shunned(choosing->wish, block->number) ||
			    choosing->rows + block->rows > choosing->rows_max) {
				continue;
			}
			choosing->rows += block->rows;
			choosing->numbers[choosing->number_count++] = block->number;
			choosing->open_count += block->is_open ? 1 : 0;
			choosing->ripe_count += is_ripe(choosing, block) ? 1 : 0;
			choosing->ripe_rows += ripe != 0 ? block->rows : 0;
		}
	}
	free(blocks);
	qsort(choosing->numbers, choosing->number_count, sizeof choosing->numbers[0], by_number);
	return 0;
}

static bool is_due(const struct choosing *choosing)
{
	if (choosing->wish->finish) {
		return choosing->batches > 0 || choosing->ripe_count > 0 ||
		       choosing->number_count > 1;
	}
	if (choosing->batches > 0 && (choosing->force || choosing->is_old)) {
		return true;
	}
	return choosing->ripe_rows >= choosing->due_rows;
}

int seal_choose_from(const struct seal_stock *stock, const struct seal_wish *wish,
		     struct seal_choice *out_choice)
{
	struct choosing choosing = {.stock = stock, .wish = wish};
	assert(wish->requests > 0);
	choosing.limits = (struct seal_limits){
		.requests = wish->requests, .rows = wish->requests * (SEAL_ROWS / SEAL_REQUESTS)};
	choosing.due_rows = wish->requests * SEAL_ROWS_A_REQUEST;
	choosing.rows_max = choosing.due_rows * SEAL_CHOICE_BLOCKS;
	choosing.settled_ns = settled_of(&choosing);
	choosing.judged_ns = wish->pressed ? INT64_MIN : wish->judged_ns;
	take_batches(&choosing);
	lower_settled(&choosing);
	find_near(&choosing);
	int rc = take_blocks(&choosing);
	if (rc == 0 && !is_due(&choosing)) {
		rc = -ERR_GONE;
	}
	if (rc < 0) {
		free(choosing.numbers);
		return rc;
	}
	size_t taken = choosing.batches;
	*out_choice = (struct seal_choice){
		.numbers = choosing.numbers,
		.open_count = choosing.open_count,
		.order = {.head_end = taken > 0 ? stock->batches[taken - 1].end_leaf : 0,
			  .blocks = choosing.numbers,
			  .block_count = choosing.number_count,
			  .settled_ns = choosing.settled_ns,
			  .judged_ns = choosing.judged_ns,
			  .pull_rows = choosing.rows_max,
			  .requests = wish->requests,
			  .pull_open = wish->pressed,
			  .close = choosing.close,
			  .now_ns = wish->now_ns}};
	return 0;
}

void seal_choice_done(struct seal_choice *choice)
{
	free(choice->numbers);
	*choice = (struct seal_choice){0};
}

static int load_batches(struct store *store, struct seal_stock *stock, struct error *err)
{
	CATALOG_FINALIZE sqlite3_stmt *head = NULL;
	size_t room = 0;
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
		if (stock->batch_count == room) {
			room = room * 2 + 64;
			struct seal_batch_stock *larger =
				realloc(stock->batches, room * sizeof larger[0]);
			if (larger == NULL) {
				return error_set(err, ERR_NOMEM, "no memory for %zu batches", room);
			}
			stock->batches = larger;
		}
		stock->batches[stock->batch_count++] =
			(struct seal_batch_stock){.end_leaf = batch.first_leaf + batch.record_count,
						  .rows = batch.record_count,
						  .bytes = extent_end(&batch) - batch.extent.start,
						  .min_time_ns = batch.min_time_ns,
						  .max_time_ns = batch.max_time_ns,
						  .ingest_ns = batch.ingest_ns,
						  .kinds = batch.kinds};
	}
	return step == SQLITE_DONE ? 0
				   : catalog_error(store->catalog, step, "reading the head", err);
}

static int load_blocks(struct store *store, struct seal_stock *stock, struct error *err)
{
	const struct blocks_list *list = NULL;
	struct error damage;
	struct blocks *blocks = blocks_new(store->dir, store->catalog, NULL);
	if (blocks == NULL) {
		return error_set(err, ERR_NOMEM, "no memory for the list of blocks");
	}
	int rc = blocks_load(blocks, &list, &damage, err);
	if (rc == 0) {
		stock->blocks = calloc(list->count + 1, sizeof stock->blocks[0]);
		if (stock->blocks == NULL) {
			rc = error_set(err, ERR_NOMEM, "no memory for the list of blocks");
		}
	}
	for (size_t i = 0; rc == 0 && i < list->count; i++) {
		const struct block_about *about = &list->rows[i].about;
		stock->blocks[stock->block_count++] =
			(struct seal_block_stock){.number = about->number,
						  .rows = about->row_count,
						  .requests = about->of_kind[RECORD_REQUEST],
						  .min_time_ns = about->min_time_ns,
						  .max_time_ns = about->max_time_ns,
						  .is_open = list->rows[i].is_open};
	}
	blocks_free(blocks);
	return rc;
}

int seal_choose(struct store *store, const struct seal_wish *wish, struct seal_choice *out_choice,
		struct error *err)
{
	struct seal_stock stock = {0};
	int rc = load_batches(store, &stock, err);
	rc = rc < 0 ? rc : load_blocks(store, &stock, err);
	if (rc == 0) {
		rc = seal_choose_from(&stock, wish, out_choice);
		if (rc == -ERR_GONE) {
			(void)error_set(err, ERR_GONE, "nothing of %s is to be sealed now",
					store->dir);
		} else if (rc < 0) {
			(void)error_set(err, ERR_NOMEM, "no memory for the list of blocks");
		}
	}
	free(stock.batches);
	free(stock.blocks);
	return rc;
}
