/* How fast texts are searched in a store: the statements of its blocks through the scan, as `querytrail who` does it, in one process.
 *
 * usage: bench-search STORE [FILTER]..  (one JSON object a filter: rows found, CPU seconds at the first time and then, and the gigabytes of
 * statements that a second of one core goes through) */
#include "base/clock.h"
#include "query/block-atoms.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#define ROUNDS 7

static void must(int rc, const struct error *err)
{
	if (rc < 0) {
		(void)fprintf(stderr, "bench-search: %s\n", err->text);
		exit(1);
	}
}

static double cpu_seconds(void)
{
	struct timespec spent = {0};
	(void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &spent); /* can't fail for this clock */
	return (double)spent.tv_sec + (double)spent.tv_nsec / 1e9;
}

/* Lets the kernel forget the block files, as far as it does. */
static void forget(const char *dir)
{
	char path[4096];
	(void)snprintf(path, sizeof path, "%s/blocks", dir); /* a cut one is not found */
	DIR *blocks = opendir(path);
	for (struct dirent *month; blocks != NULL && (month = readdir(blocks)) != NULL;) {
		char folder[8192];
		(void)snprintf(folder, sizeof folder, "%s/%s", path, month->d_name);
		DIR *files = month->d_name[0] != '.' ? opendir(folder) : NULL;
		for (struct dirent *file; files != NULL && (file = readdir(files)) != NULL;) {
			char name[16384];
			(void)snprintf(name, sizeof name, "%s/%s", folder, file->d_name);
			int fd = open(name, O_RDONLY | O_CLOEXEC);
			if (fd >= 0) {
				(void)posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED);
				(void)close(fd);
			}
		}
		if (files != NULL) {
			(void)closedir(files);
		}
	}
	if (blocks != NULL) {
		(void)closedir(blocks);
	}
}

/* The statements that match. */
static size_t search(struct store *store, const struct plan *plan)
{
	const struct scan_options statements = {
		.kinds = 1u << RECORD_STATEMENT, .from_ns = INT64_MIN, .to_ns = INT64_MAX};
	struct block_atoms atoms = {0};
	struct scan *scan;
	const struct scan_block *block;
	struct error err;
	size_t found = 0;
	int rc;
	must(scan_open(store, &statements, &scan, &err), &err);
	while ((rc = scan_next(scan, &block, &err)) == 0) {
		must(block_atoms_load(&atoms, plan, statements.kinds, block, &err), &err);
		found += atoms.touched_count;
	}
	must(rc == -ERR_GONE ? 0 : rc, &err);
	scan_close(scan);
	block_atoms_done(&atoms);
	return found;
}

/* The least CPU seconds of a search when a process keeps the blocks open (of a small store: as many as are kept). */
static double search_open(const char *dir, const struct plan *plan)
{
	static struct record record;
	const struct scan_options statements = {
		.kinds = 1u << RECORD_STATEMENT, .from_ns = INT64_MIN, .to_ns = INT64_MAX};
	struct store *store;
	struct scan *scan;
	struct scan_fetch *fetch;
	const struct scan_block *block;
	struct error err;
	double least = 1e9;
	must(store_open(dir, STORE_READ, &store, &err), &err);
	must(scan_fetch_open(store, &fetch, &err), &err);
	must(scan_open(store, &statements, &scan, &err), &err);
	while (scan_next(scan, &block, &err) == 0) {
		int64_t ingest_ns;
		must(scan_fetch_record(fetch, scan_leaves(block)[0], &record, &ingest_ns, &err),
		     &err);
	}
	scan_close(scan);
	for (int round = 0; round <= ROUNDS; round++) {
		double start = cpu_seconds();
		(void)search(store, plan); /* counted before */
		double spent = cpu_seconds() - start;
		least = round > 0 && spent < least ? spent : least;
	}
	scan_fetch_close(fetch);
	store_close(store);
	return least;
}

static bool add_length(const void *owner, struct str text)
{
	uint64_t *const *sum = owner;
	**sum += text.len;
	return false;
}

/* The bytes of all statements. */
static uint64_t statement_bytes(struct store *store)
{
	const struct scan_options statements = {
		.kinds = 1u << RECORD_STATEMENT, .from_ns = INT64_MIN, .to_ns = INT64_MAX};
	const struct scan_field where = {RECORD_STATEMENT, FIELD_statement};
	uint64_t sum = 0;
	uint64_t *to = &sum;
	const struct block_needle each = {.matches = add_length, .owner = &to};
	struct scan *scan;
	const struct scan_block *block;
	struct error err;
	must(scan_open(store, &statements, &scan, &err), &err);
	while (scan_next(scan, &block, &err) == 0) {
		uint64_t *rows = calloc(scan_row_count(block) / 64 + 1, sizeof rows[0]);
		if (rows == NULL) {
			exit(1);
		}
		must(scan_find_text(block, where, &each, rows, &err), &err);
		free(rows);
	}
	scan_close(scan);
	return sum;
}

static void measure(const char *dir, const char *filter, uint64_t bytes)
{
	static struct plan plan;
	struct arena arena;
	struct query query;
	struct zone zone = zone_utc();
	struct plan_options options = {INT64_MIN, INT64_MAX, 0, {&zone, clock_now_ns()}};
	struct store *store;
	struct error err;
	double first = 0, least = 1e9;
	int64_t first_ns = 0;
	size_t found = 0;
	arena_init(&arena, 4u << 20);
	must(query_parse(str_of(filter), &arena, &query, &err), &err);
	must(plan_make(&query, &options, &plan, &err), &err);
	forget(dir);
	for (int round = 0; round <= ROUNDS; round++) {
		int64_t start_ns = clock_monotonic_ns();
		double start = cpu_seconds();
		must(store_open(dir, STORE_READ, &store, &err), &err);
		found = search(store, &plan);
		store_close(store);
		double spent = cpu_seconds() - start;
		if (round == 0) {
			first = spent;
			first_ns = clock_monotonic_ns() - start_ns;
		} else {
			least = spent < least ? spent : least;
		}
	}
	double open = search_open(dir, &plan);
	struct rusage usage;
	(void)getrusage(RUSAGE_SELF, &usage); /* can't fail with these arguments */
	struct buf out;
	buf_init(&out, 1u << 16);
	for (const char *c = filter; *c != '\0'; c++) {
		buf_put_text(&out, *c == '"' || *c == '\\' ? "\\" : "");
		buf_put_byte(&out, (uint8_t)*c);
	}
	(void)printf(
		"{\"filter\": \"%.*s\", \"rows\": %zu, \"cold_ms\": %.1f, \"cold_cpu_ms\": %.1f, "
		"\"warm_cpu_ms\": %.1f, \"warm_gb_per_cpu_s\": %.1f, \"open_cpu_ms\": %.2f, "
		"\"open_gb_per_cpu_s\": %.1f, \"statement_bytes\": %llu, "
		"\"peak_kib\": %ld}\n",
		STR_ARG(buf_str(&out)), found, (double)first_ns / 1e6, first * 1e3, least * 1e3,
		(double)bytes / 1e9 / least, open * 1e3, (double)bytes / 1e9 / open,
		(unsigned long long)bytes, usage.ru_maxrss);
	buf_done(&out);
	arena_done(&arena);
}

int main(int argc, char **argv)
{
	static const char *const usual[] = {
		"statement:\"nowhere to be found\"",
		"statement:damaged",
		"statement:70970119",
		"statement:e620b532-7aa5-4056",
		"statement:\"user1234\"",
		"statement~\"delete\\s+from\\s+\\w+\\.orders\"",
		"statement~\"drop|truncate|grant\"",
		"statement~\"email\\s*=\\s*'user1\\d+@\"",
		"statement~\"(?-i)WHERE [a-z]\\.Quantity = 10\\d\"",
		"statement~\"\\d{9}\"",
	};
	struct store *store;
	struct error err;
	if (argc < 2) {
		(void)fprintf(stderr, "usage: bench-search STORE [FILTER]..\n");
		return 2;
	}
	must(store_open(argv[1], STORE_READ, &store, &err), &err);
	uint64_t bytes = statement_bytes(store);
	store_close(store);
	for (int i = 2; i < argc; i++) {
		measure(argv[1], argv[i], bytes);
	}
	for (size_t i = 0; argc == 2 && i < sizeof usual / sizeof usual[0]; i++) {
		measure(argv[1], usual[i], bytes);
	}
	return 0;
}
