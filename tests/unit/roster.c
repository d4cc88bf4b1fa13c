#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "correlator/roster.h"

#include <stdio.h>

static struct roster_source *add(struct roster *roster, const char *name, unsigned kinds,
				 int64_t watermark_ns)
{
	struct roster_source *source = NULL;
	struct error err;
	assert_int_equal(roster_add(roster, str_of(name), &source, &err), 0);
	roster_set_type(source, STR_LIT("cloudwatch"), kinds);
	source->about.watermark_ns = watermark_ns;
	source->configured = true;
	return source;
}

static void watermark_is_the_smallest(void **state)
{
	/* per kind over the sources that may give it; done counts as the end, one that never spoke holds all back */
	const unsigned r = 1u << RECORD_REQUEST;
	const unsigned s = 1u << RECORD_STATEMENT;
	struct roster roster;
	int64_t requests = 0;
	int64_t statements = 0;
	(void)state;
	roster_init(&roster);
	roster_watermarks(&roster, &requests, &statements);
	assert_true(requests == INT64_MIN && statements == INT64_MIN);
	add(&roster, "a", r, 50);
	struct roster_source *b = add(&roster, "b", r | s, 40);
	add(&roster, "serve", 1u << RECORD_ACCESS, INT64_MIN);
	roster_watermarks(&roster, &requests, &statements);
	assert_true(requests == 40 && statements == 40);
	roster_set_state(b, "done", (struct str){0}, 1);
	roster_watermarks(&roster, &requests, &statements);
	assert_true(requests == 50 && statements == INT64_MAX);
	struct roster_source *c = add(&roster, "c", s, INT64_MIN);
	roster_watermarks(&roster, &requests, &statements);
	assert_true(statements == INT64_MIN);
	c->about.watermark_ns = 7;
	roster_watermarks(&roster, &requests, &statements);
	assert_true(statements == 7);
	roster_done(&roster);
}

static void silence_is_told_once(void **state)
{
	/* past the limit, until it is heard again; not for a done source, one nobody expects, or one without events */
	struct roster roster;
	(void)state;
	roster_init(&roster);
	struct roster_source *a = add(&roster, "a", 1u << RECORD_REQUEST, 0);
	struct roster_source *b = add(&roster, "b", 1u << RECORD_ACCESS, 0);
	a->heard_ns = 100;
	b->heard_ns = 0;
	assert_null(roster_silent(&roster, 109, 10));
	assert_ptr_equal(roster_silent(&roster, 110, 10), a);
	a->silent = true;
	assert_null(roster_silent(&roster, 1000, 10));
	roster_heard(a, 1000);
	assert_null(roster_silent(&roster, 1009, 10));
	assert_ptr_equal(roster_silent(&roster, 1010, 10), a);
	a->configured = false;
	assert_null(roster_silent(&roster, 2000, 10));
	a->peer = &roster;
	assert_ptr_equal(roster_silent(&roster, 2000, 10), a);
	roster_set_state(a, "done", (struct str){0}, 1);
	assert_null(roster_silent(&roster, 2000, 10));
	roster_done(&roster);
}

static void changes_make_it_dirty(void **state)
{
	/* a new state, text, type or cursor is to be stored; the same again is not; long texts are cut */
	struct roster roster;
	char large[3000];
	struct error err;
	(void)state;
	memset(large, 'x', sizeof large);
	roster_init(&roster);
	struct roster_source *a = add(&roster, "a", 2, 0);
	a->dirty = false;
	roster_set_type(a, STR_LIT("cloudwatch"), 2);
	assert_false(a->dirty);
	roster_set_state(a, "ok", STR_LIT("fine"), 5);
	assert_true(a->dirty);
	assert_int_equal(a->about.state_since_ns, 5);
	a->dirty = false;
	roster_set_state(a, "ok", STR_LIT("fine"), 9);
	assert_false(a->dirty);
	assert_int_equal(a->about.state_since_ns, 5);
	roster_set_state(a, "ok", str_make(large, sizeof large), 9);
	assert_true(a->dirty);
	assert_int_equal(strlen(a->about.state_text), sizeof a->about.state_text - 1);
	a->dirty = false;
	roster_set_state(a, "ok", str_make(large, sizeof large), 9);
	assert_false(a->dirty);
	assert_int_equal(roster_set_cursor(a, STR_LIT("c"), &err), 0);
	assert_true(a->dirty && str_is(a->about.cursor, "c"));
	roster_done(&roster);
}

static void names_are_unique_and_bounded(void **state)
{
	/* the same name is the same source; ROSTER_MAX of them, the next is ERR_LIMIT; pointers stay good */
	struct roster roster;
	struct error err;
	struct roster_source *source = NULL;
	char name[16];
	(void)state;
	roster_init(&roster);
	struct roster_source *first = add(&roster, "s0", 2, 0);
	for (int i = 0; i < ROSTER_MAX; i++) {
		int len = snprintf(name, sizeof name, "s%d", i);
		assert_int_equal(roster_add(&roster, str_make(name, (size_t)len), &source, &err),
				 0);
	}
	assert_int_equal(roster.count, ROSTER_MAX);
	assert_int_equal(roster_add(&roster, STR_LIT("other"), &source, &err), -ERR_LIMIT);
	assert_ptr_equal(roster_find(&roster, STR_LIT("s0")), first);
	assert_null(roster_find(&roster, STR_LIT("other")));
	roster_done(&roster);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(watermark_is_the_smallest),
		cmocka_unit_test(silence_is_told_once),
		cmocka_unit_test(changes_make_it_dirty),
		cmocka_unit_test(names_are_unique_and_bounded),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
