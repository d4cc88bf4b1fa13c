#include "store/walk-sealed.h"

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

/* A block that is being walked through. */
struct passage {
	const struct blocks_row *row;
	struct block *block; /* NULL: none */
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
	const struct blocks_row **order; /* by smallest leaf */
	size_t order_count, opened;
	struct passage *passages;
	size_t passage_count;
	struct buf record;
};

static int compare_rows(const void *left, const void *right)
{
	const struct blocks_row *a = *(const struct blocks_row *const *)left;
	const struct blocks_row *b = *(const struct blocks_row *const *)right;
	return (a->about.min_leaf > b->about.min_leaf) - (a->about.min_leaf < b->about.min_leaf);
}

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

static void passage_done(struct passage *passage)
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
	*passage = (struct passage){0};
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
		if (fits && leaves[row] >= options->first && leaves[row] < walk->end) {
			passage->wanted[row] = 1;
			passage->due[passage->due_count++] = (struct due){leaves[row], row};
		}
	}
	return rc;
}

static int passage_open(const struct sealed_walk *walk, const struct blocks_row *row,
			struct passage *passage, struct error *err)
{
	size_t rows = row->about.row_count;
	*passage = (struct passage){.row = row};
	int rc = blocks_open_row(walk->store->blocks, row, &passage->fd, &passage->block, err);
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

/* Puts the wanted rows of a kind together up to one of them; the others wait. */
static int go_to_row(struct sealed_walk *walk, struct passage *passage, uint32_t row,
		     struct error *err)
{
	uint8_t kind = block_kinds(passage->block)[row];
	while (passage->next[kind] <= row) {
		uint32_t next = passage->next[kind]++;
		if (passage->wanted[next] == 0) {
			continue;
		}
		buf_clear(&walk->record);
		int rc = block_record(passage->block, next, &walk->record, err);
		if (rc == -ERR_CORRUPT && next != row) { /* told in its turn */
			continue;
		}
		if (rc < 0) {
			return rc;
		}
		char *bytes = malloc(walk->record.len + 1);
		if (bytes == NULL) {
			return no_memory(err);
		}
		memcpy(bytes, walk->record.ptr, walk->record.len);
		passage->waiting[next] = (struct waiting){bytes, walk->record.len};
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

/* Opens the blocks that may hold a leaf at or below the smallest that is due. */
static int open_more(struct sealed_walk *walk, uint64_t due, struct error *err)
{
	while (walk->opened < walk->order_count &&
	       (walk->passage_count == 0 || walk->order[walk->opened]->about.min_leaf <= due)) {
		const struct blocks_row *row = walk->order[walk->opened++];
		struct passage *passage = &walk->passages[walk->passage_count];
		if (row->about.max_leaf < walk->options->first) {
			continue;
		}
		struct error local;
		int rc = passage_open(walk, row, passage, &local);
		if (rc == 0 && passage->due_count > 0) {
			walk->passage_count++;
			due = passage->due[0].leaf < due ? passage->due[0].leaf : due;
			continue;
		}
		passage_done(passage);
		if (rc == -ERR_CORRUPT && walk->options->damaged != NULL) {
			walk->options->damaged(walk->options->owner, row->about.row_count, &local);
		} else if (rc < 0) {
			return error_set(err, (enum error_code)local.code, "%s", local.text);
		}
	}
	return 0;
}

/* The passage whose next leaf is the smallest; NULL: none is left. */
static struct passage *find_next(struct sealed_walk *walk)
{
	struct passage *next = NULL;
	for (size_t i = 0; i < walk->passage_count;) {
		struct passage *passage = &walk->passages[i];
		if (passage->at == passage->due_count) {
			passage_done(passage);
			*passage = walk->passages[--walk->passage_count];
			continue;
		}
		bool sooner =
			next == NULL || passage->due[passage->at].leaf < next->due[next->at].leaf;
		next = sooner ? passage : next;
		i++;
	}
	return next;
}

static int walk_all(struct sealed_walk *walk, struct error *err)
{
	for (;;) {
		struct passage *next = find_next(walk);
		uint64_t due = next != NULL ? next->due[next->at].leaf : UINT64_MAX;
		size_t opened = walk->opened;
		int rc = open_more(walk, due, err);
		if (rc < 0) {
			return rc;
		}
		if (walk->opened != opened) {
			continue; /* another block may come first */
		}
		if (next == NULL) {
			return 0;
		}
		rc = give(walk, next, err);
		if (rc != 0) {
			return rc;
		}
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
	walk.order = calloc(list->count + 1, sizeof walk.order[0]);
	walk.passages = calloc(list->count + 1, sizeof walk.passages[0]);
	if (walk.order == NULL || walk.passages == NULL) {
		free(walk.order);
		free(walk.passages);
		return no_memory(err);
	}
	buf_init(&walk.record, RECORD_MAX_BYTES);
	for (size_t i = 0; i < list->count; i++) {
		walk.order[walk.order_count++] = &list->rows[i];
	}
	if (walk.order_count > 1) {
		qsort(walk.order, walk.order_count, sizeof walk.order[0], compare_rows);
	}
	int rc = tell_list(&walk, err);
	rc = rc < 0 ? rc : walk_all(&walk, err);
	for (size_t i = 0; i < walk.passage_count; i++) {
		passage_done(&walk.passages[i]);
	}
	buf_done(&walk.record);
	free(walk.order);
	free(walk.passages);
	return rc;
}
