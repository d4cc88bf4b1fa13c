/* syslogline - an alert as one RFC 5424 message, with structured data or as CEF.
 *
 * Structured: PRI, version 1, time, host, "querytrail", "-", MSGID (alert-firing, alert-resolved, alert-test), one element
 *          [querytrail@32473 id="..." severity=".." user=".." ..] with the fields of model/alert.def that are present, then a BOM
 *          and the headline as text. 32473 is the number that RFC 5612 sets aside for examples: querytrail has none of its own.
 * CEF:     the same header with "-" for structured data, then CEF:0|querytrail|querytrail|VERSION|rule|title|severity|extension.
 * Escaped: all texts printable (wording.h); then " \ ] with a backslash in structured data; | and \ in CEF's header; = and \ in its
 *          extension. So no control byte is in a message, and its length (octet counting) is the only frame.
 * Limits:  SYSLOG_VALUE_MAX bytes a value, SYSLOG_LINE_MAX a message, which is what RFC 5425 asks receivers to take; values are cut, all to the
 *          same length, until it fits, and then end in an ellipsis.
 * Threads: pure. Blocking: never.
 * Source:  RFC 5424 section 6, RFC 5612, RFC 6587 section 3.4.1; ArcSight CEF, revision 25. Tests: tests/unit/notify-syslogline.c
 */
#ifndef CORRELATOR_NOTIFY_SYSLOGLINE_H
#define CORRELATOR_NOTIFY_SYSLOGLINE_H

#include "correlator/notify/channel.h"

#define SYSLOG_ENTERPRISE "32473"
#define SYSLOG_VALUE_MAX  2048
#define SYSLOG_LINE_MAX   8192

struct syslog_how {
	bool cef;
	unsigned facility; /* 0..23 */
	const char *host;  /* ours, or "-" */
	bool test;
	int64_t now_ns;
};

/* Appends "LENGTH MESSAGE". */
void syslog_put_frame(const struct notice *notice, const struct syslog_how *how, struct buf *out);

/* The same of a checkpoint of the log: MSGID checkpoint, severity notice, one element with origin, size, root, and the whole note in Base64. Returns 0, ERR_INPUT (it is
 * none) or ERR_LIMIT. */
int syslog_put_checkpoint(struct str note, const struct syslog_how *how, struct buf *out,
			  struct error *err);

#endif
