/* Decoding ends on every input, and what decodes encodes to the same bytes: one record, one encoding. */
#include "model/record.h"

#include <assert.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct str bytes = str_make(data, size);
	struct record record;
	struct error err;
	struct buf out;

	if (record_decode(bytes, &record, &err) != 0) {
		assert(err.code == ERR_CORRUPT);
		return 0;
	}
	buf_init(&out, 0);
	assert(record_encode(&record, &out, &err) == 0);
	assert(str_equal(buf_str(&out), bytes));
	buf_clear(&out);
	record_put_json(&record, &out);
	assert(!out.failed);
	buf_done(&out);
	return 0;
}
