/* The scanner ends on every input, never reads past it, and what is written is read back. */
#include "base/json.h"

#include <assert.h>
#include <stdint.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct json_scanner scanner = json_scanner(str_make(data, size));
	struct buf text, written, again;
	buf_init(&text, 1 << 24);
	buf_init(&written, 1 << 26);
	buf_init(&again, 1 << 26);
	size_t events = 0;
	enum json_event event = json_next(&scanner);
	for (; event != JSON_END && event != JSON_ERROR; event = json_next(&scanner)) {
		assert(++events <= 2 * size + 2 && scanner.pos <= size);
		if (event != JSON_KEY && event != JSON_STRING) {
			continue;
		}
		buf_clear(&text);
		(void)json_unescape(scanner.text, true,
				    &text); /* the count of lone surrogates is not needed */
		buf_clear(&written);
		json_put_string(&written, buf_str(&text));
		struct json_scanner second = json_scanner(buf_str(&written));
		enum json_event first = json_next(&second);
		assert(first == JSON_STRING && json_next(&second) == JSON_END &&
		       second.pos == written.len);
		(void)first; /* asserted */
		buf_clear(&again);
		(void)json_unescape(second.text, true, &again); /* as above */
	}
	assert(json_next(&scanner) == event);
	buf_done(&text);
	buf_done(&written);
	buf_done(&again);
	return 0;
}
