/* A cursor from the daemon is decoded or refused; what is decoded encodes to bytes that decode to the same. */
#include "collector/sources/sqlserver/auditcursor.h"

#include "model/feed.h"

#include <assert.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct auditcursor cursor, again;
	struct buf bytes, twice;
	auditcursor_init(&cursor);
	auditcursor_init(&again);
	buf_init(&bytes, FEED_CURSOR_MAX);
	buf_init(&twice, FEED_CURSOR_MAX);
	if (auditcursor_decode(str_make(data, size), &cursor, NULL) == 0) {
		assert(auditcursor_encode(&cursor, &bytes, NULL) == 0);
		assert(auditcursor_decode(buf_str(&bytes), &again, NULL) == 0);
		assert(auditcursor_encode(&again, &twice, NULL) == 0);
		assert(str_equal(buf_str(&bytes), buf_str(&twice)));
		assert(size == 0 || str_equal(buf_str(&bytes), str_make(data, size)));
	}
	auditcursor_done(&cursor);
	auditcursor_done(&again);
	buf_done(&bytes);
	buf_done(&twice);
	return 0;
}
