/* story-records - the records that the story of story-store.h is made of.
 *
 * Threads: as the store.
 */
#ifndef TESTS_GOLDEN_STORY_RECORDS_H
#define TESTS_GOLDEN_STORY_RECORDS_H

#include "base/clock.h"
#include "model/record.h"
#include "store/store.h"

#include <assert.h>
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define STORY_DAY_NS INT64_C(1795305600000000000) /* 2026-11-22 */
#define STORY_NOW_NS (STORY_DAY_NS + 12 * NS_PER_HOUR)

struct story_store {
	char dir[64];
	struct store *store;
	uint64_t leaf[64]; /* by number of the item below */
};

/* Leaves of the items, for tests that name them. */
enum story_item {
	STORY_R_ALICE,
	STORY_R_BOB,
	STORY_R_EVE,
	STORY_R_IDLE,
	STORY_S_ALICE_1,
	STORY_S_ALICE_2,
	STORY_S_BOB,
	STORY_S_COMMENT,
	STORY_S_ADMIN,
	STORY_S_CONFLICT,
	STORY_S_PENDING,
	STORY_S_HOSTILE,
	STORY_S_REFUSED,
	STORY_GAP,
	STORY_REJECT,
	STORY_ITEMS,
};

#define STORY_HOSTILE                                                         \
	"SELECT '\033]0;owned\007\033[2J' AS a, '=cmd|''/c calc''!A1'\nFROM " \
	"dbo.\"\xe2\x80\xaeTx\" "                                             \
	"/* \xff\xed\xa0\x80 \x9b */ -- end\r\nGO"

static inline void story_append(struct story_store *story, const struct record *record, int item)
{
	struct buf encoded;
	struct error err;
	uint64_t leaf = 0;
	buf_init(&encoded, 0);
	error_clear(&err);
	int result = record_encode(record, &encoded, &err);
	result = result == 0 ? store_append(story->store, record, buf_str(&encoded), &leaf, &err)
			     : result;
	if (result != 0) {
		(void)fprintf(stderr, "story: %s\n", err.text);
	}
	assert(result == 0);
	if (item >= 0) {
		story->leaf[item] = leaf;
	}
	buf_done(&encoded);
}

struct story_request {
	int item;
	const char *user, *kind, *route, *path;
	int64_t second;
};

static inline void story_request(struct story_store *story, const struct story_request *request)
{
	struct record record;
	char key[32];
	char ids[3][64];
	char raw[256];
	record_init(&record, RECORD_REQUEST);
	record.source = STR_LIT("api");
	(void)snprintf(key, sizeof(key), "%026d", request->item);
	record.key = str_of(key);
	record.time_ns = STORY_DAY_NS + 10 * NS_PER_HOUR + request->second * NS_PER_SEC + 123000000;
	(void)snprintf(ids[0], 64, "req-%d", request->item);
	(void)snprintf(ids[1], 64, "Xe%dRequest=", request->item);
	(void)snprintf(ids[2], 64, "lambda-%d", request->item);
	(void)snprintf(raw, sizeof(raw), "{\"requestId\":\"req-%d\"}", request->item);
	record_set_text(&record, FIELD_raw, str_of(raw));
	record_set_text(&record, FIELD_request_id, str_of(ids[0]));
	record_set_text(&record, FIELD_extended_request_id, str_of(ids[1]));
	record_set_text(&record, FIELD_lambda_request_id, str_of(ids[2]));
	record_set_text(&record, FIELD_api, STR_LIT("a1b2c3"));
	record_set_text(&record, FIELD_stage, STR_LIT("prod"));
	record_set_text(&record, FIELD_route, str_of(request->route));
	record_set_text(&record, FIELD_path, str_of(request->path));
	record_set_number(&record, FIELD_status, 200);
	if (request->user != NULL) {
		record_set_text(&record, FIELD_user, str_of(request->user));
		record_set_text(&record, FIELD_user_kind, str_of(request->kind));
	}
	record_set_text(&record, FIELD_source_ip, STR_LIT("203.0.113.9"));
	record_set_number(&record, FIELD_latency_ms, 35);
	story_append(story, &record, request->item);
}

struct story_statement {
	int item;
	const char *login, *verb, *table, *text;
	int64_t rows, second;
	bool refused;
};

static inline void story_statement(struct story_store *story,
				   const struct story_statement *statement)
{
	struct record record;
	char key[32];
	char id[RECORD_ID_DIGITS + 1];
	record_init(&record, RECORD_STATEMENT);
	record.source = STR_LIT("sql01");
	(void)snprintf(key, sizeof(key), "statement-%d", statement->item);
	record.key = str_of(key);
	record.time_ns =
		STORY_DAY_NS + 10 * NS_PER_HOUR + statement->second * NS_PER_SEC + 150000000;
	record_stable_id(record.source, record.key, id);
	record_set_text(&record, FIELD_raw, str_of(statement->text));
	record_set_text(&record, FIELD_server, STR_LIT("SQL01"));
	record_set_text(&record, FIELD_database, STR_LIT("shop"));
	record_set_text(&record, FIELD_schema, STR_LIT("dbo"));
	record_set_text(&record, FIELD_object, str_of(statement->table));
	char table[64];
	(void)snprintf(table, sizeof(table), "dbo.%s", statement->table);
	record_set_text(&record, FIELD_table, str_of(table));
	record_set_text(&record, FIELD_verb, str_of(statement->verb));
	record_set_text(&record, FIELD_principal, str_of(statement->login));
	record_set_text(&record, FIELD_application, STR_LIT("orders-lambda"));
	record_set_text(&record, FIELD_client_ip, STR_LIT("10.0.0.7"));
	record_set_number(&record, FIELD_session_id, 57);
	record_set_number(&record, FIELD_succeeded, statement->refused ? 0 : 1);
	record_set_number(&record, FIELD_rows, statement->rows);
	record_set_number(&record, FIELD_duration_ms, 4);
	record_set_text(&record, FIELD_statement, str_of(statement->text));
	record_set_text(&record, FIELD_statement_id, str_of(id));
	story_append(story, &record, statement->item);
}

struct story_verdict_row {
	int statement, request; /* items; -1: none */
	const char *grade, *carrier, *matched_by, *reason;
	int revision;
};

static inline void story_verdict_of(struct story_store *story,
				    const struct story_verdict_row *verdict)
{
	struct record record;
	char key[48];
	record_init(&record, RECORD_VERDICT);
	record.source = STR_LIT("querytraild");
	(void)snprintf(key, sizeof(key), "%d/%d/%d", verdict->statement, verdict->request,
		       verdict->revision);
	record.key = str_of(key);
	record.time_ns = STORY_NOW_NS - NS_PER_HOUR;
	record_set_text(&record, FIELD_grade, str_of(verdict->grade));
	if (verdict->carrier[0] != '\0') {
		record_set_text(&record, FIELD_carrier, str_of(verdict->carrier));
		record_set_text(&record, FIELD_matched_by, str_of(verdict->matched_by));
	}
	record_set_text(&record, FIELD_settled, STR_LIT("final"));
	record_set_text(&record, FIELD_reason, str_of(verdict->reason));
	record_set_number(&record, FIELD_revision, verdict->revision);
	if (verdict->statement >= 0) {
		record_set_number(&record, FIELD_statement_leaf,
				  (int64_t)story->leaf[verdict->statement]);
	}
	if (verdict->request >= 0) {
		record_set_number(&record, FIELD_request_leaf,
				  (int64_t)story->leaf[verdict->request]);
	}
	story_append(story, &record, -1);
}

static inline void story_rest(struct story_store *story)
{
	struct record record;
	record_init(&record, RECORD_GAP);
	record.source = STR_LIT("sql01");
	record.key = STR_LIT("gap-1");
	record.time_ns = STORY_DAY_NS + 9 * NS_PER_HOUR;
	record_set_text(&record, FIELD_gap_kind, STR_LIT("deleted_file"));
	record_set_text(&record, FIELD_reason,
			STR_LIT("app_7.sqlaudit was deleted before it was read"));
	record_set_number(&record, FIELD_gap_from, STORY_DAY_NS + 8 * NS_PER_HOUR);
	record_set_number(&record, FIELD_gap_to, STORY_DAY_NS + 9 * NS_PER_HOUR);
	story_append(story, &record, STORY_GAP);
	record_init(&record, RECORD_REJECT);
	record.source = STR_LIT("api");
	record.key = STR_LIT("reject-1");
	record.time_ns = STORY_DAY_NS + 10 * NS_PER_HOUR;
	record_set_text(&record, FIELD_raw, STR_LIT("not a line {"));
	record_set_text(&record, FIELD_reason, STR_LIT("no JSON object"));
	story_append(story, &record, STORY_REJECT);
}

static inline void story_sources(struct story_store *story, bool complete)
{
	struct store_source api = {.name = "api",
				   .type = "cloudwatch",
				   .watermark_ns = STORY_NOW_NS - 5 * NS_PER_SEC,
				   .first_time_ns = STORY_DAY_NS,
				   .last_time_ns = STORY_NOW_NS - 9 * NS_PER_SEC,
				   .last_batch_ns = STORY_NOW_NS,
				   .caught_up = true,
				   .received = 7,
				   .stored = 5,
				   .duplicate = 2,
				   .rejected = 1,
				   .state = "ok",
				   .state_since_ns = STORY_DAY_NS};
	struct store_source sql = api;
	memcpy(sql.name, "sql01", 6);
	memcpy(sql.type, "sqlserver", 10);
	sql.received = 9;
	sql.stored = 9;
	sql.duplicate = 0;
	sql.rejected = 0;
	sql.gaps = complete ? 0 : 1;
	if (!complete) {
		memcpy(sql.state, "retrying", 9);
		memcpy(sql.state_text, "SQL01 refuses the login \033[31m(18456)", 36);
	}
	assert(store_put_source(story->store, &api, NULL) == 0);
	assert(store_put_source(story->store, &sql, NULL) == 0);
}

#endif
