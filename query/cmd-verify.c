#include "query/command.h"

#include "base/json.h"
#include "base/parse.h"
#include "query/bundle-view.h"
#include "query/claims.h"
#include "query/notes.h"
#include "query/when.h"
#include "query/wrap.h"
#include "store/log/indexes.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define SHOWN_MAX  100 /* findings that are told one by one in a text */
#define BAR_CELLS  24
#define WORD_CELLS 9

struct verifying {
	struct session *session;
	bool json;
	uint64_t problems; /* all of them */
	uint64_t bad_checkpoints;
	bool shows_bar;
	struct claims claims;
	struct notes notes; /* what records of the log say was taken */
	struct audit_result result;
	bool looked; /* at what questions are answered from */
	struct indexes_result indexes;
};

static const char *const kinds[] = {
	[AUDIT_LEAF] = "leaf", [AUDIT_MISSING] = "missing", [AUDIT_DAMAGED] = "damaged",
	[AUDIT_TREE] = "tree", [AUDIT_CLAIM] = "signed",    [AUDIT_TAKEN] = "taken",
};

static void erase_bar(struct verifying *verifying)
{
	if (verifying->shows_bar) {
		buf_put_text(&verifying->session->err.text, "\r\x1b[K");
		(void)output_flush(&verifying->session->err, NULL); /* only looks */
		verifying->shows_bar = false;
	}
}

static void put_leaves(struct buf *out, const struct audit_finding *finding)
{
	if (finding->first == finding->last) {
		buf_putf(out, "leaf %" PRIu64, finding->first);
	} else {
		buf_putf(out, "leaves %" PRIu64 " to %" PRIu64, finding->first, finding->last);
	}
}

static void put_number(struct buf *out, const char *name, uint64_t value)
{
	buf_putf(out, ",\"%s\":%" PRIu64, name, value);
}

static void put_problem_json(struct buf *out, const char *kind, const char *text)
{
	buf_putf(out, "{\"problem\":\"%s\",\"text\":", kind);
	json_put_string(out, str_of(text));
}

static void found(void *owner, const struct audit_finding *finding)
{
	struct verifying *verifying = owner;
	struct output *output = &verifying->session->out;
	struct buf *out = &output->text;
	erase_bar(verifying);
	verifying->problems++;
	if (verifying->json) {
		put_problem_json(out, kinds[finding->kind], finding->text);
		put_number(out, "first_leaf", finding->first);
		put_number(out, "last_leaf", finding->last);
		buf_putf(out, ",\"exact\":%s}\n", finding->exact ? "true" : "false");
	} else if (verifying->problems <= SHOWN_MAX) {
		output_style(output, STYLE_BAD);
		put_leaves(out, finding);
		output_style(output, STYLE_NONE);
		buf_put_text(out, ": ");
		output_safe(output, str_of(finding->text));
		buf_put_byte(out, '\n');
	}
	output_row_done(output);
}

/* What questions are answered from; what can't be read was told by the audit. */
static void bad_index(void *owner, const struct indexes_finding *finding)
{
	struct verifying *verifying = owner;
	struct output *output = &verifying->session->out;
	struct buf *out = &output->text;
	if (finding->damaged && verifying->problems > 0) {
		return;
	}
	erase_bar(verifying);
	verifying->problems++;
	if (verifying->json) {
		put_problem_json(out, "index", finding->text);
		put_number(out, "block", finding->block);
		put_number(out, "batch", finding->batch);
		put_number(out, "first_leaf", finding->first);
		put_number(out, "last_leaf", finding->last);
		buf_put_text(out, "}\n");
	} else if (verifying->problems <= SHOWN_MAX) {
		const struct audit_finding leaves = {.first = finding->first,
						     .last = finding->last};
		output_style(output, STYLE_BAD);
		put_leaves(out, &leaves);
		output_style(output, STYLE_NONE);
		buf_put_text(out, ": ");
		output_safe(output, str_of(finding->text));
		buf_put_byte(out, '\n');
	}
	output_row_done(output);
}

static void bad_checkpoint(void *owner, uint64_t size, const char *text)
{
	struct verifying *verifying = owner;
	struct output *output = &verifying->session->out;
	struct buf *out = &output->text;
	verifying->problems++;
	verifying->bad_checkpoints++;
	if (verifying->json) {
		put_problem_json(out, "checkpoint", text);
		put_number(out, "size", size);
		buf_put_text(out, "}\n");
	} else if (verifying->problems <= SHOWN_MAX) {
		output_style(output, STYLE_BAD);
		output_safe(output, str_of(text));
		output_style(output, STYLE_NONE);
		buf_putf(out, " (%" PRIu64 " records)\n", size);
	}
}

static bool progress(void *owner, uint64_t done, uint64_t total)
{
	struct verifying *verifying = owner;
	struct session *session = verifying->session;
	if (session->surroundings->err_is_terminal && total > 0 &&
	    session_option(session, OPTION_QUIET) == NULL) {
		struct buf *out = &session->err.text;
		size_t cells = (size_t)(done * BAR_CELLS / total);
		buf_put_text(out, "\r[");
		buf_put_fill(out, '#', cells < BAR_CELLS ? cells : BAR_CELLS);
		buf_put_fill(out, ' ', cells < BAR_CELLS ? BAR_CELLS - cells : 0);
		buf_putf(out, "] %3" PRIu64 " %% of %" PRIu64 " leaves\x1b[K", done * 100 / total,
			 total);
		(void)output_flush(&session->err, NULL); /* only looks */
		verifying->shows_bar = true;
	}
	return true;
}

/* A..B; nothing: all. */
static int read_leaves(const struct session *session, struct audit_options *options,
		       struct error *err)
{
	const char *text = session_option(session, OPTION_LEAVES);
	if (text == NULL) {
		return 0;
	}
	const char *dots = strstr(text, "..");
	uint64_t last = 0;
	if (dots == NULL || !parse_u64(str_make(text, (size_t)(dots - text)), &options->first) ||
	    !parse_u64(str_of(dots + 2), &last) || last < options->first || last > INT64_MAX) {
		return error_set(err, ERR_USAGE, "--leaves is two numbers: 0..99999");
	}
	options->end = last + 1;
	return 0;
}

static int gather(struct verifying *verifying, struct error *err)
{
	struct session *session = verifying->session;
	struct claims *claims = &verifying->claims;
	const char *policy = session_option(session, OPTION_POLICY);
	const char *anchor = session_option(session, OPTION_ANCHOR);
	int rc = policy != NULL ? claims_read_policy(claims, policy, err)
				: claims_read_store_keys(claims, session->store, err);
	rc = rc < 0 || anchor == NULL ? rc : claims_add_outside(claims, anchor, err);
	rc = rc < 0 ? rc : claims_add_store(claims, session->store, err);
	claims_sort(claims);
	return rc;
}

/* A number with commas between its thousands. */
static void put_count(struct buf *out, uint64_t count)
{
	if (count >= 1000) {
		put_count(out, count / 1000);
		buf_putf(out, ",%03" PRIu64, count % 1000);
	} else {
		buf_put_u64(out, count);
	}
}

static void put_word(struct session *session, const char *word)
{
	output_style(&session->out, STYLE_DIM);
	buf_put_text(&session->out.text, word);
	buf_put_fill(&session->out.text, ' ', WORD_CELLS - strlen(word));
	output_style(&session->out, STYLE_NONE);
}

static void put_signed(struct verifying *verifying)
{
	struct session *session = verifying->session;
	const struct claims *claims = &verifying->claims;
	struct buf *out = &session->out.text;
	put_word(session, "signed");
	if (claims->covered_ns == INT64_MIN) {
		buf_put_text(out, "nothing\n");
		return;
	}
	put_count(out, claims->covered);
	buf_put_text(out, " records by ");
	output_safe(&session->out, str_of(claims->origin));
	buf_put_text(out, ", ");
	when_put(out, &session->zone, claims->covered_ns, 0, true);
	buf_putf(out, "; %" PRIu64 " checkpoint%s\n", claims->checkpoints,
		 claims->checkpoints == 1 ? "" : "s");
	if (verifying->result.head.size > claims->covered) {
		put_word(session, "");
		put_count(out, verifying->result.head.size - claims->covered);
		buf_put_text(out, " records are not signed yet\n");
	}
	put_word(session, "outside");
	if (claims->anchors > 0) {
		buf_putf(out, "%" PRIu64 " checkpoint%s kept outside of the store\n",
			 claims->anchors, claims->anchors == 1 ? "" : "s");
	} else {
		wrap_put_behind(
			&session->out, WORD_CELLS, WORD_CELLS,
			STR_LIT("no checkpoint from outside (--anchor): a store that was put "
				"back whole from an older copy can't be told"));
	}
	put_word(session, "trust");
	wrap_put_behind(
		&session->out, WORD_CELLS, WORD_CELLS,
		claims->from_policy
			? STR_LIT("the keys of the policy")
			: STR_LIT("the store's own list of keys (--policy names yours): who can "
				  "write the store and sign can change it"));
}

static void put_text(struct verifying *verifying)
{
	struct session *session = verifying->session;
	const struct audit_result *result = &verifying->result;
	struct buf *out = &session->out.text;
	if (verifying->problems > SHOWN_MAX) {
		buf_putf(out, "and %" PRIu64 " more (--format jsonl shows all)\n",
			 verifying->problems - SHOWN_MAX);
	}
	buf_put_text(out, verifying->problems > 0 ? "\n" : "");
	put_word(session, "records");
	put_count(out, result->records);
	buf_put_text(out, " of ");
	put_count(out, result->leaves);
	buf_put_text(out, " leaves were computed anew");
	if (result->removed > 0 || result->redacted > 0) {
		buf_put_text(out, "; ");
		put_count(out, result->removed);
		buf_put_text(out, " removed, ");
		put_count(out, result->redacted);
		buf_put_text(out, " redacted");
	}
	buf_put_byte(out, '\n');
	put_word(session, "tree");
	put_count(out, result->head.size);
	buf_put_text(out, " leaves, root ");
	parse_put_base64(out, str_make((const char *)result->head.root.bytes, DIGEST_BYTES));
	buf_put_byte(out, '\n');
	put_signed(verifying);
	if (verifying->looked) {
		put_word(session, "indexes");
		put_count(out, verifying->indexes.blocks);
		buf_put_text(out, " blocks and ");
		put_count(out, verifying->indexes.batches);
		buf_put_text(out, " batches: filters, summaries, times and columns were made anew "
				  "from the records\n");
	}
	put_word(session, "result");
	output_style(&session->out, verifying->problems == 0 ? STYLE_GOOD : STYLE_BAD);
	if (verifying->problems == 0) {
		buf_put_text(out, "everything is as it was committed");
		buf_put_text(out,
			     result->claims_checked > 0 ? " and signed" : "; nothing was signed");
	} else {
		put_count(out, verifying->problems);
		buf_putf(out, " problem%s: this is not what was committed and signed",
			 verifying->problems == 1 ? "" : "s");
	}
	output_style(&session->out, STYLE_NONE);
	buf_put_byte(out, '\n');
}

static void put_json(struct verifying *verifying)
{
	const struct audit_result *result = &verifying->result;
	const struct claims *claims = &verifying->claims;
	struct buf *out = &verifying->session->out.text;
	buf_putf(out, "{\"result\":\"%s\"",
		 verifying->problems == 0 ? "as signed" : "not as signed");
	put_number(out, "problems", verifying->problems);
	put_number(out, "leaves", result->leaves);
	put_number(out, "records", result->records);
	put_number(out, "removed", result->removed);
	put_number(out, "redacted", result->redacted);
	put_number(out, "tree_size", result->head.size);
	buf_put_text(out, ",\"root\":\"");
	parse_put_base64(out, str_make((const char *)result->head.root.bytes, DIGEST_BYTES));
	buf_put_byte(out, '"');
	put_number(out, "checkpoints", claims->checkpoints);
	put_number(out, "outside", claims->anchors);
	put_number(out, "claims_checked", result->claims_checked);
	put_number(out, "signed_leaves", claims->covered);
	if (verifying->looked) {
		put_number(out, "blocks_checked", verifying->indexes.blocks);
		put_number(out, "batches_checked", verifying->indexes.batches);
	}
	buf_put_text(out, ",\"origin\":");
	json_put_string(out, str_of(claims->origin));
	buf_putf(out, ",\"trust\":\"%s\"}\n", claims->from_policy ? "policy" : "store");
}

static int run(struct verifying *verifying, struct error *err)
{
	struct session *session = verifying->session;
	struct secret key;
	struct audit_options options = {
		.dir = session_store_dir(session),
		.redacted = &verifying->notes.redacted,
		.removed = &verifying->notes.removed,
		.owner = verifying,
		.found = found,
		.progress = progress,
	};
	secret_init(&key);
	int rc = read_leaves(session, &options, err);
	rc = rc < 0 ? rc : notes_read(&verifying->notes, session->store, err);
	rc = rc < 0 ? rc : gather(verifying, err);
	rc = rc < 0 ? rc : session_read_store_key(session, &key, err);
	if (rc == 0) {
		options.store_key = secret_peek(&key);
		options.claims = verifying->claims.list;
		options.claim_count = verifying->claims.count;
		rc = audit_run(&options, &verifying->result, err);
	}
	secret_done(&key);
	if (rc == 0 && options.end == 0) {
		const struct indexes_options indexes = {
			.owner = verifying, .found = bad_index, .progress = progress};
		rc = indexes_check(session->store, &indexes, &verifying->indexes, err);
		verifying->looked = rc == 0;
	}
	erase_bar(verifying);
	return rc;
}

int cmd_verify(struct session *session, struct error *err)
{
	const char *format = session_option(session, OPTION_FORMAT);
	struct verifying verifying = {.session = session};
	bool jsonl =
		format != NULL && (strcmp(format, "jsonl") == 0 || strcmp(format, "json") == 0);
	if (format != NULL && !jsonl && strcmp(format, "text") != 0) {
		return error_set(err, ERR_USAGE,
				 "\"querytrail verify\" has the formats text and jsonl");
	}
	verifying.json = jsonl || session_option(session, OPTION_JSON) != NULL;
	if (session_option(session, OPTION_BUNDLE) != NULL) {
		return bundle_view(session, verifying.json, err);
	}
	notes_init(&verifying.notes);
	claims_init(&verifying.claims, bad_checkpoint, &verifying);
	int rc = run(&verifying, err);
	if (rc == 0 && verifying.json) {
		put_json(&verifying);
	} else if (rc == 0) {
		put_text(&verifying);
	}
	claims_done(&verifying.claims);
	notes_done(&verifying.notes);
	if (rc < 0) {
		return rc;
	}
	return verifying.problems == 0 ? EXIT_FOUND : EXIT_NONE;
}
