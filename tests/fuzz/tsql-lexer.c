/* The tokens of any bytes stand one behind the other and give the input; a list of pieces never goes past it. */
#include "model/tsql/token.h"

#include <assert.h>
#include <stdint.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(struct str text, bool quotes_are_strings)
{
	struct tsql_reader reader = tsql_reader(text);
	struct tsql_token token;
	size_t pos = 0;

	reader.quotes_are_strings = quotes_are_strings;
	while (tsql_next(&reader, &token)) {
		assert(token.whole.ptr == text.ptr + pos && token.whole.len > 0);
		assert(token.text.ptr >= token.whole.ptr);
		assert(token.text.ptr + token.text.len <= token.whole.ptr + token.whole.len);
		assert(token.closed || pos + token.whole.len == text.len);
		pos += token.whole.len;
	}
	assert(pos == text.len);
	assert(!tsql_next(&reader, &token));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct str text = str_make(data, size);
	struct tsql_reader reader = tsql_reader(text);

	check(text, false);
	check(text, true);
	tsql_skip_parameters(&reader);
	assert(reader.pos <= size);
	return 0;
}
