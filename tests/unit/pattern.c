#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "store/block/pattern.h"

static const struct str family_ids[] = {{"0f8fad5b-d9cb-469f-a165-70867728950e", 36},
					{"C6YfjrFODoEFdEo=", 16}};

/* The pattern as text: <kind:arg> for a slot. */
static void show(const struct pattern_splitter *splitter, struct buf *out)
{
	struct arena arena;
	struct pattern pattern;

	arena_init(&arena, 1u << 20);
	buf_clear(out);
	assert_true(pattern_read(buf_str(&splitter->stored), &arena, &pattern));
	assert_int_equal(pattern.slot_count, splitter->token_count);
	for (size_t i = 0; i < pattern.slot_count; i++) {
		buf_put_str(out, pattern.chunks[i]);
		buf_putf(out, "<%u:%u>", pattern.slots[i].kind, pattern.slots[i].arg);
	}
	buf_put_str(out, pattern.chunks[pattern.slot_count]);
	arena_done(&arena);
}

struct row {
	const char *text, *pattern, *folded;
};

static void splits_by_kind(void **state)
{
	/* proves: each kind is found where it stands and nowhere else, and the folded pattern keeps its letters */
	static const struct row rows[] = {
		{"", "", ""},
		{"abc", "<7:0>", "abc"},
		{"/customers/12345/orders", "/<7:0>/<1:0>/<7:0>", "/customers/<1:0>/orders"},
		{"12 007 1234567890123456789", "<3:2> <3:3> <3:18><3:1>",
		 "<3:2> <3:3> <3:18><3:1>"},
		{"user096873@mail.org", "<7:0><3:6>@<7:0>.<7:0>", "user<3:6>@mail.org"},
		{"a1b2c3d4e5x", "<7:0>", "<7:0>"},
		{"deadbeef01", "<4:10>", "<4:10>"},
		{"DEADBEEF01", "<4:138>", "<4:138>"},
		{"00112233445566778899aabbccddeeff", "<10:16>", "<10:16>"},
		{"00112233445566778899AABBCCDDEEFF", "<11:16>", "<11:16>"},
		{"2026-11-22", "<5:0>", "<5:0>"},
		{"2026-02-29", "<1:0>-<3:2>-<3:2>", "<1:0>-<3:2>-<3:2>"},
		{"2024-02-29T23:59:59", "<6:0>", "<6:0>"},
		{"2024-02-29 23:59:59.1234567Z", "<6:135><7:0>", "<6:135>Z"},
		{"2024-02-29 24:00:00", "<5:0> <3:2>:<3:2>:<3:2>", "<5:0> <3:2>:<3:2>:<3:2>"},
		{"request_id=0f8fad5b-d9cb-469f-a165-70867728950e", "<7:0>_<7:0>=<14:0>",
		 "request_id=<14:0>"},
		{"x=C6YfjrFODoEFdEo=", "<7:0>=<14:1>", "x=<14:1>"},
		{"0f8fad5b-d9cb-469f-a165-70867728950f", "<8:0>", "<8:0>"},
		{"0F8FAD5B-D9CB-469F-A165-70867728950F", "<8:1>", "<8:1>"},
		{"0f8fad5b-d9cb-169f-a165-70867728950f", "<9:0>", "<9:0>"},
		{"9zNV6kkqDoEFLWo=", "<12:11>", "<12:11>"},
		{"/zNV6kkqDoEFLWo=", "<12:11>", "<12:11>"},
		{"s=7A2sV6JI--wMSVWgzhjfB_vgd1ikL5V0XgiBJgf_9tE", "<7:0>=<13:32>", "s=<13:32>"},
	};
	struct pattern_splitter splitter;
	struct buf out;
	(void)state;
	pattern_splitter_init(&splitter);
	buf_init(&out, 0);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		assert_int_equal(pattern_split(&splitter, str_of(rows[i].text), family_ids, 2), 0);
		show(&splitter, &out);
		if (!str_is(buf_str(&out), rows[i].pattern)) {
			print_error("%s: %.*s\n", rows[i].text, STR_ARG(buf_str(&out)));
			fail();
		}
		assert_int_equal(pattern_fold(&splitter), 0);
		show(&splitter, &out);
		assert_true(str_is(buf_str(&out), rows[i].folded));
	}
	buf_done(&out);
	pattern_splitter_done(&splitter);
}

static void long_or_odd_is_one_word(void **state)
{
	/* proves: more tokens or bytes than there is room for are one word, which folding leaves alone */
	struct pattern_splitter splitter;
	struct buf text;
	(void)state;
	pattern_splitter_init(&splitter);
	buf_init(&text, 0);
	for (int i = 0; i <= PATTERN_TOKENS_MAX; i++) {
		buf_put_text(&text, "a ");
	}
	assert_int_equal(pattern_split(&splitter, buf_str(&text), NULL, 0), 0);
	assert_int_equal(splitter.token_count, 1);
	assert_true(str_equal(splitter.tokens[0].text, buf_str(&text)));
	assert_int_equal(pattern_fold(&splitter), 0);
	assert_int_equal(splitter.token_count, 1);
	buf_clear(&text);
	buf_put_fill(&text, '-', PATTERN_TEXT_MAX + 1);
	assert_int_equal(pattern_split(&splitter, buf_str(&text), NULL, 0), 0);
	assert_int_equal(splitter.token_count, 1);
	assert_int_equal(splitter.tokens[0].slot.kind, PATTERN_WORD);
	buf_done(&text);
	pattern_splitter_done(&splitter);
}

static void refuses_what_is_no_pattern(void **state)
{
	/* proves: a cut slot, an unknown kind, a wrong argument, a slot of kind TEXT and too many slots are no patterns; zero bytes are */
	static const struct str bad[] = {
		{"\0", 1},       {"a\0\1", 3},    {"\0\x10\0", 3}, {"\0\x0f\0", 3}, {"\0\2\0", 3},
		{"\0\2\x12", 3}, {"\0\3\x13", 3}, {"\0\4\x11", 3}, {"\0\6\x0a", 3}, {"\0\x08\2", 3},
		{"\0\x0a\0", 3}, {"\0\1\1", 3},   {"\0\5\1", 3},   {"\0\7\1", 3},
	};
	struct arena arena;
	struct pattern pattern;
	char many[3 * (PATTERN_TOKENS_MAX + 1)];
	(void)state;
	arena_init(&arena, 1u << 20);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		assert_false(pattern_read(bad[i], &arena, &pattern));
	}
	for (size_t i = 0; i < sizeof(many); i += 3) {
		memcpy(many + i, "\0\1\0", 3);
	}
	assert_false(pattern_read(str_make(many, sizeof(many)), &arena, &pattern));
	assert_true(pattern_read(str_make(many, sizeof(many) - 3), &arena, &pattern));
	assert_true(pattern_read(STR_LIT("a\0\0b"), &arena, &pattern));
	assert_int_equal(pattern.slot_count, 0);
	assert_true(str_equal(pattern.chunks[0], STR_LIT("a\0b")));
	arena_done(&arena);
}

static void refuses_values_that_no_text_has(void **state)
{
	/* proves: numbers that do not fit their width, days outside the calendar's range and kinds without numbers are refused */
	static const struct {
		struct pattern_slot slot;
		int64_t number;
		const char *text;
	} rows[] = {
		{{PATTERN_NUMBER, 0}, INT64_MIN, "-9223372036854775808"},
		{{PATTERN_DECIMAL, 2}, -7, "-0.07"},
		{{PATTERN_DECIMAL, 17}, 1, "0.00000000000000001"},
		{{PATTERN_DIGITS, 3}, 7, "007"},
		{{PATTERN_DIGITS, 3}, 1000, NULL},
		{{PATTERN_DIGITS, 3}, -1, NULL},
		{{PATTERN_HEX, 16}, -1, "ffffffffffffffff"},
		{{PATTERN_HEX, 0x80 | 2}, 0xab, "AB"},
		{{PATTERN_HEX, 2}, 256, NULL},
		{{PATTERN_DATE, 0}, 0, "1970-01-01"},
		{{PATTERN_DATE, 0}, -25567, "1900-01-01"},
		{{PATTERN_DATE, 0}, -25568, NULL},
		{{PATTERN_DATE, 0}, 84005, "2199-12-31"},
		{{PATTERN_DATE, 0}, 84006, NULL},
		{{PATTERN_TIME, 1}, -1, "1969-12-31T23:59:59.9"},
		{{PATTERN_TIME, 0x80}, 0, "1970-01-01 00:00:00"},
		{{PATTERN_TIME, 9}, 1, "1970-01-01T00:00:00.000000001"},
		{{PATTERN_TIME, 0}, INT64_MAX, NULL},
		{{PATTERN_TIME, 0}, INT64_MIN, NULL},
		{{PATTERN_WORD, 0}, 0, NULL},
	};
	struct buf out;
	(void)state;
	buf_init(&out, 0);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		buf_clear(&out);
		assert_int_equal(pattern_put_number(rows[i].slot, rows[i].number, &out),
				 rows[i].text != NULL);
		if (rows[i].text != NULL) {
			assert_true(str_is(buf_str(&out), rows[i].text));
		}
	}
	buf_done(&out);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(splits_by_kind),
		cmocka_unit_test(long_or_odd_is_one_word),
		cmocka_unit_test(refuses_what_is_no_pattern),
		cmocka_unit_test(refuses_values_that_no_text_has),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
