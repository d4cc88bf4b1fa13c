/* Decoding ends on every input, and a frame that decodes encodes to the same bytes. */
#include "model/feed.h"

#include <assert.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena arena;
	struct feed_frame frame;
	struct error err;
	struct buf out;
	size_t used = 0;
	int code;

	arena_init(&arena, 1 << 20);
	buf_init(&out, 0);
	code = feed_decode(str_make(data, size), &arena, &frame, &used, &err);
	assert(code == 0 || code == -ERR_AGAIN || code == -ERR_INPUT);
	if (code == 0) {
		assert(used <= size);
		assert(feed_encode(&frame, &out, &err) == 0);
		assert(str_equal(buf_str(&out), str_make(data, used)));
	}
	buf_done(&out);
	arena_done(&arena);
	return 0;
}
