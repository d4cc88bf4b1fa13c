#include "store/scan.h"

#include "store/find-sealed.h"
#include "store/handle.h"
#include "store/sections.h"

#include <stdlib.h>

/* The id fields of store/columns.def. */
static const unsigned id_fields[] = {
#define IDS                 1
#define CODES               0
#define NUMBERS             0
#define COLUMN(field, form) form ? FIELD_##field : 0,
#include "store/columns.def"
#undef COLUMN
#undef NUMBERS
#undef CODES
#undef IDS
};

struct find {
	struct store *store;
	struct str id;
	struct sections sections;
	struct buf scratch;
	uint8_t *kinds;
	size_t kinds_room;
	uint64_t *candidates; /* leaves whose hash fits, in no order and perhaps twice */
	size_t candidate_count, candidate_room;
	uint64_t first_leaf; /* of the batch that is looked at */
};

static int add_leaf(void *owner, uint64_t leaf)
{
	struct find *find = owner;
	if (find->candidate_count == find->candidate_room) {
		size_t room = find->candidate_room > 0 ? find->candidate_room * 2 : 64;
		uint64_t *candidates = realloc(find->candidates, room * sizeof candidates[0]);
		if (candidates == NULL) {
			return -ERR_NOMEM;
		}
		find->candidates = candidates;
		find->candidate_room = room;
	}
	find->candidates[find->candidate_count++] = leaf;
	return 0;
}

static int add_candidate(void *owner, size_t row)
{
	struct find *find = owner;
	return add_leaf(find, find->first_leaf + row);
}

/* A stable id's text as the hash of COLUMNS_RECORD: its first 8 digits. */
static bool record_hash_of(struct str id, uint32_t *out_hash)
{
	if (id.len != RECORD_ID_DIGITS) {
		return false;
	}
	uint32_t hash = 0;
	for (size_t i = 0; i < RECORD_ID_DIGITS; i++) {
		const char *digit = memchr("0123456789abcdef", id.ptr[i], 16);
		if (digit == NULL) {
			return false;
		}
		uint32_t value = (uint32_t)(digit - "0123456789abcdef");
		hash = i < 8 ? hash << 4 | value : hash;
	}
	*out_hash = hash != 0 ? hash : 1;
	return true;
}

static int look_in_section(struct find *find, const struct columns_section *section,
			   const struct columns_rows *rows, struct error *err)
{
	struct columns_wanted wanted = {.each = add_candidate, .owner = find};
	if (section->id != COLUMNS_RECORD) {
		wanted.hash = columns_id_hash(find->id);
	} else if (!record_hash_of(find->id, &wanted.hash)) {
		return 0;
	}
	int rc = sections_read(&find->sections, section, &find->scratch, err);
	if (rc < 0) {
		return rc;
	}
	rc = columns_find_id(section, buf_str(&find->scratch), rows, &wanted, err);
	if (rc == -ERR_NOMEM) {
		return error_set(err, ERR_NOMEM, "no memory for the records that may hold an id");
	}
	return rc < 0 ? sections_blame(&find->sections, err, rc) : 0;
}

static int look_in_batch(struct find *find, const struct head_batch *batch, struct error *err)
{
	int rc = sections_go(&find->sections, batch, err);
	if (rc < 0) {
		return rc;
	}
	if (batch->record_count > find->kinds_room) {
		free(find->kinds);
		find->kinds_room = 0;
		find->kinds = malloc((size_t)batch->record_count);
		if (find->kinds == NULL) {
			return error_set(err, ERR_NOMEM, "no memory for the kinds of a batch");
		}
		find->kinds_room = (size_t)batch->record_count;
	}
	rc = sections_read_kinds(&find->sections, &find->scratch, find->kinds, err);
	find->first_leaf = batch->first_leaf;
	struct columns_rows rows = {0};
	if (rc == 0) {
		rows = columns_rows(find->kinds, (size_t)batch->record_count);
	}
	const struct columns_directory *directory = &find->sections.directory;
	for (size_t i = 0; i < directory->section_count && rc == 0; i++) {
		if (directory->sections[i].form == COLUMNS_IDS) {
			rc = look_in_section(find, &directory->sections[i], &rows, err);
		}
	}
	return rc;
}

/* Keeps the first thing that could not be read. Returns 0 when it is to be passed over. */
static int pass_over(struct error *damage, int rc, const struct error *err)
{
	if (rc == -ERR_CORRUPT && damage->code == 0) {
		*damage = *err;
	}
	return rc == -ERR_CORRUPT ? 0 : rc;
}

static int look_everywhere(struct find *find, struct error *damage, struct error *err)
{
	struct catalog *catalog = find->store->reading;
	CATALOG_FINALIZE sqlite3_stmt *head = NULL;
	int rc = catalog_prepare(catalog, CATALOG_HEAD_FROM, &head, err);
	if (rc < 0) {
		return rc;
	}
	(void)sqlite3_bind_int64(head, 1, 0); /* can't fail: the index is right */
	int step = sqlite3_step(head);
	for (; step == SQLITE_ROW && rc == 0; step = sqlite3_step(head)) {
		struct head_batch batch;
		rc = head_read_row(catalog, head, &batch, err);
		rc = rc < 0 ? rc : look_in_batch(find, &batch, err);
		rc = pass_over(damage, rc, err);
		if (rc < 0) {
			return rc;
		}
	}
	return step == SQLITE_DONE ? 0 : catalog_error(catalog, step, "looking for an id", err);
}

static bool record_holds(const struct find *find, const struct record *record)
{
	for (size_t i = 0; i < sizeof id_fields / sizeof id_fields[0]; i++) {
		unsigned field = id_fields[i];
		if (field != 0 && record_has(record, field) &&
		    str_equal(record->value[field].text, find->id)) {
			return true;
		}
	}
	char stable[RECORD_ID_DIGITS + 1];
	record_stable_id(record->source, record->key, stable);
	return str_is(find->id, stable);
}

static int compare_leaves(const void *a, const void *b)
{
	uint64_t left = *(const uint64_t *)a;
	uint64_t right = *(const uint64_t *)b;
	return left < right ? -1 : left > right;
}

/* Keeps the candidates that really hold the id, in leaf order, each once. */
static int confirm(struct find *find, struct scan_found *out, struct error *damage,
		   struct error *err)
{
	if (find->candidate_count == 0) {
		return 0;
	}
	qsort(find->candidates, find->candidate_count, sizeof find->candidates[0], compare_leaves);
	struct scan_fetch *fetch = NULL;
	int rc = scan_fetch_open(find->store, &fetch, err);
	struct record record;
	for (size_t i = 0; i < find->candidate_count && rc == 0; i++) {
		int64_t ingest_ns = 0;
		uint64_t leaf = find->candidates[i];
		if (i > 0 && leaf == find->candidates[i - 1]) {
			continue;
		}
		rc = scan_fetch_record(fetch, leaf, &record, &ingest_ns, err);
		if (rc == 0 && record_holds(find, &record)) {
			if (out->count < out->max) {
				out->leaves[out->count] = leaf;
			}
			out->count++;
		}
		rc = pass_over(damage, rc, err);
	}
	scan_fetch_close(fetch);
	return rc;
}

int scan_find_id(struct store *store, struct str id, struct scan_found *found, struct error *err)
{
	int rc = store_snapshot_begin(store, err);
	if (rc < 0) {
		return rc;
	}
	struct find find = {.store = store, .id = id};
	struct scan_found out = {.leaves = found->leaves, .max = found->max};
	sections_init(&find.sections, &store->segments, true);
	buf_init(&find.scratch, 0);
	struct error local, damage;
	error_clear(&local);
	error_clear(&damage);
	struct find_sealed sealed = {
		.store = store, .id = id, .add = add_leaf, .owner = &find, .damage = &damage};
	rc = find_sealed(&sealed, &local);
	rc = rc < 0 ? rc : look_everywhere(&find, &damage, &local);
	rc = rc < 0 ? rc : confirm(&find, &out, &damage, &local);
	sections_done(&find.sections);
	buf_done(&find.scratch);
	free(find.kinds);
	free(find.candidates);
	store_snapshot_end(store);
	if (rc < 0) {
		return error_set(err, (enum error_code) - rc, "%s", local.text);
	}
	found->count = out.count;
	return damage.code != 0 ? error_set(err, ERR_CORRUPT, "%s", damage.text) : 0;
}
