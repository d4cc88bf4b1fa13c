#include "model/record.h"

#include "base/digest.h"
#include "base/wire.h"
#include "model/letters.h"

#include <assert.h>

/* What the codec needs of a field, eight bytes for each, so that all of it stays in the cache. A number without a field has no kinds. */
struct field_shape {
	unsigned kinds;
	enum field_type type;
};

static const struct field_shape shapes[FIELD_LIMIT] = {
#define FIELD(name_, number_, type_, kinds_, unit_, help_, ocsf_) \
	[number_] = {.kinds = (unsigned)(kinds_), .type = FIELD_TYPE_##type_},
#include "model/fields.def"
#undef FIELD
};

static bool is_text(unsigned field)
{
	enum field_type type = shapes[field].type;

	return type == FIELD_TYPE_TEXT || type == FIELD_TYPE_BYTES;
}

void record_init(struct record *record, enum record_kind kind)
{
	record->kind = kind;
	record->source = str_make(NULL, 0);
	record->key = str_make(NULL, 0);
	record->time_ns = 0;
	memset(record->present, 0, sizeof(record->present));
}

struct str record_text(const struct record *record, unsigned field)
{
	assert(field < FIELD_LIMIT && is_text(field));
	return record_has(record, field) ? record->value[field].text : str_make(NULL, 0);
}

int64_t record_number(const struct record *record, unsigned field, int64_t fallback)
{
	assert(field < FIELD_LIMIT && !is_text(field));
	return record_has(record, field) ? record->value[field].number : fallback;
}

static void mark_present(struct record *record, unsigned field)
{
	assert((shapes[field].kinds >> record->kind & 1) != 0);
	record->present[field / 64] |= UINT64_C(1) << (field % 64);
}

void record_set_text(struct record *record, unsigned field, struct str text)
{
	assert(field < FIELD_LIMIT && is_text(field));
	mark_present(record, field);
	record->value[field].text = text;
}

void record_set_number(struct record *record, unsigned field, int64_t number)
{
	assert(field < FIELD_LIMIT && !is_text(field));
	assert(shapes[field].type != FIELD_TYPE_BOOL || number == 0 || number == 1);
	mark_present(record, field);
	record->value[field].number = number;
}

void record_unset(struct record *record, unsigned field)
{
	assert(field < FIELD_LIMIT);
	record->present[field / 64] &= ~(UINT64_C(1) << (field % 64));
}

bool record_source_is_allowed(struct str source)
{
	if (source.len == 0 || source.len > RECORD_SOURCE_MAX) {
		return false;
	}
	for (size_t i = 0; i < source.len; i++) {
		char c = source.ptr[i];
		bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');

		if (!letter && !(c >= '0' && c <= '9') && c != '.' && c != '_' && c != '-') {
			return false;
		}
	}
	return true;
}

static size_t varint_size(uint64_t value)
{
	size_t size = 1;

	for (; value >= 0x80; value >>= 7) {
		size++;
	}
	return size;
}

static uint64_t zigzag(int64_t number)
{
	return ((uint64_t)number << 1) ^ (number < 0 ? UINT64_MAX : 0);
}

static size_t block_size(struct str text)
{
	return varint_size(text.len) + text.len;
}

static size_t value_size(const struct record *record, unsigned field)
{
	switch (shapes[field].type) {
	case FIELD_TYPE_TEXT:
	case FIELD_TYPE_BYTES:
		return block_size(record->value[field].text);
	case FIELD_TYPE_INT:
	case FIELD_TYPE_TIME:
		return varint_size(zigzag(record->value[field].number));
	case FIELD_TYPE_BOOL:
		break;
	}
	return 1;
}

/* The record's size is known before it is written, so nothing here looks for room. */
static uint8_t *put_varint(uint8_t *at, uint64_t value)
{
	for (; value >= 0x80; value >>= 7) {
		*at++ = (uint8_t)(value | 0x80);
	}
	*at++ = (uint8_t)value;
	return at;
}

static uint8_t *put_block(uint8_t *at, struct str bytes)
{
	at = put_varint(at, bytes.len);
	if (bytes.len != 0) {
		memcpy(at, bytes.ptr, bytes.len);
	}
	return at + bytes.len;
}

static uint8_t *put_value(uint8_t *at, const struct record *record, unsigned field)
{
	switch (shapes[field].type) {
	case FIELD_TYPE_TEXT:
	case FIELD_TYPE_BYTES:
		return put_block(at, record->value[field].text);
	case FIELD_TYPE_INT:
	case FIELD_TYPE_TIME:
		return put_varint(at, zigzag(record->value[field].number));
	case FIELD_TYPE_BOOL:
		break;
	}
	*at = (uint8_t)record->value[field].number;
	return at + 1;
}

/* Writes the record; returns the end. */
static uint8_t *put_record(uint8_t *at, const struct record *record, const unsigned *fields,
			   size_t count)
{
	*at++ = RECORD_VERSION;
	*at++ = (uint8_t)record->kind;
	at = put_block(at, record->source);
	at = put_block(at, record->key);
	for (unsigned i = 0; i < 8; i++) {
		*at++ = (uint8_t)((uint64_t)record->time_ns >> (8 * i));
	}
	at = put_varint(at, count);
	for (size_t i = 0; i < count; i++) {
		*at++ = (uint8_t)fields[i]; /* below 128: a varint of one byte */
		at = put_value(at, record, fields[i]);
	}
	return at;
}

int record_encode(const struct record *record, struct buf *out, struct error *err)
{
	unsigned fields[FIELD_LIMIT];
	size_t count = 0;
	size_t size = 2 + block_size(record->source) + block_size(record->key) + 8;
	bool had_failed = out->failed;
	uint8_t *end;

	if (!record_source_is_allowed(record->source)) {
		return error_set(err, ERR_INPUT,
				 "\"%.*s\" is no source name: 1 to %d of A-Z a-z 0-9 . _ -",
				 STR_ARG(record->source), RECORD_SOURCE_MAX);
	}
	if (record->key.len == 0 || record->key.len > RECORD_KEY_MAX) {
		return error_set(err, ERR_INPUT,
				 "a record of %.*s has a key of %zu bytes, not 1 to %d",
				 STR_ARG(record->source), record->key.len, RECORD_KEY_MAX);
	}
	for (unsigned word = 0; word < FIELD_LIMIT / 64; word++) {
		for (uint64_t bits = record->present[word]; bits != 0; bits &= bits - 1) {
			unsigned field = word * 64 + (unsigned)__builtin_ctzll(bits);

			fields[count++] = field;
			size += 1 + value_size(record, field);
		}
	}
	size += varint_size(count);
	if (size > RECORD_MAX_BYTES || had_failed || buf_reserve(out, size) != 0) {
		out->failed = had_failed;
		return error_set(err, ERR_LIMIT,
				 "a record of %.*s takes %zu bytes, more than there is room for",
				 STR_ARG(record->source), size);
	}
	end = put_record((uint8_t *)out->ptr + out->len, record, fields, count);
	assert(end == (uint8_t *)out->ptr + out->len + size);
	out->len += size;
	out->ptr[out->len] = '\0';
	return 0;
}

/* Most varints of a record have one byte: worth not calling for. */
static inline uint64_t read_varint(struct wire_reader *reader)
{
	if (!reader->failed && reader->pos < reader->len && reader->ptr[reader->pos] < 0x80) {
		return reader->ptr[reader->pos++];
	}
	return wire_varint(reader);
}

static inline struct str read_block(struct wire_reader *reader)
{
	size_t len = (size_t)read_varint(reader);

	if (reader->failed || len > reader->len - reader->pos) {
		reader->failed = true;
		return str_make(NULL, 0);
	}
	reader->pos += len;
	return str_make(reader->ptr + reader->pos - len, len);
}

/* Returns NULL, or what is wrong. */
static const char *read_value(struct wire_reader *reader, enum field_type type,
			      union field_value *out_value)
{
	uint64_t number;

	switch (type) {
	case FIELD_TYPE_TEXT:
	case FIELD_TYPE_BYTES:
		out_value->text = read_block(reader);
		break;
	case FIELD_TYPE_INT:
	case FIELD_TYPE_TIME:
		number = read_varint(reader);
		out_value->number = (int64_t)(number >> 1) ^ -(int64_t)(number & 1);
		break;
	case FIELD_TYPE_BOOL:
		number = wire_u8(reader);
		if (number > 1) {
			return "holds a yes or no that is neither";
		}
		out_value->number = (int64_t)number;
		break;
	}
	return reader->failed ? "is cut off or has a number that is not in its shortest form"
			      : NULL;
}

static const char *read_fields(struct wire_reader *reader, struct record *record)
{
	uint64_t count = read_varint(reader);
	uint64_t last = 0;

	if (reader->failed || count >= FIELD_LIMIT) {
		return "has a field count that cannot be";
	}
	for (uint64_t i = 0; i < count; i++) {
		uint64_t field = read_varint(reader);
		const char *wrong;

		if (reader->failed || field >= FIELD_LIMIT) {
			return "names a field that does not exist, or is cut off";
		}
		if (field <= last) {
			return "has its fields out of order";
		}
		if ((shapes[field].kinds >> record->kind & 1) == 0) {
			return "names a field that its kind does not have";
		}
		wrong = read_value(reader, shapes[field].type, &record->value[field]);
		if (wrong != NULL) {
			return wrong;
		}
		record->present[field / 64] |= UINT64_C(1) << (field % 64);
		last = field;
	}
	return reader->pos == reader->len ? NULL : "is followed by bytes that are not its own";
}

/* Reads what stands before the fields; returns NULL or what is wrong. */
static const char *read_front(struct wire_reader *reader, struct record_front *front)
{
	uint8_t version = wire_u8(reader);
	uint8_t kind = wire_u8(reader);

	if (reader->failed || version != RECORD_VERSION) {
		return "has an unknown version";
	}
	if (kind == 0 || kind >= RECORD_KIND_COUNT) {
		return "has an unknown kind";
	}
	front->kind = (enum record_kind)kind;
	front->source = read_block(reader);
	front->key = read_block(reader);
	front->time_ns = (int64_t)wire_u64(reader);
	if (reader->failed) {
		return "is cut off or has a number that is not in its shortest form";
	}
	if (!record_source_is_allowed(front->source)) {
		return "has a source name that is not allowed";
	}
	if (front->key.len == 0 || front->key.len > RECORD_KEY_MAX) {
		return "has a key of a length that is not allowed";
	}
	return NULL;
}

/* Reads all into record; returns NULL or what is wrong. */
static const char *read_record(struct wire_reader *reader, struct record *record)
{
	struct record_front front;
	const char *wrong = read_front(reader, &front);

	if (wrong != NULL) {
		return wrong;
	}
	record_init(record, front.kind);
	record->source = front.source;
	record->key = front.key;
	record->time_ns = front.time_ns;
	return read_fields(reader, record);
}

/* Turns what is wrong into an error. */
static int wrong_record(const struct wire_reader *reader, const char *wrong, struct error *err)
{
	return error_set(err, ERR_CORRUPT, "the record %s, at byte %zu of %zu", wrong, reader->pos,
			 reader->len);
}

int record_decode_front(struct str bytes, struct record_front *out_front, struct error *err)
{
	struct wire_reader reader = wire_reader(bytes);
	const char *wrong = read_front(&reader, out_front);

	return wrong != NULL ? wrong_record(&reader, wrong, err) : 0;
}

int record_decode_digest(struct str bytes, struct str *out_digest, struct error *err)
{
	struct wire_reader reader = wire_reader(bytes);
	struct record_front front;
	const char *wrong = read_front(&reader, &front);
	uint64_t fields = wrong == NULL ? wire_varint(&reader) : 0;

	*out_digest = (struct str){0};
	for (; fields > 0 && !reader.failed; fields--) {
		uint64_t number = wire_varint(&reader);
		if (number > FIELD_digest) {
			break;
		}
		/* all up to this one are texts or bytes */
		struct str text = wire_block(&reader, RECORD_MAX_BYTES);
		if (number == FIELD_digest) {
			*out_digest = text;
		}
	}
	if (wrong == NULL && reader.failed) {
		wrong = "cut off";
	}
	return wrong != NULL ? wrong_record(&reader, wrong, err) : 0;
}

int record_decode(struct str bytes, struct record *out_record, struct error *err)
{
	struct wire_reader reader = wire_reader(bytes);
	const char *wrong;

	if (bytes.len > RECORD_MAX_BYTES) {
		return error_set(err, ERR_CORRUPT,
				 "a record of %zu bytes is larger than any can be", bytes.len);
	}
	wrong = read_record(&reader, out_record);
	return wrong != NULL ? wrong_record(&reader, wrong, err) : 0;
}

uint64_t record_stable_number(struct str source, struct str key)
{
	const struct str parts[] = {source, str_make("", 1), key};
	uint8_t digest[DIGEST_BYTES];
	uint64_t number = 0;

	digest_sha256_parts(parts, 3, digest);
	for (size_t i = 0; i < RECORD_ID_DIGITS / 2; i++) {
		number = number << 8 | digest[i];
	}
	return number;
}

void record_stable_digits(uint64_t number, char out[RECORD_ID_DIGITS + 1])
{
	static const char digits[] = "0123456789abcdef";

	for (size_t i = RECORD_ID_DIGITS; i-- > 0; number >>= 4) {
		out[i] = digits[number & 15];
	}
	out[RECORD_ID_DIGITS] = '\0';
}

void record_stable_id(struct str source, struct str key, char out[RECORD_ID_DIGITS + 1])
{
	record_stable_digits(record_stable_number(source, key), out);
}
