#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/unit/head-damage.h"
#include "tests/unit/store-filled.h"

struct seen {
	struct filled *filled;
	uint64_t next, stop;
};

static int see(void *owner, uint64_t leaf, int64_t ingest_ns, struct str encoded, struct error *err)
{
	struct seen *seen = owner;
	struct str expected;
	assert_int_equal(leaf, seen->next++);
	assert_true(ingest_ns == FIXTURE_START_NS + (int64_t)(leaf / 300 * 300));
	(void)fixture_record(&seen->filled->fixture, leaf, &expected); /* only the bytes count */
	assert_true(str_equal(encoded, expected));
	return seen->next == seen->stop ? error_set(err, ERR_CANCELLED, "enough") : 0;
}

/* Counts alone: all records are in one batch. */
static int see_any(void *owner, uint64_t leaf, int64_t ingest_ns, struct str encoded,
		   struct error *err)
{
	struct seen *seen = owner;
	(void)ingest_ns;
	(void)encoded;
	(void)err;
	assert_int_equal(leaf, seen->next++);
	return 0;
}

static void from_any_leaf_to_the_end(void **state)
{
	/* all records in order, from the start, from inside a batch, from the end, and until the callback says stop */
	struct filled filled;
	(void)state;
	filled_init(&filled, 1000, 300);
	static const uint64_t starts[] = {0, 1, 299, 300, 301, 999, 1000, 5000};
	for (size_t i = 0; i < sizeof starts / sizeof starts[0]; i++) {
		struct seen seen = {.filled = &filled, .next = starts[i]};
		assert_int_equal(store_walk(filled.store, starts[i], see, &seen, &filled.err), 0);
		assert_int_equal(seen.next, starts[i] < 1000 ? 1000 : starts[i]);
	}
	struct seen seen = {.filled = &filled, .next = 10, .stop = 20};
	assert_int_equal(store_walk(filled.store, 10, see, &seen, &filled.err), -ERR_CANCELLED);
	assert_int_equal(seen.next, 20);
	filled_done(&filled);
}

static void what_is_missing_is_told(void **state)
{
	/* missing batches and damaged chunks end the walk with ERR_CORRUPT that names the first leaf that is not there */
	static const struct {
		const char *sql;
		uint64_t until;
	} cases[] = {
		{"DELETE FROM head WHERE batch = 2", 300},
		{"DELETE FROM head WHERE batch = 4", 900},
		{NULL, 300},
		{NULL, 0},
		{"UPDATE head SET batch = 9 WHERE batch = 3", 600},
	};
	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct filled filled;
		char leaf[32];
		filled_init(&filled, 1000, 300);
		if (cases[i].sql != NULL) {
			filled_sql(&filled, cases[i].sql);
		} else {
			head_damage(filled.fixture.dir, cases[i].until, HEAD_CHUNK);
		}
		struct seen seen = {.filled = &filled};
		assert_int_equal(store_walk(filled.store, 0, see, &seen, &filled.err),
				 -ERR_CORRUPT);
		assert_int_equal(seen.next, cases[i].until);
		if (i != 4) {
			assert_true(snprintf(leaf, sizeof leaf, "%llu",
					     (unsigned long long)cases[i].until) > 0);
			assert_non_null(strstr(filled.err.text, leaf));
		}
		filled_done(&filled);
	}
}

static void damage_in_a_run_is_placed(void **state)
{
	/* records before a damaged chunk are given, though it was read with them; without its index a batch is ERR_CORRUPT as a whole */
	struct filled filled;
	char path[128];
	char leaf[32];
	(void)state;
	filled_init(&filled, 900, 900);
	struct segment_span last = head_part_span(filled.fixture.dir, 899, HEAD_CHUNK);
	struct segment_span middle = head_part_span(filled.fixture.dir, 450, HEAD_CHUNK);
	struct segment_span index = head_part_span(filled.fixture.dir, 450, HEAD_INDEX);
	assert_true(middle.offset < last.offset && last.offset < index.offset);
	head_segment_path(filled.fixture.dir, 1, path);
	head_flip(filled.fixture.dir, middle);
	struct seen seen = {.filled = &filled};
	int rc = store_walk(filled.store, 0, see_any, &seen, &filled.err);
	assert_int_equal(rc, -ERR_CORRUPT);
	assert_true(seen.next > 400 && seen.next <= 450);
	assert_true(snprintf(leaf, sizeof leaf, "leaves %llu to ", (unsigned long long)seen.next) >
		    0);
	assert_non_null(strstr(filled.err.text, leaf));
	assert_non_null(strstr(filled.err.text, "head/000001.qth"));
	assert_int_equal(truncate(path, (off_t)index.offset), 0);
	seen.next = 0;
	assert_int_equal(store_walk(filled.store, 0, see_any, &seen, &filled.err), -ERR_CORRUPT);
	assert_int_equal(seen.next, 0);
	assert_non_null(strstr(filled.err.text, "too short"));
	filled_done(&filled);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(from_any_leaf_to_the_end),
		cmocka_unit_test(what_is_missing_is_told),
		cmocka_unit_test(damage_in_a_run_is_placed),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
