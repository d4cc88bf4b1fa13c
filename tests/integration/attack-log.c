#include "store/checksum.h"
#include "tests/integration/attack-list.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

/* --- histories --- */

void relogged(const struct world *world)
{
	block_user(world);
	world_relog(world->work);
}

void key_swap(const struct world *world)
{
	relogged(world);
	world_unsign(world->work);
	world_sign(world->work, &world->forger, NULL);
}

void forged_with_the_key(const struct world *world)
{
	relogged(world);
	world_unsign(world->work);
	world_sign(world->work, &world->signer, NULL);
}

void cut_off(const struct world *world)
{
	world_cut(world->work, 1200);
	world_relog(world->work);
}

void cut_off_and_signed(const struct world *world)
{
	cut_off(world);
	tamper_sql(world->work, "DELETE FROM checkpoints WHERE size > 1200");
	world_sign(world->work, &world->signer, NULL);
}

void cut_off_and_resumed(const struct world *world)
{
	cut_off(world);
	tamper_sql(world->work, "DELETE FROM checkpoints WHERE size > 1200");
	world_append(world->work, 1200, 1600, 2);
	world_sign(world->work, &world->signer, NULL);
}

void rollback(const struct world *world)
{
	world_copy(world, world->older);
}

void fork_of_history(const struct world *world)
{
	world_copy(world, world->older);
	world_append(world->work, 700, 1600, 3);
	world_sign(world->work, &world->signer, NULL);
}

void another_store(const struct world *world)
{
	world_copy(world, world->other);
	world_sign(world->work, &world->signer, NULL);
}

void catalog_of_another_store(const struct world *world)
{
	world_run("rm -f %s/catalog.db*", world->work);
	world_run("cp %s/catalog.db* %s/", world->other, world->work);
}

void block_of_another_store(const struct world *world)
{
	uint64_t number = world_block_of(world->work, SEALED_STATEMENT);
	struct tamper_set set = tamper_block(world->other, number);
	tamper_rebuild(world->work, number, &set);
	world_rollups(world->work);
	tamper_set_done(&set);
}

/* --- what was signed --- */

void newest_checkpoint_removed(const struct world *world)
{
	tamper_sql(world->work, "DELETE FROM checkpoints WHERE size = 1500");
}

void all_checkpoints_removed(const struct world *world)
{
	world_unsign(world->work);
}

void checkpoint_edited(const struct world *world)
{
	tamper_sql(world->work, "UPDATE checkpoints SET size = 1101, note = replace(note, "
				"char(10) || '1100' || char(10), char(10) || '1101' || char(10)) "
				"WHERE size = 1100");
}

void signature_transplanted(const struct world *world)
{
	tamper_sql(world->work,
		   "UPDATE checkpoints SET note = substr(note, 1, instr(note, char(10) || "
		   "char(10))) || (SELECT substr(note, instr(note, char(10) || char(10)) + 1) FROM "
		   "checkpoints WHERE size = 700) WHERE size = 1100");
}

/* --- the tree itself --- */

static void change_blob(const struct world *world, const char *table, size_t at)
{
	struct catalog *catalog = tamper_open(world->work);
	sqlite3_stmt *get = NULL;
	struct buf all;
	struct error err;
	buf_init(&all, 0);
	if (strcmp(table, "tiles") == 0) {
		(void)sqlite3_prepare_v2(catalog->db, "SELECT tile, bytes FROM tiles ORDER BY tile",
					 -1, &get, NULL);
		assert(sqlite3_step(get) == SQLITE_ROW);
		uint64_t tile = (uint64_t)sqlite3_column_int64(get, 0);
		buf_put(&all, &tile, sizeof tile);
		buf_put_str(&all, catalog_column_bytes(get, 1));
		(void)sqlite3_finalize(get);
		all.ptr[8 + at] ^= 1;
		(void)sqlite3_prepare_v2(catalog->db,
					 "UPDATE tiles SET bytes = ?1, crc = ?2 WHERE tile = ?3",
					 -1, &get, NULL);
		(void)catalog_bind_bytes(get, 1, str_make(all.ptr + 8, all.len - 8));
		(void)sqlite3_bind_int64(get, 2, checksum_crc32c(buf_str(&all)));
		(void)sqlite3_bind_int64(get, 3, (sqlite3_int64)tile);
		assert(sqlite3_step(get) == SQLITE_DONE);
		(void)sqlite3_finalize(get);
	} else {
		tamper_must(catalog_meta_get(catalog, "log.state", &all, &err), &err);
		all.ptr[at] ^= 1;
		uint32_t crc = checksum_crc32c(str_make(all.ptr, all.len - 4));
		memcpy(all.ptr + all.len - 4, &crc, 4);
		tamper_must(catalog_meta_put(catalog, "log.state", buf_str(&all), &err), &err);
	}
	buf_done(&all);
	catalog_close(catalog);
}

void tile_edited(const struct world *world)
{
	change_blob(world, "tiles", 32 + 5); /* of the second group */
}

void state_edited(const struct world *world)
{
	change_blob(world, "meta", 40);
}

void seeds_swapped(const struct world *world)
{
	tamper_sql(world->work, "UPDATE seeds SET seed = zeroblob(32)");
}

void salt_forgotten(const struct world *world)
{
	struct catalog *catalog = tamper_open(world->work);
	struct salts *salts = NULL;
	struct leafset leaves;
	struct error err;
	leafset_init(&leaves);
	tamper_must(leafset_add(&leaves, SEALED_REQUEST, SEALED_REQUEST, &err), &err);
	leafset_settle(&leaves);
	tamper_must(salts_load(catalog, &salts, &err), &err);
	tamper_must(salts_forget(salts, catalog, &leaves, &err), &err);
	salts_free(salts);
	leafset_done(&leaves);
	catalog_close(catalog);
}

/* --- what filtered views are answered from --- */

enum hiding { HIDE_SUMMARY, HIDE_IDS, HIDE_RECORDS, HIDE_TIME, HIDE_SPAN };

/* A block stays, and what the catalog says of it is made of other records. */
static void hide(const struct world *world, enum hiding what)
{
	uint64_t number = world_block_of(world->work, SEALED_REQUEST);
	struct tamper_set is = tamper_block(world->work, number);
	struct tamper_set shown = tamper_block(world->work, number);
	struct tamper_built built, lie;
	for (size_t i = 0; i < shown.count; i++) {
		if (shown.records[i].leaf == SEALED_REQUEST) {
			what == HIDE_SUMMARY ? other_user(&shown.records[i])
					     : tamper_drop(&shown, i);
			break;
		}
	}
	tamper_build(&is, number, &built);
	tamper_build(&shown, number, &lie);
	if (what == HIDE_SUMMARY) {
		built.row.summary = lie.row.summary;
	} else if (what == HIDE_IDS) {
		built.row.filter_ids = lie.row.filter_ids;
	} else if (what == HIDE_RECORDS) {
		built.row.filter_records = lie.row.filter_records;
	} else if (what == HIDE_TIME) {
		built.about.max_time_ns = built.about.min_time_ns;
	} else {
		built.spans[0].first++;
	}
	tamper_put_block(world->work, &built.row);
	tamper_built_done(&built);
	tamper_built_done(&lie);
	tamper_set_done(&is);
	tamper_set_done(&shown);
}

void hidden_by_summary(const struct world *world)
{
	hide(world, HIDE_SUMMARY);
	world_rollups(world->work);
}

void hidden_by_ids(const struct world *world)
{
	hide(world, HIDE_IDS);
}

void hidden_by_records(const struct world *world)
{
	hide(world, HIDE_RECORDS);
}

void hidden_by_time(const struct world *world)
{
	hide(world, HIDE_TIME);
}

void hidden_by_span(const struct world *world)
{
	hide(world, HIDE_SPAN);
}

void hidden_by_rollup(const struct world *world)
{
	hide(world, HIDE_SUMMARY);
	world_rollups(world->work);
	uint64_t number = world_block_of(world->work, SEALED_REQUEST);
	struct tamper_set set = tamper_block(world->work, number);
	tamper_rebuild(world->work, number, &set); /* only what was added up lies */
	tamper_set_done(&set);
}

void hidden_by_columns(const struct world *world)
{
	struct head_batch batch = tamper_batch(world->work, HEAD_REQUEST);
	uint64_t end = batch.first_leaf + batch.record_count;
	struct tamper_set is = tamper_walk(world->work, batch.first_leaf, end);
	struct tamper_set shown = tamper_walk(world->work, batch.first_leaf, end);
	other_user(&shown.records[HEAD_REQUEST - batch.first_leaf]);
	tamper_rebatch(world->work, batch, &is, &shown);
	tamper_set_done(&is);
	tamper_set_done(&shown);
}

void hidden_by_batch_time(const struct world *world)
{
	struct head_batch batch = tamper_batch(world->work, HEAD_REQUEST);
	struct error err;
	tamper_sql(world->work, "DELETE FROM head WHERE first_leaf = 1200");
	struct catalog *catalog = tamper_open(world->work);
	batch.max_time_ns = batch.min_time_ns;
	tamper_must(head_put_batch(catalog, &batch, &err), &err);
	catalog_close(catalog);
}

/* --- evidence that was handed over --- */

/* Changes files in the folder, and makes its list of digests right again. */
static void change_evidence(const struct world *world, const char *command)
{
	world_run("cd %s && %s && sha256sum $(ls | grep -v manifest) > manifest-sha256.txt",
		  world->work, command);
}

void evidence_record(const struct world *world)
{
	change_evidence(world, "cp 504.record 505.record");
}

void evidence_proof(const struct world *world)
{
	change_evidence(world, "sed 's/^index 504$/index 505/' 504.tlog-proof > 505.tlog-proof");
}

void evidence_salt(const struct world *world)
{
	change_evidence(world, "cp 504.salt 505.salt");
}

void evidence_entry(const struct world *world)
{
	change_evidence(world, "cp 504.entry 505.entry && cp 504.record 505.record && "
			       "cp 504.salt 505.salt");
}

void evidence_checkpoint(const struct world *world)
{
	change_evidence(world, "cp ../anchors/300.checkpoint checkpoint");
}
