/* wording - an alert told to a person: who, through which route, what ran, how we know, why it is risky, what to do.
 *
 * Shape:   a headline, and lines of a label and a text. Written in words, from the fields that are present.
 * Escaped: texts come from logs; all of them are written printable (utf8_put_printable: control bytes, bidi controls, zero-width and
 *          invalid bytes become \n, \u{202e}, \xff), so that a line is a line; only wording_block keeps line feeds.
 *          The one who shows them escapes them further for the place: HTML, JSON, CEF.
 * Threads: pure. Blocking: never. Source: model/alert.def. Tests: tests/unit/notify-wording.c
 */
#ifndef CORRELATOR_NOTIFY_WORDING_H
#define CORRELATOR_NOTIFY_WORDING_H

#include "model/alert.h"

#define WORDING_LABEL_WIDTH 15

/* Called for each line that an alert has, in order; text is borrowed for the call. block: text may have line feeds (the statement,
 * the explanation), all else is one line. */
typedef void wording_line_fn(void *owner, const char *label, struct str text, bool block);

/* Appends one line: "xp_cmdshell was run: alice ran EXECUTE on master.xp_cmdshell through POST /jobs". */
void wording_headline(const struct alert *alert, struct buf *out);

/* Appends who it was: "alice (authorizer.claims.email) from 203.0.113.9", or what is known without a person. */
void wording_who(const struct alert *alert, struct buf *out);

/* Appends where and what: "DELETE on dbo.Orders in database shop on sql1, 3000 rows". */
void wording_what(const struct alert *alert, struct buf *out);

/* Tells all lines. */
void wording_tell(const struct alert *alert, wording_line_fn *line, void *owner);

/* Appends the text printable, cut to max_bytes and then with an ellipsis. */
void wording_plain(struct str text, size_t max_bytes, struct buf *out);

/* The same, but line feeds stay, CR LF counts as one, and tabs become spaces. */
void wording_block(struct str text, size_t max_bytes, struct buf *out);

/* The state in a word for people: "firing", "resolved". */
bool wording_is_resolved(const struct alert *alert);

/* A time of the alert (RFC 3339) in nanoseconds, or fallback_ns. */
int64_t wording_time(const struct alert *alert, enum alert_field field, int64_t fallback_ns);

#endif
