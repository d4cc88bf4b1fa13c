#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "store/handle.h"
#include "store/log/group.h"
#include "store/log/nodes.h"
#include "tests/unit/store-filled.h"

#define RECORDS 700

static void every_leaf_is_proved(void **state)
{
	/* the proof of each leaf leads from its entry to the root, and its entry follows from record and salt */
	struct filled filled;
	struct log_nodes *nodes = NULL;
	struct merkle_head head;
	(void)state;
	filled_init(&filled, RECORDS, 90);
	assert_int_equal(log_nodes_open(filled.store, &nodes, &filled.err), 0);
	const struct merkle_source source = log_nodes_source(nodes);
	log_nodes_head(nodes, &head);
	assert_int_equal(head.size, RECORDS);
	for (uint64_t leaf = 0; leaf < RECORDS; leaf += leaf < 10 || leaf > 690 ? 1 : 7) {
		struct log_evidence evidence;
		struct merkle_proof proof;
		struct merkle_hash hash, commitment;
		assert_int_equal(log_nodes_leaf(nodes, leaf, &evidence, &filled.err), 0);
		assert_true(evidence.salted);
		log_commit(&evidence.salt, evidence.encoded, &commitment);
		assert_true(merkle_equal(&commitment, &evidence.leaf.commitment));
		merkle_leaf(str_make(evidence.entry.bytes, evidence.entry.len), &hash);
		assert_int_equal(merkle_prove_leaf(leaf, head.size, &source, &proof, &filled.err),
				 0);
		assert_int_equal(merkle_check_leaf(leaf, &hash, &head, &proof, &filled.err), 0);
		assert_int_equal(merkle_check_leaf(leaf ^ 1, &hash, &head, &proof, &filled.err),
				 -ERR_INPUT);
	}
	log_nodes_close(nodes);
	filled_done(&filled);
}

static void older_trees_are_proved(void **state)
{
	/* each older tree is the beginning of the newer ones: roots of all sizes, and proofs between some */
	struct filled filled;
	struct log_nodes *nodes = NULL;
	(void)state;
	filled_init(&filled, RECORDS, 90);
	assert_int_equal(log_nodes_open(filled.store, &nodes, &filled.err), 0);
	const struct merkle_source source = log_nodes_source(nodes);
	struct merkle_head older, newer;
	for (uint64_t size = 0; size <= RECORDS; size += 50) {
		newer.size = size;
		assert_int_equal(merkle_root_fetch(size, &source, &newer.root, &filled.err), 0);
		for (uint64_t old = 0; old <= size; old += 25) {
			struct merkle_proof proof;
			older.size = old;
			assert_int_equal(merkle_root_fetch(old, &source, &older.root, &filled.err),
					 0);
			assert_int_equal(merkle_prove_tree(old, size, &source, &proof, &filled.err),
					 0);
			assert_int_equal(merkle_check_tree(&older, &newer, &proof, &filled.err), 0);
		}
	}
	log_nodes_close(nodes);
	filled_done(&filled);
}

static void what_is_not_there_is_told(void **state)
{
	/* a leaf or node beyond the end is ERR_GONE; a tile that is missing ERR_CORRUPT; what is committed meanwhile is not seen */
	struct filled filled;
	struct log_nodes *nodes = NULL;
	struct log_evidence evidence;
	struct merkle_hash hash;
	struct merkle_head head;
	(void)state;
	filled_init(&filled, RECORDS, 90);
	store_close(filled.store);
	filled_open(&filled, STORE_WRITE);
	assert_int_equal(log_nodes_open(filled.store, &nodes, &filled.err), 0);
	filled_add(&filled, RECORDS, 5);
	log_nodes_head(nodes, &head);
	assert_int_equal(head.size, RECORDS);
	assert_int_equal(log_nodes_leaf(nodes, RECORDS, &evidence, &filled.err), -ERR_GONE);
	const struct merkle_source source = log_nodes_source(nodes);
	assert_int_equal(source.fetch(nodes, 0, RECORDS, &hash, &filled.err), -ERR_GONE);
	assert_int_equal(source.fetch(nodes, 8, 2, &hash, &filled.err), -ERR_GONE);
	log_nodes_close(nodes);
	filled_sql(&filled, "DELETE FROM tiles");
	assert_int_equal(log_nodes_open(filled.store, &nodes, &filled.err), 0);
	const struct merkle_source damaged = log_nodes_source(nodes);
	assert_int_equal(damaged.fetch(nodes, 8, 0, &hash, &filled.err), -ERR_CORRUPT);
	log_nodes_close(nodes);
	filled_done(&filled);
}

struct groups_seen {
	struct log_nodes *alone; /* asked for each group by itself */
	const uint64_t *numbers;
	size_t count, until;
};

static int see_group(void *owner, const struct log_group *group, const uint64_t has_record[4],
		     struct error *err)
{
	struct groups_seen *seen = owner;
	const struct log_group *alone = NULL;
	uint64_t has_alone[4];
	assert_int_equal(group->number, seen->numbers[seen->count]);
	assert_int_equal(log_nodes_group(seen->alone, group->number, &alone, has_alone, err), 0);
	assert_memory_equal(has_record, has_alone, sizeof has_alone);
	assert_memory_equal(group->known, alone->known, sizeof alone->known);
	for (size_t at = 1; at < 2 * LOCATOR_GROUP; at++) {
		assert_true(!group->known[at] ||
			    merkle_equal(&group->hashes[at], &alone->hashes[at]));
	}
	return ++seen->count == seen->until ? 7 : 0;
}

static void groups_come_one_after_another(void **state)
{
	/* near and far ones, the first, the open last and one of which only a stub is left: each is as if asked for alone; the callback can end it */
	static const uint64_t numbers[] = {0, 1, 3, 4, 19, 36, 39};
	const size_t count = sizeof numbers / sizeof numbers[0];
	struct filled filled;
	struct log_nodes *nodes = NULL;
	(void)state;
	filled_init(&filled, 10100, 2500);
	filled_sql(&filled, "INSERT INTO stubs VALUES (3, 2, 192, zeroblob(32))");
	struct groups_seen seen = {.numbers = numbers};
	struct log_groups groups = {
		.numbers = numbers, .count = count, .each = see_group, .owner = &seen};
	assert_int_equal(log_nodes_open(filled.store, &nodes, &filled.err), 0);
	assert_int_equal(log_nodes_open(filled.store, &seen.alone, &filled.err), 0);
	assert_int_equal(log_nodes_groups(nodes, &groups, &filled.err), 0);
	assert_int_equal(seen.count, count);
	for (seen.until = 1; seen.until <= count; seen.until++) {
		seen.count = 0;
		assert_int_equal(log_nodes_groups(nodes, &groups, &filled.err), 7);
		assert_int_equal(seen.count, seen.until);
	}
	groups.count = 0;
	assert_int_equal(log_nodes_groups(nodes, &groups, &filled.err), 0);
	filled_sql(&filled, "UPDATE stubs SET hash = x'00'");
	log_nodes_close(seen.alone);
	log_nodes_close(nodes);
	assert_int_equal(log_nodes_open(filled.store, &nodes, &filled.err), 0);
	seen.count = 0;
	groups = (struct log_groups){
		.numbers = numbers + 2, .count = 1, .each = see_group, .owner = &seen};
	assert_int_equal(log_nodes_groups(nodes, &groups, &filled.err), -ERR_CORRUPT);
	assert_int_equal(seen.count, 0);
	log_nodes_close(nodes);
	filled_done(&filled);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_leaf_is_proved),
		cmocka_unit_test(older_trees_are_proved),
		cmocka_unit_test(what_is_not_there_is_told),
		cmocka_unit_test(groups_come_one_after_another),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
