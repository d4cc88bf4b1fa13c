#include "tests/integration/attack-world.h"

#include "base/io.h"
#include "store/log/checkpoints.h"
#include "store/rollup.h"
#include "store/seal.h"
#include "tests/unit/store-fixture.h"

#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define OTHER_HISTORY 5000000

int world_shell(const char *line, const char *out_path)
{
	int status = 0;
	(void)fflush(stdout);
	pid_t child = fork();
	if (child == 0) {
		int fd = open(out_path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
		if (fd >= 0 && dup2(fd, STDOUT_FILENO) >= 0 && dup2(fd, STDERR_FILENO) >= 0) {
			(void)execl("/bin/sh", "sh", "-c", line, (char *)NULL);
		}
		_exit(127);
	}
	if (child < 0 || waitpid(child, &status, 0) != child) {
		abort();
	}
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

void world_run(const char *format, ...)
{
	char line[4 * WORLD_PATH];
	va_list list;
	va_start(list, format);
	(void)vsnprintf(line, sizeof line, format, list);
	va_end(list);
	if (world_shell(line, "/dev/null") != 0) {
		fprintf(stderr, "attacks: %s failed\n", line);
		abort();
	}
}

void world_copy(const struct world *world, const char *from)
{
	world_run("rm -rf %s && cp -r %s %s", world->work, from, world->work);
}

static void append_batch(struct store *store, struct fixture *fixture, uint64_t from,
			 uint64_t history)
{
	struct error err;
	tamper_must(store_begin(store, FIXTURE_START_NS + (int64_t)from, &err), &err);
	for (uint64_t n = from; n < from + WORLD_BATCH; n++) {
		struct str encoded;
		uint64_t leaf = 0;
		const struct record *record =
			fixture_record(fixture, n + history * OTHER_HISTORY, &encoded);
		tamper_must(store_append(store, record, encoded, &leaf, &err), &err);
	}
	tamper_must(store_commit(store, &err), &err);
}

void world_append(const char *dir, uint64_t from, uint64_t to, uint64_t history)
{
	struct fixture fixture;
	struct store *store = NULL;
	struct error err;
	fixture_init(&fixture);
	tamper_must(store_open(dir, STORE_CREATE, &store, &err), &err);
	for (uint64_t n = from; n < to; n += WORLD_BATCH) {
		append_batch(store, &fixture, n, history);
	}
	store_close(store);
	fixture_done(&fixture);
}

struct relogging {
	struct salts *salts;
	struct tree *tree;
};

static int relog_record(void *owner, uint64_t leaf, int64_t ingest_ns, struct str encoded,
			struct error *err)
{
	const struct relogging *relogging = owner;
	struct log_salt salt;
	struct log_leaf about;
	struct log_entry entry;
	struct merkle_hash hash;
	bool salted = salts_get(relogging->salts, leaf, &salt) == 0;
	int rc = log_leaf_of(encoded, ingest_ns, salted ? &salt : NULL, &about, err);
	if (rc == 0) {
		log_entry_make(&about, &entry);
		merkle_leaf(str_make(entry.bytes, entry.len), &hash);
		rc = tree_add(relogging->tree, &hash);
	}
	return rc;
}

void world_relog(const char *dir)
{
	struct relogging relogging = {NULL, NULL};
	struct error err;
	struct store *store = NULL;
	tamper_sql(dir, "DELETE FROM tiles");
	struct catalog *catalog = tamper_open(dir);
	tamper_must(tree_create(catalog, &err), &err);
	tamper_must(tree_load(catalog, &relogging.tree, &err), &err);
	tamper_must(salts_load(catalog, &relogging.salts, &err), &err);
	tamper_must(store_open(dir, STORE_READ, &store, &err), &err);
	tamper_must(store_walk(store, 0, relog_record, &relogging, &err), &err);
	store_close(store);
	tamper_must(tree_save(relogging.tree, catalog, &err), &err);
	tree_free(relogging.tree);
	salts_free(relogging.salts);
	catalog_close(catalog);
}

void world_unsign(const char *dir)
{
	tamper_sql(dir, "DELETE FROM checkpoints");
}

void world_sign(const char *dir, const struct note_signer *signer, struct buf *out)
{
	struct catalog *catalog = tamper_open(dir);
	struct tree *tree = NULL;
	struct error err;
	struct buf text, note;
	struct note_checkpoint checkpoint = {.origin = str_of(signer->key.name)};
	sqlite3_stmt *put = NULL;
	buf_init(&text, 0);
	buf_init(&note, 0);
	tamper_must(tree_load(catalog, &tree, &err), &err);
	tree_head(tree, &checkpoint.head);
	tree_free(tree);
	note_checkpoint_put(&checkpoint, &text);
	buf_put_str(&note, buf_str(&text));
	buf_put_byte(&note, '\n');
	tamper_must(note_sign(signer, buf_str(&text), 0, &note, &err), &err);
	tamper_must(catalog_statement(catalog, CATALOG_LOG_PUT_CHECKPOINT, &put, &err), &err);
	(void)sqlite3_bind_int64(put, 1, (sqlite3_int64)checkpoint.head.size);
	(void)sqlite3_bind_int64(put, 2, FIXTURE_START_NS + (int64_t)checkpoint.head.size);
	(void)catalog_bind_text(put, 3, buf_str(&note));
	tamper_must(catalog_done(catalog, put, "signing", &err), &err);
	if (out != NULL) {
		buf_put_str(out, buf_str(&note));
	}
	buf_done(&text);
	buf_done(&note);
	catalog_close(catalog);
}

static void write_file(const char *path, struct str bytes)
{
	struct error err;
	tamper_must(io_replace_file(path, bytes, 0600, &err), &err);
}

/* Signs, and gives the auditor the note. */
static void anchor(const struct world *world, uint64_t size)
{
	char path[WORLD_PATH + 32];
	struct buf note;
	buf_init(&note, 0);
	world_sign(world->store, &world->signer, &note);
	(void)snprintf(path, sizeof path, "%s/%llu.checkpoint", world->anchors,
		       (unsigned long long)size);
	write_file(path, buf_str(&note));
	buf_done(&note);
}

static void seal(const char *dir)
{
	const struct seal_order order = {.head_end = WORLD_SEALED, .requests = 12, .close = true};
	struct store *store = NULL;
	struct seal_result result;
	struct error err;
	tamper_must(store_open(dir, STORE_WRITE, &store, &err), &err);
	tamper_must(seal_run(store, &order, &result, &err), &err);
	tamper_must(rollup_update(store->catalog, NULL, &err), &err);
	store_close(store);
}

static void put_keys(const struct world *world)
{
	struct buf key, policy;
	struct error err;
	buf_init(&key, 0);
	buf_init(&policy, 0);
	note_key_put(&world->signer.key, &key);
	buf_put_text(&policy, "log ");
	buf_put_str(&policy, buf_str(&key));
	buf_put_text(&policy, "\nquorum none\n");
	write_file(world->policy, buf_str(&policy));
	buf_put_byte(&key, '\n');
	struct catalog *catalog = tamper_open(world->store);
	tamper_must(catalog_meta_put(catalog, CHECKPOINTS_KEYS, buf_str(&key), &err), &err);
	catalog_close(catalog);
	buf_done(&key);
	buf_done(&policy);
}

static void path(char out[WORLD_PATH], const struct world *world, const char *name)
{
	(void)snprintf(out, WORLD_PATH, "%s/%s", world->dir, name);
}

void world_make(struct world *world)
{
	struct error err;
	(void)snprintf(world->dir, sizeof world->dir, "/tmp/qt-attacks-XXXXXX");
	if (mkdtemp(world->dir) == NULL) {
		abort();
	}
	path(world->store, world, "store");
	path(world->older, world, "older");
	path(world->other, world, "other");
	path(world->work, world, "work");
	path(world->anchors, world, "anchors");
	path(world->policy, world, "policy");
	tamper_must(note_signer_make(&world->signer, STR_LIT("attacks.example/log"), NOTE_ED25519,
				     &err),
		    &err);
	tamper_must(note_signer_make(&world->forger, STR_LIT("attacks.example/log"), NOTE_ED25519,
				     &err),
		    &err);
	world_run("mkdir %s", world->anchors);
	world_append(world->store, 0, 300, 0);
	put_keys(world);
	anchor(world, 300);
	world_append(world->store, 300, 700, 0);
	anchor(world, 700);
	world_run("cp -r %s %s", world->store, world->older);
	world_append(world->store, 700, 1100, 0);
	anchor(world, 1100);
	seal(world->store);
	world_append(world->store, 1100, WORLD_RECORDS, 0);
	anchor(world, WORLD_RECORDS);
	world_append(world->other, 0, WORLD_RECORDS, 1);
	seal(world->other);
}

void world_remove(struct world *world)
{
	note_signer_done(&world->signer);
	note_signer_done(&world->forger);
	world_run("rm -rf %s", world->dir);
}

uint64_t world_block_of(const char *dir, uint64_t leaf)
{
	struct catalog *catalog = tamper_open(dir);
	uint64_t next = 0;
	uint64_t found = 0;
	struct error err;
	tamper_must(blocks_next_number(catalog, &next, &err), &err);
	for (uint64_t number = 1; number < next && found == 0; number++) {
		struct blocks_row row;
		if (blocks_read_row(catalog, number, &row, &err) < 0) {
			continue;
		}
		struct tamper_set set = tamper_block(dir, number);
		for (size_t i = 0; i < set.count; i++) {
			found = set.records[i].leaf == leaf ? number : found;
		}
		tamper_set_done(&set);
	}
	catalog_close(catalog);
	return found;
}

void world_rollups(const char *dir)
{
	struct error err;
	tamper_sql(dir, "DELETE FROM rollups");
	struct catalog *catalog = tamper_open(dir);
	tamper_must(rollup_update(catalog, NULL, &err), &err);
	catalog_close(catalog);
}

void world_edit(const char *dir, uint64_t leaf, world_edit_fn *edit)
{
	uint64_t number = leaf < WORLD_SEALED ? world_block_of(dir, leaf) : 0;
	struct head_batch batch = {0};
	struct tamper_set set = {0};
	if (number > 0) {
		set = tamper_block(dir, number);
	} else {
		batch = tamper_batch(dir, leaf);
		set = tamper_walk(dir, batch.first_leaf, batch.first_leaf + batch.record_count);
	}
	for (size_t i = 0; i < set.count; i++) {
		if (set.records[i].leaf == leaf) {
			edit(&set.records[i]);
		}
	}
	if (number > 0) {
		tamper_rebuild(dir, number, &set);
		world_rollups(dir);
	} else {
		tamper_rebatch(dir, batch, &set, &set);
	}
	tamper_set_done(&set);
}

void world_meta(const char *dir, const char *key, uint64_t value)
{
	struct catalog *catalog = tamper_open(dir);
	struct buf text;
	struct error err;
	buf_init(&text, 0);
	buf_put_u64(&text, value);
	tamper_must(catalog_meta_put(catalog, key, buf_str(&text), &err), &err);
	buf_done(&text);
	catalog_close(catalog);
}

void world_cut(const char *dir, uint64_t leaf)
{
	char sql[128];
	(void)snprintf(sql, sizeof sql, "DELETE FROM head WHERE first_leaf >= %llu",
		       (unsigned long long)leaf);
	tamper_sql(dir, sql);
	world_meta(dir, STORE_NEXT_LEAF_KEY, leaf);
}
