#include "query/show.h"

#include "base/clock.h"
#include "base/utf8.h"
#include "model/redact.h"
#include "query/fmt.h"
#include "query/layout.h"
#include "query/show-fields.h"
#include "query/when.h"
#include "query/wrap.h"

#include <stdio.h>
#include <stdlib.h>

#define INDENT 5 /* of what belongs to a statement */

struct plumbing { /* pairs side by side */
	struct output *out;
	size_t used; /* columns of the line */
};

/* Appends "name=value" behind what stands there, or on a line of its own. */
static void put_pair(struct plumbing *plumbing, struct str pair)
{
	struct output *out = plumbing->out;
	size_t columns = utf8_width(pair);
	bool first = plumbing->used == 0;
	if (!first && plumbing->used + LAYOUT_GAP + columns <= wrap_width(out, 0)) {
		buf_put_fill(&out->text, ' ', LAYOUT_GAP);
		buf_put_str(&out->text, pair);
		plumbing->used += LAYOUT_GAP + columns;
		return;
	}
	size_t indent = INDENT;
	do {
		buf_put_text(&out->text, first ? "" : "\n");
		first = false;
		struct str line = wrap_take(&pair, wrap_width(out, indent));
		buf_put_fill(&out->text, ' ', indent);
		buf_put_str(&out->text, line);
		plumbing->used = indent + utf8_width(line);
		indent = INDENT + 2;
	} while (pair.len > 0);
}

static void put_field_pair(struct plumbing *plumbing, const struct record *record, unsigned field)
{
	struct buf pair;
	buf_init(&pair, 0);
	buf_putf(&pair, "%s=", field_info(field)->name);
	show_put_field_text(plumbing->out, record, field, &pair);
	put_pair(plumbing, buf_str(&pair));
	buf_done(&pair);
}

/* The fields that the lines above do not tell, so that nothing is hidden from who needs it; what has no field of its own last. */
static void put_plumbing(struct show *show, const struct record *record, uint64_t leaf,
			 const uint64_t told[2])
{
	struct plumbing plumbing = {show->out, 0};
	struct buf pair;
	buf_init(&pair, 0);
	output_style(show->out, STYLE_DIM);
	buf_putf(&pair, "leaf=%llu", (unsigned long long)leaf);
	put_pair(&plumbing, buf_str(&pair));
	buf_clear(&pair);
	buf_put_text(&pair, "source=");
	fmt_put_one_line(&pair, record->source);
	put_pair(&plumbing, buf_str(&pair));
	buf_clear(&pair);
	buf_put_text(&pair, "time=");
	when_put(&pair, show->out->zone, record->time_ns, 9, true);
	put_pair(&plumbing, buf_str(&pair));
	buf_done(&pair);
	for (unsigned field = 1; field < FIELD_LIMIT; field++) {
		bool shown = field_info(field)->name != NULL && record_has(record, field) &&
			     (told[field / 64] >> (field % 64) & 1u) == 0 &&
			     !show_is_repetition(record, field);
		if (shown && field != FIELD_extra) {
			put_field_pair(&plumbing, record, field);
		}
	}
	if (record_has(record, FIELD_extra)) {
		put_field_pair(&plumbing, record, FIELD_extra);
	}
	output_style(show->out, STYLE_NONE);
	buf_put_byte(&show->out->text, '\n');
}

static void mark(uint64_t told[2], unsigned field)
{
	told[field / 64] |= UINT64_C(1) << (field % 64);
}

int show_fetch(struct show *show, uint64_t leaf, struct record *out_record, bool *out_read,
	       struct error *err)
{
	int64_t ignored;
	struct error local;
	error_clear(&local);
	int result = scan_fetch_record(show->fetch, leaf, out_record, &ignored, &local);
	*out_read = result == 0;
	show->removed = result == -ERR_GONE;
	if (result != 0 && result != -ERR_CORRUPT && result != -ERR_GONE) {
		return error_set(err, (enum error_code) - result, "%s", local.text);
	}
	if (result == -ERR_CORRUPT && show->unread++ == 0) {
		show->damage = local;
	}
	return 0;
}

static void put_unread(struct show *show, const char *what, uint64_t leaf)
{
	output_style(show->out, show->removed ? STYLE_NONE : STYLE_BAD);
	buf_putf(&show->out->text, "%s that leaf %llu %s", what, (unsigned long long)leaf,
		 show->removed ? "held was removed" : "holds cannot be read");
	output_style(show->out, STYLE_NONE);
	buf_put_byte(&show->out->text, '\n');
}

static const char *grade_words(enum grade grade)
{
	switch (grade) {
	case GRADE_A:
		return "A (exact)";
	case GRADE_B:
		return "B (exact, by a second id)";
	case GRADE_C:
		return "C (probable, but it could be forged)";
	case GRADE_D:
		return "D (inferred)";
	case GRADE_U1:
		return "U1 (no request is known)";
	case GRADE_U2:
		return "U2 (no statement is known)";
	case GRADE_X:
		return "X (contradicts itself, so it names nobody)";
	default:
		return "pending (not joined yet)";
	}
}

static void put_verdict(struct show *show, const struct record *record, uint64_t leaf,
			bool standing)
{
	static const struct {
		unsigned field;
		const char *before;
	} parts[] = {{FIELD_matched_by, " by "},
		     {FIELD_carrier, " in "},
		     {FIELD_settled, ", "},
		     {FIELD_reason, ": "}};
	struct output *out = show->out;
	enum grade grade = grade_of(record_text(record, FIELD_grade));
	struct buf line;
	buf_init(&line, 0);
	for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
		struct str text = record_text(record, parts[i].field);
		if (text.len > 0) {
			buf_put_text(&line, parts[i].before);
			fmt_put_one_line(&line, text);
		}
	}
	buf_putf(&line, " (leaf %llu)", (unsigned long long)leaf);
	const char *before = standing ? "" : "before: ";
	const char *words = grade_words(grade);
	buf_put_fill(&out->text, ' ', INDENT);
	buf_put_text(&out->text, before);
	output_style(out, fmt_grade_style(grade));
	buf_put_text(&out->text, words);
	output_style(out, STYLE_NONE);
	wrap_put_behind(out, INDENT + strlen(before) + strlen(words), INDENT + 2, buf_str(&line));
	buf_done(&line);
}

/* The standing verdict, then those that it revised, the newest first. */
static int put_verdicts(struct show *show, uint64_t statement, uint64_t request, struct error *err)
{
	bool standing = true;
	for (size_t i = show->story->verdict_count; i > 0; i--) {
		const struct story_verdict *verdict = &show->story->verdicts[i - 1];
		struct record record;
		bool read;
		if (statement == STORY_NO_LEAF && verdict->statement_leaf != STORY_NO_LEAF &&
		    verdict->request_leaf == request) {
			standing = false; /* a statement was found since */
		}
		if (verdict->statement_leaf != statement ||
		    (statement == STORY_NO_LEAF && verdict->request_leaf != request)) {
			continue;
		}
		int result = show_fetch(show, verdict->leaf, &record, &read, err);
		if (result != 0) {
			return result;
		}
		if (read) {
			put_verdict(show, &record, verdict->leaf, standing);
		} else {
			buf_put_fill(&show->out->text, ' ', INDENT);
			put_unread(show, "the verdict", verdict->leaf);
		}
		standing = false;
	}
	if (standing && statement != STORY_NO_LEAF) {
		buf_put_fill(&show->out->text, ' ', INDENT);
		buf_putf(&show->out->text, "%s\n", grade_words(GRADE_PENDING));
	}
	return 0;
}

/* Appends before, the value and behind, and marks the field as told, when there is a value. */
static void tell(struct buf *line, const struct record *record, unsigned field,
		 const char *const around[2])
{
	if (record_has(record, field)) {
		buf_put_text(line, around[0]);
		if (field_info(field)->type == FIELD_TYPE_INT) {
			buf_put_i64(line, record_number(record, field, 0));
		} else {
			fmt_put_one_line(line, record_text(record, field));
		}
		buf_put_text(line, around[1]);
	}
}

struct told {
	unsigned field;
	const char *around[2];
};

static void tell_all(struct buf *line, const struct record *record, const struct told *parts,
		     size_t count, uint64_t told[2])
{
	for (size_t i = 0; i < count; i++) {
		tell(line, record, parts[i].field, parts[i].around);
		mark(told, parts[i].field);
	}
}

/* "1. 2026-11-22 10:00:00.150Z, as app_orders: SELECT dbo.Orders, 1 row, 4 ms" */
static void put_statement_line(struct show *show, const struct record *record, size_t number,
			       uint64_t told[2])
{
	static const struct told what[] = {{FIELD_principal, {", as ", ""}},
					   {FIELD_verb, {": ", ""}},
					   {FIELD_table, {" ", ""}}};
	static const struct told duration = {FIELD_duration_ms, {", ", " ms"}};
	struct output *out = show->out;
	struct buf line;
	char label[32] = "  ";
	buf_init(&line, 0);
	if (number > 0) {
		(void)snprintf(label, sizeof(label), "  %zu. ", number); /* 32 bytes hold it */
	}
	when_put(&line, out->zone, record->time_ns, 3, true);
	tell_all(&line, record, what, sizeof(what) / sizeof(what[0]), told);
	if (record_number(record, FIELD_succeeded, 1) == 0) {
		buf_put_text(&line, ", REFUSED");
	}
	if (record_has(record, FIELD_rows)) {
		int64_t rows = record_number(record, FIELD_rows, 0);
		buf_putf(&line, ", %lld %s", (long long)rows, rows == 1 ? "row" : "rows");
		mark(told, FIELD_rows);
	}
	tell_all(&line, record, &duration, 1, told);
	output_style(out, STYLE_TITLE);
	buf_put_text(&out->text, label);
	wrap_put_behind(out, strlen(label), INDENT, buf_str(&line));
	output_style(out, STYLE_NONE);
	buf_done(&line);
}

static int put_statement(struct show *show, uint64_t leaf, size_t number, struct error *err)
{
	struct record record;
	uint64_t told[2] = {0, 0};
	bool read;
	int result = show_fetch(show, leaf, &record, &read, err);
	if (result != 0) {
		return result;
	}
	if (!read) {
		put_unread(show, "  the statement", leaf);
		return put_verdicts(show, leaf, STORY_NO_LEAF, err);
	}
	put_statement_line(show, &record, number, told);
	struct str text = record_text(&record, FIELD_statement);
	bool erased = redact_degree_of(&record, NULL) == REDACT_ALL;
	wrap_put_safe(show->out, "     | ", erased ? STR_LIT("(erased)") : text);
	result = put_verdicts(show, leaf, STORY_NO_LEAF, err);
	/* The verdicts have taken the record's place in the fetch. */
	result = result == 0 ? show_fetch(show, leaf, &record, &read, err) : result;
	if (result == 0 && read) {
		put_plumbing(show, &record, leaf, told);
	}
	return result;
}

struct timed {
	int64_t time_ns;
	uint64_t leaf;
};

static int compare_times(const void *a, const void *b)
{
	const struct timed *left = a;
	const struct timed *right = b;
	if (left->time_ns != right->time_ns) {
		return left->time_ns < right->time_ns ? -1 : 1;
	}
	return left->leaf < right->leaf ? -1 : left->leaf > right->leaf;
}

/* Whether a statement stands under the request now (standing), or only did once. */
static bool is_under(const struct story *story, uint64_t statement, uint64_t request, bool standing)
{
	const struct story_verdict *last = story_standing(story, statement);
	bool now = last != NULL && last->request_leaf == request;
	if (standing || now) {
		return standing && now;
	}
	for (size_t i = 0; i < story->verdict_count; i++) {
		if (story->verdicts[i].statement_leaf == statement &&
		    story->verdicts[i].request_leaf == request) {
			return true;
		}
	}
	return false;
}

/* The statements of a request by time; those that cannot be read come first. out holds as many as the story has. */
static int sort_statements(struct show *show, uint64_t request, bool standing, struct timed *out,
			   size_t *out_count)
{
	const struct story_list *list = &show->story->statements;
	*out_count = 0;
	for (size_t i = 0; i < list->count; i++) {
		struct record record;
		int64_t ignored;
		if (!is_under(show->story, list->leaf[i], request, standing)) {
			continue;
		}
		/* a failure comes again, and is told, when the statement is shown */
		bool read =
			scan_fetch_record(show->fetch, list->leaf[i], &record, &ignored, NULL) == 0;
		out[(*out_count)++] =
			(struct timed){read ? record.time_ns : INT64_MIN, list->leaf[i]};
	}
	qsort(out, *out_count, sizeof(*out), compare_times);
	return 0;
}

/* "alice (jwt) asked GET /orders/{id} (path /orders/17) from 203.0.113.9" and "at ..., answered with status 200 in 35 ms; 2
 * statements" */
static void put_summary(struct show *show, const struct record *record, size_t statement_count,
			uint64_t told[2])
{
	static const struct told who[] = {{FIELD_user, {"", ""}}, {FIELD_user_kind, {" (", ")"}}};
	static const struct told what[] = {{FIELD_route, {" ", ""}},
					   {FIELD_path, {" (path ", ")"}},
					   {FIELD_source_ip, {" from ", ""}}};
	static const struct told how[] = {{FIELD_status, {", answered with status ", ""}},
					  {FIELD_latency_ms, {" in ", " ms"}}};
	struct output *out = show->out;
	struct buf line;
	buf_init(&line, 0);
	bool erased = redact_degree_of(record, NULL) == REDACT_ALL;
	if (!record_has(record, FIELD_user)) {
		buf_put_text(&line, erased ? "an erased caller" : "a caller without a name");
	}
	tell_all(&line, record, who, 2, told);
	buf_put_text(&line, " asked");
	tell_all(&line, record, what, 3, told);
	output_style(out, STYLE_TITLE);
	wrap_put_behind(out, 0, 2, buf_str(&line));
	output_style(out, STYLE_NONE);
	buf_clear(&line);
	buf_put_text(&line, "at ");
	when_put(&line, out->zone, record->time_ns, 3, true);
	tell_all(&line, record, how, 2, told);
	buf_putf(&line, "; %zu %s", statement_count,
		 statement_count == 1 ? "statement" : "statements");
	wrap_put_behind(out, 0, 2, buf_str(&line));
	buf_done(&line);
}

/* The statements of list in their order. */
static int put_statements(struct show *show, const struct timed *list, size_t count,
			  struct error *err)
{
	int result = 0;
	for (size_t i = 0; result == 0 && i < count; i++) {
		buf_put_byte(&show->out->text, '\n');
		result = put_statement(show, list[i].leaf, i + 1, err);
	}
	return result;
}

static int put_request_with(struct show *show, uint64_t leaf, struct timed *list, struct error *err)
{
	struct record record;
	uint64_t told[2] = {0, 0};
	bool read;
	size_t count;
	int result = sort_statements(show, leaf, true, list, &count);
	result = result == 0 ? show_fetch(show, leaf, &record, &read, err) : result;
	if (result != 0) {
		return result;
	}
	if (read) {
		put_summary(show, &record, count, told);
	} else {
		put_unread(show, "the request", leaf);
	}
	result = put_verdicts(show, STORY_NO_LEAF, leaf, err);
	result = result == 0 ? put_statements(show, list, count, err) : result;
	result = result == 0 ? sort_statements(show, leaf, false, list, &count) : result;
	if (result == 0 && count > 0) {
		buf_put_text(&show->out->text, "\n  once taken for this request, no longer:\n");
		result = put_statements(show, list, count, err);
	}
	bool again = false;
	if (result == 0 && read) {
		result = show_fetch(show, leaf, &record, &again, err);
	}
	if (result == 0 && again) {
		buf_put_text(&show->out->text, "\n  the request:\n");
		put_plumbing(show, &record, leaf, told);
	}
	return result;
}

static int put_request(struct show *show, uint64_t leaf, struct error *err)
{
	struct timed *list = calloc(show->story->statements.count + 1, sizeof(*list));
	if (list == NULL) {
		return error_set(err, ERR_NOMEM, "no memory for the statements of a request");
	}
	int result = put_request_with(show, leaf, list, err);
	free(list);
	return result;
}

static bool is_alone(const struct story *story, uint64_t statement)
{
	const struct story_verdict *last = story_standing(story, statement);
	return last == NULL || last->request_leaf == STORY_NO_LEAF;
}

static int put_other(struct show *show, uint64_t leaf, struct error *err)
{
	struct record record;
	bool read;
	struct buf *out = &show->out->text;
	int result = show_fetch(show, leaf, &record, &read, err);
	if (result != 0 || !read) {
		put_unread(show, "the record", leaf);
		return result;
	}
	output_style(show->out, STYLE_TITLE);
	buf_putf(out, "%s ", record_kind_name(record.kind));
	when_put(out, show->out->zone, record.time_ns, 7, true);
	output_style(show->out, STYLE_NONE);
	buf_put_text(out, "  source ");
	fmt_put_one_line(out, record.source);
	buf_putf(out, ", leaf %llu\n", (unsigned long long)leaf);
	if (record.kind == RECORD_REJECT) {
		wrap_put_safe(show->out, "    | ", record_text(&record, FIELD_raw));
	}
	show_put_fields(show->out, &record);
	return 0;
}

/* An alert on what is shown stands among the alerts behind it. */
static int is_told_later(struct show *show, uint64_t leaf, bool *out_later, struct error *err)
{
	struct record record;
	bool read;
	const struct story *story = show->story;
	*out_later = false;
	if (show->store == NULL || story->requests.count + story->statements.count == 0) {
		return 0;
	}
	int result = show_fetch(show, leaf, &record, &read, err);
	*out_later = result == 0 && read && record.kind == RECORD_ALERT;
	return result;
}

int show_put_text(struct show *show, struct error *err)
{
	const struct story *story = show->story;
	int result = 0;
	const char *separator = "";
	for (size_t i = 0; result == 0 && i < story->requests.count; i++) {
		buf_put_text(&show->out->text, separator);
		separator = "\n";
		result = put_request(show, story->requests.leaf[i], err);
	}
	for (size_t i = 0; result == 0 && i < story->statements.count; i++) {
		if (story->requests.count > 0 || !is_alone(story, story->statements.leaf[i])) {
			continue;
		}
		buf_put_text(&show->out->text, separator);
		separator = "\n";
		buf_put_text(&show->out->text, "no request is known for this statement:\n");
		result = put_statement(show, story->statements.leaf[i], 0, err);
	}
	for (size_t i = 0; result == 0 && i < story->others.count; i++) {
		bool later = false;
		result = is_told_later(show, story->others.leaf[i], &later, err);
		if (result != 0 || later) {
			continue;
		}
		buf_put_text(&show->out->text, separator);
		separator = "\n";
		result = put_other(show, story->others.leaf[i], err);
	}
	return result;
}
