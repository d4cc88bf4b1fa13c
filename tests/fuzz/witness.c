/* Reading a request of add-checkpoint ends on every input, and what reads keeps the limits. */
#include "witness/request.h"

#include <assert.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct request request;
	struct error err;
	int code = request_parse(str_make(data, size), &request, &err);
	assert(code == 0 || code == -ERR_INPUT);
	if (code == 0) {
		assert(size <= REQUEST_MAX_BYTES && request.proof.count <= MERKLE_PROOF_MAX);
		assert(request.old_size <= request.checkpoint.head.size);
		assert(request.note.text.ptr > (const char *)data);
	}
	return 0;
}
