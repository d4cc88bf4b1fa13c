#include "query/command.h"

#include "base/clock.h"
#include "base/digest.h"
#include "query/hold-reach.h"
#include "query/order.h"
#include "query/question.h"
#include "query/when.h"
#include "query/wrap.h"
#include "store/erasures.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/random.h>
#include <time.h>

#define LOOK_MS       100
#define LEAVES_MAX    (7u << 20) /* of the code in an order: a record holds 8 MiB */
#define WORD_COLUMNS  13
#define DAEMON_GONE_N 20 /* looks without a daemon until it counts as ended */

struct erasing {
	struct session *session;
	struct question question;
	struct reach reach;
	struct leafset leaves;
	struct hold_covers covers;
	struct erasure row; /* as last read */
	uint64_t held;      /* of the leaves */
	char id[ERASURES_ID_DIGITS + 1];
	unsigned gone;       /* looks in a row without a daemon */
	bool shows_progress; /* a line of it stands on the terminal */
};

static unsigned long long ull(uint64_t value)
{
	return value;
}

static const char *plural(uint64_t count)
{
	return count == 1 ? "" : "s";
}

/* "  requests   3": the word, and what follows is the caller's. */
static void put_word(struct session *session, const char *word)
{
	buf_putf(&session->out.text, "  %-11s", word);
}

static void put_text(struct session *session, const char *word, struct str text)
{
	struct output one = session->out;
	buf_init(&one.text, 0);
	output_safe(&one, text);
	put_word(session, word);
	wrap_put_behind(&session->out, WORD_COLUMNS, WORD_COLUMNS, buf_str(&one.text));
	buf_done(&one.text);
}

static void put_count(struct session *session, const char *word, uint64_t count)
{
	put_word(session, word);
	buf_putf(&session->out.text, "%llu\n", ull(count));
}

static void put_time(struct session *session, const char *word, int64_t ns)
{
	put_word(session, word);
	when_put(&session->out.text, &session->zone, ns, 3, true);
	buf_put_byte(&session->out.text, '\n');
}

static void put_held(struct erasing *erasing)
{
	struct session *session = erasing->session;
	for (size_t i = 0; i < erasing->covers.count; i++) {
		const struct hold_cover *cover = &erasing->covers.list[i];
		uint64_t shared = leafset_shared(&erasing->leaves, &cover->leaves);
		if (shared > 0) {
			put_word(session, "held");
			buf_putf(&session->out.text,
				 "by %.*s: %llu record%s, erased when released\n",
				 STR_ARG(cover->name), ull(shared), plural(shared));
		}
	}
}

/* What would be done. */
static void preview(struct erasing *erasing)
{
	struct session *session = erasing->session;
	const struct reach *reach = &erasing->reach;
	struct buf *out = &session->out.text;
	bool literals = session_option(session, OPTION_LITERALS) != NULL;
	buf_put_text(out, literals ? "Values and original lines would be erased of:\n"
				   : "This would be erased:\n");
	put_count(session, "requests", leafset_count(&reach->requests));
	put_count(session, "statements", leafset_count(&reach->statements));
	put_count(session, "alerts", leafset_count(&reach->alerts));
	put_time(session, "from", reach->from_ns);
	put_time(session, "to", reach->to_ns);
	if (reach->of_blocks > 0) {
		put_word(session, "blocks");
		buf_putf(out, "%llu of %llu are written anew\n", ull(reach->blocks),
			 ull(reach->of_blocks));
	}
	if (reach->in_head > 0) {
		put_word(session, "unsealed");
		buf_putf(out, "%llu record%s, sealed first\n", ull(reach->in_head),
			 plural(reach->in_head));
	}
	put_held(erasing);
	buf_put_text(out, "Nothing was changed. With --yes and --reason it is done, for good.\n");
}

/* The paper that says what was done; nothing of the person stands in it. */
static void put_certificate(struct erasing *erasing)
{
	struct session *session = erasing->session;
	const struct erasure *row = &erasing->row;
	const struct reach *reach = &erasing->reach;
	struct buf *out = &session->out.text;
	output_style(&session->out, STYLE_TITLE);
	buf_putf(out, "Erasure %s", row->id);
	output_style(&session->out, STYLE_NONE);
	buf_put_byte(out, '\n');
	put_time(session, "ordered", row->ordered_ns);
	put_text(session, "by", str_of(row->by));
	put_text(session, "reason", str_of(row->reason));
	put_time(session, "done", row->done_ns);
	put_text(session, "what",
		 row->only_literals ? STR_LIT("values and original lines")
				    : STR_LIT("all that says whom it is about"));
	put_word(session, "of");
	buf_putf(out, "%llu request%s, %llu statement%s, %llu alert%s\n",
		 ull(leafset_count(&reach->requests)), plural(leafset_count(&reach->requests)),
		 ull(leafset_count(&reach->statements)), plural(leafset_count(&reach->statements)),
		 ull(leafset_count(&reach->alerts)), plural(leafset_count(&reach->alerts)));
	put_word(session, "changed");
	buf_putf(out, "%llu record%s in %llu block%s, written anew; the old ones are deleted\n",
		 ull(row->records), plural(row->records), ull(row->blocks), plural(row->blocks));
	if (row->held > 0) {
		put_word(session, "held");
		buf_putf(out, "%llu record%s, erased when released; by ", ull(row->held),
			 plural(row->held));
		output_safe(&session->out, str_of(row->held_by));
		buf_put_byte(out, '\n');
	}
	put_word(session, "filter");
	buf_put_text(out, "SHA-256 of id, NUL and words:\n");
	put_word(session, "");
	buf_putf(out, "%s\n", row->filter_digest);
}

static void clear_progress(struct erasing *erasing)
{
	if (erasing->shows_progress) {
		buf_put_text(&erasing->session->err.text, "\r\033[K");
		(void)output_flush(&erasing->session->err, NULL); /* it is only progress */
		erasing->shows_progress = false;
	}
}

static void put_progress(struct erasing *erasing)
{
	struct session *session = erasing->session;
	if (!session->err.is_terminal) {
		return;
	}
	buf_putf(&session->err.text, "\r\033[Kerasing: block %llu of %llu",
		 ull(erasing->row.steps_done), ull(erasing->row.steps));
	(void)output_flush(&session->err, NULL); /* it is only progress */
	erasing->shows_progress = true;
}

/* Reads the row. Returns whether it is over, or an error. */
static int look(struct erasing *erasing, bool *out_over, struct error *err)
{
	struct erasures all;
	erasures_init(&all);
	int rc = erasures_read(erasing->session->store, &all, err);
	const struct erasure *row = rc == 0 ? erasures_find(&all, str_of(erasing->id)) : NULL;
	if (row != NULL) {
		erasing->row = *row;
	}
	*out_over = row != NULL && row->state >= ERASURE_HELD;
	erasures_done(&all);
	return rc;
}

static int wait_for_end(void *owner, struct error *err)
{
	struct erasing *erasing = owner;
	const struct timespec pause = {0, LOOK_MS * NS_PER_MS};
	bool over = false;
	int rc = look(erasing, &over, err);
	while (rc == 0 && !over) {
		put_progress(erasing);
		(void)nanosleep(&pause, NULL); /* a signal only makes it shorter */
		rc = look(erasing, &over, err);
		erasing->gone = session_daemon_runs(erasing->session) ? 0 : erasing->gone + 1;
		if (rc == 0 && !over && erasing->gone > DAEMON_GONE_N) {
			rc = error_set(err, ERR_IO,
				       "the daemon ended; the erasure %s stands in the store and "
				       "goes on when querytraild starts again",
				       erasing->id);
		}
	}
	clear_progress(erasing);
	return rc;
}

static int give(struct erasing *erasing, struct error *err)
{
	struct session *session = erasing->session;
	const char *reason = session_option(session, OPTION_REASON);
	struct record record;
	struct buf digest, leaves;
	uint8_t hash[DIGEST_BYTES];
	buf_init(&digest, 0);
	buf_init(&leaves, LEAVES_MAX);
	const struct str parts[] = {str_of(erasing->id), str_make("", 1),
				    buf_str(&erasing->question.text)};
	digest_sha256_parts(parts, 3, hash);
	buf_put_hex(&digest, str_make(hash, sizeof hash));
	leafset_encode(&erasing->leaves, &leaves);
	record_init(&record, RECORD_LIFECYCLE);
	record_set_text(&record, FIELD_event, STR_LIT("erase"));
	record_set_text(&record, FIELD_erasure, str_of(erasing->id));
	record_set_text(&record, FIELD_data_class,
			session_option(session, OPTION_LITERALS) != NULL ? STR_LIT("literals")
									 : STR_LIT("records"));
	record_set_text(&record, FIELD_filter_digest, buf_str(&digest));
	record_set_text(&record, FIELD_leaves, buf_str(&leaves));
	record_set_number(&record, FIELD_record_count, (int64_t)leafset_count(&erasing->leaves));
	record_set_text(&record, FIELD_note, str_of(reason));
	const struct order order = {
		.record = &record, .works = true, .wait = wait_for_end, .owner = erasing};
	int rc = leaves.failed
			 ? error_set(err, ERR_LIMIT,
				     "these are too many records for one order: do it in parts, "
				     "with --since and --until")
			 : order_give(session, &order, err);
	buf_done(&digest);
	buf_done(&leaves);
	return rc;
}

static int make_id(struct erasing *erasing, struct error *err)
{
	uint8_t bytes[ERASURES_ID_DIGITS / 2];
	if (getrandom(bytes, sizeof bytes, 0) != (ssize_t)sizeof bytes) {
		return error_errno(err, "no random number for the erasure");
	}
	for (size_t i = 0; i < sizeof bytes; i++) {
		(void)snprintf(erasing->id + 2 * i, 3, "%02x", bytes[i]); /* fits */
	}
	return 0;
}

/* Says what blocks could not be read: what stands in them is not erased. */
static void put_damage(const struct erasing *erasing)
{
	const struct reach *reach = &erasing->reach;
	struct output *out = &erasing->session->err;
	if (reach->damaged > 0) {
		buf_putf(&out->text,
			 "%llu block%s could not be read, and what stands there is not erased; the "
			 "first: ",
			 ull(reach->damaged), plural(reach->damaged));
		output_safe(out, str_of(reach->damage));
		buf_put_byte(&out->text, '\n');
	}
}

static int act(struct erasing *erasing, struct error *err)
{
	struct session *session = erasing->session;
	bool incomplete = erasing->reach.damaged > 0;
	put_damage(erasing);
	if (erasing->leaves.run_count == 0) {
		buf_put_text(&session->err.text, "Nothing matches: there is nothing to erase.\n");
		return incomplete ? EXIT_INCOMPLETE : EXIT_NONE;
	}
	if (session_option(session, OPTION_YES) == NULL) {
		preview(erasing);
		return incomplete ? EXIT_INCOMPLETE : EXIT_FOUND;
	}
	int rc = make_id(erasing, err);
	rc = rc < 0 ? rc : give(erasing, err);
	if (rc < 0) {
		return rc;
	}
	put_certificate(erasing);
	return incomplete || erasing->row.held > 0 ? EXIT_INCOMPLETE : EXIT_FOUND;
}

/* Faults of the command line. */
static int check(const struct session *session, struct error *err)
{
	const char *reason = session_option(session, OPTION_REASON);
	if (session_option(session, OPTION_YES) != NULL && str_trim(str_of(reason)).len == 0) {
		return error_set(err, ERR_USAGE,
				 "an erasure says why, for the record: --reason "
				 "\"..\", without the person's name");
	}
	if (reason != NULL && strlen(reason) > ERASURES_TEXT_MAX) {
		return error_set(err, ERR_USAGE, "--reason is longer than %d bytes",
				 ERASURES_TEXT_MAX);
	}
	return 0;
}

int cmd_erase(struct session *session, struct error *err)
{
	int rc = check(session, err);
	struct erasing *erasing = rc == 0 ? calloc(1, sizeof *erasing) : NULL;
	if (rc == 0 && erasing == NULL) {
		rc = error_set(err, ERR_NOMEM, "no memory for the query");
	}
	if (rc < 0) {
		return rc;
	}
	erasing->session = session;
	question_init(&erasing->question);
	rc = question_read(session, session->line.word, session->line.word_count,
			   &erasing->question, err);
	if (rc == 0 && str_trim(buf_str(&erasing->question.text)).len == 0) {
		rc = error_set(err, ERR_USAGE, "\"querytrail erase\" needs a filter");
	}
	rc = rc < 0 ? rc
		    : reach_find(session->store, &erasing->question.plan, &erasing->reach, err);
	rc = rc < 0 ? rc : reach_add_to(&erasing->reach, &erasing->leaves, err);
	rc = rc < 0 ? rc : hold_covers_find(session->store, &erasing->covers, err);
	rc = rc < 0 ? rc : act(erasing, err);
	hold_covers_done(&erasing->covers);
	leafset_done(&erasing->leaves);
	reach_done(&erasing->reach);
	question_done(&erasing->question);
	free(erasing);
	return rc;
}
