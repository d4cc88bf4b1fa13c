#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "store/log/leaf.h"
#include "tests/unit/naive-tree.h"

#include "base/buf.h"

#include <string.h>

static struct log_salt counting_salt(void)
{
	struct log_salt salt;
	for (size_t i = 0; i < sizeof salt.bytes; i++) {
		salt.bytes[i] = (uint8_t)i;
	}
	return salt;
}

static struct log_leaf sample(void)
{
	struct log_leaf leaf = {.kind = RECORD_STATEMENT,
				.source = STR_LIT("api"),
				.key = STR_LIT("k1"),
				.time_ns = INT64_C(1790000000000000001),
				.ingest_ns = -2};
	for (size_t i = 0; i < sizeof leaf.commitment.bytes; i++) {
		leaf.commitment.bytes[i] = (uint8_t)(0xc0 + i);
	}
	return leaf;
}

static void known_answers(void **state)
{
	/* commitment, entry and leaf hash are those that hashlib and struct of Python give */
	struct log_salt salt = counting_salt();
	struct log_leaf leaf = sample();
	struct log_entry entry;
	struct merkle_hash hash;
	uint8_t commitment[DIGEST_BYTES], bytes[57], leaf_hash[DIGEST_BYTES];
	(void)state;
	leaf.kind = (enum record_kind)2;
	naive_hex("049291dc2aa378f1c1eb8f4385bf332a1e451347475536c50860e0c377710dcf", commitment,
		  sizeof commitment);
	naive_hex("010203617069026b310100f323845bd718feffffffffffffff"
		  "c0c1c2c3c4c5c6c7c8c9cacbcccdcecfd0d1d2d3d4d5d6d7d8d9dadbdcdddedf",
		  bytes, sizeof bytes);
	naive_hex("7ad90cbc6dba68e734e94d6ad26f53d68318727f435531382017658e0d9bbc32", leaf_hash,
		  sizeof leaf_hash);
	log_commit(&salt, STR_LIT("a record"), &hash);
	assert_memory_equal(hash.bytes, commitment, sizeof commitment);
	log_entry_make(&leaf, &entry);
	assert_int_equal(entry.len, sizeof bytes);
	assert_memory_equal(entry.bytes, bytes, sizeof bytes);
	merkle_leaf(str_make(entry.bytes, entry.len), &hash);
	assert_memory_equal(hash.bytes, leaf_hash, sizeof leaf_hash);
}

static void entries_come_back(void **state)
{
	/* an entry parses to the leaf that it was made of, for the shortest and the longest texts */
	char text[RECORD_KEY_MAX];
	(void)state;
	memset(text, 'a', sizeof text);
	for (int i = 0; i < 2; i++) {
		struct log_leaf leaf = sample(), back;
		struct log_entry entry;
		struct error err;
		leaf.source = str_make(text, i == 0 ? 1 : RECORD_SOURCE_MAX);
		leaf.key = str_make(text, i == 0 ? 1 : RECORD_KEY_MAX);
		log_entry_make(&leaf, &entry);
		assert_true(entry.len <= LOG_ENTRY_MAX && (i == 0 || entry.len == LOG_ENTRY_MAX));
		assert_int_equal(log_entry_parse(str_make(entry.bytes, entry.len), &back, &err), 0);
		assert_int_equal(back.kind, leaf.kind);
		assert_true(str_equal(back.source, leaf.source) && str_equal(back.key, leaf.key));
		assert_true(back.time_ns == leaf.time_ns && back.ingest_ns == leaf.ingest_ns);
		assert_true(merkle_equal(&back.commitment, &leaf.commitment));
	}
}

static void other_bytes_are_no_entry(void **state)
{
	/* every shorter text, one byte more, another version, an unknown kind, no source, no key: ERR_CORRUPT */
	struct log_leaf leaf = sample(), back;
	struct log_entry entry;
	struct error err;
	char longer[LOG_ENTRY_MAX + 1];
	(void)state;
	log_entry_make(&leaf, &entry);
	memcpy(longer, entry.bytes, entry.len);
	longer[entry.len] = 0;
	for (size_t len = 0; len <= entry.len + 1; len++) {
		int rc = log_entry_parse(str_make(longer, len), &back, &err);
		assert_int_equal(rc, len == entry.len ? 0 : -ERR_CORRUPT);
	}
	const struct {
		size_t at;
		char byte;
	} changes[] = {{0, 0}, {0, 2}, {1, 0}, {1, RECORD_KIND_COUNT}, {2, 0}, {3, '/'}, {6, 0}};
	for (size_t i = 0; i < sizeof changes / sizeof changes[0]; i++) {
		memcpy(longer, entry.bytes, entry.len);
		longer[changes[i].at] = changes[i].byte;
		assert_int_equal(log_entry_parse(str_make(longer, entry.len), &back, &err),
				 -ERR_CORRUPT);
	}
}

static void encode(const struct record *record, struct buf *out)
{
	struct error err;
	buf_clear(out);
	assert_int_equal(record_encode(record, out, &err), 0);
}

static void a_redacted_record_keeps_its_leaf(void **state)
{
	/* with its salt a leaf commits to the bytes; a record that holds the commitment gives the same leaf without; one without both is told */
	struct log_salt salt = counting_salt();
	struct log_leaf leaf, later;
	struct record record;
	struct error err;
	struct buf encoded;
	struct merkle_hash expected;
	(void)state;
	buf_init(&encoded, 0);
	record_init(&record, RECORD_STATEMENT);
	record.source = STR_LIT("db");
	record.key = STR_LIT("f:1");
	record.time_ns = 5;
	record_set_text(&record, FIELD_statement, STR_LIT("SELECT 'secret'"));
	encode(&record, &encoded);
	assert_int_equal(log_leaf_of(buf_str(&encoded), 6, &salt, &leaf, &err), 0);
	log_commit(&salt, buf_str(&encoded), &expected);
	assert_true(merkle_equal(&leaf.commitment, &expected));
	assert_int_equal(log_leaf_of(buf_str(&encoded), 6, NULL, &later, &err), -ERR_CORRUPT);
	record_init(&record, RECORD_STATEMENT);
	record.source = STR_LIT("db");
	record.key = STR_LIT("f:1");
	record.time_ns = 5;
	record_set_text(&record, FIELD_digest,
			str_make((const char *)expected.bytes, sizeof expected.bytes));
	encode(&record, &encoded);
	assert_int_equal(log_leaf_of(buf_str(&encoded), 6, NULL, &later, &err), 0);
	assert_true(merkle_equal(&later.commitment, &expected));
	assert_true(later.kind == RECORD_STATEMENT && later.time_ns == 5 && later.ingest_ns == 6);
	assert_true(str_is(later.source, "db") && str_is(later.key, "f:1"));
	assert_int_equal(log_leaf_of(buf_str(&encoded), 6, &salt, &later, &err), 0);
	assert_false(merkle_equal(&later.commitment, &expected)); /* a known salt counts more */
	record_set_text(&record, FIELD_digest, STR_LIT("short"));
	encode(&record, &encoded);
	assert_int_equal(log_leaf_of(buf_str(&encoded), 6, NULL, &later, &err), -ERR_CORRUPT);
	assert_int_equal(log_leaf_of(STR_LIT("no record"), 6, &salt, &later, &err), -ERR_CORRUPT);
	buf_done(&encoded);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(known_answers),
		cmocka_unit_test(entries_come_back),
		cmocka_unit_test(other_bytes_are_no_entry),
		cmocka_unit_test(a_redacted_record_keeps_its_leaf),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
