#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/sim/world.h"

#include "base/clock.h"
#include "base/digest.h"
#include "base/utf8.h"

#include <stdlib.h>

#define NOW_NS (INT64_C(1795255200) * NS_PER_SEC)

static struct world *make(uint64_t seed, uint32_t count)
{
	struct world_options options = world_defaults(seed, count, NOW_NS);
	struct world *world = world_new(&options);
	assert_non_null(world);
	return world;
}

static void add_str(struct buf *out, struct str s)
{
	buf_putf(out, "%zu:", s.len);
	buf_put_str(out, s);
}

/* Everything a reader can see of a world, hashed. */
static void digest_world(const struct world *world, uint8_t out[DIGEST_BYTES])
{
	struct buf all;
	buf_init(&all, 0);
	uint32_t count = 0;
	const struct world_request *requests = world_requests(world, &count);
	for (uint32_t i = 0; i < count; i++) {
		add_str(&all, requests[i].line);
		add_str(&all, requests[i].event_id);
		add_str(&all, requests[i].stream);
		buf_put_i64(&all, requests[i].visible_ns);
	}
	const struct world_row *rows = world_rows(world, &count);
	for (uint32_t i = 0; i < count; i++) {
		add_str(&all, rows[i].statement_text);
		add_str(&all, rows[i].session_context);
		buf_put_i64(&all, rows[i].time_ns);
		buf_put_i64(&all, rows[i].offset);
		buf_put(&all, rows[i].connection_id, 16);
	}
	const struct world_statement *statements = world_statements(world, &count);
	for (uint32_t i = 0; i < count; i++) {
		buf_put_i64(&all, statements[i].request);
		buf_put_i64(&all, (int64_t)statements[i].expect);
	}
	assert_false(all.failed);
	digest_sha256(buf_str(&all), out);
	buf_done(&all);
}

static void test_same_seed_same_world(void **state)
{
	/* proves that a seed determines every byte, and that another seed gives another world */
	(void)state;
	uint8_t first[DIGEST_BYTES], second[DIGEST_BYTES], other[DIGEST_BYTES];
	struct world *world = make(7, 400);
	digest_world(world, first);
	world_free(world);
	world = make(7, 400);
	digest_world(world, second);
	world_free(world);
	world = make(8, 400);
	digest_world(world, other);
	world_free(world);
	assert_memory_equal(first, second, DIGEST_BYTES);
	assert_memory_not_equal(first, other, DIGEST_BYTES);
}

static void test_true_pairs_lie_inside(void **state)
{
	/* proves that a statement graded A or B lies inside the request that the truth names, and has one */
	(void)state;
	struct world *world = make(11, 3000);
	uint32_t statement_count = 0, request_count = 0, row_count = 0, pairs = 0;
	const struct world_statement *statements = world_statements(world, &statement_count);
	const struct world_request *requests = world_requests(world, &request_count);
	const struct world_row *rows = world_rows(world, &row_count);
	for (uint32_t i = 0; i < statement_count; i++) {
		enum world_expect expect = statements[i].expect;
		if (expect != WORLD_A && expect != WORLD_B) {
			continue;
		}
		assert_in_range(statements[i].request, 0, request_count - 1);
		const struct world_request *request = &requests[statements[i].request];
		int64_t at = rows[statements[i].first_row].time_ns;
		assert_true(at >= request->time_ns && at <= request->end_ns);
		assert_true(request->visible_ns != INT64_MAX);
		pairs++;
	}
	assert_true(pairs > 3000);
	world_free(world);
}

static void test_every_grade_occurs(void **state)
{
	/* proves that a world of demo size holds every kind of evidence in a believable share */
	(void)state;
	struct world *world = make(3, 3000);
	uint32_t count = 0, per_grade[WORLD_ANY + 1] = {0};
	const struct world_statement *statements = world_statements(world, &count);
	for (uint32_t i = 0; i < count; i++) {
		per_grade[statements[i].expect]++;
		assert_true(statements[i].why.len > 0);
	}
	assert_true(per_grade[WORLD_A] > count / 5);
	assert_true(per_grade[WORLD_B] > count / 20);
	assert_true(per_grade[WORLD_C] > count / 100);
	assert_true(per_grade[WORLD_U1] > count / 100);
	assert_true(per_grade[WORLD_X] > 20);
	world_free(world);
}

static void test_files_and_offsets(void **state)
{
	/* proves that files cover the rows in order, offsets rise within a file, many rows share one, and times go back */
	(void)state;
	struct world *world = make(5, 3000);
	uint32_t file_count = 0, row_count = 0, next = 0, shared = 0, backwards = 0;
	const struct world_file *files = world_files(world, &file_count);
	const struct world_row *rows = world_rows(world, &row_count);
	assert_true(file_count >= 3);
	for (uint32_t f = 0; f < file_count; f++) {
		assert_int_equal(files[f].first_row, next);
		next += files[f].row_count;
		assert_true(f == 0 || str_compare(files[f - 1].name, files[f].name) < 0);
		for (uint32_t r = files[f].first_row; r < next; r++) {
			assert_int_equal(rows[r].file, f);
			assert_true(rows[r].offset < files[f].size_bytes);
			if (r > files[f].first_row) {
				assert_true(rows[r].offset >= rows[r - 1].offset);
				shared += rows[r].offset == rows[r - 1].offset;
				backwards += rows[r].time_ns < rows[r - 1].time_ns;
			}
		}
	}
	assert_int_equal(next, row_count);
	assert_true(shared > row_count / 3);
	assert_true(backwards > 10);
	world_free(world);
}

/* UTF-16 units of WTF-8. */
static size_t units(struct str s)
{
	size_t count = 0;
	for (size_t i = 0; i < s.len; i++) {
		uint8_t byte = (uint8_t)s.ptr[i];
		count += byte >= 0xf0 ? 2 : (byte & 0xc0) != 0x80;
	}
	return count;
}

static void test_split_statements(void **state)
{
	/* proves that long statements come in parts of exactly 4000 UTF-16 units in sequence, one of them about 200 KB long */
	(void)state;
	struct world *world = make(5, 6000);
	uint32_t statement_count = 0, row_count = 0, split = 0;
	size_t longest = 0;
	const struct world_statement *statements = world_statements(world, &statement_count);
	const struct world_row *rows = world_rows(world, &row_count);
	for (uint32_t i = 0; i < statement_count; i++) {
		const struct world_row *first = &rows[statements[i].first_row];
		size_t size = 0;
		for (uint32_t r = 0; r < statements[i].row_count; r++) {
			assert_int_equal(first[r].statement, i);
			assert_int_equal(first[r].sequence, r + 1);
			assert_int_equal(first[r].time_ns, first->time_ns);
			assert_memory_equal(first[r].sequence_group_id, first->sequence_group_id,
					    16);
			size_t part = units(first[r].statement_text);
			bool last = r + 1 == statements[i].row_count;
			assert_true(last ? part <= 4000 : part == 4000);
			size += first[r].statement_text.len;
		}
		split += statements[i].row_count > 1;
		longest = size > longest ? size : longest;
	}
	assert_true(split > 5);
	assert_true(longest >= 200000);
	world_free(world);
}

static int compare_numbers(const void *a, const void *b)
{
	const int64_t *x = a, *y = b;
	return (*x > *y) - (*x < *y);
}

static void test_transaction_ids_are_unique(void **state)
{
	/* proves that a transaction id names one statement, which the truth file relies on */
	(void)state;
	struct world *world = make(9, 500);
	uint32_t statement_count = 0, row_count = 0;
	const struct world_statement *statements = world_statements(world, &statement_count);
	const struct world_row *rows = world_rows(world, &row_count);
	int64_t *ids = calloc(statement_count, sizeof(ids[0]));
	assert_non_null(ids);
	for (uint32_t i = 0; i < statement_count; i++) {
		ids[i] = rows[statements[i].first_row].transaction_id;
	}
	qsort(ids, statement_count, sizeof(ids[0]), compare_numbers);
	for (uint32_t i = 1; i < statement_count; i++) {
		assert_true(ids[i] != ids[i - 1]);
	}
	free(ids);
	world_free(world);
}

static void test_sessions_do_not_overlap(void **state)
{
	/* proves that two connections never hold one session id at the same time, and that ids are used again */
	(void)state;
	struct world *world = make(13, 2000);
	uint32_t row_count = 0, reused = 0;
	const struct world_row *rows = world_rows(world, &row_count);
	for (int32_t id = 51; id < 120; id++) {
		/* the rows of one session stand in order of time in the files */
		const struct world_row *last = NULL;
		for (uint32_t r = 0; r < row_count; r++) {
			if (rows[r].session_id != id) {
				continue;
			}
			if (last != NULL &&
			    memcmp(last->connection_id, rows[r].connection_id, 16) != 0) {
				assert_true(str_is(last->action_id, "LGO"));
				assert_true(str_is(rows[r].action_id, "LGIS"));
				reused++;
			}
			assert_true(last == NULL || rows[r].time_ns > last->time_ns ||
				    rows[r].statement == last->statement);
			last = &rows[r];
		}
	}
	assert_true(reused > 10);
	world_free(world);
}

static void test_story(void **state)
{
	/* proves that the incident happened as the story tells it: exports that grow, a bypass, a login that does not fit */
	(void)state;
	struct world *world = make(1, 1000);
	struct world_story story = world_story(world);
	uint32_t count = 0, request_count = 0, row_count = 0, exports = 0, bypasses = 0,
		 misfits = 0;
	const struct world_statement *statements = world_statements(world, &count);
	const struct world_request *requests = world_requests(world, &request_count);
	const struct world_row *rows = world_rows(world, &row_count);
	int64_t largest = 0;
	for (uint32_t i = 0; i < count; i++) {
		const struct world_row *row = &rows[statements[i].first_row];
		bool export =
			statements[i].request >= 0 &&
			str_is(requests[statements[i].request].route, "GET /customers/export");
		if (export && statements[i].expect != WORLD_ANY) {
			assert_true(str_equal(requests[statements[i].request].user, story.insider));
			assert_true(row->response_rows >= largest);
			largest = row->response_rows;
			exports++;
			misfits += statements[i].expect == WORLD_X;
		}
		if (str_equal(row->principal, story.bypass_login) &&
		    str_is(row->object, "Customers")) {
			assert_int_equal(statements[i].expect, WORLD_U1);
			bypasses++;
		}
	}
	assert_int_equal(exports, 12);
	assert_int_equal(misfits, 1);
	assert_int_equal(bypasses, 3);
	assert_true(largest >= 10000);
	assert_true(str_is(story.table, "crm.Customers"));
	assert_true(story.extended_request_id.len > 0);
	world_free(world);
}

static void test_visibility(void **state)
{
	/* proves that with a speed rows and lines appear over time, lost lines never, and a file only grows */
	(void)state;
	struct world_options options = world_defaults(2, 1000, NOW_NS);
	options.visible_base_ns = NOW_NS - 12 * NS_PER_HOUR;
	options.wall_start_ns = NOW_NS;
	options.visible_speed = 3600;
	options.lost_permille = 50;
	struct world *world = world_new(&options);
	assert_non_null(world);
	uint32_t count = 0, lost = 0, later = 0;
	const struct world_request *requests = world_requests(world, &count);
	for (uint32_t i = 0; i < count; i++) {
		lost += requests[i].visible_ns == INT64_MAX;
		later += requests[i].visible_ns > NOW_NS && requests[i].visible_ns != INT64_MAX;
		assert_true(requests[i].visible_ns == INT64_MAX ||
			    requests[i].visible_ns < NOW_NS + 30 * NS_PER_SEC);
		assert_true(i == 0 || requests[i - 1].time_ns <= requests[i].time_ns);
	}
	assert_in_range(lost, 10, 120);
	assert_in_range(later, 300, 700);
	const struct world_row *rows = world_rows(world, &count);
	for (uint32_t i = 1; i < count; i++) {
		assert_true(rows[i].visible_ns >= rows[i - 1].visible_ns);
	}
	world_free(world);
}

static void test_empty_world(void **state)
{
	/* proves that a world without requests still has its people, who all lack one */
	(void)state;
	struct world *world = make(1, 0);
	uint32_t count = 0;
	const struct world_statement *statements = world_statements(world, &count);
	assert_true(count > 0);
	for (uint32_t i = 0; i < count; i++) {
		assert_int_equal(statements[i].request, -1);
		assert_true(statements[i].expect == WORLD_U1 || statements[i].expect == WORLD_ANY);
	}
	(void)world_requests(world, &count);
	assert_int_equal(count, 0);
	world_free(world);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_same_seed_same_world),
		cmocka_unit_test(test_true_pairs_lie_inside),
		cmocka_unit_test(test_every_grade_occurs),
		cmocka_unit_test(test_files_and_offsets),
		cmocka_unit_test(test_split_statements),
		cmocka_unit_test(test_transaction_ids_are_unique),
		cmocka_unit_test(test_sessions_do_not_overlap),
		cmocka_unit_test(test_story),
		cmocka_unit_test(test_visibility),
		cmocka_unit_test(test_empty_world),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
