/* eventid - CloudWatch's event ids as keys, and what they say.
 *
 * Shape:   today's ids are the decimal text of a 26-byte big-endian number: event time in ms (8 bytes), ingestion time in ms (8), hash of
 *          the batch (8), index in it (2). Anything else is opaque text.
 * Threads: pure. Blocking: never.
 * Source:  measured, undocumented by AWS: docs/architecture.md. Tests: tests/unit/eventid.c, tests/fuzz/cloudwatch-reply.c
 */
#ifndef COLLECTOR_SOURCES_CLOUDWATCH_EVENTID_H
#define COLLECTOR_SOURCES_CLOUDWATCH_EVENTID_H

#include "base/str.h"
#include "model/record.h"

#include <stdint.h>

#define EVENTID_BYTES 26

/* The bytes of a decimal id; false when text is empty, has anything but digits, a leading zero, more than 26 bytes, or so few
 * that it cannot hold a time (then it is opaque). */
bool eventid_parse(struct str text, uint8_t out[EVENTID_BYTES]);

/* The key of an event: the 26 bytes when the id is decimal and its times agree with those of the event (within a minute), else
 * the text, or SHA-256 of a text over RECORD_KEY_MAX bytes.
 *   exact  set to whether the key is the 26 bytes
 * Returns the length of the key; 0 for an empty id. */
size_t eventid_key(struct str text, int64_t timestamp_ms, uint8_t out[RECORD_KEY_MAX],
		   bool *out_exact);

#endif
