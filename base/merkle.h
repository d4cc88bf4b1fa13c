/* merkle - the tree of RFC 6962: leaf and node hashes, a tree that only grows, and proofs that a leaf or an older tree is in it.
 *
 * Shape:   SHA-256. The root of nothing is SHA-256(""); a leaf's hash is that of 0x00 and its entry, a node's that of 0x01 and its two children; n leaves
 *          are split at the largest power of two below n. A perfect node (height h, number k) stands over the leaves k * 2^h to (k + 1) * 2^h - 1.
 * Limits:  trees below 2^63 leaves; a proof has at most MERKLE_PROOF_MAX hashes.
 * Errors:  checks give ERR_INPUT, with what is wrong; proofs are made of nodes that a callback gives, whose errors are returned.
 * Threads: pure. Blocking: never. Source: RFC 6962 section 2.1. Tests: tests/unit/merkle.c, tests/fuzz/merkle.c
 */
#ifndef BASE_MERKLE_H
#define BASE_MERKLE_H

#include "base/digest.h"
#include "base/error.h"

#define MERKLE_PROOF_MAX 63

struct merkle_hash {
	uint8_t bytes[DIGEST_BYTES];
};

/* Whether two hashes are the same. */
bool merkle_equal(const struct merkle_hash *a, const struct merkle_hash *b);

/* The hash of a leaf, and of a node. out may be one of the children. */
void merkle_leaf(struct str entry, struct merkle_hash *out);
void merkle_node(const struct merkle_hash *left, const struct merkle_hash *right,
		 struct merkle_hash *out);

/* A tree that grows: of `size` leaves the roots of the perfect trees that it is made of, the largest first: one for each bit of size. */
struct merkle_range {
	uint64_t size;
	struct merkle_hash peaks[MERKLE_PROOF_MAX];
};

/* A tree without leaves. */
void merkle_range_init(struct merkle_range *range);

/* How many peaks a tree of so many leaves has. */
static inline unsigned merkle_range_peaks(uint64_t size)
{
	return (unsigned)__builtin_popcountll(size);
}

/* Called with each perfect node that is complete now, lowest first; may be NULL. */
typedef void merkle_done_fn(void *owner, unsigned height, uint64_t number,
			    const struct merkle_hash *hash);

/* Adds a leaf, or a perfect tree of 2^height leaves (size is a multiple of 2^height: asserted). */
void merkle_range_add(struct merkle_range *range, const struct merkle_hash *leaf,
		      merkle_done_fn *done, void *owner);
void merkle_range_add_tree(struct merkle_range *range, unsigned height,
			   const struct merkle_hash *hash, merkle_done_fn *done, void *owner);

/* The root of the tree as it is. */
void merkle_range_root(const struct merkle_range *range, struct merkle_hash *out);

/* Gives a perfect node that lies wholly within the tree. Returns 0 or an error, which ends the work. */
typedef int merkle_fetch_fn(void *owner, unsigned height, uint64_t number, struct merkle_hash *out,
			    struct error *err);

struct merkle_source {
	merkle_fetch_fn *fetch;
	void *owner;
};

struct merkle_proof {
	size_t count;
	struct merkle_hash hashes[MERKLE_PROOF_MAX];
};

/* The peaks and the root of a tree of size leaves. */
int merkle_range_fetch(uint64_t size, const struct merkle_source *from, struct merkle_range *out,
		       struct error *err);
int merkle_root_fetch(uint64_t size, const struct merkle_source *from, struct merkle_hash *out,
		      struct error *err);

/* That leaf `index` is in the tree of `size` leaves: from its sibling upwards. index < size is asserted. */
int merkle_prove_leaf(uint64_t index, uint64_t size, const struct merkle_source *from,
		      struct merkle_proof *out, struct error *err);

/* That the tree of `size` leaves begins with that of `old_size` leaves. old_size <= size is asserted. */
int merkle_prove_tree(uint64_t old_size, uint64_t size, const struct merkle_source *from,
		      struct merkle_proof *out, struct error *err);

/* A tree by its size and root: what a checkpoint says. */
struct merkle_head {
	uint64_t size;
	struct merkle_hash root;
};

/* Whether the proofs hold. Return 0 or ERR_INPUT. */
int merkle_check_leaf(uint64_t index, const struct merkle_hash *leaf,
		      const struct merkle_head *head, const struct merkle_proof *proof,
		      struct error *err);
int merkle_check_tree(const struct merkle_head *older, const struct merkle_head *head,
		      const struct merkle_proof *proof, struct error *err);

#endif
