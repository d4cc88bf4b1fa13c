#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/merkle.h"

#include "base/parse.h"

#include <string.h>

#define SIZES 130

/* The leaves of Certificate Transparency's tests, and the roots of the first 0 to 8 of them. */
static const char *const leaf_hex[] = {
	"",
	"00",
	"10",
	"2021",
	"3031",
	"40414243",
	"5051525354555657",
	"606162636465666768696a6b6c6d6e6f",
};
static const char *const root_hex[] = {
	"e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
	"6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
	"fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
	"aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
	"d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
	"4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
	"76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
	"ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
	"5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
};

static struct merkle_hash leaves[SIZES];

static struct merkle_hash from_hex(const char *hex)
{
	struct merkle_hash hash;
	struct buf bytes;
	buf_init(&bytes, 64);
	assert_true(parse_hex(str_of(hex), &bytes) && bytes.len == DIGEST_BYTES);
	memcpy(hash.bytes, bytes.ptr, DIGEST_BYTES);
	buf_done(&bytes);
	return hash;
}

static int set_up(void **state)
{
	(void)state;
	for (uint32_t i = 0; i < SIZES; i++) {
		merkle_leaf(str_make((const char *)&i, sizeof i), &leaves[i]);
	}
	return 0;
}

/* RFC 6962 as it is written. */
static struct merkle_hash naive(uint64_t first, uint64_t count)
{
	struct merkle_hash hash;
	if (count == 0) {
		digest_sha256((struct str){0}, hash.bytes);
		return hash;
	}
	if (count == 1) {
		return leaves[first];
	}
	uint64_t split = 1;
	while (split * 2 < count) {
		split *= 2;
	}
	struct merkle_hash left = naive(first, split);
	struct merkle_hash right = naive(first + split, count - split);
	merkle_node(&left, &right, &hash);
	return hash;
}

static int fetch(void *owner, unsigned height, uint64_t number, struct merkle_hash *out,
		 struct error *err)
{
	const uint64_t *end = owner;
	if ((number + 1) << height > *end) {
		return error_set(err, ERR_GONE, "beyond the end");
	}
	*out = naive(number << height, UINT64_C(1) << height);
	return 0;
}

static void known_roots(void **state)
{
	/* the roots that Certificate Transparency's tests have */
	struct merkle_range range;
	(void)state;
	merkle_range_init(&range);
	for (size_t i = 0; i <= 8; i++) {
		struct merkle_hash root, expected = from_hex(root_hex[i]);
		merkle_range_root(&range, &root);
		assert_true(merkle_equal(&root, &expected));
		if (i < 8) {
			struct merkle_hash leaf;
			struct buf entry;
			buf_init(&entry, 64);
			assert_true(parse_hex(str_of(leaf_hex[i]), &entry));
			merkle_leaf(buf_str(&entry), &leaf);
			merkle_range_add(&range, &leaf, NULL, NULL);
			buf_done(&entry);
		}
	}
}

static void ranges_and_roots_agree(void **state)
{
	/* a growing tree, one of fetched nodes, one of whole subtrees: all as RFC 6962 is written */
	struct merkle_range range, fetched, by_trees;
	struct error err;
	(void)state;
	merkle_range_init(&range);
	for (uint64_t size = 0; size < SIZES; size++) {
		struct merkle_hash root, expected = naive(0, size);
		const struct merkle_source source = {.fetch = fetch, .owner = &size};
		merkle_range_root(&range, &root);
		assert_true(merkle_equal(&root, &expected));
		assert_int_equal(merkle_range_fetch(size, &source, &fetched, &err), 0);
		assert_memory_equal(fetched.peaks, range.peaks,
				    merkle_range_peaks(size) * sizeof range.peaks[0]);
		assert_int_equal(merkle_root_fetch(size, &source, &root, &err), 0);
		assert_true(merkle_equal(&root, &expected));
		merkle_range_init(&by_trees);
		for (unsigned h = 8; h-- > 0;) {
			if ((size >> h & 1) != 0) {
				struct merkle_hash tree = naive(by_trees.size, UINT64_C(1) << h);
				merkle_range_add_tree(&by_trees, h, &tree, NULL, NULL);
			}
		}
		merkle_range_root(&by_trees, &root);
		assert_true(by_trees.size == size && merkle_equal(&root, &expected));
		merkle_range_add(&range, &leaves[size], NULL, NULL);
	}
}

static void leaf_proofs_hold_alone(void **state)
{
	/* each leaf of each size is proved; with another leaf, index, size, root or path it is not */
	struct error err;
	(void)state;
	for (uint64_t size = 1; size < SIZES; size++) {
		const struct merkle_source source = {.fetch = fetch, .owner = &size};
		struct merkle_head head = {.size = size, .root = naive(0, size)};
		for (uint64_t i = 0; i < size; i++) {
			struct merkle_proof proof;
			assert_int_equal(merkle_prove_leaf(i, size, &source, &proof, &err), 0);
			assert_int_equal(merkle_check_leaf(i, &leaves[i], &head, &proof, &err), 0);
			assert_int_equal(
				merkle_check_leaf(i, &leaves[(i + 1) % SIZES], &head, &proof, &err),
				-ERR_INPUT);
			assert_int_equal(
				merkle_check_leaf(i + size, &leaves[i], &head, &proof, &err),
				-ERR_INPUT);
			struct merkle_proof other = proof;
			other.count++;
			other.hashes[other.count - 1] = head.root;
			assert_int_equal(merkle_check_leaf(i, &leaves[i], &head, &other, &err),
					 -ERR_INPUT);
			if (proof.count > 0) {
				other = proof;
				other.count--;
				assert_int_equal(
					merkle_check_leaf(i, &leaves[i], &head, &other, &err),
					-ERR_INPUT);
				other = proof;
				other.hashes[i % proof.count].bytes[i % DIGEST_BYTES] ^= 4;
				assert_int_equal(
					merkle_check_leaf(i, &leaves[i], &head, &other, &err),
					-ERR_INPUT);
			}
		}
	}
}

static void tree_proofs_hold_alone(void **state)
{
	/* each older size is proved within each newer one; with another root, size or path it is not */
	struct error err;
	(void)state;
	for (uint64_t size = 0; size < SIZES; size++) {
		const struct merkle_source source = {.fetch = fetch, .owner = &size};
		struct merkle_head head = {.size = size, .root = naive(0, size)};
		for (uint64_t old = 0; old <= size; old++) {
			struct merkle_head older = {.size = old, .root = naive(0, old)};
			struct merkle_proof proof;
			assert_int_equal(merkle_prove_tree(old, size, &source, &proof, &err), 0);
			assert_int_equal(merkle_check_tree(&older, &head, &proof, &err), 0);
			struct merkle_head wrong = older;
			wrong.root.bytes[5] ^= 1;
			assert_int_equal(merkle_check_tree(&wrong, &head, &proof, &err),
					 -ERR_INPUT);
			wrong = head;
			wrong.root.bytes[5] ^= 1;
			if (old > 0) { /* of nothing everything is a continuation */
				assert_int_equal(merkle_check_tree(&older, &wrong, &proof, &err),
						 -ERR_INPUT);
			}
			struct merkle_proof other = proof;
			other.hashes[other.count++] = head.root;
			assert_int_equal(merkle_check_tree(&older, &head, &other, &err),
					 -ERR_INPUT);
			if (proof.count > 0) {
				other = proof;
				other.hashes[old % proof.count].bytes[1] ^= 8;
				assert_int_equal(merkle_check_tree(&older, &head, &other, &err),
						 -ERR_INPUT);
				other = proof;
				other.count--;
				assert_int_equal(merkle_check_tree(&older, &head, &other, &err),
						 -ERR_INPUT);
			}
		}
		struct merkle_head longer = {.size = size + 1, .root = naive(0, size)};
		const struct merkle_proof none = {.count = 0};
		assert_int_equal(merkle_check_tree(&longer, &head, &none, &err), -ERR_INPUT);
	}
}

static void errors_of_the_source_come_through(void **state)
{
	/* what the source says is returned */
	uint64_t end = 10;
	const struct merkle_source source = {.fetch = fetch, .owner = &end};
	struct merkle_proof proof;
	struct merkle_hash root;
	struct error err;
	(void)state;
	assert_int_equal(merkle_prove_leaf(3, 20, &source, &proof, &err), -ERR_GONE);
	assert_int_equal(merkle_prove_tree(3, 20, &source, &proof, &err), -ERR_GONE);
	assert_int_equal(merkle_root_fetch(20, &source, &root, &err), -ERR_GONE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(known_roots),
		cmocka_unit_test(ranges_and_roots_agree),
		cmocka_unit_test(leaf_proofs_hold_alone),
		cmocka_unit_test(tree_proofs_hold_alone),
		cmocka_unit_test(errors_of_the_source_come_through),
	};
	return cmocka_run_group_tests(tests, set_up, NULL);
}
