#include "collector/sources/sqlserver/auditcursor.h"

#include "base/wire.h"

#include <assert.h>
#include <stdlib.h>

#define AUDITCURSOR_VERSION 1
#define SEEN_LIMIT          (1u << 20) /* in memory */

void auditcursor_init(struct auditcursor *cursor)
{
	*cursor = (struct auditcursor){.before_offset = AUDITCURSOR_START,
				       .last_offset = AUDITCURSOR_START};
	buf_init(&cursor->joiner, AUDITCURSOR_JOINER_MAX);
}

void auditcursor_done(struct auditcursor *cursor)
{
	free(cursor->seen);
	buf_done(&cursor->joiner);
	auditcursor_init(cursor);
}

struct str auditcursor_file(const struct auditcursor *cursor)
{
	return str_make(cursor->file, cursor->file_len);
}

int auditcursor_enter(struct auditcursor *cursor, struct str base_name, struct error *err)
{
	if (base_name.len == 0 || base_name.len > sizeof(cursor->file)) {
		return error_set(err, ERR_LIMIT,
				 "an audit file name of %zu bytes; 1 to %zu are possible",
				 base_name.len, sizeof(cursor->file));
	}
	memcpy(cursor->file, base_name.ptr, base_name.len);
	cursor->file_len = base_name.len;
	cursor->before_offset = AUDITCURSOR_START;
	cursor->last_offset = AUDITCURSOR_START;
	cursor->seen_count = 0;
	return 0;
}

int auditcursor_take(struct auditcursor *cursor, int64_t offset, uint64_t hash, struct error *err)
{
	assert(cursor->file_len > 0);
	if (offset != cursor->last_offset) {
		cursor->before_offset = cursor->last_offset;
		cursor->last_offset = offset;
		cursor->seen_count = 0;
	}
	if (cursor->seen_count == cursor->seen_capacity) {
		size_t capacity = cursor->seen_capacity > 0 ? 2 * cursor->seen_capacity : 64;
		uint64_t *grown = capacity <= SEEN_LIMIT
					  ? realloc(cursor->seen, capacity * sizeof(*grown))
					  : NULL;
		if (grown == NULL) {
			return error_set(err, ERR_NOMEM,
					 "no memory for the %zu rows of one audit buffer",
					 cursor->seen_count);
		}
		cursor->seen = grown;
		cursor->seen_capacity = capacity;
	}
	cursor->seen[cursor->seen_count++] = hash;
	return 0;
}

int auditcursor_encode(const struct auditcursor *cursor, struct buf *out, struct error *err)
{
	size_t begin = out->len;
	size_t saved = cursor->seen_count < AUDITCURSOR_SEEN_SAVED ? cursor->seen_count
								   : AUDITCURSOR_SEEN_SAVED;
	wire_put_u8(out, AUDITCURSOR_VERSION);
	wire_put_u64(out, cursor->generation);
	wire_put_block(out, auditcursor_file(cursor));
	wire_put_zigzag(out, cursor->before_offset);
	wire_put_zigzag(out, cursor->last_offset);
	wire_put_zigzag(out, cursor->last_time_ns);
	wire_put_varint(out, saved);
	for (size_t i = 0; i < saved; i++) {
		wire_put_u64(out, cursor->seen[i]);
	}
	wire_put_block(out, buf_str(&cursor->joiner));
	if (out->failed || cursor->joiner.failed) {
		buf_truncate(out, begin);
		return error_set(err, ERR_LIMIT, "the cursor does not fit %zu bytes",
				 out->max_bytes);
	}
	return 0;
}

static bool decode_seen(struct wire_reader *reader, struct auditcursor *out)
{
	uint64_t count = wire_varint(reader);
	if (count > AUDITCURSOR_SEEN_SAVED || count * sizeof(uint64_t) > wire_left(reader)) {
		return false;
	}
	for (uint64_t i = 0; i < count; i++) {
		if (auditcursor_take(out, out->last_offset, wire_u64(reader), NULL) != 0) {
			return false;
		}
	}
	return true;
}

/* Offsets of a file can only be there with the file, and the one before only with the last. */
static bool is_plausible(const struct auditcursor *cursor)
{
	if (cursor->before_offset < AUDITCURSOR_START || cursor->last_offset < AUDITCURSOR_START) {
		return false;
	}
	if (cursor->last_offset == AUDITCURSOR_START) {
		return cursor->before_offset == AUDITCURSOR_START && cursor->seen_count == 0;
	}
	return cursor->file_len > 0 && cursor->before_offset != cursor->last_offset;
}

static bool decode_fields(struct wire_reader *reader, struct auditcursor *out)
{
	out->generation = wire_u64(reader);
	struct str file = wire_block(reader, sizeof(out->file));
	if (file.len > 0) {
		if (auditcursor_enter(out, file, NULL) != 0) {
			return false;
		}
	}
	out->before_offset = wire_zigzag(reader);
	out->last_offset = wire_zigzag(reader);
	out->last_time_ns = wire_zigzag(reader);
	if (reader->failed) {
		return false;
	}
	if (file.len == 0 ? wire_varint(reader) != 0 : !decode_seen(reader, out)) {
		return false;
	}
	buf_put_str(&out->joiner, wire_block(reader, AUDITCURSOR_JOINER_MAX));
	return !reader->failed && !out->joiner.failed && wire_left(reader) == 0 &&
	       is_plausible(out);
}

int auditcursor_decode(struct str bytes, struct auditcursor *out, struct error *err)
{
	auditcursor_done(out);
	if (bytes.len == 0) {
		return 0;
	}
	struct wire_reader reader = wire_reader(bytes);
	uint8_t version = wire_u8(&reader);
	if (version != AUDITCURSOR_VERSION) {
		return error_set(err, ERR_CORRUPT,
				 "the cursor has version %u; this program knows %d", version,
				 AUDITCURSOR_VERSION);
	}
	if (!decode_fields(&reader, out)) {
		auditcursor_done(out);
		return error_set(err, ERR_CORRUPT, "the cursor of %zu bytes is damaged at byte %zu",
				 bytes.len, reader.pos);
	}
	return 0;
}

int auditcursor_copy(struct auditcursor *dst, const struct auditcursor *src, struct error *err)
{
	assert(dst != src);
	auditcursor_done(dst);
	uint64_t *seen = NULL;
	if (src->seen_count > 0) {
		seen = malloc(src->seen_count * sizeof(*seen));
		if (seen == NULL) {
			return error_set(err, ERR_NOMEM, "no memory for a cursor");
		}
		memcpy(seen, src->seen, src->seen_count * sizeof(*seen));
	}
	*dst = *src;
	dst->seen = seen;
	dst->seen_capacity = src->seen_count;
	buf_init(&dst->joiner, AUDITCURSOR_JOINER_MAX);
	buf_put_str(&dst->joiner, buf_str(&src->joiner));
	if (dst->joiner.failed) {
		auditcursor_done(dst);
		return error_set(err, ERR_NOMEM, "no memory for a cursor");
	}
	return 0;
}

int auditcursor_seen_init(struct auditcursor_seen *seen, const struct auditcursor *cursor,
			  struct error *err)
{
	u64map_init(&seen->left, SEEN_LIMIT);
	for (size_t i = 0; i < cursor->seen_count; i++) {
		uint64_t *count = u64map_get(&seen->left, cursor->seen[i]);
		if (count != NULL) {
			(*count)++;
		} else if (u64map_put(&seen->left, cursor->seen[i], 1) != 0) {
			u64map_done(&seen->left);
			return error_set(err, ERR_NOMEM, "no memory for the rows of one buffer");
		}
	}
	return 0;
}

void auditcursor_seen_done(struct auditcursor_seen *seen)
{
	u64map_done(&seen->left);
}

bool auditcursor_seen_drop(struct auditcursor_seen *seen, uint64_t hash)
{
	uint64_t *count = u64map_get(&seen->left, hash);
	if (count == NULL || *count == 0) {
		return false;
	}
	(*count)--;
	return true;
}
