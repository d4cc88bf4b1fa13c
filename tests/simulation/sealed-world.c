#include "tests/simulation/sealed-world.h"

#include "base/hash.h"
#include "store/seal-keys.h"

#include <assert.h>
#include <stdio.h>

static int list(void *owner, const struct recall_block **out_blocks, size_t *out_count,
		struct error *err)
{
	struct sealed_world *world = owner;
	(void)err;
	*out_blocks = world->list;
	*out_count = world->count;
	return 0;
}

static int changes(void *owner, uint64_t *out_changes, struct error *err)
{
	const struct sealed_world *world = owner;
	(void)err;
	*out_changes = world->number;
	return 0;
}

static struct sealed_block *find(struct sealed_world *world, uint64_t number)
{
	for (size_t i = 0; i < world->count; i++) {
		if (world->list[i].number == number) {
			return &world->blocks[i];
		}
	}
	return NULL;
}

static int open_block(void *owner, uint64_t number, struct block **out_block, struct error *err)
{
	struct sealed_block *block = find(owner, number);
	assert(block != NULL);
	(void)err;
	*out_block = block->block;
	return 0;
}

static int read_filter(void *owner, uint64_t number, bool of_records, struct buf *out,
		       struct error *err)
{
	struct sealed_block *block = find(owner, number);
	assert(block != NULL);
	(void)err;
	buf_put_str(out, buf_str(&block->filters[of_records]));
	return 0;
}

void sealed_world_init(struct sealed_world *world)
{
	struct error err;
	*world = (struct sealed_world){0};
	struct recall_source source = {.owner = world,
				       .list = list,
				       .open = open_block,
				       .filter = read_filter,
				       .changes = changes};
	int rc = recall_new(&source, &world->recall, &err);
	assert(rc == 0);
	(void)rc; /* asserted */
}

static void clear(struct sealed_world *world)
{
	for (size_t i = 0; i < world->count; i++) {
		block_close(world->blocks[i].block);
		buf_done(&world->blocks[i].bytes);
		buf_done(&world->blocks[i].filters[0]);
		buf_done(&world->blocks[i].filters[1]);
	}
	world->count = 0;
}

void sealed_world_done(struct sealed_world *world)
{
	recall_free(world->recall);
	clear(world);
}

/* Whether there are strays. */
static bool make_filters(struct sealed_block *block)
{
	struct seal_keys keys;
	struct error err;
	struct buf bytes;
	const uint32_t *parents = NULL;
	int rc = block_parents(block->block, &parents, &err);
	rc = rc < 0 ? rc : seal_keys_init(&keys, block_run(block->block, RECORD_REQUEST).count);
	assert(rc == 0);
	buf_init(&bytes, 0);
	for (uint32_t row = 0; row < block_about(block->block)->row_count; row++) {
		struct record record;
		buf_clear(&bytes);
		rc = block_record(block->block, row, &bytes, &err);
		rc = rc < 0 ? rc : record_decode(buf_str(&bytes), &record, &err);
		assert(rc == 0);
		seal_keys_add(&keys, &record, row, parents[row]);
	}
	rc = seal_keys_finish(&keys, &block->filters[0], &block->filters[1]);
	assert(rc == 0);
	(void)rc; /* asserted */
	bool has_strays = keys.has_strays;
	seal_keys_done(&keys);
	buf_done(&bytes);
	return has_strays;
}

static void add_block(struct sealed_world *world, struct block_builder *builder)
{
	struct sealed_block *block = &world->blocks[world->count];
	struct block_about about;
	struct error err;
	*block = (struct sealed_block){0};
	buf_init(&block->bytes, 0);
	buf_init(&block->filters[0], 0);
	buf_init(&block->filters[1], 0);
	uint64_t number = ++world->number;
	(void)snprintf(block->name, sizeof block->name, "block %d", (int)number); /* fits */
	int rc = block_builder_finish(builder, &(struct block_seal){number, NULL}, &block->bytes,
				      &about, &err);
	struct block_place place = {
		.fd = -1, .bytes = buf_str(&block->bytes), .name = block->name, .number = number};
	rc = rc < 0 ? rc : block_open(&place, &block->block, &err);
	assert(rc == 0);
	(void)rc; /* asserted */
	bool has_strays = make_filters(block);
	world->list[world->count++] = (struct recall_block){.number = number,
							    .min_leaf = about.min_leaf,
							    .max_leaf = about.max_leaf,
							    .min_time_ns = about.min_time_ns,
							    .max_time_ns = about.max_time_ns,
							    .is_open = !world->closed,
							    .has_strays = has_strays};
}

void sealed_world_lay(struct sealed_world *world, const struct sealed_record *records, size_t count,
		      uint64_t seed)
{
	struct error err;
	clear(world);
	for (uint64_t part = 0; part < SEALED_BLOCKS; part++) {
		struct block_builder *builder = block_builder_new();
		size_t added = 0;
		assert(builder != NULL);
		for (size_t i = 0; i < count; i++) {
			if (hash_u64(seed ^ hash_u64(records[i].leaf)) % SEALED_BLOCKS == part) {
				int rc = block_builder_add(builder, records[i].leaf, 1,
							   records[i].encoded, &err);
				assert(rc == 0);
				(void)rc; /* asserted */
				added++;
			}
		}
		if (added > 0) {
			add_block(world, builder);
		}
		block_builder_free(builder);
	}
	int rc = recall_refresh(world->recall, &err);
	assert(rc == 0);
	(void)rc; /* asserted */
}
