#include "query/command.h"

#include "base/json.h"
#include "base/utf8.h"
#include "query/csv-cell.h"
#include "query/fmt.h"
#include "query/group.h"
#include "query/layout.h"
#include "query/question.h"

#include <stdlib.h>

#define LIMIT_TABLE 20 /* rows of a table when nobody says --limit; the rest is told */

enum top_format { TOP_TABLE, TOP_JSON, TOP_JSONL, TOP_CSV };

struct top {
	struct question question;
	struct verified verified;
	enum top_format format;
	struct group_field fields[GROUP_FIELDS_MAX];
	size_t field_count;
	struct group_set groups;
	struct layout_column columns[GROUP_FIELDS_MAX + 2];
};

static int read_format(struct session *session, enum top_format *out_format, struct error *err)
{
	static const char *const names[] = {"table", "json", "jsonl", "csv"};
	const char *name = session_option(session, OPTION_FORMAT);
	name = session_option(session, OPTION_JSON) != NULL ? "json" : name;
	*out_format = TOP_TABLE;
	for (size_t i = 0; name != NULL && i < sizeof(names) / sizeof(names[0]); i++) {
		if (strcmp(names[i], name) == 0) {
			*out_format = (enum top_format)i;
			return 0;
		}
	}
	return name == NULL
		       ? 0
		       : error_set(err, ERR_USAGE,
				   "--format %s is unknown; there are table, json, jsonl and csv",
				   name);
}

static size_t shown(const struct top *top)
{
	uint64_t limit = top->question.limit;
	if (limit == UINT64_MAX && top->format == TOP_TABLE) {
		limit = LIMIT_TABLE;
	}
	return top->groups.count < limit ? top->groups.count : (size_t)limit;
}

static void put_share(const struct top *top, const struct group *group, struct buf *out)
{
	uint64_t tenths = top->groups.statements > 0
				  ? (group->statements * 1000 + top->groups.statements / 2) /
					    top->groups.statements
				  : 0;
	buf_putf(out, "%llu.%llu %%", (unsigned long long)(tenths / 10),
		 (unsigned long long)(tenths % 10));
}

/* Cell i of a group's row: statements, share, then the values. */
static void put_cell(const struct top *top, const struct group *group, size_t i, struct buf *out)
{
	if (i == 0) {
		buf_put_u64(out, group->statements);
	} else if (i == 1) {
		put_share(top, group, out);
	} else if (group->value[i - 2].ptr == NULL) {
		buf_put_text(out, "(none)");
	} else if (group->value[i - 2].len == 0) {
		buf_put_text(out, "(empty)");
	} else {
		fmt_put_one_line(out, group->value[i - 2]);
	}
}

static void upper(const char *name, char out[48])
{
	size_t i = 0;
	for (; name[i] != '\0' && i < 47; i++) {
		out[i] = name[i] >= 'a' && name[i] <= 'z' ? (char)(name[i] - 'a' + 'A') : name[i];
	}
	out[i] = '\0';
}

static void put_row(struct output *out, const struct top *top, const struct group *group)
{
	struct buf cell;
	size_t count = top->field_count + 2;
	buf_init(&cell, 0);
	for (size_t i = 0; i < count; i++) {
		if (top->columns[i].width == 0) {
			continue;
		}
		buf_clear(&cell);
		if (group != NULL) {
			put_cell(top, group, i, &cell);
		} else {
			buf_put_text(&cell, top->columns[i].title);
		}
		buf_put_text(&out->text, i > 0 ? "  " : "");
		layout_put_cell(&out->text, &top->columns[i], buf_str(&cell), i == count - 1,
				out->width > 0);
	}
	buf_put_byte(&out->text, '\n');
	buf_done(&cell);
}

static void put_table(struct output *out, struct top *top)
{
	char titles[GROUP_FIELDS_MAX][48];
	size_t rows = shown(top);
	struct buf cell;
	top->columns[0] = (struct layout_column){.title = "STATEMENTS", .least = 10, .right = true};
	top->columns[1] = (struct layout_column){
		.title = "SHARE", .importance = 1, .least = 7, .right = true};
	for (size_t f = 0; f < top->field_count; f++) {
		upper(top->fields[f].name, titles[f]);
		top->columns[f + 2] = (struct layout_column){.title = titles[f], .least = 12};
	}
	layout_begin(top->columns, top->field_count + 2);
	buf_init(&cell, 0);
	for (size_t i = 0; i < rows; i++) {
		for (size_t c = 0; c < top->field_count + 2; c++) {
			buf_clear(&cell);
			put_cell(top, &top->groups.group[i], c, &cell);
			layout_see(&top->columns[c], utf8_width(buf_str(&cell)));
		}
	}
	buf_done(&cell);
	layout_decide(top->columns, top->field_count + 2, out->width);
	output_style(out, STYLE_TITLE);
	put_row(out, top, NULL);
	output_style(out, STYLE_NONE);
	for (size_t i = 0; i < rows; i++) {
		put_row(out, top, &top->groups.group[i]);
		output_row_done(out);
	}
}

/* What was not shown. */
static void put_rest(struct session *session, const struct top *top)
{
	size_t rows = shown(top);
	uint64_t statements = 0;
	if (rows == top->groups.count) {
		return;
	}
	for (size_t i = rows; i < top->groups.count; i++) {
		statements += top->groups.group[i].statements;
	}
	buf_putf(&session->err.text, "and %zu more with %llu statements; --limit %zu shows all\n",
		 top->groups.count - rows, (unsigned long long)statements, top->groups.count);
}

static void put_json(const struct top *top, const struct group *group, struct buf *out)
{
	bool first = true;
	buf_put_byte(out, '{');
	for (size_t f = 0; f < top->field_count; f++) {
		json_put_key(out, &first, top->fields[f].name);
		if (group->value[f].ptr == NULL) {
			buf_put_text(out, "null");
		} else {
			json_put_string(out, group->value[f]);
		}
	}
	json_put_key(out, &first, "statements");
	buf_put_u64(out, group->statements);
	buf_put_byte(out, '}');
}

static void put_objects(struct output *out, const struct top *top, const struct coverage *coverage)
{
	bool is_document = top->format == TOP_JSON;
	buf_put_text(&out->text, is_document ? "{\"rows\":[" : "");
	for (size_t i = 0; i < shown(top); i++) {
		if (is_document) {
			buf_put_text(&out->text, i > 0 ? ",\n" : "\n");
		}
		put_json(top, &top->groups.group[i], &out->text);
		buf_put_text(&out->text, is_document ? "" : "\n");
		output_row_done(out);
	}
	buf_put_text(&out->text, is_document ? "\n],\"coverage\":" : "{\"coverage\":");
	coverage_put_json(coverage, &out->text);
	buf_put_text(&out->text, "}\n");
}

static void put_csv(struct output *out, const struct top *top)
{
	struct buf cell;
	buf_init(&cell, 0);
	buf_put_text(&out->text, "statements");
	for (size_t f = 0; f < top->field_count; f++) {
		csv_cell_put(&out->text, str_of(top->fields[f].name), false);
	}
	buf_put_text(&out->text, ",defanged\r\n");
	for (size_t i = 0; i < shown(top); i++) {
		const struct group *group = &top->groups.group[i];
		bool changed = false;
		buf_put_u64(&out->text, group->statements);
		for (size_t f = 0; f < top->field_count; f++) {
			struct str value = group->value[f];
			buf_clear(&cell);
			changed = (value.ptr != NULL &&
				   csv_cell_defuse(value, out->is_terminal, &cell)) ||
				  changed;
			csv_cell_put(&out->text, buf_str(&cell), false);
		}
		buf_put_text(&out->text, changed ? ",yes\r\n" : ",\r\n");
		output_row_done(out);
	}
	buf_done(&cell);
}

static int answer(struct session *session, struct top *top, const struct run_result *found,
		  struct error *err)
{
	struct coverage coverage;
	int result = coverage_make(session->store, &top->question.plan, found, &coverage, err);
	if (result != 0) {
		return result;
	}
	coverage.verified = &top->verified;
	coverage.now_ns = session->surroundings->now_ns;
	coverage.daemon_stopped = !session_daemon_runs(session);
	coverage.matched = top->groups.statements;
	bool tells_rest = top->format == TOP_TABLE || top->format == TOP_CSV;
	coverage.returned = tells_rest ? coverage.matched : 0;
	for (size_t i = 0; !tells_rest && i < shown(top); i++) {
		coverage.returned += top->groups.group[i].statements;
	}
	if (top->format == TOP_TABLE) {
		put_table(&session->out, top);
	} else if (top->format == TOP_CSV) {
		put_csv(&session->out, top);
	} else {
		put_objects(&session->out, top, &coverage);
	}
	result = output_flush(&session->out, err);
	if (result != 0) {
		return result;
	}
	if (tells_rest) {
		put_rest(session, top);
		output_style(&session->err, STYLE_DIM);
		coverage_put_text(&coverage, &session->zone, &session->err.text);
		output_style(&session->err, STYLE_NONE);
	}
	if (coverage_incomplete(&coverage)) {
		return EXIT_INCOMPLETE;
	}
	return coverage.matched > 0 ? EXIT_FOUND : EXIT_NONE;
}

static int ask(struct session *session, struct top *top, struct error *err)
{
	char *const *words = session->line.word; /* the first one is the fields */
	int result = read_format(session, &top->format, err);
	if (result == 0) {
		result = group_fields_read(str_of(words[0]), top->fields, &top->field_count, err);
	}
	if (result == 0) {
		result = question_read(session, words + 1, session->line.word_count - 1,
				       &top->question, err);
	}
	result = result == 0 ? verified_begin(session, &top->verified, err) : result;
	if (result != 0) {
		return result;
	}
	struct run_result found;
	group_set_init(&top->groups, top->fields, top->field_count);
	result = group_set_run(&top->groups, session->store, &top->question.plan, &found, err);
	if (result == 0) {
		group_set_sort(&top->groups);
		result = answer(session, top, &found, err);
		run_result_clear(&found);
	}
	group_set_done(&top->groups);
	return result;
}

int cmd_top(struct session *session, struct error *err)
{
	struct top *top = calloc(1, sizeof(*top));
	if (top == NULL) {
		return error_set(err, ERR_NOMEM, "no memory for the question");
	}
	question_init(&top->question);
	int result = ask(session, top, err);
	verified_end(&top->verified);
	question_done(&top->question);
	free(top);
	return result;
}
