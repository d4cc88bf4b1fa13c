#include "base/merkle.h"

#include <assert.h>
#include <string.h>

bool merkle_equal(const struct merkle_hash *a, const struct merkle_hash *b)
{
	return memcmp(a->bytes, b->bytes, sizeof a->bytes) == 0;
}

void merkle_leaf(struct str entry, struct merkle_hash *out)
{
	const struct str parts[] = {str_make("\0", 1), entry};
	digest_sha256_parts(parts, 2, out->bytes);
}

void merkle_node(const struct merkle_hash *left, const struct merkle_hash *right,
		 struct merkle_hash *out)
{
	char bytes[1 + 2 * DIGEST_BYTES];
	bytes[0] = 1;
	memcpy(bytes + 1, left->bytes, DIGEST_BYTES);
	memcpy(bytes + 1 + DIGEST_BYTES, right->bytes, DIGEST_BYTES);
	digest_sha256(str_make(bytes, sizeof bytes), out->bytes);
}

void merkle_range_init(struct merkle_range *range)
{
	*range = (struct merkle_range){.size = 0};
}

void merkle_range_add_tree(struct merkle_range *range, unsigned height,
			   const struct merkle_hash *hash, merkle_done_fn *done, void *owner)
{
	uint64_t width = UINT64_C(1) << height;
	assert((range->size & (width - 1)) == 0 && range->size + width <= INT64_MAX);
	unsigned count = merkle_range_peaks(range->size);
	struct merkle_hash node = *hash;
	if (done != NULL) {
		done(owner, height, range->size >> height, &node);
	}
	for (unsigned h = height; (range->size >> h & 1) != 0; h++) {
		merkle_node(&range->peaks[--count], &node, &node);
		if (done != NULL) {
			done(owner, h + 1, range->size >> (h + 1), &node);
		}
	}
	range->peaks[count] = node;
	range->size += width;
}

void merkle_range_add(struct merkle_range *range, const struct merkle_hash *leaf,
		      merkle_done_fn *done, void *owner)
{
	merkle_range_add_tree(range, 0, leaf, done, owner);
}

void merkle_range_root(const struct merkle_range *range, struct merkle_hash *out)
{
	unsigned count = merkle_range_peaks(range->size);
	if (count == 0) {
		digest_sha256((struct str){0}, out->bytes);
		return;
	}
	struct merkle_hash node = range->peaks[count - 1];
	for (unsigned i = count - 1; i > 0; i--) {
		merkle_node(&range->peaks[i - 1], &node, &node);
	}
	*out = node;
}

int merkle_range_fetch(uint64_t size, const struct merkle_source *from, struct merkle_range *out,
		       struct error *err)
{
	assert(size <= INT64_MAX);
	merkle_range_init(out);
	unsigned count = 0;
	for (unsigned h = 63; h-- > 0;) {
		if ((size >> h & 1) == 0) {
			continue;
		}
		int rc = from->fetch(from->owner, h, out->size >> h, &out->peaks[count++], err);
		if (rc < 0) {
			return rc;
		}
		out->size += UINT64_C(1) << h;
	}
	return 0;
}

/* The root over the leaves from start up to end: start is a multiple of the smallest power of two that is not below end - start. */
static int subtree(uint64_t start, uint64_t end, const struct merkle_source *from,
		   struct merkle_hash *out, struct error *err)
{
	struct merkle_hash peaks[MERKLE_PROOF_MAX];
	unsigned count = 0;
	for (unsigned h = 63; h-- > 0;) {
		if (((end - start) >> h & 1) == 0) {
			continue;
		}
		int rc = from->fetch(from->owner, h, start >> h, &peaks[count++], err);
		if (rc < 0) {
			return rc;
		}
		start += UINT64_C(1) << h;
	}
	struct merkle_hash node = peaks[count - 1];
	for (unsigned i = count - 1; i > 0; i--) {
		merkle_node(&peaks[i - 1], &node, &node);
	}
	*out = node;
	return 0;
}

int merkle_root_fetch(uint64_t size, const struct merkle_source *from, struct merkle_hash *out,
		      struct error *err)
{
	struct merkle_range range;
	int rc = merkle_range_fetch(size, from, &range, err);
	if (rc == 0) {
		merkle_range_root(&range, out);
	}
	return rc;
}

/* The largest power of two below n, which is above 1. */
static uint64_t split(uint64_t n)
{
	return UINT64_C(1) << (63 - __builtin_clzll(n - 1));
}

/* The proof is found from the root downwards and stands from the leaf upwards. */
static void turn(struct merkle_proof *proof)
{
	for (size_t i = 0, j = proof->count; i + 1 < j; i++) {
		struct merkle_hash kept = proof->hashes[i];
		proof->hashes[i] = proof->hashes[--j];
		proof->hashes[j] = kept;
	}
}

int merkle_prove_leaf(uint64_t index, uint64_t size, const struct merkle_source *from,
		      struct merkle_proof *out, struct error *err)
{
	assert(index < size && size <= INT64_MAX);
	uint64_t start = 0;
	uint64_t end = size;
	out->count = 0;
	while (end - start > 1) {
		uint64_t middle = start + split(end - start);
		struct merkle_hash *sibling = &out->hashes[out->count++];
		int rc = index < middle ? subtree(middle, end, from, sibling, err)
					: subtree(start, middle, from, sibling, err);
		if (rc < 0) {
			return rc;
		}
		start = index < middle ? start : middle;
		end = index < middle ? middle : end;
	}
	turn(out);
	return 0;
}

int merkle_prove_tree(uint64_t old_size, uint64_t size, const struct merkle_source *from,
		      struct merkle_proof *out, struct error *err)
{
	assert(old_size <= size && size <= INT64_MAX);
	uint64_t start = 0;
	uint64_t end = size;
	out->count = 0;
	if (old_size == 0 || old_size == size) {
		return 0;
	}
	while (end != old_size) { /* RFC 6962 section 2.1.2, SUBPROOF */
		uint64_t middle = start + split(end - start);
		struct merkle_hash *other = &out->hashes[out->count++];
		int rc = old_size <= middle ? subtree(middle, end, from, other, err)
					    : subtree(start, middle, from, other, err);
		if (rc < 0) {
			return rc;
		}
		start = old_size <= middle ? start : middle;
		end = old_size <= middle ? middle : end;
	}
	if (start > 0) { /* else it is the older tree itself, whose root is known */
		int rc = subtree(start, end, from, &out->hashes[out->count++], err);
		if (rc < 0) {
			return rc;
		}
	}
	turn(out);
	return 0;
}

static int wrong(struct error *err, const char *what)
{
	return error_set(err, ERR_INPUT, "%s", what);
}

int merkle_check_leaf(uint64_t index, const struct merkle_hash *leaf,
		      const struct merkle_head *head, const struct merkle_proof *proof,
		      struct error *err)
{
	if (index >= head->size || head->size > INT64_MAX) {
		return error_set(err, ERR_INPUT, "leaf %llu is not below the tree's size %llu",
				 (unsigned long long)index, (unsigned long long)head->size);
	}
	struct merkle_hash node = *leaf;
	size_t used = 0;
	uint64_t last = head->size - 1;
	for (uint64_t at = index; last > 0; at >>= 1, last >>= 1) {
		bool is_right = (at & 1) != 0;
		if (!is_right && at == last) {
			continue; /* stands alone on this level */
		}
		if (used == proof->count) {
			return wrong(err, "the proof of the leaf is too short");
		}
		const struct merkle_hash *other = &proof->hashes[used++];
		merkle_node(is_right ? other : &node, is_right ? &node : other, &node);
	}
	if (used != proof->count) {
		return wrong(err, "the proof of the leaf is too long");
	}
	if (!merkle_equal(&node, &head->root)) {
		return wrong(err, "the proof of the leaf does not lead to the tree's root");
	}
	return 0;
}

/* Both trees have the nodes up to `first` in common. */
static int climb(const struct merkle_head *older, const struct merkle_head *head,
		 const struct merkle_proof *proof, struct error *err)
{
	uint64_t at = older->size - 1;
	uint64_t last = head->size - 1;
	for (; (at & 1) != 0; at >>= 1) {
		last >>= 1;
	}
	size_t used = 0;
	struct merkle_hash old_root = older->root;
	if (at > 0) {
		if (proof->count == 0) {
			return wrong(err, "the proof between the trees is too short");
		}
		old_root = proof->hashes[used++];
	}
	struct merkle_hash new_root = old_root;
	for (; last > 0; at >>= 1, last >>= 1) {
		bool is_right = (at & 1) != 0;
		if (!is_right && at == last) {
			continue;
		}
		if (used == proof->count) {
			return wrong(err, "the proof between the trees is too short");
		}
		const struct merkle_hash *other = &proof->hashes[used++];
		merkle_node(is_right ? other : &new_root, is_right ? &new_root : other, &new_root);
		if (is_right) {
			merkle_node(other, &old_root, &old_root);
		}
	}
	if (used != proof->count) {
		return wrong(err, "the proof between the trees is too long");
	}
	if (!merkle_equal(&old_root, &older->root)) {
		return wrong(err, "the proof between the trees does not lead to the older root");
	}
	if (!merkle_equal(&new_root, &head->root)) {
		return wrong(err, "the proof between the trees does not lead to the newer root");
	}
	return 0;
}

int merkle_check_tree(const struct merkle_head *older, const struct merkle_head *head,
		      const struct merkle_proof *proof, struct error *err)
{
	if (older->size > head->size || head->size > INT64_MAX) {
		return error_set(err, ERR_INPUT, "the older tree has %llu leaves, the newer %llu",
				 (unsigned long long)older->size, (unsigned long long)head->size);
	}
	if (older->size > 0 && older->size < head->size) {
		return climb(older, head, proof, err);
	}
	if (proof->count != 0) {
		return wrong(err, "the proof between the trees is too long");
	}
	struct merkle_hash empty;
	digest_sha256((struct str){0}, empty.bytes);
	if (older->size == 0 && !merkle_equal(&older->root, &empty)) {
		return wrong(err, "a tree without leaves has another root");
	}
	if (older->size == head->size && !merkle_equal(&older->root, &head->root)) {
		return error_set(err, ERR_INPUT, "two trees of %llu leaves have different roots",
				 (unsigned long long)head->size);
	}
	return 0;
}
