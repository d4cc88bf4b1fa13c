#include "store/scan-block.h"

#include <assert.h>
#include <stdlib.h>

int scan_make_room(void **memory, size_t *room, size_t count, size_t size)
{
	if (count <= *room) {
		return 0;
	}
	count += count / 4; /* blocks are of about one size, and rarely of the same */
	void *larger = calloc(count, size);
	if (larger == NULL) {
		return -ERR_NOMEM;
	}
	free(*memory);
	*memory = larger;
	*room = count;
	return 0;
}

void scan_column_done(struct scan_column *column)
{
	buf_done(&column->bytes);
	free(column->text.codes);
	free(column->numbers);
	free(column->text.texts);
	if (column->made != NULL) {
		dict_done(column->made);
		free(column->made);
	}
}

int scan_codes_room(struct scan_column *column, size_t count, struct error *err)
{
	void *codes = column->text.codes;
	if (scan_make_room(&codes, &column->codes_room, count, sizeof column->text.codes[0]) < 0) {
		return error_set(err, ERR_NOMEM, "no memory for a column of %zu rows", count);
	}
	column->text.codes = codes;
	return 0;
}

int scan_numbers_room(struct scan_column *column, size_t count, struct error *err)
{
	void *numbers = column->numbers;
	if (scan_make_room(&numbers, &column->numbers_room, count, sizeof column->numbers[0]) < 0) {
		return error_set(err, ERR_NOMEM, "no memory for a column of %zu rows", count);
	}
	column->numbers = numbers;
	return 0;
}

/* Codes of a field that the block does not keep apart: decodes every record that may hold it. */
static int codes_from_records(struct scan *scan, unsigned field, struct error *err)
{
	struct scan_column *column = &scan->columns[field];
	const struct scan_block *block = &scan->block;
	unsigned kinds = field_info(field)->kinds;
	if (column->made == NULL) {
		column->made = malloc(sizeof *column->made);
		if (column->made == NULL) {
			return error_set(err, ERR_NOMEM, "no memory for a dictionary");
		}
		dict_init(column->made);
	}
	dict_clear(column->made);
	struct record record;
	for (size_t row = 0; row < block->row_count; row++) {
		column->text.codes[row] = SCAN_ABSENT;
		if ((kinds >> block->kinds[row] & 1) == 0) {
			continue;
		}
		int rc = scan_record(block, row, &record, err);
		if (rc < 0) {
			return rc;
		}
		if (record_has(&record, field) && dict_code(column->made, record.value[field].text,
							    &column->text.codes[row]) < 0) {
			return error_set(err, ERR_NOMEM, "no memory for the values of %s",
					 field_info(field)->name);
		}
	}
	void *texts = column->text.texts;
	if (scan_make_room(&texts, &column->text.text_room, column->made->count,
			   sizeof column->text.texts[0]) < 0) {
		return error_set(err, ERR_NOMEM, "no memory for the values of %s",
				 field_info(field)->name);
	}
	column->text.texts = texts;
	column->text.text_count = column->made->count;
	for (uint32_t code = 0; code < column->made->count; code++) {
		column->text.texts[code] = dict_text(column->made, code);
	}
	return 0;
}

static int numbers_from_records(struct scan *scan, unsigned field, struct error *err)
{
	struct scan_column *column = &scan->columns[field];
	const struct scan_block *block = &scan->block;
	unsigned kinds = field_info(field)->kinds;
	struct record record;
	for (size_t row = 0; row < block->row_count; row++) {
		column->numbers[row] = INT64_MIN;
		if ((kinds >> block->kinds[row] & 1) == 0) {
			continue;
		}
		int rc = scan_record(block, row, &record, err);
		if (rc < 0) {
			return rc;
		}
		column->numbers[row] = record_number(&record, field, INT64_MIN);
	}
	return 0;
}

/* The section of a column in the wanted form, or NULL when the block keeps none. */
static const struct columns_section *find_section(const struct scan *scan, unsigned id,
						  enum columns_form form)
{
	const struct columns_section *section =
		columns_directory_find(&scan->sections.directory, id);
	return section != NULL && section->form == form ? section : NULL;
}

int scan_rows_of(const struct scan_block *block, enum record_kind kind, struct scan_rows *out_rows,
		 struct error *err)
{
	struct kind_rows *of_kind = &block->scan->block.of_kind[kind];
	size_t wanted = block->rows.of_kind[kind];
	if (!of_kind->made) {
		void *row = of_kind->row;
		/* One more, because each row is written before it is known to be one. */
		if (scan_make_room(&row, &of_kind->room, wanted + 1, sizeof of_kind->row[0]) < 0) {
			return error_set(err, ERR_NOMEM, "no memory for a block of %zu rows",
					 block->row_count);
		}
		of_kind->row = row;
		size_t count = 0;
		for (size_t i = 0; i < block->row_count && count < wanted; i++) {
			of_kind->row[count] = (uint32_t)i;
			count += block->kinds[i] == kind ? 1 : 0;
		}
		of_kind->made = true;
	}
	*out_rows = (struct scan_rows){of_kind->row, wanted};
	return 0;
}

unsigned scan_held(const struct scan_block *block)
{
	unsigned held = 0;
	for (unsigned kind = 0; kind < RECORD_KIND_COUNT; kind++) {
		held |= (block->rows.of_kind[kind] > 0 ? 1u : 0u) << kind;
	}
	return held;
}

/* The rows that a section is read for: those of one kind alone when it has no entries of others, else all. */
static const struct columns_rows *rows_for(const struct scan_block *block,
					   const struct columns_section *section, unsigned kind,
					   struct columns_rows *out_alone)
{
	if (kind == 0 || (section->kinds & scan_held(block)) != 1u << kind) {
		return &block->rows;
	}
	*out_alone = (struct columns_rows){.kinds = NULL, .row_count = block->rows.of_kind[kind]};
	out_alone->of_kind[kind] = out_alone->row_count;
	return out_alone;
}

static int codes_section(struct scan *scan, const struct columns_section *section, unsigned kind,
			 struct error *err)
{
	struct scan_column *column = &scan->columns[section->id];
	struct columns_rows alone;
	const struct columns_rows *rows = rows_for(&scan->block, section, kind, &alone);
	int rc = sections_read(&scan->sections, section, &column->bytes, err);
	if (rc < 0) {
		return rc;
	}
	rc = columns_read_codes(section, buf_str(&column->bytes), rows, &column->text, err);
	column->kind = rows == &alone ? (uint8_t)kind : 0;
	return rc < 0 ? sections_blame(&scan->sections, err, rc) : 0;
}

static int load_codes(struct scan *scan, unsigned id, unsigned kind, struct error *err)
{
	struct scan_column *column = &scan->columns[id];
	const struct scan_block *block = &scan->block;
	int rc = scan_codes_room(column, block->row_count, err);
	if (rc < 0) {
		return rc;
	}
	column->kind = 0;
	const struct columns_section *section = find_section(scan, id, COLUMNS_CODES);
	if (section == NULL && id >= FIELD_LIMIT) {
		rc = error_set(err, ERR_CORRUPT, "the columns do not tell the sources of the rows");
		return sections_blame(&scan->sections, err, rc);
	}
	rc = section == NULL ? codes_from_records(scan, id, err)
			     : codes_section(scan, section, kind, err);
	if (rc < 0 || column->kind == kind) {
		return rc;
	}
	struct scan_rows rows;
	rc = scan_rows_of(block, (enum record_kind)kind, &rows, err);
	for (size_t i = 0; rc == 0 && i < rows.count; i++) {
		column->text.codes[i] = column->text.codes[rows.row[i]]; /* row[i] >= i */
	}
	column->kind = (uint8_t)kind;
	return rc;
}

static int numbers_section(struct scan *scan, const struct columns_section *section, unsigned kind,
			   struct error *err)
{
	struct scan_column *column = &scan->columns[section->id];
	struct columns_rows alone;
	const struct columns_rows *rows = rows_for(&scan->block, section, kind, &alone);
	int rc = sections_read(&scan->sections, section, &column->bytes, err);
	if (rc < 0) {
		return rc;
	}
	rc = columns_read_numbers(section, buf_str(&column->bytes), rows, column->numbers, err);
	column->kind = rows == &alone ? (uint8_t)kind : 0;
	return rc < 0 ? sections_blame(&scan->sections, err, rc) : 0;
}

static int load_numbers(struct scan *scan, unsigned id, unsigned kind, struct error *err)
{
	struct scan_column *column = &scan->columns[id];
	const struct scan_block *block = &scan->block;
	int rc = scan_numbers_room(column, block->row_count, err);
	if (rc < 0) {
		return rc;
	}
	column->kind = 0;
	const struct columns_section *section = find_section(scan, id, COLUMNS_NUMBERS);
	if (section == NULL && id >= FIELD_LIMIT) {
		rc = error_set(err, ERR_CORRUPT, "the columns do not tell the times of the rows");
		return sections_blame(&scan->sections, err, rc);
	}
	rc = section == NULL ? numbers_from_records(scan, id, err)
			     : numbers_section(scan, section, kind, err);
	if (rc < 0 || column->kind == kind) {
		return rc;
	}
	struct scan_rows rows;
	rc = scan_rows_of(block, (enum record_kind)kind, &rows, err);
	for (size_t i = 0; rc == 0 && i < rows.count; i++) {
		column->numbers[i] = column->numbers[rows.row[i]]; /* row[i] >= i */
	}
	column->kind = (uint8_t)kind;
	return rc;
}

static int text_column(const struct scan_block *block, unsigned id, unsigned kind,
		       struct scan_codes *out_codes, struct error *err)
{
	struct scan_column *column = &block->scan->columns[id];
	if (block->sealed != NULL) {
		return scan_sealed_text(block->scan, id, kind, out_codes, err);
	}
	if (!column->loaded || column->kind != kind) {
		column->loaded = false;
		int rc = load_codes(block->scan, id, kind, err);
		if (rc < 0) {
			return rc;
		}
		column->loaded = true;
	}
	*out_codes = (struct scan_codes){.code = column->text.codes,
					 .dict = column->text.texts,
					 .dict_count = column->text.text_count};
	return 0;
}

static int number_column(const struct scan_block *block, unsigned id, unsigned kind,
			 const int64_t **out_values, struct error *err)
{
	struct scan_column *column = &block->scan->columns[id];
	if (block->sealed != NULL) {
		return scan_sealed_number(block->scan, id, kind, out_values, err);
	}
	if (!column->loaded || column->kind != kind) {
		column->loaded = false;
		int rc = load_numbers(block->scan, id, kind, err);
		if (rc < 0) {
			return rc;
		}
		column->loaded = true;
	}
	*out_values = column->numbers;
	return 0;
}

int scan_text_column(const struct scan_block *block, enum field field, struct scan_codes *out_codes,
		     struct error *err)
{
	return scan_text_of(block, (enum record_kind)0, field, out_codes, err);
}

int scan_text_of(const struct scan_block *block, enum record_kind kind, enum field field,
		 struct scan_codes *out_codes, struct error *err)
{
	enum field_type type = field_info(field)->type;
	assert(type == FIELD_TYPE_TEXT || type == FIELD_TYPE_BYTES);
	return text_column(block, field, kind, out_codes, err);
}

int scan_source_column(const struct scan_block *block, struct scan_codes *out_codes,
		       struct error *err)
{
	return text_column(block, COLUMNS_SOURCE, 0, out_codes, err);
}

int scan_source_of(const struct scan_block *block, enum record_kind kind,
		   struct scan_codes *out_codes, struct error *err)
{
	return text_column(block, COLUMNS_SOURCE, kind, out_codes, err);
}

int scan_number_column(const struct scan_block *block, enum field field, const int64_t **out_values,
		       struct error *err)
{
	return number_column(block, field, 0, out_values, err);
}

int scan_number_of(const struct scan_block *block, enum record_kind kind, enum field field,
		   const int64_t **out_values, struct error *err)
{
	return number_column(block, field, kind, out_values, err);
}

int scan_load_times(struct scan *scan, struct error *err)
{
	return number_column(&scan->block, COLUMNS_TIME, 0, &scan->block.times, err);
}

int scan_find_text(const struct scan_block *block, struct scan_field where,
		   const struct block_needle *needle, uint64_t *out_rows, struct error *err)
{
	struct scan_codes codes;
	if (block->sealed != NULL) {
		return scan_sealed_find(block, where, needle, out_rows, err);
	}
	int rc = scan_text_of(block, where.kind, where.field, &codes, err);
	if (rc < 0) {
		return rc;
	}
	const struct block_codes same = {codes.code, codes.dict, codes.dict_count};
	if (!block_needle_in_codes(needle, &same, block->rows.of_kind[where.kind], out_rows)) {
		return error_set(err, ERR_NOMEM, "no memory to look through %zu values",
				 codes.dict_count);
	}
	return 0;
}
