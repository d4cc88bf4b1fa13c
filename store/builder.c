#include "store/columns.h"

#include "base/wire.h"
#include "store/checksum.h"
#include "store/dict.h"

#include <assert.h>
#include <endian.h>
#include <stdlib.h>

/* One column that grows. Which of the arrays is used depends on the form. */
struct column {
	unsigned id;    /* field or COLUMNS_KIND .. */
	unsigned kinds; /* rows that have an entry */
	enum columns_form form;
	size_t count;
	size_t room;
	uint32_t *codes;  /* CODES: UINT32_MAX when absent; IDS: 0 when absent */
	int64_t *numbers; /* NUMBERS: INT64_MIN when absent */
	struct dict dict; /* CODES */
};

#define ALL_KINDS ((1u << RECORD_KIND_COUNT) - 2)

struct columns_builder {
	size_t row_count;
	uint8_t *kinds;
	size_t kind_room;
	struct column columns[COLUMNS_SECTIONS_MAX];
	size_t column_count;
	struct column *of_kind[RECORD_KIND_COUNT][COLUMNS_SECTIONS_MAX]; /* ended by NULL */
};

static const struct {
	unsigned field;
	enum columns_form form;
} hot_fields[] = {
#define COLUMN(field, form) {FIELD_##field, COLUMNS_##form},
#include "store/columns.def"
#undef COLUMN
};

#define HOT_COUNT (sizeof hot_fields / sizeof hot_fields[0])
_Static_assert(HOT_COUNT + 8 < COLUMNS_SECTIONS_MAX, "the directory must hold every column");

enum columns_form columns_form(unsigned field)
{
	for (size_t i = 0; i < HOT_COUNT; i++) {
		if (hot_fields[i].field == field) {
			return hot_fields[i].form;
		}
	}
	return 0;
}

static void add_column(struct columns_builder *builder, unsigned id, enum columns_form form,
		       unsigned kinds)
{
	struct column *column = &builder->columns[builder->column_count++];
	column->id = id;
	column->kinds = kinds & ALL_KINDS;
	column->form = form;
	if (form == COLUMNS_CODES) {
		dict_init(&column->dict);
	}
}

static void sort_by_kind(struct columns_builder *builder)
{
	for (unsigned kind = 1; kind < RECORD_KIND_COUNT; kind++) {
		size_t used = 0;
		for (size_t i = 0; i < builder->column_count; i++) {
			if ((builder->columns[i].kinds >> kind & 1) != 0 &&
			    builder->columns[i].id < 128) {
				builder->of_kind[kind][used++] = &builder->columns[i];
			}
		}
	}
}

struct columns_builder *columns_builder_new(void)
{
	struct columns_builder *builder = calloc(1, sizeof *builder);
	if (builder == NULL) {
		return NULL;
	}
	add_column(builder, COLUMNS_TIME, COLUMNS_NUMBERS, ALL_KINDS);
	add_column(builder, COLUMNS_SOURCE, COLUMNS_CODES, ALL_KINDS);
	add_column(builder, COLUMNS_RECORD, COLUMNS_IDS, ALL_KINDS);
	for (size_t i = 0; i < HOT_COUNT; i++) {
		add_column(builder, hot_fields[i].field, hot_fields[i].form,
			   field_info(hot_fields[i].field)->kinds);
	}
	sort_by_kind(builder);
	return builder;
}

void columns_builder_free(struct columns_builder *builder)
{
	if (builder == NULL) {
		return;
	}
	for (size_t i = 0; i < builder->column_count; i++) {
		struct column *column = &builder->columns[i];
		free(column->codes);
		free(column->numbers);
		if (column->form == COLUMNS_CODES) {
			dict_done(&column->dict);
		}
	}
	free(builder->kinds);
	free(builder);
}

void columns_builder_clear(struct columns_builder *builder)
{
	for (size_t i = 0; i < builder->column_count; i++) {
		builder->columns[i].count = 0;
		if (builder->columns[i].form == COLUMNS_CODES) {
			dict_clear(&builder->columns[i].dict);
		}
	}
	builder->row_count = 0;
}

static int column_room(struct column *column)
{
	if (column->count < column->room) {
		return 0;
	}
	size_t room = column->room > 0 ? column->room * 2 : 1024;
	if (column->form == COLUMNS_NUMBERS) {
		int64_t *numbers = realloc(column->numbers, room * sizeof numbers[0]);
		if (numbers == NULL) {
			return -ERR_NOMEM;
		}
		column->numbers = numbers;
	} else {
		uint32_t *codes = realloc(column->codes, room * sizeof codes[0]);
		if (codes == NULL) {
			return -ERR_NOMEM;
		}
		column->codes = codes;
	}
	column->room = room;
	return 0;
}

static int put_number(struct column *column, int64_t number)
{
	int rc = column_room(column);
	if (rc == 0) {
		column->numbers[column->count++] = number;
	}
	return rc;
}

static int put_code(struct column *column, uint32_t code)
{
	int rc = column_room(column);
	if (rc == 0) {
		column->codes[column->count++] = code;
	}
	return rc;
}

static int put_text(struct column *column, struct str text)
{
	uint32_t code = 0;
	int rc = dict_code(&column->dict, text, &code);
	return rc < 0 ? rc : put_code(column, code);
}

static int put_field(struct column *column, const struct record *record)
{
	bool has = record_has(record, column->id);
	switch (column->form) {
	case COLUMNS_NUMBERS:
		return put_number(column, has ? record->value[column->id].number : INT64_MIN);
	case COLUMNS_IDS:
		return put_code(column, has ? columns_id_hash(record->value[column->id].text) : 0);
	case COLUMNS_CODES:
		return has ? put_text(column, record->value[column->id].text)
			   : put_code(column, UINT32_MAX);
	case COLUMNS_BYTES:
		break;
	}
	assert(false);
	return -ERR_LIMIT;
}

static int put_kind(struct columns_builder *builder, enum record_kind kind)
{
	if (builder->row_count == builder->kind_room) {
		size_t room = builder->kind_room > 0 ? builder->kind_room * 2 : 1024;
		uint8_t *kinds = realloc(builder->kinds, room);
		if (kinds == NULL) {
			return -ERR_NOMEM;
		}
		builder->kinds = kinds;
		builder->kind_room = room;
	}
	builder->kinds[builder->row_count++] = (uint8_t)kind;
	return 0;
}

int columns_builder_add(struct columns_builder *builder, const struct record *record)
{
	assert(record->kind > 0 && record->kind < RECORD_KIND_COUNT);
	if (builder->row_count == COLUMNS_ROWS_MAX) {
		return -ERR_LIMIT;
	}
	int rc = put_kind(builder, record->kind);
	if (rc == 0) {
		rc = put_number(&builder->columns[0], record->time_ns);
	}
	if (rc == 0) {
		rc = put_text(&builder->columns[1], record->source);
	}
	if (rc == 0) {
		rc = put_code(&builder->columns[2],
			      columns_record_hash(record->source, record->key));
	}
	struct column **column = builder->of_kind[record->kind];
	for (; rc == 0 && *column != NULL; column++) {
		rc = put_field(*column, record);
	}
	return rc;
}

/* Room for count entries of width bytes at the end of out, which then counts as written; NULL when it does not fit. */
static char *entries_room(struct buf *out, size_t count, unsigned width)
{
	if (out->failed || buf_reserve(out, count * width) < 0) {
		return NULL;
	}
	char *room = out->ptr + out->len;
	out->len += count * width;
	out->ptr[out->len] = 0;
	return room;
}

static inline void set_entry_value(char *at, size_t index, uint64_t value, unsigned width)
{
	uint64_t little = htole64(value);
	switch (width) {
	case 1:
		at[index] = (char)value;
		break;
	case 2:
		memcpy(at + index * 2, &little, 2);
		break;
	case 4:
		memcpy(at + index * 4, &little, 4);
		break;
	default:
		memcpy(at + index * 8, &little, 8);
		break;
	}
}

static unsigned width_of(uint64_t largest)
{
	if (largest <= UINT8_MAX) {
		return 1;
	}
	if (largest <= UINT16_MAX) {
		return 2;
	}
	return largest <= UINT32_MAX ? 4 : 8;
}

static uint64_t common_divisor(uint64_t a, uint64_t b)
{
	while (b != 0) {
		uint64_t rest = a % b;
		a = b;
		b = rest;
	}
	return a;
}

/* Numbers as (value - base) / scale in as few bytes as they need; all ones is "absent". */
static unsigned put_numbers(const struct column *column, struct buf *out)
{
	int64_t low = INT64_MAX;
	int64_t high = INT64_MIN;
	for (size_t i = 0; i < column->count; i++) {
		int64_t number = column->numbers[i];
		if (number != INT64_MIN) {
			low = number < low ? number : low;
			high = number > high ? number : high;
		}
	}
	if (high == INT64_MIN) {
		return 0;
	}
	uint64_t scale = 0;
	for (size_t i = 0; i < column->count && scale != 1; i++) {
		if (column->numbers[i] != INT64_MIN) {
			uint64_t delta = (uint64_t)column->numbers[i] - (uint64_t)low;
			scale = common_divisor(delta, scale);
		}
	}
	scale = scale > 0 ? scale : 1;
	uint64_t range = ((uint64_t)high - (uint64_t)low) / scale;
	unsigned width = width_of(range + 1); /* range < 2^64 - 1: INT64_MIN is no value */
	wire_put_u64(out, (uint64_t)low);
	wire_put_u64(out, scale);
	char *at = entries_room(out, column->count, width);
	for (size_t i = 0; at != NULL && i < column->count; i++) {
		uint64_t delta = (uint64_t)column->numbers[i] - (uint64_t)low;
		delta = scale > 1 ? delta / scale : delta;
		set_entry_value(at, i, column->numbers[i] != INT64_MIN ? delta : UINT64_MAX, width);
	}
	return width;
}

/* Codes in as few bytes as they need; the dictionary's size is "absent". */
static unsigned put_codes(const struct column *column, struct buf *out)
{
	const struct dict *dict = &column->dict;
	if (dict->count == 0) {
		return 0;
	}
	wire_put_u32(out, (uint32_t)dict->count);
	for (size_t i = 0; i < dict->count; i++) {
		wire_put_u32(out, dict->ends[i]);
	}
	buf_put_str(out, buf_str(&dict->bytes));
	unsigned width = width_of(dict->count);
	char *at = entries_room(out, column->count, width);
	for (size_t i = 0; at != NULL && i < column->count; i++) {
		uint32_t code = column->codes[i];
		set_entry_value(at, i, code != UINT32_MAX ? code : dict->count, width);
	}
	return width;
}

static unsigned put_ids(const struct column *column, struct buf *out)
{
	bool any = false;
	for (size_t i = 0; i < column->count && !any; i++) {
		any = column->codes[i] != 0;
	}
	if (!any) {
		return 0;
	}
	char *at = entries_room(out, column->count, 4);
	for (size_t i = 0; at != NULL && i < column->count; i++) {
		set_entry_value(at, i, column->codes[i], 4);
	}
	return 4;
}

static unsigned put_column(const struct column *column, struct buf *out)
{
	switch (column->form) {
	case COLUMNS_NUMBERS:
		return put_numbers(column, out);
	case COLUMNS_CODES:
		return put_codes(column, out);
	case COLUMNS_IDS:
		return put_ids(column, out);
	case COLUMNS_BYTES:
		break;
	}
	assert(false);
	return 0;
}

/* Writes a directory entry over its place. */
static void set_entry(struct buf *out, size_t index, const struct columns_section *section)
{
	uint8_t *at = (uint8_t *)out->ptr + COLUMNS_HEADER_BYTES + index * COLUMNS_ENTRY_BYTES;
	uint16_t id = htole16(section->id);
	uint16_t kinds = htole16(section->kinds);
	uint32_t parts[3] = {htole32(section->offset), htole32(section->length),
			     htole32(section->crc)};
	memcpy(at, &id, sizeof id);
	memcpy(at + 2, &kinds, sizeof kinds);
	at[4] = section->form;
	at[5] = section->width;
	memcpy(at + 8, parts, sizeof parts);
}

static void close_section(struct buf *out, size_t index, struct columns_section *section)
{
	if (out->failed) {
		return;
	}
	section->length = (uint32_t)(out->len - section->offset);
	section->crc = checksum_crc32c(str_make(out->ptr + section->offset, section->length));
	set_entry(out, index, section);
}

static void set_header(struct buf *out, size_t row_count, size_t section_count)
{
	size_t directory = section_count * COLUMNS_ENTRY_BYTES;
	uint32_t head[4] = {htole32(COLUMNS_MAGIC), htole32((uint32_t)row_count),
			    htole32((uint32_t)section_count), 0};
	memcpy(out->ptr, head, sizeof head);
	/* Over the whole front with the checksum's own place at zero. */
	uint32_t crc = checksum_crc32c(str_make(out->ptr, COLUMNS_HEADER_BYTES + directory));
	crc = htole32(crc);
	memcpy(out->ptr + 12, &crc, sizeof crc);
}

/* Writes one blob: the kinds, then every column that is (or is not) made of id hashes. */
static int write_blob(const struct columns_builder *builder, bool ids, struct buf *out)
{
	size_t sections = 1;
	for (size_t i = 0; i < builder->column_count; i++) {
		sections += (builder->columns[i].form == COLUMNS_IDS) == ids ? 1 : 0;
	}
	buf_clear(out);
	buf_put_fill(out, 0, COLUMNS_HEADER_BYTES + sections * COLUMNS_ENTRY_BYTES);
	struct columns_section kinds = {.id = COLUMNS_KIND,
					.kinds = ALL_KINDS,
					.form = COLUMNS_BYTES,
					.width = 1,
					.offset = (uint32_t)out->len};
	buf_put(out, builder->kinds, builder->row_count);
	close_section(out, 0, &kinds);
	size_t index = 1;
	for (size_t i = 0; i < builder->column_count; i++) {
		const struct column *column = &builder->columns[i];
		if ((column->form == COLUMNS_IDS) != ids) {
			continue;
		}
		struct columns_section section = {.id = (uint16_t)column->id,
						  .kinds = (uint16_t)column->kinds,
						  .form = (uint8_t)column->form,
						  .offset = (uint32_t)out->len};
		section.width = (uint8_t)put_column(column, out);
		close_section(out, index++, &section);
	}
	if (out->failed) {
		return -ERR_LIMIT;
	}
	set_header(out, builder->row_count, sections);
	return 0;
}

uint32_t columns_blob_checksum(struct str blob)
{
	uint32_t crc = 0;
	assert(blob.len >= COLUMNS_HEADER_BYTES);
	memcpy(&crc, blob.ptr + COLUMNS_HEADER_BYTES - sizeof crc, sizeof crc);
	return le32toh(crc);
}

int columns_builder_finish(struct columns_builder *builder, struct buf *out_columns,
			   struct buf *out_ids)
{
	int rc = write_blob(builder, false, out_columns);
	return rc < 0 ? rc : write_blob(builder, true, out_ids);
}
