/* parse - numbers and encodings from text, all of it or not at all.
 *
 * Rules:   the whole str must match; no white space, no sign for unsigned, no locale; overflow is a failure.
 * Errors:  false, with the output untouched. Threads: pure. Blocking: never.
 * Source:  RFC 4648 (Base64, hex), RFC 3986 section 2.1 (percent), RFC 9562 (UUID). Tests: tests/unit/parse.c
 */
#ifndef BASE_PARSE_H
#define BASE_PARSE_H

#include "base/buf.h"

/* Decimal digits; for parse_i64 with a minus in front. */
bool parse_u64(struct str text, uint64_t *out);
bool parse_i64(struct str text, int64_t *out);

/* A decimal with fraction, as value * scale rounded towards zero: "12.5" with scale 1000 is 12500. scale is a power of 10. */
bool parse_decimal(struct str text, int64_t scale, int64_t *out);

/* "true" or "false", "yes" or "no", "1" or "0". */
bool parse_bool(struct str text, bool *out);

/* A size: a number and nothing, "B", "KiB", "MiB" or "GiB". */
bool parse_size(struct str text, uint64_t *out_bytes);

/* Hexadecimal, two digits a byte, either case; appended to out. */
bool parse_hex(struct str text, struct buf *out);

/* Base64 with padding (standard), or without padding (url alphabet); appended to out. */
bool parse_base64(struct str text, struct buf *out);
bool parse_base64url(struct str text, struct buf *out);
void parse_put_base64(struct buf *buf, struct str bytes);
void parse_put_base64url(struct buf *buf, struct str bytes);

/* %XX decoded, appended to out; a broken escape is a failure. And its reverse: everything but A-Z a-z 0-9 - . _ ~ becomes
 * %XX. */
bool parse_percent(struct str text, struct buf *out);
void parse_put_percent(struct buf *buf, struct str bytes);

/* A UUID in 8-4-4-4-12 form, either case, into 16 bytes. */
bool parse_uuid(struct str text, uint8_t out[16]);

/* An IPv4 or IPv6 address in text form: is it one? */
bool parse_is_ip(struct str text);

#endif
