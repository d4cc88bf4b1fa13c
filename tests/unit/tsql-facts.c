#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "model/tsql/facts.h"

#include <stdio.h>
#include <stdlib.h>

struct example {
	const char *text, *statements, *objects, *flags;
};

static const struct example corpus[] = {
#define CASE(text, statements, objects, flags) {text, statements, objects, flags},
#include "tests/unit/tsql-corpus.def"
#undef CASE
};

static void begin_item(struct buf *out)
{
	if (out->len > 0) {
		buf_put_text(out, "; ");
	}
}

static void put_statements(const struct tsql_facts *facts, struct buf *out)
{
	for (size_t i = 0; i < facts->statement_count; i++) {
		const struct tsql_statement *statement = &facts->statements[i];

		begin_item(out);
		if (statement->via != TSQL_DIRECT) {
			buf_putf(out, "%s:", tsql_via_text(statement->via));
		}
		buf_put_text(out, tsql_verb_text(statement->verb));
		if (statement->kind != TSQL_CLASS_NONE) {
			buf_putf(out, " %s", tsql_class_text(statement->kind));
		}
		buf_put_text(out, statement->defined ? "~" : "");
	}
}

static void put_objects(const struct tsql_facts *facts, struct buf *out)
{
	static const char letters[] = "rwcadxg";

	for (size_t i = 0; i < facts->object_count; i++) {
		const struct tsql_object *object = &facts->objects[i];

		begin_item(out);
		buf_putf(out, "%c ", letters[object->access]);
		if (object->kind != TSQL_CLASS_TABLE && object->kind != TSQL_CLASS_PROCEDURE) {
			buf_putf(out, "%s/", tsql_class_text(object->kind));
		}
		tsql_name_put(&object->name, out);
		buf_put_text(out, object->defined ? "~" : "");
	}
}

static void put_flags(uint32_t flags, struct buf *out)
{
	for (unsigned bit = 0; bit < 31; bit++) {
		if ((flags >> bit & 1) != 0) {
			begin_item(out);
			buf_put_text(out, tsql_flag_text((enum tsql_flag)(1u << bit)));
		}
	}
}

/* How many items of a list with "; " are not in another, each of which counts once. */
static size_t count_missing(struct str list, struct str other)
{
	bool used[64] = {false};
	size_t missing = 0;

	while (list.len > 0) {
		ptrdiff_t end = str_find(list, STR_LIT("; "), 0);
		struct str item = str_slice(list, 0, end < 0 ? list.len : (size_t)end);
		struct str rest = other;
		bool found = false;

		for (size_t i = 0; rest.len > 0 && i < 64; i++) {
			ptrdiff_t cut = str_find(rest, STR_LIT("; "), 0);
			struct str one = str_slice(rest, 0, cut < 0 ? rest.len : (size_t)cut);

			if (!found && !used[i] && str_equal(one, item)) {
				found = used[i] = true;
			}
			rest = cut < 0 ? str_make(NULL, 0)
				       : str_slice(rest, (size_t)cut + 2, rest.len);
		}
		missing += found ? 0 : 1;
		list = end < 0 ? str_make(NULL, 0) : str_slice(list, (size_t)end + 2, list.len);
	}
	return missing;
}

static size_t count_items(struct str list)
{
	return count_missing(list, str_make(NULL, 0));
}

struct score {
	size_t wanted, found, missing, wrong;
};

static size_t compare(const char *what, struct str wanted, struct str found, const char *text)
{
	size_t missing = count_missing(wanted, found);
	size_t wrong = count_missing(found, wanted);

	if (missing + wrong > 0) {
		print_message("%s\n  %s wanted: %.*s\n  %s found:  %.*s\n", text, what,
			      STR_ARG(wanted), what, STR_ARG(found));
	}
	return missing + wrong;
}

static void corpus_is_read_as_labelled(void **state)
{
	/* statements, objects and flags of every labelled statement are what a person says; prints the score of objects */
	struct score score = {0};
	struct tsql_scratch scratch;
	struct tsql_facts facts;
	struct buf out;
	size_t differences = 0;

	(void)state;
	tsql_scratch_init(&scratch);
	buf_init(&out, 0);
	for (size_t i = 0; i < sizeof(corpus) / sizeof(corpus[0]); i++) {
		const struct example *example = &corpus[i];

		assert_int_equal(tsql_facts_of(str_of(example->text), NULL, &scratch, &facts), 0);
		buf_clear(&out);
		put_statements(&facts, &out);
		if (!str_is(buf_str(&out), example->statements)) {
			print_message("%s\n  statements wanted: %s\n  statements found:  %.*s\n",
				      example->text, example->statements, STR_ARG(buf_str(&out)));
			differences++;
		}
		buf_clear(&out);
		put_flags(facts.flags, &out);
		differences +=
			compare("flags", str_of(example->flags), buf_str(&out), example->text);
		buf_clear(&out);
		put_objects(&facts, &out);
		differences +=
			compare("objects", str_of(example->objects), buf_str(&out), example->text);
		score.wanted += count_items(str_of(example->objects));
		score.found += count_items(buf_str(&out));
		score.missing += count_missing(str_of(example->objects), buf_str(&out));
		score.wrong += count_missing(buf_str(&out), str_of(example->objects));
	}
	print_message("objects: %zu wanted, %zu missing, %zu wrong, F1 %.4f\n", score.wanted,
		      score.missing, score.wrong,
		      2.0 * (double)(score.wanted - score.missing) /
			      (double)(score.wanted + score.found));
	buf_done(&out);
	tsql_scratch_done(&scratch);
	assert_int_equal(differences, 0);
}

static void match_text_is_plain(void **state)
{
	/* comments are gone, white space is one blank, inner texts stand behind a newline each */
	static const char text[] =
		"  SELECT/* a */ x\n\t-- b\nFROM t; EXEC ('DR' + 'OP  TABLE/**/ y')  ";
	struct tsql_scratch scratch;
	struct tsql_facts facts;
	struct buf out;

	(void)state;
	tsql_scratch_init(&scratch);
	buf_init(&out, 0);
	assert_int_equal(tsql_facts_of(str_of(text), NULL, &scratch, &facts), 0);
	tsql_match_text(str_of(text), &facts, NULL, &out);
	assert_string_equal(out.ptr,
			    "SELECT x FROM t; EXEC ('DR' + 'OP  TABLE/**/ y')\nDROP TABLE y");
	buf_done(&out);
	tsql_scratch_done(&scratch);
}

static void names_are_written_as_people_do(void **state)
{
	/* leading parts that are not there are left out, others are empty */
	struct tsql_name name = {.object = STR_LIT("t x")};
	struct buf out;

	(void)state;
	buf_init(&out, 0);
	tsql_name_put(&name, &out);
	assert_string_equal(out.ptr, "t x");
	name.schema = STR_LIT("");
	name.database = STR_LIT("db");
	buf_clear(&out);
	tsql_name_put(&name, &out);
	assert_string_equal(out.ptr, "db..t x");
	buf_done(&out);
}

static void verb_is_that_of_the_first_deed(void **state)
{
	/* what prepares or decides is passed over; a text of nothing else has its first verb */
	static const struct {
		const char *text;
		enum tsql_verb verb;
	} examples[] = {
		{"SET NOCOUNT ON; DECLARE @a int = 1; IF @a = 1 UPDATE t SET b = 1",
		 TSQL_VERB_UPDATE},
		{"EXEC sp_set_session_context N'k', N'v'; DELETE t WHERE a = 1", TSQL_VERB_DELETE},
		{"SET NOCOUNT ON", TSQL_VERB_SET},
		{"EXEC ('DROP TABLE x')", TSQL_VERB_EXECUTE},
		{"", TSQL_VERB_NONE},
	};
	struct tsql_scratch scratch;
	struct tsql_facts facts;

	(void)state;
	tsql_scratch_init(&scratch);
	for (size_t i = 0; i < sizeof(examples) / sizeof(examples[0]); i++) {
		assert_int_equal(tsql_facts_of(str_of(examples[i].text), NULL, &scratch, &facts),
				 0);
		assert_int_equal(facts.verb, examples[i].verb);
	}
	tsql_scratch_done(&scratch);
}

static void words_have_their_texts(void **state)
{
	/* each value has a text, and one that is none has an empty one */
	(void)state;
	assert_string_equal(tsql_verb_text(TSQL_VERB_BULK_INSERT), "BULK INSERT");
	assert_string_equal(tsql_class_text(TSQL_CLASS_SERVER_AUDIT), "SERVER AUDIT");
	assert_string_equal(tsql_flag_text(TSQL_SELECT_INTO), "select_into");
	assert_string_equal(tsql_access_text(TSQL_GRANTED), "grant");
	assert_string_equal(tsql_via_text(TSQL_PREPARED), "prepared");
	assert_string_equal(tsql_verb_text((enum tsql_verb)9999), "");
	assert_string_equal(tsql_access_text((enum tsql_access)9999), "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(match_text_is_plain),
		cmocka_unit_test(names_are_written_as_people_do),
		cmocka_unit_test(verb_is_that_of_the_first_deed),
		cmocka_unit_test(words_have_their_texts),
		cmocka_unit_test(corpus_is_read_as_labelled),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
