/* Reading ends on every input, and an alert that reads encodes to bytes that read the same. */
#include "model/alert.h"

#include <assert.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct alert alert, back;
	struct buf out;
	struct error err;
	int code = alert_decode(str_make(data, size), &alert, &err);
	assert(code == 0 || code == -ERR_INPUT);
	buf_init(&out, 0);
	if (code == 0) {
		assert(alert_encode(&alert, &out, &err) == 0);
		assert(alert_decode(buf_str(&out), &back, &err) == 0);
		for (size_t i = 0; i < ALERT_FIELD_COUNT; i++) {
			assert((back.value[i].ptr != NULL) == (alert.value[i].ptr != NULL));
			assert(str_equal(back.value[i], alert.value[i]));
		}
		buf_clear(&out);
		alert_put_json(&alert, &out);
		assert(out.len >= 2);
	}
	buf_done(&out);
	return 0;
}
