#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "correlator/seen.h"
#include "tests/unit/store-filled.h"

/* A request record with its own key and raw bytes. */
static const struct record *make(struct filled *filled, const char *source, const char *key,
				 const char *raw, struct str *out_encoded)
{
	struct record *record = &filled->fixture.record;
	record_init(record, RECORD_REQUEST);
	record->source = str_of(source);
	record->key = str_of(key);
	if (raw != NULL) {
		record_set_text(record, FIELD_raw, str_of(raw));
	}
	record_set_text(record, FIELD_user, STR_LIT("u"));
	buf_clear(&filled->fixture.encoded);
	assert_int_equal(record_encode(record, &filled->fixture.encoded, &filled->err), 0);
	*out_encoded = buf_str(&filled->fixture.encoded);
	return record;
}

static enum seen_verdict look(struct filled *filled, struct seen *seen, const struct record *record,
			      struct str encoded)
{
	enum seen_verdict verdict = SEEN_CONFLICT;
	assert_int_equal(seen_find(seen, record, encoded, &verdict, &filled->err), 0);
	return verdict;
}

static void keep(struct filled *filled, struct seen *seen, const struct record *record,
		 struct str encoded)
{
	uint64_t leaf = 0;
	assert_int_equal(store_append(filled->store, record, encoded, &leaf, &filled->err), 0);
	assert_int_equal(seen_add(seen, record, leaf, &filled->err), 0);
}

static void same_key_same_bytes(void **state)
{
	/* new, then duplicate; the same key in another source is new; other raw bytes are a conflict, and both are then known */
	struct filled filled = {0};
	struct seen seen;
	struct str bytes;
	(void)state;
	fixture_init(&filled.fixture);
	filled_open(&filled, STORE_CREATE);
	seen_init(&seen, filled.store, 1000);
	assert_int_equal(store_begin(filled.store, 1, &filled.err), 0);
	const struct record *record = make(&filled, "a", "k", "one", &bytes);
	assert_int_equal(look(&filled, &seen, record, bytes), SEEN_NEW);
	keep(&filled, &seen, record, bytes);
	assert_int_equal(look(&filled, &seen, record, bytes), SEEN_DUPLICATE);
	record = make(&filled, "b", "k", "one", &bytes);
	assert_int_equal(look(&filled, &seen, record, bytes), SEEN_NEW);
	record = make(&filled, "a", "k", "two", &bytes);
	assert_int_equal(look(&filled, &seen, record, bytes), SEEN_CONFLICT);
	keep(&filled, &seen, record, bytes);
	assert_int_equal(store_commit(filled.store, &filled.err), 0);
	assert_int_equal(look(&filled, &seen, record, bytes), SEEN_DUPLICATE);
	record = make(&filled, "a", "k", "one", &bytes);
	assert_int_equal(look(&filled, &seen, record, bytes), SEEN_DUPLICATE);
	record = make(&filled, "a", "k", NULL, &bytes);
	assert_int_equal(look(&filled, &seen, record, bytes), SEEN_CONFLICT);
	seen_done(&seen);
	filled_done(&filled);
}

static void parsed_differently_is_the_same(void **state)
{
	/* equal raw bytes are one event, although a newer parser made other fields of them */
	struct filled filled = {0};
	struct seen seen;
	struct str bytes;
	(void)state;
	fixture_init(&filled.fixture);
	filled_open(&filled, STORE_CREATE);
	seen_init(&seen, filled.store, 1000);
	assert_int_equal(store_begin(filled.store, 1, &filled.err), 0);
	const struct record *record = make(&filled, "a", "k", "one", &bytes);
	keep(&filled, &seen, record, bytes);
	record_unset(&filled.fixture.record, FIELD_user);
	buf_clear(&filled.fixture.encoded);
	assert_int_equal(record_encode(record, &filled.fixture.encoded, &filled.err), 0);
	assert_int_equal(look(&filled, &seen, record, buf_str(&filled.fixture.encoded)),
			 SEEN_DUPLICATE);
	seen_done(&seen);
	filled_done(&filled);
}

static void many_keys_and_the_limit(void **state)
{
	/* each of many keys is found again; past max_keys it is ERR_LIMIT */
	struct filled filled;
	struct seen seen;
	struct str bytes;
	(void)state;
	filled_init(&filled, 20000, 5000);
	store_close(filled.store);
	filled_open(&filled, STORE_WRITE);
	seen_init(&seen, filled.store, 20000);
	for (uint64_t n = 0; n < 20000; n++) {
		const struct record *record = fixture_record(&filled.fixture, n, &bytes);
		assert_int_equal(seen_add(&seen, record, n, &filled.err), 0);
	}
	for (uint64_t n = 0; n < 20010; n += 7) {
		const struct record *record = fixture_record(&filled.fixture, n, &bytes);
		assert_int_equal(look(&filled, &seen, record, bytes),
				 n < 20000 ? SEEN_DUPLICATE : SEEN_NEW);
	}
	const struct record *record = fixture_record(&filled.fixture, 20000, &bytes);
	assert_int_equal(seen_add(&seen, record, 20000, &filled.err), -ERR_LIMIT);
	seen_done(&seen);
	filled_done(&filled);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(same_key_same_bytes),
		cmocka_unit_test(parsed_differently_is_the_same),
		cmocka_unit_test(many_keys_and_the_limit),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
