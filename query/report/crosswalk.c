#include "query/report/crosswalk.h"

#include "query/report/section-run.h"

enum { CLAUSE, ASKS, ANSWERS, ROWS, LIMITS, COLUMNS };

static const struct report_column columns[COLUMNS] = {
	[CLAUSE] = {"clause", "Clause", REPORT_TEXT, 2},
	[ASKS] = {"asks", "What it asks for", REPORT_TEXT, 5},
	[ANSWERS] = {"answers", "Answered by", REPORT_TEXT, 5},
	[ROWS] = {"rows", "Rows", REPORT_NUMBER, 2},
	[LIMITS] = {"limits", "What this report does not show", REPORT_TEXT, 6},
};

/* The item of "part/section", or of "part" as a whole: then its first section's place. */
static struct report_item *item_of(struct report *report, struct str answer, bool *out_whole)
{
	struct str section = answer;
	struct str part = str_split(&section, '/');
	*out_whole = section.ptr == NULL;
	for (size_t i = 0; i < report->item_count; i++) {
		struct report_item *item = &report->item[i];
		if (!str_equal(item->definition->name, part)) {
			continue;
		}
		if (*out_whole ? item->section == NULL
			       : item->section != NULL && str_equal(item->section->name, section)) {
			return item;
		}
	}
	return NULL;
}

int crosswalk_check(const struct report *report, struct error *err)
{
	const struct definition *main = report->definition;
	for (size_t i = 0; i < main->crosswalk_count; i++) {
		const struct definition_crosswalk *row = &main->crosswalk[i];
		for (size_t k = 0; k < row->answer_count; k++) {
			bool whole;
			if (item_of((struct report *)report, row->answer[k], &whole) == NULL) {
				return error_set(
					err, ERR_CONFIG,
					"report %.*s, line %d: there is no section \"%.*s\"",
					STR_ARG(main->name), row->line, STR_ARG(row->answer[k]));
			}
		}
	}
	return 0;
}

static int count_item(struct report_item *item, const struct report_question *question,
		      struct error *err)
{
	int result = 0;
	if (item->section != NULL && !item->counted) {
		result = section_count(item, question, &item->matched, err);
		item->counted = result == 0;
	}
	return result;
}

/* Counts the sections of an answer and appends its title. */
static int take_answer(struct report *report, const struct report_question *question,
		       struct str answer, struct report_cell *rows, struct error *err)
{
	bool whole;
	struct report_item *item = item_of(report, answer, &whole);
	int result = 0;
	for (size_t i = (size_t)(item - report->item); result == 0 && i < report->item_count; i++) {
		struct report_item *other = &report->item[i];
		if (other->definition != item->definition || (!whole && other != item)) {
			break;
		}
		result = count_item(other, question, err);
		rows->number += (int64_t)other->matched;
	}
	return result;
}

static void put_title(struct report *report, struct str answer, struct buf *out)
{
	bool whole;
	const struct report_item *item = item_of(report, answer, &whole);
	buf_put_text(out, out->len > 0 ? "; " : "");
	buf_put_str(out, item->definition->title);
	if (!whole) {
		buf_put_text(out, ": ");
		buf_put_str(out, item->section->title);
	}
}

/* The framework of all rows, or the empty str when they have several. */
static struct str common_framework(const struct definition *main)
{
	struct str first = main->crosswalk[0].clause.framework;
	for (size_t i = 1; i < main->crosswalk_count; i++) {
		if (!str_equal(main->crosswalk[i].clause.framework, first)) {
			return (struct str){NULL, 0};
		}
	}
	return first;
}

static int write_row(struct report *report, const struct report_question *question,
		     const struct definition_crosswalk *row, struct targets *targets,
		     struct error *err)
{
	struct report_cell cells[COLUMNS] = {{0}};
	struct buf clause, answers;
	int result = 0;
	buf_init(&clause, 8192);
	buf_init(&answers, 65536);
	if (common_framework(report->definition).len == 0) {
		buf_put_str(&clause, row->clause.framework);
		buf_put_byte(&clause, ' ');
	}
	buf_put_str(&clause, row->clause.clause);
	for (size_t i = 0; result == 0 && i < row->answer_count; i++) {
		put_title(report, row->answer[i], &answers);
		result = take_answer(report, question, row->answer[i], &cells[ROWS], err);
	}
	cells[CLAUSE].text = buf_str(&clause);
	cells[ASKS].text = row->clause.text;
	cells[ANSWERS].text = row->answer_count > 0 ? buf_str(&answers) : STR_LIT("nothing here");
	cells[ROWS].absent = row->answer_count == 0;
	cells[LIMITS].text = row->limits;
	cells[LIMITS].absent = row->limits.len == 0;
	result = result == 0 ? targets_row(targets, cells, err) : result;
	buf_done(&clause);
	buf_done(&answers);
	return result;
}

int crosswalk_write(struct report *report, const struct report_question *question,
		    struct targets *targets, struct error *err)
{
	const struct definition *main = report->definition;
	struct report_section section = {main->crosswalk_title, main->crosswalk_text, 1,
					 CROSSWALK_ANCHOR};
	struct str framework =
		common_framework(main); /* then it is the title, which ends in a NUL */
	struct report_column shown[COLUMNS];
	struct report_table table = {CROSSWALK_ANCHOR, main->crosswalk_title, shown, COLUMNS};
	memcpy(shown, columns, sizeof(columns));
	if (arena_str(&report->arena, common_framework(main), &framework) == 0 &&
	    framework.len > 0) {
		shown[CLAUSE].title = framework.ptr;
	}
	struct report_table_end end = {main->crosswalk_count, main->crosswalk_count};
	int result = targets_section(targets, &section, err);
	result = result == 0 ? targets_table_begin(targets, &table, err) : result;
	for (size_t i = 0; result == 0 && i < main->crosswalk_count; i++) {
		result = write_row(report, question, &main->crosswalk[i], targets, err);
	}
	return result == 0 ? targets_table_end(targets, &end, err) : result;
}
