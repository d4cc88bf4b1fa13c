#include "model/filecursor.h"

#include "base/hash.h"

void filecursor_put(const struct filecursor *cursor, struct buf *out)
{
	wire_put_u8(out, FILECURSOR_VERSION);
	wire_put_u64(out, cursor->files_hash);
	wire_put_varint(out, cursor->file_index);
	wire_put_varint(out, cursor->offset);
}

bool filecursor_read(struct wire_reader *reader, struct filecursor *out)
{
	uint8_t version = wire_u8(reader);
	struct filecursor cursor = {.files_hash = wire_u64(reader)};
	cursor.file_index = wire_varint(reader);
	cursor.offset = wire_varint(reader);
	if (reader->failed || version != FILECURSOR_VERSION || cursor.offset > INT64_MAX) {
		return false;
	}
	*out = cursor;
	return true;
}

uint64_t filecursor_hash(uint64_t hash, struct str path)
{
	static const struct hash_key fixed_key = {0}; /* the hash must be the same tomorrow */
	return hash_u64(hash ^ hash_bytes(&fixed_key, path));
}
