/* What an audit row carries and what it sets. */
#include "correlator/join/claim.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/unit/join-rows.h"

struct claim_case {
	struct row row;
	int carries;    /* bits by enum role */
	unsigned flags; /* of those below */
};

#define FLAGS                                                                      \
	(STATEMENT_WRITES | STATEMENT_SETS | STATEMENT_BY_INFO | STATEMENT_MIXED | \
	 STATEMENT_LOGIN | STATEMENT_LOGOUT | STATEMENT_RESETS | STATEMENT_COLUMN_OTHER)
#define COLUMN      (1 << ROLE_COLUMN)
#define MARK        (1 << ROLE_MARK)
#define APPLICATION (1 << ROLE_APPLICATION)
#define COMMENT     (1 << ROLE_COMMENT)
#define LAMBDA      "aaaaaaaa-0000-4000-8000-00000000000a"

static struct claims read_row(struct book *book, const struct row *row)
{
	struct record record = rows_statement(row, "k");
	struct claims claims;
	assert_int_equal(claim_read(book, &record, &claims), 0);
	return claims;
}

/* Each carrier is found where it stands, and nothing where it does not. */
static void test_carriers(void **state)
{
	(void)state;
	static const struct claim_case cases[] = {
		{{.text = "SELECT 1"}, 0, 0},
		{{.column = "{\"querytrail\":\"qt1 x=XA\"}"}, COLUMN, 0},
		{{.column = "{\"tenant\":\"no\"}"}, 0, STATEMENT_COLUMN_OTHER},
		{{.column = "qt1 z=1"}, 0, STATEMENT_COLUMN_OTHER},
		{{.application = "lambda:orders:" LAMBDA}, APPLICATION, 0},
		{{.application = LAMBDA "-1"}, APPLICATION, 0},
		{{.application = LAMBDA "1"}, 0, 0},
		{{.application = "aaaaaaaa-0000-4000-8000-00000000000"}, 0, 0},
		{{.application = "2026/11/22/[$LATEST]0123456789abcdef0123456789abcdef"}, 0, 0},
		{{.text = "/* qt1 x=XA */ SELECT 1"}, COMMENT, 0},
		{{.text = "SELECT 1 -- request_id=RA"}, COMMENT, 0},
		{{.action = "UDAU", .told = "qt1 x=XA"}, MARK, STATEMENT_WRITES},
		{{.action = "UDAU", .told = "user=1; qt1 x=XA"}, MARK, STATEMENT_WRITES},
		{{.action = "UDAU", .told = "qt0"}, 0, STATEMENT_WRITES},
		{{.action = "UDAU", .told = "  "}, 0, STATEMENT_WRITES},
		{{.action = "UDAU"}, 0, STATEMENT_WRITES},
		{{.action = "UDAU", .told = "qt1 z=broken"}, 0, STATEMENT_WRITES},
		{{.action = "UDAU", .told = "nightly job"}, 0, 0},
		{{.action = "SL", .told = "qt1 x=XA"}, 0, 0},
		{{.action = "LGIS"}, 0, STATEMENT_LOGIN | STATEMENT_RESETS},
		{{.action = "LGIF"}, 0, STATEMENT_LOGIN},
		{{.action = "LGO "}, 0, STATEMENT_LOGOUT | STATEMENT_RESETS},
	};
	struct join_options options = rows_options();
	struct book book;
	struct error err;
	assert_int_equal(book_init(&book, &options, &err), 0);
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct claims statement = read_row(&book, &cases[i].row);
		int carries = 0;
		for (int role = 0; role < ROLE_COUNT; role++) {
			carries |= (statement.by[role] != BOOK_NONE) << role;
		}
		if (carries != cases[i].carries || (statement.flags & FLAGS) != cases[i].flags) {
			fail_msg("case %zu: carries %d flags %x", i, carries, statement.flags);
		}
	}
	book_done(&book);
}

/* A batch that sets the context is known in each spelling; what cannot be read counts as clearing. */
static void test_sets(void **state)
{
	(void)state;
	static const struct claim_case cases[] = {
		{{.text = "EXEC sp_set_session_context N'querytrail', N'qt1 x=XA'"},
		 MARK,
		 STATEMENT_SETS},
		{{.text = "exec SP_SET_SESSION_CONTEXT N'querytrail', N'qt1 x=XA'; select 1"},
		 MARK,
		 STATEMENT_SETS | STATEMENT_MIXED},
		{{.text = "EXEC sp_set_session_context N'querytrail', N'qt1 x=XA' EXEC dbo.work"},
		 MARK,
		 STATEMENT_SETS | STATEMENT_MIXED},
		{{.text = "EXEC sp_set_session_context N'querytrail', NULL"}, 0, STATEMENT_SETS},
		{{.text = "EXEC sp_set_session_context @key = N'querytrail', @value = @p1"},
		 0,
		 STATEMENT_SETS},
		{{.text = "EXEC sp_set_session_context N'tenant', N'qt1 x=XA'"}, 0, 0},
		{{.text = "SET CONTEXT_INFO 0x71743120783d5841"},
		 MARK,
		 STATEMENT_SETS | STATEMENT_BY_INFO},
		{{.text = "set context_info 0x0102"}, 0, STATEMENT_SETS | STATEMENT_BY_INFO},
		{{.text = "SELECT session_context(N'tenant')"}, 0, 0},
		{{.text = "SELECT a_b, c_d_e FROM contexts_"}, 0, 0},
	};
	struct join_options options = rows_options();
	struct book book;
	struct error err;
	assert_int_equal(book_init(&book, &options, &err), 0);
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct row row = cases[i].row;
		row.action = "BCM";
		struct claims statement = read_row(&book, &row);
		bool marks = statement.by[ROLE_MARK] != BOOK_NONE;
		if (marks != (cases[i].carries == MARK) ||
		    (statement.flags & FLAGS) != cases[i].flags) {
			fail_msg("case %zu: marks %d flags %x", i, marks, statement.flags);
		}
	}
	book_done(&book);
}

/* Equal contexts are one claim, wherever they stand; a bare id in a comment is a hint, a whole context is not. */
static void test_claims_are_shared(void **state)
{
	(void)state;
	struct join_options options = rows_options();
	struct book book;
	struct error err;
	assert_int_equal(book_init(&book, &options, &err), 0);
	struct row row = {.column = "qt1 x=XA p=a", .text = "/* qt1 x=XA p=a t=5 */ SELECT 1"};
	struct claims statement = read_row(&book, &row);
	assert_int_equal(statement.by[ROLE_COLUMN], statement.by[ROLE_COMMENT]);
	assert_int_equal(read_row(&book, &row).by[ROLE_COLUMN], statement.by[ROLE_COLUMN]);
	assert_int_equal(book.claim_count, 1);
	assert_false((book.claims[0].flags & CLAIM_HINT) != 0);
	row = (struct row){.text = "/*request_id=RA*/ SELECT 1"};
	statement = read_row(&book, &row);
	assert_true((book.claims[statement.by[ROLE_COMMENT]].flags & CLAIM_HINT) != 0);
	row = (struct row){.column = "qt1 r=R_REPLACED_INVALID_REQUEST_ID"};
	statement = read_row(&book, &row);
	const struct claim *claim = &book.claims[statement.by[ROLE_COLUMN]];
	assert_true((claim->flags & CLAIM_REPLACED) != 0);
	assert_int_equal(claim->id[ID_REQUEST], BOOK_NONE);
	book_done(&book);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_carriers),
		cmocka_unit_test(test_sets),
		cmocka_unit_test(test_claims_are_shared),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
