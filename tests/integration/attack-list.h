/* attack-list - what an administrator could do to a store (attack-world.h), one function each: it changes world->work, a copy of the store or a folder of evidence.
 *
 * Errors: end the program. Threads: one. */
#ifndef TESTS_INTEGRATION_ATTACK_LIST_H
#define TESTS_INTEGRATION_ATTACK_LIST_H

#include "tests/integration/attack-world.h"

#define SEALED_REQUEST   504 /* in a block, below the checkpoint of 700 */
#define SEALED_STATEMENT 505
#define HEAD_REQUEST     1204
#define HEAD_STATEMENT   1205

typedef void attack_fn(const struct world *world);

/* On records; attack-records.c. */
attack_fn head_statement, head_user, head_time, head_back_dated, block_statement, block_user,
	block_time, block_back_dated, take_out, fake_stub, block_taken_away, batch_taken_away,
	deleted_and_renumbered, deleted_and_relogged, inserted, block_reordered, head_reordered,
	leaf_twice, fake_redaction, clumsy_redaction;

/* On histories, what was signed, the tree, what questions are answered from, and evidence; attack-log.c. */
attack_fn relogged, key_swap, forged_with_the_key, cut_off, cut_off_and_signed, cut_off_and_resumed,
	rollback, fork_of_history, another_store, catalog_of_another_store, block_of_another_store,
	newest_checkpoint_removed, all_checkpoints_removed, checkpoint_edited,
	signature_transplanted, tile_edited, state_edited, seeds_swapped, salt_forgotten,
	hidden_by_summary, hidden_by_ids, hidden_by_records, hidden_by_time, hidden_by_span,
	hidden_by_rollup, hidden_by_columns, hidden_by_batch_time, evidence_record, evidence_proof,
	evidence_salt, evidence_entry, evidence_checkpoint;

/* Gives a request another user. */
world_edit_fn other_user;

#endif
