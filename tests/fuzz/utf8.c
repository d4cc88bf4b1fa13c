/* Cleaning gives valid text, printable text holds nothing that acts on a terminal, and width and fit agree. */
#include "base/utf8.h"

#include <assert.h>
#include <stdint.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct str input = str_make(data, size);
	struct buf out;
	buf_init(&out, 1 << 26);
	utf8_put_clean(&out, input);
	assert(out.failed || utf8_invalid(buf_str(&out)) < 0);
	buf_clear(&out);
	utf8_put_printable(&out, input);
	assert(out.failed || utf8_invalid(buf_str(&out)) < 0);
	assert(out.failed || utf8_width(buf_str(&out)) == utf8_width(input));
	for (size_t i = 0; i < out.len; i++) {
		assert((uint8_t)out.ptr[i] >= 0x20 && out.ptr[i] != 0x7f);
	}
	assert(utf8_width(utf8_fit(input, 10)) <= 10);
	buf_clear(&out);
	(void)utf8_put_utf16le(&out, input); /* the count of replacements is not needed */
	assert(out.failed || utf8_invalid(buf_str(&out)) < 0);
	buf_done(&out);
	return 0;
}
