#include "store/blocks-inner.h"

#include <assert.h>
#include <stdlib.h>

#define FILTERS_KEPT_BYTES ((size_t)160 << 20)

struct blocks *blocks_new(const char *dir, struct catalog *catalog, const uint8_t *key)
{
	struct blocks *blocks = calloc(1, sizeof *blocks);
	if (blocks != NULL) {
		buf_init(&blocks->filter, 0);
		arena_init(&blocks->spans, SIZE_MAX);
		blocks->dir = dir;
		blocks->catalog = catalog;
		blocks->key = key;
	}
	return blocks;
}

void blocks_use_key(struct blocks *blocks, const uint8_t *key)
{
	blocks->key = key;
}

void blocks_use_gauge(struct blocks *blocks, struct gauge *gauge)
{
	blocks->gauge = gauge;
}

static void forget_list(struct blocks *blocks)
{
	for (size_t i = 0; blocks->filters != NULL && i < blocks->list.count; i++) {
		free(blocks->filters[i].kept[0]);
		free(blocks->filters[i].kept[1]);
	}
	free(blocks->filters);
	free(blocks->list.rows);
	free(blocks->places);
	arena_done(&blocks->spans);
	arena_init(&blocks->spans, SIZE_MAX);
	blocks->filters = NULL;
	blocks->filter_bytes = 0;
	blocks->list = (struct blocks_list){0};
	blocks->places = NULL;
	blocks->place_count = 0;
	blocks->loaded = false;
}

void blocks_free(struct blocks *blocks)
{
	if (blocks == NULL) {
		return;
	}
	for (size_t i = 0; i < BLOCKS_OPEN_MAX; i++) {
		blocks_close_one(&blocks->open[i]);
	}
	forget_list(blocks);
	buf_done(&blocks->filter);
	free(blocks);
}

static int no_memory(struct error *err)
{
	return error_set(err, ERR_NOMEM, "no memory for the list of blocks");
}

static int read_rows(struct blocks *blocks, sqlite3_stmt *statement, struct error *err)
{
	struct blocks_list *list = &blocks->list;
	size_t room = 0;
	int step = sqlite3_step(statement);
	for (; step == SQLITE_ROW; step = sqlite3_step(statement)) {
		struct error local;
		if (list->count == room) {
			room = room > 0 ? room * 2 : 64;
			struct blocks_row *rows = realloc(list->rows, room * sizeof rows[0]);
			if (rows == NULL) {
				return no_memory(err);
			}
			list->rows = rows;
		}
		struct blocks_row *row = &list->rows[list->count];
		int rc = blocks_take_row(blocks->catalog, statement, &blocks->spans, row, &local);
		if (rc == 0 && list->count > 0 && row[-1].about.number >= row->about.number) {
			rc = error_set(&local, ERR_CORRUPT, "%s: block %llu comes twice",
				       blocks->catalog->path,
				       (unsigned long long)row->about.number);
		}
		if (rc == -ERR_NOMEM) {
			return no_memory(err);
		}
		if (rc == 0) {
			list->count++;
		} else if (blocks->damage.code == 0) {
			blocks->damage = local;
		}
	}
	return step == SQLITE_DONE
		       ? 0
		       : catalog_error(blocks->catalog, step, "reading the list of blocks", err);
}

static int compare_places(const void *left, const void *right)
{
	const struct blocks_place *a = left;
	const struct blocks_place *b = right;
	return (a->span.first > b->span.first) - (a->span.first < b->span.first);
}

static int make_places(struct blocks *blocks, struct error *err)
{
	const struct blocks_list *list = &blocks->list;
	size_t count = 0;
	for (size_t i = 0; i < list->count; i++) {
		count += list->rows[i].span_count;
	}
	blocks->places = malloc((count + 1) * sizeof blocks->places[0]);
	if (blocks->places == NULL) {
		return no_memory(err);
	}
	blocks->place_count = count;
	size_t at = 0;
	for (size_t i = 0; i < list->count; i++) {
		for (size_t s = 0; s < list->rows[i].span_count; s++) {
			blocks->places[at++] =
				(struct blocks_place){.span = list->rows[i].spans[s], .row = i};
		}
	}
	if (count > 1) {
		qsort(blocks->places, count, sizeof blocks->places[0], compare_places);
	}
	uint64_t reach = 0;
	for (size_t i = 0; i < count; i++) {
		struct blocks_place *place = &blocks->places[i];
		reach = place->span.last > reach ? place->span.last : reach;
		place->reach = reach;
	}
	return 0;
}

/* Blocks whose rows are gone are closed; their numbers never come again. */
static void close_gone(struct blocks *blocks)
{
	for (size_t i = 0; i < BLOCKS_OPEN_MAX; i++) {
		bool known = false;
		for (size_t r = 0; r < blocks->list.count && !known; r++) {
			known = blocks->list.rows[r].about.number == blocks->open[i].number;
		}
		if (!known && blocks->open[i].pins == 0) {
			blocks_close_one(&blocks->open[i]);
		}
	}
}

static int load(struct blocks *blocks, struct error *err)
{
	CATALOG_FINALIZE sqlite3_stmt *statement = NULL;
	error_clear(&blocks->damage);
	int rc = catalog_prepare(blocks->catalog, CATALOG_BLOCK_LIST, &statement, err);
	rc = rc < 0 ? rc : read_rows(blocks, statement, err);
	rc = rc < 0 ? rc : make_places(blocks, err);
	if (rc < 0) {
		forget_list(blocks);
		return rc;
	}
	close_gone(blocks);
	blocks->loaded = true;
	return 0;
}

int blocks_load(struct blocks *blocks, const struct blocks_list **out_list, struct error *damage,
		struct error *err)
{
	uint64_t changes = 0;
	int rc = blocks_changes(blocks->catalog, &changes, err);
	if (rc == 0 && (!blocks->loaded || changes != blocks->changes)) {
		forget_list(blocks);
		rc = load(blocks, err);
		blocks->changes = changes;
	}
	if (rc == 0 && damage != NULL) {
		*damage = blocks->damage;
	}
	if (rc == 0) {
		*out_list = &blocks->list;
	}
	return rc;
}

/* The last place that begins at or before the leaf, as an index; place_count: none. */
static size_t place_before(const struct blocks *blocks, uint64_t leaf)
{
	size_t low = 0;
	size_t high = blocks->place_count;
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		if (blocks->places[middle].span.first <= leaf) {
			low = middle + 1;
		} else {
			high = middle;
		}
	}
	return low > 0 ? low - 1 : blocks->place_count;
}

int blocks_find_leaf(struct blocks *blocks, uint64_t leaf, struct block **out_block,
		     uint32_t *out_row, struct error *err)
{
	struct error damage;
	int rc = 0;
	error_clear(&damage);
	size_t at = place_before(blocks, leaf);
	while (at < blocks->place_count && blocks->places[at].reach >= leaf) {
		const struct blocks_place *place = &blocks->places[at];
		struct block *block = NULL;
		if (place->span.last >= leaf) {
			struct error local;
			uint32_t row = BLOCK_NO_ROW;
			rc = blocks_get_slim(blocks, &blocks->list.rows[place->row], &block,
					     &local);
			rc = rc < 0 ? rc : block_find_leaf(block, leaf, &row, &local);
			if (rc < 0 && damage.code == 0) {
				damage = local;
			}
			if (row != BLOCK_NO_ROW) {
				*out_block = block;
				*out_row = row;
				return 0;
			}
		}
		at = at > 0 ? at - 1 : blocks->place_count;
	}
	if (damage.code != 0) {
		return error_set(err, (enum error_code)damage.code, "leaf %llu: %s",
				 (unsigned long long)leaf, damage.text);
	}
	return error_set(err, ERR_GONE, "no block holds leaf %llu", (unsigned long long)leaf);
}

/* A filter that is asked for again stays, as long as there is room. */
static void keep_filter(struct blocks *blocks, struct blocks_filters *filters,
			enum blocks_blob which, const struct id_filter *filter)
{
	struct str bytes = buf_str(&blocks->filter);
	bool was_asked = filters->was_asked[which];
	filters->was_asked[which] = true;
	if (!was_asked || bytes.len > FILTERS_KEPT_BYTES - blocks->filter_bytes) {
		return;
	}
	char *kept = malloc(bytes.len);
	if (kept != NULL) { /* without memory it is read again */
		memcpy(kept, bytes.ptr, bytes.len);
		filters->kept[which] = kept;
		filters->filter[which] = *filter;
		filters->filter[which].fingerprints =
			(uint8_t *)kept + (filter->fingerprints - (const uint8_t *)bytes.ptr);
		blocks->filter_bytes += bytes.len;
	}
}

/* Reads a filter from the catalog and asks it. */
static int ask_filter(struct blocks *blocks, const struct blocks_asked *asked, bool *out_may,
		      struct error *err)
{
	const struct blocks_row *row = &blocks->list.rows[asked->index];
	struct id_filter filter;
	buf_clear(&blocks->filter);
	int rc =
		blocks_blob(blocks->catalog, row->about.number, asked->which, &blocks->filter, err);
	if (rc == 0 && blocks->filter.len == 0) {
		*out_may = true;
		return 0;
	}
	rc = rc < 0 ? rc : id_filter_open(buf_str(&blocks->filter), &filter, err);
	if (rc < 0) {
		error_prefix(err, "%s", row->name);
		return rc;
	}
	*out_may = id_filter_may_hold(&filter, asked->key);
	keep_filter(blocks, &blocks->filters[asked->index], asked->which, &filter);
	return 0;
}

int blocks_may_hold(struct blocks *blocks, const struct blocks_asked *asked, bool *out_may,
		    struct error *err)
{
	assert(asked->index < blocks->list.count && asked->which != BLOCKS_SUMMARY);
	if (blocks->filters == NULL) {
		blocks->filters = calloc(blocks->list.count, sizeof blocks->filters[0]);
		if (blocks->filters == NULL) {
			return no_memory(err);
		}
	}
	const struct blocks_filters *filters = &blocks->filters[asked->index];
	if (filters->kept[asked->which] == NULL) {
		return ask_filter(blocks, asked, out_may, err);
	}
	*out_may = id_filter_may_hold(&filters->filter[asked->which], asked->key);
	return 0;
}
