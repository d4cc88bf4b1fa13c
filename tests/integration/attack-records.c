#include "model/redact.h"
#include "tests/integration/attack-list.h"

#include <stdio.h>
#include <string.h>

/* --- records changed where they stand --- */

static void other_statement(struct tamper_record *record)
{
	struct record decoded;
	tamper_decode(record, &decoded);
	record_set_text(&decoded, FIELD_statement, STR_LIT("SELECT 1"));
	tamper_encode(record, &decoded);
}

void other_user(struct tamper_record *record)
{
	struct record decoded;
	tamper_decode(record, &decoded);
	record_set_text(&decoded, FIELD_user, STR_LIT("somebody.else@example.com"));
	tamper_encode(record, &decoded);
}

static void other_time(struct tamper_record *record)
{
	struct record decoded;
	tamper_decode(record, &decoded);
	decoded.time_ns -= 3600000000000;
	tamper_encode(record, &decoded);
}

static void other_ingest(struct tamper_record *record)
{
	record->ingest_ns -= INT64_C(86400000000000);
}

void head_statement(const struct world *world)
{
	world_edit(world->work, HEAD_STATEMENT, other_statement);
}

void head_user(const struct world *world)
{
	world_edit(world->work, HEAD_REQUEST, other_user);
}

void head_time(const struct world *world)
{
	world_edit(world->work, HEAD_STATEMENT, other_time);
}

void head_back_dated(const struct world *world)
{
	world_edit(world->work, 1200,
		   other_ingest); /* the first of its batch gives its ingest time */
}

void block_statement(const struct world *world)
{
	world_edit(world->work, SEALED_STATEMENT, other_statement);
}

void block_user(const struct world *world)
{
	world_edit(world->work, SEALED_REQUEST, other_user);
}

void block_time(const struct world *world)
{
	world_edit(world->work, SEALED_STATEMENT, other_time);
}

void block_back_dated(const struct world *world)
{
	world_edit(world->work, SEALED_STATEMENT, other_ingest);
}

/* --- records taken away, put in and put elsewhere --- */

/* Takes one record out of its block; the count of removed records covers it. */
void take_out(const struct world *world)
{
	uint64_t number = world_block_of(world->work, SEALED_STATEMENT);
	struct tamper_set set = tamper_block(world->work, number);
	for (size_t i = 0; i < set.count; i++) {
		if (set.records[i].leaf == SEALED_STATEMENT) {
			tamper_drop(&set, i);
			break;
		}
	}
	tamper_rebuild(world->work, number, &set);
	tamper_set_done(&set);
	world_meta(world->work, "removed.records", 1);
	world_rollups(world->work);
}

void fake_stub(const struct world *world)
{
	struct tamper_set set = tamper_walk(world->work, SEALED_STATEMENT, SEALED_STATEMENT + 1);
	struct catalog *catalog = tamper_open(world->work);
	struct salts *salts = NULL;
	struct log_salt salt;
	struct log_leaf leaf;
	struct log_entry entry;
	struct merkle_hash hash;
	struct error err;
	char sql[256], hex[2 * DIGEST_BYTES + 1];
	tamper_must(salts_load(catalog, &salts, &err), &err);
	tamper_must(salts_get(salts, SEALED_STATEMENT, &salt), &err);
	tamper_must(log_leaf_of(tamper_bytes(&set.records[0]), set.records[0].ingest_ns, &salt,
				&leaf, &err),
		    &err);
	log_entry_make(&leaf, &entry);
	merkle_leaf(str_make(entry.bytes, entry.len), &hash);
	salts_free(salts);
	catalog_close(catalog);
	for (size_t i = 0; i < DIGEST_BYTES; i++) {
		(void)snprintf(hex + 2 * i, 3, "%02x", hash.bytes[i]);
	}
	(void)snprintf(sql, sizeof sql, "INSERT INTO stubs VALUES (%d, 0, %d, x'%s')",
		       SEALED_STATEMENT / LOCATOR_GROUP, SEALED_STATEMENT, hex);
	tamper_sql(world->work, sql);
	tamper_set_done(&set);
	take_out(world);
}

/* A whole block goes, as if retention had removed it. */
void block_taken_away(const struct world *world)
{
	uint64_t number = world_block_of(world->work, SEALED_STATEMENT);
	struct tamper_set set = tamper_block(world->work, number);
	char sql[128];
	(void)snprintf(sql, sizeof sql, "DELETE FROM blocks WHERE number = %llu",
		       (unsigned long long)number);
	tamper_sql(world->work, sql);
	world_meta(world->work, "removed.records", set.count);
	world_rollups(world->work);
	tamper_set_done(&set);
}

void batch_taken_away(const struct world *world)
{
	tamper_sql(world->work, "DELETE FROM head WHERE first_leaf = 1200");
}

/* Writes the last batch anew without one record, or with one more, and counts leaves accordingly. */
static void change_last_batch(const struct world *world, bool insert)
{
	uint64_t first = WORLD_RECORDS - WORLD_BATCH;
	struct head_batch batch = tamper_batch(world->work, first);
	struct tamper_set set = tamper_walk(world->work, first, WORLD_RECORDS);
	if (insert) {
		(void)tamper_add(&set, 0, set.records[0].ingest_ns, tamper_bytes(&set.records[3]));
		struct tamper_record last = set.records[set.count - 1];
		memmove(&set.records[11], &set.records[10],
			(set.count - 11) * sizeof set.records[0]);
		set.records[10] = last;
	} else {
		tamper_drop(&set, 10);
	}
	for (size_t i = 0; i < set.count; i++) {
		set.records[i].leaf = first + i;
	}
	tamper_rebatch(world->work, batch, &set, &set);
	world_meta(world->work, STORE_NEXT_LEAF_KEY, first + set.count);
	tamper_set_done(&set);
}

void deleted_and_renumbered(const struct world *world)
{
	change_last_batch(world, false);
}

void deleted_and_relogged(const struct world *world)
{
	change_last_batch(world, false);
	world_relog(world->work);
}

void inserted(const struct world *world)
{
	change_last_batch(world, true);
}

/* Two records change places. */
static void swap(struct tamper_set *set, uint64_t leaf)
{
	for (size_t i = 0; i + 1 < set->count; i++) {
		if (set->records[i].leaf == leaf) {
			uint64_t other = set->records[i + 1].leaf;
			set->records[i + 1].leaf = leaf;
			set->records[i].leaf = other;
		}
	}
	tamper_sort(set);
}

void block_reordered(const struct world *world)
{
	uint64_t number = world_block_of(world->work, SEALED_STATEMENT);
	struct tamper_set set = tamper_block(world->work, number);
	swap(&set, SEALED_STATEMENT);
	tamper_rebuild(world->work, number, &set);
	world_rollups(world->work);
	tamper_set_done(&set);
}

void head_reordered(const struct world *world)
{
	struct head_batch batch = tamper_batch(world->work, HEAD_STATEMENT);
	struct tamper_set set =
		tamper_walk(world->work, batch.first_leaf, batch.first_leaf + batch.record_count);
	swap(&set, HEAD_STATEMENT);
	tamper_rebatch(world->work, batch, &set, &set);
	tamper_set_done(&set);
}

void leaf_twice(const struct world *world)
{
	uint64_t number = world_block_of(world->work, 100);
	struct tamper_set set = tamper_block(world->work, number);
	struct tamper_set other = tamper_walk(world->work, SEALED_STATEMENT, SEALED_STATEMENT + 1);
	(void)tamper_add(&set, SEALED_STATEMENT, other.records[0].ingest_ns,
			 tamper_bytes(&other.records[0]));
	tamper_sort(&set);
	tamper_rebuild(world->work, number, &set);
	world_rollups(world->work);
	tamper_set_done(&set);
	tamper_set_done(&other);
}

/* --- redactions that nobody ordered --- */

static struct log_salt salt_now;
static bool with_commitment;

static void redact(struct tamper_record *record)
{
	struct redactor *redactor = redactor_new();
	struct merkle_hash commitment;
	struct buf out;
	struct error err;
	struct redact_order order = {.degree = REDACT_ALL, .id = STR_LIT("order-66")};
	buf_init(&out, RECORD_MAX_BYTES);
	log_commit(&salt_now, tamper_bytes(record), &commitment);
	if (with_commitment) {
		order.commitment = str_make((const char *)commitment.bytes, DIGEST_BYTES);
	}
	tamper_must(redact_record(redactor, &order, tamper_bytes(record), &out, &err), &err);
	tamper_set_bytes(record, buf_str(&out));
	buf_done(&out);
	redactor_free(redactor);
}

static void redact_one(const struct world *world, bool knows_how)
{
	struct catalog *catalog = tamper_open(world->work);
	struct salts *salts = NULL;
	struct leafset leaves;
	struct error err;
	leafset_init(&leaves);
	tamper_must(leafset_add(&leaves, SEALED_STATEMENT, SEALED_STATEMENT, &err), &err);
	leafset_settle(&leaves);
	tamper_must(salts_load(catalog, &salts, &err), &err);
	tamper_must(salts_get(salts, SEALED_STATEMENT, &salt_now), &err);
	tamper_must(salts_forget(salts, catalog, &leaves, &err), &err);
	salts_free(salts);
	leafset_done(&leaves);
	catalog_close(catalog);
	with_commitment = knows_how;
	world_edit(world->work, SEALED_STATEMENT, redact);
}

void fake_redaction(const struct world *world)
{
	redact_one(world, true);
}

void clumsy_redaction(const struct world *world)
{
	redact_one(world, false);
}
