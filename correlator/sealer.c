#include "correlator/sealer.h"

#include "base/log.h"

void sealer_init(struct sealer *sealer, struct store *store, const struct sealer_settings *settings)
{
	*sealer = (struct sealer){.store = store, .settings = *settings};
}

static void drop(struct sealer *sealer)
{
	seal_free(sealer->seal);
	sealer->seal = NULL;
	seal_choice_done(&sealer->choice);
}

void sealer_done(struct sealer *sealer)
{
	drop(sealer);
}

void sealer_set(struct sealer *sealer, const struct sealer_settings *settings)
{
	sealer->settings = *settings;
}

/* A watermark less what requests last and clocks differ. */
static int64_t less(const struct sealer_now *now, int64_t watermark_ns)
{
	int64_t less_ns = INT64_MIN;
	if (watermark_ns == INT64_MIN || watermark_ns == INT64_MAX) {
		return watermark_ns;
	}
	return __builtin_sub_overflow(watermark_ns, now->slack_ns + SEALER_LONGEST_NS, &less_ns)
		       ? INT64_MIN
		       : less_ns;
}

/* Blocks that took part in a seal that met damage; past the limit all are let alone. */
static void shun(struct sealer *sealer)
{
	const struct seal_order *order = &sealer->choice.order;
	for (size_t i = 0; i < order->block_count && sealer->shunned_count < SEALER_SHUNNED; i++) {
		sealer->shunned[sealer->shunned_count++] = order->blocks[i];
	}
}

static void fail(struct sealer *sealer, const struct sealer_now *now, int rc, struct error *err)
{
	bool damaged = rc == -ERR_CORRUPT || rc == -ERR_LIMIT || rc == -ERR_CONFIG;
	bool at_once = damaged && sealer->choice.order.block_count > 0;
	if (damaged) {
		shun(sealer);
	}
	drop(sealer);
	error_prefix(err, "records stay where they are, and sealing is tried again");
	log_error(LOG_LEVEL_WARNING, "seal-failed", err);
	sealer->hold_ns = now->monotonic_ns + (at_once ? 0 : SEALER_RETRY_NS);
	sealer->look_ns = sealer->hold_ns;
}

static int begin(struct sealer *sealer, const struct sealer_now *now, bool finish,
		 struct error *err)
{
	int64_t lower_ns =
		now->requests_ns < now->statements_ns ? now->requests_ns : now->statements_ns;
	struct seal_wish wish = {.settled_ns = less(now, lower_ns),
				 .judged_ns = less(now, now->judged_ns),
				 .flowing = now->flowing,
				 .margin_ns = now->slack_ns + SEALER_LONGEST_NS,
				 .requests = sealer->settings.requests,
				 .head_bytes = sealer->settings.head_bytes,
				 .age_ns = sealer->settings.age_ns,
				 .now_ns = now->wall_ns,
				 .finish = finish,
				 .pressed = now->pressed,
				 .shunned = sealer->shunned,
				 .shunned_count = sealer->shunned_count};
	int rc = seal_choose(sealer->store, &wish, &sealer->choice, err);
	if (rc == 0) {
		sealer->begun_ns = now->monotonic_ns;
		rc = seal_start(sealer->store, &sealer->choice.order, &sealer->seal, err);
	}
	return rc;
}

/* One step of what is under way; *out_gain: there is less to seal or merge than before. */
static int go_on(struct sealer *sealer, bool *out_gain, struct error *err)
{
	struct seal_result result = {0};
	bool done = false;
	int rc = seal_step(sealer->seal, &done, &result, err);
	*out_gain = true;
	if (rc < 0 || !done) {
		return rc;
	}
	*out_gain = sealer->choice.order.head_end > 0 ||
		    result.blocks_made < result.blocks_removed ||
		    result.blocks_open < sealer->choice.open_count;
	int64_t took_ns = clock_monotonic_ns() - sealer->begun_ns;
	log_write(LOG_LEVEL_INFO, "sealed",
		  "%llu records, %llu bytes, now stand in %u blocks (%u of them wait for more) of "
		  "%llu "
		  "bytes, in place of %u; %lld ms",
		  (unsigned long long)result.records, (unsigned long long)result.bytes_before,
		  result.blocks_made, result.blocks_open, (unsigned long long)result.bytes_after,
		  result.blocks_removed, (long long)(took_ns / NS_PER_MS));
	drop(sealer);
	return 0;
}

static void tidy(struct sealer *sealer, const struct sealer_now *now, bool all)
{
	struct error err;
	if (seal_tidy(sealer->store, all, now->wall_ns, &err) < 0) {
		error_prefix(&err, "files that nothing needs stay where they are");
		log_error(LOG_LEVEL_WARNING, "tidy-failed", &err);
	}
	sealer->tidy_ns = now->monotonic_ns + SEALER_TIDY_NS;
}

/* Whether enough came, or enough time passed, to look whether something is due. */
static bool shall_look(const struct sealer *sealer, const struct sealer_now *now)
{
	uint64_t many = sealer->settings.requests; /* a fraction of what a block holds */
	return store_leaf_count(sealer->store) - sealer->seen_end >= many ||
	       now->monotonic_ns >= sealer->look_ns;
}

static int64_t next_look(const struct sealer *sealer)
{
	return sealer->look_ns > sealer->hold_ns ? sealer->look_ns : sealer->hold_ns;
}

int64_t sealer_turn(struct sealer *sealer, const struct sealer_now *now)
{
	struct error err;
	bool gain = true;
	int rc = 0;
	if (sealer->seal != NULL) {
		rc = go_on(sealer, &gain, &err);
	} else if (now->monotonic_ns < sealer->hold_ns ||
		   !(now->pressed || shall_look(sealer, now))) {
		return next_look(sealer);
	} else {
		sealer->seen_end = store_leaf_count(sealer->store);
		sealer->look_ns = now->monotonic_ns + SEALER_LOOK_NS;
		rc = begin(sealer, now, false, &err);
	}
	if (rc == -ERR_GONE) {
		drop(sealer);
		if (now->monotonic_ns >= sealer->tidy_ns) {
			tidy(sealer, now, false);
		}
		return next_look(sealer);
	}
	if (rc < 0) {
		fail(sealer, now, rc, &err);
		return next_look(sealer);
	}
	if (sealer->seal == NULL) { /* one is done: perhaps the next is due */
		sealer->look_ns = now->monotonic_ns;
	}
	if (!gain) { /* the same would be chosen again */
		sealer->hold_ns = now->monotonic_ns + SEALER_RETRY_NS;
		return next_look(sealer);
	}
	return now->monotonic_ns;
}

void sealer_finish(struct sealer *sealer, const struct sealer_now *now)
{
	struct error err;
	bool gain = true;
	int rc = 0;
	while (rc == 0 && gain) {
		rc = sealer->seal != NULL ? go_on(sealer, &gain, &err)
					  : begin(sealer, now, true, &err);
		if (rc < 0 && rc != -ERR_GONE) {
			size_t shunned = sealer->shunned_count;
			fail(sealer, now, rc, &err);
			rc = sealer->shunned_count > shunned ? 0 : rc;
		}
	}
	drop(sealer);
	tidy(sealer, now, true);
}
