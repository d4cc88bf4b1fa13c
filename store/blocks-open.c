#include "store/blocks-inner.h"

#include "base/clock.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#define PATH_BYTES      4096
#define BLOCKS_PINS_MAX 64

void blocks_close_one(struct blocks_opened *opened)
{
	if (opened->number != 0) {
		block_close(opened->block);
		(void)close(opened->fd); /* only read */
	}
	*opened = (struct blocks_opened){0};
}

void blocks_rest(struct blocks *blocks)
{
	for (size_t i = 0; i < BLOCKS_OPEN_MAX; i++) {
		if (blocks->open[i].pins == 0) {
			blocks_close_one(&blocks->open[i]);
		}
	}
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

static int open_slim(struct blocks *blocks, const struct blocks_row *row,
		     struct blocks_opened *opened, struct error *err)
{
	int fd = -1;
	struct block *block = NULL;
	int rc = open_file(blocks, row, &fd, err);
	if (rc < 0) {
		return rc;
	}
	struct block_place place = {.fd = fd,
				    .name = row->name,
				    .number = row->about.number,
				    .key = blocks->key,
				    .gauge = blocks->gauge};
	rc = block_open_slim(&place, &block, err);
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

static int open_told(struct blocks *blocks, const struct blocks_row *row,
		     struct blocks_opened *opened, struct error *err)
{
	int rc = open_slim(blocks, row, opened, err);
	if (rc == -ERR_CORRUPT) {
		blocks_tell_loss(row, err);
	}
	return rc;
}

/* Reads what a slim block lacks; closes it when it is damaged. */
static int complete(const struct blocks_row *row, struct blocks_opened *opened, struct error *err)
{
	int rc = block_complete(opened->block, err);
	if (rc == -ERR_CORRUPT) {
		blocks_tell_loss(row, err);
	}
	if (rc < 0) {
		blocks_close_one(opened);
	}
	return rc;
}

int blocks_open_row(struct blocks *blocks, const struct blocks_row *row, int *out_fd,
		    struct block **out_block, struct error *err)
{
	struct blocks_opened opened = {.number = row->about.number};
	int rc = open_told(blocks, row, &opened, err);
	if (rc == 0) {
		rc = complete(row, &opened, err);
	}
	if (rc == 0) {
		*out_fd = opened.fd;
		*out_block = opened.block;
	}
	return rc;
}

/* The one that was not used for longest; NULL: none can be closed. */
static struct blocks_opened *find_oldest(struct blocks *blocks)
{
	struct blocks_opened *oldest = NULL;
	for (size_t i = 0; i < BLOCKS_OPEN_MAX; i++) {
		struct blocks_opened *opened = &blocks->open[i];
		bool older = oldest == NULL || opened->used < oldest->used;
		oldest = opened->number != 0 && opened->pins == 0 && older ? opened : oldest;
	}
	return oldest;
}

/* An empty place, with room for the rows of one more block. */
static struct blocks_opened *make_place(struct blocks *blocks, uint32_t row_count)
{
	for (;;) {
		struct blocks_opened *empty = NULL;
		uint64_t rows = row_count;
		for (size_t i = 0; i < BLOCKS_OPEN_MAX; i++) {
			struct blocks_opened *opened = &blocks->open[i];
			empty = opened->number == 0 ? opened : empty;
			rows += opened->number != 0 ? block_about(opened->block)->row_count : 0;
		}
		struct blocks_opened *oldest = find_oldest(blocks);
		if (empty != NULL && (rows <= BLOCKS_OPEN_ROWS || oldest == NULL)) {
			return empty;
		}
		assert(oldest != NULL); /* few scans are open at a time */
		blocks_close_one(oldest);
	}
}

static struct blocks_opened *find_open(struct blocks *blocks, uint64_t number)
{
	for (size_t i = 0; i < BLOCKS_OPEN_MAX; i++) {
		if (blocks->open[i].number == number) {
			return &blocks->open[i];
		}
	}
	return NULL;
}

/* Lets a block that was opened stay open. */
static struct blocks_opened *keep_open(struct blocks *blocks, const struct blocks_row *row,
				       const struct blocks_opened *opened)
{
	struct blocks_opened *place = make_place(blocks, row->about.row_count);
	*place = *opened;
	place->number = row->about.number;
	place->used = ++blocks->uses;
	return place;
}

static int get(struct blocks *blocks, const struct blocks_row *row,
	       struct blocks_opened **out_opened, struct error *err)
{
	struct blocks_opened *known = find_open(blocks, row->about.number);
	struct blocks_opened opened = {0};
	if (known != NULL) {
		known->used = ++blocks->uses;
		*out_opened = known;
		return 0;
	}
	int rc = open_told(blocks, row, &opened, err);
	if (rc == 0) {
		*out_opened = keep_open(blocks, row, &opened);
	}
	return rc;
}

int blocks_get(struct blocks *blocks, const struct blocks_row *row, struct block **out_block,
	       struct error *err)
{
	struct blocks_opened *opened = NULL;
	int rc = get(blocks, row, &opened, err);
	rc = rc < 0 ? rc : complete(row, opened, err);
	if (rc == 0) {
		*out_block = opened->block;
	}
	return rc;
}

int blocks_get_slim(struct blocks *blocks, const struct blocks_row *row, struct block **out_block,
		    struct error *err)
{
	struct blocks_opened *opened = NULL;
	int rc = get(blocks, row, &opened, err);
	if (rc == 0) {
		*out_block = opened->block;
	}
	return rc;
}

int blocks_look_into(struct blocks *blocks, const struct blocks_row *row,
		     const struct blocks_look *look, bool *out_may, struct error *err)
{
	struct blocks_opened opened = {0};
	*out_may = find_open(blocks, row->about.number) != NULL;
	if (*out_may) {
		return 0; /* it is as quick to look for the rows */
	}
	int rc = open_told(blocks, row, &opened, err);
	if (rc < 0) {
		return rc;
	}
	for (size_t i = 0; rc == 0 && !*out_may && i < look->field_count; i++) {
		rc = block_may_have(opened.block, look->fields[i], look->text, out_may, err);
	}
	if (rc == 0 && *out_may) {
		(void)keep_open(blocks, row, &opened); /* is asked for next */
		return 0;
	}
	block_close(opened.block);
	(void)close(opened.fd); /* only read */
	return rc;
}

struct block *blocks_pin(struct blocks *blocks, uint64_t number)
{
	struct blocks_opened *opened = find_open(blocks, number);
	struct error err; /* whoever opens it anew is told */
	if (opened == NULL || opened->pins == BLOCKS_PINS_MAX ||
	    block_complete(opened->block, &err) < 0) {
		return NULL;
	}
	opened->pins++;
	return opened->block;
}

void blocks_unpin(struct blocks *blocks, uint64_t number)
{
	for (size_t i = 0; i < BLOCKS_OPEN_MAX; i++) {
		struct blocks_opened *opened = &blocks->open[i];
		if (opened->number == number) {
			assert(opened->pins > 0);
			opened->pins--;
		}
	}
}
