/* A desk at which a reader of audit files works: a scripted server before it, and the daemon's part behind it. */
#ifndef TESTS_UNIT_AUDITREADER_DESK_H
#define TESTS_UNIT_AUDITREADER_DESK_H

#include "base/hash.h"
#include "collector/sources/sqlserver/auditreader.h"
#include "model/feed.h"
#include "tests/sim/auditscript.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#define TAKEN_MAX 20000

/* What plays the daemon: commits cursors and remembers keys. */
struct desk {
	struct script script;
	struct auditreader_options options;
	struct auditreader *reader;
	struct arena arena;
	struct buf cursor; /* committed */
	struct buf next;
	struct source_batch batch;
	struct strmap keys;
	size_t statements, repeats, gaps, rejects;
	struct buf texts; /* the statements' texts, a comma behind each */
	struct record last_gap, last_reject;
	struct buf note;
	int64_t now_ns;
};

/* The time that a test sets. */
static inline int64_t desk_now(void *owner)
{
	return ((struct desk *)owner)->now_ns;
}

/* A new reader, as after a crash: only the committed cursor is left. */
static inline void desk_restart(struct desk *desk)
{
	struct error err;
	auditreader_free(desk->reader);
	assert_int_equal(auditreader_new(&desk->options, &desk->script.db, &desk->reader, &err), 0);
}

/* A desk with a reader, and a server without files. */
static inline void desk_init(struct desk *desk)
{
	memset(desk, 0, sizeof(*desk));
	script_init(&desk->script);
	desk->now_ns = SCRIPT_TIME;
	desk->options = (struct auditreader_options){
		.source_name = "db",
		.batch_rows = 100,
		.part_timeout_ns = 60 * NS_PER_SEC,
		.poll_interval_ns = NS_PER_SEC,
		.clock = {.now_ns = desk_now, .owner = desk},
	};
	arena_init(&desk->arena, 96u << 20);
	buf_init(&desk->cursor, 0);
	buf_init(&desk->next, FEED_CURSOR_MAX);
	buf_init(&desk->texts, 0);
	buf_init(&desk->note, 0);
	strmap_init(&desk->keys, TAKEN_MAX);
	desk_restart(desk);
}

/* Frees all. */
static inline void desk_done(struct desk *desk)
{
	auditreader_free(desk->reader);
	script_done(&desk->script);
	arena_done(&desk->arena);
	buf_done(&desk->cursor);
	buf_done(&desk->next);
	buf_done(&desk->texts);
	buf_done(&desk->note);
	strmap_done(&desk->keys);
}

/* Stores a record, once. */
static inline void desk_take(struct desk *desk, const struct record *record)
{
	struct buf encoded;
	struct error err;
	buf_init(&encoded, 0);
	assert_int_equal(record_encode(record, &encoded, &err), 0);
	buf_done(&encoded);
	if (strmap_get(&desk->keys, record->key) != NULL) {
		desk->repeats++;
		return;
	}
	assert_int_equal(strmap_put(&desk->keys, record->key, 1), 0);
	if (record->kind == RECORD_STATEMENT) {
		desk->statements++;
		buf_put_str(&desk->texts, record_text(record, FIELD_statement));
		buf_put_byte(&desk->texts, ',');
	} else if (record->kind == RECORD_GAP) {
		desk->gaps++;
		desk->last_gap = *record;
	} else {
		assert_int_equal(record->kind, RECORD_REJECT);
		desk->rejects++;
		desk->last_reject = *record;
	}
}

/* One fetch; commits it unless lose is set. Returns fetch's status. */
static inline int desk_fetch(struct desk *desk, bool lose, struct error *err)
{
	struct source_request request = {.cursor = buf_str(&desk->cursor),
					 .deadline_ns = INT64_MAX};
	arena_clear(&desk->arena);
	desk->batch = (struct source_batch){.arena = &desk->arena, .cursor = &desk->next};
	int status = auditreader_fetch(desk->reader, &request, &desk->batch, err);
	if (status != 0) {
		return status;
	}
	assert_true(desk->batch.record_count <= FEED_BATCH_RECORDS);
	if (desk->batch.note != NULL) {
		buf_put_text(&desk->note, desk->batch.note);
		buf_put_byte(&desk->note, '\n');
	}
	if (lose) {
		return 0;
	}
	for (size_t i = 0; i < desk->batch.record_count; i++) {
		desk_take(desk, &desk->batch.records[i]);
	}
	buf_clear(&desk->cursor);
	buf_put_str(&desk->cursor, buf_str(&desk->next));
	return 0;
}

/* Fetches until there is no more. Returns how many fetches it took. */
static inline int desk_drain(struct desk *desk)
{
	struct error err = {0};
	int fetches = 0;
	do {
		int status = desk_fetch(desk, false, &err);
		if (status != 0) {
			print_message("%s\n", err.text);
		}
		assert_int_equal(status, 0);
		assert_true(++fetches < 1000);
	} while (desk->batch.more);
	return fetches;
}

/* Whether the operator was told something with this text. */
static inline bool desk_noted(const struct desk *desk, const char *text)
{
	return str_find(buf_str(&desk->note), str_of(text), 0) >= 0;
}

#endif
