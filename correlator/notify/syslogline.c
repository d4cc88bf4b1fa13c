#include "correlator/notify/syslogline.h"

#include "base/clock.h"
#include "base/note.h"
#include "base/parse.h"
#include "correlator/notify/wording.h"

#include <assert.h>
#include <stdlib.h>

#define VALUE_LEAST 8 /* so short, any alert fits */

/* The byte behind a backslash, when it is one of these. */
static void put_escaped(struct str text, const char *special, struct buf *out)
{
	for (size_t i = 0; i < text.len; i++) {
		if (strchr(special, text.ptr[i]) != NULL && text.ptr[i] != '\0') {
			buf_put_byte(out, '\\');
		}
		buf_put_byte(out, (uint8_t)text.ptr[i]);
	}
}

/* A value printable, cut, then escaped. */
static void put_value(struct str text, size_t max_bytes, const char *special, struct buf *out)
{
	struct buf plain;

	buf_init(&plain, 0);
	wording_plain(text, max_bytes, &plain);
	put_escaped(buf_str(&plain), special, out);
	buf_done(&plain);
}

/* RFC 5424's severities: critical 2, high 3 (error), medium 4, low 5 (notice), informational 6. */
static unsigned priority(const struct alert *alert, const struct syslog_how *how)
{
	int level = alert_severity(alert->value[ALERT_severity]);

	return how->facility * 8 + (level >= 1 ? (unsigned)(7 - level) : 6);
}

static void put_header(const struct alert *alert, const struct syslog_how *how, struct buf *out)
{
	bool ended = wording_is_resolved(alert);
	const char *word = how->test ? "test" : ended ? "resolved" : "firing";

	buf_putf(out, "<%u>1 ", priority(alert, how));
	clock_put_rfc3339(
		out, wording_time(alert, ended ? ALERT_resolved : ALERT_fired, how->now_ns), 6);
	buf_putf(out, " %s querytrail - alert-%s ", how->host, word);
}

static void put_structured(const struct notice *notice, const struct syslog_how *how,
			   size_t value_max, struct buf *out)
{
	const struct alert *alert = &notice->alert;

	buf_put_text(out, "[querytrail@" SYSLOG_ENTERPRISE);
	for (int i = 0; i < ALERT_FIELD_COUNT; i++) {
		if (alert->value[i].ptr != NULL) {
			buf_putf(out, " %s=\"", alert_field_name((enum alert_field)i));
			put_value(alert->value[i], value_max, "\"\\]", out);
			buf_put_byte(out, '"');
		}
	}
	buf_putf(out, " revision=\"%llu\"] \xef\xbb\xbf", (unsigned long long)notice->revision);
	struct buf headline;
	buf_init(&headline, 0);
	buf_put_text(&headline, how->test ? "TEST, nothing happened: " : "");
	wording_headline(alert, &headline);
	wording_plain(buf_str(&headline), value_max, out);
	buf_done(&headline);
}

/* CEF's keys, from its dictionary; cs1.. are ours, and say so with labels. */
static const struct {
	const char *key;
	enum alert_field field;
	const char *label; /* of a csN */
} keys[] = {
	{"externalId", ALERT_id, NULL},
	{"suser", ALERT_user, NULL},
	{"src", ALERT_source_ip, NULL},
	{"request", ALERT_route, NULL},
	{"requestClientApplication", ALERT_user_agent, NULL},
	{"duser", ALERT_principal, NULL},
	{"dhost", ALERT_server, NULL},
	{"act", ALERT_verb, NULL},
	{"sproc", ALERT_application, NULL},
	{"shost", ALERT_host, NULL},
	{"reason", ALERT_explanation, NULL},
	{"cs1", ALERT_statement, "statement"},
	{"cs2", ALERT_table, "table"},
	{"cs3", ALERT_database, "database"},
	{"cs4", ALERT_grade, "grade"},
	{"cs5", ALERT_request_id, "requestId"},
	{"cs6", ALERT_statement_id, "statementId"},
};

static void put_pair(const char *key, struct str value, size_t value_max, struct buf *out)
{
	buf_putf(out, "%s=", key);
	put_value(value, value_max, "=\\", out);
	buf_put_byte(out, ' ');
}

static void put_cef(const struct notice *notice, const struct syslog_how *how, size_t value_max,
		    struct buf *out)
{
	static const char *const scores[] = {"0", "1", "3", "5", "8", "10"};
	const struct alert *alert = &notice->alert;
	struct buf headline;
	bool titled = alert->value[ALERT_title].len > 0;

	buf_put_text(out, "- \xef\xbb\xbf"
			  "CEF:0|querytrail|querytrail|1|");
	put_value(alert->value[ALERT_rule], value_max, "|\\", out);
	buf_put_byte(out, '|');
	put_value(alert->value[titled ? ALERT_title : ALERT_rule], value_max, "|\\", out);
	buf_putf(out, "|%s|", scores[alert_severity(alert->value[ALERT_severity])]);
	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
		if (alert->value[keys[i].field].len == 0) {
			continue;
		}
		put_pair(keys[i].key, alert->value[keys[i].field], value_max, out);
		if (keys[i].label != NULL) {
			buf_putf(out, "%sLabel=%s ", keys[i].key, keys[i].label);
		}
	}
	if (alert->value[ALERT_succeeded].len > 0) {
		bool passed = str_is(alert->value[ALERT_succeeded], "true");
		buf_putf(out, "outcome=%s ", passed ? "success" : "failure");
	}
	buf_putf(out, "rt=%lld cat=%s ",
		 (long long)(wording_time(alert, ALERT_time, how->now_ns) / NS_PER_MS),
		 how->test                    ? "test"
		 : wording_is_resolved(alert) ? "resolved"
					      : "firing");
	buf_init(&headline, 0);
	wording_headline(alert, &headline);
	buf_put_text(out, "msg=");
	put_value(buf_str(&headline), value_max, "=\\", out);
	buf_done(&headline);
}

void syslog_put_frame(const struct notice *notice, const struct syslog_how *how, struct buf *out)
{
	struct buf line;

	size_t value_max = 2 * SYSLOG_VALUE_MAX;

	assert(how->facility <= 23);
	buf_init(&line, 0);
	do { /* until it fits */
		value_max /= 2;
		buf_clear(&line);
		put_header(&notice->alert, how, &line);
		if (how->cef) {
			put_cef(notice, how, value_max, &line);
		} else {
			put_structured(notice, how, value_max, &line);
		}
	} while (line.len > SYSLOG_LINE_MAX && value_max > VALUE_LEAST);
	buf_putf(out, "%zu ", line.len);
	buf_put_str(out, buf_str(&line));
	if (line.failed) {
		out->failed = true;
	}
	buf_done(&line);
}

static void put_checkpoint(struct str note, const struct note_checkpoint *checkpoint,
			   const struct syslog_how *how, struct buf *out)
{
	const struct merkle_hash *root = &checkpoint->head.root;

	buf_putf(out, "<%u>1 ", how->facility * 8 + 5);
	clock_put_rfc3339(out, how->now_ns, 6);
	buf_putf(out, " %s querytrail - checkpoint [querytrail@" SYSLOG_ENTERPRISE " origin=\"",
		 how->host);
	put_value(checkpoint->origin, SYSLOG_VALUE_MAX, "\"\\]", out);
	buf_putf(out, "\" size=\"%llu\" root=\"", (unsigned long long)checkpoint->head.size);
	parse_put_base64(out, str_make(root->bytes, sizeof(root->bytes)));
	buf_put_text(out, "\" note=\"");
	parse_put_base64(out, note);
	buf_putf(out, "\"] \xef\xbb\xbf%llu records of ",
		 (unsigned long long)checkpoint->head.size);
	wording_plain(checkpoint->origin, SYSLOG_VALUE_MAX, out);
}

int syslog_put_checkpoint(struct str note, const struct syslog_how *how, struct buf *out,
			  struct error *err)
{
	struct note_checkpoint checkpoint;
	struct buf line;
	struct note *parsed = calloc(1, sizeof(*parsed));

	buf_init(&line, SYSLOG_LINE_MAX);
	int rc = parsed != NULL ? note_parse(note, parsed, err)
				: error_set(err, ERR_NOMEM, "no memory for a checkpoint");
	rc = rc != 0 ? rc : note_checkpoint_parse(parsed->text, &checkpoint, err);
	if (rc == 0) {
		put_checkpoint(note, &checkpoint, how, &line);
		rc = buf_check(&line, "a checkpoint as a syslog message", err);
	}
	if (rc == 0) {
		buf_putf(out, "%zu ", line.len);
		buf_put_str(out, buf_str(&line));
		rc = buf_check(out, "a syslog message", err);
	}
	buf_done(&line);
	free(parsed);
	return rc;
}
