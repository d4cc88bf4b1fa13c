#include "correlator/life.h"

#include "base/log.h"
#include "correlator/lifestate.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/random.h>

#define STORE_ID_KEY "store.id"

int life_blocks_add(struct life_blocks *blocks, const struct life_block *block, struct error *err)
{
	if (blocks->count == blocks->room) {
		size_t room = blocks->room > 0 ? blocks->room * 2 : 64;
		struct life_block *larger = realloc(blocks->list, room * sizeof *larger);
		if (larger == NULL) {
			return error_set(err, ERR_NOMEM, "no memory for a list of blocks");
		}
		blocks->list = larger;
		blocks->room = room;
	}
	blocks->list[blocks->count++] = *block;
	return 0;
}

/* The name of this store, made once, so that entries of the ledger say which store they are of. */
static int read_store_id(struct life *life, struct error *err)
{
	struct buf text;
	uint8_t bytes[ERASURES_ID_DIGITS / 2];
	buf_init(&text, 256);
	int rc = store_meta_get(life->store, STORE_ID_KEY, &text, err);
	if (rc == -ERR_GONE) {
		error_clear(err);
		if (getrandom(bytes, sizeof bytes, 0) != (ssize_t)sizeof bytes) {
			return error_errno(err, "no random number for the store");
		}
		buf_put_hex(&text, str_make(bytes, sizeof bytes));
		rc = store_meta_put(life->store, STORE_ID_KEY, buf_str(&text), err);
	}
	if (rc == 0) {
		(void)snprintf(life->store_id, sizeof life->store_id, "%.*s",
			       STR_ARG(buf_str(&text))); /* a longer one is not ours */
	}
	buf_done(&text);
	return rc;
}

static int open_ledger(struct life *life, struct error *err)
{
	struct buf path;
	buf_init(&path, 8192);
	life->ledger_inside = life->settings.ledger == NULL || life->settings.ledger[0] == 0;
	if (life->ledger_inside) {
		buf_putf(&path, "%s/%s", life->store_dir, LEDGER_FILE);
	} else {
		buf_put_text(&path, life->settings.ledger);
	}
	int rc = buf_check(&path, "the path of the ledger of erasures", err);
	rc = rc < 0 ? rc : ledger_open(path.ptr, &life->ledger, err);
	buf_done(&path);
	for (size_t i = 0; rc == 0 && ledger_damage(life->ledger, i) != NULL; i++) {
		log_write(LOG_LEVEL_ERROR, "ledger-damaged",
			  "%s; what it named is not known, the other lines hold",
			  ledger_damage(life->ledger, i));
	}
	return rc;
}

/* Erasures that the ledger knows and the store does not: it was restored, or is another one. */
static int compare(struct life *life, struct error *err)
{
	struct erasures all;
	erasures_init(&all);
	int rc = erasures_read(life->store, &all, err);
	size_t missing = 0;
	for (size_t i = 0; rc == 0 && i < ledger_entry_count(life->ledger); i++) {
		const struct ledger_entry *entry = ledger_entry(life->ledger, i);
		if (erasures_find(&all, str_of(entry->id)) != NULL) {
			continue;
		}
		struct erasure row = {.state = ERASURE_ORDERED,
				      .only_literals = entry->kind == LEDGER_MASKED,
				      .again = true,
				      .ordered_ns = entry->time_ns,
				      .asked = entry->record_count,
				      .by = "querytraild",
				      .reason = "the ledger of erasures names it"};
		memcpy(row.id, entry->id, sizeof row.id);
		rc = erasures_put(life->store, &row, err);
		missing++;
	}
	if (missing > 0) {
		log_write(LOG_LEVEL_NOTICE, "erased-again",
			  "%s knows %zu erasures that the store has not seen: they are done now",
			  ledger_path(life->ledger), missing);
	}
	erasures_done(&all);
	return rc;
}

int life_new(const struct life_options *options, struct life **out_life, struct error *err)
{
	struct life *life = calloc(1, sizeof *life);
	if (life == NULL) {
		return error_set(err, ERR_NOMEM, "no memory for the life of data");
	}
	life->keeper = options->keeper;
	life->store = keeper_store(options->keeper);
	life->store_dir = options->store_dir;
	life->config_path = options->config_path;
	life->settings = *options->settings;
	life->look_erasures = true;
	held_init(&life->held);
	leafset_init(&life->erasing.leaves);
	buf_init(&life->erasing.digests, 0);
	int rc = rewrite_init(&life->rewrite, life->store, err);
	rc = rc < 0 ? rc : read_store_id(life, err);
	rc = rc < 0 ? rc : open_ledger(life, err);
	rc = rc < 0 ? rc : compare(life, err);
	rc = rc < 0 ? rc : erasures_wake(life->store, true, err); /* it may be readable now */
	rc = rc < 0 ? rc : retaining_init(life, err);
	if (rc < 0) {
		life_free(life);
		return rc;
	}
	keeper_admission(life->keeper)->ledger = life->ledger;
	*out_life = life;
	return 0;
}

void life_free(struct life *life)
{
	if (life == NULL) {
		return;
	}
	keeper_admission(life->keeper)->ledger = NULL;
	erasing_done(&life->erasing);
	retaining_done(&life->retaining);
	rewrite_done(&life->rewrite);
	held_done(&life->held);
	ledger_close(life->ledger);
	free(life);
}

void life_set(struct life *life, const struct retention_settings *settings)
{
	life->settings = *settings;
	life->look_ns = 0;
}

bool life_is_busy(const struct life *life)
{
	return life->work != LIFE_NOTHING;
}

void life_pause(struct life *life)
{
	rewrite_drop(&life->rewrite);
	held_clear(&life->held);
	life->work = LIFE_NOTHING;
	life->look_erasures = true;
}

void life_sealed(struct life *life)
{
	life->look_ns = 0;
}

int life_ask_holds(struct life *life, bool *out_known, struct error *err)
{
	struct holds holds;
	if (life->held.runs) {
		return held_look(&life->held, out_known, err);
	}
	*out_known = false;
	holds_init(&holds);
	int rc = holds_read(life->store, &holds, err);
	if (rc == 0 && holds.count == 0) {
		held_clear(&life->held);
		*out_known = true;
	} else if (rc == 0) {
		rc = held_begin(&life->held, life->store_dir, life->config_path, err);
	}
	holds_done(&holds);
	return rc;
}

/* Begins with the first erasure that is due. */
static int find_erasure(struct life *life, struct error *err)
{
	struct erasures all;
	const struct erasure *due = NULL;
	erasures_init(&all);
	int rc = erasures_read(life->store, &all, err);
	for (size_t i = 0; rc == 0 && due == NULL && i < all.count; i++) {
		due = all.list[i].state <= ERASURE_WORKING ? &all.list[i] : NULL;
	}
	life->look_erasures = due != NULL;
	if (due != NULL) {
		rc = erasing_begin(life, due, err);
	}
	erasures_done(&all);
	return rc;
}

static int find_work(struct life *life, int64_t now_ns, struct error *err)
{
	bool due = false;
	int rc = life->look_erasures ? find_erasure(life, err) : 0;
	if (rc < 0 || life->work != LIFE_NOTHING || now_ns < life->look_ns) {
		return rc;
	}
	life->look_ns = now_ns + life->settings.interval_ns;
	rc = retaining_begin(life, &due, err);
	return rc < 0 || due ? rc : lifenote_state(life, err);
}

/* Persons changed something: what was begun may not be right any more. */
static int take_orders(struct life *life, struct error *err)
{
	if (!keeper_take_orders(life->keeper)) {
		return 0;
	}
	life->look_erasures = true;
	rewrite_drop(&life->rewrite);
	held_clear(&life->held);
	if (life->work == LIFE_ERASURE) {
		erasing_again(life);
	} else if (life->work == LIFE_RETENTION) {
		life->work = LIFE_NOTHING;
		life->look_ns = 0;
	}
	return retaining_released(life, err);
}

static int step(struct life *life, int64_t *io_next_ns, struct error *err)
{
	bool over = false;
	int rc = life->work == LIFE_ERASURE ? erasing_step(life, &over, io_next_ns, err)
					    : retaining_step(life, &over, io_next_ns, err);
	if (rc == 0 && over) {
		bool erased = life->work == LIFE_ERASURE;
		life->work = LIFE_NOTHING;
		held_clear(&life->held);
		error_clear(&life->problem);
		life->look_ns = erased ? 0 : life->look_ns;
	}
	return rc;
}

static void fail(struct life *life, int64_t now_ns, const struct error *what)
{
	struct error told = *what;
	rewrite_drop(&life->rewrite);
	held_clear(&life->held);
	error_prefix(&told, "%s",
		     life->work == LIFE_ERASURE
			     ? "the erasure waits, and is tried again"
			     : "nothing is removed or masked, and that is tried again");
	if (strcmp(told.text, life->problem.text) != 0) {
		log_error(LOG_LEVEL_WARNING, "life-failed", &told);
	}
	life->problem = told;
	life->work = LIFE_NOTHING;
	life->look_erasures = true;
	life->retry_ns = now_ns + LIFE_RETRY_NS;
	life->look_ns = life->retry_ns;
	(void)lifenote_state(life, NULL); /* it was logged */
}

int64_t life_turn(struct life *life, int64_t now_ns)
{
	struct error err;
	int64_t next_ns = now_ns;
	error_clear(&err);
	int rc = take_orders(life, &err);
	if (rc == 0 && now_ns < life->retry_ns) {
		return life->retry_ns;
	}
	if (rc == 0 && life->work == LIFE_NOTHING) {
		rc = find_work(life, now_ns, &err);
		next_ns = life->work == LIFE_NOTHING ? life->look_ns : now_ns;
	} else if (rc == 0) {
		rc = step(life, &next_ns, &err);
	}
	if (rc < 0) {
		fail(life, now_ns, &err);
		return life->retry_ns;
	}
	return next_ns;
}
