/* A simulated SQL Server, a configuration for it, and the source that reads it; plays the daemon for tests. */
#ifndef TESTS_INTEGRATION_SQLSERVER_SITE_H
#define TESTS_INTEGRATION_SQLSERVER_SITE_H

#include "base/hash.h"
#include "base/io.h"
#include "collector/source.h"
#include "model/feed.h"
#include "model/options.h"
#include "tests/sim/tds.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include <cmocka.h>

#define SITE_NOW INT64_C(1795341600000000000) /* 2026-11-22T10:00:00Z */

struct site {
	char dir[64];
	char ca_path[96], password_path[96];
	struct world *world;
	struct tds_server_options options;
	struct tds_server *server;
	uint16_t port;
	struct buf yaml;
	struct config *config;
	struct source *source;
	struct arena arena;
	struct buf cursor, next;
	struct strmap keys;
	struct source_batch batch;
	bool finite;
	size_t statements, repeats, gaps, rejects, raw_rows;
	struct buf gap_text, notes;
	struct error err;
	int64_t timeout_ns;
	/* called for each new statement */
	void (*on_statement)(struct site *site, const struct record *record);
};

static inline void site_write(const char *path, const char *text)
{
	FILE *file = fopen(path, "w");
	assert_non_null(file);
	assert_true(fputs(text, file) >= 0);
	assert_int_equal(fclose(file), 0);
	assert_int_equal(chmod(path, 0600), 0);
}

/* A world and a server on it, not started. */
static inline void site_init(struct site *site, uint32_t requests)
{
	memset(site, 0, sizeof(*site));
	snprintf(site->dir, sizeof(site->dir), "/tmp/sqlserver-test.XXXXXX");
	assert_non_null(mkdtemp(site->dir));
	snprintf(site->ca_path, sizeof(site->ca_path), "%s/ca #1; x.pem", site->dir);
	snprintf(site->password_path, sizeof(site->password_path), "%s/password", site->dir);
	site_write(site->password_path, "Auditor-1\n");
	struct world_options options = world_defaults(7, requests, SITE_NOW);
	site->world = world_new(&options);
	assert_non_null(site->world);
	site->options = tds_server_defaults(site->world);
	site->options.ca_path = site->ca_path;
	buf_init(&site->yaml, 0);
	arena_init(&site->arena, 96u << 20);
	buf_init(&site->cursor, 0);
	buf_init(&site->next, FEED_CURSOR_MAX);
	buf_init(&site->gap_text, 0);
	buf_init(&site->notes, 0);
	strmap_init(&site->keys, 1000000);
	site->timeout_ns = 10 * NS_PER_SEC;
	site->finite = true;
}

static inline void site_start(struct site *site)
{
	int status = tds_server_start(&site->options, &site->server, &site->port, &site->err);
	if (status != 0) {
		print_message("%s\n", site->err.text);
	}
	assert_int_equal(status, 0);
}

static inline void site_close_source(struct site *site)
{
	if (site->source != NULL) {
		source_sqlserver.close(site->source);
		site->source = NULL;
	}
	config_free(site->config);
	site->config = NULL;
}

static inline void site_done(struct site *site)
{
	site_close_source(site);
	tds_server_stop(site->server);
	world_free(site->world);
	arena_done(&site->arena);
	buf_done(&site->yaml);
	buf_done(&site->cursor);
	buf_done(&site->next);
	buf_done(&site->gap_text);
	buf_done(&site->notes);
	strmap_done(&site->keys);
	(void)unlink(site->ca_path); /* not written by each test */
	assert_int_equal(unlink(site->password_path), 0);
	assert_int_equal(rmdir(site->dir), 0);
}

/* Opens the source with the usual options, and more of them ("    audit: x\n"). */
static inline void site_open(struct site *site, const char *host, const char *more)
{
	site_close_source(site);
	buf_clear(&site->yaml);
	buf_putf(&site->yaml,
		 "sources:\n"
		 "  db:\n"
		 "    type: sqlserver\n"
		 "    host: %s\n"
		 "    port: %u\n"
		 "    user: querytrail\n"
		 "    password_file: \"%s\"\n"
		 "    poll_interval: 10ms\n"
		 "    timeout: 10s\n"
		 "    ca_file: \"%s\"\n"
		 "%s",
		 host, site->port, site->password_path, site->ca_path, more);
	const struct config_input input = {.name = "test.yaml", .text = buf_str(&site->yaml)};
	int status = config_parse(options_schema(), &input, &site->config, NULL, &site->err);
	if (status != 0) {
		print_message("%s\n", site->err.text);
	}
	assert_int_equal(status, 0);
	struct source_open how = {
		.name = "db",
		.section = "sources.db",
		.config = site->config,
		.clock = clock_system(),
		.finite = site->finite,
	};
	assert_int_equal(source_sqlserver.open(&how, &site->source, &site->err), 0);
}

static inline size_t count_lines(struct str raw)
{
	size_t count = 1;
	for (size_t i = 0; i < raw.len; i++) {
		count += raw.ptr[i] == '\n';
	}
	return count;
}

static inline void site_take(struct site *site, const struct record *record)
{
	if (strmap_get(&site->keys, record->key) != NULL) {
		site->repeats++;
		return;
	}
	assert_int_equal(strmap_put(&site->keys, record->key, 1), 0);
	switch (record->kind) {
	case RECORD_STATEMENT:
		site->statements++;
		site->raw_rows += count_lines(record_text(record, FIELD_raw));
		if (site->on_statement != NULL) {
			site->on_statement(site, record);
		}
		return;
	case RECORD_GAP:
		site->gaps++;
		buf_put_str(&site->gap_text, record_text(record, FIELD_gap_kind));
		buf_put_text(&site->gap_text, ": ");
		buf_put_str(&site->gap_text, record_text(record, FIELD_reason));
		buf_put_byte(&site->gap_text, '\n');
		return;
	default:
		assert_int_equal(record->kind, RECORD_REJECT);
		site->rejects++;
	}
}

/* One fetch, committed when it succeeds. Returns its status; err holds the reason. */
static inline int site_fetch(struct site *site)
{
	struct source_request request = {
		.cursor = buf_str(&site->cursor),
		.deadline_ns = clock_monotonic_ns() + site->timeout_ns,
	};
	arena_clear(&site->arena);
	site->batch = (struct source_batch){.arena = &site->arena, .cursor = &site->next};
	error_clear(&site->err);
	int status = source_sqlserver.fetch(site->source, &request, &site->batch, &site->err);
	if (status != 0) {
		return status;
	}
	struct buf encoded;
	buf_init(&encoded, 0);
	for (size_t i = 0; i < site->batch.record_count; i++) {
		buf_clear(&encoded);
		assert_int_equal(record_encode(&site->batch.records[i], &encoded, &site->err), 0);
		site_take(site, &site->batch.records[i]);
	}
	buf_done(&encoded);
	if (site->batch.note != NULL) {
		buf_put_text(&site->notes, site->batch.note);
		buf_put_byte(&site->notes, '\n');
	}
	buf_clear(&site->cursor);
	buf_put_str(&site->cursor, buf_str(&site->next));
	return 0;
}

/* Fetches to the end; passing errors up to `tries` times. */
static inline void site_drain(struct site *site, int tries)
{
	do {
		int status = site_fetch(site);
		if (status == -ERR_AGAIN && tries-- > 0) {
			site->batch.more = true;
			continue;
		}
		if (status != 0) {
			print_message("%s\n", site->err.text);
		}
		assert_int_equal(status, 0);
	} while (site->batch.more);
}

static inline void site_fault(struct site *site, const char *line)
{
	assert_int_equal(tds_server_fault(site->server, str_of(line), &site->err), 0);
}

static inline bool site_has(const struct buf *text, const char *part)
{
	return str_find(buf_str(text), str_of(part), 0) >= 0;
}

#endif
