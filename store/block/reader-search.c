#include "store/block/opened.h"

#include <stdlib.h>

static void set_bit(uint64_t *bits, size_t i)
{
	bits[i / 64] |= (uint64_t)1 << i % 64;
}

static bool has_bit(const uint64_t *bits, size_t i)
{
	return (bits[i / 64] >> i % 64 & 1) != 0;
}

static bool matches(const struct block_needle *needle, struct str text)
{
	bool holds = needle->any_count == 0 || needle->class_count > 0;
	for (size_t i = 0; !holds && i < needle->any_count; i++) {
		holds = (needle->ignore_case ? str_find_fold(text, needle->any[i], 0)
					     : str_find(text, needle->any[i], 0)) >= 0;
	}
	return holds && (needle->matches == NULL || needle->matches(needle->owner, text));
}

bool block_needle_in_codes(const struct block_needle *needle, const struct block_codes *codes,
			   size_t count, uint64_t *out_rows)
{
	bool any = false;
	bool *hits = calloc(codes->dict_count + 1, sizeof hits[0]);
	if (hits == NULL) {
		return false;
	}
	for (size_t i = 0; i < codes->dict_count; i++) {
		hits[i] = matches(needle, codes->dict[i]);
		any = any || hits[i];
	}
	for (size_t i = 0; any && i < count; i++) {
		if (codes->code[i] < codes->dict_count && hits[codes->code[i]]) {
			set_bit(out_rows, i);
		}
	}
	free(hits);
	return true;
}

static bool ask(void *owner, struct str text)
{
	const struct block_needle *needle = owner;
	return needle->matches(needle->owner, text);
}

/* Several texts, of which a value holds one: those that do are asked once. */
static int find_one_of(struct texts *texts, size_t count, const struct block_needle *needle,
		       uint64_t *found, struct error *err)
{
	struct buf text;
	const struct texts_needle run = {.classes = needle->classes,
					 .class_count = needle->class_count};
	int rc = needle->class_count > 0 ? texts_find(texts, &run, found, err) : 0;
	for (size_t i = 0; rc == 0 && i < needle->any_count; i++) {
		const struct texts_needle one = {.needle = needle->any[i],
						 .ignore_case = needle->ignore_case};
		rc = texts_find(texts, &one, found, err);
	}
	if (needle->matches == NULL) {
		return rc;
	}
	buf_init(&text, RECORD_MAX_BYTES);
	for (size_t i = 0; rc == 0 && i < count; i++) {
		if (!has_bit(found, i)) {
			continue;
		}
		buf_clear(&text);
		rc = texts_put_text(texts, i, &text, err);
		if (rc == 0 && !needle->matches(needle->owner, buf_str(&text))) {
			found[i / 64] &= ~((uint64_t)1 << i % 64);
		}
	}
	buf_done(&text);
	return rc;
}

/* The values that match, as bits. */
static int find_values(const struct opened_column *opened, const struct block_needle *needle,
		       uint64_t *found, struct error *err)
{
	struct block_needle copy = *needle;
	struct str any = needle->any_count == 1 ? needle->any[0] : (struct str){NULL, 0};
	struct texts_needle one = {
		.automaton = needle->automaton,
		.matches = needle->matches != NULL ? ask : NULL,
		.owner = &copy,
	};
	if (needle->automaton == NULL && needle->any_count + (needle->class_count > 0) > 1) {
		return find_one_of(opened->texts, opened->count, needle, found, err);
	}
	if (needle->automaton == NULL) {
		one.needle = any;
		one.ignore_case = needle->ignore_case;
		one.classes = needle->classes;
		one.class_count = needle->class_count;
	}
	return texts_find(opened->texts, &one, found, err);
}

static int find_in_texts(struct block *block, uint16_t column, const struct block_needle *needle,
			 uint64_t *out_rows, struct error *err)
{
	const struct opened_column *opened = &block->columns[column];
	size_t rows = block->layout.runs[block->layout.columns[column].kind].count;
	uint64_t *found = calloc(opened->count / 64 + 1, sizeof found[0]);
	int rc;
	if (found == NULL) {
		return opened_no_memory(block, err);
	}
	rc = find_values(opened, needle, found, err);
	for (size_t word = 0; rc == 0 && opened->value_of == NULL && word <= rows / 64; word++) {
		out_rows[word] |= word * 64 < rows ? found[word] : 0;
	}
	for (size_t row = 0; rc == 0 && opened->value_of != NULL && row < rows; row++) {
		uint32_t value = opened->value_of[row];
		if (value != UINT32_MAX && has_bit(found, value)) {
			set_bit(out_rows, row);
		}
	}
	free(found);
	return rc == -ERR_GONE ? streams_blame(block->streams, (uint16_t)(LAYOUT_FIRST + column),
					       "a text is missing", err)
			       : rc;
}

/* Of records that are put together one by one. */
static int find_in_records(struct block *block, struct block_field where,
			   const struct block_needle *needle, uint64_t *out_rows, struct error *err)
{
	struct block_run run = block->layout.runs[where.kind];
	for (uint32_t i = 0; i < run.count; i++) {
		int rc = opened_record(block, run.first + i, block->row, err);
		if (rc < 0) {
			return rc;
		}
		const struct record *record = &block->row->record;
		if (record_has(record, where.field) &&
		    matches(needle, record_text(record, where.field))) {
			set_bit(out_rows, i);
		}
	}
	return 0;
}

int block_find_text(struct block *block, struct block_field where,
		    const struct block_needle *needle, uint64_t *out_rows, struct error *err)
{
	struct block_codes codes;
	size_t rows = block->layout.runs[where.kind].count;
	int column = opened_only_column(block, where.kind, where.field);
	if (rows == 0 || column == LAYOUT_NONE) {
		return 0;
	}
	int rc = column >= 0 ? opened_load(block, (uint16_t)column, err)
			     : opened_folded(block, where.kind, where.field, &codes, err);
	if (rc < 0) {
		return rc;
	}
	if (rc == 1) {
		return find_in_records(block, where, needle, out_rows, err);
	}
	if (column >= 0 && block->columns[column].texts != NULL) {
		return find_in_texts(block, (uint16_t)column, needle, out_rows, err);
	}
	if (column >= 0) {
		const struct wordlist *words = &block->columns[column].words;
		codes = (struct block_codes){block->layout.columns[column].code, words->texts,
					     words->count};
	}
	return block_needle_in_codes(needle, &codes, rows, out_rows) ? 0
								     : opened_no_memory(block, err);
}
