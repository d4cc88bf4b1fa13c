/* mime - text in mails: encoded words for headers, quoted-printable for bodies.
 *
 * Shape:   what comes in is UTF-8 without control bytes (printable, see wording.h), line feeds aside in bodies; what goes out is 7-bit, with CR LF,
 *          no line longer than MIME_LINE_MAX bytes.
 * Threads: pure. Blocking: never. Errors: none; out has the sticky flag.
 * Source:  RFC 2045 section 6.7, RFC 2047, RFC 5322 section 2.1.1. Tests: tests/unit/notify-mime.c
 */
#ifndef CORRELATOR_NOTIFY_MIME_H
#define CORRELATOR_NOTIFY_MIME_H

#include "base/buf.h"

#define MIME_LINE_MAX 76

/* Appends "Name: text" and CR LF, folded; text that is not plain ASCII, or looks like an encoded word, as encoded words. */
void mime_put_header(struct buf *out, const char *name, struct str text);

/* Appends text as quoted-printable; line feeds become CR LF; ends with CR LF. */
void mime_put_quoted(struct buf *out, struct str text);

#endif
