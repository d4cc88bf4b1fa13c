#include "query/evidence.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The checkpoint says what the tree is: else no proof can hold. */
static int compare(struct evidence *evidence, struct error *err)
{
	const struct merkle_source source = log_nodes_source(evidence->nodes);
	struct merkle_head now;
	struct merkle_hash root;
	log_nodes_head(evidence->nodes, &now);
	if (evidence->head.size > now.size) {
		return error_set(err, ERR_CORRUPT,
				 "%llu records were signed and the store holds %llu; \"querytrail "
				 "verify\" tells more",
				 (unsigned long long)evidence->head.size,
				 (unsigned long long)now.size);
	}
	int rc = merkle_root_fetch(evidence->head.size, &source, &root, err);
	if (rc == 0 && !merkle_equal(&root, &evidence->head.root)) {
		rc = error_set(err, ERR_CORRUPT,
			       "the store's first %llu records are not those that were signed; "
			       "\"querytrail verify\" tells where",
			       (unsigned long long)evidence->head.size);
	}
	return rc;
}

static int take_note(struct evidence *evidence, struct error *err)
{
	struct note *note = calloc(1, sizeof *note);
	struct note_checkpoint text;
	int rc = note != NULL ? note_parse(buf_str(&evidence->signed_note), note, err)
			      : error_set(err, ERR_NOMEM, "no memory for a checkpoint");
	rc = rc < 0 ? rc : note_checkpoint_parse(note->text, &text, err);
	if (rc == -ERR_INPUT) {
		rc = error_set(err, ERR_CORRUPT, "the newest checkpoint is damaged");
	}
	if (rc == 0) {
		size_t len = text.origin.len < NOTE_NAME_MAX ? text.origin.len : NOTE_NAME_MAX;
		memcpy(evidence->origin, text.origin.ptr, len);
		evidence->origin[len] = 0;
		evidence->head = text.head;
	}
	free(note);
	return rc;
}

int evidence_open(struct evidence *evidence, struct store *store, struct error *err)
{
	*evidence = (struct evidence){.store = store};
	buf_init(&evidence->signed_note, NOTE_MAX_BYTES);
	buf_init(&evidence->note, NOTE_MAX_BYTES);
	int rc = log_nodes_open(store, &evidence->nodes, err);
	rc = rc < 0 ? rc
		    : checkpoints_last(store, &evidence->checkpoint, &evidence->signed_note, err);
	rc = rc < 0 ? rc : take_note(evidence, err);
	rc = rc < 0 ? rc : compare(evidence, err);
	return rc < 0 ? rc : anchors_note(store, &evidence->checkpoint, &evidence->note, err);
}

void evidence_close(struct evidence *evidence)
{
	log_nodes_close(evidence->nodes);
	buf_done(&evidence->signed_note);
	buf_done(&evidence->note);
	evidence->nodes = NULL;
}

int evidence_leaf(struct evidence *evidence, uint64_t leaf, struct tlogproof *out_proof,
		  struct error *err)
{
	const struct merkle_source source = log_nodes_source(evidence->nodes);
	struct merkle_hash hash;
	if (leaf >= evidence->head.size) {
		return error_set(err, ERR_AGAIN, "leaf %llu is not signed yet",
				 (unsigned long long)leaf);
	}
	*out_proof = (struct tlogproof){.index = leaf, .checkpoint = buf_str(&evidence->note)};
	int rc = merkle_prove_leaf(leaf, evidence->head.size, &source, &out_proof->path, err);
	rc = rc < 0 ? rc : log_nodes_leaf(evidence->nodes, leaf, &evidence->leaf, err);
	if (rc < 0) {
		return rc;
	}
	log_entry_make(&evidence->leaf.leaf, &evidence->leaf.entry);
	merkle_leaf(str_make(evidence->leaf.entry.bytes, evidence->leaf.entry.len), &hash);
	rc = merkle_check_leaf(leaf, &hash, &evidence->head, &out_proof->path, err);
	return rc != -ERR_INPUT
		       ? rc
		       : error_set(err, ERR_CORRUPT,
				   "leaf %llu is not the one that was signed; \"querytrail "
				   "verify\" tells more",
				   (unsigned long long)leaf);
}

static int put_keys(struct evidence *evidence, struct buf *out, struct error *err)
{
	struct buf lines;
	buf_init(&lines, 0);
	int rc = store_meta_get(evidence->store, CHECKPOINTS_KEYS, &lines, err);
	if (rc == -ERR_GONE) {
		error_clear(err);
		rc = 0;
	}
	struct str rest = buf_str(&lines);
	size_t name = strlen(evidence->origin);
	while (rc == 0 && rest.ptr != NULL) {
		struct str line = str_split(&rest, '\n');
		if (str_has_prefix(line, str_of(evidence->origin)) && line.len > name &&
		    line.ptr[name] == '+') {
			buf_putf(out, "log %.*s\n", STR_ARG(line));
		}
	}
	buf_done(&lines);
	return rc;
}

/* The key of an anchor that is a witness, or NULL. */
static const char *witness_key(const struct config *config, size_t index)
{
	char section[256];
	(void)snprintf(section, sizeof section, "anchors.%s",
		       config_name(config, "anchors", index)); /* names are short */
	bool is_witness = strcmp(config_text(config, section, "type"), "witness") == 0;
	return is_witness ? config_text(config, section, "key") : NULL;
}

/* Whether an anchor before it is the same witness, asked at another address: a policy has each key once. */
static bool is_same_witness(const struct config *config, size_t index)
{
	for (size_t i = 0; i < index; i++) {
		const char *key = witness_key(config, i);
		if (key != NULL && strcmp(key, witness_key(config, index)) == 0) {
			return true;
		}
	}
	return false;
}

int evidence_put_policy(struct evidence *evidence, const struct config *config, struct buf *out,
			struct error *err)
{
	int rc = put_keys(evidence, out, err);
	size_t count = config != NULL ? config_name_count(config, "anchors") : 0;
	for (size_t i = 0; i < count; i++) {
		const char *key = witness_key(config, i);
		if (key != NULL && !is_same_witness(config, i)) {
			buf_putf(out, "witness %s %s\n", config_name(config, "anchors", i), key);
		}
	}
	buf_put_text(out, "quorum none\n");
	return rc < 0 ? rc : buf_check(out, "the policy", err);
}
