#include "query/fmt.h"

#include "query/when.h"
#include "query/wrap.h"

#define WRAPPED_INDENT 4

/* ` word VALUE` when there is a value; values from logs are made safe and kept on one line. */
static void put_part(struct buf *out, const char *word, struct str value)
{
	if (value.len > 0) {
		buf_putf(out, " %s ", word);
		fmt_put_one_line(out, value);
	}
}

static void put_person(struct buf *out, const struct trail *trail)
{
	struct str user = trail_text(trail, SIDE_REQUEST, FIELD_user);
	struct str kind = trail_text(trail, SIDE_REQUEST, FIELD_user_kind);
	if (user.len == 0) {
		buf_put_text(out, "a caller without a name");
		return;
	}
	fmt_put_one_line(out, user);
	if (kind.len > 0) {
		buf_put_text(out, " (");
		fmt_put_one_line(out, kind);
		buf_put_byte(out, ')');
	}
}

static bool is_refused(const struct trail *trail)
{
	return record_number(&trail->statement, FIELD_succeeded, 1) == 0;
}

/* "SELECT on dbo.Orders in shop on server SQL01" */
static void put_what(struct buf *out, const struct trail *trail)
{
	struct str verb = trail_text(trail, SIDE_STATEMENT, FIELD_verb);
	struct str table = trail_text(trail, SIDE_STATEMENT, FIELD_table);
	if (verb.len > 0) {
		fmt_put_one_line(out, verb);
	} else {
		buf_put_text(out, "a statement");
	}
	put_part(out, "on",
		 table.len > 0 ? table : trail_text(trail, SIDE_STATEMENT, FIELD_object));
	put_part(out, "in", trail_text(trail, SIDE_STATEMENT, FIELD_database));
	put_part(out, "on server", trail_text(trail, SIDE_STATEMENT, FIELD_server));
}

static void put_rows(struct buf *out, const struct trail *trail)
{
	if (record_has(&trail->statement, FIELD_rows)) {
		int64_t rows = record_number(&trail->statement, FIELD_rows, 0);
		buf_putf(out, " (%lld %s)", (long long)rows, rows == 1 ? "row" : "rows");
	}
}

/* " ran as app_orders (1 row)": the login is all that is certain. */
static void put_login(struct buf *out, const struct trail *trail)
{
	struct str login = trail_text(trail, SIDE_STATEMENT, FIELD_principal);
	buf_put_text(out, is_refused(trail) ? " was refused" : " ran");
	put_part(out, is_refused(trail) ? "to" : "as", login);
	put_rows(out, trail);
}

static void put_request(struct buf *out, const struct trail *trail)
{
	put_part(out, "through", trail_text(trail, SIDE_REQUEST, FIELD_route));
	put_part(out, "from", trail_text(trail, SIDE_REQUEST, FIELD_source_ip));
}

/* A sentence may name who ran it: grades A and B; C and D with their doubt. */
static void put_named(struct buf *out, const struct trail *trail)
{
	if (trail->grade != GRADE_A && trail->grade != GRADE_B) {
		buf_put_text(out, "probably ");
	}
	put_person(out, trail);
	buf_put_text(out, is_refused(trail) ? " was refused " : " ran ");
	put_what(out, trail);
	put_part(out, "as", trail_text(trail, SIDE_STATEMENT, FIELD_principal));
	put_rows(out, trail);
	put_request(out, trail);
}

/* A reason as a clause; without one there is nothing to say. */
static void put_reason(struct buf *out, const struct trail *trail)
{
	struct str reason = str_trim(trail_text(trail, SIDE_VERDICT, FIELD_reason));
	if (reason.len > 0) {
		buf_put_text(out, ": ");
		fmt_put_one_line(out, str_has_suffix(reason, STR_LIT("."))
					      ? str_slice(reason, 0, reason.len - 1)
					      : reason);
	}
}

/* A contradiction names nobody as the one who ran it, only whose request the evidence points to. */
static void put_contradiction(struct buf *out, const struct trail *trail)
{
	put_what(out, trail);
	put_login(out, trail);
	if (trail->has_request) {
		buf_put_text(out, ". The evidence points to a request of ");
		put_person(out, trail);
		put_request(out, trail);
		buf_put_text(out, ", but contradicts itself");
	} else {
		buf_put_text(out, ". The evidence points to no one request and contradicts itself");
	}
	put_reason(out, trail);
}

static void put_nobody(struct buf *out, const struct trail *trail)
{
	put_what(out, trail);
	put_login(out, trail);
	put_part(out, "from", trail_text(trail, SIDE_STATEMENT, FIELD_client_ip));
	if (trail->grade == GRADE_PENDING) {
		buf_put_text(out, ". It is not joined yet");
	} else if (trail->grade == GRADE_U1) {
		buf_put_text(out, ". Nobody is known for it");
		put_reason(out, trail);
	} else {
		buf_put_text(out, ". Its request cannot be read");
		put_reason(out, trail);
	}
}

/* What of a grade C somebody could have made up. */
static const char *forgeable(const struct trail *trail)
{
	if (str_is(trail_text(trail, SIDE_VERDICT, FIELD_carrier), "comment")) {
		return "whoever writes the SQL could forge the comment";
	}
	if (str_is(trail_text(trail, SIDE_VERDICT, FIELD_matched_by), "request_id")) {
		return "a caller could choose the request id";
	}
	return "whoever sets the context could forge it";
}

static void put_evidence(struct output *output, const struct trail *trail, bool with_reason)
{
	struct buf *out = &output->text;
	buf_put_text(out, ". Grade ");
	output_style(output, fmt_grade_style(trail->grade));
	buf_put_text(out, grade_name(trail->grade));
	output_style(output, STYLE_NONE);
	put_part(out, "by", trail_text(trail, SIDE_VERDICT, FIELD_matched_by));
	put_part(out, "in", trail_text(trail, SIDE_VERDICT, FIELD_carrier));
	if (with_reason) {
		put_reason(out, trail);
	}
	if (trail->grade == GRADE_C) {
		buf_putf(out, "; %s", forgeable(trail));
	}
	buf_put_byte(out, '.');
}

static int text_begin(struct fmt *fmt, struct error *err)
{
	(void)fmt;
	(void)err;
	return 0;
}

static void put_sentence(struct fmt *fmt, const struct trail *trail)
{
	struct buf *out = &fmt->out->text;
	when_put(out, fmt->out->zone, trail->time_ns, 3, true);
	buf_put_text(out, ": ");
	bool told = true; /* the reason */
	if (!trail->has_statement) {
		put_person(out, trail);
		buf_put_text(out, " made a request that ran no statement");
		put_request(out, trail);
		told = false;
	} else if (trail->grade == GRADE_X) {
		put_contradiction(out, trail);
	} else if (!trail->has_request) {
		put_nobody(out, trail);
	} else {
		put_named(out, trail);
		told = false;
	}
	put_evidence(fmt->out, trail, !told);
}

/* The sentence wrapped to the width, without colour, which would count as columns; the statement behind a bar. */
static int put_wrapped(struct fmt *fmt, const struct trail *trail, struct error *err)
{
	struct output *out = fmt->out;
	struct str statement = trail_text(trail, SIDE_STATEMENT, FIELD_statement);
	size_t begin = out->text.len;
	bool color = out->color;
	struct buf sentence;
	buf_init(&sentence, 0);
	out->color = false;
	put_sentence(fmt, trail);
	out->color = color;
	buf_put_str(&sentence, str_slice(buf_str(&out->text), begin, out->text.len));
	buf_truncate(&out->text, begin);
	wrap_put_behind(out, 0, WRAPPED_INDENT, buf_str(&sentence));
	buf_clear(&sentence);
	fmt_put_one_line(&sentence, statement);
	struct str rest = buf_str(&sentence);
	while (rest.len > 0) {
		struct str line = wrap_take(&rest, wrap_width(out, WRAPPED_INDENT + 2));
		buf_put_fill(&out->text, ' ', WRAPPED_INDENT);
		buf_put_text(&out->text, "| ");
		buf_put_str(&out->text, line);
		buf_put_byte(&out->text, '\n');
	}
	bool failed = sentence.failed;
	buf_done(&sentence);
	return failed ? error_set(err, ERR_NOMEM, "no memory for a row of text") : 0;
}

static int text_row(struct fmt *fmt, const struct trail *trail, struct error *err)
{
	struct buf *out = &fmt->out->text;
	struct str statement = trail_text(trail, SIDE_STATEMENT, FIELD_statement);
	if (fmt->out->width > 0) {
		return put_wrapped(fmt, trail, err);
	}
	put_sentence(fmt, trail);
	if (statement.len > 0) {
		buf_put_text(out, " Statement: ");
		fmt_put_one_line(out, statement);
	}
	buf_put_byte(out, '\n');
	return 0;
}

static int text_end(struct fmt *fmt, const struct coverage *coverage, struct error *err)
{
	(void)fmt;
	(void)coverage;
	(void)err;
	return 0;
}

const struct fmt_type fmt_text = {
	"text",   "one English sentence a row, with grade and evidence; one line when piped",
	false,    text_begin,
	text_row, text_end,
	NULL};
