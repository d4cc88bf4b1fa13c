#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "correlator/rulebook.h"
#include "tests/unit/rules-text.h"
#include "tests/unit/store-filled.h"

#define ONE RULE_TEXT("one", "statement", "    statement: x\n")
#define TWO RULE_TEXT("two", "statement", "    statement: y\n")

static void use(struct rulebook *book, struct filled *filled, const char *text)
{
	struct pack *pack = rules_pack(text);
	assert_int_equal(rulebook_use(book, filled->store, pack, &filled->err), 0);
	pack_free(pack);
}

static void put(struct rulebook *book, struct filled *filled)
{
	assert_int_equal(store_begin(filled->store, 1, &filled->err), 0);
	assert_int_equal(rulebook_put(book, filled->store, &filled->err), 0);
	assert_int_equal(store_commit(filled->store, &filled->err), 0);
}

static void the_past_is_left_alone(void **state)
{
	/* the first rules begin behind what is stored; one that comes later begins later; one that stays keeps its beginning */
	struct filled filled = {0};
	struct rulebook book;
	(void)state;
	fixture_init(&filled.fixture);
	filled_open(&filled, STORE_CREATE);
	filled_add(&filled, 0, 7);
	rulebook_init(&book);
	use(&book, &filled, ONE);
	assert_int_equal(book.position, 7);
	assert_int_equal(rulebook_since(&book, STR_LIT("one")), 7);
	assert_true(rulebook_since(&book, STR_LIT("two")) == UINT64_MAX);
	book.position = 9;
	filled_add(&filled, 7, 5);
	put(&book, &filled);
	use(&book, &filled, ONE "---\n" TWO);
	assert_int_equal(book.position, 9);
	assert_int_equal(rulebook_since(&book, STR_LIT("one")), 7);
	assert_int_equal(rulebook_since(&book, STR_LIT("two")), 12);
	rulebook_done(&book);
	store_close(filled.store);
	filled_open(&filled, STORE_WRITE);
	rulebook_init(&book);
	use(&book, &filled, TWO);
	assert_int_equal(book.position, 9);
	assert_int_equal(rulebook_since(&book, STR_LIT("two")), 12);
	use(&book, &filled, TWO "---\n" ONE);
	assert_int_equal(rulebook_since(&book, STR_LIT("one")), 12);
	rulebook_done(&book);
	filled_done(&filled);
}

static void a_time_without_rules_is_past_too(void **state)
{
	/* after a daemon that had none by its configuration, all rules begin anew */
	struct filled filled = {0};
	struct rulebook book;
	(void)state;
	fixture_init(&filled.fixture);
	filled_open(&filled, STORE_CREATE);
	rulebook_init(&book);
	assert_int_equal(rulebook_stop(filled.store, &filled.err), 0);
	use(&book, &filled, ONE);
	assert_int_equal(book.position, 0);
	put(&book, &filled);
	filled_add(&filled, 0, 3);
	assert_int_equal(rulebook_stop(filled.store, &filled.err), 0);
	use(&book, &filled, ONE);
	assert_int_equal(book.position, 3);
	assert_int_equal(rulebook_since(&book, STR_LIT("one")), 3);
	rulebook_done(&book);
	filled_done(&filled);
}

static void damage_is_told(void **state)
{
	/* a position behind the end, or no number, and known rules that are cut off */
	static const char *const bad[][2] = {{RULEBOOK_POSITION_KEY, "99"},
					     {RULEBOOK_POSITION_KEY, "seven"},
					     {RULEBOOK_KNOWN_KEY, "\3on"}};
	(void)state;
	for (size_t i = 0; i < 3; i++) {
		struct filled filled = {0};
		struct rulebook book;
		struct pack *pack = rules_pack(ONE);
		fixture_init(&filled.fixture);
		filled_open(&filled, STORE_CREATE);
		rulebook_init(&book);
		assert_int_equal(
			store_meta_put(filled.store, bad[i][0], str_of(bad[i][1]), &filled.err), 0);
		assert_int_equal(rulebook_use(&book, filled.store, pack, &filled.err),
				 -ERR_CORRUPT);
		pack_free(pack);
		rulebook_done(&book);
		filled_done(&filled);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_past_is_left_alone),
		cmocka_unit_test(a_time_without_rules_is_past_too),
		cmocka_unit_test(damage_is_told),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
