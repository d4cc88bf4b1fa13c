/* Blocks of the store's data set: bytes an event for each column, how fast they are built and read; every record is compared. */
#include "store/block.h"
#include "model/accesslog/accesslog.h"
#include "model/auditrow/auditrow.h"
#include "store/seal.h"
#include "tests/bench/world.h"
#include "tests/unit/store-folder.h"

#include "base/digest.h"
#include "base/hash.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define REQUESTS_OF_A_BLOCK 8192
#define RECORD_ROOM         ((size_t)3 << 30)

struct bench {
	struct buf bytes; /* of all records, in the order of their leaves */
	size_t *ends;
	size_t count, room;
	uint64_t events;
	struct accesslog_format *format;
	struct auditrow_joiner *joiner;
	struct arena arena;
	struct strmap requests; /* id: leaf */
	struct record record;
	struct auditrow row;
	struct buf lines[WORLD_FILES];
};

static void die(const char *what, const struct error *err)
{
	(void)fprintf(stderr, "bench-block: %s: %s\n", what, err->text);
	exit(2);
}

static double seconds(void)
{
	struct timespec now;
	(void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now); /* can't fail */
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static void add(struct bench *bench, const struct record *record)
{
	struct error err;
	if (bench->count == bench->room) {
		bench->room = bench->room > 0 ? 2 * bench->room : 65536;
		bench->ends = realloc(bench->ends, bench->room * sizeof bench->ends[0]);
	}
	if (bench->ends == NULL || record_encode(record, &bench->bytes, &err) != 0) {
		die("a record", &err);
	}
	bench->ends[bench->count++] = bench->bytes.len;
}

static struct str record_at(const struct bench *bench, size_t leaf)
{
	size_t start = leaf > 0 ? bench->ends[leaf - 1] : 0;
	return str_make(bench->bytes.ptr + start, bench->ends[leaf] - start);
}

static int keep_line(void *owner, enum world_file file, struct str line, struct error *err)
{
	struct bench *bench = owner;
	buf_put_str(&bench->lines[file], line);
	return bench->lines[file].failed ? error_set(err, ERR_NOMEM, "no memory") : 0;
}

static void take_request(struct bench *bench, struct str line)
{
	struct error err;
	uint8_t digest[DIGEST_BYTES];
	char key[20] = {0};
	digest_sha256(line, digest);
	memcpy(key, digest, 16);
	arena_clear(&bench->arena);
	record_init(&bench->record, RECORD_REQUEST);
	bench->record.source = STR_LIT("api");
	bench->record.key = str_make(key, sizeof key);
	bench->record.time_ns = 0;
	if (accesslog_parse(bench->format, line, &bench->arena, &bench->record, &err) != 0 ||
	    strmap_put(&bench->requests, record_text(&bench->record, FIELD_request_id),
		       bench->count) != 0) {
		die("a line", &err);
	}
	record_set_text(&bench->record, FIELD_raw, line);
	add(bench, &bench->record);
}

static void take_statements(struct bench *bench)
{
	struct error err;
	while (auditrow_joiner_take(bench->joiner, &bench->arena, &bench->record, &err) == 0) {
		add(bench, &bench->record);
	}
}

static void take_row(struct bench *bench, struct str line)
{
	struct error err;
	arena_clear(&bench->arena);
	bench->row.column_count = 0;
	if (auditrow_parse_line(line, &bench->arena, &bench->row, &err) != 0) {
		die("a row", &err);
	}
	const struct auditrow_column *file = auditrow_column(&bench->row, "file_name");
	const struct auditrow_column *offset = auditrow_column(&bench->row, "audit_file_offset");
	auditrow_key(&bench->row, file->text, offset->number, 0);
	if (auditrow_joiner_add(bench->joiner, &bench->row, &err) != 0) {
		die("a row", &err);
	}
	take_statements(bench);
}

/* A verdict as the correlator says it. */
static void judge(struct bench *bench, size_t leaf, size_t request)
{
	struct record statement;
	struct error err;
	char id[RECORD_ID_DIGITS + 1], key[64];
	struct record *record = &bench->record;
	if (record_decode(record_at(bench, leaf), &statement, &err) != 0) {
		die("a record", &err);
	}
	record_stable_id(statement.source, statement.key, id);
	int len = snprintf(key, sizeof key, "s%s.0", id);
	record_init(record, RECORD_VERDICT);
	record->source = STR_LIT("querytraild");
	record->key = str_make(key, (size_t)len);
	record->time_ns = statement.time_ns;
	bool matched = request != SIZE_MAX;
	record_set_text(record, FIELD_reason,
			matched ? STR_LIT("the id stands in a comment, which whoever writes the "
					  "SQL can forge")
				: STR_LIT("the statement carries no id"));
	record_set_text(record, FIELD_grade, matched ? STR_LIT("C") : STR_LIT("U1"));
	record_set_text(record, FIELD_settled, STR_LIT("final"));
	record_set_number(record, FIELD_revision, 0);
	record_set_text(record, FIELD_statement_id, str_of(id));
	record_set_number(record, FIELD_statement_leaf, (int64_t)leaf);
	if (matched) {
		record_set_text(record, FIELD_carrier, STR_LIT("comment"));
		record_set_text(record, FIELD_matched_by, STR_LIT("request_id"));
		record_set_number(record, FIELD_request_leaf, (int64_t)request);
	}
	add(bench, record);
}

static void make_records(struct bench *bench, uint64_t requests, size_t *out_first_statement,
			 size_t *out_first_verdict)
{
	static struct world_shape shape;
	struct error err;
	const struct world_options options = {.requests = requests, .seed = 7};
	const struct world_sink sink = {.put = keep_line, .owner = bench};
	if (world_write(&options, &sink, &shape, &err) != 0) {
		die("the data set", &err);
	}
	struct str rest = buf_str(&bench->lines[WORLD_ACCESS]);
	while (rest.len > 0) {
		struct str line = str_split(&rest, '\n');
		take_request(bench, line);
	}
	*out_first_statement = bench->count;
	rest = buf_str(&bench->lines[WORLD_AUDIT]);
	while (rest.len > 0) {
		take_row(bench, str_split(&rest, '\n'));
	}
	auditrow_joiner_flush(bench->joiner, true);
	take_statements(bench);
	bench->events = bench->count;
	*out_first_verdict = bench->count;
	for (size_t leaf = *out_first_statement; leaf < *out_first_verdict; leaf++) {
		struct record statement;
		if (record_decode(record_at(bench, leaf), &statement, &err) != 0) {
			die("a record", &err);
		}
		struct str text = record_text(&statement, FIELD_statement);
		ptrdiff_t at = str_find(text, STR_LIT("/*request_id="), 0);
		const uint64_t *request =
			at < 0 ? NULL
			       : strmap_get(&bench->requests, str_slice(text, (size_t)at + 13, 36));
		judge(bench, leaf, request != NULL ? (size_t)*request : SIZE_MAX);
	}
	double sum = 0;
	for (size_t i = 0; i < WORLD_FIELD_COUNT; i++) {
		sum += shape.bits[i] / 8;
	}
	(void)printf("floor %.2f B/event\n", sum / (double)bench->events);
}

struct total {
	char name[96];
	uint64_t bytes;
};

struct totals {
	struct total item[256];
	size_t count;
};

static void add_total(void *owner, const char *column, uint64_t stored_bytes, uint64_t value_count)
{
	struct totals *totals = owner;
	size_t i = 0;
	(void)value_count;
	while (i < totals->count && strcmp(totals->item[i].name, column) != 0) {
		i++;
	}
	if (i == totals->count && i < 256) {
		(void)snprintf(totals->item[i].name, sizeof totals->item[i].name, "%s", column);
		totals->item[totals->count++].bytes = 0;
	}
	totals->item[i].bytes += stored_bytes;
}

static int compare_totals(const void *left, const void *right)
{
	uint64_t a = ((const struct total *)left)->bytes;
	uint64_t b = ((const struct total *)right)->bytes;
	return (a < b) - (a > b);
}

/* Reads a block back: every record must be the one that went in. */
static void check(const struct bench *bench, const struct buf *bytes, struct totals *totals)
{
	struct block *block;
	struct error err;
	struct buf out;
	const int64_t *numbers;
	struct block_codes codes;
	const struct block_place place = {
		.fd = -1, .bytes = buf_str(bytes), .name = "the block", .number = 1};
	buf_init(&out, RECORD_MAX_BYTES);
	double start = seconds();
	if (block_open(&place, &block, &err) != 0) {
		die("open", &err);
	}
	double opened = seconds();
	(void)block_number_column(block, RECORD_REQUEST, FIELD_status, &numbers, &err);
	(void)block_text_column(block, RECORD_REQUEST, FIELD_user, &codes, &err);
	double users = seconds();
	(void)block_text_column(block, RECORD_STATEMENT, FIELD_table, &codes, &err);
	double tables = seconds();
	uint32_t rows = block_about(block)->row_count;
	for (uint32_t row = 0; row < rows; row++) {
		buf_clear(&out);
		struct str wanted = record_at(bench, block_leaves(block)[row]);
		if (block_record(block, row, &out, &err) != 0) {
			die("record", &err);
		}
		if (!str_equal(buf_str(&out), wanted)) {
			(void)fprintf(stderr, "bench-block: row %u differs\n", row);
			exit(1);
		}
	}
	double end = seconds();
	(void)printf("block of %u rows: open %.2f ms, status+user %.2f ms, table %.2f ms, record "
		     "%.2f us\n",
		     rows, (opened - start) * 1e3, (users - opened) * 1e3, (tables - users) * 1e3,
		     (end - tables) * 1e6 / rows);
	if (totals != NULL) {
		block_columns(block, add_total, totals);
	}
	block_close(block);
	buf_done(&out);
}

/* How far the records are in blocks. */
struct reach {
	size_t request, statement, first_statement, first_verdict;
};

/* Puts the records of one block into the builder: requests, and what came until the last of them. */
static void add_block(struct bench *bench, struct block_builder *builder, struct reach *reach)
{
	struct record_front front;
	struct error err;
	size_t last = reach->request + REQUESTS_OF_A_BLOCK;
	last = last < reach->first_statement ? last : reach->first_statement;
	(void)record_decode_front(record_at(bench, last - 1), &front,
				  &err); /* it was encoded here */
	int64_t until_ns = last < reach->first_statement ? front.time_ns : INT64_MAX;
	for (; reach->request < last; reach->request++) {
		if (block_builder_add(builder, reach->request, 1000,
				      record_at(bench, reach->request), &err) != 0) {
			die("add", &err);
		}
	}
	for (; reach->statement < reach->first_verdict; reach->statement++) {
		struct str statement = record_at(bench, reach->statement);
		size_t verdict = reach->statement - reach->first_statement + reach->first_verdict;
		(void)record_decode_front(statement, &front, &err); /* likewise */
		if (front.time_ns > until_ns) {
			break;
		}
		if (block_builder_add(builder, reach->statement, 2000, statement, &err) != 0 ||
		    block_builder_add(builder, verdict, 3000, record_at(bench, verdict), &err) !=
			    0) {
			die("add", &err);
		}
	}
}

/* Builds a block several times; each must give the same bytes. Returns the shortest time. */
static double build_block(struct bench *bench, struct block_builder *builder, struct reach *reach,
			  unsigned rounds, struct buf *out)
{
	struct reach after = *reach;
	struct block_about about;
	struct error err;
	uint8_t first[DIGEST_BYTES], digest[DIGEST_BYTES];
	double best = 1e9, best_adding = 1e9;
	for (unsigned round = 0; round < rounds; round++) {
		after = *reach;
		double start = seconds();
		add_block(bench, builder, &after);
		double adding = seconds() - start;
		if (block_builder_finish(builder, &(struct block_seal){1, NULL}, out, &about,
					 &err) != 0) {
			die("finish", &err);
		}
		double all = seconds() - start;
		best = all < best ? all : best;
		best_adding = adding < best_adding ? adding : best_adding;
		digest_sha256(buf_str(out), digest);
		if (round > 0 && memcmp(digest, first, sizeof digest) != 0) {
			(void)fprintf(stderr, "bench-block: the same records gave other bytes\n");
			exit(1);
		}
		memcpy(first, digest, sizeof digest);
	}
	size_t events = after.request - reach->request + after.statement - reach->statement;
	(void)printf("add %.2f us, finish %.2f us an event\n", best_adding * 1e6 / (double)events,
		     (best - best_adding) * 1e6 / (double)events);
	*reach = after;
	return best;
}

#define BATCH 4096

/* Puts all records into the head of a store. */
static void fill_store(const struct bench *bench, struct store *store)
{
	struct record record;
	struct error err;
	for (size_t leaf = 0; leaf < bench->count; leaf++) {
		struct str encoded = record_at(bench, leaf);
		uint64_t its = 0;
		int rc = leaf % BATCH == 0 ? store_begin(store, 1000, &err) : 0;
		rc = rc < 0 ? rc : record_decode(encoded, &record, &err);
		rc = rc < 0 ? rc : store_append(store, &record, encoded, &its, &err);
		if (rc == 0 && (leaf % BATCH == BATCH - 1 || leaf + 1 == bench->count)) {
			rc = store_commit(store, &err);
		}
		if (rc < 0) {
			die("the head", &err);
		}
	}
}

/* What sealing takes with all that belongs to it: reading the head, laying out, building, writing, reading back, filters, summaries. */
static void seal_all(const struct bench *bench)
{
	char dir[] = "/tmp/qt-bench-XXXXXX";
	struct store *store;
	struct error err;
	struct seal_result result = {0};
	if (mkdtemp(dir) == NULL) {
		exit(2);
	}
	if (store_open(dir, STORE_CREATE, &store, &err) < 0) {
		die("the store", &err);
	}
	fill_store(bench, store);
	const struct seal_order order = {.head_end = store_leaf_count(store),
					 .settled_ns = INT64_MIN,
					 .judged_ns = INT64_MIN,
					 .close = true,
					 .now_ns = 2000};
	double start = seconds();
	if (seal_run(store, &order, &result, &err) < 0) {
		die("seal", &err);
	}
	(void)printf("sealing %.2f us an event\n",
		     (seconds() - start) * 1e6 / (double)bench->events);
	store_close(store);
	store_folder_remove(dir);
}

int main(int argc, char **argv)
{
	static struct bench bench;
	static struct totals totals;
	struct error err;
	uint64_t requests = argc > 1 ? strtoull(argv[1], NULL, 10) : 2 * REQUESTS_OF_A_BLOCK;
	unsigned rounds = argc > 2 ? (unsigned)strtoull(argv[2], NULL, 10) : 1;
	struct reach reach = {0};
	const struct accesslog_options options = {0};
	buf_init(&bench.bytes, RECORD_ROOM);
	buf_init(&bench.lines[0], RECORD_ROOM);
	buf_init(&bench.lines[1], RECORD_ROOM);
	arena_init(&bench.arena, 64 << 20);
	strmap_init(&bench.requests, SIZE_MAX / 256);
	bench.joiner = auditrow_joiner_new(STR_LIT("db"), 64 << 20);
	if (accesslog_format_new(&options, &bench.format, &err) != 0) {
		die("format", &err);
	}
	make_records(&bench, requests, &reach.first_statement, &reach.first_verdict);
	reach.statement = reach.first_statement;
	struct block_builder *builder = block_builder_new();
	struct buf out;
	buf_init(&out, (size_t)1 << 30);
	uint64_t stored = 0;
	double build_s = 0;
	while (reach.request < reach.first_statement) {
		build_s += build_block(&bench, builder, &reach, rounds, &out);
		stored += out.len;
		for (unsigned round = 0; round < rounds; round++) {
			check(&bench, &out, round == 0 ? &totals : NULL);
		}
	}
	qsort(totals.item, totals.count, sizeof totals.item[0], compare_totals);
	for (size_t i = 0; i < totals.count; i++) {
		(void)printf("%-40s %8.3f\n", totals.item[i].name,
			     (double)totals.item[i].bytes / (double)bench.events);
	}
	(void)printf("%.2f B/event over %llu events; build %.2f us/event\n",
		     (double)stored / (double)bench.events, (unsigned long long)bench.events,
		     build_s * 1e6 / (double)bench.events);
	block_builder_free(builder);
	seal_all(&bench);
	return 0;
}
