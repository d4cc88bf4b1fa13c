#include "query/hold-reach.h"

#include "base/arena.h"

#include <stdio.h>
#include <stdlib.h>

#define ARENA_MAX (4u << 20)

int hold_reach_find(struct store *store, const struct hold *hold, struct reach *out_reach,
		    struct error *err)
{
	const struct zone zone = zone_utc();
	const struct plan_options options = {
		.from_ns = INT64_MIN, .to_ns = INT64_MAX, .context = {&zone, hold->since_ns}};
	struct arena arena;
	struct query query;
	*out_reach = (struct reach){0};
	struct plan *plan = calloc(1, sizeof *plan);
	if (plan == NULL) {
		return error_set(err, ERR_NOMEM, "no memory for the query");
	}
	arena_init(&arena, ARENA_MAX);
	int rc = query_parse(hold->filter, &arena, &query, err);
	rc = rc < 0 ? rc : plan_make(&query, &options, plan, err);
	rc = rc < 0 ? rc : reach_find(store, plan, out_reach, err);
	if (rc < 0) {
		error_prefix(err, "legal hold %.*s", STR_ARG(hold->name));
	}
	arena_done(&arena);
	free(plan);
	return rc;
}

static int add_cover(struct hold_covers *covers, struct store *store, const struct hold *hold,
		     struct error *err)
{
	struct hold_cover *cover = &covers->list[covers->count++];
	struct reach reach;
	cover->name = hold->name;
	leafset_init(&cover->leaves);
	int rc = hold_reach_find(store, hold, &reach, err);
	rc = rc < 0 ? rc : reach_add_to(&reach, &cover->leaves, err);
	if (reach.damaged > covers->damaged) {
		covers->damaged = reach.damaged;
		(void)snprintf(covers->damage, sizeof covers->damage, "%s",
			       reach.damage); /* as long */
	}
	reach_done(&reach);
	return rc;
}

int hold_covers_find(struct store *store, struct hold_covers *out_covers, struct error *err)
{
	*out_covers = (struct hold_covers){0};
	holds_init(&out_covers->holds);
	int rc = holds_read(store, &out_covers->holds, err);
	if (rc < 0) {
		return rc;
	}
	out_covers->list = calloc(out_covers->holds.count + 1, sizeof out_covers->list[0]);
	if (out_covers->list == NULL) {
		return error_set(err, ERR_NOMEM, "no memory for the legal holds");
	}
	for (size_t i = 0; rc == 0 && i < out_covers->holds.count; i++) {
		rc = add_cover(out_covers, store, &out_covers->holds.list[i], err);
	}
	return rc;
}

void hold_covers_done(struct hold_covers *covers)
{
	for (size_t i = 0; i < covers->count; i++) {
		leafset_done(&covers->list[i].leaves);
	}
	free(covers->list);
	holds_done(&covers->holds);
	*covers = (struct hold_covers){0};
}
