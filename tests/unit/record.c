#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/buf.h"
#include "model/record.h"

static struct error err;

/* A record with a field of each type. */
static void fill(struct record *record)
{
	record_init(record, RECORD_STATEMENT);
	record->source = STR_LIT("db-1");
	record->key = STR_LIT("\x01\x02");
	record->time_ns = 1000;
	record_set_text(record, FIELD_raw, STR_LIT("{\x00}"));
	record_set_number(record, FIELD_session_id, -51);
	record_set_number(record, FIELD_succeeded, 1);
	record_set_text(record, FIELD_statement, STR_LIT(""));
}

static const uint8_t vector[] = {
	0x01, 0x02,                                     /* version, kind */
	0x04, 'd',  'b',  '-',  '1',                    /* source */
	0x02, 0x01, 0x02,                               /* key */
	0xe8, 0x03, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, /* time */
	0x04,                                           /* fields */
	0x01, 0x03, '{',  0x00, '}',                    /* raw */
	0x36, 0x65,                                     /* session_id -51 */
	0x39, 0x01,                                     /* succeeded */
	0x3c, 0x00,                                     /* statement, empty */
};

static void encodes_the_documented_bytes(void **state)
{
	/* the example of docs/format.md section 1, byte for byte */
	struct record record;
	struct buf out;

	(void)state;
	buf_init(&out, 0);
	fill(&record);
	assert_int_equal(record_encode(&record, &out, &err), 0);
	assert_int_equal(out.len, sizeof(vector));
	assert_memory_equal(out.ptr, vector, sizeof(vector));
	buf_done(&out);
}

static void decodes_what_was_encoded(void **state)
{
	/* every part comes back; empty and absent differ */
	struct record record;

	(void)state;
	assert_int_equal(record_decode(str_make(vector, sizeof(vector)), &record, &err), 0);
	assert_int_equal(record.kind, RECORD_STATEMENT);
	assert_true(str_is(record.source, "db-1"));
	assert_true(str_equal(record.key, STR_LIT("\x01\x02")));
	assert_int_equal(record.time_ns, 1000);
	assert_true(str_equal(record_text(&record, FIELD_raw), STR_LIT("{\x00}")));
	assert_int_equal(record_number(&record, FIELD_session_id, 0), -51);
	assert_int_equal(record_number(&record, FIELD_succeeded, 0), 1);
	assert_true(record_has(&record, FIELD_statement));
	assert_false(record_has(&record, FIELD_database));
	assert_int_equal(record_text(&record, FIELD_database).len, 0);
	assert_int_equal(record_number(&record, FIELD_rows, 77), 77);
	record_unset(&record, FIELD_statement);
	assert_false(record_has(&record, FIELD_statement));
}

static void refuse(const uint8_t *bytes, size_t len)
{
	struct record record;

	assert_int_equal(record_decode(str_make(bytes, len), &record, &err), -ERR_CORRUPT);
	assert_non_null(strstr(err.text, "byte"));
}

static void refuses_what_is_not_canonical(void **state)
{
	/* each way to break the one encoding is ERR_CORRUPT */
	static const struct {
		size_t at;
		uint8_t byte;
	} changes[] = {
		{0, 2},     /* version */
		{1, 0},     /* kind */
		{1, 9},     /* kind */
		{3, ' '},   /* source */
		{2, 0x41},  /* source longer than 64 */
		{7, 0},     /* no key */
		{18, 5},    /* one field more than there are */
		{18, 3},    /* one less: bytes left over */
		{19, 0},    /* field 0 */
		{24, 1},    /* a field twice */
		{24, 0x3a}, /* out of order */
		{24, 10},   /* request_id: no field of a statement */
		{26, 38},   /* no field at all */
		{27, 2},    /* neither yes nor no */
		{29, 1},    /* text behind the end */
	};
	uint8_t bytes[sizeof(vector) + 1];

	(void)state;
	for (size_t i = 0; i < sizeof(changes) / sizeof(changes[0]); i++) {
		memcpy(bytes, vector, sizeof(vector));
		bytes[changes[i].at] = changes[i].byte;
		refuse(bytes, sizeof(vector));
	}
	for (size_t len = 0; len < sizeof(vector); len++) {
		refuse(vector, len);
	}
	memcpy(bytes, vector, sizeof(vector));
	bytes[sizeof(vector)] = 0;
	refuse(bytes, sizeof(bytes));
}

static void refuses_long_varints(void **state)
{
	/* a number that is not in its shortest form is ERR_CORRUPT */
	static const uint8_t bytes[] = {0x01, 0x02, 0x01, 'd', 0x01, 'k', 0,    0,    0,
					0,    0,    0,    0,   0,    1,   0x36, 0x82, 0x00};
	static const uint8_t count[] = {0x01, 0x02, 0x01, 'd', 0x01, 'k', 0,    0,
					0,    0,    0,    0,   0,    0,   0x80, 0x00};

	(void)state;
	refuse(bytes, sizeof(bytes));
	refuse(count, sizeof(count));
}

static void sources_and_keys_are_checked(void **state)
{
	/* a source or key that is not allowed is ERR_INPUT and writes nothing */
	static const char *const sources[] = {
		"", "a b", "a/b", "\xC3\xB8",
		"12345678901234567890123456789012345678901234567890123456789012345"};
	struct record record;
	char key[RECORD_KEY_MAX + 1] = {0};
	struct buf out;

	(void)state;
	buf_init(&out, 0);
	buf_put_text(&out, "before");
	for (size_t i = 0; i < sizeof(sources) / sizeof(sources[0]); i++) {
		fill(&record);
		record.source = str_of(sources[i]);
		assert_int_equal(record_encode(&record, &out, &err), -ERR_INPUT);
	}
	fill(&record);
	record.key = str_make(key, 0);
	assert_int_equal(record_encode(&record, &out, &err), -ERR_INPUT);
	record.key = str_make(key, sizeof(key));
	assert_int_equal(record_encode(&record, &out, &err), -ERR_INPUT);
	assert_string_equal(out.ptr, "before");
	record.key = str_make(key, RECORD_KEY_MAX);
	assert_int_equal(record_encode(&record, &out, &err), 0);
	buf_done(&out);
}

static void size_is_limited(void **state)
{
	/* past RECORD_MAX_BYTES, or the room of the buf, it is ERR_LIMIT and out is as before */
	struct record record;
	char *text = test_calloc(1, RECORD_MAX_BYTES);
	struct buf out;
	struct buf small;

	(void)state;
	buf_init(&out, 0);
	buf_init(&small, 8);
	buf_put_text(&small, "abc");
	fill(&record);
	assert_int_equal(record_encode(&record, &small, &err), -ERR_LIMIT);
	assert_string_equal(small.ptr, "abc");
	assert_false(small.failed);
	record_set_text(&record, FIELD_statement, str_make(text, RECORD_MAX_BYTES));
	assert_int_equal(record_encode(&record, &out, &err), -ERR_LIMIT);
	assert_int_equal(out.len, 0);
	record_set_text(&record, FIELD_statement, str_make(text, RECORD_MAX_BYTES - 100));
	assert_int_equal(record_encode(&record, &out, &err), 0);
	assert_int_equal(record_decode(buf_str(&out), &record, &err), 0);
	refuse((const uint8_t *)text, RECORD_MAX_BYTES + 1);
	buf_done(&small);
	buf_done(&out);
	test_free(text);
}

static uint64_t next_random(uint64_t *seed)
{
	*seed ^= *seed << 13;
	*seed ^= *seed >> 7;
	*seed ^= *seed << 17;
	return *seed;
}

static const char sample[] = "a\0\xED\xA0\x80 \"\\\n\xC3\xB8 0123456789 SELECT * FROM t";

/* Fills a record with random fields of its kind. */
static void fill_random(struct record *record, uint64_t *seed)
{
	static const int64_t numbers[] = {0, 1, -1, 63, 64, -64, -65, INT64_MAX, INT64_MIN};

	record_init(record, (enum record_kind)(1 + next_random(seed) % 8));
	record->source = str_make("a.b_c-9", 1 + next_random(seed) % 7);
	record->key = str_make(sample, 1 + next_random(seed) % (sizeof(sample) - 1));
	record->time_ns = (int64_t)next_random(seed);
	for (unsigned field = 1; field < FIELD_LIMIT; field++) {
		const struct field_info *info = field_info(field);

		if (info->name == NULL || (info->kinds >> record->kind & 1) == 0 ||
		    next_random(seed) % 2 == 0) {
			continue;
		}
		if (info->type == FIELD_TYPE_TEXT || info->type == FIELD_TYPE_BYTES) {
			record_set_text(record, field,
					str_make(sample, next_random(seed) % sizeof(sample)));
		} else if (info->type == FIELD_TYPE_BOOL) {
			record_set_number(record, field, (int64_t)(next_random(seed) % 2));
		} else if (next_random(seed) % 2 == 0) {
			record_set_number(record, field, numbers[next_random(seed) % 9]);
		} else {
			record_set_number(record, field,
					  (int64_t)next_random(seed) >> (next_random(seed) % 64));
		}
	}
}

static void check_equal(const struct record *a, const struct record *b)
{
	assert_int_equal(a->kind, b->kind);
	assert_true(str_equal(a->source, b->source));
	assert_true(str_equal(a->key, b->key));
	assert_int_equal(a->time_ns, b->time_ns);
	for (unsigned field = 1; field < FIELD_LIMIT; field++) {
		assert_int_equal(record_has(a, field), record_has(b, field));
		if (!record_has(a, field)) {
			continue;
		}
		if (field_info(field)->type == FIELD_TYPE_TEXT ||
		    field_info(field)->type == FIELD_TYPE_BYTES) {
			assert_true(str_equal(record_text(a, field), record_text(b, field)));
		} else {
			assert_int_equal(record_number(a, field, 0), record_number(b, field, 0));
		}
	}
}

static void random_records_round_trip(void **state)
{
	/* what is encoded is decoded the same and encodes to the same bytes; a flipped bit never decodes to other bytes than it is */
	struct record record;
	struct record back;
	struct buf out;
	struct buf again;
	uint64_t seed = 20261122;

	(void)state;
	buf_init(&out, 0);
	buf_init(&again, 0);
	for (int round = 0; round < 20000; round++) {
		size_t at;

		buf_clear(&out);
		fill_random(&record, &seed);
		assert_int_equal(record_encode(&record, &out, &err), 0);
		assert_int_equal(record_decode(buf_str(&out), &back, &err), 0);
		check_equal(&record, &back);
		buf_clear(&again);
		assert_int_equal(record_encode(&back, &again, &err), 0);
		assert_true(str_equal(buf_str(&out), buf_str(&again)));
		at = next_random(&seed) % out.len;
		out.ptr[at] = (char)(out.ptr[at] ^ (1 << next_random(&seed) % 8));
		if (record_decode(buf_str(&out), &back, NULL) == 0) {
			buf_clear(&again);
			assert_int_equal(record_encode(&back, &again, &err), 0);
			assert_true(str_equal(buf_str(&out), buf_str(&again)));
		}
	}
	buf_done(&again);
	buf_done(&out);
}

static void the_front_is_that_of_the_whole(void **state)
{
	/* the front says what the whole record says, whatever its fields are, and refuses each front that is cut off or not allowed */
	struct record record;
	struct record_front front;
	struct buf out;
	uint64_t seed = 7;

	(void)state;
	buf_init(&out, 0);
	for (int round = 0; round < 500; round++) {
		buf_clear(&out);
		fill_random(&record, &seed);
		assert_int_equal(record_encode(&record, &out, &err), 0);
		assert_int_equal(record_decode_front(buf_str(&out), &front, &err), 0);
		assert_int_equal(front.kind, record.kind);
		assert_true(front.time_ns == record.time_ns);
		assert_true(str_equal(front.source, record.source));
		assert_true(str_equal(front.key, record.key));
		size_t len = 4 + record.source.len + record.key.len + 8;
		for (size_t cut = 0; cut < len; cut++) {
			assert_int_equal(record_decode_front(str_make(out.ptr, cut), &front, &err),
					 -ERR_CORRUPT);
		}
		assert_int_equal(record_decode_front(str_make(out.ptr, len), &front, &err), 0);
		out.ptr[round % 2] = 99; /* version or kind */
		assert_int_equal(record_decode_front(buf_str(&out), &front, &err), -ERR_CORRUPT);
	}
	buf_done(&out);
}

static void stable_ids(void **state)
{
	/* the id is a fixed function of source and key, and their border counts */
	char id[RECORD_ID_DIGITS + 1];
	char other[RECORD_ID_DIGITS + 1];

	(void)state;
	record_stable_id(STR_LIT("db"), STR_LIT("k"), id);
	assert_string_equal(id, "a4f3b24a8c5c017c");
	record_stable_id(STR_LIT("d"), STR_LIT("bk"), other);
	assert_string_not_equal(id, other);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(encodes_the_documented_bytes),
		cmocka_unit_test(decodes_what_was_encoded),
		cmocka_unit_test(refuses_what_is_not_canonical),
		cmocka_unit_test(refuses_long_varints),
		cmocka_unit_test(sources_and_keys_are_checked),
		cmocka_unit_test(size_is_limited),
		cmocka_unit_test(random_records_round_trip),
		cmocka_unit_test(the_front_is_that_of_the_whole),
		cmocka_unit_test(stable_ids),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
