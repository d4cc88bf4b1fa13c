/* mail - a message of alerts as RFC 5322 text: multipart/alternative, plain text and HTML.
 *
 * Shape:   headers From, To, Subject, Date, Message-ID (the same on each try), Auto-Submitted, X-Querytrail-Alert; then both parts in
 *          quoted-printable, UTF-8. The text is told in words and reads well alone; the HTML loads nothing from anywhere.
 * Limits:  lines <= 78 bytes; MAIL_MAX bytes; what does not fit is left for the next mail.
 * Threads: pure. Blocking: never. Source: RFC 5322, 2045-2047, 3834. Tests: tests/unit/notify-mail.c, tests/integration/notify-mail.py
 */
#ifndef CORRELATOR_NOTIFY_MAIL_H
#define CORRELATOR_NOTIFY_MAIL_H

#include "correlator/notify/channel.h"

#define MAIL_MAX (1u << 20)

/* Writes the mail into out (cleared first); message->id becomes its Message-ID. Returns how many of the notices it tells; 0
 * without memory. */
size_t mail_write(const struct channel_settings *settings, const struct channel_message *message,
		  struct buf *out);

/* Appends the two parts as plain UTF-8, before any encoding; for tests and for --print. */
void mail_text(const struct channel_message *message, struct buf *out);
void mail_html(const struct channel_message *message, struct buf *out);

#endif
