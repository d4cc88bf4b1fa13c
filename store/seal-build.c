#include "store/seal-build.h"

#include "base/hash.h"
#include "base/io.h"
#include "model/redact.h"
#include "store/block/layout.h"
#include "store/seal-keys.h"
#include "store/summary.h"

#include <assert.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>

#define PROOF_KEY 20 /* bytes of keys made by rule, at most */

/* What a record must come back as. */
struct proof {
	uint64_t leaf;
	int64_t ingest_ns;
	uint64_t hash; /* of its canonical bytes, with a key of this block alone */
	uint8_t kind;
	uint8_t key_len; /* 0: it is not kept */
	char key[PROOF_KEY];
};

struct building {
	struct seal_inputs *inputs;
	const struct seal_part *part;
	const uint8_t *key;
	struct block_builder *builder;
	struct proof *proofs; /* by leaf, once all are there */
	uint32_t *proof_of;   /* of each row of the block */
	size_t count;
	struct hash_key hash_key;
	struct buf changed; /* a record as it is to be from now on */
	struct seal_built *built;
};

/* The order of count leaves, in new memory; NULL without memory. */
static uint32_t *sort_leaves(const uint64_t *leaves, size_t count)
{
	uint32_t *order = malloc((count + 1) * sizeof order[0]);
	for (size_t i = 0; order != NULL && i < count; i++) {
		order[i] = (uint32_t)i;
	}
	if (order != NULL && !layout_sort(leaves, order, count)) {
		free(order);
		return NULL;
	}
	return order;
}

static int sort_proofs(struct building *building, struct error *err)
{
	size_t count = building->count;
	struct proof *sorted = malloc((count + 1) * sizeof sorted[0]);
	uint64_t *leaves = malloc((count + 1) * sizeof leaves[0]);
	for (size_t i = 0; leaves != NULL && i < count; i++) {
		leaves[i] = building->proofs[i].leaf;
	}
	uint32_t *order = leaves != NULL ? sort_leaves(leaves, count) : NULL;
	free(leaves);
	if (sorted == NULL || order == NULL) {
		free(sorted);
		free(order);
		return error_set(err, ERR_NOMEM, "no memory to build a block of %zu records",
				 count);
	}
	for (size_t i = 0; i < count; i++) {
		sorted[i] = building->proofs[order[i]];
	}
	free(order);
	free(building->proofs);
	building->proofs = sorted;
	return 0;
}

/* What a record is to be from now on, instead of *io_encoded; borrowed until the next. */
static int change_record(struct building *building, const struct seal_item *item,
			 struct str *io_encoded, struct error *err)
{
	const struct seal_change *change = building->part->change;
	if (change == NULL || change->change == NULL) {
		return 0;
	}
	buf_clear(&building->changed);
	int rc = change->change(change->owner, item->leaf, *io_encoded, &building->changed, err);
	if (rc < 0) {
		error_prefix(err, "leaf %llu", (unsigned long long)item->leaf);
		return rc;
	}
	if (building->changed.len > 0) {
		struct record_front before, after;
		rc = record_decode_front(*io_encoded, &before, err);
		rc = rc < 0 ? rc : record_decode_front(buf_str(&building->changed), &after, err);
		assert(rc < 0 || (before.kind == after.kind && before.time_ns == after.time_ns &&
				  str_equal(before.source, after.source) &&
				  str_equal(before.key, after.key)));
		*io_encoded = buf_str(&building->changed);
		building->built->changed++;
		rc = rc < 0 ? rc
			    : leafset_add(building->part->redacted, item->leaf, item->leaf, err);
	}
	return rc;
}

static void keep_key(struct proof *proof, struct str encoded)
{
	struct record_front front;
	if (record_decode_front(encoded, &front, NULL) == 0 && front.key.len <= PROOF_KEY) {
		proof->key_len = (uint8_t)front.key.len;
		memcpy(proof->key, front.key.ptr, front.key.len);
	}
}

/* Gives the builder the records of the part, until they are many bytes. */
static int add_records(struct building *building, struct error *err)
{
	const struct seal_part *part = building->part;
	size_t bytes = 0;
	for (size_t i = 0; i < part->count && bytes < SEAL_BLOCK_BYTES; i++) {
		const struct seal_item *item = &part->items[part->order[i]];
		struct proof *proof = &building->proofs[building->count];
		struct str encoded;
		int rc = seal_input_read(building->inputs, item, &encoded, &proof->ingest_ns, err);
		rc = rc < 0 ? rc : change_record(building, item, &encoded, err);
		rc = rc < 0 ? rc
			    : block_builder_add(building->builder, item->leaf, proof->ingest_ns,
						encoded, err);
		if (rc == -ERR_LIMIT && building->count > 0) {
			/* what was added is spoilt; this should not happen below SEAL_BLOCK_BYTES */
			error_prefix(err, "leaf %llu", (unsigned long long)item->leaf);
		}
		if (rc < 0) {
			return rc;
		}
		proof->leaf = item->leaf;
		proof->kind = item->kind;
		proof->hash = hash_fast(&building->hash_key, encoded);
		keep_key(proof, encoded);
		bytes += encoded.len;
		building->count++;
	}
	return sort_proofs(building, err);
}

static int finish_block(struct building *building, struct error *err)
{
	struct store *store = building->inputs->store;
	struct seal_built *built = building->built;
	uint64_t number = 0;
	int rc = blocks_next_number(store->catalog, &number, err);
	return rc < 0 ? rc
		      : block_builder_finish(
				building->builder,
				&(struct block_seal){number + building->part->made, building->key},
				&built->bytes, &built->about, err);
}

/* Covers the leaves with at most BLOCKS_SPANS_MAX runs: the gaps that are bridged are made wider until it is so. */
static int make_spans(struct building *building, struct error *err)
{
	struct seal_built *built = building->built;
	built->spans = calloc(BLOCKS_SPANS_MAX, sizeof built->spans[0]);
	if (built->spans == NULL) {
		return error_set(err, ERR_NOMEM, "no memory for the spans of a block");
	}
	for (uint64_t gap = 1;; gap *= 2) {
		bool fits = true;
		built->span_count = 0;
		for (size_t i = 0; i < building->count && fits; i++) {
			uint64_t leaf = building->proofs[i].leaf;
			struct blocks_span *last =
				built->span_count > 0 ? &built->spans[built->span_count - 1] : NULL;
			if (last != NULL && leaf - last->last <= gap) {
				last->last = leaf;
			} else if (built->span_count < BLOCKS_SPANS_MAX) {
				built->spans[built->span_count++] =
					(struct blocks_span){leaf, leaf};
			} else {
				fits = false;
			}
		}
		if (fits) {
			return 0;
		}
	}
}

static int refuse(const struct seal_built *built, uint64_t leaf, const char *what,
		  struct error *err)
{
	return error_set(err, ERR_CORRUPT,
			 "block %llu did not come back as it was built: leaf %llu %s; nothing was "
			 "taken away",
			 (unsigned long long)built->about.number, (unsigned long long)leaf, what);
}

/* Finds the proof of each row: the leaves must be the same. */
static int match_proofs(struct building *building, struct block *block, struct error *err)
{
	const uint64_t *leaves = block_leaves(block);
	size_t count = block_about(block)->row_count;
	if (count != building->count) {
		return refuse(building->built, building->proofs[0].leaf, "and others are missing",
			      err);
	}
	uint32_t *order = sort_leaves(leaves, count);
	building->proof_of = malloc((count + 1) * sizeof building->proof_of[0]);
	if (order == NULL || building->proof_of == NULL) {
		free(order);
		return error_set(err, ERR_NOMEM, "no memory to check a block of %zu records",
				 count);
	}
	int rc = 0;
	for (size_t i = 0; rc == 0 && i < count; i++) {
		building->proof_of[order[i]] = (uint32_t)i;
		if (leaves[order[i]] != building->proofs[i].leaf) {
			rc = refuse(building->built, building->proofs[i].leaf,
				    "is missing, or another one is too many", err);
		}
	}
	free(order);
	return rc;
}

/* Compares one record of the file with what was put in. */
static int check_row(struct building *building, struct block *block, uint32_t row,
		     struct buf *record, struct error *err)
{
	const int64_t *ingest_ns = NULL;
	const struct proof *proof = &building->proofs[building->proof_of[row]];
	buf_clear(record);
	block_expect_key(block, str_make(proof->key, proof->key_len));
	int rc = block_record(block, row, record, err);
	rc = rc < 0 ? rc : block_ingest_times(block, &ingest_ns, err);
	if (rc < 0) {
		return rc;
	}
	if (hash_fast(&building->hash_key, buf_str(record)) != proof->hash) {
		return refuse(building->built, proof->leaf, "differs", err);
	}
	if (ingest_ns[row] != proof->ingest_ns || block_kinds(block)[row] != proof->kind) {
		return refuse(building->built, proof->leaf, "has another ingest time or kind", err);
	}
	return 0;
}

/* Of the kinds whose bytes come from outside; alerts say nothing else than their record does. */
static bool is_redacted(const struct record *record)
{
	return record->kind != RECORD_ALERT && redact_degree_of(record, NULL) != REDACT_NOTHING;
}

static int check_rows(struct building *building, struct block *block, struct error *err)
{
	struct seal_built *built = building->built;
	const uint32_t *parents = NULL;
	struct seal_keys keys;
	struct buf record;
	uint32_t row_count = block_about(block)->row_count;
	int rc = block_parents(block, &parents, err);
	rc = rc < 0 ? rc : match_proofs(building, block, err);
	if (rc < 0) {
		return rc;
	}
	struct block_run requests = block_run(block, RECORD_REQUEST);
	assert(requests.first == 0 || requests.count == 0); /* they stand first */
	rc = seal_keys_init(&keys, requests.count);
	buf_init(&record, RECORD_MAX_BYTES);
	for (uint32_t row = 0; row < row_count && rc == 0; row++) {
		rc = check_row(building, block, row, &record, err);
		if (rc == 0) {
			const struct record *decoded = block_last_record(block);
			keys.stable = block_last_stable(block);
			seal_keys_add(&keys, decoded, row, parents[row]);
			built->redacted += is_redacted(decoded) ? 1 : 0;
		}
	}
	if (rc == 0) {
		built->has_strays = keys.has_strays;
		rc = seal_keys_finish(&keys, &built->filter_ids, &built->filter_records);
	}
	buf_done(&record);
	seal_keys_done(&keys);
	return rc == -ERR_NOMEM ? error_set(err, ERR_NOMEM, "no memory for the keys of a block")
				: rc;
}

/* Reads the file back. */
static int check_file(struct building *building, struct error *err)
{
	struct seal_built *built = building->built;
	char name[BLOCKS_NAME_BYTES], path[4096];
	blocks_name(&built->about, name);
	int len = snprintf(path, sizeof path, "%s/%s", building->inputs->store->dir, name);
	assert(len > 0 && (size_t)len < sizeof path); /* it was written there */
	IO_CLOSE int fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0) {
		return error_errno(err, "%s can't be read back", path);
	}
	struct block_place place = {
		.fd = fd, .name = name, .number = built->about.number, .key = building->key};
	struct block *block = NULL;
	int rc = block_open(&place, &block, err);
	if (rc == 0) {
		rc = check_rows(building, block, err);
		rc = rc < 0 ? rc
			    : summary_make(block, building->key, &built->summary, &built->is_whole,
					   err);
		block_close(block);
	}
	return rc;
}

static int write_block(struct building *building, struct error *err)
{
	struct seal_built *built = building->built;
	const char *dir = building->inputs->store->dir;
	int rc = finish_block(building, err);
	rc = rc < 0 ? rc : make_spans(building, err);
	if (rc < 0) {
		return rc;
	}
	struct blocks_new row = seal_built_row(built);
	built->is_written = true; /* also when it fails halfway */
	rc = blocks_write(dir, &row, err);
	rc = rc < 0 ? rc : check_file(building, err);
	if (rc < 0) {
		seal_built_undo(built, dir);
	}
	return rc;
}

int seal_build(struct seal_inputs *inputs, const struct seal_part *part, const uint8_t *key,
	       struct seal_built *out_built, struct error *err)
{
	struct building building = {.inputs = inputs,
				    .part = part,
				    .key = key,
				    .built = out_built,
				    .hash_key = hash_key_random()};
	*out_built = (struct seal_built){.is_open = part->is_open};
	buf_init(&building.changed, RECORD_MAX_BYTES);
	buf_init(&out_built->bytes, 0);
	buf_init(&out_built->filter_ids, 0);
	buf_init(&out_built->filter_records, 0);
	buf_init(&out_built->summary, 0);
	assert(part->count > 0);
	building.builder = block_builder_new();
	building.proofs = calloc(part->count, sizeof building.proofs[0]);
	int rc = 0;
	if (building.builder == NULL || building.proofs == NULL) {
		rc = error_set(err, ERR_NOMEM, "no memory to build a block of %zu records",
			       part->count);
	}
	rc = rc < 0 ? rc : add_records(&building, err);
	rc = rc < 0 ? rc : write_block(&building, err);
	block_builder_free(building.builder);
	buf_done(&building.changed);
	free(building.proofs);
	free(building.proof_of);
	return rc;
}

struct blocks_new seal_built_row(const struct seal_built *built)
{
	return (struct blocks_new){.about = &built->about,
				   .bytes = buf_str(&built->bytes),
				   .filter_ids = buf_str(&built->filter_ids),
				   .filter_records = buf_str(&built->filter_records),
				   .spans = built->spans,
				   .span_count = built->span_count,
				   .summary = buf_str(&built->summary),
				   .redacted = built->redacted,
				   .is_open = built->is_open,
				   .is_whole = built->is_whole,
				   .has_strays = built->has_strays};
}

void seal_built_done(struct seal_built *built)
{
	buf_done(&built->bytes);
	buf_done(&built->filter_ids);
	buf_done(&built->filter_records);
	buf_done(&built->summary);
	free(built->spans);
	*built = (struct seal_built){0};
}

void seal_built_undo(struct seal_built *built, const char *dir)
{
	char name[BLOCKS_NAME_BYTES], path[4096];
	if (!built->is_written) {
		return;
	}
	blocks_name(&built->about, name);
	int len = snprintf(path, sizeof path, "%s/%s", dir, name);
	if (len > 0 && (size_t)len < sizeof path) {
		(void)unlink(path); /* what stays is removed at the next open */
	}
	built->is_written = false;
}
