/* Proves: any bytes are a question or ERR_INPUT / ERR_LIMIT, and a question that was read is written back the same. */
#include "query/protocol.h"

#include <assert.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena arena;
	struct ask ask;
	struct ask again;
	arena_init(&arena, 8u << 20);
	if (ask_decode(str_make(data, size), &arena, &ask, NULL) == 0) {
		struct buf once;
		struct buf twice;
		buf_init(&once, 0);
		buf_init(&twice, 0);
		ask_encode(&ask, &once);
		assert(ask_decode(buf_str(&once), &arena, &again, NULL) == 0);
		ask_encode(&again, &twice);
		assert(str_equal(buf_str(&once), buf_str(&twice)));
		buf_done(&once);
		buf_done(&twice);
	}
	arena_done(&arena);
	return 0;
}
