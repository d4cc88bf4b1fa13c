#include "store/walk-sealed.h"

#include <assert.h>
#include <stdlib.h>
#include <unistd.h>

struct due { /* a row that is wanted */
	uint64_t leaf;
	uint32_t row;
};

struct waiting { /* a record that was put together before its turn */
	char *bytes;
	size_t len;
};

/* The way through a block. It is open while its turn comes often; closed, it is taken up again from its next leaf on. */
struct passage {
	const struct blocks_row *row;
	uint64_t next_leaf;  /* that it has to give; before the block was opened: not above that */
	struct block *block; /* NULL: it is not open */
	int fd;
	const int64_t *ingest_ns;
	struct due *due; /* rising leaves */
	size_t due_count, at;
	struct waiting *waiting;          /* per row */
	uint8_t *wanted;                  /* per row */
	uint32_t next[RECORD_KIND_COUNT]; /* of each kind, the row to be put together next */
};

struct sealed_walk {
	struct store *store;
	const struct store_walk *options;
	uint64_t end;
	struct passage *passages;
	struct passage **heap; /* those that are not at their end, the smallest next leaf first */
	size_t heap_count, open_count;
	struct buf record;
};

static int compare_due(const void *left, const void *right)
{
	const struct due *a = left;
	const struct due *b = right;
	return (a->leaf > b->leaf) - (a->leaf < b->leaf);
}

static int no_memory(struct error *err)
{
	return error_set(err, ERR_NOMEM, "no memory to walk through a block");
}

/* Closes the block; where the passage goes on stays. */
static void passage_close(struct passage *passage)
{
	for (uint32_t row = 0; passage->waiting != NULL && row < passage->row->about.row_count;
	     row++) {
		free(passage->waiting[row].bytes);
	}
	free(passage->waiting);
	free(passage->wanted);
	free(passage->due);
	if (passage->block != NULL) {
		block_close(passage->block);
		(void)close(passage->fd); /* only read */
	}
	*passage = (struct passage){.row = passage->row, .next_leaf = passage->next_leaf};
}

/* Marks the rows of one kind that are wanted. */
static int want_kind(const struct sealed_walk *walk, struct passage *passage, unsigned kind,
		     struct error *err)
{
	const struct store_walk *options = walk->options;
	struct block_run run = block_run(passage->block, (enum record_kind)kind);
	struct block_codes sources = {0};
	bool kind_wanted = options->kinds == 0 || (options->kinds >> kind & 1) != 0;
	uint32_t wanted = UINT32_MAX;
	int rc = 0;
	passage->next[kind] = run.first;
	if (run.count == 0 || !kind_wanted) {
		return 0;
	}
	if (options->source.len > 0) {
		rc = block_source_column(passage->block, (enum record_kind)kind, &sources, err);
		for (uint32_t i = 0; rc == 0 && i < sources.dict_count; i++) {
			wanted = str_equal(sources.dict[i], options->source) ? i : wanted;
		}
	}
	const uint64_t *leaves = block_leaves(passage->block);
	for (uint32_t i = 0; rc == 0 && i < run.count; i++) {
		uint32_t row = run.first + i;
		bool fits = options->source.len == 0 ||
			    (wanted != UINT32_MAX && sources.code[i] == wanted);
		if (fits && leaves[row] >= passage->next_leaf && leaves[row] < walk->end) {
			passage->wanted[row] = 1;
			passage->due[passage->due_count++] = (struct due){leaves[row], row};
		}
	}
	return rc;
}

static int passage_open(const struct sealed_walk *walk, struct passage *passage, struct error *err)
{
	size_t rows = passage->row->about.row_count;
	int rc = blocks_open_row(walk->store->blocks, passage->row, &passage->fd, &passage->block,
				 err);
	if (rc < 0) {
		passage->block = NULL;
		return rc;
	}
	passage->waiting = calloc(rows + 1, sizeof passage->waiting[0]);
	passage->wanted = calloc(rows + 1, 1);
	passage->due = malloc((rows + 1) * sizeof passage->due[0]);
	if (passage->waiting == NULL || passage->wanted == NULL || passage->due == NULL) {
		return no_memory(err);
	}
	rc = block_ingest_times(passage->block, &passage->ingest_ns, err);
	for (unsigned kind = 1; rc == 0 && kind < RECORD_KIND_COUNT; kind++) {
		rc = want_kind(walk, passage, kind, err);
	}
	if (rc == 0 && passage->due_count > 1) {
		qsort(passage->due, passage->due_count, sizeof passage->due[0], compare_due);
	}
	return rc;
}

/* Puts a row together, to wait for its turn. */
static int put_together(struct sealed_walk *walk, struct passage *passage, uint32_t row,
			struct error *err)
{
	buf_clear(&walk->record);
	int rc = block_record(passage->block, row, &walk->record, err);
	if (rc < 0) {
		return rc;
	}
	char *bytes = malloc(walk->record.len + 1);
	if (bytes == NULL) {
		return no_memory(err);
	}
	memcpy(bytes, walk->record.ptr, walk->record.len);
	passage->waiting[row] = (struct waiting){bytes, walk->record.len};
	passage->wanted[row] = 0;
	return 0;
}

/* Puts the wanted rows of a kind together up to one of them; the others wait. One that is far away is put together alone: too many would wait. */
static int go_to_row(struct sealed_walk *walk, struct passage *passage, uint32_t row,
		     struct error *err)
{
	uint8_t kind = block_kinds(passage->block)[row];
	if (passage->waiting[row].bytes != NULL) {
		return 0;
	}
	if (row > passage->next[kind] + WALK_SEALED_WAITING) {
		return put_together(walk, passage, row, err);
	}
	while (passage->next[kind] <= row) {
		uint32_t next = passage->next[kind]++;
		int rc = passage->wanted[next] != 0 ? put_together(walk, passage, next, err) : 0;
		if (rc < 0 && (rc != -ERR_CORRUPT || next == row)) { /* told in its turn */
			return rc;
		}
	}
	return 0;
}

static int give(struct sealed_walk *walk, struct passage *passage, struct error *err)
{
	struct due due = passage->due[passage->at++];
	struct waiting *waiting = &passage->waiting[due.row];
	int rc = go_to_row(walk, passage, due.row, err);
	if (rc == 0 && waiting->bytes == NULL) { /* its damage was met when another row was due */
		buf_clear(&walk->record);
		rc = block_record(passage->block, due.row, &walk->record, err);
		rc = rc == 0 ? error_set(err, ERR_CORRUPT, "%s: leaf %llu is damaged",
					 passage->row->name, (unsigned long long)due.leaf)
			     : rc;
	}
	if (rc == -ERR_CORRUPT && walk->options->damaged != NULL) {
		walk->options->damaged(walk->options->owner, 1, err);
		error_clear(err);
		return 0;
	}
	if (rc < 0) {
		return rc;
	}
	rc = walk->options->each(walk->options->owner, due.leaf, passage->ingest_ns[due.row],
				 str_make(waiting->bytes, waiting->len), err);
	free(waiting->bytes);
	waiting->bytes = NULL;
	return rc;
}

static bool is_before(const struct passage *a, const struct passage *b)
{
	return a->next_leaf < b->next_leaf;
}

/* Puts the first passage of the heap where it belongs. */
static void sink_first(struct sealed_walk *walk)
{
	struct passage **heap = walk->heap;
	size_t at = 0;
	for (;;) {
		size_t least = 2 * at + 1;
		if (least + 1 < walk->heap_count && is_before(heap[least + 1], heap[least])) {
			least++;
		}
		if (least >= walk->heap_count || !is_before(heap[least], heap[at])) {
			return;
		}
		struct passage *moved = heap[at];
		heap[at] = heap[least];
		heap[least] = moved;
		at = least;
	}
}

static void remove_first(struct sealed_walk *walk)
{
	walk->open_count -= walk->heap[0]->block != NULL;
	passage_close(walk->heap[0]);
	walk->heap[0] = walk->heap[--walk->heap_count];
	sink_first(walk);
}

/* Closes the open passage whose turn comes last. */
static void close_last(struct sealed_walk *walk)
{
	struct passage *last = NULL;
	for (size_t i = 1; i < walk->heap_count; i++) {
		struct passage *passage = walk->heap[i];
		if (passage->block != NULL && (last == NULL || is_before(last, passage))) {
			last = passage;
		}
	}
	assert(last != NULL);
	passage_close(last);
	walk->open_count--;
}

/* Opens the block of the first passage, and learns which leaf it gives next. */
static int open_first(struct sealed_walk *walk, struct error *err)
{
	struct passage *passage = walk->heap[0];
	struct error local;
	while (walk->open_count >= WALK_SEALED_OPEN) {
		close_last(walk);
	}
	int rc = passage_open(walk, passage, &local);
	walk->open_count += passage->block != NULL;
	if (rc == 0 && passage->due_count > 0) {
		passage->next_leaf = passage->due[0].leaf;
		sink_first(walk);
		if (walk->heap[0] != passage) { /* what it was opened for is known now */
			passage_close(passage);
			walk->open_count--;
		}
		return 0;
	}
	uint64_t records = passage->row->about.row_count;
	remove_first(walk);
	if (rc == -ERR_CORRUPT && walk->options->damaged != NULL) {
		walk->options->damaged(walk->options->owner, records, &local);
		return 0;
	}
	return rc < 0 ? error_set(err, (enum error_code)local.code, "%s", local.text) : 0;
}

/* Gives the next record of the first passage. */
static int give_first(struct sealed_walk *walk, struct error *err)
{
	struct passage *passage = walk->heap[0];
	int rc = give(walk, passage, err);
	if (rc == 0 && passage->at == passage->due_count) {
		remove_first(walk);
	} else if (rc == 0) {
		passage->next_leaf = passage->due[passage->at].leaf;
		sink_first(walk);
	}
	return rc;
}

static int walk_all(struct sealed_walk *walk, struct error *err)
{
	int rc = 0;
	while (rc == 0 && walk->heap_count > 0) {
		rc = walk->heap[0]->block == NULL ? open_first(walk, err) : give_first(walk, err);
	}
	return rc;
}

/* The smallest leaf at or behind first that the block may hold; UINT64_MAX: none. */
static uint64_t least_leaf(const struct blocks_row *row, uint64_t first)
{
	for (size_t i = 0; i < row->span_count; i++) {
		if (row->spans[i].last >= first) {
			return row->spans[i].first > first ? row->spans[i].first : first;
		}
	}
	return UINT64_MAX;
}

static int compare_passages(const void *left, const void *right)
{
	const struct passage *a = *(struct passage *const *)left;
	const struct passage *b = *(struct passage *const *)right;
	return (a->next_leaf > b->next_leaf) - (a->next_leaf < b->next_leaf);
}

static void make_heap(struct sealed_walk *walk)
{
	const struct blocks_list *list = walk->store->sealed;
	for (size_t i = 0; i < list->count; i++) {
		struct passage *passage = &walk->passages[i];
		passage->row = &list->rows[i];
		passage->next_leaf = least_leaf(passage->row, walk->options->first);
		if (passage->next_leaf < walk->end) {
			walk->heap[walk->heap_count++] = passage;
		}
	}
	if (walk->heap_count > 1) { /* what is sorted is a heap */
		qsort(walk->heap, walk->heap_count, sizeof walk->heap[0], compare_passages);
	}
}

static int tell_list(const struct sealed_walk *walk, struct error *err)
{
	const struct error *damage = &walk->store->sealed_damage;
	if (damage->code == 0) {
		return 0;
	}
	if (walk->options->damaged != NULL) {
		walk->options->damaged(walk->options->owner, 0, damage);
		return 0;
	}
	return error_set(err, ERR_CORRUPT, "%s", damage->text);
}

int walk_sealed(struct store *store, const struct store_walk *options, uint64_t end,
		struct error *err)
{
	const struct blocks_list *list = store->sealed;
	struct sealed_walk walk = {.store = store, .options = options, .end = end};
	walk.passages = calloc(list->count + 1, sizeof walk.passages[0]);
	walk.heap = calloc(list->count + 1, sizeof walk.heap[0]);
	if (walk.passages == NULL || walk.heap == NULL) {
		free(walk.passages);
		free(walk.heap);
		return no_memory(err);
	}
	buf_init(&walk.record, RECORD_MAX_BYTES);
	make_heap(&walk);
	int rc = tell_list(&walk, err);
	rc = rc < 0 ? rc : walk_all(&walk, err);
	for (size_t i = 0; i < walk.heap_count; i++) {
		passage_close(walk.heap[i]);
	}
	buf_done(&walk.record);
	free(walk.passages);
	free(walk.heap);
	return rc;
}
