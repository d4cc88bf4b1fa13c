#include "store/log/leaf.h"

#include "base/wire.h"

#include <assert.h>
#include <string.h>

void log_commit(const struct log_salt *salt, struct str encoded, struct merkle_hash *out)
{
	const struct str parts[] = {str_make((const char *)salt->bytes, sizeof salt->bytes),
				    encoded};
	digest_sha256_parts(parts, 2, out->bytes);
}

int log_leaf_of(struct str encoded, int64_t ingest_ns, const struct log_salt *salt,
		struct log_leaf *out, struct error *err)
{
	struct record_front front;
	struct str digest = {0};
	int rc = record_decode_front(encoded, &front, err);
	rc = rc < 0 || salt != NULL ? rc : record_decode_digest(encoded, &digest, err);
	if (rc < 0) {
		return rc;
	}
	*out = (struct log_leaf){
		.kind = front.kind,
		.source = front.source,
		.key = front.key,
		.time_ns = front.time_ns,
		.ingest_ns = ingest_ns,
	};
	if (salt != NULL) {
		log_commit(salt, encoded, &out->commitment);
	} else if (digest.len == sizeof out->commitment.bytes) {
		memcpy(out->commitment.bytes, digest.ptr, digest.len);
	} else {
		return error_set(err, ERR_CORRUPT,
				 "a record of %.*s lacks what it was committed by",
				 STR_ARG(front.source));
	}
	return 0;
}

static char *put_short(char *at, struct str text)
{
	assert(text.len <= 64);
	*at++ = (char)text.len;
	memcpy(at, text.ptr, text.len);
	return at + text.len;
}

static char *put_u64(char *at, uint64_t value)
{
	for (unsigned i = 0; i < 8; i++) {
		*at++ = (char)(value >> 8 * i & 0xff);
	}
	return at;
}

void log_entry_make(const struct log_leaf *leaf, struct log_entry *out)
{
	char *at = out->bytes;
	*at++ = LOG_ENTRY_VERSION;
	*at++ = (char)leaf->kind;
	at = put_short(at, leaf->source);
	at = put_short(at, leaf->key);
	at = put_u64(at, (uint64_t)leaf->time_ns);
	at = put_u64(at, (uint64_t)leaf->ingest_ns);
	memcpy(at, leaf->commitment.bytes, sizeof leaf->commitment.bytes);
	out->len = (size_t)(at - out->bytes) + sizeof leaf->commitment.bytes;
}

int log_entry_parse(struct str bytes, struct log_leaf *out, struct error *err)
{
	struct wire_reader reader = wire_reader(bytes);
	uint8_t version = wire_u8(&reader);
	*out = (struct log_leaf){.kind = (enum record_kind)wire_u8(&reader)};
	out->source = wire_bytes(&reader, wire_u8(&reader));
	out->key = wire_bytes(&reader, wire_u8(&reader));
	out->time_ns = (int64_t)wire_u64(&reader);
	out->ingest_ns = (int64_t)wire_u64(&reader);
	struct str commitment = wire_bytes(&reader, sizeof out->commitment.bytes);
	if (reader.failed || wire_left(&reader) > 0 || version != LOG_ENTRY_VERSION ||
	    out->kind < RECORD_REQUEST || out->kind >= RECORD_KIND_COUNT ||
	    !record_source_is_allowed(out->source) || out->key.len == 0 ||
	    out->key.len > RECORD_KEY_MAX) {
		return error_set(err, ERR_CORRUPT, "no entry of a log (%zu bytes, at offset %zu)",
				 bytes.len, reader.pos);
	}
	memcpy(out->commitment.bytes, commitment.ptr, commitment.len);
	return 0;
}
