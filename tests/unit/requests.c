/* Requests and their ids. */
#include "correlator/join/requests.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/unit/join-rows.h"

static uint32_t add(struct book *book, struct line line, const char *key)
{
	struct record record = rows_request(&line, key);
	uint32_t request;
	assert_int_equal(requests_add(book, book->request_count, &record, true, &request), 0);
	return request;
}

/* An id of lines that differ is reused; of equal lines it is not, and the same one is named in any order. */
static void test_reuse(void **state)
{
	(void)state;
	static const struct line one = {T0, 500, "X1", "L1", "R1", "alice", "GET /a", 200};
	static const char *const keys[2][2] = {{"k1", "k2"}, {"k2", "k1"}};
	struct str named[2];
	struct join_options options = rows_options();
	for (int order = 0; order < 2; order++) {
		struct book book;
		struct error err;
		assert_int_equal(book_init(&book, &options, &err), 0);
		uint32_t first = add(&book, one, keys[order][0]);
		(void)add(&book, one, keys[order][1]); /* its index is not needed */
		const struct id *id = &book.ids[book.requests[first].id[ID_EXTENDED]];
		assert_false(id->reused);
		named[order] = str_of(keys[order][id->request]);
		struct line other = one;
		other.x = "X2";
		other.l = NULL;
		(void)add(&book, other, "k3"); /* nor this one's */
		assert_false(book.ids[book.requests[first].id[ID_EXTENDED]].reused);
		assert_true(book.ids[book.requests[first].id[ID_REQUEST]].reused);
		book_done(&book);
	}
	assert_true(str_equal(named[0], named[1]));
}

/* Without a plausible latency the end is unknown; a damaged time does not wrap. */
static void test_ends(void **state)
{
	(void)state;
	struct join_options options = rows_options();
	struct book book;
	struct error err;
	assert_int_equal(book_init(&book, &options, &err), 0);
	uint32_t known = add(&book, (struct line){T0, 500, .x = "1"}, "a");
	uint32_t absent = add(&book, (struct line){T0, -1, .x = "2"}, "b");
	uint32_t absurd = add(&book, (struct line){T0, INT64_MAX, .x = "3"}, "c");
	uint32_t late = add(&book, (struct line){INT64_MAX - 5, 500, .x = "4"}, "d");
	assert_int_equal(book.requests[known].end_ns, T0 + 500 * MS);
	assert_int_equal(book.requests[absent].end_ns, T0 + REQUESTS_UNKNOWN_END_NS);
	assert_true((book.requests[absent].flags & REQUEST_NO_LATENCY) != 0);
	assert_true((book.requests[absurd].flags & REQUEST_NO_LATENCY) != 0);
	assert_int_equal(book.requests[late].end_ns, INT64_MAX);
	book_done(&book);
}

/* The first route rule that fits is the request's; an invalid request id is no id. */
static void test_rule_and_replaced(void **state)
{
	(void)state;
	struct str login = STR_LIT("svc");
	const struct join_route_rule rules[] = {{STR_LIT("GET /orders/*"), &login, 1},
						{STR_LIT("GET *"), &login, 1}};
	struct join_options options = rows_options();
	options.routes = rules;
	options.route_count = 2;
	struct book book;
	struct error err;
	assert_int_equal(book_init(&book, &options, &err), 0);
	uint32_t orders =
		add(&book, (struct line){T0, 5, .x = "1", .route = "GET /orders/{id}"}, "a");
	uint32_t other = add(&book, (struct line){T0, 5, .x = "2", .route = "GET /other"}, "b");
	uint32_t post = add(&book,
			    (struct line){T0, 5, .x = "3", .r = "r_REPLACED_INVALID_REQUEST_ID",
					  .route = "POST /x"},
			    "c");
	assert_int_equal(book.requests[orders].rule, 0);
	assert_int_equal(book.requests[other].rule, 1);
	assert_int_equal(book.requests[post].rule, BOOK_NONE);
	assert_int_equal(book.requests[post].id[ID_REQUEST], BOOK_NONE);
	book_done(&book);
}

/* A claim agrees unless an id of the same kind differs; what one side lacks says nothing. */
static void test_agree(void **state)
{
	(void)state;
	struct join_options options = rows_options();
	struct book book;
	struct error err;
	assert_int_equal(book_init(&book, &options, &err), 0);
	uint32_t request = add(&book, (struct line){T0, 5, .x = "X1", .r = "R1"}, "a");
	struct claim claim = {.id = {BOOK_NONE, BOOK_NONE, BOOK_NONE}};
	assert_true(requests_agree(&book, request, &claim));
	assert_int_equal(book_id(&book, ID_EXTENDED, STR_LIT("X1"), &claim.id[ID_EXTENDED]), 0);
	assert_int_equal(book_id(&book, ID_LAMBDA, STR_LIT("L9"), &claim.id[ID_LAMBDA]), 0);
	assert_true(requests_agree(&book, request, &claim));
	assert_int_equal(book_id(&book, ID_REQUEST, STR_LIT("R2"), &claim.id[ID_REQUEST]), 0);
	assert_false(requests_agree(&book, request, &claim));
	book_done(&book);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_reuse),
		cmocka_unit_test(test_ends),
		cmocka_unit_test(test_rule_and_replaced),
		cmocka_unit_test(test_agree),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
