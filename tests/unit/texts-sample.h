/* texts-sample - columns of texts for tests: written into a block of their own and opened again; and made-up texts. */
#ifndef TESTS_UNIT_TEXTS_SAMPLE_H
#define TESTS_UNIT_TEXTS_SAMPLE_H

#include "store/block/texts.h"
#include "tests/unit/streams-fixture.h"

#include <stdio.h>
#include <stdlib.h>

struct texts_sample {
	struct streams_fixture fixture;
	struct texts_column about;
	struct texts *texts;
	struct buf out;
};

static inline void sample_open(struct texts_sample *sample, const struct texts_column *about,
			       const struct str *texts)
{
	sample->about = *about;
	fixture_begin(&sample->fixture);
	assert_int_equal(texts_put(sample->fixture.writer, about, texts), 0);
	(void)fixture_open(&sample->fixture);
	buf_init(&sample->out, 0);
	assert_int_equal(
		texts_open(sample->fixture.streams, about, &sample->texts, &sample->fixture.err),
		0);
}

static inline void sample_close(struct texts_sample *sample)
{
	texts_close(sample->texts);
	buf_done(&sample->out);
	fixture_end(&sample->fixture);
}

static inline void sample_check_row(struct texts_sample *sample, const struct str *texts,
				    size_t row)
{
	int result;

	buf_clear(&sample->out);
	assert_int_equal(texts_has(sample->texts, row), texts[row].ptr != NULL);
	result = texts_put_text(sample->texts, row, &sample->out, &sample->fixture.err);
	if (texts[row].ptr == NULL) {
		assert_int_equal(result, -ERR_GONE);
		return;
	}
	if (result != 0) {
		print_error("%s\n", sample->fixture.err.text);
	}
	assert_int_equal(result, 0);
	if (!str_equal(buf_str(&sample->out), texts[row])) {
		print_error("row %zu:\n%.*s\nput:\n%.*s\n", row, STR_ARG(buf_str(&sample->out)),
			    STR_ARG(texts[row]));
		fail();
	}
}

/* All rows, rising and then falling. */
static inline void sample_check(struct texts_sample *sample, const struct str *texts)
{
	for (size_t row = 0; row < sample->about.count; row++) {
		sample_check_row(sample, texts, row);
	}
	for (size_t row = sample->about.count; row-- > 0;) {
		sample_check_row(sample, texts, row);
	}
}

/* Made-up texts. */
#define WORLD_FAMILIES 8
struct texts_world {
	struct texts_column about;
	struct str *texts;
	uint32_t *family, *context;
	char ids[WORLD_FAMILIES][2][40];
	struct buf *bytes;
};

static inline size_t world_ids_of(void *owner, uint32_t family, struct str out_ids[TEXTS_IDS_MAX],
				  int64_t *out_seed)
{
	struct texts_world *world = owner;

	for (size_t i = 0; i < 2; i++) {
		out_ids[i] = str_of(world->ids[family % WORLD_FAMILIES][i]);
	}
	*out_seed = family % 3 == 0 ? INT64_MIN : 4000 + family;
	return 2;
}

static inline void world_put_part(struct texts_world *world, struct streams_fixture *random,
				  uint32_t family, struct buf *out)
{
	static const char *const fixed[] = {"SELECT a FROM t WHERE b = ",
					    "INSERT INTO t VALUES (",
					    ", ",
					    " AND c = ",
					    "'",
					    "N'",
					    "/*",
					    "*/",
					    "--",
					    "\n",
					    "?",
					    "\\",
					    "/customers/",
					    "@example.com",
					    "anna",
					    "Bob",
					    " ",
					    "''",
					    "0x",
					    ".",
					    "-",
					    "e5",
					    "$",
					    "%",
					    "2026-11-22",
					    "T10:00:00",
					    "[a?]",
					    "abc",
					    "\xc3\xa4",
					    "\xff",
					    "request_id="};
	uint64_t draw = fixture_random(random);
	uint64_t number = fixture_random(random);

	switch (draw % 8) {
	case 0:
		buf_put_u64(out, number % 10);
		break;
	case 1:
		buf_put_u64(out, number >> number % 64);
		break;
	case 2:
		buf_put_u64(out, 4000 + (draw >> 8) % 8);
		break;
	case 3:
		if (family != TEXTS_NO_FAMILY) {
			buf_put_text(out, world->ids[family % WORLD_FAMILIES][(draw >> 8) % 2]);
		}
		break;
	case 4:
		buf_putf(out,
			 (draw >> 8) % 2 == 0 ? "%08x-1234-4567-89ab-%012x"
					      : "%08X-1234-1567-89AB-%012X",
			 (unsigned)number, (unsigned)(number >> 32));
		break;
	default:
		buf_put_text(out, fixed[(draw >> 8) % (sizeof(fixed) / sizeof(fixed[0]))]);
		break;
	}
	if ((draw >> 20) % 200 == 0) {
		buf_put_byte(out, 0);
	}
}

/* One text: of parts at random, or of a kind that repeats. */
static inline void world_put_text(struct texts_world *world, struct streams_fixture *random,
				  uint32_t family, struct buf *out)
{
	uint64_t draw = fixture_random(random);
	unsigned a = (unsigned)(draw >> 8) % 2000;
	unsigned b = (unsigned)(draw >> 24) % 5000;

	switch (draw % 4) {
	case 0:
		buf_putf(out,
			 "SELECT a FROM t%u WHERE id = %u AND n = %u.%02u AND m = "
			 "N'user%u@host%u.com'",
			 a % 3, b, a, b % 100, b, a % 3);
		if (family != TEXTS_NO_FAMILY) {
			buf_putf(out, " /*request_id=%s*/",
				 world->ids[family % WORLD_FAMILIES][b % 2]);
		}
		break;
	case 1:
		buf_putf(out,
			 "UPDATE t SET d = '20%02u-%02u-%02u %02u:00:00.%u', i = %u WHERE id = %u",
			 a % 100, a % 13, b % 32, a % 25, b, b, 4000 + a % 8);
		break;
	default:
		for (uint64_t parts = (draw >> 8) % 12; parts > 0; parts--) {
			world_put_part(world, random, family, out);
		}
		break;
	}
}

static inline void world_make(struct texts_world *world, struct streams_fixture *random,
			      size_t count)
{
	uint64_t draw = fixture_random(random);
	uint32_t family = 0;

	memset(world, 0, sizeof(*world));
	world->texts = calloc(count, sizeof(*world->texts));
	world->bytes = calloc(count, sizeof(*world->bytes));
	world->family = calloc(count, sizeof(*world->family));
	world->context = calloc(count, sizeof(*world->context));
	assert_true(world->texts != NULL && world->bytes != NULL && world->family != NULL &&
		    world->context != NULL);
	for (size_t i = 0; i < WORLD_FAMILIES * 2; i++) {
		(void)snprintf(world->ids[i / 2][i % 2], 40, "%08x-1234-4567-89ab-%012x",
			       (unsigned)fixture_random(random), (unsigned)fixture_random(random));
	}
	for (size_t row = 0; row < count; row++) {
		uint64_t turn = fixture_random(random);

		family += turn % 4 == 0;
		world->family[row] = turn % 11 == 0 ? TEXTS_NO_FAMILY : family;
		world->context[row] = (uint32_t)(turn >> 16) % 3;
		buf_init(&world->bytes[row], 0);
		buf_put(&world->bytes[row], "", 0);
		world_put_text(world, random, draw % 3 == 0 ? TEXTS_NO_FAMILY : world->family[row],
			       &world->bytes[row]);
		world->texts[row] =
			turn % 17 == 0
				? (struct str){NULL, 0}
				: str_make(world->bytes[row].len > 0 ? world->bytes[row].ptr : "",
					   world->bytes[row].len);
	}
	world->about =
		(struct texts_column){.column = 5,
				      .is_tsql = (draw >> 8) % 2 == 0,
				      .count = count,
				      .context = (draw >> 9) % 2 == 0 ? world->context : NULL,
				      .family = draw % 3 == 0 ? NULL : world->family,
				      .ids_of = world_ids_of,
				      .owner = world};
}

static inline void world_done(struct texts_world *world)
{
	for (size_t row = 0; row < world->about.count; row++) {
		buf_done(&world->bytes[row]);
	}
	free(world->bytes);
	free(world->texts);
	free(world->family);
	free(world->context);
}

#endif
