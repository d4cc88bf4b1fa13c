#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "store/blocks.h"
#include "store/handle.h"
#include "tests/unit/seal-world.h"

#include <fcntl.h>
#include <sys/stat.h>

#define RECORDS  700
#define REQUESTS 16
#define ROWS     (REQUESTS * FIXTURE_PERIOD) /* of each block but the last */
#define VICTIM   2                           /* the block that is damaged, by its place */
#define LOST     (VICTIM * ROWS)             /* a request in it */
#define KEPT     FIXTURE_PERIOD              /* one in another block */

enum damage {
	MISSING,
	TRUNCATED,
	LONGER,
	TURNED,  /* each bit of it */
	SWAPPED, /* for the file of another block */
	ROW,     /* in the catalog */
	DAMAGE_COUNT,
};

struct counted {
	uint64_t records, lost, told, last;
	char text[1024];
};

static struct blocks_row victim_row(struct seal_world *world, size_t place)
{
	const struct blocks_list *list = NULL;
	struct error damage, err;
	struct blocks *blocks =
		blocks_new(world->filled.fixture.dir, world->filled.store->catalog, NULL);
	assert_non_null(blocks);
	assert_int_equal(blocks_load(blocks, &list, &damage, &err), 0);
	assert_true(place < list->count);
	struct blocks_row row = list->rows[place];
	blocks_free(blocks);
	return row;
}

static void block_path(const struct seal_world *world, const struct blocks_row *row, char out[256])
{
	int len = snprintf(out, 256, "%s/%s", world->filled.fixture.dir, row->name);
	assert_true(len > 0 && len < 256);
}

static void turn_file(const char *path)
{
	struct stat st;
	int fd = open(path, O_RDWR | O_CLOEXEC);
	assert_true(fd >= 0 && fstat(fd, &st) == 0);
	for (off_t at = 0; at < st.st_size; at++) {
		uint8_t byte = 0;
		assert_int_equal(pread(fd, &byte, 1, at), 1);
		byte = (uint8_t)~byte;
		assert_int_equal(pwrite(fd, &byte, 1, at), 1);
	}
	(void)close(fd); /* a test's file */
}

/* The file of another block in the place of one, made as long as it was, so that only what it says of itself is wrong. */
static void put_other(const char *path, const char *other_path, uint64_t bytes)
{
	char chunk[4096];
	ssize_t got = 0;
	int from = open(other_path, O_RDONLY | O_CLOEXEC);
	int to = open(path, O_WRONLY | O_TRUNC | O_CLOEXEC);
	assert_true(from >= 0 && to >= 0);
	while ((got = read(from, chunk, sizeof chunk)) > 0) {
		assert_int_equal(write(to, chunk, (size_t)got), got);
	}
	assert_int_equal(ftruncate(to, (off_t)bytes), 0);
	(void)close(from); /* only read */
	(void)close(to);   /* a test's file */
}

static void do_damage(struct seal_world *world, enum damage damage)
{
	struct blocks_row row = victim_row(world, VICTIM);
	struct blocks_row other = victim_row(world, VICTIM + 1);
	char path[256], other_path[256], sql[256];
	block_path(world, &row, path);
	block_path(world, &other, other_path);
	switch (damage) {
	case MISSING:
		assert_int_equal(unlink(path), 0);
		break;
	case TRUNCATED:
		assert_int_equal(truncate(path, (off_t)row.file_bytes / 2), 0);
		break;
	case LONGER:
		assert_int_equal(truncate(path, (off_t)row.file_bytes + 1), 0);
		break;
	case TURNED:
		turn_file(path);
		break;
	case SWAPPED:
		put_other(path, other_path, row.file_bytes);
		break;
	case ROW:
		(void)snprintf(sql, sizeof sql,
			       "UPDATE blocks SET crc = crc + 1 WHERE number = %llu",
			       (unsigned long long)row.about.number); /* fits */
		filled_sql(&world->filled, sql);
		break;
	case DAMAGE_COUNT:
		break;
	}
}

static int count_record(void *owner, uint64_t leaf, int64_t ingest_ns, struct str encoded,
			struct error *err)
{
	struct counted *counted = owner;
	(void)ingest_ns;
	(void)encoded;
	(void)err;
	assert_true(counted->records == 0 || leaf > counted->last);
	counted->last = leaf;
	counted->records++;
	return 0;
}

static void count_damage(void *owner, uint64_t records, const struct error *what)
{
	struct counted *counted = owner;
	counted->told++;
	counted->lost += records;
	(void)snprintf(counted->text, sizeof counted->text, "%s", what->text);
}

/* What names the damage: the file, or the block's row. */
static void assert_named(const struct blocks_row *row, enum damage damage, const char *text)
{
	char expected[64];
	(void)snprintf(expected, sizeof expected, "the row of block %llu is damaged",
		       (unsigned long long)row->about.number); /* fits */
	const char *name = damage == ROW ? expected : row->name;
	if (strstr(text, name) == NULL) {
		fail_msg("damage %d: \"%s\" does not name %s", (int)damage, text, name);
	}
}

static void check_scan(struct store *store, const struct blocks_row *row, enum damage damage)
{
	static const struct scan_options all = {.from_ns = INT64_MIN, .to_ns = INT64_MAX};
	const struct scan_block *block = NULL;
	struct scan *scan = NULL;
	struct error err;
	size_t rows = 0, corrupt = 0;
	int rc = scan_open(store, &all, &scan, &err);
	assert_int_equal(rc, 0);
	while ((rc = scan_next(scan, &block, &err)) != -ERR_GONE) {
		assert_true(rc == 0 || rc == -ERR_CORRUPT);
		rows += rc == 0 ? scan_row_count(block) : 0;
		corrupt += rc == -ERR_CORRUPT ? 1 : 0;
		if (rc == -ERR_CORRUPT) {
			assert_named(row, damage, err.text);
		}
		assert_true(corrupt < 9);
	}
	assert_int_equal(rows, RECORDS - ROWS);
	assert_int_equal(corrupt, 1);
	assert_int_equal(scan_stats(scan).blocks_damaged, 1);
	scan_close(scan);
}

static void check_walk(struct store *store, const struct blocks_row *row, enum damage damage)
{
	struct counted counted = {0};
	struct error err;
	struct store_walk walk = {.each = count_record, .owner = &counted, .damaged = count_damage};
	assert_int_equal(store_walk_with(store, &walk, &err), 0);
	assert_int_equal(counted.records, RECORDS - ROWS);
	assert_int_equal(counted.told, 1);
	assert_int_equal(counted.lost, damage == ROW ? 0 : ROWS);
	assert_named(row, damage, counted.text);
	walk.damaged = NULL; /* who is not told ends there */
	counted = (struct counted){0};
	assert_int_equal(store_walk_with(store, &walk, &err), -ERR_CORRUPT);
	assert_named(row, damage, err.text);
}

static void check_fetch(struct store *store, const struct blocks_row *row, enum damage damage)
{
	struct scan_fetch *fetch = NULL;
	struct record record;
	struct error err;
	int64_t ingest_ns = 0;
	assert_int_equal(scan_fetch_open(store, &fetch, &err), 0);
	assert_int_equal(scan_fetch_record(fetch, KEPT, &record, &ingest_ns, &err), 0);
	assert_int_equal(scan_fetch_record(fetch, LOST, &record, &ingest_ns, &err), -ERR_CORRUPT);
	assert_named(row, damage, err.text);
	assert_int_equal(scan_fetch_record(fetch, RECORDS - 1, &record, &ingest_ns, &err), 0);
	assert_int_equal(scan_fetch_record(fetch, RECORDS, &record, &ingest_ns, &err),
			 -ERR_CORRUPT);
	scan_fetch_close(fetch);
}

static void check_find(struct seal_world *world, const struct blocks_row *row, enum damage damage)
{
	uint64_t leaves[32];
	struct scan_found found = {.leaves = leaves, .max = 32};
	struct error err;
	struct str encoded;
	char id[RECORD_ID_DIGITS + 1];
	const struct record *record = fixture_record(&world->filled.fixture, LOST, &encoded);
	record_stable_id(record->source, record->key, id);
	assert_int_equal(scan_find_id(world->filled.store, str_of(id), &found, &err), -ERR_CORRUPT);
	assert_named(row, damage, err.text);
	record = fixture_record(&world->filled.fixture, KEPT, &encoded);
	record_stable_id(record->source, record->key, id);
	int rc = scan_find_id(world->filled.store, str_of(id), &found, &err);
	assert_true(rc == 0 || rc == -ERR_CORRUPT);
	assert_true(found.count >= 1);
	assert_int_equal(leaves[0], KEPT);
}

static void damage_is_contained(void **state)
{
	/* a block file that is missing, cut, too long, turned or another one's, and a damaged row: named once, and all other records are read */
	static const struct seal_order order = {.head_end = UINT64_MAX,
						.settled_ns = INT64_MAX,
						.requests = REQUESTS,
						.close = true,
						.now_ns = 1};
	(void)state;
	for (unsigned damage = 0; damage < DAMAGE_COUNT; damage++) {
		struct seal_world world;
		seal_world_init(&world, RECORDS, 50);
		(void)seal_world_run(&world, &order);
		struct blocks_row row = victim_row(&world, VICTIM);
		assert_int_equal(row.about.row_count, ROWS);
		do_damage(&world, (enum damage)damage);
		seal_world_reopen(&world, STORE_READ);
		check_scan(world.filled.store, &row, (enum damage)damage);
		check_walk(world.filled.store, &row, (enum damage)damage);
		check_fetch(world.filled.store, &row, (enum damage)damage);
		check_find(&world, &row, (enum damage)damage);
		seal_world_done(&world);
	}
}

static bool is_there(const struct seal_world *world, const char *name)
{
	char path[256];
	struct stat st;
	int len = snprintf(path, sizeof path, "%s/%s", world->filled.fixture.dir, name);
	assert_true(len > 0 && (size_t)len < sizeof path);
	return stat(path, &st) == 0;
}

static void put_file(const struct seal_world *world, const char *name)
{
	char path[256];
	int len = snprintf(path, sizeof path, "%s/%s", world->filled.fixture.dir, name);
	assert_true(len > 0 && (size_t)len < sizeof path);
	int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	assert_true(fd >= 0);
	(void)close(fd); /* a test's file */
}

/* The path of a name in the folder of a block. */
static void put_beside(const struct blocks_row *row, const char *name, char out[256])
{
	int folder = (int)(strrchr(row->name, '/') - row->name);
	int len = snprintf(out, 256, "%.*s/%s", folder, row->name, name);
	assert_true(len > 0 && len < 256);
}

static void files_go_in_their_time(void **state)
{
	/* a replaced block's file stays until its grace is over; what no row and no grave knows goes when the store is opened, other people's files stay */
	struct seal_world world;
	struct error err;
	char stranger[256], half[256], theirs[256];
	const struct seal_order first = {.head_end = UINT64_MAX,
					 .settled_ns = INT64_MAX,
					 .requests = REQUESTS,
					 .close = true,
					 .now_ns = 1};
	(void)state;
	seal_world_init(&world, 100, 50);
	(void)seal_world_run(&world, &first);
	struct blocks_row old = victim_row(&world, 0);
	const struct seal_order again = {.blocks = &old.about.number,
					 .block_count = 1,
					 .settled_ns = INT64_MAX,
					 .requests = REQUESTS,
					 .close = true,
					 .now_ns = 1};
	(void)seal_world_run(&world, &again);
	struct blocks_row fresh = victim_row(&world, 0);
	assert_true(fresh.about.number > old.about.number);
	put_beside(&fresh, "00000999.qtb", stranger);
	put_beside(&fresh, "00000998.qtb.1.tmp", half);
	put_beside(&fresh, "notes.txt", theirs);
	put_file(&world, stranger);
	put_file(&world, half);
	put_file(&world, theirs);
	assert_int_equal(store_sweep(world.filled.store, BLOCKS_GRACE_NS, &err), 0);
	assert_true(is_there(&world, old.name));
	assert_true(is_there(&world, stranger));
	struct error strangers;
	assert_int_equal(blocks_sweep_rests(world.filled.fixture.dir, world.filled.store->catalog,
					    &strangers, &err),
			 0); /* as opening does */
	assert_int_equal(strangers.code, 0);
	assert_true(is_there(&world, old.name));
	assert_false(is_there(&world, stranger));
	assert_false(is_there(&world, half));
	assert_int_equal(store_sweep(world.filled.store, BLOCKS_GRACE_NS + 2, &err), 0);
	assert_false(is_there(&world, old.name));
	assert_true(is_there(&world, fresh.name));
	assert_true(is_there(&world, theirs));
	seal_world_check(&world, 100);
	seal_world_done(&world);
}

static void what_the_catalog_forgot_stays(void **state)
{
	/* a catalog that has lost a block's row, or rows of the head, is told of, no writer goes on with it, and no file goes */
	static const char *const damages[] = {
		"DELETE FROM blocks WHERE number = 1",
		"DELETE FROM head WHERE batch = 3",
		"DELETE FROM meta WHERE key = 'next_leaf'",
		"DELETE FROM meta WHERE key = 'head.removed'",
	};
	(void)state;
	for (size_t i = 0; i < sizeof damages / sizeof damages[0]; i++) {
		struct seal_world world;
		struct error err;
		struct store *store = NULL;
		const struct seal_order order = {.head_end = 60,
						 .settled_ns = INT64_MAX,
						 .requests = REQUESTS,
						 .close = true,
						 .now_ns = 1};
		seal_world_init(&world, 150, 30);
		(void)seal_world_run(&world, &order);
		struct blocks_row row = victim_row(&world, 0);
		assert_int_equal(row.about.number, 1);
		store_close(world.filled.store);
		filled_sql(&world.filled, damages[i]);
		assert_int_equal(store_open(world.filled.fixture.dir, STORE_WRITE, &store, &err),
				 -ERR_CORRUPT);
		assert_non_null(strstr(err.text, "catalog.db"));
		assert_true(is_there(&world, row.name));
		int rc =
			store_open(world.filled.fixture.dir, STORE_READ, &world.filled.store, &err);
		if (rc == 0) {
			struct seal_world_walk walk = {.next = 0};
			rc = store_walk(world.filled.store, 0, seal_world_record, &walk, &err);
		} else {
			world.filled.store = NULL;
		}
		/* what a reader needs is there, or he is told */
		assert_int_equal(rc, i == 3 ? 0 : -ERR_CORRUPT);
		seal_world_done(&world);
	}
}

static void numbers_without_rows(void **state)
{
	/* a block's file whose number the catalog has passed, or does not know whether it has, is no rest of a crash: it is told and stays */
	struct seal_world world;
	struct error err, strangers;
	char lost[256], rest[256];
	const struct seal_order order = {.head_end = UINT64_MAX,
					 .settled_ns = INT64_MAX,
					 .requests = REQUESTS,
					 .close = true,
					 .now_ns = 1};
	(void)state;
	seal_world_init(&world, 100, 50);
	(void)seal_world_run(&world, &order);
	struct blocks_row row = victim_row(&world, 0);
	put_beside(&row, "00000000001.qtb", lost);
	put_beside(&row, "00000999.qtb", rest);
	put_file(&world, lost);
	put_file(&world, rest);
	struct catalog *catalog = world.filled.store->catalog;
	assert_int_equal(blocks_sweep_rests(world.filled.fixture.dir, catalog, &strangers, &err),
			 0);
	assert_true(is_there(&world, lost));
	assert_false(is_there(&world, rest));
	assert_non_null(strstr(strangers.text, "00000000001.qtb (1 files"));
	assert_int_equal(sqlite3_exec(catalog->db, "DELETE FROM meta WHERE key = 'blocks.next'",
				      NULL, NULL, NULL),
			 SQLITE_OK);
	put_file(&world, rest);
	assert_int_equal(blocks_sweep_rests(world.filled.fixture.dir, catalog, &strangers, &err),
			 0);
	assert_true(is_there(&world, rest));
	assert_non_null(strstr(strangers.text, "(2 files"));
	/* nor is a file taken away for a grave that names a block which is there */
	assert_int_equal(blocks_dig_grave(catalog, row.name, INT64_MIN, &err), 0);
	assert_int_equal(store_sweep(world.filled.store, INT64_MAX, &err), 0);
	assert_true(is_there(&world, row.name));
	seal_world_check(&world, 100);
	seal_world_done(&world);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(damage_is_contained),
		cmocka_unit_test(files_go_in_their_time),
		cmocka_unit_test(what_the_catalog_forgot_stays),
		cmocka_unit_test(numbers_without_rows),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
