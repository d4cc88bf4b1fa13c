/* How many records a second the join takes in, and what it keeps for each: requests with four statements, in order of time. */
#include "correlator/join/join.h"

#include "base/clock.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BATCH       8192
#define T0          INT64_C(1700000000000000000)
#define PER_REQUEST 4
#define SESSIONS    64
#define STEP_NS     INT64_C(2000000)
#define LATENCY_MS  200
#define TEXT_MAX    256

struct texts {
	char x[64], l[64], r[64], connection[64], key[64];
	char context[TEXT_MAX];
};

static int64_t resident_bytes(void)
{
	long pages = 0;
	FILE *file = fopen("/proc/self/statm", "re");
	if (file != NULL) {
		if (fscanf(file, "%*d %ld", &pages) != 1) {
			pages = 0;
		}
		(void)fclose(file); /* only read */
	}
	return pages * 4096;
}

static void name_ids(struct texts *texts, uint64_t n)
{
	(void)snprintf(texts->x, 64, "%011" PRIx64 "AMEvFw=", n * 2654435761U);
	(void)snprintf(texts->l, 64, "%08" PRIx64 "-1111-4111-8111-%012" PRIx64, n, n * 7);
	(void)snprintf(texts->r, 64, "%08" PRIx64 "-2222-4222-8222-%012" PRIx64, n, n * 5);
	(void)snprintf(texts->context, TEXT_MAX,
		       "{\"querytrail\":\"qt1 x=%s l=%s r=%s p=user%" PRIu64 " t=1700000000000\"}",
		       texts->x, texts->l, texts->r, n % 500);
	(void)snprintf(texts->connection, 64, "CCCCCCCC-0000-4000-8000-%012" PRIx64, n % SESSIONS);
}

static void make_request(struct texts *texts, uint64_t n, char user[32], struct record *out)
{
	record_init(out, RECORD_REQUEST);
	out->source = STR_LIT("api");
	(void)snprintf(texts->key, 64, "%026" PRIu64, n);
	out->key = str_of(texts->key);
	out->time_ns = T0 + (int64_t)n * STEP_NS;
	record_set_text(out, FIELD_extended_request_id, str_of(texts->x));
	record_set_text(out, FIELD_lambda_request_id, str_of(texts->l));
	record_set_text(out, FIELD_request_id, str_of(texts->r));
	(void)snprintf(user, 32, "user%" PRIu64, n % 500);
	record_set_text(out, FIELD_user, str_of(user));
	record_set_text(out, FIELD_route, STR_LIT("GET /orders/{id}"));
	record_set_number(out, FIELD_status, 200);
	record_set_number(out, FIELD_latency_ms, LATENCY_MS);
}

static void make_statement(struct texts *texts, uint64_t n, uint64_t part, struct record *out)
{
	record_init(out, RECORD_STATEMENT);
	out->source = STR_LIT("db");
	(void)snprintf(texts->key, 64, "%015" PRIx64, n * PER_REQUEST + part);
	out->key = str_of(texts->key);
	out->time_ns = T0 + (int64_t)n * STEP_NS + (int64_t)(part + 1) * 30000000;
	record_set_text(out, FIELD_action, STR_LIT("SL  "));
	record_set_text(out, FIELD_server, STR_LIT("SQLPROD01"));
	record_set_text(out, FIELD_principal, STR_LIT("svc_orders"));
	record_set_text(out, FIELD_application, STR_LIT("orders-service"));
	record_set_text(out, FIELD_connection_id, str_of(texts->connection));
	record_set_number(out, FIELD_session_id, 51 + (int64_t)(n % SESSIONS));
	record_set_text(out, FIELD_session_context, str_of(texts->context));
	record_set_text(
		out, FIELD_statement,
		STR_LIT("SELECT o.Id, o.Total, c.Name FROM sales.Orders o JOIN crm.Customers c "
			"ON c.Id = o.CustomerId WHERE o.Id = 71000123 AND o.State <> N'closed'"));
	record_set_text(out, FIELD_file, STR_LIT("app_6A2F_0_133456789012345678.sqlaudit"));
	record_set_number(out, FIELD_file_offset, (int64_t)(n / 64) * 4096);
	record_set_number(out, FIELD_sequence, 1);
}

int main(int argc, char **argv)
{
	uint64_t requests = argc > 1 && strcmp(argv[1], "--quick") == 0 ? 20000 : 200000;
	struct join_options options = {.tolerance_ns = 100000000,
				       .slack_ns = INT64_C(5000000000),
				       .provisional_ns = INT64_C(120000000000),
				       .max_records = 20000000};
	struct join *join;
	struct error err;
	if (join_new(&options, &join, &err) != 0) {
		return 1;
	}
	static struct texts texts;
	static struct record record;
	char user[32];
	uint64_t leaf = 0, verdicts = 0;
	int64_t before_bytes = resident_bytes(), join_ns = 0;
	for (uint64_t n = 0; n < requests; n++) {
		name_ids(&texts, n);
		for (uint64_t part = 0; part <= PER_REQUEST; part++) {
			if (part < PER_REQUEST) {
				make_statement(&texts, n, part, &record);
			} else {
				make_request(&texts, n, user, &record);
			}
			int64_t ready_ns = clock_monotonic_ns();
			if (join_add(join, leaf++, &record, &err) != 0) {
				return 1;
			}
			if (leaf % BATCH == 0) {
				struct join_verdict verdict;
				join_settle(join, record.time_ns, record.time_ns);
				while (join_take(join, &verdict)) {
					verdicts++;
				}
			}
			join_ns += clock_monotonic_ns() - ready_ns;
		}
	}
	printf("join: %" PRIu64 " records, %" PRIu64 " verdicts, %.0f records/s, %.0f B a record\n",
	       leaf, verdicts, (double)leaf * 1e9 / (double)join_ns,
	       (double)(resident_bytes() - before_bytes) / (double)leaf);
	join_free(join);
	return 0;
}
