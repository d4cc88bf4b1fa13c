#include "query/fmt.h"

#include "query/when.h"

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
	if (user.len > 0) {
		fmt_put_one_line(out, user);
		if (kind.len > 0) {
			buf_put_text(out, " (");
			fmt_put_one_line(out, kind);
			buf_put_byte(out, ')');
		}
	} else if (trail->has_request) {
		buf_put_text(out, "a caller without a name");
	} else {
		buf_put_text(out, "somebody");
	}
}

static void put_statement(struct buf *out, const struct trail *trail)
{
	struct str verb = trail_text(trail, SIDE_STATEMENT, FIELD_verb);
	bool refused = record_number(&trail->statement, FIELD_succeeded, 1) == 0;
	buf_put_text(out, refused ? " was refused " : " ran ");
	if (verb.len > 0) {
		fmt_put_one_line(out, verb);
	} else {
		buf_put_text(out, "a statement");
	}
	struct str table = trail_text(trail, SIDE_STATEMENT, FIELD_table);
	put_part(out, "on",
		 table.len > 0 ? table : trail_text(trail, SIDE_STATEMENT, FIELD_object));
	put_part(out, "in", trail_text(trail, SIDE_STATEMENT, FIELD_database));
	put_part(out, "on server", trail_text(trail, SIDE_STATEMENT, FIELD_server));
	put_part(out, "as", trail_text(trail, SIDE_STATEMENT, FIELD_principal));
	if (record_has(&trail->statement, FIELD_rows)) {
		int64_t rows = record_number(&trail->statement, FIELD_rows, 0);
		buf_putf(out, " (%lld %s)", (long long)rows, rows == 1 ? "row" : "rows");
	}
}

static void put_evidence(struct output *output, const struct trail *trail)
{
	struct buf *out = &output->text;
	buf_put_text(out, ". Grade ");
	output_style(output, fmt_grade_style(trail->grade));
	buf_put_text(out, grade_name(trail->grade));
	output_style(output, STYLE_NONE);
	put_part(out, "by", trail_text(trail, SIDE_VERDICT, FIELD_matched_by));
	put_part(out, "in", trail_text(trail, SIDE_VERDICT, FIELD_carrier));
	struct str reason = trail_text(trail, SIDE_VERDICT, FIELD_reason);
	if (reason.len > 0) {
		buf_put_text(out, ": ");
		fmt_put_one_line(out, reason);
	} else if (trail->grade == GRADE_PENDING) {
		buf_put_text(out, ": not joined yet");
	}
	if (reason.len == 0 || reason.ptr[reason.len - 1] != '.') {
		buf_put_byte(out, '.');
	}
}

static int text_begin(struct fmt *fmt, struct error *err)
{
	(void)fmt;
	(void)err;
	return 0;
}

static int text_row(struct fmt *fmt, const struct trail *trail, struct error *err)
{
	struct buf *out = &fmt->out->text;
	(void)err;
	when_put(out, fmt->out->zone, trail->time_ns, 3, true);
	buf_put_text(out, ": ");
	put_person(out, trail);
	if (trail->has_statement) {
		put_statement(out, trail);
	} else {
		buf_put_text(out, " made a request that ran no statement");
	}
	put_part(out, "through", trail_text(trail, SIDE_REQUEST, FIELD_route));
	put_part(out, "from", trail_text(trail, SIDE_REQUEST, FIELD_source_ip));
	if (!trail->has_request) {
		buf_put_text(out, " with no known request at the gateway");
		put_part(out, "from", trail_text(trail, SIDE_STATEMENT, FIELD_client_ip));
	}
	put_evidence(fmt->out, trail);
	struct str statement = trail_text(trail, SIDE_STATEMENT, FIELD_statement);
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

const struct fmt_type fmt_text = {"text",   "one English sentence a row, with grade and evidence",
				  false,    text_begin,
				  text_row, text_end,
				  NULL};
