/* Makes a store of sealed blocks without an import: each block is a data set of its own (tests/bench/world.h, one day each, 8,192 requests and
 * what belongs to them), built, filtered and summed up by what sealing uses, and registered. Nothing is a copy: every id, leaf, key and literal is
 * drawn anew. What is not done: the daemon's join (verdicts follow from the ids in the comments), and reading each block back.
 *
 * usage: bench-synth STORE BLOCKS [REQUESTS]   makes the store, or adds so many blocks to one that this program made;
 *                                              prints ids that are in them, "KIND ID" a line */
#include "tests/bench/records.h"

#include "base/clock.h"
#include "store/handle.h"
#include "store/rollup.h"
#include "store/seal-keys.h"
#include "store/seal.h"
#include "store/summary.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define IDS_OF_A_BLOCK 4

struct synth {
	struct store *store;
	struct records *records;
	struct records_made made;
	struct block_builder *builder;
	struct block_about about;
	struct buf bytes, filter_ids, filter_records, summary;
	uint64_t events;
};

static void must(int rc, const struct error *err)
{
	if (rc < 0) {
		(void)fprintf(stderr, "bench-synth: %s\n", err->text);
		exit(2);
	}
}

/* The sources stand in the catalog as an import that has ended leaves them. */
static void put_sources(struct synth *synth)
{
	struct error err;
	struct store_source source = {.first_time_ns = synth->about.min_time_ns,
				      .last_time_ns = synth->about.max_time_ns,
				      .watermark_ns = synth->about.max_time_ns,
				      .last_batch_ns = clock_now_ns(),
				      .state_since_ns = clock_now_ns(),
				      .caught_up = true,
				      .state = "done"};
	static const struct {
		const char *name, *type;
		enum record_kind kind;
	} sources[] = {{"api", "access-log", RECORD_REQUEST},
		       {"db", "audit-rows", RECORD_STATEMENT}};
	must(store_begin(synth->store, clock_now_ns(), &err), &err);
	for (size_t i = 0; i < sizeof sources / sizeof sources[0]; i++) {
		(void)snprintf(source.name, sizeof source.name, "%s", sources[i].name);
		(void)snprintf(source.type, sizeof source.type, "%s", sources[i].type);
		source.kinds = 1u << sources[i].kind;
		must(store_put_source(synth->store, &source, &err), &err);
	}
	must(store_commit(synth->store, &err), &err);
}

static void build(struct synth *synth, uint64_t number)
{
	struct error err;
	int64_t ingest_ns = clock_now_ns();
	for (size_t i = 0; i < synth->made.count; i++) {
		must(block_builder_add(synth->builder, synth->made.first_leaf + i, ingest_ns,
				       records_at(synth->records, i), &err),
		     &err);
	}
	must(block_builder_finish(synth->builder, &(struct block_seal){number, NULL}, &synth->bytes,
				  &synth->about, &err),
	     &err);
}

/* Filters of the block's records, as seal-build makes them. Rows of requests need only be their numbers. */
static void make_filters(struct synth *synth)
{
	struct error err;
	struct seal_keys keys;
	error_set(&err, ERR_NOMEM, "no memory");
	must(seal_keys_init(&keys, synth->made.first_statement), &err);
	for (size_t i = 0; i < synth->made.first_verdict; i++) {
		struct record record;
		size_t request = records_request_of(synth->records, i);
		must(record_decode(records_at(synth->records, i), &record, &err), &err);
		seal_keys_add(&keys, &record, (uint32_t)i,
			      request != SIZE_MAX ? (uint32_t)request : UINT32_MAX);
	}
	buf_clear(&synth->filter_ids);
	buf_clear(&synth->filter_records);
	must(seal_keys_finish(&keys, &synth->filter_ids, &synth->filter_records), &err);
	seal_keys_done(&keys);
}

static bool sum_up(struct synth *synth, uint64_t number)
{
	struct error err;
	struct block *block = NULL;
	bool is_whole = false;
	const struct block_place place = {
		.fd = -1, .bytes = buf_str(&synth->bytes), .name = "a block", .number = number};
	must(block_open(&place, &block, &err), &err);
	buf_clear(&synth->summary);
	must(summary_make(block, NULL, &synth->summary, &is_whole, &err), &err);
	block_close(block);
	return is_whole;
}

static void put_number(struct catalog *catalog, const char *key, const char *text)
{
	struct error err;
	must(catalog_meta_put(catalog, key, str_of(text), &err), &err);
}

/* Registers the block, and says where the leaves end, as a head that is sealed whole does. */
static void put(struct synth *synth, bool is_whole)
{
	struct error err;
	char text[64];
	struct catalog *catalog = synth->store->catalog;
	uint64_t end = synth->made.first_leaf + synth->made.count;
	const struct blocks_span span = {synth->made.first_leaf, end - 1};
	const struct blocks_new block = {.about = &synth->about,
					 .bytes = buf_str(&synth->bytes),
					 .filter_ids = buf_str(&synth->filter_ids),
					 .filter_records = buf_str(&synth->filter_records),
					 .summary = buf_str(&synth->summary),
					 .spans = &span,
					 .span_count = 1,
					 .is_whole = is_whole};
	must(blocks_write(synth->store->dir, &block, &err), &err);
	must(blocks_put(catalog, &block, &err), &err);
	(void)snprintf(text, sizeof text, "%llu", (unsigned long long)end);
	put_number(catalog, "next_leaf", text);
	(void)snprintf(text, sizeof text, "1 %llu 1", (unsigned long long)end);
	put_number(catalog, "head.removed", text);
}

static void print_id(const char *kind, struct str id)
{
	(void)printf("%s %.*s\n", kind, STR_ARG(id));
}

/* A few ids that are in the block, of each kind. */
static void print_ids(const struct synth *synth)
{
	struct error err;
	struct record record;
	char stable[RECORD_ID_DIGITS + 1];
	size_t statements = synth->made.first_verdict - synth->made.first_statement;
	for (size_t i = 0; i < IDS_OF_A_BLOCK; i++) {
		size_t request = (i + 1) * synth->made.first_statement / (IDS_OF_A_BLOCK + 1);
		size_t statement =
			synth->made.first_statement + (i + 1) * statements / (IDS_OF_A_BLOCK + 1);
		must(record_decode(records_at(synth->records, request), &record, &err), &err);
		print_id("request", record_text(&record, FIELD_request_id));
		print_id("extended", record_text(&record, FIELD_extended_request_id));
		print_id("lambda", record_text(&record, FIELD_lambda_request_id));
		record_stable_id(record.source, record.key, stable);
		print_id("record", str_of(stable));
		must(record_decode(records_at(synth->records, statement), &record, &err), &err);
		record_stable_id(record.source, record.key, stable);
		print_id("statement", str_of(stable));
	}
}

static void add_block(struct synth *synth, uint64_t day, uint64_t requests)
{
	struct error err;
	struct catalog *catalog = synth->store->catalog;
	const struct world_options options = {.requests = requests, .seed = 1, .day = day};
	uint64_t number = 0;
	synth->made = records_make(synth->records, &options, synth->store->leaf_count);
	must(catalog_run(catalog, CATALOG_BEGIN_WRITE, &err), &err);
	must(blocks_next_number(catalog, &number, &err), &err);
	build(synth, number);
	make_filters(synth);
	put(synth, sum_up(synth, number));
	must(rollup_update(catalog, NULL, &err), &err);
	must(catalog_run(catalog, CATALOG_COMMIT, &err), &err);
	must(store_refresh(synth->store, &err), &err);
	synth->events += synth->made.first_verdict;
	print_ids(synth);
}

int main(int argc, char **argv)
{
	static struct synth synth;
	struct error err;
	if (argc < 3) {
		(void)fprintf(stderr, "usage: bench-synth STORE BLOCKS [REQUESTS]\n");
		return 2;
	}
	uint64_t blocks = strtoull(argv[2], NULL, 10);
	uint64_t requests = argc > 3 ? strtoull(argv[3], NULL, 10) : SEAL_REQUESTS;
	uint64_t next = 0;
	must(store_open(argv[1], STORE_CREATE, &synth.store, &err), &err);
	must(blocks_changes(synth.store->catalog, &next, &err), &err); /* one a block */
	synth.records = records_new();
	synth.builder = block_builder_new();
	buf_init(&synth.bytes, (size_t)1 << 30);
	buf_init(&synth.filter_ids, 0);
	buf_init(&synth.filter_records, 0);
	buf_init(&synth.summary, 0);
	for (uint64_t i = 0; i < blocks; i++) {
		add_block(&synth, next + i, requests);
	}
	must(rollup_update(synth.store->catalog, NULL, &err), &err);
	if (blocks > 0) {
		put_sources(&synth);
	}
	struct timespec spent = {0};
	(void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &spent); /* can't fail for this clock */
	(void)fprintf(stderr, "%llu events in %llu blocks, %lld s of CPU\n",
		      (unsigned long long)synth.events, (unsigned long long)blocks,
		      (long long)spent.tv_sec);
	block_builder_free(synth.builder);
	records_free(synth.records);
	store_close(synth.store);
	return 0;
}
