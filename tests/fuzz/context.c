/* Every reader of contexts ends on every input, and what one finds is written and read back the same. */
#include "model/context.h"

#include "base/buf.h"

#include <assert.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(const struct context *context, struct str key)
{
	struct context back;
	struct buf out;

	assert(context->extended_request_id.len <= CONTEXT_ID_MAX &&
	       context->lambda_request_id.len <= CONTEXT_ID_MAX &&
	       context->request_id.len <= CONTEXT_ID_MAX);
	if (context->extended_request_id.len + context->lambda_request_id.len == 0) {
		return; /* a bare id may hold bytes that a value may not */
	}
	buf_init(&out, 0);
	context_put(context, key, &out);
	if (out.len <= CONTEXT_MAX) {
		assert(context_parse(buf_str(&out), key, &back));
		assert(str_equal(back.extended_request_id, context->extended_request_id));
		assert(str_equal(back.lambda_request_id, context->lambda_request_id));
		assert(back.principal_len == context->principal_len);
		assert(back.signature == (key.len != 0 ? CONTEXT_SIGNATURE_OK : CONTEXT_UNSIGNED));
	}
	buf_done(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct str text = str_make(data, size);
	struct str key = size % 2 == 0 ? STR_LIT("key") : str_make(NULL, 0);
	struct context context;
	bool clears;

	if (context_parse(text, key, &context)) {
		check(&context, key);
	}
	if (context_from_comment(text, key, &context)) {
		check(&context, key);
	}
	if (context_from_set(text, key, &context, &clears)) {
		assert(!clears);
		check(&context, key);
	}
	return 0;
}
