#include "query/command.h"

#include "base/clock.h"
#include "base/digest.h"
#include "query/argument.h"
#include "query/hold-reach.h"
#include "query/order.h"
#include "query/when.h"
#include "query/wrap.h"
#include "store/erasures.h"

#include <time.h>

#define LOOK_MS       100
#define DAEMON_GONE_N 20 /* looks without a daemon until it counts as ended */

static const char *plural(uint64_t count)
{
	return count == 1 ? "" : "s";
}

static void put_damage(struct session *session, uint64_t damaged, const char *damage)
{
	if (damaged > 0) {
		buf_putf(&session->err.text,
			 "%llu block%s could not be read and may hold more; the first: ",
			 (unsigned long long)damaged, plural(damaged));
		output_safe(&session->err, str_of(damage));
		buf_put_byte(&session->err.text, '\n');
	}
}

static void put_reach(struct buf *out, const struct reach *reach)
{
	uint64_t requests = leafset_count(&reach->requests);
	uint64_t statements = leafset_count(&reach->statements);
	buf_putf(out, "%llu request%s and %llu statement%s", (unsigned long long)requests,
		 plural(requests), (unsigned long long)statements, plural(statements));
}

/* One line of a hold, wrapped behind its word. */
static void put_line(struct session *session, const char *word, struct str text)
{
	struct buf safe;
	buf_init(&safe, 0);
	struct output one = session->out;
	one.text = safe;
	output_safe(&one, text);
	buf_putf(&session->out.text, "  %-8s", word);
	wrap_put_behind(&session->out, 10, 10, buf_str(&one.text));
	buf_done(&one.text);
}

static int put_hold(struct session *session, const struct hold *hold, bool *io_damaged,
		    struct error *err)
{
	struct buf *out = &session->out.text;
	struct reach reach;
	int rc = hold_reach_find(session->store, hold, &reach, err);
	output_style(&session->out, STYLE_TITLE);
	buf_put_str(out, hold->name); /* letters, digits and dashes */
	output_style(&session->out, STYLE_NONE);
	buf_put_byte(out, '\n');
	put_line(session, "filter", hold->filter);
	if (rc == 0) {
		buf_put_text(out, "  covers  ");
		put_reach(out, &reach);
		buf_put_text(out, " now\n");
		put_damage(session, reach.damaged, reach.damage);
		*io_damaged = *io_damaged || reach.damaged > 0;
	}
	buf_put_text(out, "  since   ");
	when_put(out, &session->zone, hold->since_ns, 0, true);
	buf_put_text(out, " by ");
	output_safe(&session->out, hold->by);
	buf_put_byte(out, '\n');
	put_line(session, "note", hold->note);
	reach_done(&reach);
	return rc;
}

static int list(struct session *session, struct error *err)
{
	struct holds holds;
	bool damaged = false;
	holds_init(&holds);
	int rc = holds_read(session->store, &holds, err);
	for (size_t i = 0; rc == 0 && i < holds.count; i++) {
		buf_put_text(&session->out.text, i > 0 ? "\n" : "");
		rc = put_hold(session, &holds.list[i], &damaged, err);
	}
	if (rc == 0 && holds.count == 0) {
		buf_put_text(&session->err.text, "There is no legal hold.\n");
	}
	bool none = holds.count == 0;
	holds_done(&holds);
	if (rc < 0) {
		return rc;
	}
	return damaged ? EXIT_INCOMPLETE : none ? EXIT_NONE : EXIT_FOUND;
}

/* What holds cover, for the daemon: docs/format.md section 10.5. */
static int put_leaves(struct session *session, struct error *err)
{
	struct buf *out = &session->out.text;
	struct hold_covers covers;
	int rc = hold_covers_find(session->store, &covers, err);
	if (rc == 0 && covers.damaged > 0) {
		rc = error_set(err, ERR_CORRUPT,
			       "%llu blocks cannot be read, and legal holds may cover what they "
			       "hold; the first: %s",
			       (unsigned long long)covers.damaged, covers.damage);
	}
	buf_put_text(out, "querytrail leaves 1\n");
	for (size_t i = 0; rc == 0 && i < covers.count; i++) {
		const struct leafset *leaves = &covers.list[i].leaves;
		buf_putf(out, "hold %.*s\n", STR_ARG(covers.list[i].name));
		for (size_t k = 0; k < leaves->run_count; k++) {
			buf_putf(out, "%llu %llu\n", (unsigned long long)leaves->runs[k].first,
				 (unsigned long long)leaves->runs[k].last);
			output_row_done(&session->out);
		}
	}
	buf_putf(out, "end %zu\n", covers.count);
	hold_covers_done(&covers);
	return rc < 0 ? rc : EXIT_FOUND;
}

/* The note, which there must be. */
static int read_note(const struct session *session, struct str *out_note, struct error *err)
{
	*out_note = str_of(session_option(session, OPTION_NOTE));
	if (str_trim(*out_note).len == 0) {
		return error_set(err, ERR_USAGE, "say why, for the record: --note \"..\"");
	}
	if (out_note->len > HOLDS_NOTE_MAX) {
		return error_set(err, ERR_USAGE, "--note is longer than %d bytes", HOLDS_NOTE_MAX);
	}
	return 0;
}

static void put_digest(struct buf *out, struct str name, struct str filter)
{
	uint8_t digest[DIGEST_BYTES];
	const struct str parts[] = {name, str_make("", 1), filter};
	digest_sha256_parts(parts, 3, digest);
	buf_put_hex(out, str_make(digest, sizeof digest));
}

static int give_add(struct session *session, const struct hold *hold, struct error *err)
{
	struct record record;
	struct buf digest;
	buf_init(&digest, 0);
	put_digest(&digest, hold->name, hold->filter);
	record_init(&record, RECORD_LIFECYCLE);
	record_set_text(&record, FIELD_event, STR_LIT("hold_add"));
	record_set_text(&record, FIELD_hold, hold->name);
	record_set_text(&record, FIELD_filter, hold->filter);
	record_set_text(&record, FIELD_filter_digest, buf_str(&digest));
	record_set_text(&record, FIELD_note, hold->note);
	int rc = order_give(session, &(struct order){.record = &record}, err);
	buf_done(&digest);
	return rc;
}

/* Whether there is a hold of the name. */
static int look(struct session *session, struct str name, bool *out_there, struct error *err)
{
	struct holds holds;
	holds_init(&holds);
	int rc = holds_read(session->store, &holds, err);
	*out_there = rc == 0 && holds_find(&holds, name) != NULL;
	holds_done(&holds);
	return rc;
}

static int add(struct session *session, const struct hold *hold, struct error *err)
{
	struct reach reach;
	bool there = false;
	int rc = hold_reach_find(session->store, hold, &reach, err);
	rc = rc < 0 ? rc : look(session, hold->name, &there, err);
	if (rc == 0 && there) {
		rc = error_set(err, ERR_USAGE, "there is a legal hold %.*s already",
			       STR_ARG(hold->name));
	}
	rc = rc < 0 ? rc : give_add(session, hold, err);
	rc = rc < 0 ? rc : look(session, hold->name, &there, err);
	if (rc == 0 && !there) {
		rc = error_set(err, ERR_IO, "the daemon took the order and made no legal hold");
	}
	if (rc == 0) {
		struct buf *out = &session->out.text;
		buf_putf(out, "legal hold %.*s covers ", STR_ARG(hold->name));
		put_reach(out, &reach);
		buf_put_text(out, ", and all that will match\n");
		put_damage(session, reach.damaged, reach.damage);
	}
	reach_done(&reach);
	return rc;
}

static int add_words(struct session *session, struct error *err)
{
	const struct option_line *line = &session->line;
	struct hold hold = {.since_ns = session->surroundings->now_ns};
	struct buf filter;
	if (line->word_count < 3) {
		return error_set(err, ERR_USAGE,
				 "\"querytrail hold add\" needs a name and a filter");
	}
	hold.name = str_of(line->word[1]);
	if (!record_source_is_allowed(hold.name)) {
		return error_set(err, ERR_USAGE,
				 "the name of a legal hold is made of at most %d letters, digits, "
				 "dots, dashes and underscores, not \"%s\"",
				 HOLDS_NAME_MAX, line->word[1]);
	}
	buf_init(&filter, 0);
	argument_join(line->word + 2, line->word_count - 2, &filter);
	hold.filter = buf_str(&filter);
	int rc = read_note(session, &hold.note, err);
	if (rc == 0 && hold.filter.len > HOLDS_FILTER_MAX) {
		rc = error_set(err, ERR_USAGE, "the filter is longer than %d bytes",
			       HOLDS_FILTER_MAX);
	}
	rc = rc < 0 ? rc : add(session, &hold, err);
	buf_done(&filter);
	return rc;
}

struct releasing { /* erasures that waited for a hold are done when it is released */
	struct session *session;
	struct erasures before;
	bool any;
};

/* Whether an erasure that waited was looked at again: the order itself has put it down as due. */
static bool is_over(const struct erasures *now, const struct erasure *before)
{
	const struct erasure *row = erasures_find(now, str_of(before->id));
	return before->state != ERASURE_HELD || row == NULL || row->state >= ERASURE_HELD;
}

static int wait_for_erasures(void *owner, struct error *err)
{
	struct releasing *releasing = owner;
	struct session *session = releasing->session;
	const struct timespec pause = {0, LOOK_MS * NS_PER_MS};
	struct erasures now;
	bool over = false;
	unsigned gone = 0;
	int rc = 0;
	erasures_init(&now);
	while (rc == 0 && !over && gone < DAEMON_GONE_N) {
		rc = erasures_read(session->store, &now, err);
		over = true;
		for (size_t i = 0; i < releasing->before.count && rc == 0; i++) {
			over = over && is_over(&now, &releasing->before.list[i]);
		}
		if (!over) {
			(void)nanosleep(&pause, NULL); /* a signal only makes it shorter */
		}
		gone = session_daemon_runs(session) ? 0 : gone + 1;
	}
	for (size_t i = 0; rc == 0 && over && i < releasing->before.count; i++) {
		const struct erasure *row =
			erasures_find(&now, str_of(releasing->before.list[i].id));
		if (releasing->before.list[i].state == ERASURE_HELD && row != NULL) {
			buf_putf(&session->out.text, "erasure %s, which waited for it, is %s\n",
				 row->id,
				 row->state == ERASURE_DONE ? "done"
							    : "not done yet: "
							      "another one holds "
							      "records of it");
		}
	}
	erasures_done(&now);
	return rc;
}

static int give_release(struct session *session, const struct record *record, struct error *err)
{
	struct releasing releasing = {.session = session};
	erasures_init(&releasing.before);
	int rc = erasures_read(session->store, &releasing.before, err);
	for (size_t i = 0; i < releasing.before.count; i++) {
		releasing.any = releasing.any || releasing.before.list[i].state == ERASURE_HELD;
	}
	const struct order order = {.record = record,
				    .works = releasing.any,
				    .wait = releasing.any ? wait_for_erasures : NULL,
				    .owner = &releasing};
	rc = rc < 0 ? rc : order_give(session, &order, err);
	erasures_done(&releasing.before);
	return rc;
}

static int release(struct session *session, struct error *err)
{
	struct record record;
	struct str note;
	bool there = false;
	if (session->line.word_count != 2) {
		return error_set(err, ERR_USAGE, "\"querytrail hold release\" needs a name");
	}
	struct str name = str_of(session->line.word[1]);
	int rc = read_note(session, &note, err);
	rc = rc < 0 ? rc : look(session, name, &there, err);
	if (rc == 0 && !there) {
		rc = error_set(err, ERR_USAGE,
			       "there is no legal hold %s; "
			       "\"querytrail hold list\" shows them",
			       session->line.word[1]);
	}
	if (rc < 0) {
		return rc;
	}
	record_init(&record, RECORD_LIFECYCLE);
	record_set_text(&record, FIELD_event, STR_LIT("hold_release"));
	record_set_text(&record, FIELD_hold, name);
	record_set_text(&record, FIELD_note, note);
	rc = give_release(session, &record, err);
	rc = rc < 0 ? rc : look(session, name, &there, err);
	if (rc == 0 && there) {
		rc = error_set(err, ERR_IO, "the daemon took the order and the hold stands");
	}
	if (rc == 0) {
		buf_putf(&session->out.text, "legal hold %.*s is released\n", STR_ARG(name));
	}
	return rc;
}

int cmd_hold(struct session *session, struct error *err)
{
	static const char *const words[] = {"list", "add", "release"};
	const char *word = session->line.word_count > 0 ? session->line.word[0] : "list";
	if (strcmp(word, "add") == 0) {
		return add_words(session, err);
	}
	if (strcmp(word, "release") == 0) {
		return release(session, err);
	}
	bool lists = strcmp(word, "list") == 0;
	if (lists || strcmp(word, "leaves") == 0) {
		if (session->line.word_count > 1) {
			return error_set(err, ERR_USAGE, "\"querytrail hold %s\" takes no word",
					 word);
		}
		return lists ? list(session, err) : put_leaves(session, err);
	}
	const char *near = str_nearest(str_of(word), words, sizeof words / sizeof words[0]);
	return error_set(err, ERR_USAGE,
			 "\"querytrail hold %s\": %s%s; there are list, add and release", word,
			 near != NULL ? "did you mean " : "not known", near != NULL ? near : "");
}
