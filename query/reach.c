#include "query/reach.h"

#include "base/hash.h"
#include "query/block-atoms.h"
#include "query/run.h"
#include "store/scan.h"

#include <stdio.h>

#define STANDING_MAX (1u << 28)
#define RANK_SHIFT   40 /* leaves are below */
#define RANK_MAX     ((1u << 24) - 1)
#define EVERY_KIND   ((1u << RECORD_KIND_COUNT) - 2)

struct search { /* what is looked for in verdicts and alerts */
	struct reach *reach;
	const struct plan *plan;
	struct block_atoms atoms;
	struct leafset
		alone; /* requests that match by themselves; those with statements are in trails that matched, or do not match */
	struct leafset named; /* of them: those with statements */
	struct u64map
		standing; /* statement to the rank of its newest verdict, of statements that a verdict puts under a request of ours */
	struct u64map
		request; /* statement to the request that this verdict names; RUN_NO_LEAF: none */
};

/* What one pass does with the rows of a kind. */
typedef int pass_fn(struct search *search, const struct scan_block *block, struct error *err);

struct columns {
	struct scan_rows rows;
	const int64_t *statement, *request;
};

/* Verdicts in the order in which they count: by revision, then leaf. */
static uint64_t rank_of(int64_t revision, uint64_t leaf)
{
	uint64_t count = revision < 0                    ? 0
			 : (uint64_t)revision < RANK_MAX ? (uint64_t)revision
							 : RANK_MAX;
	return count << RANK_SHIFT | (leaf & ((UINT64_C(1) << RANK_SHIFT) - 1));
}

static int load(const struct scan_block *block, enum record_kind kind, struct columns *out,
		struct error *err)
{
	int rc = scan_rows_of(block, kind, &out->rows, err);
	rc = rc < 0 ? rc : scan_number_of(block, kind, FIELD_statement_leaf, &out->statement, err);
	return rc < 0 ? rc : scan_number_of(block, kind, FIELD_request_leaf, &out->request, err);
}

static bool has(const struct leafset *set, int64_t leaf)
{
	return leaf >= 0 && leafset_has(set, (uint64_t)leaf);
}

static uint64_t leaf_or_none(int64_t leaf)
{
	return leaf >= 0 ? (uint64_t)leaf : RUN_NO_LEAF;
}

static void note_damage(struct reach *reach, const char *text)
{
	reach->damaged++;
	if (reach->damage[0] == 0) {
		(void)snprintf(reach->damage, sizeof reach->damage, "%s", text); /* as long */
	}
}

static int no_memory(struct error *err)
{
	return error_set(err, ERR_NOMEM, "no memory for what belongs to the records found");
}

/* Requests of which the filter holds without a statement. */
static int find_alone(struct search *search, const struct scan_block *block, struct error *err)
{
	const struct plan *plan = search->plan;
	struct scan_rows requests;
	int rc = scan_rows_of(block, RECORD_REQUEST, &requests, err);
	rc = rc < 0 ? rc : block_atoms_load(&search->atoms, plan, 1u << RECORD_REQUEST, block, err);
	for (size_t i = 0; rc == 0 && i < requests.count; i++) {
		uint32_t row = requests.row[i];
		uint64_t leaf = scan_leaves(block)[row];
		int64_t time_ns = scan_times(block)[row];
		uint64_t bits = search->atoms.bits[row] | plan_lone_atoms(plan, time_ns, leaf);
		if (plan_time(plan, time_ns) && plan_holds(plan, bits) &&
		    !leafset_has(&search->reach->requests, leaf)) {
			rc = leafset_add(&search->alone, leaf, leaf, err);
		}
	}
	return rc;
}

/* Statements that any verdict puts under one of the requests. */
static int list_candidates(struct search *search, const struct scan_block *block, struct error *err)
{
	struct columns verdicts;
	int rc = load(block, RECORD_VERDICT, &verdicts, err);
	for (size_t i = 0; rc == 0 && i < verdicts.rows.count; i++) {
		if (verdicts.statement[i] < 0 ||
		    (!has(&search->reach->requests, verdicts.request[i]) &&
		     !has(&search->alone, verdicts.request[i]))) {
			continue;
		}
		if (u64map_put(&search->standing, (uint64_t)verdicts.statement[i], 0) < 0) {
			rc = no_memory(err);
		}
	}
	return rc;
}

/* The newest verdict on each of them. */
static int find_standing(struct search *search, const struct scan_block *block, struct error *err)
{
	struct columns verdicts;
	const int64_t *revision = NULL;
	int rc = load(block, RECORD_VERDICT, &verdicts, err);
	rc = rc < 0 ? rc : scan_number_of(block, RECORD_VERDICT, FIELD_revision, &revision, err);
	for (size_t i = 0; rc == 0 && i < verdicts.rows.count; i++) {
		uint64_t leaf = scan_leaves(block)[verdicts.rows.row[i]];
		uint64_t rank = rank_of(revision[i], leaf);
		uint64_t statement = leaf_or_none(verdicts.statement[i]);
		uint64_t *newest = u64map_get(&search->standing, statement);
		if (newest == NULL || *newest > rank) {
			continue;
		}
		*newest = rank;
		if (u64map_put(&search->request, statement, leaf_or_none(verdicts.request[i])) <
		    0) {
			rc = no_memory(err);
		}
	}
	return rc;
}

/* Verdicts and alerts on what is found. */
static int take_kind(struct search *search, const struct scan_block *block, enum record_kind kind,
		     struct error *err)
{
	struct columns found;
	struct reach *reach = search->reach;
	struct leafset *set = kind == RECORD_VERDICT ? &reach->verdicts : &reach->alerts;
	int rc = load(block, kind, &found, err);
	for (size_t i = 0; rc == 0 && i < found.rows.count; i++) {
		bool on_statement = found.statement[i] >= 0;
		bool ours = on_statement ? has(&reach->statements, found.statement[i])
					 : has(&reach->requests, found.request[i]);
		if (ours) {
			uint64_t leaf = scan_leaves(block)[found.rows.row[i]];
			rc = leafset_add(set, leaf, leaf, err);
		}
	}
	return rc;
}

static int take_about(struct search *search, const struct scan_block *block, struct error *err)
{
	unsigned held = scan_held(block);
	int rc = (held >> RECORD_VERDICT & 1) != 0 ? take_kind(search, block, RECORD_VERDICT, err)
						   : 0;
	return rc == 0 && (held >> RECORD_ALERT & 1) != 0
		       ? take_kind(search, block, RECORD_ALERT, err)
		       : rc;
}

static bool is_ours(const struct reach *reach, uint8_t kind, uint64_t leaf)
{
	switch ((enum record_kind)kind) {
	case RECORD_REQUEST:
		return leafset_has(&reach->requests, leaf);
	case RECORD_STATEMENT:
		return leafset_has(&reach->statements, leaf);
	case RECORD_VERDICT:
		return leafset_has(&reach->verdicts, leaf);
	case RECORD_ALERT:
		return leafset_has(&reach->alerts, leaf);
	case RECORD_ACCESS:
	case RECORD_LIFECYCLE:
	case RECORD_GAP:
	case RECORD_REJECT:
		return false;
	}
	return false;
}

/* The times of what is found, and where it stands. */
static int take_places(struct search *search, const struct scan_block *block, struct error *err)
{
	struct reach *reach = search->reach;
	uint64_t ours = 0;
	(void)err;
	for (size_t row = 0; row < scan_row_count(block); row++) {
		uint8_t kind = scan_kinds(block)[row];
		if (!is_ours(reach, kind, scan_leaves(block)[row])) {
			continue;
		}
		ours++;
		if (kind == RECORD_REQUEST || kind == RECORD_STATEMENT) {
			int64_t time_ns = scan_times(block)[row];
			reach->from_ns = time_ns < reach->from_ns ? time_ns : reach->from_ns;
			reach->to_ns = time_ns > reach->to_ns ? time_ns : reach->to_ns;
		}
	}
	bool sealed = scan_number(block) != 0;
	reach->of_blocks += sealed ? 1 : 0;
	reach->blocks += sealed && ours > 0 ? 1 : 0;
	reach->in_head += sealed ? 0 : ours;
	return 0;
}

/* One pass over the blocks with these kinds; damage counts when told to. */
static int pass(struct store *store, unsigned kinds, struct search *search, pass_fn *each,
		struct error *err)
{
	const struct scan_options options = {
		.kinds = kinds, .from_ns = INT64_MIN, .to_ns = INT64_MAX};
	struct scan *scan = NULL;
	const struct scan_block *block = NULL;
	int rc = scan_open(store, &options, &scan, err);
	while (rc == 0) {
		rc = scan_next(scan, &block, err);
		if (rc == 0 && (scan_held(block) & kinds) != 0) {
			rc = each(search, block, err);
		}
		if (rc == -ERR_CORRUPT) {
			note_damage(search->reach, err->text);
			rc = 0;
		}
	}
	scan_close(scan);
	return rc == -ERR_GONE ? 0 : rc;
}

/* What the filter itself finds. */
static int take_rows(struct reach *reach, const struct run_result *found, struct error *err)
{
	int rc = 0;
	for (size_t i = 0; rc == 0 && i < found->row_count; i++) {
		const struct run_row *row = &found->rows[i];
		bool lone = row->leaf == row->request_leaf;
		if (!lone) {
			rc = leafset_add(&reach->statements, row->leaf, row->leaf, err);
		}
		if (rc == 0 && row->request_leaf != RUN_NO_LEAF) {
			rc = leafset_add(&reach->requests, row->request_leaf, row->request_leaf,
					 err);
		}
	}
	leafset_settle(&reach->requests);
	leafset_settle(&reach->statements);
	if (found->damage[0] != 0) {
		note_damage(reach, found->damage);
	}
	return rc;
}

/* Adds those requests that match alone and are alone. */
static int take_alone(struct search *search, struct error *err)
{
	struct leafset *requests = &search->reach->requests;
	int rc = 0;
	leafset_settle(&search->named);
	for (size_t i = 0; rc == 0 && i < search->alone.run_count; i++) {
		const struct leafset_run *run = &search->alone.runs[i];
		for (uint64_t leaf = run->first; rc == 0 && leaf <= run->last; leaf++) {
			bool is_alone = !leafset_has(&search->named, leaf);
			rc = is_alone ? leafset_add(requests, leaf, leaf, err) : 0;
		}
	}
	leafset_settle(requests);
	return rc;
}

/* All statements of the requests; and which of those that match alone have none. */
static int take_statements(struct store *store, struct search *search, struct error *err)
{
	struct reach *reach = search->reach;
	const unsigned verdicts = 1u << RECORD_VERDICT;
	size_t cursor = 0;
	uint64_t statement = 0;
	uint64_t request = 0;
	int rc = pass(store, 1u << RECORD_REQUEST, search, find_alone, err);
	leafset_settle(&search->alone);
	if (rc < 0 || (reach->requests.run_count == 0 && search->alone.run_count == 0)) {
		return rc;
	}
	rc = pass(store, verdicts, search, list_candidates, err);
	rc = rc < 0 ? rc : pass(store, verdicts, search, find_standing, err);
	while (rc == 0 && u64map_next(&search->request, &cursor, &statement, &request)) {
		if (request != RUN_NO_LEAF && leafset_has(&reach->requests, request)) {
			rc = leafset_add(&reach->statements, statement, statement, err);
		} else if (request != RUN_NO_LEAF && leafset_has(&search->alone, request)) {
			rc = leafset_add(&search->named, request, request, err);
		}
	}
	leafset_settle(&reach->statements);
	return rc < 0 ? rc : take_alone(search, err);
}

static int collect(struct store *store, struct search *search, struct error *err)
{
	struct reach *reach = search->reach;
	struct run_result found;
	int rc = run_plan(store, search->plan, &found, err);
	if (rc < 0) {
		return rc;
	}
	rc = take_rows(reach, &found, err);
	run_result_clear(&found);
	if (rc == 0 && plan_given_up(search->plan) > 0) { /* they may be meant */
		rc = error_set(
			err, ERR_LIMIT,
			"the regular expression took too much work on %llu texts, so what is "
			"meant is not known; a simpler one is needed",
			(unsigned long long)plan_given_up(search->plan));
	}
	rc = rc < 0 ? rc : take_statements(store, search, err);
	rc = rc < 0 ? rc
		    : pass(store, 1u << RECORD_VERDICT | 1u << RECORD_ALERT, search, take_about,
			   err);
	leafset_settle(&reach->verdicts);
	leafset_settle(&reach->alerts);
	return rc < 0 ? rc : pass(store, EVERY_KIND, search, take_places, err);
}

int reach_find(struct store *store, const struct plan *plan, struct reach *out_reach,
	       struct error *err)
{
	struct search search = {.reach = out_reach, .plan = plan};
	*out_reach = (struct reach){.from_ns = INT64_MAX, .to_ns = INT64_MIN};
	u64map_init(&search.standing, STANDING_MAX);
	u64map_init(&search.request, STANDING_MAX);
	int rc = collect(store, &search, err);
	u64map_done(&search.standing);
	u64map_done(&search.request);
	leafset_done(&search.alone);
	leafset_done(&search.named);
	block_atoms_done(&search.atoms);
	return rc;
}

void reach_done(struct reach *reach)
{
	leafset_done(&reach->requests);
	leafset_done(&reach->statements);
	leafset_done(&reach->verdicts);
	leafset_done(&reach->alerts);
}

int reach_add_to(const struct reach *reach, struct leafset *set, struct error *err)
{
	int rc = leafset_unite(set, &reach->requests, err);
	rc = rc < 0 ? rc : leafset_unite(set, &reach->statements, err);
	rc = rc < 0 ? rc : leafset_unite(set, &reach->verdicts, err);
	return rc < 0 ? rc : leafset_unite(set, &reach->alerts, err);
}
