/* What the daemon's join and dedupe cost when everything before is sealed: requests first, then their statements, then all of it again. */
#include "base/clock.h"
#include "base/hash.h"
#include "base/parse.h"
#include "correlator/keeper.h"
#include "store/seal.h"
#include "tests/unit/store-folder.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BATCH       8192
#define PER_REQUEST 3
#define STEP_NS     INT64_C(40000000)
#define T0          INT64_C(1790000000000000000)
#define SEAL_EACH   131072

static int64_t resident_bytes(void)
{
	long pages = 0;
	FILE *file = fopen("/proc/self/statm", "re");
	if (file != NULL) {
		if (fscanf(file, "%*d %ld", &pages) != 1) {
			pages = 0;
		}
		(void)fclose(file); /* only read */
	}
	return pages * 4096;
}

struct bench {
	struct keeper *keeper;
	struct error err;
	uint64_t unsealed;
	int64_t most, seal_ns;
	int64_t watermark_ns[2];
};

static void fail(const struct bench *bench, const char *what)
{
	fprintf(stderr, "%s: %s\n", what, bench->err.text);
	exit(1);
}

static void name_id(uint64_t n, char out[64])
{
	uint64_t mix = hash_u64(n);
	(void)snprintf(out, 64, "%08x-%04x-4%03x-8%03x-%012" PRIx64, (unsigned)mix,
		       (unsigned)(mix >> 32) & 0xffffU, (unsigned)(mix >> 48) & 0xfffU,
		       (unsigned)(n & 0xfffU), hash_u64(mix) >> 16);
}

/* Item n of a phase, as canonical bytes. */
static void put_request(uint64_t n, struct buf *out)
{
	struct record record;
	char key[64], id[64], user[32], raw[512];
	record_init(&record, RECORD_REQUEST);
	record.source = STR_LIT("api");
	(void)snprintf(key, sizeof key, "%026" PRIu64, n);
	record.key = str_of(key);
	record.time_ns = T0 + (int64_t)n * STEP_NS;
	name_id(n, id);
	(void)snprintf(user, sizeof user, "user%" PRIu64, n % 500);
	(void)snprintf(raw, sizeof raw,
		       "{\"requestId\":\"%s\",\"user\":\"%s\",\"route\":\"GET /orders/{id}\","
		       "\"n\":%" PRIu64 "}",
		       id, user, n);
	record_set_text(&record, FIELD_raw, str_of(raw));
	record_set_text(&record, FIELD_request_id, str_of(id));
	record_set_text(&record, FIELD_user, str_of(user));
	record_set_text(&record, FIELD_route, STR_LIT("GET /orders/{id}"));
	record_set_number(&record, FIELD_status, 200);
	record_set_number(&record, FIELD_latency_ms, 30);
	(void)record_encode(&record, out, NULL); /* it is a good one */
}

static void put_statement(uint64_t n, struct buf *out)
{
	struct record record;
	char key[64], id[64], text[256], raw[512], connection[64];
	uint64_t request = n / PER_REQUEST;
	record_init(&record, RECORD_STATEMENT);
	record.source = STR_LIT("db");
	(void)snprintf(key, sizeof key, "app_0.sqlaudit:%" PRIu64, n * 512);
	record.key = str_of(key);
	record.time_ns =
		T0 + (int64_t)request * STEP_NS + (int64_t)(n % PER_REQUEST + 1) * 5 * NS_PER_MS;
	name_id(request, id);
	(void)snprintf(text, sizeof text,
		       "SELECT id, total FROM dbo.Orders WHERE id = %" PRIu64 " /*request_id=%s*/",
		       n * 7, id);
	(void)snprintf(raw, sizeof raw, "{\"statement\":\"%s\",\"offset\":%" PRIu64 "}", text,
		       n * 512);
	(void)snprintf(connection, sizeof connection, "CCCCCCCC-0000-4000-8000-%012" PRIu64,
		       request % 240);
	record_set_text(&record, FIELD_raw, str_of(raw));
	record_set_text(&record, FIELD_action, STR_LIT("SL"));
	record_set_text(&record, FIELD_statement, str_of(text));
	record_set_text(&record, FIELD_connection_id, str_of(connection));
	record_set_number(&record, FIELD_file_offset, (int64_t)(n * 512));
	(void)record_encode(&record, out, NULL); /* it is a good one */
}

static void commit(struct bench *bench)
{
	for (bool more = true; more;) {
		if (keeper_commit(bench->keeper, clock_now_ns(), &more, &bench->err) < 0) {
			fail(bench, "commit");
		}
		int64_t now = resident_bytes();
		bench->most = now > bench->most ? now : bench->most;
	}
}

static void seal(struct bench *bench)
{
	int64_t start_ns = clock_monotonic_ns();
	struct seal_result result;
	struct seal_order order = {.head_end = store_leaf_count(keeper_store(bench->keeper)),
				   .settled_ns = INT64_MIN,
				   .close = true,
				   .now_ns = clock_now_ns()};
	int rc = seal_run(keeper_store(bench->keeper), &order, &result, &bench->err);
	if (rc < 0 && rc != -ERR_GONE) {
		fail(bench, "seal");
	}
	bench->seal_ns += clock_monotonic_ns() - start_ns;
	bench->unsealed = 0;
}

static uint64_t send(struct bench *bench, uint64_t first, uint64_t count, bool request)
{
	static struct str records[BATCH];
	static size_t ends[BATCH];
	struct roster_source *source = NULL;
	struct keeper_result result = {0};
	struct buf bytes;
	unsigned kinds = 1u << (request ? RECORD_REQUEST : RECORD_STATEMENT);
	buf_init(&bytes, 0);
	for (uint64_t i = 0; i < count; i++) {
		if (request) {
			put_request(first + i, &bytes);
		} else {
			put_statement(first + i, &bytes);
		}
		ends[i] = bytes.len;
	}
	for (uint64_t i = 0; i < count; i++) {
		size_t start = i > 0 ? ends[i - 1] : 0;
		records[i] = str_make(bytes.ptr + start, ends[i] - start);
	}
	if (roster_add(keeper_roster(bench->keeper), str_of(request ? "api" : "db"), &source,
		       &bench->err) < 0) {
		fail(bench, "source");
	}
	roster_set_type(source, STR_LIT("bench"), kinds);
	struct keeper_batch batch = {.source = source,
				     .kinds = kinds,
				     .records = records,
				     .record_count = count,
				     .cursor = STR_LIT("c"),
				     .watermark_ns = bench->watermark_ns[request],
				     .now_ns = clock_now_ns()};
	if (keeper_take(bench->keeper, &batch, &result, &bench->err) < 0) {
		fail(bench, "take");
	}
	buf_done(&bytes);
	commit(bench);
	bench->unsealed += result.stored;
	return result.stored;
}

static void phase(struct bench *bench, const char *name, uint64_t count, bool request)
{
	uint64_t stored = 0;
	int64_t start_ns = clock_monotonic_ns();
	bench->most = bench->seal_ns = 0;
	for (uint64_t first = 0; first < count; first += BATCH) {
		uint64_t left = count - first;
		stored += send(bench, first, left < BATCH ? left : BATCH, request);
		if (bench->unsealed >= SEAL_EACH) {
			seal(bench);
		}
	}
	bench->watermark_ns[request] = INT64_MAX;
	(void)send(bench, 0, 0, request);
	seal(bench);
	double seconds = (double)(clock_monotonic_ns() - start_ns - bench->seal_ns) / 1e9;
	printf("%-26s %8" PRIu64 " records, %8" PRIu64 " stored, %7.0f/s without sealing "
	       "(%.1f s), at most %" PRId64 " MB, in memory %zu\n",
	       name, count, stored, (double)count / seconds, (double)bench->seal_ns / 1e9,
	       bench->most >> 20, keeper_figures(bench->keeper).in_memory);
	fflush(stdout);
}

static uint64_t read_count(const char *text)
{
	uint64_t count = 0;
	return parse_u64(str_of(text), &count) ? count : 0;
}

int main(int argc, char **argv)
{
	uint64_t requests = argc > 1 ? read_count(argv[1]) : 100000;
	char dir[64] = "/tmp/qt-bench-XXXXXX";
	struct join_options join = {.tolerance_ns = 100 * NS_PER_MS,
				    .slack_ns = 5 * NS_PER_SEC,
				    .provisional_ns = 120 * NS_PER_SEC,
				    .max_records = 16 << 20};
	struct bench bench = {.watermark_ns = {INT64_MIN, INT64_MIN}};
	if (mkdtemp(dir) == NULL) {
		return 1;
	}
	struct keeper_options options = {
		.store_dir = dir, .join = &join, .max_keys = 16 << 20, .now_ns = clock_now_ns()};
	if (keeper_open(&options, &bench.keeper, &bench.err) < 0) {
		fail(&bench, "open");
	}
	phase(&bench, "requests", requests, true);
	phase(&bench, "their statements", requests * PER_REQUEST, false);
	phase(&bench, "the requests again", requests, true);
	phase(&bench, "the statements again", requests * PER_REQUEST, false);
	keeper_close(bench.keeper);
	int64_t start_ns = clock_monotonic_ns();
	if (keeper_open(&options, &bench.keeper, &bench.err) < 0) {
		fail(&bench, "open");
	}
	printf("start %.3f s\n", (double)(clock_monotonic_ns() - start_ns) / 1e9);
	keeper_close(bench.keeper);
	store_folder_remove(dir);
	return 0;
}
