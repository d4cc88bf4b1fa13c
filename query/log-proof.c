#include "query/log-proof.h"

#include "base/parse.h"
#include "store/log/anchors.h"
#include "store/log/nodes.h"

#include <stdlib.h>

#define FIRST_LINE "querytrail-consistency@v1"

struct finding {
	struct store *store;
	uint64_t size;
	struct buf note; /* of the newest of that size, with cosignatures; empty: none */
	struct merkle_head head;
};

static int look(void *owner, const struct checkpoint *checkpoint, struct error *err)
{
	struct finding *finding = owner;
	if (checkpoint->size != finding->size) {
		return 0;
	}
	buf_clear(&finding->note);
	buf_put_str(&finding->note, checkpoint->note);
	return buf_check(&finding->note, "a checkpoint", err);
}

static int find(struct finding *finding, struct error *err)
{
	struct note_checkpoint text;
	struct note *note = calloc(1, sizeof *note);
	int rc = note != NULL ? checkpoints_walk(finding->store, 0, look, finding, err)
			      : error_set(err, ERR_NOMEM, "no memory for a checkpoint");
	if (rc == 0 && finding->note.len == 0) {
		rc = error_set(err, ERR_GONE,
			       "no checkpoint is of %llu records; \"querytrail log show\" tells "
			       "which there are",
			       (unsigned long long)finding->size);
	}
	rc = rc < 0 ? rc : note_parse(buf_str(&finding->note), note, err);
	rc = rc < 0 ? rc : note_checkpoint_parse(note->text, &text, err);
	if (rc == 0) {
		finding->head = text.head;
	}
	free(note);
	return rc;
}

static void put(const struct finding found[2], const struct merkle_proof *proof, struct buf *out)
{
	buf_putf(out, FIRST_LINE "\nold %zu\nnew %zu\n", found[0].note.len, found[1].note.len);
	for (size_t i = 0; i < proof->count; i++) {
		parse_put_base64(out,
				 str_make(proof->hashes[i].bytes, sizeof proof->hashes[i].bytes));
		buf_put_byte(out, '\n');
	}
	buf_put_byte(out, '\n');
	buf_put_str(out, buf_str(&found[0].note));
	buf_put_str(out, buf_str(&found[1].note));
}

int log_proof_make(struct store *store, uint64_t old_size, uint64_t size, struct buf *out,
		   struct error *err)
{
	struct log_nodes *nodes = NULL;
	struct merkle_proof proof = {.count = 0};
	struct merkle_head now;
	struct finding found[2] = {{.store = store, .size = old_size},
				   {.store = store, .size = size}};
	buf_init(&found[0].note, NOTE_MAX_BYTES);
	buf_init(&found[1].note, NOTE_MAX_BYTES);
	int rc = old_size <= size ? log_nodes_open(store, &nodes, err)
				  : error_set(err, ERR_USAGE, "the older checkpoint comes first");
	rc = rc < 0 ? rc : find(&found[0], err);
	rc = rc < 0 ? rc : find(&found[1], err);
	if (rc == 0) {
		const struct merkle_source source = log_nodes_source(nodes);
		log_nodes_head(nodes, &now);
		rc = size > now.size ? error_set(err, ERR_CORRUPT, "the store holds fewer records")
				     : merkle_prove_tree(old_size, size, &source, &proof, err);
	}
	if (rc == 0) {
		rc = merkle_check_tree(&found[0].head, &found[1].head, &proof, err);
		rc = rc != -ERR_INPUT ? rc
				      : error_set(err, ERR_CORRUPT,
						  "the store does not hold what was signed; "
						  "\"querytrail verify\" tells where");
	}
	if (rc == 0) {
		put(found, &proof, out);
		rc = buf_check(out, "the proof", err);
	}
	log_nodes_close(nodes);
	buf_done(&found[0].note);
	buf_done(&found[1].note);
	return rc;
}

/* "WORD N" */
static bool take_length(struct str line, struct str word, uint64_t *out)
{
	return str_has_prefix(line, word) && parse_u64(str_slice(line, word.len, SIZE_MAX), out) &&
	       *out <= NOTE_MAX_BYTES;
}

static bool take_hash(struct str line, struct merkle_proof *proof)
{
	struct buf bytes;
	buf_init(&bytes, 64);
	bool good = proof->count < MERKLE_PROOF_MAX && parse_base64(line, &bytes) &&
		    bytes.len == DIGEST_BYTES;
	if (good) {
		memcpy(proof->hashes[proof->count++].bytes, bytes.ptr, DIGEST_BYTES);
	}
	buf_done(&bytes);
	return good;
}

/* Everything but the two notes, which *notes is left with. */
static bool take_front(struct str bytes, struct merkle_proof *proof, struct str notes[2])
{
	struct str rest = bytes;
	uint64_t old_len, new_len;
	if (!str_is(str_split(&rest, '\n'), FIRST_LINE) ||
	    !take_length(str_split(&rest, '\n'), STR_LIT("old "), &old_len) ||
	    !take_length(str_split(&rest, '\n'), STR_LIT("new "), &new_len)) {
		return false;
	}
	struct str line = str_split(&rest, '\n');
	for (; line.len > 0; line = str_split(&rest, '\n')) {
		if (!take_hash(line, proof)) {
			return false;
		}
	}
	notes[0] = str_slice(rest, 0, (size_t)old_len);
	notes[1] = str_slice(rest, (size_t)old_len, SIZE_MAX);
	return rest.len == old_len + new_len;
}

static int check_note(struct str bytes, const struct logpolicy *policy,
		      struct logpolicy_verdict *out, struct error *err)
{
	struct note *note = calloc(1, sizeof *note);
	int rc = note != NULL ? note_parse(bytes, note, err)
			      : error_set(err, ERR_NOMEM, "no memory for a checkpoint");
	rc = rc < 0 ? rc : logpolicy_check(policy, note, out, err);
	free(note);
	return rc;
}

int log_proof_check(struct str bytes, const struct logpolicy *policy, struct log_proof_heads *out,
		    struct error *err)
{
	struct merkle_proof proof = {.count = 0};
	struct logpolicy_verdict older, newer;
	struct str notes[2];
	if (!take_front(bytes, &proof, notes)) {
		return error_set(err, ERR_INPUT, "it is no consistency proof, or cut off");
	}
	int rc = check_note(notes[0], policy, &older, err);
	rc = rc < 0 ? rc : check_note(notes[1], policy, &newer, err);
	if (rc < 0) {
		return rc;
	}
	if (!str_equal(older.checkpoint.origin, newer.checkpoint.origin)) {
		return error_set(err, ERR_INPUT, "the checkpoints are of two logs");
	}
	*out = (struct log_proof_heads){older.checkpoint.head, newer.checkpoint.head};
	return merkle_check_tree(&out->older, &out->head, &proof, err);
}
