/* Drafts become rows in audit files. Two buffers are open at a time, as on a server with two schedulers: rows of one session stay in
 * order, rows of different sessions do not. A buffer is written when it is full or a second old; all its rows share its offset. */
#include "tests/sim/world-state.h"

#include "base/utf8.h"

#include <assert.h>
#include <stdlib.h>

#define PART_UNITS      4000
#define BUFFER_ROWS     40
#define BUFFER_BYTES    65536
#define BUFFER_AGE_NS   NS_PER_SEC
#define BUFFERS         2
#define FILETIME_OFFSET INT64_C(116444736000000000) /* 100 ns steps from 1601 to 1970 */

struct pending { /* a buffer that is not yet written */
	uint32_t drafts[BUFFER_ROWS];
	size_t count;
	size_t bytes;
	int64_t first_ns;
};

struct layout {
	struct world *world;
	struct pending pending[BUFFERS];
	int64_t file_limit;
	int64_t offset;
	int64_t visible_ns;
	uint32_t statement_count;
};

struct ordered {
	int64_t time_ns;
	uint32_t draft;
};

static int compare_ordered(const void *a, const void *b)
{
	const struct ordered *x = a, *y = b;
	int by_time = (x->time_ns > y->time_ns) - (x->time_ns < y->time_ns);
	return by_time != 0 ? by_time : (x->draft > y->draft) - (x->draft < y->draft);
}

static bool grow(void **array, uint32_t *capacity, uint32_t count, size_t size)
{
	if (count < *capacity) {
		return true;
	}
	uint32_t wanted = *capacity > 0 ? *capacity * 2 : 64;
	void *grown = reallocarray(*array, wanted, size);
	if (grown == NULL) {
		return false;
	}
	*array = grown;
	*capacity = wanted;
	return true;
}

static void start_file(struct layout *layout, int64_t time_ns)
{
	struct world *world = layout->world;
	void *files = world->files;
	if (!grow(&files, &world->file_capacity, world->file_count, sizeof(world->files[0]))) {
		world->failed = true;
		return;
	}
	world->files = files;
	struct buf *text = &world->text;
	buf_clear(text);
	buf_putf(text, "%s_4D3C7A52-91E0-4F6B-8A2D-0C5E7F1B9A63_0_%lld.sqlaudit", AUDIT_NAME,
		 (long long)(time_ns / 100 + FILETIME_OFFSET + world->file_count));
	world->files[world->file_count++] = (struct world_file){
		.name = world_keep(world, text),
		.folder = STR_LIT(AUDIT_FOLDER),
		.first_row = world->row_count,
	};
	layout->offset = 1024; /* the file's header */
}

static struct world_row *add_row(struct layout *layout, const struct world_row *row)
{
	struct world *world = layout->world;
	void *rows = world->rows;
	if (world->file_count == 0 ||
	    !grow(&rows, &world->row_capacity, world->row_count, sizeof(world->rows[0]))) {
		world->failed = true;
		return NULL;
	}
	world->rows = rows;
	struct world_file *file = &world->files[world->file_count - 1];
	struct world_row *added = &world->rows[world->row_count++];
	*added = *row;
	added->file = world->file_count - 1;
	added->offset = layout->offset;
	added->visible_ns = layout->visible_ns;
	file->row_count++;
	return added;
}

/* UTF-16 units of the character at ptr, and its bytes. Texts are WTF-8 of our own making. */
static size_t character_bytes(const char *ptr)
{
	uint8_t first = (uint8_t)*ptr;
	return first < 0x80 ? 1 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
}

static void put_surrogate(struct buf *out, unsigned unit)
{
	buf_put_byte(out, (uint8_t)(0xe0 | unit >> 12));
	buf_put_byte(out, (uint8_t)(0x80 | (unit >> 6 & 0x3f)));
	buf_put_byte(out, (uint8_t)(0x80 | (unit & 0x3f)));
}

/* Takes the next 4000 UTF-16 units from *rest into out. A pair that does not fit is cut in two, as SQL Server does; the second
 * half waits in *half. */
static void take_part(struct str *rest, unsigned *half, struct buf *out)
{
	size_t units = 0, pos = 0;
	if (*half != 0) {
		put_surrogate(out, *half);
		*half = 0;
		units = 1;
	}
	while (pos < rest->len && units < PART_UNITS) {
		size_t bytes = character_bytes(rest->ptr + pos);
		if (bytes == 4 && units + 2 > PART_UNITS) {
			size_t at = pos;
			uint32_t cp = utf8_next(*rest, &at) - 0x10000;
			put_surrogate(out, 0xd800 + (cp >> 10));
			*half = 0xdc00 + (cp & 0x3ff);
			units++;
		} else {
			buf_put(out, rest->ptr + pos, bytes);
			units += bytes == 4 ? 2 : 1;
		}
		pos += bytes;
	}
	*rest = str_slice(*rest, pos, rest->len - pos);
}

static size_t utf16_units(struct str s)
{
	size_t units = 0;
	for (size_t pos = 0; pos < s.len;) {
		size_t bytes = character_bytes(s.ptr + pos);
		units += bytes == 4 ? 2 : 1;
		pos += bytes;
	}
	return units;
}

static void roll_over(struct layout *layout, int64_t time_ns)
{
	struct world *world = layout->world;
	if (world->file_count == 0) {
		start_file(layout, time_ns);
		return;
	}
	struct world_file *file = &world->files[world->file_count - 1];
	if (layout->offset >= layout->file_limit) {
		file->size_bytes = layout->offset;
		start_file(layout, time_ns);
	}
}

/* The rows of one draft; a long text goes on over buffer and file borders. */
static void write_draft(struct layout *layout, struct draft *draft, size_t *bytes)
{
	struct world *world = layout->world;
	struct world_row row = draft->row;
	row.statement = layout->statement_count;
	row.time_ns += world->options.server_skew_ns;
	uint32_t first = world->row_count;
	struct str rest = draft->row.statement_text;
	bool split = utf16_units(rest) > PART_UNITS;
	unsigned half = 0;
	for (row.sequence = 1; row.sequence == 1 || rest.len > 0 || half != 0; row.sequence++) {
		if (split) {
			buf_clear(&world->text);
			take_part(&rest, &half, &world->text);
			row.statement_text = world_keep(world, &world->text);
		} else {
			rest = (struct str){0};
		}
		if (*bytes > BUFFER_BYTES) {
			layout->offset += (int64_t)(*bytes + 511) / 512 * 512;
			*bytes = 0;
			roll_over(layout, draft->row.time_ns);
		}
		*bytes += 600 + 2 * (row.statement_text.len + row.additional_information.len);
		if (add_row(layout, &row) == NULL) {
			return;
		}
	}
	world->statements[layout->statement_count++] = (struct world_statement){
		.first_row = first, .row_count = world->row_count - first, .request = draft->cause};
}

static void write_pending(struct layout *layout, struct pending *pending)
{
	struct world *world = layout->world;
	if (pending->count == 0) {
		return;
	}
	int64_t written_ns = pending->first_ns;
	for (size_t i = 0; i < pending->count; i++) {
		int64_t time_ns = world->drafts[pending->drafts[i]].row.time_ns;
		written_ns = time_ns > written_ns ? time_ns : written_ns;
	}
	int64_t visible_ns = world_visible(&world->options, written_ns + BUFFER_AGE_NS);
	layout->visible_ns = visible_ns > layout->visible_ns ? visible_ns : layout->visible_ns;
	roll_over(layout, written_ns);
	size_t bytes = 0;
	for (size_t i = 0; i < pending->count && !world->failed; i++) {
		struct draft *draft = &world->drafts[pending->drafts[i]];
		uint32_t statement = layout->statement_count;
		write_draft(layout, draft, &bytes);
		truth_judge(world, draft, &world->statements[statement]);
	}
	layout->offset += (int64_t)(bytes + 511) / 512 * 512;
	pending->count = 0;
	pending->bytes = 0;
}

static void add_pending(struct layout *layout, uint32_t index)
{
	const struct draft *draft = &layout->world->drafts[index];
	int64_t now_ns = draft->row.time_ns;
	for (size_t i = 0; i < BUFFERS; i++) {
		struct pending *pending = &layout->pending[i];
		if (pending->count > 0 && pending->first_ns + BUFFER_AGE_NS < now_ns) {
			write_pending(layout, pending);
		}
	}
	struct pending *pending = &layout->pending[(uint32_t)draft->row.session_id % BUFFERS];
	if (pending->count == 0) {
		pending->first_ns = now_ns;
	}
	pending->drafts[pending->count++] = index;
	pending->bytes += 600 + 2 * draft->row.statement_text.len;
	if (pending->count == BUFFER_ROWS || pending->bytes > BUFFER_BYTES) {
		write_pending(layout, pending);
	}
}

void files_lay_out(struct world *world)
{
	struct ordered *order = reallocarray(NULL, world->draft_count + 1, sizeof(order[0]));
	world->statements = calloc(world->draft_count + 1, sizeof(world->statements[0]));
	if (order == NULL || world->statements == NULL) {
		free(order);
		world->failed = true;
		return;
	}
	size_t bytes = 0;
	for (uint32_t i = 0; i < world->draft_count; i++) {
		order[i] = (struct ordered){world->drafts[i].row.time_ns, i};
		bytes += 700 + 2 * world->drafts[i].row.statement_text.len;
	}
	qsort(order, world->draft_count, sizeof(order[0]), compare_ordered);
	/* several files also in a small world */
	struct layout layout = {.world = world, .file_limit = (int64_t)bytes / 4};
	layout.file_limit = layout.file_limit < 262144 ? 262144 : layout.file_limit;
	layout.file_limit = layout.file_limit > 52428800 ? 52428800 : layout.file_limit;
	start_file(&layout, world->options.from_ns);
	for (uint32_t i = 0; i < world->draft_count && !world->failed; i++) {
		add_pending(&layout, order[i].draft);
	}
	for (size_t i = 0; i < BUFFERS; i++) {
		write_pending(&layout, &layout.pending[i]);
	}
	free(order);
	if (world->file_count > 0) {
		world->files[world->file_count - 1].size_bytes = layout.offset;
	}
}
