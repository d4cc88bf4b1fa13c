/* Attacks on a store by an administrator who owns the host, knows the format and keeps every checksum right: each must be found by `querytrail verify` with the store, the auditor's
 * policy and his folder of older checkpoints alone, and named where it is. TAP; the last line says how many were detected.
 * Usage: attacks QUERYTRAIL [NAME] */
#include "base/io.h"
#include "tests/integration/attack-list.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define OUTPUT_BYTES 65536

struct attack {
	const char *name;
	attack_fn *run;
	const char *expected; /* of what verify says: where it is */
	const char *what;     /* and what */
	bool by_anchor;       /* only a checkpoint from outside gives it away */
	bool on_evidence;     /* work is a folder that prove wrote, instead of a store */
};

static const struct attack attacks[] = {
	{"head-statement", head_statement, "leaf 1205", "not the one that was committed"},
	{"head-user", head_user, "leaf 1204", "not the one that was committed"},
	{"head-time", head_time, "leaf 1205", "not the one that was committed"},
	{"head-back-dated", head_back_dated, "leaves 1024 to 1279",
	 "not those that were committed"},
	{"block-statement", block_statement, "leaf 505", "not the one that was committed"},
	{"block-user", block_user, "leaf 504", "not the one that was committed"},
	{"block-time", block_time, "leaf 505", "not the one that was committed"},
	{"block-back-dated", block_back_dated, "leaf 505", "not the one that was committed"},
	{"deleted-from-block", take_out, "leaf 505", "there is no record"},
	{"deleted-with-fake-stub", fake_stub, "leaf 505",
	 "none in the log says that it was removed"},
	{"block-taken-away", block_taken_away, "leaves 504 to 587",
	 "none in the log says that it was removed"},
	{"batch-taken-away", batch_taken_away, "leaves 1200 to 1249", "are missing"},
	{"deleted-and-renumbered", deleted_and_renumbered, "leaf 1499", "there is no record"},
	{"deleted-and-relogged", deleted_and_relogged, "leaf 1499", "it was cut off or put back"},
	{"inserted", inserted, "leaf 1500", "the record is not in the log"},
	{"reordered-in-block", block_reordered, "leaves 300 to 699", "not those of checkpoint 2"},
	{"reordered-in-head", head_reordered, "leaves 1024 to 1279",
	 "not those that were committed"},
	{"leaf-twice", leaf_twice, "leaf 505", "a second record of this number"},
	{"fake-redaction", fake_redaction, "leaf 505",
	 "the record is redacted, and none in the log says so"},
	{"clumsy-redaction", clumsy_redaction, "leaf 505", "not the one that was committed"},
	{"relogged", relogged, "leaves 300 to 699", "not those of checkpoint 2"},
	{"key-swap", key_swap, "leaves 300 to 699", "no key of the policy signed it"},
	{"forged-with-the-key", forged_with_the_key, "leaves 300 to 699", "700.checkpoint", true},
	{"cut-off", cut_off, "leaves 1200 to 1499",
	 "checkpoint 4 is of 1500 records, the store has 1200"},
	{"cut-off-and-signed", cut_off_and_signed, "leaves 1200 to 1499",
	 "1500.checkpoint is of 1500 records, the store has 1200", true},
	{"cut-off-and-resumed", cut_off_and_resumed, "leaves 1100 to 1499", "not those of", true},
	{"rollback", rollback, "leaves 700 to 1099",
	 "1100.checkpoint is of 1100 records, the store has 700", true},
	{"fork", fork_of_history, "leaves 700 to 1099", "the first 1100 records are not those of",
	 true},
	{"another-store", another_store, "leaves 0 to 299",
	 "the first 300 records are not those of", true},
	{"catalog-of-another-store", catalog_of_another_store, "leaves 0 to 1499", "is damaged"},
	{"block-of-another-store", block_of_another_store, "leaves 504 to 505",
	 "not those of checkpoint 2"},
	{"newest-checkpoint-removed", newest_checkpoint_removed, "1500", "it was taken away", true},
	{"all-checkpoints-removed", all_checkpoints_removed, "1500", "it was taken away"},
	{"checkpoint-edited", checkpoint_edited, "checkpoint 3",
	 "the signature of attacks.example/log is wrong"},
	{"signature-transplanted", signature_transplanted, "checkpoint 3",
	 "the signature of attacks.example/log is wrong"},
	{"tile-edited", tile_edited, "leaves 256 to 511", "not those that were committed"},
	{"state-edited", state_edited, "leaves 0 to 1279", "does not follow from its tiles"},
	{"seeds-swapped", seeds_swapped, "leaves 0 to 1499", "not those that were committed"},
	{"salt-forgotten", salt_forgotten, "leaf 504", "lacks what it was committed by"},
	{"hidden-by-summary", hidden_by_summary, "leaves 504 to 587",
	 "summary says other than its records (user)"},
	{"hidden-by-filter-of-ids", hidden_by_ids, "leaves 504 to 587", "filter of ids lacks"},
	{"hidden-by-filter-of-records", hidden_by_records, "leaves 504 to 587",
	 "filter of records lacks 1 of"},
	{"hidden-by-time", hidden_by_time, "leaves 504 to 587", "other event times"},
	{"hidden-by-span", hidden_by_span, "leaf 504", "other leaves than it holds"},
	{"hidden-by-rollup", hidden_by_rollup, "blocks 1 to 8", "(user)"},
	{"hidden-by-columns", hidden_by_columns, "leaves 1200 to 1249",
	 "columns say other than its records (user)"},
	{"hidden-by-batch-time", hidden_by_batch_time, "leaves 1200 to 1249", "other event times"},
	{"evidence-other-record", evidence_record, "505.entry", "does not follow from the record",
	 false, true},
	{"evidence-other-proof", evidence_proof, "505.tlog-proof", "does not lead to the tree",
	 false, true},
	{"evidence-other-salt", evidence_salt, "505.entry", "does not follow from the record",
	 false, true},
	{"evidence-other-entry", evidence_entry, "505.tlog-proof", "does not lead to the tree",
	 false, true},
	{"evidence-other-checkpoint", evidence_checkpoint, "504.", "does not cover", false, true},
};

/* What verify said. */
static struct buf output;

/* Runs it; its status. */
static int verify(const char *querytrail, const struct world *world, bool evidence)
{
	char line[4 * WORLD_PATH], path[WORLD_PATH + 16];
	struct error err;
	(void)snprintf(path, sizeof path, "%s/output", world->dir);
	if (evidence) {
		(void)snprintf(line, sizeof line, "%s verify --bundle %s --policy %s", querytrail,
			       world->work, world->policy);
	} else {
		(void)snprintf(line, sizeof line, "%s verify --store %s --policy %s --anchor %s",
			       querytrail, world->work, world->policy, world->anchors);
	}
	int status = world_shell(line, path);
	buf_clear(&output);
	tamper_must(io_read_file(path, OUTPUT_BYTES, &output, &err), &err);
	return status;
}

static void tell_output(void)
{
	struct str rest = buf_str(&output);
	while (rest.ptr != NULL) {
		struct str line = str_split(&rest, '\n');
		if (line.len > 0) {
			printf("#   %.*s\n", STR_ARG(line));
		}
	}
}

static bool says(const char *text)
{
	return memmem(output.ptr, output.len, text, strlen(text)) != NULL;
}

static void prepare(const char *querytrail, const struct world *world, bool evidence)
{
	if (evidence) {
		world_run("rm -rf %s && %s prove leaf:%d leaf:%d --store %s --policy %s -o %s "
			  "",
			  world->work, querytrail, SEALED_REQUEST, SEALED_STATEMENT, world->store,
			  world->policy, world->work);
	} else {
		world_copy(world, world->store);
	}
}

/* What nobody touched is as it was signed. */
static bool try_untouched(const char *querytrail, const struct world *world, bool evidence)
{
	prepare(querytrail, world, evidence);
	bool clean = verify(querytrail, world, evidence) == 0;
	printf("%sok %d - untouched %s\n", clean ? "" : "not ", evidence ? 2 : 1,
	       evidence ? "evidence" : "store");
	tell_output();
	return clean;
}

/* What "top user" answers; verified: with --verified, by the policy. Its status. */
static int ask(const char *querytrail, const struct world *world, bool verified)
{
	char line[4 * WORLD_PATH], path[WORLD_PATH + 16];
	struct error err;
	(void)snprintf(path, sizeof path, "%s/output", world->dir);
	(void)snprintf(line, sizeof line, "%s top user --limit 500 --store %s%s%s 2>&1", querytrail,
		       world->work, verified ? " --verified --policy " : "",
		       verified ? world->policy : "");
	int status = world_shell(line, path);
	buf_clear(&output);
	tamper_must(io_read_file(path, OUTPUT_BYTES, &output, &err), &err);
	return status;
}

/* --verified says the same, and against what. */
static bool try_answers(const char *querytrail, const struct world *world)
{
	struct buf plain;
	buf_init(&plain, OUTPUT_BYTES);
	prepare(querytrail, world, false);
	int status = ask(querytrail, world, false);
	buf_put_str(&plain, buf_str(&output));
	bool same = ask(querytrail, world, true) == status && status == 0 &&
		    output.len > plain.len && memcmp(output.ptr, plain.ptr, plain.len - 1) == 0 &&
		    says("verified against checkpoint 1500 of attacks.example/log\n");
	printf("%sok 3 - answers with and without --verified\n", same ? "" : "not ");
	tell_output();
	buf_done(&plain);
	return same;
}

/* Whether an answer of --verified tells it, too: what only an anchor gives away, it can't. */
static bool is_answered(const char *querytrail, const struct world *world,
			const struct attack *attack)
{
	return attack->on_evidence || attack->by_anchor ||
	       (ask(querytrail, world, true) == 3 && says("not verified: "));
}

static bool try_attack(const char *querytrail, const struct world *world,
		       const struct attack *attack, size_t number)
{
	prepare(querytrail, world, attack->on_evidence);
	attack->run(world);
	int status = verify(querytrail, world, attack->on_evidence);
	bool found = status > 0 && says(attack->expected) && says(attack->what);
	printf("# %s: status %d\n", attack->name, status);
	tell_output();
	found = is_answered(querytrail, world, attack) && found;
	printf("%sok %zu - %s\n", found ? "" : "not ", number, attack->name);
	(void)fflush(stdout);
	return found;
}

int main(int argc, char **argv)
{
	size_t count = sizeof attacks / sizeof attacks[0];
	size_t tried = 0, found = 0;
	struct world world = {.dir = ""};
	if (argc < 2) {
		fprintf(stderr, "usage: attacks QUERYTRAIL [NAME]\n");
		return 2;
	}
	buf_init(&output, OUTPUT_BYTES);
	world_make(&world);
	bool clean = try_untouched(argv[1], &world, false);
	clean = try_untouched(argv[1], &world, true) && clean;
	clean = try_answers(argv[1], &world) && clean;
	for (size_t i = 0; i < count; i++) {
		if (argc > 2 && strcmp(argv[2], attacks[i].name) != 0) {
			continue;
		}
		tried++;
		found += try_attack(argv[1], &world, &attacks[i], tried + 3) ? 1 : 0;
	}
	printf("# %zu of %zu detected\n1..%zu\n", found, tried, tried + 3);
	buf_done(&output);
	world_remove(&world);
	return clean && found == tried ? 0 : 1;
}
