#include "store/log/indexes-inner.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

static void tell(struct indexes *indexes, const struct indexes_place *place, bool damaged,
		 const char *what)
{
	char text[ERROR_TEXT_MAX + 64];
	if (place->block > 0) {
		(void)snprintf(text, sizeof text, "block %llu: %s",
			       (unsigned long long)place->block,
			       what); /* cut when it is too long */
	} else if (place->batch > 0) {
		(void)snprintf(text, sizeof text, "batch %llu of the head: %s",
			       (unsigned long long)place->batch, what);
	} else {
		(void)snprintf(text, sizeof text, "%s", what);
	}
	const struct indexes_finding finding = {.block = place->block,
						.batch = place->batch,
						.first = place->first,
						.last = place->last,
						.damaged = damaged,
						.text = text};
	indexes->result.findings++;
	indexes->options->found(indexes->options->owner, &finding);
}

void indexes_tell(struct indexes *indexes, const struct indexes_place *place, const char *format,
		  ...)
{
	char what[ERROR_TEXT_MAX];
	va_list list;
	va_start(list, format);
	(void)vsnprintf(what, sizeof what, format, list); /* cut when it is too long */
	va_end(list);
	tell(indexes, place, false, what);
}

int indexes_pass(struct indexes *indexes, const struct indexes_place *place, int rc,
		 struct error *err)
{
	if (rc != -ERR_CORRUPT) {
		return rc;
	}
	tell(indexes, place, true, err->text);
	error_clear(err);
	return 0;
}

void indexes_see(struct indexes *indexes, const struct indexes_place *place, uint64_t leaf)
{
	const struct indexes_place here = {place->block, place->batch, leaf, leaf};
	if (leaf >= indexes->leaf_count) {
		indexes_tell(indexes, &here, "leaf %llu was never committed",
			     (unsigned long long)leaf);
		return;
	}
	uint8_t bit = (uint8_t)(1u << (leaf % 8));
	if ((indexes->seen[leaf / 8] & bit) != 0) {
		indexes_tell(indexes, &here, "leaf %llu is here and elsewhere too",
			     (unsigned long long)leaf);
	}
	indexes->seen[leaf / 8] |= bit;
}

int indexes_step(struct indexes *indexes, uint64_t records, struct error *err)
{
	const struct indexes_options *options = indexes->options;
	indexes->result.records += records;
	if (options->progress != NULL &&
	    !options->progress(options->owner, indexes->result.records, indexes->total)) {
		return error_set(err, ERR_CANCELLED, "given up");
	}
	return 0;
}

static int check_blocks(struct indexes *indexes, struct error *err)
{
	const struct store *store = indexes->store;
	const struct blocks_list *list = store->sealed;
	int rc = 0;
	if (store->sealed_damage.code != 0) {
		const struct indexes_place place = {.last = store->sealed_end};
		tell(indexes, &place, true, store->sealed_damage.text);
	}
	for (size_t i = 0; rc == 0 && i < list->count; i++) {
		rc = indexes_block(indexes, &list->rows[i], err);
		rc = rc < 0 ? rc : indexes_step(indexes, list->rows[i].about.row_count, err);
		indexes->result.blocks++;
	}
	return rc;
}

static int check_head(struct indexes *indexes, struct error *err)
{
	struct catalog *catalog = indexes->store->reading;
	CATALOG_FINALIZE sqlite3_stmt *head = NULL;
	int rc = catalog_prepare(catalog, CATALOG_HEAD_FROM, &head, err);
	if (rc < 0) {
		return rc;
	}
	(void)sqlite3_bind_int64(head, 1, 0); /* can't fail: the index is right */
	int step = sqlite3_step(head);
	for (; step == SQLITE_ROW; step = sqlite3_step(head)) {
		struct head_batch batch;
		const struct indexes_place somewhere = {.first = indexes->store->sealed_end,
							.last = indexes->leaf_count};
		rc = head_read_row(catalog, head, &batch, err);
		if (rc == -ERR_CORRUPT) {
			rc = indexes_pass(indexes, &somewhere, rc, err);
			continue;
		}
		rc = rc < 0 ? rc : indexes_batch(indexes, &batch, err);
		rc = rc < 0 ? rc : indexes_step(indexes, batch.record_count, err);
		if (rc < 0) {
			return rc;
		}
		indexes->result.batches++;
	}
	return step == SQLITE_DONE ? 0 : catalog_error(catalog, step, "reading the head", err);
}

int indexes_check(struct store *store, const struct indexes_options *options,
		  struct indexes_result *out_result, struct error *err)
{
	struct indexes indexes = {.store = store, .options = options};
	int rc = store_snapshot_begin(store, err);
	if (rc < 0) {
		return rc;
	}
	indexes.leaf_count = store->snapshot_leaf_count;
	indexes.total =
		indexes.leaf_count - (store->removed < indexes.leaf_count ? store->removed : 0);
	indexes.seen = calloc(indexes.leaf_count / 8 + 1, 1);
	buf_init(&indexes.record, RECORD_MAX_BYTES);
	buf_init(&indexes.made, 0);
	buf_init(&indexes.stored, 0);
	rc = indexes.seen != NULL ? 0 : error_set(err, ERR_NOMEM, "no memory for a bit per leaf");
	rc = rc < 0 ? rc : check_blocks(&indexes, err);
	rc = rc < 0 ? rc : indexes_rollups(&indexes, err);
	rc = rc < 0 ? rc : check_head(&indexes, err);
	buf_done(&indexes.record);
	buf_done(&indexes.made);
	buf_done(&indexes.stored);
	free(indexes.seen);
	store_snapshot_end(store);
	*out_result = indexes.result;
	return rc;
}
