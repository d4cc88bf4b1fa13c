/* seal-heads - the heads that the log of a tested store had, and whether it still proves them.
 *
 * Threads: one per thread. */
#ifndef TESTS_UNIT_SEAL_HEADS_H
#define TESTS_UNIT_SEAL_HEADS_H

#include "store/handle.h"
#include "store/log/audit.h"
#include "store/log/forget.h"

#define HEADS_MAX 64

struct seal_heads {
	struct audit_claim list[HEADS_MAX];
	size_t count;
};

static inline void seal_heads_finding(void *owner, const struct audit_finding *finding)
{
	(void)owner;
	fail_msg("leaves %llu to %llu: %s", (unsigned long long)finding->first,
		 (unsigned long long)finding->last, finding->text);
}

/* The log still proves each tree that there was, and knows what went. Then notes how it is now. */
static inline void seal_heads_check(struct seal_heads *heads, struct store *store,
				    uint64_t removed_count)
{
	struct leafset redacted, removed;
	struct audit_result result;
	struct error err;
	leafset_init(&redacted);
	leafset_init(&removed);
	assert_int_equal(forget_pending(store, FORGET_REDACTED, &redacted, &err), 0);
	assert_int_equal(forget_pending(store, FORGET_REMOVED, &removed, &err), 0);
	const struct audit_options options = {
		.dir = store->dir,
		.redacted = &redacted,
		.removed = &removed,
		.claims = heads->list,
		.claim_count = heads->count,
		.found = seal_heads_finding,
	};
	assert_int_equal(audit_run(&options, &result, &err), 0);
	assert_int_equal(result.removed, removed_count);
	assert_int_equal(leafset_count(&removed), removed_count);
	for (size_t i = 0; i < heads->count; i++) {
		/* a removed run may hide the head of a tree that ends in it */
		assert_true(heads->list[i].checked || removed_count > 0);
	}
	if (heads->count < HEADS_MAX) {
		heads->list[heads->count++] =
			(struct audit_claim){.head = result.head, .name = "an older tree"};
	}
	leafset_done(&redacted);
	leafset_done(&removed);
}

#endif
