#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "correlator/admission.h"
#include "model/redact.h"
#include "tests/unit/store-filled.h"

struct stage {
	struct fixture fixture;
	char path[96];
	struct ledger *ledger;
	struct admission admission;
	struct error err;
};

static void append(struct stage *stage, const char *id, enum ledger_kind kind, uint64_t n)
{
	struct str encoded;
	uint8_t digest[LEDGER_DIGEST_BYTES];
	const struct record *record = fixture_record(&stage->fixture, n, &encoded);
	ledger_digest_of(record->source, record->key, digest);
	const struct ledger_append entry = {.id = str_of(id),
					    .store = str_of(id),
					    .kind = kind,
					    .digests = str_make(digest, sizeof digest)};
	assert_int_equal(ledger_append(stage->ledger, &entry, &stage->err), 0);
}

static void begin(struct stage *stage)
{
	memset(stage, 0, sizeof *stage);
	fixture_init(&stage->fixture);
	(void)snprintf(stage->path, sizeof stage->path, "%s/ledger", stage->fixture.dir);
	assert_int_equal(ledger_open(stage->path, &stage->ledger, &stage->err), 0);
	admission_init(&stage->admission);
	stage->admission.ledger = stage->ledger;
}

static void end(struct stage *stage)
{
	admission_done(&stage->admission);
	ledger_close(stage->ledger);
	fixture_done(&stage->fixture);
}

static void what_was_erased_is_refused(void **state)
{
	/* a request that the ledger names as erased is refused and counted; others, and verdicts of whatever key, are taken */
	struct stage stage;
	struct str encoded;
	(void)state;
	begin(&stage);
	append(&stage, "00112233445566aa", LEDGER_ERASED, 0);
	append(&stage, "00112233445566bb", LEDGER_ERASED, 2);
	for (uint64_t n = 0; n < FIXTURE_PERIOD; n++) {
		const struct record *record = fixture_record(&stage.fixture, n, &encoded);
		bool named = n == 0 || (n == 2 && record->kind != RECORD_VERDICT);
		assert_int_equal(admission_refuses(&stage.admission, record), named);
	}
	assert_true(stage.admission.refused >= 1);
	stage.admission.ledger = NULL;
	assert_false(
		admission_refuses(&stage.admission, fixture_record(&stage.fixture, 0, &encoded)));
	end(&stage);
}

static void what_is_below_the_floor_is_refused(void **state)
{
	/* requests and statements of before the floor are refused; the floor never sinks, and a store's is read */
	struct stage stage;
	struct filled filled;
	struct str encoded;
	(void)state;
	begin(&stage);
	filled_init(&filled, 10, 10);
	store_close(filled.store);
	filled_open(&filled, STORE_WRITE);
	const struct record *record = fixture_record(&stage.fixture, 7, &encoded);
	assert_false(admission_refuses(&stage.admission, record));
	assert_int_equal(store_raise_floor(filled.store, record->time_ns + 1, &filled.err), 0);
	assert_int_equal(admission_read(&stage.admission, filled.store, &filled.err), 0);
	admission_raise(&stage.admission, 5);
	assert_true(admission_refuses(&stage.admission, record));
	assert_false(
		admission_refuses(&stage.admission, fixture_record(&stage.fixture, 70, &encoded)));
	assert_int_equal(stage.admission.refused, 1);
	filled_done(&filled);
	end(&stage);
}

static void what_was_masked_is_masked_again(void **state)
{
	/* a record that the ledger names as masked loses its line and keeps its key; others pass as they are */
	struct stage stage;
	struct str encoded;
	(void)state;
	begin(&stage);
	append(&stage, "00112233445566aa", LEDGER_MASKED, 0);
	const struct record *record = fixture_record(&stage.fixture, 0, &encoded);
	const struct record *before = record;
	struct buf key;
	buf_init(&key, 64);
	buf_put_str(&key, record->key);
	assert_true(record_has(record, FIELD_raw));
	assert_false(admission_refuses(&stage.admission, record));
	assert_int_equal(admission_mask(&stage.admission, &record, &encoded, &stage.err), 0);
	assert_ptr_not_equal(record, before);
	assert_false(record_has(record, FIELD_raw));
	assert_true(str_equal(record->key, buf_str(&key)));
	struct str id;
	assert_int_equal(redact_degree_of(record, &id), REDACT_LITERALS);
	record = before = fixture_record(&stage.fixture, 7, &encoded);
	assert_int_equal(admission_mask(&stage.admission, &record, &encoded, &stage.err), 0);
	assert_ptr_equal(record, before);
	buf_done(&key);
	end(&stage);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_was_erased_is_refused),
		cmocka_unit_test(what_is_below_the_floor_is_refused),
		cmocka_unit_test(what_was_masked_is_masked_again),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
