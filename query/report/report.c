#include "query/report/report.h"

#include "query/report/crosswalk.h"
#include "query/report/section-run.h"

#include <stdlib.h>

#define ARENA_MAX (4u << 20)

static int no_memory(struct error *err)
{
	return error_set(err, ERR_NOMEM, "no memory for the report");
}

static int load_one(const struct folders *folders, struct str name, struct definition **out,
		    struct error *err)
{
	struct definition *definition = calloc(1, sizeof(*definition));
	if (definition == NULL) {
		return no_memory(err);
	}
	int result = folders_load(folders, name, definition, err);
	if (result != 0) {
		free(definition);
		return result;
	}
	*out = definition;
	return 0;
}

static int add_item(struct report *report, const struct report_item *item, struct str prefix,
		    struct error *err)
{
	struct buf anchor;
	struct str copy = {0};
	buf_init(&anchor, 1024);
	buf_put_str(&anchor, prefix);
	if (item->section != NULL) {
		buf_put_text(&anchor, prefix.len > 0 ? "-" : "");
		buf_put_str(&anchor, item->section->name);
	}
	int result = arena_str(&report->arena, buf_str(&anchor), &copy);
	buf_done(&anchor);
	if (result != 0) {
		return no_memory(err);
	}
	for (size_t i = 0; i < report->item_count; i++) {
		if (strcmp(report->item[i].anchor, copy.ptr) == 0) {
			return error_set(err, ERR_CONFIG,
					 "two sections of report %.*s would be \"%s\"",
					 STR_ARG(report->definition->name), copy.ptr);
		}
	}
	report->item[report->item_count] = *item;
	report->item[report->item_count++].anchor = copy.ptr;
	return 0;
}

static int add_sections(struct report *report, const struct definition *definition,
			struct str prefix, struct error *err)
{
	int result = 0;
	for (size_t i = 0; result == 0 && i < definition->section_count; i++) {
		struct report_item item = {
			.definition = definition, .section = &definition->sections[i], .level = 2};
		result = add_item(report, &item, prefix, err);
	}
	return result;
}

static int load_parts(const struct folders *folders, struct report *report, struct error *err)
{
	const struct definition *main = report->definition;
	int result = 0;
	for (size_t i = 0; result == 0 && i < main->part_count; i++) {
		result = load_one(folders, main->part[i], &report->part[i], err);
		if (result != 0) {
			error_prefix(err, "report %.*s", STR_ARG(main->name));
			return result == -ERR_USAGE ? -ERR_CONFIG : result;
		}
		report->part_count++;
		if (report->part[i]->part_count > 0) {
			return error_set(
				err, ERR_CONFIG,
				"report %.*s: its part %.*s is itself put together of parts",
				STR_ARG(main->name), STR_ARG(main->part[i]));
		}
		struct report_item item = {.definition = report->part[i], .level = 1};
		result = add_item(report, &item, main->part[i], err);
		result = result == 0 ? add_sections(report, report->part[i], main->part[i], err)
				     : result;
	}
	return result;
}

/* The items of a report whose own definition is there. */
static int put_together(const struct folders *folders, struct report *report, struct error *err)
{
	int result = load_parts(folders, report, err);
	result = result == 0 ? add_sections(report, report->definition, (struct str){"", 0}, err)
			     : result;
	result = result == 0 ? crosswalk_check(report, err) : result;
	if (result != 0) {
		report_done(report);
	}
	return result;
}

int report_load(const struct folders *folders, struct str name, struct report *out_report,
		struct error *err)
{
	memset(out_report, 0, sizeof(*out_report));
	int result = load_one(folders, name, &out_report->definition, err);
	if (result != 0) {
		return result;
	}
	arena_init(&out_report->arena, ARENA_MAX);
	return put_together(folders, out_report, err);
}

int report_parse(const struct folders *folders, const struct definition_input *input,
		 struct report *out_report, struct error *err)
{
	memset(out_report, 0, sizeof(*out_report));
	struct definition *definition = calloc(1, sizeof(*definition));
	if (definition == NULL) {
		return no_memory(err);
	}
	int result = definition_parse(input, definition, err);
	if (result != 0) {
		free(definition);
		return result;
	}
	out_report->definition = definition;
	arena_init(&out_report->arena, ARENA_MAX);
	return put_together(folders, out_report, err);
}

static void free_definition(struct definition *definition)
{
	if (definition != NULL) {
		definition_done(definition);
		free(definition);
	}
}

void report_done(struct report *report)
{
	for (size_t i = 0; i < report->part_count; i++) {
		free_definition(report->part[i]);
	}
	free_definition(report->definition);
	arena_done(&report->arena);
	memset(report, 0, sizeof(*report));
}

struct report_job {
	struct report *report;
	const struct report_question *question;
	struct targets *targets;
	struct arena arena;
	struct query query;
	struct plan *plan;
	struct run_result found;
	struct head facts;
	struct report_section contents[REPORT_ITEMS_MAX + 1];
	struct report_head head;
};

/* What the filter and the range match: the counts of the head. */
static int look(struct report_job *job, struct error *err)
{
	const struct report_question *question = job->question;
	struct plan_options options = {
		.from_ns = question->from_ns,
		.to_ns = question->to_ns,
		.context = {question->zone, question->now_ns},
	};
	job->plan = calloc(1, sizeof(*job->plan));
	if (job->plan == NULL) {
		return no_memory(err);
	}
	int result = query_parse(question->filter, &job->arena, &job->query, err);
	result = result == 0 ? plan_make(&job->query, &options, job->plan, err) : result;
	result = result == 0 ? run_plan(question->store, job->plan, &job->found, err) : result;
	if (result != 0) {
		return result;
	}
	struct head_question asked = {question->store,        question->zone, job->plan,
				      question->filter,       &job->found,    question->asker,
				      job->report->definition};
	return head_make(&asked, &job->facts, err);
}

static void fill_contents(struct report_job *job)
{
	const struct report *report = job->report;
	size_t count = 0;
	if (report->definition->crosswalk_count > 0) {
		job->contents[count++] =
			(struct report_section){.title = report->definition->crosswalk_title,
						.level = 1,
						.anchor = CROSSWALK_ANCHOR};
	}
	for (size_t i = 0; i < report->item_count; i++) {
		const struct report_item *item = &report->item[i];
		job->contents[count++] = (struct report_section){
			.title = item->section != NULL ? item->section->title
						       : item->definition->title,
			.level = item->level,
			.anchor = item->anchor,
		};
	}
	job->head.contents = job->contents;
	job->head.content_count = count;
}

static int write_head(struct report_job *job, struct error *err)
{
	const struct definition *main = job->report->definition;
	job->head = (struct report_head){
		.name = main->name,
		.title = main->title,
		.purpose = main->purpose,
		.clauses = main->clause,
		.clause_count = main->clause_count,
		.facts = job->facts.fact,
		.fact_count = job->facts.fact_count,
		.incomplete = job->facts.incomplete,
		.zone_name = job->question->zone->name,
	};
	fill_contents(job);
	return targets_begin(job->targets, &job->head, err);
}

static int write_items(struct report_job *job, struct report_outcome *outcome, struct error *err)
{
	struct report *report = job->report;
	int result = 0;
	if (report->definition->crosswalk_count > 0) {
		result = crosswalk_write(report, job->question, job->targets, err);
	}
	for (size_t i = 0; result == 0 && i < report->item_count; i++) {
		const struct report_item *item = &report->item[i];
		struct section_result found = {0};
		if (item->section == NULL) {
			struct report_section part = {item->definition->title,
						      item->definition->purpose, 1, item->anchor};
			result = targets_section(job->targets, &part, err);
			continue;
		}
		result = section_run(item, job->question, job->targets, &found, err);
		outcome->row_count += found.row_count;
		outcome->incomplete = outcome->incomplete || found.unread + found.damaged > 0;
	}
	return result;
}

/* Damaged rows show only when they are read, which is behind the head: it is said at the end then. */
static int write_afterthought(struct report_job *job, bool incomplete, struct error *err)
{
	if (!incomplete || job->facts.incomplete) {
		return 0;
	}
	return targets_note(
		job->targets,
		STR_LIT("This report is incomplete, though its head does not say so: the "
			"store is damaged, and rows above could not be read whole."),
		true, err);
}

int report_run(struct report *report, const struct report_question *question,
	       struct targets *targets, struct report_outcome *out_outcome, struct error *err)
{
	struct report_job *job = calloc(1, sizeof(*job));
	if (job == NULL) {
		return no_memory(err);
	}
	job->report = report;
	job->question = question;
	job->targets = targets;
	arena_init(&job->arena, 4u << 20);
	*out_outcome = (struct report_outcome){0};
	int result = look(job, err);
	if (result == 0) {
		out_outcome->incomplete = job->facts.incomplete;
		run_result_clear(&job->found);
		result = write_head(job, err);
		result = result == 0 ? write_items(job, out_outcome, err) : result;
		result = result == 0 ? write_afterthought(job, out_outcome->incomplete, err)
				     : result;
		result = result == 0 ? targets_end(targets, err) : result;
		head_done(&job->facts);
	}
	run_result_clear(&job->found);
	free(job->plan);
	arena_done(&job->arena);
	free(job);
	return result;
}
