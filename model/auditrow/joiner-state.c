#include "model/auditrow/joiner.h"

#include "base/wire.h"

#include <stdlib.h>

#define STATE_VERSION 1

enum { STATE_WAITING = 0, STATE_DONE = 1, STATE_DONE_INCOMPLETE = 2 };

/* How many bytes both have in common at the front, and at the back of what is left. Parts differ in their text only, so this
 * keeps a cursor about as small as the text. */
static void common_ends(struct str a, struct str b, size_t *out_front, size_t *out_back)
{
	size_t least = a.len < b.len ? a.len : b.len;
	size_t front = 0;
	size_t back = 0;

	while (front < least && a.ptr[front] == b.ptr[front]) {
		front++;
	}
	while (back < least - front && a.ptr[a.len - 1 - back] == b.ptr[b.len - 1 - back]) {
		back++;
	}
	*out_front = front;
	*out_back = back;
}

static void put_held(const struct held *held, uint8_t state, struct buf *out)
{
	struct str previous = {NULL, 0};

	wire_put_u8(out, state);
	wire_put_varint(out, held->part_count);
	for (const struct part *part = held->first; part != NULL; part = part->next) {
		size_t front;
		size_t back;

		common_ends(previous, part->line, &front, &back);
		buf_put(out, part->key, sizeof(part->key));
		wire_put_varint(out, front);
		wire_put_varint(out, back);
		wire_put_block(out, str_slice(part->line, front, part->line.len - front - back));
		previous = part->line;
	}
}

void auditrow_joiner_save(const struct auditrow_joiner *joiner, struct buf *out)
{
	size_t count = 0;

	for (const struct held *held = joiner->done.first; held != NULL; held = held->next) {
		count++;
	}
	for (const struct held *held = joiner->waiting.first; held != NULL; held = held->next) {
		count++;
	}
	wire_put_u8(out, STATE_VERSION);
	wire_put_varint(out, count);
	for (const struct held *held = joiner->done.first; held != NULL; held = held->next) {
		put_held(held, held->incomplete ? STATE_DONE_INCOMPLETE : STATE_DONE, out);
	}
	for (const struct held *held = joiner->waiting.first; held != NULL; held = held->next) {
		put_held(held, STATE_WAITING, out);
	}
}

struct restore {
	struct wire_reader reader;
	struct arena arena; /* of one row */
	struct buf line;    /* the last one that was put together */
	struct buf previous;
};

/* Reads one line: what it shares with the one before, and what is its own. */
static bool read_line(struct restore *restore)
{
	uint64_t front = wire_varint(&restore->reader);
	uint64_t back = wire_varint(&restore->reader);
	struct str middle = wire_block(&restore->reader, AUDITROW_LINE_MAX);
	struct str previous;

	buf_clear(&restore->previous);
	buf_put_str(&restore->previous, buf_str(&restore->line));
	previous = buf_str(&restore->previous);
	if (restore->reader.failed || front > previous.len || back > previous.len - front) {
		return false;
	}
	buf_clear(&restore->line);
	buf_put_str(&restore->line, str_slice(previous, 0, (size_t)front));
	buf_put_str(&restore->line, middle);
	buf_put_str(&restore->line, str_slice(previous, previous.len - (size_t)back, (size_t)back));
	return restore->line.len != 0 && !restore->line.failed && !restore->previous.failed;
}

static struct part *read_part(struct auditrow_joiner *joiner, struct restore *restore)
{
	struct auditrow row;
	struct str key = wire_bytes(&restore->reader, sizeof(row.key));

	arena_clear(&restore->arena);
	if (restore->reader.failed || !read_line(restore) ||
	    auditrow_parse_line(buf_str(&restore->line), &restore->arena, &row, NULL) != 0) {
		return NULL;
	}
	memcpy(row.key, key.ptr, sizeof(row.key));
	return part_new(&row, &joiner->scratch);
}

/* Reads one statement; false when the bytes are damaged. */
static bool read_held(struct auditrow_joiner *joiner, struct restore *restore)
{
	uint8_t state = wire_u8(&restore->reader);
	uint64_t part_count = wire_varint(&restore->reader);
	struct held *held = NULL;

	if (restore->reader.failed || state > STATE_DONE_INCOMPLETE || part_count == 0 ||
	    part_count > AUDITROW_PARTS_MAX) {
		return false;
	}
	buf_clear(&restore->line);
	for (uint64_t i = 0; i < part_count; i++) {
		struct part *part = read_part(joiner, restore);

		if (part == NULL) {
			return false;
		}
		if (held != NULL) {
			joiner_append(joiner, held, part);
			continue;
		}
		held = joiner_begin(joiner, part);
		if (held == NULL) {
			free(part);
			return false;
		}
	}
	if (state !=
	    STATE_WAITING) { /* done ones are saved first: this one is the first that waits */
		joiner_finish(joiner, &joiner->waiting.first);
		held->incomplete = state == STATE_DONE_INCOMPLETE;
	}
	return true;
}

static bool read_state(struct auditrow_joiner *joiner, struct restore *restore)
{
	uint64_t count;

	if (wire_u8(&restore->reader) != STATE_VERSION) {
		return false;
	}
	count = wire_varint(&restore->reader);
	for (uint64_t i = 0; i < count; i++) {
		if (!read_held(joiner, restore)) {
			return false;
		}
	}
	return !restore->reader.failed && wire_left(&restore->reader) == 0;
}

int auditrow_joiner_restore(struct auditrow_joiner *joiner, struct str bytes, struct error *err)
{
	struct restore restore = {.reader = wire_reader(bytes)};
	bool ok;

	joiner_clear(joiner);
	if (bytes.len == 0) { /* a cursor from before anything was held */
		return 0;
	}
	arena_init(&restore.arena, 8 * (size_t)AUDITROW_LINE_MAX);
	buf_init(&restore.line, AUDITROW_LINE_MAX);
	buf_init(&restore.previous, AUDITROW_LINE_MAX);
	ok = read_state(joiner, &restore);
	buf_done(&restore.previous);
	buf_done(&restore.line);
	arena_done(&restore.arena);
	if (!ok) {
		joiner_clear(joiner);
		return error_set(
			err, ERR_CORRUPT,
			"the state of split audit rows of %.*s is damaged, at byte %zu of %zu",
			STR_ARG(joiner->source), restore.reader.pos, bytes.len);
	}
	return 0;
}
