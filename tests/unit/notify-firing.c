#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "correlator/notify/firing.h"
#include "tests/unit/notify-fixture.h"

#include <stdio.h>

static void add(struct firing *firing, const char *id, uint64_t revision, int64_t now_ns)
{
	struct error err;
	struct notice *notice = fixture_notice(id, revision, NULL);

	assert_int_equal(firing_add(firing, notice, now_ns, &err), 0);
	notice_drop(notice);
}

/* How many are taken; they are let go. */
static size_t take(struct firing *firing, int64_t now_ns, size_t max)
{
	struct notice *notices[8];
	size_t count = firing_take(firing, now_ns, notices, max);

	for (size_t i = 0; i < count; i++) {
		notice_drop(notices[i]);
	}
	return count;
}

static void test_rounds(void **state)
{
	/* proves: what was just sent has its turn after resend_ns; a round sends each once, however small its messages are */
	struct firing firing;

	(void)state;
	firing_init(&firing, NS_PER_MIN);
	assert_int_equal(firing_due_ns(&firing, T0), INT64_MAX);
	add(&firing, "1", 1, T0);
	add(&firing, "2", 1, T0);
	add(&firing, "3", 1, T0 + NS_PER_SEC);
	assert_int_equal(firing_due_ns(&firing, T0), T0 + NS_PER_MIN);
	assert_int_equal(take(&firing, T0 + NS_PER_MIN - 1, 2), 0);
	assert_int_equal(take(&firing, T0 + NS_PER_MIN, 2), 2);
	assert_int_equal(firing_due_ns(&firing, T0 + NS_PER_MIN), T0 + NS_PER_MIN);
	assert_int_equal(take(&firing, T0 + NS_PER_MIN + 1, 2), 1);
	assert_int_equal(firing_due_ns(&firing, T0 + NS_PER_MIN + 1), T0 + 2 * NS_PER_MIN);
	firing_done(&firing);
	assert_int_equal(firing.bytes, 0);
}

static void test_hurry(void **state)
{
	/* proves: what was learned of and not sent goes at once; a clock that is set back does not stop the rounds */
	struct firing firing;

	(void)state;
	firing_init(&firing, NS_PER_MIN);
	add(&firing, "1", 1, T0);
	firing_hurry(&firing);
	assert_int_equal(firing_due_ns(&firing, T0), T0);
	assert_int_equal(take(&firing, T0, 8), 1);
	assert_int_equal(firing_due_ns(&firing, T0 - NS_PER_DAY), T0 - NS_PER_DAY);
	firing_done(&firing);
}

static void test_remove_and_replace(void **state)
{
	/* proves: one that ended is not sent again, also in the middle of a round; a newer revision replaces, an older one does not */
	struct firing firing;
	struct notice *notices[8];

	(void)state;
	firing_init(&firing, NS_PER_MIN);
	add(&firing, "1", 1, T0);
	add(&firing, "2", 1, T0);
	add(&firing, "3", 1, T0);
	assert_int_equal(take(&firing, T0 + NS_PER_MIN, 1), 1);
	firing_remove(&firing, STR_LIT("2"));
	firing_remove(&firing, STR_LIT("1"));
	firing_remove(&firing, STR_LIT("none"));
	assert_int_equal(firing.count, 1);
	assert_int_equal(take(&firing, T0 + NS_PER_MIN, 8), 1);
	assert_int_equal(firing_due_ns(&firing, T0 + NS_PER_MIN), T0 + 2 * NS_PER_MIN);
	add(&firing, "3", 5, T0);
	add(&firing, "3", 4, T0);
	assert_int_equal(firing.count, 1);
	assert_int_equal(firing_take(&firing, T0 + 2 * NS_PER_MIN, notices, 8), 1);
	assert_int_equal(notices[0]->revision, 5);
	notice_drop(notices[0]);
	firing_remove(&firing, STR_LIT("3"));
	assert_int_equal(firing_due_ns(&firing, T0), INT64_MAX);
	assert_int_equal(firing.bytes, 0);
	firing_done(&firing);
}

static void test_limit(void **state)
{
	/* proves: past FIRING_MAX an alert is refused, and one that is there may still be replaced */
	struct firing firing;
	struct error err;
	char id[24];

	(void)state;
	firing_init(&firing, NS_PER_MIN);
	/* filled from the other side, so that the test need not search a long list for each */
	for (unsigned i = 0; i < 64; i++) {
		(void)snprintf(id, sizeof(id), "%u", i);
		add(&firing, id, 1, T0);
	}
	firing.count = FIRING_MAX;
	struct notice *more = fixture_notice("more", 1, NULL);
	assert_int_equal(firing_add(&firing, more, T0, &err), -ERR_LIMIT);
	assert_int_equal(more->holders, 1);
	notice_drop(more);
	add(&firing, "7", 2, T0);
	firing.count = 64;
	firing_done(&firing);
	assert_int_equal(firing.count, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rounds),
		cmocka_unit_test(test_hurry),
		cmocka_unit_test(test_remove_and_replace),
		cmocka_unit_test(test_limit),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
