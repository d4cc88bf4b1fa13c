/* No proof that is made of any bytes passes as one of another leaf or tree than those that it was made for. */
#include "base/merkle.h"

#include <assert.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Numbers and hashes out of the input. */
struct input {
	const uint8_t *data;
	size_t size;
};

static uint64_t take_number(struct input *input)
{
	uint64_t number = 0;
	for (size_t i = 0; i < 8 && input->size > 0; i++, input->data++, input->size--) {
		number = number << 8 | *input->data;
	}
	return number;
}

static void take_hash(struct input *input, struct merkle_hash *out)
{
	size_t len = input->size < DIGEST_BYTES ? input->size : DIGEST_BYTES;
	memset(out, 0, sizeof *out);
	if (len > 0) {
		memcpy(out->bytes, input->data, len);
	}
	input->data += len;
	input->size -= len;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct input input = {data, size};
	struct merkle_head older = {.size = take_number(&input)};
	struct merkle_head head = {.size = take_number(&input)};
	struct merkle_proof proof = {.count = take_number(&input) % (MERKLE_PROOF_MAX + 1)};
	struct error err;
	take_hash(&input, &older.root);
	take_hash(&input, &head.root);
	for (size_t i = 0; i < proof.count; i++) {
		take_hash(&input, &proof.hashes[i]);
	}
	int by_leaf = merkle_check_leaf(older.size, &older.root, &head, &proof, &err);
	int by_tree = merkle_check_tree(&older, &head, &proof, &err);
	/* what passes can only pass for one root */
	head.root.bytes[0] ^= 1;
	assert(by_leaf != 0 ||
	       merkle_check_leaf(older.size, &older.root, &head, &proof, &err) != 0);
	assert(by_tree != 0 || older.size == 0 ||
	       merkle_check_tree(&older, &head, &proof, &err) != 0);
	return 0;
}
