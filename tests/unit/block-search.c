#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "query/match.h"
#include "store/block.h"

#include <stdio.h>
#include <stdlib.h>

#define REQUESTS 60
#define EACH     4 /* statements of a request */
#define RECORDS  (REQUESTS * (1 + 2 * EACH))
#define ROUNDS   12
#define NEEDLES  60

struct world {
	uint64_t state;
	struct buf records; /* encoded */
	size_t ends[RECORDS + 1];
	size_t count;
	struct buf block;
	struct block *opened;
	struct arena arena;
};

static uint32_t roll(struct world *world, uint32_t below)
{
	world->state = world->state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
	return (uint32_t)(world->state >> 33) % below;
}

static void put_id(uint32_t request, struct buf *out)
{
	uint32_t mix = request * 2654435761u;
	buf_putf(out, "%08x-%04x-4%03x-8%03x-%012x", mix, mix >> 16, mix & 0xfffu,
		 mix >> 8 & 0xfffu, mix);
}

/* A statement: mostly of one of few templates with values in them, with the id of its request; or any bytes. */
static void put_statement(struct world *world, uint32_t request, struct buf *out)
{
	switch (roll(world, 8)) {
	case 0:
		for (uint32_t i = roll(world, 60); i > 0; i--) {
			buf_put_byte(out, (uint8_t)roll(world, 256));
		}
		return;
	case 1:
		buf_put_text(out, roll(world, 2) == 0
					  ? ""
					  : "caf\xc3\xa9 \xe2\x84\xaaim \xed\xa0\x80 a\xc5\xbf");
		return;
	case 2:
		buf_putf(out, "DELETE FROM dbo.Orders WHERE Id = %u AND k = '%c''s %u'",
			 roll(world, 100000), 'a' + (char)roll(world, 5), roll(world, 100));
		break;
	case 3:
		buf_putf(out, "SELECT TOP %u * FROM Sales.Users -- user%04u@example.com\n",
			 roll(world, 20), roll(world, 10000));
		break;
	case 4:
		buf_putf(out, "EXEC p @d = '2026-11-%02uT10:%02u:00.5', @x = 0x%08X, @m = %u.%02u",
			 1 + roll(world, 30), roll(world, 60), roll(world, 65536), roll(world, 500),
			 roll(world, 100));
		break;
	default:
		buf_putf(out, "UPDATE t SET a = N'%u', b = %u WHERE c IN (%u, %u)", roll(world, 50),
			 request, roll(world, 9), roll(world, 9));
		break;
	}
	buf_put_text(out, "/*request_id=");
	put_id(request, out);
	buf_put_text(out, "*/");
}

static void add(struct world *world, struct record *record, const char *mark, uint32_t number)
{
	char key[40];
	(void)snprintf(key, sizeof key, "%s:%u", mark, number);
	record->key = str_of(key);
	record->source = STR_LIT("db");
	record->time_ns = INT64_C(1790000000000000000) + (int64_t)world->count * 1000000;
	assert_int_equal(record_encode(record, &world->records, NULL), 0);
	world->ends[++world->count] = world->records.len;
}

static void add_request(struct world *world, uint32_t request)
{
	struct record record;
	struct buf id, path;
	buf_init(&id, 100);
	buf_init(&path, 1000);
	record_init(&record, RECORD_REQUEST);
	put_id(request, &id);
	buf_putf(&path, "/orders/%u/items", request);
	record_set_text(&record, FIELD_request_id, buf_str(&id));
	record_set_text(&record, FIELD_path, buf_str(&path));
	record_set_text(&record, FIELD_user, request % 3 == 0 ? STR_LIT("Kim") : STR_LIT("alice"));
	add(world, &record, "r", request);
	buf_done(&id);
	buf_done(&path);
}

static void add_statement(struct world *world, uint32_t request, uint32_t number)
{
	struct record record;
	struct buf text;
	uint64_t leaf = world->count;
	buf_init(&text, 10000);
	record_init(&record, RECORD_STATEMENT);
	put_statement(world, request, &text);
	if (roll(world, 10) > 0) {
		record_set_text(&record, FIELD_statement,
				str_make(text.len > 0 ? text.ptr : "", text.len));
	}
	record_set_text(&record, FIELD_raw, STR_LIT("{}"));
	add(world, &record, "s", number);
	record_init(&record, RECORD_VERDICT);
	record_set_number(&record, FIELD_statement_leaf, (int64_t)leaf);
	record_set_number(&record, FIELD_request_leaf, (int64_t)request);
	record_set_text(&record, FIELD_grade, STR_LIT("C"));
	add(world, &record, "v", number);
	buf_done(&text);
}

static void begin(struct world *world, uint64_t seed)
{
	struct error err;
	struct block_about about;
	const struct block_seal seal = {.number = 1};
	struct block_builder *builder = block_builder_new();
	*world = (struct world){.state = seed};
	buf_init(&world->records, 1u << 24);
	buf_init(&world->block, 1u << 24);
	arena_init(&world->arena, 1u << 22);
	for (uint32_t i = 0; i < REQUESTS; i++) {
		add_request(world, i);
	}
	for (uint32_t i = 0; i < REQUESTS * EACH; i++) {
		add_statement(world, i / EACH, i);
	}
	for (size_t i = 0; i < world->count; i++) {
		struct str record = str_make(world->records.ptr + world->ends[i],
					     world->ends[i + 1] - world->ends[i]);
		assert_int_equal(block_builder_add(builder, i, 0, record, &err), 0);
	}
	assert_int_equal(block_builder_finish(builder, &seal, &world->block, &about, &err), 0);
	block_builder_free(builder);
	const struct block_place place = {
		.fd = -1, .bytes = buf_str(&world->block), .name = "b", .number = 1};
	assert_int_equal(block_open(&place, &world->opened, &err), 0);
}

static void end(struct world *world)
{
	block_close(world->opened);
	buf_done(&world->block);
	buf_done(&world->records);
	arena_done(&world->arena);
}

/* The text that a record which was put in has; ptr NULL: none. */
static struct str text_of(const struct world *world, uint64_t leaf, unsigned field)
{
	struct record record;
	struct str bytes = str_make(world->records.ptr + world->ends[leaf],
				    world->ends[leaf + 1] - world->ends[leaf]);
	assert_int_equal(record_decode(bytes, &record, NULL), 0);
	return record_has(&record, field) ? record_text(&record, field) : (struct str){NULL, 0};
}

/* Compares what the block finds with every record looked at alone; returns how many match. */
static size_t compare(struct world *world, struct block_field where, const struct match *match)
{
	static const struct block_needle none;
	struct block_needle needle = none;
	struct block_run run = block_run(world->opened, where.kind);
	uint64_t found[RECORDS / 64 + 1] = {0};
	struct error err;
	size_t count = 0;
	match_needle(match, &needle);
	assert_int_equal(block_find_text(world->opened, where, &needle, found, &err), 0);
	for (uint32_t i = 0; i < run.count; i++) {
		struct str text =
			text_of(world, block_leaves(world->opened)[run.first + i], where.field);
		bool want = text.ptr != NULL && match_text(match, text);
		if (want != ((found[i / 64] >> i % 64 & 1) != 0)) {
			fail_msg("row %u, pattern \"%.*s\", text \"%.*s\": wanted %d", i,
				 STR_ARG(match->pattern), STR_ARG(text), want);
		}
		count += want ? 1 : 0;
	}
	return count;
}

/* A part of some statement, sometimes with letters of the other case or one byte changed. */
static struct str some_part(struct world *world)
{
	struct str text = {NULL, 0};
	for (int tries = 0; tries < 100 && text.len == 0; tries++) {
		text = text_of(world, REQUESTS + 2 * roll(world, REQUESTS * EACH), FIELD_statement);
	}
	size_t begin = roll(world, (uint32_t)text.len);
	struct str part = str_slice(text, begin, 1 + roll(world, roll(world, 4) == 0 ? 120 : 12));
	char *copy = arena_alloc(&world->arena, part.len + 1);
	assert_non_null(copy);
	uint32_t way = roll(world, 4);
	for (size_t i = 0; i < part.len; i++) {
		char c = part.ptr[i];
		bool letter = (c | 32) >= 'a' && (c | 32) <= 'z';
		copy[i] = letter && way == 1 ? (char)(c ^ 32) : c;
	}
	copy[roll(world, (uint32_t)part.len)] ^= way == 2 ? 1 : 0;
	return str_make(copy, part.len);
}

static void test_literals(void **state)
{
	/* Proves: the rows that hold a literal, equal it or match it with wildcards are those whose records do, whatever the bytes. */
	(void)state;
	size_t matched = 0;
	for (uint64_t round = 1; round <= ROUNDS; round++) {
		struct world world;
		begin(&world, round);
		for (int i = 0; i < NEEDLES; i++) {
			struct term term = {.value = some_part(&world),
					    .op = roll(&world, 5) == 0 ? COMPARE_EQUAL
								       : COMPARE_HAS};
			struct query query = {.text = term.value, .arena = &world.arena};
			struct match match;
			assert_true(word_find(STR_LIT("statement"), &term.word));
			assert_int_equal(match_make(&query, &term, NULL, &match, NULL), 0);
			matched += compare(&world,
					   (struct block_field){RECORD_STATEMENT, FIELD_statement},
					   &match);
		}
		end(&world);
	}
	assert_true(matched > ROUNDS * NEEDLES);
}

static const char *const expressions[] = {
	"",
	"^",
	"$",
	"^update",
	"from\\s+\\w+\\.orders",
	"delete|exec|caf",
	"kim",
	"(?-i)kim",
	"as",
	"a\xc5\xbf",
	"user\\d+@",
	"\\d{4}",
	"c IN \\((\\d), \\1\\)",
	"'(\\d+)', b = \\1\\b",
	"request_id=[0-9a-f]+1-",
	"(top|set) \\d",
	"\\*/$",
	"(?s)^.*com.*id",
	"[^\\x00-\\x7f]",
	"0x[0-9A-F]{8}",
	"(?=del)delete",
	"a|b|c|d|e|f|g|h|i|j|k|l|m|n|o|p|q|r",
	"''s \\d",
	"T1\\d:[0-5]",
	"4[0-9a-f]{3}-8",
	"(?:x|y|z)?orders",
	"\\d{3,}",
	"(?-i)WHERE Id = [0-9]{1,3} AND k",
	"user\\d\\d[5-9]\\d@",
	"[0-9a-f]{8}-[0-9a-f]{4}-4",
	"TOP 1?\\d \\* from",
	"= \\d+ where c",
	"(?-i)[a-z]= 'a''s \\d\\d?'",
	"N'\\d'+,\\s+b\\s=\\s\\d\\d\\b",
	"\\.\\d{2}(?:/\\*)?request",
	"^exec p @d = '\\d{4}-\\d\\d-0[1-7]t",
	"[^a-z]\\d\\d[^0-9]",
	"0x[0-9A-F]{4}[02468ace]{2,3}",
	"\\(\\d, []0-4-]\\)",
	"\xff",
	".",
	"\\d$",
	"\\b\\d{1,3}\\b.*\\b\\d\\d\\b",
	"\\Bd\\B|\\bupdate\\b",
	"(drop|order|user)s?\\b",
	"^(select|exec) .*'$",
	"[a-f]\\d{2}-[a-f]",
};

static void test_expressions(void **state)
{
	/* Proves: the rows that match a regular expression are those whose records do: anchors, alternatives, folding beyond ASCII, none. */
	(void)state;
	size_t matched = 0;
	for (uint64_t round = 1; round <= ROUNDS; round++) {
		struct world world;
		begin(&world, 100 + round);
		for (size_t i = 0; i < sizeof expressions / sizeof expressions[0]; i++) {
			struct expression *expression = NULL;
			size_t at = 0;
			struct error err;
			if (expression_new(str_of(expressions[i]), &world.arena, &expression, &at,
					   &err) != 0) {
				assert_string_equal(expressions[i], "\xff"); /* no UTF-8 */
				continue;
			}
			struct match match = {.type = MATCH_EXPRESSION,
					      .pattern = str_of(expressions[i]),
					      .expression = expression};
			matched += compare(&world,
					   (struct block_field){RECORD_STATEMENT, FIELD_statement},
					   &match);
			matched += compare(&world, (struct block_field){RECORD_REQUEST, FIELD_user},
					   &match);
			matched += compare(&world, (struct block_field){RECORD_REQUEST, FIELD_path},
					   &match);
			matched += compare(
				&world, (struct block_field){RECORD_STATEMENT, FIELD_raw}, &match);
			matched +=
				compare(&world, (struct block_field){RECORD_STATEMENT, FIELD_error},
					&match);
		}
		end(&world);
	}
	assert_true(matched > ROUNDS * 100);
}

static void test_damage(void **state)
{
	/* Proves: a search in a block with a changed byte gives ERR_CORRUPT or the same rows, and nothing worse. */
	(void)state;
	struct world world;
	struct error err;
	size_t corrupt = 0;
	begin(&world, 7);
	const struct str any = STR_LIT("orders");
	const struct block_needle needle = {.any = &any, .any_count = 1, .ignore_case = true};
	const struct block_field where = {RECORD_STATEMENT, FIELD_statement};
	uint64_t want[RECORDS / 64 + 1] = {0};
	assert_int_equal(block_find_text(world.opened, where, &needle, want, &err), 0);
	for (size_t at = 0; at < world.block.len; at += 1 + roll(&world, 40)) {
		uint64_t found[RECORDS / 64 + 1] = {0};
		struct block *block = NULL;
		world.block.ptr[at] ^= 0x10;
		const struct block_place place = {
			.fd = -1, .bytes = buf_str(&world.block), .name = "b", .number = 1};
		int rc = block_open(&place, &block, &err);
		rc = rc < 0 ? rc : block_find_text(block, where, &needle, found, &err);
		if (rc == 0) {
			assert_memory_equal(found, want, sizeof want);
		} else {
			assert_int_equal(rc, -ERR_CORRUPT);
			corrupt++;
		}
		block_close(block);
		world.block.ptr[at] ^= 0x10;
	}
	assert_true(corrupt > 10);
	end(&world);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_literals),
		cmocka_unit_test(test_expressions),
		cmocka_unit_test(test_damage),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
