#include "tests/simulation/join-oracle.h"

#define UNKNOWN_END_MS 60000

enum { COLUMN, TOLD, REPLAYED, APPLICATION, COMMENT, CARRIERS };

struct lead {     /* where a claim leads */
	int line; /* -1: nowhere */
	char by;  /* x, l or r */
	bool reused, disagree;
};

bool oracle_same(const struct small_world *world, int a, int b)
{
	const struct small_line *x = &world->line[a], *y = &world->line[b];
	return x->x == y->x && x->l == y->l && x->r == y->r && x->time_ns == y->time_ns &&
	       x->latency_ms == y->latency_ms && x->user == y->user && x->route == y->route;
}

static int id_of_line(const struct small_line *line, char kind)
{
	return kind == 'x' ? line->x : kind == 'l' ? line->l : line->r;
}

static int id_of_claim(const struct small_claim *claim, char kind)
{
	return kind == 'x' ? claim->x : kind == 'l' ? claim->l : claim->r;
}

static bool agrees(const struct small_world *world, int line, const struct small_claim *claim)
{
	for (const char *kind = "xlr"; *kind != '\0'; kind++) {
		int a = id_of_claim(claim, *kind), b = id_of_line(&world->line[line], *kind);
		if (a >= 0 && b >= 0 && a != b) {
			return false;
		}
	}
	return true;
}

/* The first line that bears an id, or -1; whether another, different one does too. */
static int bearer(const struct small_world *world, char kind, int id, bool *out_reused)
{
	int first = -1;
	*out_reused = false;
	for (int i = 0; id >= 0 && i < world->line_count; i++) {
		if (id_of_line(&world->line[i], kind) != id) {
			continue;
		}
		*out_reused = *out_reused || (first >= 0 && !oracle_same(world, first, i));
		first = first < 0 ? i : first;
	}
	return first;
}

static struct lead follow(const struct small_world *world, const struct small_claim *claim)
{
	struct lead lead = {.line = -1};
	bool reused_r = false;
	for (const char *kind = "xlr"; *kind != '\0'; kind++) {
		bool reused;
		int line = bearer(world, *kind, id_of_claim(claim, *kind), &reused);
		if (reused) {
			lead.reused = lead.reused || *kind != 'r';
			reused_r = reused_r || *kind == 'r';
		} else if (line >= 0 && lead.line < 0) {
			lead.line = line;
			lead.by = *kind;
		} else if (line >= 0) {
			lead.disagree = lead.disagree || !oracle_same(world, line, lead.line);
		}
	}
	lead.reused = lead.reused || (reused_r && lead.line < 0);
	lead.disagree = lead.disagree || (lead.line >= 0 && !agrees(world, lead.line, claim));
	return lead;
}

static bool before(const struct small_row *a, const struct small_row *b)
{
	return a->time_ns != b->time_ns ? a->time_ns < b->time_ns : a->sequence < b->sequence;
}

/* The next row of the session after `after` (NULL: the first). */
static const struct small_row *next_row(const struct small_world *world, int session,
					const struct small_row *after)
{
	const struct small_row *best = NULL;
	for (int i = 0; i < world->row_count; i++) {
		const struct small_row *row = &world->row[i];
		if (row->session == session && (after == NULL || before(after, row)) &&
		    (best == NULL || before(row, best))) {
			best = row;
		}
	}
	return best;
}

/* Runs through the session up to and including row; what governs it stands in *told and *replayed then. */
static void registers(const struct small_world *world, const struct small_row *row,
		      const struct small_row **told, const struct small_row **replayed)
{
	*told = *replayed = NULL;
	if (row->session < 0) {
		*told = row->kind == SMALL_TELLS ? row : NULL;
		*replayed = row->kind == SMALL_SETS ? row : NULL;
		return;
	}
	for (const struct small_row *at = next_row(world, row->session, NULL); at != NULL;
	     at = next_row(world, row->session, at)) {
		if (at->kind == SMALL_LOGIN || at->kind == SMALL_LOGOUT) {
			*told = *replayed = NULL;
		}
		*told = at->kind == SMALL_TELLS ? at : *told;
		*replayed = at->kind == SMALL_SETS ? at : *replayed;
		if (at == row) {
			return;
		}
		if (at->kind == SMALL_TELLS_NONE) {
			*told = NULL;
		}
		if (at->kind == SMALL_CLEARS && *replayed != NULL &&
		    (*replayed)->by_info == at->by_info) {
			*replayed = NULL;
		}
	}
}

static bool claims_equal(const struct small_claim *a, const struct small_claim *b)
{
	return a->x == b->x && a->l == b->l && a->r == b->r && a->user == b->user &&
	       a->signature == b->signature && a->replaced == b->replaced;
}

/* The batch that comes next and sets another context, when the row is part of it; else NULL. */
static const struct small_row *next_batch(const struct small_world *world,
					  const struct small_row *row,
					  const struct small_row *replayed)
{
	const struct small_row *next = row;
	bool border = row->kind >= SMALL_SETS;
	if (row->session < 0 || border) {
		return NULL;
	}
	do {
		next = next_row(world, row->session, next);
	} while (next != NULL && next->kind < SMALL_SETS);
	if (next == NULL || next->kind != SMALL_SETS || !next->mixed ||
	    (replayed != NULL && claims_equal(&next->mark, &replayed->mark))) {
		return NULL;
	}
	int64_t reach = next->duration_ms > 0 ? (next->duration_ms + 1) * SMALL_MS
					      : world->options.tolerance_ns;
	return row->time_ns >= next->time_ns - reach ? next : NULL;
}

/* How long before (negative) or after its request a row ran; 0 inside. */
static int64_t outside(const struct small_world *world, const struct small_row *row, int index)
{
	const struct small_line *line = &world->line[index];
	int64_t at = row->time_ns + world->offset_ns;
	int64_t latency_ms = line->latency_ms < 0 ? UNKNOWN_END_MS : line->latency_ms;
	int64_t end = line->time_ns + latency_ms * SMALL_MS;
	return at < line->time_ns ? at - line->time_ns : at > end ? at - end : 0;
}

static bool carriers_differ(const struct small_world *world,
			    const struct small_claim *const claim[CARRIERS], int used, int line)
{
	for (int i = 0; i < CARRIERS; i++) {
		if (claim[i] == NULL || i == used) {
			continue;
		}
		int other = follow(world, claim[i]).line;
		if (claim[i]->bare ? other >= 0 && !oracle_same(world, other, line)
				   : !agrees(world, line, claim[i])) {
			return true;
		}
	}
	return false;
}

static bool users_differ(const struct small_claim *const claim[CARRIERS],
			 const struct small_line *line)
{
	for (int i = 0; i < CARRIERS; i++) {
		if (claim[i] != NULL && claim[i]->user >= 0 && line->user >= 0 &&
		    claim[i]->user != line->user) {
			return true;
		}
	}
	return false;
}

/* The grade of a match that nothing contradicts, but for its time. */
static const char *strength(const struct small_world *world, const struct small_claim *claim,
			    int used, const struct lead *lead)
{
	bool vouched = claim->signature == SMALL_GOOD &&
		       (lead->by != 'r' || (claim->user >= 0 && world->line[lead->line].user >= 0));
	if ((world->options.require_signature && claim->signature != SMALL_GOOD) ||
	    world->line[lead->line].latency_ms < 0) {
		return "C";
	}
	if (vouched) {
		return "A";
	}
	if (used == COMMENT || lead->by == 'r') {
		return "C";
	}
	return lead->by == 'x' ? "A" : "B";
}

static void gather(const struct small_row *row, const struct small_row *told,
		   const struct small_row *replayed, const struct small_claim *claim[CARRIERS])
{
	claim[COLUMN] = row->column.present && row->kind != SMALL_SETS ? &row->column : NULL;
	claim[TOLD] = told != NULL ? &told->mark : NULL;
	claim[REPLAYED] = NULL;
	if (replayed != NULL &&
	    (replayed == row || replayed->by_info || !row->column_other || row->column.present)) {
		claim[REPLAYED] = &replayed->mark;
	}
	claim[APPLICATION] = row->application.present ? &row->application : NULL;
	claim[COMMENT] = row->comment.present ? &row->comment : NULL;
}

static const char *word_of(char by)
{
	switch (by) {
	case 'x':
		return "extended_request_id";
	case 'l':
		return "lambda_request_id";
	case 'r':
		return "request_id";
	default:
		return "";
	}
}

static bool is_forged(const struct small_claim *const claim[CARRIERS])
{
	for (int i = 0; i < CARRIERS; i++) {
		if (claim[i] != NULL && claim[i]->signature == SMALL_BAD) {
			return true;
		}
	}
	return false;
}

static bool login_is_wrong(const struct small_world *world, const struct small_row *row,
			   const struct small_line *line)
{
	return world->options.route_count > 0 && line->route == 1 && row->login != 0;
}

static bool is_excused(const struct small_world *world, const struct small_row *row, int used,
		       int64_t away)
{
	bool clears = row->kind == SMALL_TELLS_NONE || row->kind == SMALL_CLEARS;
	return clears && away > world->options.tolerance_ns && (used == TOLD || used == REPLAYED);
}

static bool is_beyond(int64_t away, int64_t limit)
{
	return away > limit || away < -limit;
}

static struct oracle_verdict judge(const struct small_world *world, const struct small_row *row,
				   bool doubt, const struct small_claim *const claim[CARRIERS],
				   int used)
{
	static const char *const carriers[] = {"session_context", "audit_write", "session_replay",
					       "application", "comment"};
	struct lead lead = follow(world, claim[used]);
	struct oracle_verdict verdict = {"X", carriers[used], word_of(lead.by), lead.line};
	if (is_forged(claim)) {
		return verdict;
	}
	if (lead.reused || lead.disagree || carriers_differ(world, claim, used, lead.line)) {
		verdict.line = -1;
		return verdict;
	}
	if (users_differ(claim, &world->line[lead.line]) ||
	    login_is_wrong(world, row, &world->line[lead.line])) {
		return verdict;
	}
	int64_t away = outside(world, row, lead.line);
	if (is_excused(world, row, used, away)) {
		return (struct oracle_verdict){"U1", "", "", -1};
	}
	if (is_beyond(away, world->options.slack_ns)) {
		return verdict;
	}
	verdict.grade = strength(world, claim[used], used, &lead);
	if (is_beyond(away, world->options.tolerance_ns) || (used == REPLAYED && doubt)) {
		verdict.grade = "C";
	}
	if (verdict.grade[0] == 'A' && lead.by != 'x') {
		verdict.matched_by = "signature";
	}
	return verdict;
}

struct oracle_verdict oracle_row(const struct small_world *world, int index)
{
	const struct small_row *row = &world->row[index], *told, *replayed;
	const struct small_claim *claim[CARRIERS];
	registers(world, row, &told, &replayed);
	const struct small_row *batch = next_batch(world, row, replayed);
	bool doubt = batch != NULL && batch->duration_ms == 0;
	replayed = batch != NULL && (!doubt || replayed == NULL) ? batch : replayed;
	gather(row, told, replayed, claim);
	for (int i = 0; i < CARRIERS; i++) {
		struct lead lead = {.line = -1};
		if (claim[i] != NULL) {
			lead = follow(world, claim[i]);
		}
		if (lead.line >= 0 || lead.reused) {
			return judge(world, row, doubt, claim, i);
		}
	}
	return (struct oracle_verdict){is_forged(claim) ? "X" : "U1", "", "", -1};
}
