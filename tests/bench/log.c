/* What the log costs, over a store that an import made.
 *
 * usage: bench-log STORE IMPORT_CPU_S [EVENTS]
 * Prints a line a figure. Times are of this process' processor alone, but for verify, which is by the clock and with all processors. */
#include "base/clock.h"
#include "base/tlogproof.h"
#include "store/handle.h"
#include "store/log/audit.h"
#include "store/log/checkpoints.h"
#include "store/log/nodes.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#define PROOFS 300
#define SIGNED 2000

static void must(int rc, const struct error *err)
{
	if (rc < 0) {
		(void)fprintf(stderr, "bench-log: %s\n", err->text);
		exit(2);
	}
}

static double cpu_s(void)
{
	struct timespec now;
	(void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now); /* can't fail for this clock */
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

struct hashing {
	struct salts *salts;
	struct merkle_range range;
	uint64_t count, bytes;
	double spent_s;
};

#define AT_ONCE 512

/* Records that wait, so that the clock is not asked for each. */
static struct {
	char *bytes;
	size_t starts[AT_ONCE + 1], count, room;
	uint64_t first;
	int64_t ingest_ns[AT_ONCE];
} held;

static void hash_held(struct hashing *hashing)
{
	double before = cpu_s();
	struct error err;
	for (size_t i = 0; i < held.count; i++) {
		struct str encoded =
			str_make(held.bytes + held.starts[i], held.starts[i + 1] - held.starts[i]);
		struct log_salt salt;
		struct log_leaf leaf;
		struct log_entry entry;
		struct merkle_hash hash;
		if (salts_get(hashing->salts, held.first + i, &salt) == 0) {
			must(log_leaf_of(encoded, held.ingest_ns[i], &salt, &leaf, &err), &err);
			log_entry_make(&leaf, &entry);
			merkle_leaf(str_make(entry.bytes, entry.len), &hash);
			merkle_range_add(&hashing->range, &hash, NULL, NULL);
		}
	}
	hashing->spent_s += cpu_s() - before;
	held.count = 0;
}

static int take(void *owner, uint64_t leaf, int64_t ingest_ns, struct str encoded,
		struct error *err)
{
	struct hashing *hashing = owner;
	size_t start = held.count > 0 ? held.starts[held.count] : 0;
	if (held.count == AT_ONCE || (held.count > 0 && leaf != held.first + held.count)) {
		hash_held(hashing);
		start = 0;
	}
	if (start + encoded.len > held.room) {
		held.room = (start + encoded.len) * 2;
		held.bytes = realloc(held.bytes, held.room);
		if (held.bytes == NULL) {
			return error_set(err, ERR_NOMEM, "no memory for records");
		}
	}
	held.first = held.count == 0 ? leaf : held.first;
	held.starts[held.count] = start;
	held.ingest_ns[held.count] = ingest_ns;
	memcpy(held.bytes + start, encoded.ptr, encoded.len);
	held.starts[++held.count] = start + encoded.len;
	hashing->count++;
	hashing->bytes += encoded.len;
	return 0;
}

static double hash_all(struct store *store, double import_s)
{
	struct hashing hashing = {.count = 0};
	struct error err;
	must(store_snapshot_begin(store, &err), &err);
	must(salts_load(store->reading, &hashing.salts, &err), &err);
	must(store_walk(store, 0, take, &hashing, &err), &err);
	hash_held(&hashing);
	store_snapshot_end(store);
	salts_free(hashing.salts);
	free(held.bytes);
	double each_ns = hashing.spent_s * 1e9 / (double)hashing.count;
	printf("hashing: %.0f ns a leaf of %llu bytes (%.0f leaves/s of one core)\n", each_ns,
	       (unsigned long long)(hashing.bytes / hashing.count), 1e9 / each_ns);
	if (import_s > 0) {
		printf("hashing: %.1f %% of the import's processor time (must 30)\n",
		       100 * hashing.spent_s / import_s);
	}
	return (double)hashing.count;
}

static void prove(struct store *store)
{
	struct log_nodes *nodes = NULL;
	struct merkle_head head;
	struct checkpoint last;
	struct buf note, file;
	struct error err;
	size_t largest = 0;
	buf_init(&note, NOTE_MAX_BYTES);
	buf_init(&file, 0);
	must(log_nodes_open(store, &nodes, &err), &err);
	must(checkpoints_last(store, &last, &note, &err), &err);
	log_nodes_head(nodes, &head);
	const struct merkle_source source = log_nodes_source(nodes);
	double before = cpu_s();
	for (uint64_t i = 0; i < PROOFS; i++) {
		struct tlogproof proof = {.index = i * (head.size - 1) / PROOFS,
					  .checkpoint = last.note};
		must(merkle_prove_leaf(proof.index, head.size, &source, &proof.path, &err), &err);
		buf_clear(&file);
		tlogproof_put(&proof, (struct str){0}, &file);
		largest = file.len > largest ? file.len : largest;
	}
	printf("proof: %zu bytes with its checkpoint (must 1,536), %.2f ms each\n", largest,
	       (cpu_s() - before) * 1e3 / PROOFS);
	log_nodes_close(nodes);
	buf_done(&note);
	buf_done(&file);
}

static void sign(void)
{
	struct note_signer signer;
	struct buf line;
	struct error err;
	must(note_signer_make(&signer, STR_LIT("log.example"), NOTE_ED25519, &err), &err);
	buf_init(&line, 0);
	double before = cpu_s();
	for (int i = 0; i < SIGNED; i++) {
		buf_clear(&line);
		must(note_sign(&signer, STR_LIT("log.example\n1000\nroot\n"), 0, &line, &err),
		     &err);
	}
	printf("signing: %.0f us a checkpoint\n", (cpu_s() - before) * 1e6 / SIGNED);
	buf_done(&line);
	note_signer_done(&signer);
}

static void ignore(void *owner, const struct audit_finding *finding)
{
	(void)owner;
	(void)fprintf(stderr, "bench-log: leaf %llu: %s\n", (unsigned long long)finding->first,
		      finding->text);
	exit(2);
}

static void verify(const char *dir)
{
	const struct audit_options options = {.dir = dir, .found = ignore};
	struct audit_result result;
	struct error err;
	int64_t start_ns = clock_monotonic_ns();
	double before = cpu_s();
	must(audit_run(&options, &result, &err), &err);
	double by_clock = (double)(clock_monotonic_ns() - start_ns) / 1e9;
	double by_cpu = cpu_s() - before;
	printf("verify: %.0f leaves/s by the clock, %.0f of one core (must 1,000,000 events/s)\n",
	       (double)result.records / by_clock, (double)result.records / by_cpu);
}

static void measure_tree(struct store *store, double leaves, double events)
{
	sqlite3_stmt *statement = NULL;
	static const char sql[] =
		"SELECT coalesce(sum(length(bytes)), 0) + (SELECT coalesce(sum(length(hash)), 0) "
		"FROM stubs)"
		" + (SELECT coalesce(sum(length(seed)), 0) FROM seeds)"
		" + (SELECT length(value) FROM meta WHERE key = 'log.state') FROM tiles";
	if (sqlite3_prepare_v2(store->catalog->db, sql, -1, &statement, NULL) == SQLITE_OK &&
	    sqlite3_step(statement) == SQLITE_ROW) {
		double bytes = (double)sqlite3_column_int64(statement, 0);
		printf("tree: %.3f bytes a leaf stored", bytes / leaves);
		if (events > 0) {
			printf(", %.3f an event from outside (verdicts are leaves too)",
			       bytes / events);
		}
		printf(" (must 0.2)\n");
	}
	(void)sqlite3_finalize(statement); /* only read */
}

int main(int argc, char **argv)
{
	struct store *store = NULL;
	struct error err;
	if (argc < 2) {
		(void)fprintf(stderr, "usage: bench-log STORE [IMPORT_CPU_S [EVENTS]]\n");
		return 2;
	}
	must(store_open(argv[1], STORE_READ, &store, &err), &err);
	double leaves = hash_all(store, argc > 2 ? strtod(argv[2], NULL) : 0);
	measure_tree(store, leaves, argc > 3 ? strtod(argv[3], NULL) : 0);
	prove(store);
	sign();
	store_close(store);
	verify(argv[1]);
	return 0;
}
