#include "store/columns.h"

#include "base/digest.h"
#include "base/hash.h"
#include "base/wire.h"
#include "store/checksum.h"

#include <assert.h>
#include <endian.h>
#include <stdlib.h>

/* A stored hash must be the same in every process: a fixed key. It only narrows a search; each hit is compared with the record,
 * so that a made-up collision costs its maker's reader one decoded record. */
static const struct hash_key id_key = {.k0 = UINT64_C(0x7175657279747261),
				       .k1 = UINT64_C(0x696c2d69642d3031)};

static uint32_t never_zero(uint32_t hash)
{
	return hash != 0 ? hash : 1;
}

uint32_t columns_id_hash(struct str id)
{
	return never_zero((uint32_t)hash_bytes(&id_key, id));
}

uint32_t columns_record_hash(struct str source, struct str key)
{
	char text[RECORD_SOURCE_MAX + 1 + RECORD_KEY_MAX];
	assert(source.len <= RECORD_SOURCE_MAX && key.len <= RECORD_KEY_MAX);
	memcpy(text, source.ptr, source.len);
	text[source.len] = 0;
	memcpy(text + source.len + 1, key.ptr, key.len);
	uint8_t digest[DIGEST_BYTES];
	digest_sha256(str_make(text, source.len + 1 + key.len), digest);
	return never_zero((uint32_t)digest[0] << 24 | (uint32_t)digest[1] << 16 |
			  (uint32_t)digest[2] << 8 | digest[3]);
}

static bool width_is_allowed(const struct columns_section *section)
{
	switch ((enum columns_form)section->form) {
	case COLUMNS_CODES:
		return section->width <= 2 || section->width == 4;
	case COLUMNS_NUMBERS:
		return section->width <= 2 || section->width == 4 || section->width == 8;
	case COLUMNS_IDS:
		return section->width == 0 || section->width == 4;
	case COLUMNS_BYTES:
		return section->width == 1;
	}
	return false;
}

static int read_entry(struct wire_reader *reader, size_t blob_bytes, struct columns_section *out,
		      struct error *err)
{
	*out = (struct columns_section){.id = wire_u16(reader), .kinds = wire_u16(reader)};
	out->form = wire_u8(reader);
	out->width = wire_u8(reader);
	(void)wire_u16(reader); /* reserved; its zero is in the checksum */
	out->offset = wire_u32(reader);
	out->length = wire_u32(reader);
	out->crc = wire_u32(reader);
	if (reader->failed || out->offset > blob_bytes || out->length > blob_bytes - out->offset) {
		return error_set(err, ERR_CORRUPT,
				 "section %u lies outside its columns (%zu bytes)",
				 (unsigned)out->id, blob_bytes);
	}
	if (!width_is_allowed(out)) {
		return error_set(err, ERR_CORRUPT, "section %u has the unknown form %u, width %u",
				 (unsigned)out->id, (unsigned)out->form, (unsigned)out->width);
	}
	return 0;
}

/* The checksum over the front, with its own four bytes as zero. */
static bool front_is_whole(struct str front, uint32_t crc)
{
	char copy[COLUMNS_FRONT_BYTES];
	assert(front.len <= sizeof copy && front.len >= COLUMNS_HEADER_BYTES);
	memcpy(copy, front.ptr, front.len);
	memset(copy + 12, 0, 4);
	return checksum_crc32c(str_make(copy, front.len)) == crc;
}

int columns_directory_read(struct str front, size_t blob_bytes, struct columns_directory *out,
			   struct error *err)
{
	struct wire_reader reader = wire_reader(front);
	uint32_t magic = wire_u32(&reader);
	uint32_t row_count = wire_u32(&reader);
	uint32_t section_count = wire_u32(&reader);
	uint32_t crc = wire_u32(&reader);
	if (reader.failed || magic != COLUMNS_MAGIC) {
		return error_set(err, ERR_CORRUPT, "the columns do not begin as columns do");
	}
	if (row_count == 0 || row_count > COLUMNS_ROWS_MAX ||
	    section_count > COLUMNS_SECTIONS_MAX) {
		return error_set(err, ERR_CORRUPT, "the columns claim %u rows and %u sections",
				 row_count, section_count);
	}
	size_t front_bytes = COLUMNS_HEADER_BYTES + (size_t)section_count * COLUMNS_ENTRY_BYTES;
	if (front_bytes > front.len || !front_is_whole(str_make(front.ptr, front_bytes), crc)) {
		return error_set(err, ERR_CORRUPT, "the directory of the columns is damaged");
	}
	for (size_t i = 0; i < section_count; i++) {
		int rc = read_entry(&reader, blob_bytes, &out->sections[i], err);
		if (rc < 0) {
			return rc;
		}
	}
	out->row_count = row_count;
	out->section_count = section_count;
	return 0;
}

const struct columns_section *columns_directory_find(const struct columns_directory *directory,
						     unsigned id)
{
	for (size_t i = 0; i < directory->section_count; i++) {
		if (directory->sections[i].id == id) {
			return &directory->sections[i];
		}
	}
	return NULL;
}

struct columns_rows columns_rows(const uint8_t *kinds, size_t row_count)
{
	struct columns_rows rows = {.kinds = kinds, .row_count = row_count};
	/* Kind by kind in runs that a byte can count, which the compiler makes wide. */
	for (size_t start = 0; start < row_count; start += UINT8_MAX) {
		size_t end = row_count - start < UINT8_MAX ? row_count : start + UINT8_MAX;
		for (unsigned kind = 1; kind < RECORD_KIND_COUNT; kind++) {
			uint8_t count = 0;
			for (size_t row = start; row < end; row++) {
				count = (uint8_t)(count + (kinds[row] == kind ? 1 : 0));
			}
			rows.of_kind[kind] += count;
		}
	}
	return rows;
}

/* How many rows have an entry in a section. */
static size_t entry_count(const struct columns_section *section, const struct columns_rows *rows)
{
	size_t count = 0;
	for (unsigned kind = 1; kind < RECORD_KIND_COUNT; kind++) {
		count += (section->kinds >> kind & 1) != 0 ? rows->of_kind[kind] : 0;
	}
	return count;
}

/* Whether bytes are the section's, unchanged. */
static int check_bytes(const struct columns_section *section, struct str bytes, struct error *err)
{
	if (bytes.len != section->length || checksum_crc32c(bytes) != section->crc) {
		return error_set(err, ERR_CORRUPT, "column %s is damaged",
				 section->id < FIELD_LIMIT && field_info(section->id)->name != NULL
					 ? field_info(section->id)->name
					 : "of every row");
	}
	return 0;
}

static int wrong_size(const struct columns_section *section, size_t bytes, struct error *err)
{
	return error_set(err, ERR_CORRUPT, "section %u has %zu bytes, which does not fit its rows",
			 (unsigned)section->id, bytes);
}

int columns_read_kinds(const struct columns_section *section, struct str bytes, size_t row_count,
		       uint8_t *out_kinds, struct error *err)
{
	int rc = check_bytes(section, bytes, err);
	if (rc < 0) {
		return rc;
	}
	if (section->form != COLUMNS_BYTES || bytes.len != row_count) {
		return wrong_size(section, bytes.len, err);
	}
	uint8_t worst = 1;
	for (size_t row = 0; row < row_count; row++) {
		uint8_t kind = (uint8_t)bytes.ptr[row];
		worst = kind == 0 || kind >= RECORD_KIND_COUNT ? 0 : worst;
		out_kinds[row] = kind;
	}
	if (worst == 0) {
		return error_set(err, ERR_CORRUPT, "a row has an unknown record kind");
	}
	return 0;
}

static inline uint64_t fixed_at(const char *at, unsigned width)
{
	uint64_t value = 0;
	memcpy(&value, at, width);
	return le64toh(value);
}

/* Constant widths let the compiler turn each copy into one load. */
static inline uint64_t entry_at(const char *at, size_t index, unsigned width)
{
	switch (width) {
	case 1:
		return fixed_at(at + index, 1);
	case 2:
		return fixed_at(at + index * 2, 2);
	case 4:
		return fixed_at(at + index * 4, 4);
	default:
		return fixed_at(at + index * 8, 8);
	}
}

static void fill_numbers(int64_t *out, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		out[i] = INT64_MIN;
	}
}

struct number_coding {
	uint64_t base, scale, absent;
	size_t entry_count; /* > 0 */
	unsigned kinds;
};

/* Every row has an entry, or: without branches, because the kinds of neighbours are as good as random: a row without entry reads that of the next one and
 * drops it. */
static inline __attribute__((always_inline)) void
decode_numbers(const char *at, const struct number_coding *coding, unsigned width,
	       const struct columns_rows *rows, int64_t *out)
{
	bool dense = coding->entry_count == rows->row_count; /* a loop that is made wide */
	for (size_t row = 0; dense && row < rows->row_count; row++) {
		uint64_t raw = entry_at(at, row, width);
		int64_t value = (int64_t)(coding->base + raw * coding->scale);
		out[row] = raw != coding->absent ? value : INT64_MIN;
	}
	size_t entry = 0;
	size_t last = coding->entry_count - 1;
	for (size_t row = 0; !dense && row < rows->row_count; row++) {
		unsigned has = (coding->kinds >> rows->kinds[row]) & 1u;
		uint64_t raw = entry_at(at, entry < last ? entry : last, width);
		int64_t value = (int64_t)(coding->base + raw * coding->scale);
		out[row] = has != 0 && raw != coding->absent ? value : INT64_MIN;
		entry += has;
	}
}

int columns_read_numbers(const struct columns_section *section, struct str bytes,
			 const struct columns_rows *rows, int64_t *out_values, struct error *err)
{
	int rc = check_bytes(section, bytes, err);
	if (rc < 0) {
		return rc;
	}
	if (section->form != COLUMNS_NUMBERS) {
		return error_set(err, ERR_CORRUPT, "section %u holds no numbers",
				 (unsigned)section->id);
	}
	if (section->width == 0) {
		fill_numbers(out_values, rows->row_count);
		return bytes.len == 0 ? 0 : wrong_size(section, bytes.len, err);
	}
	size_t count = entry_count(section, rows);
	if (count == 0 || bytes.len != 16 + count * section->width) {
		return wrong_size(section, bytes.len, err);
	}
	struct number_coding coding = {.base = fixed_at(bytes.ptr, 8),
				       .scale = fixed_at(bytes.ptr + 8, 8),
				       .absent = UINT64_MAX >> (64 - 8 * section->width),
				       .entry_count = count,
				       .kinds = section->kinds};
	const char *at = bytes.ptr + 16;
	switch (section->width) {
	case 1:
		decode_numbers(at, &coding, 1, rows, out_values);
		break;
	case 2:
		decode_numbers(at, &coding, 2, rows, out_values);
		break;
	case 4:
		decode_numbers(at, &coding, 4, rows, out_values);
		break;
	default:
		decode_numbers(at, &coding, 8, rows, out_values);
		break;
	}
	return 0;
}

static int text_room(struct columns_codes *out, size_t count)
{
	if (count <= out->text_room) {
		return 0;
	}
	struct str *texts = realloc(out->texts, count * sizeof texts[0]);
	if (texts == NULL) {
		return -ERR_NOMEM;
	}
	out->texts = texts;
	out->text_room = count;
	return 0;
}

/* Reads the dictionary at the front of a section; sets *out_used to its bytes. */
static int read_dict(const struct columns_section *section, struct str bytes,
		     struct columns_codes *out, size_t *out_used, struct error *err)
{
	if (bytes.len < 4) {
		return wrong_size(section, bytes.len, err);
	}
	size_t count = (size_t)fixed_at(bytes.ptr, 4);
	size_t texts_at = 4 + count * 4;
	if (count == 0 || count > COLUMNS_ROWS_MAX || texts_at > bytes.len) {
		return wrong_size(section, bytes.len, err);
	}
	if (text_room(out, count) < 0) {
		return error_set(err, ERR_NOMEM, "no memory for a dictionary of %zu texts", count);
	}
	size_t room = bytes.len - texts_at;
	size_t start = 0;
	for (size_t i = 0; i < count; i++) {
		size_t end = (size_t)fixed_at(bytes.ptr + 4 + i * 4, 4);
		if (end < start || end > room) {
			return error_set(err, ERR_CORRUPT, "a text of column %u lies outside of it",
					 (unsigned)section->id);
		}
		out->texts[i] = str_make(bytes.ptr + texts_at + start, end - start);
		start = end;
	}
	out->text_count = count;
	*out_used = texts_at + start;
	return 0;
}

struct code_coding {
	size_t entry_count;  /* > 0 */
	uint32_t text_count; /* the code that says "absent" */
	unsigned kinds;
};

/* As decode_numbers. Returns the largest code. */
static inline __attribute__((always_inline)) uint32_t
decode_codes(const char *at, const struct code_coding *coding, unsigned width,
	     const struct columns_rows *rows, uint32_t *out)
{
	uint32_t largest = 0;
	bool dense = coding->entry_count == rows->row_count;
	for (size_t row = 0; dense && row < rows->row_count; row++) {
		uint32_t code = (uint32_t)entry_at(at, row, width);
		largest = code > largest ? code : largest;
		out[row] = code < coding->text_count ? code : UINT32_MAX;
	}
	size_t entry = 0;
	size_t last = coding->entry_count - 1;
	for (size_t row = 0; !dense && row < rows->row_count; row++) {
		unsigned has = (coding->kinds >> rows->kinds[row]) & 1u;
		uint32_t code = (uint32_t)entry_at(at, entry < last ? entry : last, width);
		largest = code > largest ? code : largest;
		out[row] = has != 0 && code < coding->text_count ? code : UINT32_MAX;
		entry += has;
	}
	return largest;
}

static uint32_t decode_codes_of(unsigned width, const char *at, const struct code_coding *coding,
				const struct columns_rows *rows, uint32_t *out)
{
	switch (width) {
	case 1:
		return decode_codes(at, coding, 1, rows, out);
	case 2:
		return decode_codes(at, coding, 2, rows, out);
	default:
		return decode_codes(at, coding, 4, rows, out);
	}
}

int columns_read_codes(const struct columns_section *section, struct str bytes,
		       const struct columns_rows *rows, struct columns_codes *out,
		       struct error *err)
{
	int rc = check_bytes(section, bytes, err);
	if (rc < 0) {
		return rc;
	}
	if (section->form != COLUMNS_CODES) {
		return error_set(err, ERR_CORRUPT, "section %u holds no codes",
				 (unsigned)section->id);
	}
	out->text_count = 0;
	if (section->width == 0) {
		memset(out->codes, 0xff, rows->row_count * sizeof out->codes[0]);
		return bytes.len == 0 ? 0 : wrong_size(section, bytes.len, err);
	}
	size_t used = 0;
	rc = read_dict(section, bytes, out, &used, err);
	if (rc < 0) {
		return rc;
	}
	struct code_coding coding = {.entry_count = entry_count(section, rows),
				     .text_count = (uint32_t)out->text_count,
				     .kinds = section->kinds};
	if (coding.entry_count == 0 || bytes.len - used != coding.entry_count * section->width) {
		return wrong_size(section, bytes.len, err);
	}
	if (decode_codes_of(section->width, bytes.ptr + used, &coding, rows, out->codes) >
	    coding.text_count) {
		return error_set(err, ERR_CORRUPT, "a code of column %u is past its dictionary",
				 (unsigned)section->id);
	}
	return 0;
}

/* Whether any of count hashes is the wanted one; a plain loop that the compiler makes wide. */
static bool holds_hash(const char *at, size_t count, uint32_t wanted)
{
	uint32_t hits = 0;
	for (size_t i = 0; i < count; i++) {
		hits |= (uint32_t)fixed_at(at + i * 4, 4) == wanted ? 1u : 0u;
	}
	return hits != 0;
}

int columns_find_id(const struct columns_section *section, struct str bytes,
		    const struct columns_rows *rows, const struct columns_wanted *wanted,
		    struct error *err)
{
	int rc = check_bytes(section, bytes, err);
	if (rc < 0) {
		return rc;
	}
	if (section->form != COLUMNS_IDS) {
		return error_set(err, ERR_CORRUPT, "section %u holds no ids",
				 (unsigned)section->id);
	}
	if (section->width == 0) {
		return bytes.len == 0 ? 0 : wrong_size(section, bytes.len, err);
	}
	if (bytes.len != entry_count(section, rows) * 4) {
		return wrong_size(section, bytes.len, err);
	}
	if (!holds_hash(bytes.ptr, bytes.len / 4, wanted->hash)) {
		return 0;
	}
	size_t entry = 0;
	for (size_t row = 0; row < rows->row_count && rc == 0; row++) {
		if (((section->kinds >> rows->kinds[row]) & 1u) != 0 &&
		    (uint32_t)fixed_at(bytes.ptr + 4 * entry++, 4) == wanted->hash) {
			rc = wanted->each(wanted->owner, row);
		}
	}
	return rc;
}
