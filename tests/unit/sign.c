#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/io.h"
#include "store/sign.h"
#include "tests/unit/store-fixture.h"

#include <string.h>
#include <sys/stat.h>

/* A key of that name in a file of the folder. */
static void put_key(struct fixture *fixture, const char *file, const char *name,
		    enum note_key_type type)
{
	struct note_signer signer;
	struct secret text;
	struct error err;
	secret_init(&text);
	assert_int_equal(note_signer_make(&signer, str_of(name), type, &err), 0);
	assert_int_equal(note_signer_put(&signer, &text, &err), 0);
	assert_int_equal(
		io_replace_file(fixture_path(fixture, file), secret_peek(&text), 0600, &err), 0);
	secret_done(&text);
	note_signer_done(&signer);
}

static struct merkle_hash leaf_of(uint32_t number)
{
	struct merkle_hash hash;
	merkle_leaf(str_make((const char *)&number, sizeof number), &hash);
	return hash;
}

static void grow(struct merkle_range *range, uint64_t size, struct merkle_head *out)
{
	while (range->size < size) {
		struct merkle_hash leaf = leaf_of((uint32_t)range->size);
		merkle_range_add(range, &leaf, NULL, NULL);
	}
	out->size = size;
	merkle_range_root(range, &out->root);
}

static void all_keys_sign(void **state)
{
	/* each of two keys of one name signs, and both signatures are right */
	struct fixture fixture;
	struct sign *sign = NULL;
	struct merkle_range range;
	struct merkle_head head;
	struct buf bytes;
	static struct note note;
	struct error err;
	char first[256], second[256];
	const char *const files[] = {first, second};
	const struct merkle_proof none = {.count = 0};
	(void)state;
	fixture_init(&fixture);
	put_key(&fixture, "a", "log.example", NOTE_ED25519);
	put_key(&fixture, "b", "log.example", NOTE_ED25519);
	(void)snprintf(first, sizeof first, "%s", fixture_path(&fixture, "a"));
	(void)snprintf(second, sizeof second, "%s", fixture_path(&fixture, "b"));
	assert_int_equal(sign_open(files, 2, &sign, &err), 0);
	assert_int_equal(sign_key_count(sign), 2);
	merkle_range_init(&range);
	grow(&range, 5, &head);
	buf_init(&bytes, 0);
	assert_int_equal(sign_head(sign, &head, &none, &bytes, &err), 0);
	assert_int_equal(note_parse(buf_str(&bytes), &note, &err), 0);
	for (size_t i = 0; i < 2; i++) {
		assert_int_equal(note_verify(&note, sign_key(sign, i), NULL, &err), 0);
	}
	buf_done(&bytes);
	sign_close(sign);
	fixture_done(&fixture);
}

static void only_what_extends_is_signed(void **state)
{
	/* a head needs the proof that it extends the last one; another history, a shorter tree and a wrong proof are refused, and nothing is written */
	struct fixture fixture;
	struct sign *sign = NULL;
	struct merkle_range range;
	struct merkle_head one, two, other;
	struct buf bytes;
	struct error err;
	const struct merkle_proof none = {.count = 0};
	struct merkle_proof proof = {.count = 1, .hashes = {leaf_of(1)}};
	(void)state;
	fixture_init(&fixture);
	put_key(&fixture, "a", "log.example", NOTE_ED25519);
	const char *file = fixture_path(&fixture, "a");
	assert_int_equal(sign_open(&file, 1, &sign, &err), 0);
	merkle_range_init(&range);
	grow(&range, 1, &one);
	grow(&range, 2, &two);
	buf_init(&bytes, 0);
	sign_resume(sign, &one);
	assert_int_equal(sign_head(sign, &two, &none, &bytes, &err), -ERR_INPUT);
	other = two;
	other.root.bytes[0] ^= 1;
	assert_int_equal(sign_head(sign, &other, &proof, &bytes, &err), -ERR_INPUT);
	assert_int_equal(bytes.len, 0);
	assert_int_equal(sign_head(sign, &two, &proof, &bytes, &err), 0);
	size_t len = bytes.len;
	assert_int_equal(sign_head(sign, &one, &none, &bytes, &err), -ERR_INPUT);
	other = two;
	other.root.bytes[0] ^= 1;
	assert_int_equal(sign_head(sign, &other, &none, &bytes, &err), -ERR_INPUT);
	assert_int_equal(bytes.len, len);
	assert_int_equal(sign_head(sign, &two, &none, &bytes, &err),
			 0); /* the same again is fine */
	buf_done(&bytes);
	sign_close(sign);
	fixture_done(&fixture);
}

static void bad_keys_are_refused(void **state)
{
	/* a missing file, one that others may read, no key, a witness' key, keys of two names, and none at all */
	struct fixture fixture;
	struct sign *sign = NULL;
	struct error err;
	char first[256], second[256];
	const char *const files[] = {first, second};
	(void)state;
	fixture_init(&fixture);
	put_key(&fixture, "a", "log.example", NOTE_ED25519);
	put_key(&fixture, "b", "other.example", NOTE_ED25519);
	put_key(&fixture, "w", "w.example", NOTE_COSIGNATURE);
	assert_int_equal(
		io_replace_file(fixture_path(&fixture, "n"), STR_LIT("nonsense"), 0600, &err), 0);
	assert_int_equal(sign_open(files, 0, &sign, &err), -ERR_CONFIG);
	static const char *const wrong[] = {"missing", "w", "n"};
	for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
		(void)snprintf(first, sizeof first, "%s", fixture_path(&fixture, wrong[i]));
		assert_int_equal(sign_open(files, 1, &sign, &err), -ERR_CONFIG);
		assert_non_null(strstr(err.text, wrong[i]));
	}
	(void)snprintf(first, sizeof first, "%s", fixture_path(&fixture, "a"));
	(void)snprintf(second, sizeof second, "%s", fixture_path(&fixture, "b"));
	assert_int_equal(sign_open(files, 2, &sign, &err), -ERR_CONFIG);
	assert_int_equal(chmod(first, 0644), 0);
	assert_int_equal(sign_open(files, 1, &sign, &err), -ERR_CONFIG);
	fixture_done(&fixture);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(all_keys_sign),
		cmocka_unit_test(only_what_extends_is_signed),
		cmocka_unit_test(bad_keys_are_refused),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
