#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "store/blocks.h"
#include "store/handle.h"
#include "store/log/audit.h"
#include "store/log/tree.h"
#include "tests/unit/seal-world.h"

#include <string.h>

#define RECORDS 1000

struct found {
	unsigned kinds; /* bit per kind */
	uint64_t count, first, last;
	bool exact;
	char text[ERROR_TEXT_MAX];
};

static void take(void *owner, const struct audit_finding *finding)
{
	struct found *found = owner;
	if (found->count++ == 0) {
		found->first = finding->first;
		found->last = finding->last;
		found->exact = finding->exact;
		(void)snprintf(found->text, sizeof found->text, "%s",
			       finding->text); /* cut is fine */
	}
	found->kinds |= 1u << finding->kind;
}

static struct found run(struct seal_world *world, struct audit_claim *claims, size_t count)
{
	struct found found = {.count = 0};
	struct audit_result result;
	struct error err;
	const struct leafset nothing = {.run_count = 0};
	const struct audit_options options = {
		.dir = world->filled.fixture.dir,
		.claims = claims,
		.claim_count = count,
		.redacted = &nothing,
		.removed = &nothing,
		.owner = &found,
		.found = take,
	};
	if (audit_run(&options, &result, &err) != 0) {
		fail_msg("audit: %s", err.text);
	}
	assert_int_equal(result.findings, found.count);
	return found;
}

/* Half in blocks, half in the head. */
static void make(struct seal_world *world)
{
	const struct seal_order order = {.head_end = RECORDS / 2,
					 .settled_ns = INT64_MAX,
					 .judged_ns = INT64_MAX,
					 .requests = 32,
					 .close = true,
					 .now_ns = 1};
	seal_world_init(world, RECORDS, 50);
	(void)seal_world_run(world, &order);
}

static struct merkle_head head_of(struct seal_world *world)
{
	struct merkle_range range;
	struct locator open;
	struct merkle_head head;
	struct error err;
	assert_int_equal(tree_read_state(world->filled.store->catalog, &range, &open, &err), 0);
	head.size = range.size;
	merkle_range_root(&range, &head.root);
	return head;
}

static void whole_stores_pass(void **state)
{
	/* nothing is found in a store that nobody touched, and its head is what is claimed */
	struct seal_world world;
	(void)state;
	make(&world);
	struct audit_claim claim = {.head = head_of(&world), .name = "it"};
	struct found found = run(&world, &claim, 1);
	assert_int_equal(found.count, 0);
	assert_true(claim.checked && !claim.failed);
	seal_world_done(&world);
}

static void other_claims_are_found(void **state)
{
	/* a claim of another root, and one of more leaves than there are, is told */
	struct seal_world world;
	(void)state;
	make(&world);
	struct audit_claim claim = {.head = head_of(&world), .name = "other"};
	claim.head.root.bytes[3] ^= 1;
	struct found found = run(&world, &claim, 1);
	assert_true(found.count == 1 && found.kinds == 1u << AUDIT_CLAIM && claim.failed);
	assert_non_null(strstr(found.text, "other"));
	claim = (struct audit_claim){.head = head_of(&world), .name = "longer"};
	claim.head.size += 5;
	found = run(&world, &claim, 1);
	assert_true(found.count == 1 && found.kinds == 1u << AUDIT_CLAIM && found.first == RECORDS);
	seal_world_done(&world);
}

static void damage_is_located(void **state)
{
	/* what is changed behind the store's back is found, as the kind that it is, where it is */
	static const struct {
		const char *sql;
		unsigned kind;
	} cases[] = {
		{"DELETE FROM blocks WHERE number = 2", AUDIT_MISSING},
		{"DELETE FROM tiles", AUDIT_TREE},
		{"UPDATE tiles SET crc = crc + 1", AUDIT_TREE},
		{"UPDATE seeds SET seed = zeroblob(32)", AUDIT_LEAF},
		{"DELETE FROM head WHERE batch = 15", AUDIT_MISSING},
		{"UPDATE head SET crc = crc + 1 WHERE batch = 15", AUDIT_DAMAGED},
		{"UPDATE blocks SET crc = crc + 1 WHERE number = 2", AUDIT_DAMAGED},
		{"INSERT INTO stubs VALUES (0, 9, 0, zeroblob(32)); DELETE FROM blocks WHERE "
		 "number = 1",
		 AUDIT_TREE},
	};
	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct seal_world world;
		make(&world);
		store_close(world.filled.store);
		filled_sql(&world.filled, cases[i].sql);
		struct found found = run(&world, NULL, 0);
		if (found.count == 0 || (found.kinds >> cases[i].kind & 1) == 0) {
			fail_msg("%s: %llu findings of kinds %x", cases[i].sql,
				 (unsigned long long)found.count, found.kinds);
		}
		world.filled.store = NULL;
		seal_world_done(&world);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(whole_stores_pass),
		cmocka_unit_test(other_claims_are_found),
		cmocka_unit_test(damage_is_located),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
