/* payloads - the table of hostile texts, payloads.def, for C.
 *
 * Life:    payload_put writes a text into a buf of the caller. Threads: a constant. Blocking: never.
 */
#ifndef TESTS_HOSTILE_PAYLOADS_H
#define TESTS_HOSTILE_PAYLOADS_H

#include "base/buf.h"

struct payload {
	const char *group; /* "html" */
	struct str part;
	size_t count; /* how often part stands in the text */
};

static const struct payload payloads[] = {
#define PAYLOAD(group_, bytes_, count_) \
	{.group = #group_, .part = {.ptr = "" bytes_, .len = sizeof(bytes_) - 1}, .count = count_},
#include "tests/hostile/payloads.def"
#undef PAYLOAD
};

#define PAYLOAD_COUNT (sizeof(payloads) / sizeof(payloads[0]))

/* Appends the text of payload index. */
static inline void payload_put(size_t index, struct buf *out)
{
	for (size_t i = 0; i < payloads[index].count; i++) {
		buf_put_str(out, payloads[index].part);
	}
}

#endif
