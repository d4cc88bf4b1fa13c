#include "query/command.h"

#include "base/io.h"
#include "base/parse.h"
#include "query/anchor-view.h"
#include "query/evidence.h"
#include "query/log-continue.h"
#include "query/log-proof.h"
#include "query/when.h"
#include "store/sign.h"

#include <inttypes.h>
#include <stdlib.h>
#include <unistd.h>

#define CELLS 12

struct counts {
	uint64_t checkpoints;
	uint64_t first_size;
};

static int count(void *owner, const struct checkpoint *checkpoint, struct error *err)
{
	struct counts *counts = owner;
	(void)err;
	counts->first_size = counts->checkpoints++ == 0 ? checkpoint->size : counts->first_size;
	return 0;
}

static void put_word(struct session *session, const char *word)
{
	output_style(&session->out, STYLE_DIM);
	buf_put_text(&session->out.text, word);
	buf_put_fill(&session->out.text, ' ', CELLS - strlen(word));
	output_style(&session->out, STYLE_NONE);
}

/* The keys that ever signed, each on a line. */
static int put_keys(struct session *session, bool worded, struct error *err)
{
	struct buf keys;
	buf_init(&keys, 0);
	int rc = store_meta_get(session->store, CHECKPOINTS_KEYS, &keys, err);
	if (rc == -ERR_GONE) {
		error_clear(err);
		rc = 0;
	}
	struct str rest = buf_str(&keys);
	while (rc == 0 && rest.len > 0) {
		if (worded) {
			put_word(session, rest.ptr == keys.ptr ? "keys" : "");
		}
		output_safe(&session->out, str_split(&rest, '\n'));
		buf_put_byte(&session->out.text, '\n');
	}
	buf_done(&keys);
	return rc;
}

static int put_anchors(struct session *session, struct error *err)
{
	struct anchor_view *view = calloc(1, sizeof *view);
	int rc = view != NULL ? anchor_view_read(session->store, view, err)
			      : error_set(err, ERR_NOMEM, "no memory for anchors");
	if (rc == 0) {
		anchor_view_put(view, session->surroundings->now_ns, &session->out);
	}
	free(view);
	return rc;
}

static int show(struct session *session, struct error *err)
{
	struct evidence evidence;
	struct counts counts = {0};
	struct buf *out = &session->out.text;
	int rc = evidence_open(&evidence, session->store, err);
	if (rc == -ERR_GONE) {
		evidence_close(&evidence);
		buf_put_text(out, "nothing was signed yet\n");
		return EXIT_NONE;
	}
	rc = rc < 0 ? rc : checkpoints_walk(session->store, 0, count, &counts, err);
	if (rc == 0) {
		put_word(session, "origin");
		output_safe(&session->out, str_of(evidence.origin));
		buf_put_byte(out, '\n');
		put_word(session, "size");
		buf_putf(out, "%" PRIu64 " records signed of %" PRIu64 "\n", evidence.head.size,
			 store_leaf_count(session->store));
		put_word(session, "root");
		parse_put_base64(
			out, str_make(evidence.head.root.bytes, sizeof evidence.head.root.bytes));
		buf_put_byte(out, '\n');
		put_word(session, "signed");
		when_put(out, &session->zone, evidence.checkpoint.time_ns, 3, true);
		buf_put_byte(out, '\n');
		put_word(session, "checkpoints");
		buf_putf(out, "%" PRIu64 ", the first of %" PRIu64 " records\n", counts.checkpoints,
			 counts.first_size);
		rc = put_keys(session, true, err);
	}
	rc = rc < 0 ? rc : put_anchors(session, err);
	evidence_close(&evidence);
	return rc;
}

static int policy(struct session *session, struct error *err)
{
	struct evidence evidence;
	struct error ignored; /* without a configuration there are no witnesses to name */
	if (session->config == NULL) {
		(void)session_load_config(session, NULL, &ignored);
	}
	int rc = evidence_open(&evidence, session->store, err);
	rc = rc < 0 ? rc : evidence_put_policy(&evidence, session->config, &session->out.text, err);
	evidence_close(&evidence);
	return rc;
}

/* A number, or "latest". */
static int read_size(struct session *session, const char *word, uint64_t *out, struct error *err)
{
	struct checkpoint last;
	struct buf note;
	if (strcmp(word, "latest") != 0) {
		return parse_u64(str_of(word), out)
			       ? 0
			       : error_set(err, ERR_USAGE,
					   "a checkpoint is named by its number of records, or "
					   "\"latest\", not \"%s\"",
					   word);
	}
	buf_init(&note, NOTE_MAX_BYTES);
	int rc = checkpoints_last(session->store, &last, &note, err);
	*out = rc == 0 ? last.size : 0;
	buf_done(&note);
	return rc;
}

static int prove(struct session *session, struct error *err)
{
	const struct option_line *line = &session->line;
	const char *path = session_option(session, OPTION_OUTPUT);
	uint64_t old_size = 0, size = 0;
	struct buf proof;
	if (line->word_count != 3) {
		return error_set(err, ERR_USAGE, "\"querytrail log proof\" needs OLD and NEW");
	}
	buf_init(&proof, LOG_PROOF_MAX_BYTES);
	int rc = read_size(session, line->word[1], &old_size, err);
	rc = rc < 0 ? rc : read_size(session, line->word[2], &size, err);
	rc = rc < 0 ? rc : log_proof_make(session->store, old_size, size, &proof, err);
	if (rc == 0 && path != NULL && strcmp(path, "-") != 0) {
		rc = io_replace_file(path, buf_str(&proof), 0600, err);
	} else if (rc == 0) {
		buf_put_str(&session->out.text, buf_str(&proof));
	}
	buf_done(&proof);
	return rc;
}

static int check(struct session *session, const char *path, struct error *err)
{
	const char *policy_path = session_option(session, OPTION_POLICY);
	struct logpolicy *trusted = NULL;
	struct log_proof_heads heads;
	struct buf bytes, rules;
	if (policy_path == NULL) {
		return error_set(err, ERR_USAGE, "--check needs --policy: whom to trust");
	}
	buf_init(&bytes, LOG_PROOF_MAX_BYTES);
	buf_init(&rules, LOGPOLICY_MAX_BYTES);
	int rc = io_read_file(policy_path, LOGPOLICY_MAX_BYTES, &rules, err);
	rc = rc < 0 ? rc : logpolicy_parse(buf_str(&rules), &trusted, err);
	rc = rc < 0 ? rc : io_read_file(path, LOG_PROOF_MAX_BYTES, &bytes, err);
	rc = rc < 0 ? rc : log_proof_check(buf_str(&bytes), trusted, &heads, err);
	if (rc == 0) {
		buf_putf(&session->out.text,
			 "the log of %" PRIu64 " records begins with that of %" PRIu64 "\n",
			 heads.head.size, heads.older.size);
	} else {
		error_prefix(err, "%s", path);
	}
	logpolicy_free(trusted);
	buf_done(&bytes);
	buf_done(&rules);
	return rc;
}

/* A second key of the same origin, for a change of keys. */
static int next_key(struct session *session, struct error *err)
{
	const char *path = session_option(session, OPTION_OUTPUT);
	struct evidence evidence;
	struct sign *sign = NULL;
	if (path == NULL || access(path, F_OK) == 0) {
		return error_set(err, ERR_USAGE,
				 "the new key needs a file that is not there: -o FILE");
	}
	int rc = evidence_open(&evidence, session->store, err);
	rc = rc < 0 ? rc : sign_make_key(path, evidence.origin, err);
	rc = rc < 0 ? rc : sign_open(&path, 1, &sign, err);
	if (rc == 0) {
		buf_put_text(&session->out.text, "log ");
		note_key_put(sign_key(sign, 0), &session->out.text);
		buf_put_byte(&session->out.text, '\n');
	}
	sign_close(sign);
	evidence_close(&evidence);
	return rc;
}

static int go_on(struct session *session, struct error *err)
{
	struct secret key;
	struct log_continue work = {.dir = session_store_dir(session),
				    .key_file = session_option(session, OPTION_KEY_FILE),
				    .why = session_option(session, OPTION_REASON),
				    .now_ns = session->surroundings->now_ns};
	struct buf *out = &session->out.text;
	if (session_option(session, OPTION_YES) == NULL) {
		buf_put_text(
			out,
			"The log of this store would go on under a new origin, with a new key; "
			"the old key is\nkept, and a record says which origin, size and root it "
			"had. Who checks the log needs the\nnew policy, and sees that it was "
			"continued. Nothing was changed. With --yes and --reason\nit is done.\n");
		return EXIT_FOUND;
	}
	if (work.why == NULL || str_trim(str_of(work.why)).len == 0) {
		return error_set(err, ERR_USAGE, "say why, for the record: --reason \"..\"");
	}
	secret_init(&key);
	int rc = session_read_store_key(session, &key, err);
	work.store_key = secret_peek(&key);
	rc = rc < 0 ? rc : log_continue(&work, err);
	secret_done(&key);
	if (rc == 0) {
		buf_putf(out, "the log goes on as %s\n", work.origin);
		if (work.kept[0] != 0) {
			buf_putf(out, "the old key is %s\n", work.kept);
		}
		buf_put_text(out, "start querytraild, then give \"querytrail log policy\" to who "
				  "checks the log\n");
	}
	return rc;
}

int cmd_log(struct session *session, struct error *err)
{
	const struct option_line *line = &session->line;
	const char *word = line->word_count > 0 ? line->word[0] : "show";
	const char *checked = session_option(session, OPTION_CHECK);
	bool is_proof = strcmp(word, "proof") == 0;
	if (is_proof && checked != NULL) {
		return check(session, checked, err);
	}
	if (!is_proof && line->word_count > 1) {
		return error_set(err, ERR_USAGE,
				 "\"querytrail log\" does not know what to do with \"%s\"",
				 line->word[1]);
	}
	if (session_store_dir(session) == NULL) {
		return error_set(err, ERR_USAGE,
				 "\"querytrail log\" reads a store directly: --store DIR");
	}
	if (strcmp(word, "continue") == 0) {
		return go_on(session, err);
	}
	static const struct {
		const char *word;
		int (*run)(struct session *session, struct error *err);
	} parts[] = {{"show", show}, {"policy", policy}, {"proof", prove}, {"next-key", next_key}};
	int rc = session_open_store(session, err);
	for (size_t i = 0; i < sizeof parts / sizeof parts[0] && rc == 0; i++) {
		if (strcmp(word, parts[i].word) == 0) {
			return parts[i].run(session, err);
		}
	}
	if (rc == 0 && strcmp(word, "keys") == 0) {
		return put_keys(session, false, err);
	}
	return rc < 0 ? rc
		      : error_set(err, ERR_USAGE,
				  "\"querytrail log\" is show, policy, keys, proof, next-key or "
				  "continue, not "
				  "\"%s\"",
				  word);
}
