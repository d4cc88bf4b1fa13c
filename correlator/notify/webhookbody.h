/* webhookbody - what a webhook posts: one JSON object of at most 20 KB.
 *
 * Shape:   {"type":"alert.firing","timestamp":..,"data":{"alerts":[{..,"revision":1}],"more":2}}; type is alert.firing,
 *          alert.resolved or alert.test. An alert has the fields of model/alert.def that are present, as exact text in JSON's escapes
 *          (invalid bytes as U+FFFD); values that had to be cut end in an ellipsis and are named in "cut".
 * Limits:  WEBHOOK_BODY_MAX bytes. Long values are cut, the longest first; what then does not fit is left for the next message.
 * Threads: pure. Blocking: never. Source: docs/alerts.md. Tests: tests/unit/notify-webhookbody.c
 */
#ifndef CORRELATOR_NOTIFY_WEBHOOKBODY_H
#define CORRELATOR_NOTIFY_WEBHOOKBODY_H

#include "correlator/notify/channel.h"

#define WEBHOOK_BODY_MAX 20000

/* Writes the body into out (cleared first). Returns how many of the notices are in it, at least 1; 0 without memory. */
size_t webhook_body(const struct channel_message *message, struct buf *out);

#endif
