/* seal - a writer that seals, merges, redacts and removes is killed at any moment; each time the store holds exactly what was committed.
 *
 * A child adds records of the fixture's world, whose n-th record is known, and seals and merges by chance; on the way some records, always the
 * same ones, lose their literals or all, or are dropped; now and then a block is removed. It is killed -9 after some
 * milliseconds, again and again. After each kill the store is opened: the records are those of the world from 0 on, at least as many as the
 * child had confirmed, whole or as they were to become and never whole again; as many are missing as the store says were removed;
 * there is no block file that the catalog does not know; the log has the trees that it had before, and each record that is gone or was redacted is
 * known to it as such. Usage: crash-seal SECONDS SEED. Speaks TAP. */
#include "base/clock.h"
#include "base/parse.h"
#include "model/redact.h"
#include "store/blocks.h"
#include "store/handle.h"
#include "store/log/audit.h"
#include "store/log/forget.h"
#include "store/seal-choice.h"
#include "tests/unit/store-filled.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>

#define RECORDS_MAX 6000 /* then a new store begins */
#define BATCH_MAX   120
#define REQUESTS    20 /* of a block */
#define KILL_MS_MAX 70
#define NUMBERS_MAX 512
#define HEADS_MAX   64

/* What a record may become. */
enum fate { FATE_STAYS, FATE_LITERALS, FATE_ALL, FATE_GOES };

/* What it was at the last look. */
enum state { STATE_WHOLE, STATE_CHANGED, STATE_GONE };

struct crash {
	struct filled filled;
	uint64_t random;
	uint64_t confirmed; /* records that the child said were committed */
	unsigned kills, stores;
	struct redactor *redactor;
	uint8_t state[RECORDS_MAX + BATCH_MAX];
	uint64_t next, gone; /* of a look: the leaf that is due, and how many were missing */
	uint64_t redacted;   /* at this look */
	struct audit_claim heads[HEADS_MAX]; /* of the log, at earlier looks */
	size_t head_count;
	uint64_t changed; /* looks at a record that was redacted, for the report */
	uint64_t sealed;  /* seals that came to their end, as far as the child could tell */
};

/* What the child says through the pipe. */
struct report {
	uint64_t count, sealed;
};

static uint64_t draw(struct crash *crash, uint64_t limit)
{
	crash->random = hash_u64(crash->random + UINT64_C(0x9e3779b97f4a7c15));
	return crash->random % limit;
}

static void give_up(const char *what, const struct error *err)
{
	printf("not ok 1 - %s: %s\n", what, err->text);
	exit(1);
}

static enum fate fate_of(uint64_t leaf)
{
	static const enum fate fates[8] = {FATE_GOES, FATE_LITERALS, FATE_LITERALS, FATE_ALL};
	return fates[hash_u64(leaf + 77) % 8];
}

static bool drops(void *owner, const struct seal_item *item)
{
	(void)owner; /* each leaf has its fate */
	return fate_of(item->leaf) == FATE_GOES;
}

/* What becomes of a record that was committed to by that; empty: what it says itself. */
static struct redact_order order_of(uint64_t leaf, struct str commitment)
{
	enum fate fate = fate_of(leaf);
	struct redact_order order = {.id = STR_LIT("c1"), .commitment = commitment};
	order.degree = fate == FATE_LITERALS ? REDACT_LITERALS
		       : fate == FATE_ALL    ? REDACT_ALL
					     : REDACT_NOTHING;
	return order;
}

static int change(void *owner, uint64_t leaf, struct str encoded, struct buf *out,
		  struct error *err)
{
	const struct crash *crash = owner;
	struct merkle_hash commitment;
	struct str bytes = {0};
	int rc = forget_commitment(crash->filled.store, leaf, encoded, &commitment, err);
	if (rc == 0) {
		bytes = str_make((const char *)commitment.bytes, sizeof commitment.bytes);
	}
	if (rc < 0 && rc != -ERR_GONE) {
		return rc;
	}
	const struct redact_order order = order_of(leaf, bytes);
	return redact_record(crash->redactor, &order, encoded, out, err);
}

/* Seals what is due, as the daemon would. */
static int seal_due(struct crash *crash, uint64_t count, struct error *err)
{
	uint64_t back = draw(crash, 300);
	struct seal_wish wish = {.settled_ns = FIXTURE_START_NS +
					       (int64_t)(count > back ? count - back : 0) * 1000000,
				 .requests = REQUESTS,
				 .head_bytes = draw(crash, 4) == 0 ? 1 : 1u << 30,
				 .age_ns = INT64_MAX / 2,
				 .now_ns = 1,
				 .finish = draw(crash, 4) == 0};
	struct seal_choice choice;
	struct seal_result result;
	int rc = seal_choose(crash->filled.store, &wish, &choice, err);
	const struct seal_change changes = {crash, drops, change};
	if (rc == 0) {
		choice.order.change = draw(crash, 3) == 0 ? &changes : NULL;
		rc = seal_run(crash->filled.store, &choice.order, &result, err);
		seal_choice_done(&choice);
	}
	return rc == -ERR_GONE ? 0 : rc;
}

/* Merges some blocks, whichever, or takes one away. */
static int merge_some(struct crash *crash, struct error *err)
{
	const struct seal_change changes = {crash, drops, change};
	bool removes = draw(crash, 6) == 0;
	const struct blocks_list *list = NULL;
	uint64_t numbers[NUMBERS_MAX];
	struct seal_order order = {.blocks = numbers,
				   .settled_ns = INT64_MAX,
				   .judged_ns = INT64_MAX,
				   .requests = REQUESTS,
				   .close = true,
				   .change = draw(crash, 2) == 0 ? &changes : NULL,
				   .no_grace = draw(crash, 2) == 0,
				   .now_ns = 1};
	struct seal_result result;
	struct error damage;
	struct blocks *blocks =
		blocks_new(crash->filled.fixture.dir, crash->filled.store->catalog, NULL);
	int rc = blocks_load(blocks, &list, &damage, err);
	for (size_t i = 0; rc == 0 && i < list->count && order.block_count < NUMBERS_MAX; i++) {
		if (draw(crash, 3) == 0) {
			numbers[order.block_count++] = list->rows[i].about.number;
		}
	}
	blocks_free(blocks);
	if (rc == 0 && removes && order.block_count > 0) {
		const struct seal_removal removal = {
			.blocks = numbers, .count = 1, .no_grace = order.no_grace, .now_ns = 1};
		return seal_remove(crash->filled.store, &removal, &result, err);
	}
	rc = rc < 0 ? rc : seal_run(crash->filled.store, &order, &result, err);
	return rc == -ERR_GONE ? 0 : rc;
}

/* Adds, seals and merges until it is killed. */
static void child(struct crash *crash, int out)
{
	struct error err;
	struct report report = {.count = store_leaf_count(crash->filled.store)};
	for (;;) {
		int rc = 0;
		uint64_t what = draw(crash, 8);
		if (what < 3 && report.count < RECORDS_MAX) {
			uint64_t count = 1 + draw(crash, BATCH_MAX);
			filled_add(&crash->filled, report.count, count);
			report.count += count;
		} else if (what < 6) {
			rc = seal_due(crash, report.count, &err);
			report.sealed++;
		} else if (what < 7) {
			rc = merge_some(crash, &err);
			report.sealed++;
		} else {
			bool clean = false;
			rc = draw(crash, 3) == 0
				     ? seal_purge(crash->filled.store, &clean, &err)
				     : seal_tidy(crash->filled.store, draw(crash, 2) == 0, 1, &err);
		}
		if (rc < 0) {
			give_up("the child can go on", &err);
		}
		if (write(out, &report, sizeof report) != sizeof report) {
			_exit(1);
		}
	}
}

static void pause_us(uint64_t us)
{
	struct timespec time = {.tv_sec = (time_t)(us / 1000000),
				.tv_nsec = (long)(us % 1000000) * 1000};
	(void)nanosleep(&time, NULL); /* shorter is as good */
}

/* One child, one kill. */
static void kill_one(struct crash *crash)
{
	int ends[2];
	int status = 0;
	struct report report;
	if (pipe(ends) != 0) {
		exit(2);
	}
	(void)fflush(stdout); /* the child must not say it again */
	uint64_t seed = draw(crash, UINT64_MAX);
	pid_t pid = fork();
	if (pid == 0) {
		(void)close(ends[0]);
		crash->random = seed;
		filled_open(&crash->filled, STORE_WRITE);
		child(crash, ends[1]);
	}
	(void)close(ends[1]);
	pause_us(1000 + draw(crash, KILL_MS_MAX * 1000));
	(void)kill(pid, SIGKILL);
	(void)waitpid(pid, &status, 0);
	if (!WIFSIGNALED(status)) {
		exit(1); /* it said why */
	}
	while (read(ends[0], &report, sizeof report) == (ssize_t)sizeof report) {
		crash->confirmed =
			report.count > crash->confirmed ? report.count : crash->confirmed;
		crash->sealed++;
	}
	(void)close(ends[0]);
	crash->kills++;
}

static int check_record(void *owner, uint64_t leaf, int64_t ingest_ns, struct str encoded,
			struct error *err)
{
	struct crash *crash = owner;
	struct str expected;
	struct buf changed;
	(void)ingest_ns; /* of the batch that it came with, which chance decides */
	for (; crash->next < leaf; crash->next++) {
		crash->state[crash->next] = STATE_GONE;
		crash->gone++;
	}
	crash->next++;
	(void)fixture_record(&crash->filled.fixture, leaf, &expected);
	buf_init(&changed, 0);
	struct str digest = {0};
	int rc = record_decode_digest(encoded, &digest, err);
	const struct redact_order order = order_of(leaf, digest);
	rc = rc < 0 ? rc : redact_record(crash->redactor, &order, expected, &changed, err);
	bool whole = str_equal(expected, encoded);
	bool right = whole || (changed.len > 0 && str_equal(buf_str(&changed), encoded));
	buf_done(&changed);
	enum state state = whole ? STATE_WHOLE : STATE_CHANGED;
	if (rc == 0 && (!right || state < crash->state[leaf])) {
		rc = error_set(err, ERR_CORRUPT, "leaf %llu differs", (unsigned long long)leaf);
	}
	crash->redacted += whole ? 0 : 1;
	crash->state[leaf] = (uint8_t)state;
	return rc;
}

/* As many are missing as the store says. */
static void check_removed(struct crash *crash, uint64_t count)
{
	struct store_removed removed;
	struct error err;
	crash->gone += count - crash->next;
	for (; crash->next < count; crash->next++) {
		crash->state[crash->next] = STATE_GONE;
	}
	int rc = store_removed(crash->filled.store, &removed, &err);
	if (rc == 0 && removed.records != crash->gone) {
		rc = error_set(&err, ERR_CORRUPT, "%llu are missing, %llu were removed",
			       (unsigned long long)crash->gone,
			       (unsigned long long)removed.records);
	}
	if (rc < 0) {
		give_up("what is missing was removed", &err);
	}
}

static void tell_finding(void *owner, const struct audit_finding *finding)
{
	(void)owner;
	printf("not ok 1 - the log proves what is left: leaves %llu to %llu: %s\n",
	       (unsigned long long)finding->first, (unsigned long long)finding->last,
	       finding->text);
	exit(1);
}

/* Every leaf is what it was, the trees of earlier looks are those of this one, and what went or was redacted is written down. */
static void check_log(struct crash *crash)
{
	struct leafset redacted, removed;
	struct audit_result result;
	struct error err;
	leafset_init(&redacted);
	leafset_init(&removed);
	struct audit_options options = {.dir = crash->filled.fixture.dir,
					.redacted = &redacted,
					.removed = &removed,
					.claims = crash->heads,
					.claim_count = crash->head_count,
					.found = tell_finding};
	int rc = forget_pending(crash->filled.store, FORGET_REDACTED, &redacted, &err);
	rc = rc < 0 ? rc : forget_pending(crash->filled.store, FORGET_REMOVED, &removed, &err);
	rc = rc < 0 ? rc : audit_run(&options, &result, &err);
	if (rc == 0 && (result.removed != crash->gone || result.redacted != crash->redacted)) {
		rc = error_set(&err, ERR_CORRUPT,
			       "it knows of %llu removed and %llu redacted records of %llu, %llu",
			       (unsigned long long)result.removed,
			       (unsigned long long)result.redacted, (unsigned long long)crash->gone,
			       (unsigned long long)crash->redacted);
	}
	if (rc < 0) {
		give_up("the log can be read after a kill", &err);
	}
	crash->changed += crash->redacted;
	if (crash->head_count < HEADS_MAX) {
		crash->heads[crash->head_count++] =
			(struct audit_claim){.head = result.head, .name = "an earlier tree"};
	}
	leafset_done(&redacted);
	leafset_done(&removed);
}

/* Block files in a folder of blocks. */
static size_t count_files(const char *dir)
{
	char path[512];
	size_t count = 0;
	(void)snprintf(path, sizeof path, "%s/" BLOCKS_FOLDER, dir); /* fits */
	DIR *months = opendir(path);
	for (struct dirent *m = months != NULL ? readdir(months) : NULL; m != NULL;
	     m = readdir(months)) {
		char inner[512];
		(void)snprintf(inner, sizeof inner, "%s/" BLOCKS_FOLDER "/%.32s", dir, m->d_name);
		DIR *month = m->d_name[0] != '.' ? opendir(inner) : NULL;
		for (struct dirent *f = month != NULL ? readdir(month) : NULL; f != NULL;
		     f = readdir(month)) {
			count += f->d_name[0] != '.' ? 1 : 0;
		}
		if (month != NULL) {
			(void)closedir(month); /* only read */
		}
	}
	if (months != NULL) {
		(void)closedir(months); /* only read */
	}
	return count;
}

/* Opens the store as the next daemon would and looks at all of it. */
static void check(struct crash *crash)
{
	struct error err;
	struct seal_view view;
	int rc = store_open(crash->filled.fixture.dir, STORE_WRITE, &crash->filled.store, &err);
	if (rc < 0) {
		give_up("the store opens after a kill", &err);
	}
	struct store *store = crash->filled.store;
	uint64_t count = store_leaf_count(store);
	crash->next = 0;
	crash->gone = 0;
	crash->redacted = 0;
	rc = store_walk(store, 0, check_record, crash, &err);
	if (rc < 0) {
		give_up("all records are there after a kill", &err);
	}
	if (count < crash->confirmed) {
		(void)error_set(&err, ERR_CORRUPT, "%llu of %llu", (unsigned long long)count,
				(unsigned long long)crash->confirmed);
		give_up("what was committed is there", &err);
	}
	check_removed(crash, count);
	check_log(crash);
	crash->confirmed = count;
	rc = seal_tidy(store, true, 1, &err);
	rc = rc < 0 ? rc : seal_look(store, &view, &err);
	if (rc < 0) {
		give_up("the store can be tidied", &err);
	}
	size_t files = count_files(crash->filled.fixture.dir);
	if (files != view.blocks) {
		(void)error_set(&err, ERR_CORRUPT, "%zu files, %llu blocks", files,
				(unsigned long long)view.blocks);
		give_up("each file is a block", &err);
	}
	store_close(store);
	crash->filled.store = NULL;
}

static void new_store(struct crash *crash)
{
	if (crash->stores > 0) {
		fixture_done(&crash->filled.fixture);
	}
	fixture_init(&crash->filled.fixture);
	filled_open(&crash->filled, STORE_CREATE);
	store_close(crash->filled.store);
	crash->filled.store = NULL;
	crash->confirmed = 0;
	crash->head_count = 0;
	memset(crash->state, STATE_WHOLE, sizeof crash->state);
	crash->stores++;
}

int main(int argc, char **argv)
{
	struct crash crash = {.kills = 0};
	uint64_t seconds;
	if (argc != 3 || !parse_u64(str_of(argv[1]), &seconds) ||
	    !parse_u64(str_of(argv[2]), &crash.random)) {
		fprintf(stderr, "usage: crash-seal SECONDS SEED\n");
		return 2;
	}
	crash.redactor = redactor_new();
	if (crash.redactor == NULL) {
		return 2;
	}
	printf("1..1\n");
	new_store(&crash);
	int64_t end = clock_monotonic_ns() + (int64_t)seconds * NS_PER_SEC;
	while (clock_monotonic_ns() < end) {
		kill_one(&crash);
		check(&crash);
		if (crash.confirmed >= RECORDS_MAX) {
			new_store(&crash);
		}
	}
	fixture_done(&crash.filled.fixture);
	redactor_free(crash.redactor);
	printf("# %u kills, %u stores, %llu commits, seals and sweeps between them, %llu looks at "
	       "redacted records\n",
	       crash.kills, crash.stores, (unsigned long long)crash.sealed,
	       (unsigned long long)crash.changed);
	printf("ok 1 - nothing is lost and nothing is double after any kill\n");
	return 0;
}
