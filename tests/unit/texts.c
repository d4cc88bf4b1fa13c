#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "store/block/texts.h"
#include "tests/unit/streams-fixture.h"
#include "tests/unit/texts-sample.h"

#include <stdlib.h>

static void gives_back_what_was_put(void **state)
{
	/* proves: statements, ids, paths and odd bytes come back bit for bit, absent ones as absent, empty ones as empty */
	static const char *const lines[] = {
		"SELECT a FROM dbo.t WHERE id = 12 AND name = N'O''Brien' AND x = -12.50 "
		"/*request_id=0f8fad5b-d9cb-469f-a165-70867728950e*/",
		"SELECT a FROM dbo.t WHERE id = 13 AND name = N'Smith' AND x = 0.50 "
		"/*request_id=7c9e6679-7425-40de-944b-e07fc1f90ae7*/",
		"SELECT a FROM dbo.t WHERE id = 007 AND c = 1. AND d = 1e5 AND e = $5 AND f = "
		"0xABcd AND g = 0xab12",
		"",
		"?\\? [a?b] 'x'",
		"/customers/12345/orders",
		"/customers/00012/orders?since=2026-02-29&until=2026-02-28T10:11:12.1234567",
		"GQIVriFLIAMEMsA=",
		"eyJhbGciOiJIUzI1NiJ9",
		"0F8FAD5B-D9CB-469F-A165-70867728950E",
		"0f8FAD5B-D9CB-469F-A165-70867728950E",
		"0f8fad5b-d9cb-169f-a165-70867728950e",
		"123456789012345678901234567890",
		"deadbeef01 DEADBEEF01 0123456789abcdef0123456789abcdef",
		"'not closed",
		"/* nor this /* */ 'x",
		"qt1 x=GQIVriFLIAMEMsA= l=6a1f6cb4-8a0e-4bd4-9bb1-0c6f2d6f3b11 r=r p=a%20b t=17 "
		"s=7A2sV6JI--wMSVWgzhjfB_vgd1ikL5V0XgiBJgf_9tE",
		"1899-12-31 1900-01-01 2199-12-31 2200-01-01 1969-12-31T23:59:59.9 0000-00-00",
		"-- line 5\nSELECT -0, - 5, 0-5, 0.0, -0.0 -- 7",
	};
	struct str texts[2 * sizeof(lines) / sizeof(lines[0]) + 3];
	size_t count = 0;
	(void)state;
	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
		texts[count++] = str_of(lines[i]);
		texts[count++] = str_of(lines[i]);
	}
	texts[count++] = (struct str){NULL, 0};
	texts[count++] = STR_LIT("\0a\0\0b\xff");
	texts[count++] = STR_LIT("SELECT 1 \0");
	for (int tsql = 0; tsql < 2; tsql++) {
		struct texts_column about = {.column = 3, .is_tsql = tsql == 1, .count = count};
		struct texts_sample sample;

		sample_open(&sample, &about, texts);
		sample_check(&sample, texts);
		sample_close(&sample);
	}
}

/* Families for tests: family f has the ids of f and begins with the number f + 1000. */
struct kin {
	char ids[64][3][40];
};

static size_t ids_of(void *owner, uint32_t family, struct str out_ids[TEXTS_IDS_MAX],
		     int64_t *out_seed)
{
	struct kin *kin = owner;

	for (size_t i = 0; i < 3; i++) {
		out_ids[i] = str_of(kin->ids[family][i]);
	}
	*out_seed = family + 1000;
	return 3;
}

#define FAMILIES 60
#define MEMBERS  5

static void ids_and_numbers_of_a_family_are_free(void **state)
{
	/* proves: a comment with the id of the family and a number that its pool begins with take no bytes; in any order the texts come back */
	struct kin *kin = calloc(1, sizeof(*kin));
	struct str texts[FAMILIES * MEMBERS];
	uint32_t family[FAMILIES * MEMBERS];
	struct streams_fixture random = {.seed = 7};
	struct texts_column about = {.column = 3,
				     .is_tsql = true,
				     .count = FAMILIES * MEMBERS,
				     .family = family,
				     .ids_of = ids_of,
				     .owner = kin};
	struct texts_sample sample;
	uint64_t stored;
	uint64_t unpacked;
	(void)state;
	assert_non_null(kin);
	for (uint32_t f = 0; f < FAMILIES; f++) {
		for (size_t i = 0; i < 3; i++) {
			uint64_t a = fixture_random(&random);
			uint64_t b = fixture_random(&random);
			(void)snprintf(kin->ids[f][i], sizeof(kin->ids[f][i]),
				       "%08x-%04x-4%03x-%04x-%012llx", (unsigned)(a >> 32),
				       (unsigned)(a & 0xffff), (unsigned)(a >> 16 & 0xfff),
				       (unsigned)(b >> 48 & 0x3fff) | 0x8000,
				       (unsigned long long)(b & 0xffffffffffff));
		}
		for (size_t m = 0; m < MEMBERS; m++) {
			char *text = malloc(200);
			size_t row = f * MEMBERS + m;
			assert_non_null(text);
			(void)snprintf(text, 200,
				       "SELECT c%zu FROM t WHERE customer = %u AND n = 7 "
				       "/*request_id=%s*/",
				       m, f + 1000, kin->ids[f][m % 2]);
			texts[row] = str_of(text);
			family[row] = f;
		}
	}
	sample_open(&sample, &about, texts);
	sample_check(&sample, texts);
	streams_size(sample.fixture.streams, about.column, &stored, &unpacked);
	assert_true(stored < 900);
	sample_close(&sample);
	for (size_t i = 0; i < about.count; i++) {
		free((char *)(uintptr_t)texts[i].ptr);
	}
	free(kin);
}

#define UUIDS 4000

static void random_ids_take_their_bits(void **state)
{
	/* proves: UUIDs of version 4 take 122 bits each, ids in Base64 or hexadecimal their bytes */
	struct streams_fixture random = {.seed = 9};
	struct str *texts = calloc(UUIDS, sizeof(*texts));
	char(*space)[40] = calloc(UUIDS, sizeof(*space));
	struct texts_column about = {.column = 3, .count = UUIDS};
	struct texts_sample sample;
	uint64_t stored;
	uint64_t unpacked;
	(void)state;
	assert_true(texts != NULL && space != NULL);
	for (size_t i = 0; i < UUIDS; i++) {
		uint64_t a = fixture_random(&random);
		uint64_t b = fixture_random(&random);
		(void)snprintf(space[i], sizeof(space[i]), "%08x-%04x-4%03x-%04x-%012llx",
			       (unsigned)(a >> 32), (unsigned)(a & 0xffff),
			       (unsigned)(a >> 16 & 0xfff), (unsigned)(b >> 48 & 0x3fff) | 0x8000,
			       (unsigned long long)(b & 0xffffffffffff));
		texts[i] = str_of(space[i]);
	}
	sample_open(&sample, &about, texts);
	sample_check(&sample, texts);
	streams_size(sample.fixture.streams, about.column, &stored, &unpacked);
	assert_true(stored < UUIDS * 61 / 4 + 100);
	sample_close(&sample);
	for (size_t i = 0; i < UUIDS; i++) {
		(void)snprintf(space[i], sizeof(space[i]), "%016llx",
			       (unsigned long long)fixture_random(&random));
		texts[i] = str_of(space[i]);
	}
	sample_open(&sample, &about, texts);
	sample_check(&sample, texts);
	streams_size(sample.fixture.streams, about.column, &stored, &unpacked);
	assert_true(stored < UUIDS * 8 + UUIDS / 16 + 300);
	sample_close(&sample);
	free(texts);
	free(space);
}

static void ids_that_come_again_are_kept_once(void **state)
{
	/* proves: few ids in many texts take about their place in a list, and each comes back */
	struct streams_fixture random = {.seed = 11};
	struct str *texts = calloc(UUIDS, sizeof(*texts));
	char(*space)[120] = calloc(UUIDS, sizeof(*space));
	struct texts_column about = {.column = 3, .is_tsql = true, .count = UUIDS};
	struct texts_sample sample;
	uint64_t stored;
	uint64_t unpacked;
	(void)state;
	assert_true(texts != NULL && space != NULL);
	for (size_t i = 0; i < UUIDS; i++) {
		unsigned tenant = (unsigned)(fixture_random(&random) % 16);
		(void)snprintf(
			space[i], sizeof(space[i]),
			"SELECT a FROM t WHERE tenant = '0f8fad5b-d9cb-469f-a165-7086772895%02x'",
			tenant);
		texts[i] = str_of(space[i]);
	}
	sample_open(&sample, &about, texts);
	sample_check(&sample, texts);
	streams_size(sample.fixture.streams, about.column, &stored, &unpacked);
	assert_true(stored < UUIDS * 3 / 4 + 800);
	sample_close(&sample);
	free(texts);
	free(space);
}

#define ROUNDS 300
#define ROWS   120

static void any_texts_in_any_order(void **state)
{
	/* proves: made-up texts, families and contexts come back in rising, falling and random order, and after a search */
	struct streams_fixture random = {.seed = 1};
	(void)state;
	for (size_t round = 0; round < ROUNDS; round++) {
		struct texts_world world;
		struct texts_sample sample;

		world_make(&world, &random, ROWS);
		sample_open(&sample, &world.about, world.texts);
		sample_check(&sample, world.texts);
		for (size_t i = 0; i < ROWS; i++) {
			sample_check_row(&sample, world.texts, fixture_random(&random) % ROWS);
		}
		sample_close(&sample);
		world_done(&world);
	}
}

#define CROWD 3000

static size_t ids_of_none(void *owner, uint32_t family, struct str out_ids[TEXTS_IDS_MAX],
			  int64_t *out_seed)
{
	(void)owner;
	(void)family;
	(void)out_ids;
	*out_seed = 77777;
	return 0;
}

static void big_families_work(void **state)
{
	/* proves: a family of thousands of texts, whose pool has turned over many times, is read in any order, also across its border */
	struct streams_fixture random = {.seed = 5};
	struct str *texts = calloc(CROWD, sizeof(*texts));
	uint32_t *family = calloc(CROWD, sizeof(*family));
	char(*space)[160] = calloc(CROWD, sizeof(*space));
	struct texts_column about = {.column = 3,
				     .is_tsql = true,
				     .count = CROWD,
				     .family = family,
				     .ids_of = ids_of_none};
	struct texts_sample sample;
	(void)state;
	assert_true(texts != NULL && family != NULL && space != NULL);
	for (size_t i = 0; i < CROWD; i++) {
		unsigned a = (unsigned)(fixture_random(&random) % 40);
		unsigned b = (unsigned)(fixture_random(&random) % 900);
		(void)snprintf(space[i], sizeof(space[i]),
			       "SELECT a FROM t WHERE x = %u AND y = %u AND z = %u.%02u AND s = "
			       "'/a/%u/b' AND w = 77777",
			       a * 1001, b * 7919, a, b % 100, a * 1001);
		texts[i] = str_of(space[i]);
		family[i] = i < CROWD - 100 ? 4 : 5;
	}
	for (int round = 0; round < 2; round++) {
		sample_open(&sample, &about, texts);
		for (size_t i = 0; i < 300; i++) {
			sample_check_row(&sample, texts,
					 round == 0 ? fixture_random(&random) % 400
						    : fixture_random(&random) % CROWD);
		}
		sample_check(&sample, texts);
		sample_close(&sample);
	}
	free(texts);
	free(family);
	free(space);
}

static void ids_that_are_gone_are_damage(void **state)
{
	/* proves: a text with an id of its family is ERR_CORRUPT when the family has it no more; other
	 * rows are read */
	struct kin *kin = calloc(1, sizeof(*kin));
	uint32_t family[] = {0, 0};
	struct str texts[] = {STR_LIT("SELECT 1/*request_id=abcdef-id*/"), STR_LIT("SELECT 2")};
	struct texts_column about = {.column = 3,
				     .is_tsql = true,
				     .count = 2,
				     .family = family,
				     .ids_of = ids_of,
				     .owner = kin};
	struct texts_needle needle = {.needle = STR_LIT("def-i")};
	uint64_t rows = 0;
	struct texts_sample sample;
	(void)state;
	assert_non_null(kin);
	memcpy(kin->ids[0][2], "abcdef-id", 10);
	sample_open(&sample, &about, texts);
	sample_check(&sample, texts);
	assert_int_equal(texts_find(sample.texts, &needle, &rows, &sample.fixture.err), 0);
	assert_int_equal(rows, 1);
	texts_close(sample.texts);
	about.ids_of = ids_of_none;
	assert_int_equal(
		texts_open(sample.fixture.streams, &about, &sample.texts, &sample.fixture.err), 0);
	assert_int_equal(texts_put_text(sample.texts, 0, &sample.out, &sample.fixture.err),
			 -ERR_CORRUPT);
	assert_non_null(strstr(sample.fixture.err.text, "blocks/test.qtb"));
	buf_clear(&sample.out);
	assert_int_equal(texts_put_text(sample.texts, 1, &sample.out, &sample.fixture.err), 0);
	assert_true(str_equal(buf_str(&sample.out), texts[1]));
	sample_close(&sample);
	free(kin);
}

static void other_streams_are_damage(void **state)
{
	/* proves: a list of templates that holds none is ERR_CORRUPT when the column is opened, a missing list of words when a text is read */
	struct str none[] = {{"\2x", 2}};
	struct str root[] = {{"\0\0\7\0", 4}};
	struct ranks_column codes = {.column = 3, .part = 21, .count = 1};
	uint32_t one = 1;
	struct texts_column about = {.column = 3, .count = 1};
	struct streams_fixture fixture;
	struct texts *opened;
	struct buf out;
	(void)state;
	fixture_begin(&fixture);
	assert_int_equal(wordlist_put(fixture.writer, 3, 0, none, 1), 0);
	(void)fixture_open(&fixture);
	assert_int_equal(texts_open(fixture.streams, &about, &opened, &fixture.err), -ERR_CORRUPT);
	fixture_end(&fixture);
	fixture_begin(&fixture);
	assert_int_equal(wordlist_put(fixture.writer, 3, 0, root, 1), 0);
	assert_int_equal(ranks_put(fixture.writer, &codes, &one), 0);
	(void)fixture_open(&fixture);
	buf_init(&out, 0);
	assert_int_equal(texts_open(fixture.streams, &about, &opened, &fixture.err), 0);
	assert_int_equal(texts_put_text(opened, 0, &out, &fixture.err), -ERR_CORRUPT);
	texts_close(opened);
	buf_done(&out);
	fixture_end(&fixture);
}

static void long_texts_work(void **state)
{
	/* proves: a text of 1 MiB, one literal or many of them, comes back */
	struct buf one;
	struct buf many;
	struct str texts[3];
	struct texts_column about = {.column = 3, .is_tsql = true, .count = 3};
	struct texts_sample sample;
	(void)state;
	buf_init(&one, 0);
	buf_init(&many, 0);
	buf_put_text(&one, "SELECT '");
	buf_put_fill(&one, 'x', 1 << 20);
	buf_put_text(&one, "' AS a");
	buf_put_text(&many, "INSERT INTO t VALUES (0)");
	for (int i = 0; many.len < 1 << 20; i++) {
		buf_putf(&many, ", (%d, 'name %d')", i, i * 7);
	}
	texts[0] = buf_str(&one);
	texts[1] = buf_str(&many);
	texts[2] = str_slice(buf_str(&many), 0, 9000);
	sample_open(&sample, &about, texts);
	sample_check(&sample, texts);
	sample_close(&sample);
	buf_done(&one);
	buf_done(&many);
}

static void empty_columns_work(void **state)
{
	/* proves: a column without rows, or with absent ones only, is written, read and searched */
	struct str texts[3] = {{NULL, 0}};
	struct texts_needle needle = {.needle = STR_LIT("a")};
	uint64_t rows = 0;
	(void)state;
	for (size_t count = 0; count <= 3; count += 3) {
		struct texts_column about = {.column = 3, .is_tsql = true, .count = count};
		struct texts_sample sample;

		sample_open(&sample, &about, texts);
		sample_check(&sample, texts);
		assert_int_equal(texts_find(sample.texts, &needle, &rows, &sample.fixture.err), 0);
		needle.needle.len = 0;
		assert_int_equal(texts_find(sample.texts, &needle, &rows, &sample.fixture.err), 0);
		assert_int_equal(rows, 0);
		sample_close(&sample);
	}
}

static void tells_templates(void **state)
{
	/* proves: equal statements but for their literals share a template, which is that of model/tsql; absent rows have none */
	struct str texts[] = {STR_LIT("SELECT a FROM t WHERE b = 12"),
			      STR_LIT("SELECT a FROM t WHERE b = 99"),
			      {NULL, 0},
			      STR_LIT("DELETE t WHERE [w?] = 'x'")};
	struct texts_column about = {.column = 3, .is_tsql = true, .count = 4};
	struct texts_sample sample;
	const uint32_t *codes;
	const struct str *templates;
	size_t count;
	(void)state;
	sample_open(&sample, &about, texts);
	texts_templates(sample.texts, &codes, &templates, &count);
	assert_int_equal(count, 2);
	assert_int_equal(codes[0], codes[1]);
	assert_int_equal(codes[2], UINT32_MAX);
	assert_true(str_is(templates[codes[0]], "SELECT a FROM t WHERE b = ?"));
	assert_true(str_is(templates[codes[3]], "DELETE t WHERE [w\\?] = ?"));
	assert_false(texts_has(sample.texts, 2));
	assert_true(texts_has(sample.texts, 3));
	sample_close(&sample);
}

static void full_buffer_is_a_limit(void **state)
{
	/* proves: a text that does not fit is ERR_LIMIT, an absent one ERR_GONE, and out stays as it was */
	struct str texts[] = {STR_LIT("SELECT a FROM t WHERE b = 12"), {NULL, 0}};
	struct texts_column about = {.column = 3, .is_tsql = true, .count = 2};
	struct texts_sample sample;
	struct buf out;
	(void)state;
	sample_open(&sample, &about, texts);
	buf_init(&out, 20);
	buf_put_text(&out, "before");
	assert_int_equal(texts_put_text(sample.texts, 0, &out, &sample.fixture.err), -ERR_LIMIT);
	assert_int_equal(out.len, 6);
	assert_int_equal(texts_put_text(sample.texts, 1, &out, &sample.fixture.err), -ERR_GONE);
	assert_int_equal(out.len, 6);
	buf_done(&out);
	sample_close(&sample);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(gives_back_what_was_put),
		cmocka_unit_test(ids_and_numbers_of_a_family_are_free),
		cmocka_unit_test(random_ids_take_their_bits),
		cmocka_unit_test(ids_that_come_again_are_kept_once),
		cmocka_unit_test(any_texts_in_any_order),
		cmocka_unit_test(big_families_work),
		cmocka_unit_test(ids_that_are_gone_are_damage),
		cmocka_unit_test(other_streams_are_damage),
		cmocka_unit_test(long_texts_work),
		cmocka_unit_test(empty_columns_work),
		cmocka_unit_test(tells_templates),
		cmocka_unit_test(full_buffer_is_a_limit),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
