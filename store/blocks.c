#include "store/blocks.h"

#include "base/clock.h"

#include "store/id-filter.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define PATH_BYTES      4096
#define BLOCKS_PINS_MAX 64

#define FILTERS_KEPT_BYTES ((size_t)160 << 20)

/* A span and whose it is; sorted by first. */
struct place {
	struct blocks_span span;
	uint64_t reach; /* the largest last of this one and all before it */
	size_t row;     /* in the list */
};

struct opened {
	uint64_t number; /* 0: none */
	struct block *block;
	int fd;
	char name[BLOCKS_NAME_BYTES]; /* which the block borrows */
	uint64_t used;
	unsigned pins; /* of scans that stand on it */
	bool is_slim;  /* to be opened by block_open_slim; never among those that stay open */
};

/* The filters of a block that was asked for twice: who asks once, as a command does, needs them in memory one after the other only. */
struct filters {
	char *kept[2]; /* by BLOCKS_FILTER_IDS and _RECORDS; NULL: not kept */
	struct id_filter filter[2];
	bool was_asked[2];
};

struct blocks {
	const char *dir;
	struct catalog *catalog;
	const uint8_t *key;
	bool loaded;
	uint64_t changes; /* of the list that is loaded */
	struct blocks_list list;
	struct arena spans;  /* of the list */
	struct error damage; /* of the first row that could not be read */
	struct place *places;
	size_t place_count;
	struct filters *filters; /* per row of the list; NULL: none was asked for */
	size_t filter_bytes;     /* that are kept */
	struct buf filter;       /* the one that was read last */
	struct opened open[BLOCKS_OPEN_MAX];
	uint64_t uses;
	struct gauge *gauge;
};

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

static void close_one(struct opened *opened)
{
	if (opened->number != 0) {
		block_close(opened->block);
		(void)close(opened->fd); /* only read */
	}
	*opened = (struct opened){0};
}

void blocks_rest(struct blocks *blocks)
{
	for (size_t i = 0; i < BLOCKS_OPEN_MAX; i++) {
		if (blocks->open[i].pins == 0) {
			close_one(&blocks->open[i]);
		}
	}
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
		close_one(&blocks->open[i]);
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
		int rc = blocks_take_row(blocks->catalog, statement, &blocks->spans,
					 &list->rows[list->count], &local);
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
	const struct place *a = left;
	const struct place *b = right;
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
				(struct place){.span = list->rows[i].spans[s], .row = i};
		}
	}
	if (count > 1) {
		qsort(blocks->places, count, sizeof blocks->places[0], compare_places);
	}
	uint64_t reach = 0;
	for (size_t i = 0; i < count; i++) {
		struct place *place = &blocks->places[i];
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
			close_one(&blocks->open[i]);
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
	int rc = 0;
	if (blocks->catalog->has_blocks) {
		rc = blocks_changes(blocks->catalog, &changes, err);
		if (rc == 0 && (!blocks->loaded || changes != blocks->changes)) {
			forget_list(blocks);
			rc = load(blocks, err);
			blocks->changes = changes;
		}
	}
	if (rc == 0 && damage != NULL) {
		*damage = blocks->damage;
	}
	if (rc == 0) {
		*out_list = &blocks->list;
	}
	return rc;
}

/* The file must be there, as long as the row says. */
static int open_file(struct blocks *blocks, const struct blocks_row *row, int *out_fd,
		     struct error *err)
{
	char path[PATH_BYTES];
	struct stat st;
	int len = snprintf(path, sizeof path, "%s/%s", blocks->dir, row->name);
	if (len < 0 || (size_t)len >= sizeof path) {
		return error_set(err, ERR_CONFIG, "the path of %s is too long", row->name);
	}
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	if (fd < 0 && (errno == ENOENT || errno == ENOTDIR || errno == ELOOP)) {
		return error_set(err, ERR_CORRUPT, "%s is missing", path);
	}
	if (fd < 0 || fstat(fd, &st) != 0) {
		int rc = error_errno(err, "%s can't be read", path);
		if (fd >= 0) {
			(void)close(fd); /* only read */
		}
		return rc;
	}
	if ((uint64_t)st.st_size != row->file_bytes) {
		(void)close(fd); /* only read */
		return error_set(err, ERR_CORRUPT, "%s is damaged: it has %lld bytes, not %llu",
				 path, (long long)st.st_size, (unsigned long long)row->file_bytes);
	}
	*out_fd = fd;
	return 0;
}

void blocks_tell_loss(const struct blocks_row *row, struct error *err)
{
	struct buf text;
	if (err == NULL) {
		return;
	}
	buf_init(&text, 0);
	buf_putf(&text, "%s; it holds %u records of ", err->text, row->about.row_count);
	clock_put_rfc3339(&text, row->about.min_time_ns, 0);
	buf_put_text(&text, " to ");
	clock_put_rfc3339(&text, row->about.max_time_ns, 0);
	if (!text.failed) {
		(void)error_set(err, (enum error_code)err->code, "%.*s", STR_ARG(buf_str(&text)));
	}
	buf_done(&text);
}

/* Opens into opened, whose name the block borrows. */
static int open_whole(struct blocks *blocks, const struct blocks_row *row, const char *name,
		      struct opened *opened, struct error *err)
{
	int fd = -1;
	struct block *block = NULL;
	int rc = open_file(blocks, row, &fd, err);
	if (rc < 0) {
		return rc;
	}
	struct block_place place = {.fd = fd,
				    .name = name,
				    .number = row->about.number,
				    .key = blocks->key,
				    .gauge = blocks->gauge};
	rc = opened->is_slim ? block_open_slim(&place, &block, err)
			     : block_open(&place, &block, err);
	if (rc == 0 && block_about(block)->row_count != row->about.row_count) {
		block_close(block);
		rc = error_set(err, ERR_CORRUPT, "%s is damaged: it has %u records, not %u",
			       row->name, block_about(block)->row_count, row->about.row_count);
	}
	if (rc < 0) {
		(void)close(fd); /* only read */
		return rc;
	}
	opened->fd = fd;
	opened->block = block;
	return 0;
}

static int open_as(struct blocks *blocks, const struct blocks_row *row, const char *name,
		   struct opened *opened, struct error *err)
{
	int rc = open_whole(blocks, row, name, opened, err);
	if (rc == -ERR_CORRUPT) {
		blocks_tell_loss(row, err);
	}
	return rc;
}

int blocks_open_row(struct blocks *blocks, const struct blocks_row *row, int *out_fd,
		    struct block **out_block, struct error *err)
{
	struct opened opened = {0};
	int rc = open_as(blocks, row, row->name, &opened, err);
	if (rc == 0) {
		*out_fd = opened.fd;
		*out_block = opened.block;
	}
	return rc;
}

/* The one that was not used for longest; NULL: none can be closed. */
static struct opened *find_oldest(struct blocks *blocks)
{
	struct opened *oldest = NULL;
	for (size_t i = 0; i < BLOCKS_OPEN_MAX; i++) {
		struct opened *opened = &blocks->open[i];
		bool older = oldest == NULL || opened->used < oldest->used;
		oldest = opened->number != 0 && opened->pins == 0 && older ? opened : oldest;
	}
	return oldest;
}

/* An empty place, with room for the rows of one more block. */
static struct opened *make_place(struct blocks *blocks, uint32_t row_count)
{
	for (;;) {
		struct opened *empty = NULL;
		uint64_t rows = row_count;
		for (size_t i = 0; i < BLOCKS_OPEN_MAX; i++) {
			struct opened *opened = &blocks->open[i];
			empty = opened->number == 0 ? opened : empty;
			rows += opened->number != 0 ? block_about(opened->block)->row_count : 0;
		}
		struct opened *oldest = find_oldest(blocks);
		if (empty != NULL && (rows <= BLOCKS_OPEN_ROWS || oldest == NULL)) {
			return empty;
		}
		assert(oldest != NULL); /* few scans are open at a time */
		close_one(oldest);
	}
}

int blocks_get(struct blocks *blocks, const struct blocks_row *row, struct block **out_block,
	       struct error *err)
{
	for (size_t i = 0; i < BLOCKS_OPEN_MAX; i++) {
		struct opened *opened = &blocks->open[i];
		if (opened->number == row->about.number) {
			opened->used = ++blocks->uses;
			*out_block = opened->block;
			return 0;
		}
	}
	struct opened *place = make_place(blocks, row->about.row_count);
	memcpy(place->name, row->name, sizeof place->name);
	int rc = open_as(blocks, row, place->name, place, err);
	if (rc < 0) {
		*place = (struct opened){0};
		return rc;
	}
	place->number = row->about.number;
	place->used = ++blocks->uses;
	*out_block = place->block;
	return 0;
}

int blocks_look_into(struct blocks *blocks, const struct blocks_row *row,
		     const struct blocks_look *look, bool *out_may, struct error *err)
{
	struct opened opened = {.is_slim = true};
	for (size_t i = 0; i < BLOCKS_OPEN_MAX; i++) {
		if (blocks->open[i].number == row->about.number) {
			*out_may = true; /* it is as quick to look for the rows */
			return 0;
		}
	}
	int rc = open_as(blocks, row, row->name, &opened, err);
	if (rc < 0) {
		return rc;
	}
	*out_may = false;
	for (size_t i = 0; rc == 0 && !*out_may && i < look->field_count; i++) {
		rc = block_may_have(opened.block, look->fields[i], look->text, out_may, err);
	}
	block_close(opened.block);
	(void)close(opened.fd); /* only read */
	return rc;
}

struct block *blocks_pin(struct blocks *blocks, uint64_t number)
{
	for (size_t i = 0; i < BLOCKS_OPEN_MAX; i++) {
		struct opened *opened = &blocks->open[i];
		if (opened->number == number && opened->pins < BLOCKS_PINS_MAX) {
			opened->pins++;
			return opened->block;
		}
	}
	return NULL;
}

void blocks_unpin(struct blocks *blocks, uint64_t number)
{
	for (size_t i = 0; i < BLOCKS_OPEN_MAX; i++) {
		struct opened *opened = &blocks->open[i];
		if (opened->number == number) {
			assert(opened->pins > 0);
			opened->pins--;
		}
	}
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
		const struct place *place = &blocks->places[at];
		struct block *block = NULL;
		if (place->span.last >= leaf) {
			struct error local;
			rc = blocks_get(blocks, &blocks->list.rows[place->row], &block, &local);
			if (rc < 0 && damage.code == 0) {
				damage = local;
			}
			uint32_t row = rc == 0 ? block_row_of(block, leaf) : BLOCK_NO_ROW;
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
static void keep_filter(struct blocks *blocks, struct filters *filters, enum blocks_blob which,
			const struct id_filter *filter)
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
	const struct filters *filters = &blocks->filters[asked->index];
	if (filters->kept[asked->which] == NULL) {
		return ask_filter(blocks, asked, out_may, err);
	}
	*out_may = id_filter_may_hold(&filters->filter[asked->which], asked->key);
	return 0;
}
