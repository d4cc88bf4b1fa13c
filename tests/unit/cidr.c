/* Networks and addresses. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "correlator/rules/cidr.h"

static bool holds(const char *network, const char *address)
{
	struct cidr cidr;

	assert_true(cidr_parse(str_of(network), &cidr));
	return cidr_holds(&cidr, str_of(address));
}

static void addresses_are_compared_by_bits(void **state)
{ /* proves that the prefix decides, also where it ends within a byte */
	(void)state;
	assert_true(holds("10.0.0.0/8", "10.255.1.2"));
	assert_false(holds("10.0.0.0/8", "11.0.0.1"));
	assert_true(holds("172.16.0.0/12", "172.31.255.255"));
	assert_false(holds("172.16.0.0/12", "172.32.0.0"));
	assert_true(holds("2001:db8::/33", "2001:db8:7fff::1"));
	assert_false(holds("2001:db8::/33", "2001:db8:8000::1"));
	assert_true(holds("192.0.2.7", "192.0.2.7"));
	assert_false(holds("192.0.2.7", "192.0.2.8"));
	assert_true(holds("::/0", "2001:db8::1"));
	assert_true(holds("0.0.0.0/0", "203.0.113.9"));
}

static void mapped_addresses_are_the_same(void **state)
{ /* proves that ::ffff:a.b.c.d is a.b.c.d on both sides, and that neither kind is in the other's networks */
	(void)state;
	assert_true(holds("10.0.0.0/8", "::ffff:10.1.2.3"));
	assert_true(holds("::ffff:10.0.0.0/104", "10.1.2.3"));
	assert_false(holds("::/0", "10.1.2.3"));
	assert_false(holds("0.0.0.0/0", "2001:db8::1"));
}

static void others_are_refused(void **state)
{ /* proves that what is no network is refused, and no other text is an address */
	static const char *const bad[] = {
		"",         "/8",      "10.0.0.0/",      "10.0.0.0/33", "10.0.0.0/8x", "10.0.0.1/8",
		"10.0.0/8", "::1/129", "2001:db8::1/32", "a",           "10.0.0.0/-1"};
	struct cidr cidr;

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		assert_false(cidr_parse(str_of(bad[i]), &cidr));
	}
	assert_false(holds("0.0.0.0/0", "local machine"));
	assert_false(holds("0.0.0.0/0", ""));
	assert_false(holds("0.0.0.0/0", "10.0.0.1:80"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(addresses_are_compared_by_bits),
		cmocka_unit_test(mapped_addresses_are_the_same),
		cmocka_unit_test(others_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
