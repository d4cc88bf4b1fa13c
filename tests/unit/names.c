/* Names of log sources and of their fields. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "correlator/rules/names.h"

static enum log log_of(const char *product, const char *category, const char *service)
{
	struct rule rule = {.product = str_of(product),
			    .category = str_of(category),
			    .service = str_of(service)};
	struct error err;
	enum log log;

	return names_log(&rule, &log, &err) == 0 ? log : 0;
}

static void log_sources_are_known(void **state)
{ /* proves which log sources there are, and that others are none */
	(void)state;
	assert_int_equal(log_of("mssql", "", ""), L_SQL);
	assert_int_equal(log_of("", "database", ""), L_SQL);
	assert_int_equal(log_of("windows", "", "application"), L_SQL);
	assert_int_equal(log_of("Windows", "", "Application"), L_SQL);
	assert_int_equal(log_of("", "webserver", ""), L_WEB);
	assert_int_equal(log_of("aws", "", "cloudtrail"), L_AWS);
	assert_int_equal(log_of("querytrail", "", "trail"), L_TRAIL);
	assert_int_equal(log_of("querytrail", "", "lifecycle"), L_LIFECYCLE);
	assert_int_equal(log_of("windows", "process_creation", ""), 0);
	assert_int_equal(log_of("windows", "", "security"), 0);
	assert_int_equal(log_of("linux", "", ""), 0);
	assert_int_equal(log_of("querytrail", "", ""), 0);
	assert_int_equal(log_of("", "", ""), 0);
	assert_int_equal(log_of("postgresql", "database", ""), 0);
}

static bool same(enum log log, const char *a, const char *b)
{
	struct name_ref x, y;

	assert_true(names_find(log, str_of(a), &x));
	assert_true(names_find(log, str_of(b), &y));
	return x.kind == y.kind && x.what == y.what;
}

static void names_mean_values(void **state)
{ /* proves that names of one value are equal, and those of another log unknown */
	struct name_ref ref;

	(void)state;
	assert_true(same(L_WEB, "cs-user-agent", "c-useragent"));
	assert_true(same(L_WEB, "cs-user-agent", "user_agent"));
	assert_true(same(L_SQL, "object_name", "object"));
	assert_true(same(L_SQL, "eventid", "EventID"));
	assert_false(same(L_SQL, "principal", "session_principal"));
	assert_true(same(L_AWS, "requestParameters.a.b", "responseElements"));
	assert_false(names_find(L_WEB, STR_LIT("EventID"), &ref));
	assert_false(names_find(L_SQL, STR_LIT("cs-method"), &ref));
	assert_false(names_find(L_GAP, STR_LIT("statement"), &ref));
	assert_true(names_find(L_GAP, STR_LIT("gap_kind"), &ref));
	assert_false(names_find(L_SQL, STR_LIT(""), &ref));
	assert_string_equal(names_nearest(L_SQL, STR_LIT("tables_raed")), "tables_read");
	assert_null(names_nearest(L_SQL, STR_LIT("zzzzzzzz")));
}

static void some_wait_for_the_verdict(void **state)
{ /* proves which names of a statement's rule are known at its commit and which only with its verdict */
	static const char *const late[] = {"user",         "grade",     "route",
					   "request_time", "source_ip", "grade_reason"};
	static const char *const early[] = {"statement", "time", "flags",
					    "EventID",   "raw",  "statement_time"};
	struct name_ref ref;

	(void)state;
	for (size_t i = 0; i < 6; i++) {
		assert_true(names_find(L_SQL, str_of(late[i]), &ref));
		assert_true(names_needs_trail(L_SQL, ref));
		assert_true(names_find(L_SQL, str_of(early[i]), &ref));
		assert_false(names_needs_trail(L_SQL, ref));
		assert_true(names_needs_trail(L_TRAIL, ref));
	}
	assert_true(names_find(L_WEB, STR_LIT("user"), &ref));
	assert_false(names_needs_trail(L_WEB, ref));
}

static void every_field_of_ours_has_a_log(void **state)
{ /* proves that no field of a record that rules see is forgotten */
	(void)state;
	for (unsigned field = 1; field < FIELD_LIMIT; field++) {
		const struct field_info *info = field_info(field);
		bool found = info->name == NULL || info->kinds == 1u << RECORD_ALERT;
		struct name_ref ref;

		for (unsigned log = L_SQL; log <= L_LIFECYCLE && !found; log <<= 1) {
			found = names_find(log, str_of(info->name), &ref);
		}
		if (!found) { /* those of alerts alone */
			assert_true((info->kinds & ~(1u << RECORD_ALERT)) == 0);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(log_sources_are_known),
		cmocka_unit_test(names_mean_values),
		cmocka_unit_test(some_wait_for_the_verdict),
		cmocka_unit_test(every_field_of_ours_has_a_log),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
