#include "query/report/section-run.h"

#include "query/report/bars.h"

#include <stdio.h>
#include <stdlib.h>

#define ARENA_MAX (8u << 20)

struct section_job {
	const struct report_item *item;
	const struct definition_section *section;
	const struct report_question *question;
	struct targets *targets;
	struct section_result *result;
	struct arena arena;
	struct buf filter;
	struct query query;
	struct plan *plan;
	struct dataset dataset;
	struct tally table;
	struct tally chart[DEFINITION_CHARTS_MAX];
};

/* The filter of the command line and that of the section, both of which must hold. */
static void join_filters(struct section_job *job)
{
	struct str ours = job->section->filter;
	struct str theirs = job->question->filter;
	if (!job->section->dataset->follows_filter) {
		return;
	}
	if (ours.len == 0 || theirs.len == 0) {
		buf_put_str(&job->filter, ours.len > 0 ? ours : theirs);
		return;
	}
	buf_put_byte(&job->filter, '(');
	buf_put_str(&job->filter, theirs);
	buf_put_text(&job->filter, ") (");
	buf_put_str(&job->filter, ours);
	buf_put_byte(&job->filter, ')');
}

static int open_job(struct section_job *job, struct error *err)
{
	struct plan_options options = {
		.from_ns = job->question->from_ns,
		.to_ns = job->question->to_ns,
		.context = {job->question->zone, job->question->now_ns},
	};
	job->plan = calloc(1, sizeof(*job->plan));
	if (job->plan == NULL) {
		return error_set(err, ERR_NOMEM, "no memory for a section of the report");
	}
	arena_init(&job->arena, ARENA_MAX);
	buf_init(&job->filter, LEXER_TEXT_MAX);
	join_filters(job);
	int result = buf_check(&job->filter, "the filter", err);
	result = result == 0 ? query_parse(buf_str(&job->filter), &job->arena, &job->query, err)
			     : result;
	result = result == 0 ? plan_make(&job->query, &options, job->plan, err) : result;
	if (result != 0) {
		error_prefix(err, "section %s", job->section->name.ptr);
		return result;
	}
	struct dataset_question question = {job->question->store, job->question->zone, job->plan};
	return dataset_open(job->section->dataset, &question, &job->dataset, err);
}

static void close_job(struct section_job *job)
{
	dataset_close(&job->dataset);
	free(job->plan);
	if (job->arena.max_bytes > 0) {
		arena_done(&job->arena);
		buf_done(&job->filter);
	}
}

static bool match_holds(struct dataset *dataset, const struct definition_match *match)
{
	char number[24];
	struct trail_value value = dataset_value(dataset, match->field);
	struct str text = value.text;
	if (value.type == TRAIL_ABSENT) {
		return match->except;
	}
	if (value.type == TRAIL_BOOL) {
		text = value.number != 0 ? STR_LIT("true") : STR_LIT("false");
	} else if (value.type == TRAIL_NUMBER || value.type == TRAIL_TIME) {
		int len = snprintf(number, sizeof(number), "%lld", (long long)value.number);
		text = str_make(number, (size_t)len);
	}
	for (size_t i = 0; i < match->glob_count; i++) {
		if (str_glob_fold(text, match->glob[i])) {
			return !match->except;
		}
	}
	return match->except;
}

/* Reads the next row that belongs to the section; *at moves behind it. Returns 0, or ERR_GONE when there is none left. */
static int next_row(struct section_job *job, size_t *at, struct error *err)
{
	const struct definition_section *section = job->section;
	while (*at < job->dataset.row_count) {
		size_t row = section->newest_first ? job->dataset.row_count - 1 - *at : *at;
		struct error local;
		(*at)++;
		int result = dataset_read(&job->dataset, row, &local);
		if (result == -ERR_GONE) {
			continue; /* counted as unread */
		}
		if (result != 0) {
			if (err != NULL) {
				*err = local;
			}
			return result;
		}
		bool holds = true;
		for (size_t i = 0; holds && i < section->match_count; i++) {
			holds = match_holds(&job->dataset, &section->match[i]);
		}
		if (holds) {
			return 0;
		}
	}
	return -ERR_GONE;
}

static int add_to_tallies(struct section_job *job, struct error *err)
{
	const struct definition_section *section = job->section;
	int result = 0;
	if (section->grouped) {
		result = tally_add(&job->table, &job->dataset, err);
	}
	for (size_t i = 0; result == 0 && i < section->chart_count; i++) {
		result = tally_add(&job->chart[i], &job->dataset, err);
	}
	return result;
}

/* The pass that groups and charts need. */
static int gather(struct section_job *job, struct error *err)
{
	size_t at = 0;
	int result = 0;
	if (!job->section->grouped && job->section->chart_count == 0) {
		return 0;
	}
	while (result == 0 && (result = next_row(job, &at, err)) == 0) {
		job->result->matched++;
		result = add_to_tallies(job, err);
	}
	return result == -ERR_GONE ? 0 : result;
}

static void make_cell(const struct trail_value *value, struct report_cell *out_cell)
{
	*out_cell = (struct report_cell){
		.absent = value->type == TRAIL_ABSENT,
		.text = value->text,
		.number = value->number,
	};
}

static int write_groups(struct section_job *job, struct report_table_end *end, struct error *err)
{
	const struct definition_section *section = job->section;
	struct tally_order order[REPORT_COLUMNS_MAX];
	int result = 0;
	for (size_t i = 0; i < section->order_count; i++) {
		const struct definition_column *column = &section->column[section->order[i].column];
		order[i] = (struct tally_order){column->of_tally,
						column->of_tally ? column->tally : column->field,
						section->order[i].descending};
	}
	tally_sort(&job->table, order, section->order_count);
	end->row_matched = job->table.group_count;
	for (size_t i = 0; result == 0 && i < job->table.group_count && i < section->first; i++) {
		struct report_cell cells[REPORT_COLUMNS_MAX];
		const struct tally_group *group = &job->table.groups[i];
		for (size_t c = 0; c < section->column_count; c++) {
			const struct definition_column *column = &section->column[c];
			struct trail_value value =
				column->of_tally ? tally_value(&job->table, group, column->tally)
						 : group->key[column->field];
			make_cell(&value, &cells[c]);
		}
		end->row_count++;
		result = targets_row(job->targets, cells, err);
	}
	return result;
}

static int write_rows(struct section_job *job, struct report_table_end *end, struct error *err)
{
	const struct definition_section *section = job->section;
	size_t at = 0;
	int result = 0;
	job->result->matched = 0;
	job->dataset.unread = 0;
	while (result == 0 && (result = next_row(job, &at, err)) == 0) {
		struct report_cell cells[REPORT_COLUMNS_MAX];
		job->result->matched++;
		end->row_matched++;
		if (end->row_matched > section->first) {
			continue;
		}
		for (size_t c = 0; c < section->column_count; c++) {
			struct trail_value value =
				dataset_value(&job->dataset, section->column[c].field);
			make_cell(&value, &cells[c]);
		}
		end->row_count++;
		result = targets_row(job->targets, cells, err);
	}
	return result == -ERR_GONE ? 0 : result;
}

/* "first_seen" as "First seen". */
static const char *title_of(struct section_job *job, const struct definition_column *column)
{
	char name[64];
	struct str copy;
	if (column->title.len > 0) {
		return arena_str(&job->arena, column->title, &copy) == 0 ? copy.ptr
									 : column->name.ptr;
	}
	size_t len = column->name.len < sizeof(name) ? column->name.len : sizeof(name);
	for (size_t i = 0; i < len; i++) {
		char c = column->name.ptr[i];
		name[i] = c == '_' ? ' ' : c;
	}
	if (name[0] >= 'a' && name[0] <= 'z') {
		name[0] = (char)(name[0] - 'a' + 'A');
	}
	return arena_str(&job->arena, str_make(name, len), &copy) == 0 ? copy.ptr
								       : column->name.ptr;
}

static int write_table(struct section_job *job, struct error *err)
{
	const struct definition_section *section = job->section;
	struct report_column columns[REPORT_COLUMNS_MAX];
	struct report_table table = {.name = job->item->anchor,
				     .title = section->title,
				     .columns = columns,
				     .column_count = section->column_count};
	struct report_table_end end = {0};
	for (size_t i = 0; i < section->column_count; i++) {
		const struct definition_column *column = &section->column[i];
		columns[i] = (struct report_column){column->name.ptr, title_of(job, column),
						    column->form, column->weight};
	}
	int result = targets_table_begin(job->targets, &table, err);
	if (result == 0) {
		result = section->grouped ? write_groups(job, &end, err)
					  : write_rows(job, &end, err);
	}
	job->result->row_count = end.row_count;
	return result == 0 ? targets_table_end(job->targets, &end, err) : result;
}

static int note(struct section_job *job, bool warns, struct error *err, const char *format, ...)
	__attribute__((format(printf, 4, 5)));

static int note(struct section_job *job, bool warns, struct error *err, const char *format, ...)
{
	char text[DEFINITION_TEXT_MAX + 64];
	va_list args;
	va_start(args, format);
	(void)vsnprintf(text, sizeof(text), format,
			args); /* long enough for a text of a definition */
	va_end(args);
	return targets_note(job->targets, str_of(text), warns, err);
}

static int write_notes(struct section_job *job, struct error *err)
{
	const struct definition_section *section = job->section;
	const struct section_result *found = job->result;
	int result = 0;
	if (found->row_count == 0 && section->empty.len > 0) {
		result = note(job, false, err, "%.*s", STR_ARG(section->empty));
	}
	if (result == 0 && job->question->filter.len > 0 && !section->dataset->follows_filter) {
		result = note(job, false, err,
			      "The filter of this report is about statements; it does not narrow "
			      "this section.");
	}
	if (result == 0 && found->unread > 0) {
		result = note(job, true, err, "%llu rows could not be read whole.",
			      (unsigned long long)found->unread);
	}
	if (result == 0 && found->damaged > 0) {
		result = note(job, true, err,
			      "%llu damaged blocks of the store could not be searched.",
			      (unsigned long long)found->damaged);
	}
	return result;
}

static int write_section(struct section_job *job, struct error *err)
{
	const struct definition_section *section = job->section;
	struct report_section shown = {section->title, section->text, job->item->level,
				       job->item->anchor};
	int result = targets_section(job->targets, &shown, err);
	result = result == 0 ? gather(job, err) : result;
	for (size_t i = 0; result == 0 && i < section->chart_count; i++) {
		struct bars_question question = {&section->chart[i], &job->dataset,
						 job->question->zone};
		result = bars_write(&question, &job->chart[i], job->targets, err);
	}
	result = result == 0 ? write_table(job, err) : result;
	job->result->unread = job->dataset.unread;
	job->result->damaged = job->dataset.damaged;
	return result == 0 ? write_notes(job, err) : result;
}

int section_run(const struct report_item *item, const struct report_question *question,
		struct targets *targets, struct section_result *out_result, struct error *err)
{
	const struct definition_section *section = item->section;
	struct section_job job = {.item = item,
				  .section = section,
				  .question = question,
				  .targets = targets,
				  .result = out_result};
	*out_result = (struct section_result){0};
	tally_init(&job.table, &section->tally);
	for (size_t i = 0; i < section->chart_count; i++) {
		tally_init(&job.chart[i], &section->chart[i].tally);
	}
	int result = open_job(&job, err);
	result = result == 0 ? write_section(&job, err) : result;
	tally_done(&job.table);
	for (size_t i = 0; i < section->chart_count; i++) {
		tally_done(&job.chart[i]);
	}
	close_job(&job);
	return result;
}

int section_count(const struct report_item *item, const struct report_question *question,
		  uint64_t *out_matched, struct error *err)
{
	struct section_job job = {.item = item, .section = item->section, .question = question};
	size_t at = 0;
	uint64_t count = 0;
	int result = open_job(&job, err);
	if (result == 0 && item->section->match_count == 0) {
		count = job.dataset.row_count;
	}
	while (result == 0 && item->section->match_count > 0 &&
	       (result = next_row(&job, &at, err)) == 0) {
		count++;
	}
	close_job(&job);
	*out_matched = count;
	return result == -ERR_GONE ? 0 : result;
}
