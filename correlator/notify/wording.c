#include "correlator/notify/wording.h"

#include "base/clock.h"
#include "base/utf8.h"

#define SHORT_MAX 200
#define FIELD_MAX 2000
#define BLOCK_MAX 16384

/* The longest prefix of at most max_bytes that ends at a character border. */
static struct str cut_at(struct str text, size_t max_bytes)
{
	if (text.len <= max_bytes) {
		return text;
	}
	size_t len = max_bytes;
	while (len > 0 && ((uint8_t)text.ptr[len] & 0xc0) == 0x80) {
		len--;
	}
	return str_slice(text, 0, len);
}

void wording_plain(struct str text, size_t max_bytes, struct buf *out)
{
	struct str kept = cut_at(text, max_bytes);

	utf8_put_printable(out, kept);
	if (kept.len < text.len) {
		buf_put_text(out, "…");
	}
}

void wording_block(struct str text, size_t max_bytes, struct buf *out)
{
	struct str kept = cut_at(text, max_bytes);
	struct str rest = kept;
	bool first = true;

	while (rest.ptr != NULL) {
		struct str line = str_split(&rest, '\n');
		if (!first) {
			buf_put_byte(out, '\n');
		}
		if (rest.ptr != NULL && line.len > 0 && line.ptr[line.len - 1] == '\r') {
			line.len--;
		}
		while (line.len > 0) {
			ptrdiff_t tab = str_find_byte(line, '\t', 0);
			size_t len = tab >= 0 ? (size_t)tab : line.len;
			utf8_put_printable(out, str_slice(line, 0, len));
			if (tab >= 0) {
				buf_put_text(out, "    ");
			}
			line = str_slice(line, len + (tab >= 0 ? 1 : 0), line.len);
		}
		first = false;
	}
	if (kept.len < text.len) {
		buf_put_text(out, "…");
	}
}

bool wording_is_resolved(const struct alert *alert)
{
	return str_is(alert->value[ALERT_state], "resolved");
}

int64_t wording_time(const struct alert *alert, enum alert_field field, int64_t fallback_ns)
{
	int64_t ns;

	return clock_parse_rfc3339(alert->value[field], &ns) ? ns : fallback_ns;
}

static bool has(const struct alert *alert, enum alert_field field)
{
	return alert->value[field].len > 0;
}

/* before, the value, after; nothing when the alert has it not. */
static void put_part(const struct alert *alert, enum alert_field field, const char *before,
		     struct buf *out)
{
	if (has(alert, field)) {
		buf_put_text(out, before);
		wording_plain(alert->value[field], SHORT_MAX, out);
	}
}

void wording_who(const struct alert *alert, struct buf *out)
{
	if (has(alert, ALERT_user)) {
		put_part(alert, ALERT_user, "", out);
		if (has(alert, ALERT_user_kind)) {
			put_part(alert, ALERT_user_kind, " (", out);
			buf_put_text(out, ")");
		}
		put_part(alert, ALERT_source_ip, " from ", out);
		return;
	}
	if (has(alert, ALERT_principal)) {
		put_part(alert, ALERT_principal, "nobody is known; the login is ", out);
	} else {
		buf_put_text(out, "nobody is known");
	}
	put_part(alert, ALERT_application, ", application ", out);
	put_part(alert, ALERT_host, ", on host ", out);
	put_part(alert, ALERT_client_ip, ", from ", out);
}

void wording_what(const struct alert *alert, struct buf *out)
{
	size_t start = out->len;

	put_part(alert, has(alert, ALERT_verb) ? ALERT_verb : ALERT_action, "", out);
	put_part(alert, ALERT_table, out->len > start ? " on " : "", out);
	put_part(alert, ALERT_database, out->len > start ? " in database " : "database ", out);
	put_part(alert, ALERT_server, out->len > start ? " on server " : "server ", out);
	put_part(alert, ALERT_principal, out->len > start ? " as login " : "login ", out);
	if (has(alert, ALERT_rows)) {
		put_part(alert, ALERT_rows, ", rows: ", out);
	}
	if (str_is(alert->value[ALERT_succeeded], "false")) {
		buf_put_text(out, ", refused by the server");
	}
}

void wording_headline(const struct alert *alert, struct buf *out)
{
	enum alert_field verb = has(alert, ALERT_verb) ? ALERT_verb : ALERT_action;

	if (wording_is_resolved(alert)) {
		buf_put_text(out, "ended: ");
	}
	wording_plain(alert->value[has(alert, ALERT_title) ? ALERT_title : ALERT_rule], SHORT_MAX,
		      out);
	if (has(alert, ALERT_gap)) {
		put_part(alert, ALERT_source, ": source ", out);
		return;
	}
	buf_put_text(out, ": ");
	if (has(alert, ALERT_user)) {
		put_part(alert, ALERT_user, "", out);
	} else {
		put_part(alert, ALERT_principal, "login ", out);
	}
	if (!has(alert, ALERT_user) && !has(alert, ALERT_principal)) {
		buf_put_text(out, "somebody");
	}
	put_part(alert, verb, " ran ", out);
	put_part(alert, ALERT_table, has(alert, verb) ? " on " : " used ", out);
	put_part(alert, ALERT_route, " through ", out);
}

struct teller {
	const struct alert *alert;
	wording_line_fn *line;
	void *owner;
	struct buf text;
};

static void tell_text(struct teller *teller, const char *label, bool block)
{
	if (teller->text.len > 0) {
		teller->line(teller->owner, label, buf_str(&teller->text), block);
	}
	buf_clear(&teller->text);
}

static void tell_field(struct teller *teller, const char *label, enum alert_field field)
{
	wording_plain(teller->alert->value[field], FIELD_MAX, &teller->text);
	tell_text(teller, label, false);
}

static void tell_block(struct teller *teller, const char *label, enum alert_field field)
{
	if (has(teller->alert, field)) {
		wording_block(teller->alert->value[field], BLOCK_MAX, &teller->text);
		tell_text(teller, label, true);
	}
}

static void tell_route(struct teller *teller)
{
	const struct alert *alert = teller->alert;

	if (has(alert, ALERT_route)) {
		put_part(alert, ALERT_route, "", &teller->text);
		put_part(alert, ALERT_status, ", answered ", &teller->text);
		put_part(alert, ALERT_request_id, ", request ", &teller->text);
	} else if (has(alert, ALERT_statement_id)) {
		buf_put_text(&teller->text, "no API request is known for it");
	}
	tell_text(teller, "Through", false);
}

static void tell_grade(struct teller *teller)
{
	put_part(teller->alert, ALERT_grade, "grade ", &teller->text);
	put_part(teller->alert, ALERT_grade_reason, teller->text.len > 0 ? ": " : "",
		 &teller->text);
	tell_text(teller, "How we know", false);
}

void wording_tell(const struct alert *alert, wording_line_fn *line, void *owner)
{
	struct teller teller = {.alert = alert, .line = line, .owner = owner};

	buf_init(&teller.text, 0);
	wording_who(alert, &teller.text);
	tell_text(&teller, "Who", false);
	tell_route(&teller);
	wording_what(alert, &teller.text);
	tell_text(&teller, "What", false);
	tell_block(&teller, "Statement", ALERT_statement);
	tell_field(&teller, "Missing", ALERT_gap);
	tell_field(&teller, "When", ALERT_time);
	tell_grade(&teller);
	tell_field(&teller, "Matched", ALERT_matched);
	tell_block(&teller, "Why it is risky", ALERT_explanation);
	tell_block(&teller, "What to do next", ALERT_next_steps);
	tell_field(&teller, "Ended", ALERT_resolved);
	tell_field(&teller, "Why it ended", ALERT_resolution);
	tell_field(&teller, "Severity", ALERT_severity);
	tell_field(&teller, "Rule", ALERT_rule);
	tell_field(&teller, "Tags", ALERT_tags);
	tell_field(&teller, "Statement id", ALERT_statement_id);
	tell_field(&teller, "Alert", ALERT_id);
	buf_done(&teller.text);
}
