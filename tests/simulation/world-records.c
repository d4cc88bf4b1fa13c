#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/simulation/world-records.h"

#include "base/io.h"
#include "model/accesslog/accesslog.h"
#include "model/auditrow/auditrow.h"

#include <stdlib.h>
#include <unistd.h>

struct identity { /* of a statement in the truth */
	int64_t transaction_id;
	uint32_t statement;
};

static void keep(struct world_records *records, const struct record *record, uint32_t truth)
{
	struct error err;
	if (records->count == records->capacity) {
		records->capacity = records->capacity * 2 + 1024;
		records->item =
			reallocarray(records->item, records->capacity, sizeof *records->item);
		assert_non_null(records->item);
	}
	size_t offset = records->bytes.len;
	assert_int_equal(record_encode(record, &records->bytes, &err), 0);
	records->item[records->count++] = (struct world_item){
		.offset = offset,
		.len = records->bytes.len - offset,
		.time_ns = record->time_ns,
		.truth = truth,
		.is_request = record->kind == RECORD_REQUEST,
	};
}

static void read_requests(struct world_records *records, const struct world *world)
{
	static const char *const users[] = {"authorizer.claims.email", "identity.userArn",
					    "identity.apiKeyId"};
	struct accesslog_options options = {
		.format = world_format(world), .user_fields = users, .user_field_count = 3};
	struct accesslog_format *format = NULL;
	struct error err;
	struct arena arena;
	uint32_t count = 0;
	const struct world_request *requests = world_requests(world, &count);
	assert_int_equal(accesslog_format_new(&options, &format, &err), 0);
	arena_init(&arena, 16 << 20);
	for (uint32_t i = 0; i < count; i++) {
		struct record record;
		if (requests[i].visible_ns == INT64_MAX) {
			continue;
		}
		record_init(&record, RECORD_REQUEST);
		record.source = STR_LIT("gateway");
		record.key = str_slice(requests[i].event_id, 0, RECORD_KEY_MAX);
		record.time_ns = requests[i].time_ns;
		assert_int_equal(accesslog_parse(format, requests[i].line, &arena, &record, &err),
				 0);
		keep(records, &record, i);
		arena_clear(&arena);
	}
	arena_done(&arena);
	accesslog_format_free(format);
}

static int by_transaction(const void *a, const void *b)
{
	const struct identity *x = a, *y = b;
	return (x->transaction_id > y->transaction_id) - (x->transaction_id < y->transaction_id);
}

static struct identity *identities(const struct world *world, uint32_t *out_count)
{
	uint32_t row_count = 0;
	const struct world_statement *statements = world_statements(world, out_count);
	const struct world_row *rows = world_rows(world, &row_count);
	struct identity *all = reallocarray(NULL, *out_count + 1, sizeof *all);
	assert_non_null(all);
	for (uint32_t i = 0; i < *out_count; i++) {
		all[i] = (struct identity){rows[statements[i].first_row].transaction_id, i};
	}
	qsort(all, *out_count, sizeof *all, by_transaction);
	return all;
}

/* Keeps what the reassembly has complete. */
static void take_all(struct world_records *records, struct auditrow_joiner *joiner,
		     const struct world *world, bool connections)
{
	uint32_t count = 0;
	struct identity *all = identities(world, &count);
	struct arena arena;
	struct error err;
	struct record record;
	arena_init(&arena, 64 << 20);
	while (auditrow_joiner_take(joiner, &arena, &record, &err) == 0) {
		struct identity key = {record_number(&record, FIELD_transaction_id, -1), 0};
		const struct identity *found =
			bsearch(&key, all, count, sizeof *all, by_transaction);
		assert_non_null(found);
		if (!connections) {
			record_unset(&record, FIELD_connection_id);
		}
		record_unset(&record, FIELD_raw); /* not read by the join */
		keep(records, &record, found->statement);
		arena_clear(&arena);
	}
	arena_done(&arena);
	free(all);
}

static void read_file(const struct world *world, struct buf *out)
{
	char path[] = "/tmp/world-records.XXXXXX";
	struct error err;
	int fd = mkstemp(path);
	assert_true(fd >= 0);
	(void)close(fd); /* only its name is used */
	assert_int_equal(world_write_audit_rows(world, path), 0);
	assert_int_equal(io_read_file(path, 1 << 30, out, &err), 0);
	(void)unlink(path); /* ours */
}

static void read_statements(struct world_records *records, const struct world *world,
			    bool connections)
{
	struct buf lines;
	struct error err;
	struct arena arena;
	struct auditrow_joiner *joiner = auditrow_joiner_new(STR_LIT("database"), 1 << 30);
	struct auditrow *row = calloc(1, sizeof *row);
	assert_true(joiner != NULL && row != NULL);
	buf_init(&lines, 0);
	arena_init(&arena, 16 << 20);
	read_file(world, &lines);
	uint64_t ordinal = 0;
	for (struct str rest = buf_str(&lines); rest.len > 0;) {
		assert_int_equal(auditrow_parse_line(str_split(&rest, '\n'), &arena, row, &err), 0);
		auditrow_key(row, STR_LIT("file"), 0, ordinal++);
		assert_int_equal(auditrow_joiner_add(joiner, row, &err), 0);
		arena_clear(&arena);
	}
	auditrow_joiner_flush(joiner, true);
	take_all(records, joiner, world, connections);
	free(row);
	arena_done(&arena);
	auditrow_joiner_free(joiner);
	buf_done(&lines);
}

void world_records_read(struct world_records *records, const struct world *world, bool connections)
{
	*records = (struct world_records){0};
	buf_init(&records->bytes, 0);
	read_requests(records, world);
	read_statements(records, world, connections);
}

void world_records_free(struct world_records *records)
{
	buf_done(&records->bytes);
	free(records->item);
	*records = (struct world_records){0};
}

void world_records_get(const struct world_records *records, size_t index, struct record *out)
{
	struct error err;
	struct str bytes = str_slice(buf_str(&records->bytes), records->item[index].offset,
				     records->item[index].len);
	assert_int_equal(record_decode(bytes, out, &err), 0);
}
