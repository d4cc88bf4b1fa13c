#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "store/handle.h"
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

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_leaf_is_proved),
		cmocka_unit_test(older_trees_are_proved),
		cmocka_unit_test(what_is_not_there_is_told),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
