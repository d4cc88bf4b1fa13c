/* What the store does inside one process, and where its bytes are.
 *
 * usage: bench-inside columns STORE     bytes of each column of all sealed blocks, as one JSON object
 *        bench-inside seal STORE        seals all that the head holds: records, bytes, CPU seconds; nothing else may write to the store
 *        bench-inside lookup STORE      "KIND ID" a line on stdin, as bench-synth prints them: per kind, milliseconds of CPU until the ids' records are known,
 *                                       and until they are read too (each id once, in a random order; the first turn warms), and how many were found
 *        bench-inside filters STORE     asks each block's filters for ids that are in none: how many say that it may hold one
 *        bench-inside find STORE        the records of each id on stdin (one a line), then again: microseconds, p50 and p99, of both turns */
#include "base/clock.h"
#include "base/hash.h"
#include "base/parse.h"
#include "store/block.h"
#include "store/handle.h"
#include "store/scan.h"
#include "store/seal.h"
#include "store/store.h"

#include <errno.h>
#include <fcntl.h>
#include <fts.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#define COLUMNS_MAX 512
#define NAME_BYTES  64
#define IDS_MAX     100000
#define ID_BYTES    64
#define LEAVES_MAX  4096

struct column {
	char name[NAME_BYTES];
	uint64_t bytes, values;
};

struct sums {
	struct column columns[COLUMNS_MAX];
	size_t count;
	uint64_t blocks, rows, file_bytes;
};

static void must(int rc, const struct error *err)
{
	if (rc < 0) {
		(void)fprintf(stderr, "bench-inside: %s\n", err->text);
		exit(1);
	}
}

static void add_column(void *owner, const char *name, uint64_t bytes, uint64_t values)
{
	struct sums *sums = owner;
	size_t at = 0;
	while (at < sums->count && strcmp(sums->columns[at].name, name) != 0) {
		at++;
	}
	if (at == sums->count) {
		if (at == COLUMNS_MAX) {
			return;
		}
		sums->count++;
		(void)snprintf(sums->columns[at].name, NAME_BYTES, "%s", name); /* cut: fine */
	}
	sums->columns[at].bytes += bytes;
	sums->columns[at].values += values;
}

/* The number in "…/00000123.qtb"; false for other files. */
static bool block_number(const char *path, uint64_t *out_number)
{
	const char *name = strrchr(path, '/');
	const char *end = strstr(path, ".qtb");
	name = name == NULL ? path : name + 1;
	return end != NULL && end[4] == '\0' && end > name &&
	       parse_u64(str_make(name, (size_t)(end - name)), out_number);
}

static void add_block(struct sums *sums, const char *path)
{
	struct block_place place = {.name = path};
	struct block *block = NULL;
	struct error err;
	if (!block_number(path, &place.number)) {
		return;
	}
	place.fd = open(path, O_RDONLY | O_CLOEXEC);
	if (place.fd < 0) {
		(void)fprintf(stderr, "bench-inside: %s: %s\n", path, strerror(errno));
		exit(1);
	}
	must(block_open(&place, &block, &err), &err);
	block_columns(block, add_column, sums);
	sums->blocks++;
	sums->rows += block_about(block)->row_count;
	sums->file_bytes += (uint64_t)lseek(place.fd, 0, SEEK_END);
	block_close(block);
	(void)close(place.fd); /* was only read */
}

static int show_columns(const char *dir)
{
	static struct sums sums;
	char path[4096];
	char *const roots[] = {path, NULL};
	(void)snprintf(path, sizeof(path), "%s/blocks", dir); /* cut off, it is not found */
	FTS *walk = fts_open(roots, FTS_PHYSICAL | FTS_NOCHDIR, NULL);
	for (FTSENT *entry = walk == NULL ? NULL : fts_read(walk); entry != NULL;
	     entry = fts_read(walk)) {
		if (entry->fts_info == FTS_F) {
			add_block(&sums, entry->fts_path);
		}
	}
	if (walk != NULL) {
		(void)fts_close(walk); /* was only read */
	}
	(void)printf("{\"blocks\": %llu, \"rows\": %llu, \"file_bytes\": %llu, \"columns\": {",
		     (unsigned long long)sums.blocks, (unsigned long long)sums.rows,
		     (unsigned long long)sums.file_bytes);
	for (size_t i = 0; i < sums.count; i++) {
		(void)printf("%s\"%s\": [%llu, %llu]", i > 0 ? ", " : "", sums.columns[i].name,
			     (unsigned long long)sums.columns[i].bytes,
			     (unsigned long long)sums.columns[i].values);
	}
	(void)printf("}}\n");
	return 0;
}

struct ids {
	char text[IDS_MAX][ID_BYTES];
	double us[IDS_MAX];
	size_t count;
};

static int by_value(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;
	return x < y ? -1 : x > y ? 1 : 0;
}

/* Finds all ids and reads their records; sorts the times. Returns how many records there were. */
static size_t find_all(struct store *store, struct scan_fetch *fetch, struct ids *ids)
{
	static struct record record;
	static uint64_t leaves[LEAVES_MAX];
	struct error err;
	size_t records = 0;
	for (size_t i = 0; i < ids->count; i++) {
		struct scan_found found = {.leaves = leaves, .max = LEAVES_MAX};
		int64_t start = clock_monotonic_ns(), ingest_ns = 0;
		must(scan_find_id(store, str_of(ids->text[i]), &found, &err), &err);
		for (size_t leaf = 0; leaf < found.count; leaf++) {
			must(scan_fetch_record(fetch, leaves[leaf], &record, &ingest_ns, &err),
			     &err);
		}
		ids->us[i] = (double)(clock_monotonic_ns() - start) / 1e3;
		records += found.count;
	}
	qsort(ids->us, ids->count, sizeof(ids->us[0]), by_value);
	return records;
}

static void print_times(const char *name, const struct ids *ids, size_t records)
{
	(void)printf(
		"\"%s\": {\"ids\": %zu, \"records\": %zu, \"p50_us\": %.1f, \"p99_us\": %.1f}, ",
		name, ids->count, records, ids->us[ids->count / 2], ids->us[ids->count * 99 / 100]);
}

static int find(const char *dir)
{
	static struct ids ids;
	struct store *store = NULL;
	struct scan_fetch *fetch = NULL;
	struct rusage usage;
	struct error err;
	while (ids.count < IDS_MAX && scanf("%63s", ids.text[ids.count]) == 1) {
		ids.count++;
	}
	if (ids.count == 0) {
		(void)fprintf(stderr, "bench-inside: no ids on stdin\n");
		return 1;
	}
	int64_t start = clock_monotonic_ns();
	must(store_open(dir, STORE_READ, &store, &err), &err);
	must(scan_fetch_open(store, &fetch, &err), &err);
	(void)printf("{\"open_ms\": %.2f, ", (double)(clock_monotonic_ns() - start) / 1e6);
	print_times("first", &ids, find_all(store, fetch, &ids));
	print_times("again", &ids, find_all(store, fetch, &ids));
	(void)getrusage(RUSAGE_SELF, &usage); /* can't fail with these arguments */
	(void)printf("\"peak_kib\": %ld}\n", usage.ru_maxrss);
	scan_fetch_close(fetch);
	store_close(store);
	return 0;
}

static double cpu_seconds(void)
{
	struct timespec spent = {0};
	(void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &spent); /* can't fail for this clock */
	return (double)spent.tv_sec + (double)spent.tv_nsec / 1e9;
}

#define KINDS_MAX  16
#define KIND_BYTES 16

/* Ids of one kind, and how long each took. */
struct lookups {
	char kind[KIND_BYTES];
	double found_ms[IDS_MAX], read_ms[IDS_MAX];
	size_t count, records, missing;
};

struct lookup_set {
	struct lookups *kinds[KINDS_MAX];
	size_t kind_count, count;
	struct {
		uint8_t kind;
		char text[ID_BYTES];
	} ids[IDS_MAX];
};

static bool read_lookups(struct lookup_set *set)
{
	char kind[KIND_BYTES];
	while (set->count < IDS_MAX && scanf("%15s %63s", kind, set->ids[set->count].text) == 2) {
		size_t at = 0;
		while (at < set->kind_count && strcmp(set->kinds[at]->kind, kind) != 0) {
			at++;
		}
		if (at == set->kind_count) {
			if (at == KINDS_MAX ||
			    (set->kinds[at] = calloc(1, sizeof(struct lookups))) == NULL) {
				return false;
			}
			memcpy(set->kinds[at]->kind, kind, sizeof kind);
			set->kind_count++;
		}
		set->ids[set->count++].kind = (uint8_t)at;
	}
	return set->count > 0;
}

/* Neighbours of the list are in the same block: that would flatter. The order is the same in each run. */
static void shuffle(struct lookup_set *set)
{
	uint64_t state = 1;
	for (size_t i = set->count; i > 1; i--) {
		state = state * UINT64_C(6364136223846793005) + 1442695040888963407;
		size_t other = (size_t)(state >> 33) % i;
		__typeof__(set->ids[0]) moved = set->ids[i - 1];
		set->ids[i - 1] = set->ids[other];
		set->ids[other] = moved;
	}
}

static void look_up(struct store *store, struct scan_fetch *fetch, struct lookup_set *set)
{
	static struct record record;
	static uint64_t leaves[LEAVES_MAX];
	struct error err;
	for (size_t i = 0; i < set->count; i++) {
		struct scan_found found = {.leaves = leaves, .max = LEAVES_MAX};
		struct lookups *lookups = set->kinds[set->ids[i].kind];
		double start = cpu_seconds();
		int64_t ingest_ns = 0;
		must(scan_find_id(store, str_of(set->ids[i].text), &found, &err), &err);
		lookups->found_ms[lookups->count] = (cpu_seconds() - start) * 1e3;
		for (size_t leaf = 0; leaf < found.count; leaf++) {
			must(scan_fetch_record(fetch, leaves[leaf], &record, &ingest_ns, &err),
			     &err);
		}
		lookups->read_ms[lookups->count++] = (cpu_seconds() - start) * 1e3;
		lookups->records += found.count;
		lookups->missing += found.count == 0 ? 1 : 0;
	}
}

static double at_share(double *times, size_t count, size_t percent)
{
	qsort(times, count, sizeof times[0], by_value);
	return times[count * percent / 100];
}

static int lookup(const char *dir)
{
	static struct lookup_set set;
	struct store *store = NULL;
	struct scan_fetch *fetch = NULL;
	struct rusage usage;
	struct error err;
	if (!read_lookups(&set)) {
		(void)fprintf(stderr, "bench-inside: no ids on stdin\n");
		return 1;
	}
	shuffle(&set);
	int64_t start = clock_monotonic_ns();
	must(store_open(dir, STORE_READ, &store, &err), &err);
	must(scan_fetch_open(store, &fetch, &err), &err);
	(void)printf("open %.2f ms\n", (double)(clock_monotonic_ns() - start) / 1e6);
	for (size_t turn = 0; turn < 2; turn++) {
		for (size_t i = 0; i < set.kind_count; i++) {
			set.kinds[i]->count = set.kinds[i]->records = set.kinds[i]->missing = 0;
		}
		look_up(store, fetch, &set);
	}
	for (size_t i = 0; i < set.kind_count; i++) {
		struct lookups *kind = set.kinds[i];
		(void)printf("%-10s %6zu ids, %6zu records, %zu not found; ms of CPU until found "
			     "p50 %.3f p99 "
			     "%.3f, until read p50 %.3f p99 %.3f\n",
			     kind->kind, kind->count, kind->records, kind->missing,
			     at_share(kind->found_ms, kind->count, 50),
			     at_share(kind->found_ms, kind->count, 99),
			     at_share(kind->read_ms, kind->count, 50),
			     at_share(kind->read_ms, kind->count, 99));
	}
	(void)getrusage(RUSAGE_SELF, &usage); /* can't fail with these arguments */
	(void)printf("peak %ld KiB\n", usage.ru_maxrss);
	scan_fetch_close(fetch);
	store_close(store);
	return set.count > 0 ? 0 : 1;
}

#define STRANGERS 256

/* How many of ids that no record has may be in a block, by one kind of filter. */
static uint64_t count_false(struct store *store, enum blocks_blob which)
{
	struct error err;
	uint64_t hits = 0;
	for (size_t i = 0; i < store->sealed->count; i++) {
		for (uint64_t id = 0; id < STRANGERS; id++) {
			const struct blocks_asked asked = {i, which, hash_u64(id + 1)};
			bool may = false;
			must(blocks_may_hold(store->blocks, &asked, &may, &err), &err);
			hits += may ? 1 : 0;
		}
	}
	return hits;
}

static int filters(const char *dir)
{
	struct store *store = NULL;
	struct error err;
	static const char *const names[] = {"ids", "stable ids"};
	must(store_open(dir, STORE_READ, &store, &err), &err);
	must(store_snapshot_begin(store, &err), &err);
	size_t blocks = store->sealed->count;
	for (int which = BLOCKS_FILTER_IDS; which <= BLOCKS_FILTER_RECORDS; which++) {
		uint64_t hits = count_false(store, (enum blocks_blob)which);
		double share = blocks > 0 ? (double)hits / (double)(blocks * STRANGERS) : 0;
		(void)printf(
			"%s: %zu blocks, %.3f %% say wrongly that they may hold an id: %.2f of "
			"them an id\n",
			names[which], blocks, 100 * share, share * (double)blocks);
	}
	store_snapshot_end(store);
	store_close(store);
	return 0;
}

static int seal(const char *dir)
{
	struct store *store = NULL;
	struct rusage usage;
	struct error err;
	struct seal_result result = {0};
	must(store_open(dir, STORE_WRITE, &store, &err), &err);
	struct seal_order order = {.head_end = store_leaf_count(store),
				   .settled_ns = INT64_MAX,
				   .close = true,
				   .now_ns = clock_now_ns()};
	double start = cpu_seconds();
	must(seal_run(store, &order, &result, &err), &err);
	double spent = cpu_seconds() - start;
	must(seal_tidy(store, true, INT64_MAX, &err), &err);
	store_close(store);
	(void)getrusage(RUSAGE_SELF, &usage); /* can't fail with these arguments */
	(void)printf("{\"records\": %llu, \"bytes_before\": %llu, \"bytes_after\": %llu, "
		     "\"blocks\": %u, \"open\": %u, \"cpu_s\": %.2f, \"peak_kib\": %ld}\n",
		     (unsigned long long)result.records, (unsigned long long)result.bytes_before,
		     (unsigned long long)result.bytes_after, result.blocks_made, result.blocks_open,
		     spent, usage.ru_maxrss);
	return 0;
}

int main(int argc, char **argv)
{
	if (argc == 3 && strcmp(argv[1], "columns") == 0) {
		return show_columns(argv[2]);
	}
	if (argc == 3 && strcmp(argv[1], "find") == 0) {
		return find(argv[2]);
	}
	if (argc == 3 && strcmp(argv[1], "filters") == 0) {
		return filters(argv[2]);
	}
	if (argc == 3 && strcmp(argv[1], "lookup") == 0) {
		return lookup(argv[2]);
	}
	if (argc == 3 && strcmp(argv[1], "seal") == 0) {
		return seal(argv[2]);
	}
	(void)fprintf(stderr, "usage: bench-inside columns STORE | seal STORE | filters STORE | "
			      "find STORE <IDS | "
			      "lookup STORE <IDS\n");
	return 2;
}
