#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "store/block.h"
#include "store/block/gauge.h"

#include <stdio.h>
#include <string.h>

#define REQUESTS   256
#define NUMBER     3
#define UUID_BITS  (122.0 * REQUESTS)
#define HINT_BYTES (REQUESTS * 6 / 8)

struct seen { /* of the columns that the tests look at */
	struct block_measured ids, users, ages, recipes;
	uint64_t stored;
	double floor;
};

static void encode(unsigned request, struct buf *out)
{
	struct record record;
	struct error err;
	char id[40], key[16];
	uint32_t noise = request * 2654435761u;
	record_init(&record, RECORD_REQUEST);
	(void)snprintf(id, sizeof(id), "%08x-%04x-4%03x-9%03x-%08x%04x", noise, (noise * 7) >> 16,
		       (noise * 11) >> 20, (noise * 13) >> 20, noise * 17, (noise * 19) >> 16);
	(void)snprintf(key, sizeof(key), "k%u", request);
	record.source = STR_LIT("api");
	record.key = str_of(key);
	record.time_ns = (int64_t)request * 1000000000;
	record_set_text(&record, FIELD_request_id, str_of(id));
	record_set_text(&record, FIELD_user, request % 2 == 0 ? STR_LIT("ann") : STR_LIT("bo"));
	record_set_number(&record, FIELD_latency_ms, request < REQUESTS / 2 ? 5 : 1234);
	assert_int_equal(record_encode(&record, out, &err), 0);
}

static void build(struct buf *out)
{
	struct block_builder *builder = block_builder_new();
	struct block_about about;
	struct buf encoded;
	struct error err;
	assert_non_null(builder);
	buf_init(&encoded, RECORD_MAX_BYTES);
	for (unsigned i = 0; i < REQUESTS; i++) {
		buf_clear(&encoded);
		encode(i, &encoded);
		assert_int_equal(block_builder_add(builder, i, 1000, buf_str(&encoded), &err), 0);
	}
	assert_int_equal(block_builder_finish(builder, &(struct block_seal){NUMBER, NULL}, out,
					      &about, &err),
			 0);
	block_builder_free(builder);
	buf_done(&encoded);
}

static void see(void *owner, const struct block_measured *measured)
{
	struct seen *seen = owner;
	assert_true(measured->floor_bits >= 0 &&
		    measured->floor_bits <= 8 * (double)measured->stored_bytes);
	seen->stored += measured->stored_bytes;
	seen->floor += measured->floor_bits / 8;
	if (strcmp(measured->column, "request request_id") == 0) {
		seen->ids = *measured;
	} else if (strcmp(measured->column, "request user") == 0) {
		seen->users = *measured;
	} else if (strcmp(measured->column, "request latency_ms") == 0) {
		seen->ages = *measured;
	} else if (strcmp(measured->column, "recipes") == 0) {
		seen->recipes = *measured;
	}
}

static void measure(struct str bytes, struct gauge *gauge, struct seen *out)
{
	const struct block_place place = {
		.fd = -1, .bytes = bytes, .name = "here", .number = NUMBER, .gauge = gauge};
	struct block *block = NULL;
	struct error err;
	*out = (struct seen){.stored = 0};
	assert_int_equal(block_open(&place, &block, &err), 0);
	assert_int_equal(block_measure(block, see, out, &err), 0);
	block_close(block);
}

static void columns_beside_their_floor(void **state)
{
	/* random ids need 122 bits each and what their one pattern takes; texts and numbers are counted as people write them */
	(void)state;
	struct buf bytes;
	struct seen seen;
	struct gauge *gauge = gauge_new();
	assert_non_null(gauge);
	buf_init(&bytes, 0);
	build(&bytes);
	measure(buf_str(&bytes), gauge, &seen);
	assert_int_equal(seen.ids.value_count, REQUESTS);
	assert_int_equal(seen.ids.kind, RECORD_REQUEST);
	assert_int_equal(seen.ids.text_bytes, REQUESTS * 36);
	assert_true(seen.ids.floor_bits >= UUID_BITS && seen.ids.floor_bits < UUID_BITS + 200);
	assert_int_equal(seen.users.text_bytes, REQUESTS / 2 * 3 + REQUESTS / 2 * 2);
	assert_int_equal(seen.ages.text_bytes, REQUESTS / 2 * 1 + REQUESTS / 2 * 4);
	assert_int_equal(seen.recipes.floor_bits, 0); /* all requests have the same */
	assert_true(seen.floor > UUID_BITS / 8 && seen.floor <= (double)seen.stored);
	assert_true(seen.stored <= bytes.len);
	gauge_free(gauge);
	buf_done(&bytes);
}

static void words_count_once(void **state)
{
	/* the list of users costs nothing in a second block with the same users; the ids cost as much again, but for their pattern */
	(void)state;
	struct buf bytes;
	struct seen first, second;
	struct gauge *gauge = gauge_new();
	assert_non_null(gauge);
	buf_init(&bytes, 0);
	build(&bytes);
	measure(buf_str(&bytes), gauge, &first);
	measure(buf_str(&bytes), gauge, &second);
	assert_true(second.users.floor_bits < first.users.floor_bits);
	assert_true(second.ids.floor_bits > UUID_BITS - 0.5 &&
		    second.ids.floor_bits < UUID_BITS + 0.5);
	assert_int_equal(first.stored, second.stored);
	gauge_free(gauge);
	buf_done(&bytes);
}

static void damage_is_named(void **state)
{
	/* a block with a damaged stream is ERR_CORRUPT with its name, whichever byte it is; only hints for finding ids are not looked at */
	(void)state;
	struct buf bytes;
	struct error err;
	size_t told = 0;
	buf_init(&bytes, 0);
	build(&bytes);
	for (size_t at = 0; at < bytes.len; at += 7) {
		struct gauge *gauge = gauge_new();
		struct block *block = NULL;
		struct seen seen = {.stored = 0};
		assert_non_null(gauge);
		bytes.ptr[at] = (char)~bytes.ptr[at];
		const struct block_place place = {.fd = -1,
						  .bytes = buf_str(&bytes),
						  .name = "here",
						  .number = NUMBER,
						  .gauge = gauge};
		int rc = block_open(&place, &block, &err);
		rc = rc == 0 ? block_measure(block, see, &seen, &err) : rc;
		assert_true(rc == 0 || rc == -ERR_CORRUPT);
		told += rc != 0 && strstr(err.text, "here") != NULL;
		block_close(block);
		gauge_free(gauge);
		bytes.ptr[at] = (char)~bytes.ptr[at];
	}
	assert_true(told * 7 + HINT_BYTES + 7 >= bytes.len);
	buf_done(&bytes);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(columns_beside_their_floor),
		cmocka_unit_test(words_count_once),
		cmocka_unit_test(damage_is_named),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
