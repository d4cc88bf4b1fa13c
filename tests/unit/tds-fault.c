/* Faults are read from lines of words, end after as many uses as they were given, and can be cleared. */
#include "tests/sim/tds-fault.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static struct tds_fault parsed(const char *line)
{
	struct tds_fault fault;
	struct error err = {0};
	assert_int_equal(tds_fault_parse(str_of(line), &fault, &err), 0);
	return fault;
}

/* Names, numbers, words and times come out. */
static void test_parse(void **state)
{
	(void)state;
	struct tds_fault fault = parsed("  error number=33225 times=2\n");
	assert_int_equal(fault.kind, TDS_FAULT_ERROR);
	assert_int_equal(fault.number, 33225);
	assert_int_equal(fault.times, 2);
	fault = parsed("drip ms=5 bytes=100");
	assert_int_equal(fault.number, 5);
	assert_int_equal(fault.bytes, 100);
	fault = parsed("silent when=row rows=3");
	assert_string_equal(fault.word, "row");
	assert_int_equal(fault.number, 3);
	assert_int_equal(parsed("delete-file").number, -1);
	assert_string_equal(parsed("deny object=dm_server_audit_status").word,
			    "dm_server_audit_status");
}

/* What is not a fault, lacks a part, or has a wrong one is refused by name. */
static void test_refused(void **state)
{
	(void)state;
	static const struct {
		const char *line, *part;
	} cases[] = {
		{"", "no fault \"\""},
		{"explode", "explode"},
		{"error", "number="},
		{"error number=x", "number=x"},
		{"error number=-1", "number=-1"},
		{"drip ms=1", "bytes="},
		{"silent rows=1", "when="},
		{"silent when=never", "when=never"},
		{"deny object=", "object="},
		{"close rows=1 ms=2", "ms=2"},
		{"deny object=0123456789012345678901234567890123456789012345678901234567890123",
		 "object="},
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct tds_fault fault;
		struct error err = {0};
		assert_int_equal(tds_fault_parse(str_of(cases[i].line), &fault, &err), -ERR_INPUT);
		assert_non_null(strstr(err.text, cases[i].part));
	}
}

/* A fault with times ends after them; to look does not count; another word does not find it. */
static void test_uses(void **state)
{
	(void)state;
	struct tds_faults faults;
	struct tds_fault fault = parsed("silent when=login times=2");
	struct tds_fault found;
	tds_faults_init(&faults);
	assert_false(tds_faults_look(&faults, TDS_FAULT_SILENT, NULL, &found));
	assert_int_equal(tds_faults_set(&faults, &fault, NULL), 0);
	assert_false(tds_faults_use(&faults, TDS_FAULT_SILENT, "row", &found));
	assert_true(tds_faults_look(&faults, TDS_FAULT_SILENT, "login", &found));
	assert_true(tds_faults_use(&faults, TDS_FAULT_SILENT, "login", &found));
	assert_true(tds_faults_use(&faults, TDS_FAULT_SILENT, "login", &found));
	assert_false(tds_faults_use(&faults, TDS_FAULT_SILENT, "login", &found));
	tds_faults_done(&faults);
}

/* Several objects can be denied, not endlessly many; clear forgets all. */
static void test_deny(void **state)
{
	(void)state;
	struct tds_faults faults;
	struct error err = {0};
	tds_faults_init(&faults);
	struct tds_fault deny = parsed("deny object=server_audits");
	struct tds_fault stays = parsed("bad-token");
	for (size_t i = 0; i < TDS_DENIED_MAX; i++) {
		assert_int_equal(tds_faults_set(&faults, &deny, &err), 0);
	}
	assert_int_equal(tds_faults_set(&faults, &deny, &err), -ERR_LIMIT);
	assert_int_equal(tds_faults_set(&faults, &stays, &err), 0);
	assert_true(tds_faults_denies(&faults, STR_LIT("SERVER_AUDITS")));
	assert_false(tds_faults_denies(&faults, STR_LIT("server_file_audits")));
	struct tds_fault clear = parsed("clear");
	assert_int_equal(tds_faults_set(&faults, &clear, &err), 0);
	assert_false(tds_faults_denies(&faults, STR_LIT("server_audits")));
	assert_false(tds_faults_use(&faults, TDS_FAULT_BAD_TOKEN, NULL, &stays));
	tds_faults_done(&faults);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_parse),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_uses),
		cmocka_unit_test(test_deny),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
