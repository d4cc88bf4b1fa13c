#include "correlator/anchoring.h"

#include "base/clock.h"
#include "base/log.h"
#include "correlator/rollback.h"
#include "store/log/anchors.h"
#include "store/log/nodes.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>

struct anchor {
	struct anchor_state state;
	int64_t interval_ns;
	bool needs_proof; /* a witness */
	enum anchor_receipt_kind receipts;
	bool in_hand;
	uint64_t sent_size, sent_old;
	struct buf sent; /* the checkpoint that it was sent: a receipt is good with that one only */
	bool asked_again; /* another size was told, and answered at once */
	bool told;        /* that it fails */
};

struct anchoring {
	struct anchoring_options options;
	struct anchor *anchors;
	size_t count;
	bool connected, refused;
	int64_t now_ns;  /* of the answer that is being taken */
	struct buf note; /* of the newest checkpoint */
};

int anchoring_new(const struct anchoring_options *options, struct anchoring **out_anchoring,
		  struct error *err)
{
	struct anchoring *anchoring = calloc(1, sizeof *anchoring);
	if (anchoring == NULL) {
		return error_set(err, ERR_NOMEM, "no memory for anchors");
	}
	anchoring->options = *options;
	buf_init(&anchoring->note, NOTE_MAX_BYTES);
	*out_anchoring = anchoring;
	return 0;
}

static void free_anchors(struct anchor *anchors, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		buf_done(&anchors[i].sent);
	}
	free(anchors);
}

void anchoring_free(struct anchoring *anchoring)
{
	if (anchoring != NULL) {
		buf_done(&anchoring->note);
		free_anchors(anchoring->anchors, anchoring->count);
		free(anchoring);
	}
}

bool anchoring_refused(const struct anchoring *anchoring)
{
	return anchoring != NULL && anchoring->refused;
}

size_t anchoring_count(const struct anchoring *anchoring)
{
	return anchoring->count;
}

static int read_anchor(struct store *store, const struct config *config, const char *name,
		       struct anchor *out, struct error *err)
{
	char section[ANCHORS_NAME_MAX + 16];
	struct anchor_state *state = &out->state;
	assert(strlen(name) <= ANCHORS_NAME_MAX); /* the configuration takes no longer ones */
	(void)snprintf(section, sizeof section, "anchors.%s", name);
	const char *type = config_text(config, section, "type");
	int rc = anchors_get(store, name, state, err);
	if (rc == -ERR_CORRUPT) { /* nothing in it is needed: the anchor tells what it has */
		log_error(LOG_LEVEL_ERROR, "anchor-damaged", err);
		rc = -ERR_GONE;
	}
	if (rc < 0 && rc != -ERR_GONE) {
		return rc;
	}
	if (rc == -ERR_GONE || strcmp(state->type, type) != 0) {
		error_clear(err);
		*state = (struct anchor_state){.taken_ns = INT64_MIN};
		(void)snprintf(state->name, sizeof state->name, "%s", name);
		(void)snprintf(state->type, sizeof state->type, "%s", type);
		rc = anchors_put(store, state, err);
	} else {
		state->next_ns = 0; /* what was wrong may be mended */
		rc = 0;
	}
	buf_init(&out->sent, NOTE_MAX_BYTES);
	out->interval_ns = config_int(config, section, "interval");
	out->needs_proof = strcmp(type, "witness") == 0;
	out->receipts = out->needs_proof ? ANCHOR_COSIGNATURE : ANCHOR_TIMESTAMP;
	return rc;
}

struct left { /* names of the store that the configuration has not */
	const struct config *config;
	char names[64][ANCHORS_NAME_MAX + 1];
	size_t count;
};

static int find_left(void *owner, const struct anchor_state *state, struct error *err)
{
	struct left *left = owner;
	(void)err;
	for (size_t i = 0; i < config_name_count(left->config, "anchors"); i++) {
		if (strcmp(config_name(left->config, "anchors", i), state->name) == 0) {
			return 0;
		}
	}
	if (left->count < sizeof left->names / sizeof left->names[0]) {
		memcpy(left->names[left->count++], state->name, sizeof state->name);
	}
	return 0;
}

static int drop_left(struct store *store, const struct config *config, struct error *err)
{
	struct left left = {.config = config};
	int rc = anchors_walk(store, find_left, &left, err);
	if (rc == -ERR_CORRUPT) { /* it stays, and status tells it */
		log_error(LOG_LEVEL_ERROR, "anchor-damaged", err);
		error_clear(err);
		rc = 0;
	}
	for (size_t i = 0; i < left.count && rc == 0; i++) {
		rc = anchors_drop(store, left.names[i], err);
	}
	return rc;
}

int anchoring_set(struct anchoring *anchoring, const struct config *config, struct error *err)
{
	struct store *store = anchoring->options.store;
	size_t count = config_name_count(config, "anchors");
	struct anchor *anchors = calloc(count + 1, sizeof anchors[0]);
	int rc =
		anchors == NULL ? error_set(err, ERR_NOMEM, "no memory for %zu anchors", count) : 0;
	for (size_t i = 0; i < count && rc == 0; i++) {
		rc = read_anchor(store, config, config_name(config, "anchors", i), &anchors[i],
				 err);
	}
	rc = rc < 0 ? rc : drop_left(store, config, err);
	if (rc == 0) {
		rc = rollback_refused(store, &anchoring->note, err);
		anchoring->refused = rc == 0;
		if (rc == 0) {
			log_write(LOG_LEVEL_ERROR, "log-refused",
				  "the log is neither signed nor anchored: %.*s",
				  STR_ARG(buf_str(&anchoring->note)));
		} else if (rc == -ERR_GONE) {
			error_clear(err);
			rc = 0;
		}
	}
	if (rc < 0) {
		free(anchors);
		return rc;
	}
	free_anchors(anchoring->anchors, anchoring->count);
	anchoring->anchors = anchors;
	anchoring->count = count;
	return 0;
}

static void take_back(struct anchoring *anchoring)
{
	for (size_t i = 0; i < anchoring->count; i++) {
		anchoring->anchors[i].in_hand = false;
		anchoring->anchors[i].asked_again = false;
	}
}

void anchoring_connected(struct anchoring *anchoring)
{
	anchoring->connected = true;
	take_back(anchoring);
}

void anchoring_lost(struct anchoring *anchoring)
{
	anchoring->connected = false;
	take_back(anchoring);
}

/* When it may be given the checkpoint of so many leaves; INT64_MAX: it has it. */
static int64_t due_ns(const struct anchor *anchor, uint64_t size, int64_t now_ns)
{
	const struct anchor_state *state = &anchor->state;
	if (anchor->in_hand || (state->taken_ns != INT64_MIN && state->taken_size >= size)) {
		return INT64_MAX;
	}
	int64_t due = state->next_ns;
	if (state->taken_ns != INT64_MIN && state->taken_ns <= now_ns &&
	    state->taken_ns + anchor->interval_ns > due) {
		due = state->taken_ns + anchor->interval_ns;
	}
	/* a clock that was put back must not keep it waiting */
	return due > now_ns + anchor->interval_ns + ANCHORING_WAIT_MAX_NS ? now_ns : due;
}

static int64_t wait_ns(const struct anchor *anchor)
{
	int64_t most = anchor->interval_ns > ANCHORING_WAIT_MAX_NS ? anchor->interval_ns
								   : ANCHORING_WAIT_MAX_NS;
	int64_t wait = anchor->interval_ns < ANCHORING_WAIT_FIRST_NS ? anchor->interval_ns
								     : ANCHORING_WAIT_FIRST_NS;
	for (uint32_t i = 1; i < anchor->state.failures && wait < most; i++) {
		wait *= 2;
	}
	return wait < most ? wait : most;
}

/* Keeps what went wrong; said once until it works again. */
static int failed(struct anchoring *anchoring, struct anchor *anchor, int64_t now_ns,
		  const char *text, struct error *err)
{
	struct anchor_state *state = &anchor->state;
	state->failures++;
	state->next_ns = now_ns + wait_ns(anchor);
	(void)snprintf(state->text, sizeof state->text, "%s", text);
	if (!anchor->told) {
		anchor->told = true;
		log_write(LOG_LEVEL_WARNING, "anchor-failed", "anchor %s: %s", state->name,
			  state->text);
	}
	return anchors_put(anchoring->options.store, state, err);
}

/* The proof that a witness needs. Returns 0, or what log_nodes gave. */
static int prove(struct anchoring *anchoring, uint64_t old_size, uint64_t size, struct buf *out,
		 struct error *err)
{
	struct log_nodes *nodes = NULL;
	struct merkle_proof proof = {.count = 0};
	if (old_size == 0 || old_size >= size) {
		return 0;
	}
	int rc = log_nodes_open(anchoring->options.store, &nodes, err);
	if (rc == 0) {
		const struct merkle_source source = log_nodes_source(nodes);
		rc = merkle_prove_tree(old_size, size, &source, &proof, err);
	}
	log_nodes_close(nodes);
	for (size_t i = 0; i < proof.count && rc == 0; i++) {
		buf_put(out, proof.hashes[i].bytes, sizeof proof.hashes[i].bytes);
	}
	return rc < 0 ? rc : buf_check(out, "a proof", err);
}

static int send_one(struct anchoring *anchoring, struct anchor *anchor,
		    const struct checkpoint *checkpoint, int64_t now_ns, struct error *err)
{
	struct buf proof;
	struct error why;
	uint64_t old_size = anchor->needs_proof ? anchor->state.known_size : 0;
	old_size = old_size > checkpoint->size ? 0 : old_size; /* it will say its own */
	buf_init(&proof, (size_t)MERKLE_PROOF_MAX * DIGEST_BYTES);
	int rc = prove(anchoring, old_size, checkpoint->size, &proof, &why);
	if (rc == -ERR_CORRUPT || rc == -ERR_GONE) { /* the daemon goes on; whoever looks sees it */
		rc = failed(anchoring, anchor, now_ns, why.text, err);
	} else if (rc < 0) {
		*err = why;
	} else {
		const struct feed_frame frame = {.type = FEED_CHECKPOINT,
						 .anchor = str_of(anchor->state.name),
						 .size = checkpoint->size,
						 .old_size = old_size,
						 .note = checkpoint->note,
						 .proof = buf_str(&proof)};
		anchor->in_hand = true;
		anchor->sent_size = checkpoint->size;
		anchor->sent_old = old_size;
		buf_clear(&anchor->sent);
		buf_put_str(&anchor->sent, checkpoint->note);
		rc = buf_check(&anchor->sent, "a checkpoint", err);
		rc = rc < 0 ? rc : anchoring->options.send(anchoring->options.owner, &frame, err);
	}
	buf_done(&proof);
	return rc;
}

/* Under another origin it is another log, of which nothing is anchored yet. */
static void follow_origin(struct anchor *anchor, struct str note)
{
	struct anchor_state *state = &anchor->state;
	struct str origin = str_split(&note, '\n');
	if (!str_is(origin, state->origin) && origin.len < sizeof state->origin) {
		memcpy(state->origin, origin.ptr, origin.len);
		state->origin[origin.len] = '\0';
		state->taken_size = state->known_size = 0;
		state->taken_ns = INT64_MIN;
		state->next_ns = 0;
	}
}

int anchoring_pump(struct anchoring *anchoring, int64_t now_ns, int64_t *out_next_ns,
		   struct error *err)
{
	struct checkpoint last;
	*out_next_ns = INT64_MAX;
	if (!anchoring->connected || anchoring->refused || anchoring->count == 0) {
		return 0;
	}
	int rc = checkpoints_last(anchoring->options.store, &last, &anchoring->note, err);
	if (rc < 0) {
		return rc == -ERR_GONE ? 0 : rc;
	}
	for (size_t i = 0; i < anchoring->count && rc == 0 && anchoring->connected; i++) {
		struct anchor *anchor = &anchoring->anchors[i];
		follow_origin(anchor, last.note);
		if (due_ns(anchor, last.size, now_ns) <= now_ns) {
			rc = send_one(anchoring, anchor, &last, now_ns, err);
		}
		int64_t due = due_ns(anchor, last.size, now_ns);
		*out_next_ns = due < *out_next_ns ? due : *out_next_ns;
	}
	return rc;
}

static int taken(struct anchoring *anchoring, struct anchor *anchor, const struct feed_frame *frame,
		 int64_t now_ns, struct error *err)
{
	struct anchor_state *state = &anchor->state;
	if (frame->receipt.len > 0) {
		const struct anchor_receipt receipt = {.anchor = str_of(state->name),
						       .size = frame->size,
						       .time_ns = now_ns,
						       .kind = anchor->receipts,
						       .note = buf_str(&anchor->sent),
						       .bytes = frame->receipt};
		int rc = anchors_put_receipt(anchoring->options.store, &receipt, err);
		if (rc < 0) {
			return rc;
		}
	}
	if (state->failures > 0) {
		log_write(LOG_LEVEL_NOTICE, "anchor-works", "anchor %s has taken %llu records",
			  state->name, (unsigned long long)frame->size);
	}
	state->taken_size = frame->size;
	state->known_size = frame->size;
	state->taken_ns = now_ns;
	state->failures = 0;
	state->next_ns = 0;
	state->text[0] = '\0';
	anchor->told = false;
	anchor->asked_again = false;
	return anchors_put(anchoring->options.store, state, err);
}

/* Somebody has seen what this store has not: nothing is signed any more. */
static int refuse(struct anchoring *anchoring, struct anchor *anchor, uint64_t size,
		  const char *sentence, struct error *err)
{
	struct anchor_state *state = &anchor->state;
	const struct rollback_finding finding = {
		.who = state->name, .size = size, .sentence = sentence};
	anchoring->refused = true;
	log_write(LOG_LEVEL_ERROR, "log-refused",
		  "anchor %s: %s; the log is neither signed nor anchored any more: put the right "
		  "store "
		  "back, or run \"querytrail log continue\"",
		  state->name, sentence);
	(void)snprintf(state->text, sizeof state->text, "%s", sentence);
	state->failures++;
	int rc = anchors_put(anchoring->options.store, state, err);
	return rc < 0 ? rc
		      : rollback_refuse(anchoring->options.store, &finding, anchoring->now_ns, err);
}

/* A witness stands elsewhere than was thought. */
static int other_size(struct anchoring *anchoring, struct anchor *anchor,
		      const struct feed_frame *frame, int64_t now_ns, struct error *err)
{
	struct anchor_state *state = &anchor->state;
	bool again = frame->old_size == anchor->sent_old || anchor->asked_again;
	if (frame->old_size < state->known_size && state->taken_ns != INT64_MIN) {
		log_write(LOG_LEVEL_WARNING, "anchor-forgot",
			  "anchor %s says that it knows %llu records, but it has signed %llu",
			  state->name, (unsigned long long)frame->old_size,
			  (unsigned long long)state->known_size);
	}
	state->known_size = frame->old_size;
	if (frame->old_size == anchor->sent_old && frame->old_size == frame->size) {
		return refuse(anchoring, anchor, frame->size,
			      "it has seen another tree of as many records", err);
	}
	if (again) {
		return failed(anchoring, anchor, now_ns, "it asks for one proof after the other",
			      err);
	}
	anchor->asked_again = true;
	state->next_ns = 0; /* a proof from there goes out at once */
	return anchors_put(anchoring->options.store, state, err);
}

/* What it says it has, against what was signed here. */
static int ahead(struct anchoring *anchoring, struct anchor *anchor, const struct feed_frame *frame,
		 int64_t now_ns, struct error *err)
{
	struct checkpoint last;
	char sentence[256];
	int rc = checkpoints_last(anchoring->options.store, &last, &anchoring->note, err);
	if (rc < 0) {
		return rc;
	}
	if (frame->old_size <= last.size) { /* of a checkpoint that went out after this one */
		anchor->state.known_size = frame->old_size;
		return failed(anchoring, anchor, now_ns,
			      "it has a newer checkpoint than the one that it was sent", err);
	}
	(void)snprintf(sentence, sizeof sentence,
		       "it has seen %llu records of this log, but only %llu were signed here",
		       (unsigned long long)frame->old_size, (unsigned long long)last.size);
	return refuse(anchoring, anchor, frame->old_size, sentence, err);
}

static struct anchor *find(struct anchoring *anchoring, struct str name)
{
	for (size_t i = 0; i < anchoring->count; i++) {
		if (str_is(name, anchoring->anchors[i].state.name)) {
			return &anchoring->anchors[i];
		}
	}
	return NULL;
}

int anchoring_received(struct anchoring *anchoring, const struct feed_frame *frame, int64_t now_ns,
		       struct error *err)
{
	char text[ANCHORS_TEXT_MAX];
	struct anchor *anchor = find(anchoring, frame->anchor);
	if (anchor == NULL || !anchor->in_hand || anchor->sent_size != frame->size ||
	    anchoring->refused) {
		return 0;
	}
	anchor->in_hand = false;
	anchoring->now_ns = now_ns;
	(void)snprintf(text, sizeof text, "%.*s", STR_ARG(frame->text));
	switch (frame->anchored) {
	case FEED_TAKEN:
		return taken(anchoring, anchor, frame, now_ns, err);
	case FEED_NOT_TAKEN:
		return failed(anchoring, anchor, now_ns, text, err);
	case FEED_OTHER_SIZE:
		return frame->old_size > frame->size
			       ? ahead(anchoring, anchor, frame, now_ns, err)
			       : other_size(anchoring, anchor, frame, now_ns, err);
	case FEED_ANCHOR_AHEAD:
		return ahead(anchoring, anchor, frame, now_ns, err);
	case FEED_ANCHOR_FORK:
		return refuse(anchoring, anchor, frame->size, text, err);
	}
	return 0;
}
