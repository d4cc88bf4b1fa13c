#include "store/block.h"

#include "base/wire.h"
#include "store/block/families.h"
#include "store/block/whole.h"
#include "store/checksum.h"

#include <stdlib.h>

#define BYTES_MAX ((size_t)1 << 31)

struct kept {
	int64_t ingest_ns;
	size_t start, len; /* in bytes */
};

struct block_builder {
	struct member *members;
	struct kept *kept;
	size_t count, room;
	uint64_t raw_bytes;
	struct buf bytes;
};

struct block_builder *block_builder_new(void)
{
	struct block_builder *builder = calloc(1, sizeof *builder);
	if (builder != NULL) {
		buf_init(&builder->bytes, BYTES_MAX);
	}
	return builder;
}

void block_builder_free(struct block_builder *builder)
{
	if (builder == NULL) {
		return;
	}
	free(builder->members);
	free(builder->kept);
	buf_done(&builder->bytes);
	free(builder);
}

void block_builder_clear(struct block_builder *builder)
{
	builder->count = 0;
	builder->raw_bytes = 0;
	buf_clear(&builder->bytes);
}

static int make_room(struct block_builder *builder)
{
	if (builder->count < builder->room) {
		return 0;
	}
	size_t room = builder->room > 0 ? builder->room * 2 : 4096;
	struct member *members = realloc(builder->members, room * sizeof members[0]);
	if (members == NULL) {
		return -ERR_NOMEM;
	}
	builder->members = members;
	struct kept *kept = realloc(builder->kept, room * sizeof kept[0]);
	if (kept == NULL) {
		return -ERR_NOMEM;
	}
	builder->kept = kept;
	builder->room = room;
	return 0;
}

static uint64_t leaf_of(const struct record *record, unsigned field)
{
	int64_t leaf = record->kind == RECORD_VERDICT ? record_number(record, field, -1) : -1;
	return leaf < 0 ? FAMILIES_NO_LEAF : (uint64_t)leaf;
}

int block_builder_add(struct block_builder *builder, uint64_t leaf, int64_t ingest_ns,
		      struct str encoded, struct error *err)
{
	struct record record;
	int rc = record_decode(encoded, &record, err);
	if (rc < 0) {
		error_prefix(err, "leaf %llu", (unsigned long long)leaf);
		return rc;
	}
	if (builder->count == BLOCK_ROWS_MAX) {
		return error_set(err, ERR_LIMIT, "a block holds at most %u records",
				 BLOCK_ROWS_MAX);
	}
	if (make_room(builder) < 0) {
		return error_set(err, ERR_NOMEM, "no memory for a block of %zu records",
				 builder->count);
	}
	builder->kept[builder->count] = (struct kept){ingest_ns, builder->bytes.len, encoded.len};
	buf_put_str(&builder->bytes, encoded);
	if (builder->bytes.failed) {
		return error_set(err, ERR_NOMEM, "no memory for a block of %zu records",
				 builder->count);
	}
	builder->members[builder->count] = (struct member){
		.leaf = leaf,
		.time_ns = record.time_ns,
		.statement_leaf = leaf_of(&record, FIELD_statement_leaf),
		.request_leaf = leaf_of(&record, FIELD_request_leaf),
		.revision = record.kind == RECORD_VERDICT
				    ? record_number(&record, FIELD_revision, 0)
				    : 0,
		.kind = (uint8_t)record.kind,
		.index = (uint32_t)builder->count,
	};
	builder->raw_bytes +=
		record_has(&record, FIELD_raw) ? record_text(&record, FIELD_raw).len : 0;
	builder->count++;
	return 0;
}

static void tell_about(const struct block_builder *builder, uint64_t number,
		       struct block_about *out)
{
	*out = (struct block_about){.number = number,
				    .row_count = (uint32_t)builder->count,
				    .min_leaf = UINT64_MAX,
				    .min_time_ns = INT64_MAX,
				    .max_time_ns = INT64_MIN,
				    .record_bytes = builder->bytes.len,
				    .raw_bytes = builder->raw_bytes};
	for (size_t i = 0; i < builder->count; i++) {
		const struct member *member = &builder->members[i];
		out->of_kind[member->kind]++;
		out->min_leaf = member->leaf < out->min_leaf ? member->leaf : out->min_leaf;
		out->max_leaf = member->leaf > out->max_leaf ? member->leaf : out->max_leaf;
		out->min_time_ns =
			member->time_ns < out->min_time_ns ? member->time_ns : out->min_time_ns;
		out->max_time_ns =
			member->time_ns > out->max_time_ns ? member->time_ns : out->max_time_ns;
	}
}

static void put_rows(const struct block_builder *builder, const uint32_t *parents, struct buf *out)
{
	for (size_t row = 0; row < builder->count; row++) {
		const struct member *member = &builder->members[row];
		const struct kept *kept = &builder->kept[member->index];
		wire_put_u64(out, member->leaf);
		wire_put_u64(out, (uint64_t)kept->ingest_ns);
		wire_put_u32(out, parents[row]);
		wire_put_u32(out, (uint32_t)kept->len);
	}
	for (size_t row = 0; row < builder->count; row++) {
		const struct kept *kept = &builder->kept[builder->members[row].index];
		buf_put(out, builder->bytes.ptr + kept->start, kept->len);
	}
}

int block_builder_finish(struct block_builder *builder, uint64_t number, const uint8_t *key,
			 struct buf *out, struct block_about *out_about, struct error *err)
{
	uint32_t *parents = malloc((builder->count + 1) * sizeof parents[0]);
	(void)key;
	buf_clear(out);
	if (parents == NULL || families_lay_out(builder->members, builder->count, parents) < 0) {
		free(parents);
		return error_set(err, ERR_NOMEM, "no memory for a block of %zu records",
				 builder->count);
	}
	wire_put_u32(out, WHOLE_MAGIC);
	wire_put_u64(out, number);
	wire_put_u32(out, (uint32_t)builder->count);
	put_rows(builder, parents, out);
	free(parents);
	if (!out->failed) {
		wire_put_u32(out, checksum_crc32c(buf_str(out)));
	}
	if (out->failed) {
		return error_set(err, ERR_NOMEM, "no memory for a block of %zu records",
				 builder->count);
	}
	tell_about(builder, number, out_about);
	block_builder_clear(builder);
	return 0;
}
