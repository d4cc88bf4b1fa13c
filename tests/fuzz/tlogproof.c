/* Proofs of leaves from anywhere: what is accepted is written again as it was. */
#include "base/tlogproof.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct str text = str_make(data, size);
	struct tlogproof proof;
	struct buf extra, again;
	buf_init(&extra, 0);
	buf_init(&again, 0);
	if (tlogproof_parse(text, &proof, &extra, NULL) == 0) {
		tlogproof_put(&proof, buf_str(&extra), &again);
		if (!str_equal(buf_str(&again), text)) {
			abort();
		}
	}
	buf_done(&extra);
	buf_done(&again);
	return 0;
}
