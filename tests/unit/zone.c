#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/io.h"
#include "query/zone.h"

#include <stdlib.h>
#include <unistd.h>

static void put_be32(char *out, uint32_t value)
{
	for (int i = 0; i < 4; i++) {
		out[i] = (char)(value >> (24 - 8 * i));
	}
}

/* A version 1 file: +1 h up to second 1000000, +2 h up to 2000000, then +1 h again. */
static void write_zone(const char *path, int damage)
{
	char file[44 + 2 * 5 + 2 * 6 + 4] = "TZif";
	put_be32(file + 32, 2); /* transitions */
	put_be32(file + 36, 2); /* types */
	put_be32(file + 40, 4); /* characters */
	char *at = file + 44;
	put_be32(at, 1000000);
	put_be32(at + 4, 2000000);
	at[8] = 1;
	at[9] = damage == 1 ? 9 : 0;
	put_be32(at + 10, 3600);
	put_be32(at + 16, 7200);
	size_t size = damage == 2 ? 60 : damage == 3 ? 20 : sizeof(file);
	assert_int_equal(io_replace_file(path, str_make(file, size), 0600, NULL), 0);
}

static void test_file(void **state)
{
	/* Proves: offsets change at their transitions; the hour that comes twice means its first, the lost one is taken with the old
	 * offset; damaged files are ERR_INPUT. */
	(void)state;
	char folder[] = "/tmp/querytrail-zone-XXXXXX";
	assert_non_null(mkdtemp(folder));
	char path[64];
	(void)snprintf(path, sizeof(path), "%s/Test", folder);
	write_zone(path, 0);
	struct zone zone = zone_utc();
	assert_int_equal(zone_open(STR_LIT("Test"), folder, &zone, NULL), 0);
	assert_string_equal(zone.name, "Test");
	assert_int_equal(zone_offset_s(&zone, 0), 3600);
	assert_int_equal(zone_offset_s(&zone, 999999 * NS_PER_SEC + 999999999), 3600);
	assert_int_equal(zone_offset_s(&zone, 1000000 * NS_PER_SEC), 7200);
	assert_int_equal(zone_offset_s(&zone, 2000000 * NS_PER_SEC), 3600);
	for (int64_t second = 900000; second < 2100000; second += 17) {
		int64_t local = (second + zone_offset_s(&zone, second * NS_PER_SEC)) * NS_PER_SEC;
		int64_t back = zone_from_local(&zone, local) / NS_PER_SEC;
		assert_true(back == second ||
			    (second >= 2000000 && second < 2003600 && back == second - 3600));
	}
	/* 1000000 + 5400 local never happens */
	assert_true(zone_from_local(&zone, (1000000 + 5400) * NS_PER_SEC) ==
		    (1000000 + 5400 - 3600) * NS_PER_SEC);
	zone_close(&zone);
	for (int damage = 1; damage <= 3; damage++) {
		write_zone(path, damage);
		struct error err;
		assert_int_equal(zone_open(STR_LIT("Test"), folder, &zone, &err), -ERR_INPUT);
	}
	(void)unlink(path);
	(void)rmdir(folder);
}

static void test_names(void **state)
{
	/* Proves: fixed offsets are read, and names that could leave the database or do not exist are ERR_USAGE. */
	(void)state;
	static const struct {
		const char *name;
		int32_t offset;
	} good[] = {{"UTC", 0}, {"z", 0}, {"+02:00", 7200}, {"-0330", -12600}, {"+05", 18000}};
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		struct zone zone = zone_utc();
		assert_int_equal(zone_open(str_of(good[i].name), NULL, &zone, NULL), 0);
		assert_int_equal(zone_offset_s(&zone, 0), good[i].offset);
		zone_close(&zone);
	}
	static const char *const bad[] = {
		"", "../etc/passwd", "/etc/passwd", "Nowhere/City", "+25:00", "+1", "a b"};
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct zone zone = zone_utc();
		assert_int_equal(zone_open(str_of(bad[i]), "/usr/share/zoneinfo", &zone, NULL),
				 -ERR_USAGE);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_file),
		cmocka_unit_test(test_names),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
