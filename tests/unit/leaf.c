#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "store/log/leaf.h"

#include <string.h>

static struct record some(void)
{
	struct record record;
	record_init(&record, RECORD_STATEMENT);
	record.source = STR_LIT("db");
	record.key = STR_LIT("k1");
	record.time_ns = 258;
	record_set_text(&record, FIELD_raw, STR_LIT("{}"));
	return record;
}

static void entry_has_its_bytes(void **state)
{
	/* the entry of docs/format.md, byte by byte; and its commitment is SHA-256 over salt and record */
	struct log_salt salt = {{7}};
	struct record record = some();
	struct buf encoded;
	struct log_leaf leaf, back;
	struct log_entry entry;
	struct error err;
	uint8_t expected[DIGEST_BYTES];
	static const char front[] = "\x01\x02\x02"
				    "db\x02k1\x02\x01\0\0\0\0\0\0\xff\xff\xff\xff\xff\xff\xff\xff";
	(void)state;
	buf_init(&encoded, 0);
	assert_int_equal(record_encode(&record, &encoded, &err), 0);
	assert_int_equal(log_leaf_of(buf_str(&encoded), -1, &salt, &leaf, &err), 0);
	log_entry_make(&leaf, &entry);
	assert_int_equal(entry.len, sizeof front - 1 + DIGEST_BYTES);
	assert_memory_equal(entry.bytes, front, sizeof front - 1);
	const struct str parts[] = {str_make((const char *)salt.bytes, DIGEST_BYTES),
				    buf_str(&encoded)};
	digest_sha256_parts(parts, 2, expected);
	assert_memory_equal(entry.bytes + sizeof front - 1, expected, DIGEST_BYTES);
	assert_int_equal(log_entry_parse(str_make(entry.bytes, entry.len), &back, &err), 0);
	assert_true(back.kind == RECORD_STATEMENT && back.time_ns == 258 && back.ingest_ns == -1 &&
		    str_is(back.source, "db") && str_is(back.key, "k1"));
	assert_memory_equal(back.commitment.bytes, expected, DIGEST_BYTES);
	buf_done(&encoded);
}

static void forgotten_salts_need_a_digest(void **state)
{
	/* without its salt a record is known by its digest; one that has none is told, and a salt that is known counts more than a digest */
	struct log_salt salt = {{1}};
	struct record record = some();
	struct buf encoded;
	struct log_leaf leaf;
	struct error err;
	static const char digest[DIGEST_BYTES] = "0123456789abcdef0123456789abcde";
	(void)state;
	buf_init(&encoded, 0);
	assert_int_equal(record_encode(&record, &encoded, &err), 0);
	assert_int_equal(log_leaf_of(buf_str(&encoded), 1, NULL, &leaf, &err), -ERR_CORRUPT);
	record_set_text(&record, FIELD_digest, str_make(digest, sizeof digest));
	buf_clear(&encoded);
	assert_int_equal(record_encode(&record, &encoded, &err), 0);
	assert_int_equal(log_leaf_of(buf_str(&encoded), 1, NULL, &leaf, &err), 0);
	assert_memory_equal(leaf.commitment.bytes, digest, sizeof digest);
	assert_int_equal(log_leaf_of(buf_str(&encoded), 1, &salt, &leaf, &err), 0);
	assert_memory_not_equal(leaf.commitment.bytes, digest, sizeof digest);
	assert_int_equal(log_leaf_of(STR_LIT("no record"), 1, &salt, &leaf, &err), -ERR_CORRUPT);
	buf_done(&encoded);
}

static void other_entries_are_refused(void **state)
{
	/* an entry that is cut off at any byte, goes on, or says impossible things is none */
	struct log_leaf leaf = {.kind = RECORD_GAP, .source = STR_LIT("s"), .key = STR_LIT("k")};
	struct log_entry entry;
	struct log_leaf back;
	struct error err;
	(void)state;
	log_entry_make(&leaf, &entry);
	for (size_t len = 0; len < entry.len; len++) {
		assert_int_equal(log_entry_parse(str_make(entry.bytes, len), &back, &err),
				 -ERR_CORRUPT);
	}
	assert_int_equal(log_entry_parse(str_make(entry.bytes, entry.len + 1), &back, &err),
			 -ERR_CORRUPT);
	for (size_t at = 0; at < 2; at++) { /* version, kind */
		struct log_entry other = entry;
		other.bytes[at] = 9;
		assert_int_equal(log_entry_parse(str_make(other.bytes, other.len), &back, &err),
				 -ERR_CORRUPT);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(entry_has_its_bytes),
		cmocka_unit_test(forgotten_salts_need_a_digest),
		cmocka_unit_test(other_entries_are_refused),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
