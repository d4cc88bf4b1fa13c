/* How fast the store takes records in, and how long a fresh process needs for the statements of one user.
 *
 * bench-head fill DIR COUNT   fills a new store in batches of 8,192; prints the time of append and commit apart
 * bench-head user DIR USER    statements of a user: requests by user, verdicts to statements, statements fetched
 * bench-head find DIR ID      leaves of an id */
#include "base/clock.h"
#include "base/parse.h"
#include "store/scan.h"
#include "tests/unit/store-fixture.h"

#include <sys/resource.h>

static void must(int rc, const struct error *err)
{
	if (rc < 0) {
		(void)fprintf(stderr, "bench-head: %s\n", err->text);
		exit(2);
	}
}

static double ms_since(int64_t start_ns)
{
	return (double)(clock_monotonic_ns() - start_ns) / 1e6;
}

static long peak_kib(void)
{
	struct rusage usage;
	(void)getrusage(RUSAGE_SELF, &usage); /* can't fail with these arguments */
	return usage.ru_maxrss;
}

struct spent {
	int64_t append_ns, commit_ns;
	uint64_t bytes;
};

#define BATCH 8192

/* Records are made and encoded before the clock runs. */
static void fill_batch(struct store *store, struct fixture *fixture, uint64_t first,
		       struct spent *spent)
{
	static struct str encoded[BATCH];
	static struct record records[BATCH];
	struct buf bytes;
	struct error err;
	buf_init(&bytes, 0);
	static size_t starts[BATCH + 1];
	for (size_t i = 0; i < BATCH; i++) {
		struct str one;
		(void)fixture_record(fixture, first + i, &one); /* only the bytes are used */
		starts[i] = bytes.len;
		buf_put_str(&bytes, one);
	}
	starts[BATCH] = bytes.len;
	for (size_t i = 0; i < BATCH; i++) {
		encoded[i] = str_make(bytes.ptr + starts[i], starts[i + 1] - starts[i]);
		must(record_decode(encoded[i], &records[i], &err), &err);
	}
	int64_t start = clock_monotonic_ns();
	must(store_begin(store, clock_now_ns(), &err), &err);
	for (size_t i = 0; i < BATCH; i++) {
		uint64_t leaf = 0;
		must(store_append(store, &records[i], encoded[i], &leaf, &err), &err);
	}
	spent->append_ns += clock_monotonic_ns() - start;
	start = clock_monotonic_ns();
	must(store_commit(store, &err), &err);
	spent->commit_ns += clock_monotonic_ns() - start;
	spent->bytes += bytes.len;
	buf_done(&bytes);
}

static int fill(const char *dir, const char *count_text)
{
	struct fixture fixture;
	struct store *store = NULL;
	struct error err;
	uint64_t count = 0;
	if (!parse_u64(str_of(count_text), &count)) {
		return 2;
	}
	fixture_init(&fixture);
	must(store_open(dir, STORE_CREATE, &store, &err), &err);
	struct spent spent = {0};
	uint64_t done = 0;
	for (; done < count; done += BATCH) {
		fill_batch(store, &fixture, done, &spent);
	}
	uint64_t size = 0;
	must(store_size(store, &size, &err), &err);
	(void)printf("%llu records, %.0f B each: append %.2f us, commit %.2f us a record; store "
		     "%.0f B a record\n",
		     (unsigned long long)done, (double)spent.bytes / (double)done,
		     (double)spent.append_ns / 1e3 / (double)done,
		     (double)spent.commit_ns / 1e3 / (double)done, (double)size / (double)done);
	store_close(store);
	fixture_done(&fixture);
	return 0;
}

/* Leaves of requests of the user, one bit each. */
static size_t mark_requests(struct store *store, struct str user, uint8_t *is_request)
{
	struct error err;
	struct scan *scan = NULL;
	const struct scan_block *block = NULL;
	struct scan_options options = {
		.kinds = 1u << RECORD_REQUEST, .from_ns = INT64_MIN, .to_ns = INT64_MAX};
	size_t found = 0;
	must(scan_open(store, &options, &scan, &err), &err);
	int rc = scan_next(scan, &block, &err);
	for (; rc == 0; rc = scan_next(scan, &block, &err)) {
		struct scan_codes codes;
		must(scan_text_column(block, FIELD_user, &codes, &err), &err);
		uint32_t wanted = UINT32_MAX - 1;
		for (size_t i = 0; i < codes.dict_count; i++) {
			wanted = str_equal(codes.dict[i], user) ? (uint32_t)i : wanted;
		}
		const uint64_t *leaves = scan_leaves(block);
		const uint8_t *kinds = scan_kinds(block);
		for (size_t row = 0; row < scan_row_count(block); row++) {
			bool hit = codes.code[row] == wanted && kinds[row] == RECORD_REQUEST;
			is_request[leaves[row]] = hit ? 1 : 0;
			found += hit ? 1 : 0;
		}
	}
	must(rc == -ERR_GONE ? 0 : rc, &err);
	scan_close(scan);
	return found;
}

static size_t find_statements(struct store *store, const uint8_t *is_request, uint64_t *leaves)
{
	struct error err;
	struct scan *scan = NULL;
	const struct scan_block *block = NULL;
	struct scan_options options = {
		.kinds = 1u << RECORD_VERDICT, .from_ns = INT64_MIN, .to_ns = INT64_MAX};
	size_t found = 0;
	must(scan_open(store, &options, &scan, &err), &err);
	int rc = scan_next(scan, &block, &err);
	for (; rc == 0; rc = scan_next(scan, &block, &err)) {
		const int64_t *requests = NULL;
		const int64_t *statements = NULL;
		must(scan_number_column(block, FIELD_request_leaf, &requests, &err), &err);
		must(scan_number_column(block, FIELD_statement_leaf, &statements, &err), &err);
		for (size_t row = 0; row < scan_row_count(block); row++) {
			if (requests[row] >= 0 && is_request[requests[row]] != 0) {
				leaves[found++] = (uint64_t)statements[row];
			}
		}
	}
	must(rc == -ERR_GONE ? 0 : rc, &err);
	scan_close(scan);
	return found;
}

static int user(const char *dir, const char *name)
{
	struct error err;
	struct store *store = NULL;
	int64_t start = clock_monotonic_ns();
	must(store_open(dir, STORE_READ, &store, &err), &err);
	double opened = ms_since(start);
	uint8_t *is_request = calloc(store_leaf_count(store) + 1, 1);
	uint64_t *leaves = calloc(store_leaf_count(store) + 1, sizeof leaves[0]);
	size_t requests = mark_requests(store, str_of(name), is_request);
	double marked = ms_since(start);
	size_t found = find_statements(store, is_request, leaves);
	double mapped = ms_since(start);
	struct scan_fetch *fetch = NULL;
	must(scan_fetch_open(store, &fetch, &err), &err);
	static struct record record;
	size_t bytes = 0;
	for (size_t i = 0; i < found; i++) {
		int64_t ingest_ns = 0;
		must(scan_fetch_record(fetch, leaves[i], &record, &ingest_ns, &err), &err);
		bytes += record_text(&record, FIELD_statement).len;
	}
	scan_fetch_close(fetch);
	(void)printf("%zu requests, %zu statements (%zu B of SQL): open %.1f ms, requests %.1f, "
		     "verdicts %.1f, "
		     "fetched %.1f ms in all; peak %ld KiB\n",
		     requests, found, bytes, opened, marked - opened, mapped - marked,
		     ms_since(start), peak_kib());
	free(is_request);
	free(leaves);
	store_close(store);
	return 0;
}

static int find(const char *dir, const char *id)
{
	struct error err;
	struct store *store = NULL;
	uint64_t leaves[16];
	struct scan_found found = {.leaves = leaves, .max = 16};
	int64_t start = clock_monotonic_ns();
	must(store_open(dir, STORE_READ, &store, &err), &err);
	must(scan_find_id(store, str_of(id), &found, &err), &err);
	(void)printf("%zu leaves in %.1f ms\n", found.count, ms_since(start));
	store_close(store);
	return 0;
}

int main(int argc, char **argv)
{
	if (argc == 4 && strcmp(argv[1], "fill") == 0) {
		return fill(argv[2], argv[3]);
	}
	if (argc == 4 && strcmp(argv[1], "user") == 0) {
		return user(argv[2], argv[3]);
	}
	if (argc == 4 && strcmp(argv[1], "find") == 0) {
		return find(argv[2], argv[3]);
	}
	(void)fprintf(stderr, "usage: bench-head fill DIR COUNT | user DIR USER | find DIR ID\n");
	return 2;
}
