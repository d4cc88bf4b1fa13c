/* signature - the signatures of Standard Webhooks 1.0.0 over "id.timestamp.body".
 *
 * Keys:    a file of lines: whsec_ and 24..64 bytes in Base64 (HMAC-SHA256, "v1,"), or whsk_ and 32 bytes (an Ed25519 seed) or 64
 *          (seed and public key) in Base64 ("v1a,"). Empty lines and lines that begin with # are passed over. All that are
 *          there sign, so that a receiver may change over from one to the next.
 * Limits:  SIGNATURE_KEYS_MAX keys.
 * Threads: pure. Blocking: never.
 * Source:  https://github.com/standard-webhooks/standard-webhooks, spec 1.0.0. Tests: tests/unit/notify-signature.c
 */
#ifndef CORRELATOR_NOTIFY_SIGNATURE_H
#define CORRELATOR_NOTIFY_SIGNATURE_H

#include "base/buf.h"

#define SIGNATURE_KEYS_MAX 8

/* Appends the value of the header webhook-signature: "v1,BASE64 v1a,BASE64".
 *   keys     text of the key file
 *   content  "id.timestamp.body"
 * Returns 0, or ERR_CONFIG naming the line of the file that is no key, or that there is none; out is as before. */
int signature_put(struct str keys, struct str content, struct buf *out, struct error *err);

#endif
