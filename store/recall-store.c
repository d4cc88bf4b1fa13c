#include "store/handle.h"
#include "store/recall.h"

#include <stdlib.h>
#include <unistd.h>

/* Blocks that are open at the same time: what is unpacked of them is large. */
#define OPEN_MAX 2

struct opened {
	uint64_t number; /* 0: nothing */
	struct block *block;
	int fd;
};

struct place { /* the blocks of a store, with a list that changes only when it is asked for */
	struct store *store;
	struct blocks *blocks;
	const struct blocks_list *list;
	struct recall_block *rows;
	struct opened opened[OPEN_MAX];
	size_t last; /* the one that was asked for last */
};

static void close_opened(struct opened *opened)
{
	if (opened->number != 0) {
		block_close(opened->block);
		(void)close(opened->fd); /* only read */
	}
	*opened = (struct opened){0};
}

static void rest(void *owner)
{
	struct place *place = owner;
	for (size_t i = 0; i < OPEN_MAX; i++) {
		close_opened(&place->opened[i]);
	}
}

static int list(void *owner, const struct recall_block **out_blocks, size_t *out_count,
		struct error *err)
{
	struct place *place = owner;
	rest(place); /* they borrow from the list */
	int rc = blocks_load(place->blocks, &place->list, NULL, err);
	if (rc < 0) {
		return rc;
	}
	struct recall_block *rows = reallocarray(place->rows, place->list->count + 1, sizeof *rows);
	if (rows == NULL) {
		return error_set(err, ERR_NOMEM, "no memory for the list of blocks");
	}
	place->rows = rows;
	for (size_t i = 0; i < place->list->count; i++) {
		const struct blocks_row *row = &place->list->rows[i];
		rows[i] = (struct recall_block){.number = row->about.number,
						.min_leaf = row->about.min_leaf,
						.max_leaf = row->about.max_leaf,
						.min_time_ns = row->about.min_time_ns,
						.max_time_ns = row->about.max_time_ns,
						.is_open = row->is_open,
						.has_strays = row->has_strays,
						.spans = row->spans,
						.span_count = row->span_count};
	}
	*out_blocks = rows;
	*out_count = place->list->count;
	return 0;
}

static int by_number(const void *key, const void *element)
{
	uint64_t number = *(const uint64_t *)key;
	const struct recall_block *block = element;
	return number < block->number ? -1 : number > block->number;
}

static int open_block(void *owner, uint64_t number, struct block **out_block, struct error *err)
{
	struct place *place = owner;
	for (size_t i = 0; i < OPEN_MAX; i++) {
		if (place->opened[i].number == number) {
			place->last = i;
			*out_block = place->opened[i].block;
			return 0;
		}
	}
	const struct recall_block *found =
		bsearch(&number, place->rows, place->list->count, sizeof place->rows[0], by_number);
	if (found == NULL) {
		return error_set(err, ERR_CORRUPT, "block %llu is not in the catalog",
				 (unsigned long long)number);
	}
	struct opened *opened = &place->opened[(place->last + 1) % OPEN_MAX];
	close_opened(opened);
	int rc = blocks_open_row(place->blocks, &place->list->rows[found - place->rows],
				 &opened->fd, &opened->block, err);
	if (rc == 0) {
		opened->number = number;
		place->last = (size_t)(opened - place->opened);
		*out_block = opened->block;
	}
	return rc;
}

static int read_filter(void *owner, uint64_t number, bool of_records, struct buf *out,
		       struct error *err)
{
	struct place *place = owner;
	return blocks_blob(place->store->catalog, number,
			   of_records ? BLOCKS_FILTER_RECORDS : BLOCKS_FILTER_IDS, out, err);
}

static int changes(void *owner, uint64_t *out_changes, struct error *err)
{
	struct place *place = owner;
	*out_changes = 0;
	return blocks_changes(place->store->catalog, out_changes, err);
}

static void close_place(void *owner)
{
	struct place *place = owner;
	rest(place);
	blocks_free(place->blocks);
	free(place->rows);
	free(place);
}

int recall_open(struct store *store, struct recall **out_recall, struct error *err)
{
	struct place *place = calloc(1, sizeof *place);
	struct blocks *blocks = blocks_new(store->dir, store->catalog, store->key);
	if (place == NULL || blocks == NULL) {
		free(place);
		blocks_free(blocks);
		return error_set(err, ERR_NOMEM, "no memory for the blocks of %s", store->dir);
	}
	place->store = store;
	place->blocks = blocks;
	struct recall_source source = {.owner = place,
				       .list = list,
				       .open = open_block,
				       .filter = read_filter,
				       .changes = changes,
				       .rest = rest,
				       .close = close_place};
	int rc = recall_new(&source, out_recall, err);
	if (rc < 0) {
		close_place(place);
	}
	return rc;
}

int recall_head(struct store *store, uint64_t *out_first, struct error *err)
{
	struct catalog *catalog = store->catalog;
	CATALOG_FINALIZE sqlite3_stmt *head = NULL;
	struct head_batch batch;
	int rc = catalog_prepare(catalog, CATALOG_HEAD_FROM, &head, err);
	if (rc < 0) {
		return rc;
	}
	(void)sqlite3_bind_int64(head, 1, 0); /* can't fail: the index is right */
	int step = sqlite3_step(head);
	if (step == SQLITE_ROW) {
		rc = head_read_row(catalog, head, &batch, err);
		*out_first = rc == 0 ? batch.first_leaf : 0;
		return rc;
	}
	*out_first = store->leaf_count;
	return step == SQLITE_DONE ? 0 : catalog_error(catalog, step, "looking for the head", err);
}
