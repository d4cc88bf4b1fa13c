#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/json.h"
#include "base/utf8.h"
#include "query/fmt.h"
#include "tests/unit/hostile.h"

#include <stdlib.h>
#include <unistd.h>

struct sheet { /* one trail and the output of one format over it */
	struct trail trail;
	struct output out;
	struct fmt fmt;
	struct zone zone;
	struct run_result found;
	struct coverage coverage;
};

static void fill(struct trail *trail, struct str text)
{
	record_init(&trail->statement, RECORD_STATEMENT);
	record_init(&trail->request, RECORD_REQUEST);
	record_init(&trail->verdict, RECORD_VERDICT);
	trail->has_statement = trail->has_request = trail->has_verdict = true;
	trail->request_leaf = 1;
	trail->verdict_leaf = 2;
	trail->leaf = 3;
	trail->grade = GRADE_A;
	trail->time_ns = trail->ingest_ns = INT64_C(1795341600000000000);
	trail->statement.source = STR_LIT("sql");
	trail->request.source = STR_LIT("api");
	for (unsigned field = 1; field < FIELD_LIMIT; field++) {
		const struct field_info *info = field_info(field);
		bool is_text = info->name != NULL && info->type <= FIELD_TYPE_BYTES;
		if (is_text && (info->kinds >> RECORD_STATEMENT & 1u) != 0) {
			record_set_text(&trail->statement, field, text);
		}
		if (is_text && (info->kinds >> RECORD_REQUEST & 1u) != 0) {
			record_set_text(&trail->request, field, text);
		}
		if (is_text && (info->kinds >> RECORD_VERDICT & 1u) != 0) {
			record_set_text(&trail->verdict, field, text);
		}
	}
	record_set_text(&trail->verdict, FIELD_grade, STR_LIT("A"));
	record_set_number(&trail->statement, FIELD_rows, INT64_MIN + 1);
	record_set_number(&trail->statement, FIELD_transaction_id, INT64_MAX);
}

/* Writes one trail; the text stays in out.text until the sheet is done. */
static struct str write_sheet(struct sheet *sheet, const struct fmt_type *type, struct str text,
			      size_t width, bool is_terminal)
{
	struct error err;
	memset(sheet, 0, sizeof(*sheet));
	sheet->zone = zone_utc();
	fill(&sheet->trail, text);
	output_init(&sheet->out, -1, &sheet->zone);
	sheet->out.width = width;
	sheet->out.is_terminal = is_terminal;
	sheet->coverage.result = &sheet->found;
	sheet->coverage.to_ns = INT64_MAX;
	fmt_init(&sheet->fmt, &sheet->out, true);
	assert_int_equal(type->begin(&sheet->fmt, &err), 0);
	assert_int_equal(type->row(&sheet->fmt, &sheet->trail, &err), 0);
	assert_int_equal(type->end(&sheet->fmt, &sheet->coverage, &err), 0);
	if (type->done != NULL) {
		type->done(&sheet->fmt);
	}
	return buf_str(&sheet->out.text);
}

/* Nothing in text that a terminal obeys; line feeds only where the format puts them. */
static size_t harmless_lines(struct str text)
{
	size_t feeds = 0;
	assert_int_equal(utf8_invalid(text), -1);
	for (size_t pos = 0; pos < text.len;) {
		uint32_t cp = utf8_next(text, &pos);
		feeds += cp == '\n' ? 1 : 0;
		assert_true(cp >= 0x20 || cp == '\n' || cp == '\r');
		assert_false(cp >= 0x7f && cp < 0xa0);
		assert_false((cp >= 0x202a && cp <= 0x202e) || (cp >= 0x2066 && cp <= 0x2069));
		assert_false(cp == 0x200e || cp == 0x200f || cp == 0x061c || cp == 0x2028 ||
			     cp == 0x2029);
	}
	return feeds;
}

static void assert_harmless(struct str text, size_t lines)
{
	assert_int_equal(harmless_lines(text), lines);
}

static void test_terminal(void **state)
{
	/* Proves: no hostile text acts on a terminal in table, text or csv, and none adds a line. */
	(void)state;
	static const size_t widths[] = {40, 80, 200, 0};
	static struct sheet sheet;
	for (size_t i = 0; i < HOSTILE_COUNT; i++) {
		for (size_t w = 0; w < 4; w++) {
			struct str text =
				write_sheet(&sheet, &fmt_table, hostile[i], widths[w], true);
			size_t lines = harmless_lines(text);
			bool two_lines = widths[w] == 40 || widths[w] == 80;
			/* a long route takes a line of its own */
			assert_true(two_lines ? lines == 4 || lines == 5 : lines == 2);
			assert_int_equal(str_find_byte(text, '\r', 0), -1);
			output_done(&sheet.out);
			text = write_sheet(&sheet, &fmt_text, hostile[i], widths[w], true);
			lines = harmless_lines(text);
			assert_true(widths[w] > 0 ? lines > 1 : lines == 1);
			struct str rest = text;
			while (rest.len > 0 && widths[w] > 0) {
				assert_true(utf8_width(str_split(&rest, '\n')) <= widths[w]);
			}
			assert_int_equal(str_find_byte(text, '\r', 0), -1);
			output_done(&sheet.out);
			assert_harmless(write_sheet(&sheet, &fmt_csv, hostile[i], widths[w], true),
					2);
			output_done(&sheet.out);
		}
	}
}

static void test_widths(void **state)
{
	/* Proves: a table line is never wider than the terminal, whatever the texts, from 40 columns on. */
	(void)state;
	static struct sheet sheet;
	for (size_t width = 40; width <= 240; width += 5) {
		for (size_t i = 0; i < HOSTILE_COUNT; i++) {
			struct str rest = write_sheet(&sheet, &fmt_table, hostile[i], width, true);
			while (rest.len > 0) {
				assert_true(utf8_width(str_split(&rest, '\n')) <= width);
			}
			output_done(&sheet.out);
		}
		struct str rest =
			write_sheet(&sheet, &fmt_table,
				    STR_LIT("\xe6\xbc\xa2\xe5\xad\x97\xe6\xbc\xa2\xe5\xad\x97\xe6"
					    "\xbc\xa2\xe5\xad\x97 wide wide wide wide wide "
					    "wide wide wide wide wide wide"),
				    width, true);
		while (rest.len > 0) {
			assert_true(utf8_width(str_split(&rest, '\n')) <= width);
		}
		output_done(&sheet.out);
	}
}

/* A sheet of one believable trail. */
static struct str write_trail(struct sheet *sheet, const struct fmt_type *type, enum grade grade,
			      size_t width)
{
	struct error err;
	struct trail *trail = &sheet->trail;
	memset(sheet, 0, sizeof(*sheet));
	sheet->zone = zone_utc();
	record_init(&trail->statement, RECORD_STATEMENT);
	record_init(&trail->request, RECORD_REQUEST);
	record_init(&trail->verdict, RECORD_VERDICT);
	trail->has_statement = trail->has_verdict = true;
	trail->has_request = grade != GRADE_U1;
	trail->grade = grade;
	trail->time_ns = INT64_C(1795341600000000000);
	record_set_text(&trail->request, FIELD_user, STR_LIT("somebody.long@department.example"));
	record_set_text(&trail->request, FIELD_route, STR_LIT("GET /a/{b}/c/{d}"));
	record_set_text(&trail->statement, FIELD_verb, STR_LIT("SELECT"));
	record_set_text(&trail->statement, FIELD_table, STR_LIT("dbo.Orders"));
	record_set_text(&trail->statement, FIELD_principal, STR_LIT("app"));
	record_set_text(&trail->statement, FIELD_statement, STR_LIT("SELECT a FROM dbo.Orders"));
	record_set_text(&trail->verdict, FIELD_reason, STR_LIT("the reason of the verdict"));
	record_set_number(&trail->statement, FIELD_rows, 123456789012);
	output_init(&sheet->out, -1, &sheet->zone);
	sheet->out.width = width;
	fmt_init(&sheet->fmt, &sheet->out, false);
	assert_int_equal(type->begin(&sheet->fmt, &err), 0);
	assert_int_equal(type->row(&sheet->fmt, trail, &err), 0);
	assert_int_equal(type->end(&sheet->fmt, NULL, &err), 0);
	if (type->done != NULL) {
		type->done(&sheet->fmt);
	}
	return buf_str(&sheet->out.text);
}

static void test_text_names(void **state)
{
	/* Proves: only A and B say that a person ran something; C doubts and says what could be forged; X tells what ran, whose
	 * request the evidence points to and why that cannot be trusted; U1 knows nobody. */
	(void)state;
	static const char *const ran = "somebody.long@department.example ran SELECT";
	static struct sheet sheet;
	for (enum grade grade = GRADE_A; grade <= GRADE_X; grade++) {
		struct str text = write_trail(&sheet, &fmt_text, grade, 0);
		bool names = str_find(text, str_of(ran), 0) > 0;
		bool doubts = str_find(text, STR_LIT("probably somebody.long@"), 0) > 0;
		assert_int_equal(names, grade != GRADE_X && grade != GRADE_U1);
		assert_int_equal(doubts, names && grade != GRADE_A && grade != GRADE_B);
		assert_true(str_find(text, STR_LIT("the reason of the verdict"), 0) > 0);
		output_done(&sheet.out);
	}
	assert_true(str_find(write_trail(&sheet, &fmt_text, GRADE_C, 0),
			     STR_LIT("; whoever sets the context could forge it."), 0) > 0);
	output_done(&sheet.out);
	assert_true(str_find(write_trail(&sheet, &fmt_text, GRADE_X, 0),
			     STR_LIT(": SELECT on dbo.Orders ran as app (123456789012 rows). The "
				     "evidence points to a request of "
				     "somebody.long@department.example through GET /a/{b}/c/{d}, "
				     "but contradicts itself: the reason of the verdict. Grade X."),
			     0) > 0);
	output_done(&sheet.out);
	assert_true(str_find(write_trail(&sheet, &fmt_text, GRADE_U1, 0),
			     STR_LIT(". Nobody is known for it: the reason of the verdict."),
			     0) > 0);
	output_done(&sheet.out);
}

static void test_table_names(void **state)
{
	/* Proves: user and route stand in full at every width from 60 on, and a number is whole or not there; where nobody is known
	 * and where something contradicts itself a narrow table gives the reason. */
	(void)state;
	static struct sheet sheet;
	for (size_t width = 60; width <= 240; width++) {
		struct str text = write_trail(&sheet, &fmt_table, GRADE_A, width);
		bool has_number = str_find(text, STR_LIT("123"), 0) >= 0;
		assert_true(str_find(text, STR_LIT("somebody.long@department.example"), 0) > 0);
		assert_true(str_find(text, STR_LIT("GET /a/{b}/c/{d}"), 0) > 0);
		assert_int_equal(str_find(text, STR_LIT("123456789012"), 0) >= 0, has_number);
		assert_true(has_number);
		assert_int_equal(harmless_lines(text), width < 75 ? 5 : width < 121 ? 4 : 2);
		output_done(&sheet.out);
	}
	struct str text = write_trail(&sheet, &fmt_table, GRADE_U1, 80);
	assert_true(str_find(text, STR_LIT("U1  nobody known: the reason of the verdict\n"), 0) >
		    0);
	assert_int_equal(str_find(text, STR_LIT("somebody"), 0), -1);
	output_done(&sheet.out);
	text = write_trail(&sheet, &fmt_table, GRADE_U1, 139);
	assert_int_equal(harmless_lines(text), 4); /* users and routes would be empty columns */
	output_done(&sheet.out);
	text = write_trail(&sheet, &fmt_table, GRADE_X, 80);
	assert_true(str_find(text, STR_LIT("    SELECT dbo.Orders, 123456789012 rows: the reason "),
			     0) > 0);
	output_done(&sheet.out);
	text = write_trail(&sheet, &fmt_table, GRADE_X, 50); /* no room for a reason */
	assert_int_equal(str_find(text, STR_LIT("the reason"), 0), -1);
	output_done(&sheet.out);
}

/* The next cell of RFC 4180 text, unquoted into cell. Returns false at the end of the row. */
static bool next_cell(struct str text, size_t *pos, struct buf *cell)
{
	buf_clear(cell);
	if (*pos < text.len && text.ptr[*pos] == '"') {
		for ((*pos)++; *pos < text.len; (*pos)++) {
			if (text.ptr[*pos] == '"' && *pos + 1 < text.len &&
			    text.ptr[*pos + 1] == '"') {
				(*pos)++;
			} else if (text.ptr[*pos] == '"') {
				break;
			}
			buf_put_byte(cell, (uint8_t)text.ptr[*pos]);
		}
		(*pos)++;
	} else {
		while (*pos < text.len && text.ptr[*pos] != ',' && text.ptr[*pos] != '\r') {
			buf_put_byte(cell, (uint8_t)text.ptr[*pos]);
			(*pos)++;
		}
	}
	bool more = *pos < text.len && text.ptr[*pos] == ',';
	*pos += more ? 1 : 2;
	return more;
}

static void test_csv_cells(void **state)
{
	/* Proves: each row has as many cells as the header; no cell begins like a formula unless it is our own number; whatever was
	 * changed is named in `defanged`. */
	(void)state;
	static struct sheet sheet;
	struct buf cell;
	buf_init(&cell, 0);
	for (size_t i = 0; i < HOSTILE_COUNT; i++) {
		struct str text = write_sheet(&sheet, &fmt_csv, hostile[i], 0, false);
		size_t pos = 0;
		size_t header = 1;
		size_t cells = 1;
		size_t statement = 0;
		while (next_cell(text, &pos, &cell)) {
			if (str_is(buf_str(&cell), "statement")) {
				statement = header;
			}
			header++;
		}
		assert_true(str_is(buf_str(&cell), "defanged"));
		bool changed = false;
		bool more;
		do {
			more = next_cell(text, &pos, &cell);
			struct str value = buf_str(&cell);
			bool number = value.len > 10 && value.ptr[0] == '-' && value.ptr[1] == '9';
			if (value.len > 0 && !number) {
				assert_null(memchr("=+-@\t\r\n", value.ptr[0], 7));
			}
			if (cells == statement) {
				changed = !str_equal(value, hostile[i]);
			}
			assert_int_equal(utf8_invalid(value), -1);
			cells += more ? 1 : 0;
		} while (more);
		assert_int_equal(cells, header);
		assert_int_equal(str_find(buf_str(&cell), STR_LIT(" statement"), 0) >= 0, changed);
		assert_int_equal(pos, text.len);
		output_done(&sheet.out);
	}
	buf_done(&cell);
}

/* Reads the text of a key of the first object. */
static bool find_text(struct str json, const char *key, struct buf *out)
{
	struct json_scanner scanner = json_scanner(json);
	bool next = false;
	for (;;) {
		enum json_event event = json_next(&scanner);
		if (event == JSON_END || event == JSON_ERROR) {
			return false;
		}
		if (next) {
			(void)json_unescape(scanner.text, true, out);
			return event == JSON_STRING;
		}
		next = event == JSON_KEY && str_is(scanner.text, key);
	}
}

static void test_json_exact(void **state)
{
	/* Proves: jsonl is two lines of valid JSON without control characters, and valid UTF-8 and lone surrogates come back
	 * exactly. */
	(void)state;
	static struct sheet sheet;
	struct buf value;
	buf_init(&value, 0);
	for (size_t i = 0; i < HOSTILE_COUNT; i++) {
		struct str text = write_sheet(&sheet, &fmt_jsonl, hostile[i], 0, true);
		assert_harmless(text, 2);
		struct str rest = text;
		struct str line = str_split(&rest, '\n');
		buf_clear(&value);
		assert_true(find_text(line, "statement", &value));
		if (utf8_invalid(hostile[i]) < 0) {
			assert_true(str_equal(buf_str(&value), hostile[i]));
		}
		assert_true(str_find(line, STR_LIT("\"transaction_id\":9223372036854775807"), 0) >
			    0);
		assert_true(str_find(line, STR_LIT("\"rows\":-9223372036854775807"), 0) > 0);
		assert_true(str_has_prefix(rest, STR_LIT("{\"coverage\":{\"matched\":0")));
		output_done(&sheet.out);
	}
	struct str text = write_sheet(&sheet, &fmt_jsonl, STR_LIT("a\xed\xa0\x80z"), 0, false);
	assert_true(str_find(text, STR_LIT("\"statement\":\"a\\ud800z\""), 0) > 0);
	output_done(&sheet.out);
	text = write_sheet(&sheet, &fmt_json, STR_LIT("x"), 0, false);
	struct json_scanner scanner = json_scanner(text);
	struct str whole;
	assert_true(json_skip(&scanner, &whole));
	output_done(&sheet.out);
	buf_done(&value);
}

static void test_types(void **state)
{
	/* Proves: every format is found by its name and nothing else is. */
	(void)state;
	size_t count;
	const struct fmt_type *const *types = fmt_types(&count);
	assert_int_equal(count, 5);
	for (size_t i = 0; i < count; i++) {
		assert_ptr_equal(fmt_find(types[i]->name), types[i]);
	}
	assert_null(fmt_find("pdf"));
	for (enum grade grade = 0; grade < GRADE_COUNT; grade++) {
		assert_true(fmt_grade_style(grade) != STYLE_NONE);
	}
}

static void test_one_line(void **state)
{
	/* Proves: white space becomes single spaces and the rest is escaped. */
	(void)state;
	struct buf buf;
	buf_init(&buf, 0);
	fmt_put_one_line(&buf, STR_LIT("  a \r\n\t b\033 "));
	assert_true(str_is(buf_str(&buf), "a b\\u{1b}"));
	buf_done(&buf);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_terminal),    cmocka_unit_test(test_widths),
		cmocka_unit_test(test_table_names), cmocka_unit_test(test_text_names),
		cmocka_unit_test(test_csv_cells),   cmocka_unit_test(test_json_exact),
		cmocka_unit_test(test_types),       cmocka_unit_test(test_one_line),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
