#include "query/layout.h"

#include "base/utf8.h"

#define ELLIPSIS "\xe2\x80\xa6"

void layout_begin(struct layout_column *columns, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		columns[i].wanted = strlen(columns[i].title);
		columns[i].width = 0;
	}
}

void layout_see(struct layout_column *column, size_t width)
{
	if (width > column->wanted) {
		column->wanted = width;
	}
}

static size_t smaller(size_t a, size_t b)
{
	return a < b ? a : b;
}

static size_t wanted_width(const struct layout_column *column)
{
	return column->most != 0 ? smaller(column->wanted, column->most) : column->wanted;
}

static size_t total(const struct layout_column *columns, size_t count)
{
	size_t sum = 0;
	for (size_t i = 0; i < count; i++) {
		if (columns[i].width > 0) {
			sum += columns[i].width + (sum > 0 ? LAYOUT_GAP : 0);
		}
	}
	return sum;
}

/* The column to leave out next: the one with the smallest importance that is not 0. */
static struct layout_column *least_important(struct layout_column *columns, size_t count)
{
	struct layout_column *least = NULL;
	for (size_t i = 0; i < count; i++) {
		if (columns[i].width > 0 && columns[i].importance > 0 &&
		    (least == NULL || columns[i].importance < least->importance)) {
			least = &columns[i];
		}
	}
	return least;
}

/* The column that grows next: the most important one that has not what it wants. */
static struct layout_column *next_to_grow(struct layout_column *columns, size_t count)
{
	struct layout_column *best = NULL;
	for (size_t i = 0; i < count; i++) {
		struct layout_column *column = &columns[i];
		if (column->width == 0 || column->width >= wanted_width(column)) {
			continue;
		}
		unsigned rank = column->importance == 0 ? UINT32_MAX : column->importance;
		unsigned best_rank = best == NULL            ? 0
				     : best->importance == 0 ? UINT32_MAX
							     : best->importance;
		if (best == NULL || rank > best_rank) {
			best = column;
		}
	}
	return best;
}

void layout_decide(struct layout_column *columns, size_t count, size_t width)
{
	for (size_t i = 0; i < count; i++) {
		size_t wanted = columns[i].wanted;
		bool whole =
			width == 0 || columns[i].right; /* a number that is cut is a wrong number */
		columns[i].width = whole ? wanted : smaller(columns[i].least, wanted);
	}
	if (width == 0) {
		return;
	}
	struct layout_column *column;
	while (total(columns, count) > width &&
	       (column = least_important(columns, count)) != NULL) {
		column->width = 0;
	}
	size_t used = total(columns, count);
	while (used < width && (column = next_to_grow(columns, count)) != NULL) {
		size_t grown = smaller(wanted_width(column) - column->width, width - used);
		column->width += grown;
		used += grown;
	}
	struct layout_column *last = &columns[count - 1];
	if (last->width > 0 && used < width && last->wanted > last->width) {
		last->width += smaller(last->wanted - last->width, width - used);
	}
}

void layout_put_cell(struct buf *out, const struct layout_column *column, struct str cell,
		     bool is_last, bool cut)
{
	size_t width = utf8_width(cell);
	if (cut && width > column->width) {
		struct str fitting = utf8_fit(cell, column->width > 0 ? column->width - 1 : 0);
		size_t pad = column->width - 1 - utf8_width(fitting);
		buf_put_str(out, fitting);
		buf_put_text(out, ELLIPSIS);
		buf_put_fill(out, ' ', is_last ? 0 : pad);
		return;
	}
	size_t pad = width < column->width ? column->width - width : 0;
	if (column->right) {
		buf_put_fill(out, ' ', pad);
	}
	buf_put_str(out, cell);
	if (!column->right && !is_last) {
		buf_put_fill(out, ' ', pad);
	}
}
