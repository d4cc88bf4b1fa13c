/* One sealed block: its row in the catalog, filters and summary, and its own order and columns, made anew from its records. */
#include "base/digest.h"
#include "model/redact.h"
#include "store/block/families.h"
#include "store/id-filter.h"
#include "store/log/indexes-inner.h"
#include "store/seal-keys.h"

#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

struct block_check {
	struct indexes *indexes;
	const struct blocks_row *row;
	struct indexes_place place;
	struct block *block;
	const uint32_t *parents;
	struct block_codes *
		codes; /* by kind and field; of fields that are no coded column: without codes. Field 0: the sources */
	const int64_t **numbers; /* likewise; NULL: it is none */
	struct member *members;
	struct seal_keys keys;
	struct block_about is; /* what the records say */
	uint32_t redacted;
	unsigned wrong_column;                        /* the first; FIELD_LIMIT: none */
	bool wrong_hint, wrong_leaf_or_time, outside; /* outside: a leaf is in no span */
};

static size_t cell(unsigned kind, unsigned field)
{
	return (size_t)kind * FIELD_LIMIT + field;
}

static void say(struct block_check *check, const char *text)
{
	indexes_tell(check->indexes, &check->place, "%s", text);
}

static int no_memory(struct error *err)
{
	return error_set(err, ERR_NOMEM, "no memory to look at a block");
}

/* The file is the one that the catalog knows. */
static int check_file(struct block_check *check, int fd, struct error *err)
{
	const struct blocks_row *row = check->row;
	uint8_t digest[DIGEST_BYTES];
	if (row->file_bytes == 0 || row->file_bytes > SIZE_MAX) {
		return error_set(err, ERR_CORRUPT, "%s has no bytes", row->name);
	}
	off_t end = lseek(fd, 0, SEEK_END);
	if (end < 0 || (uint64_t)end != row->file_bytes) {
		return error_set(err, ERR_CORRUPT, "%s has another size than the catalog says",
				 row->name);
	}
	void *bytes = mmap(NULL, (size_t)row->file_bytes, PROT_READ, MAP_PRIVATE, fd, 0);
	if (bytes == MAP_FAILED) {
		return error_errno(err, "%s can't be read", row->name);
	}
	digest_sha256(str_make(bytes, (size_t)row->file_bytes), digest);
	(void)munmap(bytes, (size_t)row->file_bytes); /* can't fail: it is mapped */
	if (memcmp(digest, row->sha256, sizeof digest) != 0) {
		say(check, "the file is not the one that was sealed (SHA-256)");
	}
	return 0;
}

static int load_kind(struct block_check *check, unsigned kind, struct error *err)
{
	int rc = block_source_column(check->block, (enum record_kind)kind,
				     &check->codes[cell(kind, 0)], err);
	for (unsigned field = 1; rc == 0 && field < FIELD_LIMIT; field++) {
		enum columns_form form = columns_form(field);
		if ((field_info(field)->kinds >> kind & 1) == 0) {
			continue;
		}
		if (form == COLUMNS_CODES) {
			rc = block_text_column(check->block, (enum record_kind)kind,
					       (enum field)field, &check->codes[cell(kind, field)],
					       err);
		} else if (form == COLUMNS_NUMBERS) {
			rc = block_number_column(check->block, (enum record_kind)kind,
						 (enum field)field,
						 &check->numbers[cell(kind, field)], err);
		}
	}
	return rc;
}

static int prepare(struct block_check *check, struct error *err)
{
	size_t cells = (size_t)RECORD_KIND_COUNT * FIELD_LIMIT;
	size_t rows = block_about(check->block)->row_count;
	check->codes = calloc(cells, sizeof check->codes[0]);
	check->numbers = calloc(cells, sizeof check->numbers[0]);
	check->members = calloc(rows + 1, sizeof check->members[0]);
	if (check->codes == NULL || check->numbers == NULL || check->members == NULL ||
	    seal_keys_init(&check->keys, block_run(check->block, RECORD_REQUEST).count) < 0) {
		return no_memory(err);
	}
	int rc = block_parents(check->block, &check->parents, err);
	for (unsigned kind = 1; rc == 0 && kind < RECORD_KIND_COUNT; kind++) {
		if (block_run(check->block, (enum record_kind)kind).count > 0) {
			rc = load_kind(check, kind, err);
		}
	}
	return rc;
}

static bool says_text(const struct block_codes *codes, uint32_t at, bool has, struct str text)
{
	uint32_t code = codes->code[at];
	return has ? code < codes->dict_count && str_equal(codes->dict[code], text)
		   : code == UINT32_MAX;
}

/* The first column that says other than the record. */
static void check_columns(struct block_check *check, const struct record *record, uint32_t row)
{
	uint32_t at = row - block_run(check->block, record->kind).first;
	const struct block_codes *sources = &check->codes[cell(record->kind, 0)];
	bool right = says_text(sources, at, true, record->source);
	check->wrong_column = right ? check->wrong_column : 0;
	for (unsigned field = 1; right && field < FIELD_LIMIT; field++) {
		const struct block_codes *codes = &check->codes[cell(record->kind, field)];
		const int64_t *numbers = check->numbers[cell(record->kind, field)];
		bool has = record_has(record, field);
		if (codes->code != NULL) {
			right = says_text(codes, at, has,
					  has ? record_text(record, field) : (struct str){0});
		} else if (numbers != NULL) {
			right = numbers[at] == (has ? record_number(record, field, 0) : INT64_MIN);
		}
		check->wrong_column = right ? check->wrong_column : field;
	}
}

static uint64_t leaf_in(const struct record *record, unsigned field)
{
	int64_t leaf = record->kind == RECORD_VERDICT ? record_number(record, field, -1) : -1;
	return leaf < 0 ? FAMILIES_NO_LEAF : (uint64_t)leaf;
}

static bool is_spanned(const struct blocks_row *row, uint64_t leaf)
{
	size_t low = 0, high = row->span_count;
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		if (row->spans[middle].last < leaf) {
			low = middle + 1;
		} else {
			high = middle;
		}
	}
	return low < row->span_count && row->spans[low].first <= leaf;
}

static void count_in(struct block_check *check, const struct record *record, uint64_t leaf)
{
	struct block_about *is = &check->is;
	is->row_count++;
	is->of_kind[record->kind]++;
	is->min_leaf = leaf < is->min_leaf ? leaf : is->min_leaf;
	is->max_leaf = leaf > is->max_leaf ? leaf : is->max_leaf;
	is->min_time_ns = record->time_ns < is->min_time_ns ? record->time_ns : is->min_time_ns;
	is->max_time_ns = record->time_ns > is->max_time_ns ? record->time_ns : is->max_time_ns;
	is->record_bytes += check->indexes->record.len;
	is->raw_bytes += record_has(record, FIELD_raw) ? record_text(record, FIELD_raw).len : 0;
	check->redacted +=
		record->kind != RECORD_ALERT && redact_degree_of(record, NULL) != REDACT_NOTHING
			? 1
			: 0;
}

static int check_row(struct block_check *check, uint32_t row, struct error *err)
{
	struct indexes *indexes = check->indexes;
	struct record record;
	uint64_t leaf = block_leaves(check->block)[row];
	bool fits = true;
	buf_clear(&indexes->record);
	int rc = block_record(check->block, row, &indexes->record, err);
	rc = rc < 0 ? rc : record_decode(buf_str(&indexes->record), &record, err);
	if (rc < 0) {
		return rc;
	}
	if (record.kind != block_kinds(check->block)[row]) {
		return error_set(err, ERR_CORRUPT, "leaf %llu has another kind than its row",
				 (unsigned long long)leaf);
	}
	check->members[row] = (struct member){
		.leaf = leaf,
		.time_ns = record.time_ns,
		.statement_leaf = leaf_in(&record, FIELD_statement_leaf),
		.request_leaf = leaf_in(&record, FIELD_request_leaf),
		.revision = record.kind == RECORD_VERDICT
				    ? record_number(&record, FIELD_revision, 0)
				    : 0,
		.kind = (uint8_t)record.kind,
		.index = row,
	};
	check->wrong_leaf_or_time =
		check->wrong_leaf_or_time || block_times(check->block)[row] != record.time_ns;
	check->outside = check->outside || !is_spanned(check->row, leaf);
	indexes_see(indexes, &check->place, leaf);
	count_in(check, &record, leaf);
	if (check->wrong_column == FIELD_LIMIT) {
		check_columns(check, &record, row);
	}
	seal_keys_add(&check->keys, &record, row, check->parents[row]);
	rc = block_hint_fits(check->block, row, record_stable_number(record.source, record.key),
			     &fits, err);
	check->wrong_hint = check->wrong_hint || !fits;
	return rc;
}

/* The order and parents that the records ask for are those that the block has. */
static int check_families(struct block_check *check, struct error *err)
{
	uint32_t rows = check->is.row_count;
	uint32_t *parents = malloc((rows + 1) * sizeof parents[0]);
	if (parents == NULL || families_lay_out(check->members, rows, parents) < 0) {
		free(parents);
		return no_memory(err);
	}
	bool right = true;
	for (uint32_t row = 0; right && row < rows; row++) {
		right = check->members[row].index == row && parents[row] == check->parents[row];
	}
	free(parents);
	if (!right) {
		say(check, "its statements stand under other requests than its verdicts say");
	}
	return 0;
}

static void compare_about(struct block_check *check)
{
	const struct block_about *was = &check->row->about;
	const struct block_about *is = &check->is;
	if (was->min_time_ns != is->min_time_ns || was->max_time_ns != is->max_time_ns ||
	    check->wrong_leaf_or_time) {
		say(check, "the catalog says other event times than its records: a time range can "
			   "pass it over");
	}
	if (was->row_count != is->row_count ||
	    memcmp(was->of_kind, is->of_kind, sizeof is->of_kind) != 0) {
		say(check, "the catalog says other counts of records than it holds");
	}
	if (was->min_leaf != is->min_leaf || was->max_leaf != is->max_leaf || check->outside) {
		say(check, "the catalog says other leaves than it holds");
	}
	if (was->record_bytes != is->record_bytes || was->raw_bytes != is->raw_bytes ||
	    check->row->redacted != check->redacted) {
		say(check, "the catalog says other sizes, or another count of redacted records, "
			   "than it holds");
	}
}

/* What the block itself says, by which rows and other blocks are found. */
static void compare_rows(struct block_check *check)
{
	if (check->wrong_column < FIELD_LIMIT) {
		indexes_tell(check->indexes, &check->place,
			     "its column %s says other than its records",
			     check->wrong_column == 0 ? "source"
						      : field_info(check->wrong_column)->name);
	}
	if (check->wrong_hint) {
		say(check, "its hints pass over a record that is asked for by its id");
	}
	if (check->keys.has_strays && !check->row->has_strays) {
		say(check, "the catalog does not say that it holds verdicts on records elsewhere");
	}
}

/* Each key must be found; a filter of the same bytes has them all. */
static int check_filter(struct block_check *check, enum blocks_blob which, struct error *err)
{
	struct indexes *indexes = check->indexes;
	bool is_ids = which == BLOCKS_FILTER_IDS;
	const uint64_t *keys = is_ids ? check->keys.ids : check->keys.records;
	size_t count = is_ids ? check->keys.id_count : check->keys.record_count;
	struct id_filter filter;
	size_t lost = 0;
	buf_clear(&indexes->stored);
	int rc = blocks_blob(indexes->store->reading, check->row->about.number, which,
			     &indexes->stored, err);
	if (rc < 0 || indexes->stored.len == 0) {
		return rc; /* unknown: it is read */
	}
	rc = id_filter_open(buf_str(&indexes->stored), &filter, err);
	for (size_t i = 0; rc == 0 && i < count; i++) {
		lost += id_filter_may_hold(&filter, keys[i]) ? 0 : 1;
	}
	if (lost > 0) {
		indexes_tell(indexes, &check->place,
			     "its filter of %s lacks %zu of %zu: a search for them passes it over",
			     is_ids ? "ids" : "records", lost, count);
	}
	return rc;
}

static int check_summary(struct block_check *check, struct error *err)
{
	struct indexes *indexes = check->indexes;
	struct store *store = indexes->store;
	struct summary *stored = NULL, *made = NULL;
	uint64_t number = check->row->about.number;
	bool whole = false;
	buf_clear(&indexes->made);
	buf_clear(&indexes->stored);
	int rc = summary_make(check->block, store->key, &indexes->made, &whole, err);
	if (rc == 0 && check->row->is_whole && !whole) {
		say(check, "the catalog says that its trails can be judged by itself; they can't");
	}
	rc = rc < 0 ? rc
		    : blocks_blob(store->reading, number, BLOCKS_SUMMARY, &indexes->stored, err);
	if (rc < 0 || indexes->stored.len == 0) {
		return rc; /* unknown: it is read */
	}
	rc = summary_open(number, buf_str(&indexes->made), store->key, &made, err);
	rc = rc < 0 ? rc
		    : summary_open(number, buf_str(&indexes->stored), store->key, &stored, err);
	if (rc == 0) {
		const char *name = indexes_compare(stored, made);
		if (name != NULL) {
			indexes_tell(indexes, &check->place,
				     "its summary says other than its records (%s): a question can "
				     "pass it over, or count wrongly",
				     name);
		}
	}
	summary_close(made);
	summary_close(stored);
	return rc;
}

static int check_open(struct block_check *check, struct error *err)
{
	uint32_t rows = block_about(check->block)->row_count;
	int rc = prepare(check, err);
	for (uint32_t row = 0; rc == 0 && row < rows; row++) {
		rc = check_row(check, row, err);
	}
	if (rc < 0) {
		return rc;
	}
	if (check->keys.failed) {
		return no_memory(err);
	}
	compare_about(check);
	compare_rows(check);
	rc = check_families(check, err);
	rc = rc < 0 ? rc
		    : indexes_pass(check->indexes, &check->place,
				   check_filter(check, BLOCKS_FILTER_IDS, err), err);
	rc = rc < 0 ? rc
		    : indexes_pass(check->indexes, &check->place,
				   check_filter(check, BLOCKS_FILTER_RECORDS, err), err);
	return rc < 0 ? rc : check_summary(check, err);
}

int indexes_block(struct indexes *indexes, const struct blocks_row *row, struct error *err)
{
	struct block_check check = {
		.indexes = indexes,
		.row = row,
		.place = {.block = row->about.number,
			  .first = row->about.min_leaf,
			  .last = row->about.max_leaf},
		.wrong_column = FIELD_LIMIT,
		.is = {.min_leaf = UINT64_MAX, .min_time_ns = INT64_MAX, .max_time_ns = INT64_MIN},
	};
	int fd = -1;
	int rc = blocks_open_row(indexes->store->blocks, row, &fd, &check.block, err);
	if (rc == 0) {
		const struct block_about *about = block_about(check.block);
		check.place.first =
			about->min_leaf < check.place.first ? about->min_leaf : check.place.first;
		check.place.last =
			about->max_leaf > check.place.last ? about->max_leaf : check.place.last;
		rc = check_file(&check, fd, err);
		rc = rc < 0 ? rc : check_open(&check, err);
		block_close(check.block);
		(void)close(fd); /* only read */
	}
	seal_keys_done(&check.keys);
	free(check.codes);
	free(check.numbers);
	free(check.members);
	return indexes_pass(indexes, &check.place, rc, err);
}
