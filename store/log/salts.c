#include "store/log/salts.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

struct seed {
	unsigned height;
	uint64_t number;
	struct log_salt salt;
};

/* The seeds that are left, by the first leaf below them; and the way down to the leaf that was asked for last, seeds of heights 0 to path_top. */
struct salts {
	struct seed *seeds;
	size_t count, room;
	bool has_path;
	unsigned path_top;
	uint64_t path_leaf;
	struct log_salt path[SALTS_HEIGHT + 1];
};

static void child(const struct log_salt *seed, unsigned bit, struct log_salt *out)
{
	char bytes[sizeof seed->bytes + 1];
	memcpy(bytes, seed->bytes, sizeof seed->bytes);
	bytes[sizeof seed->bytes] = (char)bit;
	digest_sha256(str_make(bytes, sizeof bytes), out->bytes);
}

static uint64_t first_leaf(const struct seed *seed)
{
	return seed->number << seed->height;
}

static uint64_t end_leaf(const struct seed *seed)
{
	return (seed->number + 1) << seed->height;
}

void salts_free(struct salts *salts)
{
	if (salts == NULL) {
		return;
	}
	if (salts->seeds != NULL) {
		explicit_bzero(salts->seeds, salts->room * sizeof salts->seeds[0]);
		free(salts->seeds);
	}
	explicit_bzero(salts, sizeof *salts);
	free(salts);
}

static int no_memory(struct error *err)
{
	return error_set(err, ERR_NOMEM, "no memory for the salts of the log");
}

/* Room for more seeds; realloc would leave the old ones behind. */
static int make_room(struct salts *salts, size_t more, struct error *err)
{
	if (salts->count + more <= salts->room) {
		return 0;
	}
	size_t room = (salts->count + more) * 2 + 16;
	struct seed *seeds = calloc(room, sizeof seeds[0]);
	if (seeds == NULL) {
		return no_memory(err);
	}
	if (salts->seeds != NULL) {
		memcpy(seeds, salts->seeds, salts->count * sizeof seeds[0]);
		explicit_bzero(salts->seeds, salts->room * sizeof seeds[0]);
		free(salts->seeds);
	}
	salts->seeds = seeds;
	salts->room = room;
	return 0;
}

static int take_row(struct salts *salts, struct catalog *catalog, sqlite3_stmt *statement,
		    struct error *err)
{
	int64_t height = sqlite3_column_int64(statement, 0);
	int64_t number = sqlite3_column_int64(statement, 1);
	struct str bytes = catalog_column_bytes(statement, 2);
	bool fits = height >= 0 && height <= SALTS_HEIGHT && number >= 0 &&
		    number < INT64_C(1) << (SALTS_HEIGHT - height) && bytes.len == DIGEST_BYTES;
	if (!fits) {
		return error_set(err, ERR_CORRUPT, "%s: the seed %lld of height %lld is damaged",
				 catalog->path, (long long)number, (long long)height);
	}
	int rc = make_room(salts, 1, err);
	if (rc < 0) {
		return rc;
	}
	struct seed *seed = &salts->seeds[salts->count++];
	seed->height = (unsigned)height;
	seed->number = (uint64_t)number;
	memcpy(seed->salt.bytes, bytes.ptr, bytes.len);
	return 0;
}

static int by_leaf(const void *a, const void *b)
{
	uint64_t left = first_leaf(a);
	uint64_t right = first_leaf(b);
	return left < right ? -1 : left > right;
}

static int read_seeds(struct salts *salts, struct catalog *catalog, struct error *err)
{
	sqlite3_stmt *statement = NULL;
	int rc = catalog_statement(catalog, CATALOG_LOG_SEEDS, &statement, err);
	int step = SQLITE_DONE;
	while (rc == 0 && (step = sqlite3_step(statement)) == SQLITE_ROW) {
		rc = take_row(salts, catalog, statement, err);
	}
	if (rc == 0 && step != SQLITE_DONE) {
		rc = catalog_error(catalog, step, "reading the salts of the log", err);
	}
	if (statement != NULL) {
		(void)sqlite3_reset(statement); /* the step's error was told */
	}
	if (rc < 0) {
		return rc;
	}
	if (salts->count == 0) {
		return error_set(err, ERR_CORRUPT, "%s: the salts of the log are missing",
				 catalog->path);
	}
	qsort(salts->seeds, salts->count, sizeof salts->seeds[0], by_leaf);
	for (size_t i = 1; i < salts->count; i++) {
		if (end_leaf(&salts->seeds[i - 1]) > first_leaf(&salts->seeds[i])) {
			return error_set(
				err, ERR_CORRUPT, "%s: two seeds of the log stand over leaf %llu",
				catalog->path, (unsigned long long)first_leaf(&salts->seeds[i]));
		}
	}
	return 0;
}

int salts_load(struct catalog *catalog, struct salts **out_salts, struct error *err)
{
	struct salts *salts = calloc(1, sizeof *salts);
	if (salts == NULL) {
		return no_memory(err);
	}
	int rc = read_seeds(salts, catalog, err);
	if (rc < 0) {
		salts_free(salts);
		return rc;
	}
	*out_salts = salts;
	return 0;
}

static int put_seed(struct catalog *catalog, const struct seed *seed, struct error *err)
{
	sqlite3_stmt *statement = NULL;
	int rc = catalog_statement(catalog, CATALOG_LOG_PUT_SEED, &statement, err);
	if (rc < 0) {
		return rc;
	}
	int bound = sqlite3_bind_int(statement, 1, (int)seed->height);
	bound = bound == SQLITE_OK ? sqlite3_bind_int64(statement, 2, (sqlite3_int64)seed->number)
				   : bound;
	struct str bytes = str_make((const char *)seed->salt.bytes, sizeof seed->salt.bytes);
	bound = bound == SQLITE_OK ? catalog_bind_bytes(statement, 3, bytes) : bound;
	if (bound != SQLITE_OK) {
		return catalog_error(catalog, bound, "storing a salt of the log", err);
	}
	return catalog_done(catalog, statement, "storing a salt of the log", err);
}

int salts_create(struct catalog *catalog, struct error *err)
{
	struct seed root = {.height = SALTS_HEIGHT};
	if (getrandom(root.salt.bytes, sizeof root.salt.bytes, 0) != sizeof root.salt.bytes) {
		return error_errno(err, "the system gives no random bytes");
	}
	int rc = put_seed(catalog, &root, err);
	explicit_bzero(&root, sizeof root);
	return rc;
}

/* The seed over a leaf, or NULL. */
static struct seed *find(struct salts *salts, uint64_t leaf)
{
	size_t low = 0;
	size_t high = salts->count;
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		if (first_leaf(&salts->seeds[middle]) <= leaf) {
			low = middle + 1;
		} else {
			high = middle;
		}
	}
	if (low == 0 || leaf >= end_leaf(&salts->seeds[low - 1])) {
		return NULL;
	}
	return &salts->seeds[low - 1];
}

int salts_get(struct salts *salts, uint64_t leaf, struct log_salt *out)
{
	unsigned from = 0; /* the lowest height of the path that leads to the leaf too */
	bool known = false;
	if (salts->has_path) {
		uint64_t differs = leaf ^ salts->path_leaf;
		from = differs == 0 ? 0 : 64u - (unsigned)__builtin_clzll(differs);
		known = from <= salts->path_top;
	}
	if (!known) {
		const struct seed *seed = find(salts, leaf);
		if (seed == NULL) {
			return -ERR_GONE;
		}
		salts->path_top = from = seed->height;
		salts->path[from] = seed->salt;
		salts->has_path = true;
	}
	for (unsigned height = from; height > 0; height--) {
		child(&salts->path[height], (unsigned)(leaf >> (height - 1) & 1),
		      &salts->path[height - 1]);
	}
	salts->path_leaf = leaf;
	*out = salts->path[0];
	return 0;
}

static int remove_seed(struct catalog *catalog, const struct seed *seed, struct error *err)
{
	sqlite3_stmt *statement = NULL;
	int rc = catalog_statement(catalog, CATALOG_LOG_DELETE_SEED, &statement, err);
	if (rc < 0) {
		return rc;
	}
	int bound = sqlite3_bind_int(statement, 1, (int)seed->height);
	bound = bound == SQLITE_OK ? sqlite3_bind_int64(statement, 2, (sqlite3_int64)seed->number)
				   : bound;
	if (bound != SQLITE_OK) {
		return catalog_error(catalog, bound, "forgetting a salt of the log", err);
	}
	return catalog_done(catalog, statement, "forgetting a salt of the log", err);
}

/* Those that are left of what was, in order. */
struct remaking {
	struct salts *left;
	struct catalog *catalog;
	const struct leafset *leaves;
};

/* Keeps what of a seed shall not be forgotten: itself, or seeds below it. */
static int keep(const struct remaking *remaking, const struct seed *seed, bool is_stored,
		struct error *err)
{
	uint64_t last = end_leaf(seed) - 1;
	bool none_left = leafset_covers(remaking->leaves, first_leaf(seed), last);
	if (!leafset_meets(remaking->leaves, first_leaf(seed), last)) {
		int rc = make_room(remaking->left, 1, err);
		if (rc == 0) {
			remaking->left->seeds[remaking->left->count++] = *seed;
			rc = is_stored ? 0 : put_seed(remaking->catalog, seed, err);
		}
		return rc;
	}
	int rc = is_stored ? remove_seed(remaking->catalog, seed, err) : 0;
	for (unsigned bit = 0; bit < 2 && !none_left && rc == 0; bit++) {
		struct seed below = {.height = seed->height - 1, .number = seed->number * 2 + bit};
		child(&seed->salt, bit, &below.salt);
		rc = keep(remaking, &below, false, err); /* at most SALTS_HEIGHT deep */
		explicit_bzero(&below, sizeof below);
	}
	return rc;
}

/* The first seed that stands over a leaf or behind it. */
static size_t seek(const struct salts *salts, uint64_t leaf)
{
	size_t low = 0;
	size_t high = salts->count;
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		if (end_leaf(&salts->seeds[middle]) <= leaf) {
			low = middle + 1;
		} else {
			high = middle;
		}
	}
	return low;
}

/* Puts others in the place of the seeds from first to before end; what was derived from them is wiped. */
static int replace(struct salts *salts, size_t first, size_t end, const struct salts *others,
		   struct error *err)
{
	size_t behind = salts->count - end;
	size_t was = salts->count;
	int rc = make_room(salts, others->count, err);
	if (rc < 0) {
		return rc;
	}
	struct seed *place = salts->seeds + first;
	memmove(place + others->count, salts->seeds + end, behind * sizeof place[0]);
	if (others->count > 0) {
		memcpy(place, others->seeds, others->count * sizeof place[0]);
	}
	salts->count = first + others->count + behind;
	if (salts->count < was) {
		explicit_bzero(salts->seeds + salts->count, (was - salts->count) * sizeof place[0]);
	}
	explicit_bzero(salts->path, sizeof salts->path);
	salts->has_path = false;
	return 0;
}

int salts_forget(struct salts *salts, struct catalog *catalog, const struct leafset *leaves,
		 struct error *err)
{
	assert(!leaves->is_loose);
	if (leaves->run_count == 0) {
		return 0;
	}
	struct salts *left = calloc(1, sizeof *left);
	if (left == NULL) {
		return no_memory(err);
	}
	struct remaking remaking = {.left = left, .catalog = catalog, .leaves = leaves};
	uint64_t last = leaves->runs[leaves->run_count - 1].last;
	size_t first = seek(salts, leaves->runs[0].first);
	size_t end = first;
	int rc = 0;
	for (; end < salts->count && first_leaf(&salts->seeds[end]) <= last && rc == 0; end++) {
		rc = keep(&remaking, &salts->seeds[end], true, err);
	}
	rc = rc < 0 ? rc : replace(salts, first, end, left, err);
	salts_free(left);
	return rc;
}
