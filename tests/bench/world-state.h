/* world-state - what the parts of the data set's writer share. Internal to tests/bench/world*.c. */
#ifndef TESTS_BENCH_WORLD_STATE_H
#define TESTS_BENCH_WORLD_STATE_H

#include "tests/bench/world.h"

#include <assert.h>
#include <string.h>

#define TICKS_PER_MS  INT64_C(10000) /* a tick is 100 ns, the resolution of event_time */
#define TICKS_PER_SEC (1000 * TICKS_PER_MS)
#define PENDING_BYTES 3072

/* A line that waits for its turn; a row's lacks what only the order of the file decides. */
struct pending {
	int64_t at_ticks;
	uint64_t number; /* decides among equals */
	int64_t start_ticks;
	bool is_write; /* takes a new transaction id */
	size_t front_bytes, len;
	char bytes[PENDING_BYTES];
};

struct queue {
	struct pending **heap; /* the first is the earliest */
	size_t count, capacity;
	struct pending **unused;
	size_t unused_count;
	uint64_t next_number;
};

/* An own text with an end that is checked. */
struct line {
	char *ptr;
	size_t len, max;
};

static inline void line_put(struct line *line, const char *bytes, size_t len)
{
	assert(line->len + len <= line->max);
	memcpy(line->ptr + line->len, bytes, len);
	line->len += len;
}

#define line_lit(line, text) line_put(line, text "", sizeof(text) - 1)

static inline void line_text(struct line *line, const char *text)
{
	line_put(line, text, strlen(text));
}

/* A number in decimal with at least this many digits (1..20). */
void line_number(struct line *line, uint64_t number, size_t digits);

/* "2026-11-22T10:00:00" or "22/Nov/2026:10:00:00 +0000" of whole seconds since 1970; the last one is kept. */
struct second_text {
	int64_t second;
	char iso[24], common[32];
};
const struct second_text *second_text(struct second_text *kept, int64_t second);

struct request {
	struct plan_route *route; /* its tables of bits fill up */
	const struct plan_user *user;
	const struct plan_session *session;
	int64_t start_ticks;
	uint32_t path_id;       /* 0: none */
	uint32_t first_integer; /* of the rows so far; 0: none */
	uint32_t overhead_ms, integration_ms;
	unsigned status;
	char id[40];
};

struct world {
	struct world_options options;
	struct world_sink sink;
	struct dice dice;
	struct world_plan *plan;
	struct world_shape *shape;
	struct queue queue[WORLD_FILES];
	struct second_text row_second, line_second;
	int64_t begin_ticks, now_ticks, adhoc_ticks, day_ticks, last_start_ticks;
	double arrival_ms; /* since the beginning */
	uint64_t transaction, file_offset, order_counter;
	char file_name[128];
};

/* A place for a line, or NULL when memory is out. It goes back by queue_push and queue_pop. */
struct pending *queue_take(struct queue *queue);
void queue_push(struct queue *queue, struct pending *pending);
/* Removes the earliest; it may be used until the next queue_take. The queue is not empty. */
struct pending *queue_pop(struct queue *queue);
void queue_done(struct queue *queue);

/* Makes the gateway's line of a request. */
void access_render(struct world *world, const struct request *request, struct pending *out);

/* Makes the row of a template run by a request, or by a login when request is NULL; its duration, in ticks, is the result. */
double audit_render(struct world *world, struct request *request, size_t template_number,
		    struct pending *out);

/* The id of a customer; of one of the newest orders. */
uint32_t draw_customer(struct dice *dice, enum world_field field);
uint32_t draw_order(struct world *world, enum world_field field);

/* The whole line of a row whose turn it is: gives it file, offset and transaction. */
void audit_finish(struct world *world, const struct pending *row, struct line *line);

#endif
