/* The decision table, case by case, through the join's public face. */
#include "correlator/join/grade.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "model/context.h"
#include "tests/unit/join-rows.h"

#define UUID_A "aaaaaaaa-0000-4000-8000-00000000000a"
#define UUID_B "aaaaaaaa-0000-4000-8000-00000000000b"

struct grade_case {
	struct row row;
	const char *grade, *carrier, *matched_by, *reason; /* reason: a part of it */
	uint64_t request;
};

static const struct line lines[] = {
	{T0, 500, "XA", UUID_A, "RA", "alice", "GET /a", 200},
	{T0 + 100 * MS, 500, "XB", UUID_B, "RB", "bob", "GET /b", 200},
	{T0, 500, "XC", NULL, "RC", NULL, NULL, 200},
	{T0, -1, "XN", "LN", "RN", "nora", NULL, 200},
	{T0, 500, "X2", "L2", "R2", "twice", NULL, 200},
	{T0 + 50 * MS, 500, "X2", "L3", "R3", "twice", NULL, 200}, /* the gateway's id, twice */
	{T0, 500, "X4", "L4", "RA", "mallory", NULL, 200},         /* alice's requestId, copied */
	{T0, 500, "X5", "L5", "RV_REPLACED_INVALID_REQUEST_ID", "eve", NULL, 200},
};

#define LINES (sizeof lines / sizeof *lines)

static void run_cases(const struct join_options *options, const struct grade_case *cases,
		      size_t count)
{
	for (size_t i = 0; i < count; i++) {
		struct bench bench = bench_with(options);
		for (size_t line = 0; line < LINES; line++) {
			add_line(&bench, line, lines[line]);
		}
		struct row row = cases[i].row;
		row.time_ns = row.time_ns == 0 ? T0 + 300 * MS : row.time_ns;
		add_row(&bench, 60, row);
		settle_all(&bench);
		if (strcmp(bench.last[60].grade, cases[i].grade) != 0) {
			fail_msg("case %zu: %s (%s)", i, bench.last[60].grade, bench.reason[60]);
		}
		expect(&bench, 60, cases[i].grade, cases[i].request);
		assert_string_equal(bench.last[60].carrier, cases[i].carrier);
		assert_string_equal(bench.last[60].matched_by, cases[i].matched_by);
		if (strstr(bench.reason[60], cases[i].reason) == NULL) {
			fail_msg("case %zu: %s", i, bench.reason[60]);
		}
		join_free(bench.join);
	}
}

static const struct grade_case strengths[] = {
	{{.column = "qt1 x=XA l=" UUID_A " r=RA p=alice"},
	 "A",
	 "session_context",
	 "extended_request_id",
	 "only the gateway",
	 0},
	{{.action = "UDAU", .told = "qt1 x=XA"},
	 "A",
	 "audit_write",
	 "extended_request_id",
	 "only the gateway",
	 0},
	{{.action = "BCM", .text = "EXEC sp_set_session_context N'querytrail', N'qt1 x=XB'"},
	 "A",
	 "session_replay",
	 "extended_request_id",
	 "",
	 1},
	{{.column = "qt1 l=" UUID_A}, "B", "session_context", "lambda_request_id", "Lambda", 0},
	{{.column = "qt1 x=XZ l=LN"},
	 "X",
	 "session_context",
	 "lambda_request_id",
	 "ids of the context",
	 JOIN_NO_LEAF},
	{{.application = "lambda:orders:" UUID_A},
	 "B",
	 "application",
	 "lambda_request_id",
	 "Lambda",
	 0},
	{{.application = "AAAAAAAA-0000-4000-8000-00000000000A"},
	 "B",
	 "application",
	 "lambda_request_id",
	 "",
	 0},
	{{.application = "x" UUID_A}, "U1", "", "", "no request context", JOIN_NO_LEAF},
	{{.application = "agent "
			 "cccccccc-0000-4000-8000-000000000001"},
	 "U1",
	 "",
	 "",
	 "no request bears",
	 JOIN_NO_LEAF},
	{{.column = "qt1 r=RB"}, "C", "session_context", "request_id", "caller may choose", 1},
	{{.text = "/* qt1 x=XA */ SELECT 1"}, "C", "comment", "extended_request_id", "comment", 0},
	{{.text = "SELECT 1 /*request_id='RB'*/"}, "C", "comment", "request_id", "comment", 1},
	{{.column = "qt1 x=XC p=alice"}, "A", "session_context", "extended_request_id", "", 2},
	{{.column = "qt1 x=XN"},
	 "C",
	 "session_context",
	 "extended_request_id",
	 "responseLatency",
	 3},
	{{.column = "qt1 x=XZ"}, "U1", "", "", "never arrived", JOIN_NO_LEAF},
	{{.column = "qt1 r=RV_REPLACED_INVALID_REQUEST_ID"}, "U1", "", "", "made up", JOIN_NO_LEAF},
	{{.column = "qt1 x=X5 r=RV_REPLACED_INVALID_REQUEST_ID"},
	 "A",
	 "session_context",
	 "extended_request_id",
	 "",
	 7},
	{{.text = "SELECT 1"}, "U1", "", "", "no request context", JOIN_NO_LEAF},
	{{.action = "LGO "}, "U1", "", "", "a logout", JOIN_NO_LEAF},
	{{.action = "LGIF"}, "U1", "", "", "a login", JOIN_NO_LEAF},
	{{.action = "UDAU", .told = "qt0"}, "U1", "", "", "only clears", JOIN_NO_LEAF},
};

/* Which carrier and which id lead to which grade. */
static void test_strength(void **state)
{
	(void)state;
	struct join_options options = rows_options();
	run_cases(&options, strengths, sizeof strengths / sizeof *strengths);
}

static const struct grade_case contradictions[] = {
	{{.column = "qt1 x=X2"}, "X", "session_context", "", "several different", JOIN_NO_LEAF},
	{{.column = "qt1 r=RA"}, "X", "session_context", "", "several different", JOIN_NO_LEAF},
	{{.column = "qt1 x=XA r=RA"}, "A", "session_context", "extended_request_id", "", 0},
	{{.column = "qt1 x=XA r=RB"},
	 "X",
	 "session_context",
	 "extended_request_id",
	 "ids of the context",
	 JOIN_NO_LEAF},
	{{.column = "qt1 x=XA l=" UUID_B},
	 "X",
	 "session_context",
	 "extended_request_id",
	 "ids of the context",
	 JOIN_NO_LEAF},
	{{.column = "qt1 x=XA", .text = "/* qt1 x=XB */ SELECT 1"},
	 "X",
	 "session_context",
	 "extended_request_id",
	 "another carrier",
	 JOIN_NO_LEAF},
	{{.column = "qt1 x=XA", .text = "/* qt1 x=XZ */ SELECT 1"},
	 "X",
	 "session_context",
	 "extended_request_id",
	 "another carrier",
	 JOIN_NO_LEAF},
	{{.column = "qt1 x=XA", .text = "/*request_id=RB*/ SELECT 1"},
	 "X",
	 "session_context",
	 "extended_request_id",
	 "another carrier",
	 JOIN_NO_LEAF},
	{{.column = "qt1 x=XA", .text = "/*request_id=their-own*/ SELECT 1"},
	 "A",
	 "session_context",
	 "extended_request_id",
	 "",
	 0},
	{{.column = "qt1 x=XA", .application = UUID_B},
	 "X",
	 "session_context",
	 "extended_request_id",
	 "another carrier",
	 JOIN_NO_LEAF},
	{{.column = "qt1 x=XA p=bob"},
	 "X",
	 "session_context",
	 "extended_request_id",
	 "another user",
	 0},
	{{.column = "qt1 x=XA", .time_ns = T0 + 6 * S},
	 "X",
	 "session_context",
	 "extended_request_id",
	 "ended 5.5 s before; a pooled session kept it",
	 0},
	{{.column = "qt1 x=XA", .time_ns = T0 - 6 * S},
	 "X",
	 "session_context",
	 "extended_request_id",
	 "6.0 s before the request",
	 0},
	{{.column = "qt1 x=XA", .login = "svc_b"},
	 "X",
	 "session_context",
	 "extended_request_id",
	 "login",
	 0},
	{{.column = "qt1 x=XA", .login = "SVC_A1"},
	 "A",
	 "session_context",
	 "extended_request_id",
	 "",
	 0},
	{{.column = "qt1 x=XB", .login = "svc_b"},
	 "A",
	 "session_context",
	 "extended_request_id",
	 "",
	 1},
};

/* What contradicts itself is X, and names a request only when there is no second one. */
static void test_contradictions(void **state)
{
	(void)state;
	struct str principals[] = {STR_LIT("svc_a?"), STR_LIT("dbo")};
	struct join_route_rule rule = {STR_LIT("GET /a*"), principals, 2};
	struct join_options options = rows_options();
	options.routes = &rule;
	options.route_count = 1;
	/* Rows without any login are not judged by it: give them one that fits. */
	struct grade_case with_login[sizeof contradictions / sizeof *contradictions];
	for (size_t i = 0; i < sizeof contradictions / sizeof *contradictions; i++) {
		with_login[i] = contradictions[i];
		if (contradictions[i].row.login == NULL) {
			with_login[i].row.login = "svc_a1";
		}
	}
	run_cases(&options, with_login, sizeof contradictions / sizeof *contradictions);
}

/* Near the borders of tolerance and slack the grade changes exactly there. */
static void test_borders(void **state)
{
	(void)state;
	const char *xa = "qt1 x=XA", *by = "session_context", *id = "extended_request_id";
	const struct grade_case cases[] = {
		{{T0 - 100 * MS, .column = xa}, "A", by, id, "", 0},
		{{T0 - 100 * MS - 1, .column = xa},
		 "C",
		 by,
		 id,
		 "100 ms before its request began",
		 0},
		{{T0 + 600 * MS, .column = xa}, "A", by, id, "", 0},
		{{T0 + 600 * MS + 1, .column = xa}, "C", by, id, "ended 100 ms before", 0},
		{{T0 + 5500 * MS, .column = xa},
		 "C",
		 by,
		 id,
		 "ended 5.0 s before; a pooled session may",
		 0},
		{{T0 + 5500 * MS + 1, .column = xa},
		 "X",
		 by,
		 id,
		 "ended 5.0 s before; a pooled session kept",
		 0},
		{{T0 - 5 * S, .column = xa}, "C", by, id, "", 0},
		{{T0 - 5 * S - 1, .column = xa}, "X", by, id, "", 0},
		{{INT64_MIN, .column = xa}, "X", by, id, "", 0},
		{{INT64_MAX, .column = xa}, "X", by, id, "", 0},
	};
	struct join_options options = rows_options();
	run_cases(&options, cases, sizeof cases / sizeof *cases);
}

static const char *sign(struct context context, const char *key, struct buf *out)
{
	buf_init(out, 0);
	context_put(&context, str_of(key), out);
	assert_false(out->failed);
	return out->ptr;
}

/* A valid signature lifts a comment or a Lambda id to A, a requestId only with the user; a wrong one is X. */
static void test_signatures(void **state)
{
	(void)state;
	struct context l = {.lambda_request_id = STR_LIT(UUID_A)},
		       r = {.request_id = STR_LIT("RB")};
	struct context rp = r;
	memcpy(rp.principal, "bob", 3);
	rp.principal_len = 3;
	struct buf good_l, good_r, good_rp, bad;
	sign(l, "the key", &good_l);
	sign(r, "the key", &good_r);
	sign(rp, "the key", &good_rp);
	sign(l, "guess", &bad);
	struct buf comment;
	buf_init(&comment, 0);
	buf_putf(&comment, "/* %s */ SELECT 1", good_l.ptr);
	const char *by = "session_context";
	const struct grade_case cases[] = {
		{{.column = good_l.ptr}, "A", by, "signature", "signed", 0},
		{{.text = comment.ptr}, "A", "comment", "signature", "signed", 0},
		{{.column = good_r.ptr}, "C", by, "request_id", "caller may choose", 1},
		{{.column = good_rp.ptr}, "A", by, "signature", "signed", 1},
		{{.column = bad.ptr}, "X", by, "lambda_request_id", "forged", 0},
		{{.column = "qt1 x=XA"}, "A", by, "extended_request_id", "", 0},
	};
	struct join_options options = rows_options();
	options.signing_key = STR_LIT("the key");
	run_cases(&options, cases, sizeof cases / sizeof *cases);
	const struct grade_case strict[] = {
		{{.column = "qt1 x=XA"}, "C", by, "extended_request_id", "no valid signature", 0},
		{{.column = good_l.ptr}, "A", by, "signature", "signed", 0},
	};
	options.require_signature = true;
	run_cases(&options, strict, sizeof strict / sizeof *strict);
	buf_done(&good_l);
	buf_done(&good_r);
	buf_done(&good_rp);
	buf_done(&bad);
	buf_done(&comment);
}

/* Requests without a statement say why, going by their status or by what contradicts them. */
static void test_requests_alone(void **state)
{
	(void)state;
	struct bench bench = bench_new();
	static const struct line refused = {T0, 5, .x = "Q1", .status = 403},
				 failed = {T0, 5, .x = "Q2", .status = 504};
	add_line(&bench, 1, refused);
	add_line(&bench, 2, failed);
	add_line(&bench, 3, lines[0]);
	add_line(&bench, 4, lines[4]);
	add_line(&bench, 5, lines[5]);
	add_row(&bench, 6, (struct row){T0, .column = "qt1 x=X2"});
	settle_all(&bench);
	expect(&bench, 1, "U2", 1);
	assert_non_null(strstr(bench.reason[1], "refused with status 403"));
	assert_non_null(strstr(bench.reason[2], "failed with status 504"));
	assert_string_equal(bench.reason[3], "no statement came for this request");
	assert_non_null(strstr(bench.reason[4], "contradict"));
	assert_non_null(strstr(bench.reason[5], "contradict"));
	join_free(bench.join);
}

/* The words of the verdict fields are those that fields.def promises. */
static void test_words(void **state)
{
	(void)state;
	assert_string_equal(grade_name(GRADE_U2), "U2");
	assert_string_equal(grade_carrier_name(CARRIER_REPLAY), "session_replay");
	assert_string_equal(grade_matched_name(MATCHED_SIGNATURE), "signature");
	assert_string_equal(grade_name(GRADE_NONE), "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_strength),       cmocka_unit_test(test_contradictions),
		cmocka_unit_test(test_borders),        cmocka_unit_test(test_signatures),
		cmocka_unit_test(test_requests_alone), cmocka_unit_test(test_words),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
