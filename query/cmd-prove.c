#include "query/command.h"

#include "base/clock.h"
#include "base/io.h"
#include "base/logpolicy.h"
#include "base/parse.h"
#include "query/bundle.h"
#include "query/evidence.h"
#include "query/story.h"
#include "store/alerts.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#define WAIT_NS     (15000 * NS_PER_MS)
#define LOOK_MS     100
#define NAME_BYTES  64
#define LEAF_PREFIX "leaf:"

struct proving {
	struct session *session;
	uint64_t *leaves; /* rising, each once */
	size_t count, room;
	struct evidence evidence;
	bool is_open; /* evidence */
	struct bundle bundle;
	struct buf policy, text;
	uint64_t removed, written;
	bool stamped;    /* checkpoint.note is written */
	bool incomplete; /* not all that the ids name is in it */
};

static int add(struct proving *proving, uint64_t leaf, struct error *err)
{
	if (proving->count == proving->room) {
		size_t room = proving->room > 0 ? proving->room * 2 : 64;
		uint64_t *larger = realloc(proving->leaves, room * sizeof larger[0]);
		if (larger == NULL) {
			return error_set(err, ERR_NOMEM, "no memory for the records");
		}
		proving->leaves = larger;
		proving->room = room;
	}
	proving->leaves[proving->count++] = leaf;
	return 0;
}

static int add_alert(void *owner, const struct store_alert *alert, struct error *err)
{
	return add(owner, alert->leaf, err);
}

/* All records that the answer of show to an id rests on. */
static int add_story(struct proving *proving, const struct story *story, struct error *err)
{
	const struct story_list *const lists[] = {&story->requests, &story->statements,
						  &story->others};
	const struct alerts_walk walk = {add_alert, proving};
	int rc = 0;
	for (size_t i = 0; i < 3; i++) {
		for (size_t k = 0; k < lists[i]->count && rc == 0; k++) {
			uint64_t leaf = lists[i]->leaf[k];
			rc = add(proving, leaf, err);
			rc = rc < 0 ? rc
				    : alerts_of_record(proving->session->store, leaf, &walk, err);
		}
	}
	for (size_t i = 0; i < story->verdict_count && rc == 0; i++) {
		rc = add(proving, story->verdicts[i].leaf, err);
	}
	return rc;
}

static int add_id(struct proving *proving, const char *id, struct error *err)
{
	struct session *session = proving->session;
	struct story story;
	uint64_t leaf;
	if (strncmp(id, LEAF_PREFIX, strlen(LEAF_PREFIX)) == 0) {
		if (!parse_u64(str_of(id + strlen(LEAF_PREFIX)), &leaf) ||
		    leaf >= store_leaf_count(session->store)) {
			return error_set(err, ERR_USAGE, "%s is no leaf of this store", id);
		}
		return add(proving, leaf, err);
	}
	int rc = story_find(session->store, str_of(id), &story, err);
	if (rc == 0 && story.found_count == 0) {
		rc = error_set(err, ERR_USAGE, "nothing has the id \"%s\"", id);
	}
	rc = rc < 0 ? rc : add_story(proving, &story, err);
	if (rc == 0 && (story.damaged > 0 || story.found_count > STORY_FOUND_MAX)) {
		proving->incomplete = true;
		buf_putf(&session->err.text, "INCOMPLETE: not all records of %s could be %s\n", id,
			 story.damaged > 0 ? "read" : "taken");
	}
	story_done(&story);
	return rc;
}

static int by_number(const void *a, const void *b)
{
	const uint64_t *left = a, *right = b;
	return (*left > *right) - (*left < *right);
}

static int gather(struct proving *proving, struct error *err)
{
	const struct option_line *line = &proving->session->line;
	int rc = 0;
	size_t kept = 0;
	for (size_t i = 0; i < line->word_count && rc == 0; i++) {
		rc = add_id(proving, line->word[i], err);
	}
	if (rc < 0) {
		return rc;
	}
	qsort(proving->leaves, proving->count, sizeof proving->leaves[0], by_number);
	for (size_t i = 0; i < proving->count; i++) {
		if (i == 0 || proving->leaves[i] != proving->leaves[i - 1]) {
			proving->leaves[kept++] = proving->leaves[i];
		}
	}
	proving->count = kept;
	return 0;
}

/* Opens the newest checkpoint; when it does not cover all, waits for one that does while a daemon can sign it. */
static int wait_for_checkpoint(struct proving *proving, struct error *err)
{
	const struct timespec pause = {0, LOOK_MS * NS_PER_MS};
	struct session *session = proving->session;
	uint64_t last = proving->leaves[proving->count - 1];
	int64_t end_ns = clock_monotonic_ns() + WAIT_NS;
	for (;;) {
		bool alive = session_daemon_runs(session);
		int rc = evidence_open(&proving->evidence, session->store, err);
		proving->is_open = true;
		if ((rc < 0 && rc != -ERR_GONE) ||
		    (rc == 0 && last < proving->evidence.head.size)) {
			return rc;
		}
		uint64_t size = rc == 0 ? proving->evidence.head.size : 0;
		evidence_close(&proving->evidence);
		proving->is_open = false;
		if (!alive || clock_monotonic_ns() >= end_ns) {
			return error_set(err, ERR_GONE,
					 "leaf %" PRIu64 " is not signed yet (%" PRIu64
					 " records are)%s",
					 last, size,
					 alive ? ", and the daemon signed nothing for 15 s; see "
						 "\"querytrail status\""
					       : ", and no daemon runs that would sign it: start "
						 "querytraild");
		}
		error_clear(err);
		(void)nanosleep(&pause, NULL); /* a signal only makes it shorter */
	}
}

/* The policy that goes with it: the one of --policy, which then must accept the checkpoint, or one that is made. */
static int make_policy(struct proving *proving, struct error *err)
{
	struct session *session = proving->session;
	const char *path = session_option(session, OPTION_POLICY);
	if (path == NULL) {
		struct error ignored; /* without a configuration there are no witnesses to name */
		if (session->config == NULL) {
			(void)session_load_config(session, NULL, &ignored);
		}
		return evidence_put_policy(&proving->evidence, session->config, &proving->policy,
					   err);
	}
	struct logpolicy *policy = NULL;
	struct logpolicy_verdict verdict;
	struct note *note = calloc(1, sizeof *note);
	int rc = note != NULL ? io_read_file(path, LOGPOLICY_MAX_BYTES, &proving->policy, err)
			      : error_set(err, ERR_NOMEM, "no memory for a checkpoint");
	rc = rc < 0 ? rc : logpolicy_parse(buf_str(&proving->policy), &policy, err);
	rc = rc < 0 ? rc : note_parse(buf_str(&proving->evidence.note), note, err);
	rc = rc < 0 ? rc : logpolicy_check(policy, note, &verdict, err);
	if (rc < 0) {
		error_prefix(err, "the newest checkpoint by %s", path);
	}
	logpolicy_free(policy);
	free(note);
	return rc;
}

static int put_file(struct proving *proving, uint64_t leaf, const char *suffix, struct str bytes,
		    struct error *err)
{
	char name[NAME_BYTES];
	(void)snprintf(name, sizeof name, "%" PRIu64 "%s", leaf, suffix); /* fits */
	return bundle_put(&proving->bundle, name, bytes, err);
}

static int put_leaf(struct proving *proving, uint64_t leaf, struct error *err)
{
	const struct log_evidence *found = &proving->evidence.leaf;
	struct tlogproof proof;
	struct record record;
	struct buf *text = &proving->text;
	int rc = evidence_leaf(&proving->evidence, leaf, &proof, err);
	if (rc == -ERR_GONE) {
		error_clear(err);
		proving->removed++;
		buf_putf(&proving->session->err.text, "leaf %" PRIu64 " was removed\n", leaf);
		return 0;
	}
	rc = rc < 0 ? rc : put_file(proving, leaf, ".record", found->encoded, err);
	if (rc == 0 && found->salted) {
		rc = put_file(proving, leaf, ".salt",
			      str_make(found->salt.bytes, sizeof found->salt.bytes), err);
	}
	rc = rc < 0 ? rc
		    : put_file(proving, leaf, ".entry",
			       str_make(found->entry.bytes, found->entry.len), err);
	buf_clear(text);
	tlogproof_put(&proof, (struct str){0}, text);
	rc = rc < 0 ? rc : buf_check(text, "a proof", err);
	rc = rc < 0 ? rc : put_file(proving, leaf, ".tlog-proof", buf_str(text), err);
	rc = rc < 0 ? rc : record_decode(found->encoded, &record, err);
	if (rc < 0) {
		return rc;
	}
	buf_clear(text);
	record_put_json(&record, text);
	buf_put_byte(text, '\n');
	rc = buf_check(text, "a record", err);
	proving->written++;
	return rc < 0 ? rc : put_file(proving, leaf, ".json", buf_str(text), err);
}

static int put_stamp(void *owner, const struct anchor_receipt *receipt, struct error *err)
{
	struct proving *proving = owner;
	char name[ANCHORS_NAME_MAX + sizeof ".tsr"];
	if (receipt->kind != ANCHOR_TIMESTAMP || receipt->anchor.len > ANCHORS_NAME_MAX) {
		return 0;
	}
	(void)snprintf(name, sizeof name, "%.*s.tsr", STR_ARG(receipt->anchor)); /* fits */
	int rc = 0;
	if (!proving->stamped) {
		rc = bundle_put(&proving->bundle, "checkpoint.note",
				buf_str(&proving->evidence.signed_note), err);
		proving->stamped = true;
	}
	return rc < 0 ? rc : bundle_put(&proving->bundle, name, receipt->bytes, err);
}

static int put_readme(struct proving *proving, struct error *err)
{
	struct buf *text = &proving->text;
	const struct evidence *evidence = &proving->evidence;
	buf_clear(text);
	buf_putf(text,
		 "Evidence from the log %s\n"
		 "\n"
		 "It proves that each N.record here is leaf N of the log of %" PRIu64
		 " records that \"checkpoint\" signs.\n"
		 "\n"
		 "  N.record      the record, its canonical bytes\n"
		 "  N.json        the same for people\n"
		 "  N.salt        32 bytes; missing for a record that was redacted\n"
		 "  N.entry       the leaf's entry: when and whence, and SHA-256(salt, record) "
		 "last\n"
		 "  N.tlog-proof  the path from the entry to the checkpoint (C2SP tlog-proof)\n"
		 "  checkpoint    size and root of the log, signed (C2SP tlog-checkpoint)\n"
		 "  policy        keys as the store names them (C2SP tlog-policy)\n"
		 "\n"
		 "Whom to trust is yours to say: take the keys from your own copy of the policy,\n"
		 "which you got when the log was set up. The one here came with the evidence.\n"
		 "\n",
		 evidence->origin, evidence->head.size);
	buf_put_text(
		text,
		"With querytrail:\n"
		"  querytrail verify --bundle . --policy YOUR-POLICY\n"
		"\n"
		"By hand (docs/verify-it-yourself.md has the rest, with a short program for the "
		"paths):\n"
		"  sha256sum -c --quiet manifest-sha256.txt\n"
		"  sed '/^$/,$d' checkpoint > /tmp/body\n"
		"  o=$(head -n 1 checkpoint)\n"
		"  grep -F \"log $o+\" YOUR-POLICY | head -n 1 | cut -d + -f 3- | base64 -d | tail "
		"-c 32 > "
		"/tmp/raw\n"
		"  { printf '\\060\\052\\060\\005\\006\\003\\053\\145\\160\\003\\041\\000'; cat "
		"/tmp/raw; } > /tmp/key\n"
		"  awk -v o=\"$o\" '$2 == o { print $3; exit }' checkpoint | base64 -d | tail -c "
		"64 > "
		"/tmp/sig\n"
		"  openssl pkeyutl -verify -pubin -keyform DER -inkey /tmp/key -rawin -in "
		"/tmp/body "
		"-sigfile /tmp/sig\n"
		"  cat N.salt N.record | sha256sum; tail -c 32 N.entry | od -An -tx1\n");
	if (proving->stamped) {
		buf_put_text(text, "  openssl ts -verify -in ANCHOR.tsr -data checkpoint.note "
				   "-CAfile YOUR-TSA.pem\n");
	}
	int rc = buf_check(text, "the text", err);
	return rc < 0 ? rc : bundle_put(&proving->bundle, "README.txt", buf_str(text), err);
}

static int write_all(struct proving *proving, struct error *err)
{
	struct evidence *evidence = &proving->evidence;
	int rc = bundle_begin(&proving->bundle, session_option(proving->session, OPTION_OUTPUT),
			      err);
	for (size_t i = 0; i < proving->count && rc == 0; i++) {
		rc = put_leaf(proving, proving->leaves[i], err);
	}
	if (rc == 0 && proving->written == 0) {
		rc = error_set(err, ERR_GONE, "all of these records were removed");
	}
	rc = rc < 0 ? rc
		    : bundle_put(&proving->bundle, "checkpoint", buf_str(&evidence->note), err);
	rc = rc < 0 ? rc : bundle_put(&proving->bundle, "policy", buf_str(&proving->policy), err);
	const struct checkpoint stamped = {.id = evidence->checkpoint.id,
					   .size = evidence->checkpoint.size,
					   .time_ns = evidence->checkpoint.time_ns,
					   .note = buf_str(&evidence->signed_note)};
	rc = rc < 0 ? rc : anchors_receipts(evidence->store, &stamped, put_stamp, proving, err);
	rc = rc < 0 ? rc : put_readme(proving, err);
	return rc < 0 ? rc : bundle_end(&proving->bundle, err);
}

static void tell(struct proving *proving)
{
	struct session *session = proving->session;
	struct buf *out = &session->out.text;
	buf_putf(out, "%" PRIu64 " record%s with proof%s, against the checkpoint of ",
		 proving->written, proving->written == 1 ? "" : "s",
		 proving->written == 1 ? "" : "s");
	output_safe(&session->out, str_of(proving->evidence.origin));
	buf_putf(out, " over %" PRIu64 " records: ", proving->evidence.head.size);
	output_safe(&session->out, str_of(session_option(session, OPTION_OUTPUT)));
	buf_put_text(out, "\nREADME.txt says how to check it; whose keys to trust is up to who "
			  "checks.\n");
}

int cmd_prove(struct session *session, struct error *err)
{
	if (session_option(session, OPTION_OUTPUT) == NULL) {
		return error_set(err, ERR_USAGE, "\"querytrail prove\" needs a folder: -o DIR");
	}
	struct proving proving = {.session = session};
	buf_init(&proving.policy, LOGPOLICY_MAX_BYTES);
	buf_init(&proving.text, 0);
	int rc = gather(&proving, err);
	rc = rc < 0 ? rc : wait_for_checkpoint(&proving, err);
	rc = rc < 0 ? rc : make_policy(&proving, err);
	rc = rc < 0 ? rc : write_all(&proving, err);
	if (rc == 0) {
		tell(&proving);
	}
	bundle_done(&proving.bundle);
	if (proving.is_open) {
		evidence_close(&proving.evidence);
	}
	buf_done(&proving.policy);
	buf_done(&proving.text);
	free(proving.leaves);
	if (rc < 0) {
		return rc;
	}
	return proving.incomplete || proving.removed > 0 ? EXIT_INCOMPLETE : EXIT_FOUND;
}
