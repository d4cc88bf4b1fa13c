#include "store/find-sealed.h"

#include "model/carried.h"

/* The fields that hold ids, per kind. The statement_id of a statement is its stable id, which is looked for in the records. */
static const struct block_field id_fields[] = {
	{RECORD_REQUEST, FIELD_request_id},        {RECORD_REQUEST, FIELD_extended_request_id},
	{RECORD_REQUEST, FIELD_lambda_request_id}, {RECORD_REQUEST, FIELD_trace_id},
	{RECORD_STATEMENT, FIELD_connection_id},   {RECORD_ALERT, FIELD_alert_id},
	{RECORD_LIFECYCLE, FIELD_alert_id},
};

static bool is_stable_id(struct str id)
{
	for (size_t i = 0; i < id.len; i++) {
		if (memchr("0123456789abcdef", id.ptr[i], 16) == NULL) {
			return false;
		}
	}
	return id.len == RECORD_ID_DIGITS;
}

static int add_row(const struct find_sealed *find, struct block *block, uint32_t row,
		   struct error *err)
{
	uint64_t leaf = 0;
	int rc = block_leaf_of(block, row, &leaf, err);
	if (rc == 0 && find->add(find->owner, leaf) < 0) {
		rc = error_set(err, ERR_NOMEM, "no memory to look for an id");
	}
	return rc;
}

static int look_in_fields(const struct find_sealed *find, struct block *block, struct error *err)
{
	struct buf rows;
	int rc = 0;
	buf_init(&rows, 0);
	for (size_t f = 0; rc == 0 && f < sizeof id_fields / sizeof id_fields[0]; f++) {
		buf_clear(&rows);
		rc = block_find_exact(block, id_fields[f], find->id, &rows, err);
		const uint32_t *row = (const uint32_t *)(const void *)rows.ptr;
		for (size_t i = 0; rc == 0 && i < rows.len / sizeof row[0]; i++) {
			rc = add_row(find, block, row[i], err);
		}
	}
	buf_done(&rows);
	return rc;
}

/* Tells a row, and the verdicts on it. */
static int add_with_verdicts(const struct find_sealed *find, struct block *block, uint32_t row,
			     struct error *err)
{
	const uint32_t *parents = NULL;
	struct block_run run = block_run(block, RECORD_VERDICT);
	int rc = block_parents(block, &parents, err);
	rc = rc < 0 ? rc : add_row(find, block, row, err);
	for (uint32_t i = 0; rc == 0 && i < run.count; i++) {
		if (parents[run.first + i] == row) {
			rc = add_row(find, block, run.first + i, err);
		}
	}
	return rc;
}

/* Looks for a stable id, which no column has: it is made of each record's source and key. */
static int look_in_records(const struct find_sealed *find, struct block *block, struct error *err)
{
	struct buf rows;
	buf_init(&rows, 0);
	int rc = block_find_stable(block, find->id, &rows, err);
	const uint32_t *row = (const uint32_t *)(const void *)rows.ptr;
	for (size_t i = 0; rc == 0 && i < rows.len / sizeof row[0]; i++) {
		rc = add_with_verdicts(find, block, row[i], err);
	}
	buf_done(&rows);
	return rc;
}

static int look_in_block(const struct find_sealed *find, size_t index, struct error *err)
{
	struct blocks *blocks = find->store->blocks;
	struct block *block = NULL;
	struct blocks_asked asked = {
		.index = index, .which = BLOCKS_FILTER_IDS, .key = carried_key(find->id)};
	bool has_ids = false;
	bool has_records = false;
	int rc = blocks_may_hold(blocks, &asked, &has_ids, err);
	if (rc == 0 && is_stable_id(find->id)) {
		asked.which = BLOCKS_FILTER_RECORDS;
		rc = blocks_may_hold(blocks, &asked, &has_records, err);
	}
	if (rc == 0 && has_ids && !has_records) {
		const struct blocks_look look = {id_fields, sizeof id_fields / sizeof id_fields[0],
						 find->id};
		rc = blocks_look_into(blocks, &find->store->sealed->rows[index], &look, &has_ids,
				      err);
	}
	if (rc < 0 || (!has_ids && !has_records)) {
		return rc;
	}
	rc = blocks_get_slim(blocks, &find->store->sealed->rows[index], &block, err);
	if (rc == 0 && has_ids) {
		rc = look_in_fields(find, block, err);
	}
	return rc < 0 || !has_records ? rc : look_in_records(find, block, err);
}

int find_sealed(const struct find_sealed *find, struct error *err)
{
	const struct store *store = find->store;
	if (store->sealed_damage.code != 0 && find->damage->code == 0) {
		*find->damage = store->sealed_damage;
	}
	for (size_t i = 0; i < store->sealed->count; i++) {
		struct error local;
		int rc = look_in_block(find, i, &local);
		if (rc == -ERR_CORRUPT && find->damage->code == 0) {
			*find->damage = local;
		}
		if (rc < 0 && rc != -ERR_CORRUPT) {
			return error_set(err, (enum error_code)local.code, "%s", local.text);
		}
	}
	return 0;
}
