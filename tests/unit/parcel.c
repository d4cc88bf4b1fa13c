/* Batches go out in parcels that fit, in order, and a record that the codec refuses becomes a reject. */
#include "collector/parcel.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static struct record make(const char *key, struct str raw)
{
	struct record record;

	record_init(&record, RECORD_REQUEST);
	record.source = STR_LIT("s");
	record.key = str_of(key);
	record.time_ns = 5;
	record_set_text(&record, FIELD_raw, raw);
	return record;
}

/* Small records go together; every one comes out as it went in. */
static void test_one_parcel(void **state)
{
	(void)state;
	struct parcel parcel;
	struct error err;
	struct record records[3] = {make("a", STR_LIT("1")), make("b", STR_LIT("22")),
				    make("c", STR_LIT(""))};
	size_t next = 0;

	assert_int_equal(parcel_init(&parcel, &err), 0);
	assert_int_equal(parcel_fill(&parcel, records, 3, &next, &err), 0);
	assert_int_equal(next, 3);
	assert_int_equal(parcel.count, 3);
	for (size_t i = 0; i < 3; i++) {
		struct record record;
		assert_int_equal(record_decode(parcel.records[i], &record, &err), 0);
		assert_true(str_equal(record.key, records[i].key));
		assert_true(str_equal(record_text(&record, FIELD_raw),
				      record_text(&records[i], FIELD_raw)));
	}
	assert_int_equal(parcel_fill(&parcel, records, 0, &(size_t){0}, &err), 0);
	assert_int_equal(parcel.count, 0);
	parcel_done(&parcel);
}

/* Large records are spread over several parcels, none left out, none twice, none larger than a frame. */
static void test_many_parcels(void **state)
{
	(void)state;
	struct parcel parcel;
	struct error err;
	struct buf big;
	struct record records[10];
	size_t next = 0;
	size_t parcels = 0;
	size_t seen = 0;

	buf_init(&big, 0);
	buf_put_fill(&big, 'x', 700000);
	for (size_t i = 0; i < 10; i++) {
		records[i] = make("k", buf_str(&big));
		records[i].time_ns = (int64_t)i;
	}
	assert_int_equal(parcel_init(&parcel, &err), 0);
	while (next < 10) {
		assert_int_equal(parcel_fill(&parcel, records, 10, &next, &err), 0);
		assert_true(parcel.bytes.len < FEED_FRAME_MAX);
		for (size_t i = 0; i < parcel.count; i++) {
			struct record record;
			assert_int_equal(record_decode(parcel.records[i], &record, &err), 0);
			assert_true(record.time_ns == (int64_t)seen++);
		}
		parcels++;
	}
	assert_int_equal(seen, 10);
	assert_true(parcels >= 3);
	parcel_done(&parcel);
	buf_done(&big);
}

/* A record over the codec's limit keeps its key and the beginning of its bytes. */
static void test_too_large(void **state)
{
	(void)state;
	struct parcel parcel;
	struct error err;
	struct buf big;
	struct record record;
	size_t next = 0;

	buf_init(&big, 0);
	buf_put_fill(&big, 'x', RECORD_MAX_BYTES + 1);
	struct record records[2] = {make("big", buf_str(&big)), make("small", STR_LIT("y"))};
	assert_int_equal(parcel_init(&parcel, &err), 0);
	assert_int_equal(parcel_fill(&parcel, records, 2, &next, &err), 0);
	assert_int_equal(parcel.count, 2);
	assert_int_equal(record_decode(parcel.records[0], &record, &err), 0);
	assert_int_equal(record.kind, RECORD_REJECT);
	assert_true(str_is(record.key, "big"));
	assert_int_equal(record_text(&record, FIELD_raw).len, 65536);
	assert_true(record_text(&record, FIELD_reason).len > 0);
	parcel_done(&parcel);
	buf_done(&big);
}

/* Without a usable key there is nothing to send: ERR_INPUT. */
static void test_no_key(void **state)
{
	(void)state;
	struct parcel parcel;
	struct error err;
	struct record record = make("", STR_LIT("x"));
	size_t next = 0;

	assert_int_equal(parcel_init(&parcel, &err), 0);
	assert_int_equal(parcel_fill(&parcel, &record, 1, &next, &err), -ERR_INPUT);
	assert_int_equal(next, 0);
	parcel_done(&parcel);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_one_parcel),
		cmocka_unit_test(test_many_parcels),
		cmocka_unit_test(test_too_large),
		cmocka_unit_test(test_no_key),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
