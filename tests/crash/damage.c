/* damage - one file of a small store is damaged at a place of chance: what is said, what is still given, and what a writer makes of it.
 *
 * The store holds records of the fixture's world, whose n-th record is known, in blocks and in the head. Each round takes it whole and damages one
 * file: flipped bits, zeros, rubbish, an older state of a page, a part moved, cut off, lengthened, emptied, gone, or another file in its place. Then
 *   - a reader opens it, or is told by a sentence that names the file;
 *   - each record that is given has its bytes, leaves rise, and with one block or segment damaged all records outside of it are there, and those that
 *     are not are counted;
 *   - scans and lookups by id end, and give no other records;
 *   - a writer opens it, or is told; it takes away no file that holds records, adds and seals, and gives no record less than before.
 * Usage: crash-damage ROUNDS SEED. Speaks TAP. */
#include "base/parse.h"
#include "store/blocks.h"
#include "store/handle.h"
#include "store/seal-choice.h"
#include "tests/unit/store-filled.h"

#include <errno.h>
#include <ftw.h>
#include <stdio.h>
#include <sys/stat.h>

#define RECORDS   1400
#define SEALED    900
#define BATCH     100
#define REQUESTS  20 /* of a block */
#define ADDED     30
#define FILES_MAX 64
#define PAGE      4096

/* A file of the store when it was whole. */
struct kept {
	char name[64]; /* under the store's folder */
	uint8_t *bytes;
	size_t len;
	uint64_t records; /* that may be lost with it */
};

struct damage {
	struct filled filled;
	struct kept files[FILES_MAX];
	size_t file_count;
	uint64_t random;
	char what[256]; /* was done */
	const struct kept *victim;
	bool given[RECORDS + ADDED]; /* by the last walk */
	uint64_t next, count;        /* of a walk: the leaf that is due at least; records given */
	uint64_t lost, told;         /* records told as lost, and how many damages were told */
	unsigned refused,
		whole; /* rounds in which a reader was refused; in which nothing was lost */
};

static uint64_t draw(struct damage *damage, uint64_t limit)
{
	damage->random = hash_u64(damage->random + UINT64_C(0x9e3779b97f4a7c15));
	return damage->random % limit;
}

__attribute__((noreturn)) static void give_up(const struct damage *damage, const char *what,
					      const char *why)
{
	printf("not ok 1 - %s: %s (%s)\n", what, why, damage->what);
	exit(1);
}

/* Which of the files are the catalog's. */
static bool is_catalog(const struct kept *kept)
{
	return strncmp(kept->name, "catalog.db", 10) == 0;
}

static bool holds_records(const struct kept *kept)
{
	return strncmp(kept->name, "blocks/", 7) == 0 || strncmp(kept->name, "head/", 5) == 0;
}

static void read_file(struct damage *damage, const char *name, struct kept *out)
{
	FILE *file = fopen(fixture_path(&damage->filled.fixture, name), "rb");
	long len = file == NULL || fseek(file, 0, SEEK_END) != 0 ? -1 : ftell(file);
	if (len < 0) {
		give_up(damage, "the store can be read", name);
	}
	out->len = (size_t)len;
	out->bytes = malloc(out->len + 1);
	rewind(file);
	if (out->bytes == NULL || fread(out->bytes, 1, out->len, file) != out->len) {
		give_up(damage, "the store can be read", name);
	}
	(void)fclose(file); /* only read */
	(void)snprintf(out->name, sizeof out->name, "%s", name);
	out->records = strncmp(name, "head/", 5) == 0 ? RECORDS - SEALED : RECORDS;
}

static void write_file(struct damage *damage, const char *name, struct str bytes)
{
	FILE *file = fopen(fixture_path(&damage->filled.fixture, name), "wb");
	if (file == NULL || fwrite(bytes.ptr, 1, bytes.len, file) != bytes.len ||
	    fclose(file) != 0) {
		give_up(damage, "the store can be written", name);
	}
}

/* All files in a folder of the store, and in its own folders. */
static void keep_files(struct damage *damage, const char *folder)
{
	char path[128];
	(void)snprintf(path, sizeof path, "%s/%s", damage->filled.fixture.dir, folder);
	DIR *dir = opendir(path);
	for (const struct dirent *e = dir != NULL ? readdir(dir) : NULL; e != NULL;
	     e = readdir(dir)) {
		char name[64];
		int len = snprintf(name, sizeof name, "%s%s%s", folder,
				   folder[0] != '\0' ? "/" : "", e->d_name);
		if (e->d_name[0] == '.' || len < 0 || (size_t)len >= sizeof name ||
		    strcmp(name, "lock") == 0) {
			continue;
		}
		if (e->d_type == DT_DIR) {
			keep_files(damage, name);
		} else if (damage->file_count < FILES_MAX) {
			read_file(damage, name, &damage->files[damage->file_count++]);
		}
	}
	if (dir != NULL) {
		(void)closedir(dir); /* only read */
	}
}

/* What may be lost with each block. */
static void count_records(struct damage *damage)
{
	struct error err, harm;
	const struct blocks_list *list = NULL;
	struct blocks *blocks =
		blocks_new(damage->filled.fixture.dir, damage->filled.store->catalog, NULL);
	if (blocks_load(blocks, &list, &harm, &err) != 0 || list->count < 3) {
		give_up(damage, "there are blocks", err.text);
	}
	for (size_t i = 0; i < list->count * damage->file_count; i++) {
		const struct blocks_row *row = &list->rows[i / damage->file_count];
		struct kept *kept = &damage->files[i % damage->file_count];
		kept->records =
			strcmp(kept->name, row->name) == 0 ? row->about.row_count : kept->records;
	}
	blocks_free(blocks);
}

/* Makes the store that all rounds begin with. */
static void make(struct damage *damage)
{
	struct error err;
	struct seal_result result;
	filled_init(&damage->filled, RECORDS, BATCH);
	store_close(damage->filled.store);
	filled_open(&damage->filled, STORE_WRITE);
	for (uint64_t end = SEALED / 3; end <= SEALED; end += SEALED / 3) {
		const struct seal_order order = {.head_end = end,
						 .settled_ns = INT64_MAX,
						 .judged_ns = INT64_MAX,
						 .requests = REQUESTS,
						 .close = true,
						 .now_ns = 1};
		if (seal_run(damage->filled.store, &order, &result, &err) != 0) {
			give_up(damage, "the store can be sealed", err.text);
		}
	}
	store_close(damage->filled.store);
	keep_files(damage, "");
	filled_open(&damage->filled, STORE_READ);
	count_records(damage);
	store_close(damage->filled.store);
	damage->filled.store = NULL;
}

/* Puts the whole store back. */
static void restore(struct damage *damage)
{
	char path[128];
	store_folder_remove(damage->filled.fixture.dir);
	(void)mkdir(damage->filled.fixture.dir, 0700);
	for (size_t i = 0; i < damage->file_count; i++) {
		const struct kept *kept = &damage->files[i];
		(void)snprintf(path, sizeof path, "%s/%s", damage->filled.fixture.dir, kept->name);
		for (char *slash = path + strlen(damage->filled.fixture.dir) + 1;
		     (slash = strchr(slash, '/')) != NULL; slash++) {
			*slash = '\0';
			(void)mkdir(path, 0700); /* or it is there */
			*slash = '/';
		}
		write_file(damage, kept->name, str_make((const char *)kept->bytes, kept->len));
	}
}

static void flip_bits(struct damage *damage, uint8_t *bytes, size_t len)
{
	for (uint64_t times = 1 + draw(damage, 4); times > 0; times--) {
		size_t at = draw(damage, len);
		bytes[at] = (uint8_t)(bytes[at] ^ (1u << draw(damage, 8)));
		(void)snprintf(damage->what, sizeof damage->what, "%s: a bit of byte %zu",
			       damage->victim->name, at);
	}
}

/* Changes bytes from a place on; a page whole in half of the cases. */
static void overwrite(struct damage *damage, uint8_t *bytes, size_t len)
{
	bool page = draw(damage, 2) == 0 && len > PAGE;
	size_t at = page ? draw(damage, len / PAGE) * PAGE : draw(damage, len);
	size_t run = page ? PAGE : 1 + draw(damage, 300);
	run = run < len - at ? run : len - at;
	uint64_t how = draw(damage, 3);
	size_t from = page ? draw(damage, len / PAGE) * PAGE : draw(damage, len - run + 1);
	(void)snprintf(damage->what, sizeof damage->what, "%s: %zu bytes at %zu are %s",
		       damage->victim->name, run, at,
		       how == 0   ? "zeros"
		       : how == 1 ? "rubbish"
				  : "those of another place");
	if (how == 2) {
		memmove(bytes + at, bytes + from, run);
		return;
	}
	for (size_t i = 0; i < run; i++) {
		bytes[at + i] = how == 0 ? 0 : (uint8_t)draw(damage, 256);
	}
}

/* Damages one file. */
static void hurt(struct damage *damage)
{
	const struct kept *victim = &damage->files[draw(damage, damage->file_count)];
	const struct kept *other = &damage->files[draw(damage, damage->file_count)];
	bool catalog = draw(damage, 2) == 0;
	for (size_t i = 0; catalog && i < damage->file_count; i++) {
		victim = is_catalog(&damage->files[i]) ? &damage->files[i] : victim;
	}
	damage->victim = victim;
	uint8_t *bytes = malloc(victim->len + PAGE);
	size_t len = victim->len;
	if (bytes == NULL) {
		give_up(damage, "there is memory", victim->name);
	}
	memcpy(bytes, victim->bytes, len);
	uint64_t how = len == 0 ? 0 : draw(damage, 12);
	if (how == 0) {
		(void)snprintf(damage->what, sizeof damage->what, "%s: removed", victim->name);
		(void)unlink(fixture_path(&damage->filled.fixture, victim->name));
		free(bytes);
		return;
	}
	if (how == 1) {
		len = draw(damage, 3) == 0 ? 0 : draw(damage, len);
		(void)snprintf(damage->what, sizeof damage->what, "%s: cut off at %zu",
			       victim->name, len);
	} else if (how == 2) {
		size_t more = 1 + draw(damage, PAGE);
		memset(bytes + len, (int)draw(damage, 256), more);
		len += more;
		(void)snprintf(damage->what, sizeof damage->what, "%s: %zu bytes more",
			       victim->name, more);
	} else if (how == 3) {
		(void)snprintf(damage->what, sizeof damage->what, "%s: in its place %s",
			       victim->name, other->name);
		write_file(damage, victim->name, str_make((const char *)other->bytes, other->len));
		free(bytes);
		return;
	} else if (how < 8) {
		flip_bits(damage, bytes, len);
	} else {
		overwrite(damage, bytes, len);
	}
	write_file(damage, victim->name, str_make((const char *)bytes, len));
	free(bytes);
}

/* A sentence that says where the damage is. */
static void check_told(const struct damage *damage, const char *when, int rc,
		       const struct error *err)
{
	bool named = strstr(err->text, "catalog.db") != NULL ||
		     strstr(err->text, "blocks/") != NULL || strstr(err->text, "head/") != NULL;
	if ((rc != -ERR_CORRUPT && rc != -ERR_CONFIG && rc != -ERR_IO) || !named) {
		give_up(damage, when, err->text);
	}
}

static int check_record(void *owner, uint64_t leaf, int64_t ingest_ns, struct str encoded,
			struct error *err)
{
	struct damage *damage = owner;
	struct str expected;
	(void)ingest_ns; /* of the batch */
	char where[96];
	(void)err;
	(void)snprintf(where, sizeof where, "leaf %llu, where at least %llu was due",
		       (unsigned long long)leaf, (unsigned long long)damage->next);
	if (leaf < damage->next || leaf >= RECORDS + ADDED) {
		give_up(damage, "leaves rise", where);
	}
	(void)fixture_record(&damage->filled.fixture, leaf, &expected);
	if (!str_equal(expected, encoded)) {
		give_up(damage, "what is given is what was stored", where);
	}
	damage->given[leaf] = true;
	damage->next = leaf + 1;
	damage->count++;
	return 0;
}

static void note_lost(void *owner, uint64_t records, const struct error *what)
{
	struct damage *damage = owner;
	check_told(damage, "what is lost is told with its file", -what->code, what);
	damage->lost += records;
	damage->told++;
}

/* Walks through all that can be read. Returns what the walk returned. */
static int walk_all(struct damage *damage, struct error *err)
{
	const struct store_walk walk = {
		.each = check_record, .damaged = note_lost, .owner = damage};
	memset(damage->given, 0, sizeof damage->given);
	damage->next = 0;
	damage->count = 0;
	damage->lost = 0;
	damage->told = 0;
	int rc = store_walk_with(damage->filled.store, &walk, err);
	if (rc < 0) {
		check_told(damage, "a walk that ends says why", rc, err);
	}
	return rc;
}

/* Goes through all blocks by columns, and looks up some ids. */
static void scan_all(struct damage *damage)
{
	const struct scan_options options = {.from_ns = INT64_MIN, .to_ns = INT64_MAX};
	const struct scan_block *block = NULL;
	struct scan *scan = NULL;
	struct scan_codes codes;
	struct error err;
	int rc = scan_open(damage->filled.store, &options, &scan, &err);
	for (int calls = 0; scan != NULL && (rc == 0 || rc == -ERR_CORRUPT); calls++) {
		rc = scan_next(scan, &block, &err);
		if (rc == 0 && scan_text_column(block, FIELD_user, &codes, &err) == 0) {
			size_t rows = scan_row_count(block);
			for (size_t i = 0; i < rows; i++) {
				if (codes.code[i] != SCAN_ABSENT &&
				    codes.code[i] >= codes.dict_count) {
					give_up(damage, "codes are in their dictionary", "");
				}
			}
		}
		if (calls > 10000) {
			give_up(damage, "a scan ends", err.text);
		}
	}
	scan_close(scan);
	for (int i = 0; i < 3; i++) {
		uint64_t leaves[8];
		struct scan_found found = {.leaves = leaves, .max = 8};
		struct str encoded;
		uint64_t n = draw(damage, RECORDS);
		const struct record *record =
			fixture_record(&damage->filled.fixture, n - n % FIXTURE_PERIOD, &encoded);
		struct str id = record_text(record, FIELD_request_id);
		rc = scan_find_id(damage->filled.store, id, &found, &err);
		if (rc == 0 && found.count != 1 && damage->count == RECORDS) {
			give_up(damage, "an id is found", id.ptr);
		}
	}
}

static void check_reader(struct damage *damage)
{
	struct error err;
	int rc = store_open(damage->filled.fixture.dir, STORE_READ, &damage->filled.store, &err);
	if (rc < 0) {
		check_told(damage, "a reader is told why", rc, &err);
		if (!is_catalog(damage->victim)) {
			give_up(damage, "the rest of the store can be read", err.text);
		}
		damage->filled.store = NULL;
		damage->refused++;
		memset(damage->given, 0, sizeof damage->given);
		damage->count = 0;
		return;
	}
	rc = walk_all(damage, &err);
	bool exact = !is_catalog(
		damage->victim); /* a row that cannot be read does not say how many it speaks of */
	if (rc == 0 && damage->count < RECORDS &&
	    (exact ? damage->count + damage->lost != RECORDS : damage->told == 0)) {
		char count[64];
		(void)snprintf(count, sizeof count, "%llu given, %llu lost in %llu places",
			       (unsigned long long)damage->count, (unsigned long long)damage->lost,
			       (unsigned long long)damage->told);
		give_up(damage, "what is missing is said", count);
	}
	if (RECORDS - damage->count > damage->victim->records) {
		give_up(damage, "damage is contained", rc < 0 ? err.text : "");
	}
	damage->whole += damage->count == RECORDS ? 1 : 0;
	scan_all(damage);
	store_close(damage->filled.store);
	damage->filled.store = NULL;
}

/* The files that hold records and are whole are all there still. */
static void check_files(struct damage *damage)
{
	for (size_t i = 0; i < damage->file_count; i++) {
		const struct kept *kept = &damage->files[i];
		struct stat about;
		if (holds_records(kept) && kept != damage->victim &&
		    stat(fixture_path(&damage->filled.fixture, kept->name), &about) != 0) {
			give_up(damage, "a writer keeps what it does not understand", kept->name);
		}
	}
}

/* Adds records, as far as the damage lets it. */
static void add(struct damage *damage)
{
	struct store *store = damage->filled.store;
	struct error err;
	int rc = store_begin(store, FIXTURE_START_NS, &err);
	bool begun = rc == 0;
	for (uint64_t n = RECORDS; rc == 0 && n < RECORDS + ADDED; n++) {
		struct str encoded;
		uint64_t leaf = 0;
		const struct record *record = fixture_record(&damage->filled.fixture, n, &encoded);
		rc = store_append(store, record, encoded, &leaf, &err);
	}
	rc = rc < 0 ? rc : store_commit(store, &err);
	if (rc < 0) {
		check_told(damage, "what cannot be added is told", rc, &err);
	}
	if (rc < 0 && begun) {
		store_rollback(store);
	}
}

static void check_writer(struct damage *damage)
{
	bool before[RECORDS];
	struct error err;
	memcpy(before, damage->given, sizeof before);
	int rc = store_open(damage->filled.fixture.dir, STORE_WRITE, &damage->filled.store, &err);
	check_files(damage);
	if (rc < 0) {
		check_told(damage, "a writer is told why", rc, &err);
		damage->filled.store = NULL;
		return;
	}
	if (store_leaf_count(damage->filled.store) == RECORDS) {
		add(damage);
	}
	struct seal_choice choice;
	struct seal_result result;
	const struct seal_wish wish = {.settled_ns = INT64_MAX,
				       .judged_ns = INT64_MAX,
				       .requests = REQUESTS,
				       .head_bytes = 1u << 30,
				       .age_ns = INT64_MAX / 2,
				       .now_ns = 1,
				       .finish = true};
	for (int seals = 0; seals < 20; seals++) {
		rc = seal_choose(damage->filled.store, &wish, &choice, &err);
		if (rc < 0) {
			break;
		}
		rc = seal_run(damage->filled.store, &choice.order, &result, &err);
		seal_choice_done(&choice);
		if (rc < 0) {
			break;
		}
	}
	(void)walk_all(damage, &err);
	for (uint64_t leaf = 0; leaf < RECORDS; leaf++) {
		if (before[leaf] && !damage->given[leaf]) {
			char where[160];
			(void)snprintf(where, sizeof where, "leaf %llu: %.100s",
				       (unsigned long long)leaf, err.text);
			give_up(damage, "a writer makes nothing worse", where);
		}
	}
	store_close(damage->filled.store);
	damage->filled.store = NULL;
}

int main(int argc, char **argv)
{
	static struct damage damage;
	uint64_t rounds;
	if (argc != 3 || !parse_u64(str_of(argv[1]), &rounds) ||
	    !parse_u64(str_of(argv[2]), &damage.random)) {
		fprintf(stderr, "usage: crash-damage ROUNDS SEED\n");
		return 2;
	}
	printf("1..1\n");
	make(&damage);
	for (uint64_t round = 0; round < rounds; round++) {
		restore(&damage);
		hurt(&damage);
		check_reader(&damage);
		check_writer(&damage);
	}
	for (size_t i = 0; i < damage.file_count; i++) {
		free(damage.files[i].bytes);
	}
	fixture_done(&damage.filled.fixture);
	printf("# %llu rounds; in %u nothing could be read, in %u nothing was lost\n",
	       (unsigned long long)rounds, damage.refused, damage.whole);
	printf("ok 1 - damage is told with its file, contained, and made no worse\n");
	return 0;
}
