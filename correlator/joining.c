#include "correlator/joining.h"

#include "base/clock.h"

#include <stdlib.h>

#define VISITS_MAX (1u << 20)
#define LONGEST_NS (60 * NS_PER_SEC) /* a request without a latency counts as long as this */

/* What a block was visited for, in this order. */
enum visit { VISIT_NONE, VISIT_STATEMENTS, VISIT_PROVISIONAL, VISIT_FINAL };

/* a - b, held at the ends of int64, which stand for never and always. */
static int64_t less(int64_t a, int64_t b)
{
	int64_t difference;
	if (a == INT64_MAX || a == INT64_MIN || __builtin_sub_overflow(a, b, &difference)) {
		return a;
	}
	return difference;
}

int joining_init(struct joining *joining, const struct join_options *options, struct recall *recall,
		 uint64_t end, struct error *err)
{
	*joining = (struct joining){.recall = recall,
				    .end = end,
				    .provisional_ns = options->provisional_ns,
				    .reach_ns = options->slack_ns + LONGEST_NS,
				    .final_ns = INT64_MIN,
				    .said_ns = INT64_MIN};
	joining->later.near_ns = JOINING_NEAR_NS;
	joining->visits_max = JOINING_VISITED;
	u64map_init(&joining->visited, VISITS_MAX);
	for (size_t i = 0; i < options->clock_count; i++) {
		int64_t offset_ns = options->clocks[i].offset_ns;
		joining->reach_ns += offset_ns < 0 ? -offset_ns : offset_ns;
	}
	int rc = join_new(options, &joining->join, err);
	if (rc == 0 && recall != NULL && end > 0) {
		join_seal(joining->join, end);
	}
	return rc;
}

void joining_done(struct joining *joining)
{
	join_free(joining->join);
	u64map_done(&joining->visited);
	outside_later_done(&joining->later);
	free(joining->named);
	*joining = (struct joining){0};
}

int joining_restore(struct joining *joining, uint64_t leaf, const struct record *verdict,
		    struct error *err)
{
	if (joining->end > 0 && record_has(verdict, FIELD_statement_leaf)) {
		if (joining->named_count == joining->named_room) {
			size_t room = joining->named_room < 64 ? 64 : joining->named_room * 2;
			struct joining_named *named =
				reallocarray(joining->named, room, sizeof *named);
			if (named == NULL) {
				return error_set(err, ERR_NOMEM, "no memory for the verdicts");
			}
			joining->named = named;
			joining->named_room = room;
		}
		joining->named[joining->named_count++] = (struct joining_named){
			.statement = (uint64_t)record_number(verdict, FIELD_statement_leaf, 0),
			.request = (uint64_t)record_number(verdict, FIELD_request_leaf, -1),
			.revision = record_number(verdict, FIELD_revision, 0)};
	}
	return join_restore(joining->join, leaf, verdict, err);
}

static int by_statement(const void *a, const void *b)
{
	const struct joining_named *x = a, *y = b;
	if (x->statement != y->statement) {
		return x->statement < y->statement ? -1 : 1;
	}
	return x->revision < y->revision ? -1 : x->revision > y->revision;
}

/* What the verdicts of the head changed of sealed records. */
static int revisit(struct joining *joining, struct error *err)
{
	int rc = 0;
	if (joining->named_count > 1) {
		qsort(joining->named, joining->named_count, sizeof *joining->named, by_statement);
	}
	for (size_t i = 0; rc == 0 && i < joining->named_count; i++) {
		const struct joining_named *named = &joining->named[i];
		bool newest =
			i + 1 == joining->named_count || named[1].statement != named->statement;
		if (newest && named->revision > 0 && named->statement < joining->end) {
			rc = outside_revisit(joining->recall, joining->join, named->statement, err);
		} else if (!newest && named->request < joining->end) {
			rc = outside_left(joining->recall, joining->join, named->request, err);
		}
	}
	free(joining->named);
	joining->named = NULL;
	joining->named_count = joining->named_room = 0;
	return rc;
}

int joining_started(struct joining *joining, int64_t statements_ns, struct error *err)
{
	size_t count = 0;
	if (joining->recall == NULL || joining->end == 0) {
		return 0;
	}
	int rc = revisit(joining, err);
	int64_t young_ns = less(statements_ns, joining->reach_ns);
	const struct recall_block *blocks = recall_blocks(joining->recall, &count);
	bool known = statements_ns != INT64_MIN && statements_ns != INT64_MAX;
	for (size_t i = count; known && rc == 0 && i-- > 0 && blocks[i].max_time_ns >= young_ns;) {
		const struct outside_look look = {
			.place = i, .young_ns = young_ns, .unsaid_only = true, .most = SIZE_MAX};
		uint32_t next = 0;
		rc = outside_visit(joining->recall, joining->join, &look, &next, err);
	}
	return rc;
}

void joining_settle(struct joining *joining, int64_t requests_ns, int64_t statements_ns)
{
	int64_t newest_ns = requests_ns > statements_ns ? requests_ns : statements_ns;
	int64_t oldest_ns = requests_ns < statements_ns ? requests_ns : statements_ns;
	bool ends = newest_ns == INT64_MAX && oldest_ns != INT64_MIN;
	int64_t said_ns = less(ends ? oldest_ns : newest_ns, joining->provisional_ns);
	int64_t final_ns = less(oldest_ns, joining->reach_ns);
	joining->said_ns = said_ns > joining->said_ns ? said_ns : joining->said_ns;
	joining->final_ns = final_ns > joining->final_ns ? final_ns : joining->final_ns;
	joining->lone = joining->lone || statements_ns != INT64_MIN;
	joining->waits = false;
	join_settle(joining->join, requests_ns, statements_ns);
}

static enum visit due(const struct joining *joining, const struct recall_block *block)
{
	if (!block->is_open) {
		return VISIT_NONE;
	}
	if (joining->final_ns == INT64_MAX || block->max_time_ns < joining->final_ns) {
		return VISIT_FINAL;
	}
	if (joining->said_ns != INT64_MAX && block->max_time_ns >= joining->said_ns) {
		return VISIT_NONE;
	}
	return joining->lone ? VISIT_PROVISIONAL : VISIT_STATEMENTS;
}

/* Visits a block, or the next part of it. */
static int visit(struct joining *joining, size_t place, enum visit now, struct error *err)
{
	size_t count = 0;
	uint64_t number = recall_blocks(joining->recall, &count)[place].number;
	size_t before = join_count(joining->join);
	struct outside_look look = {.place = place,
				    .young_ns = INT64_MAX,
				    .unsaid_only = now != VISIT_FINAL,
				    .statements_only = now == VISIT_STATEMENTS,
				    .most = joining->visits_max};
	bool on = joining->half_visited == number && joining->half_now == now;
	look.first_row = on ? joining->half_row : 0;
	int rc = outside_visit(joining->recall, joining->join, &look, &joining->half_row, err);
	bool whole = joining->half_row == OUTSIDE_DONE;
	joining->half_visited = whole ? 0 : number;
	joining->half_now = now;
	joining->visits += join_count(joining->join) - before;
	joining->most_visits =
		joining->visits > joining->most_visits ? joining->visits : joining->most_visits;
	if (rc == 0 && whole && u64map_put(&joining->visited, number, now) != 0) {
		return error_set(err, ERR_NOMEM, "no memory for the blocks visited");
	}
	return rc;
}

/* Visits the first block that is due and was not visited so; *out_visited: there was one. */
static int visit_next(struct joining *joining, bool *out_visited, struct error *err)
{
	size_t count = 0;
	const struct recall_block *blocks = recall_blocks(joining->recall, &count);
	*out_visited = false;
	for (size_t i = 0; i < count; i++) {
		enum visit now = due(joining, &blocks[i]);
		const uint64_t *was = u64map_get(&joining->visited, blocks[i].number);
		if (now <= (was == NULL ? VISIT_NONE : *was)) {
			continue;
		}
		joining->waits = joining->visits >= joining->visits_max;
		*out_visited = !joining->waits;
		return joining->waits ? 0 : visit(joining, i, now, err);
	}
	return 0;
}

int joining_answer(struct joining *joining, bool *out_again, struct error *err)
{
	size_t count = 0;
	*out_again = false;
	joining->waits = false;
	if (joining->recall == NULL || joining->end == 0) {
		return 0;
	}
	size_t blocks = 0;
	(void)recall_blocks(joining->recall, &blocks);
	int rc = outside_answer(joining->recall, joining->join,
				blocks > JOINING_PUT_OFF ? &joining->later : NULL, &count, err);
	*out_again = count > 0;
	if (rc < 0 || count > 0) {
		return rc;
	}
	if (joining->later.count < JOINING_LATER) {
		rc = visit_next(joining, out_again, err);
	}
	bool all = joining->final_ns == INT64_MAX && !joining->waits;
	if (rc == 0 && !*out_again && joining->later.count >= (all ? 1 : JOINING_LATER)) {
		*out_again = true;
		rc = outside_look_up(joining->recall, joining->join, &joining->later, err);
	}
	return rc;
}

static int forget(struct joining *joining, struct error *err)
{
	size_t before = join_count(joining->join);
	int rc = join_forget(joining->join, err);
	joining->kept = join_count(joining->join);
	size_t gone = before - joining->kept;
	joining->visits -= gone < joining->visits ? gone : joining->visits;
	return rc;
}

int joining_sealed(struct joining *joining, uint64_t end, struct error *err)
{
	joining->end = end;
	join_seal(joining->join, end);
	return forget(joining, err);
}

void joining_go_on(struct joining *joining)
{
	joining->visits = 0;
}

int joining_forget(struct joining *joining, struct error *err)
{
	if (joining->end == 0 || join_count(joining->join) < joining->kept + JOINING_RECORDS) {
		return 0;
	}
	return forget(joining, err);
}
