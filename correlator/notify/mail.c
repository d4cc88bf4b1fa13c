#include "correlator/notify/mail.h"

#include "base/clock.h"
#include "correlator/notify/mime.h"
#include "correlator/notify/wording.h"

#define SUBJECT_MAX 300
#define PART_MAX    (MAIL_MAX / 4)
#define TEXT_WIDTH  72

static const char *colour_of(const struct alert *alert)
{
	switch (alert_severity(alert->value[ALERT_severity])) {
	case 5:
		return "#8b0000";
	case 4:
		return "#b3261e";
	case 3:
		return "#8a5a00";
	default:
		return "#2f5d8a";
	}
}

static const struct alert *alert_at(const struct channel_message *message, size_t index)
{
	return &message->notices[index]->alert;
}

static void put_count(const struct channel_message *message, struct buf *out)
{
	size_t more = message->more_count;

	if (more > 0) {
		buf_putf(out, "%zu more alert%s of this kind wait%s for the next mail.", more,
			 more == 1 ? "" : "s", more == 1 ? "s" : "");
	}
}

static void put_subject(const struct channel_message *message, struct buf *out)
{
	const struct alert *alert = alert_at(message, 0);
	size_t others = message->notice_count - 1 + message->more_count;
	struct buf headline;

	buf_init(&headline, 0);
	wording_headline(alert, &headline);
	buf_put_text(out, message->test ? "TEST " : "");
	buf_put_byte(out, '[');
	wording_plain(alert->value[ALERT_severity], 16, out);
	buf_put_text(out, "] ");
	wording_plain(buf_str(&headline), SUBJECT_MAX, out);
	if (others > 0) {
		buf_putf(out, " (and %zu more)", others);
	}
	buf_done(&headline);
}

/* One word after the other on lines of TEXT_WIDTH with an indent; the first line begins at column. A word that is longer stays whole. */
static void put_wrapped(struct buf *out, struct str text, size_t indent, size_t column)
{
	bool fresh = true; /* nothing on this line yet */

	buf_put_fill(out, ' ', column == 0 ? indent : 0);
	column = column == 0 ? indent : column;
	for (struct str rest = text; rest.ptr != NULL;) {
		struct str word = str_split(&rest, ' ');
		if (!fresh && column + 1 + word.len > TEXT_WIDTH) {
			buf_put_byte(out, '\n');
			buf_put_fill(out, ' ', indent);
			column = indent;
			fresh = true;
		}
		buf_put_text(out, fresh ? "" : " ");
		buf_put_str(out, word);
		column += word.len + (fresh ? 0 : 1);
		fresh = false;
	}
	buf_put_byte(out, '\n');
}

static void add_text_line(void *owner, const char *label, struct str text, bool block)
{
	struct buf *out = owner;

	if (!block) {
		buf_putf(out, "%-*s ", WORDING_LABEL_WIDTH + 1, label);
		put_wrapped(out, text, WORDING_LABEL_WIDTH + 2, WORDING_LABEL_WIDTH + 2);
		return;
	}
	bool verbatim = strcmp(label, "Statement") == 0;
	bool apart = out->len >= 2 && out->ptr[out->len - 2] == '\n';
	buf_putf(out, "%s%s\n", apart ? "" : "\n", label);
	for (struct str rest = text; rest.ptr != NULL;) {
		struct str line = str_split(&rest, '\n');
		if (verbatim) { /* the mark keeps a statement from looking like a line of ours */
			buf_put_text(out, "  | ");
			buf_put_str(out, line);
			buf_put_byte(out, '\n');
		} else {
			put_wrapped(out, line, 2, 0);
		}
	}
	buf_put_byte(out, '\n');
}

static void put_test_note(const struct channel_message *message, struct buf *out)
{
	if (message->test) {
		buf_put_text(out, "This is a test of the channel. Nothing happened.");
	}
}

void mail_text(const struct channel_message *message, struct buf *out)
{
	put_test_note(message, out);
	buf_put_text(out, message->test ? "\n\n" : "");
	for (size_t i = 0; i < message->notice_count; i++) {
		struct buf headline;
		buf_init(&headline, 0);
		wording_headline(alert_at(message, i), &headline);
		put_wrapped(out, buf_str(&headline), 0, 0);
		buf_put_fill(out, '-', TEXT_WIDTH);
		buf_put_byte(out, '\n');
		wording_tell(alert_at(message, i), add_text_line, out);
		buf_put_text(out, "\n\n");
		buf_done(&headline);
	}
	if (message->more_count > 0) {
		put_count(message, out);
		buf_put_text(out, "\n\n");
	}
	buf_put_text(out, "To see all that is known:  querytrail alerts show ");
	wording_plain(alert_at(message, 0)->value[ALERT_id], 64, out);
	buf_put_text(out, "\n");
}

static void put_html_text(struct buf *out, struct str text)
{
	for (size_t i = 0; i < text.len; i++) {
		switch (text.ptr[i]) {
		case '&':
			buf_put_text(out, "&amp;");
			break;
		case '<':
			buf_put_text(out, "&lt;");
			break;
		case '>':
			buf_put_text(out, "&gt;");
			break;
		case '"':
			buf_put_text(out, "&quot;");
			break;
		case '\'':
			buf_put_text(out, "&#39;");
			break;
		default:
			buf_put_byte(out, (uint8_t)text.ptr[i]);
			break;
		}
	}
}

static void add_html_line(void *owner, const char *label, struct str text, bool block)
{
	struct buf *out = owner;
	bool verbatim = strcmp(label, "Statement") == 0;

	buf_putf(out,
		 "<tr><th style=\"text-align:left;vertical-align:top;padding:4px 12px 4px 0;"
		 "color:#555;font-weight:normal;white-space:nowrap\">%s</th>\n"
		 "<td style=\"padding:4px 0;vertical-align:top\">",
		 label);
	if (verbatim) {
		buf_put_text(out, "<pre style=\"margin:0;padding:8px;background:#f4f4f4;"
				  "white-space:pre-wrap;word-break:break-word;"
				  "font-family:monospace\">");
		put_html_text(out, text);
		buf_put_text(out, "</pre>");
	} else {
		buf_putf(out, "<span style=\"%s\">", block ? "white-space:pre-line" : "");
		put_html_text(out, text);
		buf_put_text(out, "</span>");
	}
	buf_put_text(out, "</td></tr>\n");
}

void mail_html(const struct channel_message *message, struct buf *out)
{
	buf_put_text(out, "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">"
			  "<title>querytrail</title></head>\n"
			  "<body style=\"font-family:sans-serif;font-size:14px;line-height:1.4;"
			  "color:#111;background:#fff;max-width:46em\">\n");
	if (message->test) {
		buf_put_text(out, "<p><b>");
		put_test_note(message, out);
		buf_put_text(out, "</b></p>\n");
	}
	for (size_t i = 0; i < message->notice_count; i++) {
		struct buf headline;
		buf_init(&headline, 0);
		wording_headline(alert_at(message, i), &headline);
		buf_putf(out,
			 "<h2 style=\"font-size:17px;margin:18px 0 6px;padding-left:10px;"
			 "border-left:5px solid %s\">",
			 colour_of(alert_at(message, i)));
		put_html_text(out, buf_str(&headline));
		buf_put_text(out, "</h2>\n<table style=\"border-collapse:collapse\">\n");
		wording_tell(alert_at(message, i), add_html_line, out);
		buf_put_text(out, "</table>\n");
		buf_done(&headline);
	}
	if (message->more_count > 0) {
		buf_put_text(out, "<p>");
		put_count(message, out);
		buf_put_text(out, "</p>\n");
	}
	buf_put_text(out, "<p style=\"color:#555\">To see all that is known: "
			  "<code>querytrail alerts show ");
	struct buf id;
	buf_init(&id, 0);
	wording_plain(alert_at(message, 0)->value[ALERT_id], 64, &id);
	put_html_text(out, buf_str(&id));
	buf_done(&id);
	buf_put_text(out, "</code></p>\n</body></html>\n");
}

static void put_date(struct buf *out, int64_t ns)
{
	static const char *const months[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
					     "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
	struct civil civil;

	clock_to_civil(ns, &civil);
	buf_putf(out, "Date: %d %s %04d %02d:%02d:%02d +0000\r\n", civil.day,
		 months[civil.month - 1], civil.year, civil.hour, civil.minute, civil.second);
}

/* The domain of an address, for Message-ID; only what a domain may have. */
static void put_domain(struct buf *out, struct str address)
{
	size_t before = out->len;
	ptrdiff_t at = -1;

	for (ptrdiff_t next = str_find_byte(address, '@', 0); next >= 0;
	     next = str_find_byte(address, '@', (size_t)next + 1)) {
		at = next;
	}
	for (size_t i = at >= 0 ? (size_t)at + 1 : address.len; i < address.len; i++) {
		char each = address.ptr[i];
		if ((each >= 'a' && each <= 'z') || (each >= 'A' && each <= 'Z') ||
		    (each >= '0' && each <= '9') || each == '.' || each == '-') {
			buf_put_byte(out, (uint8_t)each);
		}
	}
	buf_put_text(out, out->len == before ? "querytrail.invalid" : "");
}

/* "Name <a@b>" or "a@b" on a line of its own; only the name may need encoding. */
static void put_address(struct buf *out, const char *text, const char *end)
{
	struct str whole = str_of(text);
	ptrdiff_t open = str_find_byte(whole, '<', 0);
	struct str name = str_trim(str_slice(whole, 0, open > 0 ? (size_t)open : 0));
	struct buf folded;

	buf_init(&folded, 0);
	if (name.len > 0 && name.ptr[0] != '"') {
		mime_put_header(&folded, "", name); /* ": words CR LF" */
		buf_put_str(out, str_slice(buf_str(&folded), 1, folded.len - 3));
		buf_put_text(out, "\r\n ");
		buf_put_str(out, str_slice(whole, (size_t)open, whole.len));
	} else {
		buf_put_byte(out, ' ');
		buf_put_str(out, whole);
	}
	buf_put_text(out, end);
	buf_done(&folded);
}

static void put_headers(const struct channel_settings *settings,
			const struct channel_message *message, struct buf *out)
{
	const char *from = config_text(settings->config, settings->section, "from");
	size_t count = config_list_count(settings->config, settings->section, "to");
	struct buf text;

	buf_init(&text, 0);
	buf_put_text(out, "From:");
	put_address(out, from, "\r\n");
	buf_put_text(out, "To:");
	for (size_t i = 0; i < count; i++) {
		put_address(out, config_list(settings->config, settings->section, "to", i),
			    i + 1 < count ? ",\r\n" : "\r\n");
	}
	put_subject(message, &text);
	mime_put_header(out, "Subject", buf_str(&text));
	put_date(out, message->now_ns);
	buf_putf(out, "Message-ID: <%s@", message->id);
	put_domain(out, str_of(from));
	buf_put_text(out,
		     ">\r\nAuto-Submitted: auto-generated\r\nX-Auto-Response-Suppress: All\r\n");
	for (size_t i = 0; i < message->notice_count; i++) {
		buf_clear(&text);
		wording_plain(alert_at(message, i)->value[ALERT_id], 32, &text);
		mime_put_header(out, "X-Querytrail-Alert", buf_str(&text));
	}
	buf_putf(out,
		 "MIME-Version: 1.0\r\nContent-Type: multipart/alternative;\r\n"
		 " boundary=\"=_%s\"\r\n\r\n",
		 message->id);
	buf_done(&text);
}

static void put_part(const struct channel_message *message, const char *type,
		     const struct buf *part, struct buf *out)
{
	buf_putf(out,
		 "--=_%s\r\nContent-Type: text/%s; charset=utf-8\r\n"
		 "Content-Transfer-Encoding: quoted-printable\r\n\r\n",
		 message->id, type);
	mime_put_quoted(out, buf_str(part));
	buf_put_text(out, "\r\n");
}

size_t mail_write(const struct channel_settings *settings, const struct channel_message *message,
		  struct buf *out)
{
	struct channel_message shown = *message;
	struct buf text;
	struct buf html;

	buf_init(&text, 0);
	buf_init(&html, 0);
	for (;; shown.notice_count = shown.notice_count / 2) {
		shown.more_count = message->more_count + message->notice_count - shown.notice_count;
		buf_clear(&text);
		buf_clear(&html);
		mail_text(&shown, &text);
		mail_html(&shown, &html);
		if (text.len + html.len < PART_MAX || shown.notice_count == 1) {
			break;
		}
	}
	channel_message_id(&shown);
	buf_clear(out);
	put_headers(settings, &shown, out);
	put_part(&shown, "plain", &text, out);
	put_part(&shown, "html", &html, out);
	buf_putf(out, "--=_%s--\r\n", shown.id);
	bool failed = out->failed || text.failed || html.failed;
	buf_done(&text);
	buf_done(&html);
	return failed ? 0 : shown.notice_count;
}
