#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "store/columns.h"
#include "tests/unit/store-fixture.h"

struct world {
	struct fixture fixture;
	struct columns_builder *builder;
	struct buf columns, ids;
	struct columns_directory directory;
	uint8_t kinds[512];
	int64_t numbers[512];
	uint32_t codes[512];
	struct columns_codes text;
	size_t row_count;
};

static void world_init(struct world *world)
{
	memset(world, 0, sizeof *world);
	fixture_init(&world->fixture);
	world->builder = columns_builder_new();
	assert_non_null(world->builder);
	buf_init(&world->columns, 0);
	world->text.codes = world->codes;
	buf_init(&world->ids, 0);
}

static void world_done(struct world *world)
{
	columns_builder_free(world->builder);
	buf_done(&world->columns);
	buf_done(&world->ids);
	free(world->text.texts);
	fixture_done(&world->fixture);
}

static int open_blob(struct world *world, struct str blob)
{
	struct error err;
	struct str front = str_slice(blob, 0, COLUMNS_FRONT_BYTES);
	return columns_directory_read(front, blob.len, &world->directory, &err);
}

static struct str section_bytes(const struct columns_section *section, struct str blob)
{
	return str_slice(blob, section->offset, section->length);
}

static void finish(struct world *world, size_t row_count)
{
	struct error err;
	assert_int_equal(columns_builder_finish(world->builder, &world->columns, &world->ids), 0);
	assert_int_equal(open_blob(world, buf_str(&world->columns)), 0);
	assert_int_equal(world->directory.row_count, row_count);
	world->row_count = row_count;
	const struct columns_section *kinds =
		columns_directory_find(&world->directory, COLUMNS_KIND);
	assert_non_null(kinds);
	assert_int_equal(columns_read_kinds(kinds, section_bytes(kinds, buf_str(&world->columns)),
					    row_count, world->kinds, &err),
			 0);
}

static const int64_t *numbers(struct world *world, unsigned id)
{
	struct error err;
	struct columns_rows rows = columns_rows(world->kinds, world->row_count);
	const struct columns_section *section = columns_directory_find(&world->directory, id);
	assert_non_null(section);
	assert_int_equal(columns_read_numbers(section,
					      section_bytes(section, buf_str(&world->columns)),
					      &rows, world->numbers, &err),
			 0);
	return world->numbers;
}

static const uint32_t *codes(struct world *world, unsigned id)
{
	struct error err;
	struct columns_rows rows = columns_rows(world->kinds, world->row_count);
	const struct columns_section *section = columns_directory_find(&world->directory, id);
	assert_non_null(section);
	assert_int_equal(columns_read_codes(section,
					    section_bytes(section, buf_str(&world->columns)), &rows,
					    &world->text, &err),
			 0);
	return world->codes;
}

static void every_value_comes_back(void **state)
{
	/* each hot field of each row reads as the record has it: value, absent, or of another kind */
	struct world world;
	struct str encoded;
	(void)state;
	world_init(&world);
	for (uint64_t n = 0; n < 400; n++) {
		const struct record *record = fixture_record(&world.fixture, n, &encoded);
		assert_int_equal(columns_builder_add(world.builder, record), 0);
	}
	finish(&world, 400);
	for (unsigned field = 1; field < FIELD_LIMIT; field++) {
		enum columns_form form = columns_form(field);
		if (form == 0 || form == COLUMNS_IDS) {
			assert_null(columns_directory_find(&world.directory, field));
			continue;
		}
		if (form == COLUMNS_NUMBERS) {
			(void)numbers(&world, field);
		} else {
			(void)codes(&world, field);
		}
		for (uint64_t n = 0; n < 400; n++) {
			const struct record *record = fixture_record(&world.fixture, n, &encoded);
			bool has = record_has(record, field);
			if (form == COLUMNS_NUMBERS) {
				assert_true(world.numbers[n] ==
					    (has ? record->value[field].number : INT64_MIN));
			} else if (has) {
				assert_true(world.codes[n] < world.text.text_count);
				assert_true(str_equal(world.text.texts[world.codes[n]],
						      record->value[field].text));
			} else {
				assert_int_equal(world.codes[n], UINT32_MAX);
			}
		}
	}
	world_done(&world);
}

static void add_gap(struct world *world, int64_t time_ns, int64_t from_ns)
{
	struct record record;
	record_init(&record, RECORD_GAP);
	record.source = STR_LIT("s");
	record.key = STR_LIT("k");
	record.time_ns = time_ns;
	if (from_ns != INT64_MIN) {
		record_set_number(&record, FIELD_gap_from, from_ns);
	}
	assert_int_equal(columns_builder_add(world->builder, &record), 0);
}

static void numbers_of_any_range(void **state)
{
	/* the whole range of int64 goes through in one column, next to absent rows; the lowest value reads as absent */
	static const int64_t values[] = {INT64_MAX, INT64_MIN + 1, 0, -1, INT64_MIN, 1};
	struct world world;
	(void)state;
	world_init(&world);
	for (size_t i = 0; i < 6; i++) {
		add_gap(&world, values[5 - i], values[i]);
	}
	finish(&world, 6);
	assert_memory_equal(numbers(&world, FIELD_gap_from), values, sizeof values);
	for (size_t i = 0; i < 6; i++) {
		assert_true(numbers(&world, COLUMNS_TIME)[i] == values[5 - i]);
	}
	world_done(&world);
}

static void widths_follow_the_range(void **state)
{
	/* each border between 1, 2, 4 and 8 bytes: the largest value and "absent" stay apart */
	static const struct {
		uint64_t range;
		unsigned width;
	} cases[] = {{0, 1},          {254, 1},          {255, 2},
		     {65534, 2},      {65535, 4},        {UINT32_MAX - 1ull, 4},
		     {UINT32_MAX, 8}, {INT64_MAX - 5, 8}};
	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct world world;
		world_init(&world);
		add_gap(&world, 0, 5);
		add_gap(&world, 0, 5 + (int64_t)cases[i].range);
		add_gap(&world, 0, cases[i].range > 0 ? 6 : 5); /* no common divisor */
		add_gap(&world, 0, INT64_MIN);
		finish(&world, 4);
		assert_int_equal(columns_directory_find(&world.directory, FIELD_gap_from)->width,
				 cases[i].width);
		const int64_t *read = numbers(&world, FIELD_gap_from);
		assert_true(read[0] == 5 && read[1] == 5 + (int64_t)cases[i].range &&
			    read[3] == INT64_MIN);
		world_done(&world);
	}
}

static void common_divisor_is_taken_out(void **state)
{
	/* times in whole milliseconds over some seconds need two bytes a row */
	struct world world;
	(void)state;
	world_init(&world);
	for (int64_t i = 0; i < 300; i++) {
		add_gap(&world, FIXTURE_START_NS + i * 25000000, INT64_MIN);
	}
	finish(&world, 300);
	assert_int_equal(columns_directory_find(&world.directory, COLUMNS_TIME)->width, 2);
	assert_true(numbers(&world, COLUMNS_TIME)[299] ==
		    FIXTURE_START_NS + 299 * INT64_C(25000000));
	world_done(&world);
}

static void dictionaries_of_any_size(void **state)
{
	/* 255 texts in one byte with "absent", 256 in two */
	(void)state;
	for (size_t texts = 254; texts <= 257; texts++) {
		struct world world;
		world_init(&world);
		for (size_t i = 0; i <= texts; i++) {
			struct record record;
			char text[16];
			record_init(&record, RECORD_GAP);
			record.source = STR_LIT("s");
			record.key = STR_LIT("k");
			int len = snprintf(text, sizeof text, "%zu", i);
			if (i < texts) {
				record_set_text(&record, FIELD_gap_kind,
						str_make(text, (size_t)len));
			}
			assert_int_equal(columns_builder_add(world.builder, &record), 0);
		}
		finish(&world, texts + 1);
		assert_int_equal(columns_directory_find(&world.directory, FIELD_gap_kind)->width,
				 texts <= 255 ? 1 : 2);
		assert_int_equal(codes(&world, FIELD_gap_kind)[texts], UINT32_MAX);
		assert_int_equal(world.codes[texts - 1], texts - 1);
		assert_int_equal(world.text.text_count, texts);
		world_done(&world);
	}
}

static int count_row(void *owner, size_t row)
{
	size_t *sum = owner;
	*sum += 1000 + row;
	return 0;
}

static size_t find_row(struct world *world, unsigned id, uint32_t hash)
{
	struct error err;
	size_t sum = 0;
	struct columns_rows rows = columns_rows(world->kinds, world->row_count);
	struct columns_wanted wanted = {.hash = hash, .each = count_row, .owner = &sum};
	const struct columns_section *section = columns_directory_find(&world->directory, id);
	assert_non_null(section);
	assert_int_equal(columns_find_id(section, section_bytes(section, buf_str(&world->ids)),
					 &rows, &wanted, &err),
			 0);
	return sum;
}

static void ids_are_found_by_hash(void **state)
{
	/* the row of an id and of a stable id; none for an id that is not there; no hash is 0 */
	struct world world;
	struct str encoded;
	(void)state;
	world_init(&world);
	for (uint64_t n = 0; n < 70; n++) {
		assert_int_equal(columns_builder_add(world.builder,
						     fixture_record(&world.fixture, n, &encoded)),
				 0);
	}
	finish(&world, 70);
	assert_int_equal(open_blob(&world, buf_str(&world.ids)), 0);
	const struct record *record = fixture_record(&world.fixture, 7, &encoded);
	uint32_t hash = columns_id_hash(record_text(record, FIELD_request_id));
	assert_int_not_equal(hash, 0);
	assert_int_equal(find_row(&world, FIELD_request_id, hash), 1007);
	assert_int_equal(
		find_row(&world, COLUMNS_RECORD, columns_record_hash(record->source, record->key)),
		1007);
	assert_int_equal(find_row(&world, FIELD_request_id, columns_id_hash(STR_LIT("nobody"))), 0);
	world_done(&world);
}

/* Reads everything that a blob holds; returns whether nothing was refused. */
static bool reads_whole(struct world *world, struct str blob)
{
	if (open_blob(world, blob) < 0 || world->directory.row_count > 512) {
		return false;
	}
	bool whole = true;
	size_t sum = 0;
	size_t row_count = world->directory.row_count;
	struct columns_rows rows = {0};
	struct columns_wanted wanted = {.hash = 1, .each = count_row, .owner = &sum};
	for (size_t i = 0; i < world->directory.section_count; i++) {
		const struct columns_section *section = &world->directory.sections[i];
		struct str bytes = section_bytes(section, blob);
		if (section->form == COLUMNS_BYTES) {
			whole &= columns_read_kinds(section, bytes, row_count, world->kinds,
						    NULL) == 0;
			if (!whole) {
				return false;
			}
			rows = columns_rows(world->kinds, row_count);
		} else if (section->form == COLUMNS_NUMBERS) {
			whole &= columns_read_numbers(section, bytes, &rows, world->numbers,
						      NULL) == 0;
		} else if (section->form == COLUMNS_CODES) {
			whole &= columns_read_codes(section, bytes, &rows, &world->text, NULL) == 0;
		} else {
			whole &= columns_find_id(section, bytes, &rows, &wanted, NULL) == 0;
		}
	}
	return whole;
}

static void flip_all(struct world *world, struct buf *blob)
{
	for (size_t bit = 0; bit < blob->len * 8; bit++) {
		blob->ptr[bit / 8] = (char)(blob->ptr[bit / 8] ^ 1 << bit % 8);
		assert_false(reads_whole(world, buf_str(blob)));
		blob->ptr[bit / 8] = (char)(blob->ptr[bit / 8] ^ 1 << bit % 8);
	}
	for (size_t len = 0; len < blob->len; len++) {
		assert_false(reads_whole(world, str_make(blob->ptr, len)));
	}
	assert_true(reads_whole(world, buf_str(blob)));
}

static void every_damage_is_told(void **state)
{
	/* no bit can flip and no byte be cut off without ERR_CORRUPT, in both blobs */
	struct world world;
	struct str encoded;
	(void)state;
	world_init(&world);
	for (uint64_t n = 0; n < 9; n++) {
		assert_int_equal(columns_builder_add(world.builder,
						     fixture_record(&world.fixture, n, &encoded)),
				 0);
	}
	finish(&world, 9);
	flip_all(&world, &world.columns);
	flip_all(&world, &world.ids);
	world_done(&world);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_value_comes_back),
		cmocka_unit_test(numbers_of_any_range),
		cmocka_unit_test(widths_follow_the_range),
		cmocka_unit_test(common_divisor_is_taken_out),
		cmocka_unit_test(dictionaries_of_any_size),
		cmocka_unit_test(ids_are_found_by_hash),
		cmocka_unit_test(every_damage_is_told),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
