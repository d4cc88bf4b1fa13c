#include "correlator/rewrite.h"

#include "store/log/forget.h"

#include <assert.h>

static bool is_meant(const struct rewrite_wish *wish, uint64_t leaf)
{
	return (wish->only == NULL || leafset_has(wish->only, leaf)) &&
	       (wish->except == NULL || !leafset_has(wish->except, leaf));
}

bool rewrite_lasts(uint8_t kind, int64_t time_ns, int64_t before_ns)
{
	bool dated_apart = kind == RECORD_ACCESS || kind == RECORD_GAP;
	return kind == RECORD_LIFECYCLE || (dated_apart && time_ns >= before_ns);
}

static bool drops(void *owner, const struct seal_item *item)
{
	const struct rewrite *rewrite = owner;
	return rewrite->wish.degree == REDACT_NOTHING &&
	       !rewrite_lasts(item->kind, item->time_ns, rewrite->wish.before_ns) &&
	       is_meant(&rewrite->wish, item->leaf);
}

static int change(void *owner, uint64_t leaf, struct str encoded, struct buf *out,
		  struct error *err)
{
	struct rewrite *rewrite = owner;
	const struct rewrite_wish *wish = &rewrite->wish;
	if (wish->degree == REDACT_NOTHING || !is_meant(wish, leaf)) {
		return 0;
	}
	struct merkle_hash commitment;
	struct redact_order order = {.degree = wish->degree, .id = str_of(wish->id)};
	int rc = forget_commitment(rewrite->store, leaf, encoded, &commitment, err);
	if (rc == 0) {
		order.commitment = str_make((const char *)commitment.bytes, DIGEST_BYTES);
	} else if (rc !=
		   -ERR_GONE) { /* something was taken before: the record has its commitment */
		return rc;
	}
	return redact_record(rewrite->redactor, &order, encoded, out, err);
}

int rewrite_init(struct rewrite *rewrite, struct store *store, struct error *err)
{
	*rewrite = (struct rewrite){.store = store, .redactor = redactor_new()};
	return rewrite->redactor != NULL
		       ? 0
		       : error_set(err, ERR_NOMEM, "no memory to write blocks anew");
}

void rewrite_drop(struct rewrite *rewrite)
{
	seal_free(rewrite->seal);
	rewrite->seal = NULL;
}

void rewrite_done(struct rewrite *rewrite)
{
	rewrite_drop(rewrite);
	redactor_free(rewrite->redactor);
	*rewrite = (struct rewrite){0};
}

int rewrite_begin(struct rewrite *rewrite, const struct rewrite_wish *wish, uint64_t number,
		  struct error *err)
{
	assert(rewrite->seal == NULL);
	rewrite->wish = *wish;
	rewrite->change = (struct seal_change){.owner = rewrite, .drops = drops, .change = change};
	const struct seal_order order = {
		.head_end = number == 0 ? store_leaf_count(rewrite->store) : 0,
		.blocks = &number,
		.block_count = number == 0 ? 0 : 1,
		.settled_ns = wish->is_settled ? INT64_MAX : INT64_MIN,
		.judged_ns = wish->is_settled ? INT64_MAX : INT64_MIN,
		.close = true,
		.change = &rewrite->change,
		.no_grace = wish->at_once,
		.now_ns = wish->now_ns,
	};
	return seal_start(rewrite->store, &order, &rewrite->seal, err);
}

int rewrite_step(struct rewrite *rewrite, bool *out_done, struct seal_result *out_result,
		 struct error *err)
{
	assert(rewrite->seal != NULL);
	int rc = seal_step(rewrite->seal, out_done, out_result, err);
	if (rc < 0 || *out_done) {
		rewrite_drop(rewrite);
	}
	return rc;
}
